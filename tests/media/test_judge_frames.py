"""Frames of a clip for a vision model: which, how many, and how much is decoded for them."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("av")
pytest.importorskip("PIL")

from factorized_video.media import judge_frames
from factorized_video.media.clips import decoded
from factorized_video.media.frames import FRAMES
from loopback import clip
from test_filmstrip import film


def test_the_first_frame_alone_is_that_of_the_eight_and_no_other_is_decoded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path = Path("clip.mp4")
    path.write_bytes(clip())
    read = []

    def counted(path: Path, *skip: Any) -> Iterator[tuple[float, Any]]:
        for when, frame in decoded(path, *skip):
            read.append(when)
            yield when, frame

    monkeypatch.setattr("factorized_video.media.frames.decoded", counted)
    eight = judge_frames.over(path)
    assert len(eight) == FRAMES
    read.clear()
    assert judge_frames.over(path, count=1) == eight[:1]
    assert read == [0.0]


@pytest.mark.parametrize("rate", [Fraction(4, 3), Fraction(25, 3), Fraction(30_000, 1_001)])
def test_a_rate_that_is_no_round_number_skips_no_frame(rate: Fraction) -> None:
    path = Path("clip.mp4")
    path.write_bytes(film(8, rate))
    shown = [when for when, _ in judge_frames.over(path)]
    assert shown == pytest.approx([float(number / rate) for number in range(8)], abs=0.001)
