"""--extend: a longer clip of one prompt, in parts that follow from each other."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("av")
pytest.importorskip("PIL")

from conftest import Run, follow, run
from factorized_video.prompts.motion import EARLIER_FOR_MOTION
from factorized_video.prompts.story_draft import ONE_TAKE
from loopback import Reply, Request, chat, png
from speech import shown
from stories import answering, said
from storm import Storm

pytestmark = pytest.mark.thorough  # except what is marked `quick`

PROMPT = "A boat drifts down a stream and out to sea"
PARTS = ("A boat drifts down a stream.", "It passes a bridge.", "It reaches the sea.")


@pytest.fixture
def gateway(monkeypatch: pytest.MonkeyPatch) -> Iterator[Storm]:
    """A gateway whose LLM divides the prompt."""
    monkeypatch.setenv("FACTORIZED_VIDEO_TIME_SCALE", "0.05")
    with answering(Storm()) as server:
        others = server.answers["chat"]

        def answer(request: Request) -> Reply | None:
            if said(request).get("task") != "story":
                return others(request)
            shots = [{"name": f"Part {n}", "prompt": text} for n, text in enumerate(PARTS, 1)]
            return chat(json.dumps({"title": "The boat", "shots": shots}))

        server.answers["chat"] = answer
        yield server


def make(gateway: Storm | None, *words: str) -> Run:
    told = [f"--prompt={PROMPT}", "--extend=3", "--output=boat.mp4", "--json", *words]
    return run("factorized_generate", *told, gateway=gateway)


@pytest.mark.quick
def test_each_part_goes_on_from_the_one_before(gateway: Storm) -> None:
    stopped = make(gateway)
    assert stopped.code == 0, stopped.err
    assert gateway.billed == {"chat": 2, "image": 1}  # the parts, and the caption of the first
    (system, _), _ = shown(gateway.of("chat")[0])
    assert ONE_TAKE in str(system["content"])
    assert [one["continues"] for one in stopped.json["shots"]] == [False, True, True]
    assert not any("drifts" in one for one in stopped.json["warnings"])
    long = make(gateway, "--extend=5", "--output=long.mp4", "--dry-run")
    assert any("drifts with every link" in one for one in long.json["warnings"])
    done = follow(stopped.json["next"], gateway)
    assert done.code == 0, done.err
    assert gateway.billed == {"chat": 4, "image": 1, "create": 3}
    prompts = [gateway.speech.asked(one).prompt for one in gateway.of("create")]
    assert all(text in told for text, told in zip(PARTS, prompts, strict=True))
    motions = [one for one in gateway.of("chat") if said(one).get("task") == "motion"]
    assert said(motions[-1])["earlier_shots"] == list(PARTS[:2])
    (system, _), _ = shown(motions[-1])
    assert EARLIER_FOR_MOTION in str(system["content"])
    again = make(gateway, "--yes")
    assert (again.json["reused"], gateway.billed.total()) == (True, 8)


def test_its_parts_are_yours_to_edit(gateway: Storm) -> None:
    parts = Path(make(gateway).json["output"]).with_name("boat.story") / "parts.md"
    text = parts.read_text(encoding="utf-8")
    parts.write_text(text.replace("passes a bridge", "meets a swan"), encoding="utf-8")
    done = make(gateway, "--yes")
    assert done.code == 0, done.err
    assert done.json["parts"] == str(parts)
    assert "meets a swan" in gateway.speech.asked(gateway.of("create")[1]).prompt
    assert gateway.billed == {"chat": 4, "image": 1, "create": 3}


def test_it_begins_with_ones_own_picture(gateway: Storm) -> None:
    Path("mine.png").write_bytes(png((1280, 720), 3))
    done = make(gateway, "--anchor-path=mine.png", "--yes")
    assert done.code == 0, done.err
    assert gateway.speech.asked(gateway.of("create")[0]).frame == png((1280, 720), 3)
    assert "image" not in gateway.billed


def test_the_plan_is_free_and_the_limit_is_over_all_of_it(gateway: Storm) -> None:
    plan = make(gateway, "--dry-run")
    assert (plan.code, gateway.sent) == (0, {})
    price = plan.json["cost"]["amount"]
    assert len(plan.json["shots"]) == 3
    assert not Path("boat.story").exists()
    over = make(gateway, "--no-stop", f"--max-cost={price / 2:.4f}")
    assert (over.code, gateway.sent) == (7, {})
    assert make(gateway, "--no-stop", f"--max-cost={price:.4f}").code == 0


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--extend=1"], "--extend"),
        (["--extend=13"], "--extend"),
        (["--no-stop"], "needs a limit"),
        (["--motion=It turns."], "--motion has no effect with --extend"),
        (["--loop"], "--loop has no effect with --extend"),
        (["--direct"], "--direct has no effect with --extend"),
    ],
)
def test_what_cannot_be(gateway: Storm, words: list[str], told: str) -> None:
    done = make(gateway, *words)
    assert (done.code, gateway.sent) == (2, {})
    assert told in done.json["error"]["message"]


def test_it_is_of_a_prompt(gateway: Storm) -> None:
    done = run("factorized_generate", "--story=x.md", "--extend=2", "--json", gateway=gateway)
    assert (done.code, gateway.sent) == (2, {})
