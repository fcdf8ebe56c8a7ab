"""Start and stop the servers on free ports of this machine."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import threading
import time
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
MADE = Path(os.environ.get("ENGINES_MADE", HERE / ".made"))
VIDEO, IMAGE = "Wan-AI/Wan2.2-I2V-A14B-Diffusers", "Qwen/Qwen-Image"
SOUNDING = "own/sounding"  # a name of which nothing is known
PIPELINES = {
    VIDEO: "WanImageToVideoPipeline",
    IMAGE: "QwenImagePipeline",
    SOUNDING: "WanImageToVideoPipeline",
}
SCRIPTS = {
    "vllm-omni": "vllm_omni_server.py",
    "sglang": "sglang_server.py",
    "fastvideo": "fastvideo_server.py",
}
STARTS_IN_S = 180
MASTER_KEY = "sk-local-for-tests"


def free_port() -> int:
    """A port that nobody listens on, nor on the one after it, which SGLang takes too."""
    while True:
        with socket.socket() as found, socket.socket() as following:
            found.bind(("127.0.0.1", 0))
            port = int(found.getsockname()[1])
            with contextlib.suppress(OSError):
                following.bind(("127.0.0.1", port + 1))
                return port


class Server:
    """One server's process, its address, and what its engine was asked."""

    def __init__(self, engine: str, model: str, place: Path) -> None:
        self.engine, self.model, self.place = engine, model, place
        self.port = free_port()
        self.root = f"http://127.0.0.1:{self.port}"
        self.log = place / f"{engine}-{self.port}.jsonl"
        self.start()

    def start(self) -> None:
        """Start it (again): what it had in memory is gone."""
        words = [str(HERE / SCRIPTS[self.engine]), self.model, str(self.port)]
        self._run([_python(self.engine), *words, PIPELINES[self.model]])

    def _run(self, words: list[str]) -> None:
        environ = {
            **os.environ,
            "PYTHONPATH": "",
            "ENGINE_LOG": str(self.log),
            "ENGINE_MODELS": str(self.place / self.engine),
            "CUDA_VISIBLE_DEVICES": "",
        }
        # Not of these tests: the time of the scripts, and what they would write for coverage.
        for name in [name for name in environ if name.startswith(("FACTORIZED_", "COV"))]:
            del environ[name]
        with open(self.place / f"{self.engine}-{self.port}.log", "ab") as said:
            self._process = subprocess.Popen(
                words,
                cwd=self.place,
                env=environ,
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
                start_new_session=True,
            )

    def wait(self) -> Server:
        """Wait until it answers. Raises TimeoutError with the end of what it said."""
        until = time.monotonic() + STARTS_IN_S
        while time.monotonic() < until and self._process.poll() is None:
            try:
                headers = {"Authorization": f"Bearer {MASTER_KEY}"}
                asked = urllib.request.Request(f"{self.root}/v1/models", headers=headers)
                with urllib.request.urlopen(asked, timeout=5):
                    return self
            except (OSError, urllib.error.URLError):
                time.sleep(0.5)
        said = (self.place / f"{self.engine}-{self.port}.log").read_text(errors="replace")
        raise TimeoutError(f"{self.engine} did not start:\n{said[-4000:]}")

    def stop(self) -> None:
        """Kill it and all that it started."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    @property
    def asked(self) -> list[dict[str, Any]]:
        """What its engine was asked, in order."""
        if not self.log.exists():
            return []
        rows = [json.loads(line) for line in self.log.read_text().splitlines()]
        return [row for row in rows if "prompt" in row]

    @property
    def aborted(self) -> list[str]:
        """The requests that its engine was told to end."""
        rows = [json.loads(line) for line in self.log.read_text().splitlines()]
        return [row["aborted"] for row in rows if "aborted" in row]


class Proxy(Server):
    """LiteLLM before other servers, by two routes to each, and a writer of its own."""

    def __init__(self, place: Path, servers: dict[str, Server]) -> None:
        self._servers = servers
        super().__init__("litellm", "", place)

    def start(self) -> None:
        """Start it with a configuration for these servers."""
        rows = [_row("writer", "openai/writer", "http://127.0.0.1:9/v1", mock_response=CAPTION)]
        for name, server in self._servers.items():
            for route in ("hosted_vllm", "openai"):
                rows.append(_row(f"{name}-{route}", f"{route}/{server.model}", f"{server.root}/v1"))
        config = {
            "model_list": rows,
            "general_settings": {"master_key": MASTER_KEY},
            "litellm_settings": {"drop_params": False},
        }
        path = self.place / "litellm.yaml"
        path.write_text(json.dumps(config))  # JSON is YAML
        litellm = str(Path(_python("litellm")).with_name("litellm"))
        self._run([litellm, "--config", str(path), "--host", "127.0.0.1", "--port", str(self.port)])


CAPTION = json.dumps(
    {
        "caption": "Three red balls rest on a wooden table, seen from the side.",
        "motion": "The balls begin to roll slowly to the left.",
    }
)


def _row(name: str, model: str, base: str, **more: str) -> dict[str, object]:
    told = {"model": model, "api_base": base, "api_key": "none", **more}
    return {"model_name": name, "litellm_params": told}


def _python(engine: str) -> str:
    venv = {"fastvideo": "vllm-omni"}.get(engine, engine)
    return str(MADE / venv / "bin" / "python")


class Loses(ThreadingHTTPServer):
    """A relay that loses the answer to the first video create, after it was accepted."""

    daemon_threads = True

    def __init__(self, server: Server) -> None:
        super().__init__(("127.0.0.1", 0), _Relay)
        self.server, self.left = server, 1
        self.root = f"http://127.0.0.1:{self.server_address[1]}"
        threading.Thread(target=self.serve_forever, daemon=True).start()


class _Relay(BaseHTTPRequestHandler):
    server: Loses

    def _pass_on(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        named = {"Content-Type": self.headers.get("Content-Type", "application/json")}
        request = urllib.request.Request(
            self.server.server.root + self.path, body or None, named, method=self.command
        )
        try:
            with urllib.request.urlopen(request, timeout=60) as reply:
                status, kind, data = reply.status, reply.headers["Content-Type"], reply.read()
        except urllib.error.HTTPError as error:
            status, kind, data = error.code, error.headers["Content-Type"], error.read()
        if self.command == "POST" and self.server.left:
            self.server.left -= 1
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        self.send_response(status)
        self.send_header("Content-Type", kind or "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    do_GET = do_POST = do_DELETE = _pass_on

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
        """Nothing."""
