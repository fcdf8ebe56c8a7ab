"""What the image model reads: a caption with style and framing, or the edit of an image. Pure."""

from __future__ import annotations

from .styles import enhancement, style_phrase

EDIT_REQUEST = (
    "Edit this picture. Change only what must change so that the answer to each question below "
    "becomes yes. Keep everything else exactly as it is: subjects, places, framing, style and "
    "light. Add no text, borders or panels."
)
CHANGE_REQUEST = (
    "Edit this picture. Change only what is said here, and only as far as it must: {change}\n"
    "Keep everything else exactly as it is: subjects, faces, numbers, poses, places, framing, "
    "style and light. Add no text, borders or panels that are not asked for."
)
CHANGE_WITH_REFERENCES = (
    "The first picture is the one to edit. The others are references: take from them only what the "
    "change names."
)
REFERENCES_FOR_PICTURE = (
    "References: the given pictures show who or what appears again. Keep face, form, colours, "
    "material and lettering of what is taken from them; composition, pose and light are those told "
    "above."
)


# In place of the framing, for a picture that others are made from.
CHARACTER = (
    "Framing: one single {ratio} {orientation} picture of this one subject alone, whole and "
    "centred, seen from the front, at rest, in even soft light on a plain light grey ground, with "
    "nothing else in it; no motion blur, panels, borders, captions or watermarks."
)


def image_prompt(
    caption: str,
    style: str,
    aspect_ratio: str,
    enhance: bool = False,
    references: int = 0,
    *,
    character: bool = False,
) -> str:
    """Return caption, style and framing; with `enhance` also terms of the style's craft.

    `references` is the number of reference images sent along. With `character` it is a picture of
    one person, animal or thing, to make others from.
    """
    lines = [caption.strip(), "", f"Style: {style_phrase(style)}."]
    if enhance:
        lines.append(f"Craft: {enhancement(style)}.")
    orientation = _orientation(aspect_ratio)
    lines.append(
        CHARACTER.format(ratio=aspect_ratio, orientation=orientation)
        if character
        else f"Framing: one single {aspect_ratio} {orientation} picture that fills the "
        "frame; a frozen instant without motion blur, panels, borders, captions or watermarks."
    )
    if references:
        lines.append(REFERENCES_FOR_PICTURE)
    return "\n".join(lines)


# The change that makes a first frame of a picture of another shape, without cutting it.
EXTENSION = (
    "Extend the picture beyond its edges until it fills the whole frame. All that it shows stays "
    "whole, as it is and of the same size; its surroundings are continued in the same place, style "
    "and light, without a seam, a border or a second picture."
)


# Begins the change that makes the last frame of a clip of its first. In digests, as it is.
END_STATE = "Show the very same view at the end of the clip, when this is so: "


def change_prompt(change: str, references: int = 0) -> str:
    """Return the request to change one thing in an image."""
    text = CHANGE_REQUEST.format(change=change.strip())
    return f"{text}\n{CHANGE_WITH_REFERENCES}" if references else text


def change_in(text: str) -> str | None:
    """Return the change from a text made by `change_prompt`; None for any other text."""
    before, after = CHANGE_REQUEST.split("{change}")
    if not text.startswith(before) or after not in text:
        return None
    return text[len(before) : text.index(after)]


def edit_prompt(wrong: list[tuple[str, str]]) -> str:
    """Return the request to fix an image: pairs of a failed question and what the judge saw."""
    lines = [EDIT_REQUEST, ""]
    for number, (question, seen) in enumerate(wrong, 1):
        lines.append(f"{number}. {question}" + (f" (Now: {seen.rstrip('.')}.)" if seen else ""))
    return "\n".join(lines)


def _orientation(aspect_ratio: str) -> str:
    width, height = (int(part) for part in aspect_ratio.split(":"))
    return "square" if width == height else "landscape" if width > height else "portrait"
