"""The plan: which settings are legal, which are chosen, what it costs; and models.json itself."""

from __future__ import annotations

import datetime
import re

import pytest
from factorized_video import models, plan
from factorized_video.errors import UsageError
from factorized_video.models import Cost, Model
from factorized_video.plan import Call, Plan

VEO = "google/veo-3.1-generate-preview"
SEEDANCE = "byteplus/dreamina-seedance-2-0"
PROMPT = "A cat jumps from a bookshelf to the couch"


def synthesis(
    model: str | None = None,
    *,
    gateway: str = "happycapy",
    motion: str | None = "The cat leaps.",
    strategy: str = "combined",
    duration: int | None = None,
    ratio: str | None = None,
    picture_size: tuple[int, int] | None = None,
    allow_off: bool = False,
) -> Call:
    return plan.synthesis(
        PROMPT,
        motion,
        gateway,
        model=model,
        strategy=strategy,
        duration=duration,
        ratio=ratio,
        picture_size=picture_size,
        allow_off=allow_off,
    )


def composition(model: str | None = None, ratio: str = "16:9", allow_off: bool = False) -> Call:
    return plan.composition(
        "A cat.",
        "happycapy",
        model=model,
        style="anime",
        ratio=ratio,
        enhance=False,
        allow_off=allow_off,
    )


# -- settings: typed ones stand, others are chosen ------------------------------------------------


@pytest.mark.parametrize(
    ("model", "picture_size", "ratio", "duration"),
    [
        (None, None, "16:9", 6),
        (VEO, (1920, 1080), "16:9", 6),
        (VEO, (1376, 768), "16:9", 6),
        (VEO, (1080, 1920), "9:16", 6),
        (VEO, (1200, 800), "16:9", 6),
        (VEO, (800, 1200), "9:16", 6),
        (SEEDANCE, (1000, 1000), "1:1", 6),
        (SEEDANCE, (1000, 1100), "1:1", 6),
        (SEEDANCE, (2560, 1080), "21:9", 6),
        ("made-up/model", (1500, 1000), "3:2", 6),
        ("made-up/model", None, "16:9", 6),
    ],
)
def test_what_nobody_typed_is_the_nearest_legal_and_is_said(
    model: str | None, picture_size: tuple[int, int] | None, ratio: str, duration: int
) -> None:
    call = synthesis(model, picture_size=picture_size)
    assert (call.settings["aspect_ratio"], call.settings["duration_s"]) == (ratio, duration)
    shown = " / ".join(call.chosen)
    assert ratio in shown
    assert f"{duration} s" in shown
    assert ("nearest to the picture" in shown) is (picture_size is not None)


def test_without_a_typed_duration_the_nearest_of_the_model_is_taken() -> None:
    # sora-2 makes 4, 8 and 12 s: 4 and 8 are as near to 6, the shorter is the cheaper.
    assert synthesis("openai/sora-2", allow_off=True).settings["duration_s"] == 4


@pytest.mark.parametrize(
    ("model", "duration", "ratio", "picture_size"),
    [
        (VEO, 8, "9:16", (1920, 1080)),
        (SEEDANCE, 15, "21:9", (100, 100)),
        ("made-up/model", 37, "5:1", None),
    ],
)
def test_a_typed_setting_is_never_changed_nor_called_chosen(
    model: str, duration: int, ratio: str, picture_size: tuple[int, int] | None
) -> None:
    call = synthesis(model, duration=duration, ratio=ratio, picture_size=picture_size)
    assert (call.settings["aspect_ratio"], call.settings["duration_s"]) == (ratio, duration)
    assert call.chosen == ()


def test_an_illegal_duration_names_the_legal_ones_and_who_takes_it() -> None:
    with pytest.raises(UsageError) as caught:
        synthesis(VEO, duration=5)
    assert "4, 6 and 8 seconds, not 5" in caught.value.message
    assert SEEDANCE in caught.value.hint
    assert "sora" not in caught.value.hint


def test_an_illegal_ratio_names_the_legal_ones_and_who_takes_it() -> None:
    with pytest.raises(UsageError) as illegal:
        synthesis(VEO, ratio="1:1")
    assert "16:9 and 9:16, not 1:1" in illegal.value.message
    assert SEEDANCE in illegal.value.hint
    with pytest.raises(UsageError, match="not 7:1") as caught:
        composition(ratio="7:1")
    assert "No model" in caught.value.hint


def test_motion_only_without_a_motion_names_the_flag() -> None:
    with pytest.raises(UsageError, match="--motion is missing"):
        synthesis(motion=None, strategy="motion-only")


# -- models ---------------------------------------------------------------------------------------


def test_an_unknown_model_passes_with_a_warning_and_an_unknown_price() -> None:
    call = synthesis("made-up/model", duration=6)
    assert call.model.id == "made-up/model"
    assert call.cost.amount is None
    assert call.cost.kind == "unknown"
    assert "made-up/model is not in this tool's model list" in call.warnings[0]


def test_a_model_of_another_kind_is_refused_by_name() -> None:
    with pytest.raises(UsageError, match=r"is a model for video, not for images") as caught:
        composition(VEO)
    assert "google/gemini-3-pro-image-preview" in caught.value.hint


def test_a_model_that_is_off_needs_allow_off() -> None:
    with pytest.raises(UsageError, match="openai/sora-2 is gone") as caught:
        synthesis("openai/sora-2")
    assert "--allow-off" in caught.value.hint
    assert "google/veo-3.1-fast-generate-preview" in caught.value.hint
    assert synthesis("openai/sora-2", allow_off=True).model.id == "openai/sora-2"


def test_a_retired_model_is_used_with_a_warning_that_names_its_replacement() -> None:
    call = synthesis(VEO)
    assert len(call.warnings) == 1
    for word in ("2026-10-22", "Google", "google/veo-3.1-generate-001"):
        assert word in call.warnings[0]
    assert synthesis(SEEDANCE).warnings == ()


# -- money ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "amount", "kind"),
    [
        (synthesis(VEO, duration=8), 3.2, "estimated"),
        (synthesis(SEEDANCE, duration=5), 0.9, "estimated"),
        (composition(), 0.134, "estimated"),
        (composition("byteplus/seedream-4-5"), None, "unknown"),
        (synthesis(gateway="demo"), 0.0, "listed"),
    ],
)
def test_a_call_is_priced_by_its_unit(call: Call, amount: float | None, kind: str) -> None:
    assert call.cost.amount == pytest.approx(amount)
    assert call.cost.kind == kind


def test_the_rewrite_is_priced_by_its_tokens_before_and_after() -> None:
    call = plan.reasoning(PROMPT, "happycapy", model=None, style="anime", ratio="16:9")
    assert call.cost.amount == pytest.approx(0.012)  # 1,500 x 3 + 500 x 15 USD per million
    assert models.price_of_tokens(call.model, 1_000_000, 100_000).amount == pytest.approx(4.5)
    assert models.price_of_tokens(Model("x", "llm", listed=False), 1, 1).kind == "unknown"


@pytest.mark.parametrize(
    ("parts", "amount", "kind"),
    [
        ([], 0.0, "actual"),
        ([Cost(1.0, "actual")], 1.0, "actual"),
        ([Cost(1.0, "actual"), Cost(0.5, "listed")], 1.5, "listed"),
        ([Cost(1.0, "estimated"), Cost(0.5, "listed")], 1.5, "estimated"),
        ([Cost(0.1, "actual"), Cost(0.2, "actual")], 0.3, "actual"),
        ([Cost(1.0, "actual"), Cost(None, "unknown")], None, "unknown"),
    ],
)
def test_a_sum_has_the_weakest_kind_in_it(
    parts: list[Cost], amount: float | None, kind: str
) -> None:
    assert models.total(parts) == Cost(amount, kind)


@pytest.mark.parametrize(
    ("cost", "shown"),
    [
        (Cost(2.4, "estimated"), "USD 2.40 (estimated)"),
        (Cost(0.012, "estimated"), "USD 0.0120 (estimated)"),
        (Cost(0.0, "listed"), "USD 0.00 (listed)"),
        (Cost(None, "unknown"), "unknown"),
    ],
)
def test_money_is_shown_with_its_kind(cost: Cost, shown: str) -> None:
    assert plan.money(cost) == shown


# -- what --dry-run prints ------------------------------------------------------------------------


def test_the_dry_run_tells_calls_texts_choices_skips_and_the_total() -> None:
    calls = (
        plan.reasoning(PROMPT, "happycapy", model=None, style="anime", ratio="16:9"),
        plan.composition(
            plan.CAPTION_TO_COME,
            "happycapy",
            model=None,
            style="anime",
            ratio="16:9",
            enhance=False,
        ),
        synthesis(motion=plan.MOTION_TO_COME),
    )
    whole = Plan(calls, ("nothing at all",))
    text = whole.as_text()
    for part in (
        "Stage 1 reasoning: anthropic/claude-sonnet-4.6 at happycapy",
        "    <caption of Stage 1>",
        "    <motion of Stage 1>",
        "  not typed, chosen: 6 s",
        "  resolution: 720p",
        "skipped: nothing at all",
        "https://platform.claude.com",
    ):
        assert part in text
    # 0.012 + 0.134 + 6 x 0.40
    assert text.endswith("total: USD 2.55 (estimated); nothing was sent")
    data = whole.as_json()
    assert data["status"] == "planned"
    assert data["cost"] == {"amount": 2.546, "currency": "USD", "kind": "estimated"}
    assert whole.warnings == [*calls[1].warnings, *calls[2].warnings]
    assert whole.has("synthesis")
    assert not Plan(calls[:1]).has("synthesis")
    assert Plan(()).as_json()["gateway"] is None


# -- models.json ----------------------------------------------------------------------------------

ROWS = models.rows()


def test_every_default_is_listed_under_its_kind_and_can_be_had() -> None:
    defaults = models.registry()["defaults"]
    assert isinstance(defaults, dict)
    assert set(defaults) == {"happycapy", "demo"}
    for gateway, by_kind in defaults.items():
        assert set(by_kind) == {"llm", "image", "video"}
        for kind, wanted in by_kind.items():
            model = models.pick(kind, None, gateway)
            assert model.id == wanted
            assert model.listed
            assert model.off is None


def test_ids_are_unique() -> None:
    ids = [row.id for row in ROWS]
    assert sorted(set(ids)) == sorted(ids)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
def test_a_models_row_is_sound(row: Model) -> None:
    assert row.kind in {"llm", "image", "video"}
    assert row.best_for.strip()
    if row.price is not None:
        assert row.price["unit"] in {"1M tokens", "image", "second", "call"}
        amounts = [row.price[key] for key in ("amount", "input", "output") if key in row.price]
        assert amounts
        assert all(isinstance(amount, float) and amount >= 0 for amount in amounts)
        assert str(row.price.get("source", "")).strip()
        is_date(row.price["as_of"])
    if row.durations is not None:
        assert list(row.durations) == sorted(set(row.durations))
        assert all(isinstance(seconds, int) and seconds > 0 for seconds in row.durations)
    for ratio in row.ratios or ():
        assert re.fullmatch(r"[1-9]\d?:[1-9]\d?", ratio)
    for gone in filter(None, (row.retired, row.off)):
        is_date(gone["date"])
        assert gone["by"]
        assert gone["replacement"]
    if row.off:
        replacement = models.pick(row.kind, row.off["replacement"], "happycapy")
        assert replacement.listed
        assert not replacement.off


def test_the_registry_itself_is_dated() -> None:
    is_date(models.registry()["as_of"])


def is_date(value: object) -> None:
    assert isinstance(value, str)
    assert datetime.date.fromisoformat(value).isoformat() == value
    assert value <= str(models.registry()["as_of"])
