"""The plan: what would be sent to whom, what it would cost, and what a clip is held against."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from factorized_video import models, money
from factorized_video.cli.dry_run_text import plan_text
from factorized_video.errors import OverBudget, UsageError
from factorized_video.money import Cost
from factorized_video.prompts import anchor_image, strategies, styles
from factorized_video.receipts.cap import Cap, Spent
from factorized_video.stages import delivery
from factorized_video.stages.calls import Call, Plan
from factorized_video.stages.plan import CAPTION_CHARACTERS, CAPTION_TO_COME, MOTION_TO_COME
from plans import MOTION, PROMPT, composition, pipeline, reasoning, synthesis

VEO = "google/veo-3.1-generate-preview"
VEO_FAST = "google/veo-3.1-fast-generate-preview"
SEEDANCE = "byteplus/dreamina-seedance-2-0"  # 4,000 characters
SEEDANCE_1 = "byteplus/seedance-1-0-pro"  # silent
SEEDANCE_25 = "bytedance/seedance-2.5"  # its ratio must be "adaptive"
WAN = "alibaba/wan-v2.7-i2v"  # follows the picture
H3 = "minimax/minimax-h3"
DRAWER = "google/gemini-3-pro-image-preview"
SEEDREAM = "bytedance/seedream-5.0-pro"  # 4,000 characters
UNPRICED = "byteplus/seedream-4-5"
SORA = "openai/sora-2"
OWN = "made-up/model"
STAGES = ["reasoning", "composition", "synthesis"]


def stages(planned: Plan) -> list[str]:
    return [call.stage for call in planned.calls]


# -- the settings of a clip -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("model", "typed", "settings"),
    [
        (None, {}, (6, "16:9", "16:9", "720p")),
        (VEO, {"picture_size": (1376, 768)}, (6, "16:9", "16:9", "720p")),
        (VEO, {"picture_size": (1080, 1920)}, (6, "9:16", "9:16", "720p")),
        (VEO, {"resolution": "1080p"}, (8, "16:9", "16:9", "1080p")),
        (
            VEO,
            {"duration": 8, "ratio": "9:16", "resolution": "1080p"},
            (8, "9:16", "9:16", "1080p"),
        ),
        (VEO, {"duration": 7, "fit_duration": True}, (6, "16:9", "16:9", "720p")),
        (SEEDANCE, {"picture_size": (1000, 1000)}, (6, "1:1", "1:1", "720p")),
        (SEEDANCE, {"duration": 15, "ratio": "21:9"}, (15, "21:9", "21:9", "720p")),
        (H3, {"gateway": "demo"}, (6, "adaptive", "16:9", "768p")),
        (OWN, {"duration": 37, "ratio": "5:1"}, (37, "5:1", "5:1", "720p")),
        (OWN, {"picture_size": (1500, 1000)}, (6, "3:2", "3:2", "720p")),
        (SORA, {"allow_off": True}, (4, "16:9", "16:9", "720p")),
        # How the ratio is said beside a first frame; the canvas is what the picture is cut to.
        (SEEDANCE_25, {}, (6, "adaptive", "16:9", "720p")),
        (SEEDANCE_25, {"ratio": "1:1"}, (6, "adaptive", "1:1", "720p")),
        (SEEDANCE_25, {"picture_size": (1000, 1500)}, (6, "adaptive", "2:3", "720p")),
        (WAN, {}, (6, None, "16:9", "720p")),
        (WAN, {"ratio": "9:16"}, (6, None, "9:16", "720p")),
        (WAN, {"picture_size": (1000, 1500)}, (6, None, None, "720p")),
    ],
)
def test_a_clip_is_asked_for_as_typed_or_as_the_model_takes_it(
    model: str | None, typed: dict[str, Any], settings: tuple[int, str | None, str | None, str]
) -> None:
    sent = synthesis(model, **typed).settings
    assert (sent["duration_s"], sent["aspect_ratio"], sent["canvas"], sent["resolution"]) == (
        settings
    )


@pytest.mark.parametrize(
    ("typed", "chosen"),
    [
        ({}, ["aspect ratio 16:9", "720p", "6 s"]),
        ({"ratio": "9:16"}, ["720p", "6 s"]),
        ({"duration": 8}, ["aspect ratio 16:9", "720p"]),
        ({"resolution": "1080p"}, ["aspect ratio 16:9", "8 s, the nearest to 6 at 1080p"]),
        ({"ratio": "9:16", "duration": 8, "resolution": "720p"}, []),
        ({"ratio": "9:16", "resolution": "720p", "duration": 5, "fit_duration": True}, []),
        (
            {"duration": 8, "resolution": "720p", "picture_size": (1920, 1080)},
            ["aspect ratio 16:9, nearest to the picture"],
        ),
    ],
)
def test_what_nobody_typed_is_said_and_what_was_typed_is_not(
    typed: dict[str, Any], chosen: list[str]
) -> None:
    assert list(synthesis(VEO, **typed).chosen) == chosen


@pytest.mark.parametrize(
    ("audio", "words"), [(None, "as the model makes it"), (True, "wanted"), (False, "removed here")]
)
def test_the_wish_for_sound_stands_in_the_settings(audio: bool | None, words: str) -> None:
    assert synthesis(VEO, audio=audio).settings["audio"] == words


@pytest.mark.parametrize(
    ("model", "typed", "message"),
    [
        (VEO, {"duration": 5}, "4, 6 and 8 seconds, not 5"),
        (VEO, {"ratio": "1:1"}, "16:9 and 9:16, not 1:1"),
        (VEO, {"resolution": "480p"}, "720p and 1080p only, not 480p"),
        (VEO, {"duration": 6, "resolution": "1080p"}, "8 seconds at 1080p, not 6"),
        (SEEDANCE_1, {"audio": True}, "silent clips only"),
        (H3, {}, "makes 768p and 2k; happycapy accepts 720p and 1080p only"),
        (SORA, {}, "openai/sora-2 is gone"),
        (DRAWER, {}, "is a model for images, not for video"),
        # The picture: cut off unasked, too small, of another shape than it takes.
        (VEO, {"picture_size": (1000, 1000)}, "as 16:9 it would lose 44%"),
        (SEEDANCE_25, {"picture_size": (200, 200)}, "300 px a side or more; this one has 200x200"),
        (SEEDANCE_25, {"picture_size": (4000, 1000), "fit": "none"}, "this one's is 4.00"),
        # The text, with the motion that is yet to be written reckoned at 600 characters.
        (SEEDANCE, {"prompt": "x" * 4000, "strategy": "original", "motion": "x"}, None),
        (SEEDANCE, {"prompt": "x" * 4001, "strategy": "original"}, "prompt and motion has 4,001"),
        (SEEDANCE, {"prompt": "x" * 3398, "motion": MOTION_TO_COME}, None),
        (SEEDANCE, {"prompt": "x" * 3399, "motion": MOTION_TO_COME}, "has 4,001"),
        (SEEDANCE, {"prompt": "x" * 3990, "motion": "y" * 9}, "has 4,001"),
        (WAN, {"prompt": "x" * 5000}, "silently cuts off the rest"),
        (VEO, {"prompt": "x" * 20_000}, None),
    ],
)
def test_what_the_model_does_not_take_is_refused_before_anything_is_sent(
    model: str, typed: dict[str, Any], message: str | None
) -> None:
    if message is None:
        assert synthesis(model, **typed).model.id == model
        return
    with pytest.raises(UsageError) as caught:
        synthesis(model, **typed)
    assert message in caught.value.message
    assert caught.value.hint


@pytest.mark.parametrize(
    ("typed", "warnings"),
    [
        ({"picture_size": (1000, 1000), "fit": "crop"}, []),
        ({"picture_size": (1000, 1000), "fit": "pad"}, []),
        ({"picture_size": (1000, 1000), "fit": "none"}, ["1000x1000 px, not 16:9"]),
        ({"audio": False}, ["--no-audio"]),
        (
            {"picture_size": (1000, 1000), "fit": "none", "audio": False},
            ["--no-audio", "1000x1000 px, not 16:9"],
        ),
    ],
)
def test_what_is_taken_all_the_same_is_a_warning(
    typed: dict[str, Any], warnings: list[str]
) -> None:
    call = synthesis(SEEDANCE, ratio="16:9", **typed)
    assert len(call.warnings) == len(warnings)
    assert all(words in said for words, said in zip(warnings, call.warnings, strict=True))
    assert (call.framing.ratio, call.framing.fit) == ("16:9", typed.get("fit"))


def test_the_framing_has_the_models_limits() -> None:
    assert synthesis(SEEDANCE_25).framing.limits.side_min == 300
    assert synthesis(VEO).framing.limits == models.ImageLimits()


def test_a_model_that_sources_disagree_about_is_warned_of(edit_model: Callable[..., None]) -> None:
    edit_model(SEEDANCE, disputed="one says that it is gone, another that it is served")
    assert synthesis(SEEDANCE).warnings == (
        f"{SEEDANCE} may be gone: one says that it is gone, another that it is served.",
    )


def test_a_model_without_a_first_frame_is_refused(edit_model: Callable[..., None]) -> None:
    edit_model(SEEDANCE, first_frame=False)
    with pytest.raises(UsageError, match="does not support a first frame") as caught:
        synthesis(SEEDANCE)
    assert "--video-model" in caught.value.hint
    assert synthesis(SEEDANCE, strict=False).model.id == SEEDANCE


@pytest.mark.parametrize("motion", [None, ""])
def test_motion_only_without_a_motion_names_the_flag(motion: str | None) -> None:
    with pytest.raises(UsageError, match="--motion is missing") as caught:
        synthesis(motion=motion, strategy="motion-only")
    assert "--motion-file" in caught.value.hint


# -- what was made before is not checked ----------------------------------------------------------


@pytest.mark.parametrize(
    ("model", "typed"),
    [
        (VEO, {"duration": 5, "ratio": "1:1"}),
        (VEO, {"duration": 6, "resolution": "1080p"}),
        (VEO, {"picture_size": (1000, 1000)}),
        (VEO, {"picture_size": (1000, 1000), "ratio": "16:9"}),
        (SEEDANCE_25, {"picture_size": (100, 100)}),
        (SEEDANCE_1, {"audio": True}),
        (SEEDANCE, {"prompt": "x" * 9000}),
        (SORA, {"duration": 6}),
        pytest.param(VEO, {"resolution": "4k"}),
    ],
)
def test_a_clip_that_was_submitted_is_planned_as_typed_whatever_models_take_today(
    model: str, typed: dict[str, Any]
) -> None:
    with pytest.raises(UsageError):
        synthesis(model, **typed)
    call = synthesis(model, **typed, strict=False)
    assert call.model.id == model
    for name, key in (("duration", "duration_s"), ("ratio", "canvas"), ("resolution",) * 2):
        if name in typed:
            assert call.settings[key] == typed[name]


@pytest.mark.parametrize(
    ("model", "typed"),
    [
        (DRAWER, {"ratio": "7:1"}),
        (SEEDREAM, {"caption": "x" * 9000}),
        ("imagen-4.0-generate-001", {}),
    ],
)
def test_an_anchor_that_was_made_is_planned_as_typed_too(model: str, typed: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        composition(model, **typed)
    assert composition(model, **typed, strict=False).model.id == model


@pytest.mark.parametrize(
    "typed",
    [
        {"duration": 5, "aspect_ratio": "7:1"},
        {"video_model": SORA},
        {"image_model": "imagen-4.0-generate-001"},
        {"video_model": SEEDANCE, "prompt": "x" * 9000},
    ],
)
def test_a_pipeline_that_is_done_is_planned_whatever_models_take_today(
    typed: dict[str, Any],
) -> None:
    with pytest.raises(UsageError):
        pipeline(**typed)
    assert stages(pipeline(**typed, made=tuple(STAGES))) == STAGES


def test_a_pipeline_that_is_done_is_planned_though_its_llm_is_off(
    edit_model: Callable[..., None],
) -> None:
    retired = "google/gemini-3-pro-preview"
    edit_model(retired, status="off")  # as it will be one day
    assert stages(pipeline(llm_model=retired, made=tuple(STAGES))) == STAGES


# -- what the model is told -----------------------------------------------------------------------


def test_the_texts_are_those_of_the_prompts_module() -> None:
    assert reasoning().text == PROMPT
    assert composition(caption="A cat.", enhance=True).text == anchor_image.image_prompt(
        "A cat.", "anime", "16:9", True
    )
    assert synthesis().text == f"{PROMPT}\n\n{MOTION}"
    assert synthesis(strategy="original").text == PROMPT
    assert synthesis(strategy="motion-only").text == MOTION


@pytest.mark.parametrize(
    ("caption", "message"),
    [
        ("x" * 3000, None),
        (CAPTION_TO_COME, None),
        (CAPTION_TO_COME + "x" * 3000, "the caption with its style has 4,"),
        ("x" * 4000, "the caption with its style has 4,"),
    ],
)
def test_the_caption_with_its_style_must_fit_the_image_model(
    caption: str, message: str | None
) -> None:
    if message is None:
        assert composition(SEEDREAM, caption=caption).text.startswith(caption)
        return
    with pytest.raises(UsageError) as caught:
        composition(SEEDREAM, caption=caption)
    assert message in caught.value.message


def test_a_caption_to_come_is_reckoned_at_what_the_system_prompt_lets_it_have() -> None:
    # Where the text has room for 1,200 characters and no more, the plan says so beforehand.
    style = "x" * 3000
    rest = len(anchor_image.image_prompt("", style, "16:9"))
    fits = "x" * (3000 - (rest + CAPTION_CHARACTERS - 4000))
    composition(SEEDREAM, caption=CAPTION_TO_COME, style=fits)
    with pytest.raises(UsageError, match="has 4,001"):
        composition(SEEDREAM, caption=CAPTION_TO_COME, style=fits + "x")


# -- the status of a model ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "status", "warnings"),
    [
        (synthesis(SEEDANCE), "live", []),
        (synthesis(VEO), "upstream-retired", ["2026-10-22"]),
        (synthesis("veo-3.1-generate-preview"), "upstream-retired", ["is called", "2026-10-22"]),
        (synthesis(SORA, allow_off=True), "off", []),
        (synthesis(OWN), "unlisted", ["not in this tool's model list"]),
        (synthesis(gateway="demo"), "live", []),
        (composition(), "upstream-retired", ["2026-06-25"]),
        (composition(OWN), "unlisted", ["not in this tool's model list"]),
        (reasoning(), "live", []),
        (reasoning("google/gemini-3-pro-preview"), "upstream-retired", ["2026-03-09"]),
    ],
)
def test_a_call_tells_the_status_of_its_model(call: Call, status: str, warnings: list[str]) -> None:
    assert call.status == call.as_json()["status"] == status
    text = plan_text(Plan((call,)).as_json())
    told = re.findall(r"^  .*?\bstatus ([\w-]+)$", text, re.M)
    assert told == ([] if status == "live" else [status])
    assert len(call.warnings) == len(warnings)
    assert all(words in said for words, said in zip(warnings, call.warnings, strict=True))


# -- what is legal --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (reasoning(), {"prompt_characters": None}),
        (
            composition("byteplus/seedream-4-5"),
            {
                "prompt_characters": None,
                "aspect_ratios": ("1:1", "2:3", "3:2", "3:4", "4:3", "9:16", "16:9", "21:9"),
            },
        ),
        (composition(OWN), {"prompt_characters": None, "aspect_ratios": None}),
        (
            synthesis(SEEDANCE_1),
            {
                "prompt_characters": None,
                "aspect_ratios": ("16:9", "4:3", "1:1", "3:4", "9:16", "21:9"),
                "durations_s": tuple(range(2, 13)),
                "resolutions": ("720p", "1080p"),
                "audio": "never",
                "last_frame": True,
            },
        ),
        (
            synthesis(SEEDANCE_25, gateway="demo"),
            {
                "prompt_characters": 15_000,
                "aspect_ratios": None,
                "durations_s": tuple(range(4, 31)),
                "resolutions": ("480p", "720p", "1080p"),
                "audio": "switch",
                "last_frame": True,
            },
        ),
        (
            synthesis(OWN),
            {
                "prompt_characters": None,
                "aspect_ratios": None,
                "durations_s": None,
                "resolutions": ("720p", "1080p"),
                "audio": None,
                "last_frame": None,
            },
        ),
        (
            synthesis(OWN, gateway="demo"),
            {
                "prompt_characters": None,
                "aspect_ratios": None,
                "durations_s": None,
                "resolutions": None,
                "audio": None,
                "last_frame": None,
            },
        ),
    ],
)
def test_a_call_tells_what_its_model_takes_and_what_nobody_knows(
    call: Call, told: dict[str, Any]
) -> None:
    assert call.legal == told


@pytest.mark.parametrize(("resolution", "durations"), [("720p", (4, 6, 8)), ("1080p", (8,))])
def test_the_legal_durations_are_those_at_the_resolution(
    resolution: str, durations: tuple[int, ...]
) -> None:
    assert synthesis(VEO, resolution=resolution).legal["durations_s"] == durations


AT_HAPPYCAPY = models.at("video", "happycapy")


@pytest.mark.parametrize("model", AT_HAPPYCAPY)
def test_each_resolution_that_a_plan_calls_legal_can_be_typed(model: str) -> None:
    for resolution in synthesis(model).legal["resolutions"] or ():
        assert synthesis(model, resolution=resolution).settings["resolution"] == resolution


@pytest.mark.parametrize("model", AT_HAPPYCAPY)
def test_each_duration_and_ratio_that_a_plan_calls_legal_can_be_typed(model: str) -> None:
    told = synthesis(model).legal
    for seconds in told["durations_s"] or ():
        assert synthesis(model, duration=seconds).settings["duration_s"] == seconds
    for ratio in told["aspect_ratios"] or ():
        assert synthesis(model, ratio=ratio).settings["aspect_ratio"] == ratio


# -- money ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "amount", "kind"),
    [
        (synthesis(VEO, duration=8), 3.2, "estimated"),
        (synthesis(VEO), 2.4, "estimated"),
        (synthesis(VEO_FAST, resolution="1080p"), 0.96, "estimated"),
        (synthesis(VEO, duration=7, fit_duration=True), 2.4, "estimated"),  # what is sent counts
        # Silence is made here, from a clip that was paid for with its sound.
        (synthesis(VEO, audio=False), 2.4, "estimated"),
        (synthesis("google/veo-3.1-generate-001", audio=False), 2.4, "estimated"),
        (synthesis(SEEDANCE, duration=5), 0.9, "estimated"),
        (synthesis(SEEDANCE, resolution="1080p"), None, "unknown"),
        (synthesis(SEEDANCE_1), None, "unknown"),
        (synthesis(OWN), None, "unknown"),
        (synthesis(gateway="demo"), 0.0, "listed"),
        (composition(), 0.134, "estimated"),
        (composition(UNPRICED), None, "unknown"),
        (reasoning(), 0.012, "estimated"),
        (reasoning(OWN), None, "unknown"),
    ],
)
def test_a_call_is_priced_by_what_would_be_sent(
    call: Call, amount: float | None, kind: str
) -> None:
    assert call.cost.amount == pytest.approx(amount)
    assert call.cost.kind == kind


def test_a_planned_cost_tells_its_basis_its_date_and_its_source() -> None:
    told = synthesis(VEO, duration=8).as_json()["cost"]
    assert isinstance(told, dict)
    assert (told["amount"], told["currency"], told["kind"]) == (3.2, "USD", "estimated")
    assert told["basis"].startswith("8 s at USD 0.40 a second")
    assert told["as_of"] == models.pick("video", VEO, "happycapy").prices[0]["as_of"]
    assert told["source"].startswith("a price page")
    assert told["source"] in told["basis"]
    assert synthesis(OWN).as_json()["cost"] == {
        "amount": None,
        "currency": "USD",
        "kind": "unknown",
        "basis": "no published price is known for this model",
        "as_of": None,
        "source": None,
    }


@pytest.mark.parametrize(
    ("cost", "shown"),
    [
        (Cost(2.4, "estimated"), "USD 2.40 (estimated)"),
        (Cost(0.1, "estimated"), "USD 0.10 (estimated)"),
        (Cost(0.012, "estimated"), "USD 0.0120 (estimated)"),
        (Cost(0.0, "listed"), "USD 0.00 (listed)"),
        (Cost(None, "unknown"), "unknown"),
    ],
)
def test_money_is_shown_with_its_kind(cost: Cost, shown: str) -> None:
    assert money.shown(cost) == shown


def test_a_plan_costs_what_its_calls_cost() -> None:
    assert pipeline().cost == Cost(2.546, "estimated")  # 0.012 + 0.134 + 6 x 0.40
    assert pipeline(image_model=UNPRICED).cost == Cost(None, "unknown")
    assert pipeline(gateway="demo").cost == Cost(0.0, "listed")
    assert Plan(()).cost == Cost(0.0, "actual")


@pytest.mark.parametrize(
    ("planned", "cap", "spent"),
    [
        (pipeline(), None, Spent()),
        (pipeline(), Cap(2.546, "--max-cost"), Spent()),
        (pipeline(), Cap(3.0, "--max-cost"), Spent(0.454)),
        (pipeline().without(STAGES), Cap(1.0, "--max-cost"), Spent(2.546)),
        (pipeline(gateway="demo"), Cap(0.0, "--max-cost"), Spent()),
    ],
)
def test_a_plan_within_its_cap_is_shown(planned: Plan, cap: Cap | None, spent: Spent) -> None:
    whole = planned._replace(cap=cap, spent=spent)
    assert whole.shown(allow_unknown=False) == whole.as_json()


@pytest.mark.parametrize(
    ("planned", "cap", "spent", "words"),
    [
        (pipeline(), Cap(2.5, "--max-cost"), Spent(), "USD 2.55 (estimated)"),
        (pipeline(), Cap(3.0, "--max-cost"), Spent(0.5), "on top of the USD 0.50"),
        (pipeline(image_model=UNPRICED), Cap(99, "--max-cost"), Spent(), "is unknown"),
        (pipeline(), Cap(99, "--max-cost"), Spent(0, 1), "is unknown"),
    ],
)
def test_over_the_cap_the_error_carries_the_plan(
    planned: Plan, cap: Cap, spent: Spent, words: str
) -> None:
    whole = planned._replace(cap=cap, spent=spent)
    with pytest.raises(OverBudget) as caught:
        whole.shown(allow_unknown=False)
    assert words in caught.value.message
    still = {"still_to_pay": whole.cost.as_json()}
    assert caught.value.result == {**whole.as_json(), **still, "status": "failed"}
    assert caught.value.charged is None  # nothing was to be sent


def test_with_leave_an_unknown_cost_is_shown() -> None:
    whole = pipeline(image_model=UNPRICED)._replace(cap=Cap(99, "--max-cost"))
    assert whole.shown(allow_unknown=True)["status"] == "planned"


def test_with_leave_for_what_is_unknown_the_known_parts_still_count() -> None:
    whole = pipeline(image_model=UNPRICED)._replace(cap=Cap(1.0, "--max-cost"))
    with pytest.raises(OverBudget):  # the clip alone is USD 2.40
        whole.shown(allow_unknown=True)


# -- the three stages as one plan -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "called", "skipped"),
    [
        ({}, STAGES, []),
        ({"skip_reasoning": True}, STAGES[1:], ["Stage 1 reasoning (--skip-reasoning)"]),
        (
            {"own_anchor": True},
            ["synthesis"],
            [
                "Stage 1 reasoning (your own anchor needs no caption)",
                "Stage 2 composition (your own anchor)",
            ],
        ),
        (
            {"own_anchor": True, "strategy": "motion-only"},
            ["reasoning", "synthesis"],
            ["Stage 2 composition (your own anchor)"],
        ),
        (
            {"own_anchor": True, "strategy": "motion-only", "motion": MOTION},
            ["synthesis"],
            [
                "Stage 1 reasoning (your own anchor needs no caption)",
                "Stage 2 composition (your own anchor)",
            ],
        ),
        (
            {"stop_after": "caption"},
            ["reasoning"],
            ["Stage 2 composition (--stop-after)", "Stage 3 synthesis (--stop-after)"],
        ),
        ({"stop_after": "anchor"}, STAGES[:2], ["Stage 3 synthesis (--stop-after)"]),
        (
            {"stop_after": "anchor", "skip_reasoning": True},
            ["composition"],
            ["Stage 1 reasoning (--skip-reasoning)", "Stage 3 synthesis (--stop-after)"],
        ),
    ],
)
def test_a_plan_has_the_stages_that_make_a_call_and_says_why_others_make_none(
    typed: dict[str, Any], called: list[str], skipped: list[str]
) -> None:
    planned = pipeline(**typed)
    assert stages(planned) == called
    assert list(planned.skipped) == skipped
    assert [planned.has(stage) for stage in STAGES] == [stage in called for stage in STAGES]
    assert [planned.call(stage).stage for stage in called] == called


@pytest.mark.parametrize(
    ("typed", "anchor_told", "clip_told"),
    [
        ({}, CAPTION_TO_COME, f"{PROMPT}\n\n{MOTION_TO_COME}"),
        ({"motion": MOTION}, CAPTION_TO_COME, f"{PROMPT}\n\n{MOTION}"),
        ({"strategy": "original"}, CAPTION_TO_COME, PROMPT),
        ({"strategy": "motion-only"}, CAPTION_TO_COME, MOTION_TO_COME),
        ({"skip_reasoning": True}, PROMPT, f"{PROMPT}\n\n{strategies.FIRST_FRAME_GIVEN}"),
        ({"own_anchor": True}, None, f"{PROMPT}\n\n{strategies.FIRST_FRAME_GIVEN}"),
        ({"own_anchor": True, "strategy": "motion-only"}, None, MOTION_TO_COME),
    ],
)
def test_what_is_yet_to_be_written_stands_in_the_plan_by_name(
    typed: dict[str, Any], anchor_told: str | None, clip_told: str
) -> None:
    planned = pipeline(**typed)
    assert planned.call("synthesis").text == clip_told
    if anchor_told:
        assert planned.call("composition").text.startswith(anchor_told + "\n")


def test_motion_only_without_anyone_to_write_the_motion_is_refused() -> None:
    with pytest.raises(UsageError, match="--motion is missing"):
        pipeline(strategy="motion-only", skip_reasoning=True)


@pytest.mark.parametrize(
    ("typed", "canvas", "sent"),
    [
        ({}, "16:9", "16:9"),
        ({"aspect_ratio": "9:16"}, "9:16", "9:16"),
        ({"aspect_ratio": "1:1", "video_model": SEEDANCE}, "1:1", "1:1"),
        ({"aspect_ratio": "21:9", "video_model": SEEDANCE_25}, "21:9", "adaptive"),
        ({"aspect_ratio": "9:16", "video_model": WAN}, "9:16", None),
        ({"video_model": WAN}, "16:9", None),
    ],
)
def test_both_stages_draw_on_one_canvas(
    typed: dict[str, Any], canvas: str, sent: str | None
) -> None:
    planned = pipeline(**typed)
    assert planned.call("reasoning").settings["aspect_ratio"] == canvas
    assert planned.call("composition").settings["aspect_ratio"] == canvas
    assert f"{canvas} " in planned.call("composition").text
    video = planned.call("synthesis")
    assert (video.settings["canvas"], video.settings["aspect_ratio"]) == (canvas, sent)
    assert video.framing.ratio == canvas


def test_ones_own_picture_sets_the_canvas_of_what_is_written_for_it() -> None:
    typed: dict[str, Any] = {"own_anchor": True, "strategy": "motion-only"}
    standing = pipeline(**typed, picture_size=(1080, 1920))
    assert standing.call("reasoning").settings["aspect_ratio"] == "9:16"
    assert standing.call("synthesis").settings["canvas"] == "9:16"
    followed = pipeline(**typed, picture_size=(1080, 1920), video_model=WAN)
    assert followed.call("synthesis").settings["canvas"] is None


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        # One typed ratio must be legal for both.
        ({"aspect_ratio": "1:1"}, f"{VEO} supports the aspect ratios 16:9 and 9:16, not 1:1"),
        (
            {"aspect_ratio": "5:4", "video_model": OWN, "image_model": UNPRICED},
            f"{UNPRICED} supports the aspect ratios",
        ),
        (
            {"image_model": SEEDREAM, "prompt": "x" * 3900, "skip_reasoning": True},
            "the caption with its style has 4,",
        ),
        ({"llm_model": VEO}, "is a model for video, not for text"),
        ({"image_model": "imagen-4.0-generate-001"}, "is gone"),
        ({"video_model": SORA}, "is gone"),
        ({"duration": 5}, "4, 6 and 8 seconds, not 5"),
        ({"duration": 5, "stop_after": "caption"}, "not 5"),  # said before the caption is paid for
    ],
)
def test_every_stage_is_checked_before_the_first_is_paid_for(
    typed: dict[str, Any], message: str
) -> None:
    with pytest.raises(UsageError) as caught:
        pipeline(**typed)
    assert message in caught.value.message


def test_a_ratio_that_nobody_typed_is_one_that_both_models_take() -> None:
    planned = pipeline(image_model="openai/gpt-image-1.5", video_model="klingai/kling-v4.0")
    assert planned.call("composition").settings["aspect_ratio"] in ("1:1", "3:2", "2:3")


@pytest.mark.parametrize(
    ("style", "prompt", "chosen"),
    [
        (None, PROMPT, "photorealistic"),
        (None, "a watercolor of a fox", "watercolor"),
        ("anime", "a watercolor of a fox", "anime"),
    ],
)
def test_the_style_is_the_typed_one_or_that_of_the_prompt_in_both_stages(
    style: str | None, prompt: str, chosen: str
) -> None:
    planned = pipeline(style=style, prompt=prompt)
    assert planned.call("reasoning").settings["style"] == chosen
    assert planned.call("composition").settings["style"] == chosen
    assert styles.style_phrase(chosen) in planned.call("composition").text


def test_enhance_and_allow_off_reach_the_stages_that_they_are_for() -> None:
    assert "Craft:" in pipeline(enhance=True).call("composition").text
    assert "Craft:" not in pipeline().call("composition").text
    off = pipeline(allow_off=True, video_model=SORA, image_model="imagen-4.0-generate-001")
    assert off.call("synthesis").model.id == SORA
    assert off.call("composition").model.id == "imagen-4.0-generate-001"


@pytest.mark.parametrize(
    ("made", "left", "amount"),
    [
        ([], STAGES, 2.546),
        (["reasoning"], STAGES[1:], 2.534),
        (["reasoning", "composition"], ["synthesis"], 2.4),
        (["composition"], ["reasoning", "synthesis"], 2.412),
        (STAGES, [], 0.0),
    ],
)
def test_a_plan_without_what_is_made_has_the_rest_and_its_cost(
    made: list[str], left: list[str], amount: float
) -> None:
    before = pipeline()._replace(spent=Spent(1.0), cap=Cap(5, "--max-cost"), skipped=("more",))
    after = before.without(made)
    assert stages(after) == left
    assert after.cost.amount == pytest.approx(amount)
    assert len(after.skipped) == len(made) + 1
    assert all("already made" in said for said in after.skipped[:-1])
    assert [said.split()[2] for said in after.skipped[:-1]] == made
    assert (after.spent, after.cap, after.skipped[-1]) == (Spent(1.0), before.cap, "more")
    assert stages(before) == STAGES


# -- what --dry-run prints ------------------------------------------------------------------------


def test_the_dry_run_shows_each_call_with_its_price_and_the_total() -> None:
    lines = plan_text(pipeline().as_json()).splitlines()
    priced = {re.sub(r"  +", "  ", line) for line in lines}
    assert priced >= {
        "Stage 1 reasoning: anthropic/claude-sonnet-4.6  USD 0.01",
        f"Stage 2 composition: {DRAWER}  USD 0.14",  # 0.134: the parts add up as they are shown
        f"Stage 3 synthesis: {VEO}  USD 2.40",
        "  6 s, 720p, 16:9, with sound, status upstream-retired",
        "total: USD 2.55 (estimated); nothing was sent",
    }
    assert lines[-1].startswith("total: ")
    assert not any(line.startswith(("spent before", "limit:")) for line in lines)


def test_the_dry_run_tells_unknown_prices_skips_and_what_was_spent() -> None:
    planned = pipeline(
        image_model=UNPRICED, video_model=SEEDANCE, skip_reasoning=True, stop_after="anchor"
    )
    spent = planned._replace(spent=Spent(1.25, 2), cap=Cap(5, "--max-cost"))
    lines = plan_text(spent.as_json()).splitlines()
    assert any(re.fullmatch(rf"Stage 2 composition: {UNPRICED} +unknown", one) for one in lines)
    for line in (
        "left out: Stage 1 reasoning (--skip-reasoning); Stage 3 synthesis",
        "spent before for this output: USD 1.25, and 2 calls of unknown cost",
        "limit: USD 5.00 (--max-cost)",
        "total: unknown; nothing was sent",
    ):
        assert line in lines
    known = plan_text(planned._replace(spent=Spent(1.25)).as_json())
    assert "spent before for this output: USD 1.25\n" in known
    unknown = plan_text(planned._replace(spent=Spent(0.0, 3)).as_json())
    assert "spent before for this output: USD 0.00, and 3 calls of unknown cost\n" in unknown


def test_the_dry_run_as_json_has_the_whole_of_each_call_and_can_be_written() -> None:
    planned = pipeline()._replace(
        spent=Spent(0.5, 1), cap=Cap(5, "--max-cost"), gateway="happycapy", why="the default"
    )
    data = json.loads(json.dumps(planned.as_json()))
    assert data["status"] == "planned"
    assert (data["gateway"], data["gateway_why"]) == ("happycapy", "the default")
    assert data["gateway_cannot"] == list(models.gateway("happycapy").cannot)
    text = plan_text(data)
    assert text.startswith("gateway: happycapy (the default)\n")
    assert "\nthis gateway cannot cancel a job, " in text
    assert data["cost"] == {"amount": 2.546, "currency": "USD", "kind": "estimated"}
    assert data["spent"] == {"amount": 0.5, "unknown_calls": 1}
    assert (data["max_cost"], data["max_cost_source"]) == (5, "--max-cost")
    assert data["skipped"] == []
    assert [call["stage"] for call in data["stages"]] == STAGES
    for call, told in zip(planned.calls, data["stages"], strict=True):
        assert set(told) == {
            "stage",
            "instead_of",
            "gateway",
            "model",
            "times",
            "status",
            "text",
            "settings",
            "legal",
            "cost",
            "chosen",
        }
        assert told["settings"] == call.settings
        assert told["text"] == call.text
        assert told["chosen"] == list(call.chosen)
    assert data["stages"][2]["legal"]["durations_s"] == [4, 6, 8]
    assert planned.warnings == [*planned.calls[1].warnings, *planned.calls[2].warnings]
    assert len(planned.warnings) == 2


def test_a_plan_of_no_call_costs_nothing_and_names_the_gateway_all_the_same() -> None:
    """None is to be paid for any more, or none was made up yet."""
    data = Plan((), gateway="vercel", why="by its key").as_json()
    assert (data["gateway"], data["gateway_why"], data["stages"]) == ("vercel", "by its key", [])
    assert data["gateway_cannot"] == ["cancel a job"]
    assert plan_text(data).splitlines() == [
        "gateway: vercel (by its key)",
        "this gateway cannot cancel a job",
        "total: USD 0.00 (actual); nothing was sent",
    ]
    data = Plan(()).as_json()
    assert (data["gateway"], data["max_cost"], data["stages"]) == (None, None, [])
    assert (data["gateway_why"], data["gateway_cannot"]) == ("", [])
    assert plan_text(data) == "total: USD 0.00 (actual); nothing was sent"


# -- a clip held against what was requested -------------------------------------------------------


CLIP = {"duration_s": 6.0, "width": 1280, "height": 720, "audio": True}
ASKED = {"duration_s": 6, "canvas": "16:9", "resolution": "720p", "audio": "as the model makes it"}


@pytest.mark.parametrize(
    ("sent", "measured", "said"),
    [
        ({}, {}, []),
        # Length: a quarter of a second is the container's rounding.
        ({}, {"duration_s": 6.25}, []),
        ({}, {"duration_s": 5.75}, []),
        ({}, {"duration_s": 6.3}, ["6.3 s long; 6 s were requested"]),
        ({}, {"duration_s": 4.0}, ["4 s long; 6 s were requested"]),
        # Shape: 3 % is an encoder's blocks.
        ({}, {"width": 1920, "height": 1088}, []),
        ({}, {"width": 1312, "height": 720}, []),
        ({}, {"width": 1360, "height": 720}, ["1360x720 px, which is not 16:9"]),
        ({}, {"width": 720, "height": 1280}, ["720x1280 px, which is not 16:9"]),
        ({"canvas": "9:16"}, {"width": 720, "height": 1280}, []),
        # Size: more than asked for is no loss.
        ({}, {"width": 1920, "height": 1080}, []),
        ({}, {"width": 1248, "height": 704}, []),
        ({}, {"width": 854, "height": 480}, ["854x480 px; 720p was requested"]),
        ({"resolution": "1080p"}, {}, ["1280x720 px; 1080p was requested"]),
        ({"resolution": "4k"}, {"width": 3840, "height": 2160}, []),
        (
            {"canvas": "9:16", "resolution": "1080p"},
            {"width": 720, "height": 1280},
            ["720x1280 px; 1080p was requested"],
        ),
        # Other shapes have other short sides at many models.
        ({"canvas": "21:9"}, {"width": 1470, "height": 630}, []),
        ({"canvas": "1:1"}, {"width": 640, "height": 640}, []),
        ({"canvas": None}, {"width": 640, "height": 640}, ["640x640 px; 720p was requested"]),
        ({"canvas": None}, {"width": 900, "height": 1600}, []),
        # Sound.
        ({"audio": "wanted"}, {}, []),
        ({"audio": "wanted"}, {"audio": False}, ["no sound; it was requested"]),
        ({}, {"audio": False}, []),
        ({"audio": "removed here"}, {"audio": False}, []),
        # All at once, in this order.
        (
            {"audio": "wanted"},
            {"duration_s": 5, "width": 480, "height": 480, "audio": False},
            ["5 s long", "not 16:9", "720p was requested", "no sound"],
        ),
    ],
)
def test_where_a_clip_is_not_what_was_asked_for_is_said(
    sent: dict[str, Any], measured: dict[str, Any], said: list[str]
) -> None:
    found = delivery.differences({**ASKED, **sent}, {**CLIP, **measured})
    assert len(found) == len(said)
    assert all(words in line for words, line in zip(said, found, strict=True))


def test_settings_that_are_absent_match() -> None:
    odd = {"duration_s": 3.3, "width": 123, "height": 77, "audio": False}
    assert delivery.differences({}, odd) == []
    assert delivery.differences(dict.fromkeys(ASKED), odd) == []


def test_a_typed_duration_that_gave_way_by_leave_is_a_warning() -> None:
    call = synthesis(VEO, duration=5, fit_duration=True, resolution="720p", ratio="16:9")
    assert call.chosen == ()
    assert "--fit-duration: 4 s instead of 5" in call.warnings[-1]
