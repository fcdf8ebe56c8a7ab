"""Gateway, models and style from the environment or from `.env`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from conftest import run
from loopback import Gateway

ENV = "FACTORIZED_VIDEO_"
SEEDANCE = "byteplus/dreamina-seedance-2-0"
GEMINI = "google/gemini-3.1-pro-preview"


def plan(*words: str, script: str = "factorized_generate", **kept: Any) -> dict[str, Any]:
    words = words or ("--prompt=A cat",)
    done = run(script, *words, "--dry-run", "--json", **kept)
    assert done.code == 0, done.err
    return done.json


def models_of(planned: dict[str, Any]) -> list[str]:
    return [stage["model"] for stage in planned["stages"]]


def test_what_stands_in_a_file_is_used_and_shown_in_the_plan() -> None:
    Path(".env").write_text(
        f"{ENV}GATEWAY=OpenRouter\n{ENV}STYLE='oil painting'\n{ENV}VIDEO_MODEL={SEEDANCE}\n"
        f"{ENV}LLM_MODEL={GEMINI}\n",
        encoding="utf-8",
    )
    planned = plan()
    assert (planned["gateway"], planned["gateway_why"]) == ("openrouter", f"{ENV}GATEWAY")
    assert models_of(planned)[0] == GEMINI
    assert models_of(planned)[2] == "bytedance/seedance-2.0"
    assert planned["stages"][1]["settings"]["style"] == "oil-painting"
    file = str(Path.cwd() / ".env")
    names = ("gateway", "style", "llm_model", "video_model")
    assert planned["standing"] == dict.fromkeys(names, file)
    text = run("factorized_generate", "--prompt=A cat", "--dry-run").out
    assert "gateway, style, llm model, video model" in " ".join(text.split())


def test_an_option_goes_before_and_the_environment_before_a_file() -> None:
    Path(".env").write_text(f"{ENV}STYLE=anime\n{ENV}LLM_MODEL=x\n", encoding="utf-8")
    env = {f"{ENV}STYLE": "watercolor"}
    planned = plan("--prompt=A cat", f"--llm-model={GEMINI}", env=env)
    assert planned["stages"][1]["settings"]["style"] == "watercolor"
    assert models_of(planned)[0] == GEMINI
    assert planned["standing"] == {"style": "the environment"}


@pytest.mark.parametrize(
    ("script", "words", "name"),
    [
        ("rewrite_prompt", ["A cat"], "LLM"),
        ("generate_anchor", ["A cat"], "IMAGE"),
        ("generate_video_from_anchor", ["--direct", "--prompt=A cat"], "VIDEO"),
    ],
)
def test_each_stage_has_its_own_model(script: str, words: list[str], name: str) -> None:
    env = {f"{ENV}{one}_MODEL": f"some/{one.lower()}" for one in ("LLM", "IMAGE", "VIDEO")}
    planned = plan(*words, script=script, env=env)
    assert models_of(planned) == [f"some/{name.lower()}"]
    assert planned["standing"] == {"model": "the environment"}


def test_the_demo_keeps_its_models_and_what_has_no_effect_is_left_out() -> None:
    env = {f"{ENV}{one}_MODEL": SEEDANCE for one in ("LLM", "IMAGE", "VIDEO")}
    demo = plan("--prompt=A cat", "--gateway=demo", env=env)
    assert demo["gateway"] == "demo" and "standing" not in demo
    env = {f"{ENV}LLM_MODEL": GEMINI, f"{ENV}VIDEO_MODEL": SEEDANCE, f"{ENV}STYLE": "anime"}
    direct = plan("--prompt=A cat", "--direct", env=env)
    assert models_of(direct) == [SEEDANCE]
    assert set(direct["standing"]) == {"video_model", "style"}


@pytest.mark.parametrize(
    ("name", "value", "word"),
    [
        ("GATEWAY", "vercell", "none of"),
        ("STYLE", "x" * 201, "a few words"),
        ("GATEWAY", "-", "none"),
    ],
)
def test_a_value_that_no_option_takes_is_exit_2_and_names_the_variable(
    name: str, value: str, word: str
) -> None:
    refused = run("factorized_generate", "--prompt=x", env={ENV + name: value})
    assert refused.code == 2
    assert f"{ENV}{name} in the environment" in refused.err and word in refused.err


def test_a_run_and_its_stages_agree(gateway: Gateway) -> None:
    env = {f"{ENV}STYLE": "anime", f"{ENV}VIDEO_MODEL": SEEDANCE}
    words = ("--prompt=A cat", "--output=c.mp4", "--json")
    made = run("factorized_generate", *words, gateway=gateway, env=env)
    assert made.code == 0, made.err
    assert made.json["model"] == SEEDANCE
    sent = dict(gateway.sent)
    given = (*words, "--style=anime", f"--video-model={SEEDANCE}")
    again = run("factorized_generate", *given, gateway=gateway)
    assert (again.code, gateway.sent) == (0, sent), again.err


def test_a_line_of_many_prompts_can_take_a_style_back(gateway: Gateway) -> None:
    Path("many.jsonl").write_text(
        '{"prompt": "A cat", "settings": {"style": null}}\n{"prompt": "A dog"}\n', encoding="utf-8"
    )
    words = ("--prompts-file=many.jsonl", "--output=many", "--json")
    made = run("factorized_generate", *words, gateway=gateway, env={f"{ENV}STYLE": "anime"})
    assert made.code == 0, made.err
