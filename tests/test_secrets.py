"""Nothing leaves this machine, and the key goes to its own gateway and nowhere else."""

from __future__ import annotations

import base64
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from conftest import KEY, SCRIPTS, Run, environment, run
from loopback import CAPTION, Gateway, Reply, chat, png, refusal

pytestmark = pytest.mark.thorough

SIGNATURE = "Sig9f3aNeverToBeSeen"
DEAD = "http://127.0.0.1:9"  # the discard port: nobody listens


# --- the guard holds ------------------------------------------------------------------------------

REACHING: list[tuple[str, str]] = [
    ("connect", "s.connect(('192.0.2.1', 80))"),
    ("connect_ex", "s.connect_ex(('192.0.2.1', 80))"),
    ("a name", "socket.getaddrinfo('example.com', 443)"),
    ("an old look-up", "socket.gethostbyname('example.com')"),
    ("a datagram", "socket.socket(type=socket.SOCK_DGRAM).sendto(b'x', ('192.0.2.1', 53))"),
    ("IPv6", "socket.socket(socket.AF_INET6).connect(('2001:db8::1', 80))"),
]


@pytest.mark.parametrize("code", [c for _, c in REACHING], ids=[name for name, _ in REACHING])
def test_this_process_cannot_leave_the_machine(code: str) -> None:
    with socket.socket() as s, pytest.raises(BaseException, match="a test reached for"):
        s.settimeout(1)
        exec(code, {"s": s, "socket": socket})


def test_a_subprocess_cannot_leave_the_machine_whatever_it_catches() -> None:
    lines = ["import socket", "s = socket.socket()", "s.settimeout(1)"]
    for _, code in REACHING:
        lines += ["try:", f"    {code}", "    print('reached')"]
        lines += ["except Exception:", "    print('taken for a network failure')"]
        lines += ["except BaseException as error:", "    print(type(error).__name__)"]
    words = [sys.executable, "-c", "\n".join(lines)]
    told = subprocess.run(words, env=environment(), capture_output=True, text=True, check=True)
    assert told.stdout.split() == ["LeavesTheMachine"] * len(REACHING)


def test_a_script_cannot_leave_the_machine() -> None:
    """With the real hosts of HappyCapy, which is where it would go."""
    done = run("rewrite_prompt", "x", env={"AI_GATEWAY_API_KEY": KEY})
    assert done.code == 1
    # The free read before the chat is of the host that makes the videos.
    assert "LeavesTheMachine: a test reached for 'ai-gateway.trickle-lab.tech'" in done.err


# --- the key is shown nowhere ---------------------------------------------------------------------


def everything(done: Run) -> Iterator[tuple[str, str]]:
    """All that a run said, and all that it left in the working, home and temporary folders."""
    yield "stdout", done.out
    yield "stderr", done.err
    for path in Path.cwd().parent.rglob("*"):
        if path.is_file():
            yield str(path), path.read_bytes().decode("latin-1")
        yield "a file's name", path.name


def must_not_hold(done: Run, *secrets: str) -> None:
    for where, text in everything(done):
        for secret in secrets:
            assert secret not in text, f"{secret!r} is in {where}"


ECHO = f"Invalid API key provided: {KEY}. See https://x.example/k?key={KEY}"
PAGE = f"<html><title>403</title><p>Bearer {KEY}</p></html>".encode()
ALL = ["factorized_generate", "--prompt=A cat.", "--output=cat.mp4", "--save-intermediate"]
IMAGE = ["generate_anchor", CAPTION, "--output=a.png"]
VIDEO = ["generate_video_from_anchor", "--anchor=mine.png", "--prompt=A cat.", "--output=v.mp4"]


def _rows() -> list[object]:
    return list(_each_row())


def _each_row() -> Iterator[object]:
    def row(what: str, words: list[str], code: int, prepare: Callable[[Gateway], None]) -> object:
        return pytest.param(words, code, prepare, id=what)

    yield row("a good run", ALL, 0, lambda g: None)
    yield row("a dry run", [*ALL, "--dry-run"], 0, lambda g: None)
    yield row("401 before anything is paid", ALL, 3, lambda g: g.will("check", refusal(401, ECHO)))
    yield row("401", ALL, 3, lambda g: g.will("chat", refusal(401, ECHO)))
    yield row("401 as text", ALL, 3, lambda g: g.will("chat", Reply(401, body=ECHO.encode())))
    yield row("401 for a picture", IMAGE, 3, lambda g: g.will("image", refusal(401, ECHO)))
    yield row("an HTML page", VIDEO, 3, lambda g: g.will("create", Reply(403, body=PAGE)))
    yield row("HTML for a job", VIDEO, 8, lambda g: g.will("create", Reply(200, body=PAGE)))
    yield row("500", IMAGE, 8, lambda g: g.will("image", refusal(500, ECHO)))
    yield row("an error inside", IMAGE, 8, lambda g: g.will("image", refusal(200, ECHO)))
    yield row("prose", ["rewrite_prompt", "x"], 9, lambda g: g.always("chat", chat(ECHO)))
    yield row(
        "a refusal", ["rewrite_prompt", "x"], 5, lambda g: g.will("chat", chat("", refusal=ECHO))
    )
    yield row("a connection that breaks", VIDEO, 8, lambda g: g.will("create", Reply(fault="cut")))
    yield row("a failed job", VIDEO, 11, lambda g: g.ending.update(status="failed", error=ECHO))


@pytest.mark.parametrize(("words", "code", "prepare"), _rows())
def test_the_key_is_shown_nowhere(
    gateway: Gateway, words: list[str], code: int, prepare: Callable[[Gateway], None]
) -> None:
    Path("mine.png").write_bytes(png())
    prepare(gateway)
    done = run(*words, "--json", gateway=gateway)
    assert done.code == code, done.err
    must_not_hold(done, KEY, base64.b64encode(KEY.encode()).decode())


def test_not_even_a_part_of_the_key_is_shown_where_a_long_message_is_cut(gateway: Gateway) -> None:
    gateway.will("image", refusal(400, "x" * 485 + " " + KEY))
    done = run(*IMAGE, "--json", gateway=gateway)
    assert done.code == 10
    must_not_hold(done, KEY[:8])


def test_a_bug_does_not_show_the_key(gateway: Gateway) -> None:
    Path("broken").mkdir()
    broken = "import os\nraise RuntimeError(os.environ['AI_GATEWAY_API_KEY'])\n"
    Path("broken/av.py").write_text(broken, encoding="utf-8")
    Path("mine.png").write_bytes(png())
    path = os.pathsep.join([str(Path("broken").absolute()), os.environ["PYTHONPATH"]])
    done = run(*VIDEO, "--json", gateway=gateway, env={"PYTHONPATH": path})
    assert done.code == 1
    assert "Traceback" in done.err
    must_not_hold(done, KEY)


@pytest.mark.parametrize("gateway", ["auto", "happycapy", "openai", "openrouter", "vercel"])
def test_nobody_answering_does_not_show_the_key(gateway: str) -> None:
    env = {"AI_GATEWAY_BASE_URL": DEAD, "AI_GATEWAY_API_KEY": KEY}
    done = run(*IMAGE, "--json", f"--gateway={gateway}", env=env)
    assert (done.code, done.json["error"]["charged"]) == (6, "no")
    must_not_hold(done, KEY)


@pytest.mark.parametrize("as_json", [[], ["--json"]])
def test_setup_says_that_there_is_a_key_and_not_which(as_json: list[str]) -> None:
    words = ["bash", str(SCRIPTS / "setup.sh"), *as_json]
    env = environment(env={"AI_GATEWAY_API_KEY": KEY})
    told = subprocess.run(words, env=env, capture_output=True, text=True, check=False)
    assert "AI_GATEWAY_API_KEY" in told.stdout + told.stderr
    assert KEY not in told.stdout + told.stderr


# --- signed addresses -----------------------------------------------------------------------------


@pytest.mark.parametrize(("words", "code"), [(ALL, 0), (VIDEO, 9)], ids=["fetched", "never served"])
def test_the_signature_of_a_clip_is_shown_nowhere(
    gateway: Gateway, words: list[str], code: int
) -> None:
    Path("mine.png").write_bytes(png())
    gateway.query = f"?X-Signature={SIGNATURE}#frag-{SIGNATURE}"
    if code:
        gateway.always("file", Reply(403, body=b"expired"))
    done = run(*words, "--json", gateway=gateway)
    assert (done.code, SIGNATURE in gateway.of("file")[0].path) == (code, True)
    must_not_hold(done, SIGNATURE)


def test_the_signature_of_a_picture_is_kept_in_private_until_it_is_fetched(
    gateway: Gateway,
) -> None:
    """The picture is paid for and only its address is known, so that has to be kept somewhere."""
    url = f"{gateway.root}/files/a.png?sig={SIGNATURE}"
    gateway.will("image", Reply(json={"data": [{"url": url}]}))
    gateway.will("file", *[Reply(403)] * 4)
    lost = run(*IMAGE, "--json", gateway=gateway)
    assert (lost.code, lost.json["error"]["charged"]) == (9, "yes")
    (private,) = (
        path for where, _ in everything(lost) if (path := Path(where)).parent.name == "kept"
    )
    assert (private.stat().st_mode & 0o777, private.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    assert SIGNATURE in private.read_text(encoding="utf-8")
    private_text = private.read_bytes()
    private.unlink()
    must_not_hold(lost, SIGNATURE)
    private.write_bytes(private_text)

    gateway.will("file", Reply(body=png()))
    done = run(*IMAGE, "--json", gateway=gateway)
    assert (done.code, gateway.sent) == (0, {"image": 1})
    must_not_hold(done, SIGNATURE)


@pytest.mark.parametrize(
    "address",
    [
        "http://192.0.2.1/v.mp4",
        "https://10.0.0.1/v.mp4",
        "https://169.254.169.254/v.mp4",
        "https://[fd00::1]/v.mp4",
        "file:///etc/passwd",
        "https://[half/v.mp4",
    ],
)
def test_a_result_at_a_forbidden_address_is_not_fetched(gateway: Gateway, address: str) -> None:
    Path("mine.png").write_bytes(png())
    gateway.ending = {"status": "succeeded", "url": address}
    done = run(*VIDEO, "--json", gateway=gateway)
    assert (done.code, done.json["error"]["kind"]) == (9, "output"), done.err


@pytest.mark.parametrize(
    "location",
    [
        "https://10.0.0.1/v.mp4",
        "http://192.0.2.1/v.mp4",
        "http://a:b/",
        pytest.param("http://[half"),
    ],
)
def test_a_redirect_to_a_forbidden_address_is_not_followed(gateway: Gateway, location: str) -> None:
    Path("mine.png").write_bytes(png())
    gateway.always("file", Reply(302, body=b"", headers={"Location": location}))
    done = run(*VIDEO, "--json", gateway=gateway)
    assert (done.code, done.json["error"]["kind"]) == (9, "output"), done.err


# --- what would lead requests astray --------------------------------------------------------------


def test_netrc_and_proxies_change_nothing(gateway: Gateway, home: Path) -> None:
    netrc = home / ".netrc"
    netrc.write_text("default login somebody password else\n", encoding="utf-8")
    netrc.chmod(0o600)
    names = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy")
    Path("mine.png").write_bytes(png())
    with Gateway() as elsewhere:
        gateway.clips_at = elsewhere.root
        done = run(*VIDEO, gateway=gateway, env=dict.fromkeys(names, DEAD))
        assert done.code == 0, done.err
        assert {r.headers["authorization"] for r in gateway.requests} == {f"Bearer {KEY}"}
        assert "authorization" not in elsewhere.requests[0].headers


@pytest.mark.parametrize(
    ("key", "whose"),
    [
        ("sk-or-v1-0123456789abcdef", "OpenRouter"),
        ("sk-ant-api03-0123456789", "Anthropic"),
        ("sk-proj-0123456789abcdef", "OpenAI"),
        ("vck_0123456789abcdef", "Vercel"),
        ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl", "JSON Web Token"),
        ("two words", "character"),
        ("“quoted”", "character"),
    ],
)
def test_a_key_of_somebody_else_is_not_sent(gateway: Gateway, key: str, whose: str) -> None:
    words = ["factorized_generate", "--prompt=A cat.", "--json"]
    done = run(*words, gateway=gateway, env={"AI_GATEWAY_API_KEY": key})
    assert (done.code, done.json["error"]["kind"], gateway.requests) == (3, "auth", [])
    assert whose in done.json["error"]["message"]
    assert done.json["error"]["hint"]
    must_not_hold(done, key)


# --- .env -----------------------------------------------------------------------------------------

ENV = {"AI_GATEWAY_API_KEY": None, "AI_GATEWAY_BASE_URL": None}


@pytest.mark.parametrize("name", [".env", ".env.local"])
def test_key_and_base_url_from_the_same_file_are_used(gateway: Gateway, name: str) -> None:
    lines = f"AI_GATEWAY_API_KEY={KEY}\nAI_GATEWAY_BASE_URL='{gateway.root}/api/v1/'\n"
    Path(name).write_text(lines, encoding="utf-8")
    done = run("rewrite_prompt", "A cat.", "--gateway=happycapy", env=ENV)
    assert done.code == 0, done.err
    assert [request.endpoint for request in gateway.requests] == ["check", "chat"]
    for request in gateway.requests:
        assert request.headers["authorization"] == f"Bearer {KEY}"


def test_the_base_url_of_a_strange_project_does_not_get_the_key(gateway: Gateway) -> None:
    """The key is from the environment, as is the gateway; a `.env` here names another address."""
    with Gateway() as strange:
        line = f"AI_GATEWAY_BASE_URL={strange.root}\nAI_GATEWAY_API_KEY=other-key\n"
        Path(".env").write_text(line, encoding="utf-8")
        done = run("rewrite_prompt", "A cat.", gateway=gateway)
        assert (done.code, strange.requests) == (0, [])
        assert [request.endpoint for request in gateway.requests] == ["check", "chat"]


def test_an_unused_base_url_is_said(gateway: Gateway) -> None:
    """Without a base URL in the environment it would go to HappyCapy, which the guard refuses.

    Nor does the address that is not used choose the gateway.
    """
    Path(".env").write_text(f"AI_GATEWAY_BASE_URL={gateway.root}\n", encoding="utf-8")
    done = run("rewrite_prompt", "A cat.", env={"AI_GATEWAY_API_KEY": KEY})
    assert gateway.requests == []
    assert "'ai-gateway.trickle-lab.tech'" in done.err  # what is asked first
    assert "warning: AI_GATEWAY_BASE_URL in" in done.err


def test_an_unused_base_url_is_said_without_a_key_too(gateway: Gateway) -> None:
    Path(".env").write_text(f"AI_GATEWAY_BASE_URL={gateway.root}\n", encoding="utf-8")
    done = run("rewrite_prompt", "A cat.", "--json")
    assert (done.code, gateway.requests) == (3, [])
    assert "AI_GATEWAY_BASE_URL" in done.err


def test_plain_http_to_another_machine_is_refused_with_a_key() -> None:
    env = {"AI_GATEWAY_BASE_URL": "http://gateway.example:8080", "AI_GATEWAY_API_KEY": KEY}
    done = run("rewrite_prompt", "A cat.", "--json", env=env)
    assert (done.code, done.json["error"]["kind"]) == (2, "usage")
    assert "ssh -L" in done.json["error"]["hint"]
    must_not_hold(done, KEY)
