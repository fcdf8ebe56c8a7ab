"""The types of option values: what each may be, and the error that says so.

Imported by `--help`: nothing slow at the top.
"""

from __future__ import annotations

import argparse
import os

from ..defaults import EXTEND, FITS, MOST_AT_ONCE, MOST_CANDIDATES, MOST_SHARDS
from ..prompts.styles import STYLES
from ..texts import FROM_FILE

STYLE_NAMES = ", ".join(STYLES)


def path(text: str) -> str:
    """A path as given; by this type `absolute_words` knows that it is one."""
    return text


def text(text: str) -> str:
    """A text, or the name of a file with it: "@FILE"; by this type `absolute_words` knows it."""
    return text


def absolute_words(parser: argparse.ArgumentParser, words: list[str]) -> list[str]:
    """The words of a command line with absolute paths, so that it works from any folder."""
    kinds = {flag: action for action in parser._actions for flag in action.option_strings}
    # A word that is no option's value is a prompt or a caption.
    texts = {flag for flag, action in kinds.items() if action.type is text}
    paths = {flag for flag, action in kinds.items() if action.type is path}
    others = {flag for flag, action in kinds.items() if action.nargs != 0} - texts
    several = {flag for flag, action in kinds.items() if action.nargs == "+"}
    found: list[str] = []
    last = ""  # the option that the words belong to
    for word in words:
        flag, equals, value = word.partition("=")
        before = last if last in several else found[-1] if found else ""
        last = word if word.startswith("-") else last
        if equals and flag in paths:
            found.append(f"{flag}={_absolute(value)}")
        elif equals and flag in texts:
            found.append(f"{flag}={_absolute_text(value)}")
        elif before in paths and not (before in several and word.startswith("-")):
            found.append(_absolute(word))
        else:
            found.append(word if before in others else _absolute_text(word))
    return found


def _absolute_text(typed: str) -> str:
    """ "@FILE" with an absolute path; any other text as it is."""
    return f"{FROM_FILE}{_absolute(typed[1:])}" if typed.startswith(FROM_FILE) else typed


def _absolute(typed: str) -> str:
    """- is stdin, and nothing is no path."""
    return os.path.abspath(os.path.expanduser(typed)) if typed not in ("", "-") else typed


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


def _whole_number(text: str, least: int, most: int, expected: str = "") -> int:
    """A whole number in ASCII digits; leading zeros do not count, however many there are."""
    digits = text.lstrip("0") or "0"
    # By its length first: Python refuses to convert thousands of digits.
    if not (text.isascii() and text.isdigit() and len(digits) <= len(str(most))) or not (
        least <= int(digits) <= most
    ):
        expected = expected or f"a whole number from {least} to {most} was expected"
        raise argparse.ArgumentTypeError(f"{text!r}: {expected}")
    return int(digits)


def seconds(text: str) -> int:
    """Whole seconds of a clip."""
    return _whole_number(text, 1, 60, "whole seconds from 1 to 60 were expected")


def resolution(text: str) -> str:
    """A resolution: "720p", "1080p", "2k", "4k"; in pixels "832x480"."""
    word = text.strip().lower()
    sides = word.split("x")
    if len(sides) == 2 and all(s.isascii() and s.isdigit() and 2 < len(s) < 5 for s in sides):
        return f"{_whole_number(sides[0], 100, 9999)}x{_whole_number(sides[1], 100, 9999)}"
    digits, unit = word[:-1], word[-1:]
    fine = digits.isascii() and digits.isdigit() and digits[0] != "0"
    if not fine or (unit, len(digits)) not in (("p", 3), ("p", 4), ("k", 1)):
        raise argparse.ArgumentTypeError(
            f"{text!r} is no resolution; expected one such as 720p, 1080p, 4k or 832x480"
        )
    return word


_SIDES = {"top": (0.5, 0), "bottom": (0.5, 1), "left": (0, 0.5), "right": (1, 0.5)}


def fit(text: str) -> str:
    """How a picture is fitted: "crop", "pad", "none"; "crop:x,y" with the place that is kept.

    x and y are shares of its width and height, from its top left corner; a side stands for two.
    """
    from ..money import amount

    kind, colon, place = text.strip().lower().partition(":")
    if kind in (*FITS, EXTEND) and (not colon or (kind, place) == ("crop", "center")):
        return kind
    if kind == "crop" and place in _SIDES:
        return "crop:{:g},{:g}".format(*_SIDES[place])
    shares = [amount(part) for part in place.split(",")]
    x, y = [*shares, None, None][:2]
    if kind == "crop" and len(shares) == 2 and x is not None and y is not None and max(x, y) <= 1:
        return f"crop:{x:g},{y:g}"
    kinds = ", ".join((*FITS, EXTEND))
    raise argparse.ArgumentTypeError(
        f"{text!r}: expected {kinds}, or crop:top, crop:bottom, crop:left, crop:right, or crop:X,Y "
        "with two shares from 0 to 1"
    )


def usd(text: str) -> float:
    """An amount in USD."""
    from ..money import amount

    found = amount(text)
    if found is None:
        raise argparse.ArgumentTypeError(f"{text!r}: an amount in USD was expected, such as 2.5")
    return found


def links(text: str) -> int:
    """How many clips one prompt is to have."""
    return _whole_number(text, 2, 12)


def shots(text: str) -> int:
    """How many shots a story is to have."""
    return _whole_number(text, 1, 20)


def take(text: str) -> int:
    """The number of a take."""
    return _whole_number(text, 1, 9999)


def candidates(text: str) -> int:
    """How many candidates."""
    return _whole_number(text, 1, MOST_CANDIDATES)


def concurrency(text: str) -> int:
    """How many runs at once."""
    return _whole_number(text, 1, MOST_AT_ONCE)


def shard(text: str) -> tuple[int, int]:
    """Which of how many shards: "2/8"."""
    number, _, of = text.partition("/")
    expected = f"K/N was expected, K from 1 to N and N at most {MOST_SHARDS:,}, such as 2/8"
    try:
        shards = _whole_number(of, 1, MOST_SHARDS)
        return _whole_number(number, 1, shards), shards
    except argparse.ArgumentTypeError:
        raise argparse.ArgumentTypeError(f"{text!r}: {expected}") from None


def candidate(text: str) -> str:
    """The number of a candidate; that of an edited one ends in r."""
    name = text.strip().lower()
    digits = name.removesuffix("r")
    expected = (
        "the number of a candidate was expected, as on the contact sheet (2, or 2r for an edited "
        "one)"
    )
    number = _whole_number(digits, 1, MOST_CANDIDATES, expected)
    return str(number) + ("r" if name.endswith("r") else "")


def score(text: str) -> float:
    """A share of the questions, 0 to 1."""
    from ..money import amount

    found = amount(text)
    if found is None or found > 1:
        raise argparse.ArgumentTypeError(f"{text!r}: a share from 0 to 1 was expected, such as 0.8")
    return found


def seed(text: str) -> int:
    """A seed: what every gateway can carry, 31 bits."""
    return _whole_number(text, 0, (1 << 31) - 1)


def server_field(text: str) -> str:
    """A field of a server's call and its value, "KEY=VALUE"."""
    key, equals, value = text.partition("=")
    key, value = key.strip(), value.strip()
    named = key.isascii() and key.isidentifier() and len(key) <= 64
    if not (equals and named and value and len(value) <= 4_000 and value.isprintable()):
        raise argparse.ArgumentTypeError(
            f"{text[:80]!r}: expected a field of the server and its value, such as fps=16"
        )
    return f"{key}={value}"


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
