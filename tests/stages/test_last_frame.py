"""--last-frame: sent where model and gateway take one; elsewhere nothing is sent at all."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from conftest import Run, run
from factorized_video import models
from factorized_video.errors import UsageError
from factorized_video.media import images
from factorized_video.models import ImageLimits, Model
from factorized_video.models.picture_limits import Framing, check_last_size
from factorized_video.stages.calls import Call
from loopback import Gateway, Reply, png
from PIL import Image
from plans import synthesis
from speech import Asked

pytestmark = pytest.mark.thorough  # except what is marked `quick`

PROMPT = "A cat jumping from a bookshelf to the couch"
TAKE_ONE = ("happycapy", "vercel", "openrouter")
FOLLOWS = "alibaba/wan-v2.7-i2v"  # its clips have the first frame's shape
TAKES_NONE = "spacexai/grok-imagine-video"
LOCKED = "gemini-omni-1.2-flash"  # with a last frame 3 to 10 s, else up to 15


@pytest.fixture(params=TAKE_ONE)
def takes_one(request: pytest.FixtureRequest) -> Iterator[Gateway]:
    """Each gateway whose video call has a field for it."""
    with Gateway(request.param) as server:
        yield server


def pictures(last: tuple[int, int] = (1280, 720), number: int = 5) -> None:
    Path("first.png").write_bytes(png((1280, 720), 9))
    Path("last.png").write_bytes(png(last, number))


def animate(gateway: Gateway | None, *words: str, last: str = "last.png") -> Run:
    """Stage 3 with --json, to clip.mp4."""
    told = [
        "--anchor=first.png",
        f"--last-frame={last}",
        f"--prompt={PROMPT}",
        "--output=clip.mp4",
        "--json",
        *words,
    ]
    return run("generate_video_from_anchor", *told, gateway=gateway)


def make(gateway: Gateway | None, *words: str, last: str = "last.png") -> Run:
    """The orchestrator with --json, to cat.mp4."""
    told = [f"--prompt={PROMPT}", f"--last-frame={last}", "--output=cat.mp4", "--json", *words]
    return run("factorized_generate", *told, gateway=gateway)


BOTH = pytest.mark.parametrize("script", [animate, make], ids=["stage 3", "all"])


def arrived(gateway: Gateway) -> Asked:
    """What the last create asked for, as the gateway understood it."""
    return gateway.speech.asked(gateway.of("create")[-1])


def receipt(path: str = "clip.mp4") -> dict[str, Any]:
    data = json.loads(Path(f"{path}.receipt.json").read_text(encoding="utf-8"))
    assert isinstance(data, dict)
    return data


def size_of(data: bytes | None) -> tuple[int, int]:
    return Image.open(io.BytesIO(data or b"")).size


# --- what arrives, and what is kept ---------------------------------------------------------------


@pytest.mark.quick
def test_both_frames_arrive_and_the_receipt_tells_of_both(takes_one: Gateway) -> None:
    pictures()
    done = animate(takes_one)
    assert done.code == 0, done.err
    asked = arrived(takes_one)
    assert asked.frame == png((1280, 720), 9)
    assert asked.last_frame == png((1280, 720), 5)
    kept = receipt()
    assert kept["inputs"]["last_frame"]["name"] == "last.png"
    assert kept["inputs"]["last_frame"]["sha256"] != kept["inputs"]["anchor"]["sha256"]
    sent = kept["sent"]["last_frame"]
    assert (sent["mime"], sent["bytes"]) == ("image/png", len(png((1280, 720), 5)))
    assert sent["sha256"] == kept["inputs"]["last_frame"]["sha256"]
    again = animate(takes_one)
    assert (again.code, again.json["reused"], takes_one.billed["create"]) == (0, True, 1)


def test_another_last_frame_is_other_inputs(gateway: Gateway) -> None:
    pictures()
    assert animate(gateway).code == 0
    pictures(number=6)
    other = animate(gateway)
    assert (other.code, gateway.billed["create"]) == (2, 1), other.err
    assert len(animate(gateway, "--overwrite", "--dry-run").json["stages"]) == 1
    none = ["--anchor=first.png", f"--prompt={PROMPT}", "--output=clip.mp4"]
    assert run("generate_video_from_anchor", *none, gateway=gateway).code == 2
    assert animate(gateway, "--overwrite").code == 0
    assert arrived(gateway).last_frame == png((1280, 720), 6)
    Path("moved.png").write_bytes(png((1280, 720), 6))  # the name is not what counts
    assert animate(gateway, last="moved.png").json["reused"] is True
    assert gateway.billed["create"] == 2


def test_a_whole_run_ends_with_it(gateway: Gateway) -> None:
    pictures()
    done = make(gateway)
    assert done.code == 0, done.err
    assert arrived(gateway).last_frame == png((1280, 720), 5)
    assert receipt("cat.mp4")["inputs"]["last_frame"]["name"] == "last.png"
    again = make(gateway)
    assert (again.json["reused"], again.json["stages"]) == (True, [])
    pictures(number=6)
    assert make(gateway).code == 2
    plan = make(gateway, "--overwrite", "--dry-run").json
    assert [call["stage"] for call in plan["stages"]] == ["synthesis"]
    assert make(gateway, "--overwrite").code == 0
    assert arrived(gateway).last_frame == png((1280, 720), 6)
    assert gateway.billed == {"chat": 1, "image": 1, "create": 2}


def test_after_a_time_out_the_same_job_is_waited_for(gateway: Gateway) -> None:
    pictures()
    gateway.ends_after = None
    assert animate(gateway, "--timeout=1").code == 4
    gateway.ends_after = 0
    assert (animate(gateway).code, gateway.billed["create"]) == (0, 1)


@BOTH
def test_the_plan_shows_it(gateway: Gateway, script: Any) -> None:
    pictures()
    plan = script(gateway, "--dry-run")
    assert plan.code == 0, plan.err
    call = plan.json["stages"][-1]
    assert (call["settings"]["last_frame"], call["legal"]["last_frame"]) == ("given", True)
    assert gateway.requests == []
    without = [f"--prompt={PROMPT}", "--dry-run", "--json"]
    shown = run("factorized_generate", *without, gateway=gateway).json
    assert "last_frame" not in shown["stages"][-1]["settings"]


# --- where there is no field for it, or the model has none ----------------------------------------


@BOTH
def test_a_gateway_without_a_field_for_it_is_said_before_anything_is_sent(script: Any) -> None:
    pictures()
    with Gateway("openai") as own:
        words = own.speech.naming("video" if script is animate else "")
        for more in ([], ["--dry-run"]):
            done = script(own, *words, *more)
            assert (done.code, own.requests) == (2, []), done.err
            assert "openai's video call has no field" in done.json["error"]["message"]
            assert "--last-frame" in done.json["error"]["hint"]


@pytest.mark.parametrize("model", [TAKES_NONE, "alibaba/wan-v2.6-i2v"])
def test_a_model_that_takes_none_is_a_usage_error_that_names_those_that_do(model: str) -> None:
    pictures()
    with Gateway("openrouter") as gateway:
        done = make(gateway, f"--video-model={model}")
        assert (done.code, gateway.requests) == (2, []), done.err
        error = done.json["error"]
        assert "does not support a last frame" in error["message"]
        assert models.gateway("openrouter").defaults["video"].partition("/")[0] in error["hint"]
        assert TAKES_NONE not in error["hint"]


def test_a_model_that_is_not_known_is_asked_all_the_same(gateway: Gateway) -> None:
    pictures()
    assert animate(gateway, "--model=somebody/new-i2v").code == 0
    assert arrived(gateway).last_frame == png((1280, 720), 5)


@pytest.mark.quick
@pytest.mark.parametrize("asked", [{"last_frame_size": (1280, 720)}, {"seed": 7}])
def test_what_was_sent_before_is_not_held_to_the_registry_of_today(asked: dict[str, Any]) -> None:
    """A fact that was learned since must not stand between a person and a paid clip."""

    def planned(strict: bool) -> Call:
        return synthesis(TAKES_NONE, gateway="openrouter", strict=strict, **asked)

    row = models.pick("video", TAKES_NONE, "openrouter")
    if getattr(row, next(iter(asked)).removesuffix("_size")) is False:
        with pytest.raises(UsageError):
            planned(strict=True)
    assert planned(strict=False).model.id == row.id
    assert (models.unchecked(row).last_frame, models.unchecked(row).seed) == (None, None)


# --- durations ------------------------------------------------------------------------------------


@pytest.mark.parametrize(("error", "warns"), [(None, False), (2.0, False), (35.9, True)])
def test_a_model_that_hardly_keeps_to_one_is_a_warning(
    edit_model: Any, error: float | None, warns: bool
) -> None:
    edit_model("google/veo-3.1-generate-001", last_frame_error=error)
    call = synthesis(model="google/veo-3.1-generate-001", last_frame_size=(1280, 720))
    assert any("hardly keeps to a last frame" in one for one in call.warnings) is warns
    call = synthesis(model="google/veo-3.1-generate-001")
    assert not any("last frame" in one for one in call.warnings)


def test_durations_that_a_last_frame_locks_are_kept() -> None:
    pictures()
    with Gateway("openrouter") as gateway:
        long = make(gateway, f"--video-model={LOCKED}", "--duration=12")
        assert (long.code, gateway.requests) == (2, []), long.err
        message = long.json["error"]["message"]
        assert "3 to 10 seconds" in message
        assert "with a last frame" in message
        words = [f"--video-model={LOCKED}", "--duration=12", "--fit-duration"]
        done = make(gateway, *words)
        assert (done.code, arrived(gateway).duration_s) == (0, 10), done.err
        assert receipt("cat.mp4")["sent"]["duration_s"] == 10


def test_without_a_last_frame_they_are_not_locked() -> None:
    pictures()
    with Gateway("openrouter") as gateway:
        words = [
            "--anchor=first.png",
            f"--prompt={PROMPT}",
            f"--model={LOCKED}",
            "--duration=12",
            "--output=clip.mp4",
        ]
        done = run("generate_video_from_anchor", *words, gateway=gateway)
        assert (done.code, arrived(gateway).duration_s) == (0, 12), done.err


# --- shapes ---------------------------------------------------------------------------------------


def test_it_is_cropped_to_the_canvas_like_the_first(gateway: Gateway) -> None:
    pictures(last=(1376, 768))
    assert animate(gateway, "--aspect-ratio=16:9").code == 0
    width, height = size_of(arrived(gateway).last_frame)
    assert abs(width / height - 16 / 9) < 0.005
    sent = receipt()["sent"]["last_frame"]
    assert sent["sha256"] != receipt()["inputs"]["last_frame"]["sha256"]
    assert sent["bytes"] == len(arrived(gateway).last_frame or b"")


def test_one_of_another_shape_needs_a_word_and_the_message_says_which() -> None:
    pictures(last=(720, 1280))
    with Gateway() as gateway:
        for more in ([], ["--dry-run"]):
            done = make(gateway, *more)
            assert (done.code, gateway.requests) == (2, []), done.err
            error = done.json["error"]
            assert error["message"].startswith("--last-frame: The picture is 720x1280 px")
            assert "--fit" in error["hint"]
            assert done.err.startswith("error: --last-frame: ")


@pytest.mark.parametrize("fit", ["crop", "pad", "none"])
def test_fit_is_for_both(fit: str) -> None:
    pictures(last=(1000, 1000))
    with Gateway() as gateway:
        done = make(gateway, f"--fit={fit}")
        assert done.code == 0, done.err
        width, height = size_of(arrived(gateway).last_frame)
        if fit == "none":
            assert (width, height) == (1000, 1000)
            assert any(
                warning.startswith("--last-frame: The picture is 1000x1000 px, not 16:9")
                for warning in done.json["warnings"]
            )
        else:
            assert abs(width / height - 16 / 9) < 0.01
        picture = Image.open(io.BytesIO(arrived(gateway).last_frame or b"")).convert("RGB")
        assert (picture.getpixel((0, 0)) == (0, 0, 0)) is (fit == "pad")


def test_where_the_clip_follows_the_picture_another_shape_is_a_warning() -> None:
    pictures(last=(1280, 960))
    with Gateway("openrouter") as gateway:
        done = animate(gateway, f"--model={FOLLOWS}")
        assert done.code == 0, done.err
        assert any(
            warning.startswith("--last-frame: It is 1280x960 px, another shape than the first")
            for warning in done.json["warnings"]
        )
        assert size_of(arrived(gateway).last_frame) == (1280, 960)
        pictures()
        same = animate(gateway, f"--model={FOLLOWS}", "--overwrite")
        assert same.code == 0, same.err
        assert "--last-frame" not in str(same.json["warnings"])


def a_model(**facts: Any) -> Model:
    return Model("a/model", "video", listed=False)._replace(**facts)


@pytest.mark.quick
def test_what_is_wrong_with_a_last_frame_is_said_of_it_everywhere() -> None:
    limits = ImageLimits(side_min=300, ratio_min=0.4, ratio_max=2.5)
    model = a_model(image=limits)
    for size, framing in (
        ((720, 1280), Framing("16:9")),
        ((200, 200), Framing(None, None, limits)),
        ((2000, 500), Framing(None, None, limits)),
    ):
        with pytest.raises(UsageError) as caught:
            check_last_size(model, size, (1280, 720), framing)
        error = caught.value
        assert error.message.startswith("--last-frame: ")
        assert (str(error), error.as_json()["message"]) == (error.message, error.message)
        assert error.hint
        assert error.__suppress_context__, "the same thing is not told twice in a traceback"
    free = check_last_size(model, (1000, 1000), (1280, 720), Framing())
    assert [note.startswith("--last-frame: ") for note in free] == [True]
    none = check_last_size(model, (1000, 1000), (1280, 720), Framing("16:9", "none"))
    assert [note.startswith("--last-frame: ") for note in none] == [True]
    assert check_last_size(model, (1920, 1080), (1280, 720), Framing()) == ()
    assert check_last_size(model, (1000, 1000), None, Framing()) == ()


# --- what is no picture ---------------------------------------------------------------------------


@pytest.mark.parametrize("last", ["notes.txt", "nothing.png", ".", "cut.png", ""])
def test_what_is_no_picture_is_a_usage_error(gateway: Gateway, last: str) -> None:
    pictures()
    Path("notes.txt").write_text("A cat.", encoding="utf-8")
    Path("cut.png").write_bytes(png()[: len(png()) // 2])
    for more in ([], ["--dry-run"]):
        done = make(gateway, *more, last=last)
        assert (done.code, gateway.requests) == (2, []), done.err
        assert done.json["error"]["message"].startswith("--last-frame ")


@pytest.mark.parametrize(
    "change", [{"mode": "RGBA"}, {"format": "WEBP"}, {"exif": True}, {"size": (4000, 2250)}]
)
def test_what_models_do_not_take_is_redrawn(gateway: Gateway, change: dict[str, Any]) -> None:
    pictures()
    picture = Image.open("last.png").resize(change.get("size", (1280, 720)))
    exif = Image.Exif()
    exif[0x0112] = 3
    more = {"exif": exif.tobytes()} if "exif" in change else {}
    picture.convert(change.get("mode", "RGB")).save(
        "last.any", change.get("format", "JPEG" if more else "PNG"), **more
    )
    done = animate(gateway, last="last.any")
    assert done.code == 0, done.err
    data = arrived(gateway).last_frame or b""
    sent = Image.open(io.BytesIO(data))
    assert (sent.format in ("PNG", "JPEG"), sent.mode, max(sent.size) <= 2048) == (
        True,
        "RGB",
        True,
    )
    assert receipt()["sent"]["last_frame"]["bytes"] == len(data)


@pytest.mark.quick
def test_without_pillow_it_is_said_which_picture_must_be_converted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    Image.open(io.BytesIO(png())).save("last.webp")
    monkeypatch.setattr(images, "have_media_extra", lambda: False)
    last = images.read_image(Path("last.webp"), "--last-frame")
    assert len(last.warnings) == 1
    with pytest.raises(UsageError, match="--last-frame is WEBP"):
        images.to_send(last, Framing(), "--last-frame")


# --- lost answers ---------------------------------------------------------------------------------


def test_a_lost_create_is_sent_again_with_the_same_key_and_frames() -> None:
    pictures()
    with Gateway("vercel") as gateway:
        gateway.will("create", Reply(fault="reset"))
        done = animate(gateway)
        assert done.code == 0, done.err
        one, again = gateway.of("create")
        assert one.body == again.body
        assert one.headers["idempotency-key"] == again.headers["idempotency-key"]
        assert gateway.billed["create"] == 1
        assert gateway.speech.asked(again).last_frame == png((1280, 720), 5)


@pytest.mark.parametrize(
    ("changed", "sent"),
    [(None, 1), ({"sha256": "0" * 64}, 0), ({"bytes": 1}, 0), ({"mime": "image/jpeg"}, 0)],
)
def test_with_another_last_frame_the_key_is_not_used_again(
    changed: dict[str, object] | None, sent: int
) -> None:
    """Another build of Pillow may draw other bytes: the key is for one body only."""
    pictures()
    with Gateway("vercel") as gateway:
        gateway.always("create", Reply(fault="reset"))
        assert animate(gateway).code == 8
        before = len(gateway.of("create"))
        if changed:
            kept = receipt()
            kept["sent"]["last_frame"].update(changed)
            Path("clip.mp4.receipt.json").write_text(json.dumps(kept), encoding="utf-8")
        gateway.mend()
        done = animate(gateway)
        assert done.code == (0 if sent else 8), done.err
        assert len(gateway.of("create")) - before == sent
        assert gateway.billed["create"] == 1


@pytest.mark.parametrize("words", [[], ["--motion=It leaps."]])
def test_a_refused_one_is_withdrawn(gateway: Gateway, words: Sequence[str]) -> None:
    pictures()
    gateway.will("create", Reply(400, {"error": {"message": "last_frame: not taken"}}))
    done = animate(gateway, *words)
    assert (done.code, Path("clip.mp4.receipt.json").exists()) == (10, False), done.err
    assert animate(gateway, *words).code == 0
