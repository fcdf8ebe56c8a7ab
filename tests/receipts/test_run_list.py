"""Finding one's runs again, and the options that say what is to become of a job."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import Run, command, environment, run
from loopback import Reply
from storm import Storm, animating, files, literal, making, own_picture, receipt

pytestmark = pytest.mark.thorough

LOST = Reply(fault="reset")  # taken and billed; no byte of the answer comes
OWN = "--anchor-path=mine.png"


@pytest.fixture
def gateway() -> Iterator[Storm]:
    with Storm() as gateway:
        own_picture()
        yield gateway


def make(gateway: Storm, *args: str, output: str = "cat.mp4") -> Run:
    return run("factorized_generate", *making(*args, output=output), gateway=gateway)


def listed(*folder: str) -> dict[str, Any]:
    """The JSON of --list-runs; it needs no key and sends nothing."""
    done = run("factorized_generate", "--list-runs", *folder, "--json")
    assert done.code == 0, done.err
    return done.json


def written(path: str, **fields: object) -> None:
    """A receipt, as if it had been made."""
    data = {
        "schema_version": 1,
        "stage": "synthesis",
        "state": "succeeded",
        "command": "python3 /skill/scripts/factorized_generate.py --prompt=x --output=/v.mp4",
        "cwd": str(Path.cwd()),
        "created_at": "2026-11-20T10:00:00Z",
        "job": None,
        "cost": None,
    }
    place = Path(f"{path}.receipt.json")
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(json.dumps(data | fields), encoding="utf-8")


def usd(amount: object, kind: str = "actual") -> dict[str, object]:
    return {"amount": amount, "currency": "USD", "kind": kind}


# --- --list-runs ----------------------------------------------------------------------------------


def test_a_run_is_listed_with_its_state_cost_age_and_what_comes_next(gateway: Storm) -> None:
    gateway.ends_after = None
    assert make(gateway, OWN, "--no-wait").code == 4
    result = listed(".")
    (row,) = result["runs"]
    assert row["output"] == str(Path("cat.mp4").absolute())
    assert (row["state"], row["stage"], row["job"]) == ("submitted", "synthesis", "job-1")
    assert row["cost"]["amount"] == 2.40
    assert 0 <= row["age_s"] < 60
    assert row["cwd"] == str(Path.cwd())
    assert result["cost"]["amount"] == 2.40
    text = run("factorized_generate", "--list-runs").out
    assert re.match(r"running +\d+ s ago  USD 2\.40 +cat\.mp4\n  next: ", text)
    assert f"  next: {row['next']}" in text
    assert "1 run; spent USD 2.40 (estimated)" in text
    every = run("factorized_generate", "--list-runs", "--all").out
    assert every.startswith("submitted  synthesis ")
    assert "1 receipts; spent USD 2.40 (estimated)" in every


def test_what_belongs_to_an_output_is_in_its_row_and_the_newest_is_last() -> None:
    """Caption, candidates and anchor of a clip count for it; one without a clip stands alone."""
    written("deep/cat.mp4", created_at="2026-11-20T10:00:00Z", cost=usd(2.4, "estimated"))
    inside = "deep/cat.stages"
    written(f"{inside}/caption.txt", stage="reasoning", cost=usd(0.01))
    written(f"{inside}/anchor.candidates/candidate-1.png", stage="composition", cost=usd(0.13))
    late = "2026-11-21T10:00:00Z"
    written("dog.stages/anchor.png", stage="composition", created_at=late, cost=usd(0.13))
    written("a.png", stage="composition", created_at="2026-11-19T10:00:00Z", cost=usd(None))
    lines = run("factorized_generate", "--list-runs", ".").out.splitlines()
    assert [line.split()[-1] for line in lines[:-1]] == ["a.png", "deep/cat.mp4", "yet)"]
    assert "USD 2.54 " in lines[1]
    assert lines[2].endswith("dog.mp4 (no clip yet)")
    assert lines[0].split("ago")[1].split()[:2] == ["+", "?"]
    assert lines[-1].startswith("3 runs; spent USD 2.67 (estimated), and 1 of unknown cost")


@pytest.mark.parametrize("script", ["factorized_generate", "generate_video_from_anchor"])
def test_next_is_literal_and_finishes_a_run_that_nobody_waited_for(
    gateway: Storm, script: str, tmp_path: Path
) -> None:
    gateway.ends_after = 3
    words = making(OWN, "--no-wait") if script.startswith("fact") else animating("--no-wait")
    python, path, *words = command(script, *words, gateway=gateway)
    called = os.path.relpath(path)  # as a person in this folder would
    left = subprocess.run(
        [python, called, *words], env=environment(gateway), capture_output=True, check=False
    )
    assert left.returncode == 4, left.stderr
    here = str(Path.cwd())
    os.chdir(tmp_path)
    (row,) = listed(here)["runs"]
    on = subprocess.run(
        literal(row["next"]),
        cwd=row["cwd"],
        env=environment(gateway),
        capture_output=True,
        check=False,
    )
    assert on.returncode == 0, on.stderr
    assert gateway.billed == {"create": 1}
    (row,) = listed(here)["runs"]
    assert (row["state"], row["next"]) == ("succeeded", None)


def test_all_below_a_folder_are_listed_the_newest_first_and_summed() -> None:
    written("a.mp4", state="refused", created_at="2026-11-20T10:00:00Z", cost=usd(None, "unknown"))
    written("deep/down/b.mp4", created_at="2026-11-21T10:00:00Z", cost=usd(2.4, "listed"))
    written("c.stages/anchor.png", created_at="2026-11-19T10:00:00Z", cost=usd(0.134))
    written("d.mp4", state="intent", created_at="2026-11-18T10:00:00Z")
    result = listed()
    rows = [(Path(row["output"]).name, row["state"]) for row in result["runs"]]
    assert rows == [
        ("b.mp4", "succeeded, file gone"),
        ("a.mp4", "refused"),
        ("anchor.png", "succeeded, file gone"),
        ("d.mp4", "intent"),
    ]
    assert [bool(row["next"]) for row in result["runs"]] == [False, False, False, True]
    assert result["cost"]["amount"] == pytest.approx(2.534)
    assert result["cost"]["kind"] == "listed", "the weakest kind in it"
    assert any("2 paid calls is not known" in warning for warning in result["warnings"])


def test_outputs_is_looked_through_where_no_folder_is_named() -> None:
    written("elsewhere/a.mp4")
    written("outputs/b.mp4")
    assert [Path(row["output"]).name for row in listed()["runs"]] == ["b.mp4"]


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b'{"state": "succ', id="cut off"),
        pytest.param(b"\xff\xfe", id="no text"),
        pytest.param(b"[1]", id="a list"),
        pytest.param(b'{"state": "odd"}', id="an unknown state"),
        pytest.param(b'{"state": "submitted", "schema_version": 99}', id="of a newer version"),
        pytest.param(b"[" * 5000, id="too deep"),
    ],
)
def test_a_receipt_that_cannot_be_read_is_listed_as_such(content: bytes) -> None:
    Path("bad.mp4.receipt.json").write_bytes(content)
    written("good.mp4", cost=usd(1.0))
    result = listed(".")
    assert {row["state"] for row in result["runs"]} == {"unreadable", "succeeded, file gone"}
    assert result["cost"]["amount"] == 1.0
    assert "unreadable" in run("factorized_generate", "--list-runs", ".").out


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({"cost": {"kind": "actual"}}, id="no amount"),
        pytest.param({"cost": usd("2")}, id="an amount in words"),
        pytest.param({"cost": usd(2, "guessed")}, id="a kind of its own"),
        pytest.param({"cost": 2.4}, id="a bare number"),
        pytest.param({"created_at": 7, "stage": None, "cwd": None}, id="other types"),
        pytest.param({"created_at": "2999-01-01T00:00:00Z"}, id="from the future"),
    ],
)
def test_an_odd_receipt_does_not_end_the_list(fields: dict[str, object]) -> None:
    written("odd.mp4", **fields)
    assert len(listed(".")["runs"]) == 1
    assert run("factorized_generate", "--list-runs", ".").code == 0


def test_a_dangling_link_does_not_end_the_list() -> None:
    Path("gone.mp4.receipt.json").symlink_to("nowhere")
    assert [row["state"] for row in listed(".")["runs"]] == ["unreadable"]


def test_no_receipts_at_all_is_said() -> None:
    assert run("factorized_generate", "--list-runs").out == "no receipts here\n"
    assert (listed()["runs"], listed()["cost"]["amount"]) == ([], 0)


@pytest.mark.parametrize("folder", ["nowhere", "file.txt"])
def test_a_folder_that_is_not_there_is_a_usage_error(folder: str) -> None:
    Path("file.txt").touch()
    failed = run("factorized_generate", f"--list-runs={folder}", "--json")
    assert (failed.code, failed.json["error"]["kind"]) == (2, "usage")


# --- next, after an answer that was lost ----------------------------------------------------------


def test_next_never_pays_again_though_the_command_said_resubmit(gateway: Storm) -> None:
    gateway.will("image", LOST, LOST)
    args = ("--skip-reasoning", "--stop-after=anchor")
    assert make(gateway, *args).code == 8
    lost = make(gateway, *args, "--resubmit")
    assert (lost.code, gateway.sent) == (8, {"image": 2})
    row = next(row for row in listed(".")["runs"] if row["next"])
    for line in (lost.json["next"], row["next"]):
        again = subprocess.run(
            literal(line),
            env=environment(gateway),
            cwd=row["cwd"],
            capture_output=True,
            check=False,
        )
        assert (again.returncode, gateway.sent) == (8, {"image": 2})


# --- --no-wait, --job, --take, --resubmit ---------------------------------------------------------


def test_no_wait_ends_with_4_and_says_how_to_go_on(gateway: Storm) -> None:
    gateway.ends_after = None
    left = make(gateway, OWN, "--no-wait")
    told = left.json
    assert (left.code, told["status"], told["job"]) == (4, "running", "job-1")
    assert told["eta_s"] > 0
    assert "--no-wait" not in told["next"]
    assert receipt()["state"] == "submitted"
    assert make(gateway, OWN, "--no-wait").code == 4, "still running"
    gateway.ends_after = 0
    assert make(gateway, OWN, "--no-wait").code == 0, "it has ended: it is fetched"
    assert gateway.billed == {"create": 1}


def test_a_job_seen_at_the_gateway_is_taken_over_and_nothing_is_submitted(gateway: Storm) -> None:
    make(gateway, OWN, "--no-wait")
    Path("cat.mp4.receipt.json").unlink()  # only the gateway knows of it now
    done = make(gateway, OWN, "--job=job-1")
    assert (done.code, done.json["job"], gateway.sent) == (0, "job-1", {"create": 1})
    assert Path("cat.mp4").read_bytes() == gateway.clips["job-1"]
    assert (receipt()["state"], receipt()["job"]) == ("succeeded", "job-1")


def test_a_job_that_the_gateway_does_not_know_changes_nothing(gateway: Storm) -> None:
    gateway.ends_after = None
    assert make(gateway, OWN, "--no-wait").code == 4
    before = receipt()
    wrong = make(gateway, OWN, "--job=job-of-nobody")
    assert (wrong.code, wrong.json["error"]["kind"]) == (10, "rejected")
    assert receipt() == before
    gateway.ends_after = 0
    assert (make(gateway, OWN).json["job"], gateway.sent) == ("job-1", {"create": 1})


def test_a_wrong_job_where_nothing_was_made_leaves_nothing(gateway: Storm) -> None:
    wrong = make(gateway, OWN, "--job=job-of-nobody")
    assert (wrong.code, gateway.sent, files()) == (10, {}, {"mine.png"})
    assert make(gateway, OWN).code == 0


def test_another_take_is_drawn_anew_and_the_first_stays(gateway: Storm) -> None:
    assert make(gateway).code == 0
    first = {name: Path(name).read_bytes() for name in ("cat.mp4", "cat.stages/anchor.png")}
    before = dict(gateway.sent)
    refused = make(gateway, "--take=2")
    assert (refused.code, gateway.sent) == (2, before)
    again = make(gateway, "--take=2", "--overwrite")
    assert again.code == 0, again.err
    assert gateway.sent == {"chat": 1, "image": 2, "create": 2}, "from Stage 2 on"
    for name, content in first.items():
        path = Path(name)
        assert path.with_name(f"{path.stem}.1{path.suffix}").read_bytes() == content
        assert path.read_bytes() != content
    assert receipt("cat.1.mp4")["job"] == "job-1"
    assert make(gateway, "--take=2").json["reused"] is True
    assert gateway.sent["create"] == 2


@pytest.mark.parametrize("script", ["factorized_generate", "generate_video_from_anchor"])
def test_resubmit_is_never_for_a_job_that_runs(gateway: Storm, script: str) -> None:
    gateway.ends_after = None
    words = making(OWN) if script.startswith("fact") else animating()
    for more in ((), ("--resubmit",), ("--resubmit", "--overwrite")):
        left = run(script, *words, "--no-wait", *more, gateway=gateway)
        assert (left.code, left.json["job"], gateway.sent) == (4, "job-1", {"create": 1})
