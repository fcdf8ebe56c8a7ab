"""Which gateway, which key, which address."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from factorized_video.errors import AuthError, UsageError, clean
from factorized_video.gateway import dialects, settings
from factorized_video.gateway.addresses import is_loopback
from factorized_video.gateway.dialects.happycapy import HAPPYCAPY, TRICKLE
from factorized_video.gateway.lookup import BASE, KEY, TIME_SCALE, time_scale
from factorized_video.gateway.settings import Settings

SECRET = "hc-0123456789abcdef"
OWN = "https://llm.example.org"
VERCEL = "https://ai-gateway.vercel.sh"
OPENROUTER = "https://openrouter.ai"
OWN_KEY = "OPENROUTER_API_KEY"
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc"
GATEWAYS = ("happycapy", "openai", "openrouter", "vercel")
# A key that each gateway would accept, and its own hosts by service.
KEYS = {"happycapy": SECRET, "vercel": "vck_0123", "openrouter": "sk-or-v1-0123", "openai": "sk-me"}
HOSTS = {
    "happycapy": {"chat": HAPPYCAPY, "image": HAPPYCAPY, "video": TRICKLE},
    "vercel": dict.fromkeys(("chat", "image", "video"), VERCEL),
    "openrouter": dict.fromkeys(("chat", "image", "video"), OPENROUTER),
}


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


# -- which gateway --------------------------------------------------------------------------------

NOBODYS = f"{BASE} is at " + "{}, which is no known gateway's"
BY_HOST = f"by the host of {BASE}, " + "{}"


def test_the_gateways_are_these() -> None:
    assert dialects.names() == GATEWAYS
    assert {name: dict(dialects.load(name).ABOUT.bases) for name in HOSTS} == HOSTS
    assert dict(dialects.load("openai").ABOUT.bases) == {}  # it is wherever you run it


@pytest.mark.parametrize("base", [None, OWN])
@pytest.mark.parametrize("name", GATEWAYS)
def test_the_flag_names_the_gateway_at_its_own_host_or_at_an_unknown_one(
    name: str, base: str | None, skill: Path, project: Path
) -> None:
    if name == "openai" and not base:
        return
    environ = {KEY: KEYS[name]} | ({BASE: base} if base else {})
    found = resolve(environ, skill, project, name)
    assert (found.name, found.dialect, found.why) == (name, name, "--gateway")
    assert (found.key, found.warnings) == (KEYS[name], ())
    assert found.bases == (dict.fromkeys(("chat", "image", "video"), base) if base else HOSTS[name])


OF_HOSTS = [
    # (base URL, gateway, host that is shown)
    (HAPPYCAPY, "happycapy", "ai-gateway.happycapy.ai"),
    (TRICKLE + "/api/v1", "happycapy", "ai-gateway.trickle-lab.tech"),
    ("https://happycapy.ai", "happycapy", "happycapy.ai"),
    ("HTTPS://AI-Gateway.HappyCapy.AI/", "happycapy", "ai-gateway.happycapy.ai"),
    (VERCEL, "vercel", "ai-gateway.vercel.sh"),
    (VERCEL + "/v1", "vercel", "ai-gateway.vercel.sh"),
    (VERCEL + "/v4/ai", "vercel", "ai-gateway.vercel.sh"),
    (OPENROUTER + "/api/v1", "openrouter", "openrouter.ai"),
    ("https://eu.openrouter.ai/api/v1", "openrouter", "eu.openrouter.ai"),
    (OWN, "openai", "llm.example.org"),
    ("http://127.0.0.1:30000/v1", "openai", "127.0.0.1"),
    ("http://localhost:8787", "openai", "localhost"),
    ("http://[::1]:4000", "openai", "::1"),
    ("https://api.openai.com/v1", "openai", "api.openai.com"),
    # What only looks like a gateway's host is another's.
    ("https://nothappycapy.ai", "openai", "nothappycapy.ai"),
    ("https://happycapy.ai.evil.org", "openai", "happycapy.ai.evil.org"),
    ("https://xtrickle-lab.tech", "openai", "xtrickle-lab.tech"),
    ("https://openrouter.ai.evil.org", "openai", "openrouter.ai.evil.org"),
    ("https://evil.org/openrouter.ai", "openai", "evil.org"),
    ("https://notvercel.sh", "openai", "notvercel.sh"),
]


@pytest.mark.parametrize("place", ["environment", "skill", "project", "project, .env.local"])
@pytest.mark.parametrize(("base", "name", "host"), OF_HOSTS)
def test_auto_follows_the_host_of_the_base_url(
    base: str, name: str, host: str, place: str, skill: Path, project: Path
) -> None:
    """From the environment, or from a file that has the key too."""
    values = {KEY: KEYS[name], BASE: base}
    if place != "environment":
        folder = skill if place == "skill" else project
        dotenv(folder, ".env.local" if "local" in place else ".env", **values)
    found = resolve(values if place == "environment" else {}, skill, project)
    assert (found.name, found.why) == (
        name,
        (NOBODYS if name == "openai" else BY_HOST).format(host),
    )
    assert (found.key, found.warnings) == (KEYS[name], ())
    if name == "openai":
        assert len(set(found.bases.values())) == 1
    else:  # a gateway's own host, with whatever path, means its own addresses
        assert found.bases == HOSTS[name]


@pytest.mark.parametrize(
    ("key", "name", "why"),
    [
        ("vck_0123", "vercel", f"{KEY} begins with vck_"),
        ("sk-or-v1-0123", "openrouter", f"{KEY} begins with sk-or-"),
        (SECRET, "happycapy", "the default"),
        ("sk-0123", "happycapy", "the default"),
        ("a-vck_0123", "happycapy", "the default"),
        ("'vck_0123'", "vercel", f"{KEY} begins with vck_"),
        ('"sk-or-v1-0123"', "openrouter", f"{KEY} begins with sk-or-"),
        (f'" {SECRET} "', "happycapy", "the default"),
    ],
)
def test_auto_without_a_base_url_follows_the_keys_beginning(
    key: str, name: str, why: str, skill: Path, project: Path
) -> None:
    for_files = resolve({KEY: key}, skill, project)
    assert (for_files.name, for_files.why, for_files.bases) == (name, why, HOSTS[name])
    dotenv(project, **{KEY: key})
    assert resolve({}, skill, project) == for_files


def test_the_host_counts_before_the_keys_beginning(skill: Path, project: Path) -> None:
    with pytest.raises(AuthError, match="a key of the Vercel AI Gateway"):
        resolve({KEY: KEYS["vercel"], BASE: OPENROUTER}, skill, project)
    with pytest.raises(AuthError, match="a key of the Vercel AI Gateway"):
        resolve({KEY: KEYS["vercel"], BASE: HAPPYCAPY}, skill, project)


@pytest.mark.parametrize(
    ("gateway", "environ", "name", "why"),
    [
        ("auto", {}, "happycapy", "the default"),
        ("auto", {BASE: OPENROUTER}, "openrouter", BY_HOST.format("openrouter.ai")),
        ("auto", {BASE: OWN}, "openai", NOBODYS.format("llm.example.org")),
        ("auto", {KEY: "vck_1"}, "vercel", f"{KEY} begins with vck_"),
        ("happycapy", {}, "happycapy", "--gateway"),
        ("happycapy", {KEY: "vck_1"}, "happycapy", "--gateway"),
        ("vercel", {}, "vercel", "--gateway"),
        ("openrouter", {}, "openrouter", "--gateway"),
        ("openai", {BASE: OWN}, "openai", "--gateway"),
        ("demo", {}, "demo", "--gateway"),
    ],
)
def test_a_dry_run_needs_no_key_to_know_its_gateway(
    gateway: str, environ: dict[str, str], name: str, why: str, skill: Path, project: Path
) -> None:
    planned = settings.resolve(gateway, environ, skill, project, needs_key=False)
    assert (planned.name, planned.why, planned.key) == (name, why, environ.get(KEY))


# -- wrong pairings -------------------------------------------------------------------------------


@pytest.mark.parametrize("needs_key", [True, False])
@pytest.mark.parametrize(
    ("gateway", "base", "other"),
    [
        (gateway, base, other)
        for gateway in GATEWAYS
        for base, other in (
            (HAPPYCAPY, "happycapy"),
            (TRICKLE + "/api/v1", "happycapy"),
            (VERCEL, "vercel"),
            (OPENROUTER + "/api/v1", "openrouter"),
        )
        if gateway != other
    ],
)
def test_a_gateway_is_not_spoken_to_as_another(
    gateway: str, base: str, other: str, needs_key: bool, skill: Path, project: Path
) -> None:
    environ = {KEY: KEYS[gateway], BASE: base}
    with pytest.raises(UsageError, match=f"{BASE} is at ") as caught:
        settings.resolve(gateway, environ, skill, project, needs_key=needs_key)
    theirs, ours = (dialects.load(name).ABOUT.title for name in (other, gateway))
    assert caught.value.message.endswith(f", which is {theirs}, not {ours}.")
    assert f"--gateway {other} " in caught.value.hint


@pytest.mark.parametrize(("gateway", "base"), [("vercel", VERCEL), ("openrouter", OPENROUTER)])
@pytest.mark.parametrize("named", [False, True])
def test_a_key_of_unknown_shape_goes_to_no_gateway_whose_keys_have_one(
    gateway: str, base: str, named: bool, skill: Path, project: Path
) -> None:
    """It is HappyCapy's, most likely. A proxy at an address of your own may accept it."""
    environ = {KEY: SECRET, **({BASE: base} if named else {})}
    with pytest.raises(AuthError, match="is not sent there") as caught:
        resolve(environ, skill, project, "auto" if named else gateway)
    assert SECRET not in caught.value.message + caught.value.hint
    assert resolve({KEY: SECRET, BASE: OWN}, skill, project, gateway).key == SECRET


@pytest.mark.parametrize(
    ("gateway", "base", "key", "whose", "instead"),
    [
        # By the flag.
        ("happycapy", None, "vck_1", "the Vercel AI Gateway", "--gateway vercel,"),
        ("happycapy", None, "sk-or-1", "OpenRouter", "--gateway openrouter,"),
        ("vercel", None, "sk-or-1", "OpenRouter", "--gateway openrouter,"),
        ("openrouter", None, "vck_1", "the Vercel AI Gateway", "--gateway vercel,"),
        # By the host.
        ("auto", HAPPYCAPY, "sk-or-1", "OpenRouter", f"--gateway openrouter and unset {BASE},"),
        ("auto", VERCEL, "sk-or-1", "OpenRouter", f"--gateway openrouter and unset {BASE},"),
        ("auto", OPENROUTER, "vck_1", "the Vercel AI Gateway", f"vercel and unset {BASE},"),
        # To a server of one's own, where any other shape may be right.
        ("auto", OWN, "vck_1", "the Vercel AI Gateway", f"--gateway vercel and unset {BASE},"),
        ("openai", OWN, "sk-or-1", "OpenRouter", f"--gateway openrouter and unset {BASE},"),
        # At an address of one's own, a gateway's dialect still takes that gateway's keys.
        ("happycapy", OWN, "vck_1", "the Vercel AI Gateway", f"vercel and unset {BASE},"),
        ("vercel", OWN, "sk-or-1", "OpenRouter", f"--gateway openrouter and unset {BASE},"),
    ],
)
def test_a_key_of_another_gateway_is_not_sent_nor_shown(
    gateway: str, base: str | None, key: str, whose: str, instead: str, skill: Path, project: Path
) -> None:
    key += "-fedcba9876543210"
    environ = {KEY: key} | ({BASE: base} if base else {})
    with pytest.raises(AuthError, match=f"{KEY} holds a key of {whose}; it is not sent") as caught:
        resolve(environ, skill, project, gateway)
    assert instead in caught.value.hint
    assert key not in caught.value.message + caught.value.hint


OF_NOBODY = [
    ("sk-ant-api03-abcdef", "Anthropic"),
    ("sk-proj-abcdef", "OpenAI"),
    (JWT, "JSON Web Token"),
]


@pytest.mark.parametrize("gateway", ["auto", "happycapy", "vercel", "openrouter"])
@pytest.mark.parametrize(("key", "whose"), OF_NOBODY)
def test_a_key_of_a_service_that_is_not_spoken_is_not_sent_nor_shown(
    key: str, whose: str, gateway: str, skill: Path, project: Path
) -> None:
    with pytest.raises(AuthError, match=whose) as caught:
        resolve({KEY: key}, skill, project, gateway)
    assert key not in caught.value.message + caught.value.hint
    assert "--gateway demo" in caught.value.hint


@pytest.mark.parametrize("base", [OWN, "http://127.0.0.1:4000/v1", "https://api.openai.com/v1"])
@pytest.mark.parametrize("key", [key for key, _ in OF_NOBODY] + ["sk-1234", "x", "token-abc123"])
@pytest.mark.parametrize("gateway", ["auto", "openai"])
def test_a_server_of_ones_own_may_take_a_key_of_any_shape(
    gateway: str, key: str, base: str, skill: Path, project: Path
) -> None:
    found = resolve({KEY: key, BASE: base}, skill, project, gateway)
    assert (found.name, found.key) == ("openai", key)


@pytest.mark.parametrize("gateway", GATEWAYS)
@pytest.mark.parametrize("key", ["hc-with a space", "hc-“quoted”", "hc-line\nbreak", "hc-\x7f"])
def test_what_cannot_be_a_key_is_sent_nowhere_nor_shown(
    key: str, gateway: str, skill: Path, project: Path
) -> None:
    with pytest.raises(AuthError, match="cannot have") as caught:
        resolve({KEY: key, BASE: OWN}, skill, project, gateway)
    assert key not in caught.value.message + caught.value.hint


@pytest.mark.parametrize("needs_key", [True, False])
@pytest.mark.parametrize("environ", [{}, {KEY: "sk-me"}, {KEY: "sk-me", BASE: " "}])
def test_openai_is_nowhere_without_a_base_url(
    environ: dict[str, str], needs_key: bool, skill: Path, project: Path
) -> None:
    with pytest.raises(UsageError, match=f"wherever you run it, and {BASE} is not set") as caught:
        settings.resolve("openai", environ, skill, project, needs_key=needs_key)
    assert f"{BASE}=http" in caught.value.hint


# -- OpenRouter's own variable --------------------------------------------------------------------

R, S = "sk-or-own", "sk-or-shared"


@pytest.mark.parametrize(
    ("gateway", "environ", "key"),
    [
        ("openrouter", {OWN_KEY: R}, R),
        ("openrouter", {OWN_KEY: R, KEY: S}, R),
        ("openrouter", {OWN_KEY: R, KEY: "vck_1"}, R),  # the other is not even looked at
        ("openrouter", {OWN_KEY: " ", KEY: S}, S),
        ("openrouter", {KEY: S}, S),
        ("openrouter", {OWN_KEY: R, BASE: OPENROUTER + "/api/v1"}, R),
        ("openrouter", {OWN_KEY: R, BASE: OWN}, R),
        ("auto", {OWN_KEY: R, BASE: OPENROUTER}, R),
        ("auto", {OWN_KEY: R, KEY: S, BASE: OPENROUTER}, R),
        ("auto", {KEY: S, BASE: OPENROUTER}, S),
    ],
)
def test_openrouters_own_variable_is_read_where_openrouter_is_meant(
    gateway: str, environ: dict[str, str], key: str, skill: Path, project: Path
) -> None:
    found = resolve(environ, skill, project, gateway)
    assert (found.name, found.key, found.warnings) == ("openrouter", key, ())
    if environ.get(BASE) != OWN:
        assert found.bases == HOSTS["openrouter"]
    in_file = {name: value for name, value in environ.items() if value.strip()}
    dotenv(project, **in_file)
    assert resolve({}, skill, project, gateway) == found


@pytest.mark.parametrize(
    ("gateway", "environ", "name", "key"),
    [
        ("auto", {OWN_KEY: R, KEY: SECRET}, "happycapy", SECRET),
        ("auto", {OWN_KEY: R, KEY: "vck_1"}, "vercel", "vck_1"),
        ("auto", {OWN_KEY: R, KEY: S}, "openrouter", S),  # by that key's beginning
        ("auto", {OWN_KEY: R, BASE: OWN}, "openai", None),
        ("auto", {OWN_KEY: R, KEY: "sk-me", BASE: OWN}, "openai", "sk-me"),
        ("happycapy", {OWN_KEY: R, KEY: SECRET}, "happycapy", SECRET),
        ("openai", {OWN_KEY: R, BASE: OWN}, "openai", None),
        ("demo", {OWN_KEY: R}, "demo", None),
    ],
)
def test_elsewhere_openrouters_own_variable_is_not_read(
    gateway: str, environ: dict[str, str], name: str, key: str | None, skill: Path, project: Path
) -> None:
    found = resolve(environ, skill, project, gateway)
    assert (found.name, found.key) == (name, key)


@pytest.mark.parametrize("place", ["environment", "skill", "project"])
def test_openrouters_own_variable_alone_chooses_no_gateway_but_is_named(
    place: str, skill: Path, project: Path
) -> None:
    if place != "environment":
        dotenv(skill if place == "skill" else project, **{OWN_KEY: R})
    with pytest.raises(AuthError, match="No gateway key was found") as caught:
        resolve({OWN_KEY: R} if place == "environment" else {}, skill, project)
    assert f"{OWN_KEY} is set: --gateway openrouter uses it." in caught.value.hint.splitlines()
    assert R not in caught.value.message + caught.value.hint
    # With another gateway named it is no help, and not named.
    with pytest.raises(AuthError, match="No gateway key was found for HappyCapy") as caught:
        resolve({OWN_KEY: R} if place == "environment" else {}, skill, project, "happycapy")
    assert caught.value.message.endswith(f"({KEY} is not set).")
    assert OWN_KEY not in caught.value.hint


@pytest.mark.parametrize("environ", [{}, {BASE: OPENROUTER}])
def test_without_openrouters_key_both_variables_are_named(
    environ: dict[str, str], skill: Path, project: Path
) -> None:
    gateway = "auto" if environ else "openrouter"
    with pytest.raises(
        AuthError, match=f"No gateway key was found for OpenRouter .*{OWN_KEY} or {KEY}"
    ) as e:
        resolve(environ, skill, project, gateway)
    assert f"{OWN_KEY}=... into {skill / '.env'}" in e.value.hint


def test_a_wrong_key_in_openrouters_own_variable_is_named_with_it(
    skill: Path, project: Path
) -> None:
    with pytest.raises(AuthError, match=f"{OWN_KEY} holds a key of the Vercel") as caught:
        resolve({OWN_KEY: "vck_1", KEY: S}, skill, project, "openrouter")
    assert caught.value.hint.endswith(f"into {OWN_KEY}.")


# -- the address ----------------------------------------------------------------------------------

CUT = [
    # (as typed after the host, as HappyCapy, Vercel and OpenRouter understand it, as OpenAI does)
    ("", "", ""),
    ("/", "", ""),
    ("/v1", "", ""),
    ("/v1/", "", ""),
    ("/api/v1", "", "/api"),
    ("/api/v1/", "", "/api"),
    ("/api/v1/openai/v1", "", "/api/v1/openai"),
    ("/api/v1/openai/v1/", "", "/api/v1/openai"),
    ("/openai/v1", "", "/openai"),
    ("/v4/ai", "", "/v4/ai"),
    ("/v1/api/v1", "/v1", "/v1/api"),  # one of them, once: the rest is a prefix of their own
    ("/api/v1/api/v1", "/api/v1", "/api/v1/api"),
    ("/v1/v1", "/v1", "/v1"),
    ("/team/a", "/team/a", "/team/a"),
    ("/team/a/api/v1", "/team/a", "/team/a/api"),
    ("/team/a/v1", "/team/a", "/team/a"),
    ("/myapi/v1", "/myapi", "/myapi"),
    (":8443/v1?x=1#y", ":8443", ":8443"),
]


@pytest.mark.parametrize("host", [OWN, "http://localhost", "http://[::1]"])
@pytest.mark.parametrize(("typed", "root", "openai"), CUT)
def test_a_base_url_is_cut_to_its_root_and_serves_all_calls(
    typed: str, root: str, openai: str, host: str, skill: Path, project: Path
) -> None:
    for name in GATEWAYS:
        environ = {KEY: KEYS[name], BASE: f"  {host}{typed}  "}
        wanted = host + (openai if name == "openai" else root)
        found = resolve(environ, skill, project, name)
        assert found.bases == {"chat": wanted, "image": wanted, "video": wanted}, name
        if name == "openai":
            assert resolve(environ, skill, project).bases == found.bases


@pytest.mark.parametrize(
    "typed",
    [
        "llm.example.org",
        "ftp://llm.example.org",
        "file:///etc/passwd",
        "https://",
        "https:///v1",
        "https://a:b@llm.example.org",
        "https://user@llm.example.org",
        "https://h:99999",
        "https://h:x",
        "https://h:0",
        "http://[::1",
        "//h",
        "javascript:alert(1)",
    ],
)
def test_what_is_no_http_address_is_a_usage_error(typed: str, skill: Path, project: Path) -> None:
    for name in ("auto", *GATEWAYS):
        with pytest.raises(UsageError, match=BASE):
            resolve({KEY: KEYS.get(name, SECRET), BASE: typed}, skill, project, name)
    dotenv(project, **{KEY: SECRET, BASE: typed})
    with pytest.raises(UsageError, match=BASE):
        resolve({}, skill, project)


def test_what_is_no_address_hinders_nothing_where_it_is_not_used(
    skill: Path, project: Path
) -> None:
    dotenv(skill, **{BASE: "ftp://x"})
    dotenv(project, **{KEY: SECRET})
    found = resolve({}, skill, project)
    assert (found.key, found.bases, len(found.warnings)) == (SECRET, HOSTS["happycapy"], 1)


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


@pytest.mark.parametrize(
    "base", ["http://localhost:1", "http://127.0.0.1:1", "http://127.1.2.3", "http://[::1]:1"]
)
def test_plain_http_with_a_key_is_fine_on_loopback(base: str, skill: Path, project: Path) -> None:
    for name in ("auto", *GATEWAYS):
        key = KEYS.get(name, SECRET)
        assert resolve({KEY: key, BASE: base}, skill, project, name).bases["video"] == base


@pytest.mark.parametrize(
    "host",
    [
        "llm.example.org",
        "192.168.1.5",
        "10.0.0.1",
        "localhost.evil.org",
        "127.0.0.1.nip.io",
        "[::ffff:8.8.8.8]",
    ],
)
def test_plain_http_with_a_key_to_another_machine_is_refused_and_names_a_tunnel(
    host: str, skill: Path, project: Path
) -> None:
    for name in ("auto", *GATEWAYS):
        with pytest.raises(UsageError, match="plain http") as caught:
            environ = {KEY: KEYS.get(name, SECRET), BASE: f"http://{host}:8080"}
            resolve(environ, skill, project, name)
        assert "ssh -L" in caught.value.hint


@pytest.mark.parametrize("name", HOSTS)
def test_plain_http_to_a_gateways_own_host_is_refused_too(
    name: str, skill: Path, project: Path
) -> None:
    base = HOSTS[name]["video"].replace("https://", "http://")
    for gateway in ("auto", name):
        with pytest.raises(UsageError, match="plain http"):
            resolve({KEY: KEYS[name], BASE: base}, skill, project, gateway)
    with pytest.raises(UsageError, match="plain http"):
        resolve({OWN_KEY: R, BASE: "http://openrouter.ai"}, skill, project)


@pytest.mark.parametrize("base", ["http://192.168.1.5:8000", "http://127.0.0.1:30000", OWN])
def test_a_server_of_ones_own_needs_no_key_and_then_plain_http_is_allowed(
    base: str, skill: Path, project: Path
) -> None:
    for name in ("auto", "openai"):
        found = resolve({BASE: base + "/v1"}, skill, project, name)
        assert (found.name, found.key, found.bases["video"]) == ("openai", None, base)
    for name in ("happycapy", "vercel", "openrouter"):  # somebody's own, in that dialect
        found = resolve({BASE: base}, skill, project, name)
        assert (found.name, found.key, found.bases["video"]) == (name, None, base)


# -- the key --------------------------------------------------------------------------------------


def test_without_key_and_base_three_lines_say_what_to_do(skill: Path, project: Path) -> None:
    with pytest.raises(AuthError) as caught:
        resolve({}, skill, project)
    lines = caught.value.hint.splitlines()
    assert len(lines) == 3
    for line, part in zip(lines, ("--gateway demo", str(skill / ".env"), "--dry-run"), strict=True):
        assert part in line


@pytest.mark.parametrize("name", HOSTS)
def test_a_gateway_without_a_key_is_an_auth_error_that_names_it(
    name: str, skill: Path, project: Path
) -> None:
    title = dialects.load(name).ABOUT.title
    rows = [(name, {}), (name, {BASE: HOSTS[name]["video"]}), ("auto", {BASE: HOSTS[name]["chat"]})]
    for gateway, environ in rows:
        with pytest.raises(AuthError, match=f"No gateway key was found for {title}") as caught:
            resolve(environ, skill, project, gateway)
        lines = caught.value.hint.splitlines()
        assert len(lines) == 3
        for line, part in zip(lines, ("--gateway demo", ".env", "--dry-run"), strict=True):
            assert part in line


def test_a_key_is_blotted_out_of_every_message_from_then_on(skill: Path, project: Path) -> None:
    found = resolve({KEY: "hc-blot-me-out-123"}, skill, project)
    assert clean("it said hc-blot-me-out-123!") == "it said [key]!"
    assert "hc-blot-me-out-123" not in repr(found)


def test_the_demo_ignores_key_and_base(skill: Path, project: Path) -> None:
    found = resolve({KEY: "sk-or-x", BASE: "ftp://x"}, skill, project, "demo")
    assert (found.name, found.dialect, found.key) == ("demo", "happycapy", None)
    assert found.at("http://127.0.0.1:9").bases == dict.fromkeys(found.bases, "http://127.0.0.1:9")
    assert found.at("http://127.0.0.1:9").identity == {"name": "demo", "host": "loopback"}


@pytest.mark.parametrize(
    ("base", "host", "port"),
    [
        (HAPPYCAPY, "ai-gateway.trickle-lab.tech", None),
        (OWN, "llm.example.org", None),
        (OWN + ":8443", "llm.example.org", "8443"),
        ("http://127.0.0.1:8787", "loopback", "8787"),
        ("http://[::1]:8788", "loopback", "8788"),
    ],
)
def test_the_identity_has_the_host_and_for_an_own_server_the_port(
    base: str, host: str, port: str | None, skill: Path, project: Path
) -> None:
    found = resolve({KEY: SECRET, BASE: base}, skill, project, "happycapy")
    assert found.identity == {"name": "happycapy", "host": host}
    named = found.in_receipt("video")
    assert named == {**found.identity, "account": named["account"]}
    if base != HAPPYCAPY:
        found = resolve({KEY: SECRET, BASE: base}, skill, project)
        assert found.in_receipt("video") == found.identity
        assert found.identity == {
            "name": "openai",
            "host": host,
            **({"port": port} if port else {}),
        }


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


def test_so_for_openrouters_own_variable(skill: Path, project: Path) -> None:
    dotenv(project, **{OWN_KEY: "sk-or-project"})
    assert resolve({}, skill, project, "openrouter").key == "sk-or-project"
    dotenv(project, ".env.local", **{OWN_KEY: "sk-or-local"})
    assert resolve({}, skill, project, "openrouter").key == "sk-or-local"
    dotenv(skill, **{OWN_KEY: "sk-or-skill"})
    assert resolve({}, skill, project, "openrouter").key == "sk-or-skill"
    assert resolve({OWN_KEY: R}, skill, project, "openrouter").key == R
    assert resolve({BASE: OPENROUTER}, skill, project).key == "sk-or-skill"


@pytest.mark.parametrize(
    ("gateway", "environ", "skill_env", "project_env", "key", "base", "warned"),
    [
        # A base from a file goes with the key of that same file only.
        ("auto", {}, {}, {KEY: "hc-p", BASE: OWN}, "hc-p", OWN, False),
        ("auto", {KEY: SECRET}, {}, {BASE: OWN}, SECRET, HAPPYCAPY, True),
        ("auto", {KEY: SECRET}, {}, {KEY: "hc-p", BASE: OWN}, SECRET, HAPPYCAPY, True),
        ("auto", {}, {KEY: "hc-s"}, {BASE: OWN}, "hc-s", HAPPYCAPY, True),
        ("auto", {}, {KEY: "hc-s"}, {KEY: "hc-p", BASE: OWN}, "hc-s", HAPPYCAPY, True),
        ("auto", {}, {BASE: OWN}, {KEY: "hc-p"}, "hc-p", HAPPYCAPY, True),
        (
            "auto",
            {},
            {KEY: "hc-s", BASE: OWN},
            {KEY: "hc-p", BASE: "https://x.y"},
            "hc-s",
            OWN,
            False,
        ),
        # One from the environment goes with a key from anywhere.
        ("auto", {BASE: OWN}, {KEY: "hc-s"}, {}, "hc-s", OWN, False),
        ("auto", {BASE: OWN}, {}, {KEY: "hc-p", BASE: "https://x.y"}, "hc-p", OWN, False),
        ("auto", {KEY: SECRET, BASE: OWN}, {}, {BASE: "https://x.y"}, SECRET, OWN, False),
        ("openrouter", {}, {}, {OWN_KEY: R, BASE: OWN}, R, OWN, False),
        ("openrouter", {OWN_KEY: R}, {}, {BASE: OWN}, R, OPENROUTER, True),
        ("openrouter", {OWN_KEY: R}, {}, {OWN_KEY: S, BASE: OWN}, R, OPENROUTER, True),
        ("openrouter", {KEY: S}, {}, {OWN_KEY: R, BASE: OWN}, S, OPENROUTER, True),
        ("openrouter", {}, {OWN_KEY: R}, {KEY: S, BASE: OWN}, R, OPENROUTER, True),
        ("openrouter", {BASE: OWN}, {OWN_KEY: R}, {BASE: "https://x.y"}, R, OWN, False),
        # What is plainly none of OpenRouter's is passed over.
        ("openrouter", {KEY: SECRET}, {OWN_KEY: R}, {}, R, OPENROUTER, False),
        ("openrouter", {KEY: SECRET}, {}, {OWN_KEY: R}, R, OPENROUTER, False),
        # With auto the host that stands in the file says whose the variable in it is.
        ("auto", {}, {}, {OWN_KEY: R, BASE: OPENROUTER}, R, OPENROUTER, False),
        ("auto", {}, {}, {OWN_KEY: R, KEY: S, BASE: OPENROUTER}, R, OPENROUTER, False),
        ("auto", {KEY: SECRET}, {}, {OWN_KEY: R, BASE: OPENROUTER}, SECRET, HAPPYCAPY, True),
        ("auto", {}, {KEY: SECRET}, {OWN_KEY: R, BASE: OPENROUTER}, SECRET, HAPPYCAPY, True),
        ("auto", {BASE: OPENROUTER}, {OWN_KEY: R}, {}, R, OPENROUTER, False),
    ],
)
def test_a_base_url_from_a_file_goes_only_with_the_key_of_that_file(
    gateway: str,
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
    found = resolve(environ, skill, project, gateway)
    assert (found.key, found.bases["chat"]) == (key, base)
    names = {HAPPYCAPY: "happycapy", OPENROUTER: "openrouter"}
    assert found.name == (gateway if gateway != "auto" else names.get(base, "openai"))
    assert (len(found.warnings), any(BASE in text for text in found.warnings)) == (warned, warned)


@pytest.mark.parametrize("project_env", [{BASE: OPENROUTER}, {BASE: OPENROUTER, "HIS_KEY": "x"}])
def test_a_host_from_a_foreign_file_gets_no_key_from_elsewhere(
    project_env: dict[str, str], skill: Path, project: Path
) -> None:
    """It does not even choose the gateway."""
    dotenv(project, **project_env)
    with pytest.raises(AuthError, match="No gateway key was found") as caught:
        resolve({OWN_KEY: R}, skill, project)
    assert "--gateway openrouter" in caught.value.hint
    assert f"{BASE} in {project / '.env'} is not used" in caught.value.hint


def test_a_base_url_alone_in_a_foreign_file_is_not_used(skill: Path, project: Path) -> None:
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
    assert time_scale({TIME_SCALE: text}) == scale
    assert time_scale({}) == 1


@pytest.mark.parametrize("text", ["0", "0.0009", "10.1", "-1", "nan", "inf", "x", "1,5"])
def test_another_time_scale_is_a_usage_error(text: str) -> None:
    with pytest.raises(UsageError, match=TIME_SCALE):
        time_scale({TIME_SCALE: text})


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("localhost", True),
        ("127.0.0.1", True),
        ("127.255.0.9", True),
        ("::1", True),
        ("[::1]", True),
        ("", False),
        ("0.0.0.0", True),
        ("localhost.example", False),
        ("128.0.0.1", False),
        ("fe80::1", False),
    ],
)
def test_loopback_is_recognised_as_written(host: str, loopback: bool) -> None:
    assert is_loopback(host) is loopback


# -- what stands around a key, and keys of others -------------------------------------------------


@pytest.mark.parametrize("base", [None, OWN])
@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("\u2039vck_012345\u203a", "a character that a key cannot have"),
        ("\u201cvck_012345\u201d", "a character that a key cannot have"),
        ("<vck_012345>", "a quote or a bracket"),
        ('"vck_012345', "a quote or a bracket"),
        ("vck_012345'", "a quote or a bracket"),
        ("`sk-or-v1-012345`", "a quote or a bracket"),
        ("AI_GATEWAY_API_KEY=vck_012345", "a name and an equals sign"),
        ("Bearer vck_012345", "the word Bearer"),
        ("VCK_012345", "in other letters"),
        ("Sk-Or-v1-012345", "in other letters"),
    ],
)
def test_what_is_not_the_key_alone_is_sent_nowhere(
    value: str, words: str, base: str | None, skill: Path, project: Path
) -> None:
    environ = {KEY: value} | ({BASE: base} if base else {})
    with pytest.raises(AuthError, match=words):
        resolve(environ, skill, project)
    # An echo is masked with and without what stands around the key.
    inner = re.sub(r"^.*[=\s]|\W", "", value)[-10:]
    assert inner not in clean(f"{value} / {value[1:-1]}")


@pytest.mark.parametrize("key", ['"vck_abcdef"', "'sk-or-abcdef'", " 'hc-abcdef' "])
def test_a_quoted_key_is_masked_in_both_forms(key: str, skill: Path, project: Path) -> None:
    found = resolve({KEY: key}, skill, project)
    assert found.key == key.strip().strip("'\"")
    assert "abcdef" not in clean(f"no such key: {key} / {found.key}")


@pytest.mark.parametrize(
    ("key", "whose"),
    [
        ("AIzaSyA-0123", "Google"),
        ("sk-ant-api03-0123", "Anthropic"),
        ("sk-svcacct-0123", "OpenAI"),
        ("r8_0123", "Replicate"),
        ("hf_0123", "Hugging Face"),
        ("gsk_0123", "Groq"),
        ("xai-0123", "xAI"),
        ("AKIAABCDEFGHIJKL1234", "Amazon"),
        ("ghp_0123", "GitHub"),
        ("0a1b2c3d-0123-4567-89ab-0123456789ab:0123456789abcdef", "fal"),
    ],
)
@pytest.mark.parametrize("quoted", [False, True])
def test_a_key_of_another_service_is_sent_to_no_gateway(
    key: str, whose: str, quoted: bool, skill: Path, project: Path
) -> None:
    with pytest.raises(AuthError, match=f"holds a key of {whose}"):
        resolve({KEY: f'"{key}"' if quoted else key}, skill, project)
    # A server of your own may accept any.
    assert resolve({KEY: key, BASE: OWN}, skill, project).key == key


@pytest.mark.parametrize(
    ("base", "root"),
    [
        (f"{OWN}/v1/chat/completions", OWN),
        (f"{OWN}/v1/images/generations/", OWN),
        (f"{OWN}/v1/videos", OWN),
        (f"{OWN}/v1/models", OWN),
        (f"{OWN}/proxy/v1/chat/completions", f"{OWN}/proxy"),
        (f"{OWN}/videos", f"{OWN}/videos"),  # a path of one's own
        (f'"{OWN}/v1"', OWN),
        ("http://0.0.0.0:8000/v1", "http://127.0.0.1:8000"),
        ("http://[::]:8000/v1", "http://[::1]:8000"),
    ],
)
def test_a_base_url_may_be_that_of_a_call(base: str, root: str, skill: Path, project: Path) -> None:
    assert resolve({KEY: "sk-me", BASE: base}, skill, project).bases["video"] == root


@pytest.mark.parametrize(
    "key",
    ["dG9rZW4taW4tYmFzZTY0IQ==", "dG9rZW4taW4tYmFzZTY=", "a/b+c", "x.y-z_1", "xairo", "keyless"],
)
def test_a_key_of_no_known_shape_goes_to_the_default(key: str, skill: Path, project: Path) -> None:
    assert resolve({KEY: key}, skill, project).key == key


def test_a_key_is_masked_in_whatever_form_it_is_echoed(skill: Path, project: Path) -> None:
    resolve({KEY: 'hc-Ab/cd+ef"gh&0123'}, skill, project)
    for echo in (
        'HC-AB/CD+EF"GH&0123',
        "hc-Ab%2Fcd%2Bef%22gh%260123",
        'hc-Ab/cd+ef\\"gh&0123',
        "hc-Ab/cd+ef&quot;gh&amp;0123",
    ):
        assert clean(f"no such key: {echo}") == "no such key: [key]"
    key = "hc-0123456789abcdef-fedcba9876543210"
    resolve({KEY: key}, skill, project)
    assert "fedcba98765" not in clean(f"key ...{key[-20:]}")
    assert "0123456789abc" not in clean(f"key {key[:20]}...")
    assert clean("no such key: hc-0...3210") == "no such key: hc-0...3210"  # says which, no more
