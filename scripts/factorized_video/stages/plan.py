"""Options and registry to the calls that would be made, their legality and price. Pure.

Every script asks here before anything is sent; `--dry-run` prints what this module says.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from .. import STAGES, aspect_ratios, models, money
from ..aspect_ratios import Size
from ..errors import OverBudget, UsageError
from ..models import ImageLimits, Model, limits
from ..models.limits import Framing
from ..money import Cost
from ..prompts import anchor_image, strategies, styles
from ..receipts.cap import Cap, Spent, check_cap

# A text that an earlier stage has yet to write stands in a plan as this, and is reckoned to have so
# many characters: the system prompt asks for 120 and 60 words at most.
CAPTION_TO_COME, CAPTION_CHARACTERS = "<caption of Stage 1>", 1_200
MOTION_TO_COME, MOTION_CHARACTERS = "<motion of Stage 1>", 600
QUESTIONS_TO_COME, FAILED_TO_COME = "<questions of Stage 2>", "<what failed, as an edit>"
# Of a picture of 1,568 px, to a model that sees it.
PICTURE_TOKENS = 1_600
# Tokens in and out, measured over the texts in prompts.py at four characters a token, rounded up,
# the picture with them. Answers are reckoned for ten questions and two controls.
QUESTIONS_TOKENS = (800, 400)
CHECK_TOKENS = (2_400, 900)
MOTION_TOKENS = (2_500, 400)
MEASURE_TOKENS = (900, 500)
CLIP_CHECK_TOKENS = (8_000, 1_000)  # eight frames of 768 px, each counted with 800
# What makes a clip.
CLIP_STAGES = ("synthesis", "direct")
# What drawing an anchor may consist of.
ANCHOR_STAGES = ("questions", "composition", "verification", "repair")
# A clip may be this much off in length and size before it is called another one: containers round
# to frames, encoders to blocks of 16 pixels.
DURATION_TOLERANCE_S = 0.25
SIZE_TOLERANCE = 0.03


class Call(NamedTuple):
    """One call that would be made: what is sent to whom, and what it is expected to cost.

    `times` is how many such calls there would be; `cost` is that of one, `price` that of all.
    """

    stage: str  # a key of STAGES
    gateway: str
    model: Model
    text: str
    settings: dict[str, Any]
    cost: Cost
    chosen: tuple[str, ...] = ()  # what nobody typed, in words
    warnings: tuple[str, ...] = ()
    framing: Framing = Framing()  # synthesis: how the anchor is made fit
    times: int = 1

    @property
    def price(self) -> Cost:
        """What all of them are expected to cost."""
        return money.times(self.cost, self.times)

    @property
    def status(self) -> str:
        """The model's at this gateway: live, upstream-retired, off, or unlisted."""
        return self.model.status if self.model.listed else "unlisted"

    @property
    def legal(self) -> dict[str, Any]:
        """What the model takes: None for what is not known, and so not checked."""
        model = self.model
        told: dict[str, Any] = {"prompt_characters": model.prompt_characters}
        if self.stage in ("composition", "repair", *CLIP_STAGES):
            told["aspect_ratios"] = model.ratios
        if self.stage in CLIP_STAGES:
            told |= {
                "durations_s": model.durations_at(
                    self.settings["resolution"], last_frame=bool(self.settings.get("last_frame"))
                ),
                "resolutions": limits.resolutions(model, self.gateway),
                "audio": model.audio,
                "last_frame": model.last_frame,
            }
        return told

    def as_json(self) -> dict[str, object]:
        """One entry of `stages` in a planned result."""
        cost = self.price
        about = {"basis": cost.basis, "as_of": cost.as_of, "source": cost.source}
        return {
            "stage": self.stage,
            "gateway": self.gateway,
            "model": self.model.id,
            "times": self.times,
            "status": self.status,
            "text": self.text,
            "settings": self.settings,
            "legal": self.legal,
            "cost": cost.as_json() | about,
            "chosen": list(self.chosen),
        }


class Plan(NamedTuple):
    """The calls in order. `skipped` says in words which stages make none, and why.

    `spent` is what was spent for the same output before, `cap` the limit on both together.
    """

    calls: tuple[Call, ...]
    skipped: tuple[str, ...] = ()
    spent: Spent = Spent()
    cap: Cap | None = None
    gateway: str | None = None
    why: str = ""  # how the gateway was chosen, in words

    def has(self, stage: str) -> bool:
        """Whether this stage makes a call."""
        return any(call.stage == stage for call in self.calls)

    def call(self, stage: str) -> Call:
        """The call of a stage that makes one."""
        return next(call for call in self.calls if call.stage == stage)

    def without(self, made: Iterable[str], left: Mapping[str, int] | None = None) -> Plan:
        """The plan without the stages whose result is there already.

        `left` is how many calls of a stage there are still to make, where it takes several.
        """
        counts = {**dict.fromkeys(made, 0), **(left or {})}
        here = [call.stage for call in self.calls if counts.get(call.stage, call.times) < 1]
        skipped = tuple(f"{STAGES[stage]} (already made, or being made)" for stage in here)
        calls = tuple(
            call._replace(times=counts.get(call.stage, call.times))
            for call in self.calls
            if call.stage not in here
        )
        return self._replace(calls=calls, skipped=skipped + self.skipped)

    @property
    def costs(self) -> list[Cost]:
        """What the calls of each stage are expected to cost."""
        return [call.price for call in self.calls]

    @property
    def cost(self) -> Cost:
        """The expected total of the calls."""
        return money.total(self.costs)

    @property
    def warnings(self) -> list[str]:
        """What is worth saying before anything is sent."""
        return [warning for call in self.calls for warning in call.warnings]

    def as_json(self) -> dict[str, object]:
        """The keys of a planned result; `text` is for a person to read."""
        return {
            "status": "planned",
            "stages": [call.as_json() for call in self.calls],
            "skipped": list(self.skipped),
            "cost": self.cost.as_json(),
            "spent": self.spent.as_json(),
            "max_cost": self.cap.usd if self.cap else None,
            "gateway": self.gateway,
            "gateway_why": self.why,
            "gateway_cannot": list(models.gateway(self.gateway).cannot) if self.gateway else [],
            "text": self.as_text(),
        }

    def as_text(self) -> str:
        """The plan for a person to read."""
        lines = []
        if self.gateway:
            lines.append(f"gateway: {self.gateway} ({self.why})")
            if cannot := models.gateway(self.gateway).cannot:
                lines.append(f"  it cannot {', '.join(cannot)}")
        for call in self.calls:
            several = f", {call.times} times" if call.times > 1 else ""
            lines.append(f"{STAGES[call.stage]}: {call.model.id} at {call.gateway}{several}")
            if call.model.status != "live" or not call.model.listed:
                gone = call.model.shutdown or {}
                lines.append(f"  status: {call.status} {gone.get('date', '')}".rstrip())
            lines += [f"  {name}: {value}" for name, value in call.settings.items()]
            lines += [f"  not typed, chosen: {what}" for what in call.chosen]
            lines += [f"  legal: {words}" for words in _legal_words(call)]
            lines.append("  text:")
            lines += [f"    {line}" for line in _wrapped(call.text)]
            lines.append(f"  cost: {money.shown(call.price)}" + _in_brackets(call.price.basis))
        lines += [f"skipped: {what}" for what in self.skipped]
        if self.spent.usd or self.spent.unknown:
            unknown = f", and {self.spent.unknown} calls of unknown cost"
            lines.append(
                f"spent before for this output: USD {self.spent.usd:.3f}"
                + unknown * bool(self.spent.unknown)
            )
        if self.cap:
            lines.append(f"cap: USD {self.cap.usd:g} ({self.cap.source})")
        lines.append(f"total: {money.shown(self.cost)}; nothing was sent")
        return "\n".join(lines)


def shown(planned: Plan, allow_unknown: bool) -> dict[str, object]:
    """The result of --dry-run. Over the cap, OverBudget with the plan in its result."""
    result = planned.as_json()
    try:
        check_cap(planned.cap, planned.spent, planned.costs, allow_unknown=allow_unknown)
    except OverBudget as error:
        error.result = {**result, "status": "failed"}
        error.charged = None  # nothing was to be sent
        raise
    return result


def stages_of(
    *, strategy: str | None, motion: str | None, skip_reasoning: bool, own_anchor: bool
) -> tuple[str, ...]:
    """Which stages there are.

    With one's own anchor Stage 1 runs only for a motion that the strategy needs and nobody gave.
    """
    asks_llm = not skip_reasoning and (
        not own_anchor or (strategy == "motion-only" and motion is None)
    )
    drawn = () if own_anchor else ("composition",)
    return (("reasoning",) if asks_llm else ()) + drawn + ("synthesis",)


def why_not(make: Callable[[], object]) -> str | None:
    """What a plan that is to be made would be refused for, in words; None where it is legal."""
    try:
        make()
    except UsageError as error:
        return error.message
    return None


def reasoning(
    prompt: str,
    gateway: str,
    *,
    model: str | None,
    style: str | None,
    ratio: str | None,
    references: int = 0,
    allow_off: bool = False,
    strict: bool = True,
) -> Call:
    """The chat call of Stage 1. Settings as typed, or None; `strict` as in `composition`.

    `references` is how many pictures it sees. Raises UsageError for an LLM that sees none.
    """
    chosen_model, warnings = limits.choose_model("llm", model, gateway, allow_off or not strict)
    if references and strict and chosen_model.sees_images is False:
        raise UsageError(
            f"{chosen_model.id} sees no pictures, and --reference shows it some.",
            "Choose another model (--list-models llm shows which do).",
        )
    tokens_in, tokens_out = models.REWRITE_TOKENS
    resolved = styles.resolve_style(style, prompt)
    return Call(
        "reasoning",
        gateway,
        chosen_model,
        prompt,
        {"style": resolved, "aspect_ratio": ratio or limits.DEFAULT_RATIO, **_given(references)},
        models.price(
            chosen_model, gateway, tokens=(tokens_in + references * PICTURE_TOKENS, tokens_out)
        ),
        _not_typed((model, f"model {chosen_model.id}"), (style, f"style {resolved}")),
        warnings,
    )


def composition(
    caption: str,
    gateway: str,
    *,
    model: str | None,
    style: str | None,
    ratio: str | None,
    enhance: bool,
    references: Sequence[Size | None] = (),
    allow_off: bool = False,
    strict: bool = True,
) -> Call:
    """The image call of Stage 2. Raises UsageError for what the model does not take.

    Settings as typed, or None: the ratio is then 16:9, or what the model takes instead.
    `references` are the sizes in pixels of the pictures that it draws from, where they are known.

    Not `strict` nothing is checked: for a call that was made before, and is not to be made again.
    """
    chosen_model, warnings = limits.choose_model("image", model, gateway, allow_off or not strict)
    chosen_model = chosen_model if strict else models.unchecked(chosen_model)
    limits.check_drawn_from(chosen_model, references, None, gateway)
    shape, how = limits.choose_ratio(chosen_model, ratio, None, gateway)
    resolved = styles.resolve_style(style, caption)
    text = anchor_image.image_prompt(caption, resolved, str(shape), enhance, len(references))
    limits.check_prompt(chosen_model, _characters(text), gateway, "the caption with its style")
    chosen = _not_typed(
        (model, f"model {chosen_model.id}"), (style, f"style {resolved}"), (ratio, how)
    )
    settings = {"aspect_ratio": shape, "style": resolved, **_given(len(references))}
    return Call(
        "composition",
        gateway,
        chosen_model,
        text,
        settings,
        models.price(chosen_model, gateway, pictures=len(references)),
        chosen,
        warnings,
    )


def edit(
    change: str,
    gateway: str,
    *,
    model: str | None,
    ratio: str | None,
    picture: Size | None,
    references: Sequence[Size | None] = (),
    allow_off: bool = False,
    strict: bool = True,
) -> Call:
    """The image call of Stage 2 that changes a person's picture in what `change` says.

    `picture` is its size in pixels, None where it is not known; the ratio is that nearest to it,
    where none was typed. The rest as in `composition`.
    """
    chosen_model, warnings = limits.choose_model("image", model, gateway, allow_off or not strict)
    chosen_model = chosen_model if strict else models.unchecked(chosen_model)
    limits.check_drawn_from(chosen_model, references, picture or True, gateway)
    shape, how = limits.choose_ratio(chosen_model, ratio, picture, gateway)
    if picture and shape and aspect_ratios.difference(picture, shape) > limits.RATIO_TOLERANCE:
        warnings += (
            f"The picture is {picture[0]}x{picture[1]} px and the edit is asked for in {shape}: "
            "the model may draw more than was there, or less.",
        )
    text = anchor_image.change_prompt(change, len(references))
    limits.check_prompt(chosen_model, len(text), gateway, "the edit")
    return Call(
        "composition",
        gateway,
        chosen_model,
        text,
        {"aspect_ratio": shape, **_given(len(references))},
        models.price(chosen_model, gateway, pictures=len(references) + 1),
        _not_typed((model, f"model {chosen_model.id}"), (ratio, how)),
        warnings,
    )


def anchors(
    drawn: Call,
    prompt: str,
    *,
    candidates: int = 1,
    verify: bool = False,
    repair: bool = False,
    judge_model: str | None = None,
    allow_off: bool = False,
    strict: bool = True,
) -> tuple[Call, ...]:
    """All calls of Stage 2: `drawn` so many times, with `verify` the questions and a check of each.

    With `repair` one edit, and its check. `prompt` is the one that the questions are written from.
    Raises UsageError for a judge that sees no pictures, and for a model that edits none.
    """
    calls = [drawn._replace(times=candidates)]
    if verify:
        judge, warnings = limits.choose_model(
            "llm", judge_model, drawn.gateway, allow_off or not strict
        )
        if strict and judge.sees_images is False:
            raise UsageError(
                f"{judge.id} sees no pictures, so it cannot check one.",
                "Choose another --judge-model (--list-models llm shows which do).",
            )
        chosen = _not_typed((judge_model, f"model {judge.id}"))
        for stage, text, times, tokens in (
            ("questions", prompt, 1, QUESTIONS_TOKENS),
            ("verification", QUESTIONS_TO_COME, candidates + repair, CHECK_TOKENS),
        ):
            cost = models.price(judge, drawn.gateway, tokens=tokens)
            call = Call(stage, drawn.gateway, judge, text, {}, cost, chosen, warnings, times=times)
            calls.append(call)
    if repair:
        if strict and drawn.model.edits is False:
            raise UsageError(
                f"{drawn.model.id} edits no pictures, which --repair asks it to do.",
                "Leave out --repair, or choose another image model (--list-models image).",
            )
        calls.append(
            drawn._replace(
                stage="repair",
                text=FAILED_TO_COME,
                times=1,
                chosen=(),
                warnings=(),
                settings={
                    key: value
                    for key, value in drawn.settings.items()
                    if key != "reference_pictures"
                },
                cost=models.price(drawn.model, drawn.gateway, pictures=1),
            )
        )
    return tuple(sorted(calls, key=lambda call: ANCHOR_STAGES.index(call.stage)))


def motion_call(
    prompt: str, gateway: str, *, model: str | None, allow_off: bool = False, strict: bool = True
) -> Call:
    """The chat call that writes the motion with the anchor in view."""
    chosen_model, warnings = limits.choose_model("llm", model, gateway, allow_off or not strict)
    if strict and chosen_model.sees_images is False:
        raise UsageError(
            f"{chosen_model.id} sees no pictures, so it cannot write a motion for one.",
            "Choose another model (--list-models llm shows which do).",
        )
    return Call(
        "motion",
        gateway,
        chosen_model,
        prompt,
        {},
        models.price(chosen_model, gateway, tokens=MOTION_TOKENS),
        _not_typed((model, f"model {chosen_model.id}")),
        warnings,
    )


def measurement(
    prompt: str,
    gateway: str,
    *,
    model: str | None,
    judge_model: str | None,
    allow_off: bool = False,
) -> Call:
    """The chat calls that measure two clips of one prompt, as one call with the price of all five.

    Untyped, the evaluator is another model than the judge that chooses among anchors, where one is
    known. Raises UsageError for a model that sees no pictures.
    """
    judge = limits.choose_model("llm", judge_model, gateway, allow_off)[0]
    typed = model or limits.other_eyes(judge, gateway)
    chosen_model, warnings = limits.choose_model("llm", typed, gateway, allow_off)
    if chosen_model.sees_images is False:
        raise UsageError(
            f"{chosen_model.id} sees no pictures, so it cannot measure a clip.",
            "Choose another --evaluator-model (--list-models llm shows which do).",
        )
    if chosen_model.id == judge.id and not models.gateway(gateway).free:
        warnings += (
            f"{judge.id} both chooses the anchor and measures the clips: its own errors count for "
            "the factorized one. Name another --evaluator-model.",
        )
    calls = (MEASURE_TOKENS, CHECK_TOKENS, CHECK_TOKENS, CLIP_CHECK_TOKENS, CLIP_CHECK_TOKENS)
    tokens = sum(call[0] for call in calls), sum(call[1] for call in calls)
    return Call(
        "measurement",
        gateway,
        chosen_model,
        prompt,
        {"questions": len(calls)},
        models.price(chosen_model, gateway, tokens=tokens),
        _not_typed((model, f"model {chosen_model.id}")),
        warnings,
    )


def synthesis(
    prompt: str,
    motion: str | None,
    gateway: str,
    *,
    model: str | None,
    strategy: str | None,
    duration: int | None,
    ratio: str | None,
    resolution: str | None = None,
    audio: bool | None = None,
    seed: int | None = None,
    fit: str | None = None,
    fit_duration: bool = False,
    picture_size: tuple[int, int] | None = None,
    drawn_ratios: tuple[str, ...] | None = None,
    last_frame: bool = False,
    last_frame_size: tuple[int, int] | None = None,
    direct: bool = False,
    allow_off: bool = False,
    strict: bool = True,
) -> Call:
    """The video call of Stage 3. Settings are as typed, or None; `duration` in seconds.

    `direct`: there is no anchor, the prompt alone is told.

    `picture_size` is the anchor's in pixels, where it is known; `drawn_ratios` what the image model
    takes, where one is yet to draw it; `last_frame` whether the clip is to end with a picture, and
    `last_frame_size` that one's size. Raises UsageError for what the model does not take, and for
    a picture that cannot be its first frame (`legal`). Not `strict`: as in `composition`.
    """
    chosen_model, warnings = limits.choose_model("video", model, gateway, allow_off or not strict)
    chosen_model = chosen_model if strict else models.unchecked(chosen_model)
    if direct:
        limits.check_text_to_video(chosen_model, gateway)
    elif chosen_model.first_frame is False:
        raise UsageError(
            f"{chosen_model.id} takes no first frame.", "Choose another --video-model."
        )
    limits.check_last_frame(chosen_model, last_frame, gateway)
    canvas, how = limits.choose_ratio(chosen_model, ratio, picture_size, gateway, drawn_ratios)
    chosen = [how, *_not_typed((model, f"model {chosen_model.id}"))]
    if strict or resolution is None:
        resolution, how = limits.choose_resolution(chosen_model, resolution, gateway)
    chosen.append(how)
    seconds, how = limits.choose_duration(
        chosen_model, duration, resolution, fit_duration, gateway, last_frame=last_frame
    )
    chosen += [how] if duration is None else []
    notes = limits.check_audio(chosen_model, audio, gateway)
    limits.check_seed(chosen_model, seed, gateway)
    told = limits.says_audio(chosen_model, audio, gateway)
    notes += (how,) if duration is not None and how else ()  # what was typed gave way: by leave
    if strategy is None:
        strategy = strategies.DEFAULT_STRATEGY
        chosen.append(f"prompt strategy {strategy}")
    framing = Framing(canvas, fit, chosen_model.image or ImageLimits())
    if picture_size and strict:
        notes += limits.check_frame(chosen_model, picture_size, framing)
    if last_frame_size and strict:
        notes += limits.check_last_size(chosen_model, last_frame_size, picture_size, framing)
    try:
        text = strategies.video_prompt(strategy, prompt, motion, direct)
    except ValueError:
        raise UsageError(
            "--prompt-strategy motion-only tells the video model the motion alone, and --motion "
            "is missing.",
            'Give --motion "what moves, and how" (or --motion-file FILE), or another strategy.',
        ) from None
    limits.check_prompt(chosen_model, _characters(text), gateway, "prompt and motion")
    settings: dict[str, Any] = {
        "duration_s": seconds,
        # Without a picture there is nothing to adapt to or to follow.
        "aspect_ratio": canvas if direct else _sent_ratio(chosen_model, canvas),
        "canvas": canvas,
        "resolution": resolution,
        "audio": {
            None: "as the model makes it",
            True: "wanted",
            False: "removed here" if told is None else "none",
        }[audio],
        "prompt_strategy": strategy,
    }
    if canvas is None and picture_size:
        settings["shape"] = aspect_ratios.nearest(picture_size, limits.COMMON_RATIOS)
    if told is not None:
        settings["audio_switch"] = told
    if seed is not None:
        settings["seed"] = seed
    if last_frame:
        settings["last_frame"] = "given"
    sounds = chosen_model.audio != "never" and told is not False
    cost = models.price(chosen_model, gateway, seconds=seconds, resolution=resolution, audio=sounds)
    return Call(
        "direct" if direct else "synthesis",
        gateway,
        chosen_model,
        text,
        settings,
        cost,
        tuple(filter(None, chosen)),
        (*warnings, *notes),
        framing,
    )


def pipeline(
    prompt: str,
    motion: str | None,
    gateway: str,
    *,
    style: str | None,
    strategy: str | None,
    enhance: bool,
    skip_reasoning: bool,
    own_anchor: bool,
    stop_after: str | None,
    llm_model: str | None,
    image_model: str | None,
    video_model: str | None,
    aspect_ratio: str | None,
    allow_off: bool,
    candidates: int = 1,
    verify: bool = False,
    repair: bool = False,
    judge_model: str | None = None,
    awaits_choice: bool = False,
    motion_from_anchor: bool = False,
    references: Sequence[Size | None] = (),
    made: tuple[str, ...] = (),
    **of_video: Any,
) -> Plan:
    """All calls of the three stages (`stages_of`). Settings are as typed, or None.

    Of the stages in `made`, which will make no paid call, nothing is checked. `candidates` to
    `judge_model` are `anchors`'s; with `awaits_choice` a person is to choose before Stage 3.
    `references` are `composition`'s. The rest is `synthesis`'s.
    """
    stages = stages_of(
        strategy=strategy, motion=motion, skip_reasoning=skip_reasoning, own_anchor=own_anchor
    )
    asks_llm = "reasoning" in stages
    drawn_ratios = None
    if not own_anchor and "composition" not in made:
        drawn_ratios = limits.choose_model("image", image_model, gateway, allow_off)[0].ratios
    writes_motion = asks_llm or motion_from_anchor
    # The video first: what its model does not take is said before anything else.
    video = synthesis(
        prompt,
        motion or (MOTION_TO_COME if writes_motion else None),
        gateway,
        model=video_model,
        strategy=strategy,
        ratio=aspect_ratio,
        drawn_ratios=drawn_ratios,
        allow_off=allow_off,
        strict="synthesis" not in made,
        **of_video,
    )
    # One canvas for both: the anchor is drawn in the shape that the clip will have.
    ratio = str(video.settings["canvas"] or limits.DEFAULT_RATIO)
    calls, skipped = [], []
    if asks_llm:
        calls.append(
            reasoning(
                prompt,
                gateway,
                model=llm_model,
                style=style,
                ratio=ratio,
                allow_off=allow_off,
                references=len(references),
                strict="reasoning" not in made,
            )
        )
    else:
        why = "--skip-reasoning" if skip_reasoning else "your own anchor needs no caption"
        skipped.append(f"{STAGES['reasoning']} ({why})")
    if own_anchor:
        skipped.append(f"{STAGES['composition']} (your own anchor)")
    else:
        drawn = composition(
            CAPTION_TO_COME if asks_llm else prompt,
            gateway,
            model=image_model,
            style=style or styles.named_style(prompt),
            ratio=ratio,
            enhance=enhance,
            references=references,
            allow_off=allow_off,
            strict="composition" not in made,
        )
        calls += anchors(
            drawn,
            prompt,
            candidates=candidates,
            verify=verify,
            repair=repair,
            judge_model=judge_model,
            allow_off=allow_off,
            strict="verification" not in made,
        )
    if motion_from_anchor:
        calls.append(
            motion_call(
                prompt, gateway, model=llm_model, allow_off=allow_off, strict="motion" not in made
            )
        )
    calls.append(video)
    drawn_by_then = ("reasoning", *ANCHOR_STAGES)
    # Who stops to look at the anchor looks at the motion that follows from it, too.
    done = {
        "caption": ("reasoning",),
        "choice": drawn_by_then,
        "anchor": (*drawn_by_then, "motion"),
    }.get(
        "choice" if awaits_choice and stop_after != "caption" else stop_after or "", tuple(STAGES)
    )
    why = "--stop-after" if stop_after else "waits until a candidate is chosen"
    for call in calls:
        if call.stage not in done:
            price = "" if stop_after else f"; then about {money.shown(call.price)}"
            skipped.append(f"{STAGES[call.stage]} ({why}{price})")
    return Plan(tuple(call for call in calls if call.stage in done), tuple(skipped))


def differences(sent: dict[str, Any], measured: dict[str, Any]) -> list[str]:
    """In words, where a clip is not what was asked for. Pure; settings that are absent match."""
    said = []
    asked_s, length = sent.get("duration_s"), measured["duration_s"]
    if asked_s and abs(length - asked_s) > DURATION_TOLERANCE_S:
        said.append(f"The clip is {length:g} s long; {asked_s} s were asked for.")
    size = measured["width"], measured["height"]
    canvas, resolution = sent.get("canvas"), sent.get("resolution")
    if canvas and aspect_ratios.difference(size, canvas) > SIZE_TOLERANCE:
        said.append(f"The clip is {size[0]}x{size[1]} px, which is not {canvas}.")
    # Clips of 1:1 and 21:9 have other short sides at many models; more than asked for is no loss.
    usual = canvas in (None, "16:9", "9:16")
    least = (
        aspect_ratios.short_side(resolution) * (1 - SIZE_TOLERANCE) if resolution and usual else 0
    )
    if min(size) < least:
        said.append(f"The clip is {size[0]}x{size[1]} px; {resolution} was asked for.")
    if sent.get("audio") == "wanted" and not measured["audio"]:
        said.append("The clip has no sound; it was asked for.")
    return said


def _given(references: int) -> dict[str, int]:
    """As a setting, how many reference pictures there are; nothing where there are none."""
    return {"reference_pictures": references} if references else {}


def _not_typed(*settings: tuple[str | None, str]) -> tuple[str, ...]:
    """Of pairs of what was typed and the words for what was chosen: the words where it was not."""
    return tuple(words for typed, words in settings if typed is None and words)


def _sent_ratio(model: Model, canvas: str | None) -> str | None:
    """The ratio as the video call says it: some models reject one beside a first frame."""
    if model.ratio_mode == "adaptive":
        return "adaptive"
    return None if model.ratio_mode == "follows-image" else canvas


def _characters(text: str) -> int:
    """The length of a text, with what an earlier stage has yet to write at its expected one."""
    length = len(text)
    if CAPTION_TO_COME in text:
        length += CAPTION_CHARACTERS - len(CAPTION_TO_COME)
    if MOTION_TO_COME in text:
        length += MOTION_CHARACTERS - len(MOTION_TO_COME)
    return length


def _legal_words(call: Call) -> list[str]:
    told = call.legal
    words = []
    if told.get("durations_s"):
        at = f" at {call.settings['resolution']}"
        words.append(f"{limits.shown_seconds(told['durations_s'])} s{at}")
    if told.get("aspect_ratios"):
        words.append(limits.listed(told["aspect_ratios"]))
    if told.get("resolutions"):
        words.append(limits.listed(told["resolutions"]))
    if told.get("audio"):
        sound = {"never": "no sound", "always": "always with sound", "switch": "sound or none"}
        words.append(sound[told["audio"]])
    if told["prompt_characters"]:
        words.append(f"up to {told['prompt_characters']:,} characters")
    return words


def _wrapped(text: str) -> list[str]:
    lines: list[str] = []
    for line in text.splitlines():
        lines += textwrap.wrap(line, 92) or [""]
    return lines


def _in_brackets(text: str) -> str:
    return f" [{text}]" if text else ""
