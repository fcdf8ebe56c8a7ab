"""Processes side by side: many for one output pay once; many for many never share a clip."""

from __future__ import annotations

import re
import signal
from collections.abc import Mapping
from pathlib import Path

import pytest
from conftest import Run
from loopback import Reply
from storm import (
    WHOLE,
    Started,
    Storm,
    Watched,
    animating,
    files,
    making,
    own_picture,
    receipt,
    until,
)

pytestmark = pytest.mark.thorough

# Time-outs of seconds: eight processes on two processors are slow to answer.
SCALE = {"FACTORIZED_VIDEO_TIME_SCALE": "0.05"}
LOST = Reply(fault="reset")  # the job is made; no byte of the answer comes
SCRIPTS = {"generate_video_from_anchor": animating, "factorized_generate": making}


def ends(started: list[Started]) -> list[Run]:
    return [one.end() for one in started]


# --- one output -----------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [2, 8])
@pytest.mark.parametrize("script", SCRIPTS)
def test_at_once_for_one_output_they_pay_once(script: str, count: int) -> None:
    own_picture()
    words = SCRIPTS[script]()
    with Storm() as gateway:
        # One of them waits for this answer until all the others have ended.
        held = "create" if script.startswith("generate") else "image"
        gateway.hold(held)
        started = [Started(script, *words, gateway=gateway, env=SCALE) for _ in range(count)]
        gateway.wait_for(held)
        assert_soon_all_but_one_ended(started)
        gateway.release(held)
        ended = ends(started)
        assert sorted(run.code for run in ended) == [0] + [4] * (count - 1), [
            run.err for run in ended
        ]
        for run in ended:
            assert run.json["status"] == ("succeeded" if run.code == 0 else "running")
        before = gateway.sent
        last = [Started(script, *words, gateway=gateway, env=SCALE) for _ in range(2)]
        assert [run.code for run in ends(last)] == [0, 0], "they came later: it is there"
        assert gateway.sent == before
        assert_paid_once(gateway)
    assert Path("cat.mp4").read_bytes() == gateway.clips["job-1"]


def assert_soon_all_but_one_ended(started: list[Started]) -> None:
    assert until(lambda: sum(not one.has_ended() for one in started) <= 1)


def assert_paid_once(gateway: Storm) -> None:
    assert gateway.billed["create"] == 1
    assert gateway.billed["image"] <= 1
    expected = WHOLE if gateway.billed["image"] else {"cat.mp4", "cat.mp4.receipt.json"}
    assert files() - {"mine.png"} == expected


@pytest.mark.parametrize("script", SCRIPTS)
def test_racing_for_one_output_they_pay_once(script: str) -> None:
    own_picture()
    words = SCRIPTS[script]()
    with Storm("race", 0.05) as gateway:
        started = [Started(script, *words, gateway=gateway, env=SCALE) for _ in range(8)]
        codes = sorted(run.code for run in ends(started))
        assert codes[0] == 0
        assert set(codes) <= {0, 4}
        assert Started(script, *words, gateway=gateway, env=SCALE).end().code == 0
        assert_paid_once(gateway)
    assert Path("cat.mp4").read_bytes() == gateway.clips["job-1"]


# --- many outputs, the same prompt ----------------------------------------------------------------


def three(gateway: Storm, folders: list[Path], answers: Mapping[str, tuple[str, ...]]) -> list[Run]:
    """Three orchestrators at once with one prompt; `answers` are more options, by output."""
    started = [
        Started(
            "factorized_generate",
            *making(*answers.get(name, ()), output=name),
            gateway=gateway,
            folder=folder,
            env=SCALE,
        )
        for folder, name in zip(folders, OUTPUTS, strict=True)
    ]
    return ends(started)


OUTPUTS = ("a.mp4", "b.mp4", "c.mp4")


@pytest.mark.parametrize("lost", [1, 3])
def test_side_by_side_in_one_folder_a_lost_answer_disturbs_nobody(lost: int) -> None:
    with Storm(f"three/{lost}", 0.05) as gateway:
        gateway.will("create", *[Reply()] * (lost - 1), LOST)
        folders = [Path.cwd()] * 3
        first = three(gateway, folders, {})
        assert sorted(run.code for run in first) in ([0, 0, 0], [0, 0, 8]), [r.err for r in first]
        again = three(gateway, folders, {})
        assert [run.code for run in again] == [0, 0, 0], [run.err for run in again]
        assert_each_has_its_own(gateway, folders)
        assert sum(bool(receipt(name).get("adopted")) for name in OUTPUTS) == 1


@pytest.mark.parametrize("lost", [2])
def test_side_by_side_in_folders_of_their_own_nobody_guesses(lost: int) -> None:
    folders = [Path.cwd() / name for name in "abc"]
    for folder in folders:
        folder.mkdir()
    with Storm(f"apart/{lost}", 0.05) as gateway:
        gateway.will("create", *[Reply()] * (lost - 1), LOST)
        first = three(gateway, folders, {})
        unsure = [name for name, run in zip(OUTPUTS, first, strict=True) if run.code == 8]
        assert sorted(run.code for run in first) in ([0, 0, 0], [0, 0, 8]), [r.err for r in first]
        if unsure:  # its job was seen beside those of others
            again = three(gateway, folders, {})
            assert [run.code for run in again] == [run.code for run in first]
            told = again[OUTPUTS.index(unsure[0])].json["error"]["hint"]
            named = re.search(r"may be it: ([^.]+)", told)
            assert named
            assert set(named[1].split(", ")) <= set(gateway.jobs)
            own = set(gateway.jobs) - {run.json["job"] for run in again if run.code == 0}
            assert own <= set(named[1].split(", "))
            answer = {unsure[0]: (f"--job={own.pop()}",)}
            assert [run.code for run in three(gateway, folders, answer)] == [0, 0, 0]
        assert_each_has_its_own(gateway, folders)


@pytest.mark.parametrize("folder", [".", "elsewhere"])
def test_a_create_that_never_arrived_is_not_taken_for_that_of_another_run(folder: str) -> None:
    with Storm() as gateway:
        Path(folder).mkdir(exist_ok=True)
        own_picture()
        own_picture(Path(folder))
        gateway.ends_after = None
        one = making("--anchor-path=mine.png", "--no-wait", output="other.mp4")
        env = {"FACTORIZED_VIDEO_TIME_SCALE": "0.01"}
        assert Started("factorized_generate", *one, gateway=gateway, env=env).end().code == 4
        gateway.will("create", Reply(fault="reset", accepted=False))
        gateway.ends_after = 0
        two = making("--anchor-path=mine.png")
        lost = Started("factorized_generate", *two, gateway=gateway, folder=Path(folder), env=env)
        assert lost.end().code == 8


def assert_each_has_its_own(gateway: Storm, folders: list[Path]) -> None:
    """Three delivered, three billed, and no clip twice."""
    outputs = [folder / name for folder, name in zip(folders, OUTPUTS, strict=True)]
    jobs = [receipt(output)["job"] for output in outputs]
    assert len(set(jobs)) == 3
    for output, job in zip(outputs, jobs, strict=True):
        assert output.read_bytes() == gateway.clips[job]
    assert (gateway.billed["image"], gateway.billed["create"]) == (3, 3)


def test_the_kept_picture_of_one_output_is_not_that_of_another(tmp_path: Path) -> None:
    watched = Watched(tmp_path / "watch", Path.cwd().parent)

    def draw(output: str, kill_at: int = 0) -> Started:
        words = ("generate_anchor", "A tabby cat.", f"--output={output}", "--json")
        return Started(*words, gateway=gateway, env=SCALE | watched.environment(kill_at))

    with Storm() as gateway:
        assert draw("measure.png").end().code == 0
        placing = next(step for step in watched.steps if step.endswith("os.rename measure.png"))
        gateway.hold("image")
        one = draw("one.png")  # killed before its answer came
        gateway.wait_for("image", 2)
        one.send(signal.SIGKILL)
        one.end()
        gateway.release("image")
        two = draw("two.png", kill_at=int(placing.split()[0]))  # killed with its picture kept
        assert two.end().code == -signal.SIGKILL
        assert draw("one.png").end().code == 8
        assert draw("two.png").end().code == 0
        assert gateway.billed["image"] == 3


def test_what_another_process_sweeps_away_is_no_failure(tmp_path: Path) -> None:
    own_picture()
    watched, script = Watched(tmp_path / "watch", Path.cwd().parent), "generate_video_from_anchor"
    trial = re.compile(r"(\d+) os.remove \.\w+\.mp4\.\w{8}\.part")
    with Storm() as gateway:
        env = SCALE | watched.environment()
        measured = Started(script, *animating(output="sea.mp4"), gateway=gateway, env=env)
        assert measured.end().code == 0
        step = next(found[1] for line in watched.steps if (found := trial.fullmatch(line)))
        env = SCALE | watched.environment(int(step), signal.SIGSTOP)
        late = Started(script, *animating(), gateway=gateway, env=env)
        assert until(lambda: len(watched.steps) >= int(step))
        assert Started(script, *animating(), gateway=gateway, env=SCALE).end().code == 0
        late.send(signal.SIGCONT)
        ended = late.end()
        assert ended.code in (0, 4), ended.err
