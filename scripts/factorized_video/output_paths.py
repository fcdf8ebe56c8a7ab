"""Where outputs go: the given path, or a name made of the first words of the prompt."""

from __future__ import annotations

import os

from .errors import UsageError

# The default name of an output: the first words of its text, and part of its digest.
NAME_WORDS, NAME_BYTES, DIGEST_DIGITS = 6, 48, 8

DRAFT = ".draft"  # ends the name of a draft, before its extension
STORY_FOLDER = ".story"  # ends the name of the folder with the pictures and clips of a film
WORK_FOLDER = ".stages"  # ends the name of the folder with what a clip was made from

TYPE_CHECKING = False  # as a type checker reads it; importing `typing` would slow --help
if TYPE_CHECKING:
    from pathlib import Path


def output_path(typed: str) -> Path:
    """Return the absolute path of an output. Raises UsageError if it is not a file name."""
    from pathlib import Path

    if not typed or "\0" in typed or typed.endswith(("/", "/.", "/..")) or typed in (".", ".."):
        raise UsageError(f"{typed!r} is not a file name.", "Use a name such as anchor.png.")
    return Path(os.path.abspath(os.path.expanduser(typed)))


def near(path: str) -> str:
    """Return a path as seen from the working directory, where it is below that."""
    here = os.path.relpath(path)
    return path if here.startswith("..") else here


def folder_path(typed: str) -> Path:
    """Return the absolute path of a folder. Raises UsageError if it is not a folder name."""
    from pathlib import Path

    if not typed or "\0" in typed:
        raise UsageError(f"{typed!r} is not a folder name.", "Use a name such as debug/.")
    return Path(os.path.abspath(os.path.expanduser(typed)))


def default_output(text: str, digest: str, extension: str, folder: Path | None = None) -> Path:
    """Return <first six words>-<8 hex of the digest><extension>, in `folder`, else in ./outputs.

    The same inputs give the same name, so that running again resumes; that of an older version of
    the digest is used where something has it.
    """
    from glob import escape
    from pathlib import Path

    folder = folder or Path.cwd() / "outputs"
    older = getattr(digest, "older", None)
    names = [f"{_slug(text)}-{one[:DIGEST_DIGITS]}" for one in (digest, older) if one]
    there = [name for name in names if any(folder.glob(f"{escape(name)}.*"))]
    return folder / f"{(there or names)[0]}{extension}"


def direct_path(path: Path) -> Path:
    """Return NAME.direct.mp4 for NAME.mp4, where the clip without an anchor goes."""
    named = path.stem.endswith(".direct")
    return path if named else path.with_name(f"{path.stem}.direct{path.suffix}")


def draft_path(path: Path) -> Path:
    """Return NAME.draft.mp4 for NAME.mp4, where the draft of a clip goes."""
    named = path.stem.endswith(DRAFT)
    return path if named else path.with_name(f"{path.stem}{DRAFT}{path.suffix}")


def final_path(path: Path) -> Path:
    """Return NAME.mp4 for NAME.draft.mp4: the clip that a draft is of."""
    return path.with_name(path.stem.removesuffix(DRAFT) + path.suffix)


def filmstrip_path(clip: Path) -> Path:
    """Where the filmstrip of a clip lies."""
    return clip.with_name(clip.stem + ".filmstrip.png")


def original_path(clip: Path) -> Path:
    """Where the model's own file lies, of a clip whose sound was removed."""
    return clip.with_name(clip.stem + ".with-audio" + clip.suffix)


def check_extension(path: Path, allowed: tuple[str, ...]) -> None:
    """Raise UsageError unless the output has one of these extensions."""
    if path.suffix.lower() not in allowed:
        ending = f"ends in {path.suffix}" if path.suffix else "has no extension"
        raise UsageError(f"--output {path.name} {ending}.", f"Use {' or '.join(allowed)}.")


def _slug(text: str) -> str:
    """Return the first words as a file name, in any script; "video" where none is left."""
    from unicodedata import category

    # Letters, digits, and the combining marks that some scripts need.
    kept = (char if category(char)[0] in "LNM" else " " for char in text.lower())
    words = "".join(kept).split()[:NAME_WORDS]
    slug = "-".join(words)
    while len(slug.encode("utf-8", "replace")) > NAME_BYTES:
        slug = slug[:-1]
    return slug.strip("-") or "video"


def given_output(typed: str | None, allowed: tuple[str, ...] = ()) -> Path | None:
    """The path of --output, None where it was not given. Raises UsageError for a wrong ending."""
    if typed is None:
        return None
    path = output_path(typed)
    if allowed:
        check_extension(path, allowed)
    return path
