"""Stories: how near a film comes to its longest path, and what joining clips takes.

    python3 tests/benchmarks/stories.py [--job-s 10] [--part story|join|all]

By hand, with a Python that has the four packages; nothing but 127.0.0.1 is spoken to.

`story`: a story of six shots, three of which are one chain (each continues the one before), with
--concurrency 3; and, in turn, that chain alone, which is the longest path. The gateway's jobs end
`--job-s` seconds after their creation. `join`: six clips of 8 s in 1080p with sound, whole process.

Exit code 1 where a target is missed: 1.15 times the longest path; the clips' total length in time,
and 400 MiB.
"""

from __future__ import annotations

import argparse
import math
import os
import subprocess
import sys
import tempfile
import time
from array import array
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[0] = str(HERE.parent)  # so that `loopback` is the one of the tests
sys.path.insert(1, str(HERE.parents[1] / "scripts"))

from benchmarks.bench import SCRIPTS, environment
from speech import Standing
from stories import answering
from storm import Storm

LONGEST_SHARE = 1.15
MOST_MIB = 400
CLIPS, SECONDS, RATE = 6, 8, 44_100
HEAD = "# A film\n\n## Cast\n\n### Mira\nA woman.\n\n## Shots\n\n"
CHAIN = "".join(
    f"### Link {n}\nMira walks on, {n}.\n\n" + "- continues: yes\n\n" * (n > 1) for n in (1, 2, 3)
)
SINGLES = "".join(f"### Single {n}\nMira rests, {n}.\n\n" for n in (1, 2, 3))


class Timed(Storm):
    """Jobs end so many seconds after their creation."""

    job_s = 10.0

    def _standing(self, job_id: str) -> Standing:
        standing = super()._standing(job_id)
        if time.time() - float(str(self.jobs[job_id]["made_at"])) < self.job_s:
            return replace(standing, state="running", url=None, clip=None)
        return standing


def film_s(text: str, job_s: float) -> float:
    """Seconds that the film of a story takes, whole process."""
    with tempfile.TemporaryDirectory() as name, answering(Timed()) as gateway:
        gateway.job_s, gateway.ends_after = job_s, 0  # type: ignore[attr-defined]
        folder = Path(name)
        (folder / "film.md").write_text(text, encoding="utf-8")
        words = ["--story=film.md", "--output=film.mp4", "--yes", "--concurrency=3"]
        words += ["--gateway=happycapy", "--quiet"]
        began = time.monotonic()
        subprocess.run(
            [sys.executable, str(SCRIPTS / "factorized_generate.py"), *words],
            cwd=folder,
            env={**environment(folder, gateway.root), "FACTORIZED_VIDEO_TIME_SCALE": "0.1"},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            check=True,
        )
        return time.monotonic() - began


def measure_story(job_s: float) -> bool:
    """Whether six shots take little more than their longest path."""
    film_s(HEAD + CHAIN, 0.1)  # the first round is not counted
    ratios = []
    for _ in range(3):
        path, whole = film_s(HEAD + CHAIN, job_s), film_s(HEAD + CHAIN + SINGLES, job_s)
        ratios.append(whole / path)
        print(f"longest path {path:.1f} s, six shots {whole:.1f} s: {ratios[-1]:.2f}", flush=True)
    median = sorted(ratios)[1]
    print(f"story: {median:.2f} times its longest path (at most {LONGEST_SHARE})", flush=True)
    return median <= LONGEST_SHARE


def clip_file(path: Path, number: int) -> Path:
    """8 s of 1080p, something moving over a gradient, with a tone."""
    import av
    from PIL import Image

    ground = Image.linear_gradient("L").resize((1920, 1080)).convert("RGB")
    with av.open(str(path), "w") as clip:
        video = clip.add_stream("h264", rate=24, options={"preset": "veryfast"})
        video.width, video.height, video.pix_fmt = 1920, 1080, "yuv420p"
        heard = clip.add_stream("aac", rate=RATE, layout="mono")
        for count in range(24 * SECONDS):
            picture = ground.copy()
            picture.paste((200, 40 * number, 60), (count * 8, 300, count * 8 + 300, 700))
            frame = av.VideoFrame.from_image(picture)  # type: ignore[no-untyped-call]
            frame = frame.reformat(format="yuv420p")
            frame.pts, frame.time_base = count, Fraction(1, 24)
            clip.mux(video.encode(frame))
        clip.mux(video.encode(None))
        for start in range(0, RATE * SECONDS, 1024):
            tone = (math.sin((start + n) / RATE * 2000) * 8000 for n in range(1024))
            block = av.AudioFrame(format="s16", layout="mono", samples=1024)
            block.planes[0].update(array("h", map(int, tone)).tobytes())
            block.sample_rate, block.pts, block.time_base = RATE, start, Fraction(1, RATE)
            clip.mux(heard.encode(block))
        clip.mux(heard.encode(None))
    return path


def measure_join() -> bool:
    """Whether joining takes no longer than the film lasts, and little memory."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        clips = [str(clip_file(folder / f"{number}.mp4", number)) for number in range(CLIPS)]
        words = ["--join", *clips, f"--output={folder / 'film.mp4'}", "--quiet"]
        command = [sys.executable, str(SCRIPTS / "factorized_generate.py"), *words]
        began = time.monotonic()
        pid = os.posix_spawn(command[0], command, environment(folder, ""))
        _, status, usage = os.wait4(pid, 0)
        took, mib = time.monotonic() - began, usage.ru_maxrss / 1024
    print(f"join: {took:.1f} s for {CLIPS * SECONDS} s of film, {mib:.0f} MiB", flush=True)
    return status == 0 and took <= CLIPS * SECONDS and mib <= MOST_MIB


def main() -> int:
    """Measure what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--job-s", type=float, default=10.0)
    parser.add_argument("--part", choices=("story", "join", "all"), default="all")
    options = parser.parse_args()
    good = []
    if options.part in ("story", "all"):
        good.append(measure_story(options.job_s))
    if options.part in ("join", "all"):
        good.append(measure_join())
    return 0 if all(good) else 1


if __name__ == "__main__":
    sys.exit(main())
