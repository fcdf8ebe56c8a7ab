"""Which gateway, which key, which address."""

from __future__ import annotations

from pathlib import Path

import pytest
from factorized_video.errors import AuthError, UsageError, clean
from factorized_video.gateway import settings
from factorized_video.gateway.settings import BASE, HAPPYCAPY, KEY, TIME_SCALE, TRICKLE, Settings

SECRET = "hc-0123456789abcdef"
OWN = "https://llm.example.org"


@pytest.fixture
def skill(tmp_path: Path) -> Path:
    """The skill's folder."""
    folder = tmp_path / "skill"
    folder.mkdir()
    return folder


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """The working directory."""
    folder = tmp_path / "project"
    folder.mkdir()
    return folder


def resolve(environ: dict[str, str], skill: Path, project: Path, gateway: str = "auto") -> Settings:
    return settings.resolve(gateway, environ, skill, project)


def dotenv(folder: Path, name: str = ".env", **values: str) -> None:
    (folder / name).write_text("".join(f"{key}={value}\n" for key, value in values.items()))


# -- the address ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "root"),
    [
        (OWN, OWN),
        (OWN + "/", OWN),
        (OWN + "/api/v1", OWN),
        (OWN + "/api/v1/", OWN),
        (OWN + "/api/v1/openai/v1", OWN),
        (OWN + "/api/v1/openai/v1/", OWN),
        (OWN + "/openai/v1", OWN),
        (OWN + "/v1", OWN),
        (OWN + "/v4/ai", OWN),
        (OWN + "/v1/api/v1", OWN + "/v1"),  # one of them, once: the rest is a prefix of their own
        (OWN + "/api/v1/api/v1", OWN + "/api/v1"),
        (OWN + "/team/a", OWN + "/team/a"),
        (OWN + "/team/a/api/v1", OWN + "/team/a"),
        (OWN + "/myapi/v1", OWN + "/myapi"),
        (OWN + ":8443/v1?x=1#y", OWN + ":8443"),
        ("http://localhost:8787/api/v1", "http://localhost:8787"),
        ("http://[::1]:8787", "http://[::1]:8787"),
        (f"  {OWN}/v1  ", OWN),
    ],
)
def test_a_base_url_is_cut_to_its_root_and_serves_all_calls(
    typed: str, root: str, skill: Path, project: Path
) -> None:
    found = resolve({KEY: SECRET, BASE: typed}, skill, project)
    assert found.bases == {"chat": root, "image": root, "video": root}
    assert (found.name, found.key, found.warnings) == ("happycapy", SECRET, ())


@pytest.mark.parametrize(
    "typed",
    ["llm.example.org", "ftp://llm.example.org", "file:///etc/passwd", "https://", "https:///v1",
     "https://a:b@llm.example.org", "https://user@llm.example.org", "https://h:99999",
     "https://h:x", "https://h:0", "http://[::1", "//h", "javascript:alert(1)"],
)  # fmt: skip
def test_what_is_no_http_address_is_a_usage_error(typed: str, skill: Path, project: Path) -> None:
    with pytest.raises(UsageError, match=BASE):
        resolve({KEY: SECRET, BASE: typed}, skill, project)


@pytest.mark.parametrize(
    "environ",
    [
        {},
        {BASE: HAPPYCAPY},
        {BASE: HAPPYCAPY + "/api/v1"},
        {BASE: TRICKLE},
        {BASE: TRICKLE + "/api/v1/openai/v1"},
    ],
)
def test_happycapy_keeps_both_of_its_hosts(
    environ: dict[str, str], skill: Path, project: Path
) -> None:
    found = resolve({KEY: SECRET, **environ}, skill, project)
    assert found.bases == {"chat": HAPPYCAPY, "image": HAPPYCAPY, "video": TRICKLE}


@pytest.mark.parametrize("host", ["nothappycapy.ai", "happycapy.ai.evil.org", "xtrickle-lab.tech"])
def test_a_host_that_only_looks_like_happycapy_is_another(
    host: str, skill: Path, project: Path
) -> None:
    found = resolve({KEY: SECRET, BASE: f"https://{host}"}, skill, project)
    assert set(found.bases.values()) == {f"https://{host}"}


@pytest.mark.parametrize(
    ("base", "name"),
    [
        ("https://ai-gateway.vercel.sh/v1", "Vercel AI Gateway"),
        ("https://openrouter.ai/api/v1", "OpenRouter"),
    ],
)
def test_a_gateway_that_is_not_spoken_is_named(
    base: str, name: str, skill: Path, project: Path
) -> None:
    with pytest.raises(UsageError, match=name):
        resolve({KEY: SECRET, BASE: base}, skill, project)


@pytest.mark.parametrize(
    "base",
    ["http://localhost:1", "http://127.0.0.1:1", "http://127.1.2.3", "http://[::1]:1"],
)
def test_plain_http_with_a_key_is_fine_on_loopback(base: str, skill: Path, project: Path) -> None:
    assert resolve({KEY: SECRET, BASE: base}, skill, project).bases["video"] == base


@pytest.mark.parametrize(
    "host",
    ["llm.example.org", "192.168.1.5", "10.0.0.1", "localhost.evil.org", "127.0.0.1.nip.io",
     "0.0.0.0", "[::ffff:8.8.8.8]", "ai-gateway.happycapy.ai"],
)  # fmt: skip
def test_plain_http_with_a_key_to_another_machine_is_refused_and_names_a_tunnel(
    host: str, skill: Path, project: Path
) -> None:
    with pytest.raises(UsageError, match="plain http") as caught:
        resolve({KEY: SECRET, BASE: f"http://{host}:8080"}, skill, project)
    assert "ssh -L" in caught.value.hint


def test_without_a_key_plain_http_is_allowed(skill: Path, project: Path) -> None:
    found = resolve({BASE: "http://192.168.1.5:8000/v1"}, skill, project)
    assert found.key is None
    assert found.bases["video"] == "http://192.168.1.5:8000"


# -- the key --------------------------------------------------------------------------------------


def test_without_key_and_base_three_lines_say_what_to_do(skill: Path, project: Path) -> None:
    with pytest.raises(AuthError) as caught:
        resolve({}, skill, project)
    lines = caught.value.hint.splitlines()
    assert len(lines) == 3
    for line, part in zip(lines, ("--gateway demo", str(skill / ".env"), "--dry-run"), strict=True):
        assert part in line


def test_happycapy_without_a_key_is_an_auth_error(skill: Path, project: Path) -> None:
    with pytest.raises(AuthError, match="needs a key"):
        resolve({BASE: HAPPYCAPY}, skill, project)


@pytest.mark.parametrize(
    ("key", "whose"),
    [
        ("sk-or-v1-abcdef", "OpenRouter"),
        ("sk-ant-api03-abcdef", "Anthropic"),
        ("sk-proj-abcdef", "OpenAI"),
        ("vck_abcdef", "Vercel"),
        ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc", "JSON Web Token"),
        ("hc-with a space", "cannot have"),
        ("hc-“quoted”", "cannot have"),
        ("hc-line\nbreak", "cannot have"),
    ],
)
def test_a_key_of_another_service_or_no_key_at_all_is_not_sent_nor_shown(
    key: str, whose: str, skill: Path, project: Path
) -> None:
    with pytest.raises(AuthError, match=whose) as caught:
        resolve({KEY: key}, skill, project)
    assert key not in caught.value.message + caught.value.hint


def test_a_key_is_blotted_out_of_every_message_from_then_on(skill: Path, project: Path) -> None:
    found = resolve({KEY: "hc-blot-me-out-123"}, skill, project)
    assert clean("it said hc-blot-me-out-123!") == "it said [key]!"
    assert "hc-blot-me-out-123" not in repr(found)


def test_the_demo_ignores_key_and_base(skill: Path, project: Path) -> None:
    found = resolve({KEY: "sk-or-x", BASE: "ftp://x"}, skill, project, "demo")
    assert (found.name, found.key) == ("demo", None)
    assert found.at("http://127.0.0.1:9").bases == dict.fromkeys(found.bases, "http://127.0.0.1:9")
    assert found.at("http://127.0.0.1:9").identity == {"name": "demo", "host": "loopback"}


@pytest.mark.parametrize(
    ("base", "host"),
    [
        (HAPPYCAPY, "ai-gateway.trickle-lab.tech"),
        (OWN + ":8443", "llm.example.org"),
        ("http://127.0.0.1:8787", "loopback"),
        ("http://[::1]:8787", "loopback"),
    ],
)
def test_the_identity_has_the_host_and_never_a_port(
    base: str, host: str, skill: Path, project: Path
) -> None:
    found = resolve({KEY: SECRET, BASE: base}, skill, project)
    assert found.identity == {"name": "happycapy", "host": host}


# -- .env -----------------------------------------------------------------------------------------


def test_the_environment_wins_then_the_skill_then_env_local_then_env(
    skill: Path, project: Path
) -> None:
    dotenv(project, **{KEY: "hc-project"})
    assert resolve({}, skill, project).key == "hc-project"
    dotenv(project, ".env.local", **{KEY: "hc-local"})
    assert resolve({}, skill, project).key == "hc-local"
    dotenv(skill, **{KEY: "hc-skill"})
    assert resolve({}, skill, project).key == "hc-skill"
    assert resolve({KEY: SECRET}, skill, project).key == SECRET
    assert resolve({KEY: "  "}, skill, project).key == "hc-skill"


@pytest.mark.parametrize(
    ("environ", "skill_env", "project_env", "key", "base", "warned"),
    [
        # A base from a file goes with the key of that same file only.
        ({}, {}, {KEY: "hc-p", BASE: OWN}, "hc-p", OWN, False),
        ({KEY: SECRET}, {}, {BASE: OWN}, SECRET, HAPPYCAPY, True),
        ({KEY: SECRET}, {}, {KEY: "hc-p", BASE: OWN}, SECRET, HAPPYCAPY, True),
        ({}, {KEY: "hc-s"}, {BASE: OWN}, "hc-s", HAPPYCAPY, True),
        ({}, {KEY: "hc-s"}, {KEY: "hc-p", BASE: OWN}, "hc-s", HAPPYCAPY, True),
        ({}, {BASE: OWN}, {KEY: "hc-p"}, "hc-p", HAPPYCAPY, True),
        ({}, {KEY: "hc-s", BASE: OWN}, {KEY: "hc-p", BASE: "https://x.y"}, "hc-s", OWN, False),
        # One from the environment goes with a key from anywhere.
        ({BASE: OWN}, {KEY: "hc-s"}, {}, "hc-s", OWN, False),
        ({BASE: OWN}, {}, {KEY: "hc-p", BASE: "https://x.y"}, "hc-p", OWN, False),
        ({KEY: SECRET, BASE: OWN}, {}, {BASE: "https://x.y"}, SECRET, OWN, False),
    ],
)
def test_a_base_url_from_a_file_goes_only_with_the_key_of_that_file(
    environ: dict[str, str],
    skill_env: dict[str, str],
    project_env: dict[str, str],
    key: str,
    base: str,
    warned: bool,
    skill: Path,
    project: Path,
) -> None:
    dotenv(skill, **skill_env)
    dotenv(project, **project_env)
    found = resolve(environ, skill, project)
    assert (found.key, found.bases["chat"]) == (key, base)
    assert (len(found.warnings) == 1 and BASE in found.warnings[0]) is warned
    assert bool(found.warnings) is warned


def test_a_strange_base_url_alone_in_a_file_is_not_used(skill: Path, project: Path) -> None:
    dotenv(project, **{BASE: OWN})
    with pytest.raises(AuthError):
        resolve({}, skill, project)


def test_an_env_file_may_have_quotes_a_bom_and_what_is_no_setting(
    skill: Path, project: Path
) -> None:
    text = f'\ufeff# mine\nexport {KEY}="hc-$HOME-1"\nnonsense\n\n{BASE}=\n'
    (project / ".env").write_text(text, encoding="utf-8")
    assert resolve({"HOME": "/x"}, skill, project).key == "hc-$HOME-1"


def test_an_env_file_that_cannot_be_read_counts_for_nothing(skill: Path, project: Path) -> None:
    (project / ".env").write_bytes(b"\xff\xfe\x00\x80")
    (project / ".env.local").mkdir()
    assert resolve({KEY: SECRET}, skill, project).warnings == ()


# -- the rest -------------------------------------------------------------------------------------


@pytest.mark.parametrize(("text", "scale"), [("1", 1), ("0.001", 0.001), ("10", 10), (" 2 ", 2)])
def test_the_time_scale_is_a_number_in_its_range(text: str, scale: float) -> None:
    assert settings.time_scale({TIME_SCALE: text}) == scale
    assert settings.time_scale({}) == 1


@pytest.mark.parametrize("text", ["0", "0.0009", "10.1", "-1", "nan", "inf", "x", "1,5"])
def test_another_time_scale_is_a_usage_error(text: str) -> None:
    with pytest.raises(UsageError, match=TIME_SCALE):
        settings.time_scale({TIME_SCALE: text})


@pytest.mark.parametrize(
    ("host", "loopback"),
    [("localhost", True), ("127.0.0.1", True), ("127.255.0.9", True), ("::1", True),
     ("[::1]", True), ("", False), ("0.0.0.0", False), ("localhost.example", False),
     ("128.0.0.1", False), ("fe80::1", False)],
)  # fmt: skip
def test_loopback_is_told_as_written(host: str, loopback: bool) -> None:
    assert settings.is_loopback(host) is loopback


@pytest.mark.parametrize(
    ("gateway", "name"), [("auto", "happycapy"), ("happycapy", "happycapy"), ("demo", "demo")]
)
def test_a_dry_run_needs_no_key_to_know_its_gateway(gateway: str, name: str) -> None:
    planned = settings.resolve(gateway, {}, needs_key=False)
    assert (planned.name, planned.key) == (name, None)
