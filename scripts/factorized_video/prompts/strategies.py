"""What the video model reads along with the anchor, for each prompt strategy. Pure."""

from __future__ import annotations

from .styles import style_phrase

STRATEGIES = ("combined", "original", "motion-only")
DEFAULT_STRATEGY = "combined"
FIRST_FRAME_GIVEN = (
    "The first frame is given. Start exactly from it: keep its subjects, counts, positions, style "
    "and light, and let the action unfold from there."
)


def video_prompt(strategy: str, prompt: str, motion: str | None, direct: bool = False) -> str:
    """Return the text for the video model; never the caption, which the anchor shows already.

    `direct` is for a clip without an anchor. Raises ValueError for `motion-only` without a motion;
    the caller knows which option is missing.
    """
    if strategy == "motion-only":
        if not motion:
            raise ValueError("motion-only needs a motion")
        return motion
    if strategy == "original":
        return prompt
    if motion:
        return f"{prompt}\n\n{motion}"
    return prompt if direct else f"{prompt}\n\n{FIRST_FRAME_GIVEN}"


def direct_prompt(prompt: str, style: str | None) -> str:
    """Return the prompt for a clip without an anchor, which would otherwise carry the style."""
    return f"{prompt}\n\nStyle: {style_phrase(style)}." if style else prompt
