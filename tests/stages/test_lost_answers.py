"""What a run says and does after an answer was lost: nothing is paid again unasked."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any

import pytest
from conftest import Run, run
from loopback import Gateway, Reply, png

pytestmark = pytest.mark.thorough

PROMPT = "A cat jumps from a bookshelf to the couch"
LOST = Reply(500, json={"error": {"message": "try later"}})


def make(gateway: Gateway, *args: str, prompt: str = PROMPT) -> Run:
    """The orchestrator with --json, to cat.mp4."""
    words = [f"--prompt={prompt}", "--output=cat.mp4", "--json", *args]
    return run("factorized_generate", *words, gateway=gateway)


def video(gateway: Gateway, *args: str) -> Run:
    """Stage 3 with --json, to clip.mp4."""
    Path("mine.png").write_bytes(png((1280, 720), 9))
    words = ["--anchor=mine.png", f"--prompt={PROMPT}", "--output=clip.mp4", "--json", *args]
    return run("generate_video_from_anchor", *words, gateway=gateway)


def receipt(path: str) -> dict[str, Any]:
    data = json.loads(Path(path + ".receipt.json").read_text(encoding="utf-8"))
    assert isinstance(data, dict)
    return data


def test_what_is_said_to_be_run_next_never_pays_again(gateway: Gateway) -> None:
    gateway.always("image", LOST)
    make(gateway)
    again = make(gateway, "--resubmit")
    assert (again.code, gateway.sent["image"]) == (8, 2)
    assert "--resubmit" not in again.json["next"]
    assert "--resubmit" not in receipt("cat.stages/anchor.png")["command"]
    script, *words = shlex.split(again.json["next"])[1:]
    assert run(Path(script).stem, *words, gateway=gateway).code == 8
    assert gateway.sent["image"] == 2


def test_a_receipt_that_cannot_be_read_stops_the_run_before_anything_is_paid(
    gateway: Gateway,
) -> None:
    Path("cat.stages").mkdir()
    for damaged in ("cat.mp4.receipt.json", "cat.stages/anchor.png.receipt.json"):
        Path(damaged).write_text('{"state": "submi', encoding="utf-8")
        done = make(gateway)
        assert (done.code, gateway.requests) == (2, []), damaged
        assert "so it is unclear whether" in done.err
        Path(damaged).unlink()
    assert make(gateway).code == 0


def test_a_job_that_the_gateway_does_not_know_is_not_taken_over(gateway: Gateway) -> None:
    gateway.ends_after = None
    assert video(gateway, "--no-wait").code == 4
    assert video(gateway, "--job=typo", "--no-wait").code == 10
    assert receipt("clip.mp4")["job"] == "job-1"


def test_the_id_of_the_job_before_is_kept(gateway: Gateway) -> None:
    gateway.ends_after = None
    video(gateway, "--no-wait")
    gateway.twin()
    assert video(gateway, "--job=job-2", "--no-wait").code == 4
    kept = receipt("clip.mp4")
    assert (kept["job"], kept["former_jobs"]) == ("job-2", ["job-1"])
    assert gateway.sent == {"create": 1}


def test_a_vanished_job_is_sent_anew_only_with_resubmit(gateway: Gateway) -> None:
    gateway.ends_after = None
    video(gateway, "--no-wait")
    gateway.jobs.clear()
    assert video(gateway, "--timeout=1").code in (4, 6)
    assert gateway.sent == {"create": 1}
    gateway.ends_after = 1
    assert video(gateway, "--resubmit").code == 0
    assert gateway.sent == {"create": 2}


def test_resubmit_does_not_send_anew_what_is_running(gateway: Gateway) -> None:
    gateway.ends_after = None
    video(gateway, "--no-wait")
    assert video(gateway, "--resubmit", "--no-wait").code == 4
    assert gateway.sent == {"create": 1}


def test_a_picture_that_a_person_puts_in_place_of_a_lost_one_is_used(gateway: Gateway) -> None:
    gateway.will("image", LOST)
    assert make(gateway).code == 8
    Path("cat.stages/anchor.png").write_bytes(png((1280, 720), 5))
    done = make(gateway)
    assert (done.code, gateway.sent["image"]) == (0, 1)
    assert any("your own version" in warning for warning in done.json["warnings"])


def test_what_was_sent_anew_is_no_longer_waited_for(gateway: Gateway) -> None:
    gateway.will("create", LOST)
    assert video(gateway).code == 8
    assert video(gateway, "--resubmit").code == 0
    assert receipt("clip.1.mp4")["replaced_by"] == "clip.mp4"
    rows = run("factorized_generate", "--list-runs", ".", "--json").json["runs"]
    assert [row["next"] for row in rows] == [None, None]


@pytest.mark.parametrize("when", ["create", "job"])
def test_a_refused_motion_keeps_the_anchor_and_says_how_to_go_on(
    gateway: Gateway, when: str
) -> None:
    no = "blocked by the safety filter"
    if when == "create":
        gateway.will("create", Reply(400, json={"error": {"message": no}}))
    else:
        gateway.ending = {"status": "failed", "error": no}
    refused = make(gateway)
    assert (refused.code, refused.json["stage"]) == (5, "synthesis")
    assert no in refused.json["error"]["message"]
    script, *words = shlex.split(refused.json["next"])[1:]
    said = [word.replace("<the action in other words>", "The cat steps down") for word in words]
    gateway.ending = {"status": "succeeded"}
    assert run(Path(script).stem, *said, gateway=gateway).code == 0
    assert gateway.sent == {"chat": 1, "image": 1, "create": 2}


@pytest.mark.usefixtures("live_registry")
def test_a_refusal_by_a_model_that_refuses_faces_names_the_other_choice() -> None:
    with Gateway("vercel") as gateway:
        gateway.ending = {"status": "failed", "error": "blocked by the safety filter"}
        refused = make(gateway)
    hint = refused.json["error"]["hint"]
    assert (refused.code, "refuses faces of real people" in hint) == (5, True)
    assert "--video-model google/veo-3.1-generate-001" in hint


def test_a_running_job_counts_in_the_total(gateway: Gateway) -> None:
    gateway.ends_after = None
    cost = make(gateway, "--no-wait").json["cost"]
    assert cost["amount"] > 2.4
    assert cost["kind"] == "estimated"


GONE = "https://10.0.0.1/result?signature=secret"  # in a private network: never asked


def one_out_of_reach(gateway: Gateway, stage: str) -> None:
    """The next result is somewhere that is not asked, and stays there."""
    if stage == "clip":
        gateway.clips_at = "https://10.0.0.1"
    else:
        gateway.will("image", Reply(200, json={"data": [{"url": GONE}]}))


@pytest.mark.parametrize("stage", ["clip", "picture", "run", "candidates"])
def test_a_result_out_of_reach_is_made_again_only_when_that_is_asked_for(
    gateway: Gateway, stage: str
) -> None:
    endpoint, place = ("create", "clip.mp4") if stage == "clip" else ("image", "a.png")
    place = {"run": "cat.stages/anchor.png"}.get(stage, place)
    words = ["A cat.", f"--output={place}", "--json"]

    def command(*args: str) -> Run:
        if stage == "clip":
            return video(gateway, *args)
        if stage == "run":
            return make(gateway, "--stop-after=anchor", *args)
        several = ["--candidates=2"] if stage == "candidates" else []
        return run("generate_anchor", *words, *several, *args, gateway=gateway)

    one_out_of_reach(gateway, stage)
    first = command()
    if stage == "candidates":  # the other one came
        first, place = command(), "a.candidates/candidate-1.png"
        assert (first.code, gateway.sent["image"]) == (0, 2)
        place = next(
            name
            for name in (place, place.replace("-1", "-2"))
            if receipt(name)["state"] != "succeeded"
        )
    else:
        assert (first.code, first.json["error"]["charged"]) == (9, "yes")
        assert "--resubmit" in first.json["error"]["hint"]
        again = command()
        assert (again.code, gateway.sent[endpoint]) == (9, 1)
        assert command("--overwrite").code == 9
    written = receipt(place)
    assert written["result_address"].startswith("https://10.0.0.1/")
    assert "secret" not in json.dumps(written)
    spent = command("--dry-run").json["spent"]["amount"]
    gateway.clips_at = ""
    price = command("--resubmit", "--dry-run").json["cost"]["amount"]
    if stage == "clip":
        gateway.clips_at = "https://10.0.0.1"
        gateway.on("create", lambda: setattr(gateway, "clips_at", ""))
    paid = command("--resubmit")
    assert (paid.code, gateway.sent[endpoint]) == (0, 3 if stage == "candidates" else 2), paid.err
    assert paid.json["spent"]["amount"] == pytest.approx(spent + price)
    assert command().code == 0
    assert "result_address" not in receipt(place)


def test_one_that_can_be_fetched_after_all_is_not_paid_for_again(gateway: Gateway) -> None:
    gateway.clips_at = "https://10.0.0.1"
    assert video(gateway).code == 9
    gateway.clips_at = ""
    assert (video(gateway, "--resubmit").code, gateway.sent) == (0, {"create": 1})


LONG = 'A cat\'s "leap" to the couch\nand back; $HOME `x` \u732b'


@pytest.mark.parametrize("how", ["file", "stdin"])
@pytest.mark.parametrize(
    ("script", "words", "flag"),
    [
        ("factorized_generate", ["--output=cat.mp4", "--no-wait"], "--prompt-file"),
        ("factorized_generate", ["--output=cat.mp4", "--direct", "--no-wait"], "--prompt-file"),
        ("generate_anchor", ["--output=cat.png"], "--input-file"),
        ("generate_video_from_anchor", ["--output=cat.mp4", "--no-wait"], "--motion-file"),
    ],
)
def test_a_receipt_is_enough_to_go_on_when_the_text_is_gone(
    gateway: Gateway, how: str, script: str, words: list[str], flag: str
) -> None:
    if script == "generate_video_from_anchor":
        Path("mine.png").write_bytes(png((1280, 720), 9))
        words = ["--anchor=mine.png", f"--prompt={PROMPT}", *words]
    gateway.ends_after = None
    Path("p.txt").write_text(LONG, encoding="utf-8")
    source = f"{flag}={'p.txt' if how == 'file' else '-'}"
    begun = run(script, *words, source, "--json", gateway=gateway, stdin=LONG)
    place = Path(begun.json["output"])
    Path("p.txt").unlink()
    gateway.ends_after = 0
    sent = dict(gateway.sent)
    told = [receipt(place.name)["command"]]
    if how == "stdin" and begun.code == 4:
        told.append(begun.json["next"])
    for command in told:
        script, *again = shlex.split(command)[1:]
        done = run(Path(script).stem, *again, gateway=gateway)
        assert (done.code, gateway.sent, place.exists()) == (0, sent, True), done.err


def test_every_next_has_the_text_that_was_piped_in(gateway: Gateway) -> None:
    words = ("--prompt-file=-", "--candidates=2", "--output=cat.mp4", "--json")
    waits = run("factorized_generate", *words, gateway=gateway, stdin=PROMPT)
    script, *again = shlex.split(waits.json["next"])[1:]
    assert f"--prompt={PROMPT}" in again
    chosen = [word.replace("--select=K", "--select=1") for word in again]
    assert run(Path(script).stem, *chosen, gateway=gateway).code == 0
