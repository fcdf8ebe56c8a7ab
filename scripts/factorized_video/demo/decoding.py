"""Any picture that is sent to the demo, as pixels; and pixels as what it sends."""

from __future__ import annotations

import base64
import binascii
import io
import re
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from PIL import Image

IMAGE_URI = re.compile(r"data:image/[\w.+-]+;base64,")
# Levels of 255 within which a picture is one colour: what a JPEG may make of one.
_PLAIN = 8


def decoded(data: bytes) -> Image.Image:
    """Return any image as RGB, upright, on white. Raises ValueError for other bytes."""
    from PIL import Image, ImageOps

    try:
        image: Image.Image = Image.open(io.BytesIO(data))
        image.load()
        image = ImageOps.exif_transpose(image)
        if image.has_transparency_data:
            image = image.convert("RGBA")
            image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
        return image.convert("RGB")
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise ValueError(f"not an image that can be read: {error}") from error


def refuse_address(text: str, what: str) -> None:
    """Raise ValueError for a picture by address."""
    if re.match(r"https?://", text, re.IGNORECASE):
        raise ValueError(
            f"{what} is an address, and the demo fetches nothing: send the picture itself, as a "
            "data URI"
        )


def pictures_in(addresses: object, most: int | None = None) -> list[Image.Image]:
    """Return the pictures of a list of data URIs as RGB, at least one and at most `most`.

    Raises ValueError where there is none, or one cannot be read.
    """
    if not isinstance(addresses, list) or not addresses:
        raise ValueError("a picture is missing")
    return [_picture_at(address) for address in addresses[:most]]


def _picture_at(address: object) -> Image.Image:
    text = address if isinstance(address, str) else ""
    refuse_address(text, "the picture")
    start = IMAGE_URI.match(text)
    if not text or (text.startswith("data:") and not start):
        raise ValueError("the picture is not a data URI of an image")
    try:  # bare base64 too
        return decoded(base64.b64decode(text[start.end() if start else 0 :], validate=True))
    except binascii.Error as error:
        raise ValueError(f"the picture is not a data URI that can be read: {error}") from error
    except ValueError as error:
        raise ValueError(f"the picture is {error}") from error


def is_plain(picture: Image.Image) -> bool:
    """Say whether a picture (RGB) is one single colour."""
    bands = cast("tuple[tuple[int, int], ...]", picture.getextrema())
    return all(high - low <= _PLAIN for low, high in bands)


def as_png(picture: Image.Image) -> bytes:
    """Return a picture as PNG bytes."""
    out = io.BytesIO()
    picture.save(out, "PNG")
    return out.getvalue()
