"""What an image or a video really is, on files made here."""

from __future__ import annotations

import io
import json
import random
import resource
import struct
import subprocess
import sys
import tempfile
import time
import zlib
from functools import cache
from pathlib import Path

import pytest

av = pytest.importorskip("av")
pytest.importorskip("PIL")

from factorized_video.errors import OutputError, UsageError
from factorized_video.media import clips, file_types, images
from factorized_video.media.images import ImageFile
from factorized_video.models.picture_limits import Framing
from PIL import Image, ImageCms, ImageOps

SCRIPTS = Path(__file__).resolve().parents[2] / "scripts"
SIZE = (480, 320)
RED, BLUE, WHITE = (200, 30, 30), (30, 30, 200), (255, 255, 255)


AS_IT_IS = Framing()


def picture(mode: str = "RGB", size: tuple[int, int] = SIZE) -> Image.Image:
    """Red, with a blue quarter at the top left: which way is up can be seen."""
    image = Image.new("RGB", size, RED)
    image.paste(BLUE, (0, 0, size[0] // 2, size[1] // 2))
    return image.convert(mode)


def encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def animated(kind: str) -> bytes:
    other = Image.new("RGB", SIZE, (0, 255, 0))
    return encoded(picture(), kind, save_all=True, append_images=[other], duration=100)


def turned(orientation: int) -> bytes:
    """A JPEG whose stored pixels are such that its EXIF orientation puts them upright."""
    # What exif_transpose does for each value, the other way round.
    back = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    image = picture()
    if orientation in back:
        image = image.transpose(back[orientation])
    exif = Image.Exif()
    exif[0x0112] = orientation
    return encoded(image, "JPEG", exif=exif, quality=95)


def sent(data: bytes) -> tuple[Image.Image, str]:
    """The picture as the video model gets it, decoded, and its type."""
    result = images.to_send(images.check_image(data), AS_IT_IS)
    image = Image.open(io.BytesIO(result.data))
    image.load()
    assert image.format is not None
    assert result.mime == f"image/{image.format.lower()}"
    return image, result.mime


def near(image: Image.Image, place: tuple[float, float], color: tuple[int, int, int]) -> bool:
    x, y = int(image.width * place[0]), int(image.height * place[1])
    pixel = image.convert("RGB").getpixel((x, y))
    assert isinstance(pixel, tuple)
    return all(abs(one - other) <= 40 for one, other in zip(pixel, color, strict=True))


def is_upright(image: Image.Image) -> bool:
    corners = {(0.2, 0.2): BLUE, (0.8, 0.2): RED, (0.2, 0.8): RED, (0.8, 0.8): RED}
    return all(near(image, place, color) for place, color in corners.items())


# -- kinds by the first bytes ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("head", "image", "video"),
    [
        (b"\x89PNG\r\n\x1a\n\0\0", "PNG", None),
        (b"\xff\xd8\xff\xe0", "JPEG", None),
        (b"RIFF\x10\0\0\0WEBPVP8 ", "WEBP", None),
        (b"RIFF\x10\0\0\0AVI LIST", None, None),
        (b"GIF89a", "GIF", None),
        (b"BM\x10\0", "BMP", None),
        (b"II*\0", "TIFF", None),
        (b"MM\0*", "TIFF", None),
        (b"\0\0\0\x20ftypavif", "AVIF", None),
        (b"\0\0\0\x20ftypheic", "HEIF", None),
        (b"\0\0\0\x20ftypisom", None, "mp4"),
        (b"\0\0\0\x20ftypmp42", None, "mp4"),
        (b"\0\0\0\x14ftypqt  ", None, "mov"),
        (b"\x1a\x45\xdf\xa3\0", None, "webm"),
        (b"<!doctype html>", None, None),
        (b'{"error": "x"}', None, None),
        (b"\x89PNG", None, None),
        (b"", None, None),
    ],
)
def test_kinds_are_recognised_by_the_first_bytes(
    head: bytes, image: str | None, video: str | None
) -> None:
    assert file_types.image_kind(head) == image
    assert file_types.video_kind(head) == video


# -- images that are fit to send ------------------------------------------------------------------


@pytest.mark.parametrize(
    "data",
    [
        encoded(picture(), "PNG"),
        encoded(picture(), "JPEG"),
        encoded(picture("L"), "PNG"),
        encoded(picture("L"), "JPEG"),
        encoded(picture(), "JPEG", progressive=True),
    ],
)
def test_a_sound_png_or_jpeg_goes_byte_for_byte(data: bytes) -> None:
    image = images.check_image(data)
    assert (image.size, image.warnings) == (SIZE, ())
    assert images.to_send(image, AS_IT_IS).data == data


@cache
def display_profile() -> bytes:
    return bytes(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())


REDRAWN = {
    "webp": lambda: encoded(picture(), "WEBP", lossless=True),
    "bmp": lambda: encoded(picture(), "BMP"),
    "tiff": lambda: encoded(picture(), "TIFF"),
    "gif": lambda: encoded(picture("P"), "GIF"),
    "palette": lambda: encoded(picture("P"), "PNG"),
    "cmyk": lambda: encoded(picture("CMYK"), "JPEG"),
    "opaque alpha": lambda: encoded(picture("RGBA"), "PNG"),
    "16 bit colour": lambda: deep_png(3),
    "icc profile": lambda: encoded(picture(), "PNG", icc_profile=display_profile()),
    "broken icc profile": lambda: encoded(picture(), "PNG", icc_profile=b"nonsense"),
    "animated gif": lambda: animated("GIF"),
    "animated webp": lambda: animated("WEBP"),
    "apng": lambda: animated("PNG"),
}


def deep_png(channels: int) -> bytes:
    """A PNG of 16 bits a channel: red with the blue quarter, or dark grey on light grey."""
    width, height = SIZE
    values = [(RED, BLUE), ((180,), (60,))][channels == 1]
    field, quarter = (b"".join(bytes([v, v]) for v in color) for color in values)
    top = b"\0" + quarter * (width // 2) + field * (width - width // 2)
    rows = top * (height // 2) + (b"\0" + field * width) * (height - height // 2)
    header = struct.pack(">2I5B", width, height, 16, {1: 0, 3: 2}[channels], 0, 0, 0)
    return png(header, zlib.compress(rows))


def png(header: bytes, data: bytes) -> bytes:
    def chunk(name: bytes, content: bytes) -> bytes:
        check = zlib.crc32(name + content)
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", check)

    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize("name", REDRAWN)
def test_other_kinds_are_converted_to_plain_rgb_and_look_the_same(name: str) -> None:
    data = REDRAWN[name]()
    image, _ = sent(data)
    assert (image.mode, image.size) == ("RGB", SIZE) or name == "16 bit colour"
    assert is_upright(image)
    assert getattr(image, "n_frames", 1) == 1
    assert "icc_profile" not in image.info
    animation = "animat" in name or name == "apng"
    assert ("animated" in " ".join(images.check_image(data).warnings)) is animation


def test_a_16_bit_grey_keeps_its_greys() -> None:
    image, _ = sent(deep_png(1))
    assert near(image, (0.2, 0.2), (60, 60, 60))
    assert near(image, (0.8, 0.8), (180, 180, 180))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_applied_to_the_pixels(orientation: int) -> None:
    data = turned(orientation)
    assert is_upright(ImageOps.exif_transpose(Image.open(io.BytesIO(data))))
    assert images.check_image(data).size == SIZE
    image, _ = sent(data)
    assert image.size == SIZE
    assert image.getexif().get(0x0112, 1) == 1
    assert is_upright(image)


def transparent(mode: str) -> bytes:
    """Its lower right quarter is see-through; what lies under it is black."""
    image = picture("RGBA")
    image.paste((0, 0, 0, 0), (SIZE[0] // 2, SIZE[1] // 2, *SIZE))
    if mode == "RGB":  # one colour of an RGB picture stands for see-through
        return encoded(image.convert("RGB"), "PNG", transparency=(0, 0, 0))
    if mode == "P":
        image = image.quantize(16)
    return encoded(image.convert(mode), "WEBP" if mode == "WEBP" else "PNG")


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P", "RGB"])
def test_transparency_is_laid_on_white(mode: str) -> None:
    image, _ = sent(transparent(mode))
    assert image.mode == "RGB"
    assert "transparency" not in image.info
    assert near(image, (0.8, 0.8), WHITE)


@pytest.mark.parametrize("size", [(4000, 1000), (1000, 4000), (2049, 2049)])
def test_a_large_picture_is_shrunk_to_2048_with_its_shape_kept(size: tuple[int, int]) -> None:
    image, _ = sent(encoded(picture("RGB", size), "PNG"))
    assert max(image.size) == 2048
    assert image.width / image.height == pytest.approx(size[0] / size[1], rel=0.01)
    assert is_upright(image)


def test_a_heavy_picture_goes_as_jpeg_under_four_megabytes() -> None:
    noise = Image.frombytes("RGB", (1200, 1200), random.Random(1).randbytes(1200 * 1200 * 3))
    result = images.to_send(images.check_image(encoded(noise, "PNG", compress_level=1)), AS_IT_IS)
    assert result.mime == "image/jpeg"
    assert len(result.data) <= images.SENT_BYTES
    assert Image.open(io.BytesIO(result.data)).size == noise.size


# -- images that are not --------------------------------------------------------------------------


PLAIN_PNG, PLAIN_JPEG = encoded(picture(), "PNG"), encoded(picture(), "JPEG")


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "it is empty"),
        (b"a cat, in words", "begins with the text 'a cat, in words'"),
        (b"<!doctype html><html>", "it is a web page"),
        (b"\0\0\0\x20ftypisom\0\0\0\0", "it is mp4"),
        (b"\xf0\x9f\x00\xff" * 9, "format is not known"),
        (PLAIN_PNG[: len(PLAIN_PNG) // 2], "cut short"),
        (PLAIN_JPEG[: len(PLAIN_JPEG) // 2], "cut short"),
        (PLAIN_PNG[:8], "damaged"),
        (b"BMW drives past a kiosk.", "not an image|damaged"),
        (encoded(picture(size=(1, 1)), "PNG"), "1x1 px is too small"),
        (encoded(picture(size=(63, 500)), "PNG"), "63x500 px is too small"),
        (encoded(picture(size=(20_000, 10)), "PNG"), "20000x10 px is too large"),
        (encoded(Image.new("1", (9_000, 8_000)), "PNG"), "9000x8000 px is too large"),
    ],
)
def test_what_cannot_be_a_first_frame_is_an_error(data: bytes, says: str) -> None:
    with pytest.raises(OutputError, match=says):
        images.check_image(data)


@pytest.mark.parametrize("side", [30_000, 100_000, 2_000_000])
def test_a_header_that_promises_far_too_much_is_refused_quickly_and_in_little_memory(
    side: int,
) -> None:
    header = struct.pack(">2I5B", side, side, 8, 2, 0, 0, 0)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    started = time.process_time()
    with pytest.raises(OutputError):
        images.check_image(png(header, zlib.compress(b"\0" * 10_000_000)))
    assert time.process_time() - started < 1
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100 * 1024  # KiB


def test_too_large_is_that_error_whatever_the_size() -> None:
    header = struct.pack(">2I5B", 30_000, 30_000, 8, 2, 0, 0, 0)
    with pytest.raises(OutputError, match="30000x30000 px is too large"):
        images.check_image(png(header, zlib.compress(b"\0" * 100)))


def test_a_small_picture_is_accepted_with_a_warning() -> None:
    image = images.check_image(encoded(picture(size=(200, 120)), "PNG"))
    assert "200x120 px is small" in image.warnings[0]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"a cat", "--anchor .*is not an image"),
        (None, "cannot be read: No such file"),
        (PLAIN_PNG[:500], "damaged or cut short"),
    ],
)
def test_a_bad_file_of_the_user_is_a_usage_error_with_its_flag(
    content: bytes | None, says: str, tmp_path: Path
) -> None:
    path = tmp_path / "a.png"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UsageError, match=says):
        images.read_image(path, "--anchor")
    with pytest.raises(UsageError, match="is a folder"):
        images.read_image(tmp_path, "--anchor")


# -- converting to what --output asks -------------------------------------------------------------


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
@pytest.mark.parametrize("extension", [".png", ".jpg", ".JPEG", ".webp"])
def test_an_image_is_saved_by_its_extension_and_unchanged_if_it_fits(
    kind: str, extension: str
) -> None:
    data = encoded(picture(), kind)
    converted, notes = images.convert(images.check_image(data), extension)
    assert notes == ()
    wanted = file_types.EXTENSIONS[extension.lower()]
    assert file_types.image_kind(converted) == wanted
    assert (converted == data) is (kind == wanted)
    assert is_upright(Image.open(io.BytesIO(converted)))


# -- clips ----------------------------------------------------------------------------------------


@cache
def clip(container: str = "mp4", *, faststart: bool = False) -> bytes:
    options = {"movflags": "faststart"} if faststart else {}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "clip"  # a file: to move the index to the front it is read again
        with av.open(str(path), "w", format=container, options=options) as out:
            stream = out.add_stream("libvpx" if container == "webm" else "libx264", rate=12)
            stream.width, stream.height, stream.pix_fmt = 96, 64, "yuv420p"
            for _ in range(6):
                out.mux(stream.encode(av.VideoFrame.from_image(picture(size=(96, 64)))))
            out.mux(stream.encode())
        return path.read_bytes()


def boxes(data: bytes) -> list[tuple[bytes, int]]:
    """The names of the top-level boxes and where each ends."""
    found, offset = [], 0
    while offset < len(data):
        length = int.from_bytes(data[offset : offset + 4], "big")
        offset += length
        found.append((data[offset - length + 4 : offset - length + 8], offset))
    return found


def without_index(data: bytes) -> bytes:
    return data.replace(b"moov", b"free")


@pytest.mark.parametrize(
    ("data", "kind"),
    [(clip(), "mp4"), (clip(faststart=True), "mp4"), (clip("mov"), "mov"), (clip("webm"), "webm")],
)
def test_a_whole_clip_is_accepted_and_measured(data: bytes, kind: str, tmp_path: Path) -> None:
    path = tmp_path / "clip"
    path.write_bytes(data)
    assert clips.check_video(path) == kind
    measured = clips.measure_video(path)
    assert measured is not None
    assert measured["duration_s"] == pytest.approx(0.5, abs=0.09)
    del measured["duration_s"]
    codec = "vp8" if kind == "webm" else "h264"
    size = {"width": 96, "height": 64}
    assert measured == {**size, "fps": 12.0, "codec": codec, "audio": False}


def test_the_index_may_be_at_either_end() -> None:
    names = [name for name, _ in boxes(clip())]
    assert names.index(b"mdat") < names.index(b"moov")
    names = [name for name, _ in boxes(clip(faststart=True))]
    assert names.index(b"moov") < names.index(b"mdat")


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "it is empty"),
        (b"<!DOCTYPE html><html>expired", "it is a web page"),
        (b'{"error":"expired"}', "begins with the text"),
        (PLAIN_PNG, "it is PNG"),
        (clip()[:-1], "cut short"),
        (clip()[: len(clip()) // 2], "cut short"),
        (clip(faststart=True)[:-500], "cut short"),
        (clip()[: boxes(clip())[-2][1]], "without its index"),  # all but the last box, moov
        (without_index(clip()), "without its index"),
        (b"\0\0\0\x10ftypisom\0\0\0\0" + b"\0\0\0\x04moov", "cut short"),
        (b"\0\0\0\x10ftypisom\0\0\0\0" + b"\0\0\0\x01mdat" + b"\xff" * 8, "cut short"),
        (b"\0\0\0\x10ftypisom\0\0\0\0" + b"\0\0\0\x01mdat" + b"\0" * 8, "cut short"),
    ],
)
def test_what_is_no_whole_clip_is_an_error(data: bytes, says: str, tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    path.write_bytes(data)
    with pytest.raises(OutputError, match=says):
        clips.check_video(path)


def test_a_clip_cut_between_its_index_and_its_pictures_is_no_clip(tmp_path: Path) -> None:
    data = clip(faststart=True)
    cut = next(end for name, end in boxes(data) if name == b"moov")
    path = tmp_path / "clip.mp4"
    path.write_bytes(data[:cut])
    with pytest.raises(OutputError):
        clips.check_video(path)


def test_a_container_without_pictures_cannot_be_measured(tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    path.write_bytes(b"\0\0\0\x10ftypisom\0\0\0\0\0\0\0\x08moov")
    with pytest.raises(OutputError, match=r"cannot be read as a video|no video stream"):
        clips.measure_video(path)


# -- without the media extra ----------------------------------------------------------------------

# Hides Pillow and PyAV as if they were not installed, then looks at the files named.
HIDDEN = """
import json, sys
from pathlib import Path

class Hide:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("PIL", "av"):
            raise ModuleNotFoundError(name)

import importlib.util
real = importlib.util.find_spec
importlib.util.find_spec = lambda name, *a: None if name in ("PIL", "av") else real(name, *a)
sys.meta_path.insert(0, Hide())
from factorized_video.media import clips, file_types, images
from factorized_video.models.picture_limits import Framing
from factorized_video.errors import ToolError

def told(action):
    try:
        return action()
    except ToolError as error:
        return [error.kind, error.message, error.hint]

folder = Path(sys.argv[1])
found = {"have": file_types.have_media_extra()}
found["need"] = told(lambda: file_types.need_media_extra("This"))
for name in ("a.png", "a.jpg", "a.webp", "cut.png", "cut.jpg", "text.png"):
    def look():
        image = images.read_image(folder / name, "--anchor")
        send = told(lambda: images.to_send(image, Framing()).mime)
        return [image.kind, image.size, image.warnings, send, images.convert(image, ".png")[1]]
    found[name] = told(look)
found["clip"] = [clips.check_video(folder / "clip.mp4"), clips.measure_video(folder / "clip.mp4")]
print(json.dumps(found))
"""


def test_without_the_media_extra_kinds_are_known_and_nothing_is_measured(tmp_path: Path) -> None:
    files = {
        "a.png": PLAIN_PNG,
        "a.jpg": PLAIN_JPEG,
        "a.webp": encoded(picture(), "WEBP"),
        "cut.png": PLAIN_PNG[:-20],
        "cut.jpg": PLAIN_JPEG[: len(PLAIN_JPEG) // 2],
        "text.png": b"a cat",
        "clip.mp4": clip(),
    }
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    ran = subprocess.run(
        [sys.executable, "-c", HIDDEN, str(tmp_path)],
        capture_output=True,
        text=True,
        check=True,
        cwd=SCRIPTS,
    )
    found = json.loads(ran.stdout)
    assert found["have"] is False
    assert found["need"][0] == "usage"
    assert "setup.sh --install" in found["need"][2]
    for name, kind, mime in (("a.png", "PNG", "image/png"), ("a.jpg", "JPEG", "image/jpeg")):
        assert found[name][:2] == [kind, None]
        assert len(found[name][2]) == 1
        assert "not measured" in found[name][2][0]
        assert "setup.sh --install" in found[name][2][0]
        assert found[name][3] == mime
    assert found["a.png"][4] == []
    assert "was not converted" in found["a.jpg"][4][0]
    assert found["a.webp"][3][0] == "usage"  # cannot be converted here
    for name, says in (("cut.png", "cut short"), ("cut.jpg", "cut short"), ("text.png", "'a cat'")):
        assert found[name][0] == "usage"
        assert says in found[name][1]
    assert found["clip"] == ["mp4", None]


def test_an_unmeasured_picture_is_sent_as_it_is() -> None:
    assert images.to_send(ImageFile(b"\x89PNG...", "PNG", None), AS_IT_IS).data == b"\x89PNG..."
