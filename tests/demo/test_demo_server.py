"""The demo gateway over real HTTP: the loop that checks an anchor finds faults here, and mends."""

from __future__ import annotations

import base64
import io
import json
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest

pytest.importorskip("PIL")

from factorized_video.demo.card import DIRECT, draw_anchor
from factorized_video.demo.server import serve
from factorized_video.demo.sizes import canvas
from factorized_video.prompts import anchor_image, checklist, clip_checklist
from factorized_video.prompts.caption import rewrite_messages
from factorized_video.prompts.json_reply import asked_again
from factorized_video.prompts.motion import motion_messages
from pictures import distance, opened
from PIL import Image

PROMPT = "A cat jumping from a bookshelf to the couch"
CONTROLS = [
    "Is there a giraffe in the picture?",
    "Is there an accordion in the picture?",
    "Does the picture show anything at all, other than one single plain colour?",
]


@pytest.fixture
def root() -> Iterator[str]:
    with serve() as address:
        yield address


def post(root: str, path: str, body: dict[str, object]) -> tuple[int, dict[str, Any]]:
    """Status and JSON of a POST."""
    request = urllib.request.Request(
        f"{root}/api/v1/{path}", json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    try:
        with urllib.request.urlopen(request, timeout=20) as reply:
            return reply.status, json.load(reply)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


def uri(data: bytes, mime: str = "image/png") -> str:
    return f"data:{mime};base64,{base64.b64encode(data).decode()}"


def jpeg(data: bytes, longest: int = 700) -> bytes:
    """A picture as it is shown to a judge."""
    picture, out = opened(data).convert("RGB"), io.BytesIO()
    picture.thumbnail((longest, longest))
    picture.save(out, "JPEG", quality=80)
    return out.getvalue()


def shown(messages: list[dict[str, str]], *pictures: object) -> list[object]:
    """The messages with pictures before the text of the user's."""
    system, user = messages
    images = [{"type": "image_url", "image_url": {"url": address}} for address in pictures]
    parts = [*images, {"type": "text", "text": user["content"]}]
    return [system, {"role": "user", "content": parts}]


def chat(root: str, messages: object) -> dict[str, Any]:
    status, reply = post(
        root, "chat/completions", {"model": "demo/stillness", "messages": messages}
    )
    assert status == 200, reply
    said = json.loads(reply["choices"][0]["message"]["content"])
    assert isinstance(said, dict)
    return said


def draw(root: str, prompt: str, **more: object) -> bytes:
    body = {"model": "demo/storyboard-card", "prompt": prompt, "aspectRatio": "16:9", **more}
    status, reply = post(root, "images/generations", body)
    assert status == 200, reply
    return base64.b64decode(reply["data"][0]["b64_json"])


def judged(root: str, questions: list[str], picture: bytes) -> list[str]:
    said = chat(root, shown(checklist.check_messages(questions), uri(jpeg(picture), "image/jpeg")))
    assert [one["id"] for one in said["answers"]] == list(range(1, len(questions) + 1))
    return [one["answer"] for one in said["answers"]]


def test_the_loop_finds_planted_faults_and_an_edit_mends_them(root: str) -> None:
    asking = checklist.question_messages(PROMPT)
    questions = chat(root, asking)["questions"]
    assert questions == chat(root, asked_again(asking, "no", "Answer again."))["questions"]
    assert 5 <= len(questions) <= 10
    image_prompt = anchor_image.image_prompt(PROMPT, "anime", "1:1")
    drawn = [
        draw(root, image_prompt, aspectRatio="1:1", **named)
        for named in ({}, {"user": "candidate-2"}, {"user": "candidate-3"})
    ]
    assert distance(opened(drawn[0]), opened(drawn[1])) > 1
    wrong = [
        [n for n, answer in enumerate(judged(root, questions, one), 1) if answer != "yes"]
        for one in drawn
    ]
    assert wrong == [[5], [2, 4], []]
    assert judged(root, CONTROLS, drawn[0]) == ["no", "no", "yes"]

    request = anchor_image.edit_prompt([(questions[4], "circle 5 is hollow")])
    edited = draw(root, request, images=[uri(drawn[0])])
    assert judged(root, questions, edited) == ["yes"] * len(questions)
    assert opened(edited).size == opened(drawn[0]).size
    assert distance(opened(edited), opened(drawn[0])) < 0.1


@pytest.mark.thorough
def test_the_first_candidate_is_the_one_without_a_name(root: str) -> None:
    """And `user` may be anything else at other servers of this shape."""
    small: dict[str, object] = {"aspectRatio": "1:1"}
    plain = draw(root, PROMPT, **small)
    for user in ("somebody", "candidate-0"):
        assert draw(root, PROMPT, user=user, **small) == plain
    assert draw(root, PROMPT, user="candidate-2", **small) != plain


def test_other_pictures_are_neither_judged_nor_changed(root: str) -> None:
    out = io.BytesIO()
    Image.linear_gradient("L").convert("RGB").save(out, "PNG")
    photo = out.getvalue()
    questions = chat(root, checklist.question_messages(PROMPT))["questions"]
    assert judged(root, questions, photo) == ["unsure"] * len(questions)
    assert judged(root, [*CONTROLS, "Is it grey?"], photo) == ["no", "no", "yes", "unsure"]
    edited = opened(draw(root, "Make it better", images=[uri(photo)]))
    assert (edited.format, distance(edited, opened(photo))) == ("PNG", 0)
    out = io.BytesIO()
    Image.new("RGB", (64, 64), "teal").save(out, "PNG")
    assert judged(root, CONTROLS, out.getvalue()) == ["no", "no", "no"]


@pytest.mark.thorough
def test_a_change_is_written_on_the_picture_that_is_edited(root: str) -> None:
    plain = draw(root, PROMPT)
    for words in ("make the cat orange", "a hat " * 200):
        request = anchor_image.change_prompt(words)
        edited = [
            opened(draw(root, request, images=[uri(plain)], **named))
            for named in ({}, {"user": "candidate-2"})
        ]
        assert edited[0].size == opened(plain).size
        box = (0, 80, *edited[0].size)
        assert distance(edited[0].crop(box), opened(plain).crop(box)) == 0
        assert distance(edited[0], opened(plain)) > 1
        assert distance(*edited) > 0


@pytest.mark.parametrize("number", [1, 6])
def test_references_are_seen_on_the_card_that_is_drawn_from_them(root: str, number: int) -> None:
    request = anchor_image.image_prompt(PROMPT, "anime", "16:9", references=number)
    without = anchor_image.image_prompt(PROMPT, "anime", "16:9")
    out = io.BytesIO()
    Image.new("RGB", (64, 90), "red").save(out, "PNG")
    drawn = opened(draw(root, request, images=[uri(out.getvalue())] * number))
    assert distance(drawn, opened(draw(root, without))) > 0.2
    colours = drawn.getcolors(1 << 24) or []
    assert (255, 0, 0) in {colour for _, colour in colours}
    questions = chat(root, checklist.question_messages(PROMPT))["questions"]
    buffer = io.BytesIO()
    drawn.save(buffer, "PNG")
    assert "yes" in judged(root, questions, buffer.getvalue())  # its circles can be read


def test_what_clips_are_measured_by(root: str) -> None:
    said = chat(root, clip_checklist.measure_messages(PROMPT))
    assert set(said) == {"first_frame", "frames"}
    assert set(said["frames"]) < set(said["first_frame"])


def test_the_motion_is_told_for_a_picture(root: str) -> None:
    out = io.BytesIO()
    Image.new("RGB", (64, 64)).save(out, "PNG")
    said = chat(root, shown(motion_messages("A quiet harbour"), uri(out.getvalue())))
    assert said["motion"] == "A quiet harbour. The camera slowly pushes in."
    assert said["demands"] == [{"demand": "A quiet harbour", "words": "A quiet harbour"}]


def test_a_caption_is_made_as_before_from_text_or_from_parts(root: str) -> None:
    messages = rewrite_messages(PROMPT, "anime", "16:9")
    said = chat(root, messages)
    assert said["caption"].startswith("A cat on a bookshelf, crouched")
    assert said == chat(root, shown(messages))


CHECK = checklist.check_messages(["Is there a cat?"])


@pytest.mark.parametrize(
    ("messages", "problem"),
    [
        (CHECK, "a picture is missing"),
        (shown(CHECK), "a picture is missing"),
        (shown(CHECK, uri(b"not an image")), "the picture is not an image"),
        (shown(CHECK, "data:image/png;base64,#"), "the picture is not a data URI"),
        (shown(CHECK, "https://example.org/a.png"), "the picture is not a data URI"),
        (shown(CHECK, None), "the picture is not a data URI"),
        (motion_messages(PROMPT), "a picture is missing"),
        (checklist.question_messages(" "), "prompt is missing"),
        ([{"role": "user", "content": '{"task": "sing"}'}], "task: expected one of"),
        ([{"role": "user", "content": '{"task": ["check"]}'}], "task: expected one of"),
        ([{"role": "user", "content": '{"task": "check", "questions": ["a"]}'}], "questions must"),
        ([{"role": "user", "content": "hello"}], "the demo expects"),
        ([{"role": "user", "content": [7, {"type": "text"}]}], "the demo expects"),
        ("hello", "the demo expects"),
    ],
)
def test_a_chat_that_lacks_something_is_400(root: str, messages: object, problem: str) -> None:
    status, reply = post(root, "chat/completions", {"messages": messages})
    assert status == 400
    assert problem in reply["error"]["message"]


@pytest.mark.parametrize("images", ["x", ["x"], [uri(b"x")], [7], {"a": 1}])
def test_an_edit_of_no_picture_is_400(root: str, images: object) -> None:
    status, reply = post(root, "images/generations", {"prompt": "Mend it", "images": images})
    assert (status, "picture is" in reply["error"]["message"]) == (400, True)


# -- clips ----------------------------------------------------------------------------------------

CLIP: dict[str, object] = {"prompt": f"{PROMPT}, in watercolor", "duration": 1, "size": "480p"}


def filmed(root: str, body: dict[str, object]) -> list[Image.Image]:
    """The first and the last frame of the clip that a request makes."""
    av = pytest.importorskip("av")
    status, job = post(root, "videos", body)
    assert status == 200, job
    for _ in range(200):
        with urllib.request.urlopen(f"{root}/api/v1/videos/{job['id']}", timeout=20) as reply:
            row = json.load(reply)
        if row["status"] not in ("pending", "running"):
            break
        time.sleep(0.1)
    assert row["status"] == "succeeded", row
    assert "first_frame" not in row
    with urllib.request.urlopen(row["url"], timeout=20) as reply:
        clip = reply.read()
    with av.open(io.BytesIO(clip)) as container:
        frames = [frame.to_image() for frame in container.decode(video=0)]
    assert len(frames) == 24
    return [frames[0], frames[-1]]


@pytest.mark.parametrize(
    ("ratio", "more"), [("16:9", {}), ("9:16", {"first_frame": None})], ids=["absent", "null"]
)
@pytest.mark.thorough
def test_a_clip_without_a_first_frame_begins_with_a_card_of_its_prompt(
    root: str, ratio: str, more: dict[str, object]
) -> None:
    size = canvas(ratio, "480p")
    first, last = filmed(root, {**CLIP, **more, "aspectRatio": ratio})
    text = str(CLIP["prompt"])
    direct = opened(draw_anchor(text, "watercolor", size, stage=DIRECT))
    assert first.size == size
    assert distance(first, direct) < 3
    assert distance(last, first) > 1, "it moves as the other does"
    # It says what it is: the words at the head of the panel differ from those of an anchor.
    anchor = opened(draw_anchor(text, "watercolor", size))
    assert distance(direct, anchor) > 0
    assert distance(first, direct) < distance(first, anchor)


def test_a_clip_with_a_first_frame_begins_with_that(root: str) -> None:
    out = io.BytesIO()
    Image.linear_gradient("L").convert("RGB").resize(canvas("1:1", "480p")).save(out, "PNG")
    sent = out.getvalue()
    first, _ = filmed(root, {**CLIP, "aspectRatio": "1:1", "first_frame": uri(sent)})
    assert distance(first, opened(sent)) < 3


@pytest.mark.parametrize(
    "frame", ["", "x", 7, False, [], {}, "https://example.org/a.png", "data:text/plain;base64,eA=="]
)
def test_a_first_frame_that_is_no_picture_is_400(root: str, frame: object) -> None:
    status, reply = post(root, "videos", {**CLIP, "first_frame": frame})
    assert (status, "first_frame must be" in reply["error"]["message"]) == (400, True)
