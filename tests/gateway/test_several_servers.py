"""Chat, pictures and clips at servers of one's own, each with an address and a key of its own."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from conftest import SCRIPTS, Run, environment, run
from factorized_video.errors import AuthError, UsageError
from factorized_video.gateway import settings
from factorized_video.gateway.lookup import BASE, KEY, SERVICES, base_of, key_of
from factorized_video.gateway.settings import Settings
from loopback import Gateway, Reply

PROMPT = "A tabby cat jumps down from a bookshelf."
CHAT, IMAGE, VIDEO = "https://chat.example/v1", "https://image.example/v1", "https://gpu.example/v1"
MADE_BY = {"chat": "llm", "image": "image", "video": "i2v"}
ENDPOINTS = {
    "chat": {"models", "chat"},
    "image": {"models", "image"},
    "video": {"models", "create", "status", "file"},
}


def resolved(
    tmp_path: Path,
    environ: dict[str, str],
    gateway: str = "auto",
    files: Mapping[str, Mapping[str, str]] = {},
) -> Settings:
    """The settings with these files: `skill`, `project`."""
    folders = {name: tmp_path / name for name in ("skill", "project")}
    for name, folder in folders.items():
        folder.mkdir()
        lines = files.get(name, {})
        (folder / ".env").write_text("".join(f"{key}={one}\n" for key, one in lines.items()))
    return settings.resolve(gateway, environ, folders["skill"], folders["project"])


# -- which address, and which key ------------------------------------------------------------------

OWN_VIDEO = {base_of("video"): VIDEO, key_of("video"): "v-key"}
ALL_AT = {BASE: "https://all.example/v1", KEY: "all-key"}


@pytest.mark.parametrize(
    ("environ", "files", "expected"),
    [
        pytest.param(
            {base_of("chat"): CHAT, base_of("image"): IMAGE, base_of("video"): VIDEO, KEY: "one"},
            {},
            {"chat": (CHAT, "one"), "image": (IMAGE, "one"), "video": (VIDEO, "one")},
            id="one key for three",
        ),
        pytest.param(
            {**ALL_AT, **OWN_VIDEO},
            {},
            {
                "chat": (ALL_AT[BASE], "all-key"),
                "image": (ALL_AT[BASE], "all-key"),
                "video": (VIDEO, "v-key"),
            },
            id="clips elsewhere",
        ),
        pytest.param(
            {**ALL_AT, key_of("video"): "v-key", base_of("chat"): CHAT},
            {},
            {
                "chat": (CHAT, "all-key"),
                "image": (ALL_AT[BASE], "all-key"),
                "video": (ALL_AT[BASE], "v-key"),
            },
            id="a key of its own at the one address",
        ),
        pytest.param(
            {base_of("video"): VIDEO},
            {},
            {"chat": ("", None), "image": ("", None), "video": (VIDEO, None)},
            id="only clips, no key",
        ),
        pytest.param(
            {base_of("video"): VIDEO, KEY: "vck_0123"},
            {},
            {"video": (VIDEO, None)},
            id="a known gateway's key stays at home",
        ),
        pytest.param(
            {base_of("video"): VIDEO, KEY: "one"},
            {"skill": OWN_VIDEO},
            {"video": (VIDEO, "one")},
            id="the environment's key is the nearest",
        ),
        pytest.param(
            {},
            {"skill": OWN_VIDEO, "project": {base_of("video"): IMAGE, key_of("video"): "p-key"}},
            {"video": (VIDEO, "v-key")},
            id="the skill's file before the project's",
        ),
        pytest.param(
            {BASE: ALL_AT[BASE]},
            {"skill": {**OWN_VIDEO, KEY: "all-key"}},
            {"chat": (ALL_AT[BASE], "all-key"), "video": (VIDEO, "v-key")},
            id="a pair in a file stays together",
        ),
        pytest.param(
            {key_of("video"): "v-key"},
            {"skill": ALL_AT},
            {"chat": (ALL_AT[BASE], "all-key"), "video": (ALL_AT[BASE], "all-key")},
            id="a key does not go with an address from a file",
        ),
        pytest.param(
            {KEY: "mine"},
            {"project": {base_of("video"): VIDEO}, "skill": {BASE: CHAT}},
            None,
            id="a file's address without its key",
        ),
    ],
)
def test_each_service_has_its_address_and_its_key(
    tmp_path: Path,
    environ: dict[str, str],
    files: dict[str, dict[str, str]],
    expected: dict[str, tuple[str, str | None]] | None,
) -> None:
    found = resolved(tmp_path, environ, files=files)
    if expected is None:
        assert found.name == "happycapy"
        assert any(f"{base_of('video')} in " in text for text in found.warnings)
        return
    assert found.name == "openai"
    for service, (base, key) in expected.items():
        assert found.bases[service] == base.removesuffix("/v1"), service
        assert found.key_for(service) == key, service
    assert set(found.lacking) == {service for service in SERVICES if not found.bases[service]}


@pytest.mark.parametrize(
    ("environ", "error", "words"),
    [
        ({base_of("chat"): "https://openrouter.ai/api/v1"}, UsageError, base_of("chat")),
        ({base_of("video"): "http://10.0.0.9:8000", KEY: "one"}, UsageError, base_of("video")),
        ({base_of("video"): "gpu:8000"}, UsageError, base_of("video")),
        ({base_of("video"): VIDEO, key_of("video"): "vck_01"}, AuthError, key_of("video")),
        ({base_of("video"): VIDEO, BASE: "https://openrouter.ai"}, UsageError, BASE),
    ],
)
def test_the_rules_are_those_of_the_one_address(
    tmp_path: Path, environ: dict[str, str], error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        resolved(tmp_path, environ)


def test_a_key_for_one_service_is_for_servers_of_ones_own(tmp_path: Path) -> None:
    environ = {KEY: "sk-or-1", BASE: "https://openrouter.ai", key_of("video"): "v-key"}
    found = resolved(tmp_path, environ)
    assert (found.name, found.key_for("video"), found.keys) == ("openrouter", "sk-or-1", None)


def test_another_gateway_reads_past_them_and_says_so(tmp_path: Path) -> None:
    found = resolved(tmp_path, {**OWN_VIDEO, KEY: "vck_0123"}, "vercel")
    assert (found.name, found.key_for("video")) == ("vercel", "vck_0123")
    assert any(base_of("video") in text for text in found.warnings)


# -- a run -----------------------------------------------------------------------------------------


class Servers:
    """Three servers, each with a key of its own and one model."""

    def __init__(self, stack: ExitStack) -> None:
        self.of = {service: stack.enter_context(Gateway("openai")) for service in SERVICES}
        for service, server in self.of.items():
            server.key = f"{service}-key-Zq9FAKE"
            server.serves = (f"own/{MADE_BY[service]}",)

    @property
    def environ(self) -> dict[str, str | None]:
        """The variables that name them."""
        bases = {base_of(service): server.root for service, server in self.of.items()}
        return {**bases, **{key_of(service): server.key for service, server in self.of.items()}}

    def make(self, *words: str, script: str = "factorized_generate", **changes: str | None) -> Run:
        """Run a script with these; `changes` take a variable away or replace it."""
        return run(script, *words, "--json", env={**self.environ, **changes})

    def endpoints(self, service: str) -> set[str]:
        """What a server was asked."""
        return {request.endpoint for request in self.of[service].requests}

    @property
    def billed(self) -> int:
        """What all of them made."""
        return sum(server.billed.total() for server in self.of.values())


@pytest.fixture
def servers() -> Iterator[Servers]:
    with ExitStack() as stack:
        yield Servers(stack)


MAKE = (f"--prompt={PROMPT}", "--output=cat.mp4", "--no-filmstrip")


def test_a_run_asks_each_for_its_own_and_tells_no_other_its_key(servers: Servers) -> None:
    done = servers.make(*MAKE)
    assert done.code == 0, done.err
    for service, server in servers.of.items():
        assert servers.endpoints(service) == ENDPOINTS[service]
        keys = {request.headers.get("authorization") for request in server.requests}
        assert keys == {f"Bearer {server.key}"}
        port = server.root.rpartition(":")[2]
        path = {
            "chat": "cat.stages/caption.txt",
            "image": "cat.stages/anchor.png",
            "video": "cat.mp4",
        }[service]
        receipt = json.loads(Path(f"{path}.receipt.json").read_text(encoding="utf-8"))
        assert receipt["gateway"] == {"name": "openai", "host": "loopback", "port": port}
        assert receipt["model"] == server.serves[0]
    everything = done.out + "".join(
        path.read_text(encoding="utf-8") for path in Path().rglob("*.receipt.json")
    )
    assert "Zq9FAKE" not in everything


def test_another_server_for_clips_pays_for_no_other_caption(servers: Servers) -> None:
    """What decides the answer is in each digest: the rest of the run is as it was."""
    assert servers.make(*MAKE).code == 0
    with Gateway("openai") as other:
        moved: dict[str, Any] = {base_of("video"): other.root, key_of("video"): None}
        other.serves = ("own/i2v",)
        again = servers.make(*MAKE, **moved)
        assert (again.code, again.json["error"]["kind"]) == (2, "usage")  # it is another clip
        made = servers.make(*MAKE, "--overwrite", **moved)
    assert made.code == 0, made.err
    assert other.billed == {"create": 1}
    assert servers.billed == 3


def test_all_are_asked_before_anything_is_paid_for(servers: Servers) -> None:
    servers.of["video"].down()
    done = servers.make(*MAKE)
    assert (done.code, servers.billed) == (6, 0)
    assert servers.of["video"].root.removeprefix("http://") in done.json["error"]["message"]
    servers.of["video"].up()
    servers.of["image"].key = "another-one"
    done = servers.make(*MAKE, AI_GATEWAY_IMAGE_API_KEY="not-that-one")
    assert (done.code, servers.billed) == (3, 0)
    assert key_of("image") in done.json["error"]["hint"]


def test_a_server_that_a_run_does_not_need_may_be_down(servers: Servers) -> None:
    for service in ("chat", "image"):
        servers.of[service].down()
    assert run("generate_anchor", "A cat", "--output=a.png", "--gateway=demo").code == 0
    done = servers.make(*MAKE, "--anchor-path=a.png")
    assert done.code == 0, done.err


@pytest.mark.parametrize("lacking", SERVICES)
def test_a_service_without_a_server_is_said_before_anything_is_sent(
    servers: Servers, lacking: str
) -> None:
    without: dict[str, Any] = {base_of(lacking): None}
    done = servers.make(*MAKE, **without)
    assert (done.code, done.json["error"]["kind"]) == (2, "usage")
    assert base_of(lacking) in done.json["error"]["hint"]
    assert not any(server.requests for server in servers.of.values())


def test_a_plan_names_them(servers: Servers) -> None:
    done = run("factorized_generate", *MAKE, "--dry-run", env=servers.environ)
    assert done.code == 0, done.err
    for server in servers.of.values():
        assert server.root.removeprefix("http://") in done.out
    assert not any(server.requests for server in servers.of.values())


def test_a_result_elsewhere_gets_no_key(servers: Servers) -> None:
    """A server of pictures that names another one's address is not given that one's key."""
    other, drawing = servers.of["video"], servers.of["image"]
    drawing.always("image", Reply(json={"data": [{"url": f"{other.root}/files/x.png"}]}))
    done = servers.make(
        "A cat", "--output=a.png", script="generate_anchor", AI_GATEWAY_CHAT_BASE_URL=None
    )
    assert done.code == 0, done.err
    (asked,) = other.of("file")
    assert "authorization" not in asked.headers


def test_a_job_is_cancelled_where_it_is(servers: Servers) -> None:
    servers.of["video"].ends_after = None
    assert servers.make(*MAKE, "--no-wait").code == 4
    receipt = "--cancel=cat.mp4.receipt.json"
    elsewhere = servers.of["chat"].root
    assert servers.make(receipt, AI_GATEWAY_VIDEO_BASE_URL=elsewhere).code == 2
    assert servers.make(receipt).json["cancelled"]


# -- what a server lists ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("listed", "named", "warned"),
    [
        (("own/i2v", "own/image"), "own/i2v", False),
        (("/models/i2v/",), "own/i2v", False),
        (("own/*",), "own/i2v", False),
        ((), "own/i2v", False),
        (("own/other",), "own/i2v", True),
    ],
)
def test_a_model_that_the_server_does_not_list_is_a_warning(
    servers: Servers, listed: tuple[str, ...], named: str, warned: bool
) -> None:
    """SGLang answers to any name, with the model that it has."""
    servers.of["video"].serves = listed
    done = servers.make(*MAKE, f"--video-model={named}")
    assert done.code == 0, done.err
    assert any("does not list" in text for text in done.json["warnings"]) is warned


def test_each_list_is_shown(servers: Servers) -> None:
    done = servers.make("--list-models", "--online")
    assert done.code == 0, done.err
    assert all(server.serves[0] in done.out for server in servers.of.values())


def test_setup_checks_each(servers: Servers) -> None:
    environ = servers.environ
    servers.of["image"].key = "another-one"
    ended = subprocess.run(
        ["bash", str(SCRIPTS / "setup.sh"), "--check-key", "--json"],
        env=environment(env=environ),
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 1
    checks = {one["name"]: one for one in json.loads(ended.stdout)["checks"]}
    assert [checks[f"{one} key check"]["ok"] for one in SERVICES] == [True, False, True]
    assert key_of("image") in checks["image key check"]["mend"]
    for server in servers.of.values():
        assert server.root.removeprefix("http://") in checks["gateway"]["detail"]
