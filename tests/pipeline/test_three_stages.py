"""The real command line against a gateway on loopback: what is sent, paid, kept and said."""

from __future__ import annotations

import base64
import json
import os
import shlex
import shutil
import signal
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from conftest import KEY, Run, ended, follow, run, start
from factorized_video.gateway import settings
from factorized_video.prompts.strategies import FIRST_FRAME_GIVEN
from loopback import CAPTION, MOTION, Gateway, Reply, chat, clip, image, png, refusal

PROMPT = "A cat jumping from a bookshelf to the couch"
STILL = f"{PROMPT}\n\n{FIRST_FRAME_GIVEN}"
EACH = {"chat": 1, "image": 1, "create": 1}
# The contract's keys, in every result.
KEYS = {
    "status",
    "stage",
    "output",
    "gateway",
    "model",
    "cost",
    "elapsed_s",
    "warnings",
    "receipt",
    "job",
    "eta_s",
    "next",
}
OWN = ("--anchor-path=mine.png",)
ONLY = ("--prompt-strategy=motion-only",)
STAGES = Path("cat.stages")
CAT, RECEIPT = Path("cat.mp4"), Path("cat.mp4.receipt.json")


def make(gateway: Gateway, *args: str, prompt: str = PROMPT) -> Run:
    """The orchestrator with --json, to cat.mp4."""
    return run("factorized_generate", *making(*args, prompt=prompt), gateway=gateway)


def making(*args: str, prompt: str = PROMPT) -> list[str]:
    return [f"--prompt={prompt}", "--output=cat.mp4", "--json", *args]


def video(gateway: Gateway, *args: str) -> Run:
    """Stage 3 with --json, to cat.mp4, from a picture that is made if it is not there."""
    anchor = own_picture()
    words = [f"--anchor={anchor}", f"--prompt={PROMPT}", "--output=cat.mp4", "--json", *args]
    return run("generate_video_from_anchor", *words, gateway=gateway)


@pytest.fixture
def made(gateway: Gateway, tmp_path_factory: pytest.TempPathFactory) -> Gateway:
    """The pipeline has run in the working folder; the gateway remembers nothing of it.

    It runs once; what it left is copied for the next test.
    """
    store = tmp_path_factory.getbasetemp() / "made"
    if not store.exists():
        assert make(gateway).code == 0
        shutil.copytree(Path.cwd(), store)
        gateway.requests.clear()
        gateway.billed.clear()
    shutil.copytree(store, Path.cwd(), dirs_exist_ok=True)
    gateway.draws = 1
    return gateway


def own_picture(number: int = 9) -> Path:
    path = Path("mine.png")
    path.write_bytes(png((1280, 720), number))
    return path


def files(folder: str = ".") -> set[str]:
    return {str(path) for path in Path(folder).rglob("*") if path.is_file()}


def text_of(gateway: Gateway) -> object:
    """What the video model was told last."""
    return gateway.of("create")[-1].body["prompt"]


def receipt(path: str = "cat.mp4") -> dict[str, Any]:
    data = json.loads(Path(path + ".receipt.json").read_text(encoding="utf-8"))
    assert isinstance(data, dict)
    return data


# --- the stages alone, and piped ------------------------------------------------------------------


def test_stage_1_prints_the_caption_and_writes_what_is_asked(gateway: Gateway) -> None:
    args = [PROMPT, "--output", "caption.txt", "--motion-file", "motion.txt"]
    done = run("rewrite_prompt", *args, gateway=gateway)
    assert (done.code, done.out) == (0, CAPTION + "\n")
    assert Path("caption.txt").read_text(encoding="utf-8") == CAPTION + "\n"
    assert Path("motion.txt").read_text(encoding="utf-8") == MOTION + "\n"
    assert gateway.sent == {"chat": 1}


def test_stage_1_without_output_writes_no_file(gateway: Gateway) -> None:
    done = run("rewrite_prompt", PROMPT, "--json", gateway=gateway)
    assert (done.json["caption"], done.json["motion"]) == (CAPTION, MOTION)
    assert done.json["cost"] == {"amount": 0.0059, "currency": "USD", "kind": "actual"}
    assert not files()


def test_the_stages_can_be_piped(gateway: Gateway) -> None:
    caption = run("rewrite_prompt", "-", stdin=PROMPT, gateway=gateway)
    anchor = run(
        "generate_anchor",
        "--input-file",
        "-",
        "--output",
        "deep/down/anchor.png",
        stdin=caption.out,
        gateway=gateway,
    )
    path = anchor.out.strip()
    done = run(
        "generate_video_from_anchor",
        "--anchor",
        path,
        "--prompt",
        "-",
        stdin=PROMPT,
        gateway=gateway,
    )
    assert [caption.code, anchor.code, done.code] == [0, 0, 0]
    assert path == str(Path("deep/down/anchor.png").absolute())
    made = Path(done.out.strip())
    assert made.parent == Path.cwd() / "outputs"
    assert made.name.startswith("a-cat-jumping-from-a-bookshelf-")
    assert made.read_bytes() == clip()
    prompt = gateway.of("image")[0].body["prompt"]
    assert isinstance(prompt, str)
    assert prompt.startswith(CAPTION + "\n")
    assert text_of(gateway) == STILL
    assert gateway.sent == EACH


@pytest.mark.parametrize(
    ("reply", "name"),
    [
        pytest.param(png(), "anchor.jpg", id="converted to what --output asks"),
        pytest.param(png(), "anchor.webp", id="webp"),
        pytest.param(None, "anchor.png", id="a picture that comes as an address"),
    ],
)
def test_the_picture_is_saved_as_its_name_says(
    gateway: Gateway, reply: bytes | None, name: str
) -> None:
    from PIL import Image

    if reply is None:
        gateway.will("image", Reply(json={"data": [{"url": f"{gateway.root}/files/a.png?s=1"}]}))
        gateway.will("file", Reply(body=png()))
    done = run("generate_anchor", CAPTION, "--output", name, "--json", gateway=gateway)
    assert done.code == 0, done.err
    with Image.open(name) as picture:
        assert picture.format == {"jpg": "JPEG", "webp": "WEBP", "png": "PNG"}[name[7:]]
        assert done.json["image"] == {"width": 1280, "height": 720, "format": picture.format}


def test_a_picture_of_another_shape_than_asked_is_said(gateway: Gateway) -> None:
    gateway.will("image", image(png((640, 640))))
    done = run("generate_anchor", CAPTION, "--output", "anchor.png", "--json", gateway=gateway)
    assert done.code == 0
    assert any("640x640" in warning and "16:9" in warning for warning in done.json["warnings"])


# --- stage 1 and what models answer ---------------------------------------------------------------

GOOD = json.dumps({"caption": CAPTION, "motion": MOTION})


@pytest.mark.parametrize(
    ("answers", "chats"),
    [
        pytest.param([f"Sure!\n```json\n{GOOD}\n```\nEnjoy."], 1, id="prose and fences"),
        pytest.param([f'<think>{{"caption": "a draft"}}</think>{GOOD}'], 1, id="reasoning"),
        pytest.param(["", GOOD], 2, id="empty, then repaired"),
        pytest.param([GOOD[:40], GOOD], 2, id="truncated, then repaired"),
        pytest.param(['{"caption": "", "motion": "m"}', GOOD], 2, id="an empty caption"),
        pytest.param(
            ['{"caption": "A cat jumping from a shelf."}', GOOD], 2, id="asked to be still"
        ),
    ],
)
def test_stage_1_finds_the_caption_in_what_models_answer(
    gateway: Gateway, answers: list[str], chats: int
) -> None:
    gateway.will("chat", *[chat(answer) for answer in answers])
    done = run("rewrite_prompt", PROMPT, gateway=gateway)
    assert (done.code, done.out, gateway.sent) == (0, CAPTION + "\n", {"chat": chats})


def test_motion_that_stays_in_the_caption_is_taken_with_a_warning(gateway: Gateway) -> None:
    gateway.always(
        "chat", chat('{"caption": "A cat jumping from a shelf.", "motion": "It jumps."}')
    )
    done = run("rewrite_prompt", PROMPT, "--json", gateway=gateway)
    assert (done.code, gateway.sent) == (0, {"chat": 2})
    assert "jumping" in done.json["warnings"][0]


# --- the orchestrator -----------------------------------------------------------------------------


def test_a_prompt_becomes_a_video(gateway: Gateway) -> None:
    done = make(gateway)
    result = done.json
    assert (done.code, result["status"], gateway.sent) == (0, "succeeded", EACH)
    assert set(result) >= KEYS
    assert CAT.read_bytes() == clip()
    assert result["output"] == str(CAT.absolute())
    assert result["receipt"] == str(RECEIPT.absolute())
    assert result["video"] == {
        "duration_s": 6.0,
        "width": 1280,
        "height": 720,
        "fps": 2.0,
        "codec": "h264",
        "audio": False,
    }
    assert [stage["stage"] for stage in result["stages"]] == [
        "reasoning",
        "composition",
        "synthesis",
    ]
    assert result["cost"]["amount"] == pytest.approx(0.0059 + 0.134 + 2.40)
    assert result["cost"]["kind"] == "estimated", "the weakest kind in it"
    assert result["anchor_fidelity"] == 1.0
    assert result["filmstrip"] == str(Path("cat.filmstrip.png").absolute())
    assert files() == {
        "cat.mp4",
        "cat.mp4.receipt.json",
        "cat.filmstrip.png",
        "cat.stages/caption.txt",
        "cat.stages/caption.txt.receipt.json",
        "cat.stages/made-for.txt",
        "cat.stages/motion.txt",
        "cat.stages/anchor.png",
        "cat.stages/anchor.png.receipt.json",
    }
    kept = receipt()
    assert (kept["state"], kept["job"]) == ("succeeded", "job-1")
    account = kept["gateway"].pop("account")
    assert kept["gateway"] == {"name": "happycapy", "host": "loopback"}
    assert (len(account), KEY in account) == (12, False)


def test_without_json_stdout_is_the_path_alone(gateway: Gateway) -> None:
    done = run("factorized_generate", "--prompt", PROMPT, "--output", "cat.mp4", gateway=gateway)
    assert done.out == f"{CAT.absolute()}\n"
    assert "Stage 3" in done.err


def test_quiet_says_warnings_only(gateway: Gateway) -> None:
    Path("first.png").write_bytes(png())  # what the gateway's clip begins with
    quiet = ("--quiet", "--anchor=first.png", "--model=byteplus/dreamina-seedance-2-0")
    done = video(gateway, *quiet)
    assert (done.code, done.err) == (0, "")


def test_save_intermediate_keeps_what_was_sent_and_answered(gateway: Gateway) -> None:
    done = make(gateway, "--save-intermediate", "--work-dir=kept/here")
    assert done.code == 0
    names = {Path(name).name for name in files("kept/here")}
    sent = {f"stage{n}.{what}.json" for n in (1, 2, 3) for what in ("sent", "reply")}
    assert names >= sent | {"first-frame.sent.png", "caption.txt", "motion.txt", "anchor.png"}
    assert not STAGES.exists()
    told = json.loads(Path("kept/here/stage3.sent.json").read_text(encoding="utf-8"))
    assert told["prompt"] == text_of(gateway)
    assert Path("kept/here/first-frame.sent.png").read_bytes() == png()
    assert "base64" not in Path("kept/here/stage2.reply.json").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("args", "sent", "told"),
    [
        pytest.param(ONLY, EACH, MOTION, id="all"),
        pytest.param(("--skip-reasoning",), {"image": 1, "create": 1}, STILL, id="skip-reasoning"),
        pytest.param(("--skip-anchor", *OWN), {"create": 1}, STILL, id="own anchor"),
        pytest.param(OWN + ONLY, {"chat": 1, "create": 1}, MOTION, id="own anchor, motion-only"),
        pytest.param(
            (*OWN, *ONLY, "--motion=It leaps."),
            {"create": 1},
            "It leaps.",
            id="own anchor and motion",
        ),
    ],
)
def test_only_the_stages_that_are_needed_are_sent(
    gateway: Gateway, args: Sequence[str], sent: dict[str, int], told: str
) -> None:
    mine = own_picture().read_bytes()
    done = make(gateway, *args)
    assert (done.code, gateway.sent) == (0, sent), done.err
    assert text_of(gateway) == told
    frame = mine if "mine.png" in str(args) else (STAGES / "anchor.png").read_bytes()
    assert gateway.of("create")[0].body["first_frame"] == data_uri(frame)
    if "--skip-reasoning" in args:
        prompt = gateway.of("image")[0].body["prompt"]
        assert isinstance(prompt, str)
        assert prompt.startswith(PROMPT + "\n")


@pytest.mark.parametrize(
    ("args", "told"),
    [
        ((), STILL),
        (("--motion=It leaps.",), f"{PROMPT}\n\nIt leaps."),
        (("--motion=It leaps.", "--prompt-strategy=original"), PROMPT),
        (("--motion=It leaps.", *ONLY), "It leaps."),
    ],
)
def test_what_the_video_model_is_told(gateway: Gateway, args: Sequence[str], told: str) -> None:
    assert (video(gateway, *args).code, text_of(gateway)) == (0, told)


def test_skip_reasoning_leaves_out_the_motion_of_an_earlier_run(made: Gateway) -> None:
    make(made, "--skip-reasoning", "--overwrite")
    assert text_of(made) == STILL


def data_uri(png_bytes: bytes) -> str:
    return "data:image/png;base64," + base64.b64encode(png_bytes).decode()


# --- nothing is paid twice ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("stage", "sent"), [("caption", {"chat": 1}), ("anchor", {"chat": 1, "image": 1})]
)
def test_stop_after_lets_look_and_next_goes_on(
    gateway: Gateway, stage: str, sent: dict[str, int]
) -> None:
    stopped = make(gateway, "--stop-after", stage)
    name = {"caption": "caption.txt", "anchor": "anchor.png"}[stage]
    assert (stopped.code, gateway.sent) == (0, sent)
    assert stopped.json["output"] == str((STAGES / name).absolute())
    assert (follow(stopped.json["next"], gateway).code, CAT.exists()) == (0, True)
    assert gateway.billed == EACH


def test_a_free_read_comes_before_the_first_paid_call_and_once_a_run(gateway: Gateway) -> None:
    assert make(gateway).code == 0
    asked = [request.endpoint for request in gateway.requests]
    assert (asked[0], asked.count("check")) == ("check", 1)


def test_a_key_that_it_finds_refused_costs_nothing(gateway: Gateway) -> None:
    gateway.will("check", refusal(401, "no such key"))
    refused = make(gateway)
    assert (refused.code, refused.json["error"]["kind"]) == (3, "auth")
    assert refused.json["error"]["charged"] == "no"
    assert [request.endpoint for request in gateway.requests] == ["check"]
    assert make(gateway).code == 0


def test_the_same_command_again_sends_nothing(made: Gateway) -> None:
    before = {name: Path(name).read_bytes() for name in files()}
    for again in (make(made), make(made, "--overwrite")):  # which is for other inputs than these
        assert (again.code, made.requests) == (0, [])
        assert again.json["output"] == str(CAT.absolute())
        assert again.json["cost"]["amount"] == pytest.approx(0.0059 + 0.134 + 2.40)
        assert again.json["reused"] is True
    assert {name: Path(name).read_bytes() for name in files()} == before


@pytest.mark.parametrize("script", ["rewrite_prompt", "generate_anchor"])
def test_each_stage_is_idempotent_by_itself(gateway: Gateway, script: str) -> None:
    args = [script, PROMPT, "--output=out.png", "--json"]
    first, again = (run(*args, gateway=gateway) for _ in range(2))
    assert (first.code, again.code, len(gateway.requests)) == (0, 0, 2)
    assert gateway.requests[0].endpoint == "check"  # free, and once: before the paid call
    assert again.json["reused"] is True


@pytest.mark.parametrize(
    ("name", "content", "sent"),
    [
        ("caption.txt", b"A fat grey cat sits high up.\n", {"image": 1, "create": 1}),
        ("motion.txt", b"The cat falls asleep.\n", {"create": 1}),
        ("anchor.png", png((1280, 720), 77), {"create": 1}),
    ],
)
def test_what_a_person_changed_is_used_as_it_is(
    made: Gateway, name: str, content: bytes, sent: dict[str, int]
) -> None:
    gateway, changed = made, STAGES / name
    changed.write_bytes(content)
    refused = make(gateway)
    assert (refused.code, gateway.requests) == (2, [])
    assert "--overwrite" in refused.json["error"]["hint"]

    done = make(gateway, "--overwrite")
    assert (done.code, gateway.sent) == (0, sent), done.err
    assert changed.read_bytes() == content
    assert any(name in warning for warning in done.json["warnings"])
    assert (
        content.decode("latin-1").strip()
        in {
            "caption.txt": lambda: str(gateway.of("image")[0].body["prompt"]),
            "motion.txt": lambda: str(text_of(gateway)),
            "anchor.png": lambda: base64.b64decode(
                str(gateway.of("create")[0].body["first_frame"]).partition(",")[2]
            ).decode("latin-1"),
        }[name]()
    )
    assert {"cat.1.mp4", "cat.1.mp4.receipt.json"} <= files()
    assert make(gateway, "--overwrite").json["reused"] is True
    assert gateway.sent == sent


OTHERS: list[Any] = [
    pytest.param("rewrite_prompt", ("{}", "--output=out.txt"), id="stage 1"),
    pytest.param("generate_anchor", ("{}", "--output=out.png"), id="stage 2"),
    pytest.param(
        "generate_video_from_anchor",
        ("--prompt={}", "--anchor=mine.png", "--output=out.mp4"),
        id="stage 3",
    ),
    pytest.param("factorized_generate", ("--prompt={}", *OWN, "--output=out.mp4"), id="all"),
]


@pytest.mark.parametrize(("script", "args"), OTHERS)
def test_an_output_for_other_inputs_needs_overwrite(
    gateway: Gateway, script: str, args: tuple[str, ...]
) -> None:
    own_picture()
    one, other = ([word.format(text) for word in args] for text in ("A cat.", "A dog."))
    out = Path(args[-1].partition("=")[2])
    run(script, *one, gateway=gateway)
    old, before = out.read_bytes(), len(gateway.requests)
    refused = run(script, *other, "--json", gateway=gateway)
    assert (refused.code, refused.json["error"]["kind"]) == (2, "usage")
    assert (len(gateway.requests), out.read_bytes()) == (before, old)
    done = run(script, *other, "--overwrite", gateway=gateway)
    assert done.code == 0
    assert len(gateway.requests) > before
    aside = out.with_name(f"{out.stem}.1{out.suffix}")
    assert aside.read_bytes() == old
    assert aside.with_name(aside.name + ".receipt.json").exists()


@pytest.mark.parametrize(("script", "args"), OTHERS)
def test_a_file_of_somebody_else_needs_overwrite(
    gateway: Gateway, script: str, args: tuple[str, ...]
) -> None:
    own_picture()
    out = Path(args[-1].partition("=")[2])
    out.write_bytes(b"precious")
    refused = run(script, *[word.format("A cat.") for word in args], gateway=gateway)
    assert (refused.code, gateway.requests, out.read_bytes()) == (2, [], b"precious")


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(("--style=anime",), id="another style"),
        pytest.param("caption.txt", id="an edited caption"),
    ],
)
def test_other_inputs_while_the_job_runs_are_refused_before_anything_is_paid(
    gateway: Gateway, change: tuple[str, ...] | str
) -> None:
    gateway.ends_after = None
    assert make(gateway, "--timeout=1").code == 4
    before = gateway.sent
    if isinstance(change, str):
        (STAGES / change).write_text("Another caption.\n", encoding="utf-8")
        change = ()
    assert (make(gateway, "--timeout=1", *change).code, gateway.sent) == (2, before)


# --- jobs that take long, fail, or are left alone -------------------------------------------------


def test_a_timeout_leaves_the_job_and_the_same_command_finishes_it(gateway: Gateway) -> None:
    gateway.ends_after = None
    waiting = make(gateway, "--timeout=3")
    result = waiting.json
    assert (waiting.code, result["status"], result["job"]) == (4, "running", "job-1")
    assert result["error"]["kind"] == "running"
    assert result["next"].startswith("python3 ")
    assert receipt()["state"] == "submitted"
    assert not CAT.exists()
    gateway.ends_after = 0
    done = make(gateway, "--timeout=3")
    assert (done.code, gateway.billed) == (0, EACH)


@pytest.mark.parametrize("whom", ["the orchestrator", "everything"])
def test_after_a_kill_the_same_command_finishes_with_one_paid_video(
    gateway: Gateway, whom: str
) -> None:
    gateway.ends_after = None
    own_picture()
    process = start("factorized_generate", *making(*OWN), gateway=gateway)
    gateway.wait_for("status", 2)
    (os.killpg if whom == "everything" else os.kill)(process.pid, signal.SIGKILL)
    gateway.ends_after = 0
    process.communicate(timeout=30)  # a stage that was left alone goes on to its end
    done = make(gateway, *OWN)
    assert (done.code, gateway.billed) == (0, {"create": 1}), done.err
    assert CAT.read_bytes() == clip()
    assert not [name for name in files() if name.endswith(".part")]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_with_one_result_and_the_same_command_goes_on(
    gateway: Gateway, number: signal.Signals
) -> None:
    gateway.ends_after = None
    own_picture()
    process = start("factorized_generate", *making(*OWN), gateway=gateway)
    gateway.wait_for("status", 2)
    # Ctrl-C reaches the whole group; a SIGTERM only the process it is sent to.
    (os.killpg if number == signal.SIGINT else os.kill)(process.pid, number)
    stopped = ended(process)
    assert (stopped.code, stopped.json["status"]) == (130, "interrupted")
    assert set(stopped.json) >= KEYS
    assert stopped.json["next"].startswith("python3 ")
    gateway.ends_after = 0
    assert (make(gateway, *OWN).code, gateway.billed) == (0, {"create": 1})


@pytest.mark.parametrize(
    ("stage", "ending", "kind", "code"),
    [
        pytest.param("all", {"error": "GPU lost"}, "failed", 11, id="in the orchestrator"),
        pytest.param("video", {"error": None}, "failed", 11, id="without a reason"),
        pytest.param("video", {"error": {"message": "E9"}}, "failed", 11, id="an object"),
        pytest.param("video", {"error": "safety filter"}, "refused", 5, id="refused"),
    ],
)
def test_a_failed_job_stands_until_resubmit(
    gateway: Gateway, stage: str, ending: dict[str, object], kind: str, code: int
) -> None:
    own_picture()

    def command(*args: str) -> Run:
        return make(gateway, *OWN, *args) if stage == "all" else video(gateway, *args)

    gateway.ending = {"status": "failed", **ending}
    first = command()
    assert (first.code, first.json["error"]["kind"]) == (code, kind)
    assert first.json["job"] == "job-1"
    assert "--resubmit" in first.json["error"]["hint"]
    before = len(gateway.requests)
    again = command()
    assert (again.code, again.json["error"]["kind"], len(gateway.requests)) == (code, kind, before)
    gateway.ending = {"status": "succeeded"}
    assert command("--resubmit").code == 0
    assert gateway.sent == {"create": 2}, "one new create for the one stage"


@pytest.mark.parametrize(
    "reply",
    [
        pytest.param(Reply(json={"data": []}), id="no picture comes"),
        pytest.param(refusal(400, "no", code="content_policy_violation"), id="400 with a code"),
        pytest.param(refusal(403, "Blocked by our safety system."), id="403 with words"),
    ],
)
def test_a_refused_picture_stands_until_resubmit(gateway: Gateway, reply: Reply) -> None:
    gateway.will("image", reply)
    args = ["generate_anchor", CAPTION, "--output=a.png", "--json"]
    for _ in range(2):
        refused = run(*args, gateway=gateway)
        assert (refused.code, refused.json["status"], gateway.sent) == (5, "refused", {"image": 1})
        assert "--resubmit" in refused.json["error"]["hint"]
    assert run(*args, "--resubmit", gateway=gateway).code == 0
    assert gateway.sent == {"image": 2}


def test_what_the_model_refuses_in_words_is_a_refusal(gateway: Gateway) -> None:
    gateway.always("chat", chat("I'm sorry, I can't help with that."))
    refused = make(gateway)
    assert (refused.code, refused.json["status"], gateway.sent) == (5, "refused", {"chat": 2})


def test_an_uncertain_create_is_never_repeated(gateway: Gateway) -> None:
    gateway.will("create", Reply(fault="reset"))
    for _ in range(2):
        lost = video(gateway)
        assert (lost.code, lost.json["error"]["charged"]) == (8, "unknown")
    assert gateway.billed == {"create": 1}


# --- results, streams, dry runs -------------------------------------------------------------------


def test_every_failure_is_one_json_document_with_the_documented_keys(gateway: Gateway) -> None:
    for args in (["--nonsense"], ["--duration=many"], [], ["--prompt=x", "--model=y"]):
        failed = run("factorized_generate", *args, "--json", gateway=gateway)
        assert (failed.code, failed.json["error"]["kind"]) == (2, "usage")
        assert set(failed.json) >= KEYS
        assert failed.json["error"]["hint"]


def test_a_bug_here_is_one_json_document_and_a_traceback(gateway: Gateway) -> None:
    Path("broken").mkdir()
    Path("broken/av.py").write_text("raise RuntimeError('boom')\n", encoding="utf-8")
    path = os.pathsep.join([str(Path("broken").absolute()), os.environ["PYTHONPATH"]])
    words = ["--prompt=x", f"--anchor={own_picture()}", "--output=x.mp4", "--json"]
    bug = run("generate_video_from_anchor", *words, gateway=gateway, env={"PYTHONPATH": path})
    assert (bug.code, bug.json["error"]["kind"]) == (1, "internal")
    assert set(bug.json) >= KEYS
    assert "Traceback" in bug.err


@pytest.mark.parametrize(
    ("script", "args", "stages"),
    [
        ("rewrite_prompt", [PROMPT], ["reasoning"]),
        ("generate_anchor", [CAPTION], ["composition"]),
        (
            "generate_video_from_anchor",
            ["--anchor=mine.png", "--prompt=x", "--motion=m"],
            ["synthesis"],
        ),
        ("factorized_generate", ["--prompt", PROMPT], ["reasoning", "composition", "synthesis"]),
        ("factorized_generate", ["--prompt=x", "--skip-reasoning", *OWN], ["synthesis"]),
    ],
)
def test_a_dry_run_needs_no_key_and_leaves_nothing(
    script: str, args: list[str], stages: list[str]
) -> None:
    own_picture()
    planned = run(script, *args, "--dry-run", "--json")
    assert (planned.code, planned.json["status"]) == (0, "planned")
    assert [stage["stage"] for stage in planned.json["stages"]] == stages
    assert planned.json["cost"]["kind"] == "estimated"
    if len(stages) == 3:
        assert "<caption of Stage 1>" in planned.json["stages"][1]["text"]
        assert "<motion of Stage 1>" in planned.json["stages"][2]["text"]
    assert files() == {"mine.png"}


def test_a_dry_run_sends_nothing_where_it_could(gateway: Gateway) -> None:
    planned = run("factorized_generate", "--prompt", PROMPT, "--dry-run", gateway=gateway)
    assert (planned.code, gateway.requests) == (0, [])
    assert "nothing was sent" in planned.out


# --- on the wire ----------------------------------------------------------------------------------


def test_what_goes_over_the_wire(gateway: Gateway) -> None:
    make(gateway, "--aspect-ratio=9:16", "--duration=8", "--video-model=byteplus/seedance-1-0-pro")
    for request in gateway.requests:
        headers = request.headers
        assert headers["authorization"] == f"Bearer {KEY}", "the clip is on the gateway's origin"
        assert not headers["user-agent"].startswith(("python", "Python"))
        if request.endpoint != "file":
            assert headers["origin"] == "https://trickle.so"
        if request.method == "POST":
            assert headers["content-type"] == "application/json"
    said = gateway.of("chat")[0].body
    assert set(said) == {"model", "messages", "max_tokens"}, (
        "no temperature: newer models refuse it"
    )
    drawn = gateway.of("image")[0].body
    assert {name: drawn[name] for name in drawn if name != "prompt"} == {
        "model": "google/gemini-3-pro-image-preview",
        "n": 1,
        "aspectRatio": "9:16",
        "response_format": "b64_json",
    }
    assert gateway.of("create")[0].body == {
        "model": "byteplus/seedance-1-0-pro",
        "prompt": f"{PROMPT}\n\n{MOTION}",
        "duration": 8,
        "aspectRatio": "9:16",
        "size": "720p",
        "first_frame": data_uri((STAGES / "anchor.png").read_bytes()),
    }


@pytest.mark.parametrize("how", ["at once", "by a redirect"])
def test_the_key_is_not_sent_to_another_origin(gateway: Gateway, how: str) -> None:
    with Gateway() as elsewhere:
        if how == "at once":
            gateway.clips_at = elsewhere.root
        else:
            there = {"Location": f"{elsewhere.root}/files/moved.mp4"}
            gateway.will("file", Reply(302, body=b"", headers=there))
        assert video(gateway).code == 0
        assert len(elsewhere.of("file")) == 1
        assert "authorization" not in elsewhere.requests[0].headers
        assert KEY not in str(elsewhere.requests)


def test_happycapy_is_two_hosts_unless_a_base_url_is_set(tmp_path: Path) -> None:
    def bases(gateway: str = "auto", **environ: str) -> dict[str, str]:
        told = {"AI_GATEWAY_API_KEY": KEY, **environ}
        return dict(settings.resolve(gateway, told, skill=tmp_path, folder=tmp_path).bases)

    pair = {
        "chat": "https://ai-gateway.happycapy.ai",
        "image": "https://ai-gateway.happycapy.ai",
        "video": "https://ai-gateway.trickle-lab.tech",
    }
    assert bases() == pair
    for host in ("ai-gateway.happycapy.ai", "ai-gateway.trickle-lab.tech"):
        assert bases(AI_GATEWAY_BASE_URL=f"https://{host}/api/v1/openai/v1/?x=1") == pair
    own = bases("happycapy", AI_GATEWAY_BASE_URL="https://me.example/prefix/api/v1/")
    assert set(own.values()) == {"https://me.example/prefix"}


# --- transient trouble ----------------------------------------------------------------------------

SOON = {"Retry-After": "1"}


@pytest.mark.parametrize(
    ("endpoint", "replies"),
    [
        pytest.param("chat", [Reply(500), Reply(fault="reset")], id="chat"),
        pytest.param("image", [Reply(429), Reply(503, headers=SOON)], id="image"),
        pytest.param("create", [Reply(429), Reply(503, headers=SOON)], id="create"),
        pytest.param("status", [Reply(502), Reply(404), Reply(fault="reset")], id="status"),
        pytest.param("file", [Reply(403), Reply(fault="cut"), Reply(body=b"<html>")], id="file"),
    ],
)
def test_what_passes_is_waited_out(gateway: Gateway, endpoint: str, replies: list[Reply]) -> None:
    gateway.will(endpoint, *replies)
    if endpoint == "chat":
        done = run("rewrite_prompt", PROMPT, gateway=gateway)
    elif endpoint == "image":
        done = run("generate_anchor", CAPTION, gateway=gateway)
    else:
        done = video(gateway)
    assert done.code == 0, done.err
    assert len(gateway.of(endpoint)) > len(replies)


# --- the demo gateway -----------------------------------------------------------------------------


@pytest.mark.thorough
def test_the_demo_needs_no_key_and_gives_way_to_the_real_one(gateway: Gateway) -> None:
    import av
    from PIL import Image, ImageChops, ImageStat

    slower = {"FACTORIZED_VIDEO_TIME_SCALE": "0.2"}  # drawing takes real time
    words = making("--duration=1", "--gateway=demo", "--style=photorealistic")
    done = run("factorized_generate", *words, env=slower)
    assert done.code == 0, done.err
    assert done.json["gateway"] == "demo"
    assert done.json["cost"]["amount"] == 0
    shape = {key: done.json["video"][key] for key in ("width", "height", "fps", "codec")}
    assert shape == {"width": 1280, "height": 720, "fps": 24.0, "codec": "h264"}
    with av.open("cat.mp4") as container:
        first = next(container.decode(video=0)).to_image()
    with Image.open(STAGES / "anchor.png") as anchor:
        apart = ImageStat.Stat(ImageChops.difference(first, anchor.convert("RGB"))).mean
    assert sum(apart) / 3 <= 4

    real = make(gateway, "--duration=4", "--style=photorealistic")
    assert (real.code, gateway.sent) == (0, EACH), "a demo result gives way without --overwrite"
    back = run("factorized_generate", *words, env=slower)
    assert back.code == 2, "never the reverse"


def test_what_to_know_of_the_models_is_said_once_and_before_anything_is_sent(
    gateway: Gateway,
) -> None:
    done = make(gateway)
    warnings = [line for line in done.err.splitlines() if line.startswith("warning: ")]
    assert len(warnings) == len(set(warnings)) == 2  # both defaults were shut down upstream
    price, *after = done.err.splitlines()
    assert after[:2] == warnings and "= about USD" in price
    assert [f"warning: {text}" for text in done.json["warnings"]] == warnings


@pytest.mark.parametrize("stop", ["caption", "anchor"])
def test_next_works_from_any_folder(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch, stop: str
) -> None:
    """Also where no output was named: its default name depends on the folder."""
    Path("hat.png").write_bytes(png((640, 360), 3))
    words = [f"--prompt={PROMPT}", "--reference=hat.png", f"--stop-after={stop}", "--json"]
    stopped = run("factorized_generate", *words, gateway=gateway)
    assert stopped.code == 0, stopped.err
    (elsewhere := Path("elsewhere")).mkdir()
    place = Path.cwd()
    monkeypatch.chdir(elsewhere)
    _, script, *following = shlex.split(stopped.json["next"])
    assert Path(script).is_absolute()
    done = run("factorized_generate", *following, gateway=gateway)
    assert done.code == 0, done.err
    assert Path(done.json["output"]).parent == place / "outputs"
    assert list(Path.cwd().iterdir()) == []
    assert gateway.billed == {"chat": 1, "image": 1, "create": 1}
