"""What becomes of a job, read in all dialects alike: words, ids, addresses, reasons, filters."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from answers import reply
from factorized_video.gateway import dialects
from factorized_video.gateway.dialects._jobs import filtered_in, id_of, reason_in, url_in
from factorized_video.gateway.reply_parsing import failed_job_in, is_video
from factorized_video.gateway.status_words import standing
from factorized_video.gateway.types import HttpReply

NAMES = dialects.names()
CLIP = b"\x00\x00\x00\x18ftypmp42 and so on"
URL = "https://cdn.example/v.mp4"
FILTER = "We could not create your video because of our safety filters. You have not been charged."


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    ("words", "state"),
    [
        ("completed succeeded SUCCESS Succeed done finished TASK_STATUS_SUCCEED", "succeeded"),
        ("JOB_STATE_SUCCEEDED Completed ready success", "succeeded"),
        ("failed FAILED failure error Fail TASK_STATUS_FAILED job_state_failed", "failed"),
        ("cancelled canceled CANCELED aborted expired deleted timeout timed_out", "failed"),
        ("Content_Moderated nsfw filtered task_expired", "failed"),
        ("queued in_progress in-progress IN_QUEUE processing THROTTLED dreaming", "running"),
        ("submitted NOT_START upscaling UNKNOWN retrying", "running"),
    ],
)
def test_a_status_word_means_the_same_everywhere(name: str, words: str, state: str) -> None:
    for word in words.split():
        job = dialects.load(name).decode_status(reply({"id": "v", "status": word, "url": URL}))
        assert (job.state, job.word) == (state, word)


@pytest.mark.parametrize(
    ("word", "why"),
    [
        ("canceled", "it was cancelled"),
        ("EXPIRED", "it has expired"),
        ("timed out", "it took the server too long"),
        ("moderated", "it was stopped by a content filter"),
        ("failed", None),
    ],
)
def test_a_word_may_say_why(word: str, why: str | None) -> None:
    assert standing(word).why == why
    for name in NAMES:
        assert dialects.load(name).decode_status(reply({"id": "v", "status": word})).error == why


@pytest.mark.parametrize("name", [name for name in NAMES if name != "vercel"])
@pytest.mark.parametrize("word", ["", None, 3, ["completed"], {"a": 1}])
def test_what_is_no_word_means_running(name: str, word: object) -> None:
    assert dialects.load(name).decode_status(reply({"id": "v", "status": word})).state == "running"


@pytest.mark.parametrize(
    ("row", "job_id"),
    [
        ({"id": "a"}, "a"),
        ({"id": 17}, "17"),
        ({"id": " a "}, "a"),
        ({"id": None, "task_id": "t"}, "t"),
        ({"jobId": "j"}, "j"),
        ({"id": True}, ""),
        ({"id": ["a"]}, ""),
        ({"request_id": "r"}, ""),  # that of a call, not of a job
    ],
)
def test_an_id_under_any_name(row: dict[str, object], job_id: str) -> None:
    assert id_of(row) == job_id


@pytest.mark.parametrize("name", ["happycapy", "openai", "openrouter"])
@pytest.mark.parametrize("around", [None, "data", "video", "task", "list"])
@pytest.mark.parametrize("key", ["id", "task_id", "job_id"])
def test_the_row_of_a_started_job_may_be_wrapped(name: str, around: str | None, key: str) -> None:
    row: Any = {key: "v-1", "status": "queued"}
    body = {"data": [row]} if around == "list" else {around: row} if around else row
    assert dialects.load(name).decode_submit(reply(body)).id == "v-1"


@pytest.mark.parametrize(
    "row",
    [
        {"url": URL},
        {"video_url": URL},
        {"output": URL},
        {"output": [None, URL]},
        {"output": {"video_url": URL}},
        {"result": {"url": URL}},
        {"metadata": {"url": URL}},
        {"data": [{"url": URL}]},
        {"videos": [{"url": URL}]},
        {"video": {"url": URL}},
        {"unsigned_urls": [URL]},
        {"urls": [URL, "https://other"]},
        {"content": {"video_url": URL}},
        {"assets": {"video": URL}},
        {"response": {"generateVideoResponse": {"generatedSamples": [{"video": {"uri": URL}}]}}},
    ],
)
def test_a_result_under_any_name(row: dict[str, object]) -> None:
    assert url_in(row) == URL
    for name in NAMES:
        job = dialects.load(name).decode_status(reply({"id": "v", "status": "completed", **row}))
        assert (job.state, job.url) == ("succeeded", URL)


@pytest.mark.parametrize(
    "row", [{}, {"output": "a cat"}, {"image_url": URL}, {"url": ""}, {"video": None}, {"data": 3}]
)
def test_what_is_no_result_is_none(row: dict[str, object]) -> None:
    assert url_in(row) is None


@pytest.mark.parametrize("key", ["b64_json", "bytesBase64Encoded"])
def test_a_clip_in_base64_is_taken(key: str) -> None:
    row = {"id": "v", "status": "completed", "videos": [{key: base64.b64encode(CLIP).decode()}]}
    for name in NAMES:
        assert dialects.load(name).decode_status(reply(row)).data == CLIP


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({"error": {"message": "no room", "code": "x"}}, "no room"),
        ({"error": {"code": "content_policy_violation"}}, "content_policy_violation"),
        ({"error": "out of memory"}, "out of memory"),
        ({"fail_reason": "upstream"}, "upstream"),
        ({"task_status_msg": "risk"}, "risk"),
        ({"incomplete_details": {"reason": "content_filter"}}, "content_filter"),
        ({}, None),
    ],
)
def test_a_reason_under_any_name(row: dict[str, object], reason: str | None) -> None:
    assert reason_in(row) == reason


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ({"providerMetadata": {"v": {"raiMediaFilteredReasons": [FILTER]}}}, FILTER),
        ({"response": {"raiMediaFilteredCount": 1}}, "raiMediaFilteredCount"),
        ({"raiMediaFilteredCount": 0, "raiMediaFilteredReasons": []}, None),
        ({"promptFeedback": {"blockReason": "SAFETY"}}, "SAFETY"),
        ({"moderation": {"flagged": False}, "refusal": "no"}, "no"),
        ({"safety_settings": [{"threshold": "BLOCK_NONE"}]}, None),
    ],
)
def test_what_a_filter_took_away(row: dict[str, object], words: str | None) -> None:
    assert filtered_in(row) == words
    for name in NAMES:
        job = dialects.load(name).decode_status(
            reply({"id": "v", "status": "completed", "videos": [], **row})
        )
        assert (job.state == "failed", words is None or words in (job.error or "")) == (
            words is not None,
            True,
        )
        # Whatever else stands in a row, a clip that is there is delivered.
        there = reply({"id": "v", "status": "completed", "videos": [{"url": URL}], **row})
        assert dialects.load(name).decode_status(there).state == "succeeded"


def test_a_failed_row_in_an_error_reply_is_known_by_any_word() -> None:
    assert failed_job_in(b'{"id": "v", "status": "Cancelled", "error": "x"}')
    assert not failed_job_in(b'{"id": "req-1", "status": "error", "error": "x"}')
    assert failed_job_in(b'{"id": "v", "state": "TASK_FAILED"}')
    assert not failed_job_in(b'{"id": "v", "status": "running"}')
    assert not failed_job_in(b'{"status": "failed"}')


@pytest.mark.parametrize(
    ("headers", "body", "video"),
    [
        ({}, CLIP, True),
        ({"content-type": "video/mp4"}, b"anything", True),
        ({"content-type": "VIDEO/webm; codecs=vp9"}, b"x", True),
        ({"content-type": "video/mp4"}, b"", False),
        ({}, b"\x1aE\xdf\xa3webm", True),
        ({"content-type": "application/json"}, b'{"id": 1}', False),
    ],
)
def test_a_reply_that_is_the_clip(headers: dict[str, str], body: bytes, video: bool) -> None:
    assert is_video(HttpReply(200, headers, body)) is video
