"""Comparisons whose lift is known: what is measured is what was planted, and no arm is told.

How well the intervals hold over many repeats is printed by `python tests/bed --lift`, by hand.
"""

from __future__ import annotations

import io
import json
import random
import re
from collections.abc import Sequence
from math import sqrt
from pathlib import Path
from statistics import mean, stdev

import pytest

pytest.importorskip("av")
pytest.importorskip("PIL")

from bed import clips, lift, scenes
from bed.lift import MEASURES, FilmGateway, FilmModels, Planted
from bed.world import shown
from conftest import start
from factorized_video.experiments import statistics, summary
from factorized_video.experiments.line import Line
from factorized_video.media import judge_frames
from factorized_video.media.frames import FRAMES
from loopback import Request
from PIL import Image

WRONG = Planted(anchor=0.2, direct=0.5)
# Nothing in a request may hint at how a clip was made.
TELLS = re.compile(
    r"factori[sz]ed|direct|anchor|three stages|text-to-video|\.mp4|[\w-]+/\d+\b", re.I
)
_PICTURE = re.compile(r"data:(image/\w+);base64,[A-Za-z0-9+/=]+")


@pytest.fixture(autouse=True)
def undone(monkeypatch: pytest.MonkeyPatch) -> None:
    """What `lift.in_process` sets in the environment is as before after the test."""
    for name in ("AI_GATEWAY_BASE_URL", "AI_GATEWAY_API_KEY"):
        monkeypatch.setenv(name, "")


class AlwaysYes(FilmModels):
    """An evaluator that says yes to everything, controls too."""

    def watch(
        self, pictures: Sequence[bytes], asked: Sequence[tuple[int, str]], *, errs: bool
    ) -> dict[str, object]:
        """Yes."""
        rows = [{"id": number, "seen": "it", "answer": "yes", "reason": ""} for number, _ in asked]
        return {"answers": rows}


def measured(models: FilmModels, prompts: Sequence[str]) -> tuple[list[Line], list[Request]]:
    """The lines of a batch, and what the evaluator was asked."""
    made = lift.film_both(models, prompts, Path.cwd())
    with FilmGateway(models) as gateway:
        lines = lift.in_process(gateway, prompts, made, Path.cwd())
    return lines, gateway.of("chat")


def without_pictures(request: Request) -> str:
    """All that is sent, in words; of a picture its kind."""
    return _PICTURE.sub(r"<\1>", json.dumps(request.body, sort_keys=True))


def pictures_in(request: Request) -> list[Image.Image]:
    """What the evaluator is shown."""
    return [Image.open(io.BytesIO(data)) for data in shown(request)[1]]


def check_blind(requests: Sequence[Request], prompts: int) -> None:
    """Raise AssertionError where anything but what is seen differs between the arms."""
    asked = [request for request in requests if pictures_in(request)]
    assert len(asked) == 4 * prompts
    # Of every prompt: first frame and frames of the one, then of the other.
    for place in range(0, len(asked), 4):
        for one, other in ((asked[place], asked[place + 2]), (asked[place + 1], asked[place + 3])):
            assert without_pictures(one) == without_pictures(other)
            assert one.path == other.path
            assert [(p.format, p.mode, p.size, sorted(p.info)) for p in pictures_in(one)] == [
                (p.format, p.mode, p.size, sorted(p.info)) for p in pictures_in(other)
            ]
            varies = {"content-length"}
            heads = [
                {name: value for name, value in request.headers.items() if name not in varies}
                for request in (one, other)
            ]
            assert heads[0] == heads[1]
    check_words(requests)


def check_words(requests: Sequence[Request]) -> None:
    """Raise AssertionError where words tell how a clip was made, or what its file is called."""
    assert requests
    for request in requests:
        words = without_pictures(request)
        assert not TELLS.search(words), words


def _task_of(request: Request) -> object:
    return shown(request)[0].get("task")


# --- what is true ---------------------------------------------------------------------------------


def test_what_is_expected_is_what_many_draws_come_to() -> None:
    planted, drift = 0.3, 0.2
    differences: dict[str, list[float]] = {what: [] for what in MEASURES}
    for seed in range(1_500):
        scene = scenes.generate(random.Random(seed))
        models = FilmModels(Planted(0, planted, drift), seed, frames=2)
        shapes = models._placed(scene, planted, "direct")
        number, way = scene.drifts
        group, chance = scene.groups[number], random.Random(f"drift {seed}")
        if chance.random() < drift:
            way = chance.choice([other for other in clips.STEPS if other != way])
        found = lift.planted_shares(scene, clips.moved(shapes, (group.colour, group.kind), way, 2))
        for what in MEASURES:
            share = found[what].passed / found[what].asked
            differences[what].append(share - getattr(lift.expected(scene, planted, drift), what))
    for found_by in differences.values():
        assert abs(mean(found_by)) <= 4 * stdev(found_by) / sqrt(len(found_by))


def test_the_true_lift_is_nought_where_both_draw_alike() -> None:
    assert lift.true_lift(Planted(0.2, 0.2), 50) == (0, 0)
    some = lift.true_lift(Planted(0.1, 0.3), 50)
    assert some.first_frame > some.frames > 0


def test_questions_over_frames_can_be_read_back_and_hang_on_what_they_say() -> None:
    for seed in range(100):
        chance = random.Random(seed)
        scene = scenes.generate(chance)
        shapes = clips.place(scenes.filled(scene, chance), chance)
        number, way = scene.drifts
        what = (scene.groups[number].colour, scene.groups[number].kind)
        drifts, *stays = clips.questions(scene)
        other = "right" if way == "left" else "left"
        for going, right in ((way, True), (other, False), ("still", False)):
            seen = clips.moved(shapes, what, going, 8)
            assert drifts.holds(seen) is clips.truth(drifts.text, seen) is right
            assert all(one.holds(seen) and clips.truth(one.text, seen) for one in stays)
        lost = [*clips.moved(shapes, what, way, 7), shapes[1:]]
        assert [clips.truth(one.text, lost) for one in stays] == [one.holds(lost) for one in stays]
        assert not all(one.holds(lost) for one in stays)
    assert clips.truth("Does the cat leave?", [[]]) is None


def test_a_clip_with_a_first_frame_begins_with_it() -> None:
    scene = scenes.generate(random.Random(3))
    models = FilmModels(WRONG, 3)
    anchor = models.draw(scenes.still(scene))
    clip = Path("clip.mp4")
    clip.write_bytes(models.film(scenes.motion(scene), anchor))
    shown = judge_frames.over(clip)
    assert len(shown) == FRAMES
    # To a few thousandths: H.264 and JPEG blur what a shape ends at.
    for seen, meant in zip(
        sorted(clips.read(shown[0][1].data)), sorted(clips.read(anchor)), strict=True
    ):
        assert seen[:3] == meant[:3]
        assert max(abs(seen.x - meant.x), abs(seen.y - meant.y)) <= 5


# --- what is measured -----------------------------------------------------------------------------


@pytest.mark.thorough
def test_who_never_errs_finds_just_what_was_planted() -> None:
    models, prompts = FilmModels(WRONG, "exact"), lift.prompts_of("exact", 6)
    lines, _ = measured(models, prompts)
    planted = lift.planted_pairs(models, prompts)
    for what in MEASURES:
        assert summary.pairs(lines, what) == planted[what]
        told = lift.lifts_of(lines)[what]
        assert told == statistics.lift(planted[what])
        assert told.n == 6
        assert told.incomplete == ()
        assert told.low is not None
    # Who errs finds something else: the evaluator is really asked.
    pairs = [summary.pairs(errs, "frames") for errs in [measured_again(models, prompts, 0.4)]]
    assert pairs != [planted["frames"]]


def measured_again(models: FilmModels, prompts: Sequence[str], error: float) -> list[Line]:
    """The same clips by an evaluator that errs."""
    folder = Path("again")
    folder.mkdir()
    erring = FilmModels(Planted(WRONG.anchor, WRONG.direct, evaluator=error), "exact")
    made = lift.film_both(models, prompts, folder)
    with FilmGateway(erring) as gateway:
        return lift.in_process(gateway, prompts, made, folder)


def test_what_an_arm_fails_on_is_named() -> None:
    models, prompts = FilmModels(WRONG, "named"), lift.prompts_of("named", 3)
    lines, _ = measured(models, prompts)
    for line in lines:
        scene = scenes.parse(line.prompt)
        for arm in ("factorized", "direct"):
            seen = models.made[scenes.still(scene), arm]
            wrong = [q.text for q in scenes.questions(scene) if not q.holds(seen[0])]
            assert line.answer["measurement"]["first_frame"][arm]["failed"] == wrong
            over = [q.text for q in clips.questions(scene) if not q.holds(seen)]
            assert line.answer["measurement"]["frames"][arm]["failed"] == over


def test_who_always_says_yes_is_not_counted() -> None:
    models, prompts = AlwaysYes(WRONG, "yes"), lift.prompts_of("yes", 2)
    lines, requests = measured(models, prompts)
    assert len(requests) == 2 * (1 + 2 * 4)  # each check was asked twice
    for line in lines:
        for what in MEASURES:
            for told in line.answer["measurement"][what].values():
                assert (told["state"], told["passed"], told["asked"]) == ("unknown", 0, 0)
                assert told["problem"]
    for told_lift in lift.lifts_of(lines).values():
        assert (told_lift.n, told_lift.lift, told_lift.low) == (0, None, None)
        assert told_lift.incomplete == tuple(prompts)
        assert told_lift.verdict == "nothing to compare"


def test_no_request_tells_the_arm() -> None:
    models, prompts = FilmModels(WRONG, "blind"), lift.prompts_of("blind", 2)
    _, requests = measured(models, prompts)
    check_blind(requests, 2)


def test_simulated_it_is_the_same_where_nobody_errs_and_counts_no_unknown_check() -> None:
    job = lift.Job(WRONG, (0.0, 0.5), 6, 2, "simulated")
    sure, guesses = lift.simulated(job)
    models = FilmModels(WRONG, job.seed, job.frames)
    prompts = lift.prompts_of(job.seed, job.prompts)
    lift.film_both(models, prompts, Path.cwd())
    planted = lift.planted_pairs(models, prompts)
    for what in MEASURES:
        assert sure[what] == statistics.lift(planted[what])
        assert guesses[what].n + len(guesses[what].incomplete) == 6
        assert guesses[what].incomplete


def test_a_row_of_the_table() -> None:
    sure = statistics.Lift(20, 0.8, 0.5, 0.3, 0.2, 0.4)
    wide = statistics.Lift(19, 0.7, 0.6, 0.1, -0.1, 0.3, ("A cat",))
    told = lift.row(Planted(0.1, 0.3, evaluator=0.1), "first_frame", 0.35, [sure, wide])
    assert told == (
        "| first frame | 0.1 | 0.3 | 0.1 | 0.350 | 0.280 | 0.200 | 0.300 "
        "| 2 of 2 | 1 of 2 | 2 of 2 | 1 of 2 | 2.5% |"
    )


@pytest.mark.slow
def test_the_command_line_measures_the_same() -> None:
    prompts = lift.prompts_of("both", 5)
    rows = "".join(json.dumps({"prompt": prompt}) + "\n" for prompt in prompts)
    Path("many.jsonl").write_text(rows, encoding="utf-8")
    planted = Planted(0.1, 0.4, evaluator=0.1)
    here = FilmModels(planted, "both")
    made = lift.film_both(here, prompts, Path.cwd())
    with FilmGateway(FilmModels(planted, "both")) as gateway:
        lines = lift.in_process(gateway, prompts, made, Path.cwd())
    there = FilmModels(planted, "both")
    with FilmGateway(there) as gateway:
        words = ["--prompts-file=many.jsonl", "--output=out", "--json", "--compare", "--verify"]
        process = start("factorized_generate", *words, gateway=gateway)
        out, err = process.communicate(timeout=300)
        assert process.returncode == 0, err.decode()
        done = json.loads(out)
        asked = gateway.of("chat")
    told = {what: done["measured"][words]["overall"] for what, words in MEASURES.items()}
    assert told == {what: found.as_json() for what, found in lift.lifts_of(lines).items()}
    assert told["first_frame"]["low"] is not None
    # The clips hold what was planted, and the evaluator is told as little as in process.
    assert there.made == here.made
    asks = [request for request in asked if _task_of(request) == "measure"]
    evaluator = {str(request.body["model"]) for request in asks}
    seen = [request for request in asked if str(request.body["model"]) in evaluator]
    assert len(evaluator) == 1
    assert len(seen) >= 5 * 5
    check_words(seen)
    names = [Path(row["output"]).stem for row in done["lines"]]
    assert not any(name in without_pictures(request) for name in names for request in seen)
    kinds = {(p.format, p.mode, p.size) for request in seen for p in pictures_in(request)}
    assert kinds == {("JPEG", "RGB", (clips.WIDTH, clips.HEIGHT))}
