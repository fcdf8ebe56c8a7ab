"""The demo gateway over real HTTP: checks find planted faults here, and an edit fixes them."""

from __future__ import annotations

import base64
import io
import json
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest

pytest.importorskip("PIL")
av = pytest.importorskip("av")

from conftest import SCRIPTS
from factorized_video.demo.card import ANCHOR, DIRECT, draw_card
from factorized_video.demo.geometry import canvas
from factorized_video.demo.server import serve
from factorized_video.prompts import anchor_image, caption, checklist, motion
from pictures import distance, opened
from PIL import Image

PROMPT = "A cat jumping from a bookshelf to the couch"
CONTROLS = ["Is there a giraffe in the picture?", checklist.ANYTHING]


@pytest.fixture
def root() -> Iterator[str]:
    with serve() as address:
        yield address


def call(root: str, path: str, body: object = None) -> tuple[int, dict[str, Any]]:
    """Status and JSON of a GET, or with a body of a POST."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"{root}/api/v1/{path}", data)
    try:
        with urllib.request.urlopen(request, timeout=20) as reply:
            return reply.status, json.load(reply)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


def uri(data: bytes) -> str:
    return f"data:image/png;base64,{base64.b64encode(data).decode()}"


def png(colour: str = "teal", size: tuple[int, int] = (64, 64)) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, colour).save(out, "PNG")
    return out.getvalue()


def shown(messages: list[dict[str, str]], *pictures: object) -> list[object]:
    """The messages with pictures before the text of the user's."""
    system, user = messages
    images = [{"type": "image_url", "image_url": {"url": address}} for address in pictures]
    parts = [*images, {"type": "text", "text": user["content"]}]
    return [system, {"role": "user", "content": parts}]


def chat(root: str, messages: object) -> dict[str, Any]:
    status, reply = call(root, "chat/completions", {"messages": messages})
    assert status == 200, reply
    said = json.loads(reply["choices"][0]["message"]["content"])
    assert isinstance(said, dict)
    return said


def draw(root: str, prompt: str, **more: object) -> bytes:
    status, reply = call(root, "images/generations", {"prompt": prompt, **more})
    assert status == 200, reply
    return base64.b64decode(reply["data"][0]["b64_json"])


def judged(root: str, questions: list[str], picture: bytes) -> list[str]:
    """The answers to questions about a picture, shown as a judge gets it."""
    small, out = opened(picture).convert("RGB"), io.BytesIO()
    small.thumbnail((700, 700))
    small.save(out, "PNG")
    said = chat(root, shown(checklist.check_messages(questions), uri(out.getvalue())))
    assert [one["id"] for one in said["answers"]] == list(range(1, len(questions) + 1))
    return [one["answer"] for one in said["answers"]]


def test_the_loop_finds_planted_faults_and_an_edit_fixes_them(root: str) -> None:
    questions = chat(root, checklist.question_messages(PROMPT))["questions"]
    request = anchor_image.image_prompt(PROMPT, "anime", "1:1")
    drawn = [
        draw(root, request, aspectRatio="1:1", **named)
        for named in ({"user": "somebody"}, {"user": "candidate-2"}, {"user": "candidate-3"})
    ]
    assert drawn[0] == draw_card(PROMPT, "anime", canvas("1:1"))
    wrong = [
        [n for n, answer in enumerate(judged(root, questions, one), 1) if answer != "yes"]
        for one in drawn
    ]
    assert wrong == [[5], [2, 4], []]
    assert judged(root, CONTROLS, drawn[0]) == ["no", "yes"]

    request = anchor_image.edit_prompt([(questions[4], "circle 5 is hollow")])
    edited = draw(root, request, images=[uri(drawn[0])])
    assert judged(root, questions, edited) == ["yes"] * len(questions)
    assert distance(opened(edited), opened(drawn[0])) < 0.1


def test_other_pictures_are_neither_judged_nor_changed(root: str) -> None:
    out = io.BytesIO()
    Image.linear_gradient("L").convert("RGB").save(out, "PNG")
    photo = out.getvalue()
    questions = chat(root, checklist.question_messages(PROMPT))["questions"]
    assert judged(root, [*questions, "Is it grey?"], photo) == ["unsure"] * (len(questions) + 1)
    assert judged(root, CONTROLS, photo) == ["no", "yes"]
    assert judged(root, CONTROLS, png()) == ["no", "no"]
    assert distance(opened(draw(root, "Fix it", images=[uri(photo)])), opened(photo)) == 0


@pytest.mark.parametrize("words", ["make the cat orange", "a hat " * 200, "猫"])
def test_a_change_is_written_across_the_top(root: str, words: str) -> None:
    plain = opened(draw(root, PROMPT))
    request = anchor_image.change_prompt(words)
    edited = [
        opened(draw(root, request, images=[uri(draw(root, PROMPT))], **named))
        for named in ({}, {"user": "candidate-2"})
    ]
    below = (0, 48, *plain.size)
    assert distance(edited[0].crop(below), plain.crop(below)) == 0
    assert distance(edited[0], plain) > 1
    assert distance(*edited) > 0


def test_references_are_shown_on_a_card_that_can_still_be_judged(root: str) -> None:
    request = anchor_image.image_prompt(PROMPT, "anime", "16:9", references=2)
    drawn = draw(root, request, images=[uri(png("red"))] * 2)
    colours = opened(drawn).getcolors(1 << 24) or []
    assert (255, 0, 0) in {colour for _, colour in colours}
    questions = chat(root, checklist.question_messages(PROMPT))["questions"]
    assert judged(root, questions, drawn).count("yes") == 5


CHECK = checklist.check_messages(["Is there a cat?"])


@pytest.mark.parametrize(
    ("messages", "problem"),
    [
        (CHECK, "a picture is missing"),
        (shown(CHECK, uri(b"not an image")), "the picture is not an image"),
        (shown(CHECK, "data:image/png;base64,#"), "the picture is not a data URI"),
        (shown(CHECK, "https://example.org/a.png"), "the demo fetches nothing"),
        (shown(CHECK, None), "the picture is not a data URI"),
        (motion.motion_messages(PROMPT), "a picture is missing"),
        (checklist.question_messages(" "), "prompt is missing"),
        (caption.rewrite_messages("\ud800", "anime", "16:9"), "prompt is missing"),
        ([{"role": "user", "content": '{"task": "sing"}'}], "task: expected one of"),
        ([{"role": "user", "content": '{"task": ["check"]}'}], "task: expected one of"),
        (
            shown([{}, {"content": '{"task": "check", "questions": [1]}'}], uri(png())),
            "questions must",
        ),
        ([{"role": "user", "content": [7, {"type": "text"}]}], "the demo expects"),
        ("hello", "the demo expects"),
    ],
)
def test_a_chat_that_lacks_something_is_400(root: str, messages: object, problem: str) -> None:
    status, reply = call(root, "chat/completions", {"messages": messages})
    assert status == 400
    assert problem in reply["error"]["message"]


CLIP: dict[str, object] = {"prompt": f"{PROMPT}, in watercolor", "duration": 1, "size": "480p"}


@pytest.mark.parametrize(
    ("path", "body", "problem"),
    [
        ("images/generations", {"prompt": " "}, "prompt is missing"),
        ("images/generations", {"prompt": "a", "aspectRatio": "9:1"}, "aspect ratio"),
        ("images/generations", {"prompt": "a", "images": "x"}, "a picture is missing"),
        ("images/generations", {"prompt": "a", "images": [7]}, "the picture is not"),
        ("images/generations", {"prompt": "a", "n": 2}, "n must be 1"),
        ("images/generations", {"prompt": "a", "size": "1024x1024"}, "no use for size"),
        ("images/generations", {"prompt": "a", "response_format": "svg"}, "response_format"),
        ("chat/completions", {"messages": [{"role": "user", "content": "hi"}], "n": 2}, "n must"),
        ("chat/completions", {"messages": [], "stream": True}, "does not stream"),
        ("chat/completions", {"messages": [], "tools": []}, "no use for tools"),
        ("videos", {**CLIP, "prompt": 7}, "prompt is missing"),
        ("videos", {**CLIP, "duration": True}, "duration must be"),
        ("videos", {**CLIP, "duration": 61}, "duration must be"),
        ("videos", {**CLIP, "size": "8k"}, "resolution"),
        ("videos", {**CLIP, "size": "1279x720"}, "even sides"),
        ("videos", {**CLIP, "size": "4000x2000"}, "even sides"),
        ("videos", {**CLIP, "size": "1280x720", "aspectRatio": "9:16"}, "send one of the two"),
        ("videos", {**CLIP, "seed": 7, "generateAudio": True}, "no use for generateAudio, seed"),
        ("videos", {**CLIP, "last_frame": "nothing"}, "last_frame must be a data URI"),
        ("videos", {**CLIP, "first_frame": "https://example.org/a.png"}, "fetches nothing"),
        ("videos", {**CLIP, "first_frame": ""}, "first_frame must be"),
        ("videos", {**CLIP, "first_frame": False}, "first_frame must be"),
        ("videos", {**CLIP, "first_frame": "data:text/plain;base64,eA=="}, "first_frame must be"),
        ("videos", [], "not a JSON object"),
    ],
)
def test_a_request_that_cannot_be_met_is_400(
    root: str, path: str, body: object, problem: str
) -> None:
    status, reply = call(root, path, body)
    assert (status, problem in reply["error"]["message"]) == (400, True), reply


def test_what_is_not_there_is_404(root: str) -> None:
    for path, body in (("videos/abc", None), ("songs", None), ("songs", {})):
        assert call(root, path, body)[0] == 404


# --- clips ----------------------------------------------------------------------------------------


def finished(root: str, job: str) -> dict[str, Any]:
    """The row of a job that is done."""
    for _ in range(200):
        status, row = call(root, f"videos/{job}")
        assert status == 200, row
        if row["status"] not in ("pending", "running"):
            break
        time.sleep(0.1)
    return row


ROW = {
    *("id", "upstream_id", "model", "prompt", "first_frame", "last_frame", "size", "aspect_ratio"),
    *("duration", "created_at", "completed_at", "status", "error", "url"),
}


def test_a_row_is_as_the_gateways_own_client_reads_it(root: str) -> None:
    """Its keys, times as texts, and the picture that was sent, as bare base64 too."""
    sent = png(size=(832, 480))
    bare = base64.b64encode(sent).decode()
    _, job = call(root, "videos", {"prompt": PROMPT, "size": "832x480", "first_frame": bare})
    _, running = call(root, f"videos/{job['id']}")
    assert (running["status"], running["completed_at"], running["url"]) == ("pending", None, None)
    row = finished(root, job["id"])
    assert set(row) == ROW
    created, completed = (
        datetime.fromisoformat(row[name].replace("Z", "+00:00"))
        for name in ("created_at", "completed_at")
    )
    assert 0 <= (completed - created).total_seconds() < 60
    assert (row["duration"], row["size"], row["aspect_ratio"]) == (6, "832x480", "26:15")
    with urllib.request.urlopen(row["first_frame"], timeout=20) as reply:
        assert (reply.headers["Content-Type"], reply.read()) == ("image/png", sent)
    with urllib.request.urlopen(row["url"], timeout=20) as reply, av.open(reply) as clip:
        stream = clip.streams.video[0]
        assert (stream.width, stream.height, stream.frames) == (832, 480, 144)
    _, listed = call(root, "videos?limit=10&offset=0")
    assert listed == {"data": [row], "total": 1, "limit": 10, "offset": 0}


def test_a_picture_by_address_is_fetched_and_its_data_is_the_same(root: str) -> None:
    _, by_address = call(root, "images/generations", {"prompt": "A cat", "response_format": "url"})
    with urllib.request.urlopen(by_address["data"][0]["url"], timeout=20) as reply:
        assert reply.read() == draw(root, "A cat")


def test_free_words_are_answered_in_words(root: str) -> None:
    messages = [{"role": "user", "content": "A cat jumps to the couch"}]
    status, reply = call(root, "chat/completions", {"messages": messages, "temperature": 0.7})
    assert status == 200
    said = reply["choices"][0]["message"]["content"]
    assert said.endswith("A cat is ready to jump to the couch")
    assert "understands nothing" in said and reply["warnings"]


def first_frame(row: dict[str, Any]) -> Image.Image:
    with urllib.request.urlopen(row["url"], timeout=20) as reply:
        clip = io.BytesIO(reply.read())
    with av.open(clip) as container:
        frames: list[Image.Image] = [frame.to_image() for frame in container.decode(video=0)]
    assert len(frames) == 24
    return frames[0]


def test_a_clip_without_a_first_frame_begins_with_a_card_of_its_prompt(root: str) -> None:
    size, text = canvas("9:16", "480p"), str(CLIP["prompt"])
    _, job = call(root, "videos", {**CLIP, "first_frame": None, "aspectRatio": "9:16"})
    first = first_frame(finished(root, job["id"]))
    direct, anchor = (
        opened(draw_card(text, "watercolor", size, kind=kind)) for kind in (DIRECT, ANCHOR)
    )
    assert distance(first, direct) < 2
    assert distance(first, direct) < distance(first, anchor)


def test_a_job_outlives_the_gateway_that_accepted_it(root: str) -> None:
    with serve() as earlier:
        _, job = call(earlier, "videos", {**CLIP, "first_frame": uri(png(size=(854, 480)))})
    row = finished(root, job["id"])
    assert distance(first_frame(row), opened(png(size=(854, 480)))) < 2
    _, listed = call(root, "videos?limit=1")
    assert (listed["total"], listed["data"][0]["id"]) == (1, job["id"])


def test_a_job_that_cannot_be_drawn_fails(root: str) -> None:
    _, job = call(root, "videos", {**CLIP, "first_frame": uri(b"no image")})
    row = finished(root, job["id"])
    assert (row["status"], row["url"]) == ("failed", None)
    assert "not an image" in row["error"]
    with pytest.raises(urllib.error.HTTPError, match="404"):
        urllib.request.urlopen(f"{root}/clips/{job['id']}.mp4", timeout=20)


# --- alone ----------------------------------------------------------------------------------------


def test_alone_it_prints_the_line_that_points_the_scripts_at_it() -> None:
    command = [sys.executable, f"{SCRIPTS}/factorized_video/demo"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        lines = [process.stdout.readline() for _ in range(2)]
        root = lines[1].split()[1].removeprefix("AI_GATEWAY_BASE_URL=")
        assert call(root, "models")[0] == 200
        process.kill()


def test_a_port_that_cannot_be_had_is_exit_code_2() -> None:
    command = [sys.executable, f"{SCRIPTS}/factorized_video/demo", "--port", "70000"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, "port 70000" in done.stderr) == (2, True)


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "", "[::1]"])
def test_who_calls_it_by_another_name_is_turned_away(root: str, host: str) -> None:
    """A web page whose name resolves to this machine."""
    for path in ("models", "videos"):
        request = urllib.request.Request(f"{root}/api/v1/{path}", headers={"Host": host})
        with pytest.raises(urllib.error.HTTPError, match="403"):
            urllib.request.urlopen(request, timeout=20)


def test_who_does_not_know_the_path_sees_no_prompt_and_no_clip(root: str) -> None:
    """Another user of this machine, who finds the port."""
    made = call(root, "videos", {"model": "demo/push-in", "prompt": "A cat", "duration": 1})
    assert made[0] == 200
    bare = root.rpartition("/")[0]
    for place in (bare, f"{bare}/wrong", f"{root}x"):
        assert call(place, "videos")[0] == 403
        with pytest.raises(urllib.error.HTTPError, match="403"):
            urllib.request.urlopen(f"{place}/clips/{made[1]['id']}.mp4", timeout=20)
