"""Finding a model in the registry, and what is known about it at a gateway."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from factorized_video import models
from factorized_video.errors import UsageError
from factorized_video.models import Model, limits

REGISTRY = models.document()
ROWS: list[dict[str, Any]] = REGISTRY["models"]
BY_ID = {row["id"]: row for row in ROWS}
KINDS = ("llm", "image", "video")

VEO = "google/veo-3.1-generate-preview"
VEO_GA = "google/veo-3.1-generate-001"
SEEDANCE = "byteplus/dreamina-seedance-2-0"
DRAWER = "google/gemini-3-pro-image-preview"
SONNET = "anthropic/claude-sonnet-4.6"
WAN = "alibaba/wan-v2.6-i2v"


@pytest.mark.parametrize(
    ("kind", "given", "gateway", "sent", "best_for_of"),
    [
        ("video", None, "happycapy", VEO, VEO),
        ("video", "", "happycapy", VEO, VEO),
        ("video", None, "demo", "demo/push-in", "demo/push-in"),
        ("llm", None, "happycapy", SONNET, SONNET),
        ("image", DRAWER, "happycapy", DRAWER, DRAWER),
        # An alias, the vendor's own id, another gateway's id: as this gateway calls it.
        ("video", "veo-3.1-generate-preview", "happycapy", VEO, VEO),
        ("llm", "claude-sonnet-4-6", "happycapy", SONNET, SONNET),
        ("video", "dreamina-seedance-2-0-260128", "happycapy", SEEDANCE, SEEDANCE),
        ("video", "bytedance/seedance-2.0", "happycapy", SEEDANCE, SEEDANCE),
        (
            "image",
            "bytedance/seedream-4.5",
            "happycapy",
            "byteplus/seedream-4-5",
            "byteplus/seedream-4-5",
        ),
        ("video", SEEDANCE, "vercel", "bytedance/seedance-2.0", SEEDANCE),
        ("video", None, "openrouter", "google/veo-3.1", VEO_GA),
        ("video", "google/veo-3.1", "vercel", VEO_GA, VEO_GA),
        ("llm", "spacexai/grok-4.3", "openrouter", "x-ai/grok-4.3", "spacexai/grok-4.3"),
        ("video", VEO_GA, "openai", VEO_GA, VEO_GA),
        # Where it is not known what the gateway calls it: as it was given.
        (
            "video",
            "bytedance/seedance-2.5",
            "happycapy",
            "bytedance/seedance-2.5",
            "bytedance/seedance-2.5",
        ),
        ("video", "wan-v2.7", "happycapy", "wan-v2.7", "alibaba/wan-v2.7-i2v"),
        ("video", "sora-2", "demo", "sora-2", "openai/sora-2"),
    ],
)
def test_a_model_is_known_by_any_of_its_names_and_sent_by_the_gateways(
    kind: str, given: str | None, gateway: str, sent: str, best_for_of: str
) -> None:
    model = models.pick(kind, given, gateway)
    assert (model.id, model.kind, model.listed) == (sent, kind, True)
    assert model.best_for == BY_ID[best_for_of]["best_for"]
    assert model.prices == tuple(BY_ID[best_for_of]["prices"])


@pytest.mark.parametrize("given", ["made-up/model", "VEO-3.1-generate-preview", VEO + " "])
def test_another_name_is_used_as_it_is_and_nothing_is_known_about_it(given: str) -> None:
    model = models.pick("video", given, "happycapy")
    assert model == Model(given, "video", listed=False)
    assert (model.durations, model.ratios, model.resolutions, model.prices) == (
        None,
        None,
        None,
        (),
    )


@pytest.mark.parametrize(
    "given", ["bytedance/\u2603", "bytedance/\u00e9", "a/b\n", "a\x00b", "\ud83d"]
)
def test_what_no_id_can_hold_is_refused_before_it_is_sent(given: str) -> None:
    for gateway in REGISTRY["gateways"]:
        with pytest.raises(UsageError, match="not the id of a model"):
            models.pick("image", given, gateway)


@pytest.mark.parametrize(
    ("kind", "given", "words"),
    [
        ("image", VEO, "is a model for video, not for images"),
        ("video", DRAWER, "is a model for images, not for video"),
        ("llm", "veo-3.1-generate-preview", "is a model for video, not for text"),
        ("video", "claude-sonnet-4-6", "is a model for text, not for video"),
        ("image", "demo/push-in", "is a model for video, not for images"),
    ],
)
def test_a_model_of_another_kind_is_refused_with_those_of_the_right_one(
    kind: str, given: str, words: str
) -> None:
    with pytest.raises(UsageError) as caught:
        models.pick(kind, given, "happycapy")
    assert caught.value.message == f"{given} {words}."
    named = caught.value.hint.partition(": ")[2].rstrip(".").split(", ")
    assert named == models.at(kind, "happycapy")
    assert {BY_ID[name]["kind"] for name in named} == {kind}


@pytest.mark.parametrize(
    ("kind", "gateway", "some", "never"),
    [
        ("video", "happycapy", [VEO, SEEDANCE], ["openai/sora-2", "openai/sora-2-pro", VEO_GA]),
        ("video", "demo", ["demo/push-in"], [VEO]),
        ("video", "vercel", [VEO_GA, "bytedance/seedance-2.0"], [VEO, SEEDANCE]),
        ("video", "openrouter", ["google/veo-3.1", "bytedance/seedance-2.0"], [VEO_GA, SEEDANCE]),
        ("image", "openrouter", ["bytedance-seed/seedream-4.5"], ["byteplus/seedream-4-5"]),
        ("image", "happycapy", [DRAWER], ["google/gemini-3-pro-image"]),
        ("llm", "happycapy", [SONNET], ["openai/gpt-6-luna"]),
    ],
)
def test_what_a_gateway_serves_is_listed_by_its_own_ids_without_what_is_off(
    kind: str, gateway: str, some: list[str], never: list[str]
) -> None:
    served = models.at(kind, gateway)
    assert set(some) <= set(served)
    assert set(never).isdisjoint(served)


def test_a_gateway_that_nobody_knows_serves_nothing_known() -> None:
    assert "nobody" not in REGISTRY["gateways"]
    assert [models.at(kind, "nobody") for kind in KINDS] == [[], [], []]
    gateway = models.gateway("nobody")
    assert (dict(gateway.defaults), gateway.any_model, gateway.free) == ({}, False, False)
    assert (gateway.resolutions, gateway.cannot) == (None, ())  # what is not known is not denied
    assert models.pick("video", None, "nobody").id == models.THE_ONLY_ONE
    assert models.pick("video", VEO, "nobody").id == VEO


@pytest.mark.parametrize(
    ("given", "gateway", "resolutions"),
    [
        ("google/veo-3.1-fast-generate-001", "vercel", ("720p", "1080p")),
        ("google/veo-3.1-fast-generate-001", "openrouter", ("720p", "1080p", "4k")),
        (SEEDANCE, "happycapy", ("480p", "720p", "1080p")),
        (SEEDANCE, "openrouter", ("480p", "720p", "1080p", "4k")),
        ("minimax/minimax-h3", "vercel", ("768p", "2k")),
        ("minimax/minimax-h3", "openrouter", ("2k",)),
        ("minimax/minimax-h3", "nobody", ("768p", "2k")),
        (DRAWER, "openrouter", None),
    ],
)
def test_what_a_model_makes_may_differ_at_one_gateway(
    given: str, gateway: str, resolutions: tuple[str, ...] | None
) -> None:
    kind = BY_ID[given]["kind"]
    assert models.pick(kind, given, gateway).resolutions == resolutions


@pytest.mark.parametrize(
    ("given", "gateway", "alone", "sibling"),
    [
        (VEO_GA, "vercel", True, None),
        (VEO_GA, "nobody", True, None),
        (WAN, "vercel", False, "alibaba/wan-v2.6-t2v"),
        (WAN, "nobody", False, "alibaba/wan-v2.6-t2v"),
        (WAN, "openrouter", True, "alibaba/wan-v2.6-t2v"),
        ("alibaba/wan-2.6", "openrouter", True, "alibaba/wan-v2.6-t2v"),
        ("alibaba/wan-2.6", "vercel", False, "alibaba/wan-v2.6-t2v"),
        ("alibaba/wan-v2.6-t2v", "vercel", True, None),
        ("klingai/kling-v3.0-i2v", "vercel", False, "klingai/kling-v3.0-t2v"),
        ("kwaivgi/kling-v3.0-pro", "openrouter", True, "klingai/kling-v3.0-t2v"),
        ("spacexai/grok-imagine-video-1.5", "vercel", None, None),
        ("spacexai/grok-imagine-video-1.5", "openrouter", True, None),
        ("klingai/kling-v4.0", "vercel", None, None),
        ("made-up/model", "vercel", None, None),
    ],
)
def test_whether_the_prompt_alone_is_enough_may_differ_at_one_gateway(
    given: str, gateway: str, alone: bool | None, sibling: str | None
) -> None:
    model = models.pick("video", given, gateway)
    assert (model.text_to_video, model.text_sibling) == (alone, sibling)
    if sibling and alone is False:
        assert models.pick("video", sibling, gateway).text_to_video is True


@pytest.fixture
def seedance_off_at_happycapy(edit_model: Callable[..., None]) -> None:
    """HappyCapy alone has dropped a model."""
    at = {"happycapy": {"id": SEEDANCE, "status": "off"}}
    edit_model(SEEDANCE, gateways={**BY_ID[SEEDANCE]["gateways"], **at})


@pytest.mark.usefixtures("seedance_off_at_happycapy")
def test_a_status_may_differ_at_one_gateway() -> None:
    assert models.pick("video", SEEDANCE, "happycapy").status == "off"
    assert models.pick("video", SEEDANCE, "vercel").status == "live"
    assert models.pick("video", SEEDANCE, "demo").status == "live"
    assert SEEDANCE not in models.at("video", "happycapy")
    assert "bytedance/seedance-2.0" in models.at("video", "vercel")


@pytest.mark.parametrize(
    ("given", "status"),
    [(VEO, "upstream-retired"), (SEEDANCE, "live"), ("openai/sora-2", "off"), ("x/y", "live")],
)
def test_elsewhere_the_status_is_that_of_the_row(given: str, status: str) -> None:
    assert models.pick("video", given, "happycapy").status == status


@pytest.mark.parametrize(
    ("model", "resolution", "durations"),
    [
        (VEO, "720p", (4, 6, 8)),
        (VEO, "1080p", (8,)),
        (VEO, "4k", (8,)),
        (SEEDANCE, "1080p", tuple(range(4, 16))),
        ("lightricks/ltx-2-fast", "1080p", tuple(range(6, 21))),
        ("lightricks/ltx-2-fast", "2160p", tuple(range(6, 11))),
        ("google/gemini-omni-1.2-flash", "720p", tuple(range(3, 16))),  # its lock is another
        ("byteplus/seedance-1-0-lite", "720p", None),
        ("made-up/model", "720p", None),
    ],
)
def test_the_durations_are_those_at_the_resolution(
    model: str, resolution: str, durations: tuple[int, ...] | None
) -> None:
    assert models.pick("video", model, "happycapy").durations_at(resolution) == durations


def test_unchecked_forgets_limits_and_keeps_what_a_model_is_and_costs() -> None:
    for given in (VEO, "bytedance/seedance-2.5", "alibaba/wan-v2.7-i2v"):
        model = models.pick("video", given, "happycapy")
        free = models.unchecked(model)
        assert free.durations_at("1080p") is None
        assert (free.ratios, free.resolutions, free.audio, free.image) == (None,) * 4
        assert (free.prompt_characters, free.first_frame, free.text_to_video) == (None,) * 3
        assert (free.id, free.status, free.prices) == (model.id, model.status, model.prices)
        assert free.ratio_mode == model.ratio_mode  # how a call is written, not what is supported


ALL_THAT_MAY_BE_MISSING = (
    "cancel a job",
    "set a seed",
    "set a last frame",
    "switch sound off",
    "report what a clip cost",
)


@pytest.mark.parametrize(
    ("name", "any_model", "resolutions", "has"),
    [
        ("happycapy", False, ("720p", "1080p"), ["set a last frame"]),
        ("vercel", False, None, ALL_THAT_MAY_BE_MISSING[1:]),
        (
            "openrouter",
            False,
            ("360p", "480p", "720p", "768p", "1080p", "1k", "2k", "4k"),
            ALL_THAT_MAY_BE_MISSING[1:],
        ),
        # Whether such a server tells a cost is its own affair: not known, so not denied.
        (
            "openai",
            False,
            None,
            ["cancel a job", "set a seed", "set a last frame", "report what a clip cost"],
        ),
        ("demo", True, None, ["set a last frame", "report what a clip cost"]),
    ],
)
def test_what_a_gateway_can_do(
    name: str, any_model: bool, resolutions: tuple[str, ...] | None, has: list[str]
) -> None:
    gateway = models.gateway(name)
    assert (gateway.any_model, gateway.resolutions) == (any_model, resolutions)
    assert gateway.free is (name == "demo")
    assert gateway.cannot == tuple(what for what in ALL_THAT_MAY_BE_MISSING if what not in has)
    assert set(gateway.defaults) == (set() if name == "openai" else set(KINDS))
    assert limits.DEFAULT_RESOLUTION in (resolutions or (limits.DEFAULT_RESOLUTION,))


@pytest.fixture
def two_choices(monkeypatch: pytest.MonkeyPatch) -> None:
    """HappyCapy's video models in the order of preference: the first was retired."""
    defaults = {**models.document()["gateways"]["happycapy"]["defaults"], "video": [VEO, SEEDANCE]}
    monkeypatch.setitem(models.document()["gateways"]["happycapy"], "defaults", defaults)


@pytest.mark.usefixtures("two_choices")
def test_the_default_is_the_first_choice_that_is_live(edit_model: Callable[..., None]) -> None:
    assert models.gateway("happycapy").defaults["video"] == SEEDANCE
    assert models.pick("video", None, "happycapy").id == SEEDANCE
    chosen = models.pick("video", None, "happycapy")
    assert models.passed_over(chosen, "happycapy") == VEO
    assert models.passed_over(models.pick("video", VEO_GA, "happycapy"), "happycapy") is None
    edit_model(VEO, status="live")
    assert models.pick("video", None, "happycapy").id == VEO
    assert models.passed_over(models.pick("video", None, "happycapy"), "happycapy") is None


@pytest.mark.usefixtures("two_choices")
def test_where_none_is_live_it_is_the_first(edit_model: Callable[..., None]) -> None:
    edit_model(SEEDANCE, status="off")
    assert models.gateway("happycapy").defaults["video"] == VEO


def test_a_gateway_has_facts_of_its_own_about_a_model(edit_model: Callable[..., None]) -> None:
    there = {"id": SEEDANCE, "durations": [6, 8, 10], "seed": False, "audio": "always"}
    edit_model(SEEDANCE, gateways={**BY_ID[SEEDANCE]["gateways"], "happycapy": there})
    here, elsewhere = (models.pick("video", SEEDANCE, name) for name in ("happycapy", "vercel"))
    assert (here.durations, here.seed, here.audio) == ((6, 8, 10), False, "always")
    assert elsewhere.durations == tuple(range(4, 16))
    with pytest.raises(UsageError, match="makes clips of 6, 8 and 10 seconds"):
        limits.choose_duration(here, 5, "720p", False, "happycapy")
