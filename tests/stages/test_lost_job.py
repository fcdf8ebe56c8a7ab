"""A lost create is found in the gateway's list, or nobody guesses. Money hangs on every row."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from factorized_video.errors import Unavailable
from factorized_video.gateway import client
from factorized_video.gateway.settings import Settings
from factorized_video.gateway.types import ListedJob
from factorized_video.money import Cost
from factorized_video.receipts import Intent, Record, receipt_path
from factorized_video.stages import lost_job
from factorized_video.stages.lost_job import (
    AFTER_S,
    BEFORE_S,
    fitting,
    neighbours,
    possible,
    settle,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from loopback import Gateway, Reply

WHEN = 1_795_341_600.0
SENT = {"prompt": "A cat leaps.", "duration_s": 6, "aspect_ratio": "16:9", "resolution": "720p"}
OURS = ListedJob("ours", "veo", "A cat leaps.", 6, "16:9", WHEN)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """An empty folder for outputs."""
    folder = tmp_path / "place"
    folder.mkdir()
    return folder


# --- which rows may be the lost job ---------------------------------------------------------------

ROWS: list[tuple[str, dict[str, object], bool]] = [
    ("the same", {}, True),
    ("another model", {"model": "veo-fast"}, False),
    ("another prompt", {"prompt": "A dog leaps."}, False),
    ("the prompt cut short", {"prompt": "A cat"}, False),
    ("another case", {"prompt": "a cat leaps."}, False),
    ("another duration", {"duration_s": 8}, False),
    ("another ratio", {"aspect_ratio": "9:16"}, False),
    ("a row without a model", {"model": None}, False),
    ("a row without a prompt", {"prompt": None}, False),
    ("a row without a duration", {"duration_s": None}, False),
    ("a row without a ratio", {"aspect_ratio": None}, False),
    ("a row without a time", {"created_at": None}, False),
    ("a minute before", {"created_at": WHEN - BEFORE_S}, True),
    ("more than a minute before", {"created_at": WHEN - BEFORE_S - 0.01}, False),
    ("three minutes after", {"created_at": WHEN + AFTER_S}, True),
    ("more than three minutes after", {"created_at": WHEN + AFTER_S + 0.01}, False),
    ("a day before", {"created_at": WHEN - 86_400}, False),
    ("at the beginning of time", {"created_at": 0.0}, False),
    ("held by a receipt", {"id": "held"}, False),
]


@pytest.mark.parametrize(
    ("change", "fits"), [row[1:] for row in ROWS], ids=[name for name, *_ in ROWS]
)
def test_a_row_fits_only_if_all_that_is_known_of_it_does(
    change: dict[str, Any], fits: bool
) -> None:
    row = OURS._replace(**change)
    found = fitting([row], SENT, "veo", WHEN, frozenset({"held"}))
    assert found == ([row.id] if fits else [])


@pytest.mark.parametrize(
    ("change", "may_be"),
    [
        ({}, True),
        ({"duration_s": None, "size": None}, True),
        ({"prompt": "A dog leaps."}, False),
        ({"prompt": "A cat leaps."}, False),  # that would fit, or another field does not
        ({"duration_s": 4}, False),
        ({"size": "832x480"}, False),
        ({"created_at": WHEN + AFTER_S + 1}, False),
        ({"created_at": None}, False),
        ({"id": "held"}, False),
    ],
)
def test_a_row_without_a_prompt_is_named_and_never_taken(
    change: dict[str, Any], may_be: bool
) -> None:
    """As SGLang's: time, size and seconds."""
    bare: dict[str, Any] = {"model": "any", "prompt": None, "aspect_ratio": None}
    row = OURS._replace(**bare, size="1280x720")._replace(**change)
    assert fitting([row], {**SENT, "size": "1280x720"}, "veo", WHEN, frozenset({"held"})) == []
    found = possible([row], {**SENT, "size": "1280x720"}, WHEN, frozenset({"held"}))
    assert found == ([row.id] if may_be else [])


def test_the_window_is_the_contracts() -> None:
    assert (BEFORE_S, AFTER_S, lost_job.LOOK_FOR_S) == (60, 180, 15)


def test_all_rows_that_fit_are_named_in_the_lists_order() -> None:
    rows = [OURS._replace(id=name) for name in ("b", "held", "a")]
    rows.insert(1, OURS._replace(id="c", prompt="other"))
    assert fitting(rows, SENT, "veo", WHEN, frozenset({"held"})) == ["b", "a"]
    assert fitting([], SENT, "veo", WHEN, frozenset()) == []


TIMES = st.none() | st.floats(WHEN - 400, WHEN + 400)
JOBS = st.builds(
    ListedJob,
    st.sampled_from("abcd"),
    st.sampled_from(["veo", "x", None]),
    st.sampled_from(["A cat leaps.", "", None]),
    st.sampled_from([6, 8, None]),
    st.sampled_from(["16:9", "9:16", None]),
    TIMES,
)


@settings(deadline=None)
@given(st.lists(JOBS, max_size=6), st.frozensets(st.sampled_from("abcd")), st.floats(-1e6, 1e6))
def test_what_fits_is_never_held_and_does_not_depend_on_the_clocks_zero(
    rows: list[ListedJob], held: frozenset[str], shift: float
) -> None:
    found = fitting(rows, SENT, "veo", WHEN, held)
    assert not held & set(found)
    assert set(found) <= {row.id for row in rows if row.prompt == SENT["prompt"]}
    edges = [
        row.created_at
        for row in rows
        if row.created_at is not None
        and min(abs(row.created_at - WHEN + BEFORE_S), abs(row.created_at - WHEN - AFTER_S)) < 1e-3
    ]
    if not edges:  # where the last bits of a number decide
        later = [
            row._replace(created_at=row.created_at + shift) if row.created_at is not None else row
            for row in rows
        ]
        assert fitting(later, SENT, "veo", WHEN + shift, held) == found


# --- what the other receipts say ------------------------------------------------------------------


def lay(folder: Path, name: str, state: str, **more: object) -> Record:
    """A receipt in the folder, of a call like ours unless said otherwise."""
    data = {
        "schema_version": 1,
        "state": state,
        "digest": name,
        "model": "veo",
        "sent": SENT,
        "job": None,
        "sent_at": WHEN,
        **more,
    }
    output = folder / name
    receipt_path(output).write_text(json.dumps(data), encoding="utf-8")
    return Record(output, data)


# name, state, what else its receipt says -> the ids held, the number of rivals
NEIGHBOURS: list[tuple[str, str, dict[str, object], set[str], int]] = [
    ("an open call that says the same", "intent", {}, set(), 1),
    ("a lost call that says the same", "unknown", {}, set(), 1),
    ("one that was answered", "submitted", {"job": "j-7"}, {"j-7"}, 0),
    ("one that was delivered", "succeeded", {"job": "j-7"}, {"j-7"}, 0),
    ("one that failed", "failed", {"job": "j-7"}, {"j-7"}, 0),
    ("one whose id is no text", "submitted", {"job": 7}, set(), 1),
    ("one that was refused", "refused", {}, set(), 0),
    ("one that was answered, then lost again", "unknown", {"job": "j-7"}, {"j-7"}, 0),
    ("another model", "intent", {"model": "veo-fast"}, set(), 0),
    ("another prompt", "intent", {"sent": {**SENT, "prompt": "x"}}, set(), 0),
    ("another duration", "intent", {"sent": {**SENT, "duration_s": 8}}, set(), 0),
    ("another ratio", "intent", {"sent": {**SENT, "aspect_ratio": "1:1"}}, set(), 0),
    ("another resolution", "intent", {"sent": {**SENT, "resolution": "1080p"}}, set(), 1),
    ("a picture's", "unknown", {"model": "nano", "sent": {"prompt": "x"}}, set(), 0),
    ("without what was sent", "intent", {"sent": None}, set(), 0),
    ("of a newer version", "succeeded", {"schema_version": 99, "job": "j-7"}, set(), 1),
    ("of a state of tomorrow", "pondering", {"job": "j-7"}, set(), 1),
]


@pytest.mark.parametrize(
    ("state", "more", "held", "rivals"),
    [row[1:] for row in NEIGHBOURS],
    ids=[name for name, *_ in NEIGHBOURS],
)
def test_a_neighbour_holds_its_job_or_is_a_rival(
    place: Path, state: str, more: dict[str, object], held: set[str], rivals: int
) -> None:
    ours = lay(place, "ours.mp4", "unknown")
    lay(place, "other.mp4", state, **more)
    found = neighbours(ours)
    assert found == lost_job.Neighbours(frozenset(held), rivals)


def test_neighbours_are_counted_together_and_what_cannot_be_read_is_a_rival(place: Path) -> None:
    ours = lay(place, "ours.mp4", "intent", job=None)
    assert neighbours(ours) == lost_job.Neighbours(frozenset(), 0)
    for number in range(3):
        lay(place, f"open-{number}.mp4", "intent")
        lay(place, f"made-{number}.mp4", "succeeded", job=f"j-{number}")
    (place / "damaged.mp4.receipt.json").write_bytes(b"{")
    (place / "notes.txt").write_text("j-9")
    assert neighbours(ours) == lost_job.Neighbours(frozenset({"j-0", "j-1", "j-2"}), 4)


def test_a_call_that_was_answered_by_resubmit_is_no_rival(place: Path) -> None:
    output = place / "ours.mp4"
    lay(place, output.name, "unknown")
    again = Record.begin(
        output, Intent("synthesis", "d", {}, SENT, {}, "veo", Cost(1.0, "estimated"), "python3 x")
    )
    again.intend()
    assert receipt_path(place / "ours.1.mp4").exists()
    assert neighbours(again).rivals == 0


# --- looking for it -------------------------------------------------------------------------------


@dataclass
class Listing:
    """A gateway that has nothing but a list: the answers to give in turn, the last for ever."""

    answers: list[list[ListedJob] | Exception]
    ahead_s: float = 0.0
    asked: int = 0
    settings: SimpleNamespace = field(default_factory=lambda: SimpleNamespace(time_scale=0.02))

    def list_jobs(self) -> tuple[list[ListedJob], float]:
        """The next answer."""
        answer = self.answers[min(self.asked, len(self.answers) - 1)]
        self.asked += 1
        if isinstance(answer, Exception):
            raise answer
        return answer, self.ahead_s


def look(listing: Listing, record: Record) -> tuple[str | None, list[str]]:
    said: list[str] = []
    found = settle(cast("client.Gateway", listing), record, said.append)
    assert len(said) == listing.asked - 1, "it says that it goes on looking"
    return found


def listed(name: str, ago_s: float = 0.0, **change: Any) -> ListedJob:
    return OURS._replace(id=name, created_at=time.time() - ago_s, **change)


def lost(place: Path, ago_s: float = 0.0) -> Record:
    """Our call, sent so long ago."""
    return lay(place, "ours.mp4", "unknown", sent_at=time.time() - ago_s)


def test_the_only_one_that_fits_is_taken_at_once(place: Path) -> None:
    listing = Listing([[listed("a"), listed("b", prompt="other"), listed("c", ago_s=100)]])
    assert look(listing, lost(place)) == ("a", ["a"])
    assert listing.asked == 1


def test_a_job_that_appears_late_is_waited_for(place: Path) -> None:
    listing = Listing([[], [], [listed("a")]])
    listing.settings.time_scale = 0.05
    assert look(listing, lost(place)) == ("a", ["a"])
    assert listing.asked == 3


@pytest.mark.parametrize("rows", [[], [listed("a"), listed("b")]], ids=["none", "several"])
def test_it_is_looked_for_as_long_as_the_contract_says_and_nobody_guesses(
    place: Path, rows: list[ListedJob]
) -> None:
    rows = [row._replace(created_at=time.time()) for row in rows]
    listing = Listing([rows])
    began = time.monotonic()
    assert look(listing, lost(place)) == (None, [row.id for row in rows])
    assert time.monotonic() - began >= 15 * 0.02 * 0.9
    assert listing.asked >= 2


def test_rows_that_do_not_tell_the_prompt_are_told(place: Path) -> None:
    rows = [listed("a", prompt=None, size="1280x720", aspect_ratio=None)]
    assert look(Listing([rows]), lost(place)) == (None, ["a"])


@pytest.mark.parametrize("rows", [[], [listed("a"), listed("b")]], ids=["none", "several"])
def test_long_after_it_is_looked_for_once(place: Path, rows: list[ListedJob]) -> None:
    listing = Listing([[row._replace(created_at=time.time() - 60) for row in rows]])
    assert look(listing, lost(place, ago_s=60)) == (None, [row.id for row in rows])
    assert listing.asked == 1


@pytest.mark.parametrize("ahead_s", [-7200.0, 0.0, 7200.0])
def test_it_is_the_gateways_clock_that_counts(place: Path, ahead_s: float) -> None:
    then = time.time() - 60
    rows = [OURS._replace(id="a", created_at=then + ahead_s)]
    assert look(Listing([rows], ahead_s), lost(place, 60))[0] == "a"
    # By another clock the same row is of another time.
    assert look(Listing([rows], ahead_s + 600), lost(place, 60)) == (None, [])


def test_one_that_another_receipt_holds_is_not_taken(place: Path) -> None:
    lay(place, "other.mp4", "submitted", job="a")
    listing = Listing([[listed("a"), listed("b")]])
    assert look(listing, lost(place)) == ("b", ["b"])


def test_while_another_lost_call_says_the_same_nobody_guesses(place: Path) -> None:
    ours = lost(place, ago_s=60)
    rival = lay(place, "other.mp4", "unknown", sent_at=time.time() - 50)
    listing = Listing([[listed("a", ago_s=60)]])
    assert look(listing, ours) == (None, ["a"])
    rival.update(state="submitted", job="z")  # its answer has come
    assert look(Listing([[listed("a", ago_s=60)]]), ours) == ("a", ["a"])


def test_a_call_of_another_day_is_no_rival(place: Path) -> None:
    """It cannot have made a job of now: the contract adopts the only row that fits."""
    lay(place, "other.mp4", "unknown", sent_at=time.time() - 86_400)
    assert look(Listing([[listed("a", ago_s=60)]]), lost(place, 60)) == ("a", ["a"])


def test_a_list_that_cannot_be_read_is_the_callers(place: Path) -> None:
    with pytest.raises(Unavailable, match="down"):
        look(Listing([Unavailable("down")]), lost(place))


@pytest.mark.parametrize("ahead_s", [-7200.0, 0.0, 7200.0])
@pytest.mark.parametrize("form", ["iso", "seconds", "milliseconds", "none"])
def test_over_the_wire(gateway: Gateway, place: Path, form: str, ahead_s: float) -> None:
    """The real client, with the gateway's clock read off its Date header."""
    moment = time.time() - 60 + ahead_s
    told: object = {
        "iso": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(moment)),
        "seconds": moment,
        "milliseconds": int(moment * 1000),
        "none": None,
    }[form]
    row = {
        "id": "a",
        "model": "veo",
        "prompt": SENT["prompt"],
        "duration": "6",
        "aspect_ratio": "16:9",
        "created_at": told,
        "status": "running",
    }
    gateway.clock_ahead_s = ahead_s
    gateway.always("list", Reply(json={"data": [row], "total": 1}))
    bases = dict.fromkeys(("chat", "image", "video"), gateway.root)
    real = client.Gateway(Settings("happycapy", bases, "--gateway", "hc-key", time_scale=0.01))
    found = settle(real, lost(place, 60), lambda text: None)
    real.close()
    assert found == ((None, []) if form == "none" else ("a", ["a"]))
