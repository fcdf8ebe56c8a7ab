"""What a file is by its first bytes, and whether Pillow and PyAV are here to look further."""

from __future__ import annotations

import importlib.util
import re
import shlex
import struct
import sys
from pathlib import Path

from ..errors import UsageError

EXTENSIONS = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".webp": "WEBP"}
HEAD = 512  # bytes at the beginning of a file that say what it is
# Raw photos that are not TIFF: of Canon, Olympus, Panasonic, Fujifilm, Sigma.
_RAW = (b"II*\0\x10\0\0\0CR", b"IIRO", b"IIRS", b"MMOR", b"IIU\0", b"FUJIFILMCCD-RAW", b"FOVb")
_HEIC = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"}
_HEIF = _HEIC | {b"mif1", b"mif2", b"msf1"}
MIME = {"PNG": "image/png", "JPEG": "image/jpeg", "WEBP": "image/webp"}


def media_hint() -> str:
    """The command that installs Pillow and PyAV, with the path by which the script was called."""
    setup = Path(sys.argv[0]).parent / "setup.sh"
    return f"Install the media extra: bash {shlex.quote(str(setup))} --install"


def not_measured() -> str:
    """The one warning of a run without the media extra."""
    return f"Pictures and clips are not measured or examined. {media_hint()}"


def have_media_extra() -> bool:
    """Whether Pillow and PyAV are installed."""
    return all(importlib.util.find_spec(name) is not None for name in ("PIL", "av"))


def need_media_extra(what: str) -> None:
    """Raise UsageError, with the command, if Pillow and PyAV are missing, which `what` needs."""
    if not have_media_extra():
        raise UsageError(f"{what} needs Pillow and PyAV, which are not installed.", media_hint())


def image_kind(head: bytes) -> str | None:
    """PNG, JPEG, WEBP, GIF, BMP, TIFF, HEIF, AVIF or RAW by the first `HEAD` bytes, else None."""
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "PNG"
    if head.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "WEBP"
    if head[4:8] == b"ftyp":
        return _kind_by_brands(head)
    starts = (
        *((start, "RAW") for start in _RAW),
        *((b"GIF8", "GIF"), (b"BM", "BMP"), (b"II*\0", "TIFF"), (b"MM\0*", "TIFF")),
    )
    return next((kind for start, kind in starts if head.startswith(start)), None)


def is_raw(tiff: bytes) -> bool:
    """Whether a TIFF is a raw photo: its first picture is a preview, or of a sensor's levels.

    The tags are those of TIFF 6.0 and of Adobe's DNG specification.
    """
    order = ">" if tiff.startswith(b"MM") else "<"
    try:
        (at,) = struct.unpack_from(order + "I", tiff, 4)
        (count,) = struct.unpack_from(order + "H", tiff, at)
        for number in range(min(count, 400)):
            tag, form, _, short = struct.unpack_from(order + "HHIH", tiff, at + 2 + 12 * number)
            (long,) = struct.unpack_from(order + "I", tiff, at + 10 + 12 * number)
            value = short if form == 3 else long
            if tag == _DNG_VERSION or (tag == _SUBFILE_TYPE and value & 1):
                return True
            if tag == _PHOTOMETRIC and value in (32803, 34892):
                return True
    except struct.error:
        return False
    return False


_SUBFILE_TYPE, _PHOTOMETRIC, _DNG_VERSION = 254, 262, 50706


def _kind_by_brands(head: bytes) -> str | None:
    """AVIF, HEIF, RAW or no picture at all, by the brands of a file of boxes.

    The first is often mif1, of any picture; which one it is the compatible brands say.
    """
    length = min(int.from_bytes(head[:4], "big"), len(head))
    brands = [head[8:12], *(head[at : at + 4] for at in range(16, length - 3, 4))]
    if any(brand in (b"avif", b"avis") for brand in brands):
        return "AVIF"
    if brands[0] == b"crx ":
        return "RAW"
    return "HEIF" if any(brand in _HEIF for brand in brands[:1]) or _HEIC & set(brands) else None


def video_kind(head: bytes) -> str | None:
    """mp4, mov or webm by the first `HEAD` bytes, else None."""
    if head[4:8] == b"ftyp" and image_kind(head) is None:
        return "mov" if head[8:12] == b"qt  " else "mp4"
    if head[4:8] in (b"moov", b"mdat", b"wide", b"pnot"):  # QuickTime before it had types
        return "mov"
    return "webm" if head.startswith(b"\x1a\x45\xdf\xa3") else None


def kind_of(data: bytes) -> str | None:
    """What a picture or a clip is, None for anything else."""
    return image_kind(data[:HEAD]) or video_kind(data[:HEAD])


def is_address(data: bytes) -> bool:
    """Whether what was to be a picture or a clip is where it is instead."""
    if kind_of(data) or len(data) > 8_192:
        return False
    kept_as_address = rb"(?i)https?:|/|[^\s<{]+\.(?:png|jpe?g|webp|gif)(?:\?|$)"
    return re.match(kept_as_address, data) is not None


def looks_like(data: bytes) -> str:
    """What bytes are that should have been a picture or a clip, for a message."""
    from ..gateway.reply_parsing import looks_like_html

    if not data:
        return "it is empty"
    if looks_like_html(data):
        return "it is a web page"
    kind = kind_of(data)
    if kind:
        return f"it is {kind}"
    try:
        text = data[:64].decode("utf-8")
        return f"it begins with the text {text[:24]!r}" if text.isprintable() else "it is text"
    except UnicodeDecodeError:
        return "its format is not known"
