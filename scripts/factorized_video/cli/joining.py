"""--join: clips joined into one film. It sends nothing, and needs neither gateway nor key."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from .. import output_paths
from ..errors import UsageError
from ..media import file_types
from ..media.film import FADE_S, Part, layout
from ..media.film_sound import check_music
from ..money import FREE
from ..story import joined_film
from ..story.joined_film import CROSSFADE
from .option_words import check_effect

_TAKES = ("join", "output", "transition", "music", "filmstrip", "overwrite", "dry_run")
MOST_CLIPS = 200


def joined(options: argparse.Namespace, parser: argparse.ArgumentParser) -> dict[str, Any]:
    """The film of the clips. Raises UsageError before anything is written."""
    check_effect(options, parser, _TAKES, "--join: nothing is generated")
    file_types.need_media_extra("--join")
    clips = [Path(one).expanduser().absolute() for one in options.join]
    music = Path(options.music).expanduser().absolute() if options.music else None
    default = Path.cwd() / "outputs" / f"{clips[0].stem}-film.mp4"
    output = output_paths.given_output(options.output, (".mp4",)) or default
    made_of = [*clips, *([music] if music else [])]
    overwrite, writes = bool(options.overwrite), not options.dry_run
    joined_film.check_place(output, made_of, overwrite=overwrite, writes=writes)
    if not 2 <= len(clips) <= MOST_CLIPS:
        raise UsageError(
            f"--join has {len(clips)} clip{'s' * (len(clips) != 1)}.",
            f"Give 2 to {MOST_CLIPS}, in their order: --join A.mp4 B.mp4 --output film.mp4.",
        )
    if music:
        check_music(music)
    fade_s = FADE_S if options.transition == CROSSFADE else 0.0
    parts = [Part(clip, fade_s) for clip in clips]
    result = {"output": str(output), "cost": FREE.as_json()}
    if options.dry_run:
        shown = joined_film.shown(layout(parts), music)
        return {"status": "planned", **result, "film": shown}
    wants = options.filmstrip is not False
    film = joined_film.made(
        options.console, parts, output, music, joined_film.Words.of(parts), filmstrip=wants
    )
    return {**result, **film}
