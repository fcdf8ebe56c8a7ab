"""The record beside an output, and what is decided by it. Money hangs on every row here."""

from __future__ import annotations

import errno
import fcntl
import json
import os
from pathlib import Path

import pytest
from factorized_video import errors, files, receipts, sent_calls
from factorized_video.kept import Kept
from factorized_video.money import Cost
from factorized_video.receipts import Allowed, Decision, Found, Intent, Record, receipt_path
from hypothesis import given, settings
from hypothesis import strategies as st


def name_of(decision: Decision) -> str:
    """make, return, resume ...: as the tables here have it."""
    return str(decision.name).lower()


def decide(found: Found, overwrite: bool, resubmit: bool, demo: bool) -> str:
    return name_of(receipts.decide(found, "same", Allowed(overwrite, resubmit, demo)))


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """An empty folder for outputs."""
    folder = tmp_path / "place"
    folder.mkdir()
    return folder


REAL = {"name": "happycapy", "host": "ai-gateway.trickle-lab.tech"}
DEMO = {"name": "demo", "host": "loopback"}


def receipt(state: str, digest: str = "same", **more: object) -> dict[str, object]:
    return {
        "schema_version": 1,
        "state": state,
        "digest": digest,
        "gateway": REAL,
        "job": None,
        "created_at": "2026-11-22T10:00:00Z",
        "finished_at": "2026-11-22T10:01:00Z",
        **more,
    }


def lay(output: Path, data: object, content: bytes | None = None) -> None:
    receipt_path(output).write_text(json.dumps(data))
    if content is not None:
        output.write_bytes(content)


# -- decide, as a full table ----------------------------------------------------------------------

# state, job known, file there -> for the same inputs: without and with --resubmit
SAME = [
    ("intent", False, False, "unknown", "make"),
    ("intent", False, True, "unknown", "make"),
    ("submitted", True, False, "resume", "resume"),
    ("submitted", True, True, "resume", "resume"),
    ("succeeded", True, True, "return_changed", "return_changed"),
    ("succeeded", False, True, "return_changed", "return_changed"),
    ("succeeded", True, False, "resume", "resume"),
    ("succeeded", False, False, "gone", "make"),
    ("refused", False, False, "repeat", "make"),
    ("refused", False, True, "repeat", "make"),
    ("failed", True, False, "repeat", "make"),
    ("failed", False, True, "repeat", "make"),
    ("unknown", False, False, "unknown", "make"),
    ("unknown", False, True, "unknown", "make"),
]


@pytest.mark.parametrize(("state", "job", "there", "without", "with_resubmit"), SAME)
@pytest.mark.parametrize("overwrite", [False, True])
@pytest.mark.parametrize("demo", [False, True])
def test_for_the_same_inputs_the_state_decides(
    state: str,
    job: bool,
    there: bool,
    without: str,
    with_resubmit: str,
    overwrite: bool,
    demo: bool,
) -> None:
    found = Found(receipt(state, job="j-1" if job else None), there, "abc" if there else None)
    for resubmit, expected in ((False, without), (True, with_resubmit)):
        decided = decide(found, overwrite, resubmit, demo)
        assert decided == expected


def test_a_kept_result_goes_on_without_paying_even_with_resubmit() -> None:
    found = Found(receipt("intent"), False, kept=True)
    for resubmit in (False, True):
        assert decide(found, False, resubmit, False) == "resume"


@pytest.mark.parametrize("state", receipts.STATES)
@pytest.mark.parametrize("there", [False, True])
@pytest.mark.parametrize("resubmit", [False, True])
def test_for_other_inputs_nothing_is_made_without_overwrite_but_where_nothing_can_be_lost(
    state: str, there: bool, resubmit: bool
) -> None:
    def decided(made_by: dict[str, str], *, overwrite: bool, demo: bool) -> str:
        found = Found(receipt(state, "other", gateway=made_by, job="j"), there)
        return decide(found, overwrite, resubmit, demo)

    free = not there and state in ("refused", "failed", "succeeded")
    expected = "make" if free else "conflict"
    assert decided(REAL, overwrite=False, demo=False) == expected
    assert decided(REAL, overwrite=False, demo=True) == expected  # a demo never replaces
    assert decided(DEMO, overwrite=False, demo=True) == expected
    assert decided(DEMO, overwrite=False, demo=False) == "make"  # a demo gives way to a real one
    assert decided(REAL, overwrite=True, demo=False) == "make"


@pytest.mark.parametrize(
    ("there", "overwrite", "expected"),
    [
        (False, False, "make"),
        (False, True, "make"),
        (True, False, "conflict"),
        (True, True, "make"),
    ],
)
@pytest.mark.parametrize("resubmit", [False, True])
def test_a_file_without_a_receipt_needs_overwrite(
    there: bool, overwrite: bool, resubmit: bool, expected: str
) -> None:
    found = Found(None, there, "abc" if there else None)
    assert decide(found, overwrite, resubmit, False) == expected


@pytest.mark.parametrize("resubmit", [False, True])
def test_a_damaged_receipt_may_be_of_a_paid_job_so_nothing_is_sent_unasked(
    place: Path, resubmit: bool
) -> None:
    output = place / "a.png"
    receipt_path(output).write_bytes(b'{"state": "submit')
    with pytest.raises(errors.UsageError, match="cannot be read"):
        consult(output, resubmit=resubmit)
    assert consult(output, overwrite=True)[0] == "make"


def test_who_can_ask_the_gateway_is_told_of_an_unknown_call_instead_of_stopped(place: Path) -> None:
    output = place / "a.mp4"
    for state in ("intent", "unknown"):
        lay(output, receipt(state))
        assert consult(output, settles=True)[0] == "unknown"


# -- consult: the decisions that end a run --------------------------------------------------------


def consult(
    output: Path, wanted: str = "same", *, settles: bool = False, **allowed: bool
) -> tuple[str, dict[str, object]]:
    decision, found = receipts.consult(output, wanted, Allowed(**allowed), settles=settles)
    return name_of(decision), found


def test_a_result_is_returned_and_a_changed_one_is_said(place: Path) -> None:
    output = place / "a.png"
    lay(output, receipt("succeeded", sha256=receipts.sha256_of_bytes(b"one")), b"one")
    assert consult(output)[0] == "return"
    output.write_bytes(b"two")
    decision, found = consult(output)
    assert decision == "return_changed"
    assert found["digest"] == "same"


@pytest.mark.parametrize(
    ("data", "content", "kind", "says", "charged"),
    [
        (receipt("succeeded", "other"), b"x", "usage", "different options", None),
        (receipt("submitted", "other", job="j"), None, "usage", "different options", None),
        (receipt("intent"), None, "unknown", "not known", "unknown"),
        (receipt("unknown"), None, "unknown", "not known", "unknown"),
        (receipt("succeeded"), None, "output", "the file is missing", "yes"),
        (
            receipt("refused", error={"kind": "refused", "message": "No.", "charged": "no"}),
            None,
            "refused",
            "No. (That was the answer at 2026-11-22T10:01:00Z",
            "no",
        ),
        (
            receipt("failed", job="j", error={"kind": "failed", "message": "GPU on fire"}),
            None,
            "failed",
            "GPU on fire",
            None,
        ),
        (
            receipt("failed", error={"kind": "output", "message": "no picture", "charged": "yes"}),
            None,
            "output",
            "no picture",
            "yes",
        ),
    ],
)
def test_the_decisions_that_end_a_run_are_errors_of_their_kind(
    place: Path,
    data: dict[str, object],
    content: bytes | None,
    kind: str,
    says: str,
    charged: str | None,
) -> None:
    output = place / "a.png"
    lay(output, data, content)
    with pytest.raises(errors.ToolError) as caught:
        consult(output)
    assert caught.value.kind == kind
    assert says in caught.value.message
    assert caught.value.charged == charged
    assert caught.value.result["output"] == str(output)
    if kind != "usage":
        assert "--resubmit" in caught.value.hint
        assert consult(output, resubmit=True)[0] == "make"


@pytest.mark.parametrize("state", ["refused", "failed"])
def test_an_answer_whose_details_are_damaged_is_still_of_its_states_kind(
    place: Path, state: str
) -> None:
    output = place / "a.png"
    for error in (None, "text", {}, {"kind": "nonsense", "message": "m"}):
        lay(output, receipt(state, error=error))
        with pytest.raises(errors.ToolError) as caught:
            consult(output)
        assert caught.value.kind == state


def test_a_folder_at_the_outputs_place_is_a_usage_error(place: Path) -> None:
    with pytest.raises(errors.UsageError, match="is not a file"):
        consult(place)


# -- the digest -----------------------------------------------------------------------------------


def test_the_digest_of_fixed_inputs_never_changes() -> None:
    asked = {"prompt": "Ein Kätzchen 猫", "duration": 6, "gateway": REAL, "enhance": True}
    # If this fails, an upgrade would make people pay again for what they have.
    assert (
        receipts.digest("synthesis", asked)
        == "74d44925e7aeca11ecd3f5fa14533cccfe3b012274af0922e7d79931172c51ec"
    )


def test_what_was_not_typed_counts_for_nothing() -> None:
    plain = receipts.digest("s", {"prompt": "x"})
    assert receipts.digest("s", {"prompt": "x", "style": None, "take": None}) == plain
    assert receipts.digest("s", {"style": None, "prompt": "x"}) == plain
    for typed in ("", False, 0):
        assert receipts.digest("s", {"prompt": "x", "style": typed}) != plain


VALUES = st.none() | st.booleans() | st.integers() | st.text(max_size=20)
ASKED = st.dictionaries(st.sampled_from(["prompt", "style", "duration", "model"]), VALUES)


@settings(deadline=None)
@given(ASKED, ASKED)
def test_digests_are_equal_exactly_when_what_was_typed_is(
    one: dict[str, object], other: dict[str, object]
) -> None:
    def typed(asked: dict[str, object]) -> set[tuple[str, str]]:
        return {(key, json.dumps(value)) for key, value in asked.items() if value is not None}

    same = receipts.digest("s", one) == receipts.digest("s", other)
    assert same is (typed(one) == typed(other))
    assert receipts.digest("t", one) != receipts.digest("s", one)


# -- reading receipts -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b'{"state": "succeeded", "dig',
        b"[1]",
        b"null",
        b"\xff\xfe\x00",
        b'{"state": "no such state"}',
        b'{"digest": "same"}',
        b"[" * 100_000,
        b'{"state": "succeeded", "x": "' + b"x" * (5 << 20) + b'"}',
    ],
)
def test_what_is_no_receipt_is_none(place: Path, content: bytes) -> None:
    output = place / "a.png"
    assert receipts.read(output) is None
    receipt_path(output).write_bytes(content)
    assert receipts.read(output) is None


@pytest.mark.parametrize("state", ["succeeded", "a state of tomorrow"])
def test_a_receipt_of_a_newer_version_stops_the_run(place: Path, state: str) -> None:
    output = place / "a.png"
    lay(output, receipt(state, schema_version=receipts.SCHEMA_VERSION + 1))
    with pytest.raises(errors.UsageError, match="newer version"):
        receipts.read(output)


def test_edited_tells_a_persons_file_from_ours(place: Path) -> None:
    output = place / "caption.txt"
    assert not receipts.edited(receipts.look(output))
    output.write_bytes(b"mine")
    assert receipts.edited(receipts.look(output))
    lay(output, receipt("succeeded", sha256=receipts.sha256_of_bytes(b"mine")))
    assert not receipts.edited(receipts.look(output))
    output.write_bytes(b"changed")
    assert receipts.edited(receipts.look(output))


# -- writing --------------------------------------------------------------------------------------


def begin(output: Path) -> Record:
    return Record.begin(
        output,
        Intent(
            "composition",
            "d1",
            {"caption": "c"},
            {},
            REAL,
            "m",
            Cost(0.1, "estimated"),
            "python3 x",
        ),
    )


def test_a_record_is_on_disk_after_every_change(place: Path) -> None:
    output = place / "a.png"
    record = begin(output)
    assert receipts.read(output) is None
    record.update()
    assert (receipts.read(output) or {})["state"] == "intent"
    record.update(state="submitted", job="j-1")
    assert (receipts.read(output) or {})["job"] == "j-1"
    record.succeeded("ff", cost={"amount": 1.0, "kind": "actual"})
    done = receipts.read(output) or {}
    assert (done["state"], done["sha256"], done["error"]) == ("succeeded", "ff", None)
    assert str(done["finished_at"]).endswith("Z")
    record.ended(errors.Refused("no"))
    assert (receipts.read(output) or {})["state"] == "refused"
    record.ended(errors.OutputError("no picture"))
    ended = receipts.read(output) or {}
    assert ended["state"] == "failed"
    assert ended["error"] == {"kind": "output", "message": "no picture", "hint": ""}


def test_a_path_that_is_not_utf8_can_be_written_down(place: Path) -> None:
    output = place / "a.png"
    begin(output).update(command="python3 x.py --output=\udce4.png")
    assert receipt_path(output).read_text(encoding="utf-8")
    assert "--output=\udce4.png" in str((receipts.read(output) or {})["command"])


def test_an_old_output_is_kept_under_the_next_free_number(place: Path) -> None:
    output = place / "a.b.png"
    assert receipts.make_room(output) is None
    for number in (1, 2, 3):
        lay(output, receipt("succeeded", str(number)), b"%d" % number)
        aside = receipts.make_room(output)
        assert aside == place / f"a.b.{number}.png"
        assert aside.read_bytes() == b"%d" % number
        assert (receipts.read(aside) or {})["digest"] == str(number)
        assert not output.exists()
        assert not receipt_path(output).exists()


def test_a_number_is_taken_if_only_a_receipt_has_it(place: Path) -> None:
    output = place / "a.png"
    lay(place / "a.1.png", receipt("failed"))
    output.write_bytes(b"x")
    assert receipts.make_room(output) == place / "a.2.png"


def test_withdrawing_removes_the_intent_and_puts_back_what_was_moved(place: Path) -> None:
    output = place / "a.png"
    lay(output, receipt("succeeded", "old"), b"old")
    before = {path.name: path.read_bytes() for path in place.iterdir()}
    record = begin(output)
    record.update()
    assert not output.exists()
    record.withdraw()
    assert {path.name: path.read_bytes() for path in place.iterdir()} == before
    fresh = begin(place / "new.png")
    fresh.update()
    fresh.withdraw()
    assert {path.name for path in place.iterdir()} == set(before)


@pytest.mark.parametrize(("umask", "mode"), [(0o022, 0o644), (0o077, 0o600), (0o002, 0o664)])
def test_a_written_file_has_the_mode_of_an_ordinary_one(place: Path, umask: int, mode: int) -> None:
    before = os.umask(umask)
    try:
        files.write_file(place / "a.txt", b"x")
        assert (place / "a.txt").stat().st_mode & 0o777 == mode
        assert os.umask(umask) == umask
    finally:
        os.umask(before)


@pytest.mark.parametrize("failing", ["fsync", "rename", "body"])
def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(
    place: Path, monkeypatch: pytest.MonkeyPatch, failing: str
) -> None:
    path = place / "a.txt"
    path.write_bytes(b"old")

    def full(*_: object) -> None:
        assert [p.read_bytes() for p in place.glob("a.txt")] == [b"old"]  # never half a file
        raise OSError(28, "No space left on device")

    if failing == "fsync":
        monkeypatch.setattr(os, "fsync", full)
    elif failing == "rename":
        monkeypatch.setattr(Path, "rename", full)
    with (
        pytest.raises(errors.OutputError, match="No space left on device"),
        files.temporary_beside(path) as (file, temporary),
    ):
        file.write(b"new")
        if failing == "body":
            full()
        files.put_in_place(file, temporary, path)
    assert {p.name: p.read_bytes() for p in place.iterdir()} == {"a.txt": b"old"}


def test_what_was_kept_is_found_beside_its_output_and_is_private(place: Path) -> None:
    one, other = Kept(place / "a.png", "d1"), Kept(place / "a.png", "d2")
    assert one.read() is None
    assert one.store(b"image")
    (path,) = place.iterdir()
    assert path.stat().st_mode & 0o777 == 0o600
    assert (one.read(), other.read()) == (b"image", None)
    one.drop()
    one.drop()
    assert one.read() is None
    assert not list(place.iterdir())


def test_where_an_output_has_no_room_its_result_is_kept_in_the_users_state(
    place: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = Kept(place / "gone" / "a.png", "d1")  # a folder that cannot be written to
    assert kept.store(b"image")
    (path,) = (home / ".local/state/factorized-video/kept").iterdir()
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert kept.read() == b"image"
    monkeypatch.setenv("TMPDIR", str(place))
    assert kept.read() == b"image"
    kept.drop()
    assert kept.read() is None
    monkeypatch.setenv("XDG_STATE_HOME", "relative")  # as without one, by the specification
    assert kept.store(b"again")
    assert path.exists()


def test_a_file_system_without_locks_is_said_to_be_one(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unsupported(*_: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", unsupported)
    with pytest.raises(errors.UsageError, match="without file locks"), files.exclusive(place / "v"):
        pytest.fail("it was not locked")
    assert not list(place.iterdir())


@pytest.mark.parametrize("wrong", ["mode", "link"])
def test_a_private_folder_that_others_can_reach_is_not_used(home: Path, wrong: str) -> None:
    state = home / ".local/state/factorized-video"
    state.parent.mkdir(parents=True)
    if wrong == "mode":
        state.mkdir(mode=0o700)
        state.chmod(0o755)
    else:
        (home / "elsewhere").mkdir(mode=0o700)
        state.symlink_to(home / "elsewhere")
    for use in (lambda: sent_calls.note(home / "v.mp4"), sent_calls.noted):
        with pytest.raises(errors.OutputError, match="not a private folder"):
            use()
