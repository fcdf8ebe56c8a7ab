"""The file of a story: a title, a cast, places and shots, in Markdown that a person edits. Pure.

Headings name things, prose describes them, and a list item is a setting (`- seconds: 6`). Every
error says on which line it is.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from typing import NamedTuple, TypeVar

from .. import texts
from ..errors import UsageError

LARGEST_FILE = 1 << 20  # bytes
MOST_SHOTS, MOST_NAMED = 60, 20  # of the cast and of the places each
LONGEST_NAME = 60  # characters
SECTIONS = ("Cast", "Places", "Shots")
# What a setting of each thing may be besides an option of the command.
OF_FILM = ("transition", "music")
OF_PERSON = ("picture", "take")
OF_PLACE = ("picture",)
OF_SHOT = ("with", "in", "continues")
NOBODY = "nobody"
_TRUE, _FALSE = ("yes", "true", "on"), ("no", "false", "off")

_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_HEADING = re.compile(r"(#{1,6})(?:\s+(.*?))?\s*#*\s*")
_SETTING = re.compile(r"[-*]\s+([A-Za-z][\w -]*?)\s*:\s*(.*)")


class Setting(NamedTuple):
    """One list item: `- name: value`."""

    name: str  # as an option is called: with dashes, in lower case
    value: str
    line: int


class Person(NamedTuple):
    """One of the cast: a person, an animal, a thing that appears again."""

    name: str
    description: str
    line: int
    picture: str | None = None  # as written: a file; None where one is to be drawn
    is_drawn: bool = True  # False where it has no picture at all
    take: int = 1


class Place(NamedTuple):
    """Where shots are set."""

    name: str
    description: str
    line: int
    picture: str | None = None


class Shot(NamedTuple):
    """One shot. `cast` are names of the cast, as they are spelled there."""

    name: str
    prompt: str
    line: int
    cast: tuple[str, ...] = ()
    place: str | None = None
    continues: bool = False  # begins with the last frame of the shot before
    settings: tuple[Setting, ...] = ()


class Story(NamedTuple):
    """What the file says. `about` holds for every shot; `settings` are those of all shots."""

    title: str
    about: str
    settings: tuple[Setting, ...]
    cast: tuple[Person, ...]
    places: tuple[Place, ...]
    shots: tuple[Shot, ...]

    def person(self, name: str) -> Person:
        """The one of this name."""
        return next(one for one in self.cast if one.name == name)

    def setting(self, name: str) -> Setting | None:
        """The setting of the whole film of this name, if there is one."""
        return next((one for one in self.settings if one.name == name), None)


class _Block(NamedTuple):
    """A heading with what is below it."""

    name: str
    line: int
    prose: str
    settings: tuple[Setting, ...]


Named = TypeVar("Named", Person, Place, Shot)


def wrong(line: int, message: str, hint: str) -> UsageError:
    """The error of a line."""
    return UsageError(f"line {line}: {message}", hint)


def is_true(setting: Setting) -> bool:
    """Whether a setting says yes. Raises UsageError, without its line, unless it says yes or no."""
    value = setting.value.casefold()
    if value not in (*_TRUE, *_FALSE):
        raise UsageError(f"{setting.name}: {setting.value!r} is neither.", "Write yes or no.")
    return value in _TRUE


def read_story(text: str) -> Story:
    """Read a story. Raises UsageError, with the line."""
    if len(text.encode("utf-8", "replace")) > LARGEST_FILE:
        raise UsageError(f"it has more than {LARGEST_FILE >> 20} MiB.", "Shorten it.")
    title, sections = _sections(text)
    cast = tuple(_person(block) for block in sections["Cast"])
    places = tuple(_place(block) for block in sections["Places"])
    _check_names("the cast", cast, MOST_NAMED)
    _check_names("the places", places, MOST_NAMED)
    shots: list[Shot] = []
    for block in sections["Shots"]:
        shots.append(_shot(block, cast, places, first=not shots))
    if not shots:
        raise UsageError(
            "it has no shots.", "Add a line `## Shots`, and below it `### NAME` for each."
        )
    _check_names("the shots", shots, MOST_SHOTS)
    return Story(title.name, title.prose, title.settings, cast, places, tuple(shots))


def _sections(text: str) -> tuple[_Block, dict[str, list[_Block]]]:
    """The title's block, and the blocks of each section."""
    text = _COMMENT.sub(lambda found: "\n" * found[0].count("\n"), text.lstrip("\ufeff"))
    title: _Block | None = None
    found: dict[str, list[_Block]] = {name: [] for name in SECTIONS}
    section: str | None = None
    seen: set[str] = set()
    for level, name, number, lines in _headed(text):
        if level == 2:
            section = _section(name, number, seen)
            if any(line.strip() for _, line in lines):
                raise wrong(number, f"nothing stands right below {name}.", "Add `### NAME` first.")
        elif level == 1 and title is None:
            title = _block(name or "Film", number, lines)
        elif level == 3 and section is not None:
            found[section].append(_block(_name(name, number), number, lines))
        elif level:
            raise wrong(
                number,
                f"a heading {'#' * level} is not expected here.",
                "One `# TITLE`, then `## Cast`, `## Places` and `## Shots`, each with `### NAME`.",
            )
        elif any(line.strip() for _, line in lines):
            first = next(number for number, line in lines if line.strip())
            raise wrong(first, "the file begins without a title.", "Begin with `# TITLE`.")
    return title or _Block("Film", 1, "", ()), found


def _headed(text: str) -> list[tuple[int, str, int, list[tuple[int, str]]]]:
    """The headings: their level, name, line and the lines below; first what is above them all."""
    found: list[tuple[int, str, int, list[tuple[int, str]]]] = [(0, "", 1, [])]
    for number, line in enumerate(text.splitlines(), 1):
        heading = _HEADING.fullmatch(line)
        if heading:
            found.append((len(heading[1]), (heading[2] or "").strip(), number, []))
        else:
            found[-1][3].append((number, line))
    return found


def _section(name: str, number: int, seen: set[str]) -> str:
    section = name.capitalize()
    if section not in SECTIONS:
        raise wrong(number, f"{name!r} is no section.", f"Expected: {', '.join(SECTIONS)}.")
    if section in seen:
        raise wrong(number, f"there is a second {section}.", "Put all of them below the first.")
    seen.add(section)
    return section


def _name(name: str, number: int) -> str:
    shown = " ".join(name.split())
    if not shown or len(shown) > LONGEST_NAME or not any(char.isalnum() for char in shown):
        raise wrong(
            number,
            "there is no usable name.",
            f"Write `### NAME`, of at most {LONGEST_NAME} signs.",
        )
    return texts.checked(shown, f"line {number}: the name")


def _block(name: str, number: int, lines: list[tuple[int, str]]) -> _Block:
    """Prose and settings below a heading; the lines of a paragraph are one."""
    paragraphs: list[list[str]] = [[]]
    settings: list[Setting] = []
    for at, line in lines:
        plain = line.strip()
        if re.match(r"#{1,6}\w", plain):
            raise wrong(at, "a heading has a space after its signs.", "Such as `### Arrival`.")
        if found := _SETTING.fullmatch(plain):
            key = "-".join(found[1].lower().replace("_", " ").split())
            settings.append(Setting(key, found[2].strip(), at))
        elif plain.startswith(("- ", "* ")):
            raise wrong(
                at, "a list item is a setting.", "Such as `- seconds: 6`; prose needs no dash."
            )
        elif plain:
            paragraphs[-1].append(" ".join(plain.split()))
        elif paragraphs[-1]:
            paragraphs.append([])
    prose = "\n\n".join(" ".join(one) for one in paragraphs if one)
    if prose:
        prose = texts.checked(prose, f"line {number}: the text below {name!r}")
    for one in settings:
        if not one.value:
            raise wrong(one.line, f"{one.name} has no value.", f"Such as `- {one.name}: VALUE`.")
    return _Block(name, number, prose, tuple(settings))


def _person(block: _Block) -> Person:
    own = _only(block, OF_PERSON, "one of the cast")
    if not block.prose:
        raise wrong(block.line, f"{block.name} is not described.", "Say what can be seen of them.")
    picture, take = own.get("picture"), own.get("take")
    none = picture is not None and picture.value.casefold() == "none"
    number = 1
    if take is not None:
        if not (take.value.isascii() and take.value.isdigit() and 1 <= int(take.value) <= 9999):
            raise wrong(take.line, f"take: {take.value!r} is no take.", "A number from 1 to 9999.")
        if picture is not None:
            raise wrong(take.line, "take is of a picture to be drawn.", "Leave one of them out.")
        number = int(take.value)
    given = picture.value if picture and not none else None
    return Person(block.name, block.prose, block.line, given, not none, number)


def _place(block: _Block) -> Place:
    picture = _only(block, OF_PLACE, "a place").get("picture")
    if not block.prose and picture is None:
        raise wrong(block.line, f"{block.name} is not described.", "Say what the place looks like.")
    return Place(block.name, block.prose, block.line, picture.value if picture else None)


def _shot(block: _Block, cast: Sequence[Person], places: Sequence[Place], *, first: bool) -> Shot:
    if not block.prose:
        raise wrong(block.line, f"{block.name} has no prompt.", "Write below it what happens.")
    own: dict[str, Setting] = {}
    for one in block.settings:
        if one.name in OF_SHOT and own.setdefault(one.name, one) is not one:
            raise wrong(one.line, f"there is a second {one.name}.", "Leave one of them out.")
    continues = False
    if "continues" in own:
        try:
            continues = is_true(own["continues"])
        except UsageError as error:
            raise wrong(own["continues"].line, error.message, error.hint) from None
    if continues and first:
        raise wrong(
            own["continues"].line, "the first shot has none before it.", "Leave out `continues`."
        )
    for name in ("with", "in") if continues else ():
        if name in own:
            raise wrong(
                own[name].line,
                f"{name} has no effect beside continues: the last frame shows who is there.",
                "Leave one of them out.",
            )
    people = mentioned(block.prose, (one.name for one in cast))
    if "with" in own:
        people = _listed(own["with"], cast)
    place = next(iter(mentioned(block.prose, (one.name for one in places))), None)
    if "in" in own:
        place = _one_of(own["in"], own["in"].value, "the places", places)
    rest = tuple(one for one in block.settings if one.name not in OF_SHOT)
    named = () if continues else people
    return Shot(
        block.name, block.prose, block.line, named, None if continues else place, continues, rest
    )


def _only(block: _Block, known: tuple[str, ...], what: str) -> dict[str, Setting]:
    """The settings by name. Raises UsageError for others, and for two of one name."""
    found: dict[str, Setting] = {}
    for one in block.settings:
        if one.name not in known:
            raise wrong(
                one.line, f"{one.name!r} is no setting of {what}.", f"Expected: {', '.join(known)}."
            )
        if one.name in found:
            raise wrong(one.line, f"there is a second {one.name}.", "Leave one of them out.")
        found[one.name] = one
    return found


def _listed(setting: Setting, cast: Sequence[Person]) -> tuple[str, ...]:
    """The people of `with`, in the order of the cast."""
    if setting.value.casefold() == NOBODY:
        return ()
    names = [name.strip() for name in setting.value.split(",")]
    found = {_one_of(setting, name, "the cast", cast) for name in names if name}
    return tuple(one.name for one in cast if one.name in found)


def _one_of(setting: Setting, name: str, what: str, among: Sequence[Person | Place]) -> str:
    for one in among:
        if one.name.casefold() == name.casefold():
            return one.name
    known = ", ".join(one.name for one in among) or "none yet"
    raise wrong(setting.line, f"{name!r} is none of {what}.", f"There are: {known}.")


def mentioned(prose: str, names: Iterable[str]) -> tuple[str, ...]:
    """The names that a text has, as whole words, in their order here."""
    return tuple(name for name in names if _has(prose, name))


def _has(prose: str, name: str) -> bool:
    pattern = re.escape(name)
    # Scripts that put no space between words have no whole words to look for.
    if not any(unicodedata.east_asian_width(char) in "WF" for char in name):
        pattern = rf"(?<!\w){pattern}(?!\w)"
    return re.search(pattern, prose, re.IGNORECASE) is not None


def _check_names(what: str, named: Sequence[Named], most: int) -> None:
    """Raise UsageError where there are too many, or two of one name."""
    if len(named) > most:
        raise wrong(
            named[most].line, f"{what} are more than {most}.", f"At most {most}: make two stories."
        )
    seen: dict[str, int] = {}
    for one in named:
        before = seen.setdefault(one.name.casefold(), one.line)
        if before != one.line:
            raise wrong(
                one.line, f"{one.name!r} is there already, on line {before}.", "Name it otherwise."
            )
