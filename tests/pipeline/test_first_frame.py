"""Your own picture as it will be sent: seen before anything is paid, and cut where you say."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("PIL")

from conftest import Run, follow, run
from factorized_video.cli import option_types
from loopback import Gateway, png
from PIL import Image, ImageDraw
from speech import Drawn

pytestmark = pytest.mark.thorough

HEAD = (240, 30, 30)  # at the top of an upright photo


def portrait() -> None:
    picture = Image.new("RGB", (600, 800), (40, 90, 40))
    ImageDraw.Draw(picture).rectangle((200, 0, 400, 150), HEAD)
    picture.save("me.png")


def make(gateway: Gateway, *args: str) -> Run:
    words = ["--prompt=x", "--output=v.mp4", "--json", "--anchor-path=me.png", *args]
    return run("factorized_generate", *words, gateway=gateway)


WIDE = "--aspect-ratio=16:9"


@pytest.mark.parametrize(
    ("fit", "corner"),
    [
        ("crop", [0, 231]),
        ("crop:top", [0, 0]),
        ("crop:bottom", [0, 462]),
        ("crop:0.5,0.25", [0, 31]),
        ("crop:0,1", [0, 462]),
    ],
)
def test_what_will_be_sent_is_written_and_nothing_is_paid(
    gateway: Gateway, fit: str, corner: list[int]
) -> None:
    portrait()
    stopped = make(gateway, WIDE, f"--fit={fit}", "--stop-after=anchor")
    assert (stopped.code, gateway.sent) == (0, {}), stopped.err
    result = stopped.json
    assert result["first_frame"] == {"picture": [600, 800], "kept": [592, 333], "from": corner} or (
        result["first_frame"]["from"][1] == pytest.approx(corner[1], abs=6)
    )
    assert "is cut off" in stopped.err
    shown = Image.open(result["output"])
    assert shown.width / shown.height == pytest.approx(16 / 9, abs=0.01)
    has_head = HEAD in {shown.getpixel((x, 5)) for x in range(0, shown.width, 20)}
    assert has_head == (corner[1] < 100)
    done = make(gateway, WIDE, f"--fit={fit}")
    assert (done.code, gateway.sent) == (0, {"create": 1}), done.err
    (request,) = gateway.of("create")
    sent: Any = gateway.speech.asked(request).frame
    assert Path(result["output"]).read_bytes() == sent
    assert result["next"].endswith("--output=" + str(Path.cwd() / "v.mp4")) or result["next"]


def test_a_large_cut_that_nobody_asked_for_says_how_to_see_and_place_it(gateway: Gateway) -> None:
    portrait()
    refused = make(gateway, WIDE, "--stop-after=anchor")
    assert (refused.code, gateway.requests) == (2, [])
    assert "crop:X,Y" in refused.err
    assert "--stop-after anchor" in refused.err


@pytest.mark.parametrize(
    ("text", "means"),
    [
        ("crop", "crop"),
        ("CROP:Top", "crop:0.5,0"),
        ("crop:center", "crop"),
        ("crop:0.30,1", "crop:0.3,1"),
        ("pad", "pad"),
        *((wrong, None) for wrong in ("crop:", "crop:2,0", "crop:a,b", "crop:0.1", "pad:top", "x")),
        *((wrong, None) for wrong in ("crop:nan,0", "crop:-1,0", "crop:0,0,0", "none:0,0")),
    ],
)
def test_how_a_fit_is_written(text: str, means: str | None) -> None:
    if means is None:
        with pytest.raises(Exception, match="expected"):
            option_types.fit(text)
    else:
        assert option_types.fit(text) == means


def test_an_anchor_that_came_in_another_shape_is_said_with_its_cost_and_the_ways_on(
    gateway: Gateway,
) -> None:
    """It was exit 2, which says that nothing was sent; the anchor is paid for."""
    wide = Drawn(png((1280, 720), 3), cost=gateway.image_usd)
    gateway.answers["image"] = lambda request: gateway.speech.image(request, wide)
    words = ["--prompt=A cat", "--output=v.mp4", "--json", "--aspect-ratio=9:16"]
    odd = run("factorized_generate", *words, gateway=gateway)
    assert (odd.code, gateway.sent) == (9, {"chat": 1, "image": 1}), odd.err
    assert "1280x720" in odd.json["error"]["message"]
    assert "USD 0.13" in odd.json["error"]["hint"]
    assert odd.json["error"]["charged"] == "yes"
    assert odd.json["output"].endswith("anchor.png")
    again = run("factorized_generate", *words, gateway=gateway)
    assert (again.code, gateway.sent) == (9, {"chat": 1, "image": 1})
    done = follow(odd.json["next"], gateway)
    assert (done.code, gateway.sent) == (0, {"chat": 1, "image": 1, "create": 1}), done.err


def test_a_picture_is_extended_by_a_paid_edit_that_is_planned_and_seen(gateway: Gateway) -> None:
    portrait()
    words = (WIDE, "--fit=extend")
    plan = make(gateway, *words, "--dry-run")
    assert [call["stage"] for call in plan.json["stages"]] == ["composition", "synthesis"]
    assert plan.json["cost"]["amount"] == pytest.approx(0.134 + 2.40, abs=0.2)
    capped = make(gateway, *words, "--max-cost=2.45")
    assert (capped.code, gateway.sent) == (7, {})
    stopped = make(gateway, *words, "--stop-after=anchor")
    assert (stopped.code, gateway.sent) == (0, {"image": 1}), stopped.err
    (request,) = gateway.of("image")
    asked = gateway.speech.asked(request)
    assert "Extend the picture" in asked.prompt
    assert asked.shape == "16:9"
    assert len(asked.pictures) == 1
    done = follow(stopped.json["next"], gateway)
    assert (done.code, gateway.sent) == (0, {"image": 1, "create": 1}), done.err
    assert make(gateway, *words).json["reused"]


@pytest.mark.parametrize("words", [(), ("--anchor-path=me.png",), (WIDE,)])
def test_extending_needs_a_picture_and_a_ratio(gateway: Gateway, words: tuple[str, ...]) -> None:
    portrait()
    given = ["--prompt=x", "--output=v.mp4", "--fit=extend", *words]
    refused = run("factorized_generate", *given, gateway=gateway)
    assert (refused.code, gateway.requests) == (2, [])
    assert "--aspect-ratio" in refused.err
    alone = ["--anchor=me.png", "--prompt=x", "--output=v.mp4", "--fit=extend"]
    assert run("generate_video_from_anchor", *alone, gateway=gateway).code == 2
