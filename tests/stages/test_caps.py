"""The cap on what a run may cost: where it comes from, what counts, and what still goes on."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from conftest import SCRIPTS, Run, environment, run
from factorized_video import money
from loopback import CAPTION, MOTION, Gateway, Reply, chat, image, png, refusal
from storm import PROMPT, animating, files, making, own_picture, receipt

pytestmark = pytest.mark.thorough

CAP = "FACTORIZED_VIDEO_MAX_COST"
CHAT, IMAGE, CLIP = 0.012, 0.134, 2.40  # as expected
SAID = 0.0059  # what the gateway says that the chat has cost
WHOLE = CHAT + IMAGE + CLIP
HALF = SAID + IMAGE  # spent after --stop-after anchor
DONE = HALF + CLIP
EACH = {"chat": 1, "image": 1, "create": 1}
SEEDREAM = "byteplus/seedream-4-5"  # of no known price
SEEDANCE_1 = "byteplus/seedance-1-0-pro"  # likewise
OWN = "--anchor-path=mine.png"
STAGES = Path("cat.stages")
LOST = Reply(fault="reset")  # taken and billed; no byte of the answer comes
REWRITE = [PROMPT, "--output=caption.txt", "--json"]
DRAW = [CAPTION, "--output=anchor.png", "--json"]
ALL: list[tuple[str, list[str], float, dict[str, int]]] = [
    ("rewrite_prompt", REWRITE, CHAT, {"chat": 1}),
    ("generate_anchor", DRAW, IMAGE, {"image": 1}),
    ("generate_video_from_anchor", animating(), CLIP, {"create": 1}),
    ("factorized_generate", making(), WHOLE, EACH),
]


def make(gateway: Gateway | None, *args: str, **more: Any) -> Run:
    """The orchestrator with --json, to cat.mp4."""
    return run("factorized_generate", *making(*args), gateway=gateway, **more)


def capped(usd: float) -> str:
    return f"--max-cost={usd:.4f}"


def just_under(usd: float) -> str:
    return capped(usd - 0.0001)


def planned(gateway: Gateway, *args: str) -> dict[str, Any]:
    """What --dry-run says."""
    return make(gateway, "--dry-run", *args).json


def stands(name: str, gateway: Gateway, factory: pytest.TempPathFactory, *args: str) -> None:
    """Put here what a run with these options leaves. It is made once and copied."""
    store = factory.getbasetemp() / f"caps-{name}"
    if not store.exists():
        with Gateway() as other:
            done = make(other, *args)
        assert done.code == 0, done.err
        shutil.copytree(Path.cwd(), store)
    shutil.copytree(store, Path.cwd(), dirs_exist_ok=True)
    gateway.draws = 1  # the next picture is another one


@pytest.fixture
def half(gateway: Gateway, tmp_path_factory: pytest.TempPathFactory) -> Gateway:
    """Caption and anchor are made and paid for; this gateway remembers nothing of it."""
    stands("half", gateway, tmp_path_factory, "--stop-after=anchor")
    return gateway


@pytest.fixture
def done(gateway: Gateway, tmp_path_factory: pytest.TempPathFactory) -> Gateway:
    """The clip is made and paid for; this gateway remembers nothing of it."""
    stands("done", gateway, tmp_path_factory)
    return gateway


def over(refused: Run) -> dict[str, Any]:
    """The error of a run that its cap has stopped."""
    assert refused.code == 7, refused.err
    error = refused.json["error"]
    assert isinstance(error, dict)
    assert (error["kind"], refused.json["status"]) == ("budget", "failed")
    return error


def with_cost(reply: Reply, usd: float) -> Reply:
    """The reply of a gateway that says what it charged."""
    assert isinstance(reply.json, dict)
    usage = {**reply.json.get("usage", {}), "cost": usd}
    return replace(reply, json={**reply.json, "usage": usage})


def wrote(path: str, **fields: object) -> None:
    """A receipt of this output, as if a call had been made for it."""
    data = {
        "schema_version": 1,
        "stage": "synthesis",
        "state": "succeeded",
        "digest": "0" * 64,
        "created_at": "2026-11-20T10:00:00Z",
        "job": None,
        "cost": None,
        "error": None,
    }
    place = Path(f"{path}.receipt.json")
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(json.dumps(data | fields), encoding="utf-8")


def usd(amount: float | None, kind: str = "estimated") -> dict[str, object]:
    return {"amount": amount, "currency": "USD", "kind": kind}


# --- where the cap comes from ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("flag", "environ", "local", "dotenv", "cap"),
    [
        pytest.param("4", None, None, None, "4 (--max-cost)", id="typed"),
        pytest.param(None, "4", None, None, f"4 ({CAP})", id="environment"),
        pytest.param(None, None, None, "4", f"4 ({CAP})", id=".env"),
        pytest.param(None, None, "4", "9", f"4 ({CAP})", id=".env.local before .env"),
        pytest.param(None, None, "9", "4", f"9 ({CAP})", id=".env.local though it is higher"),
        pytest.param(None, "5", "4", None, f"5 ({CAP})", id="the environment before files"),
        pytest.param(None, "", None, "4", f"4 ({CAP})", id="an empty variable is none"),
        pytest.param("3", "4", None, None, "3 (--max-cost)", id="the lower one: typed"),
        pytest.param("5", "4", None, None, f"4 ({CAP})", id="the lower one: standing"),
        pytest.param("5", None, None, "4 # each", f"4 ({CAP})", id="the lower one: in a file"),
        pytest.param("5", None, 'export:"4"', None, f"4 ({CAP})", id="quoted and exported"),
    ],
)
def test_the_lower_one_of_the_typed_and_the_standing_cap_counts(
    flag: str | None, environ: str | None, local: str | None, dotenv: str | None, cap: str
) -> None:
    for name, value in ((".env.local", local), (".env", dotenv)):
        if value is not None:
            export, _, amount = value.rpartition(":")
            Path(name).write_text(f"{export} {CAP}={amount}\n".lstrip(), encoding="utf-8")
    words = ["--prompt=A cat.", "--dry-run", *([f"--max-cost={flag}"] if flag else [])]
    shown = run("factorized_generate", *words, env={CAP: environ})
    line = f"limit: USD {cap.replace(' (', '.00 (')}\n"
    assert (shown.code, line in shown.out) == (0, True), shown.out


def test_the_cap_in_the_skill_folder_comes_before_that_of_the_working_folder(
    tmp_path: Path,
) -> None:
    skill = tmp_path / "skill"
    shutil.copytree(SCRIPTS, skill / "scripts", ignore=shutil.ignore_patterns("__pycache__"))
    (skill / ".env").write_text(f"{CAP}=4\n", encoding="utf-8")
    Path(".env").write_text(f"{CAP}=900\n", encoding="utf-8")
    command = [sys.executable, str(skill / "scripts/generate_anchor.py"), "x", "--dry-run"]
    shown = subprocess.run(command, env=environment(), capture_output=True, check=True)
    assert f"limit: USD 4.00 ({CAP})" in shown.stdout.decode()


@pytest.mark.parametrize(
    ("where", "amount"),
    [
        ("flag", "five"),
        ("flag", "-1"),
        ("flag", "nan"),
        ("variable", "inf"),
        ("variable", "$5"),
        (".env", "5,00"),
    ],
)
def test_a_cap_that_is_no_amount_stops_the_run(gateway: Gateway, where: str, amount: str) -> None:
    if where == ".env":
        Path(".env").write_text(f"{CAP}={amount}\n", encoding="utf-8")
    args = [f"--max-cost={amount}"] if where == "flag" else []
    environ = {CAP: amount} if where == "variable" else {}
    refused = run("generate_anchor", *DRAW, *args, gateway=gateway, env=environ)
    assert (refused.code, refused.json["error"]["kind"], gateway.requests) == (2, "usage", [])
    assert amount in refused.json["error"]["message"]


@pytest.mark.parametrize("encoding", ["utf-16", "latin-1"])
def test_a_cap_in_a_file_that_cannot_be_read_as_utf_8_is_not_lost_in_silence(
    gateway: Gateway, encoding: str
) -> None:
    Path(".env").write_bytes(f"# für alle\n{CAP}=0.01\n".encode(encoding))
    drawn = run("generate_anchor", *DRAW, gateway=gateway)
    assert drawn.code != 0 or any(".env" in warning for warning in drawn.json["warnings"])


# --- over the cap nothing is sent -----------------------------------------------------------------


@pytest.mark.parametrize("how", ["typed", "standing"])
@pytest.mark.parametrize(("script", "words", "price", "sent"), ALL)
def test_over_the_cap_nothing_is_sent_and_just_within_it_is(
    gateway: Gateway, script: str, words: list[str], price: float, sent: dict[str, int], how: str
) -> None:
    own_picture()

    def under(cap: str) -> Run:
        if how == "typed":
            return run(script, *words, cap, gateway=gateway)
        return run(script, *words, gateway=gateway, env={CAP: cap.partition("=")[2]})

    for cap in ("--max-cost=0", just_under(price)):
        refused = under(cap)
        error = over(refused)
        assert (gateway.requests, files()) == ([], {"mine.png"})
        assert error["charged"] == "no"
        assert refused.json["still_to_pay"]["amount"] == pytest.approx(price)
        assert refused.json["cost"]["amount"] == refused.json["spent"]["amount"] == 0
        assert refused.json["max_cost"] == float(cap.partition("=")[2])
        assert money.usd(price) in error["message"]
        assert ("--max-cost" if how == "typed" else CAP) in error["message"]
    if how == "typed" or script == "generate_anchor":
        passed = under(capped(price))
        assert (passed.code, gateway.sent) == (0, sent), passed.err


@pytest.mark.parametrize(("script", "words", "price", "sent"), ALL)
def test_a_dry_run_over_the_cap_ends_as_the_run_would_and_shows_the_plan(
    gateway: Gateway, script: str, words: list[str], price: float, sent: dict[str, int]
) -> None:
    own_picture()
    shown = run(script, *words, "--dry-run", just_under(price), gateway=gateway)
    assert over(shown)
    assert len(shown.json["stages"]) == len(sent)
    assert shown.json["cost"]["amount"] == pytest.approx(price)
    without_json = [word for word in words if word != "--json"]
    as_text = run(script, *without_json, "--dry-run", just_under(price), gateway=gateway)
    shown_calls = re.findall(r"^Stage \d \w+: .* (?:USD|under) ", as_text.out, re.M)
    assert (as_text.code, len(shown_calls)) == (7, len(sent)), as_text.err
    assert gateway.requests == []


def test_a_run_that_stops_early_is_held_against_what_it_will_make(gateway: Gateway) -> None:
    args = ("--stop-after=anchor", capped(CHAT + IMAGE))
    assert over(make(gateway, "--stop-after=anchor", just_under(CHAT + IMAGE)))
    stopped = make(gateway, *args)
    assert (stopped.code, gateway.sent) == (0, {"chat": 1, "image": 1}), stopped.err


def test_the_demo_costs_nothing_and_passes_under_any_cap() -> None:
    env = {CAP: "0", "FACTORIZED_VIDEO_TIME_SCALE": "0.2"}  # drawing takes real time
    drawn = run("generate_anchor", *DRAW, "--gateway=demo", "--max-cost=0", env=env)
    assert (drawn.code, drawn.json["cost"]["amount"]) == (0, 0), drawn.err
    assert "generating with demo/" in drawn.err
    assert "HappyCapy" not in drawn.err


# --- what is there already costs nothing more -----------------------------------------------------


@pytest.mark.parametrize("how", ["the whole run", "stage 3 alone"])
def test_a_half_finished_run_goes_on_under_a_cap_of_exactly_the_total(
    half: Gateway, how: str
) -> None:
    alone = [
        f"--anchor={STAGES / 'anchor.png'}",
        f"--prompt={PROMPT}",
        "--output=cat.mp4",
        "--json",
    ]

    def on(cap: str) -> Run:
        if how == "the whole run":
            return make(half, cap)
        return run("generate_video_from_anchor", *alone, cap, gateway=half)

    total = DONE if how == "the whole run" else CLIP
    cent_less = on(capped(total - 0.01))
    assert (over(cent_less)["charged"], half.requests) == ("no", [])
    finished = on(capped(total))
    assert (finished.code, half.sent) == (0, {"create": 1}), finished.err
    assert on("--max-cost=0").json["reused"] is True, "the cap is no part of what was asked"


@pytest.mark.parametrize("stage", ["caption", "anchor"])
def test_what_is_made_is_returned_under_any_cap(half: Gateway, stage: str) -> None:
    again = make(half, f"--stop-after={stage}", "--max-cost=0")
    assert (again.code, half.requests) == (0, []), again.err


def test_a_finished_run_is_returned_under_any_cap(done: Gateway) -> None:
    for args in ((), ("--overwrite",), ("--resubmit",)):
        again = make(done, "--max-cost=0", *args)
        assert (again.code, done.requests) == (0, []), again.err


def test_a_clip_whose_file_was_lost_is_fetched_again_under_any_cap(done: Gateway) -> None:
    done.jobs["job-1"] = {"id": "job-1"}
    Path("cat.mp4").unlink()
    again = make(done, "--max-cost=0")
    assert (again.code, done.sent, Path("cat.mp4").exists()) == (0, {}, True), again.err


@pytest.mark.parametrize("script", ["factorized_generate", "generate_video_from_anchor"])
def test_a_running_job_is_waited_for_under_any_cap(gateway: Gateway, script: str) -> None:
    own_picture()
    words = making(OWN) if script.startswith("fact") else animating()
    gateway.ends_after = None
    words.append(
        f"--video-model={SEEDANCE_1}" if script.startswith("fact") else f"--model={SEEDANCE_1}"
    )
    assert run(script, *words, "--no-wait", gateway=gateway).code == 4
    gateway.ends_after = 0
    for more in ((), ("--resubmit",)):
        waited = run(script, *words, "--max-cost=0", *more, gateway=gateway)
        assert (waited.code, gateway.sent) == (0, {"create": 1}), waited.err


def test_a_job_that_is_taken_over_passes_under_any_cap(half: Gateway) -> None:
    half.jobs["job-77"] = {"id": "job-77"}
    taken = make(half, "--job=job-77", "--max-cost=0")
    assert (taken.code, taken.json["job"], half.sent) == (0, "job-77", {}), taken.err
    assert planned(half, "--take=2", "--overwrite")["spent"]["amount"] == pytest.approx(DONE)


@pytest.mark.parametrize("name", ["caption.txt", "motion.txt"])
def test_a_running_job_is_waited_for_under_any_cap_though_a_text_was_deleted(
    half: Gateway, name: str
) -> None:
    half.ends_after = None
    assert make(half, "--no-wait").code == 4
    (STAGES / name).unlink()
    half.ends_after = 0
    waited = make(half, "--max-cost=0")
    assert (waited.code, half.sent) == (0, {"create": 1}), waited.err


# --- what is drawn anew is priced anew, on top of what was spent ----------------------------------


@pytest.mark.parametrize(
    ("edit", "args", "ahead", "sent"),
    [
        pytest.param(
            "caption.txt",
            ("--overwrite",),
            IMAGE + CLIP,
            {"image": 1, "create": 1},
            id="an edited caption",
        ),
        pytest.param("motion.txt", ("--overwrite",), CLIP, {"create": 1}, id="an edited motion"),
        pytest.param(
            "",
            ("--take=2", "--overwrite"),
            IMAGE + CLIP,
            {"image": 1, "create": 1},
            id="another take",
        ),
        pytest.param("", ("--style=anime", "--overwrite"), WHOLE, EACH, id="another style"),
        pytest.param("", ("--duration=8", "--overwrite"), 3.20, {"create": 1}, id="longer"),
    ],
)
def test_a_redraw_is_priced_again_on_top_of_what_was_spent(
    done: Gateway, edit: str, args: tuple[str, ...], ahead: float, sent: dict[str, int]
) -> None:
    if edit:
        (STAGES / edit).write_text("A grey cat sits on a shelf.\n", encoding="utf-8")
    plan = planned(done, *args)
    assert plan["spent"] == {"amount": pytest.approx(DONE), "unknown_calls": 0}
    assert plan["cost"]["amount"] == pytest.approx(ahead)
    refused = make(done, *args, just_under(DONE + ahead))
    assert (over(refused)["charged"], done.requests) == ("no", [])
    assert f"on top of the {money.usd(DONE)}" in refused.json["error"]["message"]
    assert refused.json["cost"]["amount"] == refused.json["spent"]["amount"] == pytest.approx(DONE)
    redrawn = make(done, *args, capped(DONE + ahead))
    assert (redrawn.code, done.sent) == (0, sent), redrawn.err
    in_place = DONE - HALF + sum({"chat": SAID, "image": IMAGE}.values())
    paid = DONE + ahead - (CHAT - SAID if "chat" in sent else 0)
    assert redrawn.json["spent"] == {"amount": pytest.approx(paid), "unknown_calls": 0}
    assert redrawn.json["cost"]["amount"] == pytest.approx(in_place + (0.8 if ahead == 3.2 else 0))
    assert planned(done, *args)["spent"] == redrawn.json["spent"]


def test_what_was_kept_aside_counts_for_good(done: Gateway) -> None:
    assert make(done, "--take=2", "--overwrite").code == 0
    assert {"cat.1.mp4.receipt.json", "cat.stages/anchor.1.png.receipt.json"} <= files()
    plan = planned(done, "--take=3", "--overwrite")
    assert plan["spent"]["amount"] == pytest.approx(DONE + IMAGE + CLIP)


@pytest.mark.parametrize(
    ("path", "fields", "spent", "unknown"),
    [
        pytest.param("cat.1.mp4", {"cost": usd(2.4)}, 2.4, 0, id="kept aside"),
        pytest.param("cat.27.mp4", {"cost": usd(2.4)}, 2.4, 0, id="the 27th"),
        pytest.param("cat.stages/anchor.3.png", {"cost": usd(0.134)}, 0.134, 0, id="a picture"),
        pytest.param("cat.stages/caption.1.txt", {"cost": usd(0.01)}, 0.01, 0, id="a caption"),
        pytest.param(
            "cat.1.mp4",
            {
                "state": "failed",
                "cost": usd(2.4),
                "error": {"kind": "failed", "charged": "unknown"},
            },
            2.4,
            0,
            id="failed, whether charged or not",
        ),
        pytest.param(
            "cat.1.mp4",
            {"state": "refused", "expected": usd(2.4), "error": {"kind": "refused"}},
            2.4,
            0,
            id="refused without a word of money",
        ),
        pytest.param(
            "cat.1.mp4",
            {
                "state": "refused",
                "expected": usd(2.4),
                "error": {"kind": "refused", "charged": "no"},
            },
            0,
            0,
            id="refused and not charged",
        ),
        pytest.param("cat.1.mp4", {"state": "unknown", "expected": usd(2.4)}, 2.4, 0, id="lost"),
        pytest.param("cat.1.mp4", {"state": "intent", "expected": usd(2.4)}, 2.4, 0, id="killed"),
        pytest.param("cat.1.mp4", {"state": "unknown"}, 0, 1, id="lost, of no known price"),
        pytest.param("cat.1.mp4", {"cost": usd(None, "unknown")}, 0, 1, id="of no known price"),
        pytest.param(
            "cat.1.mp4",
            {"cost": usd(2.4), "job": "c", "former_jobs": ["a", "b"]},
            7.2,
            0,
            id="two jobs given up",
        ),
        pytest.param("cat.1.mp4", {"state": "nonsense"}, 0, 1, id="unreadable"),
        pytest.param("cat.old.mp4", {"cost": usd(2.4)}, 0, 0, id="of somebody else"),
        pytest.param("cat.1.png", {"cost": usd(2.4)}, 0, 0, id="of another kind"),
        pytest.param("bobcat.1.mp4", {"cost": usd(2.4)}, 0, 0, id="of another name"),
    ],
)
def test_what_earlier_attempts_have_cost_is_read_from_their_receipts(
    path: str, fields: dict[str, Any], spent: float, unknown: int
) -> None:
    wrote(path, **fields)
    shown = make(None, "--dry-run", just_under(WHOLE + spent))
    assert (shown.code, shown.json["spent"]) == (
        7,
        {"amount": pytest.approx(spent), "unknown_calls": unknown},
    )
    within = make(None, "--dry-run", capped(WHOLE + spent))
    assert within.code == (7 if unknown else 0)
    if unknown:
        assert "earlier attempts" in over(within)["message"]
        allowed = make(None, "--dry-run", capped(WHOLE + spent), "--allow-unknown-cost")
        assert allowed.code == 0


def test_a_lost_call_counts_at_its_expected_price(half: Gateway) -> None:
    half.will("create", LOST)
    assert make(half).code == 8
    looked = make(half, "--max-cost=0")
    assert (looked.code, half.sent) == (8, {"create": 1}), "it looks again, and that costs nothing"
    refused = make(half, "--resubmit", just_under(DONE + CLIP))
    assert (over(refused)["charged"], half.sent) == ("no", {"create": 1})
    paid = make(half, "--resubmit", capped(DONE + CLIP))
    assert (paid.code, half.sent) == (0, {"create": 2}), paid.err
    assert planned(half, "--take=2", "--overwrite")["spent"]["amount"] == pytest.approx(DONE + CLIP)


def test_a_lost_picture_counts_too(gateway: Gateway) -> None:
    gateway.will("image", LOST)
    assert run("generate_anchor", *DRAW, gateway=gateway).code == 8
    words = [*DRAW, "--resubmit"]
    assert over(run("generate_anchor", *words, just_under(2 * IMAGE), gateway=gateway))
    assert gateway.sent == {"image": 1}
    assert run("generate_anchor", *words, capped(2 * IMAGE), gateway=gateway).code == 0
    assert gateway.sent == {"image": 2}


@pytest.mark.parametrize(
    ("script", "words"),
    [("factorized_generate", making(OWN)), ("generate_video_from_anchor", animating())],
)
def test_a_failed_job_counts_and_one_that_was_refused_for_nothing_does_not(
    gateway: Gateway, script: str, words: list[str]
) -> None:
    own_picture()
    gateway.will("create", refusal(400, "no", code="content_policy_violation"))
    assert run(script, *words, gateway=gateway).code == 5
    gateway.ending = {"status": "failed", "error": "GPU lost"}
    words = [*words, "--resubmit"]
    assert run(script, *words, capped(CLIP), gateway=gateway).code == 11
    before = gateway.sent
    assert over(run(script, *words, just_under(2 * CLIP), gateway=gateway))
    assert gateway.sent == before
    gateway.ending = {"status": "succeeded"}
    assert run(script, *words, capped(2 * CLIP), gateway=gateway).code == 0


def test_a_job_that_the_gateway_forgot_is_priced_again_with_all_that_was_spent(
    done: Gateway,
) -> None:
    Path("cat.mp4").unlink()
    refused = make(done, "--resubmit", just_under(DONE + CLIP))
    assert (refused.code, done.sent) == (7, {})


# --- prices that nobody knows ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("script", "words", "sent"),
    [
        ("rewrite_prompt", [*REWRITE, "--model=openai/gpt-4o"], {"chat": 1}),
        ("generate_anchor", [*DRAW, f"--model={SEEDREAM}"], {"image": 1}),
        ("generate_video_from_anchor", animating(f"--model={SEEDANCE_1}"), {"create": 1}),
        ("generate_video_from_anchor", animating("--model=made-up/model"), {"create": 1}),
        (
            "factorized_generate",
            making(f"--image-model={SEEDREAM}", "--stop-after=anchor"),
            {"chat": 1, "image": 1},
        ),
    ],
)
def test_under_a_cap_an_unknown_price_needs_leave(
    gateway: Gateway, script: str, words: list[str], sent: dict[str, int]
) -> None:
    own_picture()
    refused = run(script, *words, "--max-cost=900", gateway=gateway)
    assert "--allow-unknown-cost" in over(refused)["hint"]
    assert (refused.json["still_to_pay"]["kind"], gateway.requests) == ("unknown", [])
    allowed = run(script, *words, "--max-cost=900", "--allow-unknown-cost", gateway=gateway)
    assert (allowed.code, gateway.sent) == (0, sent), allowed.err


def test_without_a_cap_an_unknown_price_needs_no_leave(gateway: Gateway) -> None:
    assert run("generate_anchor", *DRAW, f"--model={SEEDREAM}", gateway=gateway).code == 0


def test_with_leave_for_what_is_unknown_the_known_prices_still_count(gateway: Gateway) -> None:
    words = (f"--image-model={SEEDREAM}", "--allow-unknown-cost", just_under(CLIP))
    stopped = make(gateway, *words)
    assert (stopped.code, gateway.sent) == (7, {})


# --- what it really costs -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("endpoint", "cost", "sent", "left"),
    [
        pytest.param("chat", 1.0, {"chat": 1}, IMAGE + CLIP, id="the caption"),
        pytest.param("image", 1.0, {"chat": 1, "image": 1}, CLIP, id="the anchor"),
    ],
)
def test_a_stage_that_costs_more_than_it_was_thought_to_stops_the_next_one(
    gateway: Gateway, endpoint: str, cost: float, sent: dict[str, int], left: float
) -> None:
    replies = {
        "chat": chat(json.dumps({"caption": CAPTION, "motion": MOTION})),
        "image": image(png()),
    }
    gateway.will(endpoint, with_cost(replies[endpoint], cost))
    before = cost + (SAID if endpoint == "image" else 0)
    stopped = make(gateway, just_under(before + left))
    assert (over(stopped).get("charged"), gateway.sent) == (None, sent)
    assert stopped.json["cost"] == usd(pytest.approx(before), "actual")  # type: ignore[arg-type]
    assert len(stopped.json["stages"]) == len(sent)
    assert f"on top of the {money.usd(before)}" in stopped.json["error"]["message"]
    again = make(gateway, just_under(before + left))
    assert (over(again)["charged"], gateway.sent) == ("no", sent)
    enough = make(gateway, capped(before + left))
    assert (enough.code, gateway.billed) == (0, EACH), enough.err


def test_a_stage_that_cost_less_leaves_more_for_the_next_draw(half: Gateway) -> None:
    assert planned(half)["spent"]["amount"] == pytest.approx(SAID + IMAGE)
    assert receipt(STAGES / "caption.txt")["cost"] == usd(SAID, "actual")


# --- nothing is paid for only to be told no -------------------------------------------------------


def test_an_edited_caption_is_not_drawn_where_the_clip_of_stage_3_alone_is_in_the_way(
    half: Gateway,
) -> None:
    alone: Sequence[str] = [
        f"--anchor={STAGES / 'anchor.png'}",
        f"--prompt={PROMPT}",
        "--output=cat.mp4",
        f"--motion-file={STAGES / 'motion.txt'}",
    ]
    assert run("generate_video_from_anchor", *alone, gateway=half).code == 0
    (STAGES / "caption.txt").write_text("A grey cat sits on a shelf.\n", encoding="utf-8")
    refused = make(half)
    assert (refused.code, half.sent) == (2, {"create": 1}), "no picture before that is said"


def test_what_answers_without_a_caption_have_cost_is_said(gateway: Gateway) -> None:
    gateway.always("chat", chat(""))
    failed = make(gateway)
    assert (failed.code, failed.json["error"]["charged"]) == (9, "yes")
    assert failed.json["cost"] == usd(2 * SAID, "actual")


def test_a_clip_whose_motion_is_to_be_written_anew_is_priced_again(gateway: Gateway) -> None:
    own_picture()
    words = (OWN, "--prompt-strategy=motion-only")
    assert make(gateway, *words).code == 0
    anew = (*words, "--llm-model=google/gemini-3.1-pro-preview", "--overwrite")
    gateway.requests.clear()
    assert planned(gateway, *anew)["cost"]["amount"] > CLIP
    assert over(make(gateway, *anew, capped(SAID + CLIP + 0.5)))
    assert gateway.requests == []


def test_resubmit_beside_a_job_that_runs_is_no_new_price(half: Gateway) -> None:
    half.ends_after = None
    assert make(half, "--no-wait").code == 4
    waited = make(half, "--resubmit", "--no-wait", "--max-cost=0")
    assert (waited.code, half.sent) == (4, {"create": 1})
    # The plan cannot ask whether the gateway still knows the job: it says what may be paid.
    assert planned(half, "--resubmit")["cost"]["amount"] == pytest.approx(CLIP)


# --- what the plan and the error suggest ----------------------------------------------------------


@pytest.mark.parametrize(("script", "words", "price", "sent"), ALL)
def test_the_suggested_limit_has_room_for_two_more_first_frames(
    gateway: Gateway, script: str, words: list[str], price: float, sent: dict[str, int]
) -> None:
    own_picture()
    plan = run(script, *words, "--dry-run", gateway=gateway).json
    limit = f"--max-cost={plan['suggested_max_cost']}"
    frames = [one for one in plan["stages"] if one["stage"] == "composition"]
    roomy = price + 2 * sum(one["cost"]["amount"] for one in frames)
    assert roomy - 1e-6 <= plan["suggested_max_cost"] < roomy + 0.01
    refused = run(script, *words, just_under(price), gateway=gateway)
    said = "leaves room for 2 more first frames" in refused.json["error"]["hint"]
    assert said == (bool(frames) and script == "factorized_generate")
    if script == "factorized_generate" and frames:
        words = [*words, "--stop-after=anchor"]
    for take in range(1, 4 if frames else 2):
        more = [] if script == "rewrite_prompt" else [f"--take={take}", "--overwrite"]
        made = run(script, *words, *more, limit, gateway=gateway)
        assert made.code == 0, made.err


@pytest.mark.parametrize(
    ("script", "words", "flag"),
    [
        ("generate_video_from_anchor", animating(), "--model"),
        ("factorized_generate", making(), "--video-model"),
        ("factorized_generate", making("--direct"), "--video-model"),
    ],
)
@pytest.mark.parametrize("how", ["--dry-run", "--quiet"])
def test_over_the_limit_cheaper_clips_are_named_that_fit(
    gateway: Gateway, script: str, words: list[str], flag: str, how: str
) -> None:
    own_picture()
    limit = "--max-cost=1.7"
    refused = run(script, *words, limit, how, gateway=gateway)
    assert over(refused)
    offers = refused.json["cheaper"]
    assert offers
    for offer in offers:
        assert offer["cost"]["amount"] <= 1.7
        assert f"{offer['options']}: USD" in refused.json["error"]["hint"]
        assert offer["options"].startswith(f"{flag} {offer['model']} --duration ")
        again = run(script, *words, limit, *offer["options"].split(), "--dry-run", gateway=gateway)
        assert (again.code, again.json["cost"]) == (0, offer["cost"]), again.err
    without = run(script, *words, "--dry-run", gateway=gateway).json
    assert all(one["cost"]["amount"] < without["cost"]["amount"] for one in without["cheaper"])


def test_a_plan_that_waits_for_a_choice_counts_the_clip_to_come(gateway: Gateway) -> None:
    plan = planned(gateway, "--candidates=3")
    assert plan["cost"]["amount"] == pytest.approx(CHAT + 3 * IMAGE + CLIP)
    assert [call["stage"] for call in plan["to_come"]] == ["synthesis"]
    assert [call["stage"] for call in plan["stages"]] == ["reasoning", "composition"]
    text = run("factorized_generate", f"--prompt={PROMPT}", "--candidates=3", "--dry-run").out
    assert "of which USD 2.40 (estimated) once a candidate is chosen; nothing" in text
    drawn = make(gateway, "--candidates=3", capped(CHAT + 3 * IMAGE))
    assert drawn.code == 0, drawn.err
    assert any("The clip to come, USD 2.40" in one for one in drawn.json["warnings"])


@pytest.mark.parametrize("key", ["sk-ant-api03-abcdef", "two words"])
def test_a_plan_warns_of_a_key_that_could_not_be_used(key: str) -> None:
    plan = make(None, "--dry-run", env={"AI_GATEWAY_API_KEY": key})
    assert plan.code == 0, plan.err
    assert any("AI_GATEWAY_API_KEY holds" in one for one in plan.json["warnings"])
    assert "abcdef" not in plan.out + plan.err
