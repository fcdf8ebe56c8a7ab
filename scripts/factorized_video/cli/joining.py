"""--join: clips joined into one film. It sends nothing, and needs neither gateway nor key."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from .. import files, output_paths, receipts
from ..errors import OutputError, UsageError
from ..media import file_types
from ..media.film import FADE_S, Film, Part, is_film, join, layout
from ..media.film_sound import check_music
from ..money import FREE
from ..rerun import flag_of

CUT, CROSSFADE = TRANSITIONS = ("cut", "crossfade")
_TAKES = ("join", "output", "transition", "music", "filmstrip", "overwrite", "dry_run")
_STANDS = ("json", "quiet", "verbose", "yes", "open", "offline", "gateway")  # of every command
MOST_CLIPS = 200


def check_options(options: argparse.Namespace, parser: argparse.ArgumentParser) -> None:
    """Raise UsageError for options that have no effect where nothing is generated."""
    joins = options.join is not None
    for name in ("transition", "music"):
        if not joins and getattr(options, name) is not None:
            raise UsageError(f"{flag_of(name)} is for --join.", "Leave it out, or add --join.")
    for action in parser._actions if joins else ():
        name = action.dest
        if name in (*_TAKES, *_STANDS) or not hasattr(options, name):
            continue
        if getattr(options, name) != parser.get_default(name):
            raise UsageError(
                f"{flag_of(name)} has no effect with --join: nothing is generated.", "Leave it out."
            )


def joined(options: argparse.Namespace) -> dict[str, Any]:
    """The film of the clips. Raises UsageError before anything is written."""
    file_types.need_media_extra("--join")
    clips = [Path(one).expanduser().absolute() for one in options.join]
    music = Path(options.music).expanduser().absolute() if options.music else None
    output = _output(options, clips, music)
    if not 2 <= len(clips) <= MOST_CLIPS:
        raise UsageError(
            f"--join has {len(clips)} clip{'s' * (len(clips) != 1)}.",
            f"Give 2 to {MOST_CLIPS}, in their order: --join A.mp4 B.mp4 --output film.mp4.",
        )
    if music:
        check_music(music)
    fade_s = FADE_S if options.transition == CROSSFADE else 0.0
    plan = layout([Part(clip, fade_s) for clip in clips])
    if options.dry_run:
        shown = plan.film(music=music is not None).as_json()
        return {"status": "planned", "output": str(output), "film": shown, "cost": FREE.as_json()}
    console = options.console
    with files.exclusive(output):
        film = join(
            plan, output, music, lambda share: console.progress(f"joining the clips: {share:.0%}")
        )
        sheet, strip = _pictures(options, output, film, [clip.name for clip in clips])
    return {
        "status": "succeeded",
        "output": str(output),
        "film": film.as_json(),
        "seam_sheet": sheet,
        "filmstrip": strip,
        "cost": FREE.as_json(),
    }


def _output(options: argparse.Namespace, clips: list[Path], music: Path | None) -> Path:
    """Where the film goes. Raises UsageError where something else lies there."""
    default = Path.cwd() / "outputs" / f"{clips[0].stem}-film.mp4"
    output = output_paths.given_output(options.output, (".mp4",)) or default
    for one in (*clips, *((music,) if music else ())):
        if one.exists() and output.exists() and one.samefile(output):
            raise UsageError(
                f"--output {output.name} is one of the files that the film is made of.",
                "Choose another --output.",
            )
    if receipts.receipt_path(output).exists():
        raise UsageError(
            f"{output} is a clip that was paid for.", "Choose another --output for the film."
        )
    if output.exists() and not (options.overwrite or is_film(output)):
        raise UsageError(
            f"{output} already exists, and is no film that was joined here.",
            "Choose another --output, or add --overwrite.",
        )
    files.check_writable(output)
    return output


def _pictures(
    options: argparse.Namespace, output: Path, film: Film, names: list[str]
) -> tuple[str | None, str | None]:
    """Seam sheet and, unless it is turned off, filmstrip; one that cannot be made is a warning."""
    from ..media.filmstrip import filmstrip
    from ..media.seam_sheet import seam_sheet

    about = f"{film.duration_s:.1f} s, {film.width}x{film.height}, {len(names)} clips"
    sheet, strip = output.with_suffix(".seams.png"), output_paths.filmstrip_path(output)
    wants = options.filmstrip is not False
    try:
        files.write_again(sheet, seam_sheet(output, film, names))
        if wants:
            files.write_again(strip, filmstrip(output, " + ".join(names), about))
    except OutputError as error:
        options.console.warn(f"Not all pictures of the film could be made: {error.message}")
        return None, None
    return str(sheet), str(strip) if wants else None
