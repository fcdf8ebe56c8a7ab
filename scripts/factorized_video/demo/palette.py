"""Styles: the colours of a card, and the manner in which its scene is painted."""

from __future__ import annotations

import colorsys
import hashlib
from typing import NamedTuple


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


def manner_of(style: str) -> Manner:
    """Return the manner of a style; any other word gets a common one."""
    return MANNERS.get(style.strip().lower(), OTHER_MANNER)


def rgb(colour: str) -> tuple[int, int, int]:
    """Return the parts of a colour, 0..255."""
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def mix(one: str, other: str, share: float) -> str:
    """Return the colour `share` (0..1) of the way from one to the other."""
    pairs = zip(rgb(one), rgb(other), strict=True)
    return "#" + "".join(f"{round(a + (b - a) * share):02x}" for a, b in pairs)


def contrast(one: str, other: str) -> float:
    """Return the contrast ratio of two colours, 1..21 (WCAG 2.2, relative luminance)."""

    def luminance(colour: str) -> float:
        parts = (part / 255 for part in rgb(colour))
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
        "small": (mix(palette.ink, palette.panel, 0.28), palette.panel),
        "label": (palette.accent, palette.panel),
        "stamp": (on_accent, palette.accent),
    }
