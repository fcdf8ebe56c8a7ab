"""The table of what can go wrong between a command and its gateway, and what must come of it.

A fault has one meaning for a paid create and one for calls that cost nothing to repeat; the
contract gives each meaning its end. So the table is faults x calls, and by hand only what one call
alone has: a job's life, a download, the list of jobs. It is told in no gateway's words, so each has
the same one; where an end depends on what a gateway can do, that stands in its speech (`speech/`).
`test_faults.py` runs it.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from conftest import KEY
from loopback import Gateway
from speech import Drawn, Reply, Rows, Speech, Standing, Wrong, load

# What a fault means for a call. The first four are the contract's; of the others nobody is told.
ENDS = {"rejected": 10, "auth": 3, "later": 6, "uncertain": 8, "repeated": 0, "fine": 0}
ECHO = f"It went wrong for Bearer {KEY}"  # a gateway that shows the key back
PAGE = f"<!doctype html><html><title>502 Bad Gateway</title><p>{ECHO}</p></html>".encode()
HTML = {"Content-Type": "text/html"}
SIX_HOURS = str(6 * 3600)


# How a lost create is settled.
FOUND = "was found in the gateway's list"
BY_KEY = "sent again with the same idempotency key"


def wrong(status: int, message: str = ECHO, code: int | None = None) -> Reply:
    """An error in the gateway's own shape."""
    return Reply(status, means=Wrong(message, code))


@dataclass(frozen=True)
class Fault:
    """What is wrong, what it means for a paid create and for other calls.

    `made`: whether the gateway did the work all the same; where both stand, both are tried.
    `reply` is None where nobody listens.
    """

    name: str
    reply: Reply | None
    create: str
    other: str
    made: tuple[bool, ...] = (False,)

    @property
    def is_decoded(self) -> bool:
        """Whether a dialect reads it; the wire, redirects and waits are the client's."""
        if self.reply is None or self.reply.says_nothing:
            return False
        return not {"Retry-After", "Location"} & set(self.reply.headers)


BOTH = (True, False)
FAULTS = (
    Fault("400", wrong(400), "rejected", "rejected"),
    Fault("402", wrong(402), "auth", "auth"),
    Fault("404", wrong(404), "rejected", "rejected"),
    Fault("413", wrong(413), "rejected", "rejected"),
    Fault("an error inside 200", wrong(200, code=400), "rejected", "rejected"),
    Fault(
        "429, wait six hours",
        Reply(429, ECHO, headers={"Retry-After": SIX_HOURS}),
        "later",
        "later",
    ),
    Fault("429 for the day", wrong(429, f"Daily quota. {ECHO}"), "later", "later"),
    Fault(
        "429, wait in seconds",
        Reply(429, ECHO, headers={"Retry-After": "2"}),
        "repeated",
        "repeated",
    ),
    Fault(
        "429, wait as a date",
        Reply(429, ECHO, headers={"Retry-After": "date+20"}),
        "repeated",
        "repeated",
    ),
    Fault("429", wrong(429), "repeated", "repeated"),
    Fault("503, wait", Reply(503, ECHO, headers={"Retry-After": "1"}), "repeated", "repeated"),
    Fault("connection refused", None, "repeated", "repeated"),
    Fault("reset after it was read", Reply(fault="reset"), "uncertain", "repeated", BOTH),
    Fault("reset before it was read", Reply(fault="unread"), "uncertain", "repeated"),
    Fault("time-out", Reply(fault="hang"), "uncertain", "repeated", BOTH),
    Fault("408", wrong(408), "uncertain", "repeated", BOTH),
    Fault("409", wrong(409), "uncertain", "repeated", BOTH),
    Fault("425", wrong(425), "uncertain", "repeated", BOTH),
    Fault("500", wrong(500), "uncertain", "repeated", BOTH),
    Fault("502 with HTML", Reply(502, body=PAGE, headers=HTML), "uncertain", "repeated", BOTH),
    Fault("503", wrong(503), "uncertain", "repeated", BOTH),
    Fault(
        "504, wait", Reply(504, ECHO, headers={"Retry-After": "1"}), "uncertain", "repeated", BOTH
    ),
    Fault(
        "a redirect",
        Reply(302, ECHO, headers={"Location": "/elsewhere"}),
        "rejected",  # nobody followed it
        "rejected",
    ),
    Fault("a proxy's login", Reply(407, ECHO), "later", "later"),
    Fault("no credit, as a 429", wrong(429, "insufficient_quota: top up"), "auth", "auth"),
    Fault(
        "an error of the server inside 200",
        Reply(200, {"error": {"message": ECHO, "type": "server_error", "code": None}}),
        "uncertain",
        "repeated",
        BOTH,
    ),
    Fault("truncated JSON", Reply(body=b'{"id": "jo'), "uncertain", "repeated", BOTH),
    Fault("HTML with 200", Reply(body=PAGE, headers=HTML), "uncertain", "repeated", BOTH),
    Fault("an empty 200", Reply(body=b""), "uncertain", "repeated", BOTH),
    Fault(
        "JSON that is something else", Reply(body=b'{"ok": true}'), "uncertain", "repeated", BOTH
    ),
    Fault("cut short", Reply(fault="cut"), "uncertain", "repeated", (True,)),
    Fault("reset midway", Reply(fault="snap"), "uncertain", "repeated", (True,)),
    Fault("cut short without a length", Reply(fault="unsized"), "uncertain", "repeated", (True,)),
    Fault("not HTTP", Reply(fault="babble"), "uncertain", "repeated", (True,)),
    Fault(
        "said to be packed",
        Reply(headers={"Content-Encoding": "gzip"}),
        "uncertain",
        "repeated",
        (True,),
    ),
    Fault("a slow drip", Reply(fault="drip", pace_s=0.3), "uncertain", "repeated", (True,)),
    Fault("wrong content type", Reply(headers=HTML), "fine", "fine", (True,)),
    Fault("slow, in time", Reply(fault="slow", pace_s=0.02), "fine", "fine", (True,)),
)


@dataclass(frozen=True)
class Scenario:
    """One row: what goes wrong, how the command ends, and what the same command then does.

    `call`: chat, image, create, status, file, list, check or address (of a picture). `stage`: the
    script that runs; `all` is the orchestrator. `billed`: paid creates after the first command.
    `end` and `again`: exit codes. `answer`: after an exit 8 or a failed job, what is added to the
    same command; it ends well and makes `more` paid creates.
    """

    call: str
    fault: str
    prepare: Callable[[Gateway], object]
    end: int
    again: int = 0
    billed: int = 1
    answer: str = ""
    more: int = 1
    stage: str = ""
    args: tuple[str, ...] = ()
    scale: str = "0.01"
    check: Callable[[Gateway], bool] = lambda gateway: True
    says: str = ""  # stands in a warning or in the error
    quick: bool = False
    dialect: str = ""

    @property
    def script(self) -> str:
        """The stage's name."""
        own = {"chat": "reasoning", "image": "composition", "address": "composition"}
        return self.stage or own.get(self.call, "synthesis")

    @property
    def name(self) -> str:
        """What a test's id shows."""
        through = " (orchestrator)" if self.stage == "all" else ""
        return f"{self.dialect}: {self.call}: {self.fault}{through}"


def scenarios(dialect: str) -> list[Scenario]:
    """A gateway's whole table; the first of each call and kind of end is in the usual run too.

    Paid calls have every fault at every gateway. A free call goes through the same client at all of
    them, so only the first gateway has all its faults; the others have those their dialect reads.
    """
    speech, whole = load(dialect), dialect == FIRST
    rows = [
        *_checks(speech),
        *_chat(whole),
        *_paid("image", speech),
        *_sequences("image", speech),
        *_other_images(speech),
        *_paid("create", speech),
        *_sequences("create", speech),
        *_sent_again(speech),
        *_status(whole),
        *_jobs(speech),
        *_downloads(speech, whole),
        *_addresses(speech),
        *_lists(speech),
        *_manners(speech),
        *_through_all(speech),
    ]
    seen: set[tuple[object, ...]] = set()
    told = []
    for row in rows:
        kind = (row.call, row.end, *((row.again, row.billed) if dialect == FIRST else ()))
        first = row.stage != "all" and kind not in seen
        seen.add(kind)
        by_hand = row.quick or (first and row.call in PAID)
        told.append(replace(row, dialect=dialect, quick=by_hand if dialect == FIRST else first))
    assert len({row.name for row in told}) == len(told), "names tell rows apart"
    return told


# Of this one the usual run has more rows than of the others: those that are marked `quick` by hand.
FIRST = "happycapy"
PAID = ("image", "create")


def settled(row: Scenario, speech: Speech, made: bool, before: int = 0) -> Scenario:
    """How a lost create ends: by its key, by the list, or not at all. `before`: billed before."""
    if row.call == "create" and speech.heeds_keys:
        return replace(row, end=0, billed=before + 1, says=BY_KEY)
    if row.call == "create" and speech.lists_jobs and made:
        return replace(row, end=0, billed=before + 1, says=FOUND)
    return replace(row, end=8, again=8, billed=before + made, answer="--resubmit")


def can_settle(speech: Speech) -> bool:
    """Whether it can be found out what became of a create whose answer was lost."""
    return speech.heeds_keys or speech.lists_jobs


def will(call: str, *replies: Reply) -> Callable[[Gateway], None]:
    """These answers, then good ones."""
    return lambda gateway: gateway.will(call, *replies)


def always(call: str, reply: Reply) -> Callable[[Gateway], None]:
    """This answer until it is mended."""
    return lambda gateway: gateway.always(call, reply)


BUSY = Reply(429, ECHO, headers={"Retry-After": "1"})
TOMORROW = Reply(429, ECHO, headers={"Retry-After": SIX_HOURS})
UNMADE = Reply(fault="reset", accepted=False)


def both(*steps: Callable[[Gateway], object]) -> Callable[[Gateway], None]:
    """One after the other."""

    def all_of_them(gateway: Gateway) -> None:
        for step in steps:
            step(gateway)

    return all_of_them


def ends(**ending: object) -> Callable[[Gateway], None]:
    """What jobs become."""
    return lambda gateway: gateway.ending.update(ending)


def _down(gateway: Gateway) -> None:
    gateway.down()


SLOW = ("hang", "drip")
SCALE, FASTER = "0.01", "0.005"  # of time; the second where a row only waits


def waiting(fault: Fault) -> str:
    """The scale of time for a fault."""
    return FASTER if fault.reply and fault.reply.fault in SLOW else SCALE


# --- calls x faults -------------------------------------------------------------------------------


def _paid(call: str, speech: Speech) -> Iterator[Scenario]:
    for fault in FAULTS:
        for made in fault.made:
            yield from _paid_rows(call, speech, fault, made)


def _paid_rows(call: str, speech: Speech, fault: Fault, made: bool) -> Iterator[Scenario]:
    if fault.reply is None:
        # After the free read that comes before: that is the call to be refused.
        yield Scenario(call, fault.name, _down_after(speech.check), 6, billed=0)
        return
    reply = replace(fault.reply, accepted=made)
    row = Scenario(
        call,
        fault.name,
        will(call, reply),
        ENDS[fault.create],
        billed=int(made),
        scale=waiting(fault),
    )
    if fault.create == "uncertain":
        named = replace(row, fault=f"{fault.name}, {'made' if made else 'not made'}")
        yield settled(named, speech, made)
    elif fault.create == "repeated":
        yield replace(row, fault=f"{fault.name}, twice", prepare=will(call, reply, reply), billed=1)
        yield replace(row, fault=f"{fault.name}, always", prepare=always(call, reply), end=6)
    else:
        yield row


def _sequences(call: str, speech: Speech) -> Iterator[Scenario]:
    """More than one thing goes wrong."""
    unmade, lost = UNMADE, Reply(fault="reset")
    yield settled(Scenario(call, "429, then lost, made", will(call, BUSY, lost), 8), speech, True)
    yield settled(
        Scenario(call, "429, then lost, not made", will(call, BUSY, unmade), 8), speech, False
    )
    yield Scenario(call, "429, then 413", will(call, BUSY, wrong(413)), 10, billed=0)
    yield Scenario(call, "429, then 402", will(call, BUSY, wrong(402)), 3, billed=0)
    yield Scenario(call, "429, then six hours", will(call, BUSY, TOMORROW), 6, billed=0)
    if call == "create" and can_settle(speech):
        yield Scenario(call, "lost, made, nobody waits", will(call, lost), 4, args=("--no-wait",))
        yield Scenario(
            call,
            "lost, made, then 500 for each status",
            both(will(call, lost), always("status", wrong(500))),
            6,
        )
        yield Scenario(
            call,
            "lost, made, and fails",
            both(will(call, lost), ends(status="failed")),
            11,
            11,
            answer="--resubmit",
        )


def _sent_again(speech: Speech) -> Iterator[Scenario]:
    """The second try with the same key goes wrong too: what is made is still made once."""
    if not speech.heeds_keys:
        return
    lost = Reply(fault="reset")
    for name, replies, end, billed in (
        ("lost twice, made each time", (lost, lost), 0, 1),
        ("lost, not made, then lost, made", (UNMADE, lost), 0, 1),
        ("lost, made, then 429 twice", (lost, BUSY, BUSY), 0, 1),
        ("lost, made, then six hours", (lost, TOMORROW), 8, 1),
        ("lost, made, then 402", (lost, wrong(402)), 8, 1),
        ("lost, not made, then 413", (UNMADE, wrong(413)), 8, 0),
    ):
        says = "" if end else BY_KEY
        yield Scenario("create", name, will("create", *replies), end, billed=billed, says=says)
    yield Scenario("create", "always lost, made", always("create", lost), 8)
    yield Scenario("create", "always lost, not made", always("create", UNMADE), 8, billed=0)


def _other_images(speech: Speech) -> Iterator[Scenario]:
    """What depends on the shape of an image call, for models that have one of their own."""
    names = (
        "400",
        "an error inside 200",
        "429",
        "an empty 200",
        "JSON that is something else",
        "cut short",
        "slow, in time",
    )
    for model in speech.other_image_models:
        for row in _paid("image", speech):
            name, _, rest = row.fault.partition(", ")
            if name in names or f"{name}, {rest}" in names:
                yield replace(row, fault=f"{row.fault} ({model})", args=(f"--model={model}",))


def _checks(speech: Speech) -> Iterator[Scenario]:
    """The free read before the first paid call."""
    check = speech.check

    def row(fault: str, prepare: Callable[[Gateway], object], end: int, says: str = "") -> Scenario:
        return Scenario("check", fault, prepare, end, billed=int(end == 0), says=says)

    yield row("500, always", always(check, wrong(500)), 6)
    yield row("500, twice", will(check, wrong(500), wrong(500)), 0)
    yield row("402", will(check, wrong(402)), 3)
    yield row("404", will(check, wrong(404)), 0)
    yield row("connection refused", _down, 6)
    yield row("a key of somebody else", lambda gateway: setattr(gateway, "key", "other"), 3)
    if speech.tells_balance:
        for balance, end in ((0.0, 3), (0.01, 0)):
            yield row(f"a balance of {balance}", _balance(balance), end, "balance")


def _balance(usd: float) -> Callable[[Gateway], None]:
    return lambda gateway: setattr(gateway, "balance_usd", usd)


def _of_a_free_call(whole: bool) -> list[Fault]:
    return [fault for fault in FAULTS if whole or fault.is_decoded]


def _chat(whole: bool) -> Iterator[Scenario]:
    quick = {"500, twice", "500, always", "402"}
    for fault in _of_a_free_call(whole):
        if fault.reply is None:
            yield Scenario("chat", fault.name, _down, 6, billed=0)
            continue
        reply = replace(fault.reply, accepted=fault.made[0])
        row = Scenario("chat", fault.name, will("chat", reply), ENDS[fault.other], billed=0)
        if fault.other == "repeated":
            named = f"{fault.name}, twice"
            row = replace(row, scale=waiting(fault))
            yield replace(
                row, fault=named, prepare=will("chat", reply, reply), quick=named in quick
            )
            if fault.name == "500" or (whole and fault.reply.fault not in SLOW):  # four are long
                named = f"{fault.name}, always"
                yield replace(
                    row, fault=named, prepare=always("chat", reply), end=6, quick=named in quick
                )
        else:
            yield replace(row, quick=row.fault in quick)


def _status(whole: bool) -> Iterator[Scenario]:
    """Status reads are free: all but a refused key is read on, until it has lasted too long."""
    quick = {"502 with HTML, twice", "404, always", "402"}
    for fault in _of_a_free_call(whole):
        if fault.reply is None:
            down = Scenario(
                "status", "connection refused for a while", _down_after("create", 0.5), 0
            )
            yield replace(down, quick=True)
            yield replace(down, fault="connection refused", prepare=_down_after("create"), end=6)
            continue
        reply = replace(fault.reply, accepted=fault.made[0])
        row = Scenario("status", fault.name, will("status", reply), ENDS[fault.other])
        if fault.other in ("auth", "fine"):
            yield replace(row, quick=row.fault in quick)
            continue
        if "six hours" in fault.name:  # longer than --timeout: the job goes on, the waiting ends
            yield replace(row, end=4)
            continue
        for often, prepare, end in (
            ("twice", will("status", reply, reply), 0),
            ("always", always("status", reply), 6),
        ):
            if end and not whole and fault.name not in ("404", "500"):
                continue
            named = f"{fault.name}, {often}"
            scale = FASTER if end else waiting(fault)
            yield replace(
                row, fault=named, prepare=prepare, end=end, quick=named in quick, scale=scale
            )


def _down_after(call: str, seconds: float | None = None) -> Callable[[Gateway], None]:
    """The gateway goes down as soon as it has taken such a request, for so long."""
    return lambda gateway: gateway.on(call, lambda: gateway.down(seconds))


# --- what a job does ------------------------------------------------------------------------------


def told(state: str, job_id: str = "job-1") -> Reply:
    """A status reply with this state, or with a word that is none."""
    return Reply(means=Standing(state, job_id))


def _jobs(speech: Speech) -> Iterator[Scenario]:
    ok = told("succeeded")
    soon = ("--timeout=60",)
    yield Scenario(
        "status", "an unknown word, twice", will("status", told("cooking"), told("Queued up")), 0
    )
    yield Scenario(
        "status",
        "an unknown word, always",
        always("status", told("cooking")),
        4,
        args=soon,
        quick=True,
    )
    yield Scenario("status", "no word at all", will("status", told("")), 0)
    yield Scenario(
        "status", "no end", lambda gateway: setattr(gateway, "ends_after", None), 4, args=soon
    )
    if speech.tells_addresses:
        yield Scenario(
            "status", "success without URL, twice", will("status", ok, ok), 0, quick=True
        )
        # --resubmit looks first: the clip is there by then.
        stays: dict[str, Any] = {"again": 11, "answer": "--resubmit", "more": 0, "quick": True}
        yield Scenario("status", "success without URL, always", always("status", ok), 11, **stays)
    flapping = (
        told("running"),
        Reply(404, ECHO),
        told("QUEUED"),
        Reply(500, ECHO),
        told("pending"),
        Reply(fault="reset"),
        ok,
        told("running"),
    )
    yield Scenario("status", "flapping", will("status", *flapping), 0, quick=True)
    yield Scenario("status", "another job's row", will("status", told("running", "job-7")), 0)
    yield Scenario(
        "status",
        "429 with a wait is waited",
        will("status", Reply(429, ECHO, headers={"Retry-After": "50"})),
        0,
        check=lambda gateway: _pauses(gateway, "status")[0] >= 0.5,
    )
    yield Scenario(
        "status",
        "the job fails",
        ends(status="failed", error="GPU lost"),
        11,
        11,
        answer="--resubmit",
        quick=True,
    )
    yield Scenario(
        "status",
        "the job is refused",
        ends(status="failed", error="safety filter"),
        5,
        5,
        answer="--resubmit",
    )


def _pauses(gateway: Gateway, endpoint: str) -> list[float]:
    """The seconds between the requests to an endpoint."""
    times = [request.at for request in gateway.of(endpoint)]
    return [late - early for early, late in itertools.pairwise(times)]


# --- downloads ------------------------------------------------------------------------------------

BROKEN = {
    "reset before it": Reply(fault="reset"),
    "reset midway": Reply(fault="snap"),
    "shorter than said": Reply(fault="cut"),
    "short, length not said": Reply(fault="unsized"),
    "HTML with 200": Reply(body=PAGE, headers=HTML),
    "JSON with 200": Reply(body=json.dumps({"error": ECHO}).encode()),
    "empty": Reply(body=b""),
    "403": Reply(403, ECHO),
    "404": Reply(404, ECHO),
    "429": Reply(429, ECHO, headers={"Retry-After": "1"}),
    "500": Reply(500, ECHO),
    "stalls": Reply(fault="stall"),
    "not HTTP": Reply(fault="babble"),
}
PRIVATE = (
    "https://10.0.0.1",
    "http://192.168.0.7",
    "https://[::1]",
    "https://169.254.169.254",
    "https://[::ffff:10.0.0.1]",
    "https://0.0.0.0",
    "http://127.0.0.1.example",
    "file://",
    "https://",
)


def _downloads(speech: Speech, whole: bool) -> Iterator[Scenario]:
    quick = {"reset midway, twice", "short, length not said, twice", "HTML with 200, always"}
    for name, reply in BROKEN.items():
        if not whole and name not in ("reset midway", "JSON with 200", "403"):
            continue
        row = Scenario("file", f"{name}, twice", will("file", reply, reply), 0)
        if reply.fault != "stall":  # each is three seconds
            always_so = replace(row, fault=f"{name}, always", prepare=always("file", reply), end=9)
            yield replace(always_so, quick=always_so.fault in quick)
        else:
            row = replace(row, fault=f"{name}, once", prepare=will("file", reply))
        yield replace(row, quick=row.fault in quick)
    yield Scenario("file", "longer than said", will("file", Reply(fault="long")), 0)
    yield Scenario("file", "slow", will("file", Reply(fault="slow", pace_s=0.1)), 0)
    if speech.tells_addresses:
        yield Scenario(
            "file",
            "403, then a fresh address",
            both(_signed, will("file", Reply(403, ECHO))),
            0,
            check=_each_address_once,
            quick=True,
        )
    # What the status says after the download has failed.
    gone, broken = Reply(404, ECHO), Reply(500, ECHO)
    for name, prepare, end in (
        (
            "no address for a while",
            will("status", _AS_IT_IS, told("running"), told("succeeded")),
            0,
        ),
        ("the job is unknown for a moment", will("status", _AS_IT_IS, gone), 0),
        ("the job is gone", both(will("status", _AS_IT_IS), always("status", gone)), 9),
        ("500 for each status", both(will("status", _AS_IT_IS), always("status", broken)), 6),
    ):
        fails = will("file", Reply(403, ECHO))
        yield Scenario("file", f"403, then {name}", both(_made_at_once, fails, prepare), end)
    circle = Reply(302, ECHO, headers={"Location": "/files/job-1.mp4"})
    yield Scenario("file", "redirects in circles", always("file", circle), 9)
    if speech.tells_addresses:
        yield Scenario("file", "nobody listens there", _clips_at("http://127.0.0.1:9"), 9)
    for place in PRIVATE if whole else PRIVATE[:2]:
        if speech.tells_addresses:
            yield Scenario("file", f"at {place}", _clips_at(place), 9, quick=place in PRIVATE[:2])
        there = Reply(302, ECHO, headers={"Location": f"{place}/clip.mp4"})
        yield Scenario(
            "file", f"redirects to {place}", always("file", there), 9, quick=place == PRIVATE[0]
        )


_AS_IT_IS = Reply()  # the good answer, at this place in a row of answers


def _made_at_once(gateway: Gateway) -> None:
    gateway.ends_after = 0


def _signed(gateway: Gateway) -> None:
    gateway.query = "?X-Signature=Sig{reads}NeverToBeSeen"


def _each_address_once(gateway: Gateway) -> bool:
    paths = [request.path for request in gateway.of("file")]
    return len(paths) == len(set(paths)) == 2


def _clips_at(place: str) -> Callable[[Gateway], None]:
    return lambda gateway: setattr(gateway, "clips_at", place)


def _addresses(speech: Speech) -> Iterator[Scenario]:
    """A picture that comes as an address is paid for: it is fetched again, never drawn again."""
    if not speech.draws_addresses:
        return
    for name, reply in BROKEN.items():
        if reply.fault == "stall":
            continue
        steps = will("file", reply, reply)
        yield Scenario("address", f"{name}, twice", both(_as_address, steps), 0)
        yield Scenario(
            "address",
            f"{name}, always",
            both(_as_address, always("file", reply)),
            9,
            quick=name == "403",
        )
    for place in PRIVATE[:3]:
        yield Scenario(
            "address",
            f"redirects to {place}",
            both(
                _as_address,
                always("file", Reply(302, ECHO, headers={"Location": f"{place}/a.png"})),
            ),
            9,
        )


def _as_address(gateway: Gateway) -> None:
    drawn = Drawn(url=f"{gateway.root}/files/a.png?sig=Sig0NeverToBeSeen")
    gateway.will("image", Reply(means=drawn))


# --- the list of jobs, after a lost answer --------------------------------------------------------

NOTHING = Reply(means=Rows())
LOST = will("create", Reply(fault="reset"))


def _clock(ahead_s: float | None) -> Callable[[Gateway], None]:
    return lambda gateway: setattr(gateway, "clock_ahead_s", ahead_s)


def _lists(speech: Speech) -> Iterator[Scenario]:
    if not speech.lists_jobs:
        return
    for name in (
        "500",
        "429, wait in seconds",
        "truncated JSON",
        "reset before it was read",
        "404",
    ):
        reply = next(fault.reply for fault in FAULTS if fault.name == name)
        assert reply
        yield Scenario(
            "list",
            f"{name}, always",
            both(LOST, always("list", reply)),
            8,
            says="list of jobs could not be read",
            quick=name == "500",
        )
        if name != "404":
            yield Scenario(
                "list", f"{name}, twice", both(LOST, will("list", reply, reply)), 0, says=FOUND
            )
    yield Scenario(
        "list",
        "shows it late",
        both(LOST, will("list", NOTHING, NOTHING)),
        0,
        says=FOUND,
        scale="0.1",
    )
    yield Scenario(
        "list",
        "shows it only to the same command",
        both(LOST, always("list", NOTHING)),
        8,
        quick=True,
    )
    yield Scenario("list", "tells no times", both(LOST, _clock(None)), 8, 8, answer="--resubmit")
    for hours in (3, -3):
        yield Scenario(
            "list",
            f"of a clock {hours:+} h",
            both(LOST, _clock(3600.0 * hours)),
            0,
            says=FOUND,
            quick=hours > 0,
        )
    twins = both(LOST, lambda gateway: gateway.on("list", gateway.twin))
    yield Scenario(
        "list",
        "shows two that may be it",
        twins,
        8,
        8,
        answer="--job=job-1",
        more=0,
        says="job-2",
        quick=True,
    )
    yield Scenario("list", "shows two that may be it, paid again", twins, 8, 8, answer="--resubmit")


# --- how servers of one kind differ ---------------------------------------------------------------


def _manners(speech: Speech) -> Iterator[Scenario]:
    """A run, and what ends one, with a server of each manner."""
    for name, settings in speech.manners.items():
        for row in (
            Scenario("status", "nothing is wrong", lambda gateway: None, 0),
            Scenario("status", "cut short, twice", will("status", *[Reply(fault="cut")] * 2), 0),
            Scenario(
                "status",
                "the job fails",
                ends(status="failed", error="GPU lost"),
                11,
                11,
                answer="--resubmit",
            ),
            Scenario(
                "status",
                "the job is refused",
                ends(status="failed", error="safety filter"),
                5,
                5,
                answer="--resubmit",
            ),
            settled(Scenario("create", "lost, made", LOST, 8), speech, True),
        ):
            prepare = both(_manner(settings), row.prepare)
            yield replace(row, fault=f"{name}: {row.fault}", prepare=prepare)


def _manner(settings: Mapping[str, object]) -> Callable[[Gateway], None]:
    def set_them(gateway: Gateway) -> None:
        for name, value in settings.items():
            assert hasattr(gateway.speech, name)
            setattr(gateway.speech, name, value)

    return set_them


# --- the orchestrator -----------------------------------------------------------------------------


def _through_all(speech: Speech) -> Iterator[Scenario]:
    """`billed` counts images and videos together here."""
    lost = Reply(fault="reset")
    rows = [
        Scenario("chat", "500, always", always("chat", wrong(500)), 6, billed=0),
        Scenario("chat", "402", will("chat", wrong(402)), 3, billed=0),
        Scenario("image", "lost, made", will("image", lost), 8, 8, 1, "--resubmit", 2, quick=True),
        Scenario("image", "lost, not made", will("image", UNMADE), 8, 8, 0, "--resubmit", 2),
        Scenario("image", "429, twice", will("image", BUSY, BUSY), 0, billed=2),
        Scenario("image", "413", will("image", wrong(413)), 10, billed=0),
        settled(
            Scenario("create", "lost, made", will("create", lost), 8, quick=True),
            speech,
            True,
            before=1,
        ),
        settled(
            Scenario("create", "lost, not made", will("create", UNMADE), 8), speech, False, before=1
        ),
        Scenario("create", "404", will("create", wrong(404)), 10),
        Scenario("create", "429, wait six hours", will("create", TOMORROW), 6),
        Scenario("status", "500, always", always("status", wrong(500)), 6, billed=2),
        Scenario(
            "status",
            "no end",
            lambda gateway: setattr(gateway, "ends_after", None),
            4,
            billed=2,
            args=("--timeout=60",),
        ),
        Scenario(
            "status",
            "the job fails",
            ends(status="failed", error="GPU lost"),
            11,
            11,
            2,
            "--resubmit",
        ),
        Scenario("file", "403, always", always("file", Reply(403, ECHO)), 9, billed=2),
    ]
    if speech.lists_jobs:
        prepare = both(LOST, always("list", wrong(500)))
        rows.append(Scenario("list", "500, always", prepare, 8, billed=2))
    for row in rows:
        yield replace(row, stage="all")
