"""--scene and --character: the same people and place, for many prompts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from conftest import Run, run
from factorized_video.prompts import anchor_image
from factorized_video.prompts.caption import SCENE_FOR_CAPTION, rewrite_messages
from loopback import Gateway, png
from speech import shown

SCENE = "Mira is a woman with short red hair. The stop is a glass shelter."


def make(gateway: Gateway, *words: str) -> Run:
    told = ["--prompt=Mira waits", "--output=stop.mp4", "--stop-after=anchor", "--json"]
    return run("factorized_generate", *told, *words, gateway=gateway)


def said(gateway: Gateway, number: int = -1) -> tuple[str, dict[str, Any]]:
    """The system prompt and the data of a chat."""
    (system, user), _ = shown(gateway.of("chat")[number])
    return str(system["content"]), json.loads(str(user["content"]))


@pytest.mark.quick
def test_the_llm_is_told_the_scene_and_other_words_are_another_request(gateway: Gateway) -> None:
    done = make(gateway, f"--scene={SCENE}")
    assert done.code == 0, done.err
    system, data = said(gateway)
    assert SCENE_FOR_CAPTION in system
    assert data["scene"] == SCENE
    receipt = json.loads(Path("stop.stages/caption.txt.receipt.json").read_text(encoding="utf-8"))
    assert receipt["inputs"]["scene"] == SCENE
    assert make(gateway, f"--scene={SCENE}").code == 0
    assert gateway.billed == {"chat": 1, "image": 1}
    assert make(gateway, "--scene=Mira is a cat.").code == 0
    assert gateway.billed == {"chat": 2, "image": 1}  # the caption came out the same


def test_a_scene_comes_from_a_file_and_is_in_the_command_to_run_again(gateway: Gateway) -> None:
    Path("scene.txt").write_text(SCENE, encoding="utf-8")
    done = make(gateway, "--scene=@scene.txt")
    assert (done.code, said(gateway)[1]["scene"]) == (0, SCENE)
    receipt = json.loads(Path("stop.stages/anchor.png.receipt.json").read_text(encoding="utf-8"))
    Path("scene.txt").unlink()
    assert SCENE in receipt["command"]


@pytest.mark.parametrize("words", [("--skip-reasoning",), ("--anchor-path=a.png",), ("--direct",)])
def test_a_scene_that_nobody_reads_is_a_mistake(gateway: Gateway, words: tuple[str, ...]) -> None:
    Path("a.png").write_bytes(png((640, 360), 1))
    told = ["--prompt=Mira waits", "--scene=Mira is a cat.", "--json"]
    done = run("factorized_generate", *told, *words, gateway=gateway)
    assert (done.code, "--scene has no effect" in done.json["error"]["message"]) == (2, True)
    assert not gateway.sent


def test_a_character_is_alone_on_plain_ground_and_upright(gateway: Gateway) -> None:
    told = ["A woman with red hair", "--character", "--output=mira.png", "--json"]
    done = run("generate_anchor", *told, gateway=gateway)
    assert done.code == 0, done.err
    asked = gateway.speech.asked(gateway.of("image")[0])
    assert anchor_image.CHARACTER.format(ratio="3:4", orientation="portrait") in asked.prompt
    # A plain picture of the same words is another one.
    plain = run("generate_anchor", told[0], *told[2:], gateway=gateway)
    assert plain.code == 2
    assert "character" in plain.json["error"]["message"]


def test_nobody_is_edited_into_a_character(gateway: Gateway) -> None:
    Path("a.png").write_bytes(png((640, 360), 1))
    told = ["A hat", "--character", "--edit=a.png", "--json"]
    done = run("generate_anchor", *told, gateway=gateway)
    assert (done.code, "--character has no effect" in done.json["error"]["message"]) == (2, True)


def test_earlier_shots_are_told_as_data() -> None:
    system, user = rewrite_messages("c", "anime", "1:1", earlier=("a", "b"))
    assert SCENE_FOR_CAPTION in system["content"]
    assert json.loads(user["content"])["earlier_shots"] == ["a", "b"]
