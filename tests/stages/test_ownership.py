"""Whose a file, a job or a receipt is: known from what was written down, whoever died when."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from conftest import Run, run
from factorized_video.money import Cost
from factorized_video.receipts import Intent, Record, read
from loopback import Gateway, Reply, png
from storm import receipt

pytestmark = pytest.mark.thorough

PROMPT = "A cat jumps from a bookshelf to the couch"
LOST = Reply(500, json={"error": {"message": "try later"}}, accepted=True)


def anchor(gateway: Gateway, *args: str) -> Run:
    words = ["A tabby cat on a shelf.", "--output=a.png", "--json", *args]
    return run("generate_anchor", *words, gateway=gateway)


def video(gateway: Gateway, *args: str, **more: Any) -> Run:
    Path("mine.png").write_bytes(png((1280, 720), 9))
    model = f"--model={gateway.serves[2]}" if gateway.dialect == "openai" else None
    words = ["--anchor=mine.png", f"--prompt={PROMPT}", "--json", *filter(None, [model]), *args]
    return run("generate_video_from_anchor", *words, gateway=gateway, **more)


# --- pictures -------------------------------------------------------------------------------------


@pytest.mark.parametrize("then", ["several", "one", "orchestrator"])
def test_a_picture_that_was_moved_before_its_receipt_is_not_a_strangers(
    gateway: Gateway, then: str
) -> None:
    """As after a kill between the two moves by which an anchor becomes the first candidate."""
    if then == "orchestrator":
        words = [f"--prompt={PROMPT}", "--output=cat.mp4", "--stop-after=anchor", "--json"]
        assert run("factorized_generate", *words, gateway=gateway).code == 0
        made = Path("cat.stages/anchor.png")
    else:
        assert anchor(gateway).code == 0
        made = Path("a.png")
    folder = made.with_suffix(".candidates")
    folder.mkdir()
    picture = made.read_bytes()
    made.rename(folder / "candidate-1.png")
    if then == "several":
        done = anchor(gateway, "--candidates=2")
        assert (folder / "candidate-1.png").read_bytes() == picture
    elif then == "one":
        done = anchor(gateway)
        assert made.read_bytes() == picture
    else:
        done = run("factorized_generate", *words, "--candidates=2", gateway=gateway)
    assert done.code == 0, done.err
    assert gateway.sent["image"] == (1 if then == "one" else 2)


def test_a_picture_in_its_place_whose_receipt_did_not_get_to_say_so_is_used(
    gateway: Gateway,
) -> None:
    assert anchor(gateway).code == 0
    data = receipt("a.png")
    late = {"state": "intent", "arrived_sha256": data["sha256"], "sha256": None, "measured": None}
    Path("a.png.receipt.json").write_text(json.dumps({**data, **late}), encoding="utf-8")
    planned = anchor(gateway, "--dry-run")
    assert (planned.code, planned.json["cost"]["amount"]) == (0, 0.0), planned.err
    assert anchor(gateway, "--resubmit").code == 0
    assert receipt("a.png")["sha256"] == data["sha256"]
    assert gateway.sent == {"image": 1}


def test_a_kept_picture_is_found_whatever_the_temporary_directory(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    Path("a.png").mkdir()  # where it goes, nothing can be written
    shutil.rmtree("a.png")
    words = ["A tabby cat.", "--output=out/a.png", "--json"]
    Path("out").mkdir()
    gateway.on("image", lambda: Path("out/a.png").mkdir())  # while the answer is out
    first = run("generate_anchor", *words, gateway=gateway)
    assert first.code == 9, first.err
    Path("out/a.png").rmdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    again = run("generate_anchor", *words, gateway=gateway)
    assert (again.code, gateway.sent) == (0, {"image": 1}), again.err
    assert not [path for path in Path("out").iterdir() if path.name.startswith(".")]


# --- servers and accounts -------------------------------------------------------------------------


def test_two_engines_on_one_host_are_two_servers() -> None:
    with Gateway("openai") as first, Gateway("openai") as second:
        made = video(first)
        other = video(second)
        assert (made.code, other.code) == (0, 0)
        assert made.json["output"] != other.json["output"]
        taken = video(second, f"--output={made.json['output']}")
        assert taken.code == 2
        assert "--gateway" in taken.err
        assert video(first).json["reused"]
        assert (first.sent, second.sent) == ({"create": 1}, {"create": 1})


def test_what_an_older_version_made_without_the_port_is_still_found() -> None:
    with Gateway("openai") as gateway:
        made = video(gateway, "--output=v.mp4")
        assert made.code == 0, made.err
        data = receipt("v.mp4")
        before = {name: one for name, one in data["gateway"].items() if name != "port"}
        from factorized_video.receipts import digest

        asked = {"prompt": PROMPT, "gateway": data["gateway"]}
        older = digest("synthesis", asked)
        assert (older.older, older) == (digest("synthesis", {**asked, "gateway": before}), older)
        assert older.older != older


def test_an_idempotency_key_is_not_sent_under_another_accounts_key() -> None:
    with Gateway("vercel") as gateway:
        gateway.always("create", LOST)
        words = ("--output=v.mp4", "--model=alibaba/wan-v3.0-video")
        assert video(gateway, *words).code == 8
        sent = gateway.sent["create"]
        other = video(gateway, *words, env={"AI_GATEWAY_API_KEY": "vck_AnotherAccountsKey0000"})
        assert (other.code, gateway.sent["create"]) == (8, sent)
        assert "with another key" in other.json["error"]["hint"]
        gateway.mend()
        assert video(gateway, *words).code == 0
        assert gateway.billed["create"] == 1


# --- lost jobs ------------------------------------------------------------------------------------


def test_a_lost_call_that_is_put_back_waits_for_its_job_again(tmp_path: Path) -> None:
    output = tmp_path / "v.mp4"

    def intent(words: str) -> Intent:
        return Intent("synthesis", words, {}, {}, {}, "veo", Cost(1.0, "estimated"), "python3 x")

    first = Record.begin(output, intent("first"))
    first.intend()
    again = Record.begin(output, intent("second"))
    again.intend()
    assert (read(tmp_path / "v.1.mp4") or {})["replaced_by"] == "v.mp4"
    again.withdraw()
    assert "replaced_by" not in (read(output) or {})


def test_a_job_of_another_size_is_not_the_lost_one() -> None:
    with Gateway("openai") as gateway:
        gateway.always("create", LOST)
        words = ("--output=v.mp4", "--resolution=720p")
        assert video(gateway, *words, "--no-wait").code == 4  # the only one of that request
        gateway.mend()
        assert receipt("v.mp4")["adopted"]
    with Gateway("openai") as gateway:
        gateway.always("create", LOST)
        gateway.answers["list"] = lambda request: _resized(gateway)
        assert video(gateway, "--output=w.mp4", "--resolution=720p").code == 8


def _resized(gateway: Gateway) -> None:
    for job in gateway.jobs.values():
        job["aspect_ratio"] = "854x480"


@pytest.mark.parametrize("wrong", ["damaged", "folder"])
def test_what_cannot_be_read_counts_as_a_rival(
    gateway: Gateway, home: Path, wrong: str, tmp_path: Path
) -> None:
    if wrong == "damaged":
        Path("other.mp4.receipt.json").write_text("{", encoding="utf-8")
    else:
        state = home / ".local/state/factorized-video"
        state.mkdir(parents=True)
        state.chmod(0o777)
    gateway.clock_ahead_s = 0.0
    gateway.always("create", LOST)
    lost = video(gateway, "--output=v.mp4")
    assert lost.code == 8, lost.err
    assert ("not a private folder" in lost.err) == (wrong == "folder")
    assert "These may be it: job-1" in lost.json["error"]["hint"]


def test_a_job_of_another_account_is_said_to_be_one(gateway: Gateway) -> None:
    """Read on with the wrong key it would be unknown for three minutes, and for ever."""
    gateway.ends_after = None
    assert video(gateway, "--output=v.mp4", "--no-wait").code == 4
    jobs, gateway.jobs = gateway.jobs, {}
    other = {"AI_GATEWAY_API_KEY": "hc-AnotherAccountsKey00000000"}
    lost = video(gateway, "--output=v.mp4", env=other)
    assert (lost.code, gateway.sent) == (3, {"create": 1}), lost.err
    assert "started with another key" in lost.err
    gateway.jobs, gateway.ends_after = jobs, 0
    assert video(gateway, "--output=v.mp4", env=other).code == 0, "the key was changed, no more"


@pytest.mark.parametrize("where", ["id", "url"])
def test_an_id_or_address_of_absurd_length_is_none(gateway: Gateway, where: str) -> None:
    gateway.ends_after = 0
    if where == "id":
        gateway.always("create", Reply(json={"id": "j" * 100_000}))
        assert video(gateway, "--output=v.mp4").code == 8
    else:
        gateway.ending = {"status": "succeeded", "url": "https://x.example/" + "v" * 100_000}
        assert video(gateway, "--output=v.mp4").code in (9, 11)
    assert Path("v.mp4.receipt.json").stat().st_size < 50_000
