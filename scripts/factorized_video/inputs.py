"""What a person gives, checked: texts, file names, and the values of options. Nothing is sent here.

Imported by `--help`, like `cli.py`: nothing slow at the top.
"""

from __future__ import annotations

import argparse
import os
import sys

from .errors import UsageError
from .prompts import MAX_TEXT, STYLES

TYPE_CHECKING = False  # as a type checker reads it; importing `typing` would slow --help
if TYPE_CHECKING:
    from pathlib import Path

STYLE_NAMES = ", ".join(STYLES)
CONCURRENCY = 4  # runs at once, where nobody says: gateways limit requests a minute
MOST_AT_ONCE = 32
MOST_CANDIDATES = 12  # more do not fit on a contact sheet that can be read


def read_text(value: str | None, file: str | None, what: str) -> str:
    """A text from a flag, a file, or stdin (`-`), checked. `what` names it in messages.

    Raises UsageError for a text that is empty, over 20,000 characters, not UTF-8, or has control
    characters, and for a file that cannot be read as text.
    """
    if file is not None:
        value = _stdin(what) if file == "-" else _file(file, what)
    elif value == "-":
        value = _stdin(what)
    text = (value or "").strip().lstrip("\ufeff").strip()
    if not text:
        raise UsageError(f"{what} is empty.", f"Expected 1 to {MAX_TEXT:,} characters.")
    if len(text) > MAX_TEXT:
        raise UsageError(
            f"{what} has {len(text):,} characters.", f"Expected at most {MAX_TEXT:,}: shorten it."
        )
    for place, char in enumerate(text):
        number = ord(char)
        if (number < 32 and char not in "\t\n\r") or 0x7F <= number <= 0x9F:
            raise UsageError(
                f"{what} has a control character (U+{number:04X}) at position {place + 1}.",
                "Remove it; line breaks and tabs are fine.",
            )
        if 0xD800 <= number <= 0xDFFF:
            raise UsageError(
                f"{what} is not valid UTF-8 (at position {place + 1}).", "Write it as UTF-8."
            )
    return text


def read_motion(args: argparse.Namespace) -> str | None:
    """The motion from --motion or --motion-file, or None where neither was given."""
    if args.motion is None and args.motion_file is None:
        return None
    flag = "--motion" if args.motion is not None else "--motion-file"
    return read_text(args.motion, args.motion_file, flag)


def own_questions(text: str, name: str) -> tuple[str, ...]:
    """The questions that a person wrote into a file, one a line. Raises UsageError."""
    from .checks import LONGEST_QUESTION, MOST_OWN_QUESTIONS, own_questions

    found = own_questions(text)
    if found is None:
        raise UsageError(
            f"{name} must hold 1 to {MOST_OWN_QUESTIONS} questions, one a line, each of at most "
            f"{LONGEST_QUESTION} characters.",
            "Mend it, or delete it to have them written anew.",
        )
    return found


def output_path(typed: str) -> Path:
    """The absolute path of a typed output. Raises UsageError for what is no file name."""
    from pathlib import Path

    if not typed or "\0" in typed or typed.endswith(("/", "/.", "/..")) or typed in (".", ".."):
        raise UsageError(f"{typed!r} is not a file name.", "Give a name, such as anchor.png.")
    return Path(os.path.abspath(os.path.expanduser(typed)))


def folder_path(typed: str) -> Path:
    """The absolute path of a typed folder. Raises UsageError for what is no folder name."""
    from pathlib import Path

    if not typed or "\0" in typed:
        raise UsageError(f"{typed!r} is not a folder name.", "Give a name, such as debug/.")
    return Path(os.path.abspath(os.path.expanduser(typed)))


def default_output(text: str, digest: str, extension: str, folder: Path | None = None) -> Path:
    """<first words>-<8 hex of the digest><extension> in `folder`, else outputs/ where one works.

    The same inputs give the same name, so running again goes on.
    """
    from pathlib import Path

    return (folder or Path.cwd() / "outputs") / f"{_slug(text)}-{digest[:8]}{extension}"


def direct_path(path: Path) -> Path:
    """NAME.direct.mp4 for NAME.mp4: where the clip without an anchor goes."""
    named = path.stem.endswith(".direct")
    return path if named else path.with_name(f"{path.stem}.direct{path.suffix}")


def check_extension(path: Path, allowed: tuple[str, ...]) -> None:
    """Raise UsageError unless the output's extension is one of these."""
    if path.suffix.lower() not in allowed:
        raise UsageError(
            f"--output {path.name} ends in {path.suffix or 'no extension'}.",
            f"Expected {' or '.join(allowed)}.",
        )


def style(text: str) -> str:
    """A style: one of the seven in any spelling, or words of one's own."""
    name = " ".join(text.split())
    key = name.lower().replace(" ", "-").replace("_", "-")
    if key in STYLES:
        return key
    if not name or len(name) > 200 or not name.isprintable():
        raise argparse.ArgumentTypeError(f"a style in a few words was expected ({STYLE_NAMES})")
    return name


def ratio(text: str) -> str:
    """An aspect ratio "W:H"."""
    width, colon, height = text.strip().partition(":")
    fine = colon and all(p.isascii() and p.isdigit() and 1 <= len(p) <= 2 for p in (width, height))
    if not fine or int(width) == 0 or int(height) == 0:
        raise argparse.ArgumentTypeError(f"{text!r} is no aspect ratio; expected W:H, such as 16:9")
    return f"{int(width)}:{int(height)}"


def seconds(text: str) -> int:
    """Whole seconds of a clip."""
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:6]) <= 60):
        raise argparse.ArgumentTypeError(f"{text!r}: whole seconds from 1 to 60 were expected")
    return int(text)


def resolution(text: str) -> str:
    """A resolution: "720p", "1080p", "2k", "4k"."""
    word = text.strip().lower()
    digits, unit = word[:-1], word[-1:]
    fine = digits.isascii() and digits.isdigit() and digits[0] != "0"
    if not fine or (unit, len(digits)) not in (("p", 3), ("p", 4), ("k", 1)):
        raise argparse.ArgumentTypeError(
            f"{text!r} is no resolution; expected one such as 720p, 1080p or 4k"
        )
    return word


def usd(text: str) -> float:
    """An amount in USD."""
    found = amount(text)
    if found is None:
        raise argparse.ArgumentTypeError(f"{text!r}: an amount in USD was expected, such as 2.5")
    return found


def amount(text: str) -> float | None:
    """What a text says in USD, 0 or more; None where it is no amount."""
    try:
        found = float(text)
    except ValueError:
        return None
    return found if 0 <= found < 1e9 and "_" not in text else None


def take(text: str) -> int:
    """The number of a take."""
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:6]) <= 9999):
        raise argparse.ArgumentTypeError(f"{text!r}: a whole number from 1 on was expected")
    return int(text)


def candidates(text: str) -> int:
    """How many candidates."""
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:6]) <= MOST_CANDIDATES):
        raise argparse.ArgumentTypeError(
            f"{text!r}: a whole number from 1 to {MOST_CANDIDATES} was expected"
        )
    return int(text)


def concurrency(text: str) -> int:
    """How many runs at once."""
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:6]) <= MOST_AT_ONCE):
        raise argparse.ArgumentTypeError(
            f"{text!r}: a whole number from 1 to {MOST_AT_ONCE} was expected"
        )
    return int(text)


def candidate(text: str) -> str:
    """The number of a candidate; that of an edited one ends in r."""
    name = text.strip().lower()
    digits = name.removesuffix("r")
    if not (digits.isascii() and digits.isdigit() and 1 <= int(digits[:6]) <= MOST_CANDIDATES):
        raise argparse.ArgumentTypeError(
            f"{text!r}: the number of a candidate was expected, as on the contact sheet (2, or 2r "
            "for an edited one)"
        )
    return str(int(digits)) + ("r" if name.endswith("r") else "")


def score(text: str) -> float:
    """A share of the questions, 0 to 1."""
    found = amount(text)
    if found is None or found > 1:
        raise argparse.ArgumentTypeError(f"{text!r}: a share from 0 to 1 was expected, such as 0.8")
    return found


def seed(text: str) -> int:
    """A seed: what every gateway can carry, 31 bits."""
    if not (text.isascii() and text.isdigit() and int(text[:11]) < 1 << 31):
        raise argparse.ArgumentTypeError(f"{text!r}: a whole number from 0 to {(1 << 31) - 1}")
    return int(text)


def job_id(text: str) -> str:
    """The id of a job."""
    if not text.strip() or len(text) > 8_000 or not text.isprintable():
        raise argparse.ArgumentTypeError("the id of a job was expected")
    return text.strip()


def timeout(text: str) -> float:
    """Seconds to wait."""
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds <= 86_400:
        raise argparse.ArgumentTypeError(f"{text!r}: seconds above 0, at most 86400, were expected")
    return seconds


def _stdin(what: str) -> str:
    if sys.stdin is None or sys.stdin.isatty():
        raise UsageError(
            f"{what} is to come from stdin, and nothing is piped there.",
            "Pipe a text into the command.",
        )
    return _decoded(sys.stdin.buffer.read(MAX_TEXT * 4 + 8), what)


def _file(name: str, what: str) -> str:
    try:
        with open(name, "rb") as file:
            return _decoded(file.read(MAX_TEXT * 4 + 8), f"{what} {name}")
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise UsageError(
            f"{what} {name} cannot be read: {reason}.", "Give the path of a text file."
        ) from None


def _decoded(data: bytes, what: str) -> str:
    # At most MAX_TEXT characters of four bytes: cutting beyond that can only cut what is refused.
    if len(data) > MAX_TEXT * 4:
        raise UsageError(f"{what} has more than {MAX_TEXT:,} characters.", "Shorten it.")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise UsageError(f"{what} is not UTF-8 text.", "Expected a plain text file.") from None


def _slug(text: str) -> str:
    """The first words, fit for a file name in any script: at most six words and 48 bytes."""
    from unicodedata import category

    # Letters, digits, and the marks that some scripts write their vowels with.
    kept = (char if category(char)[0] in "LNM" else " " for char in text.lower())
    words = "".join(kept).split()[:6]
    slug = "-".join(words)
    while len(slug.encode("utf-8", "replace")) > 48:
        slug = slug[:-1]
    return slug.strip("-") or "video"
