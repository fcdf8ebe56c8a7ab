"""The documentation, held to the code: what is shown runs, what is said is so."""

from __future__ import annotations

import argparse
import ast
import importlib.util
import re
import shlex
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from bed import table as bed_table
from factorized_video import (
    STAGES,
    console,
    handoff,
    interrupts,
    models,
    output_paths,
    receipts,
    rerun,
)
from factorized_video.cli import standing_options
from factorized_video.cli.exit_codes import EXITS
from factorized_video.cli.result import RESULT_KEYS
from factorized_video.defaults import MOST_CANDIDATES
from factorized_video.gateway import dialects, lookup
from factorized_video.gateway.dialects.happycapy import DIALECT as happycapy
from factorized_video.media import contact_sheet, frames, images, similarity
from factorized_video.models import listing, picture_limits
from factorized_video.models.catalog import Catalog
from factorized_video.money import Cost
from factorized_video.pipeline.work_folder import WorkFolder
from factorized_video.prompts import anchor_image, checklist, story_draft, strategies, styles
from factorized_video.prompts.caption import (
    CAPTION_SHAPE,
    CAPTION_SYSTEM_PROMPT,
    REFERENCES_FOR_CAPTION,
    SCENE_FOR_CAPTION,
    STILLNESS_REQUEST,
    motion_words,
)
from factorized_video.prompts.families import PLAIN, Prompting, addition
from factorized_video.prompts.json_reply import REPAIR_REQUEST
from factorized_video.prompts.motion import EARLIER_FOR_MOTION, MOTION_SHAPE, MOTION_SYSTEM_PROMPT
from factorized_video.receipts import run_list
from factorized_video.receipts.cap import MAX_COST
from factorized_video.stages import delivery, lost_job, plan
from factorized_video.stages.calls import Call
from factorized_video.stages.candidates import filing
from factorized_video.stages.candidates.folder import Candidate, Folder
from factorized_video.stages.candidates.making import AT_ONCE
from factorized_video.stages.candidates.report import lines_of, title_of
from factorized_video.stages.plan import Rules
from factorized_video.stages.request import CandidateWish, ClipRequest
from factorized_video.texts import MAX_TEXT
from loopback import clip
from PIL import Image

ROOT = Path(__file__).resolve().parents[1]
SCRIPTS = (
    "rewrite_prompt.py",
    "generate_anchor.py",
    "generate_video_from_anchor.py",
    "factorized_generate.py",
)
pytestmark = pytest.mark.usefixtures("live_registry")  # documents show the shipped one

REFERENCES = sorted((ROOT / "references").glob("*.md"))
PAGES = ("SKILL", "README", "CONTRIBUTING", "CHANGELOG", "examples/README")
DOCS = [*(ROOT / f"{name}.md" for name in PAGES), *REFERENCES]
KINDS = dict(zip(SCRIPTS, ("llm", "image", "video"), strict=False))
MODEL_KINDS = {
    "--llm-model": "llm",
    "--image-model": "image",
    "--video-model": "video",
    "--judge-model": "llm",
}
DEMO, BED, DOCS_TOOL = "scripts/factorized_video/demo", "tests/bed", "tools/generate_docs.py"
SETUP_OPTIONS = {"--install", "--check-key", "--gateway", "--json", "--help", "-h"}
# Commands without a parser of their own to ask, and the options that they have.
TOOLS: dict[str, set[str]] = {
    "scripts/setup.sh": SETUP_OPTIONS,
    "tests/run.sh": {"--quick", "--slow", "--dialects"},
    "tests/clients/run.sh": set(),
    "tests/engines/run.sh": set(),
    "examples/first-run.sh": set(),
    "examples/choose-a-frame.sh": set(),
    "examples/overview.py": set(),
    ".ci/run": set(),
    "tools/generate_docs.py": {"--check"},
    "tools/compare_lists.py": set(),
}
# Of the engines that gateways.md tells how to start.
ENGINES = {
    "--model-path",
    "--num-gpus",
    "--port",
    "--nnodes",
    "--node-rank",
    "--dist-init-addr",
    "--omni",
    "--omni-master-address",
    "--api-server-count",
    "--config",
}
# What RUN stands for in SKILL.md, which is no command yet.
RUN = "${CLAUDE_SKILL_DIR}/scripts/factorized_generate.py"
INSTALLED = re.compile(r"^(?:\$\{CLAUDE_SKILL_DIR\}|~/\.claude/skills/factorized-video-gen)/")

# The commands that the original skill's page documents, as they stood there.
ORIGINAL = [
    "python3 ~/.claude/skills/factorized-video-gen/scripts/factorized_generate.py "
    '--prompt "A cat jumping from a bookshelf to the couch" --style photorealistic '
    "--output ./outputs/cat-jump.mp4",
    "bash ~/.claude/skills/factorized-video-gen/scripts/setup.sh",
    "python3 ~/.claude/skills/factorized-video-gen/scripts/rewrite_prompt.py "
    '"A cat jumping from a bookshelf to the couch" --style photorealistic --aspect-ratio 16:9 '
    "--output first_frame.txt",
    "python3 ~/.claude/skills/factorized-video-gen/scripts/generate_anchor.py "
    '"A tabby cat perched on a tall wooden bookshelf, muscles tensed..." '
    "--model google/gemini-3-pro-image-preview --style photorealistic --enhance "
    "--output anchor.png",
    "python3 ~/.claude/skills/factorized-video-gen/scripts/generate_video_from_anchor.py "
    '--anchor anchor.png --prompt "A cat jumping from a bookshelf to the couch" '
    "--model google/veo-3.1-generate-preview --duration 6 --aspect-ratio 16:9 --output video.mp4",
    'python3 factorized_generate.py --prompt "..." --skip-reasoning',
    'python3 factorized_generate.py --prompt "..." --skip-anchor --anchor-path my-image.png',
    'python3 factorized_generate.py --prompt "..." --save-intermediate --work-dir ./debug/',
]


@cache
def text_of(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def reference(name: str) -> str:
    return text_of(ROOT / "references" / name)


def fences(text: str) -> list[str]:
    return re.findall(r"^```[^\n]*\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def spans(text: str) -> list[str]:
    """The inline code of a text, fenced blocks left out."""
    outside = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    return re.findall(r"`([^`\n]+)`", outside)


def rows(text: str) -> list[list[str]]:
    """The cells of all table rows but the rules."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return [row for row in cells if not re.fullmatch(r"-+", row[0])]


def numbers(text: str) -> set[float]:
    return {float(number) for number in re.findall(r"\d+(?:\.\d+)?", text)}


def section(text: str, heading: str) -> str:
    """From one second-level heading to the next."""
    _, found, rest = text.partition(f"\n## {heading}\n")
    assert found, heading
    return rest.partition("\n## ")[0]


def commands(text: str) -> list[list[str]]:
    """Every simple command shown: whole lines of fenced blocks, and inline code that is one."""
    lines = [
        line
        for block in fences(text)
        for line in block.replace("\\\n", " ").splitlines()
        if re.match(r"(?:\w+=\S* )?(?:python3|bash|uv run) ", line)
    ]
    # SKILL.md says once what RUN stands for.
    inline = [
        re.sub(r"^RUN (?=--)", "python3 factorized_generate.py ", code) for code in spans(text)
    ]
    lines += [code for code in inline if re.match(r"(?:python3|bash|uv run) ", code)]
    found = []
    for line in lines:
        lexer = shlex.shlex(line, posix=True, punctuation_chars="|&;")
        lexer.whitespace_split = True
        words: list[str] = []
        for word in [*lexer, ";"]:
            if set(word) <= set("|&;"):
                found.append([w for w in words if not re.match(r"[A-Z_]+=", w)])
                words = []
            else:
                words.append(word)
    return [words for words in found if words and words[1:] != [RUN]]


@cache
def script(path: str) -> ModuleType:
    """A script, imported by its path below the repository."""
    file = ROOT / path
    file = file / "__main__.py" if file.is_dir() else file
    spec = importlib.util.spec_from_file_location("shown_" + re.sub(r"\W", "_", path), file)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def parsed(words: list[str]) -> tuple[str, argparse.Namespace] | None:
    """The script and options of a shown command; None for those in TOOLS."""
    runner, *rest = words
    if rest[0] == "run":
        rest = rest[1:]
    path, *options = rest
    path = INSTALLED.sub("", path)
    if "/" not in path:
        path = "scripts/" + path
    assert (ROOT / path).exists(), path
    if path in TOOLS:
        assert (runner == "bash") is not path.endswith(".py")
        assert {option for option in options if option.startswith("--")} <= TOOLS[path]
        return None
    module = bed_table if path == BED else script(path)
    parser: argparse.ArgumentParser = module.build_parser()
    return path, parser.parse_args(options)


SHOWN = [
    pytest.param(words, id=f"{path.name}-{number}")
    for path in DOCS
    for number, words in enumerate(commands(text_of(path)))
]


def test_there_are_commands_to_check() -> None:
    assert len(commands(skill())) >= 6
    assert len(commands(readme())) >= 12


@pytest.mark.parametrize("words", SHOWN)
def test_shown_commands_parse(words: list[str]) -> None:
    parsed(words)


@pytest.mark.parametrize("line", ORIGINAL)
def test_commands_of_the_original_skill_parse(line: str) -> None:
    (words,) = commands(f"```bash\n{line}\n```")
    parsed(words)


@pytest.mark.parametrize("line", [*ORIGINAL, *SHOWN])
def test_shown_commands_make_a_legal_plan(
    line: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each, as a dry run: models, ratios and durations are legal, flags do not contradict."""
    words = commands(f"```bash\n{line}\n```")[0] if isinstance(line, str) else line
    if "openai" in words:
        monkeypatch.setenv(lookup.BASE, "http://127.0.0.1:30000/v1")
    found = parsed(words)
    if found is None or found[0] in (DEMO, BED, DOCS_TOOL):
        return
    path, options = found
    # What the command reads is there; what it writes is not.
    written = {getattr(options, "output", None), getattr(options, "motion_file", None)}
    read = [
        getattr(options, name, None) for name in ("anchor", "anchor_path", "last_frame", "edit")
    ]
    for name in {*filter(None, read), *(getattr(options, "reference", None) or ())}:
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (640, 360), "teal").save(name)
    if getattr(options, "story", None):
        Path(options.story).parent.mkdir(exist_ok=True)
        Path(options.story).write_text("# T\n## Shots\n### One\nA cat.\n", encoding="utf-8")
    for name in getattr(options, "join", None) or ():
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_bytes(clip())
    output = {getattr(options, "output", None)}
    for name in {"caption.txt", "first_frame.txt"} - written | {"motion.txt"} - output:
        Path(name).write_text("A cat on a shelf.\n", encoding="utf-8")
    if getattr(options, "prompts_file", None):
        Path(options.prompts_file).parent.mkdir(exist_ok=True)
        Path(options.prompts_file).write_text('{"prompt": "A cat"}\n', encoding="utf-8")
    options.dry_run, options.console = True, console.Console(quiet=True)
    options.handoff, options.rerun = handoff.Handoff(), rerun.Rerun(["x.py"])
    options.launcher = None
    if getattr(options, "select", None):
        options.select = None  # of candidates that are not there
    if getattr(options, "input_file", None) == "-":
        options.input_file = "caption.txt"
    if getattr(options, "list_runs", None) is not None:
        options.list_runs = "."
        assert script(path).run(options)["runs"] == []
        return
    alone = ("cancel", "from_output", "merge")
    if any(getattr(options, name, None) is not None for name in alone):
        return  # no plan, and nothing to try it on
    if getattr(options, "list_models", None) is not None:
        assert script(path).run(options)["models"]
        return
    assert script(path).run(options)["status"] == "planned"


@pytest.mark.parametrize("path", DOCS, ids=lambda path: path.name)
def test_files_and_headings_named_exist(path: Path) -> None:
    text = text_of(path)
    for target in re.findall(r"\]\(([^)]+)\)", text):
        if target.startswith("https://"):
            continue
        name, _, anchor = target.partition("#")
        assert (path.parent / name).exists(), target
        if anchor:
            headings = re.findall(r"^#+ (.*)$", text_of(path.parent / name) if name else text, re.M)
            slugs = [re.sub(r"[^\w -]", "", h.lower()).replace(" ", "-") for h in headings]
            assert anchor in slugs, target
    for code in spans(text):
        if re.fullmatch(
            r"(?:scripts|references|examples|tests|tools|evals|\.claude-plugin)/[\w./-]+", code
        ):
            assert (ROOT / code).exists(), code
        elif path.name == "CONTRIBUTING.md" and re.fullmatch(r"[a-z_/]+\.py", code):
            assert (ROOT / "scripts/factorized_video" / code).exists(), code


@pytest.mark.parametrize("path", DOCS, ids=lambda path: path.name)
def test_nothing_is_shown_that_must_not_be(path: Path) -> None:
    text = text_of(path)
    for wrong in (
        r"\$\d",  # Claude Code replaces it by a word of the invocation
        r"\.\./",
        r"/(?:work|tmp|home|root|Users)/",
        r"4[01]\s*%|53\s*%|66\s*%|40\s*[-\u2013]\s*50|41\s*[-\u2013]\s*53",  # figures of no source
    ):
        assert not re.search(wrong, text), wrong


@pytest.mark.parametrize("path", REFERENCES, ids=lambda path: path.name)
def test_long_references_open_with_their_contents(path: Path) -> None:
    text = text_of(path)
    if len(text.splitlines()) > 100:
        listed = re.findall(r"^- \[(.+)\]\(#", section(text, "Contents"), re.MULTILINE)
        outside = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
        headings = re.findall(r"^## (.+)$", outside, re.MULTILINE)
        assert listed == [heading for heading in headings if heading != "Contents"]


def test_every_reference_is_linked_from_the_skill() -> None:
    for path in REFERENCES:
        assert f"(references/{path.name})" in text_of(ROOT / "SKILL.md")


# -- options ---------------------------------------------------------------------------------------


def options_of(parser: argparse.ArgumentParser) -> dict[str, argparse.Action]:
    """Every option that --help shows, by each of its names; a positional by its metavar."""
    shown: dict[str, argparse.Action] = {}
    for action in parser._actions:
        if action.help != argparse.SUPPRESS:
            names = action.option_strings or [str(action.metavar)]
            shown.update(dict.fromkeys(names, action))
    return shown


@pytest.mark.parametrize("name", [*SCRIPTS, "demo"])
def test_every_option_is_documented_and_no_other(name: str) -> None:
    parser = script(DEMO if name == "demo" else f"scripts/{name}").build_parser()
    expected = options_of(parser)
    documented: set[str] = set()
    shared = "" if name == "demo" else section(reference("cli.md"), "Shared options")
    own = rows(section(reference("cli.md"), name))[1:]
    for option, meaning, default in [*own, *rows(shared)]:
        if option == "option" or (
            [option, meaning, default] not in own
            and not expected.keys() & set(re.findall(r"`(-[\w-]+)", option))
        ):
            continue
        for code in re.findall(r"`([^`]+)`", option):
            word, _, value = code.partition(" ")
            assert word in expected, word
            documented.add(word)
            action = expected[word]
            if action.choices:
                choices = "{" + ",".join(map(str, action.choices)) + "}"
                assert value == (f"[{choices}]" if action.nargs == "?" else choices), word
            elif action.option_strings and action.nargs != 0:
                metavar = action.metavar or action.dest.upper()
                assert value == (f"[{metavar}]" if action.nargs == "?" else metavar), word
            if action.default not in (None, False, argparse.SUPPRESS):
                assert re.search(rf"\b{re.escape(str(action.default))}\b", default), word
            if word in MODEL_KINDS or word == "--model":
                kind = KINDS[name] if word == "--model" else MODEL_KINDS[word]
                for gateway in models.document()["gateways"]:
                    model = models.gateway(gateway).defaults.get(kind)
                    assert f"`{model}`" in default if model else f"`{gateway}` has none" in default
        assert meaning
    assert documented == set(expected)


def test_setup_options_are_documented_and_no_other() -> None:
    assert set(options_of(script("scripts/_setup.py").build_parser())) == SETUP_OPTIONS
    table = rows(section(reference("cli.md"), "setup.sh"))[1:]
    shown = {code.split()[0] for row in table for code in re.findall(r"`([^`]+)`", row[0])}
    assert shown == SETUP_OPTIONS


@pytest.mark.parametrize("path", DOCS, ids=lambda path: path.name)
def test_every_flag_named_anywhere_exists(path: Path) -> None:
    known = {"--port"}.union(*TOOLS.values())
    known |= ENGINES if path.name == "gateways.md" else set()
    if path.name == "measuring.md":
        known |= set(options_of(bed_table.build_parser()))
    for name in SCRIPTS:
        known |= set(options_of(script(f"scripts/{name}").build_parser()))
    assert set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", text_of(path))) <= known


def test_styles_and_limits_of_the_options() -> None:
    for page in (reference("cli.md"), text_of(ROOT / "README.md")):
        assert all(style in page for style in styles.STYLES)
    for page in ("README.md", "SKILL.md", "references/cli.md"):
        assert f"{MAX_TEXT:,} characters" in text_of(ROOT / page)
    names = {lookup.KEY, lookup.BASE, lookup.TIME_SCALE, MAX_COST}
    names |= set(standing_options.VARIABLES.values())
    names |= {dialects.load(name).ABOUT.own_variable or lookup.KEY for name in dialects.names()}
    table = rows(section(reference("cli.md"), "Environment"))[1:]
    own = {name_of(one) for one in lookup.SERVICES for name_of in (lookup.base_of, lookup.key_of)}
    assert {*", ".join(row[0] for row in table).split(", ")} == {f"`{one}`" for one in names | own}
    several = section(reference("gateways.md"), "Several servers")
    assert all(f"`{name}`" in several and name in text_of(ROOT / ".env.example") for name in own)
    for page in ("README.md", "references/gateways.md", "references/troubleshooting.md"):
        assert MAX_COST in text_of(ROOT / page)


def test_how_a_picture_is_made_fit() -> None:
    page = section(reference("cli.md"), "The shape of the picture")
    assert [row[0].strip("`") for row in rows(page)[1:]] == [
        "not set",
        "crop",
        "pad",
        "extend",
        "none",
    ]
    most = f"{picture_limits.FREE_CROP:.0%}".replace("%", " %")
    for text in (page, readme(), skill(), reference("troubleshooting.md")):
        assert most in text
    sent = f"{images.SENT_SIDE:,} px", f"{images.SENT_BYTES // 1_000_000} MB"
    for text in (page, section(reference("wire.md"), "What is sent")):
        assert all(words in text for words in sent)


def test_what_the_video_call_can_say() -> None:
    page = section(reference("wire.md"), "What is sent")
    known = models.gateway("happycapy")
    assert f"`size` ({' or '.join(known.resolutions or ())})" in page
    assert f"take {' and '.join(known.resolutions or ())} only" in readme()
    for name in dialects.names():
        cells = {row[0]: row for row in rows(section(reference("gateways.md"), "What each can do"))}
        place = cells[""].index(name)
        can = models.gateway(name)
        said = {
            "`--seed`": can.seed,
            "`--cancel`": can.cancel,
            "cost of a clip": can.reports_cost,
            "`--last-frame`": can.last_frame,
            "sound switched in the call (`--no-audio`)": can.audio_switch,
            "default models": bool(can.defaults),
        }
        for what, has in said.items():
            cell = cells[what][place]
            assert cell.startswith("no") is (has is False), (name, what)


def test_how_a_picture_is_shown_to_a_model() -> None:
    page = section(reference("wire.md"), "What is sent")
    assert f"up to {images.SHOWN_SIDE:,} px a side and {images.SHOWN_BYTES / 1e6:g} MB" in page


def test_who_takes_no_last_frame() -> None:
    page = section(reference("cli.md"), "A last frame, and a loop")
    lacking = [n for n in models.document()["gateways"] if models.gateway(n).last_frame is False]
    named = re.findall(r"has no field for it \(([^)]+)\)", page)
    assert re.findall(r"`(\w+)`", " ".join(named)) == lacking


def test_how_a_clip_is_looked_at() -> None:
    least = rf"[Uu]nder {re.escape(f'{similarity.RESPECTED:g}')}(?!\.?\d)"
    for text in (reference("cli.md"), reference("troubleshooting.md"), readme(), skill()):
        assert re.search(least, text)
    assert "{}x{} pixels".format(*similarity.SIZE) in reference("cli.md")
    assert frames.FRAMES == 8
    for text in (reference("cli.md"), readme(), skill()):
        assert "eight frames" in text
    page = section(reference("troubleshooting.md"), "Video")
    assert f"{delivery.SIZE_TOLERANCE * 100:g} %, or {delivery.DURATION_TOLERANCE_S:g} s" in page


# -- the result and its codes ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("page", "heading", "good"),
    [
        ("references/cli.md", "Exit codes", {"0": ""}),
        ("references/troubleshooting.md", "By exit code", {}),
    ],
)
def test_exit_codes_are_those_of_the_code(page: str, heading: str, good: dict[str, str]) -> None:
    expected = good | {str(code): kind for kind, (code, _) in EXITS.items()}
    table = rows(section(text_of(ROOT / page), heading))[1:]
    assert [row[0] for row in table] == sorted(expected, key=int)
    assert {row[0]: row[1].strip("`") for row in table} == expected


def first_cells(text: str) -> set[str]:
    """The code in the first column of all tables, their heads left out."""
    return {name for row in rows(text) for name in re.findall(r"`([^`]+)`", row[0])}


@cache
def trees() -> list[ast.Module]:
    """Every module of the scripts, parsed."""
    files = sorted((ROOT / "scripts").rglob("*.py"))
    ours = [file for file in files if "demo" not in file.relative_to(ROOT).parts]
    return [ast.parse(text_of(file)) for file in ours]


def keys_of_results() -> set[str]:
    """The keys that results get anywhere: where one is made, and where one is put into it."""
    found: set[str] = set()
    for node in (node for tree in trees() for node in ast.walk(tree)):
        if isinstance(node, ast.Dict):
            values = {
                str(key.value): value
                for key, value in zip(node.keys, node.values, strict=True)
                if isinstance(key, ast.Constant)
            }
            status = values.get("status")
            if isinstance(status, ast.Constant) and status.value in ("succeeded", "planned"):
                found |= set(values)
        elif isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store):
            into = ast.unparse(node.value)
            if into.endswith("result") and isinstance(node.slice, ast.Constant):
                found.add(str(node.slice.value))
    # `text` is what is printed without --json; what is not known of a model never gets out; the
    # questions are a receipt's.
    return (found | {"error"}) - {"text", "unknown_model", "questions"}


def test_json_keys_are_those_of_the_code() -> None:
    always, _, rest = section(reference("cli.md"), "JSON keys").partition("\nWhere they apply:\n")
    where_they_apply, _, of_a_plan = rest.partition("\nAn entry of `stages` in a plan:\n")
    assert first_cells(always) == set(RESULT_KEYS)
    (status,) = [row[1] for row in rows(always) if row[0] == "`status`"]
    words = {word for _, word in EXITS.values()} | {"succeeded", "planned"}
    assert set(re.findall(r"`(\w+)`", status)) == words
    where_they_apply, _, of_a_candidate = where_they_apply.partition("An entry of `candidates`:")
    keys = {name for name in first_cells(where_they_apply) if not name.startswith("--")}
    assert {"candidate", "candidates", "contact_sheet"} <= keys
    assert keys == keys_of_results() - set(RESULT_KEYS)
    assert first_cells(of_a_candidate) == set(a_candidate(Path("a.png")).as_json(None))
    (state,) = [row[1] for row in rows(of_a_candidate) if row[0] == "`state`"]
    assert {*CHECK_STATES, "unchecked"} == set(re.findall(r"`(\w+)`", state))
    call = clip_call()
    table = {row[0]: row[1] for row in rows(of_a_plan)}
    assert first_cells(of_a_plan) == set(call.as_json())
    assert set(call.legal) <= set(re.findall(r"`(\w+)`", table["`legal`"]))
    assert {"basis", "as_of", "source"} <= set(re.findall(r"`(\w+)`", table["`cost`"]))
    states = {model.status for model in models.rows()} | {"unlisted"}
    assert set(re.findall(r"`([\w-]+)`", table["`status`"])) == states
    for word in (
        plan.CAPTION_TO_COME,
        plan.MOTION_TO_COME,
        plan.QUESTIONS_TO_COME,
        plan.FAILED_TO_COME,
    ):
        assert f"`{word}`" in table["`text`"]
    told = table["`stage`, `gateway`, `model`"]
    assert re.findall(r"`(\w+)`", told) == list(STAGES)


# What a check may be: of yes, of no, of neither.
CHECK_STATES = [
    checklist.Check(answers).state
    for answers in ((checklist.Answer("", "yes"),), (checklist.Answer("", "unsure"),), ())
]


def a_candidate(output: Path) -> Candidate:
    """One that was drawn and checked."""
    answers = (checklist.Answer("Is it red?", "no", "a blue ball", "it is blue"),)
    return Candidate(
        "2",
        output,
        {**begun(output).data, "state": "succeeded"},
        checklist.Check(answers),
        receipts.sha256_of(output) if output.is_file() else "",
    )


def its_folder(output: Path, **wish: Any) -> Folder:
    """The folder of the candidates for an output."""
    asked_for = CandidateWish(2, prompt="Three red balls", **wish)
    return Folder(output, "0", asked_for, {"name": "happycapy", "host": "h"})


def clip_call() -> Call:
    """The call of Stage 3 with nothing given."""
    return plan.clip(ClipRequest("A cat"), Rules("happycapy"))


def test_the_list_of_models_has_the_keys_of_the_code() -> None:
    page = section(reference("cli.md"), "The list of models")
    (row, *_) = listing.rows(None, "2026-11-23")
    short = {key for one in listing.short_rows(None, "happycapy", "2026-11-23") for key in one}
    of_all, rest = page.split("With an id")
    of_one, of_list = rest.split("Where the gateway's public list")
    assert first_cells(of_all) == short
    told = Catalog("openrouter", "2026-11-27", "a list", ())
    assert first_cells(of_list) == {"as_of", "source", *listing.of_list(told, None)}
    assert first_cells(of_one) == set(row)
    for status in {model.status for model in models.rows()}:
        assert f"`{status}`" in page
    for name in listing.differences([], "happycapy", None):
        assert f"`{name}`" in page
    assert f"more than {listing.OLD_AFTER_DAYS} days ago" in page


def begun(output: Path) -> receipts.Record:
    """A record as it is before the paid call."""
    return receipts.Record.begin(
        output,
        receipts.Intent("composition", "0", {}, {}, {}, "m", Cost(0.1, "estimated"), "python3 x"),
    )


def test_receipt_fields_and_states_are_those_of_the_code(tmp_path: Path) -> None:
    page = reference("receipt.md")
    # What is added later: by name, wherever a record is changed.
    later = {
        keyword.arg
        for node in (node for tree in trees() for node in ast.walk(tree))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in ("update", "succeeded", "take_over")
        for keyword in node.keywords
        if keyword.arg
    }
    record = begun(tmp_path / "a.png")
    output = tmp_path / "taken.png"
    folder = its_folder(output)
    one = a_candidate(folder.place("2"))
    folder.path.mkdir()
    one.path.write_bytes(b"a picture")
    taken = set(filing.use(folder, one, [one], "python3 x", {}))
    aside = {"former_jobs", "original"} | (taken - set(record.data))  # put in otherwise
    assert {"candidate", "candidates", "check"} <= aside
    documented = first_cells(section(page, "Fields"))
    assert {"anchor_fidelity", "adopted", "replaced_by", "result"} <= later
    assert documented >= set(record.data) | aside
    assert documented - set(record.data) - aside <= later
    assert {"anchor_fidelity", "adopted", "bytes", "replaced_by", "reply", "result"} <= documented
    (sent,) = [row[1] for row in rows(page) if row[0] == "`sent`"]
    assert {*clip_call().settings, "prompt", "first_frame"} <= set(re.findall(r"`(\w+)`", sent))
    (stage,) = [row[1] for row in rows(page) if row[0] == "`stage`"]
    assert set(re.findall(r"`(\w+)`", stage)) == set(STAGES) - {"verification"}
    (row,) = [row[1] for row in rows(page) if row[0] == "`checks`"]
    named = set(re.findall(r"`(\w+)`", row))
    assert one.check
    assert named >= {
        *one.check.as_json(),
        *checklist.Answer._fields,
        "model",
        "cost",
        "request_ids",
    }
    assert named >= set(folder.check_key(one.sha256, ("Is it red?",)))
    states = rows(section(page, "States"))[1:]
    assert [row[0].strip("`") for row in states] == list(receipts.STATES)


def test_the_folders_are_named_as_the_code_names_them() -> None:
    folder = its_folder(Path("NAME.ext"))
    page = section(reference("receipt.md"), "The candidates' folder")
    assert f"`{folder.path}/`" in page
    for name in ("K", "Kr"):
        assert f"`{folder.place(name).name}`" in page
    for path in (folder.questions_file, folder.sheet):
        assert f"`{path.name}`" in page
    work = WorkFolder(Path("OUTPUT.stages"))
    page = section(reference("receipt.md"), "The work folder")
    for path in (work.caption, work.motion, work.seen_motion, work.anchor):
        assert f"`{path.name}`" in page
    inside = its_folder(work.anchor)
    assert f"`{inside.path.name}/`" in page
    assert f"`{inside.questions_file}`" in reference("first-frame.md")


def test_what_lies_beside_a_clip_is_named_as_the_code_names_it() -> None:
    clip = Path("NAME.mp4")
    for path, pages in (
        (output_paths.filmstrip_path(clip), [reference("cli.md")]),
        (
            output_paths.original_path(clip),
            [
                reference("cli.md"),
                reference("receipt.md"),
                readme(),
                reference("troubleshooting.md"),
            ],
        ),
    ):
        assert all(f"`{path}`" in page for page in pages)
    assert f"`{output_paths.filmstrip_path(Path('outputs/cat-jump.mp4'))}`" in readme()


def test_the_list_of_runs_has_the_keys_of_the_code(tmp_path: Path) -> None:
    begun(tmp_path / "a.png").intend()
    (row,) = run_list.listed(tmp_path)
    page = section(reference("cli.md"), "The list of runs")
    assert {name for cells in rows(page)[1:] for name in re.findall(r"`(\w+)`", cells[0])} == set(
        row
    )
    assert f"({run_list.MOST_RECEIPTS:,} at most)" in page
    assert (run_list.DEEPEST, "six levels" in page) == (6, True)


def test_how_candidates_are_drawn_and_checked() -> None:
    page = section(reference("cli.md"), "Candidates and checks")
    most = f"1 to {MOST_CANDIDATES}"
    assert reference("cli.md").count(f"generate N anchors, {most}, and the contact sheet") == 1
    assert f"of up to {MOST_CANDIDATES} candidates" in readme()
    assert (AT_ONCE, "At most four are generated and checked at once" in page) == (4, True)
    assert f"5 to {checklist.MOST_QUESTIONS} questions" in page
    own, longest = checklist.MOST_OWN_QUESTIONS, checklist.LONGEST_QUESTION
    limits = f"1 to {own}, each of at most {longest} characters"
    assert limits in page
    # A control question of either kind, word for word.
    controls = {one.question for one in checklist.with_controls(["Is there a cat?"]) if one.must_be}
    shown = reference("prompt-templates.md")
    assert all(f'"{question}"' in shown for question in controls)
    assert all(stranger.split()[1] in shown for stranger in checklist.STRANGERS)
    assert any(f'"{question}"' in page for question in controls)
    assert f"at most {PLAIN.most_words} words" in section(
        reference("cli.md"), "Motion from the anchor"
    )


def test_what_the_contact_sheet_says() -> None:
    """Its words and colours, by the code that draws it."""
    page = section(reference("first-frame.md"), "Reading the contact sheet")
    one = a_candidate(Path("a.png"))
    titles = {
        title_of(one._replace(check=check))
        for check in (None, checklist.Check(), checklist.Check((checklist.Answer("", "yes"),) * 6))
    }
    for title in titles:
        assert title.replace("6/6", "5/6, fails 1") in page
    assert lines_of(one.check) == (("no:", "Is it red?"),)
    assert f"at most {contact_sheet.MOST_LINES} of them" in page
    assert "| no: ..., unsure: ... |" in page
    assert set(contact_sheet._COLOURS) == {"passed", "failed", "unknown"}


def test_no_gain_is_claimed_and_the_papers_are_named() -> None:
    page = reference("first-frame.md")
    assert "**No gain is claimed**" in page
    assert "no gain is claimed" in readme()
    for paper in ("2503.16867", "2603.12310", "2510.15831", "2603.01509"):
        assert f"[arXiv:{paper}](https://arxiv.org/abs/{paper})" in page
    measured = section(page, "What the loop does, measured")
    assert "`python3 tests/bed`" in measured
    assert "says nothing about any hosted model" in measured


def test_how_long_a_lost_answer_is_looked_for() -> None:
    page = section(reference("wire.md"), "A lost answer")
    assert f"{lost_job.BEFORE_S:g} s before and {lost_job.AFTER_S:g} s after" in page
    assert f"every {lost_job.LOOK_EVERY_S:g} s until {lost_job.LOOK_FOR_S:g} s after" in page
    limit = re.search(r"limit=(\d+)", happycapy.encode_list().path)
    assert limit
    assert f"`limit` {limit[1]}" in reference("wire.md")


def test_how_long_a_signal_waits_for_the_answer_to_a_paid_call() -> None:
    for page in (
        "README.md",
        "references/cli.md",
        "references/wire.md",
        "references/receipt.md",
        "references/troubleshooting.md",
    ):
        assert f"{interrupts.LONGEST_HOLD_S:g} s" in text_of(ROOT / page)


# -- prompts ---------------------------------------------------------------------------------------


EDITED = [
    ("Are there exactly three red balls?", "red ball far left, red ball at the centre"),
    ("Is the box blue?", ""),
]


@pytest.mark.parametrize(
    "text",
    [
        CAPTION_SYSTEM_PROMPT,
        checklist.QUESTIONS_SYSTEM_PROMPT,
        checklist.CHECK_SYSTEM_PROMPT,
        checklist.REFERENCES_FOR_QUESTIONS,
        checklist.REFERENCES_FOR_CHECK,
        MOTION_SYSTEM_PROMPT,
        story_draft.STORY_SYSTEM_PROMPT,
        story_draft.STORY_SHAPE,
        story_draft.ONE_TAKE,
        EARLIER_FOR_MOTION,
        anchor_image.edit_prompt(EDITED),
        REFERENCES_FOR_CAPTION,
        addition(Prompting("paragraph", still_camera=True, speech_end=True)),
        SCENE_FOR_CAPTION,
        anchor_image.REFERENCES_FOR_PICTURE,
        anchor_image.CHARACTER,
        anchor_image.change_prompt("make the cat orange", references=1),
        checklist.QUESTIONS_SHAPE,
        checklist.CHECK_SHAPE,
        MOTION_SHAPE,
        REPAIR_REQUEST.format(problem="{problem}", shape=CAPTION_SHAPE),
        STILLNESS_REQUEST.format(words="{words}"),
        strategies.FIRST_FRAME_GIVEN,
        anchor_image.image_prompt("A red barn in a field", "watercolor", "9:16", enhance=True),
    ],
    ids=[
        "system",
        "questions",
        "check",
        "references of the questions",
        "references of the check",
        "motion",
        "story",
        "story's shape",
        "one take",
        "earlier",
        "edit",
        "references of the caption",
        "families",
        "scene",
        "references of the picture",
        "character",
        "change",
        "questions' shape",
        "check's shape",
        "motion's shape",
        "repair",
        "stillness",
        "first frame",
        "image",
    ],
)
def test_prompts_are_shown_word_for_word(text: str) -> None:
    assert f"```text\n{text}\n```" in reference("prompt-templates.md")


def test_styles_are_shown_word_for_word() -> None:
    table = {row[0]: row[1:] for row in rows(section(reference("prompt-templates.md"), "Styles"))}
    for style, texts in styles.STYLES.items():
        assert table.pop(style) == list(texts)
    assert table.pop("any other")[1] == styles.enhancement("no such style")
    assert list(table) == ["style"]


def test_strategies_are_all_shown() -> None:
    table = rows(section(reference("prompt-templates.md"), "The video prompt of Stage 3"))[1:]
    shown = [row[0].partition(" ") for row in table]
    assert [name.strip("`") for name, _, _ in shown] == list(strategies.STRATEGIES)
    assert [n.strip("`") for n, _, mark in shown if mark] == [strategies.DEFAULT_STRATEGY]


def test_worked_examples_keep_the_rules_they_show() -> None:
    page = section(reference("prompting.md"), "Worked examples")
    examples = re.findall(r"> (.*)\n\nCaption:\n\n> (.*)\n\nMotion:\n\n> (.*)\n", page)
    assert len(examples) >= 2
    for _, caption, moves in examples:
        assert motion_words(caption) == []
        assert 40 <= len(caption.split()) <= 120
        assert len(moves.split()) <= 60


# -- messages --------------------------------------------------------------------------------------


NAMED = {"KEY": lookup.KEY, "BASE": lookup.BASE, "MAX_COST": MAX_COST}


def told(node: ast.AST) -> str:
    """A text in the code; where a value goes in, a line break, which no message has."""
    if isinstance(node, ast.JoinedStr):
        return "".join(told(part) for part in node.values)
    if isinstance(node, ast.FormattedValue):
        return NAMED.get(ast.unparse(node.value), "\n")
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else "\n"


@cache
def texts_of_the_code() -> str:
    """Every text in the code, f-strings as a whole; one after the other."""
    nodes = (node for tree in trees() for node in ast.walk(tree))
    texts = [told(node) for node in nodes if isinstance(node, ast.JoinedStr | ast.Constant)]
    return "\0".join(texts)


MESSAGES = [
    message
    for head in re.findall(r"^\*\*(.+?)\*\*", reference("troubleshooting.md"), re.MULTILINE)
    for message in re.findall(r'"([^"]+)"', head)
]


@pytest.mark.parametrize("message", MESSAGES)
def test_messages_that_are_explained_are_those_of_the_code(message: str) -> None:
    """Every word of it, in one text of the code; "..." stands for anything."""
    words = [re.escape(part.strip(" ,.")) for part in message.split("...") if part.strip(" ,.")]
    assert re.search("[^\0]*".join(words), texts_of_the_code())


def test_the_messages_of_this_version_are_explained() -> None:
    assert len(MESSAGES) > 20
    for part in (
        "would lose",
        "over the limit",
        "does not begin with the anchor",
        "The clip is ...",
        "The best candidate",
        "No candidate could be checked",
        "could not be edited",
        "No motion could be written",
    ):
        assert any(part in message for message in MESSAGES), part


# -- models and prices -----------------------------------------------------------------------------


@pytest.mark.parametrize("path", DOCS, ids=lambda path: path.name)
def test_no_other_model_is_named(path: Path) -> None:
    known = {
        name for model in models.rows() for name in (model.id, *model.aliases, *model.ids.values())
    } | {model.replacement for model in models.rows()}
    vendors = "|".join({str(name).partition("/")[0] for name in known if name})
    named = re.findall(rf"(?<![\w/.-])(?:{vendors})/[\w.-]*-[\w.-]+", text_of(path))
    assert {name.rstrip(".") for name in named} <= known


def test_the_exit_codes_of_the_skill_are_some_of_the_code() -> None:
    kinds = {str(code): kind for kind, (code, _) in EXITS.items()}
    table = {row[0]: row[1].strip("`") for row in rows(section(skill(), "Exit codes"))[1:]}
    assert len(table) >= 6 and table.items() <= kinds.items()


def test_the_skill_plans_before_it_pays_and_pays_under_a_limit() -> None:
    shown = [words for words in commands(skill()) if words[1].endswith("factorized_generate.py")]
    making = [words for words in shown if "--output" in words]
    assert making and all("--dry-run" in words for words in making)
    steps = section(skill(), "Workflow")
    assert "without `--dry-run`, with the agreed `--max-cost` and `--stop-after anchor`" in steps


def skill() -> str:
    return text_of(ROOT / "SKILL.md")


def readme() -> str:
    return text_of(ROOT / "README.md")


def test_the_two_commands_of_the_readme() -> None:
    assert (
        "\nbash scripts/setup.sh --install && python3 scripts/factorized_generate.py --gateway demo"
        ' --prompt "A cat jumping from a bookshelf to the couch" --style photorealistic'
        " --output outputs/cat-jump.mp4\n"
    ) in readme()
    assert "\nbash tests/run.sh\n" in readme()
