"""--loop: a clip that ends with its own first frame, and how well the ends meet."""

from __future__ import annotations

import io
import json
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

import pytest

av = pytest.importorskip("av")
pytest.importorskip("PIL")

from conftest import Run, run
from loopback import Gateway, png
from PIL import Image

pytestmark = pytest.mark.thorough  # except what is marked `quick`

PROMPT = "Embers glow in a fireplace"
TAKES_NONE = "spacexai/grok-imagine-video"


@cache
def clip(*, meets: bool) -> bytes:
    """A clip that begins with `png()`, and ends with it or with another picture."""
    first = Image.open(io.BytesIO(png())).convert("RGB")
    other = Image.linear_gradient("L").resize(first.size).convert("RGB")
    out = io.BytesIO()
    with av.open(out, "w", format="mp4") as film:
        stream = film.add_stream("libx264", rate=2, options={"preset": "ultrafast"})
        stream.width, stream.height, stream.pix_fmt = *first.size, "yuv420p"
        for number in range(12):
            shown = first if number < 6 or meets else other
            frame = av.VideoFrame.from_image(shown)
            frame.pts, frame.time_base = number, Fraction(1, 2)
            film.mux(stream.encode(frame))
        film.mux(stream.encode(None))
    return out.getvalue()


def make(gateway: Gateway | None, *words: str) -> Run:
    told = [f"--prompt={PROMPT}", "--output=embers.mp4", "--loop", "--json"]
    return run("factorized_generate", *told, *words, gateway=gateway)


def receipt() -> dict[str, Any]:
    data = json.loads(Path("embers.mp4.receipt.json").read_text(encoding="utf-8"))
    assert isinstance(data, dict)
    return data


@pytest.mark.quick
def test_the_anchor_is_sent_as_the_last_frame_too(gateway: Gateway) -> None:
    gateway.clip_of = lambda job_id: clip(meets=True)  # type: ignore[method-assign]
    done = make(gateway)
    assert done.code == 0, done.err
    asked = gateway.speech.asked(gateway.of("create")[0])
    assert asked.last_frame == asked.frame == Path("embers.stages/anchor.png").read_bytes()
    assert gateway.billed == {"chat": 1, "image": 1, "create": 1}
    assert done.json["loop_fidelity"] == receipt()["loop_fidelity"] > 0.95
    assert receipt()["sent"]["last_frame"]["sha256"] == receipt()["sent"]["first_frame"]["sha256"]
    again = make(gateway)
    assert (again.code, again.json["reused"], again.json["loop_fidelity"]) == (
        0,
        True,
        done.json["loop_fidelity"],
    )


def test_ends_that_do_not_meet_are_a_warning(gateway: Gateway) -> None:
    gateway.clip_of = lambda job_id: clip(meets=False)  # type: ignore[method-assign]
    done = make(gateway)
    assert (done.code, done.json["loop_fidelity"] < 0.6) == (0, True)
    assert any("does not end as it begins" in one for one in done.json["warnings"])


def test_a_clip_that_is_no_loop_is_not_looked_at_for_it(gateway: Gateway) -> None:
    told = [f"--prompt={PROMPT}", "--output=embers.mp4", "--json"]
    done = run("factorized_generate", *told, gateway=gateway)
    assert (done.code, done.json["loop_fidelity"]) == (0, None)
    assert receipt()["loop_fidelity"] is None
    # A loop of the same words is another clip.
    assert make(gateway).code == 2


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--last-frame=last.png",), "--loop and --last-frame end the clip"),
        (("--direct",), "--loop has no effect with --direct"),
        ((f"--video-model={TAKES_NONE}",), "does not support a last frame"),
    ],
)
def test_what_makes_no_loop_is_said_before_anything_is_sent(
    gateway: Gateway, words: tuple[str, ...], told: str
) -> None:
    Path("last.png").write_bytes(png((1280, 720), 5))
    done = make(gateway, *words)
    assert (done.code, gateway.sent) == (2, {})
    assert told in done.json["error"]["message"]


def test_a_plan_says_what_it_ends_with() -> None:
    plan = make(None, "--dry-run", "--gateway=happycapy").json
    assert plan["stages"][-1]["settings"]["last_frame"] == "the first frame"


def test_the_demo_makes_loops() -> None:
    done = make(None, "--gateway=demo", "--duration=1")
    assert done.code == 0, done.err
    assert done.json["loop_fidelity"] > 0.95
