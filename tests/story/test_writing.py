"""--write-story: the file of a story from one idea, paid for once, yours from then on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("av")
pytest.importorskip("PIL")

from conftest import Run, run
from loopback import Gateway, chat
from stories import said

IDEA = "A lighthouse keeper finds a letter in a bottle"


def write(gateway: Gateway | None, *words: str) -> Run:
    told = [f"--write-story={IDEA}", "--shots=2", "--output=keeper.md", "--json", *words]
    return run("factorized_generate", *told, gateway=gateway)


def answers(gateway: Gateway, *texts: object) -> None:
    """What the LLM says next, in order."""
    gateway.will("chat", *(chat(one if isinstance(one, str) else json.dumps(one)) for one in texts))


def story(count: int = 2) -> dict[str, Any]:
    shots = [{"name": f"Part {n}", "prompt": f"Ole walks on, {n}."} for n in range(count)]
    cast = [{"name": "Ole", "description": "An old man with a white beard."}]
    return {"title": "The letter", "about": "A windy day.", "cast": cast, "shots": shots}


def test_it_is_written_once_and_then_it_is_yours(gateway: Gateway) -> None:
    answers(gateway, story())
    done = write(gateway, "--style=watercolor", "--duration=8")
    assert done.code == 0, done.err
    told = said(gateway.of("chat")[0])
    assert (told["prompt"], told["shots"], told["seconds_a_shot"]) == (IDEA, 2, 8)
    text = Path("keeper.md").read_text(encoding="utf-8")
    assert "- style: watercolor\n- duration: 8" in text
    assert "### Ole" in text
    # The same again is free, and an edit stays.
    Path("keeper.md").write_text(text.replace("white", "red"), encoding="utf-8")
    again = write(gateway, "--style=watercolor", "--duration=8")
    assert (again.code, again.json["reused"], gateway.billed) == (0, True, {"chat": 1})
    assert "red beard" in Path("keeper.md").read_text(encoding="utf-8")
    # What comes next is its plan.
    assert "--story=" in done.json["next"]
    assert "--dry-run" in done.json["next"]
    plan = run("factorized_generate", "--story=keeper.md", "--dry-run", "--json", gateway=gateway)
    assert [one["name"] for one in plan.json["shots"]] == ["Part 0", "Part 1"]


def test_an_answer_that_is_no_story_is_asked_for_once_more(gateway: Gateway) -> None:
    answers(gateway, story(3), story())
    assert write(gateway).code == 0
    assert gateway.billed == {"chat": 2}
    assert "write exactly 2" in str(gateway.of("chat")[1].body)


def test_without_a_story_nothing_is_written_and_the_cost_is_told(gateway: Gateway) -> None:
    answers(gateway, "no", "no")
    done = write(gateway)
    assert (done.code, done.json["error"]["charged"]) == (9, "yes")
    assert not Path("keeper.md").exists()


def test_a_plan_and_a_limit(gateway: Gateway) -> None:
    plan = write(gateway, "--dry-run")
    assert (plan.code, plan.json["stages"][0]["stage"]) == (0, "story")
    assert write(gateway, "--max-cost=0.0001").code == 7
    assert gateway.sent == {}


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--shots=0"], "--shots"),
        (["--shots=21"], "--shots"),
        (["--verify"], "--verify has no effect with --write-story"),
        (["--output=keeper.mp4"], "keeper.mp4 ends in .mp4"),
    ],
)
def test_what_cannot_be(gateway: Gateway, words: list[str], told: str) -> None:
    done = write(gateway, *words)
    assert (done.code, gateway.sent) == (2, {})
    assert told in done.json["error"]["message"]


def test_shots_alone_make_no_sense(gateway: Gateway) -> None:
    done = run("factorized_generate", "--prompt=A cat", "--shots=2", "--json", gateway=gateway)
    assert (done.code, "--shots is for --write-story" in done.json["error"]["message"]) == (2, True)


def test_the_demo_writes_a_story_that_can_be_made() -> None:
    assert write(None, "--gateway=demo").code == 0
    plan = run("factorized_generate", "--story=keeper.md", "--gateway=demo", "--dry-run", "--json")
    assert [one["continues"] for one in plan.json["shots"]] == [False, True]
