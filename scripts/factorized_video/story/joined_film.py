"""A film in its place: joined from clips, with a sheet of its joins and a filmstrip. Free."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from .. import files, output_paths, receipts
from ..errors import OutputError, UsageError
from ..media.film import Film, Layout, Part, is_film, join, layout

if TYPE_CHECKING:
    from ..console import Console

CUT, CROSSFADE = TRANSITIONS = ("cut", "crossfade")


def check_place(
    output: Path, made_of: Sequence[Path], *, overwrite: bool, writes: bool = True
) -> None:
    """Raise UsageError where something else than a film that was joined here lies there.

    `made_of` are the files that the film is made of. With `writes` also where nothing can be
    written.
    """
    for one in made_of:
        if one.exists() and output.exists() and one.samefile(output):
            raise UsageError(
                f"--output {output.name} is one of the files that the film is made of.",
                "Choose another --output.",
            )
    if receipts.receipt_path(output).exists():
        raise UsageError(
            f"{output} is a clip that was paid for.", "Choose another --output for the film."
        )
    if output.exists() and not (overwrite or is_film(output)):
        raise UsageError(
            f"{output} already exists, and is no film that was joined here.",
            "Choose another --output, or add --overwrite.",
        )
    if writes:
        files.check_writable(output)


class Words(NamedTuple):
    """What stands on the pictures of a film: its title, and what its clips are called."""

    title: str
    names: Sequence[str]

    @classmethod
    def of(cls, parts: Sequence[Part]) -> Words:
        """By the names of the files."""
        names = [part.path.name for part in parts]
        return cls(" + ".join(names), names)


def made(
    console: Console,
    parts: Sequence[Part],
    output: Path,
    music: Path | None,
    words: Words,
    *,
    filmstrip: bool,
) -> dict[str, Any]:
    """Join the clips; what results say of the film. Raises UsageError and OutputError.

    `filmstrip`: whether one goes with it.
    """
    plan = layout(parts)
    with files.exclusive(output):
        film = join(
            plan, output, music, lambda share: console.progress(f"joining the clips: {share:.0%}")
        )
        sheet, strip = _pictures(console, output, film, words, wants_strip=filmstrip)
    return _result(film, sheet, strip)


def shown(plan: Layout, music: Path | None) -> dict[str, object]:
    """The film as a plan shows it."""
    return plan.film(music=music is not None).as_json()


def there(parts: Sequence[Part], output: Path, music: Path | None) -> dict[str, Any]:
    """What results say of a film that is there, joined from just these."""
    sheet, strip = seams_path(output), output_paths.filmstrip_path(output)
    film = layout(parts).film(music=music is not None)
    return _result(film, *(str(one) if one.exists() else None for one in (sheet, strip)))


def seams_path(output: Path) -> Path:
    """Where the sheet of a film's joins lies."""
    return output.with_suffix(".seams.png")


def _result(film: Film, sheet: str | None, strip: str | None) -> dict[str, Any]:
    return {"status": "succeeded", "film": film.as_json(), "seam_sheet": sheet, "filmstrip": strip}


def _pictures(
    console: Console, output: Path, film: Film, words: Words, *, wants_strip: bool
) -> tuple[str | None, str | None]:
    """The sheet of the joins and the filmstrip; one that cannot be made is a warning."""
    from ..media.filmstrip import filmstrip
    from ..media.seam_sheet import seam_sheet

    about = f"{film.duration_s:.1f} s, {film.width}x{film.height}, {len(words.names)} clips"
    sheet, strip = seams_path(output), output_paths.filmstrip_path(output)
    try:
        if film.seams:
            files.write_again(sheet, seam_sheet(output, film, words.names))
        if wants_strip:
            files.write_again(strip, filmstrip(output, words.title, about))
    except OutputError as error:
        console.warn(f"Not all pictures of the film could be made: {error.message}")
        return None, None
    return str(sheet) if film.seams else None, str(strip) if wants_strip else None
