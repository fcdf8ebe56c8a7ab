"""One run holds its output and its work folder, and a work folder belongs to one output."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from conftest import Run, run
from loopback import Gateway
from speech import Reply, Request
from storm import Started, Storm, files, making

pytestmark = pytest.mark.thorough

APPLES, BANANAS = "Apples fall from a tree", "Bananas roll along a table"
MOTIONS = {APPLES: "The apples fall to the grass.", BANANAS: "The bananas roll to the right."}


def writes_motions(gateway: Gateway) -> None:
    """The LLM writes the motion of the prompt that it is shown."""

    def answer(request: Request) -> Reply | None:
        prompt = next(one for one in MOTIONS if one in json.dumps(request.body))
        said = json.dumps(
            {"caption": f"{prompt}, before anything moves.", "motion": MOTIONS[prompt]}
        )
        return gateway.speech.chat(said, gateway.chat_usd)

    gateway.answers["chat"] = answer


def make(gateway: Gateway, prompt: str, *args: str, output: str = "cat.mp4") -> Run:
    words = [f"--prompt={prompt}", f"--output={output}", "--json", *args]
    return run("factorized_generate", *words, gateway=gateway)


def created(gateway: Gateway) -> str:
    """The words of the only clip."""
    (request,) = gateway.of("create")
    return str(gateway.speech.asked(request).prompt)


@pytest.mark.parametrize("phase", ["chat", "image", "create", "status"])
def test_a_second_run_of_an_output_waits_its_turn(phase: str) -> None:
    with Storm() as gateway:
        writes_motions(gateway)
        gateway.hold(phase)
        first = Started(
            "factorized_generate",
            f"--prompt={APPLES}",
            "--output=cat.mp4",
            "--json",
            gateway=gateway,
        )
        gateway.wait_for(phase)
        second = make(gateway, BANANAS)
        if phase in ("chat", "image"):
            assert (second.code, second.json["status"]) == (4, "running"), second.err
            assert second.json["output"].endswith("cat.mp4")
        else:
            assert second.code in (2, 4)
        gateway.release(phase)
        assert first.end().code == 0
        assert created(gateway).count("apples") == 1
        assert "anana" not in created(gateway)
        assert gateway.sent == {"chat": 1, "image": 1, "create": 1}


def test_two_outputs_at_once_in_one_work_folder(gateway: Gateway) -> None:
    with Storm() as gateway:
        gateway.hold("image")
        first = Started("factorized_generate", *making("--work-dir=work"), gateway=gateway)
        gateway.wait_for("image")
        second = make(gateway, BANANAS, "--work-dir=work", "--overwrite", output="other.mp4")
        assert (second.code, second.json["error"]["kind"]) == (4, "running")
        assert "using the work folder" in second.err
        gateway.release("image")
        assert first.end().code == 0


def test_a_work_folder_belongs_to_one_output(gateway: Gateway) -> None:
    writes_motions(gateway)
    assert make(gateway, APPLES, "--work-dir=work", "--stop-after=anchor").code == 0
    before = dict(gateway.sent)
    for more in ((), ("--dry-run",)):
        other = make(gateway, BANANAS, "--work-dir=work", *more, output="other.mp4")
        assert (other.code, gateway.sent) == (2, before)
        assert f"belongs to {Path.cwd() / 'cat.mp4'}" in other.err
        assert "--anchor-path" in other.json["error"]["hint"]
    taken = make(gateway, BANANAS, "--work-dir=work", "--overwrite", output="other.mp4")
    assert taken.code == 0, taken.err
    assert "bananas" in created(gateway)
    assert make(gateway, APPLES, "--work-dir=work").code == 2


def test_folders_that_are_moved_together_stay_together(gateway: Gateway) -> None:
    assert make(gateway, APPLES, "--stop-after=anchor").code == 0
    Path("elsewhere").mkdir()
    for path in list(Path().glob("cat*")):
        path.rename(Path("elsewhere") / path.name)
    assert make(gateway, APPLES, output="elsewhere/cat.mp4").code == 0
    assert gateway.sent == {"chat": 1, "image": 1, "create": 1}


def test_the_motion_of_an_earlier_caption_is_not_taken_for_your_own(gateway: Gateway) -> None:
    """As after a kill between the receipt of Stage 1 and `motion.txt`."""
    writes_motions(gateway)
    motion = Path("cat.stages/motion.txt")
    assert make(gateway, APPLES, "--stop-after=caption").code == 0
    stale = motion.read_bytes()
    assert make(gateway, BANANAS, "--stop-after=caption").code == 0
    motion.write_bytes(stale)
    done = make(gateway, BANANAS)
    assert done.code == 0
    assert "your own version" not in done.err
    assert MOTIONS[BANANAS] in created(gateway)
    assert MOTIONS[APPLES] not in created(gateway)


def test_a_motion_that_was_edited_is_your_own(gateway: Gateway) -> None:
    writes_motions(gateway)
    assert make(gateway, APPLES, "--stop-after=caption").code == 0
    Path("cat.stages/motion.txt").write_text("One apple falls, slowly.\n", encoding="utf-8")
    done = make(gateway, APPLES)
    assert (done.code, "your own version" in done.err) == (0, True)
    assert "One apple falls, slowly." in created(gateway)


def test_a_stage_by_itself_replaces_a_stale_motion(gateway: Gateway) -> None:
    writes_motions(gateway)
    words = ("--output=caption.txt", "--motion-file=motion.txt", "--overwrite")
    assert run("rewrite_prompt", APPLES, *words, gateway=gateway).code == 0
    stale = Path("motion.txt").read_bytes()
    assert run("rewrite_prompt", BANANAS, *words, gateway=gateway).code == 0
    Path("motion.txt").write_bytes(stale)
    assert run("rewrite_prompt", BANANAS, *words, gateway=gateway).code == 0
    assert Path("motion.txt").read_text(encoding="utf-8").strip() == MOTIONS[BANANAS]
    assert gateway.sent == {"chat": 2}


def test_a_run_that_makes_nothing_leaves_no_work_folder(gateway: Gateway) -> None:
    gateway.always("check", Reply(503, json={"error": {"message": "down"}}))
    assert make(gateway, APPLES).code == 6
    assert files() == set()
    assert not Path("cat.stages").exists()


def test_the_locks_of_a_killed_run_are_cleared_away_by_one_that_returns(gateway: Gateway) -> None:
    assert make(gateway, APPLES).code == 0
    before = files()
    for name in (".cat.mp4.lock", ".cat.mp4.run.lock", "cat.stages/.run.lock"):
        Path(name).touch()
    assert make(gateway, APPLES).json["reused"]
    assert files() == before
