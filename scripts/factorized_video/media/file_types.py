"""What a file is by its first bytes, and whether Pillow and PyAV are here to look further."""

from __future__ import annotations

import importlib.util
import re
import shlex
import sys
from pathlib import Path

from ..errors import UsageError

EXTENSIONS = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".webp": "WEBP"}
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
    """PNG, JPEG, WEBP, GIF, BMP, TIFF, HEIF or AVIF by the first bytes, else None."""
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "PNG"
    if head.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "WEBP"
    if head[4:8] == b"ftyp":
        brand = head[8:12]
        return {b"avif": "AVIF", b"avis": "AVIF"}.get(brand) or (
            "HEIF" if brand in (b"heic", b"heix", b"mif1", b"msf1", b"hevc") else None
        )
    starts = ((b"GIF8", "GIF"), (b"BM", "BMP"), (b"II*\0", "TIFF"), (b"MM\0*", "TIFF"))
    return next((kind for start, kind in starts if head.startswith(start)), None)


def video_kind(head: bytes) -> str | None:
    """mp4, mov or webm by the first bytes, else None."""
    if head[4:8] == b"ftyp" and image_kind(head) is None:
        return "mov" if head[8:12] == b"qt  " else "mp4"
    return "webm" if head.startswith(b"\x1a\x45\xdf\xa3") else None


def is_address(data: bytes) -> bool:
    """Whether what was to be a picture or a clip is where it is instead."""
    if image_kind(data[:32]) or video_kind(data[:32]) or len(data) > 8_192:
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
    kind = image_kind(data) or video_kind(data)
    if kind:
        return f"it is {kind}"
    try:
        text = data[:64].decode("utf-8")
        return f"it begins with the text {text[:24]!r}" if text.isprintable() else "it is text"
    except UnicodeDecodeError:
        return "its format is not known"
