"""The font that a text is drawn in: Pillow's own, else one of the system's that has its letters.

Pillow's own has ASCII and a few signs. A text of those looks the same on every machine.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import unicodedata
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from PIL.ImageFont import FreeTypeFont, ImageFont

    Font = FreeTypeFont | ImageFont  # Pillow's own font, with and without FreeType

_MISSING = "\U0010fffd"  # a private code point: no font has a glyph for it
_MOST_ASKED = 300  # characters that a font is looked for by
# Where there is no fontconfig (macOS): fonts with many scripts, the widest last.
_USUAL = (
    "/System/Library/Fonts/Helvetica.ttc",
    "/System/Library/Fonts/Supplemental/Arial.ttf",
    "/System/Library/Fonts/PingFang.ttc",
    "/System/Library/Fonts/Hiragino Sans GB.ttc",
    "/System/Library/Fonts/ヒラギノ角ゴシック W3.ttc",
    "/System/Library/Fonts/AppleSDGothicNeo.ttc",
    "/System/Library/Fonts/GeezaPro.ttc",
    "/System/Library/Fonts/Kohinoor.ttc",
    "/System/Library/Fonts/Supplemental/Arial Unicode.ttf",
    "/Library/Fonts/Arial Unicode.ttf",
    "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf",
)
# Signs that every font has in another form.
_PLAIN = str.maketrans(
    {"’": "'", "‘": "'", "“": '"', "”": '"', "„": '"', "‚": "'", "→": "->", "×": "x", "—": "-"}
    | dict.fromkeys("‐‑–−", "-")
)
# Letters without an accent to leave off.
_BARE = str.maketrans(
    {"ß": "ss", "æ": "ae", "Æ": "AE", "œ": "oe", "Œ": "OE", "ø": "o", "Ø": "O", "ł": "l"}
    | {"Ł": "L", "đ": "d", "Đ": "D", "ð": "d", "Ð": "D", "þ": "th", "Þ": "Th", "ı": "i"}
)


class Face(NamedTuple):
    """A font file, and which of its fonts it is; Pillow's own without a file."""

    file: str = ""
    place: int = 0

    def at(self, size: float) -> Font:
        """The font in type of this size, in pixels."""
        return _font(self, size)

    def has(self, char: str) -> bool:
        """Whether it has a glyph of its own for a character."""
        return _has(self, char)


OWN = Face()
NO_FONT = "(words in a script that no font on this machine has)"


def face_for(text: str) -> Face:
    """The face to draw a text in: one that has all its letters, where there is one."""
    letters = "".join(sorted({char for char in text.translate(_PLAIN) if _counts(char)}))
    return OWN if all(map(OWN.has, letters)) else _system_face(letters[:_MOST_ASKED]) or OWN


def drawable(text: str) -> tuple[str, Face]:
    """A text as it can be drawn here, on one line, and the face for it.

    Of one that no font here has most letters of, a line that says so.
    """
    face = face_for(text)
    drawn = in_face(text, face)
    known = in_face(text, face, lacking="")
    return (drawn, face) if 2 * len(known) >= len(drawn) else (NO_FONT, OWN)


def wrapped(text: str, font: Font, width: float, most: int = 99) -> list[str]:
    """Lines at most `width` pixels wide, filled word by word; a word wider than one is broken.

    Stops soon after `most` lines, which is enough to know that there is no room.
    """
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".lstrip()
        if font.getlength(longer) <= width:
            lines[-1] = longer
            continue
        if lines[-1]:
            lines.append("")
        for char in word:
            if lines[-1] and font.getlength(lines[-1] + char) > width:
                lines.append("")
            lines[-1] += char
            if len(lines) > most:
                return lines
    return lines


def in_face(text: str, face: Face, lacking: str = "?") -> str:
    """A text as a face can draw it, on one line.

    Accents that it lacks are left off; for another letter that it lacks `lacking` stands, and other
    signs (emoji) are left out.
    """
    drawn = []
    for char in unicodedata.normalize("NFC", text.translate(_PLAIN)):
        if char.isspace():
            drawn.append(" ")
        elif face.has(char):
            drawn.append(char)
        elif _counts(char) or unicodedata.category(char)[0] == "L":
            bare = unicodedata.normalize("NFKD", char.translate(_BARE))
            bare = "".join(one for one in bare if not unicodedata.combining(one))
            drawn.append(bare if bare and all(map(face.has, bare)) else lacking)
    return " ".join("".join(drawn).split())


def _counts(char: str) -> bool:
    """Whether a text is not itself without this character: letters, digits and punctuation."""
    return not char.isspace() and unicodedata.category(char)[0] in "LNP"


@lru_cache(maxsize=256)
def _font(face: Face, size: float) -> Font:
    from PIL import ImageFont

    if not face.file:
        return ImageFont.load_default(size=size)
    return ImageFont.truetype(face.file, size, face.place)


@lru_cache(maxsize=8192)
def _has(face: Face, char: str) -> bool:
    def shape(text: str) -> tuple[object, bytes]:
        mask = face.at(24).getmask(text)
        return mask.size, bytes(mask)

    return (char.isascii() and char.isprintable()) or shape(char) != shape(_MISSING)


@lru_cache(maxsize=64)
def _system_face(letters: str) -> Face | None:
    """One of the system's fonts that has all these letters."""
    for face in (_by_fontconfig(letters), *(Face(path) for path in _USUAL)):
        if face and os.path.isfile(face.file):
            try:
                if all(map(face.has, letters)):
                    return face
            except (OSError, ValueError):  # no font that FreeType can scale
                continue
    return None


def _by_fontconfig(letters: str) -> Face | None:
    """The font that fontconfig has for these letters, if it is installed."""
    program = shutil.which("fc-match")
    if program is None:
        return None
    charset = " ".join(f"{ord(char):x}" for char in letters)
    words = [program, "--format=%{file}|%{index}", f"sans:charset={charset}"]
    try:
        done = subprocess.run(words, capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    file, _, index = done.stdout.partition("|")
    return Face(file, int(index) & 0xFFFF if index.isdigit() else 0) if file else None
