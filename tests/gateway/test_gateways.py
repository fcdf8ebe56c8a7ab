"""What is the same at every gateway, what each lacks, and that a new one is one file."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest
import speech as speeches
from conftest import KEY, SCRIPTS, Run, environment, run
from factorized_video import models
from loopback import CAPTION, Gateway, Reply, clip, png
from speech import Asked, Request, Rows, Speech, Standing, Wrong

pytestmark = pytest.mark.thorough

PROMPT = "A cat jumping from a bookshelf to the couch"


@pytest.fixture(params=speeches.NAMES)
def any_gateway(request: pytest.FixtureRequest) -> Iterator[Gateway]:
    """Each of the four, with a key of its own."""
    with Gateway(request.param) as server:
        server.key = KEY
        yield server


def named(gateway: Gateway) -> list[str]:
    """The orchestrator's model flags, where the gateway has no defaults."""
    return [f"--{kind}-model={model}" for kind, model in gateway.speech.models.items()]


def make(gateway: Gateway, *words: str, **options: Any) -> Run:
    """The orchestrator with --json, to cat.mp4."""
    told = [f"--prompt={PROMPT}", "--output=cat.mp4", "--json", *named(gateway), *words]
    return run("factorized_generate", *told, gateway=gateway, **options)


def animate(gateway: Gateway, *words: str, model: bool = True) -> Run:
    """Stage 3 with --json, from a picture of one's own to clip.mp4."""
    Path("mine.png").write_bytes(png((1280, 720), 9))
    told = ["--anchor=mine.png", f"--prompt={PROMPT}", "--output=clip.mp4", "--json", *words]
    if model and gateway.speech.models:
        told.append(f"--model={gateway.speech.models['video']}")
    return run("generate_video_from_anchor", *told, gateway=gateway)


def receipt(path: str) -> dict[str, Any]:
    data = json.loads(Path(f"{path}.receipt.json").read_text(encoding="utf-8"))
    assert isinstance(data, dict)
    return data


# --- the same at all ------------------------------------------------------------------------------


def test_a_whole_run_ends_alike_at_every_gateway(any_gateway: Gateway) -> None:
    done = make(any_gateway)
    assert done.code == 0, done.err
    result = done.json
    assert Path("cat.mp4").read_bytes() == clip()
    assert Path("cat.stages/caption.txt").read_text(encoding="utf-8") == CAPTION + "\n"
    assert Path("cat.stages/anchor.png").read_bytes() == png((1280, 720), 0)
    assert result["gateway"] == any_gateway.dialect
    assert result["anchor_fidelity"] > 0.9
    assert [stage["stage"] for stage in result["stages"]] == [
        "reasoning",
        "composition",
        "synthesis",
    ]
    assert any_gateway.billed == {"chat": 1, "image": 1, "create": 1}
    # One free read comes before the first paid call.
    endpoints, check = [one.endpoint for one in any_gateway.requests], any_gateway.speech.check
    assert (endpoints[:2], endpoints.count(check)) == ([check, "chat"], 1)
    # The generated picture is the one that is animated, with the words of the plan.
    asked = any_gateway.speech.asked(any_gateway.of("create")[0])
    assert asked.frame == png((1280, 720), 0)
    assert asked.prompt.startswith(PROMPT)
    assert asked.duration_s == 6
    again = make(any_gateway)
    assert (again.code, again.json["reused"]) == (0, True)
    assert any_gateway.billed == {"chat": 1, "image": 1, "create": 1}


def test_the_cost_of_a_clip_is_what_the_gateway_reports(any_gateway: Gateway) -> None:
    done = animate(any_gateway)
    assert done.code == 0, done.err
    told = any_gateway.speech.clip_usd
    known = models.gateway(any_gateway.dialect).reports_cost
    assert (told is not None) is bool(known)
    kept = receipt("clip.mp4")
    if told is None:
        assert kept["cost"]["kind"] != "actual"
        assert ("report what a clip cost" in done.json["gateway_cannot"]) is (known is False)
    else:
        assert kept["cost"] == {"amount": told, "currency": "USD", "kind": "actual"}
    assert done.json["cost"] == kept["cost"]


def test_the_result_lists_what_a_gateway_lacks(any_gateway: Gateway) -> None:
    lacks = list(models.gateway(any_gateway.dialect).cannot)
    plan = make(any_gateway, "--dry-run")
    assert plan.json["gateway_cannot"] == lacks
    assert plan.json["gateway_why"] == "--gateway"
    done = animate(any_gateway)
    assert done.json["gateway_cannot"] == lacks


def test_a_run_that_was_left_resumes_and_fetches(any_gateway: Gateway) -> None:
    any_gateway.ends_after = 2
    left = make(any_gateway, "--no-wait")
    assert left.code == 4, left.err
    kept = receipt("cat.mp4")
    job = next(iter(any_gateway.jobs))
    assert (kept["state"], kept["job"]) == ("submitted", any_gateway.speech.kept_as(job))
    assert make(any_gateway).code == 0
    assert any_gateway.billed["create"] == 1


def test_a_job_is_taken_over_by_its_id(any_gateway: Gateway) -> None:
    assert animate(any_gateway, "--no-wait").code == 4
    job = receipt("clip.mp4")["job"]
    Path("clip.mp4.receipt.json").unlink()
    done = animate(any_gateway, f"--job={job}")
    assert done.code == 0, done.err
    assert any_gateway.billed == {"create": 1}


# --- before the first paid call -------------------------------------------------------------------


def test_a_wrong_key_is_found_before_anything_is_paid_for(any_gateway: Gateway) -> None:
    any_gateway.key = "another"
    done = make(any_gateway)
    assert (done.code, done.json["error"]["kind"]) == (3, "auth"), done.err
    assert any_gateway.sent == {}
    assert "did not accept the key" in done.json["error"]["hint"]
    assert not list(Path.cwd().rglob("*.receipt.json"))


def test_a_gateway_that_answers_with_a_page_is_none(any_gateway: Gateway) -> None:
    page = Reply(body=b"<!doctype html><title>Sign in to the hotel's network</title>")
    any_gateway.always(any_gateway.speech.check, page)
    done = make(any_gateway)
    assert (done.code, any_gateway.sent) == (6, {}), done.err


def test_a_server_without_that_call_is_not_checked(any_gateway: Gateway) -> None:
    any_gateway.always(any_gateway.speech.check, Reply(404, json={"error": {"message": "no"}}))
    assert animate(any_gateway).code == 0


def test_an_empty_account_and_a_low_one(any_gateway: Gateway) -> None:
    if not any_gateway.speech.tells_balance:
        pytest.skip("it tells no balance")
    any_gateway.balance_usd = 0.0
    done = make(any_gateway)
    assert (done.code, any_gateway.sent) == (3, {}), done.err
    assert "no credit left" in done.json["error"]["message"]
    any_gateway.balance_usd = 1.0
    low = animate(any_gateway)
    assert low.code == 0
    assert any("The balance at" in warning for warning in low.json["warnings"])


def test_setup_checks_the_same(any_gateway: Gateway) -> None:
    done = setup(any_gateway, "--check-key")
    assert done.returncode == 0, done.stderr
    balance = "balance USD 95.50" if any_gateway.speech.tells_balance else "balance not reported"
    assert balance in " ".join(done.stdout.split())
    assert [request.endpoint for request in any_gateway.requests] == [any_gateway.speech.check]
    any_gateway.key = "another"
    refused = setup(any_gateway, "--check-key", "--json")
    assert refused.returncode == 1
    assert "401" in refused.stdout
    assert KEY not in refused.stdout + refused.stderr


def setup(gateway: Gateway, *words: str) -> subprocess.CompletedProcess[str]:
    """setup.sh with the Python that runs the tests as python3."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    return subprocess.run(
        ["bash", str(SCRIPTS / "setup.sh"), f"--gateway={gateway.dialect}", *words],
        env=environment(gateway, {"PATH": path}),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


# --- models, seed, sound --------------------------------------------------------------------------


@pytest.fixture
def own() -> Iterator[Gateway]:
    """A server of one's own."""
    with Gateway("openai") as server:
        yield server


def test_the_only_model_of_a_server_is_the_one(own: Gateway) -> None:
    own.serves = ("Wan-AI/Wan2.2-I2V-A14B-Diffusers",)
    Path("mine.png").write_bytes(png((1280, 720), 9))
    words = ["--anchor-path=mine.png", f"--prompt={PROMPT}", "--output=cat.mp4", "--json"]
    # As in the README: no key, no --gateway, no model.
    bare: dict[str, str | None] = {
        "AI_GATEWAY_API_KEY": None,
        "AI_GATEWAY_BASE_URL": f"{own.root}/v1",
    }
    done = run("factorized_generate", *words, env=bare)
    assert done.code == 0, done.err
    assert (done.json["gateway"], done.json["model"]) == ("openai", own.serves[0])
    assert own.speech.asked(own.of("create")[0]).model == own.serves[0]
    assert "authorization" not in own.of("create")[0].headers


@pytest.mark.parametrize("serves", [(), ("one", "two")])
def test_no_model_or_several_are_a_question(own: Gateway, serves: tuple[str, ...]) -> None:
    own.serves = serves
    done = animate(own, model=False)
    assert (done.code, own.sent) == (2, {}), done.err
    assert all(name in done.json["error"]["message"] for name in serves)
    assert "--model" in done.json["error"]["hint"]


def test_missing_models_are_an_error_before_a_stage_is_paid_for(own: Gateway) -> None:
    done = run("factorized_generate", f"--prompt={PROMPT}", "--json", gateway=own)
    assert (done.code, own.requests) == (2, []), done.err
    for flag in ("--llm-model", "--image-model", "--video-model"):
        assert flag in done.json["error"]["hint"]


def test_a_seed_is_sent_where_there_is_a_field_for_it(any_gateway: Gateway) -> None:
    done = animate(any_gateway, "--seed=7")
    if models.gateway(any_gateway.dialect).seed is False:
        assert (done.code, any_gateway.requests) == (2, []), done.err
        assert "seed" in done.json["error"]["message"]
    else:
        assert done.code == 0, done.err
        assert str(any_gateway.of("create")[0].body["seed"]) == "7"
        assert receipt("clip.mp4")["sent"]["seed"] == 7


@pytest.mark.parametrize(
    ("dialect", "field", "model"),
    [
        ("vercel", "generateAudio", "google/veo-3.1-generate-001"),
        ("openrouter", "generate_audio", "google/veo-3.1"),
    ],
)
def test_sound_is_switched_in_the_call_where_it_can_be(
    dialect: str, field: str, model: str
) -> None:
    with Gateway(dialect) as gateway:
        plans = {
            word: animate(gateway, "--dry-run", *word.split()).json["cost"]["amount"]
            for word in ("", "--audio", "--no-audio")
        }
        assert plans[""] == plans["--audio"] > plans["--no-audio"] > 0
        for word, said in (("", None), ("--audio", True), ("--no-audio", False)):
            done = animate(gateway, *word.split(), "--overwrite")
            assert done.code == 0, done.err
            assert gateway.of("create")[-1].body.get(field) is said
            assert done.json["model"] == model
        # A model that always makes sound rejects the switch: it is removed here, or would be.
        always = animate(gateway, "--no-audio", "--dry-run", "--model=veo-3.1-generate-preview")
        assert "removed here" in json.dumps(always.json)


# --- what each has of its own ---------------------------------------------------------------------


def test_openrouter_is_polled_at_the_address_that_it_gave(any_gateway: Gateway) -> None:
    if any_gateway.dialect != "openrouter":
        pytest.skip("only OpenRouter tells a polling URL")
    any_gateway.always(
        "create",
        Reply(
            202,
            json={
                "id": "job-1",
                "polling_url": "/api/v1/videos/job-1?from=eu",
                "status": "pending",
            },
        ),
    )
    assert animate(any_gateway, "--no-wait").code == 4
    assert receipt("clip.mp4")["address"] is None, "its query may be a signature"
    assert [request.path for request in any_gateway.of("status")] == [
        "/api/v1/videos/job-1?from=eu"
    ]


MANNERS = [
    (dialect, manner) for dialect in speeches.NAMES for manner in speeches.load(dialect).manners
]


@pytest.mark.parametrize(("dialect", "manner"), MANNERS)
def test_the_manners_of_single_servers(dialect: str, manner: str) -> None:
    """A clip, and a job that fails, as this server reports them."""
    with Gateway(dialect) as gateway:
        gateway.key = KEY
        for name, value in gateway.speech.manners[manner].items():
            setattr(gateway.speech, name, value)
        done = animate(gateway)
        assert done.code == 0, done.err
        assert Path("clip.mp4").read_bytes() == clip()
        kept = receipt("clip.mp4")
        if manner == "LiteLLM":
            assert kept["cost"] == {"amount": 0.9, "currency": "USD", "kind": "actual"}
            assert gateway.of("create")[0].headers["x-litellm-num-retries"] == "0"
        gateway.ending = {"status": "failed", "error": "GPU lost"}
        failed = animate(gateway, "--take=2", "--overwrite")
        assert failed.code == 11, failed.err
        assert "GPU lost" in failed.json["error"]["message"]
        assert gateway.billed["create"] == 2


def test_another_image_model_has_another_call(any_gateway: Gateway) -> None:
    for number, model in enumerate(any_gateway.speech.other_image_models):
        name = f"anchor-{number}.png"
        done = run(
            "generate_anchor",
            CAPTION,
            f"--output={name}",
            "--json",
            f"--model={model}",
            gateway=any_gateway,
        )
        assert done.code == 0, done.err
        assert Path(name).read_bytes() in [png((1280, 720), draw) for draw in range(3)]
        asked = any_gateway.speech.asked(any_gateway.of("image")[-1])
        assert (asked.model, asked.shape) == (done.json["model"], "16:9")


def test_warnings_of_a_gateway_are_shown() -> None:
    with Gateway("vercel") as gateway:
        unsupported = {"type": "unsupported", "feature": "aspectRatio", "details": "of no use"}
        reply = gateway.speech.created(Standing("running"))
        assert isinstance(reply.json, dict)
        gateway.always("create", Reply(json={**reply.json, "warnings": [unsupported]}))
        done = animate(gateway, "--no-wait")
        said = "The gateway says: \u201cunsupported: aspectRatio: of no use\u201d"
        assert said in done.json["warnings"]


# --- cancelling -----------------------------------------------------------------------------------


def running(gateway: Gateway) -> None:
    gateway.ends_after = None
    assert animate(gateway, "--no-wait").code == 4


def cancel(gateway: Gateway, what: str = "clip.mp4.receipt.json", *words: str) -> Run:
    return run("factorized_generate", f"--cancel={what}", "--json", *words, gateway=gateway)


def test_cancelling_where_there_is_no_call_for_it(any_gateway: Gateway) -> None:
    if models.gateway(any_gateway.dialect).cancel:
        pytest.skip("it has one")
    running(any_gateway)
    done = cancel(any_gateway)
    assert (done.code, done.json["status"]) == (4, "running"), done.err
    assert "has no call that cancels" in done.json["error"]["message"]
    assert "generate_video_from_anchor.py" in done.json["next"]
    assert receipt("clip.mp4")["state"] == "submitted"


@pytest.mark.parametrize(
    ("manner", "what", "code"),
    [
        ("SGLang", "clip.mp4", 0),
        ("vLLM-Omni", "clip.mp4.receipt.json", 0),
        ("LiteLLM", "clip.mp4.receipt.json", 4),
    ],
)
def test_cancelling_at_a_server_of_ones_own(
    own: Gateway, manner: str, what: str, code: int
) -> None:
    for name, value in own.speech.manners[manner].items():
        setattr(own.speech, name, value)
    running(own)
    done = cancel(own, what)
    assert done.code == code, done.err
    assert len(own.of("cancel")) == 1
    if code:
        assert receipt("clip.mp4")["state"] == "submitted"
        return
    assert receipt("clip.mp4")["state"] == "failed"
    again = animate(own)
    assert (again.code, own.billed["create"]) == (11, 1), again.err
    assert "was cancelled" in again.json["error"]["message"]
    own.ends_after = 1
    assert animate(own, "--resubmit").code == 0
    assert own.billed["create"] == 2


def test_a_finished_job_is_never_cancelled(own: Gateway) -> None:
    """At some servers that would delete the clip that is paid for."""
    running(own)
    own.ends_after = 0
    done = cancel(own)
    assert (done.code, own.of("cancel")) == (2, []), done.err
    assert "has succeeded already" in done.json["error"]["message"]
    assert animate(own).code == 0


def test_a_server_that_would_not_cancel(own: Gateway) -> None:
    running(own)
    own.always("cancel", Reply(400, json={"error": {"message": "not in this state"}}))
    done = cancel(own)
    assert done.code == 4, done.err
    assert "not in this state" in done.json["error"]["message"]
    assert receipt("clip.mp4")["state"] == "submitted"


def test_what_cannot_be_cancelled(own: Gateway) -> None:
    for what in ("nothing.mp4", "mine.png"):
        assert cancel(own, what).code == 2
    assert animate(own).code == 0
    finished = cancel(own)
    assert (finished.code, own.of("cancel")) == (2, [])
    assert "succeeded" in finished.json["error"]["message"]
    assert cancel(own, "clip.mp4", "--prompt=a cat").code == 2


def test_another_gateway_than_the_jobs_is_not_contacted(own: Gateway) -> None:
    running(own)
    with Gateway("happycapy") as another:
        done = run("factorized_generate", "--cancel=clip.mp4", "--json", gateway=another)
        assert (done.code, another.requests) == (2, []), done.err
        assert "--gateway openai" in done.json["error"]["hint"]


# --- a fifth --------------------------------------------------------------------------------------

ACME = '''
"""A made-up gateway: everything is a POST to one place, and says what it is."""

from __future__ import annotations

import base64

from ..reply_parsing import json_object, unreadable
from ..types import About, Account, ChatReply, ImageReply, Job
from ._dialect import Dialect
from ._shared import encoded


def _told(reply):
    told = json_object(reply).get("told")
    if not isinstance(told, dict):
        raise unreadable(reply, "something that Acme does not say")
    return told


class Acme(Dialect):
    ABOUT = About("Acme", {}, (".acme.example",), key_prefix="acme_", idempotent=True)
    HEADERS = {"x-acme": "1"}

    def _ask(self, what, **told):
        return self.post("video", "/rpc", {"what": what, **told})

    def encode_chat(self, request):
        words = [m["content"] for m in request.messages]
        return self._ask("chat", model=request.model, words=words)

    def decode_chat(self, reply):
        return ChatReply(_told(reply)["text"], "stop", 0.01, None, None)

    def encode_image(self, request):
        return self._ask(
            "image", model=request.model, prompt=request.prompt, shape=request.aspect_ratio
        )

    def decode_image(self, reply):
        return ImageReply(base64.b64decode(_told(reply)["picture"]), None, 0.04, None)

    def encode_submit(self, request):
        return self._ask("create", model=request.model, prompt=request.prompt, shape=request.shape,
                         seconds=request.duration_s, frame=encoded(request.first_frame),
                         key=request.idempotency_key)

    def decode_submit(self, reply):
        return Job(_told(reply)["job"], "running")

    def encode_status(self, job):
        return self._ask("status", job=job.id)

    def decode_status(self, reply):
        told = _told(reply)
        return Job("", told["state"], told["state"], told.get("at"), error=told.get("error"),
                   cost=0.5)

    def encode_models(self):
        return self._ask("models")

    def decode_models(self, reply):
        return _told(reply)["models"]

    def encode_check(self):
        return self._ask("check")

    def decode_check(self, reply):
        return Account(_told(reply)["balance"])


DIALECT = Acme()
'''


class Acme(Speech):
    """The other side of it."""

    name = "acme"
    heeds_keys = True
    tells_balance = True
    models: ClassVar = {"llm": "acme/words", "image": "acme/brush", "video": "acme/film"}
    clip_usd = 0.5

    def endpoint(self, method: str, path: str, body: Any) -> str:
        return str(body.get("what")) if path == "/rpc" else super().endpoint(method, path, body)

    def job_in(self, request: Request) -> str:
        return str(request.body.get("job") or super().job_in(request))

    def key_of(self, request: Request) -> str | None:
        return str(request.body["key"])

    def asked(self, request: Request) -> Asked:
        import base64

        body: dict[str, Any] = request.body
        frame = base64.b64decode(body["frame"]) if "frame" in body else None
        return Asked(body["model"], body["prompt"], body["shape"], body.get("seconds"), None, frame)

    def chat(self, text: str, cost: float | None) -> Reply:
        return Reply(json={"told": {"text": text}})

    def image(self, request: Request, drawn: Any) -> Reply:
        return Reply(json={"told": {"picture": speeches.in_base64(drawn.data)}})

    def created(self, job: Standing) -> Reply:
        return Reply(json={"told": {"job": job.id}})

    def status(self, job: Standing) -> Reply:
        return Reply(json={"told": {"state": job.state, "at": job.url, "error": job.error}})

    def checked(self, balance_usd: float, jobs: Rows) -> Reply:
        return Reply(json={"told": {"balance": balance_usd}})

    def served(self, ids: tuple[str, ...]) -> Reply:
        return Reply(json={"told": {"models": list(ids)}})

    def error(self, status: int, wrong: Wrong) -> Reply:
        return Reply(status, {"error": wrong.message})


def test_a_fifth_gateway_is_one_file(tmp_path: Path) -> None:
    """Nothing else is changed: it is spoken, priced by what it says, resumed, and asked for its
    list; and a lost start is sent again with its key, since it says that it heeds one."""
    skill = tmp_path / "skill"
    shutil.copytree(SCRIPTS, skill / "scripts", ignore=shutil.ignore_patterns("__pycache__"))
    new = skill / "scripts/factorized_video/gateway/dialects/acme.py"
    new.write_text(ACME, encoding="utf-8")

    with Gateway(Acme()) as gateway:
        gateway.key = "acme_0123456789"

        def acme(*words: str) -> Run:
            told = {"AI_GATEWAY_API_KEY": "acme_0123456789"}
            script = str(skill / "scripts/factorized_generate.py")
            ended = subprocess.run(
                [sys.executable, script, "--json", "--gateway=acme", *words],
                env=environment(gateway, told),
                capture_output=True,
                timeout=60,
                check=False,
            )
            return Run(ended.returncode, ended.stdout.decode(), ended.stderr.decode())

        making = [f"--prompt={PROMPT}", "--output=cat.mp4", *named(gateway)]
        gateway.will("create", Reply(fault="reset"))
        done = acme(*making)
        assert done.code == 0, done.err
        assert Path("cat.mp4").read_bytes() == clip()
        assert gateway.billed == {"chat": 1, "image": 1, "create": 1}
        assert any("same idempotency key" in warning for warning in done.json["warnings"])
        assert done.json["cost"] == {"amount": 0.55, "currency": "USD", "kind": "actual"}
        assert acme(*making).json["reused"] is True
        online = acme("--list-models", "--online")
        assert set(gateway.speech.models.values()) <= set(
            online.json["online"]["not_in_the_registry"]
        )
        helped = subprocess.run(
            [sys.executable, str(skill / "scripts/factorized_generate.py"), "--help"],
            capture_output=True,
            text=True,
            check=True,
        )
        assert "{auto,demo,acme,happycapy,openai,openrouter,vercel}" in helped.stdout
