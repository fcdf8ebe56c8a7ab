"""An anchor that somebody approved is not replaced unseen, and what differs is said."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import Run, run
from loopback import Gateway, png, refusal
from storm import Storm, animating, making, own_picture

pytestmark = pytest.mark.thorough

ANCHOR = Path("cat.stages/anchor.png")
STYLED = "--style=watercolor"


def make(gateway: Gateway, *args: str) -> Run:
    return run("factorized_generate", *making(*args), gateway=gateway)


def stop(gateway: Gateway, *args: str) -> Run:
    done = make(gateway, *args, "--stop-after=anchor")
    assert done.code == 0, done.err
    return done


def stopped_at(gateway: Gateway) -> None:
    stop(gateway, STYLED)


def chosen(gateway: Gateway) -> None:
    assert make(gateway, "--candidates=3").code == 0
    stop(gateway, "--candidates=3", "--select=2")


def edited(gateway: Gateway) -> None:
    make(gateway, STYLED, "--stop-after=anchor")
    ANCHOR.write_bytes(png((1280, 720), 7))


@pytest.mark.parametrize(
    ("approve", "args", "differs"),
    [
        (stopped_at, (), "--style (watercolor before, not given now)"),
        (stopped_at, ("--style=anime",), "--style (watercolor before, anime now)"),
        (stopped_at, (STYLED, "--take=2"), "--take (not given before, 2 now)"),
        (stopped_at, (STYLED, "--prompt=A dog runs."), "now)"),
        (stopped_at, (STYLED, "--skip-reasoning"), "--skip-reasoning (not given before, on now)"),
        (chosen, (), "--select (2 before, not given now)"),
        (edited, (), "--style (watercolor before, not given now)"),
    ],
)
def test_other_options_stop_before_another_anchor_is_animated(
    gateway: Gateway, approve: Callable[[Gateway], None], args: tuple[str, ...], differs: str
) -> None:
    approve(gateway)
    approved, sent = ANCHOR.read_bytes(), dict(gateway.sent)
    for more in ((), ("--dry-run",)):
        stopped = make(gateway, *args, *more)
        assert (stopped.code, gateway.sent) == (2, sent), stopped.err
        assert differs in stopped.json["error"]["message"]
        assert "--stop-after=anchor" in stopped.json["next"]
    assert ANCHOR.read_bytes() == approved
    looked = make(gateway, *args, "--stop-after=anchor")
    assert (looked.code, gateway.sent.get("create")) == (0, None), looked.err
    made = make(gateway, *args)
    assert (made.code, gateway.sent["create"]) == (0, 1), made.err


def test_with_leave_it_goes_on(gateway: Gateway) -> None:
    stopped_at(gateway)
    made = make(gateway, "--overwrite")
    assert (made.code, gateway.sent["create"], gateway.sent["image"]) == (0, 1, 2)


@pytest.mark.parametrize("args", [("--duration=8",), ("--motion=It leaps.",), ("--no-filmstrip",)])
def test_what_leaves_the_anchor_alone_needs_no_leave(
    gateway: Gateway, args: tuple[str, ...]
) -> None:
    stopped_at(gateway)
    made = make(gateway, STYLED, *args)
    assert (made.code, gateway.sent["image"]) == (0, 1), made.err


def test_the_candidate_that_is_there_anyway_needs_no_leave(gateway: Gateway) -> None:
    assert make(gateway, "--candidates=3").code == 0
    stop(gateway, "--candidates=3", "--select=1")
    assert make(gateway).code == 0  # candidate 1 is the plain anchor
    assert make(gateway, "--candidates=3", "--select=3", "--overwrite").code == 0


def test_a_caption_edited_after_the_anchor_was_seen_is_named(gateway: Gateway) -> None:
    stopped_at(gateway)
    Path("cat.stages/caption.txt").write_text("A grey cat sits.\n", encoding="utf-8")
    stopped = make(gateway, STYLED)
    assert (stopped.code, "caption.txt was edited" in stopped.err) == (2, True), stopped.err


# -- what differs, and what becomes of the earlier job -------------------------------------------


@pytest.mark.parametrize("script", ["generate_video_from_anchor", "factorized_generate"])
@pytest.mark.parametrize(
    ("args", "differs"),
    [
        (("--duration=8",), "--duration (not given before, 8 now)"),
        (("--prompt=A dog runs.",), 'the prompt ("A cat jumping from a bookshelf to the couch"'),
        (("--motion=It leaps.",), '--motion (not given before, "It leaps." now)'),
        (("--take=2",), "--take (not given before, 2 now)"),
        (("--prompt-strategy=original", "--resolution=1080p"), "--resolution (not given before,"),
    ],
)
def test_a_clip_in_the_way_says_which_options_it_was_made_with(
    gateway: Gateway, script: str, args: tuple[str, ...], differs: str
) -> None:
    own_picture()
    words = animating() if script == "generate_video_from_anchor" else making("--anchor=mine.png")
    assert run(script, *words, gateway=gateway).code == 0
    sent = dict(gateway.sent)
    stopped = run(script, *words, *args, gateway=gateway)
    assert (stopped.code, gateway.sent) == (2, sent), stopped.err
    assert differs in stopped.json["error"]["message"]


def test_another_picture_is_named(gateway: Gateway) -> None:
    own_picture()
    assert run("generate_video_from_anchor", *animating(), gateway=gateway).code == 0
    Path("mine.png").write_bytes(png((1280, 720), 3))
    stopped = run("generate_video_from_anchor", *animating(), gateway=gateway)
    assert (stopped.code, "--anchor (another picture)" in stopped.err) == (2, True), stopped.err


def test_the_job_of_the_earlier_options_can_be_fetched_with_what_the_error_says() -> None:
    own_picture()
    with Storm() as gateway:
        gateway.ends_after = None
        begun = run("generate_video_from_anchor", *animating("--no-wait"), gateway=gateway)
        stopped = run("generate_video_from_anchor", *animating("--duration=8"), gateway=gateway)
        assert (stopped.code, gateway.sent) == (2, {"create": 1})
        hint = stopped.json["error"]["hint"]
        command = json.loads(Path("cat.mp4.receipt.json").read_text(encoding="utf-8"))["command"]
        assert command in hint
        gateway.ends_after = 0
        back = run("generate_video_from_anchor", *animating(), gateway=gateway)
        assert (back.code, back.json["job"]) == (0, begun.json["job"])


def test_a_refused_anchor_was_approved_by_nobody(gateway: Gateway) -> None:
    gateway.will("image", refusal(400, "content_policy_violation"))
    assert make(gateway, STYLED, "--stop-after=anchor").code == 5
    assert make(gateway).code == 0
