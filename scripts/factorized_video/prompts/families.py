"""What a family of video models wants to be told, beyond what holds for all of them. Pure.

The registry says which models, and by what source. Stage 1 is told it, for there the motion is
written; a motion of the user's own is sent as it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

# The most words of a motion: the guides of Wan, Kling and Hunyuan recommend about that many, that
# of LTX a paragraph.
MOST_WORDS = {"motion": 100, "paragraph": 200}


class Prompting(NamedTuple):
    """How one family is prompted; all as it is where the registry says nothing."""

    form: str = "motion"  # motion: a terse line | paragraph: the whole shot, told as it unfolds
    still_camera: bool = False  # it moves the camera where nobody says that it holds still
    speech_end: bool = False  # a mouth goes on where nobody says that it stops

    @property
    def most_words(self) -> int:
        """Of a motion."""
        return MOST_WORDS[self.form]


PLAIN = Prompting()

_PARAGRAPH = (
    "Write the motion as one paragraph of 4 to 8 sentences in the present tense, at most 150 "
    "words, in place of the shorter one asked for above. The first sentence says what the frame "
    "shows and how the camera sees it; then comes the action in order, and what is heard."
)
_STILL_CAMERA = (
    "If no camera move was asked for and the action needs none, the motion ends with: The camera "
    "holds still."
)
_SPEECH_END = "Where somebody speaks, say what the mouth and the face do once the words are over."


def prompting_of(row: Mapping[str, Any] | None) -> Prompting:
    """As the registry or a handoff has it; what has another form counts for nothing."""
    row = row or {}
    form = row.get("form")
    return Prompting(
        form if form in MOST_WORDS else "motion",
        row.get("still_camera") is True,
        row.get("speech_end") is True,
    )


def addition(prompting: Prompting) -> str:
    """What the LLM that writes the motion is told besides; "" where that is nothing."""
    rules = [
        *([_PARAGRAPH] if prompting.form == "paragraph" else []),
        *([_STILL_CAMERA] if prompting.still_camera else []),
        *([_SPEECH_END] if prompting.speech_end else []),
    ]
    if not rules:
        return ""
    numbered = "\n".join(f"{number}. {rule}" for number, rule in enumerate(rules, 1))
    return f"motion - for the video model of this clip\n{numbered}"
