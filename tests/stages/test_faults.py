"""Whatever goes wrong at the gateway: nothing paid is lost, and nothing is paid twice.

Every row of `scenarios.py` goes through the real command line, at each gateway: the command with
the fault, the same command without it, and where the outcome stays unknown, the person's answer.
The figures of all rows are printed at the end of the run.
"""

from __future__ import annotations

import base64
import contextlib
import fcntl
import json
import os
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import KEY, Run, run
from factorized_video import receipts
from factorized_video.receipts import STATES, Allowed, Decision, Record
from hypothesis import given, settings
from hypothesis import strategies as st
from loopback import CAPTION, Gateway, Reply, clip, png
from scenarios import PAID, Scenario, scenarios
from speech import NAMES, Asked

pytestmark = pytest.mark.thorough

PROMPT = "A cat jumping from a bookshelf to the couch"
COMMANDS = {
    "reasoning": ("rewrite_prompt", PROMPT, "--output=out.txt"),
    "composition": ("generate_anchor", CAPTION, "--output=out.png"),
    "synthesis": (
        "generate_video_from_anchor",
        "--anchor=mine.png",
        f"--prompt={PROMPT}",
        "--output=out.mp4",
    ),
    "all": ("factorized_generate", f"--prompt={PROMPT}", "--output=out.mp4"),
}
OUTPUTS = {"reasoning": "out.txt", "composition": "out.png"}
# The contract's table: exit code -> kind of error.
KINDS = {
    3: "auth",
    4: "running",
    5: "refused",
    6: "unavailable",
    8: "unknown",
    9: "output",
    10: "rejected",
    11: "failed",
}
STATUSES = {0: "succeeded", 4: "running", 5: "refused", 8: "unknown", 10: "rejected"}
# What a command says of the money where it ends on a paid create, and where a download fails.
CHARGED = {3: "no", 6: "no", 8: "unknown", 10: "no"}
LEFT_BY = {5: "refused", 8: "unknown", 11: "failed"}  # the state of the receipt
# By script: the kind of model that it asks.
KINDS_OF_MODELS = {"reasoning": "llm", "composition": "image", "synthesis": "video"}


def param(row: Scenario) -> Any:
    marks = [] if row.quick else [pytest.mark.dialects, pytest.mark.slow]
    return pytest.param(row, id=row.name, marks=marks)


# --- the figures ----------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def ledger(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Path]:
    """A file with a line per row that was run, of all workers; the last to end prints its sum."""
    folder = tmp_path_factory.getbasetemp()
    path = (folder.parent if "PYTEST_XDIST_WORKER" in os.environ else folder) / "faults.jsonl"
    path.touch()
    yield path
    chosen = sum(item.name.startswith("test_a_fault_ends[") for item in request.session.items)
    with path.open("r+", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        rows = [json.loads(line) for line in file]
        if len(rows) != chosen:
            return
        file.write("{}\n")  # one too many now: nobody else prints
    capture = request.config.pluginmanager.getplugin("capturemanager")
    with capture.global_and_fixture_disabled() if capture else contextlib.nullcontext():
        # On stderr: of a worker of pytest-xdist nothing else is shown.
        print(summed(rows), file=sys.stderr)


def write_down(path: Path, figures: dict[str, Any]) -> None:
    with path.open("a", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.write(json.dumps(figures) + "\n")


def summed(rows: list[dict[str, Any]]) -> str:
    """The figures of all rows by gateway, for people."""
    names = [name for name in NAMES if any(row["dialect"] == name for row in rows)]
    return "\n".join(_summed(name, [r for r in rows if r["dialect"] == name]) for name in names)


def _summed(dialect: str, rows: list[dict[str, Any]]) -> str:
    ends = Counter(row["end"] for row in rows)
    how = Counter(row["delivered"] for row in rows)
    without = [row["billed"] for row in rows if row["delivered"] in (ONCE, AGAIN)]
    most = {what: max((billed.get(what, 0) for billed in without), default=0) for what in PAID}
    total = {what: sum(row["total"].get(what, 0) for row in rows) for what in PAID}
    codes = ", ".join(f"{code}: {count}" for code, count in sorted(ends.items()))
    return "\n".join(
        [
            "",
            f"faults at {dialect}: {len(rows)} scenarios",
            f"  first command ended with exit code {codes}",
            f"  delivered: {how[ONCE]} by the first command, {how[AGAIN]} by the same command "
            f"again, {how[ANSWER]} by --resubmit or --job, {how['']} not at all",
            f"  billed: {total['image']} images, {total['create']} videos",
            "  billed creates per delivered output without --resubmit, at most: "
            f"{most['create']} per video, {most['image']} per image",
        ]
    )


ONCE, AGAIN, ANSWER = "once", "again", "answer"


# --- one row --------------------------------------------------------------------------------------


@pytest.mark.parametrize("row", [param(row) for name in NAMES for row in scenarios(name)])
def test_a_fault_ends(ledger: Path, row: Scenario) -> None:
    figures: dict[str, Any] = {"dialect": row.dialect, "end": None, "delivered": "", "billed": {}}
    with Gateway(row.dialect) as gateway:
        try:
            drive(gateway, row, figures)
        finally:
            write_down(ledger, {**figures, "total": dict(gateway.billed)})


def drive(gateway: Gateway, row: Scenario, figures: dict[str, Any]) -> None:
    """The command with the fault, the same command without it, and the person's answer."""

    def command(*more: str) -> Run:
        env = {"FACTORIZED_VIDEO_TIME_SCALE": row.scale}
        kind = KINDS_OF_MODELS.get(row.script, "")
        named = [] if "--model" in str(row.args) else gateway.speech.naming(kind)
        words = (*COMMANDS[row.script], "--json", *named, *row.args, *more)
        done = run(*words, gateway=gateway, env=env)
        must_be_whole(done, row)
        return done

    def delivered(done: Run, how: str) -> None:
        figures.update(delivered=how, billed=dict(gateway.billed))
        must_be_delivered(row, done)
        must_have_been_understood(gateway, row)

    Path("mine.png").write_bytes(png((1280, 720), 9))
    gateway.clock_ahead_s, gateway.key = 0.0, KEY
    row.prepare(gateway)
    first = command()
    figures["end"] = first.code
    assert (first.code, paid(gateway)) == (row.end, row.billed), first.err
    must_say(first, row)
    must_have_left(row)
    assert row.check(gateway)
    gateway.mend()
    gateway.key = KEY
    gateway.clock_ahead_s = None if "no times" in row.fault else gateway.clock_ahead_s
    if row.end == 0:
        delivered(first, ONCE)
        assert most_paid(gateway) <= 1
        return

    asked = len(gateway.requests)
    again = command()
    assert again.code == row.again, again.err
    if row.again == 0:
        delivered(again, AGAIN)
        assert most_paid(gateway) <= 1, "never paid twice without --resubmit"
        return
    assert paid(gateway) == row.billed, "nothing is sent again by itself"
    if row.again in (5, 11):
        assert len(gateway.requests) == asked, "the same answer, nothing sent"
    answered = command(row.answer)
    assert (answered.code, paid(gateway)) == (0, row.billed + row.more), answered.err
    delivered(answered, ANSWER)


def paid(gateway: Gateway) -> int:
    return sum(gateway.billed[what] for what in PAID)


def most_paid(gateway: Gateway) -> int:
    """The most paid creates for one output."""
    return max(gateway.billed[what] for what in PAID)


def must_be_whole(done: Run, row: Scenario) -> None:
    """However it ended: one document, nothing half left behind, valid receipts, no key."""
    document = done.json  # exactly one, or this fails
    assert document["status"] == STATUSES.get(done.code, "failed"), done.err
    assert ("error" in document) is (done.code != 0)
    left = [path for path in Path.cwd().rglob("*") if path.is_file()]
    assert not [path.name for path in left if path.name.startswith(".")], "no .part, no .lock"
    for path in left:
        if path.name.endswith(".receipt.json"):
            assert json.loads(path.read_bytes())["state"] in STATES
    # Notes of which outputs were paid for stay for a day.
    tmp = [
        path
        for path in Path(os.environ["TMPDIR"]).rglob("*")
        if path.is_file() and path.parent.name != "outputs"
    ]
    if done.code == 0:
        assert tmp == [], "what was kept has its place now"
    texts = [done.out, done.err, *(path.read_bytes().decode("latin-1") for path in left + tmp)]
    for secret in (KEY, base64.b64encode(KEY.encode()).decode()):
        assert not [text for text in texts if secret in text], "the key is shown nowhere"
    if row.call != "address":  # of a picture the address is all there is, so it is kept, in private
        assert not [text for text in texts if "NeverToBeSeen" in text], "no signature either"


def must_say(done: Run, row: Scenario) -> None:
    """The error's kind, what it says of the money, and what to do next."""
    result = done.json
    assert row.says in " ".join([*result["warnings"], json.dumps(result.get("error"))])
    if done.code == 0:
        return
    error = result["error"]
    assert error["kind"] == KINDS[done.code]
    if done.code in CHARGED and row.call in PAID and (done.code == 8 or not row.billed):
        assert error["charged"] == CHARGED[done.code]
    if row.billed and done.code != 8 and row.stage != "all":
        assert "Nothing was" not in error["hint"], "neither accepted nor made"
    if done.code == 9:
        assert error["charged"] == "yes"
    if done.code in (3, 4, 6, 8, 9):
        assert str(result["next"]).startswith("python3 ")
        assert "--resubmit" not in result["next"], "nothing that pays again is suggested as next"
    if done.code in (5, 8, 11):
        assert "--resubmit" in error["hint"], "the choices are told"


def must_have_left(row: Scenario) -> None:
    """The receipt of the stage that ended, in the state that the same command needs."""
    output = Path(
        "out.stages/out.png" if row.stage == "all" else OUTPUTS.get(row.script, "out.mp4")
    )
    if row.script == "reasoning" or row.stage == "all":
        return
    receipt = output.with_name(output.name + ".receipt.json")
    if row.call in (*PAID, "check") and row.end in (3, 6, 10) and not row.billed:
        assert not receipt.exists(), "nothing was accepted: the intent is withdrawn"
        return
    state = json.loads(receipt.read_bytes())["state"]
    if row.end == 0:
        assert state == "succeeded"
    else:
        waits = "intent" if row.call == "address" else "submitted"
        assert state == LEFT_BY.get(row.end, waits)


def must_be_delivered(row: Scenario, done: Run) -> None:
    """The output is what the gateway made."""
    output = Path(OUTPUTS.get(row.script, "out.mp4"))
    assert done.json["output"] == str(output.absolute())
    if output.suffix == ".mp4":
        assert output.read_bytes() == clip()
    elif output.suffix == ".png":
        assert output.read_bytes() in {png((1280, 720), number) for number in range(4)}
    else:
        assert output.read_text(encoding="utf-8") == CAPTION + "\n"


def must_have_been_understood(gateway: Gateway, row: Scenario) -> None:
    """Every job is for what was asked: the prompt, the picture as the first frame, the length."""
    anchor = Path("out.stages/anchor.png" if row.stage == "all" else "mine.png")
    for job in gateway.jobs.values():
        asked = job["asked"]
        assert isinstance(asked, Asked)
        assert PROMPT in asked.prompt
        assert (asked.duration_s, asked.frame) == (6, anchor.read_bytes())
        assert asked.shape in ("16:9", "1280x720")
        assert asked.model == gateway.speech.models.get("video", asked.model)


# --- what takes time ------------------------------------------------------------------------------


def test_after_an_hour_a_key_is_not_relied_on_and_nothing_is_sent() -> None:
    Path("mine.png").write_bytes(png())
    receipt = Path("out.mp4.receipt.json")
    with Gateway("vercel") as gateway:
        gateway.always("create", Reply(fault="reset"))
        assert run(*COMMANDS["synthesis"], "--json", gateway=gateway).code == 8
        gateway.mend()
        before, told = gateway.sent, json.loads(receipt.read_bytes())
        receipt.write_text(json.dumps({**told, "sent_at": told["sent_at"] - 3601}))
        again = run(*COMMANDS["synthesis"], "--json", gateway=gateway)
        assert (again.code, gateway.sent) == (8, before), again.err
        receipt.write_text(json.dumps({**told, "sent_at": told["sent_at"] - 3000}))
        again = run(*COMMANDS["synthesis"], "--json", gateway=gateway)
        assert (again.code, gateway.billed) == (0, {"create": 1}), again.err


# --- what takes a second server -------------------------------------------------------------------


@pytest.mark.parametrize("secret_place", ["another host", "another host, by a redirect"])
def test_a_download_elsewhere_carries_no_key(gateway: Gateway, secret_place: str) -> None:
    Path("mine.png").write_bytes(png())
    with Gateway() as elsewhere:
        if "redirect" in secret_place:
            there = {"Location": f"{elsewhere.root}/files/moved.mp4"}
            gateway.will("file", Reply(307, body=b"", headers=there))
        else:
            gateway.clips_at = elsewhere.root
        elsewhere.will("file", Reply(fault="snap"))
        done = run(*COMMANDS["synthesis"], "--json", gateway=gateway)
        assert (done.code, gateway.billed) == (0, {"create": 1}), done.err
        assert len(elsewhere.of("file")) == 1 + ("redirect" not in secret_place)
        assert KEY not in str(elsewhere.requests)


# --- receipts, whatever is in them ----------------------------------------------------------------

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=8,
)
# Fields of the kinds that they have; of other kinds it is no receipt.
KNOWN = st.fixed_dictionaries(
    {},
    optional={
        "digest": st.text(),
        "job": st.text(min_size=1),
        "model": st.text(),
        "sent": st.dictionaries(st.text(), JSON, max_size=3),
        "cost": st.just({"amount": 0.134, "currency": "USD", "kind": "estimated"}),
        "error": JSON,
        "command": st.text(),
        "pipeline": st.dictionaries(st.text(), JSON, max_size=3),
    },
)
WILD = st.dictionaries(st.sampled_from(["digest", "job", "sent", "cost", "error"]), JSON)
# Fields of a version to come.
LATER = st.dictionaries(st.text(min_size=1, max_size=8).map(lambda name: f"later_{name}"), JSON)


@settings(deadline=None, max_examples=60)
@given(st.sampled_from(STATES), KNOWN, LATER, KNOWN)
def test_a_receipt_comes_back_as_it_was_and_keeps_what_it_does_not_know(
    state: str, known: dict[str, Any], later: dict[str, Any], changes: dict[str, Any]
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / "a.mp4"
        told = {"state": state, "schema_version": 1, "job": "j", **known, **later}
        Record(output, dict(told)).update()
        read = receipts.read(output)
        assert read == told
        Record(output, read).update(**changes)
        assert receipts.read(output) == {**read, **changes}
        assert os.listdir(folder) == ["a.mp4.receipt.json"]


@settings(deadline=None, max_examples=60)
@given(
    st.binary(max_size=60)
    | JSON.map(lambda data: json.dumps(data).encode())
    | WILD.map(lambda wild: json.dumps({"state": "unknown", **wild}).encode())
)
def test_anything_at_a_receipts_place_is_read_without_a_bug(content: bytes) -> None:
    """What to do is said, or a usage error that says why not: never by sending anything."""
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / "a.mp4"
        receipts.receipt_path(output).write_bytes(content)
        found = receipts.look(output)
        decision = receipts.decide(found, "mine", Allowed())
        assert decision in {Decision.CONFLICT, Decision.UNKNOWN}


FIELDS: list[dict[str, Any]] = [
    {"sent": None},
    {"model": None},
    {"gateway": "x"},
    {"cost": "x"},
    {"sent_at": "yesterday"},
    {"error": "x"},
    {"former_jobs": 7},
    {"state": "submitted", "job": None},
    {"state": "submitted", "job": 7},
]


@pytest.mark.slow
@pytest.mark.parametrize("change", FIELDS, ids=json.dumps)
def test_a_receipt_with_a_damaged_field_pays_nothing_and_is_no_bug_here(
    gateway: Gateway, change: dict[str, Any]
) -> None:
    Path("mine.png").write_bytes(png())
    gateway.will("create", Reply(fault="reset", accepted=False))
    assert run(*COMMANDS["synthesis"], "--json", gateway=gateway).code == 8
    receipt = Path("out.mp4.receipt.json")
    receipt.write_text(json.dumps({**json.loads(receipt.read_bytes()), **change}))
    again = run(*COMMANDS["synthesis"], "--json", gateway=gateway)
    assert len(gateway.of("create")) == 1
    assert again.code not in (0, 1), again.err
