"""Any picture that is sent to the demo, as pixels; and pixels as what it sends."""

from __future__ import annotations

import base64
import binascii
import io
import re
from typing import TYPE_CHECKING, cast

from .sizes import Size

if TYPE_CHECKING:
    from PIL import Image

_URI = re.compile(r"data:image/[\w.+-]+;base64,")
# Levels of 255 within which a picture is one colour: what a JPEG may make of one.
_PLAIN = 8


def decoded(data: bytes, large: Size | None = None) -> Image.Image:
    """Return any image as RGB: upright, on white; of a JPEG as much as makes it `large` at least.

    Raises ValueError for bytes that are not an image.
    """
    from PIL import Image, ImageOps

    try:
        image: Image.Image = Image.open(io.BytesIO(data))
        if large:
            image.draft("RGB", large)  # decodes a large JPEG smaller
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
        return image
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise ValueError(f"not an image that can be read: {error}") from error


def from_uri(uri: object) -> Image.Image:
    """Return the picture in a data URI as RGB. Raises ValueError for anything else."""
    start = _URI.match(uri) if isinstance(uri, str) else None
    if not start:
        raise ValueError("not a data URI of an image")
    try:
        data = base64.b64decode(start.string[start.end() :], validate=True)
    except binascii.Error as error:
        raise ValueError(f"not a data URI that can be read: {error}") from error
    return decoded(data)


def is_plain(picture: Image.Image) -> bool:
    """Say whether a picture (RGB) is one single colour."""
    bands = cast("tuple[tuple[int, int], ...]", picture.getextrema())
    return all(high - low <= _PLAIN for low, high in bands)


def as_png(picture: Image.Image) -> bytes:
    """Return a picture as PNG bytes."""
    out = io.BytesIO()
    picture.save(out, "PNG")
    return out.getvalue()
