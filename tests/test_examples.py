"""The files of examples/ run as they stand: at the demo gateway, from another folder."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import environment, run
from factorized_video.cli.standing_options import VARIABLES
from factorized_video.gateway import dialects, lookup
from factorized_video.receipts.cap import MAX_COST

ROOT = Path(__file__).resolve().parents[1]
EXAMPLES = ROOT / "examples"

pytestmark = pytest.mark.usefixtures("live_registry")  # examples are for the shipped models


@pytest.mark.thorough
@pytest.mark.parametrize("name", ["first-run.sh", "choose-a-frame.sh"])
def test_a_script_makes_a_clip_at_the_demo_gateway(name: str) -> None:
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    ended = subprocess.run(
        ["bash", str(EXAMPLES / name)],
        env=environment(env={"PATH": path, "FACTORIZED_VIDEO_TIME_SCALE": None}),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    (made,) = [word for word in ended.stdout.split() if word.endswith(".mp4")]
    assert Path(made).parent == Path("outputs").resolve()
    receipt = json.loads(Path(f"{made}.receipt.json").read_text(encoding="utf-8"))
    assert receipt["gateway"]["name"] == "demo"


@pytest.mark.parametrize("gateway", ["demo", "happycapy", "vercel", "openrouter"])
def test_every_line_of_the_prompts_is_supported_and_priced(gateway: str) -> None:
    """By the default models of every gateway that has some."""
    file = EXAMPLES / "prompts.jsonl"
    words = ("--dry-run", "--json", f"--gateway={gateway}", f"--prompts-file={file}")
    planned = run("factorized_generate", *words)
    assert planned.code == 0, planned.err
    assert len(planned.json["lines"]) == len(file.read_text(encoding="utf-8").splitlines())
    assert planned.json["cost"]["kind"] != "unknown"


def test_the_readme_of_the_examples_names_each_file() -> None:
    page = (EXAMPLES / "README.md").read_text(encoding="utf-8")
    for path in EXAMPLES.iterdir():
        assert path.name == "README.md" or f"| `examples/{path.name}` |" in page


def test_the_example_of_settings_is_kept_by_git_and_sets_nothing() -> None:
    lines = (ROOT / ".env.example").read_text(encoding="utf-8").splitlines()
    assert all(line.startswith("#") for line in lines if line)
    named = {line[1:].partition("=")[0] for line in lines if line[1:2].isupper() and "=" in line}
    keys = {about.own_variable for about in dialects.about_all().values() if about.own_variable}
    own = {of(one) for one in lookup.SERVICES for of in (lookup.base_of, lookup.key_of)}
    assert named == {lookup.KEY, lookup.BASE, MAX_COST, *keys, *own, *VARIABLES.values()}
    ignored = subprocess.run(["git", "check-ignore", "-q", ".env.example"], cwd=ROOT, check=False)
    assert ignored.returncode != 0


@pytest.mark.thorough
def test_the_overview_is_made_of_any_run_that_is_there() -> None:
    pytest.importorskip("av")
    image = pytest.importorskip("PIL.Image")
    words = ("--gateway=demo", "--prompt=Ein Mädchen", "--aspect-ratio=9:16", "--output=a/b.mp4")
    assert run("factorized_generate", *words).code == 0
    command = [sys.executable, str(EXAMPLES / "overview.py")]
    made = subprocess.run([*command, "a/b.mp4", "o.png"], env=environment(), check=False)
    assert made.returncode == 0
    with image.open("o.png") as picture:
        assert picture.width == 1200
    nothing = subprocess.run([*command, "c.mp4", "o.png"], env=environment(), check=False)
    assert nothing.returncode == 2
