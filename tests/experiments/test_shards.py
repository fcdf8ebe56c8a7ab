"""--shard and --merge: one file of prompts, made in several places into one folder."""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

import pytest
from conftest import Run, run
from factorized_video import file_locks
from factorized_video.experiments.shards import Shard
from factorized_video.money import Cost
from factorized_video.receipts.cap import Cap, Spent
from loopback import Gateway
from speech import Wrong
from storm import Started, Storm

pytestmark = pytest.mark.thorough

LINES = [f"Scene number {number}" for number in range(7)]


def lay(lines: list[str] = LINES) -> None:
    text = "".join(json.dumps({"prompt": prompt}) + "\n" for prompt in lines)
    Path("many.jsonl").write_text(text, encoding="utf-8")


def make(gateway: Gateway | None, *words: str) -> Run:
    told = ["--prompts-file=many.jsonl", "--output=out", "--json", *words]
    return run("factorized_generate", *told, gateway=gateway)


def numbers(told: dict[str, Any]) -> list[int]:
    return [line["line"] for line in told["lines"]]


# --- whose the lines are --------------------------------------------------------------------------


@pytest.mark.quick
def test_shards_share_the_lines_and_merge_tells_of_all(gateway: Gateway) -> None:
    lay()
    first, second = (make(gateway, f"--shard={number}/2") for number in (1, 2))
    assert (first.code, second.code) == (0, 0), first.err + second.err
    assert (numbers(first.json), numbers(second.json)) == ([1, 3, 5, 7], [2, 4, 6])
    assert (first.json["shard"], second.json["shard"]) == ("1/2", "2/2")
    assert Path("out/summary.2-of-2.json").exists()
    before = gateway.requests[:]
    merged = make(gateway, "--merge")
    assert merged.code == 0, merged.err
    assert gateway.requests == before, "nothing is sent"
    told = json.loads(Path("out/summary.json").read_text(encoding="utf-8"))
    assert numbers(told) == list(range(1, 8))
    assert told["counts"] == {"succeeded": 7}
    whole = first.json["cost"]["amount"] + second.json["cost"]["amount"]
    assert merged.json["cost"]["amount"] == pytest.approx(whole)
    assert gateway.billed == {"chat": 7, "image": 7, "create": 7}
    assert make(gateway).code == 0
    assert gateway.billed["create"] == 7, "all of it in one place is there too"


def test_merge_tells_what_is_not_made_and_why(gateway: Gateway) -> None:
    lay()
    gateway.will("create", gateway.speech.error(400, Wrong("blocked by the safety filter")))
    assert make(gateway, "--shard=1/3", "--concurrency=1").code == 5
    sent = gateway.sent
    merged = make(gateway, "--merge")
    assert gateway.sent == sent
    assert merged.code == 5
    assert merged.json["counts"] == {"refused": 1, "succeeded": 2, "not begun": 4}
    assert "safety filter" in merged.json["lines"][0]["error"]["message"]
    assert "--merge" not in merged.json["next"]


def test_merge_of_shards_that_are_not_all_done(gateway: Gateway) -> None:
    lay()
    assert make(gateway, "--shard=2/2").code == 0
    merged = make(gateway, "--merge")
    assert merged.code == 4
    assert merged.json["error"]["message"] == "3 of 7 lines are made."
    assert merged.json["counts"] == {"not begun": 4, "succeeded": 3}
    Path("out/summary.json").unlink()
    assert make(gateway, "--merge", "--dry-run").json["counts"] == merged.json["counts"]
    assert not Path("out/summary.json").exists()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--shard=0/2"], "K from 1 to N"),
        (["--shard=3/2"], "K from 1 to N"),
        (["--shard=2"], "such as 2/8"),
        (["--shard=1/2", "--merge"], "Leave one of them out"),
        (["--merge", "--overwrite"], "no effect"),
        (["--merge"], "There is no folder"),
        (["--merge", "--compare"], "compares what is there"),
    ],
)
def test_what_is_no_shard_is_exit_2(words: list[str], told: str) -> None:
    lay()
    ended = make(None, *words)
    assert ended.code == 2
    error = ended.json["error"]
    assert told in error["message"] + error["hint"]


@pytest.mark.parametrize("option", ["--shard=1/2", "--merge"])
def test_shards_are_of_many_prompts(option: str) -> None:
    ended = run("factorized_generate", "A cat", option, "--json")
    assert ended.code == 2
    assert "--prompts-file" in ended.json["error"]["message"]


def test_merge_by_other_options_says_that_they_are_others(gateway: Gateway) -> None:
    lines = [{"prompt": prompt, "output": f"{number}.mp4"} for number, prompt in enumerate("ab")]
    Path("many.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert make(gateway, "--shard=1/1", "--style=anime").code == 0
    other = make(gateway, "--merge")
    assert other.code == 2
    assert "--merge all the options that the shards had" in other.json["error"]["hint"]


def test_more_shards_than_lines_is_no_failure(gateway: Gateway) -> None:
    lay(LINES[:1])
    assert make(gateway, "--shard=2/2").code == 0
    assert gateway.sent == {}


# --- the limit ------------------------------------------------------------------------------------


class Payer:
    """A line that should cost so much."""

    status = "not begun"

    def __init__(self, left: float, spent: float = 0.0) -> None:
        self.expected, self.spent = Cost(left, "listed"), Spent(spent)


@pytest.mark.quick
@pytest.mark.parametrize("of", [1, 2, 3, 7, 20])
@pytest.mark.parametrize("spare", [0.0, 0.01, 5.0])
def test_the_shares_never_add_up_to_more_than_the_limit(of: int, spare: float) -> None:
    lines = [Payer(0.1 * number + 0.005, spent=0.07 * (number % 2)) for number in range(11)]
    whole = sum((one.expected.amount or 0.0) + one.spent.usd for one in lines)
    limit = Cap(whole + spare, "--max-cost")
    shards = [Shard(number, of) for number in range(1, of + 1)]
    shares = [shard.share_of(limit, lines) for shard in shards]
    assert sum(share.usd for share in shares if share) <= limit.usd + 1e-9
    for shard, share in zip(shards, shares, strict=True):
        own = sum((one.expected.amount or 0.0) + one.spent.usd for one in shard.own(lines))
        assert share
        assert share.usd >= own - 1e-5, "what it was planned to cost is there"


def test_a_shard_has_its_share_of_the_limit(gateway: Gateway) -> None:
    lay()
    whole = make(None, "--dry-run").json["cost"]["amount"]
    plan = make(None, "--dry-run", "--shard=2/2", f"--max-cost={whole + 1:.2f}").json
    assert numbers(plan) == [2, 4, 6]
    assert plan["max_cost"] == pytest.approx(plan["cost"]["amount"] + 0.5, abs=0.01)
    assert plan["max_cost_source"] == "--max-cost, the share of shard 2/2"
    over = make(gateway, "--shard=2/2", f"--max-cost={whole - 0.5:.2f}")
    assert over.code == 7, "all lines together do not fit"
    assert gateway.sent == {}


# --- one shard twice ------------------------------------------------------------------------------


def test_a_shard_that_is_started_twice_pays_once() -> None:
    lay()
    words = ["--prompts-file=many.jsonl", "--output=out", "--json", "--shard=1/2"]
    with Storm() as gateway:
        gateway.hold("create")
        one = Started("factorized_generate", *words, gateway=gateway)
        gateway.wait_for("create")
        other = Started("factorized_generate", *words, gateway=gateway).end()
        assert other.code == 4, other.err
        gateway.release("create")
        assert one.end().code == 0
        assert gateway.billed["create"] == 4


def test_killed_in_the_middle_a_shard_takes_the_same_lines_again() -> None:
    lay()
    words = ["--prompts-file=many.jsonl", "--output=out", "--json", "--shard=2/3"]
    with Storm() as gateway:
        gateway.ends_after = None
        one = Started("factorized_generate", *words, gateway=gateway)
        gateway.wait_for("status", 2)
        one.send(signal.SIGKILL)
        one.end()
        gateway.ends_after = 1
        again = Started("factorized_generate", *words, gateway=gateway).end()
        assert again.code == 0, again.err
        assert numbers(again.json) == [2, 5]
        assert gateway.billed["create"] == 2


# --- locks that hold for one machine alone --------------------------------------------------------

MOUNTS = """\
22 1 259:1 / / rw,relatime shared:1 - ext4 /dev/root rw
30 22 0:40 / /nfs rw,relatime - nfs4 server:/x rw,vers=4.2,local_lock=none,addr=10.0.0.1
31 22 0:41 / /nolock rw - nfs server:/y rw,vers=3,nolock,local_lock=all
32 22 0:42 / /lustre rw - lustre mds@tcp:/fs rw,flock
33 22 0:43 / /lustre-local rw - lustre mds@tcp:/fs rw,localflock
34 22 0:44 / /cifs rw - cifs //server/share rw,nobrl
35 22 0:45 / /my\\040bucket rw - fuse.gcsfuse bucket rw,user_id=0
36 22 0:46 / /unknown rw - newfs server:/x rw
37 30 0:47 / /nfs/s3 rw - fuse.s3fs s3fs rw
38 22 259:2 / /nfs/local rw - xfs /dev/sdb rw
"""


@pytest.mark.quick
@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("/home/me/out", None),
        ("/nfs/out", None),
        ("/nolock/out", "NFS mounted with local_lock=all"),
        ("/lustre/out", None),
        ("/lustre-local/out", "Lustre mounted without the option flock"),
        ("/cifs/out", "CIFS mounted with nobrl"),
        ("/my bucket/out", "gcsfuse (fuse.gcsfuse)"),
        ("/my bucket", "gcsfuse (fuse.gcsfuse)"),
        ("/my bucketful", None),
        ("/unknown/out", None),
        ("/nfs/s3/out", "s3fs (fuse.s3fs)"),
        ("/nfs/local/out", None),
    ],
)
def test_where_locks_hold_for_one_machine_alone(path: str, why: str | None) -> None:
    assert file_locks.in_mounts(MOUNTS, path) == why


@pytest.mark.parametrize("dry_run", [False, True])
def test_a_shard_is_refused_where_locks_hold_for_one_machine_alone(
    gateway: Gateway, tmp_path: Path, dry_run: bool
) -> None:
    """As on an NFS without locks: by a mount table that says so of every folder."""
    lay()
    mounts, site = tmp_path / "mountinfo", tmp_path / "site"
    mounts.write_text("30 1 0:40 / / rw - nfs server:/x rw,nolock\n", encoding="utf-8")
    site.mkdir()
    (site / "sitecustomize.py").write_text(
        f"import pathlib, sys\nexec(open({str(guard())!r}).read())\n"
        "read = pathlib.Path.read_text\n"
        "def told(path, *args, **kwargs):\n"
        "    own = str(path) == '/proc/self/mountinfo'\n"
        f"    return read(pathlib.Path({str(mounts)!r}) if own else path, *args, **kwargs)\n"
        "pathlib.Path.read_text = told\n",
        encoding="utf-8",
    )
    words = ["--prompts-file=many.jsonl", "--output=out", "--json", "--shard=1/2"]
    path = os.pathsep.join([str(site), os.environ["PYTHONPATH"]])
    more = ["--dry-run"] * dry_run
    env = {"PYTHONPATH": path}
    ended = Started("factorized_generate", *words, *more, gateway=gateway, env=env).end()
    assert ended.code == 2, (ended.err, sys.version)
    assert "NFS mounted with nolock" in ended.json["error"]["message"]
    assert gateway.sent == {}


def guard() -> Path:
    from conftest import GUARD

    return GUARD / "sitecustomize.py"
