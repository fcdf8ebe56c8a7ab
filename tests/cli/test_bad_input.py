"""Every bad input that the issue lists: its exit code, words that help, and nothing half done."""

from __future__ import annotations

import base64
import io
import json
import os
import resource
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from conftest import Run, run
from factorized_video import SCRIPTS, VERSION
from loopback import CAPTION, Gateway, Reply, chat, clip, image, png, refusal

KINDS = {
    2: "usage",
    3: "auth",
    4: "running",
    5: "refused",
    6: "unavailable",
    8: "unknown",
    9: "output",
    10: "rejected",
    11: "failed",
}
LONGEST = 20_000
REWRITE = ["rewrite_prompt"]
ANCHOR = ["generate_anchor", "--output=a.png"]
VIDEO = ["generate_video_from_anchor", "--anchor=mine.png", "--prompt=A cat.", "--output=v.mp4"]
ALL = ["factorized_generate", "--prompt=A cat.", "--output=v.mp4"]


def must_fail(done: Run, code: int) -> dict[str, Any]:
    """It ended with this code, said what to do in JSON and on stderr, and left no half file."""
    assert done.code == code, done.out + done.err
    error = done.json["error"]
    assert error["kind"] == KINDS[code]
    assert error["message"]
    assert error["hint"], "what to do next is not said"
    assert f"error: {error['message']}" in done.err
    assert all(line in done.err for line in error["hint"].splitlines())
    assert "Traceback" not in done.err
    assert not left("*.part"), "half a file is left"
    assert isinstance(error, dict)
    return error


def left(pattern: str) -> list[Path]:
    """What lies in the working, home and temporary folders."""
    return [path for path in Path.cwd().parent.rglob(pattern) if path.is_file()]


def must_be_refused(
    gateway: Gateway, words: Sequence[str], stdin: str | bytes | None = None
) -> str:
    """A usage error before anything was sent or written; returns the message."""
    before = {path: path.read_bytes() for path in left("*")}
    done = run(*words, "--json", stdin=stdin, gateway=gateway)
    error = must_fail(done, 2)
    assert gateway.requests == []
    assert {path: path.read_bytes() for path in left("*")} == before
    return str(error["message"])


# --- words ----------------------------------------------------------------------------------------

BAD_TEXTS: list[Any] = [
    pytest.param("", "empty", id="empty"),
    pytest.param(" \n\t ", "empty", id="blank"),
    pytest.param("x" * (LONGEST + 1), "20,001 characters", id="one too many"),
    pytest.param("猫" * (LONGEST + 1), "20,001 characters", id="one too many, of three bytes"),
    pytest.param("x" * 200_000, "more than 20,000", id="far too many"),
    pytest.param("a bell\x07", "U+0007", id="control character"),
    pytest.param("a nul\x00", "U+0000", id="nul"),
    pytest.param("an escape \x1b[31m", "U+001B", id="terminal escape"),
    pytest.param("C1 \x9b", "U+009B", id="C1 control"),
    pytest.param(b"caf\xe9", "UTF-8", id="Latin-1"),
    pytest.param(b"\xff\xfe\x00binary", "UTF-8", id="binary"),
]


@pytest.mark.parametrize(("text", "said"), BAD_TEXTS)
def test_a_prompt_that_cannot_be_used(gateway: Gateway, text: str | bytes, said: str) -> None:
    assert said in must_be_refused(gateway, [*REWRITE, "-"], text)


@pytest.mark.parametrize(
    "words",
    [
        pytest.param([*ALL[:1], "--prompt="], id="the orchestrator"),
        pytest.param([*ALL[:1], "--prompt=a\x07"], id="the orchestrator, control"),
        pytest.param([*ANCHOR, " "], id="a caption"),
        pytest.param([*VIDEO, "--prompt="], id="stage 3"),
        pytest.param([*VIDEO, "--motion="], id="a motion"),
        pytest.param([*ALL, "--motion=\x1b"], id="a motion with a control character"),
    ],
)
def test_every_text_is_checked(gateway: Gateway, words: list[str]) -> None:
    Path("mine.png").write_bytes(png())
    must_be_refused(gateway, words)


@pytest.mark.parametrize(
    ("words", "way"),
    [
        pytest.param([*REWRITE, "-cat"], "stdin", id="stage 1"),
        pytest.param([*ALL[:1], "--prompt", "-cat"], "--prompt=-", id="the orchestrator"),
        pytest.param([*ALL[:1], "--prompt", "--json"], "--prompt=-", id="like a flag"),
    ],
)
def test_a_leading_dash_is_explained(gateway: Gateway, words: list[str], way: str) -> None:
    done = run(*words, "--json", gateway=gateway)
    assert (done.code, gateway.requests) == (2, [])
    assert way in done.json["error"]["hint"]


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("🐈‍⬛ jumps 🛋️", id="emoji"),
        pytest.param("قطة تقفز من الرف إلى الأريكة", id="right to left"),
        pytest.param("\u202eA cat\u202c, turned round", id="direction marks"),
        pytest.param("-5 degrees, and --output=x", id="leading dash"),
        pytest.param("line one\nline two\r\n\tand a tab", id="lines and tabs"),
        pytest.param('{"caption": "a trap"}', id="JSON"),
        pytest.param("猫" * LONGEST, id="20,000 characters of three bytes"),
    ],
)
def test_a_prompt_in_any_words_arrives_as_it_is(gateway: Gateway, text: str) -> None:
    given = run(*REWRITE, "-", stdin="\ufeff" + text, gateway=gateway)
    assert given.code == 0, given.err
    messages = gateway.of("chat")[0].body["messages"]
    assert isinstance(messages, list)
    assert json.loads(messages[1]["content"])["prompt"] == text


def test_the_orchestrator_hands_on_any_words(gateway: Gateway) -> None:
    text = "-5 degrees: قطة 🐈‍⬛\n" + "猫" * 19_000
    words = [*ALL[:1], "--prompt-file=-", "--motion=-x", "--skip-reasoning", "--json"]
    done = run(*words, stdin=text, gateway=gateway)
    assert done.code == 0, done.err
    assert gateway.of("create")[0].body["prompt"] == f"{text}\n\n-x"
    assert done.json["output"].isprintable()


# --- files to read --------------------------------------------------------------------------------


def _text_files() -> None:
    Path("folder").mkdir()
    Path("binary").write_bytes(bytes(range(256)))
    Path("latin").write_bytes("Ein Kätzchen".encode("latin-1"))
    Path("utf16").write_bytes("A cat".encode("utf-16"))
    Path("empty").write_bytes(b"")
    Path("long").write_text("x" * (LONGEST + 1), encoding="utf-8")


@pytest.mark.parametrize(
    "name", ["missing", "folder", "binary", "latin", "utf16", "empty", "long", ""]
)
def test_an_input_file_that_cannot_be_used(gateway: Gateway, name: str) -> None:
    _text_files()
    must_be_refused(gateway, [*ANCHOR, f"--input-file={name}"])


@pytest.mark.parametrize(
    "words",
    [
        pytest.param([*ALL[:1], "--prompt-file=missing"], id="--prompt-file"),
        pytest.param([*ALL, "--motion-file=folder"], id="--motion-file"),
        pytest.param([*VIDEO, "--motion-file=binary"], id="--motion-file in stage 3"),
        pytest.param(["generate_anchor"], id="neither caption nor file"),
        pytest.param(["generate_anchor", "a", "--input-file=latin"], id="caption and file"),
        pytest.param([*ALL[:1]], id="no prompt"),
    ],
)
def test_other_files_and_missing_words(gateway: Gateway, words: list[str]) -> None:
    _text_files()
    Path("mine.png").write_bytes(png())
    must_be_refused(gateway, words)


def _bytes(
    kind: str, size: tuple[int, int] = (400, 300), mode: str = "RGB", **how: object
) -> bytes:
    from PIL import Image

    out = io.BytesIO()
    Image.new(mode, size, 120 if mode == "L" else None).save(out, kind, **how)
    return out.getvalue()


def _split() -> Any:
    """Left half red, right half blue: what is upright can be told."""
    from PIL import Image

    picture = Image.new("RGB", (400, 300), "red")
    picture.paste("blue", (200, 0, 400, 300))
    return picture


def _turned() -> bytes:
    from PIL import Image

    exif = Image.Exif()
    exif[0x0112] = 6  # shown turned a quarter clockwise: left becomes top
    out = io.BytesIO()
    _split().save(out, "JPEG", exif=exif, quality=95)
    return out.getvalue()


def _animated() -> bytes:
    from PIL import Image

    out = io.BytesIO()
    _split().save(out, "GIF", save_all=True, append_images=[Image.new("RGB", (400, 300), "lime")])
    return out.getvalue()


BAD_PICTURES: list[Any] = [
    pytest.param(lambda: b"I am a text.", "not an image", id="text named .png"),
    pytest.param(lambda: b"", "empty", id="empty"),
    pytest.param(lambda: b"<!doctype html><p>", "web page", id="HTML"),
    pytest.param(lambda: png()[: len(png()) // 2], "damaged or cut short", id="truncated PNG"),
    pytest.param(lambda: _bytes("JPEG")[:-400], "damaged or cut short", id="truncated JPEG"),
    pytest.param(lambda: png((1, 1)), "1x1", id="1x1"),
    pytest.param(lambda: png((20_000, 70)), "20000x70", id="20,000 px wide"),
    pytest.param(lambda: clip(), "not an image", id="a video"),
    pytest.param(None, "cannot be read", id="missing"),
    pytest.param("folder", "folder", id="a folder"),
]


@pytest.mark.parametrize(("data", "said"), BAD_PICTURES)
def test_an_anchor_that_cannot_be_used(
    gateway: Gateway, data: Callable[[], bytes] | str | None, said: str
) -> None:
    mine = Path("mine.png")
    if data == "folder":
        mine.mkdir()
    elif callable(data):
        mine.write_bytes(data())
    message = must_be_refused(gateway, VIDEO)
    assert said in message
    assert "mine.png" in message


def test_the_orchestrator_looks_at_the_anchor_before_anything_is_sent(gateway: Gateway) -> None:
    Path("mine.png").write_bytes(b"I am a text.")
    words = [*ALL, "--anchor-path=mine.png", "--prompt-strategy=motion-only"]
    assert "not an image" in must_be_refused(gateway, words)


@pytest.mark.parametrize(
    ("data", "size", "first"),
    [
        pytest.param(lambda: _bytes("JPEG", mode="CMYK"), (400, 300), None, id="CMYK"),
        pytest.param(_animated, (400, 300), (255, 0, 0), id="animated"),
        pytest.param(_turned, (300, 400), (255, 0, 0), id="turned by EXIF"),
        pytest.param(lambda: _bytes("WEBP"), (400, 300), None, id="WebP"),
        pytest.param(lambda: _bytes("PNG", mode="RGBA"), (400, 300), (255, 255, 255), id="alpha"),
        pytest.param(lambda: _bytes("PNG", mode="L"), (400, 300), None, id="grey"),
        pytest.param(lambda: png((4000, 100)), (2048, 51), None, id="too wide to be sent"),
    ],
)
def test_an_unusual_anchor_is_sent_upright_in_a_form_all_models_take(
    gateway: Gateway,
    data: Callable[[], bytes],
    size: tuple[int, int],
    first: tuple[int, int, int] | None,
) -> None:
    from PIL import Image

    Path("mine.png").write_bytes(data())
    done = run(*VIDEO, "--fit=none", "--json", gateway=gateway)
    assert done.code == 0, done.err
    label, _, sent = str(gateway.of("create")[0].body["first_frame"]).partition(";base64,")
    with Image.open(io.BytesIO(base64.b64decode(sent))) as frame:
        assert f"data:image/{str(frame.format).lower()}" == label
        assert (frame.size, frame.mode in ("RGB", "L")) == (size, True)
        assert getattr(frame, "n_frames", 1) == 1
        if first:
            top_left = frame.convert("RGB").getpixel((5, 5))
            assert isinstance(top_left, tuple)
            assert max(abs(a - b) for a, b in zip(top_left, first, strict=True)) < 8
    if "GIF" in repr(data()[:4]):
        assert any("animated" in warning for warning in done.json["warnings"])


# --- places to write ------------------------------------------------------------------------------

OUTPUTS = [
    pytest.param([*REWRITE, "A cat."], ".txt", id="stage 1"),
    pytest.param(["generate_anchor", CAPTION], ".png", id="stage 2"),
    pytest.param([word for word in VIDEO if "output" not in word], ".mp4", id="stage 3"),
    pytest.param([*ALL[:2]], ".mp4", id="all"),
]


@pytest.mark.parametrize(("words", "extension"), OUTPUTS)
def test_an_output_that_cannot_be_written(
    gateway: Gateway, words: list[str], extension: str, request: pytest.FixtureRequest
) -> None:
    Path("mine.png").write_bytes(png())
    Path(f"folder{extension}").mkdir()
    Path("file").write_text("x", encoding="utf-8")
    places = [".", f"folder{extension}", "folder/", f"file/out{extension}", "x" * 250 + extension]
    places.append(f"{not_writable(request)}/out{extension}")
    for place in places:
        must_be_refused(gateway, [*words, f"--output={place}"])


@pytest.mark.parametrize(
    "words",
    [
        pytest.param([*REWRITE, "A cat.", "--output="], id="stage 1"),
        pytest.param([*ANCHOR, CAPTION, "--output="], id="stage 2"),
        pytest.param([*ALL, "--output="], id="all"),
    ],
)
def test_an_output_without_a_name(gateway: Gateway, words: list[str]) -> None:
    must_be_refused(gateway, words)


def not_writable(request: pytest.FixtureRequest) -> Path:
    """A folder that takes no file, not even from root."""
    if os.geteuid() == 0:
        return Path("/proc/self")
    folder = Path("locked").absolute()
    folder.mkdir(mode=0o500)
    request.addfinalizer(lambda: folder.chmod(0o700))
    return folder


@pytest.mark.parametrize(
    "words",
    [
        pytest.param(["generate_anchor", CAPTION, "--output=a.bmp"], id="an image as .bmp"),
        pytest.param([*ALL[:2], "--output=v.avi"], id="a video as .avi"),
        pytest.param([*ALL[:2], "--output=v"], id="a video without extension"),
        pytest.param([*ALL, "--work-dir=file"], id="a work folder that is a file"),
        pytest.param([*ALL, "--work-dir="], id="no work folder"),
        pytest.param([*REWRITE, "x", "--output=same", "--motion-file=same"], id="one for two"),
        pytest.param([*REWRITE, "x", "--motion-file=file"], id="a motion file that is there"),
    ],
)
def test_other_places_that_cannot_be(gateway: Gateway, words: list[str]) -> None:
    Path("file").write_text("x", encoding="utf-8")
    must_be_refused(gateway, words)


def test_a_missing_output_folder_is_made(gateway: Gateway) -> None:
    done = run("generate_anchor", CAPTION, "--output=~/deep/down/a.png", gateway=gateway)
    assert done.code == 0, done.err
    assert Path("~/deep/down/a.png").expanduser().read_bytes() == png()


def _disk_full_after(size: int) -> Callable[[], None]:
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


def _noise() -> bytes:
    """A PNG of 1.2 MB."""
    from PIL import Image

    out = io.BytesIO()
    Image.frombytes("RGB", (640, 640), os.urandom(640 * 640 * 3)).save(out, "PNG")
    return out.getvalue()


def test_a_disk_that_is_full_keeps_the_job_and_leaves_no_half_video(gateway: Gateway) -> None:
    Path("mine.png").write_bytes(png())
    long_clip = clip() + (1 << 20).to_bytes(4, "big") + b"free" + bytes((1 << 20) - 8)
    gateway.always("file", Reply(body=long_clip))
    full = run(*VIDEO, "--json", gateway=gateway, preexec=_disk_full_after(500_000))
    assert must_fail(full, 9)
    assert not Path("v.mp4").exists()
    again = run(*VIDEO, "--json", gateway=gateway)
    assert (again.code, gateway.billed) == (0, {"create": 1})
    assert Path("v.mp4").read_bytes() == long_clip


def test_a_disk_that_is_full_leaves_no_half_picture_and_it_is_not_paid_twice(
    gateway: Gateway,
) -> None:
    """Here not even the temporary folder has room, so the picture is lost: that must be said."""
    gateway.will("image", image(_noise()))
    full = run(*ANCHOR, CAPTION, "--json", gateway=gateway, preexec=_disk_full_after(500_000))
    error = must_fail(full, 9)
    assert not Path("a.png").exists()
    assert error["charged"] == "yes"
    again = run(*ANCHOR, CAPTION, "--json", gateway=gateway)
    assert (must_fail(again, 8)["charged"], gateway.billed) == ("unknown", {"image": 1})


def test_what_could_not_be_kept_is_not_said_to_be_kept(gateway: Gateway) -> None:
    gateway.will("image", image(_noise()))
    full = run(*ANCHOR, CAPTION, "--json", gateway=gateway, preexec=_disk_full_after(500_000))
    assert "kept" not in full.json["error"]["hint"]


def test_a_picture_that_has_no_place_is_kept_and_needs_no_second_draw(gateway: Gateway) -> None:
    """The output's folder is gone when the picture comes; the temporary folder has room."""
    gateway.will("image", image(_noise()), Reply(500))
    gateway.on("image", lambda: (Path.cwd() / "a.png").mkdir())
    full = run(*ANCHOR, CAPTION, "--json", gateway=gateway)
    must_fail(full, 9)
    Path("a.png").rmdir()
    again = run(*ANCHOR, CAPTION, "--json", gateway=gateway)
    assert (again.code, gateway.sent) == (0, {"image": 1}), again.err
    assert not left("kept/*")


# --- flags ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "words",
    [
        [*ALL, "--duration=0"],
        [*ALL, "--duration=6.5"],
        [*ALL, "--duration=5"],
        [*ALL, "--duration=" + "9" * 5000],
        [*ALL, "--candidates=00000112"],
        [*ALL, "--candidates=3", "--select=00000112"],
        [*ALL, "--seed=000000000012345678901"],
        [*ALL, "--take=0000012345"],
        [*ALL, "--aspect-ratio=16x9"],
        [*ALL, "--aspect-ratio=0:9"],
        [*ALL, "--aspect-ratio=1:1"],
        [*ALL, "--timeout=0"],
        [*ALL, "--timeout=nan"],
        [*ALL, "--style="],
        [*ALL, "--prompt-strategy=best"],
        [*ALL, "--stop-after=video"],
        [*ALL, "--model=x"],
        [*ALL, "--skip-anchor"],
        [*ALL, "--skip-reasoning", "--prompt-strategy=motion-only"],
        [*ALL, "--skip-reasoning", "--stop-after=caption"],
        [*ALL, "--motion=a", "--motion-file=b"],
        [*ALL, "--prompt-file=x"],
        [*ALL, "--dura=6"],
        [*ALL, "--video-model=openai/sora-2"],
        [*ALL, "--video-model=byteplus/seedream-4-5"],
        [*ALL, "--gateway=nobody"],
        [*VIDEO, "--prompt-strategy=motion-only"],
        [*ANCHOR, CAPTION, "--aspect-ratio=5:7"],
    ],
    ids=lambda words: " ".join(words[-2 if len(words) > 4 else -1 :]),
)
def test_flags_that_cannot_be(gateway: Gateway, words: list[str]) -> None:
    Path("mine.png").write_bytes(png())
    must_be_refused(gateway, words)


@pytest.mark.parametrize("scale", ["0", "fast", "1000", "nan"])
def test_a_time_scale_that_cannot_be(gateway: Gateway, scale: str) -> None:
    env = {"FACTORIZED_VIDEO_TIME_SCALE": scale}
    must_fail(run(*REWRITE, "x", "--json", gateway=gateway, env=env), 2)
    assert gateway.requests == []


# --- keys and addresses ---------------------------------------------------------------------------


@pytest.mark.parametrize("words", [[*REWRITE, "x"], [*ANCHOR, "x"], VIDEO, ALL])
def test_no_key_tells_the_three_ways_on(words: list[str]) -> None:
    Path("mine.png").write_bytes(png())
    error = must_fail(run(*words, "--json"), 3)
    ways = error["hint"].splitlines()
    assert ["--gateway demo" in ways[0], ".env" in ways[1], "--dry-run" in ways[2]] == [True] * 3
    assert [path.name for path in left("*")] == ["mine.png"]


@pytest.mark.parametrize(
    "base",
    [
        "ftp://gateway.example",
        "gateway.example",
        "http://",
        "https://",
        "javascript:alert(1)",
        "https://gateway.example:notaport",
        "https://[half",
        "https://user:pass@gateway.example",
        "http://192.0.2.7:8080",
        "http://gateway.example",
        "http://localhost.example",
        "https://ai-gateway.vercel.sh",
        "https://openrouter.ai/api/v1",
    ],
)
def test_a_base_url_that_cannot_be(gateway: Gateway, base: str) -> None:
    env = {"AI_GATEWAY_BASE_URL": base}
    must_fail(run(*REWRITE, "x", "--json", gateway=gateway, env=env), 2)


@pytest.mark.parametrize("base", ["https://gateway..example", f"https://{'x' * 70}.example"])
def test_a_host_name_that_cannot_be(base: str) -> None:
    env = {"AI_GATEWAY_BASE_URL": base, "AI_GATEWAY_API_KEY": "some-key"}
    assert run(*ANCHOR, "x", "--json", env=env).code in (2, 6)


# --- what a gateway answers -----------------------------------------------------------------------

HTML = b"<!doctype html><html><body><h1>502 Bad Gateway</h1></body></html>"
NOISE = b"\x00\x01\x02 no picture and no video"


def row(
    endpoint: str, reply: Reply, code: int, tries: int = 1, state: str | None = None, *, name: str
) -> Any:
    """All requests to `endpoint` are answered so: the exit code, how often it is asked, and what
    the receipt then says (None: there is none)."""
    return pytest.param(endpoint, reply, code, tries, state, id=f"{endpoint}: {name}")


DAY = {"Retry-After": "86400"}
REPLIES = [
    row("chat", Reply(401, {"error": {"message": "bad key"}}), 3, name="wrong key"),
    row("chat", Reply(402, {"error": "no credit"}), 3, name="no credit"),
    row("chat", Reply(403, {"detail": "not yours"}), 3, name="forbidden"),
    row("chat", Reply(404, body=HTML), 10, name="404"),
    row("chat", Reply(200, body=HTML), 6, 4, name="HTML"),
    row("chat", Reply(200, body=b""), 6, 4, "failed", name="empty"),
    row("chat", Reply(200, body=b'{"choices": [{"mess'), 6, 4, "failed", name="truncated JSON"),
    row("chat", refusal(200, "bad model", code=404), 10, name="200 with an error inside"),
    row("chat", Reply(429, {}), 6, 4, name="429"),
    row("chat", Reply(429, {}, headers=DAY), 6, name="429 for a day"),
    row("chat", Reply(fault="reset"), 6, 4, "failed", name="reset"),
    row("chat", chat(""), 9, 2, "failed", name="an empty caption"),
    row("chat", chat('{"caption": "A ca', "length"), 9, 2, "failed", name="a caption cut off"),
    row("chat", chat("no", "content_filter"), 5, 1, "refused", name="filtered"),
    row("image", Reply(401, {}), 3, name="wrong key"),
    row("image", Reply(402, {}), 3, name="no credit"),
    row("image", refusal(422, "aspectRatio"), 10, name="422"),
    row("image", Reply(200, body=HTML), 8, 1, "unknown", name="HTML"),
    row("image", Reply(200, body=b""), 8, 1, "unknown", name="empty"),
    row("image", Reply(200, body=b'{"data": [{'), 8, 1, "unknown", name="truncated JSON"),
    row("image", Reply(500, {}), 8, 1, "unknown", name="500"),
    row("image", Reply(429, {}), 6, 4, name="429"),
    row("image", Reply(fault="reset"), 8, 1, "unknown", name="reset"),
    row(
        "image",
        refusal(200, "bad size", type="invalid_request_error"),
        10,
        name="200, a bad request",
    ),
    row("image", refusal(200, "key", code="invalid_api_key"), 3, name="200, a wrong key"),
    row(
        "image", refusal(200, "no", code="moderation_blocked"), 5, 1, "refused", name="200, refused"
    ),
    row(
        "image",
        refusal(200, "not uploaded", type="server_error"),
        8,
        1,
        "unknown",
        name="200, late",
    ),
    row("image", refusal(200, "wait", type="rate_limit_error"), 6, 4, name="200, a rate limit"),
    row("image", image(NOISE), 9, 1, "failed", name="an image that is none"),
    row("image", image(HTML), 9, 1, "failed", name="an image that is HTML"),
    row("image", image(png()[:3000]), 9, 1, "failed", name="a truncated image"),
    row("create", Reply(401, {}), 3, name="wrong key"),
    row("create", refusal(400, "duration"), 10, name="400"),
    row("create", Reply(200, body=HTML), 8, 1, "unknown", name="HTML"),
    row("create", Reply(200, {"ok": True}), 8, 1, "unknown", name="no id"),
    row(
        "create", refusal(200, "queue is closed"), 8, 1, "unknown", name="200 with an error inside"
    ),
    row("create", refusal(200, "no", code="bad_request"), 10, name="200, a bad request"),
    row("create", refusal(400, "unknown parameter: 'safety_identifier'"), 10, name="a field"),
    row("create", refusal(403, "Your organization's usage policy forbids it"), 3, name="access"),
    row(
        "create",
        refusal(400, "flagged", code="content_policy_violation"),
        5,
        1,
        "refused",
        name="x",
    ),
    row("status", Reply(401, {}), 3, 1, "submitted", name="wrong key"),
    row(
        "status",
        Reply(200, {"id": "job-1", "status": "succeeded"}),
        11,
        3,
        "failed",
        name="succeeded without a video",
    ),
    row("file", Reply(200, body=HTML), 9, 4, "submitted", name="a video that is HTML"),
    row("file", Reply(200, body=NOISE), 9, 4, "submitted", name="a video that is none"),
    row("file", Reply(200, body=b""), 9, 4, "submitted", name="an empty video"),
    row("file", Reply(403, body=b"expired"), 9, 4, "submitted", name="an expired address"),
]


@pytest.mark.parametrize(("endpoint", "reply", "code", "tries", "state"), REPLIES)
def test_replies(
    gateway: Gateway, endpoint: str, reply: Reply, code: int, tries: int, state: str | None
) -> None:
    gateway.always(endpoint, reply)
    Path("mine.png").write_bytes(png())
    words = {"chat": [*REWRITE, "A cat.", "--output=c.txt"], "image": [*ANCHOR, CAPTION]}
    out = {"chat": "c.txt", "image": "a.png"}.get(endpoint, "v.mp4")
    error = must_fail(run(*words.get(endpoint, VIDEO), "--json", gateway=gateway), code)
    assert len(gateway.of(endpoint)) == tries
    assert not Path(out).exists()
    receipt = Path(out + ".receipt.json")
    assert receipt.exists() == (state is not None)
    if state:
        assert json.loads(receipt.read_text(encoding="utf-8"))["state"] == state
    if endpoint in ("image", "create"):
        late = reply.status == 200 and state == "refused"
        charged = {"unknown": "unknown", "failed": "yes"}.get(state or "", "no")
        assert error["charged"] == ("unknown" if late else charged)


def test_a_job_that_never_ends(gateway: Gateway) -> None:
    Path("mine.png").write_bytes(png())
    gateway.ends_after = None
    error = must_fail(run(*VIDEO, "--timeout=5", "--json", gateway=gateway), 4)
    assert "job-1" in error["message"]


@pytest.mark.parametrize("endpoint", ["chat", "create"])
def test_a_gateway_that_says_nothing(gateway: Gateway, endpoint: str) -> None:
    Path("mine.png").write_bytes(png())
    gateway.always(endpoint, Reply(fault="hang"))
    words, code, tries = ([*REWRITE, "x"], 6, 4) if endpoint == "chat" else (VIDEO, 8, 1)
    quick = {"FACTORIZED_VIDEO_TIME_SCALE": "0.002"}
    error = must_fail(run(*words, "--json", gateway=gateway, env=quick), code)
    assert "within the time allowed" in error["message"]
    assert len(gateway.of(endpoint)) == tries


def test_a_gateway_that_drips_is_given_up_too(gateway: Gateway) -> None:
    gateway.always("image", Reply(body=b" " * 60, fault="drip"))  # 3 s; 0.36 s are allowed
    quick = {"FACTORIZED_VIDEO_TIME_SCALE": "0.002"}
    done = run(*ANCHOR, "x", "--json", gateway=gateway, env=quick)
    assert "within the time allowed" in must_fail(done, 8)["message"]
    assert done.json["elapsed_s"] < 2, "it was read to its end all the same"


@pytest.mark.parametrize("flag", ["--output", "--anchor-path", "--work-dir", "--model-x"])
def test_a_value_with_a_dash_in_front_has_a_hint_that_names_its_option(flag: str) -> None:
    refused = run("factorized_generate", "--prompt=x", flag, "-name")
    assert refused.code == 2
    if flag != "--model-x":
        assert f"{flag}=-..." in refused.err
        assert "--prompt=" not in refused.err


@pytest.mark.parametrize(
    ("words", "hint", "other"),
    [
        (["--durations", "5", "--prompt=x"], "Did you mean --duration?", "dash"),
        (["--prompt=x", "--max_cost=3"], "Did you mean --max-cost?", "dash"),
        (["--gateway=vercell", "--prompt=x"], "Did you mean vercel?", "dash"),
        (["--prompt", "A", "cat", "jumps"], "Put quotes around a text", "dash"),
        (["--prompt", "-5", "degrees"], "", "Did you mean"),
        (["--prompt"], "", "begins with a dash"),
        (["--duration=6"], "", "begins with a dash"),
        (["--prompt=x", "--zzz"], "", "Did you mean"),
        ([], "--prompt", "begins with a dash"),
    ],
)
def test_the_hint_fits_its_cause(words: list[str], hint: str, other: str) -> None:
    refused = run("factorized_generate", *words)
    assert refused.code == 2
    assert hint in refused.err and other not in refused.err
    assert "--help" in refused.err


@pytest.mark.parametrize("script", SCRIPTS)
def test_the_version_is_shown(script: str) -> None:
    done = run(script.removesuffix(".py"), "--version")
    assert (done.code, done.out.strip()) == (0, VERSION)


def test_a_link_to_nowhere_is_not_replaced(gateway: Gateway) -> None:
    Path("clip.mp4").symlink_to("/nowhere/clip.mp4")
    refused = run("factorized_generate", "--prompt=x", "--output=clip.mp4", gateway=gateway)
    assert (refused.code, gateway.sent) == (2, {})
    assert "is a link to /nowhere/clip.mp4" in refused.err
    assert Path("clip.mp4").is_symlink()
