"""Draws what the demo gateway answers with: a storyboard card, and a clip that moves over it.

No model makes these pictures, and every one says so. All functions are pure: bytes in, bytes out,
no files, no clock; whatever looks random is seeded by the caption and the style.

A card is a picture above a calm panel that holds the caption. Every length is a multiple of the
*unit*, 1/720 of the short side, so that a card looks the same at 480p and at 1080p.
"""

from __future__ import annotations

import colorsys
import hashlib
import io
import math
import random
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple, cast

if TYPE_CHECKING:
    from av import VideoFrame
    from PIL import Image, ImageDraw, ImageFont

Size = tuple[int, int]

SHORT_SIDES = {"480p": 480, "720p": 720, "1080p": 1080}
ZOOM = 1.08  # the push-in of the clip: visible over three seconds, calm over ten
CROPPED = (1 - 1 / ZOOM) / 2  # the share of each side that the push-in takes away
SUPERSAMPLE = 2  # Pillow draws polygons and discs with hard edges: draw large, then reduce


def canvas(aspect_ratio: str, resolution: str = "720p") -> Size:
    """Return (width, height) in pixels, both even; '720p' is 720 on the short side.

    Raises ValueError for a resolution not in SHORT_SIDES, and for a ratio that is not 'W:H' in
    whole numbers or lies outside 1:4 .. 4:1.
    """
    if resolution not in SHORT_SIDES:
        raise ValueError(f"resolution {resolution!r}: expected one of {', '.join(SHORT_SIDES)}")
    parts = aspect_ratio.split(":")
    if len(parts) != 2 or not all(p.isascii() and p.isdigit() and len(p) < 7 for p in parts):
        raise ValueError(f"aspect ratio {aspect_ratio!r}: expected W:H, such as 16:9")
    wide, high = int(parts[0]), int(parts[1])
    if not (0 < wide <= 4 * high and 0 < high <= 4 * wide):
        raise ValueError(f"aspect ratio {aspect_ratio!r}: expected between 1:4 and 4:1")
    short = SHORT_SIDES[resolution]
    long = 2 * round(short * max(wide, high) / min(wide, high) / 2)
    return (long, short) if wide >= high else (short, long)


# --- Styles: a palette and a manner of painting ---------------------------------------------------


class Palette(NamedTuple):
    """The colours of a card, '#rrggbb'; `glow` is the sky at the horizon."""

    sky: str
    glow: str
    disc: str
    far: str
    near: str
    panel: str
    ink: str
    accent: str


class Manner(NamedTuple):
    """How a style paints its scene."""

    mist: float = 0.0  # how far the foot of a ridge fades into the glow, 0..1
    soft: float = 0.0  # blur of the farthest ridge, in units: depth of field
    halo: float = 0.0  # light around the disc, 0..1
    shadow: float = 0.0  # how dark a ridge shades the one behind it, 0..1
    rings: int = 0  # thin circles around the disc
    grain: int = 0  # paper or film grain, in levels of 255
    finish: str = ""  # 'bars' (letterbox), 'brush' (strokes) or 'wash' (transparent layers)


# sky, glow, disc, far, near, panel, ink, accent
PALETTES = {
    "photorealistic": "#5f7f9e #ecd6b8 #fff3da #8b9ba2 #27343a #f5f2ec #22282c #a3461f",
    "cinematic": "#0e2a33 #dc8a4a #ffdca6 #47605f #0b1416 #0a0d0f #efe9df #f0a35e",
    "anime": "#3594e4 #d5f1ff #fffbe4 #86cfae #2a6f7c #ffffff #1d2b4a #c92f68",
    "illustration": "#f6dfb6 #f6c193 #e4572e #6d9a86 #1f4e5f #fbf3e4 #23303a #b93d25",
    "3d-render": "#c3c7ea #f3e9f4 #ff9066 #b9abea #6450c4 #1f1b33 #f2effc #ffb08a",
    "oil-painting": "#3c5a8a #e9be62 #fae8ac #75834f #2f2d1f #2a211a #f3e7d2 #e3aa50",
    "watercolor": "#b4d3e2 #fbf6ea #f0a48a #9fc4c4 #47788a #fbf8f1 #2c3f4a #a8452f",
}
MANNERS = {
    "photorealistic": Manner(mist=0.55, soft=6, halo=0.75, grain=5),
    "cinematic": Manner(mist=0.35, soft=4, halo=0.85, grain=5, finish="bars"),
    "anime": Manner(halo=0.35, rings=1),
    "illustration": Manner(rings=3, grain=5),
    "3d-render": Manner(mist=0.2, shadow=0.5),
    "oil-painting": Manner(mist=0.2, halo=0.6, finish="brush"),
    "watercolor": Manner(grain=5, finish="wash"),
}
OTHER_MANNER = Manner(mist=0.3, soft=3, halo=0.5, grain=4)
# Any other style: hue (in turns from the word's own), lightness, saturation. Only the hue hangs on
# the word, so that the contrast holds for all.
OTHER_TONES = Palette(
    sky="0 0.62 0.4",
    glow="0.08 0.88 0.6",
    disc="0.1 0.94 0.8",
    far="0 0.6 0.22",
    near="0.03 0.2 0.32",
    panel="0 0.965 0.4",
    ink="0 0.14 0.3",
    accent="0.92 0.3 0.5",
)


def palette_of(style: str) -> Palette:
    """Return the palette of a style; any other word gets a stable one of its own."""
    word = style.strip().lower()
    if word in PALETTES:
        return Palette(*PALETTES[word].split())
    hue = hashlib.sha256(word.encode("utf-8", "replace")).digest()[0] / 256

    def tone(values: str) -> str:
        turn, lightness, saturation = map(float, values.split())
        parts = colorsys.hls_to_rgb((hue + turn) % 1, lightness, saturation)
        return "#" + "".join(f"{round(255 * part):02x}" for part in parts)

    return Palette(*map(tone, OTHER_TONES))


def _rgb(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def _mix(one: str, other: str, share: float) -> str:
    """Return the colour `share` of the way from one to the other."""
    pairs = zip(_rgb(one), _rgb(other), strict=True)
    return "#" + "".join(f"{round(a + (b - a) * share):02x}" for a, b in pairs)


def contrast(one: str, other: str) -> float:
    """Return the contrast ratio of two colours, 1..21 (WCAG 2.2, relative luminance)."""

    def luminance(colour: str) -> float:
        parts = (part / 255 for part in _rgb(colour))
        red, green, blue = (
            part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
        )
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def text_colours(palette: Palette) -> dict[str, tuple[str, str]]:
    """Return the (text, ground) colours of everything that is written on a card."""
    on_accent = max("#ffffff", "#101010", key=lambda colour: contrast(colour, palette.accent))
    return {
        "caption": (palette.ink, palette.panel),
        "small": (_mix(palette.ink, palette.panel, 0.28), palette.panel),
        "label": (palette.accent, palette.panel),
        "stamp": (on_accent, palette.accent),
    }


# --- Reading the caption: what can the built-in font draw? ---------------------------------------

# The font inside Pillow has ASCII and a few quotes, no accents and no dashes. It is used all the
# same: it needs no file of the system, so a card is the same on every machine.
FOLDS = str.maketrans(
    {"–": "-", "‐": "-", "‑": "-", "−": "-", "—": " — ", "•": "·", "×": "x", "„": '"', "‚": "'"}
    | {"ß": "ss", "æ": "ae", "Æ": "AE", "œ": "oe", "Œ": "OE", "ø": "o", "Ø": "O", "ł": "l"}
    | {"Ł": "L", "đ": "d", "Đ": "D", "ð": "d", "Ð": "D", "þ": "th", "Þ": "Th", "ı": "i"}
    | {"→": "->", "€": "EUR ", "£": "GBP "}
)
DASHES = {"—", "-", "--"}  # each a word of its own, drawn as a line
SCRIPTS = {"IDEOGRAPHIC": "CJK", "CJK": "CJK", "HIRAGANA": "Kana", "KATAKANA": "Kana"}
STAMP = "drawn locally, no AI model was called"
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


@lru_cache(maxsize=256)
def _font(size: float) -> ImageFont.FreeTypeFont:
    from PIL import ImageFont

    return cast("ImageFont.FreeTypeFont", ImageFont.load_default(size=size))


@lru_cache(maxsize=4096)
def drawable(char: str) -> bool:
    """Say whether the built-in font has a glyph of its own for this character."""

    def shape(text: str) -> tuple[object, bytes]:
        mask = _font(24).getmask(text)
        return mask.size, bytes(mask)

    return shape(char) != shape("\U0010fffd")  # a private code point: the 'missing' glyph


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


def _count(number: int, thing: str) -> str:
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
    said += [Word(f"{_count(n, 'character')}, {script}", True) for script, n in missing.items()]
    said += _words(THE_REST) + plain if letters else []
    return Reading(tuple(said), dict(missing), notes)


def _drawable_part(text: str) -> str:
    return " ".join(text for script, text in _runs(text) if not script)


# --- Setting the caption: pure measures, in pixels ------------------------------------------------

# (largest share of the card's height for the panel, smallest type in units): a short caption
# leaves the room to the picture, a long one may take it before its type becomes hard to read.
ROOMS = ((0.40, 30), (0.50, 23), (0.68, 17), (0.80, 15))
LARGEST_TYPE, TYPE_STEP = 64, 0.94
LABEL, SMALL = 15, 17  # the type of the labels and of the footer
LETTER = 0.44  # mean width of a letter of this font, with its share of the spaces, in type sizes
TRACKING = 0.14  # air between the capitals of a label, in type sizes
MEASURE = (34, 70)  # letters a line, least and most
HEAD, FOOT, GAP, BAR = 76, 36, 48, 32  # above the text, under it, between columns; the time bar


class Line(NamedTuple):
    """One line of the caption: the box it fills, and its words."""

    left: float
    top: float
    right: float
    bottom: float
    words: tuple[Word, ...]


class Layout(NamedTuple):
    """Where everything on a card goes; `panel` and `text` are (left, top, right, bottom)."""

    unit: float
    panel: tuple[float, float, float, float]
    text: tuple[float, float, float, float]
    font_size: float
    lines: tuple[Line, ...]
    more: int  # words that were left out
    footer: str


class Block(NamedTuple):
    """The caption wrapped at one type size into equal columns."""

    lines: list[list[Word]]
    font_size: float
    leading: float
    columns: int
    width: float  # of one column
    room: float  # the height it may take

    @property
    def rows(self) -> int:
        """The number of lines in the longest column."""
        return math.ceil(len(self.lines) / self.columns)


def _width(word: Word, size: float) -> float:
    if word.boxed:
        return _font(0.72 * size).getlength(word.text) + 0.8 * size
    return 0.9 * size if word.text in DASHES else _font(size).getlength(word.text)


def _line_width(line: list[Word], size: float) -> float:
    return sum(_width(word, size) for word in line) + _font(size).getlength(" ") * (len(line) - 1)


def _broken(words: Iterable[Word], size: float, width: float) -> Iterator[Word]:
    """Yield the words, cutting those that are wider than a line by themselves."""
    for word in words:
        rest = word
        while not rest.boxed and len(rest.text) > 1:
            head = rest.text[:200]  # more than any line holds: a huge word is not measured whole
            if _width(Word(head), size) <= width:
                break
            cut = max(1, int(len(head) * width / _width(Word(head), size)))
            while cut > 1 and _width(Word(rest.text[:cut]), size) > width:
                cut -= 1
            yield Word(rest.text[:cut])
            rest = Word(rest.text[cut:])
        yield rest


def _wrapped(words: Iterable[Word], size: float, width: float, most: int) -> list[list[Word]]:
    """Fill lines word by word; stops one line after `most`, which is enough to know."""
    space = _font(size).getlength(" ")
    lines: list[list[Word]] = []
    used = math.inf
    for word in _broken(words, size, width):
        need = _width(word, size)
        if used + space + need > width:
            if len(lines) > most:
                break
            lines.append([])
            used = -space
        lines[-1].append(word)
        used += space + need
    return lines


def _balanced(words: Iterable[Word], size: float, width: float, most: int) -> list[list[Word]]:
    """Wrap a few lines as evenly as they go, rather than leaving one word on the last."""
    lines = _wrapped(words, size, width, most)
    if not 1 < len(lines) <= min(4, most):
        return lines
    for percent in range(95, 50, -5):
        narrower = _wrapped(words, size, width * percent / 100, most)
        if len(narrower) > len(lines):
            break
        lines = narrower
    return lines


def _leading(points: float) -> float:
    """Return the line height in type sizes: small type in long lines wants more air."""
    return 1.44 - 0.24 * min(1.0, max(0.0, (points - 17) / 30))


def _below(size: Size) -> float:
    """Return the lower margin: what the push-in takes away, and the time bar of the clip."""
    return size[1] * CROPPED + (BAR + 12) * min(size) / 720


def _blocks(words: tuple[Word, ...], size: Size, room: float, foot: float) -> Iterator[Block]:
    """Yield ways to set the words across `room` pixels, the most generous first."""
    unit = min(size) / 720
    for share, smallest in ROOMS:
        free = share * size[1] - _below(size) - HEAD * unit - foot
        steps = math.ceil(math.log(smallest / LARGEST_TYPE, TYPE_STEP))
        for points in [LARGEST_TYPE * TYPE_STEP**step for step in range(steps)] + [smallest]:
            font_size, leading = points * unit, _leading(points) * points * unit
            for columns in (1, 2, 3, 4):
                width = (room - (columns - 1) * GAP * unit) / columns
                width = min(width, MEASURE[1] * LETTER * font_size)
                narrow = width < MEASURE[0] * LETTER * font_size
                if narrow and columns > 1:
                    break
                most = columns * max(1, int(free / leading))
                lines = _balanced(words, font_size, width, most)
                if narrow and len(lines) > 3 and points > smallest:
                    break  # display type may run in short lines, but only a few of them
                yield Block(lines, font_size, leading, columns, width, free)


def _cut(block: Block, words: int, foot: float) -> tuple[Block, int]:
    """Keep the lines there is room for, end with an ellipsis, and count the words left out."""
    rows = max(1, int((block.room - foot) / block.leading))
    lines = block.lines[: rows * block.columns]
    last = lines[-1]
    while len(last) > 1 and _line_width([*last, Word("…")], block.font_size) > block.width:
        last = last[:-1]
    lines = [*lines[:-1], [*last, Word("…")]]
    return block._replace(lines=lines), max(1, words - sum(map(len, lines)) + 1)


def _shortened(text: str, size: float, width: float) -> str:
    """Cut a small line at a word where it would not fit."""
    font, kept = _font(size), text
    while kept and font.getlength(kept if kept == text else kept + "…") > width:
        kept = kept.rpartition(" ")[0]
    return kept if kept == text else kept + "…"


def lay_out(caption: str, size: Size, note: str = "") -> Layout:
    """Set a caption on a card of `size` pixels, in the largest type that leaves the picture room.

    Every line lies inside `text`, and `text` inside `panel`. What cannot be set even in the
    smallest type is left out, and `more` counts its words.
    """
    width, height = size
    unit = min(size) / 720
    words, _, notes = read(caption)
    notes = tuple(filter(None, (_drawable_part(note), *notes)))
    left, foot, more = width * CROPPED + 30 * unit, FOOT * unit, 0
    for block in _blocks(words, size, width - 2 * left, foot if notes else 0):
        if block.rows * block.leading <= block.room:
            break
    else:
        block, more = _cut(block, len(words), 0 if notes else foot)
        notes = (f"{_count(more, 'more word')} not shown", *notes)
    bottom = height - _below(size) - (foot if notes else 0)
    top = bottom - block.rows * block.leading
    lines = []
    for index, line in enumerate(block.lines):
        column, row = divmod(index, block.rows)
        x, y = left + column * (block.width + GAP * unit), top + row * block.leading
        right = x + _line_width(line, block.font_size)
        lines.append(Line(x, y, right, y + block.leading, tuple(line)))
    return Layout(
        unit=unit,
        panel=(0, top - HEAD * unit, width, height),
        text=(left, top, width - left, bottom),
        font_size=block.font_size,
        lines=tuple(lines),
        more=more,
        footer=_shortened(" · ".join(notes), SMALL * unit, width - 2 * left),
    )


# --- Painting the scene: a hint of a landscape on the thirds grid ---------------------------------


class Brush(NamedTuple):
    """What every painting function needs; the dice are seeded, the unit is in pixels."""

    palette: Palette
    manner: Manner
    dice: random.Random
    unit: float


def _gradient(size: Size, top: str, bottom: str) -> Image.Image:
    from PIL import Image, ImageOps

    ramp = Image.linear_gradient("L").resize(size, Image.Resampling.BICUBIC)
    return ImageOps.colorize(ramp, _rgb(top), _rgb(bottom))


def _noise(size: Size, dice: random.Random, cell: float) -> Image.Image:
    """Return a grey cloud whose grains are about `cell` pixels wide."""
    from PIL import Image

    coarse = max(1, round(size[0] / cell)), max(1, round(size[1] / cell))
    grains = Image.frombytes("L", coarse, dice.randbytes(coarse[0] * coarse[1]))
    return grains.resize(size, Image.Resampling.BICUBIC)


def _profile(kind: str, dice: random.Random) -> Callable[[float], float]:
    """Return the height (about 0..1) of a ridge as a function of x, in typical rises."""
    one, two, three = (dice.uniform(0, math.tau) for _ in range(3))

    def hills(x: float) -> float:
        waves = math.sin(1.3 * x + one) / 1.3 + math.sin(2.9 * x + two) / 2.9
        return 0.5 + (waves + math.sin(5.3 * x + three) / 5.3) / 3

    def peaks(x: float) -> float:
        saws = ((0.9, one), (2.3, two), (5.9, three))
        return sum(abs((x * pitch + phase) % 2 - 1) / pitch for pitch, phase in saws) / 1.8

    def shore(x: float) -> float:
        return 0.04 * math.sin(x + one)

    blocks = [dice.choice((0.15, 0.3, 0.45, 0.7, 1.0)) for _ in range(61)]

    def towers(x: float) -> float:
        return blocks[int(5 * x) % len(blocks)]

    return {"hills": hills, "peaks": peaks, "shore": shore, "towers": towers}[kind]


def _ridge(size: Size, foot: float, rise: float, height: Callable[[float], float]) -> Image.Image:
    """Return the mask of a ridge that stands on y = foot and fills everything under it."""
    from PIL import Image, ImageDraw

    mask = Image.new("L", size)
    line = [(x, foot - rise * height(x / (2.2 * rise))) for x in range(size[0] + 1)]
    ImageDraw.Draw(mask).polygon([(0, size[1]), *line, size], fill=255)
    return mask


def _lay(
    picture: Image.Image, paint: Image.Image, mask: Image.Image, soft: float, b: Brush
) -> None:
    """Lay one shape on the picture in the manner of the style; `soft` is the blur of its edge."""
    from PIL import ImageChops
    from PIL.ImageFilter import GaussianBlur

    if soft:
        mask = mask.filter(GaussianBlur(soft))
    if b.manner.shadow:
        shade = mask.filter(GaussianBlur(26 * b.unit)).point(lambda v: int(v * b.manner.shadow))
        picture.paste(_rgb(b.palette.near), mask=shade)
    if b.manner.finish == "wash":  # pigment pools in clouds, and dries darker at the edge
        cloud = _noise(mask.size, b.dice, 90 * b.unit).point(lambda v: 120 + v // 3)
        edge = ImageChops.subtract(mask, mask.filter(GaussianBlur(5 * b.unit)))
        mask = ImageChops.add(ImageChops.multiply(mask, cloud), edge.point(lambda v: v // 2))
    picture.paste(paint, mask=mask)


def _disc(picture: Image.Image, x: float, y: float, radius: float, b: Brush) -> None:
    from PIL import Image, ImageDraw

    colour = b.palette.disc
    if b.manner.halo:
        reach = round(radius * 5)
        # Pillow's gradient reaches 255 in the corners; 180 is its inscribed circle.
        light = Image.radial_gradient("L").point(
            lambda v: int(255 * b.manner.halo * max(0.0, 1 - v / 180) ** 2)
        )
        light = light.resize((2 * reach, 2 * reach), Image.Resampling.BICUBIC)
        picture.paste(_rgb(colour), (round(x) - reach, round(y) - reach), light)
    mask = Image.new("L", picture.size)
    ImageDraw.Draw(mask).ellipse((x - radius, y - radius, x + radius, y + radius), fill=255)
    paint = Image.new("RGB", picture.size, colour)
    if b.manner.shadow:
        globe = _gradient((round(2 * radius),) * 2, colour, _mix(colour, b.palette.near, 0.45))
        paint.paste(globe, (round(x - radius), round(y - radius)))
    _lay(picture, paint, mask, 0, b)
    for ring in range(b.manner.rings):
        r = radius * (1.35 + 0.35 * ring)
        box = (x - r, y - r, x + r, y + r)
        ImageDraw.Draw(picture).ellipse(box, outline=colour, width=round(2.5 * b.unit))


def _scene(size: Size, b: Brush) -> Image.Image:
    """Paint sky, disc and ridges: the disc on a thirds crossing, the ground from a thirds line."""
    from PIL import Image

    (width, height), palette = size, b.palette
    span = min(width, height * 1.6)
    kind = b.dice.choice(("hills", "peaks", "shore", "towers"))
    picture = _gradient(size, palette.sky, palette.glow)
    side, radius = b.dice.choice((1, 2)), span * b.dice.uniform(0.07, 0.14)
    _disc(picture, width * side / 3, height / 3, radius, b)
    ridges = b.dice.choice((3, 4))
    for index in range(ridges):
        depth = 1 - index / (ridges - 1)  # 1 is far, 0 is near
        foot = height * (2 / 3 + 0.28 * (1 - depth))
        rise = span * (0.1 + 0.12 * depth) * b.dice.uniform(0.8, 1.2)
        mask = _ridge(size, foot, rise, _profile(kind if depth else "hills", b.dice))
        tone = _mix(palette.near, palette.far, depth)
        paint = Image.new("RGB", size, tone)
        misty = _mix(tone, palette.glow, b.manner.mist * depth)
        fade = _gradient((width, max(1, round(height - foot + rise))), tone, misty)
        paint.paste(fade, (0, height - fade.height))
        _lay(picture, paint, mask, b.manner.soft * depth * b.unit, b)
    return picture


def _stroked(picture: Image.Image, b: Brush) -> None:
    """Repaint a picture in short strokes with round ends, broad ones first."""
    from PIL import ImageDraw, ImageFilter

    colours = picture.filter(ImageFilter.GaussianBlur(2 * b.unit))
    draw = ImageDraw.Draw(picture)
    for breadth, cover in ((20, 1.5), (8, 1.6)):
        wide, long = breadth * b.unit, 3.5 * breadth * b.unit
        for _ in range(int(cover * picture.width * picture.height / (long * wide))):
            x, y = b.dice.randrange(picture.width), b.dice.randrange(picture.height)
            turn = 0.35 * math.sin(x / (300 * b.unit)) + b.dice.uniform(-0.18, 0.18)
            dx, dy = math.cos(turn) * long / 2, math.sin(turn) * long / 2
            light = b.dice.randint(-9, 9)
            red, green, blue = cast("tuple[int, int, int]", colours.getpixel((x, y)))
            paint, r = (red + light, green + light, blue + light), wide / 2
            draw.line((x - dx, y - dy, x + dx, y + dy), paint, round(wide))
            draw.ellipse((x - dx - r, y - dy - r, x - dx + r, y - dy + r), paint)
            draw.ellipse((x + dx - r, y + dy - r, x + dx + r, y + dy + r), paint)


def _grid(picture: Image.Image, unit: float) -> None:
    """Draw the rule of thirds, faint, with a small cross on each of its four crossings."""
    from PIL import Image, ImageDraw

    mask = Image.new("L", picture.size)
    draw = ImageDraw.Draw(mask)
    width, height = picture.size
    thick, arm = max(1, round(1.5 * unit)), 9 * unit
    for third in (1, 2):
        draw.line((width * third / 3, 0, width * third / 3, height), 56, thick)
        draw.line((0, height * third / 3, width, height * third / 3), 56, thick)
    for x, y in ((width * i / 3, height * j / 3) for i in (1, 2) for j in (1, 2)):
        draw.line((x - arm, y, x + arm, y), 200, thick)
        draw.line((x, y - arm, x, y + arm), 200, thick)
    picture.paste((255, 255, 255), mask=mask)


def _picture(size: Size, b: Brush) -> Image.Image:
    """Paint the upper part of a card, finished in the manner of its style."""
    from PIL import Image, ImageChops

    picture = _scene(size, b)
    if b.manner.finish == "brush":
        _stroked(picture, b)
    _grid(picture, b.unit)
    if b.manner.grain:
        noise = _noise(size, b.dice, 2).point(lambda v: v * 2 * b.manner.grain // 255)
        picture = ImageChops.add(picture, Image.merge("RGB", [noise] * 3), offset=-b.manner.grain)
    if b.manner.finish == "bars":
        picture.paste(_rgb(b.palette.panel), (0, 0, size[0], round(0.09 * size[1])))
    return picture


# --- The card -------------------------------------------------------------------------------------


def _capitals_width(text: str, size: float) -> float:
    return sum(_font(size).getlength(c) + TRACKING * size for c in text.upper()) - TRACKING * size


def _capitals(
    draw: ImageDraw.ImageDraw, at: tuple[float, float], text: str, size: float, colour: str
) -> None:
    """Write a label in spaced capitals; `at` is the left end of its baseline."""
    font, (x, base) = _font(size), at
    for char in text.upper():
        draw.text((x, base), char, colour, font, anchor="ls")
        x += font.getlength(char) + TRACKING * size


def _write(draw: ImageDraw.ImageDraw, line: Line, size: float, palette: Palette) -> None:
    """Write one line of the caption; a boxed word becomes a small frame with its text inside."""
    x, base = line.left, (line.top + line.bottom) / 2 + 0.36 * size
    for word in line.words:
        wide = _width(word, size)
        if word.boxed:
            frame = (x, base - 0.9 * size, x + wide, base + 0.24 * size)
            thick = max(1, round(0.05 * size))
            draw.rounded_rectangle(frame, 0.2 * size, outline=palette.accent, width=thick)
            at, font = (x + 0.4 * size, base - 0.08 * size), _font(0.72 * size)
            draw.text(at, word.text, palette.accent, font, anchor="ls")
        elif word.text in DASHES:
            y, thin = base - 0.27 * size, 0.035 * size
            draw.rectangle((x, y - thin, x + wide, y + thin), fill=palette.ink)
        else:
            draw.text((x, base), word.text, palette.ink, _font(size), anchor="ls")
        x += wide + _font(size).getlength(" ")


def _stamp(draw: ImageDraw.ImageDraw, layout: Layout, palette: Palette) -> None:
    """Raise the DEMO tag from the edge of the panel, like the tab of a file."""
    unit, left, foot = layout.unit, layout.text[0], layout.panel[1]
    top, base, pad, large = foot - 42 * unit, foot - 12 * unit, 18 * unit, 21 * unit
    text, ground = text_colours(palette)["stamp"]
    middle = left + _capitals_width("DEMO", large) + 2 * pad
    right = middle + _font(SMALL * unit).getlength(STAMP) + 2 * pad
    tabs = (
        ((left, top, middle, foot), ground, (True, False, False, False)),
        ((middle, top, right, foot), palette.panel, (False, True, False, False)),
    )
    for box, colour, corners in tabs:
        draw.rounded_rectangle(box, 6 * unit, fill=colour, corners=corners)
    _capitals(draw, (left + pad, base), "DEMO", large, text)
    draw.text((middle + pad, base - unit), STAMP, palette.ink, _font(SMALL * unit), anchor="ls")


def ratio_name(size: Size) -> str:
    """Return a size's ratio in the smallest whole numbers that name it to within half a percent."""
    wanted = Fraction(*size)
    for limit in range(1, 65):
        ratio = wanted.limit_denominator(limit)
        if abs(ratio / wanted - 1) < 0.005:
            break
    doubled = 3 if ratio in (Fraction(7, 3), Fraction(3, 7)) else 1  # 21:9, as people say
    return f"{ratio.numerator * doubled}:{ratio.denominator * doubled}"


def draw_anchor(caption: str, style: str, size: Size, note: str = "") -> bytes:
    """Draw the storyboard card of a caption and return it as PNG bytes (RGB, `size` pixels).

    `note` is a small line under the caption. Raises ValueError for a size without pixels.
    """
    from PIL import Image, ImageDraw

    if min(size) < 1:
        raise ValueError(f"size {size}: expected positive numbers of pixels")
    factor = max(SUPERSAMPLE, math.ceil(480 / min(size)))  # smaller, type would lose its shape
    large = size[0] * factor, size[1] * factor
    palette = palette_of(style)
    manner = MANNERS.get(style.strip().lower(), OTHER_MANNER)
    layout = lay_out(caption, large, note)
    unit, edge, (left, _, right, bottom) = layout.unit, layout.panel[1], layout.text
    dice = random.Random(f"{style}\n{caption}".encode("utf-8", "replace"))

    card = Image.new("RGB", large, palette.panel)
    card.paste(_picture((large[0], round(edge)), Brush(palette, manner, dice, unit)))
    draw = ImageDraw.Draw(card)
    _stamp(draw, layout, palette)
    draw.rectangle((0, edge, large[0], edge + 4 * unit), fill=palette.accent)

    head, label = edge + 42 * unit, LABEL * unit
    small = text_colours(palette)["small"][0]
    about = f"{_drawable_part(style)[:24] or 'own style'} · {ratio_name(size)}"
    _capitals(draw, (left, head), "STAGE 2 · ANCHOR", label, palette.accent)
    _capitals(draw, (right - _capitals_width(about, label), head), about, label, small)
    for line in layout.lines:
        _write(draw, line, layout.font_size, palette)
    foot = (left, bottom + 0.85 * FOOT * unit)
    draw.text(foot, layout.footer, small, _font(SMALL * unit), anchor="ls")

    out = io.BytesIO()
    card.reduce(factor).save(out, "PNG")
    return out.getvalue()


# --- The clip -------------------------------------------------------------------------------------

BT709, LIMITED = 1, 1  # as ITU-T H.273 numbers the colours and FFmpeg the range
ENCODERS = ("libx264", "libopenh264", "h264")
AMBER = "#f0a35e"  # the growing part of the time bar: seen on light and on dark
FADE_S = 0.4  # seconds until tag and time bar are fully there; the first frame has none of them


def conform(data: bytes, size: Size) -> Image.Image:
    """Return any image as `size` pixels of RGB: upright, on white, centred and cropped to cover.

    Raises ValueError for bytes that are not an image.
    """
    from PIL import Image, ImageOps

    try:
        image: Image.Image = Image.open(io.BytesIO(data))
        image.draft("RGB", (2 * max(size), 2 * max(size)))  # decodes a large JPEG smaller
        image.load()
        ImageOps.exif_transpose(image, in_place=True)
        if image.mode.startswith("I"):  # 16 bits a channel, which Pillow would clip to 8
            image = image.convert("I").point(lambda value: value * (1 / 257)).convert("L")
        if image.has_transparency_data:
            image = image.convert("RGBA")
            paper = Image.new("RGBA", image.size, "white")
            image = Image.alpha_composite(paper, image)
        if image.mode != "RGB":  # 8000 x 8000 pixels are 256 MB: no copy without need
            image = image.convert("RGB")
        return ImageOps.fit(image, size, Image.Resampling.LANCZOS)
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise ValueError(f"the anchor is not an image that can be read: {error}") from error


def _bar(size: Size, full: bool) -> Image.Image:
    """Return the strip for the clip's lower edge (RGBA): the DEMO tag, and the time bar."""
    from PIL import Image, ImageDraw

    factor = 4  # small round shapes: draw large, then reduce
    unit = factor * min(size) / 720
    width, high, edge = size[0] * factor, max(factor, round(BAR * unit)), 30 * unit
    middle, dark = high / 2, (12, 14, 16, 190)
    strip = Image.new("RGBA", (width, high), (*dark[:3], 0))
    draw = ImageDraw.Draw(strip)
    tag = edge + _capitals_width("DEMO", 12 * unit) + 18 * unit
    draw.rounded_rectangle((edge, middle - 10 * unit, tag, middle + 10 * unit), 4 * unit, dark)
    _capitals(draw, (edge + 9 * unit, middle + 4.4 * unit), "DEMO", 12 * unit, "#ffffff")
    line = (tag + 12 * unit, middle - 2.5 * unit, width - edge, middle + 2.5 * unit)
    draw.rounded_rectangle(line, 2.5 * unit, AMBER if full else dark)
    return strip.resize((size[0], high // factor), Image.Resampling.LANCZOS)


def _frames(card: Image.Image, count: int, fps: int) -> Iterator[Image.Image]:
    """Yield the frames one by one: a push-in of ZOOM that starts and ends at rest."""
    from PIL import Image

    width, height = card.size
    empty, full = _bar(card.size, full=False), _bar(card.size, full=True)
    for index in range(count):
        time = index / max(1, count - 1)
        zoom = 1 + (ZOOM - 1) * (1 - math.cos(math.pi * time)) / 2
        dx, dy = width * (1 - 1 / zoom) / 2, height * (1 - 1 / zoom) / 2
        box = (dx, dy, width - dx, height - dy)  # fractions of pixels: the motion cannot jitter
        frame = card.resize(card.size, Image.Resampling.BICUBIC, box=box)
        strip = empty.copy()
        strip.paste(full.crop((0, 0, round(width * time), full.height)))
        shown = min(1.0, index / (FADE_S * fps))
        strip.putalpha(strip.getchannel("A").point([int(shown * alpha) for alpha in range(256)]))
        frame.paste(strip, (0, height - strip.height), strip)
        yield frame


def _converted(image: Image.Image) -> VideoFrame:
    """Return an RGB image as a YUV 4:2:0 frame, made with the matrix that its tags name.

    The range stays unsaid: limited is the default, and PyAV 12 takes ColorRange.MPEG for full.
    """
    from av import VideoFrame
    from av.video.reformatter import Colorspace

    frame: VideoFrame = VideoFrame.from_image(image)  # type: ignore[no-untyped-call]
    return frame.reformat(format="yuv420p", dst_colorspace=Colorspace.ITU709)


def _encoder() -> str:
    from av import codecs_available

    for name in ENCODERS:
        if name in codecs_available:
            return name
    raise RuntimeError("this PyAV has no H.264 encoder, and the demo needs one to make a clip")


def animate(
    anchor: bytes,
    size: Size,
    duration_s: float,
    fps: int = 24,
    progress: Callable[[float], None] | None = None,
) -> bytes:
    """Return an MP4 clip (H.264, yuv420p, BT.709, no audio) whose first frame is the anchor.

    It has round(duration_s * fps) frames; `progress` is told the share done after each, 0..1.
    Raises ValueError for an unreadable anchor and for sizes and lengths that make no clip.
    """
    import av

    if min(size) < 16 or size[0] % 2 or size[1] % 2:
        raise ValueError(f"size {size}: expected even numbers of pixels, 16 or more")
    count = round(duration_s * fps) if 0 < duration_s <= 600 and 0 < fps <= 120 else 0
    if count < 1:
        raise ValueError(f"{duration_s} s at {fps} frames a second is no clip")
    card = conform(anchor, size)
    out = io.BytesIO()
    # The index (moov) is written first, into room kept for it, so that a browser can start at
    # once; '+faststart' would need a file to read back. It takes less than 32 bytes a frame.
    room = {"moov_size": str(8192 + 32 * count)}
    quality = {"preset": "veryfast", "crf": "18", "profile": "high"}
    with av.open(out, "w", format="mp4", options=room) as clip:
        stream = clip.add_stream(_encoder(), rate=fps, options=quality)
        stream.width, stream.height = size
        stream.pix_fmt = "yuv420p"
        context = stream.codec_context
        context.thread_count = 2  # fixed: the clip must not depend on the number of cores
        context.color_primaries = context.color_trc = context.colorspace = BT709
        context.color_range = LIMITED
        for index, image in enumerate(_frames(card, count, fps)):
            frame = _converted(image)
            frame.pts, frame.time_base = index, Fraction(1, fps)
            clip.mux(stream.encode(frame))
            if progress:
                progress((index + 1) / count)
        clip.mux(stream.encode(None))
    return out.getvalue()
