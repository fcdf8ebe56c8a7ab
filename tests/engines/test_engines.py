"""The tool at the real API servers of vLLM-Omni, SGLang-Diffusion, FastVideo and LiteLLM.

What an engine was asked is read from its own log: a field that a server takes and drops is not one
that arrives. Run by `tests/engines/run.sh`.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import pytest
from conftest import Run, command, run
from PIL import Image, ImageDraw
from servers import IMAGE, MASTER_KEY, SOUNDING, VIDEO, Loses, Proxy, Server

pytestmark = pytest.mark.usefixtures("live_registry")

ENGINES = ("vllm-omni", "sglang")
PROMPT = "The ball rolls slowly to the left"
# Back-offs and time-outs of real servers: a tenth of what they are for people.
SCALE = {"FACTORIZED_VIDEO_TIME_SCALE": "0.1"}


@pytest.fixture(scope="session")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Server]]:
    """All of them: `<engine> video`, `<engine> image`, and `litellm` before them."""
    place = tmp_path_factory.mktemp("engines")
    found: dict[str, Server] = {}
    try:
        for engine in ENGINES:
            found[f"{engine} video"] = Server(engine, VIDEO, place)
            found[f"{engine} image"] = Server(engine, IMAGE, place)
        behind = dict(found)
        found["fastvideo video"] = Server("fastvideo", VIDEO, place)
        found["vllm-omni sound"] = Server("vllm-omni", SOUNDING, place)
        found["litellm"] = Proxy(place, behind)
        for server in found.values():
            server.wait()
        yield found
    finally:
        for server in found.values():
            server.stop()


@pytest.fixture(params=[*ENGINES, "fastvideo"])
def filming(request: pytest.FixtureRequest, servers: dict[str, Server]) -> Server:
    return servers[f"{request.param} video"]


@pytest.fixture(params=ENGINES)
def drawing(request: pytest.FixtureRequest, servers: dict[str, Server]) -> Server:
    return servers[f"{request.param} image"]


@pytest.fixture(autouse=True)
def anchor() -> None:
    """A picture that shows where it was cropped."""
    picture = Image.new("RGB", (1280, 720), (70, 120, 90))
    ImageDraw.Draw(picture).ellipse((560, 280, 720, 440), fill=(220, 40, 40))
    picture.save("anchor.png")


def at(root: str, key: str | None = None) -> dict[str, str | None]:
    """The environment of a command at a server."""
    return {**SCALE, "AI_GATEWAY_BASE_URL": root, "AI_GATEWAY_API_KEY": key}


def film(server: Server, *words: str, prompt: str = PROMPT, root: str | None = None) -> Run:
    """Stage 3, with what it always has."""
    always = ("--anchor=anchor.png", "--output=v.mp4", "--no-filmstrip", "--json")
    env = at(root or server.root)
    given = (*always, f"--prompt={prompt}", "--duration=5", f"--model={server.model}", *words)
    return run("generate_video_from_anchor", *given, env=env, real=True)


def receipt(path: str = "v.mp4") -> dict[str, Any]:
    found = json.loads(Path(f"{path}.receipt.json").read_text(encoding="utf-8"))
    assert isinstance(found, dict)
    return found


# -- clips -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ratio", "resolution", "size"),
    [
        ("16:9", "480p", (832, 480)),
        ("9:16", "480p", (480, 832)),
        ("1:1", "480p", (480, 480)),
        ("16:9", "720p", (1280, 720)),
        ("16:9", "704x400", (704, 400)),
    ],
)
def test_a_clip_has_the_size_the_frames_and_the_fields(
    filming: Server, ratio: str, resolution: str, size: tuple[int, int]
) -> None:
    words = ("--set=num_inference_steps=7", "--set=negative_prompt=blur", "--seed=11")
    shape = (f"--aspect-ratio={ratio}", f"--resolution={resolution}", "--fit=crop")
    done = film(filming, *words, *shape)
    assert done.code == 0, done.err
    assert done.json["warnings"] == [], done.json["warnings"]
    asked = filming.asked[-1]
    assert (asked["width"], asked["height"]) == size
    assert (asked["num_frames"], asked["fps"], asked["seed"]) == (81, 16, 11)
    assert (asked["num_inference_steps"], asked["negative_prompt"]) == (7, "blur")
    with av.open("v.mp4") as clip:
        stream = clip.streams.video[0]
        frames = sum(1 for _ in clip.decode(stream))
        assert (stream.width, stream.height, float(stream.average_rate or 0)) == (*size, 16)
    assert frames == 81
    assert done.json["anchor_fidelity"] > 0.95


def test_the_only_model_need_not_be_named(filming: Server) -> None:
    words = ("--anchor=anchor.png", f"--prompt={PROMPT}", "--output=v.mp4", "--resolution=480p")
    done = run("generate_video_from_anchor", *words, env=at(filming.root), real=True)
    assert done.code == 0, done.err
    asked = filming.asked[-1]
    assert (asked["width"], asked["height"], asked["num_frames"]) == (832, 480, 81)


def test_without_a_seed_two_takes_are_two_clips(filming: Server) -> None:
    assert film(filming).code == 0
    assert film(filming, "--take=2", "--output=w.mp4").code == 0
    seeds = [row["seed"] for row in filming.asked[-2:]]
    assert seeds == [receipt(path)["sent"]["seed"] for path in ("v.mp4", "w.mp4")]
    assert seeds[0] != seeds[1]


def test_sound_is_made_where_it_is_wanted(servers: dict[str, Server]) -> None:
    """vLLM-Omni's field; the model of that name is one that makes sound."""
    done = film(servers["vllm-omni sound"], "--audio")
    assert done.code == 0, done.err
    assert done.json["video"]["audio"]
    assert servers["vllm-omni sound"].asked[-1]["extra_args"]["generate_sound"]
    assert film(servers["vllm-omni sound"], "--output=w.mp4").json["video"]["audio"] is False


# -- what may happen while it is made --------------------------------------------------------------


def test_a_killed_command_goes_on_where_it_was(filming: Server) -> None:
    before = len(filming.asked)
    words = ("--anchor=anchor.png", f"--prompt={PROMPT} SLOW", "--output=v.mp4", "--no-filmstrip")
    told = {**os.environ, **{name: one for name, one in at(filming.root).items() if one}}
    started = subprocess.Popen(
        [*command("generate_video_from_anchor", *words), "--duration=5", f"--model={VIDEO}"],
        env=told,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    until = time.monotonic() + 30
    while not Path("v.mp4.receipt.json").exists() or receipt()["state"] != "submitted":
        assert time.monotonic() < until and started.poll() is None
        time.sleep(0.05)
    started.send_signal(signal.SIGKILL)
    started.wait()
    done = film(filming, prompt=f"{PROMPT} SLOW")
    assert done.code == 0, done.err
    assert len(filming.asked) == before + 1


def test_a_job_is_cancelled(filming: Server) -> None:
    assert film(filming, "--no-wait", prompt=f"{PROMPT} SLOW").code == 4
    ended = run("factorized_generate", "--cancel=v.mp4", "--json", env=at(filming.root), real=True)
    assert ended.code == 0, ended.err
    assert receipt()["state"] == "failed"
    if filming.engine == "vllm-omni":
        assert receipt()["job"] in filming.aborted


def test_an_engine_that_fails_is_an_answer(filming: Server) -> None:
    done = film(filming, prompt=f"{PROMPT} BREAK")
    assert (done.code, done.json["error"]["kind"]) == (11, "failed")
    assert "out of memory" in done.json["error"]["message"]


def test_a_size_that_is_no_block_is_refused_here(filming: Server) -> None:
    before = len(filming.asked)
    done = film(filming, "--resolution=854x480")
    assert (done.code, len(filming.asked)) == (2, before)
    assert "848x480" in done.json["error"]["hint"] or "864x480" in done.json["error"]["hint"]


def test_a_restarted_server_has_forgotten_the_job(filming: Server) -> None:
    assert film(filming, "--no-wait", prompt=f"{PROMPT} SLOW").code == 4
    filming.stop()
    filming.start()
    filming.wait()
    done = film(filming, prompt=f"{PROMPT} SLOW")
    assert (done.code, done.json["next"]) == (11, None), done.err
    assert "--resubmit" in done.json["error"]["hint"]
    assert film(filming, "--resubmit", prompt=f"{PROMPT} SLOW").code == 0


def test_a_lost_clip_is_named_or_found(filming: Server) -> None:
    relay = Loses(filming)
    try:
        done = film(filming, root=relay.root)
        if filming.engine != "vllm-omni":  # rows without a prompt
            assert done.code == 8, done.err
            job = done.json["error"]["hint"].partition("These may be it: ")[2].split(",")[0]
            assert job.strip(". ")
            done = film(filming, f"--job={job.strip('. ')}", root=relay.root)
        assert done.code == 0, done.err
    finally:
        relay.shutdown()
        relay.server_close()


def test_another_models_name_is_said(filming: Server) -> None:
    done = film(filming, "--model=own/other")
    said = [*done.json["warnings"], (done.json.get("error") or {}).get("message", "")]
    assert any("own/other" in text for text in said), done.out
    assert done.code == (10 if filming.engine == "vllm-omni" else 0)


# -- pictures --------------------------------------------------------------------------------------


def test_candidates_differ(drawing: Server) -> None:
    done = run(
        "generate_anchor",
        *("A red ball on a table", "--candidates=3", "--output=a.png", "--json"),
        "--set=num_inference_steps=9",
        env=at(drawing.root),
        real=True,
    )
    assert done.code == 0, done.err
    pictures = sorted(Path("a.candidates").glob("candidate-?.png"))
    assert len({picture.read_bytes() for picture in pictures}) == 3
    assert len({row["seed"] for row in drawing.asked[-3:]}) == 3
    assert {row["num_inference_steps"] for row in drawing.asked[-3:]} == {9}


def test_a_server_of_clips_says_that_it_draws_no_pictures(filming: Server) -> None:
    done = run(
        "generate_anchor",
        *("A red ball", "--output=a.png", "--json", f"--model={IMAGE}"),
        env=at(filming.root),
        real=True,
    )
    assert done.code in (10, 11), done.out
    # vLLM-Omni looks at the name first.
    cause = VIDEO if filming.engine == "vllm-omni" else "AI_GATEWAY_IMAGE_BASE_URL"
    assert cause in done.json["error"]["hint"]


# -- behind a proxy, and all of it -----------------------------------------------------------------


@pytest.mark.parametrize("route", ["hosted_vllm", "openai"])
@pytest.mark.parametrize("engine", ENGINES)
def test_fields_pass_through_a_proxy(servers: dict[str, Server], engine: str, route: str) -> None:
    proxy, behind = servers["litellm"], servers[f"{engine} video"]
    done = run(
        "generate_video_from_anchor",
        *("--anchor=anchor.png", f"--prompt={PROMPT}", "--output=v.mp4", "--no-filmstrip"),
        *("--json", "--duration=5", f"--model={engine} video-{route}", "--seed=5"),
        *("--resolution=832x480", "--set=num_inference_steps=3"),
        env=at(proxy.root, MASTER_KEY),
        real=True,
    )
    assert done.code == 0, done.err
    asked = behind.asked[-1]
    assert (asked["width"], asked["height"], asked["seed"]) == (832, 480, 5)
    assert asked["num_inference_steps"] == 3


@pytest.mark.parametrize("engine", ENGINES)
def test_a_whole_run_with_three_servers(servers: dict[str, Server], engine: str) -> None:
    clips, pictures = servers[f"{engine} video"], servers[f"{engine} image"]
    env = {
        **SCALE,
        "AI_GATEWAY_CHAT_BASE_URL": servers["litellm"].root,
        "AI_GATEWAY_CHAT_API_KEY": MASTER_KEY,
        "AI_GATEWAY_IMAGE_BASE_URL": pictures.root,
        "AI_GATEWAY_VIDEO_BASE_URL": clips.root,
    }
    done = run(
        "factorized_generate",
        *("--prompt=Three red balls roll to the left", "--output=balls.mp4", "--json"),
        *("--llm-model=writer", f"--image-model={IMAGE}", f"--video-model={VIDEO}"),
        *("--duration=5", "--resolution=480p"),
        env=env,
        real=True,
    )
    assert done.code == 0, done.err
    assert clips.asked[-1]["prompt"].startswith("Three red balls")
    assert pictures.asked[-1]["prompt"].startswith("Three red balls rest on a wooden table")
    assert (done.json["video"]["width"], done.json["video"]["height"]) == (832, 480)
    assert done.json["anchor_fidelity"] > 0.95
