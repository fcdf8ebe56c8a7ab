"""How large cards and clips are, and what a card must know of the clip that is made of it."""

from __future__ import annotations

from fractions import Fraction

Size = tuple[int, int]  # width and height in pixels

SHORT_SIDES = {"480p": 480, "720p": 720, "1080p": 1080}
ZOOM = 1.08  # the push-in of the clip: visible over three seconds, calm over ten
CROPPED = (1 - 1 / ZOOM) / 2  # the share of each side that the push-in takes away
BAR = 32  # the height of the time bar at the lower edge of the clip, in units


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


def ratio_name(size: Size) -> str:
    """Return a size's ratio in the smallest whole numbers that name it to within half a percent."""
    wanted = Fraction(*size)
    for limit in range(1, 65):
        ratio = wanted.limit_denominator(limit)
        if abs(ratio / wanted - 1) < 0.005:
            break
    doubled = 3 if ratio in (Fraction(7, 3), Fraction(3, 7)) else 1  # 21:9, as people say
    return f"{ratio.numerator * doubled}:{ratio.denominator * doubled}"
