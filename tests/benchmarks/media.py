"""Pictures and clips for the benchmarks: makes them, and does to them what the product does.

    python3 tests/benchmarks/media.py make FOLDER      a 4K PNG and an 8 s 1080p clip
    python3 tests/benchmarks/media.py conform PNG      read, judge, fit to 16:9, encode
    python3 tests/benchmarks/media.py bare PNG         Pillow alone: open, scale, encode
    python3 tests/benchmarks/media.py filmstrip MP4    the strip of a clip
    python3 tests/benchmarks/media.py decode MP4       PyAV alone: decode every frame
    python3 tests/benchmarks/media.py fidelity         the table of likenesses

Run by `bench.py`, each as a process of its own.
"""

from __future__ import annotations

import io
import random
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "scripts"))

from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageOps

SIZE = (1280, 720)


def texture(size: tuple[int, int], seed: int) -> Image.Image:
    """Something like a photograph: soft forms, fine grain, colours of its own."""
    rng = random.Random(seed)
    small = Image.effect_noise((size[0] // 8, size[1] // 8), 90)
    soft = small.filter(ImageFilter.GaussianBlur(3)).resize(size, Image.Resampling.BICUBIC)
    grey = Image.blend(soft, Image.effect_noise(size, 14), 0.2)
    dark, light = (tuple(rng.randrange(a, a + 100) for _ in range(3)) for a in (0, 130))
    return ImageOps.colorize(grey, dark, light)


def scene(seed: int, size: tuple[int, int] = SIZE) -> Image.Image:
    """A generated picture; kinds take turns: photo-like, shapes, night, fog, text, portrait."""
    rng = random.Random(seed)
    kind = seed % 6
    if kind == 0:
        return texture(size, seed)
    ground = {2: (14, 16, 28), 3: (200, 204, 206)}.get(kind) or rng_colour(rng)
    picture = Image.new("RGB", size, ground)
    draw = ImageDraw.Draw(picture)
    reach = 12 if kind == 3 else 255  # fog: everything is nearly the same grey
    for _ in range(rng.randrange(4, 12)):
        x, y = rng.randrange(size[0]), rng.randrange(size[1])
        r = rng.randrange(40, 260)
        colour = tuple(
            max(0, min(255, level + rng.randrange(-reach, reach + 1))) for level in ground
        )
        shape = rng.choice((draw.ellipse, draw.rectangle))
        shape((x - r, y - r // 2, x + r, y + r // 2), fill=colour)
    if kind == 4:
        for line in range(6):
            words = " ".join(rng.choice(("cat", "shelf", "couch", "lamp")) for _ in range(9))
            draw.text((60, 80 + 90 * line), words, fill=rng_colour(rng), font_size=48)
    return picture.filter(ImageFilter.GaussianBlur(6)) if kind == 5 else picture


def rng_colour(rng: random.Random) -> tuple[int, int, int]:
    """Any colour."""
    return rng.randrange(256), rng.randrange(256), rng.randrange(256)


def encode(frames: list[Image.Image], path: Path, fps: int = 24) -> None:
    """An H.264 MP4 of these frames."""
    import av

    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=fps, options={"preset": "veryfast"})
        stream.width, stream.height = frames[0].size
        stream.pix_fmt = "yuv420p"
        for picture in frames:
            frame = av.VideoFrame.from_image(picture)  # type: ignore[no-untyped-call]
            container.mux(stream.encode(frame))
        container.mux(stream.encode())


def make(folder: Path) -> None:
    """4k.png, and 1080p.mp4 of 8 s whose picture drifts."""
    texture((3840, 2160), 1).save(folder / "4k.png", compress_level=1)
    wide = texture((2200, 1240), 2)
    frames = [wide.crop((i, i // 2, i + 1920, i // 2 + 1080)) for i in range(8 * 24)]
    encode(frames, folder / "1080p.mp4")


def conform(path: Path) -> None:
    """What Stage 3 does to an anchor before it is sent."""
    from factorized_video.media import images
    from factorized_video.models.picture_limits import Framing

    sent = images.to_send(images.read_image(path, "--anchor"), Framing("16:9"))
    assert len(sent.data) <= images.SENT_BYTES


def bare(path: Path) -> None:
    """The least that such a picture needs."""
    with Image.open(path) as picture:
        picture.resize((2048, 1152), Image.Resampling.LANCZOS).save(io.BytesIO(), "JPEG")


def filmstrip(path: Path) -> None:
    """What --filmstrip does."""
    from factorized_video.media.filmstrip import filmstrip as drawn

    assert len(drawn(path)) > 10_000


def decode(path: Path) -> None:
    """Every frame, and nothing with it."""
    import av

    with av.open(str(path)) as container:
        container.streams.video[0].thread_type = "AUTO"
        for _ in container.decode(container.streams.video[0]):
            pass


def fidelity() -> bool:
    """Print how alike first frames are to what was sent, by how they differ. Whether as claimed."""
    import tempfile

    from factorized_video.media import clips, similarity

    pictures = [scene(seed) for seed in range(24)]
    sent_frames = [similarity.squeezed(picture) for picture in pictures]
    clip_frames = []
    with tempfile.TemporaryDirectory() as made:
        for number, picture in enumerate(pictures):
            path = Path(made) / f"{number}.mp4"
            encode([picture] * 4, path)
            frame = clips.examine(path, similarity.SIZE)[1]
            assert frame is not None
            clip_frames.append(frame)
    rows = {
        "the same frame, after H.264": [
            similarity.fidelity(sent, came)
            for sent, came in zip(sent_frames, clip_frames, strict=True)
        ],
        "another picture": [
            similarity.fidelity(sent, clip_frames[(number + 7) % 24])
            for number, sent in enumerate(sent_frames)
        ],
        "another picture of the same kind": [
            similarity.fidelity(sent, clip_frames[(number + 6) % 24])
            for number, sent in enumerate(sent_frames)
        ],
    }
    changes = {
        "zoomed by 3 %": lambda p: ImageOps.fit(
            p.crop((19, 11, 1261, 709)), SIZE, Image.Resampling.BICUBIC
        ),
        "zoomed by 10 %": lambda p: ImageOps.fit(
            p.crop((58, 33, 1222, 687)), SIZE, Image.Resampling.BICUBIC
        ),
        "moved by 2 %": lambda p: ImageChops.offset(p, 25, 0),
        "moved by 10 %": lambda p: ImageChops.offset(p, 128, 0),
        "darker by a quarter": lambda p: p.point(lambda level: level * 0.75),
        "mirrored": ImageOps.mirror,
    }
    for name, change in changes.items():
        small = [similarity.squeezed(change(picture)) for picture in pictures]
        rows[name] = [
            similarity.fidelity(sent, came) for sent, came in zip(sent_frames, small, strict=True)
        ]
    print(f"  {'24 pictures, first frame is ...':34}    min  median     max  under the warning")
    for name, values in rows.items():
        ordered = sorted(values)
        under = sum(value < similarity.RESPECTED for value in values)
        print(f"  {name:34} {ordered[0]:6.3f}  {ordered[12]:6.3f}  {ordered[-1]:6.3f}  {under:3}")
    same, other = rows["the same frame, after H.264"], rows["another picture"]
    return min(same) >= 0.95 and max(other) <= 0.5


if __name__ == "__main__":
    what = sys.argv[1]
    if what == "fidelity":
        sys.exit(0 if fidelity() else 1)
    jobs = {
        "make": make,
        "conform": conform,
        "bare": bare,
        "filmstrip": filmstrip,
        "decode": decode,
    }
    jobs[what](Path(sys.argv[2]))
