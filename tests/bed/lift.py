"""A comparison of both ways where the lift is known: what is measured, and what is true.

The image model draws each fact wrong at one rate, the video model without a first frame at another;
with a first frame its clip begins with that. Both drift wrongly at one rate. The evaluator reads
the frames that it is sent, and errs at a rate. So the lift is known by arithmetic (`true_lift`),
and what `evaluating`, `batch` and `measuring` make of it can be held against that.

It is the measuring that is tested, never a hosted model: these evaluators err by independent
chances, alike for both ways, and their questions are always the right ones.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import tempfile
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import mean
from typing import Any, NamedTuple

from factorized_video import output_paths
from factorized_video.console import Console
from factorized_video.experiments import evaluation, statistics, summary
from factorized_video.experiments.line import Line
from factorized_video.experiments.statistics import Arm, Lift, Pair
from factorized_video.gateway import settings
from factorized_video.handoff import Handoff
from factorized_video.rerun import Rerun
from factorized_video.stages.context import Context, Terms
from factorized_video.stages.request import Argv
from loopback import Gateway, Reply, Request
from speech import Asked, said

from bed import clips, scenes
from bed.models import CHAT_USD, Models, Rates
from bed.scenes import Counted, Scene, Shape, Sized
from bed.world import World, shown

MEASURES = evaluation.MEASURES  # first_frame, frames
CONTROLS = 2  # among the questions of a check
FRAMES = 9  # of a clip, in six seconds; the tool shows eight of them


@dataclass(frozen=True)
class Planted:
    """Probabilities: that a fact is wrong in an anchor, or in the first frame of a direct clip;
    that a clip, made either way, drifts wrongly; that an answer of the evaluator is wrong."""

    anchor: float
    direct: float
    drift: float = 0.2
    evaluator: float = 0.0


# --- what is true ---------------------------------------------------------------------------------


class Shares(NamedTuple):
    """The share of questions that are rightly answered by yes."""

    first_frame: float
    frames: float


def expected(scene: Scene, wrong: float, drift: float) -> Shares:
    """What is to be expected of a clip whose first frame has each fact wrong at this rate.

    A count or a size needs two facts to be right, itself and the colour; a side three; a drift the
    colour and itself. Facts are wrong independently of each other.
    """
    right = 1 - wrong
    first = [
        right**2 if isinstance(question, Counted | Sized) else right**3
        for question in scenes.questions(scene)
    ]
    return Shares(mean(first), mean([right * (1 - drift), *[right**2] * len(scene.groups)]))


def true_lift(planted: Planted, number: int = 20_000, seed: object = "true") -> Shares:
    """The lift by `expected`, over so many scenes that were generated for nothing else."""
    found = []
    for n in range(number):
        scene = scenes.generate(random.Random(f"{seed}|{n}"))
        one, other = (
            expected(scene, wrong, planted.drift) for wrong in (planted.anchor, planted.direct)
        )
        found.append(Shares(*(a - b for a, b in zip(one, other, strict=True))))
    return Shares(*(mean(row) for row in zip(*found, strict=True)))


def planted_shares(scene: Scene, frames: clips.Frames) -> dict[str, Arm]:
    """What a clip of these frames passes in truth, told from what was drawn, not from pixels."""
    first, over = scenes.questions(scene), clips.questions(scene)
    return {
        "first_frame": Arm(sum(one.holds(frames[0]) for one in first), len(first)),
        "frames": Arm(sum(one.holds(frames) for one in over), len(over)),
    }


# --- the models -----------------------------------------------------------------------------------


class FilmModels(Models):
    """An LLM, an image model, a video model and an evaluator.

    Chances hang on the seed and on what is asked, so that the command line and `in_process` come
    to the same pictures and answers, in whatever order they ask.
    """

    def __init__(self, planted: Planted, seed: object, frames: int = FRAMES) -> None:
        super().__init__(Rates(draws_wrong=planted.anchor), seed)
        self.planted = planted
        self.frames = frames
        self.made: dict[tuple[str, str], list[list[Shape]]] = {}  # by caption and way: the truth
        self._captions: dict[bytes, str] = {}

    def measure(self, prompt: str) -> dict[str, object]:
        """What clips of a prompt are measured by."""
        scene = self._scene(prompt)
        return {
            "first_frame": [question.text for question in scenes.questions(scene)],
            "frames": [question.text for question in clips.questions(scene)],
        }

    def draw(self, text: str, who: str = "") -> bytes:
        """An anchor."""
        scene = self._scene(text)
        self.calls["image"] += 1
        shapes = self._placed(scene, self.planted.anchor, f"anchor{who}")
        picture = clips.png(shapes)
        self._captions[picture] = scenes.still(scene)
        self.made[scenes.still(scene), "anchor"] = [shapes]
        return picture

    def film(self, text: str, first: bytes | None) -> bytes:
        """A clip. With a first frame nothing but that, and the drift, tells what is in it."""
        drift = scenes.drift_in(text)
        assert drift, f"nothing drifts: {text}"
        if first is None:
            return clips.film(self._film(self._scene(text), drift, "direct")[0])
        scene = scenes.parse(self._captions[first])
        way = self._film(scene, drift, "factorized")[1]
        return clips.film(clips.moved(clips.read(first), drift[:2], way, self.frames), first)

    def plant(self, prompt: str) -> None:
        """Remember what both clips of a prompt would show, and draw nothing."""
        scene = self._scene(prompt)
        drift = scenes.drift_in(prompt)
        assert drift
        still = scenes.still(scene)
        self.made[still, "anchor"] = [self._placed(scene, self.planted.anchor, "anchor")]
        for arm in ("factorized", "direct"):
            self._film(scene, drift, arm)

    def _film(
        self, scene: Scene, drift: tuple[str, str, str], arm: str
    ) -> tuple[list[list[Shape]], str]:
        """What each frame of a clip shows in truth, and which way it drifts."""
        still, way = scenes.still(scene), drift[2]
        if arm == "direct":
            shapes = self._placed(scene, self.planted.direct, arm)
        else:
            (shapes,) = self.made[still, "anchor"]
        chance = self._at("drift", still, arm == "direct")
        if chance.random() < self.planted.drift:
            way = chance.choice([other for other in clips.STEPS if other != way])
        self.made[still, arm] = clips.moved(shapes, drift[:2], way, self.frames)
        return self.made[still, arm], way

    def watch(
        self, pictures: Sequence[bytes], asked: Sequence[tuple[int, str]], *, errs: bool
    ) -> dict[str, object]:
        """The answers for a picture, or for frames of a clip; asked again, it errs anew."""
        self.calls["chat"] += 1
        digest = hashlib.sha256(b"".join(pictures)).hexdigest()
        attempt = self._time("watch", digest, str(len(asked)))
        frames = [clips.read(picture) for picture in pictures]
        rows = []
        for number, question in asked:
            right = clips.truth(question, frames)
            chance = self._at("watch", digest, question, attempt)
            slips = errs and chance.random() < self.planted.evaluator
            word = "unsure" if right is None else ("no", "yes")[right != slips]
            rows.append(
                {
                    "id": number,
                    "seen": f"{len(frames[0])} shapes",
                    "answer": word,
                    "reason": "what is seen",
                }
            )
        return {"answers": rows}

    def _placed(self, scene: Scene, wrong: float, what: str) -> list[Shape]:
        chance = self._at("draw", scenes.still(scene), what)
        return clips.place(scenes.misdrawn(scene, wrong, chance), chance)

    def _at(self, *what: object) -> random.Random:
        return random.Random("|".join(map(str, (self._seed, *what))))


class FilmWorld(World):
    """As `World`, for comparisons. Who asked for questions to measure by errs, no judge does."""

    models: FilmModels

    def __init__(self, models: FilmModels) -> None:
        super().__init__(models)
        self._evaluators: set[object] = set()

    def chat(self, request: Request) -> Reply:
        """What measures clips; all else as it was."""
        data, pictures = shown(request)
        task, model = data.get("task"), request.body.get("model")
        if task == "measure":
            self._evaluators.add(model)
            return _told(self.models.measure(str(data["prompt"])))
        if task == "check":
            rows: Any = data["questions"]
            asked = [(row["id"], row["question"]) for row in rows]
            errs = model in self._evaluators
            return _told(self.models.watch(pictures, asked, errs=errs))
        return super().chat(request)


class FilmGateway(Gateway):
    """A gateway behind which these models are."""

    def __init__(self, models: FilmModels) -> None:
        super().__init__()
        self.models = models
        FilmWorld(models).behind(self)

    def clip_of(self, job_id: str) -> bytes:
        """The clip that was asked for."""
        asked = self.jobs[job_id]["asked"]
        assert isinstance(asked, Asked)
        return self.models.film(asked.prompt, asked.frame)


def _told(answer: dict[str, object]) -> Reply:
    return Reply(json={**said(json.dumps(answer)), "usage": {"cost": CHAT_USD}})


# --- what is measured -----------------------------------------------------------------------------


def prompts_of(seed: object, number: int) -> list[str]:
    """So many prompts; every seed has others, so that scenes are drawn anew too."""
    made = (scenes.generate(random.Random(f"{seed}|scene|{n}")) for n in range(number))
    return [scenes.prompt(scene) for scene in made]


def film_both(models: FilmModels, prompts: Iterable[str], folder: Path) -> list[dict[str, Path]]:
    """Both clips of each prompt in a folder, by arm, as a comparison would leave them."""
    made = []
    for number, prompt in enumerate(prompts):
        scene = scenes.parse(prompt)
        clip = folder / f"{number}.mp4"
        both = {"factorized": clip, "direct": output_paths.direct_path(clip)}
        anchor = models.draw(scenes.still(scene))
        both["factorized"].write_bytes(models.film(scenes.motion(scene), anchor))
        both["direct"].write_bytes(models.film(prompt, None))
        made.append(both)
    return made


def in_process(
    gateway: Gateway, prompts: Sequence[str], made: Sequence[dict[str, Path]], folder: Path
) -> list[Line]:
    """The lines of a batch whose clips are there, each measured by `evaluating`, over HTTP.

    What `evaluating` writes goes into `folder`, which holds no answers yet.
    """
    os.environ["AI_GATEWAY_BASE_URL"], os.environ["AI_GATEWAY_API_KEY"] = gateway.root, "hc-bed"
    context = Context(
        Console(quiet=True),
        settings.resolve(gateway.dialect),
        Terms(),
        Rerun(["bed"]),
        Handoff(gateway_checked=True),
        None,
    )
    lines = []
    for number, (prompt, both) in enumerate(zip(prompts, made, strict=True)):
        output = folder / f"{number}.mp4"
        measured = evaluation.Evaluation(context, prompt, output)
        answer = {"measurement": measured.make(both, [measured.path])}
        argv = Argv([], prompt)
        line = Line(number + 1, prompt, "", prompt, argv, output, [output], answer=answer)
        lines.append(line)
    return lines


def lifts_of(lines: list[Line]) -> dict[str, Lift]:
    """By measure: the lift over all lines, as a batch tells it."""
    return {
        what: statistics.by_category(summary.pairs(lines, what))[statistics.OVERALL]
        for what in MEASURES
    }


def planted_pairs(models: FilmModels, prompts: Sequence[str]) -> dict[str, list[Pair]]:
    """By measure: what the clips of these prompts pass in truth."""
    found: dict[str, list[Pair]] = {what: [] for what in MEASURES}
    for prompt in prompts:
        scene = scenes.parse(prompt)
        both = {
            arm: planted_shares(scene, models.made[scenes.still(scene), arm])
            for arm in ("factorized", "direct")
        }
        for what in MEASURES:
            found[what].append(Pair(prompt, "", both["factorized"][what], both["direct"][what]))
    return found


# --- the table ------------------------------------------------------------------------------------


class Job(NamedTuple):
    """One repeat, to be run in a process of its own."""

    planted: Planted
    errors: tuple[float, ...]
    prompts: int
    frames: int
    seed: str


def repeat(job: Job) -> list[dict[str, Lift]]:
    """One repeat: the same clips measured by evaluators that err at each of these rates.

    Raises AssertionError where one that never errs finds anything else than what was planted.
    """
    prompts = prompts_of(job.seed, job.prompts)
    found = []
    with tempfile.TemporaryDirectory(prefix="lift-") as name:
        models = FilmModels(job.planted, job.seed, job.frames)
        folder = Path(name)
        made = film_both(models, prompts, folder)
        planted = planted_pairs(models, prompts)
        for error in job.errors:
            at = replace(job.planted, evaluator=error)
            (folder / str(error)).mkdir()
            with FilmGateway(FilmModels(at, job.seed, job.frames)) as gateway:
                lines = in_process(gateway, prompts, made, folder / str(error))
            if error == 0:
                assert {what: summary.pairs(lines, what) for what in MEASURES} == planted, job
            found.append(lifts_of(lines))
    return found


def simulated(job: Job) -> list[dict[str, Lift]]:
    """One repeat without pictures or HTTP: answers are what was planted, turned by chance.

    To be compared with, and for many repeats. What is planted is the same as in `repeat`, so where
    nobody errs the figures are too; errors fall elsewhere.
    """
    prompts = prompts_of(job.seed, job.prompts)
    models = FilmModels(job.planted, job.seed, job.frames)
    for prompt in prompts:
        models.plant(prompt)
    pairs = planted_pairs(models, prompts)
    found = []
    for error in job.errors:
        chance = random.Random(f"{job.seed}|{error}")
        found.append(
            {
                what: statistics.lift(
                    [
                        pair._replace(
                            factorized=_answered(pair.factorized, error, chance),
                            direct=_answered(pair.direct, error, chance),
                        )
                        for pair in pairs[what]
                    ]
                )
                for what in MEASURES
            }
        )
    return found


def _answered(arm: Arm | None, error: float, chance: random.Random) -> Arm | None:
    """What who errs finds; None where a control was wrong, and when asked again one was too."""
    assert arm
    if all(any(chance.random() < error for _ in range(CONTROLS)) for _ in range(2)):
        return None
    told = [place < arm.passed for place in range(arm.asked)]
    return Arm(sum(right != (chance.random() < error) for right in told), arm.asked)


def show(
    pairs: Sequence[tuple[float, float]],
    errors: Sequence[float],
    *,
    prompts: int,
    repeats: int,
    frames: int,
    seed: int,
    jobs: int,
    is_simulated: bool,
) -> None:
    """Print the table: a row for each pair of rates, error of the evaluator, and measure."""
    print("\n".join(heading(prompts, repeats, frames, seed, is_simulated)), flush=True)
    with ProcessPoolExecutor(jobs) as pool:
        for anchor, direct in pairs:
            planted = Planted(anchor, direct)
            true = true_lift(planted)
            asked = [
                Job(planted, tuple(errors), prompts, frames, f"{seed}|{anchor}|{direct}|{n}")
                for n in range(repeats)
            ]
            found = list(pool.map(simulated if is_simulated else repeat, asked))
            for place, error in enumerate(errors):
                at = replace(planted, evaluator=error)
                for what in MEASURES:
                    lifts = [one[place][what] for one in found]
                    print(row(at, what, getattr(true, what), lifts), flush=True)


def heading(prompts: int, repeats: int, frames: int, seed: int, is_simulated: bool) -> list[str]:
    """What the table is of, in words, and its first two lines."""
    how = (
        "simulated, without pictures"
        if is_simulated
        else "measured by the product's own code over HTTP"
    )
    return [
        "The lift of the factorized way over the direct one, measured where it is known: drawn "
        "scenes, models whose error rates are set. It is the measuring that is tested, never a "
        "hosted model.",
        "",
        f"{repeats} repeats of {prompts} prompts each, every repeat with scenes of its own, seed "
        f"{seed}; clips of {frames} frames, at most 8 of them shown; {how}. "
        "a, b: the probability that a fact is wrong in an anchor, and in the first "
        f"frame of a direct clip; either way a clip drifts wrongly with {Planted(0, 0).drift:g}. "
        "e: that an answer of the evaluator is wrong, controls too. True: by arithmetic. Limit: "
        "what such an evaluator would find without end, (1 - 2e) of it. Left out: pairs of which a "
        "check is unknown.",
        "",
        "| of | a | b | e | true lift | limit | mean measured | width | holds limit | holds true "
        "| holds measured | excludes 0 | left out |",
        "|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|",
    ]


def row(planted: Planted, what: str, true: float, lifts: Sequence[Lift]) -> str:
    """One line of the table."""
    limit = (1 - 2 * planted.evaluator) * true
    bounds = [(one.low, one.high, one.lift) for one in lifts]
    known = [
        (low, high, lift)
        for low, high, lift in bounds
        if low is not None and high is not None and lift is not None
    ]
    of = len(lifts)
    holds = [sum(low <= value <= high for low, high, _ in known) for value in (limit, true)]
    itself = sum(low <= lift <= high for low, high, lift in known)
    sure = sum(not low <= 0 <= high for low, high, _ in known)
    left_out = sum(len(one.incomplete) for one in lifts)
    everyone = left_out + sum(one.n for one in lifts)
    cells = (
        what.replace("_", " "),
        f"{planted.anchor:g}",
        f"{planted.direct:g}",
        f"{planted.evaluator:g}",
        f"{true:.3f}",
        f"{limit:.3f}",
        f"{mean(one.lift for one in lifts if one.lift is not None):.3f}",
        f"{mean(high - low for low, high, _ in known):.3f}",
        *(f"{hits} of {of}" for hits in (*holds, itself, sure)),
        f"{left_out / everyone:.1%}",
    )
    return f"| {' | '.join(cells)} |"
