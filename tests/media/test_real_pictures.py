"""Pictures as cameras, phones and editors make them: their colours, and what is sent of them."""

from __future__ import annotations

import io
import random
import struct
import zlib
from functools import cache
from typing import Any

import pytest

pytest.importorskip("PIL")

from factorized_video.errors import OutputError
from factorized_video.media import bare, file_types, images
from factorized_video.models.picture_limits import Framing
from PIL import Image, ImageCms

SIZE = (400, 300)
P3_RED, SRGB_RED = (200, 60, 60), (217, 42, 52)  # the same colour, in two spaces


def encoded(image: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def sent(data: bytes) -> Image.Image:
    """As it is sent."""
    picture = images.to_send(images.check_image(data), Framing())
    return Image.open(io.BytesIO(picture.data))


def near(pixel: Any, wanted: tuple[int, ...], by: int = 2) -> bool:
    return all(abs(one - other) <= by for one, other in zip(pixel, wanted, strict=True))


@cache
def display_p3() -> bytes:
    """A profile of that space: its primaries in D50, and the transfer of sRGB; it has a date."""
    made = ImageCms.createProfile("sRGB")
    data = bytearray(ImageCms.ImageCmsProfile(made).tobytes())
    columns = {
        b"rXYZ": (0.51512, 0.24120, -0.00105),
        b"gXYZ": (0.29198, 0.69225, 0.04189),
        b"bXYZ": (0.15710, 0.06657, 0.78407),
    }
    for name, values in columns.items():
        at = data.index(name, 128)
        (offset,) = struct.unpack_from(">I", data, at + 4)
        for number, value in enumerate(values):
            struct.pack_into(">i", data, offset + 8 + 4 * number, round(value * 65536))
    return bytes(data)


# --- colour ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "P", "P transparent"])
def test_a_wide_colour_is_the_same_with_transparency_and_with_a_palette(mode: str) -> None:
    picture = Image.new("RGB", SIZE, P3_RED)
    options: dict[str, Any] = {"icc_profile": display_p3()}
    if mode == "RGBA":
        picture = picture.convert("RGBA")
        picture.putpixel((0, 0), (0, 0, 0, 0))
    elif mode.startswith("P"):
        picture = picture.convert("P", palette=Image.Palette.ADAPTIVE)
        if "transparent" in mode:
            picture.info["transparency"] = 255
            options["transparency"] = 255
    shown = sent(encoded(picture, **options))
    assert near(shown.getpixel((200, 150)), SRGB_RED)
    assert "icc_profile" not in shown.info
    if mode == "RGBA":
        assert shown.getpixel((0, 0)) == (255, 255, 255)


def grey16(level: int | None = None) -> bytes:
    """A PNG of 16 bits, from black to white; one level may be transparent."""
    rows = b"".join(
        b"\0" + b"".join(struct.pack(">H", x * 65535 // 399) for x in range(400))
        for _ in range(300)
    )
    head = struct.pack(">IIBBBBB", 400, 300, 16, 0, 0, 0, 0)
    chunks = [(b"IHDR", head), (b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    if level is not None:
        chunks.insert(1, (b"tRNS", struct.pack(">H", level)))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in chunks
    )


@pytest.mark.parametrize("level", [None, 0, 65535 * 100 // 399])
def test_a_grey_of_16_bits_keeps_its_greys_with_a_transparent_level(level: int | None) -> None:
    shown = sent(grey16(level)).convert("RGB")
    for x in (10, 200, 390):
        assert near(shown.getpixel((x, 150)), (x * 255 // 399,) * 3)
    if level is not None:
        assert shown.getpixel((level * 399 // 65535 + (level > 0), 150)) == (255, 255, 255)


@pytest.mark.parametrize("mode", ["F", "I"])
def test_levels_of_32_bits_are_refused_and_never_white(mode: str) -> None:
    data = encoded(Image.new("L", SIZE, 90).convert(mode), "TIFF")
    with pytest.raises(OutputError, match="32 bits"):
        images.check_image(data)


# --- what a file is -------------------------------------------------------------------------------


def boxes(*brands: bytes) -> bytes:
    body = b"ftyp" + brands[0] + bytes(4) + b"".join(brands[1:])
    return struct.pack(">I", len(body) + 4) + body + b"\0\0\0\x08meta"


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (boxes(b"mif1", b"mif1", b"avif", b"miaf"), "AVIF"),
        (boxes(b"avis", b"msf1"), "AVIF"),
        (boxes(b"mif1", b"mif1", b"heic"), "HEIF"),
        (boxes(b"heis", b"mif1"), "HEIF"),
        (boxes(b"heim"), "HEIF"),
        (boxes(b"msf1", b"hevc"), "HEIF"),
        (boxes(b"crx ", b"isom"), "RAW"),
        (boxes(b"isom", b"iso2", b"mp41"), None),
        (b"II*\0\x10\0\0\0CR\x02\0", "RAW"),
        (b"FUJIFILMCCD-RAW 0201", "RAW"),
        (b"IIU\0\x18\0\0\0", "RAW"),
    ],
)
def test_pictures_in_boxes_are_told_apart_by_all_their_brands(
    head: bytes, kind: str | None
) -> None:
    assert file_types.image_kind(head) == kind
    assert file_types.video_kind(head) == ("mp4" if kind is None else None)


@pytest.mark.parametrize("tag", [(254, 4, 1), (50706, 1, 0x01040000), (262, 3, 32803)])
def test_a_raw_photo_is_not_sent_as_its_thumbnail(tag: tuple[int, int, int]) -> None:
    data = bytearray(encoded(Image.new("RGB", SIZE, (9, 9, 9)), "TIFF"))
    (at,) = struct.unpack_from("<I", data, 4)
    (count,) = struct.unpack_from("<H", data, at)
    entries = [bytes(data[at + 2 + 12 * n : at + 14 + 12 * n]) for n in range(count)]
    entries = [one for one in entries if struct.unpack_from("<H", one)[0] != tag[0]]
    entries = sorted([*entries, struct.pack("<HHII", tag[0], tag[1], 1, tag[2])])
    data[4:8] = struct.pack("<I", len(data))
    data += struct.pack("<H", len(entries)) + b"".join(entries) + bytes(4)
    assert file_types.is_raw(bytes(data))
    with pytest.raises(OutputError, match="raw photos"):
        images.check_image(bytes(data))


# --- nothing but pixels ---------------------------------------------------------------------------

PLACE = b"GPS 48.8584 N 2.2945 E"


def exif() -> bytes:
    made = Image.Exif()
    made[0x010F], made[0x8769] = "A camera", {0x9286: PLACE}
    return made.tobytes()


def noise(mode: str = "RGB") -> Image.Image:
    dice = random.Random(3)
    return Image.frombytes("RGB", SIZE, dice.randbytes(3 * 400 * 300)).convert(mode)


@pytest.mark.parametrize("mode", ["RGB", "L"])
@pytest.mark.parametrize("progressive", [False, True])
def test_of_a_photo_only_its_pixels_are_sent(mode: str, progressive: bool) -> None:
    second = encoded(Image.new("RGB", (64, 64)), "JPEG", comment=PLACE)
    photo = encoded(
        noise(mode), "JPEG", quality=60, exif=exif(), comment=PLACE, progressive=progressive
    )
    data = photo + second + PLACE  # a gain map, or what an MPO holds
    picture = images.to_send(images.check_image(data), Framing())
    assert PLACE in data
    assert PLACE not in picture.data
    assert b"Exif" not in picture.data
    assert len(picture.data) < len(photo)
    assert sent(data).tobytes() == Image.open(io.BytesIO(photo)).tobytes()


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_of_other_files_too(kind: str) -> None:
    data = encoded(noise(), kind, exif=exif(), **({"lossless": True} if kind == "WEBP" else {}))
    assert PLACE in data
    stripped = bare.bare(data, kind)
    assert stripped is not None
    assert PLACE not in stripped
    assert Image.open(io.BytesIO(stripped)).convert("RGB").tobytes() == noise().tobytes()
    assert sent(data).tobytes() == noise().tobytes()


@pytest.mark.parametrize("data", [b"\xff\xd8", b"\xff\xd8\xff\xe0\0", b"\xff\xd8abc", b"RIFF"])
def test_what_is_not_understood_is_encoded_again(data: bytes) -> None:
    for kind in ("JPEG", "WEBP"):
        assert bare.bare(data, kind) is None


@pytest.mark.parametrize("what", ["text", "profile"])
def test_large_metadata_does_not_make_a_picture_damaged(what: str) -> None:
    from PIL.PngImagePlugin import PngInfo

    about = PngInfo()
    about.add_text("prompt", "a cat " * 400_000, zip=True)
    large = display_p3() + random.Random(1).randbytes(2 << 20)
    options: dict[str, Any] = {"pnginfo": about} if what == "text" else {"icc_profile": large}
    picture = images.check_image(encoded(noise(), **options))
    assert picture.size == SIZE
    converted, _ = images.convert(picture, ".jpg")
    assert file_types.image_kind(converted) == "JPEG"


@pytest.mark.parametrize("up", range(1, 9))
def test_where_nothing_can_be_converted_what_it_looks_like_stays(up: int) -> None:
    """Without Pillow a picture cannot be turned, nor its colours changed."""
    made = Image.Exif()
    made[0x010F], made[0x0112], made[0x8769] = "A camera", up, {0x9286: PLACE}
    photo = encoded(noise(), "JPEG", exif=made.tobytes(), icc_profile=display_p3(), comment=PLACE)
    stripped = bare.bare(photo, "JPEG", as_seen=True)
    assert stripped is not None
    assert PLACE not in stripped
    seen = Image.open(io.BytesIO(stripped))
    assert images.orientation(seen) == up
    assert seen.info["icc_profile"] == display_p3()
    png = bare.bare(encoded(noise(), icc_profile=display_p3(), exif=exif()), "PNG", as_seen=True)
    assert png is not None
    assert PLACE not in png
    assert Image.open(io.BytesIO(png)).info["icc_profile"] == display_p3()
