"""Reading a caption: which of its words can be set, what cannot be drawn, and what to admit."""

from __future__ import annotations

import unicodedata
from collections import Counter
from typing import NamedTuple

from .lettering import drawable

FOLDS = str.maketrans(
    {"–": "-", "‐": "-", "‑": "-", "−": "-", "—": " — ", "•": "·", "×": "x", "„": '"', "‚": "'"}
    | {"ß": "ss", "æ": "ae", "Æ": "AE", "œ": "oe", "Œ": "OE", "ø": "o", "Ø": "O", "ł": "l"}
    | {"Ł": "L", "đ": "d", "Đ": "D", "ð": "d", "Ð": "D", "þ": "th", "Þ": "Th", "ı": "i"}
    | {"→": "->", "€": "EUR ", "£": "GBP "}
)
DASHES = {"—", "-", "--"}  # each a word of its own, drawn as a line
SCRIPTS = {"IDEOGRAPHIC": "CJK", "CJK": "CJK", "HIRAGANA": "Kana", "KATAKANA": "Kana"}
NO_CAPTION = "No caption was given."
NO_SCRIPT = "This caption is in a script that the demo's font cannot draw:"
THE_REST = "The rest reads:"
BOX_NOTE = "Boxed: characters the demo's font cannot draw"
FOLD_NOTE = "Accents left off: the demo's font has none"


class Word(NamedTuple):
    """A word to be set; a boxed one stands for characters that cannot be drawn."""

    text: str
    boxed: bool = False


class Reading(NamedTuple):
    """A caption as it can be set, what it lacks (script -> characters), and what to admit."""

    words: tuple[Word, ...]
    missing: dict[str, int]
    notes: tuple[str, ...]


def script_of(char: str) -> str:
    """Return the script of a character the font lacks: 'CJK', 'Arabic', 'emoji', 'symbol' ..."""
    if unicodedata.category(char)[0] in "SN":
        return "emoji" if 0x2600 <= ord(char) < 0x27C0 or ord(char) >= 0x1F000 else "symbol"
    first = unicodedata.name(char, "UNKNOWN").split()[0].split("-")[0]
    return SCRIPTS.get(first, first.capitalize())


def _fold(char: str) -> str:
    """Return a character as the font can draw it ('é' -> 'e'), or '' where it cannot."""
    if drawable(char) or char in DASHES:
        return char
    plain = "".join(c for c in unicodedata.normalize("NFKD", char) if not unicodedata.combining(c))
    return plain if all(drawable(c) for c in plain) else ""


def _runs(text: str) -> list[tuple[str, str]]:
    """Split text into (script, characters); the script is '' for a word that can be drawn."""
    runs: list[tuple[str, list[str]]] = []
    joined = False  # does a drawable character continue the last run?
    for char in unicodedata.normalize("NFC", text).translate(FOLDS):
        category = unicodedata.category(char)
        if char.isspace() or category == "Cc":
            joined = False
            continue
        if category[0] in "CM" or (category == "Sk" and not drawable(char)):
            continue  # marks, joiners, skin tones: nothing to draw or count by themselves
        plain = _fold(char)
        bare = not any(c.isalnum() for c in plain) and plain not in DASHES
        if category[0] == "P" and (not plain or (bare and runs and runs[-1][0])):
            continue  # punctuation of, or right after, a run that is boxed anyway
        script = "" if plain else script_of(char)
        if runs and runs[-1][0] == script and (joined or script):
            runs[-1][1].append(plain or char)
        else:
            runs.append((script, [plain or char]))
        joined = True
    return [(script, "".join(characters)) for script, characters in runs]


def counted(number: int, thing: str) -> str:
    """Return '1 word', '2 words'."""
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"


def _words(text: str) -> list[Word]:
    return [Word(word) for word in text.split()]


def read(caption: str) -> Reading:
    """Return the caption as words that can be set, and what of it cannot be drawn."""
    runs = _runs(caption)
    plain = [Word(text) for script, text in runs if not script]
    letters = sum(c.isalnum() for word in plain for c in word.text)
    missing: Counter[str] = Counter()
    for script, text in runs:
        if script:
            missing[script] += len(text)
    accents = any(c.isalpha() and not drawable(c) and _fold(c) for c in caption)
    notes = (FOLD_NOTE,) if accents else ()
    if not missing:
        return Reading(tuple(plain or _words(NO_CAPTION)), {}, notes)
    if sum(missing.values()) <= letters:
        mixed = (Word(f"{len(text)} {kind}", True) if kind else Word(text) for kind, text in runs)
        return Reading(tuple(mixed), dict(missing), (BOX_NOTE, *notes))
    said = _words(NO_SCRIPT)
    said += [Word(f"{counted(n, 'character')}, {script}", True) for script, n in missing.items()]
    said += _words(THE_REST) + plain if letters else []
    return Reading(tuple(said), dict(missing), notes)


def drawable_part(text: str) -> str:
    """Return the words of a text that can be drawn."""
    return " ".join(text for script, text in _runs(text) if not script)
