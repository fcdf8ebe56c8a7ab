"""Install an engine's API server into a virtual environment, without what only a GPU needs.

    python install.py NAME VENV

Its own wheels without their requirements, then those requirements but for kernels, drivers and
cluster tools, none of which a server needs to route, check and store.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

# As tried; `plain` are installed without what they require.
TORCH = ["torch", "torchvision"]
ENGINES: dict[str, dict[str, list[str]]] = {
    "vllm-omni": {
        "wheels": ["vllm==0.30.0", "vllm-omni==0.30.0"],
        # FastVideo's server runs in the same environment: it needs little besides.
        "plain": ["xgrammar", "fastvideo==0.2.1", "remote-pdb", "ftfy", "aiofiles", "orjson"],
        "more": [*TORCH, "fastapi<0.137"],  # later ones break its lifespan
    },
    "sglang": {
        "wheels": ["sglang[diffusion]==0.5.23"],
        "plain": [],
        "more": ["torch", "torchvision"],
    },
    "litellm": {"wheels": ["litellm[proxy]==1.109.3"], "plain": [], "more": []},
}
LEFT_OUT = re.compile(
    r"(torch|torchvision|torchaudio|torchcodec|torchao|nvidia|flashinfer|xformers|triton|cuda|cupy|"
    r"sgl-kernel|sglang-kernel|flash|fa\d|apache-tvm|tvm|tilelang|quack|nixl|ray|xgrammar|outlines|"
    r"deepspeed|bitsandbytes|mooncake|deep-?ep|decord|opencv-python-headless|humming|runai|cache-dit|"
    r"st-attn|vsa|smg|vllm|litellm-proxy-extras|litellm-enterprise)\b",
    re.IGNORECASE,
)
_READ = """
import importlib.metadata as metadata, json, sys
print(json.dumps(metadata.requires(sys.argv[1]) or []))
"""


def main() -> int:
    """Install; the exit code of the last pip that failed."""
    name, venv = sys.argv[1], Path(sys.argv[2])
    python = str(venv / "bin" / "python")
    engine = ENGINES[name]

    def pip(*words: str) -> int:
        command = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        return subprocess.run([*command, *words], check=False).returncode

    failed = pip(*engine["more"], "numpy", "pillow") if engine["more"] else 0
    wanted = []
    for wheel in engine["wheels"]:
        named, _, version = wheel.partition("==")
        package, _, extra = named.rstrip("]").partition("[")
        failed = pip("--no-deps", f"{package}=={version}") or failed
        wanted += _requirements(python, package, extra)
    needed = [one for one in wanted if not LEFT_OUT.match(one)]
    if pip(*needed):  # one that cannot be had here, or at that version: the rest by themselves
        failed = max(pip(one) and pip(re.split(r"[\s<>=!~;]", one)[0]) for one in needed)
    for package in engine["plain"]:
        failed = pip("--no-deps", package) or failed
    return failed


def _requirements(python: str, package: str, extra: str) -> list[str]:
    """What an installed package requires on this machine, and its extra."""
    import json

    read = subprocess.run(
        [python, "-c", _READ, package], capture_output=True, check=True, text=True
    )
    found = []
    for line in json.loads(read.stdout):
        requirement, _, marker = line.partition(";")
        named = re.search(r"extra\s*==\s*['\"]([\w-]+)['\"]", marker)
        if named and named[1] != extra:
            continue
        rest = re.sub(r"(and\s+)?extra\s*==\s*['\"][\w-]+['\"](\s+and)?", "", marker).strip()
        found.append(f"{requirement.strip()}; {rest}" if rest else requirement.strip())
    return found


if __name__ == "__main__":
    sys.exit(main())
