"""Options and registry to the calls that would be made, their legality and price. Pure.

Every script asks here before anything is sent; `--dry-run` prints what this module says.
"""

from __future__ import annotations

import textwrap
from dataclasses import dataclass, field
from typing import Any

from . import STAGES, models, prompts
from .errors import UsageError
from .models import Cost, Model

DEFAULT_RATIO = "16:9"
DEFAULT_DURATION_S = 6
# A 1K picture of a 16:9 model is 1376x768, 0.8 % off; more than 2 % is another shape.
RATIO_TOLERANCE = 0.02
RESOLUTION = "720p"
# A text that an earlier stage has yet to write stands in a plan as this.
CAPTION_TO_COME = "<caption of Stage 1>"
MOTION_TO_COME = "<motion of Stage 1>"


@dataclass(frozen=True)
class Call:
    """One call that would be made: what is sent to whom, and what it is expected to cost."""

    stage: str  # reasoning | composition | synthesis
    gateway: str
    model: Model
    text: str
    settings: dict[str, Any]
    cost: Cost
    chosen: tuple[str, ...] = ()  # what nobody typed, in words
    warnings: tuple[str, ...] = ()

    def as_json(self) -> dict[str, object]:
        """One entry of `stages` in a planned result."""
        return {
            "stage": self.stage,
            "gateway": self.gateway,
            "model": self.model.id,
            "text": self.text,
            "settings": self.settings,
            "cost": self.cost.as_json() | {"basis": self.cost.basis},
            "chosen": list(self.chosen),
        }


@dataclass(frozen=True)
class Plan:
    """The calls in order. `skipped` says in words which stages make none, and why."""

    calls: tuple[Call, ...]
    skipped: tuple[str, ...] = field(default=())

    def has(self, stage: str) -> bool:
        """Whether this stage makes a call."""
        return any(call.stage == stage for call in self.calls)

    @property
    def cost(self) -> Cost:
        """The expected total."""
        return models.total([call.cost for call in self.calls])

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
            "gateway": self.calls[0].gateway if self.calls else None,
            "text": self.as_text(),
        }

    def as_text(self) -> str:
        """The plan for a person to read."""
        lines = []
        for call in self.calls:
            lines.append(f"{STAGES[call.stage]}: {call.model.id} at {call.gateway}")
            lines += [f"  {name}: {value}" for name, value in call.settings.items()]
            lines += [f"  not typed, chosen: {what}" for what in call.chosen]
            lines.append("  text:")
            lines += [f"    {line}" for line in _wrapped(call.text)]
            lines.append(f"  cost: {money(call.cost)}" + _in_brackets(call.cost.basis))
        lines += [f"skipped: {what}" for what in self.skipped]
        lines.append(f"total: {money(self.cost)}; nothing was sent")
        return "\n".join(lines)


def reasoning(prompt: str, gateway: str, *, model: str | None, style: str, ratio: str) -> Call:
    """The chat call of Stage 1."""
    chosen_model, warnings = _model("llm", model, gateway, allow_off=False)
    return Call(
        "reasoning", gateway, chosen_model, prompt, {"style": style, "aspect_ratio": ratio},
        models.price(chosen_model), (), warnings,
    )  # fmt: skip


def composition(
    caption: str,
    gateway: str,
    *,
    model: str | None,
    style: str,
    ratio: str,
    enhance: bool,
    allow_off: bool = False,
) -> Call:
    """The image call of Stage 2. Raises UsageError for a ratio that the model does not take."""
    chosen_model, warnings = _model("image", model, gateway, allow_off)
    _check_ratio(chosen_model, ratio)
    return Call(
        "composition", gateway, chosen_model,
        prompts.image_prompt(caption, style, ratio, enhance),
        {"aspect_ratio": ratio, "style": style},
        models.price(chosen_model), (), warnings,
    )  # fmt: skip


def synthesis(
    prompt: str,
    motion: str | None,
    gateway: str,
    *,
    model: str | None,
    strategy: str,
    duration: int | None,
    ratio: str | None,
    picture_size: tuple[int, int] | None = None,
    allow_off: bool = False,
) -> Call:
    """The video call of Stage 3. `duration` in seconds and `ratio` are what was typed, or None.

    A setting nobody typed is not a demand: without a typed ratio the legal one nearest to the
    picture (`picture_size`, pixels) is taken; without a typed duration 6 s, or the model's nearest.
    A typed setting is never changed: UsageError where the model does not take it.
    """
    chosen_model, warnings = _model("video", model, gateway, allow_off)
    chosen = []
    if ratio is None:
        ratio = _nearest_ratio(chosen_model, picture_size)
        chosen.append(
            f"aspect ratio {ratio}" + (", nearest to the picture" if picture_size else "")
        )
    else:
        _check_ratio(chosen_model, ratio)
    if duration is None:
        duration = _nearest_duration(chosen_model)
        chosen.append(f"{duration} s")
    elif chosen_model.durations and duration not in chosen_model.durations:
        raise UsageError(
            f"{chosen_model.id} makes clips of {_list(chosen_model.durations)} seconds, "
            f"not {duration}.",
            _others(f"{duration} s", [m for m in models.rows("video")
                    if m.durations and duration in m.durations and not m.off]),
        )  # fmt: skip
    try:
        text = prompts.video_prompt(strategy, prompt, motion)
    except ValueError:
        raise UsageError(
            "--prompt-strategy motion-only tells the video model the motion alone, and --motion "
            "is missing.",
            'Give --motion "what moves, and how" (or --motion-file FILE), or another strategy.',
        ) from None
    return Call(
        "synthesis", gateway, chosen_model, text,
        {"duration_s": duration, "aspect_ratio": ratio, "resolution": RESOLUTION,
         "prompt_strategy": strategy},
        models.price(chosen_model, seconds=duration), tuple(chosen), warnings,
    )  # fmt: skip


def pipeline(
    prompt: str,
    motion: str | None,
    gateway: str,
    *,
    style: str | None,
    aspect_ratio: str | None,
    duration: int | None,
    strategy: str,
    enhance: bool,
    skip_reasoning: bool,
    own_anchor: bool,
    picture_size: tuple[int, int] | None,
    stop_after: str | None,
    llm_model: str | None,
    image_model: str | None,
    video_model: str | None,
    allow_off: bool,
) -> Plan:
    """All calls of the three stages. Settings are as typed, or None; see `synthesis`.

    With one's own anchor Stage 1 runs only for a motion that the strategy needs and nobody gave.
    """
    chosen_style = prompts.resolve_style(style, prompt)
    ratio = aspect_ratio or DEFAULT_RATIO
    asks_llm = not skip_reasoning and (
        not own_anchor or (strategy == "motion-only" and motion is None)
    )
    # The video first: what its model does not take is said before anything else.
    video = synthesis(
        prompt, motion or (MOTION_TO_COME if asks_llm else None), gateway, model=video_model,
        strategy=strategy, duration=duration, ratio=aspect_ratio, picture_size=picture_size,
        allow_off=allow_off,
    )  # fmt: skip
    calls, skipped = [], []
    if asks_llm:
        calls.append(reasoning(prompt, gateway, model=llm_model, style=chosen_style, ratio=ratio))
    else:
        why = "--skip-reasoning" if skip_reasoning else "your own anchor needs no caption"
        skipped.append(f"{STAGES['reasoning']} ({why})")
    if own_anchor:
        skipped.append(f"{STAGES['composition']} (your own anchor)")
    else:
        calls.append(composition(
            CAPTION_TO_COME if asks_llm else prompt, gateway, model=image_model,
            style=chosen_style, ratio=ratio, enhance=enhance, allow_off=allow_off,
        ))  # fmt: skip
    calls.append(video)
    last = {"caption": "reasoning", "anchor": "composition"}.get(stop_after or "")
    kept = [call.stage for call in calls].index(last) + 1 if last else len(calls)
    skipped += [f"{STAGES[call.stage]} (--stop-after)" for call in calls[kept:]]
    return Plan(tuple(calls[:kept]), tuple(skipped))


def money(cost: Cost) -> str:
    """A cost for a person: "USD 2.40 (estimated)"."""
    if cost.amount is None:
        return "unknown"
    return f"USD {cost.amount:.2f} ({cost.kind})" if cost.amount >= 0.1 or not cost.amount else (
        f"USD {cost.amount:.4f} ({cost.kind})"
    )  # fmt: skip


def _model(
    kind: str, typed: str | None, gateway: str, allow_off: bool
) -> tuple[Model, tuple[str, ...]]:
    model = models.pick(kind, typed, gateway)
    if not model.listed:
        return model, (
            f"{model.id} is not in this tool's model list: its settings and price are not checked.",
        )
    if model.off and not allow_off:
        raise UsageError(
            f"{model.id} is gone: {model.off['by']} shut it down on {model.off['date']}.",
            f"Use {model.off['replacement']}; or --allow-off if your gateway still serves it.",
        )
    if model.retired:
        gone = model.retired
        warning = (
            f"{gone['by']} shut {model.id} down on {gone['date']}; this gateway may keep an alias. "
            f"If it does not know the model, use {gone['replacement']}."
        )
        return model, (warning,)
    return model, ()


def _check_ratio(model: Model, ratio: str) -> None:
    if model.ratios and ratio not in model.ratios:
        fitting = [
            m for m in models.rows(model.kind) if m.ratios and ratio in m.ratios and not m.off
        ]
        raise UsageError(
            f"{model.id} takes the aspect ratios {_list(model.ratios)}, not {ratio}.",
            _others(ratio, fitting),
        )


def _nearest_ratio(model: Model, picture_size: tuple[int, int] | None) -> str:
    if picture_size is None:
        return DEFAULT_RATIO
    legal = model.ratios or ("16:9", "9:16", "1:1", "4:3", "3:4", "3:2", "2:3", "21:9")
    return min(legal, key=lambda ratio: ratio_difference(picture_size, ratio))


def value_of(ratio: str) -> float:
    """Width over height of "W:H"."""
    width, height = ratio.split(":")
    return int(width) / int(height)


def ratio_difference(size: tuple[int, int], ratio: str) -> float:
    """By how much a picture's shape differs from a ratio: 0 for none, 0.1 for ten per cent."""
    shape = size[0] / size[1] / value_of(ratio)
    return max(shape, 1 / shape) - 1


def _nearest_duration(model: Model) -> int:
    legal = model.durations or (DEFAULT_DURATION_S,)
    return min(legal, key=lambda seconds: (abs(seconds - DEFAULT_DURATION_S), seconds))


def _others(wanted: str, fitting: list[Model]) -> str:
    if not fitting:
        return "No model that this tool knows takes that."
    return f"{wanted} is taken by {', '.join(model.id for model in fitting)}."


def _list(values: tuple[object, ...]) -> str:
    words = [str(value) for value in values]
    return " and ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else words[0]


def _wrapped(text: str) -> list[str]:
    lines: list[str] = []
    for line in text.splitlines():
        lines += textwrap.wrap(line, 92) or [""]
    return lines


def _in_brackets(text: str) -> str:
    return f" [{text}]" if text else ""
