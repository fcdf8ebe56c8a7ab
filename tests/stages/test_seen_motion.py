"""The motion written with the anchor in view, through the real command line: asked for, checked,
stored and sent to the video model."""

from __future__ import annotations

import json
import os
import shlex
import signal
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from conftest import Run, ended, run, start
from factorized_video.rerun import OTHER_WORDS
from judges import MOTION_REPLY, SEEN_MOTION, Judge
from loopback import MOTION, Gateway, Reply, chat, clip, png, refusal
from speech import shown

pytestmark = pytest.mark.thorough  # except what is marked `quick`

PROMPT = "A cat jumping from a bookshelf to the couch"
STAGES = Path("cat.stages")
SEEN = STAGES / "motion-from-anchor.txt"
OWN = ("--anchor-path=mine.png",)
ONLY = ("--prompt-strategy=motion-only",)
BLIND = "deepseek/deepseek-v4-flash"  # does not accept images
NO_MOTION = "No motion could be written with the anchor in view"
# Answers that cannot be used, and the problem shown to the model, and then to the user. All others
# are in tests/prompts/test_motion.py.
BAD: dict[str, tuple[object, str]] = {
    "prose": ("The tabby cat leaps down.", "no JSON object"),
    "a refusal in prose": ("I'm sorry, but I can't help with that.", "the model declined"),
    "a stranger": (
        {**MOTION_REPLY, "named": ["the tabby cat", "a red dragon"]},
        '"a red dragon" is not in the picture',
    ),
    "nothing happens": (
        {
            **MOTION_REPLY,
            "motion": "The tabby cat on the bookshelf, grey light.",
            "demands": [{"demand": "it is there", "words": "on the bookshelf"}],
        },
        'no words that make "it is there" happen',
    ),
}


@pytest.fixture
def judge(gateway: Gateway) -> Judge:
    return Judge(gateway)


def write(gateway: Gateway, *words: str, number: int = 9, output: str = "motion.txt") -> Run:
    """Run Stage 1 with a picture in view and --json, to motion.txt."""
    Path("mine.png").write_bytes(png((1280, 720), number))
    arguments = [PROMPT, "--anchor=mine.png", f"--output={output}", "--json", *words]
    return run("rewrite_prompt", *arguments, gateway=gateway)


def making(*words: str) -> list[str]:
    """Return the orchestrator's options for cat.mp4 with --motion-from-anchor and --json."""
    return [f"--prompt={PROMPT}", "--output=cat.mp4", "--json", "--motion-from-anchor", *words]


def make(gateway: Gateway, *words: str) -> Run:
    """Run the orchestrator with --motion-from-anchor and --json, to cat.mp4."""
    if not Path("mine.png").exists():
        Path("mine.png").write_bytes(png((1280, 720), 9))
    return run("factorized_generate", *making(*words), gateway=gateway)


def says(judge: Judge, *answers: object) -> None:
    """Give these answers in order when the motion is asked for; then the usual one."""
    rows = list(answers)

    def next_one(data: dict[str, Any], what: str) -> Reply | str | None:
        answer = rows.pop(0) if rows else None
        return answer if answer is None or isinstance(answer, str | Reply) else json.dumps(answer)

    judge.says["motion"] = next_one


def receipt(path: str | Path) -> dict[str, Any]:
    data = json.loads(Path(f"{path}.receipt.json").read_text(encoding="utf-8"))
    assert isinstance(data, dict)
    return data


def video_prompt(gateway: Gateway) -> object:
    """Return the text that the video model got last."""
    return gateway.of("create")[-1].body["prompt"]


# --- Stage 1 by itself ----------------------------------------------------------------------------


@pytest.mark.quick
def test_the_model_sees_the_picture_and_the_motion_is_stored(
    gateway: Gateway, judge: Judge
) -> None:
    done = write(gateway)
    assert done.code == 0, done.err
    assert (done.json["stage"], done.json["motion"]) == ("motion", SEEN_MOTION)
    assert done.json["caption"] is None
    assert Path("motion.txt").read_text(encoding="utf-8") == SEEN_MOTION + "\n"
    messages, pictures = shown(gateway.of("chat")[0])
    assert pictures == (png((1280, 720), 9),)
    assert PROMPT in str(messages[1]["content"])
    kept = receipt("motion.txt")
    assert kept["inputs"]["anchor"]["name"] == "mine.png"
    assert (kept["stage"], kept["result"]) == ("motion", {"motion": SEEN_MOTION, "problems": []})
    assert "base64" not in json.dumps(kept)

    again = write(gateway)
    assert (again.code, again.json["reused"], len(judge.asked)) == (0, True, 1)
    Path("motion.txt").unlink()  # the receipt holds it
    assert write(gateway).json["motion"] == SEEN_MOTION
    assert Path("motion.txt").exists()
    refused = write(gateway, number=8)
    assert (refused.code, len(judge.asked)) == (2, 1)
    assert write(gateway, "--overwrite", number=8).code == 0
    assert (len(judge.asked), Path("motion.1.txt").exists()) == (2, True)


def test_without_json_the_motion_alone_is_printed(gateway: Gateway, judge: Judge) -> None:
    Path("mine.png").write_bytes(png())
    done = run("rewrite_prompt", "-", "--anchor=mine.png", stdin=PROMPT, gateway=gateway)
    assert (done.code, done.out) == (0, SEEN_MOTION + "\n"), done.err
    assert {path.name for path in Path.cwd().iterdir()} == {"mine.png"}
    says(judge, "no", "no")
    none = run("rewrite_prompt", PROMPT, "--anchor=mine.png", gateway=gateway)
    assert (none.code, none.out) == (0, "")
    assert NO_MOTION in none.err


@pytest.mark.parametrize(("answer", "problem"), BAD.values(), ids=BAD)
def test_a_bad_motion_is_asked_for_once_more(
    gateway: Gateway, judge: Judge, answer: object, problem: str
) -> None:
    says(judge, answer)
    done = write(gateway)
    assert (done.code, done.json["motion"]) == (0, SEEN_MOTION), done.err
    assert done.json["warnings"] == []
    assert done.json["cost"]["amount"] == pytest.approx(2 * 0.0059)
    messages, pictures = shown(gateway.of("chat")[1])
    assert problem in str(messages[-1]["content"])
    assert len(pictures) == 1, "the picture is still in view"


def test_after_two_bad_motions_there_is_none(gateway: Gateway, judge: Judge) -> None:
    answer, problem = BAD["a stranger"]
    says(judge, answer, answer)
    done = write(gateway)
    assert (done.code, done.json["status"], done.json["motion"]) == (0, "succeeded", None), done.err
    assert done.json["output"] is None
    (warning,) = done.json["warnings"]
    assert warning.startswith(NO_MOTION)
    assert problem in warning
    assert not Path("motion.txt").exists()
    kept = receipt("motion.txt")
    assert (kept["state"], kept["result"]["motion"]) == ("succeeded", None)
    assert problem in "; ".join(kept["result"]["problems"])
    again = write(gateway)
    assert (again.code, again.json["motion"], len(judge.asked)) == (0, None, 2)
    assert again.json["warnings"] == [warning]
    assert write(gateway, "--dry-run").json["stages"] == []


@pytest.mark.parametrize("first", [None, "prose"], ids=["at once", "when asked again"])
def test_a_refusal_by_the_filter_gives_none_too(
    gateway: Gateway, judge: Judge, first: str | None
) -> None:
    answers = [first] if first else []
    says(judge, *answers, chat("", "content_filter"))
    done = write(gateway)
    assert (done.code, done.json["motion"]) == (0, None), done.err
    assert "the model declined" in done.json["warnings"][0]
    assert done.json["cost"]["amount"] > 0.0059 * len(answers)
    assert write(gateway).json["reused"] is True
    assert len(judge.asked) == 1 + len(answers)


def test_a_gateway_that_fails_leaves_nothing_behind(gateway: Gateway, judge: Judge) -> None:
    gateway.always("chat", refusal(500, "upstream is gone"))
    assert write(gateway).code == 6
    assert not Path("motion.txt.receipt.json").exists()
    gateway.mend()
    assert write(gateway).json["motion"] == SEEN_MOTION


def test_a_lone_surrogate_is_removed(gateway: Gateway, judge: Judge) -> None:
    judge.motion = {**MOTION_REPLY, "motion": SEEN_MOTION + " \ud83d"}
    assert (write(gateway).code, Path("motion.txt").read_text().strip()) == (0, SEEN_MOTION)


@pytest.mark.parametrize(
    "words", [["--style=anime"], ["--aspect-ratio=1:1"], ["--motion-file=m.txt"]]
)
def test_an_option_without_effect_here_is_a_usage_error(gateway: Gateway, words: list[str]) -> None:
    done = write(gateway, *words)
    assert (done.code, gateway.requests) == (2, []), done.err
    assert words[0].partition("=")[0] in done.json["error"]["message"]


@pytest.mark.parametrize("anchor", ["notes.txt", "nothing.png", "."])
def test_an_anchor_that_is_not_a_picture_is_a_usage_error(gateway: Gateway, anchor: str) -> None:
    Path("notes.txt").write_text("A cat.", encoding="utf-8")
    done = run("rewrite_prompt", PROMPT, f"--anchor={anchor}", "--json", gateway=gateway)
    assert (done.code, gateway.requests) == (2, []), done.err
    assert done.json["error"]["message"].startswith("--anchor ")


def test_a_model_that_accepts_no_images_is_a_usage_error(gateway: Gateway, judge: Judge) -> None:
    blind = write(gateway, f"--model={BLIND}")
    assert (blind.code, gateway.requests) == (2, [])
    assert "sees no pictures" in blind.json["error"]["message"]
    assert write(gateway, "--model=somebody/new-llm").json["motion"] == SEEN_MOTION


def test_a_large_picture_is_sent_small(gateway: Gateway, judge: Judge) -> None:
    import io

    from PIL import Image

    Image.effect_noise((3000, 2000), 90).save("large.png")
    done = run("rewrite_prompt", PROMPT, "--anchor=large.png", "--json", gateway=gateway)
    assert (done.code, done.json["motion"]) == (0, SEEN_MOTION), done.err
    ((data,),) = (shown(request)[1] for request in gateway.of("chat"))
    assert len(data) <= 700_000
    assert max(Image.open(io.BytesIO(data)).size) <= 1568


def test_the_plan_shows_the_call_and_the_cap_counts_it(gateway: Gateway, judge: Judge) -> None:
    plan = write(gateway, "--dry-run").json
    ((call,), cost) = plan["stages"], plan["cost"]
    assert (call["stage"], call["text"], cost["kind"]) == ("motion", PROMPT, "estimated")
    assert cost["amount"] == pytest.approx(0.0135)
    assert write(gateway, "--max-cost=0.013").code == 7
    assert judge.asked == []
    assert write(gateway, "--max-cost=0.014").code == 0
    assert write(gateway, "--dry-run").json["stages"] == []


# --- all stages -----------------------------------------------------------------------------------


@pytest.mark.quick
def test_the_video_model_gets_the_seen_motion_and_nothing_is_sent_twice(
    gateway: Gateway, judge: Judge
) -> None:
    plan = make(gateway, "--dry-run").json
    assert [call["stage"] for call in plan["stages"]] == [
        "reasoning",
        "composition",
        "motion",
        "synthesis",
    ]
    done = make(gateway)
    assert done.code == 0, done.err
    assert [stage["stage"] for stage in done.json["stages"]] == [
        "reasoning",
        "composition",
        "motion",
        "synthesis",
    ]
    assert video_prompt(gateway) == f"{PROMPT}\n\n{SEEN_MOTION}"
    assert SEEN.read_text(encoding="utf-8") == SEEN_MOTION + "\n"
    assert (STAGES / "motion.txt").read_text(encoding="utf-8") == MOTION + "\n"
    _, pictures = shown(gateway.of("chat")[1])
    assert pictures == ((STAGES / "anchor.png").read_bytes(),)
    assert done.json["cost"]["amount"] == pytest.approx(2 * 0.0059 + 0.134 + 2.40)
    before = len(gateway.requests)
    again = make(gateway)
    assert (again.code, again.json["reused"], again.json["stages"]) == (0, True, []), again.err
    left = make(gateway, "--dry-run").json
    assert (left["stages"], left["cost"]["amount"], len(gateway.requests)) == ([], 0.0, before)
    assert left["spent"]["amount"] == pytest.approx(done.json["cost"]["amount"])


@pytest.mark.parametrize(
    ("words", "sent", "text"),
    [
        pytest.param(OWN, {"chat": 1, "create": 1}, f"{PROMPT}\n\n{SEEN_MOTION}", id="own anchor"),
        pytest.param(
            ("--skip-reasoning",),
            {"chat": 1, "image": 1, "create": 1},
            f"{PROMPT}\n\n{SEEN_MOTION}",
            id="skip-reasoning",
        ),
        pytest.param(ONLY, {"chat": 2, "image": 1, "create": 1}, SEEN_MOTION, id="motion-only"),
        pytest.param(
            (*OWN, *ONLY), {"chat": 2, "create": 1}, SEEN_MOTION, id="own anchor, motion-only"
        ),
        pytest.param(
            (*OWN, *ONLY, "--skip-reasoning"),
            {"chat": 1, "create": 1},
            SEEN_MOTION,
            id="own anchor, motion-only, skip-reasoning",
        ),
        pytest.param(
            ("--verify",),
            {"chat": 4, "image": 1, "create": 1},
            f"{PROMPT}\n\n{SEEN_MOTION}",
            id="verify",
        ),
    ],
)
def test_only_what_is_needed_is_sent(
    gateway: Gateway, judge: Judge, words: Sequence[str], sent: dict[str, int], text: str
) -> None:
    plan = make(gateway, "--dry-run", *words).json
    times = sum(call["times"] for call in plan["stages"])
    done = make(gateway, *words)
    assert (done.code, gateway.sent) == (0, sent), done.err
    assert times == sum(sent.values())
    assert video_prompt(gateway) == text
    assert make(gateway, *words).json["stages"] == []
    assert make(gateway, "--dry-run", *words).json["stages"] == []


@pytest.mark.parametrize(
    "words", [["--motion=It leaps."], ["--motion-file=m.txt"], ["--prompt-strategy=original"]]
)
def test_a_contradicting_option_is_a_usage_error(gateway: Gateway, words: list[str]) -> None:
    Path("m.txt").write_text("It leaps.", encoding="utf-8")
    for more in ([], ["--dry-run"], ["--skip-reasoning"]):
        done = make(gateway, *words, *more)
        assert (done.code, gateway.requests) == (2, []), done.err
        option = words[0].partition("=")[0]
        message = done.json["error"]["message"]
        assert message.startswith(f"--motion-from-anchor has no effect with {option}")


def test_a_model_that_accepts_no_images_is_found_before_anything_is_paid_for(
    gateway: Gateway, judge: Judge
) -> None:
    for more in ([], ["--dry-run"], [*OWN]):
        blind = make(gateway, f"--llm-model={BLIND}", *more)
        assert (blind.code, gateway.requests) == (2, []), blind.err
        assert "sees no pictures" in blind.json["error"]["message"]
    assert make(gateway, "--llm-model=somebody/new-llm").code == 0
    assert video_prompt(gateway) == f"{PROMPT}\n\n{SEEN_MOTION}"


@pytest.mark.parametrize(
    ("words", "text", "answer"),
    [
        ((), f"{PROMPT}\n\n{MOTION}", "prose"),
        ((), f"{PROMPT}\n\n{MOTION}", "filter"),
        (ONLY, MOTION, "filter"),
        ((*OWN, *ONLY), MOTION, "prose"),
        (OWN, None, "filter"),
        (("--skip-reasoning",), None, "prose"),
    ],
)
def test_without_a_sound_motion_that_of_stage_1_is_used(
    gateway: Gateway, judge: Judge, words: Sequence[str], text: str | None, answer: str
) -> None:
    said = chat("", "content_filter") if answer == "filter" else "no"
    judge.says["motion"] = lambda data, what: said
    done = make(gateway, *words)
    assert done.code == 0, done.err
    assert any(warning.startswith(NO_MOTION) for warning in done.json["warnings"])
    assert not SEEN.exists()
    if text:
        assert video_prompt(gateway) == text
    else:
        assert str(video_prompt(gateway)).startswith(f"{PROMPT}\n\nThe first frame is given.")
    before = len(gateway.requests)
    assert make(gateway, *words).json["stages"] == []
    assert make(gateway, "--dry-run", *words).json["stages"] == []
    assert len(gateway.requests) == before


def test_motion_only_without_any_motion_ends_before_the_clip(
    gateway: Gateway, judge: Judge
) -> None:
    judge.says["motion"] = lambda data, what: "no"
    words = (*OWN, *ONLY, "--skip-reasoning")
    for _ in range(2):
        done = make(gateway, *words)
        assert (done.code, gateway.sent) == (2, {"chat": 2}), done.err
        assert any(warning.startswith(NO_MOTION) for warning in done.json["warnings"])
        assert "--motion" in done.json["error"]["hint"]
    SEEN.write_text("The cat leaps.\n", encoding="utf-8")  # written by the user
    assert (make(gateway, *words).code, video_prompt(gateway)) == (0, "The cat leaps.")


@pytest.mark.parametrize(
    ("words", "fell_back"),
    [
        ((), False),
        ((), True),
        (OWN, False),
        (OWN, True),
        (("--skip-reasoning",), True),
        (ONLY, True),
    ],
)
def test_after_a_timeout_nothing_is_sent_again(
    gateway: Gateway, judge: Judge, words: Sequence[str], fell_back: bool
) -> None:
    if fell_back:
        judge.says["motion"] = lambda data, what: "no"
    gateway.ends_after = None
    assert make(gateway, "--timeout=1", *words).code == 4
    sent = gateway.sent
    assert make(gateway, "--dry-run", *words).json["stages"] == []
    assert make(gateway, "--timeout=1", *words).code == 4
    gateway.ends_after = 0
    done = make(gateway, *words)
    assert (done.code, gateway.sent) == (0, sent), done.err
    assert make(gateway, *words).json["reused"] is True


@pytest.mark.parametrize("fell_back", [False, True], ids=["seen", "fallen back"])
def test_after_a_kill_the_same_job_is_waited_for(
    gateway: Gateway, judge: Judge, fell_back: bool
) -> None:
    if fell_back:
        judge.says["motion"] = lambda data, what: "no"
    gateway.ends_after = None
    process = start("factorized_generate", *making(), gateway=gateway)
    gateway.wait_for("status", 2)
    os.killpg(process.pid, signal.SIGKILL)
    ended(process)
    sent = gateway.sent
    gateway.ends_after = 0
    done = make(gateway)
    assert (done.code, gateway.sent, gateway.billed["create"]) == (0, sent, 1), done.err
    assert Path("cat.mp4").read_bytes() == clip()


def test_killed_while_the_motion_is_written_the_anchor_stays(
    gateway: Gateway, judge: Judge
) -> None:
    judge.says["motion"] = lambda data, what: Reply(fault="hang")
    process = start("factorized_generate", *making(), gateway=gateway)
    gateway.wait_for("chat", 2)
    os.killpg(process.pid, signal.SIGTERM)
    assert ended(process).code == 130
    del judge.says["motion"]
    done = make(gateway)
    assert (done.code, gateway.sent["image"]) == (0, 1), done.err
    assert video_prompt(gateway) == f"{PROMPT}\n\n{SEEN_MOTION}"


def test_your_edited_motion_is_used(gateway: Gateway, judge: Judge) -> None:
    assert make(gateway).code == 0
    SEEN.write_text("The cat yawns.\n", encoding="utf-8")
    refused = make(gateway)
    assert (refused.code, len(judge.asked)) == (2, 2)
    done = make(gateway, "--overwrite")
    assert (done.code, video_prompt(gateway)) == (0, f"{PROMPT}\n\nThe cat yawns."), done.err
    assert len(judge.asked) == 2
    assert SEEN.read_text(encoding="utf-8") == "The cat yawns.\n"
    assert any(SEEN.name in warning for warning in done.json["warnings"])
    assert make(gateway, "--overwrite").json["reused"] is True


@pytest.mark.parametrize("words", [(), OWN])
def test_a_motion_file_from_before_the_run_is_used(
    gateway: Gateway, judge: Judge, words: Sequence[str]
) -> None:
    STAGES.mkdir()
    SEEN.write_text("The cat yawns.\n", encoding="utf-8")
    stages = [call["stage"] for call in make(gateway, "--dry-run", *words).json["stages"]]
    assert "motion" not in stages or not words
    done = make(gateway, *words)
    assert (done.code, video_prompt(gateway)) == (0, f"{PROMPT}\n\nThe cat yawns."), done.err
    assert judge.of("motion") == []


def test_stage_1_uses_a_motion_that_you_wrote_after_it_found_none(
    gateway: Gateway, judge: Judge
) -> None:
    says(judge, "no", "no")
    assert write(gateway).json["motion"] is None
    Path("motion.txt").write_text("The cat yawns.\n", encoding="utf-8")
    done = write(gateway)
    assert (done.code, done.json["motion"], len(judge.asked)) == (0, "The cat yawns.", 2), done.err
    (warning,) = done.json["warnings"]
    assert "was edited" in warning


def test_the_fallback_can_be_edited(gateway: Gateway, judge: Judge) -> None:
    judge.says["motion"] = lambda data, what: "no"
    assert make(gateway).code == 0
    (STAGES / "motion.txt").write_text("The cat yawns.\n", encoding="utf-8")
    assert make(gateway).code == 2
    sent = gateway.sent
    done = make(gateway, "--overwrite")
    assert (done.code, video_prompt(gateway)) == (0, f"{PROMPT}\n\nThe cat yawns."), done.err
    assert gateway.sent == {**sent, "create": 2}


@pytest.mark.parametrize("text", [b"", b" \n", b"\xff\xfe", b"x" * 20_001])
def test_your_own_motion_must_be_valid_text(gateway: Gateway, judge: Judge, text: bytes) -> None:
    assert make(gateway, "--stop-after=anchor").code == 0
    SEEN.write_bytes(text)
    before = gateway.sent
    for more in ([], ["--dry-run"]):
        done = make(gateway, *more)
        assert (done.code, gateway.sent) == (2, before), done.err
        assert "The motion" in done.json["error"]["message"]


@pytest.mark.parametrize(
    ("how", "fell_back"), [("at once", False), ("later", False), ("later", True)]
)
def test_a_refused_clip_is_not_sent_again(
    gateway: Gateway, judge: Judge, fell_back: bool, how: str
) -> None:
    if fell_back:
        judge.says["motion"] = lambda data, what: "no"
    if how == "at once":
        gateway.will("create", refusal(400, "blocked by the safety filter", code="content_policy"))
    gateway.ending = {"status": "failed", "error": "safety filter"}
    refused = make(gateway)
    assert refused.code == 5, refused.err
    sent = gateway.sent
    again = make(gateway)
    assert (again.code, gateway.sent) == (5, sent), again.err
    gateway.ending = {"status": "succeeded"}
    done = make(gateway, "--resubmit")
    assert (done.code, gateway.sent) == (0, {**sent, "create": sent["create"] + 1}), done.err


@pytest.mark.parametrize(
    "words",
    [(), ("--candidates", "2", "--verify", "--min-score=0.5", "--judge-model", "somebody/judge")],
)
def test_a_new_prompt_after_a_refusal_keeps_the_anchor(
    gateway: Gateway, judge: Judge, words: Sequence[str]
) -> None:
    gateway.ending = {"status": "failed", "error": "safety filter"}
    refused = make(gateway, *words)
    assert refused.code == 5, refused.err
    gateway.ending = {"status": "succeeded"}
    before = gateway.sent["image"]
    following = [
        word.replace(OTHER_WORDS, "A cat yawns") for word in shlex.split(refused.json["next"])[2:]
    ]
    done = run("factorized_generate", *following, gateway=gateway)
    assert (done.code, gateway.sent["image"]) == (0, before), done.err
    assert video_prompt(gateway) == f"A cat yawns\n\n{SEEN_MOTION}"


def test_the_motion_is_written_for_the_selected_candidate(gateway: Gateway, judge: Judge) -> None:
    words = ("--candidates=2",)
    chosen = make(gateway, *words)
    assert (chosen.code, judge.of("motion")) == (0, []), chosen.err
    assert "Stage 1 motion" in str(make(gateway, *words, "--dry-run").json["skipped"])
    plan = make(gateway, *words, "--select=2", "--dry-run").json
    assert [call["stage"] for call in plan["stages"]] == ["motion", "synthesis"]
    assert make(gateway, *words, "--select=2").code == 0
    assert make(gateway, *words, "--select=2").json["stages"] == []
    other = make(gateway, *words, "--select=1", "--overwrite")
    assert (other.code, judge.of("motion")) == (0, ["2", "1"]), other.err


def test_a_deleted_motion_file_is_restored_for_free(gateway: Gateway, judge: Judge) -> None:
    gateway.ends_after = None
    assert make(gateway, "--timeout=1").code == 4
    SEEN.unlink()
    assert make(gateway, "--dry-run").json["stages"] == []
    gateway.ends_after = 0
    assert (make(gateway).code, len(judge.asked)) == (0, 2)
    assert SEEN.exists()


def test_another_anchor_gets_a_new_motion(gateway: Gateway, judge: Judge) -> None:
    assert make(gateway, *OWN).code == 0
    Path("mine.png").write_bytes(png((1280, 720), 8))
    assert make(gateway, *OWN).code == 2
    judge.motion = {**MOTION_REPLY, "motion": "The tabby cat leaps down to the couch."}
    stages = make(gateway, *OWN, "--overwrite", "--dry-run").json["stages"]
    assert [call["stage"] for call in stages] == ["motion", "synthesis"]
    done = make(gateway, *OWN, "--overwrite")
    assert (done.code, len(judge.asked)) == (0, 2), done.err
    assert video_prompt(gateway) == f"{PROMPT}\n\nThe tabby cat leaps down to the couch."
    # Another take is another picture.
    drawn = make(gateway, "--overwrite")
    taken = make(gateway, "--overwrite", "--take=2")
    assert (drawn.code, taken.code, len(judge.of("motion"))) == (0, 0, 4), taken.err


def test_another_anchor_never_gets_the_old_motion(gateway: Gateway, judge: Judge) -> None:
    assert make(gateway, *OWN).code == 0
    Path("mine.png").write_bytes(png((1280, 720), 8))
    judge.says["motion"] = lambda data, what: "no"
    assert make(gateway, *OWN, "--overwrite").code == 0
    assert SEEN_MOTION not in str(video_prompt(gateway))
    assert (STAGES / "motion-from-anchor.1.txt").exists()


def test_stopping_after_the_anchor_writes_the_motion_too(gateway: Gateway, judge: Judge) -> None:
    stopped = make(gateway, "--stop-after=anchor")
    assert (stopped.code, judge.of("motion")) == (0, ["1"]), stopped.err
    assert stopped.json["output"] == str((STAGES / "anchor.png").absolute())
    assert stopped.json["stage"] == "composition"
    assert SEEN.read_text(encoding="utf-8").strip() == SEEN_MOTION
    plan = make(gateway, "--dry-run", "--stop-after=anchor").json
    assert plan["stages"] == []
    assert make(gateway).code == 0
    assert gateway.sent == {"chat": 2, "image": 1, "create": 1}


def test_the_cap_counts_the_call_that_sees_the_anchor(gateway: Gateway, judge: Judge) -> None:
    plan = make(gateway, "--dry-run").json
    amount = {call["stage"]: call["cost"]["amount"] for call in plan["stages"]}
    assert amount["motion"] == pytest.approx(0.0135)
    assert plan["cost"]["amount"] == pytest.approx(sum(amount.values()))
    over = make(gateway, f"--max-cost={plan['cost']['amount'] - 0.01:.4f}")
    assert (over.code, gateway.sent) == (7, {}), over.err
    without = run(
        "factorized_generate",
        f"--prompt={PROMPT}",
        "--output=cat.mp4",
        "--dry-run",
        f"--max-cost={plan['cost']['amount'] - 0.01:.4f}",
        gateway=gateway,
    )
    assert without.code == 0, "this call alone exceeds the cap"
    assert make(gateway, f"--max-cost={plan['cost']['amount'] + 0.001:.4f}").code == 0


def test_after_a_gateway_failure_the_same_command_resumes(gateway: Gateway, judge: Judge) -> None:
    says(judge, *[refusal(500, "upstream is gone")] * 4)
    failed = make(gateway)
    assert (failed.code, gateway.billed["image"], "create" in gateway.sent) == (6, 1, False)
    assert failed.json["stage"] == "motion"
    done = make(gateway)
    assert (done.code, gateway.billed["image"]) == (0, 1), done.err


def test_an_unknown_model_is_replaced_through_its_own_option(
    gateway: Gateway, judge: Judge
) -> None:
    says(judge, refusal(404, "no such model: openai/gpt-4o", code="model_not_found"))
    done = make(gateway, *OWN, "--llm-model=anthropic/claude-haiku-4.5")
    assert done.code == 10, done.err
    assert "create" not in gateway.sent
    if done.json["next"]:
        assert "--llm-model=" in done.json["next"]


def test_an_unreadable_receipt_is_reported(gateway: Gateway, judge: Judge) -> None:
    assert make(gateway, "--stop-after=anchor").code == 0
    Path(f"{SEEN}.receipt.json").write_text("{", encoding="utf-8")
    done = make(gateway)
    assert (done.code, judge.of("motion")) == (2, ["1"]), done.err
    assert SEEN.name in done.json["error"]["message"]


def test_save_intermediate_stores_request_and_reply(gateway: Gateway, judge: Judge) -> None:
    assert make(gateway, "--save-intermediate").code == 0
    sent = (STAGES / "motion.sent.json").read_text(encoding="utf-8")
    assert PROMPT in sent
    assert "base64" not in sent
    assert "leaps down" in (STAGES / "motion.reply.json").read_text(encoding="utf-8")


@pytest.mark.parametrize("dialect", ["happycapy", "vercel", "openrouter", "openai"])
def test_every_gateway_sends_the_picture(dialect: str) -> None:
    with Gateway(dialect) as gateway:
        judge = Judge(gateway)
        done = make(gateway, *gateway.speech.naming())
        assert done.code == 0, done.err
        assert len(judge.of("motion")) == 1
        asked = gateway.speech.asked(gateway.of("create")[0])
        assert asked.prompt == f"{PROMPT}\n\n{SEEN_MOTION}"
        _, pictures = shown(gateway.of("chat")[1])
        assert pictures == ((STAGES / "anchor.png").read_bytes(),)


def test_the_demo_supports_it() -> None:
    slower = {"FACTORIZED_VIDEO_TIME_SCALE": "0.2"}  # drawing takes real time
    done = run("factorized_generate", *making(), "--gateway=demo", "--no-filmstrip", env=slower)
    assert done.code == 0, done.err
