"""Which pictures can be a first frame, and which cuts are made without asking."""

from __future__ import annotations

from typing import Any

import pytest
from factorized_video import aspect_ratios, models
from factorized_video.errors import UsageError
from factorized_video.models import ImageLimits, Model, picture_limits
from factorized_video.models.picture_limits import Framing

VEO = "google/veo-3.1-generate-preview"
SEEDANCE_25 = "bytedance/seedance-2.5"


def video(model: str) -> Model:
    return models.pick("video", model, "happycapy")


def refusal(model: Model, size: aspect_ratios.Size, framing: Framing) -> UsageError:
    with pytest.raises(UsageError) as caught:
        picture_limits.check_frame(model, size, framing)
    return caught.value


def lacking(words: tuple[str, ...], text: str) -> list[str]:
    return [word for word in words if word not in text]


LIMITS = ImageLimits(side_min=300, ratio_min=0.4, ratio_max=2.5)  # those of Seedance 2.5


def framing(ratio: str | None, fit: str | None = None, **limits: Any) -> Framing:
    return Framing(ratio, fit, ImageLimits(**limits))


@pytest.mark.parametrize(
    ("size", "how"),
    [
        ((1920, 1080), framing("16:9")),
        ((1376, 768), framing("16:9")),
        ((1600, 1001), framing("16:9", "crop")),
        ((1600, 1000), framing("16:9")),  # 10 % and no more
        ((1920, 1200), framing("16:9")),
        ((1000, 1000), framing("16:9", "crop")),
        ((1000, 1000), framing("16:9", "pad")),
        ((1000, 1000), framing(None)),
        ((1, 5000), framing(None)),
        ((1376, 768), framing("16:9", "none")),  # off by less than anyone sees
        ((534, 300), Framing("16:9", "none", LIMITS)),
        ((544, 306), Framing("16:9", None, LIMITS)),
        ((300, 300), Framing(None, None, LIMITS)),
        ((1000, 400), Framing(None, None, LIMITS)),
        ((400, 1000), Framing(None, None, LIMITS)),
        # What counts is what is left after the fitting.
        ((3000, 1000), Framing("16:9", "crop", LIMITS)),
        ((5000, 100), Framing("1:1", "pad", LIMITS)),
    ],
)
def test_a_picture_that_can_be_a_first_frame_passes_in_silence(
    size: aspect_ratios.Size, how: Framing
) -> None:
    assert picture_limits.check_frame(video(SEEDANCE_25), size, how) == ()


@pytest.mark.parametrize(
    ("size", "ratio", "lost", "left"),
    [
        ((1590, 1000), "16:9", "11%", "1584x891"),
        ((1000, 1000), "16:9", "44%", "992x558"),
        ((1000, 1000), "9:16", "44%", "558x992"),
        ((1500, 1000), "16:9", "16%", "1488x837"),
        ((2560, 1080), "16:9", "25%", "1920x1080"),
        ((1920, 1080), "9:16", "68%", "603x1072"),
    ],
)
def test_a_crop_of_more_than_a_tenth_is_your_decision(
    size: aspect_ratios.Size, ratio: str, lost: str, left: str
) -> None:
    error = refusal(video(VEO), size, framing(ratio))
    words = (f"{size[0]}x{size[1]} px", f"as {ratio}", f"lose {lost}", f"({left} px")
    assert lacking(words, error.message) == []
    ways = ("--fit crop", "--fit pad", "--fit none", "--aspect-ratio")
    assert lacking(ways, error.hint) == []


@pytest.mark.parametrize(
    ("size", "ratio"),
    [
        ((1920, 1200), "16:9"),
        ((1280, 800), "16:9"),
        pytest.param((1200, 1920), "9:16"),
        pytest.param((800, 1280), "9:16"),
    ],
)
def test_a_crop_of_exactly_a_tenth_is_free_lying_and_standing(
    size: aspect_ratios.Size, ratio: str
) -> None:
    assert picture_limits.check_frame(video(VEO), size, framing(ratio)) == ()


@pytest.mark.parametrize(
    ("size", "ratio", "noted"),
    [
        ((1000, 1000), "16:9", True),
        ((1600, 1000), "16:9", True),
        ((1920, 1050), "16:9", True),  # 2.9 % off
        ((1920, 1060), "16:9", False),  # 1.9 %
        ((1920, 1080), "16:9", False),
    ],
)
def test_a_picture_sent_as_it_is_is_said_to_be_of_another_shape(
    size: aspect_ratios.Size, ratio: str, noted: bool
) -> None:
    notes = picture_limits.check_frame(video(VEO), size, framing(ratio, "none"))
    assert len(notes) == noted
    words = (f"{size[0]}x{size[1]} px, not {ratio}", f"{VEO} decides the rest")
    assert all(lacking(words, note) == [] for note in notes)


@pytest.mark.parametrize(
    ("size", "how", "words"),
    [
        ((299, 299), Framing(None, None, LIMITS), ("300 px a side or more", "299x299")),
        ((1000, 299), Framing(None, None, LIMITS), ("300 px", "1000x299")),
        ((400, 400), Framing("16:9", "crop", LIMITS), ("300 px", "400x225")),  # once cropped
        ((500, 200), Framing("16:9", "pad", LIMITS), ("300 px", "500x281")),  # bars and all
        ((500, 200), Framing("16:9", "none", LIMITS), ("300 px", "500x200")),
        ((3000, 1000), Framing(None, None, LIMITS), ("0.4 to 2.5 times", "is 3.00")),
        ((1000, 3000), Framing(None, None, LIMITS), ("0.4 to 2.5 times", "is 0.33")),
        ((3000, 1000), Framing("16:9", "none", LIMITS), ("0.4 to 2.5 times", "is 3.00")),
        ((9000, 1000), Framing("9:1", "crop", LIMITS), ("0.4 to 2.5 times", "is 9.00")),
    ],
)
def test_a_picture_outside_the_models_limits_is_refused(
    size: aspect_ratios.Size, how: Framing, words: tuple[str, ...]
) -> None:
    error = refusal(video(SEEDANCE_25), size, how)
    assert error.message.startswith(SEEDANCE_25)
    assert lacking(words, error.message) == []
    assert "picture" in error.hint


@pytest.mark.parametrize(
    ("size", "how"),
    [((100, 1000), framing(None, ratio_min=0.4)), ((1000, 100), framing(None, ratio_max=2.5))],
)
def test_one_known_limit_of_the_shape_is_enough_to_refuse(
    size: aspect_ratios.Size, how: Framing
) -> None:
    error = refusal(video(SEEDANCE_25), size, how)
    assert "None" not in error.message
