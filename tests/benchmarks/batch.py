"""Many prompts at once: how near to the ideal time, how much memory, and what kills cost.

    python3 tests/benchmarks/batch.py [--size small|large|both] [--filmstrip both|yes|no]
    python3 tests/benchmarks/batch.py --kills 5 [--kill-when any|no-image] [--skip-reasoning]

By hand, with a Python that has the four packages; nothing but 127.0.0.1 is spoken to. Linux only:
memory is read from /proc. The gateway is `tests/loopback.py` in a process of its own; its jobs end
so many seconds after their creation.

The first form measures one line's run by itself (some before the batch and some after, so that
another load on the machine meets both), and then the batch: small, 64 lines of 3 s jobs with
--concurrency 8, and large, 256 lines of 20 s jobs with --concurrency 128, with the waits that users
have. The ideal is the median of those runs by themselves times lines / concurrency. Memory is
VmRSS of the batch's own process; it has no others.

The second form kills the whole process group (SIGKILL) at random moments, runs the same command
again each time, and the last time to its end; then it tells what is there and what was billed.
`no-image` kills only while no line waits for the answer to an image call: such an answer cannot be
found again at any gateway, and its line ends with exit code 8.

Exit code 1 where a target is missed: 95 % of the ideal (large: 90 %), 250 MiB at most and flat
within 16 MiB between the middle and the end, 0.15 s of CPU a line, no other process; of the second
form anything billed twice, and with `no-image` a video that is missing.
"""

from __future__ import annotations

import argparse
import contextlib
import functools
import json
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import median
from typing import IO, Any, NamedTuple

HERE = Path(__file__).resolve().parent
sys.path[0] = str(HERE.parent)  # so that `loopback` is the one of the tests

from benchmarks.bench import SCRIPTS, environment

FLAT_MIB, MOST_MIB = 16.0, 250.0
MOST_CPU_S = 0.15  # a line
SAMPLED_EVERY_S = 0.2


class Size(NamedTuple):
    """How large a batch is, and what it is held to."""

    name: str
    lines: int
    at_once: int
    job_s: float
    time_scale: str
    ideal_share: float
    alone: tuple[int, int]  # runs of one line by itself, before and after


SIZES = {
    "small": Size("small", 64, 8, 3.0, "0.1", 0.95, (3, 2)),
    "large": Size("large", 256, 128, 20.0, "1", 0.90, (2, 1)),
}
FILMSTRIPS = {"no": ["--no-filmstrip"], "yes": ["--filmstrip"]}


# --- the gateway ----------------------------------------------------------------------------------


def serve(job_s: float, image_s: float) -> None:
    """Serve until stdin ends; each line on it is answered with what was billed, as JSON."""
    import loopback
    from speech import Reply, Request, Standing, shown

    # Eight lines may connect in the same moment: what is turned away comes again a second later.
    loopback._Server.request_queue_size = 128
    # A client that was killed is no news.
    loopback._Server.handle_error = lambda *told: None  # type: ignore[method-assign]

    class Timed(loopback.Gateway):
        """Jobs end so many seconds after their creation; pictures take `image_s` to draw."""

        def answer(self, request: Request) -> Reply:
            if request.endpoint == "image":
                time.sleep(image_s)
            return super().answer(request)

        def _standing(self, job_id: str) -> Standing:
            standing = super()._standing(job_id)
            if time.time() - float(str(self.jobs[job_id]["made_at"])) < job_s:
                return replace(standing, state="running", url=None, clip=None)
            return standing

    with Timed("happycapy") as gateway:
        gateway.ends_after = 0
        gateway.clock_ahead_s = 0.0  # a lost create can be found in the list

        def written(request: Request) -> Reply:
            """Other words for each prompt, as an LLM has: equal calls cannot be told apart."""
            messages, _ = shown(request)
            told = re.findall(r"(?:Scene|Alone) \d+: a cat jumps", str(messages))[-1]
            text = {"caption": f"The first frame of: {told}", "motion": f"What follows in: {told}"}
            return gateway.speech.chat(json.dumps(text), gateway.chat_usd)

        gateway.answers["chat"] = written
        # Encoded once: a gateway draws on machines of its own.
        loopback.clip()
        loopback.png = functools.cache(loopback.png)
        print(gateway.root, flush=True)
        for _ in sys.stdin:
            prompts = Counter(str(job["prompt"]) for job in gateway.jobs.values())
            twice = sum(number > 1 for number in prompts.values())
            print(json.dumps({"billed": gateway.billed, "twice": twice}), flush=True)


@dataclass
class Served:
    """The gateway in its own process, as seen from here."""

    root: str
    to: IO[str]
    out: IO[str]

    def state(self) -> dict[str, Any]:
        """`billed`: calls by endpoint; `twice`: texts for which more than one job was made."""
        self.to.write("\n")
        self.to.flush()
        told = json.loads(self.out.readline())
        assert isinstance(told, dict)
        return told


@contextlib.contextmanager
def served(job_s: float, image_s: float) -> Iterator[Served]:
    """A gateway for as long as this lasts."""
    words = ["--serve", f"--job-s={job_s}", f"--image-s={image_s}"]
    process = subprocess.Popen(
        [sys.executable, __file__, *words], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdin is not None and process.stdout is not None
    try:
        yield Served(process.stdout.readline().strip(), process.stdin, process.stdout)
    finally:
        process.stdin.close()
        process.wait()
        process.stdout.close()


# --- one batch ------------------------------------------------------------------------------------


@dataclass
class Place:
    """A folder with the file of prompts, and the commands that run in it."""

    folder: Path
    gateway: Served
    size: Size
    scripts: Path
    more: list[str]

    def __post_init__(self) -> None:
        rows = [
            {"prompt": f"Scene {number}: a cat jumps"} for number in range(1, self.size.lines + 1)
        ]
        text = "".join(json.dumps(row) + "\n" for row in rows)
        (self.folder / "many.jsonl").write_text(text, encoding="utf-8")

    @property
    def out(self) -> Path:
        return self.folder / "out"

    @property
    def clips(self) -> int:
        """How many there are; clips are put in place whole."""
        try:
            return sum(name.endswith(".mp4") for name in os.listdir(self.out))
        except OSError:
            return 0

    @property
    def late_s(self) -> float:
        """Mean seconds from the end of a job until its clip was noticed, fetched and measured."""
        receipts = [json.loads(path.read_bytes()) for path in self.out.glob("*.mp4.receipt.json")]
        return float(sum(one["took_s"] - self.size.job_s for one in receipts) / len(receipts))

    def start(self, *words: str) -> subprocess.Popen[bytes]:
        """One of our commands, in a process group of its own."""
        environ = environment(self.folder, self.gateway.root)
        environ["FACTORIZED_VIDEO_TIME_SCALE"] = self.size.time_scale
        command = [sys.executable, str(self.scripts / "factorized_generate.py")]
        command += ["--gateway=happycapy", "--json", "--quiet"]
        with (self.folder / "result.json").open("wb") as result:
            return subprocess.Popen(
                [*command, *words, *self.more],
                cwd=self.folder,
                env=environ,
                stdout=result,
                stdin=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )

    def alone(self, number: int) -> float:
        """Wall time in seconds of the run of one prompt by itself."""
        began = time.perf_counter()
        process = self.start(f"--prompt=Alone {number}: a cat jumps", f"--output=alone{number}.mp4")
        if process.wait():
            sys.exit(f"a line by itself ended with {process.returncode}: {self.result()}")
        return time.perf_counter() - began

    def batch(self, *words: str) -> subprocess.Popen[bytes]:
        """The batch, begun."""
        common = ["--prompts-file=many.jsonl", "--output=out", f"--concurrency={self.size.at_once}"]
        return self.start(*common, *words)

    def result(self) -> dict[str, Any]:
        """What the last command has printed; nothing where it was killed."""
        try:
            told = json.loads((self.folder / "result.json").read_bytes())
        except ValueError:
            return {}
        return dict(told)


@dataclass
class Watch:
    """What a batch's own process takes, read from /proc as long as it runs."""

    place: Place
    pid: int
    rows: list[tuple[int, float]] = field(default_factory=list)  # clips so far; VmRSS in MiB
    most_children: int = 0
    over: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        """Sample until it is over or the process has gone."""
        while not self.over.wait(SAMPLED_EVERY_S):
            try:
                status = Path(f"/proc/{self.pid}/status").read_text(encoding="utf-8")
                children = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text()
            except OSError:
                return
            found = [row.split()[1] for row in status.splitlines() if row.startswith("VmRSS:")]
            if not found:  # a zombie by now
                return
            self.rows.append((self.place.clips, int(found[0]) / 1024))
            self.most_children = max(self.most_children, len(children.split()))

    def after(self, clips: int) -> float:
        """VmRSS in MiB when there were so many clips."""
        return next((rss for there, rss in self.rows if there >= clips), self.rows[-1][1])


def timed_batch(place: Place) -> tuple[float, float, Watch]:
    """Seconds of wall, seconds of CPU of it and all its children, and what was sampled."""
    began = time.perf_counter()
    process = place.batch()
    watch = Watch(place, process.pid)
    thread = threading.Thread(target=watch.run, daemon=True)
    thread.start()
    _, status, used = os.wait4(process.pid, 0)
    wall = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    watch.over.set()
    thread.join()
    if process.returncode:
        sys.exit(f"the batch ended with {process.returncode}: {place.result()}")
    return wall, used.ru_utime + used.ru_stime, watch


def measure(size: Size, args: argparse.Namespace, strip: str) -> bool:
    """Time and memory of one batch beside single runs. Whether all targets are met."""
    with (
        served(size.job_s, args.image_s) as gateway,
        tempfile.TemporaryDirectory(prefix="bench-") as made,
    ):
        place = Place(Path(made), gateway, size, args.scripts, FILMSTRIPS[strip])
        place.alone(0)  # not counted: it writes the bytecode
        before, after = size.alone
        alone = [place.alone(number) for number in range(1, before + 1)]
        wall, cpu, watch = timed_batch(place)
        alone += [place.alone(before + number) for number in range(1, after + 1)]
        clips, late_s = place.clips, place.late_s
    rounds = size.lines / size.at_once
    ideal, bare = rounds * median(alone), rounds * size.job_s
    middle, late = watch.after(size.lines // 2), watch.rows[-1][1]
    most = max(rss for _, rss in watch.rows)
    checks = {
        "fast": ideal / wall >= size.ideal_share,
        "small": most <= MOST_MIB and late - middle <= FLAT_MIB,
        "cheap": cpu / size.lines <= MOST_CPU_S,
        "alone": watch.most_children == 0,
    }
    said = {name: "ok" if met else "MISSED" for name, met in checks.items()}
    print(
        f"{size.lines} lines, {size.at_once} at once, jobs of {size.job_s:g} s, filmstrip: "
        f"{strip}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}; {clips} clips"
    )
    print(
        f"  one line alone     median {median(alone):.2f} s  "
        f"({', '.join(f'{one:.2f}' for one in alone)})"
    )
    print(f"  the batch          {wall:.2f} s")
    print(
        f"  ideal / batch      {ideal / wall:.1%} of {ideal:.2f} s  "
        f"target {size.ideal_share:.0%} {said['fast']}"
    )
    print(f"  bare jobs / batch  {bare / wall:.1%} of {bare:.2f} s")
    print(
        f"  CPU                {cpu / size.lines:.3f} s a line, {cpu / wall:.2f} cores busy on "
        f"average  target {MOST_CPU_S:g} s {said['cheap']}"
    )
    print(
        f"  memory             {most:.0f} MiB at most, {middle:.0f} MiB in the middle, {late:.0f} "
        f"MiB at the end  target {MOST_MIB:g}, +{FLAT_MIB:g} MiB {said['small']}"
    )
    print(f"  clips here after   {late_s:.2f} s on average from the end of their jobs")
    print(f"  other processes    {watch.most_children}  {said['alone']}", flush=True)
    return all(checks.values())


# --- kills ----------------------------------------------------------------------------------------


def awaits_an_image(out: Path) -> bool:
    """Whether the answer to an image call is out: it was written down as sent, and not as come."""
    for receipt in out.glob("*.stages/*.png.receipt.json"):
        with contextlib.suppress(OSError, ValueError):
            if json.loads(receipt.read_bytes())["state"] == "intent":
                return True
    return False


def kill(place: Place, process: subprocess.Popen[bytes], when: str) -> bool:
    """Kill the whole group; with `no-image` at the next moment at which none is out.

    Whether it was still running. It is stopped first, so that nothing changes between look and
    kill.
    """
    while process.poll() is None:
        os.killpg(process.pid, signal.SIGSTOP)
        if when == "any" or not awaits_an_image(place.out):
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            return True
        os.killpg(process.pid, signal.SIGCONT)
        time.sleep(0.02)
    return False


def survive(args: argparse.Namespace) -> bool:
    """Kill a batch again and again; whether all is there in the end, and nothing billed twice."""
    moments = random.Random(args.seed)
    more = FILMSTRIPS["no"] + ["--skip-reasoning"] * args.skip_reasoning
    with (
        served(SIZES["small"].job_s, args.image_s) as gateway,
        tempfile.TemporaryDirectory(prefix="bench-") as made,
    ):
        size = SIZES["small"]._replace(lines=args.lines)
        place = Place(Path(made), gateway, size, args.scripts, more)
        killed: list[tuple[float, int]] = []
        for _ in range(args.kills):
            process = place.batch()
            after_s = moments.uniform(0.5, args.kill_within_s)
            time.sleep(after_s)
            if kill(place, process, args.kill_when):
                killed.append((after_s, place.clips))
        code = place.batch().wait()
        told, state, clips = place.result(), gateway.state(), place.clips
        again_code, again = place.batch().wait(), gateway.state()
        lost = told.get("counts", {}).get("unknown", 0)
        if lost:  # the way on, which a person has to choose: it pays for those once more
            paid_code, paid = place.batch("--resubmit").wait(), gateway.state()
            last = f"exit code {paid_code}, {place.clips} clips, billed {paid['billed']}"
    billed = state["billed"]
    creates, images = billed.get("create", 0), billed.get("image", 0)
    print(
        f"{args.lines} lines, killed {len(killed)} times, kill when: {args.kill_when}, "
        f"seed {args.seed}, images take {args.image_s:g} s, "
        f"{'without' if args.skip_reasoning else 'with'} Stage 1"
    )
    print(
        "  killed after       "
        + ", ".join(f"{after_s:.1f} s ({there} clips)" for after_s, there in killed)
    )
    print(f"  in the end         exit code {code}, {clips} clips; lines: {told.get('counts')}")
    chats = billed.get("chat", 0)
    print(
        f"  billed             {creates} creates, {images} images, {chats} chats; "
        f"{state['twice']} texts with more than one job"
    )
    if code:
        print(f"  it says            {told.get('error')}")
    print(f"  once more          exit code {again_code}, billed {again['billed']}")
    if lost:
        print(f"  with --resubmit    {last}")
    sys.stdout.flush()
    once = not state["twice"] and creates <= args.lines and images <= args.lines
    whole = clips == creates == args.lines
    return once and again["billed"] == billed and (whole or args.kill_when == "any")


def main() -> int:
    """Run what was asked for; 1 where a target is missed."""
    parser = argparse.ArgumentParser(description="Benchmarks of --prompts-file.")
    parser.add_argument("--size", choices=(*SIZES, "both"), default="both")
    parser.add_argument("--lines", type=int, default=64, metavar="N", help="with --kills")
    parser.add_argument("--job-s", type=float, default=3.0, metavar="S", help=argparse.SUPPRESS)
    parser.add_argument("--image-s", type=float, default=None, metavar="S")
    parser.add_argument("--filmstrip", choices=("both", "yes", "no"), default="no")
    parser.add_argument("--kills", type=int, default=0, metavar="N")
    parser.add_argument("--kill-when", choices=("any", "no-image"), default="any")
    parser.add_argument("--kill-within-s", type=float, default=9.0, metavar="S")
    parser.add_argument("--seed", type=int, default=1, metavar="N")
    parser.add_argument("--skip-reasoning", action="store_true")
    parser.add_argument(
        "--scripts",
        type=Path,
        default=SCRIPTS,
        metavar="DIR",
        help="those of another working tree, to be compared with",
    )
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.image_s is None:
        args.image_s = 0.3 if args.kills else 0.0  # long enough that kills do meet some
    if args.serve:
        serve(args.job_s, args.image_s)
        return 0
    if args.kills:
        return 0 if survive(args) else 1
    strips = ["no", "yes"] if args.filmstrip == "both" else [args.filmstrip]
    sizes = [size for name, size in SIZES.items() if args.size in (name, "both")]
    met = [measure(size, args, strip) for size in sizes for strip in strips]
    return 0 if all(met) else 1


if __name__ == "__main__":
    sys.exit(main())
