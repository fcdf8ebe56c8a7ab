"""tools/compare_lists.py: saved copies of the public lists, against the registry."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

pytestmark = pytest.mark.thorough


def compare(gateway: str, *lists: object) -> tuple[int, str]:
    """How it ended, and all it said. A list that is a text is saved as it is."""
    files = [Path(f"list-{number}.json") for number in range(len(lists))]
    for file, listed in zip(files, lists, strict=True):
        file.write_text(listed if isinstance(listed, str) else json.dumps({"data": listed}))
    done = subprocess.run(
        [sys.executable, str(ROOT / "tools" / "compare_lists.py"), gateway, *map(str, files)],
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def test_what_differs_is_printed_one_line_each() -> None:
    videos = [
        {
            "id": "google/veo-3.1",
            "supported_durations": [4, 8],
            "pricing_skus": {"duration_seconds_with_audio_720p": "0.25"},
        },
        {
            "id": "maker/film-1",
            "supported_durations": [7],
            "pricing_skus": {"duration_seconds": "0.1"},
        },
    ]
    code, said = compare("openrouter", [], videos)
    assert code == 1
    assert "google/veo-3.1: durations is 4 8 there, 4 6 8 here" in said
    assert "google/veo-3.1: price 720p with sound is 0.25 there, 0.4 here" in said
    assert "maker/film-1: not known here (video; durations 7; USD 0.10 a second" in said


def test_a_list_that_agrees_is_said_to() -> None:
    row = {"id": "google/veo-3.1", "supported_durations": [4, 6, 8]}
    assert compare("openrouter", [], [row]) == (0, "models.json agrees with the list\n")


def test_the_one_list_of_vercel() -> None:
    rates = {"video_duration_pricing": [{"resolution": "720p", "cost_per_second": "0.31"}]}
    row = {"id": "bytedance/seedance-2.0", "type": "video", "pricing": rates}
    code, said = compare("vercel", [row])
    assert (code, "bytedance/seedance-2.0: price 720p is 0.31 there, " in said) == (1, True)


@pytest.mark.parametrize(
    ("lists", "says"),
    [
        (["<html>", "{}"], "not the list of openrouter"),
        ([[], []], "no model is in it"),
        ([[]], "openrouter has 2 lists: /api/v1/models?output_modalities=all"),
    ],
)
def test_what_is_no_list_is_refused_without_a_traceback(lists: list[object], says: str) -> None:
    code, said = compare("openrouter", *lists)
    assert (code, says in said, "Traceback" in said) == (2, True, False)
