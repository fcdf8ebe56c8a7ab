"""What public complaints met on the wire, played through the real command line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from conftest import KEY, Run, run
from loopback import CAPTION, Gateway, Reply, chat, clip, image, refusal
from storm import animating, own_picture

pytestmark = pytest.mark.thorough


def animate(gateway: Gateway, *args: str) -> Run:
    own_picture()
    return run("generate_video_from_anchor", *animating(*args), gateway=gateway)


def draw(gateway: Gateway, *args: str) -> Run:
    return run("generate_anchor", CAPTION, "--output=a.png", "--json", *args, gateway=gateway)


def rewrite(gateway: Gateway, *args: str) -> Run:
    return run("rewrite_prompt", "A cat jumps.", "--output=c.txt", "--json", *args, gateway=gateway)


def receipt(name: str) -> dict[str, Any]:
    data = json.loads(Path(f"{name}.receipt.json").read_text(encoding="utf-8"))
    assert isinstance(data, dict)
    return data


@pytest.mark.parametrize("body", ["the clip", "its row"])
def test_a_paid_call_that_is_answered_with_the_clip_delivers_it(
    gateway: Gateway, body: str
) -> None:
    row = {"status": "completed", "url": f"{gateway.root}/files/x.mp4"}
    there = Reply(200, body=clip(), headers={"Content-Type": "video/mp4"})
    gateway.will("create", there if body == "the clip" else Reply(200, row))
    done = animate(gateway)
    assert (done.code, gateway.sent, done.json["job"]) == (0, {"create": 1}, None), done.err
    assert Path("cat.mp4").read_bytes() == clip()
    assert (animate(gateway).code, gateway.sent) == (0, {"create": 1})


def test_such_a_clip_survives_a_place_that_cannot_be_written(gateway: Gateway) -> None:
    row = {"status": "completed", "url": f"{gateway.root}/files/x.mp4"}
    gateway.will("create", Reply(200, row))
    gateway.will("file", *[Reply(500)] * 4)
    failed = animate(gateway)
    assert (failed.code, receipt("cat.mp4")["state"]) == (9, "intent"), failed.err
    assert (animate(gateway).code, gateway.sent) == (0, {"create": 1})


@pytest.mark.parametrize(
    ("row", "code", "charged"),
    [
        ({"videos": [], "raiMediaFilteredReasons": ["unsafe; you have not been charged"]}, 5, "no"),
        ({"error": {"message": "blocked by content moderation"}}, 5, "unknown"),
        ({}, 11, "unknown"),
    ],
)
def test_a_finished_job_without_a_clip_is_an_end(
    gateway: Gateway, row: dict[str, Any], code: int, charged: str
) -> None:
    gateway.always("status", Reply(200, {"status": "succeeded", **row}))
    ended = animate(gateway)
    assert (ended.code, ended.json["error"]["charged"]) == (code, charged), ended.err
    assert (animate(gateway).code, gateway.sent) == (code, {"create": 1})
    gateway.mend()
    # One that was finished without a clip may have it by now: --resubmit looks first.
    creates = 1 if code == 11 else 2
    assert (animate(gateway, "--resubmit").code, gateway.sent) == (0, {"create": creates})


def test_a_status_read_that_is_not_allowed_says_nothing_of_the_charge(gateway: Gateway) -> None:
    gateway.will("status", Reply(401, {"error": {"message": "no upstream key"}}))
    denied = animate(gateway)
    assert (denied.code, denied.json["error"]["charged"]) == (3, "unknown")
    assert "may still be running" in denied.json["error"]["message"]
    assert (animate(gateway).code, gateway.sent) == (0, {"create": 1})


@pytest.mark.parametrize(
    ("data", "name"), [(b"no picture", "a.response.bin"), (b"GIF89a..", "a.response.gif")]
)
def test_a_response_that_is_no_picture_is_kept_beside_the_output(
    gateway: Gateway, data: bytes, name: str
) -> None:
    gateway.will("image", image(data), image(b"other"))
    failed = draw(gateway)
    assert (failed.code, Path(name).read_bytes()) == (9, data), failed.err
    assert name in failed.json["error"]["message"]
    draw(gateway, "--resubmit")
    kept = {path.read_bytes() for path in Path().glob("a.response*")}
    assert kept == {data, b"other"}


def test_a_response_in_words_is_kept_without_the_key_that_it_repeats(gateway: Gateway) -> None:
    words = f'{{"error": "no clip for Bearer {KEY}\nat https://x.example/a?signature=abc"}}'
    gateway.always("file", Reply(body=words.encode()))
    failed = animate(gateway)
    assert failed.code == 9, failed.err
    (kept,) = Path().glob("*.response.bin")
    text = kept.read_text(encoding="utf-8")
    assert text.startswith('{"error": "no clip for Bearer [key]\nat https://x.example/a')
    assert "signature=abc" not in text


def test_a_lower_limit_on_tokens_is_tried_once(gateway: Gateway) -> None:
    limit = refusal(402, "max_tokens 8000: you can only afford 1500")
    gateway.will("chat", limit)
    assert rewrite(gateway).code == 0
    first, second = (request.body for request in gateway.of("chat"))
    assert (first["max_tokens"], second["max_tokens"]) == (8_000, 1_500)
    gateway.always("chat", limit)
    again = rewrite(gateway, "--style=anime", "--overwrite")
    assert (again.code, len(gateway.of("chat"))) == (3, 4)


def test_answers_that_could_not_be_used_are_counted(gateway: Gateway) -> None:
    gateway.always("chat", chat("no object"))
    failed = rewrite(gateway)
    assert "no caption in 2 answers (USD 0.0" in failed.json["error"]["message"]
    assert failed.json["spent"] == {"amount": failed.json["cost"]["amount"], "unknown_calls": 0}
    assert failed.json["spent"]["amount"] > 0
