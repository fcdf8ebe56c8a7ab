"""What a shot is made from, and which shots wait for which. Pure.

What is said of a shot's people and its place is part of its request: these words are in its digest,
so their form never changes between versions.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from ..prompts.checklist import REFERENCE_MARK
from .story_file import Shot, Story


class Appearing(NamedTuple):
    """One who appears in a shot, or its place: what is said, and whether there is a picture."""

    name: str
    description: str
    is_place: bool
    has_picture: bool


def appearing(story: Story, shot: Shot) -> list[Appearing]:
    """Who and what is in a shot: the cast in the order of the file, then the place."""
    if shot.continues:
        return []
    found = [
        Appearing(one.name, one.description, False, one.is_drawn)
        for one in story.cast
        if one.name in shot.cast
    ]
    place = next((one for one in story.places if one.name == shot.place), None)
    if place:
        found.append(Appearing(place.name, place.description, True, place.picture is not None))
    return found


def scene_of(story: Story, shot: Shot) -> str | None:
    """What Stage 1 is told of a shot's people and its place; None where there is nothing to say."""
    lines = [story.about] if story.about and not shot.continues else []
    pictures = 0
    for one in appearing(story, shot):
        pictures += one.has_picture
        picture = f" {REFERENCE_MARK}{pictures})" if one.has_picture else ""
        name = f"The place, {one.name}" if one.is_place else one.name
        lines.append(f"{name}{picture}: {one.description or 'as the picture shows it'}")
    return "\n".join(lines) or None


def earlier(shots: Sequence[Shot], number: int) -> tuple[str, ...]:
    """The prompts of the shots before the one with this number, from 0."""
    return tuple(one.prompt for one in shots[:number])


def chains(shots: Sequence[Shot]) -> list[list[int]]:
    """The shots by number in chains: one that continues follows the one whose last frame it needs.

    Chains are independent of each other.
    """
    found: list[list[int]] = []
    for number, shot in enumerate(shots):
        if shot.continues:
            found[-1].append(number)
        else:
            found.append([number])
    return found


def longest_first(groups: Sequence[list[int]], seconds: Sequence[float]) -> list[list[int]]:
    """The chains in the order in which they are begun, so that the longest does not end alone.

    `seconds` is how long each shot should take.
    """
    return sorted(groups, key=lambda group: -sum(seconds[number] for number in group))
