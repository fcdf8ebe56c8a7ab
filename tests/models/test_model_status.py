"""What a model supports, whether it still exists, and what happens to a run when that changes."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from conftest import REGISTRY, Run, follow, run
from factorized_video.pipeline.run_request import RunRequest
from factorized_video.stages import given_images
from factorized_video.stages.request import ClipSettings
from loopback import CAPTION, Gateway, Reply, chat, png, refusal
from storm import PROMPT, animating, files, making, own_picture, receipt

pytestmark = pytest.mark.thorough

EACH = {"chat": 1, "image": 1, "create": 1}
LLM, DRAWER = "anthropic/claude-sonnet-4.6", "google/gemini-3-pro-image-preview"
OLD_LLM, NEW_LLM = "google/gemini-3-pro-preview", "google/gemini-3.1-pro-preview"
NEW_DRAWER = "google/gemini-3-pro-image"
VEO, NEW_VEO = "google/veo-3.1-generate-preview", "google/veo-3.1-generate-001"
SEEDANCE, SEEDANCE_1 = "byteplus/dreamina-seedance-2-0", "byteplus/seedance-1-0-pro"
SEEDREAM = "byteplus/seedream-4-5"
SORA, IMAGEN = "openai/sora-2", "google/imagen-4.0-generate-001"
OWN = "--anchor-path=mine.png"
GATEWAY = {"name": "happycapy", "host": "loopback"}
GONE = refusal(404, "not found")
OFF = {"status": "off", "shutdown": {"date": "2026-12-01", "by": "its vendor"}}


def make(gateway: Gateway, *args: str) -> Run:
    """The orchestrator with --json, to cat.mp4."""
    return run("factorized_generate", *making(*args), gateway=gateway)


def own(gateway: Gateway, *args: str) -> Run:
    """The same with one's own picture: one paid call."""
    if not Path("mine.png").exists():
        own_picture()
    return make(gateway, OWN, *args)


def video_of(gateway: Gateway) -> dict[str, object]:
    """What was sent for the last clip."""
    return gateway.of("create")[-1].body


class Skill:
    """The skill with the registry of another day: what an upgrade changes."""

    def __init__(self, folder: Path) -> None:
        self._registry = Path(shutil.copy(REGISTRY, folder))

    def knows(self, model: str, **fields: object) -> None:
        """From now on this is so of a model."""
        registry = json.loads(self._registry.read_text(encoding="utf-8"))
        (row,) = [row for row in registry["models"] if row["id"] == model]
        row.update(fields)
        self._registry.write_text(json.dumps(registry), encoding="utf-8")

    def run(self, script: str, *args: str, gateway: Gateway | None = None) -> Run:
        env = {"TESTS_REGISTRY": str(self._registry)}
        return run(script, *args, gateway=gateway, env=env)

    def make(self, gateway: Gateway, *args: str) -> Run:
        return self.run("factorized_generate", *making(*args), gateway=gateway)


@pytest.fixture
def later(tmp_path: Path) -> Skill:
    """The skill after an upgrade."""
    return Skill(tmp_path)


# --- what a model does not take is said before Stage 1 --------------------------------------------


@pytest.mark.parametrize(
    ("args", "said", "takers"),
    [
        pytest.param(["--duration=5"], "4, 6 and 8 seconds, not 5", SEEDANCE, id="duration"),
        pytest.param(
            ["--duration=6", "--resolution=1080p"],
            "8 seconds at 1080p, not 6",
            SEEDANCE,
            id="duration at a resolution",
        ),
        pytest.param(["--aspect-ratio=1:1"], "16:9 and 9:16, not 1:1", SEEDANCE, id="ratio"),
        pytest.param(["--aspect-ratio=5:4"], "16:9 and 9:16, not 5:4", "", id="ratio of nobody"),
        pytest.param(
            ["--resolution=4k"],
            "720p and 1080p only, not 4k",
            "720p and 1080p",
            id="what the gateway cannot say",
        ),
        pytest.param(
            [f"--video-model={SORA}", "--allow-off", "--resolution=1080p"],
            "makes 720p, not 1080p",
            VEO,
            id="resolution",
        ),
        pytest.param([f"--video-model={SEEDANCE_1}", "--audio"], "silent", VEO, id="sound"),
        pytest.param(
            [f"--video-model={SEEDANCE}", "--motion=" + "x" * 4000],
            "4,000 characters",
            "bytedance/seedance-2.5",
            id="prompt length",
        ),
        pytest.param(
            [f"--image-model={SEEDREAM}", "--aspect-ratio=4:5"],
            "not 4:5",
            "",
            id="ratio of the image model",
        ),
        pytest.param(
            [f"--video-model={NEW_DRAWER}"],
            "a model for images, not for video",
            VEO,
            id="a model of another kind",
        ),
    ],
)
def test_what_a_model_does_not_take_is_exit_2_before_stage_1(
    gateway: Gateway, args: list[str], said: str, takers: str
) -> None:
    refused = make(gateway, *args)
    assert (refused.code, refused.json["error"]["kind"], gateway.requests) == (2, "usage", [])
    assert said in refused.json["error"]["message"]
    assert takers in refused.json["error"]["hint"]
    assert files() == set()


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("generate_anchor", [CAPTION, f"--model={SEEDREAM}", "--aspect-ratio=5:4"]),
        ("generate_video_from_anchor", animating("--duration=5")),
        ("generate_video_from_anchor", animating("--resolution=1080p", "--duration=6")),
        ("generate_video_from_anchor", animating("--aspect-ratio=1:1", "--fit=pad")),
        ("generate_video_from_anchor", animating(f"--model={SEEDANCE_1}", "--audio")),
        ("generate_video_from_anchor", animating(f"--model={SEEDANCE}", "--motion=" + "x" * 4000)),
    ],
)
def test_each_stage_says_it_too(gateway: Gateway, script: str, words: list[str]) -> None:
    own_picture()
    refused = run(script, *[word for word in words if word != "--json"], "--json", gateway=gateway)
    assert (refused.code, refused.json["error"]["kind"], gateway.requests) == (2, "usage", [])


@pytest.mark.parametrize(
    ("args", "duration", "size"),
    [
        pytest.param((), 6, "720p", id="nothing typed"),
        pytest.param(("--resolution=1080p",), 8, "1080p", id="1080p: 8 s"),
        pytest.param(("--duration=5", "--fit-duration"), 4, "720p", id="the shorter of two"),
        pytest.param(("--duration=30", "--fit-duration"), 8, "720p", id="the longest"),
        pytest.param(
            ("--duration=6", "--resolution=1080p", "--fit-duration"),
            8,
            "1080p",
            id="fitted at 1080p",
        ),
        pytest.param(("--duration=8", "--fit-duration"), 8, "720p", id="nothing to fit"),
    ],
)
def test_what_is_sent_is_as_typed_or_chosen_or_fitted_by_leave(
    gateway: Gateway, args: tuple[str, ...], duration: int, size: str
) -> None:
    own_picture()
    made = run("generate_video_from_anchor", *animating(*args), gateway=gateway)
    assert made.code == 0, made.err
    assert (video_of(gateway)["duration"], video_of(gateway)["size"]) == (duration, size)
    fitted = "--fit-duration" in args and f"--duration={duration}" not in args
    assert any("--fit-duration" in text for text in made.json["warnings"]) is fitted


def test_a_fitted_duration_reaches_the_gateway_through_the_orchestrator(gateway: Gateway) -> None:
    assert own(gateway, "--duration=7", "--fit-duration").code == 0
    assert video_of(gateway)["duration"] == 6


@pytest.mark.parametrize("script", ["factorized_generate", "generate_anchor"])
def test_a_ratio_that_nobody_typed_is_no_demand(script: str) -> None:
    model = "openai/gpt-image-1.5"  # no 16:9
    words = (
        making(f"--image-model={model}", "--video-model=klingai/kling-v4.0")
        if script.startswith("fact")
        else [CAPTION, f"--model={model}", "--json"]
    )
    planned = run(script, *words, "--dry-run")
    assert planned.code == 0, planned.err
    drawn = [call for call in planned.json["stages"] if call["stage"] == "composition"]
    assert drawn[0]["settings"]["aspect_ratio"] in ("1:1", "3:2", "2:3")


def test_the_same_command_waits_for_a_job_whose_ratio_was_chosen(gateway: Gateway) -> None:
    args = ("--image-model=openai/gpt-image-1.5", "--video-model=klingai/kling-v4.0")
    gateway.ends_after = None
    assert make(gateway, *args, "--no-wait").code == 4
    gateway.ends_after = 0
    waited = make(gateway, *args)
    assert (waited.code, gateway.billed) == (0, EACH)


def test_a_motion_that_came_too_long_is_said_before_the_anchor_is_paid_for(
    gateway: Gateway,
) -> None:
    gateway.will("chat", chat(json.dumps({"caption": CAPTION, "motion": "It leaps. " * 90})))
    words = ["--prompt=" + "A cat sits. " * 270, "--output=cat.mp4", "--json"]
    refused = run("factorized_generate", *words, f"--video-model={SEEDANCE}", gateway=gateway)
    assert (refused.code, gateway.sent) == (2, {"chat": 1})


def test_what_is_sent_once_more_is_what_was_sent(gateway: Gateway) -> None:
    own_picture()
    words = animating("--resolution=1080p")
    assert run("generate_video_from_anchor", *words, gateway=gateway).code == 0
    gateway.jobs.clear()
    Path("cat.mp4").unlink()
    assert run("generate_video_from_anchor", *words, "--resubmit", gateway=gateway).code == 0
    assert [request.body["duration"] for request in gateway.of("create")] == [8, 8]


# --- off, retired, of another gateway, unknown ----------------------------------------------------


@pytest.mark.parametrize(
    ("script", "words", "model", "instead", "sent"),
    [
        (
            "factorized_generate",
            making(OWN, f"--video-model={SORA}"),
            SORA,
            SEEDANCE,
            {"create": 1},
        ),
        ("factorized_generate", making(OWN, "--video-model=sora-2"), SORA, SEEDANCE, {"create": 1}),
        (
            "factorized_generate",
            making(f"--image-model={IMAGEN}", "--stop-after=anchor"),
            IMAGEN,
            NEW_DRAWER,
            {"chat": 1, "image": 1},
        ),
        (
            "generate_anchor",
            [CAPTION, f"--model={IMAGEN}", "--json"],
            IMAGEN,
            NEW_DRAWER,
            {"image": 1},
        ),
        ("generate_video_from_anchor", animating(f"--model={SORA}"), SORA, SEEDANCE, {"create": 1}),
    ],
)
def test_a_model_that_is_off_is_exit_2_with_its_replacement_unless_it_is_allowed(
    gateway: Gateway, script: str, words: list[str], model: str, instead: str, sent: dict[str, int]
) -> None:
    own_picture()
    refused = run(script, *words, gateway=gateway)
    assert (refused.code, gateway.requests) == (2, [])
    assert model in refused.json["error"]["message"]
    assert all(word in refused.json["error"]["hint"] for word in (instead, "--allow-off"))
    allowed = run(script, *words, "--allow-off", gateway=gateway)
    assert (allowed.code, gateway.sent) == (0, sent), allowed.err


def test_a_retired_model_runs_with_one_warning_each(gateway: Gateway) -> None:
    made = make(gateway)
    assert (made.code, gateway.sent) == (0, EACH)
    for model, date, instead in ((DRAWER, "2026-06-25", NEW_DRAWER), (VEO, "2026-10-22", NEW_VEO)):
        told = [line for line in made.err.splitlines() if model in line and "warning: " in line]
        assert [(date in line, f"use {instead}." in line) for line in told] == [(True, True)]
        assert [f"warning: {t}" for t in made.json["warnings"] if model in t] == told


def test_a_live_model_has_no_warning(gateway: Gateway) -> None:
    assert own(gateway, f"--video-model={SEEDANCE}", "--dry-run").json["warnings"] == []


@pytest.mark.parametrize(
    ("typed", "sent", "warned"),
    [
        pytest.param("bytedance/seedance-2.0", SEEDANCE, True, id="of another gateway"),
        pytest.param("dreamina-seedance-2-0-260128", SEEDANCE, True, id="its vendor's"),
        pytest.param(SEEDANCE, SEEDANCE, False, id="this gateway's"),
        pytest.param("made-up/model", "made-up/model", True, id="of nobody"),
        pytest.param(NEW_VEO, NEW_VEO, True, id="not served here, as far as is known"),
    ],
)
def test_an_id_is_sent_as_this_gateway_calls_it_and_that_is_said_once(
    gateway: Gateway, typed: str, sent: str, warned: bool
) -> None:
    made = own(gateway, f"--video-model={typed}")
    assert made.code == 0, made.err
    assert (video_of(gateway)["model"], receipt()["model"]) == (sent, sent)
    told = [line for line in made.err.splitlines() if line.startswith("warning: ") and sent in line]
    assert len(told) == warned
    assert not warned or typed in told[0]


def test_an_image_model_is_translated_too(gateway: Gateway) -> None:
    words = [CAPTION, "--model=bytedance/seedream-4.5", "--json"]
    assert run("generate_anchor", *words, gateway=gateway).code == 0
    assert gateway.of("image")[0].body["model"] == SEEDREAM


def test_a_status_of_one_gateway_counts_there_alone(later: Skill) -> None:
    own_picture()
    here = {"happycapy": {"id": SEEDANCE, "status": "off"}, "vercel": {"id": "bytedance/x"}}
    later.knows(SEEDANCE, gateways=here, replacement=VEO)
    words = making(OWN, f"--video-model={SEEDANCE}", "--dry-run")
    refused = later.run("factorized_generate", *words)
    assert (refused.code, VEO in refused.json["error"]["hint"]) == (2, True)
    assert later.run("factorized_generate", *words, "--gateway=demo").code == 0


# --- a gateway that no longer knows the model: the replacement ------------------------------------

WORDS = "The model `x` does not exist or you do not have access to it."


@pytest.mark.parametrize(
    ("endpoint", "reply", "flag", "old", "new"),
    [
        pytest.param("image", GONE, "--image-model", DRAWER, NEW_DRAWER, id="image, 404"),
        pytest.param(
            "image",
            refusal(400, WORDS),
            "--image-model",
            DRAWER,
            NEW_DRAWER,
            id="image, 400 in words",
        ),
        pytest.param(
            "image",
            Reply(200, {"error": {"message": "model is unknown", "code": 404}}),
            "--image-model",
            DRAWER,
            NEW_DRAWER,
            id="image, inside a 200",
        ),
        pytest.param("create", GONE, "--video-model", VEO, NEW_VEO, id="video, 404"),
        pytest.param(
            "create", refusal(400, WORDS), "--video-model", VEO, NEW_VEO, id="video, 400 in words"
        ),
        pytest.param(
            "create",
            Reply(200, {"error": {"message": WORDS, "code": "model_not_found"}}),
            "--video-model",
            VEO,
            NEW_VEO,
            id="video, inside a 200",
        ),
    ],
)
def test_next_is_the_same_command_with_the_replacement_and_nothing_is_paid_twice(
    gateway: Gateway, endpoint: str, reply: Reply, flag: str, old: str, new: str
) -> None:
    if reply.status == 200:  # said to be no success, so not billed
        reply = Reply(200, reply.json, accepted=False)
    gateway.will(endpoint, reply)
    gone = make(gateway)
    assert (gone.code, gone.json["error"]["kind"]) == (10, "rejected"), gone.err
    assert gone.json["error"]["charged"] == "no"
    assert new in gone.json["error"]["hint"]
    assert gone.json["replacement"] == new
    assert "unknown_model" not in gone.json
    assert f"{flag}={new}" in gone.json["next"]
    done = follow(gone.json["next"], gateway)
    assert (done.code, gateway.billed) == (0, EACH), done.err
    assert [request.body["model"] for request in gateway.of(endpoint)] == [old, new]
    assert done.json["output"] in gone.json["next"]
    assert len(list(Path.cwd().rglob("*.mp4"))) == len(list(Path.cwd().rglob("anchor*.png"))) == 1


def test_both_models_may_be_gone_one_after_the_other(gateway: Gateway) -> None:
    gateway.will("image", GONE)
    gateway.will("create", GONE)
    words = [f"--prompt={PROMPT}", "--style", "anime", "--image-model", DRAWER, "--json"]
    first = run("factorized_generate", *words, gateway=gateway)
    second = follow(first.json["next"], gateway)
    assert (second.code, second.json["replacement"]) == (10, NEW_VEO)
    done = follow(second.json["next"], gateway)
    assert (done.code, gateway.billed) == (0, EACH), done.err
    assert gateway.of("image")[-1].body["model"] == NEW_DRAWER
    assert follow(second.json["next"], gateway).json["reused"] is True


@pytest.mark.parametrize(
    ("script", "words", "endpoint", "new"),
    [
        ("generate_anchor", [CAPTION, "--model", DRAWER, "--json"], "image", NEW_DRAWER),
        ("generate_anchor", [CAPTION, "--output=a.png", "--json"], "image", NEW_DRAWER),
        ("generate_video_from_anchor", animating(), "create", NEW_VEO),
        (
            "generate_video_from_anchor",
            ["--anchor=mine.png", "--prompt=x", "--json"],
            "create",
            NEW_VEO,
        ),
    ],
)
def test_each_stage_alone_offers_the_replacement_too(
    gateway: Gateway, script: str, words: list[str], endpoint: str, new: str
) -> None:
    own_picture()
    gateway.will(endpoint, GONE)
    gone = run(script, *words, gateway=gateway)
    assert (gone.code, gone.json["replacement"]) == (10, new)
    done = follow(gone.json["next"], gateway)
    assert (done.code, gateway.billed) == (0, {endpoint: 1}), done.err
    assert gateway.of(endpoint)[-1].body["model"] == new
    assert "--output" not in str(words) or done.json["output"] == str(
        Path(next(w for w in words if "--output" in w).partition("=")[2]).absolute()
    )


@pytest.mark.parametrize(
    ("args", "reply"),
    [
        pytest.param((), refusal(400, "duration must be 8"), id="about something else"),
        pytest.param((f"--video-model={SEEDANCE}",), GONE, id="without a replacement"),
        pytest.param(("--video-model=made-up/model",), GONE, id="of nobody"),
    ],
)
def test_other_rejections_offer_no_replacement(
    gateway: Gateway, args: tuple[str, ...], reply: Reply
) -> None:
    gateway.will("create", reply)
    rejected = own(gateway, *args)
    assert (rejected.code, rejected.json["next"], gateway.billed) == (10, None, {})
    assert "replacement" not in rejected.json
    assert own(gateway, *args).code == 0, "nothing stands in the way of the same command"


@pytest.mark.parametrize("script", ["rewrite_prompt", "factorized_generate"])
def test_an_llm_that_is_gone_has_a_replacement_too(gateway: Gateway, script: str) -> None:
    gateway.will("chat", GONE)
    words = [PROMPT, f"--model={OLD_LLM}", "--json"]
    if script.startswith("fact"):
        words = making(f"--llm-model={OLD_LLM}", "--stop-after=caption")
    gone = run(script, *words, gateway=gateway)
    assert (gone.code, NEW_LLM in (gone.json["next"] or "")) == (10, True)


def test_a_rejected_chat_has_the_documented_keys_only(gateway: Gateway) -> None:
    gateway.will("chat", GONE)
    assert "unknown_model" not in run("rewrite_prompt", PROMPT, "--json", gateway=gateway).json


@pytest.mark.parametrize("status", [200, 400])
def test_a_model_may_be_gone_by_the_code_alone(gateway: Gateway, status: int) -> None:
    error = {"error": {"message": "No such resource.", "code": "model_not_found"}}
    gateway.will("create", Reply(status, error, accepted=False))
    assert own(gateway).json.get("replacement") == NEW_VEO


def test_next_can_be_run_where_the_replacement_does_not_support_a_given_value(
    gateway: Gateway,
) -> None:
    gateway.will("create", GONE)
    gone = own(gateway, f"--video-model={SEEDANCE_1}", "--duration=2")
    assert (gone.code, gone.json["replacement"]) == (10, SEEDANCE)
    assert gone.json["next"] is None or follow(gone.json["next"], gateway).code == 0


def test_next_can_be_run_where_the_caption_stood_behind_two_dashes(gateway: Gateway) -> None:
    gateway.will("image", GONE)
    gone = run("generate_anchor", "--json", "--", "-a cat", gateway=gateway)
    assert follow(gone.json["next"], gateway).code == 0


# --- an upgrade never makes anyone pay again ------------------------------------------------------


def submitted(gateway: Gateway, model: str | None, script: str, **typed: Any) -> list[str]:
    """A receipt of a job that was submitted before, for this model; and the command again."""
    anchor = given_images.read("--anchor", "mine.png")
    request = RunRequest(PROMPT, anchor=anchor, video_model=model, settings=ClipSettings(**typed))
    digest = request.clip(None, anchor).digest(GATEWAY)
    kept: dict[str, object] = {}
    if script == "factorized_generate":
        kept = {"pipeline": {"digest": request.digest(GATEWAY), "files": {}}}
    cost = {"amount": 2.4, "currency": "USD", "kind": "estimated"}
    written = {
        "schema_version": 1,
        "stage": "synthesis",
        "state": "submitted",
        "digest": digest,
        "created_at": "2026-09-01T10:00:00Z",
        "job": "job-7",
        "model": model or VEO,
        "gateway": GATEWAY,
        "inputs": {"prompt": PROMPT, "anchor": {"sha256": anchor.sha256 if anchor else ""}},
        "sent": {"prompt": PROMPT, "duration_s": 6},
        "cost": cost,
        "error": None,
        **kept,
    }
    Path("cat.mp4.receipt.json").write_text(json.dumps(written), encoding="utf-8")
    gateway.jobs["job-7"] = {"id": "job-7"}
    flags = [f"--{name.replace('_', '-')}={value}" for name, value in typed.items()]
    if script == "factorized_generate":
        return making(OWN, *flags, *([f"--video-model={model}"] if model else []))
    return animating(*flags, *([f"--model={model}"] if model else []))


@pytest.mark.parametrize("script", ["factorized_generate", "generate_video_from_anchor"])
@pytest.mark.parametrize(
    ("model", "size", "typed"),
    [
        pytest.param(SORA, (1280, 720), {}, id="off now"),
        pytest.param(None, (1280, 720), {"duration": 5}, id="5 s, which it does not make now"),
        pytest.param(None, (1280, 720), {"aspect_ratio": "4:3"}, id="4:3, likewise"),
        pytest.param(None, (1280, 720), {"resolution": "4k"}, id="4k, likewise"),
        pytest.param(None, (800, 800), {}, id="a crop of more than a tenth"),
        pytest.param(None, (800, 800), {"aspect_ratio": "16:9"}, id="likewise, typed"),
        pytest.param(SEEDANCE_1, (1280, 720), {"audio": True}, id="sound, which it never makes"),
    ],
)
def test_a_job_that_was_submitted_is_fetched_whatever_models_take_now(
    gateway: Gateway, script: str, model: str | None, size: tuple[int, int], typed: dict[str, Any]
) -> None:
    Path("mine.png").write_bytes(png(size))
    words = submitted(gateway, model, script, **typed)
    words = ["--audio" if word == "--audio=True" else word for word in words]
    fetched = run(script, *words, "--max-cost=0", gateway=gateway)
    assert (fetched.code, fetched.json["job"], gateway.sent) == (0, "job-7", {}), fetched.err
    assert Path("cat.mp4").exists()
    assert (receipt()["state"], receipt()["job"]) == ("succeeded", "job-7")
    asked_before = len(gateway.requests)
    again = run(script, *words, gateway=gateway)
    assert (again.code, again.json["reused"], len(gateway.requests)) == (0, True, asked_before)


@pytest.mark.parametrize("script", ["factorized_generate", "generate_video_from_anchor"])
def test_a_new_run_of_the_same_is_refused(gateway: Gateway, script: str) -> None:
    own_picture()
    words = submitted(gateway, SORA, script)
    Path("cat.mp4.receipt.json").unlink()
    assert (run(script, *words, gateway=gateway).code, gateway.requests) == (2, [])


@pytest.mark.parametrize(
    "model",
    [
        pytest.param(LLM, id="the LLM"),
        pytest.param(DRAWER, id="the image model"),
        pytest.param(VEO, id="the video model"),
    ],
)
def test_a_run_that_waits_for_its_clip_is_fetched_though_a_model_was_shut_down(
    gateway: Gateway, later: Skill, model: str
) -> None:
    gateway.ends_after = None
    assert make(gateway, "--no-wait").code == 4
    gateway.ends_after = 0
    later.knows(model, **OFF)
    fetched = later.make(gateway)
    assert (fetched.code, gateway.billed) == (0, EACH), fetched.err


@pytest.mark.parametrize("model", [LLM, DRAWER])
def test_a_half_finished_run_goes_on_though_the_model_of_a_made_stage_was_shut_down(
    gateway: Gateway, later: Skill, model: str
) -> None:
    assert make(gateway, "--stop-after=anchor").code == 0
    later.knows(model, **OFF)
    done = later.make(gateway)
    assert (done.code, gateway.billed) == (0, EACH), done.err


@pytest.mark.parametrize("what", ["the answer was lost", "the file is gone"])
def test_a_clip_that_is_paid_for_is_found_though_its_model_was_shut_down(
    gateway: Gateway, later: Skill, what: str
) -> None:
    gateway.clock_ahead_s = 0
    if what == "the answer was lost":
        gateway.will("create", Reply(fault="reset"))
        gateway.always("list", Reply(503))
        assert own(gateway).code == 8
        gateway.mend()
    else:
        assert own(gateway).code == 0
        Path("cat.mp4").unlink()
    later.knows(VEO, **OFF)
    found = later.make(gateway, OWN)
    assert (found.code, gateway.billed) == (0, {"create": 1}), found.err


@pytest.mark.parametrize(
    ("script", "words"),
    [
        pytest.param("rewrite_prompt", [PROMPT, "--output=out.txt", "--json"], id="stage 1"),
        pytest.param("generate_anchor", [CAPTION, "--output=out.png", "--json"], id="stage 2"),
        pytest.param("generate_video_from_anchor", animating(), id="stage 3"),
    ],
)
def test_what_a_stage_has_made_is_returned_though_its_model_was_shut_down(
    gateway: Gateway, later: Skill, script: str, words: list[str]
) -> None:
    own_picture()
    assert run(script, *words, gateway=gateway).code == 0
    sent = gateway.sent
    for model in (LLM, DRAWER, VEO):
        later.knows(model, **OFF)
    again = later.run(script, *words, gateway=gateway)
    assert (again.code, gateway.sent) == (0, sent), again.err
    assert again.json["reused"] is True


def test_a_price_that_went_up_makes_nothing_that_is_made_cost_more(
    gateway: Gateway, later: Skill
) -> None:
    assert make(gateway, "--stop-after=anchor").code == 0
    dear = {"unit": "image", "usd": 90.0, "as_of": "2026-12-01", "source": "a page"}
    later.knows(DRAWER, prices=[dear])
    assert later.make(gateway, "--max-cost=2.5399").code == 0
    assert gateway.billed == EACH
