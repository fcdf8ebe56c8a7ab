"""Prices as the public lists of gateways state them, in the registry's form. Pure."""

from __future__ import annotations

from ...aspect_ratios import pixels
from ..reply_parsing import as_number

FRAMES_A_SECOND, PIXELS_A_TOKEN = 24, 1024  # by which ByteDance counts the tokens of a clip

Price = dict[str, object]


def by_second(
    usd: object, resolution: object = None, audio: bool | None = None, *, a_unit: float = 1.0
) -> list[Price]:
    """The price of a second of video; nothing for what is no number. `a_unit` in USD."""
    amount = as_number(usd)
    if amount is None:
        return []
    price: Price = {"unit": "second", "usd": round(amount * a_unit, 9)}
    if resolution is not None:
        price["resolution"] = str(resolution).lower()
    return [price if audio is None else {**price, "audio": audio}]


def by_video_token(usd: object, resolution: str, audio: bool | None = None) -> list[Price]:
    """The price of a second of a 16:9 clip that is billed by tokens of so many USD."""
    wide, _, high = pixels(resolution, "16:9").partition("x")
    tokens = int(wide) * int(high) * FRAMES_A_SECOND / PIXELS_A_TOKEN
    return by_second(usd, resolution, audio, a_unit=tokens)


def by_text_token(usd_in: object, usd_out: object) -> list[Price]:
    """The price of a text, from USD a token."""
    amounts = as_number(usd_in), as_number(usd_out)
    if None in amounts:
        return []
    each = [round((amount or 0.0) * 1e6, 6) for amount in amounts]
    return [{"unit": "1M tokens", "input": each[0], "output": each[1]}]
