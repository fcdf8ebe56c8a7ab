"""How fast and how small: figures beside their targets, by hand, on whatever machine this is.

    python3 tests/benchmarks/bench.py [PART|all]    (the parts: see README.md)

Times are never judged by themselves, only against something that ran in between on the same
machine: A B A B ..., and the median of the ratios of neighbours. Needs the four packages; opens
nothing but 127.0.0.1. Exit code 1 where a target is missed.
"""

from __future__ import annotations

import argparse
import base64
import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from statistics import mean, median
from typing import Any

# Neither requests, Pillow nor PyAV here: on Linux a child's peak memory counts from its parent's,
# because it is the parent until its exec.
HERE = Path(__file__).resolve().parent
SCRIPTS = HERE.parents[1] / "scripts"
STAGES = ("rewrite_prompt.py", "generate_anchor.py", "generate_video_from_anchor.py")
PROMPT = "A cat jumping from a bookshelf to the couch"
MAXRSS_UNIT = 1 if sys.platform == "darwin" else 1024  # bytes in one unit of ru_maxrss

HELP_RATIO = 3.0
DRY_RUN_RATIO = 1.0
CONFORM_S, CONFORM_MIB = 1.5, 300.0
FILMSTRIP_S = 3.0
PIPELINE_RATIO = 4.0
LARGEST_MIB = 64.0
MEAN_LAG_S = 2.5
SHORTEST_SPACING_S = 2.0
READY_AFTER_S = 20.0
READY_SPREAD_S = 4.0  # one polling interval: lags of jobs spread over it are those of any job


@dataclass(frozen=True)
class Run:
    """One process and its descendants: seconds of wall and CPU time, MiB of the largest one."""

    wall: float
    cpu: float
    largest: float


def timed(command: list[str], folder: Path, root: str = "") -> Run:
    """Run a command to its end. Raises SystemExit, showing its stderr, if it fails."""
    with tempfile.TemporaryFile() as errors:
        started = time.perf_counter()
        child = subprocess.Popen(
            command,
            cwd=folder,
            env=environment(folder, root),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=errors,
        )
        _, status, used = os.wait4(child.pid, 0)  # of this child and those it waited for
        wall = time.perf_counter() - started
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode:
            errors.seek(0)
            sys.exit(f"{command} ended with {child.returncode}\n{errors.read().decode()}")
    return Run(wall, used.ru_utime + used.ru_stime, used.ru_maxrss * MAXRSS_UNIT / (1 << 20))


def environment(folder: Path, root: str) -> dict[str, str]:
    """The caller's, without what would change the run: settings of ours, proxies, no bytecode."""
    ours = ("AI_GATEWAY_", "FACTORIZED_VIDEO_", "PYTHON")
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(ours) and not name.lower().endswith("_proxy")
    }
    # A base URL in the environment goes before any .env file.
    gateway = {"AI_GATEWAY_BASE_URL": root, "AI_GATEWAY_API_KEY": "bench"} if root else {}
    return {**kept, **gateway, "TMPDIR": str(folder)}


def script(name: str, *words: str) -> list[str]:
    """The command line of one of the product's scripts."""
    return [sys.executable, str(SCRIPTS / name), *words]


@contextlib.contextmanager
def gateway(*words: str) -> Iterator[str]:
    """The loopback gateway in a process of its own; yields its address."""
    server = subprocess.Popen(
        [sys.executable, str(HERE / "loopback.py"), *words],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert server.stdin is not None and server.stdout is not None
    try:
        root = server.stdout.readline().strip()
        if not root:
            sys.exit("the loopback gateway did not start")
        yield root
    finally:
        server.stdin.close()
        server.wait()
        server.stdout.close()


def alternate(commands: dict[str, list[str]], rounds: int, root: str = "") -> dict[str, list[Run]]:
    """Run all of them in turn, `rounds` times, each in a fresh folder; one round before is not
    counted. FOLDER in a command stands for that folder.
    """
    runs: dict[str, list[Run]] = {name: [] for name in commands}
    for number in range(rounds + 1):
        for name, command in commands.items():
            with tempfile.TemporaryDirectory(prefix="bench-") as made:
                words = [word.replace("FOLDER", made) for word in command]
                run = timed(words, Path(made), root)
            if number:
                runs[name].append(run)
    return runs


def pipeline_command(*more: str) -> list[str]:
    """All three stages into a fresh folder."""
    return script(
        "factorized_generate.py",
        "--gateway",
        "happycapy",
        "--prompt",
        PROMPT,
        "--output",
        "FOLDER/video.mp4",
        "--quiet",
        *more,
    )


def compare(
    runs: dict[str, list[Run]], base: str, limit: float, judged: tuple[str, ...] = ()
) -> bool:
    """Print wall and CPU of each, and their ratios to `base`. Whether all are within the limit.

    With `judged`, only those are held to it.
    """
    fine = True
    width = max(map(len, runs))
    print(f"  {'':{width}}  wall min  median   ratio   CPU min  median   ratio  target")
    for name, these in runs.items():
        line = f"  {name:{width}}"
        ratios = []
        for kind in ("wall", "cpu"):
            values = [getattr(run, kind) for run in these]
            bases = [getattr(run, kind) for run in runs[base]]
            ratios.append(median(value / other for value, other in zip(values, bases, strict=True)))
            line += f"{min(values):8.3f} s {median(values):5.3f} s  {ratios[-1]:5.2f}x"
        if name != base and (not judged or name in judged):
            within = ratios[0] <= limit
            fine &= within
            line += f"  {limit:.0f}x {'ok' if within else 'MISSED'}"
        print(line)
    return fine


def bench_help(rounds: int) -> bool:
    """--help of every script against a Python that imports argparse."""
    commands = {"import argparse": [sys.executable, "-c", "import argparse"]}
    for name in (*STAGES, "factorized_generate.py"):
        commands[name] = script(name, "--help")
    print(f"--help, whole process, {rounds} rounds")
    return compare(alternate(commands, rounds), "import argparse", HELP_RATIO)


def bench_dry_run(rounds: int) -> bool:
    """--dry-run of every script against a Python that imports requests."""
    plans = {
        STAGES[0]: [PROMPT],
        STAGES[1]: [PROMPT],
        "factorized_generate.py": ["--prompt", PROMPT],
    }
    commands = {"import requests": [sys.executable, "-c", "import requests"]}
    for name, words in plans.items():
        commands[name] = script(name, "--dry-run", "--quiet", *words)
    print(f"--dry-run, whole process, {rounds} rounds")
    return compare(alternate(commands, rounds), "import requests", DRY_RUN_RATIO)


def bench_media(rounds: int) -> bool:
    """Fitting a 4K PNG to the canvas, and the strip of an 8 s 1080p clip; in seconds and MiB."""
    print(f"a 4K PNG made fit to send, the filmstrip of an 8 s 1080p clip, {rounds} rounds")
    media = [sys.executable, str(HERE / "media.py")]
    with tempfile.TemporaryDirectory(prefix="bench-") as made:
        subprocess.run([*media, "make", made], check=True)
        picture, clip = f"{made}/4k.png", f"{made}/1080p.mp4"
        runs = alternate(
            {
                "conform, 4K PNG": [*media, "conform", picture],
                "Pillow: open, scale, JPEG": [*media, "bare", picture],
                "filmstrip, 8 s 1080p": [*media, "filmstrip", clip],
                "PyAV: decode it": [*media, "decode", clip],
            },
            rounds,
        )
    fine = True
    limits = {
        "conform, 4K PNG": (CONFORM_S, CONFORM_MIB),
        "filmstrip, 8 s 1080p": (FILMSTRIP_S, float("inf")),
    }
    for name, these in runs.items():
        walls, sizes = [run.wall for run in these], [run.largest for run in these]
        line = f"  {name:26} wall min {min(walls):.2f} s  median {median(walls):.2f} s  "
        line += f"largest {max(sizes):5.1f} MiB"
        if name in limits:
            within = median(walls) <= limits[name][0] and max(sizes) <= limits[name][1]
            fine &= within
            line += f"  target {limits[name][0]:g} s"
            line += f", {CONFORM_MIB:g} MiB" if limits[name][1] == CONFORM_MIB else ""
            line += " ok" if within else " MISSED"
        print(line)
    return fine


def bench_fidelity(rounds: int) -> bool:
    """The table of likenesses; nothing is timed."""
    del rounds
    print("anchor_fidelity: the same frame at least 0.95, another picture at most 0.5", flush=True)
    ran = subprocess.run([sys.executable, str(HERE / "media.py"), "fidelity"], check=False)
    return ran.returncode == 0


def bench_pipeline(rounds: int) -> bool:
    """The three stages against one bare process making the same calls."""
    print(f"three stages, gateway answers at once, 6 MiB video, {rounds} rounds")
    with gateway("--video-bytes", str(6 << 20)) as root:
        bare = [sys.executable, str(HERE / "bare.py"), "pipeline", root, "FOLDER"]
        commands = {
            "bare requests": bare,
            "factorized_generate.py --no-filmstrip": pipeline_command("--no-filmstrip"),
            "the same with the filmstrip": pipeline_command(),
        }
        runs = alternate(commands, rounds, root)
        return compare(runs, "bare requests", PIPELINE_RATIO, (list(commands)[1],))


def bench_memory(rounds: int) -> bool:
    """The largest process while a video of 512 MiB is downloaded."""
    rounds = max(1, rounds // 4)  # the figures hardly differ from run to run
    print(f"largest process, 512 MiB video, {rounds} rounds")
    with gateway("--video-bytes", str(512 << 20)) as root:
        bare = [sys.executable, str(HERE / "bare.py"), "download", root, "FOLDER"]
        commands = {
            "bare streaming": bare,
            "factorized_generate.py": pipeline_command("--no-filmstrip"),
        }
        runs = alternate(commands, rounds, root)
    fine = True
    for name, these in runs.items():
        sizes = [run.largest for run in these]
        line = f"  {name:22}  min {min(sizes):5.1f} MiB  median {median(sizes):5.1f} MiB"
        if name != "bare streaming":
            fine = max(sizes) <= LARGEST_MIB
            line += f"  target {LARGEST_MIB:.0f} MiB {'ok' if fine else 'MISSED'}"
        print(line)
    return fine


def bench_polling(rounds: int) -> bool:
    """How soon ready jobs are noticed, and how often the gateway is asked; real time."""
    jobs = max(8, rounds * 3)  # lags spread evenly over 4 s: a mean of 36 is known to 0.2 s
    print(f"polling, {jobs} jobs at once, ready after {READY_AFTER_S:g} s and up to 4 s more")
    with (
        gateway("--ready-after", str(READY_AFTER_S), "--step", str(READY_SPREAD_S / jobs)) as root,
        tempfile.TemporaryDirectory(prefix="bench-") as made,
    ):
        folder = Path(made)
        anchor = folder / "anchor.png"
        write_anchor(root, anchor)
        children = []
        for number in range(jobs):
            words = ["--anchor", str(anchor), "--prompt", PROMPT, "--output", f"{number}.mp4"]
            children.append(
                subprocess.Popen(
                    script(STAGES[2], *words, "--gateway", "happycapy"),
                    cwd=folder,
                    env=environment(folder, root),
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.PIPE,
                )
            )
        for child in children:
            _, said = child.communicate()
            if child.returncode:
                sys.exit(f"a job failed\n{said.decode()}")
        rows = asked(f"{root}/bench/jobs")
    lags: list[float] = []
    spacings: list[float] = []
    for row in rows:
        times = [when for when, _ in row["reads"]]
        lags.append(next(when for when, ready in row["reads"] if ready) - row["ready"])
        spacings += [after - before for before, after in pairwise(times)]
    soon, seldom = mean(lags) <= MEAN_LAG_S, min(spacings) >= SHORTEST_SPACING_S
    print(
        f"  noticed after       min {min(lags):.2f} s  median {median(lags):.2f} s  "
        f"mean {mean(lags):.2f} s  longest {max(lags):.2f} s  "
        f"target mean {MEAN_LAG_S} s {'ok' if soon else 'MISSED'}"
    )
    print(
        f"  between two reads   min {min(spacings):.2f} s  median {median(spacings):.2f} s  "
        f"target {SHORTEST_SPACING_S} s {'ok' if seldom else 'MISSED'}"
    )
    return soon and seldom


def write_anchor(root: str, path: Path) -> None:
    """The gateway's own picture, so that nothing here needs Pillow."""
    reply = asked(f"{root}/api/v1/images/generations", b"{}")
    path.write_bytes(base64.b64decode(reply["data"][0]["b64_json"]))


def asked(url: str, body: bytes | None = None) -> Any:
    """What the loopback gateway answers, past any proxy."""
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with direct.open(url, body) as reply:
        return json.load(reply)


def main() -> int:
    """Run what was asked for."""
    benches = {
        "help": bench_help,
        "dry-run": bench_dry_run,
        "pipeline": bench_pipeline,
        "memory": bench_memory,
        "polling": bench_polling,
        "media": bench_media,
        "fidelity": bench_fidelity,
    }
    parser = argparse.ArgumentParser(description="Speed and memory, beside their targets.")
    parser.add_argument("what", nargs="?", choices=(*benches, "all"), default="all")
    parser.add_argument("--rounds", type=int, default=12, metavar="N", help="default: 12")
    args = parser.parse_args()
    print(f"Python {sys.version.split()[0]}, {sys.platform}, {os.cpu_count()} CPUs")
    chosen = benches.values() if args.what == "all" else [benches[args.what]]
    results = []
    for bench in chosen:
        print(flush=True)
        results.append(bench(max(1, args.rounds)))
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
