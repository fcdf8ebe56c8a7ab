"""What was kept aside comes back, free, when the same is asked for again."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import Run, run
from loopback import CAPTION, Gateway, Reply, chat, image, png, refusal
from storm import Storm, animating, making, own_picture

pytestmark = pytest.mark.thorough


@pytest.fixture
def storm() -> Any:
    with Storm() as gateway:
        yield gateway


def make(gateway: Gateway, *args: str) -> Run:
    return run("factorized_generate", *making(*args), gateway=gateway)


def animate(gateway: Gateway, *args: str, output: str = "cat.mp4") -> Run:
    return run("generate_video_from_anchor", *animating(*args, output=output), gateway=gateway)


def draw(gateway: Gateway, *args: str) -> Run:
    return run("generate_anchor", CAPTION, "--output=a.png", "--json", *args, gateway=gateway)


def rewrite(gateway: Gateway, *args: str) -> Run:
    words = ("A cat jumps.", "--output=c.txt", "--motion-file=m.txt", "--json")
    return run("rewrite_prompt", *words, *args, gateway=gateway)


THERE_AND_BACK = [
    pytest.param(animate, ("--duration=6",), ("--duration=8",), "cat.mp4", id="a clip"),
    pytest.param(draw, ("--style=anime",), ("--take=2",), "a.png", id="a picture"),
    pytest.param(rewrite, ("--style=anime",), (), "c.txt", id="a caption"),
    pytest.param(make, ("--style=anime",), (), "cat.mp4", id="a run, every stage"),
    pytest.param(make, (), ("--take=2",), "cat.mp4", id="a run, another take"),
    pytest.param(
        make,
        ("--candidates=3", "--select=1"),
        ("--candidates=3", "--select=2"),
        "cat.mp4",
        id="another candidate",
    ),
]


@pytest.mark.parametrize(("command", "first", "second", "output"), THERE_AND_BACK)
def test_there_and_back_pays_once_for_each(
    storm: Storm,
    command: Callable[..., Run],
    first: tuple[str, ...],
    second: tuple[str, ...],
    output: str,
) -> None:
    own_picture()
    if "--select=1" in first:
        assert make(storm, "--candidates=3").code == 0
    texts = [Path("m.txt"), Path("cat.stages/motion.txt"), Path("cat.stages/caption.txt")]
    assert command(storm, *first).code == 0
    came = Path(output).read_bytes()
    said = [path.read_bytes() for path in texts if path.exists()]
    anew = {"caption": f"{CAPTION} Drawn anew.", "motion": "It turns its head."}
    storm.will("chat", chat(json.dumps(anew)))
    storm.will("image", image(png((1280, 720), 5)))
    there = command(storm, *second, "--overwrite")
    assert (there.code, Path(output).read_bytes() == came) == (0, False), there.err
    sent, spent = dict(storm.sent), there.json["spent"]
    planned = command(storm, *first, "--overwrite", "--dry-run")
    assert planned.json["cost"]["amount"] == 0, planned.out
    back = command(storm, *first, "--overwrite")
    assert (back.code, Path(output).read_bytes() == came) == (0, True), back.err
    assert (storm.sent, back.json["spent"]) == (sent, spent)
    assert [path.read_bytes() for path in texts if path.exists()] == said
    assert "nothing was paid for" in back.err
    again = command(storm, *second, "--overwrite")
    assert (again.code, storm.sent, again.json["spent"]) == (0, sent, spent), again.err


def test_without_leave_it_stays_where_it_is_and_that_is_said(storm: Storm) -> None:
    own_picture()
    animate(storm, "--duration=6")
    animate(storm, "--duration=8", "--overwrite")
    stopped = animate(storm, "--duration=6")
    assert (stopped.code, storm.sent) == (2, {"create": 2})
    assert "cat.1.mp4" in stopped.json["error"]["hint"]


def test_a_job_that_still_runs_comes_back_too(storm: Storm) -> None:
    own_picture()
    storm.ends_after = None
    begun = animate(storm, "--no-wait")
    assert animate(storm, "--duration=8", "--overwrite", "--no-wait").code == 4
    storm.ends_after = 0
    back = animate(storm, "--overwrite")
    assert (back.code, back.json["job"], storm.sent) == (0, begun.json["job"], {"create": 2})


def test_a_lost_call_is_not_sent_again_on_the_way_back(storm: Storm) -> None:
    storm.will("image", Reply(fault="reset"))
    assert draw(storm).code == 8
    assert draw(storm, "--style=anime", "--overwrite").code == 0
    back = draw(storm, "--overwrite")
    assert (back.code, storm.sent["image"]) == (8, 2), back.err
    paid = draw(storm, "--resubmit")
    assert (paid.code, storm.sent["image"]) == (0, 3), paid.err


def test_a_refused_one_is_sent_again(storm: Storm) -> None:
    storm.will("image", refusal(400, "content_policy_violation"))
    assert draw(storm).code == 5
    assert draw(storm, "--style=anime").code == 0
    assert (draw(storm, "--overwrite").code, storm.sent["image"]) == (0, 3)


@pytest.mark.parametrize("receipt_moved", [False, True])
def test_a_move_that_was_cut_off_loses_nothing(storm: Storm, receipt_moved: bool) -> None:
    draw(storm)
    came = Path("a.png").read_bytes()
    Path("a.png").rename("a.1.png")  # killed here
    if receipt_moved:
        assert draw(storm, "--style=anime").code == 0  # goes over the receipt without a file
        assert Path("a.2.png.receipt.json").exists()
    back = draw(storm, "--overwrite")
    assert (back.code, Path("a.png").read_bytes() == came) == (0, True), back.err
    assert storm.sent["image"] == 1 + receipt_moved


def test_another_output_of_that_name_is_left_alone(storm: Storm) -> None:
    own_picture()
    assert animate(storm, output="cat.1.mp4").code == 0
    assert animate(storm, output="cat.mp4").code == 0
    assert storm.sent == {"create": 2}
    receipt = json.loads(Path("cat.1.mp4.receipt.json").read_text(encoding="utf-8"))
    assert (receipt["output"], Path("cat.1.mp4").exists()) == ("cat.1.mp4", True)
