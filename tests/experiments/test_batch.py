"""--prompts-file: many prompts, each a run of its own, under one cap, resumed line by line."""

from __future__ import annotations

import json
import os
import shutil
import signal
from pathlib import Path
from typing import Any

import pytest
from conftest import Run, ended, run, start
from judges import Judge
from loopback import Gateway, Reply
from speech import Request, Wrong

pytestmark = pytest.mark.thorough  # except what is marked `quick`


@pytest.fixture(autouse=True)
def unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Several processes at once on few cores: time-outs of a second would be over at times."""
    monkeypatch.setenv("FACTORIZED_VIDEO_TIME_SCALE", "0.05")


PROMPTS = ("A cat jumps", "A dog sleeps", "A kite rises over a hill")


def lay(*rows: object, name: str = "many.jsonl") -> None:
    """The file: of a text its prompt, of an object the line itself."""
    told = [{"prompt": row} if isinstance(row, str) else row for row in rows]
    text = "\n".join(json.dumps(row, ensure_ascii=False) for row in told)
    Path(name).write_text(text + "\n", encoding="utf-8")


def make(gateway: Gateway | None, *words: str) -> Run:
    """All lines of many.jsonl with --json, into out/."""
    told = ["--prompts-file=many.jsonl", "--output=out", "--json", *words]
    return run("factorized_generate", *told, gateway=gateway)


def summary() -> dict[str, Any]:
    data = json.loads(Path("out/summary.json").read_text(encoding="utf-8"))
    assert isinstance(data, dict)
    return data


# --- what is made ---------------------------------------------------------------------------------


@pytest.mark.quick
def test_each_line_is_a_run_of_its_own_and_the_summary_tells_of_all(gateway: Gateway) -> None:
    lay(*PROMPTS)
    done = make(gateway)
    assert done.code == 0, done.err
    told = done.json
    assert [row["status"] for row in told["lines"]] == ["succeeded"] * 3
    assert told["counts"] == {"succeeded": 3}
    for row, prompt in zip(told["lines"], PROMPTS, strict=True):
        assert row["prompt"] == prompt
        receipt = json.loads(Path(f"{row['output']}.receipt.json").read_text(encoding="utf-8"))
        assert receipt["inputs"]["prompt"] == prompt
        assert f"--prompts-file={Path('many.jsonl').absolute()}" in receipt["command"]
        assert row["cost"]["amount"] == receipt["pipeline"]["cost"]["amount"]
        assert row["took_s"] > 0
    assert told["cost"]["amount"] == pytest.approx(
        sum(row["cost"]["amount"] for row in told["lines"])
    )
    assert gateway.sent == {"chat": 3, "image": 3, "create": 3}
    assert summary()["lines"] == told["lines"]
    table = Path("out/summary.txt").read_text(encoding="utf-8")
    assert "3 of 3 made" in table
    # The same command again sends nothing, and tells the same.
    again = make(gateway)
    assert again.code == 0
    assert again.json["cost"] == told["cost"]
    assert gateway.sent == {"chat": 3, "image": 3, "create": 3}


def test_only_the_receipts_of_a_line_are_read_for_it(gateway: Gateway) -> None:
    """Those of all lines, for each line that ends, were a third of the time of 64 lines."""
    lay("A cat jumps")
    Path("out").mkdir()
    newer = json.dumps({"schema_version": 1_000_000})
    Path("out/another.mp4.receipt.json").write_text(newer, encoding="utf-8")
    done = make(gateway)
    assert done.code == 0, done.err
    assert summary()["lines"][0]["took_s"] > 0


@pytest.mark.slow
def test_without_json_the_table_is_printed(gateway: Gateway) -> None:
    lay("A cat jumps")
    words = ["--prompts-file=many.jsonl", "--output=out"]
    done = run("factorized_generate", *words, gateway=gateway)
    assert "1 of 1 made" in done.out


@pytest.mark.slow
def test_names_stay_when_lines_are_moved_and_added(gateway: Gateway) -> None:
    lay(*PROMPTS[:2])
    first = {row["prompt"]: row["output"] for row in make(gateway).json["lines"]}
    lay("Another one", *reversed(PROMPTS[:2]))
    second = {row["prompt"]: row["output"] for row in make(gateway).json["lines"]}
    assert all(second[prompt] == path for prompt, path in first.items())
    assert gateway.billed["create"] == 3


def test_a_line_has_its_own_settings_output_and_category(gateway: Gateway) -> None:
    lay(
        {
            "prompt": "A cat jumps",
            "output": "cat.mp4",
            "category": "motion",
            "settings": {"duration": 4, "aspect-ratio": "9:16", "filmstrip": False},
        },
        {"prompt": "A cat jumps", "settings": {"take": 2}},
        "A cat jumps",
    )
    done = make(gateway, "--duration=8")
    assert done.code == 0, done.err
    rows = done.json["lines"]
    assert rows[0]["output"] == str(Path("out/cat.mp4").absolute())
    assert rows[0]["category"] == "motion"
    asked = sorted(
        (told.duration_s or 0, str(told.shape))
        for told in (gateway.speech.asked(r) for r in gateway.of("create"))
    )
    assert asked == [(4, "9:16"), (8, "16:9"), (8, "16:9")]
    assert not Path("out/cat.filmstrip.png").exists()


@pytest.mark.slow
def test_so_many_at_once_and_no_more(gateway: Gateway) -> None:
    lay(*[f"Scene number {number}" for number in range(6)])
    gateway.ends_after = None
    starts: list[int] = []
    gateway.on("create", lambda: starts.append(1))
    assert make(gateway, "--concurrency=2", "--timeout=0.5").code == 4
    assert len(gateway.jobs) == 6  # who waits no longer makes room
    gateway.ends_after = 1
    done = make(gateway)
    assert done.code == 0, done.err
    assert gateway.billed["create"] == 6


# --- before anything is sent ----------------------------------------------------------------------


@pytest.mark.quick
@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (["A cat", {"words": "A dog"}], "line 2: 'words' is no key of a line"),
        (["A cat", ["A dog"]], "line 2: it is no JSON object"),
        (["A cat", {"prompt": 7}], "line 2: 'prompt' is no text"),
        (["A cat", {}], "line 2: the prompt is empty"),
        (["A cat", {"prompt": "-"}], "line 2: the prompt is a dash"),
        (["A cat", {"prompt": "A dog", "settings": {"speed": 2}}], "'speed' is no setting"),
        (["A cat", {"prompt": "A dog", "settings": {"max_cost": 2}}], "'max_cost' is no setting"),
        (["A cat", {"prompt": "A dog", "settings": 3}], 'line 2: "settings" is no object'),
        (["A cat", {"prompt": "A dog", "settings": {"duration": 5}}], "4, 6 and 8 seconds"),
        (["A cat", {"prompt": "A dog", "settings": {"duration": "x"}}], "line 2: argument"),
        (["A cat", {"prompt": "A dog", "settings": {"seed": {"a": 1}}}], "'seed' has a value"),
        (["A cat", {"prompt": "A dog", "output": "x.png"}], "line 2: --output x.png ends in"),
        (["A cat", "A dog", "A cat"], "line 3: it would have the same output as line 1"),
        (["A cat", {"prompt": "A dog", "settings": {"resubmit": True}}], "'resubmit' is no"),
        (
            [{"prompt": "A cat", "output": "x.mp4"}, {"prompt": "A dog", "output": "X.mp4"}],
            "line 2: it would have the same output as line 1",
        ),
        ([], "contains no prompts"),
    ],
)
def test_the_first_line_that_is_not_legal_is_named(
    gateway: Gateway, rows: list[object], message: str
) -> None:
    lay(*rows)
    failed = make(gateway)
    assert failed.code == 2, failed.out
    assert message in failed.json["error"]["message"]
    assert not gateway.requests
    assert not Path("out").exists()


@pytest.mark.quick
@pytest.mark.parametrize("data", [b"\xff\xfe{", b"{" * 100_000, b'{"prompt": "a"', b"\0\0"])
def test_a_file_that_is_no_json_lines(gateway: Gateway, data: bytes) -> None:
    Path("many.jsonl").write_bytes(data)
    failed = make(gateway)
    assert failed.code == 2
    assert "line 1: it is no JSON object" in failed.json["error"]["message"]


@pytest.mark.quick
def test_a_file_that_is_not_there(gateway: Gateway) -> None:
    failed = make(gateway)
    assert failed.code == 2
    assert "cannot be read" in failed.json["error"]["message"]


def test_the_plan_prices_every_line_and_sends_nothing(gateway: Gateway) -> None:
    lay(*PROMPTS)
    told = make(gateway, "--dry-run").json
    one = told["lines"][0]["cost"]["amount"]
    assert told["cost"]["amount"] == pytest.approx(3 * one)
    assert not gateway.requests
    assert make(gateway, "--dry-run", "--max-cost=7").code == 7
    assert make(gateway).code == 0
    assert make(gateway, "--dry-run", "--max-cost=7").code == 0  # nothing is left to pay
    assert {row["status"] for row in make(gateway, "--dry-run").json["lines"]} == {"succeeded"}


@pytest.mark.quick
@pytest.mark.parametrize("option", ["--job=job-1", "--work-dir=w"])
def test_what_is_of_one_clip_is_refused(gateway: Gateway, option: str) -> None:
    lay(*PROMPTS)
    failed = make(gateway, option)
    assert failed.code == 2
    assert "is of one clip" in failed.json["error"]["message"]
    assert not gateway.requests


@pytest.mark.quick
def test_a_name_of_a_direct_clip_cannot_be_that_of_two(gateway: Gateway) -> None:
    lay({"prompt": "A cat", "output": "x.mp4"}, {"prompt": "A dog", "output": "x.direct.mp4"})
    failed = make(gateway, "--compare")
    assert failed.code == 2
    assert "with --compare there are two" in failed.json["error"]["message"]
    assert not gateway.requests


@pytest.mark.quick
def test_the_plan_tells_of_each_line_what_would_be_sent(gateway: Gateway) -> None:
    lay(*PROMPTS[:2], {"prompt": "A boat", "settings": {"duration": 4, "no-audio": True}})
    told = make(gateway, "--dry-run").json
    stages = [[call["stage"] for call in row["stages"]] for row in told["lines"]]
    assert stages == [["reasoning", "composition", "synthesis"]] * 3
    assert told["lines"][2]["stages"][2]["settings"]["duration_s"] == 4
    words = ["--prompts-file=many.jsonl", "--output=out", "--dry-run"]
    text = run("factorized_generate", *words, gateway=gateway).out
    assert "Stage 3 synthesis: google/veo-3.1-generate-preview, 6 s 720p 16:9: 2 lines" in text
    assert "Stage 3 synthesis: google/veo-3.1-generate-preview, 4 s 720p 16:9: 1 lines" in text
    text = run("factorized_generate", *words, "--compare", "--verify", gateway=gateway).out
    counted = [line.rpartition(": ")[2] for line in text.splitlines() if "Measurement" in line]
    assert counted == ["3 lines"] * 3  # the questions, the first frame, the frames


@pytest.mark.quick
@pytest.mark.parametrize("words", [["--concurrency=2"], ["--evaluator-model=openai/gpt-4o"]])
def test_what_says_nothing_alone_is_refused(gateway: Gateway, words: list[str]) -> None:
    failed = run("factorized_generate", "--prompt=A cat", "--json", *words, gateway=gateway)
    assert failed.code == 2
    assert not gateway.requests


# --- the cap --------------------------------------------------------------------------------------


def test_the_cap_holds_for_all_lines_together(gateway: Gateway) -> None:
    lay(*PROMPTS)
    refused = make(gateway, "--max-cost=7.6")
    assert refused.code == 7
    words = ["--prompts-file=many.jsonl", "--output=out", "--max-cost=7.6", "--dry-run"]
    planned = run("factorized_generate", *words, gateway=gateway)
    assert (planned.code, "3 lines, 0 of them made" in planned.out) == (7, True), planned.out
    assert not gateway.requests
    env = {"FACTORIZED_VIDEO_MAX_COST": "7.6"}
    words = ["--prompts-file=many.jsonl", "--output=out", "--json"]
    assert run("factorized_generate", *words, gateway=gateway, env=env).code == 7
    assert make(gateway, "--max-cost=7.7").code == 0


@pytest.mark.slow
def test_a_line_that_cost_more_than_it_should_leaves_no_room_for_the_last(gateway: Gateway) -> None:
    lay(*PROMPTS)
    gateway.chat_usd = 1.0
    ends = make(gateway, "--max-cost=7.7", "--concurrency=1")
    assert ends.code == 7, ends.out
    states = [row["status"] for row in ends.json["lines"]]
    assert states[0] == "succeeded"
    assert states[-1] in ("failed", "not begun")
    assert gateway.billed["create"] < 3
    assert gateway.charged_usd + 2.4 * gateway.billed["create"] <= 7.7 + 1.0


# --- what goes wrong ------------------------------------------------------------------------------


def test_a_line_that_is_refused_ends_no_other(gateway: Gateway) -> None:
    lay(*PROMPTS)

    def refuse(request: Request) -> Reply | None:
        if "dog" in str(request.body["prompt"]):
            return gateway.speech.error(400, Wrong("blocked by the safety filter"))
        return None

    gateway.answers["create"] = refuse
    failed = make(gateway)
    states = {row["prompt"]: row["status"] for row in failed.json["lines"]}
    assert failed.code in (5, 10)
    assert states["A dog sleeps"] in ("refused", "rejected")
    assert [states[prompt] for prompt in PROMPTS if "dog" not in prompt] == ["succeeded"] * 2
    assert "line 2" in failed.json["error"]["message"]
    assert "2 of 3 lines are made" in failed.json["error"]["message"]
    assert f"--prompts-file={Path('many.jsonl').absolute()}" in failed.json["next"]
    as_text = run(
        "factorized_generate", "--prompts-file=many.jsonl", "--output=out", gateway=gateway
    )
    assert (as_text.code, "2 of 3 made" in as_text.out) == (failed.code, True), as_text.out


@pytest.mark.quick
def test_a_key_that_is_refused_begins_no_line(gateway: Gateway) -> None:
    lay(*PROMPTS)
    gateway.key = "another"
    failed = make(gateway)
    assert failed.code == 3
    assert gateway.billed == {}
    assert len(gateway.requests) == 1


def test_a_credit_that_ends_on_the_way_begins_no_further_line(gateway: Gateway) -> None:
    lay(*[f"Scene number {number}" for number in range(6)])
    gateway.always("create", Reply(402, means=Wrong("no credit")))
    failed = make(gateway, "--concurrency=1")
    assert failed.code == 3
    assert failed.json["counts"]["not begun"] == 5


def test_a_summary_that_cannot_be_written_begins_no_further_line(gateway: Gateway) -> None:
    lay(*PROMPTS)
    in_the_way = Path("out/summary.json/x")
    gateway.on("status", lambda: in_the_way.mkdir(parents=True))
    failed = make(gateway, "--concurrency=1")
    assert failed.code == 9, failed.out
    assert "summary.json could not be written" in failed.json["error"]["message"]
    # What was made is told all the same, and the same command goes on.
    assert failed.json["counts"] == {"succeeded": 1, "not begun": 2}
    assert f"--prompts-file={Path('many.jsonl').absolute()}" in failed.json["next"]
    shutil.rmtree("out/summary.json")
    assert make(gateway).code == 0
    assert gateway.billed == {"chat": 3, "image": 3, "create": 3}


@pytest.mark.slow
def test_a_job_that_fails_is_told_and_not_sent_again(gateway: Gateway) -> None:
    lay("A cat jumps")
    gateway.ending = {"status": "failed", "error": "out of memory"}
    assert make(gateway).code == 11
    assert make(gateway).code == 11
    assert gateway.billed["create"] == 1


def test_candidates_await_a_choice_line_by_line(gateway: Gateway) -> None:
    lay(*PROMPTS[:2])
    done = make(gateway, "--candidates=2")
    assert done.code == 0, done.err
    assert done.json["counts"] == {"awaits a choice": 2}
    assert gateway.sent == {"chat": 2, "image": 4}
    sheets = [Path(row["contact_sheet"]) for row in done.json["lines"]]
    assert all(sheet.is_file() for sheet in sheets)
    assert '{"select": "2"}' in Path("out/summary.txt").read_text(encoding="utf-8")
    lay(*({"prompt": prompt, "settings": {"select": 2}} for prompt in PROMPTS[:2]))
    done = make(gateway, "--candidates=2")
    assert done.json["counts"] == {"succeeded": 2}
    assert gateway.sent == {"chat": 2, "image": 4, "create": 2}


# --- killed and resumed ---------------------------------------------------------------------------


def test_interrupted_it_tells_what_there_is_and_goes_on(gateway: Gateway) -> None:
    lay(*PROMPTS)
    gateway.ends_after = None
    words = ["--prompts-file=many.jsonl", "--output=out", "--json"]
    process = start("factorized_generate", *words, gateway=gateway)
    gateway.wait_for("status", 3)
    os.kill(process.pid, signal.SIGINT)
    stopped = ended(process)
    assert stopped.code == 130, stopped.err
    assert stopped.json["status"] == "interrupted"
    assert len(stopped.json["lines"]) == 3
    gateway.ends_after = 1
    assert make(gateway).code == 0
    assert gateway.billed == {"chat": 3, "image": 3, "create": 3}


def test_two_at_once_are_told_apart(gateway: Gateway) -> None:
    lay(*PROMPTS)
    gateway.ends_after = None
    words = ["--prompts-file=many.jsonl", "--output=out", "--json"]
    process = start("factorized_generate", *words, gateway=gateway)
    gateway.wait_for("status", 1)
    second = make(gateway)
    assert second.code == 4
    assert "Another process" in second.json["error"]["message"]
    os.kill(process.pid, signal.SIGINT)
    ended(process)


# --- compared and measured ------------------------------------------------------------------------


def test_both_ways_are_measured_per_category_and_over_all(gateway: Gateway) -> None:
    judge = Judge(gateway)
    lay(
        {"prompt": "A cat jumps", "category": "motion"},
        {"prompt": "Two cats sit", "category": "numeracy"},
    )
    done = make(gateway, "--compare", "--verify")
    assert done.code == 0, done.err
    told = done.json
    assert {row["comparison"] is not None for row in told["lines"]} == {True}
    measured = told["measured"]
    assert set(measured) == {"first frame", "frames over the clip"}
    assert list(measured["first frame"]) == ["motion", "numeracy", "overall"]
    assert measured["first frame"]["overall"]["n"] == 2
    for row in told["lines"]:
        assert row["measurement"]["frames"]["direct"] == {
            "state": "passed",
            "passed": 3,
            "asked": 3,
        }
    table = Path("out/summary.txt").read_text(encoding="utf-8")
    assert "      first frame: factorized 5 of 5, direct 5 of 5" in table
    assert len(judge.of("measure")) == 2
    assert "overall" in Path("out/summary.txt").read_text(encoding="utf-8")
    before = dict(gateway.sent)
    again = make(gateway, "--compare", "--verify")
    assert again.json["measured"] == measured
    assert gateway.sent == before
