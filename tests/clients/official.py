"""The vendors' own clients, as their documentation uses them, without retries of their own.

Every function takes `root`, where the server is. None of the clients reaches another machine: the
guard ends a Python process that tries, and `only_loopback.mjs` one of Node.
"""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).resolve().parent
MADE = HERE / ".made"


def openai(root: str, key: str) -> Any:
    """The `openai` package, at a server in its shape; its Videos API is there and deprecated."""
    from openai import OpenAI

    warnings.simplefilter("ignore", DeprecationWarning)
    return OpenAI(api_key=key, base_url=f"{root}/v1", max_retries=0, timeout=20)


def openrouter(root: str, key: str) -> Any:
    """The `openrouter` package; left alone it sends a create again for an hour."""
    from openrouter import OpenRouter
    from openrouter.utils import BackoffStrategy, RetryConfig

    once = RetryConfig("none", BackoffStrategy(1, 1, 1, 1), False)
    return OpenRouter(
        api_key=key, server_url=f"{root}/api/v1", retry_config=once, timeout_ms=20_000
    )


def vercel(root: str, key: str, calls: Iterable[str], **chosen: object) -> list[dict[str, Any]]:
    """The npm packages `ai` and `@ai-sdk/gateway`: what came of each call of `vercel.mjs`."""
    given = {"root": root, "key": key, "calls": [*calls], "chosen": chosen}
    told = node("vercel.mjs", given=json.dumps(given))
    assert told.returncode == 0, told.stderr
    return [json.loads(line) for line in told.stdout.splitlines()]


def node(*words: str, given: str = "") -> subprocess.CompletedProcess[str]:
    """Node, kept on this machine. A script of ours is copied to where the packages are."""
    if not (MADE / "node_modules").is_dir() or shutil.which("node") is None:
        pytest.skip("Node or Vercel's own client is not here")
    for name in ("only_loopback.mjs", "vercel.mjs"):
        shutil.copy(HERE / name, MADE)
    return subprocess.run(
        ["node", "--import", "./only_loopback.mjs", *words],
        cwd=MADE,
        input=given,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def bytes_of(text: str) -> bytes:
    """The bytes of base64, with or without a data URI's head."""
    return base64.b64decode(text.rpartition(",")[2])
