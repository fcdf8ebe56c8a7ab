"""From a request and the registry to the calls that would be made, checked and priced. Pure.

Every script asks here before anything is sent; `--dry-run` shows what comes of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from .. import aspect_ratios, models
from ..aspect_ratios import Size
from ..errors import UsageError
from ..models import ImageLimits, Model, engines, limits, picture_limits
from ..models.picture_limits import Framing
from ..money import Cost
from ..prompts import anchor_image, checklist, strategies, styles
from . import drafts
from .calls import ANCHOR_STAGES, Call
from .request import AnchorRequest, CaptionRequest, ClipRequest, ClipSettings

# A text that an earlier stage has yet to write stands in a plan as this, and counts as so many
# characters: the system prompt asks for 120 and 60 words at most.
CAPTION_TO_COME, CAPTION_CHARACTERS = "<caption of Stage 1>", 1_200
MOTION_TO_COME, MOTION_CHARACTERS = "<motion of Stage 1>", 600
QUESTIONS_TO_COME, FAILED_TO_COME = "<questions of Stage 2>", "<what failed, as an edit>"
# Of a picture of one person, where no ratio is given: the supported one nearest to it.
CHARACTER_SHAPE = (3, 4)
# Of a picture of 1,568 px, to a model that sees it.
PICTURE_TOKENS = 1_600
# Tokens in and out, measured over the texts in prompts/ at four characters a token, rounded up,
# the picture included. Answers are counted for ten questions and two controls.
QUESTIONS_TOKENS = (800, 400)
CHECK_TOKENS = (2_400, 900)
MOTION_TOKENS = (2_500, 400)
MEASURE_TOKENS = (900, 500)
CLIP_CHECK_TOKENS = (8_000, 1_000)  # eight frames of 768 px, each counted with 800


_MADE_BY = {"llm": "texts", "image": "pictures", "video": "clips"}
_WITHOUT = {
    "llm": " A run with --skip-reasoning and without checks needs none.",
    "image": " A run with an anchor of your own needs none.",
}


class Rules(NamedTuple):
    """Under what rules a call is planned.

    Not `strict`, nothing is checked: for a call that was made before, and will not be made again.
    `canvas` is the ratio chosen for the whole run; `drawn_ratios` what the image model supports,
    where the anchor is yet to be made. `lacking` are the services that no server is set for, with
    the variables that would.
    """

    gateway: str
    allow_off: bool = False
    strict: bool = True
    canvas: str | None = None
    drawn_ratios: tuple[str, ...] | None = None
    lacking: Mapping[str, str] = {}

    def model(self, kind: str, given: str | None) -> tuple[Model, tuple[str, ...]]:
        """The model of a kind and what to warn of.

        Raises UsageError for one that is gone, and where there is no server for it.
        """
        if self.strict and (variable := self.lacking.get(models.service_of(kind))):
            raise UsageError(
                f"No server is set for {_MADE_BY[kind]}.",
                f"Set {variable}, or AI_GATEWAY_BASE_URL for all that have no server of their own."
                + _WITHOUT.get(kind, ""),
            )
        off_is_fine = self.allow_off or not self.strict
        model, warnings = limits.choose_model(kind, given, self.gateway, off_is_fine)
        known = model if self.strict or kind == "llm" else models.unchecked(model)
        return known, warnings


def why_not(make: Callable[[], object]) -> str | None:
    """What a plan would be refused for, in words; None where it is fine."""
    try:
        make()
    except UsageError as error:
        return error.message
    return None


def caption(request: CaptionRequest, rules: Rules) -> Call:
    """The chat call of Stage 1. Raises UsageError for an LLM that does not see the references."""
    model, warnings = rules.model("llm", request.model)
    pictures = len(request.references)
    if pictures and rules.strict and model.sees_images is False:
        raise UsageError(
            f"{model.id} sees no pictures, and --reference shows it some.",
            "Choose another model (--list-models llm shows which do).",
        )
    tokens_in, tokens_out = models.REWRITE_TOKENS
    style = styles.resolve_style(request.style, request.prompt)
    ratio = request.aspect_ratio or rules.canvas or limits.DEFAULT_RATIO
    tokens = (tokens_in + pictures * PICTURE_TOKENS, tokens_out)
    return Call(
        "reasoning",
        rules.gateway,
        model,
        request.prompt,
        {"style": style, "aspect_ratio": ratio, **_references(pictures)},
        models.price(model, rules.gateway, tokens=tokens),
        _not_given(
            (request.model, _chosen_model(model, rules.gateway)), (request.style, f"style {style}")
        ),
        warnings,
    )


def motion(prompt: str, given: str | None, rules: Rules) -> Call:
    """The chat call that writes the motion with the anchor in view; `given` names the model."""
    call = chat("motion", prompt, given, rules, MOTION_TOKENS)
    if rules.strict and call.model.sees_images is False:
        raise UsageError(
            f"{call.model.id} sees no pictures, so it cannot write a motion for one.",
            "Choose another model (--list-models llm shows which do).",
        )
    return call


def chat(stage: str, prompt: str, given: str | None, rules: Rules, tokens: tuple[int, int]) -> Call:
    """A chat call that needs no picture; `given` names the model, `tokens` are those in and out."""
    model, warnings = rules.model("llm", given)
    return Call(
        stage,
        rules.gateway,
        model,
        prompt,
        {},
        models.price(model, rules.gateway, tokens=tokens),
        _not_given((given, _chosen_model(model, rules.gateway))),
        warnings,
    )


def anchor(request: AnchorRequest, rules: Rules) -> tuple[Call, ...]:
    """All calls of Stage 2: the anchors, with checks the questions, a check of each, one edit."""
    image = _edit(request, rules) if request.edit else _composition(request, rules)
    wish = request.wish
    paying = wish.select is None  # to use one that exists costs nothing
    calls = [image._replace(times=wish.number)]
    if wish.verifies and paying:
        calls += _checks(request, rules, image)
    if wish.repair and paying:
        calls.append(_repair(image, rules))
    return tuple(sorted(calls, key=lambda call: ANCHOR_STAGES.index(call.stage)))


def _composition(request: AnchorRequest, rules: Rules) -> Call:
    """The image call. The ratio, where none was given, is 16:9 or what the model supports."""
    model, warnings = rules.model("image", request.model)
    sizes = [one.size for one in request.references]
    picture_limits.check_drawn_from(model, sizes, None, rules.gateway)
    given = request.aspect_ratio or rules.canvas
    shape = CHARACTER_SHAPE if request.character else None
    ratio, how = limits.choose_ratio(model, given, shape, rules.gateway)
    style = styles.resolve_style(request.style, request.caption)
    text = anchor_image.image_prompt(
        request.caption,
        style,
        str(ratio),
        bool(request.enhance),
        len(sizes),
        character=bool(request.character),
    )
    limits.check_prompt(model, _characters(text), rules.gateway, "the caption with its style")
    return Call(
        "composition",
        rules.gateway,
        model,
        text,
        {
            "aspect_ratio": ratio,
            "style": style,
            **_references(len(sizes)),
            **_fields(request, rules),
        },
        models.price(model, rules.gateway, pictures=len(sizes)),
        _not_given(
            (request.model, _chosen_model(model, rules.gateway)),
            (request.style, f"style {style}"),
            (given, how),
        ),
        warnings,
    )


def _edit(request: AnchorRequest, rules: Rules) -> Call:
    """The image call that changes a picture; the ratio nearest to it, where none was given."""
    assert request.edit is not None
    model, warnings = rules.model("image", request.model)
    size, sizes = request.edit.size, [one.size for one in request.references]
    picture_limits.check_drawn_from(model, sizes, size or True, rules.gateway)
    given = request.aspect_ratio or rules.canvas
    ratio, how = limits.choose_ratio(model, given, size, rules.gateway)
    if size and ratio and aspect_ratios.difference(size, ratio) > limits.RATIO_TOLERANCE:
        warnings += (
            f"The picture is {size[0]}x{size[1]} px and the edit is requested in {ratio}: the "
            "model may generate more than was there, or less.",
        )
    text = anchor_image.change_prompt(request.caption, len(sizes))
    limits.check_prompt(model, len(text), rules.gateway, "the edit")
    return Call(
        "composition",
        rules.gateway,
        model,
        text,
        {"aspect_ratio": ratio, **_references(len(sizes)), **_fields(request, rules)},
        models.price(model, rules.gateway, pictures=len(sizes) + 1),
        _not_given((request.model, _chosen_model(model, rules.gateway)), (given, how)),
        warnings,
    )


def _checks(request: AnchorRequest, rules: Rules, image: Call) -> list[Call]:
    """The questions, once, and a check of each candidate. Raises UsageError for a blind judge."""
    wish = request.wish
    judge, warnings = rules.model("llm", wish.judge_model)
    if rules.strict and judge.sees_images is False:
        raise UsageError(
            f"{judge.id} sees no pictures, so it cannot check one.",
            "Choose another --judge-model (--list-models llm shows which do).",
        )
    chosen = _not_given((wish.judge_model, _chosen_model(judge, rules.gateway)))

    def call(stage: str, text: str, tokens: tuple[int, int], times: int) -> Call:
        cost = models.price(judge, image.gateway, tokens=tokens)
        return Call(stage, image.gateway, judge, text, {}, cost, chosen, warnings, times=times)

    times = wish.number + bool(wish.repair)
    compared = len(request.references) if checklist.names_references(wish.prompt) else 0
    check_tokens = (CHECK_TOKENS[0] + compared * PICTURE_TOKENS, CHECK_TOKENS[1])
    return [
        call("questions", wish.prompt or request.caption, QUESTIONS_TOKENS, 1),
        call("verification", QUESTIONS_TO_COME, check_tokens, times),
    ]


def _repair(image: Call, rules: Rules) -> Call:
    """One edit of the best candidate. Raises UsageError for a model that edits none."""
    if rules.strict and image.model.edits is False:
        raise UsageError(
            f"{image.model.id} edits no pictures, which --repair asks it to do.",
            "Leave out --repair, or choose another image model (--list-models image).",
        )
    settings = {name: one for name, one in image.settings.items() if name != "reference_pictures"}
    cost = models.price(image.model, image.gateway, pictures=1)
    return image._replace(
        stage="repair", text=FAILED_TO_COME, settings=settings, cost=cost, chosen=(), warnings=()
    )


def measurement(prompt: str, evaluator: str | None, judge: str | None, rules: Rules) -> list[Call]:
    """The chat calls that measure two clips of one prompt: the questions, and two checks of each.

    Unless one is given, the evaluator is another model than the judge that chooses among anchors,
    where one is known. Raises UsageError for a model that sees no pictures.
    """
    other = limits.choose_model("llm", judge, rules.gateway, rules.allow_off)[0]
    model, warnings = rules.model("llm", evaluator or limits.other_eyes(other, rules.gateway))
    if model.sees_images is False:
        raise UsageError(
            f"{model.id} sees no pictures, so it cannot measure a clip.",
            "Choose another --evaluator-model (--list-models llm shows which do).",
        )
    if model.id == other.id and not models.gateway(rules.gateway).free:
        warnings += (
            f"{other.id} both chooses the anchor and measures the clips: its own errors count for "
            "the factorized one. Name another --evaluator-model.",
        )
    chosen = _not_given((evaluator, _chosen_model(model, rules.gateway)))
    return [
        Call(
            "measurement",
            rules.gateway,
            model,
            prompt,
            {"asks": asks},
            models.price(model, rules.gateway, tokens=tokens),
            chosen,
            warnings,
            times=times,
        )
        for asks, tokens, times in (
            ("questions", MEASURE_TOKENS, 1),
            ("first_frame", CHECK_TOKENS, 2),
            ("frames", CLIP_CHECK_TOKENS, 2),
        )
    ]


def clip(request: ClipRequest, rules: Rules, own_anchor_size: Size | None = None) -> Call:
    """The video call of Stage 3, or that of its draft.

    Raises UsageError for what the model does not support, and for a picture that cannot be its
    first frame.
    """
    if request.settings.draft:
        return drafts.clip(
            request,
            rules.gateway,
            lambda one: _clip(one, rules, own_anchor_size),
            strict=rules.strict,
        )
    return _clip(request, rules, own_anchor_size)


def _clip(request: ClipRequest, rules: Rules, own_anchor_size: Size | None) -> Call:
    given, gateway = request.settings, rules.gateway
    model, warnings = rules.model("video", request.model)
    size = request.anchor.size if request.anchor else own_anchor_size
    _check_pictures(request, model, gateway)
    canvas, how_shaped = limits.choose_ratio(
        model, _asked_ratio(given), size, gateway, rules.drawn_ratios
    )
    resolution, how_large = given.resolution, ""
    if rules.strict or resolution is None:
        resolution, how_large = limits.choose_resolution(model, resolution, gateway)
    seconds, how_long = limits.choose_duration(
        model,
        given.duration,
        resolution,
        bool(given.fit_duration),
        gateway,
        last_frame=request.ended_by is not None,
        references=bool(request.references),
    )
    notes = limits.check_audio(model, given.audio, gateway)
    limits.check_seed(model, given.seed, gateway)
    notes += picture_limits.loosely_ended(model, request.ended_by)
    if given.duration is not None and how_long:
        notes += (how_long,)  # --fit-duration let it change what was given
    settings = _clip_settings(request, model, canvas, seconds, resolution)
    if canvas is None and size:
        settings["shape"] = aspect_ratios.nearest(size, limits.COMMON_RATIOS)
    shape = canvas
    fields = engines.fields_of(given.set, gateway, engines.OF_CLIPS)
    if models.gateway(gateway).own_engines:
        settings |= _for_engine(model, settings, fields)
        shape = canvas and engines.ratio_of(settings["size"])
    framing = Framing(shape, given.fit, model.image or ImageLimits())
    if rules.strict:
        notes += _check_frames(request, model, size, framing)
    text = _clip_text(request)
    limits.check_prompt(model, _characters(text), gateway, "prompt and motion")
    settings |= _sound_settings(model, given.audio, gateway)
    chosen = (
        how_shaped,
        *_not_given((request.model, _chosen_model(model, gateway))),
        how_large,
        how_long if given.duration is None else "",
        *_not_given((given.prompt_strategy, f"prompt strategy {strategies.DEFAULT_STRATEGY}")),
    )
    return Call(
        "direct" if request.direct else "synthesis",
        gateway,
        model,
        text,
        settings,
        _price(model, gateway, settings, request),
        tuple(filter(None, chosen)),
        (*warnings, *notes),
        framing,
    )


def _price(model: Model, gateway: str, settings: dict[str, Any], request: ClipRequest) -> Cost:
    """Of a clip with these settings, and of the pictures that it is made from."""
    references = len(request.references)
    return models.price(
        model,
        gateway,
        seconds=settings["duration_s"],
        resolution=settings["resolution"],
        audio=model.audio != "never" and settings.get("audio_switch") is not False,
        pictures=(not request.direct) + (request.ended_by is not None) + references,
        references=references,
    )


def _asked_ratio(given: ClipSettings) -> str | None:
    """The ratio that was given, also by a resolution in pixels.

    Raises UsageError where the two do not go together.
    """
    size = engines.typed_size(given.resolution)
    if size is None:
        return given.aspect_ratio
    ratio = given.aspect_ratio or aspect_ratios.nearest(size, limits.COMMON_RATIOS)
    if aspect_ratios.difference(size, ratio) > engines.SHAPE_TOLERANCE:
        hint = "Leave one of the two out." if given.aspect_ratio else "Add its --aspect-ratio."
        raise UsageError(f"--resolution {given.resolution} is not {ratio}.", hint)
    return ratio


def _sound_settings(model: Model, wanted: bool | None, gateway: str) -> dict[str, Any]:
    """How the call says whether sound is wanted, or that it is removed from what comes."""
    switch = limits.says_audio(model, wanted, gateway)
    if switch is not None:
        return {"audio_switch": switch}
    return {"audio": "removed here"} if wanted is False else {}


def _for_engine(model: Model, settings: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    """What an engine of one's own is sent besides: the size in pixels, and fields of its own."""
    shape = settings["canvas"] or settings.get("shape") or limits.DEFAULT_RATIO
    wide, high = engines.size_of(model, settings["resolution"], shape)
    fields = engines.frames_of(model, settings["duration_s"], given.get("fps")) | given
    return {"size": f"{wide}x{high}", **({"fields": fields} if fields else {})}


def _check_pictures(request: ClipRequest, model: Model, gateway: str) -> None:
    """Raise UsageError where the model does not support the pictures that there are, or none."""
    if request.direct:
        limits.check_text_to_video(model, gateway)
        if request.references:
            picture_limits.check_references(model, len(request.references), gateway)
    elif model.first_frame is False:
        raise UsageError(
            f"{model.id} does not support a first frame.", "Choose another --video-model."
        )
    picture_limits.check_last_frame(model, request.ended_by, gateway)


def _check_frames(
    request: ClipRequest, model: Model, size: Size | None, framing: Framing
) -> tuple[str, ...]:
    """What to warn of the pictures' sizes. Raises UsageError for one that cannot be a frame."""
    notes = picture_limits.check_frame(model, size, framing) if size else ()
    if request.last_frame and request.last_frame.size:
        notes += picture_limits.check_last_size(model, request.last_frame.size, size, framing)
    return notes


def _clip_text(request: ClipRequest) -> str:
    strategy = request.settings.prompt_strategy or strategies.DEFAULT_STRATEGY
    try:
        return strategies.video_prompt(strategy, request.prompt, request.motion, request.direct)
    except ValueError:
        raise UsageError(
            "--prompt-strategy motion-only sends the video model the motion alone, and --motion "
            "is missing.",
            'Give --motion "what moves, and how" (or --motion-file FILE), or another strategy.',
        ) from None


def _clip_settings(
    request: ClipRequest, model: Model, canvas: str | None, seconds: int, resolution: str
) -> dict[str, Any]:
    """What is sent beside the text, by name."""
    given = request.settings
    settings: dict[str, Any] = {
        "duration_s": seconds,
        # Without a picture there is nothing to adapt to or to follow.
        "aspect_ratio": canvas if request.direct else _sent_ratio(model, canvas),
        "canvas": canvas,
        "resolution": resolution,
        "audio": {None: "as the model makes it", True: "wanted", False: "none"}[given.audio],
        "prompt_strategy": given.prompt_strategy or strategies.DEFAULT_STRATEGY,
    }
    if given.seed is not None:
        settings["seed"] = given.seed
    if request.ended_by:
        settings["last_frame"] = "the first frame" if given.loop else "given"
    return settings | _references(len(request.references))


def _fields(request: AnchorRequest, rules: Rules) -> dict[str, Any]:
    """As a setting, the fields for the server; nothing where there are none."""
    fields = engines.fields_of(request.set, rules.gateway, engines.OF_IMAGES)
    return {"fields": fields} if fields else {}


def _references(count: int) -> dict[str, int]:
    """As a setting, how many reference pictures there are; nothing where there are none."""
    return {"reference_pictures": count} if count else {}


def _not_given(*settings: tuple[object, str]) -> tuple[str, ...]:
    """Of pairs of what was given and the words for what was chosen: the words where it was not."""
    return tuple(words for given, words in settings if given is None and words)


def _chosen_model(model: Model, gateway: str) -> str:
    """Which model was chosen where none was named, and which gave way to it."""
    gone = models.passed_over(model, gateway)
    return f"model {model.id}" + (f" ({gone} is gone there)" if gone else "")


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
