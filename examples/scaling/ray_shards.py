"""A batch in shards as Ray tasks, and the summary of all of them.

    python3 examples/scaling/ray_shards.py --shards 8 -- \
        --prompts-file prompts.jsonl --output out --concurrency 32 --max-cost 200

Needs Python 3.10 or newer with `ray`, and a folder that all nodes share, with this skill in it or
at the same path on each of them. What follows the two dashes goes to factorized_generate.py. A
worker that dies is replaced by Ray, and its shard resumes. Exit code: that of --merge.
"""

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path

import ray

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "factorized_generate.py"
# Running elsewhere still, the gateway not available, interrupted: the same command resumes.
RESUMES = (4, 6, 130)


def made(words: list[str], folder: str) -> int:
    """Run the tool; its exit code."""
    command = [sys.executable, str(SCRIPT), *words]
    return subprocess.run(command, cwd=folder, check=False).returncode


@ray.remote(num_cpus=0.25, max_retries=20)  # it waits for most of the time
def shard(number: int, of: int, words: list[str], folder: str, again_after_s: float) -> int:
    """Make one shard, however often it takes; the last exit code."""
    # What cannot lie beside an output, for whichever node goes on.
    os.environ.setdefault("XDG_STATE_HOME", str(Path(folder, ".state")))
    for _ in range(100):
        code = made([*words, f"--shard={number}/{of}"], folder)
        if code not in RESUMES:
            break
        time.sleep(again_after_s)
    return code


def main() -> int:
    """Run all shards, then merge."""
    parser = argparse.ArgumentParser(description="A batch in shards as Ray tasks.")
    parser.add_argument("--shards", type=int, default=8, metavar="N")
    parser.add_argument(
        "--address", help="of a cluster that is there, such as auto (default: one on this machine)"
    )
    parser.add_argument("--again-after", type=float, default=30.0, metavar="SECONDS")
    parser.add_argument("words", nargs="+", help="-- and the options of factorized_generate.py")
    args = parser.parse_args()
    ray.init(address=args.address, log_to_driver=True)
    folder = str(Path.cwd())
    numbers = range(1, args.shards + 1)
    tasks = [shard.remote(n, args.shards, args.words, folder, args.again_after) for n in numbers]
    codes = ray.get(tasks)
    print("shards ended with", *codes, file=sys.stderr)
    ray.shutdown()
    return made([*args.words, "--merge"], folder)


if __name__ == "__main__":
    sys.exit(main())
