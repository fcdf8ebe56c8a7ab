"""What a model supports: a given setting stands or is refused with advice, the rest is chosen."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from factorized_video import aspect_ratios, models
from factorized_video.errors import UsageError
from factorized_video.models import Model, limits

VEO = "google/veo-3.1-generate-preview"
VEO_FAST = "google/veo-3.1-fast-generate-preview"
VEO_GA = "google/veo-3.1-generate-001"
SEEDANCE = "byteplus/dreamina-seedance-2-0"
SEEDANCE_1 = "byteplus/seedance-1-0-pro"
SEEDANCE_25 = "bytedance/seedance-2.5"
H3 = "minimax/minimax-h3"
WAN = "alibaba/wan-v2.7-i2v"
DRAWER = "google/gemini-3-pro-image-preview"
OWN = "made-up/model"
OFF = [row.id for row in models.rows() if row.status == "off"]


def video(model: str, gateway: str = "happycapy") -> Model:
    return models.pick("video", model, gateway)


def image(model: str) -> Model:
    return models.pick("image", model, "happycapy")


def refusal(check: Callable[..., object], *args: object) -> UsageError:
    """The error; its advice never names a model that is off."""
    with pytest.raises(UsageError) as caught:
        check(*args)
    assert [model for model in OFF if model in caught.value.hint] == []
    return caught.value


def lacking(words: tuple[str, ...], text: str) -> list[str]:
    return [word for word in words if word not in text]


# -- the model ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "given", "gateway", "sent", "notes"),
    [
        # Live and served under the name that was given, or the gateway's default: nothing to say.
        ("video", SEEDANCE, "happycapy", SEEDANCE, []),
        ("llm", None, "happycapy", "anthropic/claude-sonnet-4.6", []),
        ("video", None, "demo", "demo/push-in", []),
        # Not in the list.
        (
            "video",
            OWN,
            "happycapy",
            OWN,
            [
                (
                    "made-up/model is not in this tool's model list",
                    "settings and price are not checked",
                )
            ],
        ),
        ("video", OWN, "demo", OWN, []),  # it takes any name
        # Translated.
        (
            "video",
            "bytedance/seedance-2.0",
            "happycapy",
            SEEDANCE,
            [("bytedance/seedance-2.0 is called byteplus/dreamina-seedance-2-0 at happycapy",)],
        ),
        (
            "llm",
            "claude-sonnet-4-6",
            "happycapy",
            "anthropic/claude-sonnet-4.6",
            [("claude-sonnet-4-6 is called anthropic/claude-sonnet-4.6 at happycapy",)],
        ),
        # Shut down by its vendor.
        (
            "video",
            None,
            "happycapy",
            VEO,
            [("Google shut", VEO, "2026-10-22", "may keep an alias", f"use {VEO_GA}")],
        ),
        (
            "image",
            DRAWER,
            "happycapy",
            DRAWER,
            [("Google shut", DRAWER, "2026-06-25", "use google/gemini-3-pro-image.")],
        ),
        (
            "video",
            SEEDANCE_1,
            "happycapy",
            SEEDANCE_1,
            [("ByteDance shut", "2026-07-17", f"use {SEEDANCE}")],
        ),
        # Both.
        (
            "video",
            "veo-3.1-generate-preview",
            "happycapy",
            VEO,
            [("is called", VEO), ("Google shut", "2026-10-22")],
        ),
        # Listed, but not known to be served here.
        (
            "video",
            SEEDANCE_25,
            "happycapy",
            SEEDANCE_25,
            [(SEEDANCE_25, "is not known to be served by happycapy", "sent as it is")],
        ),
        ("video", "wan-v2.7", "happycapy", "wan-v2.7", [("wan-v2.7 is not known to be served",)]),
        ("video", SEEDANCE_25, "demo", SEEDANCE_25, []),
    ],
)
@pytest.mark.parametrize("allow_off", [False, True])
def test_a_model_comes_with_what_should_be_known_of_it(
    kind: str,
    given: str | None,
    gateway: str,
    sent: str,
    notes: list[tuple[str, ...]],
    allow_off: bool,
) -> None:
    model, said = limits.choose_model(kind, given, gateway, allow_off)
    assert model.id == sent
    assert len(said) == len(notes)
    assert [lacking(words, note) for words, note in zip(notes, said, strict=True)] == [
        [] for _ in notes
    ]


@pytest.mark.parametrize(
    ("kind", "given", "sent", "message", "instead"),
    [
        ("video", "openai/sora-2", "openai/sora-2", ("OpenAI", "2026-09-24"), SEEDANCE),
        ("video", "sora-2-pro", "openai/sora-2-pro", ("OpenAI", "2026-09-24"), SEEDANCE),
        (
            "video",
            "google/veo-3.0-generate-001",
            "google/veo-3.0-generate-001",
            ("Google", "2026-06-30"),
            VEO_GA,
        ),
        (
            "image",
            "imagen-4.0-generate-001",
            "imagen-4.0-generate-001",
            ("Google", "2026-08-17"),
            "google/gemini-3-pro-image",
        ),
    ],
)
def test_a_model_that_is_off_is_refused_until_that_is_allowed(
    kind: str, given: str, sent: str, message: tuple[str, ...], instead: str
) -> None:
    error = refusal(limits.choose_model, kind, given, "happycapy", False)
    assert error.message.startswith(f"{sent} is gone")
    assert lacking(message, error.message) == []
    assert error.hint.startswith(f"Use {instead};")
    assert "--allow-off" in error.hint
    model, _ = limits.choose_model(kind, given, "happycapy", True)
    assert (model.id, model.status) == (sent, "off")


@pytest.fixture
def status_at_happycapy(edit_model: Callable[..., None]) -> Callable[[str], None]:
    """Gives Seedance 2.0 another status at HappyCapy alone."""

    def given(status: str) -> None:
        at = {"happycapy": {"id": SEEDANCE, "status": status}}
        (row,) = [row for row in models.document()["models"] if row["id"] == SEEDANCE]
        edit_model(SEEDANCE, gateways={**row["gateways"], **at})

    return given


def test_a_model_that_one_gateway_lacks_is_refused_there_and_never_advised(
    status_at_happycapy: Callable[[str], None],
) -> None:
    assert SEEDANCE in refusal(limits.check_ratio, video(VEO), "1:1", "happycapy").hint
    status_at_happycapy("off")
    error = refusal(limits.choose_model, "video", SEEDANCE, "happycapy", False)
    assert error.message == f"{SEEDANCE} is gone: happycapy lacks it."
    assert error.hint.startswith("Choose another one")
    assert "--allow-off" in error.hint
    assert limits.choose_model("video", SEEDANCE, "happycapy", True)[0].id == SEEDANCE
    assert SEEDANCE not in refusal(limits.check_ratio, video(VEO), "1:1", "happycapy").hint


def test_a_model_that_is_retired_at_one_gateway_only_is_told_without_gaps(
    status_at_happycapy: Callable[[str], None],
) -> None:
    status_at_happycapy("upstream-retired")
    _, notes = limits.choose_model("video", SEEDANCE, "happycapy", False)
    assert notes
    assert "None" not in " ".join(notes)


@pytest.mark.parametrize(
    ("given", "gateway", "instead"),
    [
        (VEO, "happycapy", VEO_GA),
        (SEEDANCE_1, "happycapy", SEEDANCE),
        (SEEDANCE_1, "vercel", "bytedance/seedance-2.0"),  # by that gateway's name for it
        (SEEDANCE, "happycapy", None),
        (OWN, "happycapy", None),
    ],
)
def test_the_replacement_goes_by_the_gateways_name(
    given: str, gateway: str, instead: str | None
) -> None:
    assert limits.replacement(video(given, gateway), gateway) == instead


# -- the ratio ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("model", "ratio"),
    [
        (video(VEO), "16:9"),
        (video(VEO), "9:16"),
        (video(SEEDANCE), "21:9"),
        (video(SEEDANCE_25), "1:1"),  # its ratios are not known, so not checked
        (video(OWN), "5:1"),
        (image(DRAWER), "4:5"),
    ],
)
def test_a_supported_ratio_passes_and_one_of_an_unknown_model(model: Model, ratio: str) -> None:
    limits.check_ratio(model, ratio, "happycapy")
    assert limits.choose_ratio(model, ratio, (100, 100), "happycapy") == (ratio, "")


@pytest.mark.parametrize(
    ("model", "ratio", "gateway", "message", "hint"),
    [
        (
            video(VEO),
            "1:1",
            "happycapy",
            "supports the aspect ratios 16:9 and 9:16, not 1:1.",
            f"1:1 is supported by {SEEDANCE}, {SEEDANCE_1}.",
        ),
        (video(VEO), "5:1", "happycapy", "not 5:1.", "No known model supports that."),
        (
            image(DRAWER),
            "8:1",
            "happycapy",
            "9:16, 16:9 and 21:9, not 8:1.",
            "8:1 is supported by google/gemini-3.1-flash-image-preview.",
        ),
        (image(DRAWER), "8:1", "demo", "not 8:1.", "which demo is not known to serve."),
        (
            Model("x/y", "video", ratios=("16:9",)),
            "7:1",
            "happycapy",
            "x/y supports the aspect ratio 16:9, not 7:1.",
            "No known model",
        ),
    ],
)
def test_another_ratio_is_refused_with_the_supported_ones(
    model: Model, ratio: str, gateway: str, message: str, hint: str
) -> None:
    for check in (limits.check_ratio, _given_ratio):
        error = refusal(check, model, ratio, gateway)
        assert error.message.startswith(model.id)
        assert message in error.message
        assert hint in error.hint


def _given_ratio(model: Model, ratio: str, gateway: str) -> object:
    return limits.choose_ratio(model, ratio, None, gateway)


@pytest.mark.parametrize(
    ("model", "size", "ratio", "words"),
    [
        # No picture yet: 16:9, or the model's first.
        (video(VEO), None, "16:9", "aspect ratio 16:9"),
        (video(SEEDANCE_25), None, "16:9", "aspect ratio 16:9"),
        (video(WAN), None, "16:9", "aspect ratio 16:9"),  # of the anchor that is to be drawn
        (video(OWN), None, "16:9", "aspect ratio 16:9"),
        (Model("x/y", "video", ratios=("1:1", "9:16")), None, "1:1", "aspect ratio 1:1"),
        # Your own picture: the nearest that the model supports.
        (video(VEO), (1920, 1080), "16:9", "nearest to the picture"),
        (video(VEO), (1080, 1920), "9:16", "nearest to the picture"),
        (video(VEO), (800, 1200), "9:16", "nearest to the picture"),
        (video(SEEDANCE), (1000, 1100), "1:1", "nearest to the picture"),
        (video(SEEDANCE), (2560, 1080), "21:9", "nearest to the picture"),
        # Its ratios are not known: the nearest of the common ones.
        (video(OWN), (1500, 1000), "3:2", "nearest to the picture"),
        (video(SEEDANCE_25), (1000, 1500), "2:3", "nearest to the picture"),
        # No canvas: the clip has the picture's shape.
        (video(WAN), (1500, 1000), None, "the clip follows the picture"),
    ],
)
def test_a_ratio_that_nobody_typed_is_chosen_and_said(
    model: Model, size: aspect_ratios.Size | None, ratio: str | None, words: str
) -> None:
    chosen, said = limits.choose_ratio(model, None, size, "happycapy")
    assert chosen == ratio
    assert words in said
    assert ("nearest" in said) is (size is not None and ratio is not None)


# -- the resolution -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("model", "given", "gateway", "resolution"),
    [
        (VEO, None, "happycapy", "720p"),
        (VEO, "1080p", "happycapy", "1080p"),
        (VEO, "4k", "demo", "4k"),  # a gateway that can say any
        (SEEDANCE, None, "happycapy", "720p"),
        (H3, None, "demo", "768p"),  # the nearest that it makes
        (H3, "2k", "demo", "2k"),
        ("google/gemini-omni-1.2-flash", None, "demo", "720p"),
        ("google/gemini-omni-1.2-flash", "360p", "demo", "360p"),
        # Not known what it makes: what the gateway can say.
        ("byteplus/seedance-1-0-lite", None, "happycapy", "720p"),
        (OWN, None, "happycapy", "720p"),
        (OWN, "1080p", "happycapy", "1080p"),
        (OWN, None, "demo", "720p"),
        (OWN, "360p", "demo", "360p"),
    ],
)
def test_a_resolution_is_as_typed_or_the_nearest_to_720p(
    model: str, given: str | None, gateway: str, resolution: str
) -> None:
    chosen, said = limits.choose_resolution(video(model, gateway), given, gateway)
    assert chosen == resolution
    assert said == ("" if given else resolution)


@pytest.mark.parametrize(
    ("made", "nearest"),
    [
        (("480p", "1080p"), "480p"),
        (("1080p", "4k"), "1080p"),
        (("360p", "768p"), "768p"),
        (("2k",), "2k"),
    ],
)
def test_without_720p_the_nearest_resolution_in_pixels_is_taken(
    made: tuple[str, ...], nearest: str
) -> None:
    model = Model("x/y", "video", resolutions=made)
    assert limits.choose_resolution(model, None, "demo")[0] == nearest


@pytest.mark.parametrize(
    ("model", "given", "gateway", "message", "hint"),
    [
        (
            H3,
            "720p",
            "demo",
            f"{H3} makes 768p and 2k, not 720p.",
            f"720p is supported by {VEO}, {VEO_FAST}, {SEEDANCE}, {SEEDANCE_1}, which demo is not "
            "known to serve.",
        ),  # four names of many
        # The gateway's call cannot say it, whatever the model makes.
        (
            VEO,
            "480p",
            "happycapy",
            "happycapy accepts 720p and 1080p only, not 480p.",
            f"Set one that {VEO} makes there (720p and 1080p), or leave it out.",
        ),
        (VEO, "4k", "happycapy", "720p and 1080p only, not 4k.", "(720p and 1080p)"),
        (OWN, "4k", "happycapy", "720p and 1080p only, not 4k.", "(720p and 1080p)"),
        (
            "bytedance/seedance-2.0-fast",
            "480p",
            "happycapy",
            "only, not 480p.",
            "(720p), or leave it out",
        ),
        (
            "openai/sora-2",
            "1080p",
            "happycapy",
            "openai/sora-2 makes 720p, not 1080p.",
            f"1080p is supported by {VEO}, {VEO_FAST}, {SEEDANCE}, {SEEDANCE_1}.",
        ),
        # They have nothing in common.
        *[
            (
                H3,
                given,
                "happycapy",
                f"{H3} makes 768p and 2k; happycapy accepts 720p and 1080p only.",
                "another model",
            )
            for given in (None, "720p", "768p", "4k")
        ],
        (H3, "8k", "demo", "not 8k.", "No known model"),
    ],
)
def test_another_resolution_is_refused_with_the_supported_ones(
    model: str, given: str | None, gateway: str, message: str, hint: str
) -> None:
    error = refusal(limits.choose_resolution, video(model, gateway), given, gateway)
    assert message in error.message
    assert hint in error.hint


@pytest.mark.parametrize("model", ["openai/sora-2", "bytedance/seedance-2.0-fast"])
def test_who_is_named_for_a_resolution_can_be_asked_for_it_at_this_gateway(model: str) -> None:
    error = refusal(limits.choose_resolution, video(model), "1080p", "happycapy")
    advised = [one for one in models.at("video", "happycapy") if one in error.hint]
    assert advised
    for one in advised:
        assert limits.choose_resolution(video(one), "1080p", "happycapy") == ("1080p", "")


@pytest.mark.parametrize(
    ("model", "gateway", "resolutions"),
    [
        (VEO, "happycapy", ("720p", "1080p")),
        (VEO, "demo", ("720p", "1080p", "4k")),
        (H3, "happycapy", ()),
        (OWN, "happycapy", ("720p", "1080p")),
        (OWN, "demo", None),
    ],
)
def test_supported_is_what_the_model_makes_and_the_gateway_accepts(
    model: str, gateway: str, resolutions: tuple[str, ...] | None
) -> None:
    assert limits.resolutions(video(model, gateway), gateway) == resolutions


# -- the duration ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("model", "given", "resolution", "fit", "seconds", "words"),
    [
        # Given and supported, or of no known model: it stands, whatever else is given.
        (VEO, 4, "720p", False, 4, ""),
        (VEO, 8, "1080p", False, 8, ""),
        (SEEDANCE, 15, "1080p", False, 15, ""),
        (SEEDANCE, 7, "720p", True, 7, ""),
        (OWN, 37, "720p", False, 37, ""),
        (OWN, 37, "720p", True, 37, ""),
        ("byteplus/seedance-1-0-lite", 37, "720p", False, 37, ""),
        # Not given: 6 s, or the nearest.
        (VEO, None, "720p", False, 6, "6 s"),
        (SEEDANCE, None, "720p", True, 6, "6 s"),
        (OWN, None, "720p", False, 6, "6 s"),
        (VEO, None, "1080p", False, 8, "8 s, the nearest to 6 at 1080p"),
        ("openai/sora-2", None, "720p", False, 4, "4 s, the nearest to 6 at 720p"),  # not 8: a tie
        ("klingai/kling-v2.6-i2v", None, "720p", False, 5, "5 s, the nearest to 6 at 720p"),
        # Fitted, as it was asked for.
        (VEO, 5, "720p", True, 4, "--fit-duration: 4 s instead of 5"),  # 6 is as near, and dearer
        (VEO, 7, "720p", True, 6, "--fit-duration: 6 s instead of 7"),
        (VEO, 10, "720p", True, 8, "--fit-duration: 8 s instead of 10"),
        (VEO, 4, "1080p", True, 8, "--fit-duration: 8 s instead of 4"),
        (VEO, 1, "720p", True, 4, "--fit-duration: 4 s instead of 1"),
        (SEEDANCE, 30, "720p", True, 15, "--fit-duration: 15 s instead of 30"),
        (SEEDANCE, 1, "720p", True, 4, "--fit-duration: 4 s instead of 1"),
        ("klingai/kling-v2.6-i2v", 7, "720p", True, 5, "--fit-duration: 5 s instead of 7"),
        ("klingai/kling-v2.6-i2v", 8, "720p", True, 10, "--fit-duration: 10 s instead of 8"),
        ("lightricks/ltx-2-fast", 15, "4k", True, 10, "--fit-duration: 10 s instead of 15"),
        ("lightricks/ltx-2-fast", 15, "1080p", True, 15, ""),
    ],
)
def test_a_duration_stands_or_is_chosen_or_fitted_and_said(
    model: str, given: int | None, resolution: str, fit: bool, seconds: int, words: str
) -> None:
    chosen, said = limits.choose_duration(video(model), given, resolution, fit, "happycapy")
    assert chosen == seconds
    assert said.startswith(words)
    assert (said == "") is (words == "")
    assert ("--fit-duration" in said) is (given is not None and given != seconds)


@pytest.mark.parametrize(
    ("model", "given", "resolution", "message", "hint"),
    [
        (
            VEO,
            5,
            "720p",
            f"{VEO} makes clips of 4, 6 and 8 seconds, not 5.",
            f"5 s is supported by {SEEDANCE}, {SEEDANCE_1}.",
        ),
        (
            VEO,
            6,
            "1080p",
            f"{VEO} makes clips of 8 seconds at 1080p, not 6.",
            f"6 s at 1080p is supported by {SEEDANCE}, {SEEDANCE_1}.",
        ),
        (
            VEO,
            12,
            "720p",
            "4, 6 and 8 seconds, not 12.",  # sora-2 made 12
            f"12 s is supported by {SEEDANCE}, {SEEDANCE_1}.",
        ),
        (
            SEEDANCE,
            16,
            "720p",
            "makes clips of 4 to 15 seconds, not 16.",
            f"16 s is supported by {SEEDANCE_25}, klingai/kling-v4.0, ",
        ),
        (SEEDANCE, 3, "720p", "4 to 15 seconds, not 3.", f"3 s is supported by {SEEDANCE_1}."),
        (
            "klingai/kling-v2.6-i2v",
            8,
            "720p",
            "makes clips of 5 and 10 seconds, not 8.",
            f"8 s is supported by {VEO}, {VEO_FAST}, {SEEDANCE}, {SEEDANCE_1}.",
        ),
        # A lock: only those that make the resolution too.
        (
            "lightricks/ltx-2-fast",
            15,
            "4k",
            "makes clips of 6 to 10 seconds at 4k, not 15.",
            "15 s at 4k is supported by google/gemini-omni-1.2-flash, klingai/kling-v3.0-i2v, "
            "klingai/kling-v4.0",
        ),
        (SEEDANCE, 31, "720p", "not 31.", "No known model supports that."),
    ],
)
def test_another_duration_is_refused_with_the_supported_ones(
    model: str, given: int, resolution: str, message: str, hint: str
) -> None:
    error = refusal(limits.choose_duration, video(model), given, resolution, False, "happycapy")
    assert message in error.message
    assert hint in error.hint
    assert "--fit-duration picks the nearest supported one." in error.hint
    longest = max(video(model).durations_at(resolution) or ())
    assert (f"--extend {-(-given // longest)} --duration {longest}" in error.hint) is (
        given > longest
    )


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        ((8,), "8"),
        ((5, 10), "5 and 10"),
        ((4, 5), "4 and 5"),
        ((4, 6, 8), "4, 6 and 8"),
        ((4, 5, 6), "4 to 6"),
        (tuple(range(2, 31)), "2 to 30"),
    ],
)
def test_seconds_are_shown_as_a_list_or_a_range(seconds: tuple[int, ...], shown: str) -> None:
    assert limits.shown_seconds(seconds) == shown


# -- sound ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("model", "given", "note"),
    [
        (VEO, None, None),
        (SEEDANCE_1, None, None),
        (VEO, True, None),
        (SEEDANCE, True, None),
        (H3, True, f"It is not known whether {H3} makes sound."),
        (OWN, True, None),
        (OWN, False, None),
        (SEEDANCE_1, False, None),
        (H3, False, None),
        (VEO, False, "the model always makes sound, so the track is removed here"),
        (
            SEEDANCE,
            False,
            "happycapy has no known way to switch it off, so the track is removed here",
        ),
    ],
)
def test_what_becomes_of_a_wish_for_sound_or_silence_is_said(
    model: str, given: bool | None, note: str | None
) -> None:
    notes = limits.check_audio(video(model), given, "happycapy")
    assert len(notes) == (note is not None)
    assert note is None or note in notes[0]


def test_sound_from_a_model_that_makes_none_is_refused_with_those_that_make_it() -> None:
    error = refusal(limits.check_audio, video(SEEDANCE_1), True, "happycapy")
    assert error.message == f"{SEEDANCE_1} makes silent clips only."
    assert error.hint == f"Sound is supported by {VEO}, {VEO_FAST}, {SEEDANCE}."


# -- the text -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("model", "characters"),
    [(SEEDANCE, 4_000), (SEEDANCE, 0), (VEO, 20_000), (OWN, 20_000), (SEEDANCE_25, 15_000)],
)
def test_a_text_within_the_limit_or_without_a_known_one_passes(model: str, characters: int) -> None:
    limits.check_prompt(video(model), characters, "happycapy", "the prompt")


@pytest.mark.parametrize(
    ("model", "characters", "message", "hint"),
    [
        (
            video(SEEDANCE),
            4_001,
            f"{SEEDANCE} accepts 4,000 characters; the prompt has 4,001.",
            f"4,001 characters is supported by {SEEDANCE_25}, alibaba/wan-v3.0-video, {WAN}",
        ),
        # What would be cut off silently is refused as well: it would be paid for.
        (
            video(WAN),
            5_001,
            f"{WAN} accepts 5,000 characters and silently cuts off the rest; the prompt has 5,001.",
            f"5,001 characters is supported by {SEEDANCE_25}, alibaba/wan-v3.0-video, which",
        ),
        (video(WAN), 20_001, "the prompt has 20,001.", "No known model"),
        (
            image("bytedance/seedream-5.0-pro"),
            4_001,
            "accepts 4,000 characters;",
            "openai/gpt-image-2, ",
        ),
    ],
)
def test_a_longer_text_is_refused_with_both_lengths_and_models_that_accept_it(
    model: Model, characters: int, message: str, hint: str
) -> None:
    error = refusal(limits.check_prompt, model, characters, "happycapy", "the prompt")
    assert message in error.message
    assert error.hint.startswith("Shorten it. ")
    assert hint in error.hint
    assert ("silently" in error.message) is (model.prompt_over == "cut silently")


# -- words ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "words"),
    [(["a"], "a"), (["a", "b"], "a and b"), ([4, 6, 8], "4, 6 and 8"), (("x",) * 2, "x and x")],
)
def test_values_are_listed_as_in_a_sentence(values: list[object], words: str) -> None:
    assert limits.listed(values) == words
