"""What an image or a video really is: recognised by its bytes, measured, made fit to send.

Pillow and PyAV are imported inside the functions that use them. Without them (the media extra) real
gateways still work: kinds are recognised by their first bytes, measurements are None.
"""

from __future__ import annotations

import importlib.util
import io
import shlex
import struct
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from .errors import OutputError, UsageError

if TYPE_CHECKING:
    from PIL import Image

    from .gateway.types import Picture

EXTENSIONS = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".webp": "WEBP"}
_MIME = {"PNG": "image/png", "JPEG": "image/jpeg", "WEBP": "image/webp"}
LARGEST_FILE = 64 << 20  # bytes of an image file that is opened at all
# A picture may expand enormously when decoded. 16,384 px is the longest side that JPEG and WebP
# encoders of the gateways are known to produce; 64 MP is twice the largest image model's output.
LONGEST_SIDE = 16_384
MOST_PIXELS = 64_000_000
SHORTEST_SIDE = 64  # less cannot carry a scene; several video models ask for 300
ADVISED_SIDE = 300
# What is sent as a first frame: a common denominator of the video models' limits (their own limits
# differ): PNG or JPEG, sRGB, upright, long side up to 2048 px, at most 4 MB.
SENT_SIDE = 2_048
SENT_BYTES = 4_000_000


def media_hint() -> str:
    """The command that installs what is missing, with the path as the script was called."""
    setup = Path(sys.argv[0]).parent / "setup.sh"
    return f"Install the media extra: bash {shlex.quote(str(setup))} --install"


def not_measured() -> str:
    """The one warning of a run without the media extra."""
    return f"Pictures and clips are not measured or looked into. {media_hint()}"


def have_media_extra() -> bool:
    """Whether Pillow and PyAV are installed."""
    return all(importlib.util.find_spec(name) is not None for name in ("PIL", "av"))


def need_media_extra(what: str) -> None:
    """Raise UsageError, naming the command, where `what` cannot do without Pillow and PyAV."""
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


@dataclass(frozen=True)
class ImageFile:
    """An image that was found usable; `size` in pixels, upright, or None if not measurable."""

    data: bytes
    kind: str
    size: tuple[int, int] | None
    warnings: tuple[str, ...] = ()
    upright: bool = True  # False where EXIF says that it must be turned


def read_image(path: Path, what: str) -> ImageFile:
    """Read an image that a person gave. `what` names the flag, for messages. Raises UsageError."""
    try:
        if path.is_dir():
            raise UsageError(f"{what} {path} is a folder, not an image.", "Give an image file.")
        if path.stat().st_size > LARGEST_FILE:
            raise UsageError(
                f"{what} {path} has more than {LARGEST_FILE >> 20} MiB.", "Scale it down first."
            )
        data = path.read_bytes()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise UsageError(
            f"{what} {path} cannot be read: {reason}.", "Give the path of an image file."
        ) from None
    try:
        return check_image(data)
    except OutputError as error:
        raise UsageError(f"{what} {path}: {error.message}", error.hint) from None


def check_image(data: bytes) -> ImageFile:
    """Decode image bytes in full and judge them. Raises OutputError saying what is wrong.

    Without the media extra only the first and last bytes are looked at, and `size` is None.
    """
    kind = image_kind(data[:32])
    if kind is None:
        raise OutputError(
            f"this is not an image ({_looks_like(data)}).", "Expected PNG, JPEG or WebP."
        )
    if kind == "HEIF":
        raise OutputError("HEIF (HEIC) images cannot be read here.", "Save it as PNG or JPEG.")
    if not have_media_extra():
        return _unmeasured(data, kind)
    notes = []
    with _decoding() as pillow, pillow.open(io.BytesIO(data)) as image:
        width, height = image.size
        if max(width, height) > LONGEST_SIDE or width * height > MOST_PIXELS:
            raise OutputError(
                f"{width}x{height} px is too large; at most {LONGEST_SIDE} px a side and "
                f"{MOST_PIXELS // 1_000_000} megapixels.",
                "Scale it down first.",
            )
        # Many phones put a preview behind a JPEG ("MPO"): two frames, but nothing moves.
        if getattr(image, "n_frames", 1) > 1 and kind != "JPEG":
            notes.append("The picture is animated; its first frame is used.")
        image.load()
        upright = orientation(image) == 1
        if _turned(image):
            width, height = height, width
    if min(width, height) < SHORTEST_SIDE:
        raise OutputError(
            f"{width}x{height} px is too small for a first frame: {SHORTEST_SIDE} px at least.",
            "Use a larger picture.",
        )
    if min(width, height) < ADVISED_SIDE:
        notes.append(f"{width}x{height} px is small; video models want {ADVISED_SIDE} px or more.")
    return ImageFile(data, kind, (width, height), tuple(notes), upright)


def to_send(image: ImageFile) -> Picture:
    """The picture as it goes to the video model.

    A sound PNG or JPEG goes as it is, byte for byte. Anything else (turned by EXIF, CMYK, animated,
    transparent, another colour space or format, too large) is redrawn: upright, sRGB, shrunk to
    2048 px, PNG where that stays under 4 MB, else JPEG. Raises UsageError where that needs the
    media extra and it is missing.
    """
    from .gateway.types import Picture

    if image.size is None:
        if image.kind not in ("PNG", "JPEG"):
            raise UsageError(
                f"The anchor is {image.kind}; it must be converted first.", media_hint()
            )
        return Picture(image.data, _MIME[image.kind])
    with _decoding() as pillow, pillow.open(io.BytesIO(image.data)) as opened:
        sound = (
            image.kind in ("PNG", "JPEG")
            and opened.mode in ("RGB", "L")
            and image.upright
            and getattr(opened, "n_frames", 1) == 1
            and "icc_profile" not in opened.info
            and "transparency" not in opened.info
        )
        if sound and len(image.data) <= SENT_BYTES and max(image.size) <= SENT_SIDE:
            return Picture(image.data, _MIME[image.kind])
        upright = _upright_srgb(opened)
    upright.thumbnail((SENT_SIDE, SENT_SIDE), pillow.Resampling.LANCZOS)
    data = _encoded(upright, "PNG")
    if len(data) <= SENT_BYTES:
        return Picture(data, "image/png")
    for quality in (95, 90, 80):  # 80 holds 2048 px of pure noise under the limit
        data = _encoded(upright, "JPEG", quality)
        if len(data) <= SENT_BYTES:
            break
    return Picture(data, "image/jpeg")


def convert(image: ImageFile, extension: str) -> tuple[bytes, tuple[str, ...]]:
    """The image's bytes in the format that a file extension asks for, and warnings.

    Bytes that are already of that format are not touched.
    """
    wanted = EXTENSIONS[extension.lower()]
    if image.kind == wanted:
        return image.data, ()
    if image.size is None:
        return image.data, (f"The file holds a {image.kind} image under a {extension} name: it was "
                            f"not converted. {media_hint()}",)  # fmt: skip
    with _decoding() as pillow, pillow.open(io.BytesIO(image.data)) as opened:
        return _encoded(_upright_srgb(opened), wanted), ()


def check_video(path: Path) -> str:
    """Judge a downloaded file by its container; returns the kind. Raises OutputError.

    For MP4 and MOV the boxes are walked: a file cut short, or without its index, is noticed without
    any library.
    """
    with path.open("rb") as file:
        head = file.read(64)
        kind = video_kind(head)
        if kind is None:
            raise OutputError(f"What came is not a video ({_looks_like(head)}).")
        if kind == "webm":
            return kind
        size, names, offset = path.stat().st_size, set(), 0
        while offset + 8 <= size:
            file.seek(offset)
            length, name = struct.unpack(">I4s", file.read(8))
            if length == 1:
                length = int.from_bytes(file.read(8), "big")
            elif length == 0:  # to the end of the file
                length = size - offset
            if length < 8 or offset + length > size:
                raise OutputError("What came is a video that was cut short.")
            names.add(name)
            offset += length
    if not {b"moov", b"mdat"} <= names:
        raise OutputError("What came is a video without its index: it cannot be played.")
    return kind


def measure_video(path: Path) -> dict[str, object] | None:
    """duration_s, width, height, fps, codec, audio of a clip; None without the media extra.

    Raises OutputError if there is no video stream that can be read.
    """
    if not have_media_extra():
        return None
    import av

    try:
        with av.open(str(path)) as container:
            stream = next((s for s in container.streams if s.type == "video"), None)
            if stream is None:
                raise OutputError("What came has no moving picture in it.")
            rate = stream.average_rate
            if stream.duration and stream.time_base:
                duration = float(stream.duration * stream.time_base)
            else:
                duration = (container.duration or 0) / 1_000_000
            return {
                "duration_s": round(duration, 3),
                "width": stream.codec_context.width,
                "height": stream.codec_context.height,
                "fps": round(float(rate), 3) if rate else None,
                "codec": stream.codec_context.name,
                "audio": any(s.type == "audio" for s in container.streams),
            }
    except (av.FFmpegError, ValueError, IndexError) as error:
        raise OutputError(f"What came cannot be read as a video ({error}).") from None


def orientation(image: Image.Image) -> int:
    """The EXIF orientation, 1 to 8."""
    value = image.getexif().get(0x0112, 1)
    return value if value in range(1, 9) else 1


def _turned(image: Image.Image) -> bool:
    return orientation(image) >= 5  # those that swap width and height


@contextmanager
def _decoding() -> Iterator[ModuleType]:
    """Pillow, with whatever it raises on hostile bytes turned into one error."""
    from PIL import Image

    Image.MAX_IMAGE_PIXELS = None  # our own limits, stated above, are checked before decoding
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # our own limits, stated above, come first
            yield Image
    except (OutputError, UsageError):
        raise
    except Exception as error:  # noqa: BLE001 - decoders raise anything on broken files
        text = str(error) or type(error).__name__
        raise OutputError(
            f"the image is damaged or cut short ({text[:120]}).",
            "Save it anew, or use another one.",
        ) from None


def _upright_srgb(image: Image.Image) -> Image.Image:
    """The first frame, upright, RGB in sRGB, transparency laid on white."""
    from PIL import Image, ImageCms, ImageOps

    image.seek(0)
    profile = image.info.get("icc_profile")
    image = ImageOps.exif_transpose(image)
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        image = image.convert("RGBA")
        ground = Image.new("RGBA", image.size, "white")
        ground.alpha_composite(image)
        image = ground.convert("RGB")
    elif profile and image.mode in ("RGB", "CMYK", "L"):
        try:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            srgb = ImageCms.createProfile("sRGB")
            turned = ImageCms.profileToProfile(image, source, srgb, outputMode="RGB")
            image = turned or image
        except (ImageCms.PyCMSError, OSError):
            pass  # a profile that does not fit is worth no failure: the plain conversion follows
    if image.mode.startswith("I;16"):
        image = image.point(lambda v: v / 256).convert("L")
    image = image.convert("RGB")
    image.info.clear()  # neither profile nor EXIF of the original goes along
    return image


def _encoded(image: Image.Image, kind: str, quality: int = 95) -> bytes:
    buffer = io.BytesIO()
    if kind == "PNG":
        image.save(buffer, kind)
    elif kind == "JPEG":
        # Full colour resolution as long as the bytes allow it.
        image.save(buffer, kind, quality=quality, subsampling=0 if quality >= 95 else 2)
    else:
        image.save(buffer, kind, quality=quality)
    return buffer.getvalue()


def _unmeasured(data: bytes, kind: str) -> ImageFile:
    ends = {"PNG": (b"IEND", 16), "JPEG": (b"\xff\xd9", 64)}
    if kind in ends:
        mark, within = ends[kind]
        if mark not in data[-within:]:
            raise OutputError("the image is cut short.", "Save it anew, or use another one.")
    return ImageFile(data, kind, None, (not_measured(),))


def _looks_like(data: bytes) -> str:
    from .gateway.reading import looks_like_html

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
        kind = image_kind(data) or video_kind(data)
        return f"it is {kind}" if kind else "its format is not known"
