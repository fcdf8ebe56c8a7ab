"""A server that was restarted does not know its jobs any more: that is an end, and is said."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import Run, run
from loopback import Gateway, Reply, png

WORDS = ("--anchor=a.png", "--prompt=A cat leaps.", "--output=v.mp4", "--no-filmstrip", "--json")


@pytest.fixture
def own() -> Iterator[Gateway]:
    Path("a.png").write_bytes(png())
    with Gateway("openai") as server:
        server.ends_after = None
        assert make(server, "--no-wait").code == 4
        yield server


def make(server: Gateway, *words: str) -> Run:
    return run(
        "generate_video_from_anchor", *WORDS, *server.speech.naming("video"), *words, gateway=server
    )


def receipt() -> dict[str, Any]:
    found = json.loads(Path("v.mp4.receipt.json").read_text(encoding="utf-8"))
    assert isinstance(found, dict)
    return found


def test_it_is_over_and_resubmit_is_named(own: Gateway) -> None:
    own.jobs.clear()
    done = make(own)
    assert (done.code, done.json["error"]["kind"], done.json["next"]) == (11, "failed", None)
    assert "--resubmit" in done.json["error"]["hint"]
    assert "goes on" not in done.err and "continues" not in done.err
    assert len(own.of("status")) >= 5  # not at the first word
    assert receipt()["state"] == "submitted"  # another server may know it


def test_the_next_run_asks_once_and_is_over(own: Gateway) -> None:
    own.jobs.clear()
    assert make(own).code == 11
    before = len(own.of("status"))
    assert make(own).code == 11
    assert len(own.of("status")) - before <= 2
    assert own.billed == {"create": 1}


def test_a_server_that_knows_it_again_gives_the_clip(own: Gateway) -> None:
    forgotten = dict(own.jobs)
    own.jobs.clear()
    assert make(own).code == 11
    own.jobs.update(forgotten)
    own.ends_after = 0
    assert make(own).code == 0
    assert (own.billed, receipt()["state"], receipt()["error"]) == (
        {"create": 1},
        "succeeded",
        None,
    )


def test_resubmit_makes_it_anew(own: Gateway) -> None:
    own.jobs.clear()
    assert make(own).code == 11
    own.ends_after = 0
    assert make(own, "--resubmit").code == 0
    assert own.billed == {"create": 2}


def test_a_job_that_the_list_has_is_not_forgotten(own: Gateway) -> None:
    """Of several servers behind one address only one knows the job itself."""
    own.always("status", Reply(404, {"error": {"message": "no such video"}}))
    done = make(own, "--timeout=80")
    assert (done.code, done.json["error"]["kind"]) == (4, "running")


def test_a_while_of_404_is_waited_out(own: Gateway) -> None:
    own.ends_after = 0
    own.will("status", *[Reply(404, {"error": {"message": "no such video"}})] * 3)
    assert make(own).code == 0


def test_a_web_page_says_nothing_of_a_job(own: Gateway) -> None:
    own.jobs.clear()
    page = Reply(404, body=b"<html>nothing here</html>", headers={"Content-Type": "text/html"})
    own.always("status", page)
    assert make(own).code == 6


def test_no_list_no_verdict(own: Gateway) -> None:
    own.jobs.clear()
    own.always("list", Reply(404, {"detail": "Not Found"}))
    assert make(own).code == 6
