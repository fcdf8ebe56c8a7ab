"""The documentation, held to the code: what is shown runs, what is said is so."""

from __future__ import annotations

import argparse
import importlib.util
import re
import shlex
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from factorized_video import (
    adoption,
    cli,
    console,
    interrupts,
    models,
    plan,
    prompts,
    receipts,
    rewriting,
    runs,
)
from factorized_video.gateway import settings
from factorized_video.gateway.dialects import happycapy
from PIL import Image

ROOT = Path(__file__).resolve().parents[1]
SCRIPTS = (
    "rewrite_prompt.py",
    "generate_anchor.py",
    "generate_video_from_anchor.py",
    "factorized_generate.py",
)
REFERENCES = sorted((ROOT / "references").glob("*.md"))
DOCS = [ROOT / "SKILL.md", ROOT / "README.md", *REFERENCES]
KINDS = dict(zip(SCRIPTS, ("llm", "image", "video"), strict=False))
DEMO = "scripts/factorized_video/demo"
SETUP_OPTIONS = {"--install", "--json", "--help", "-h"}
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
    lines += [code for code in spans(text) if re.match(r"(?:python3|bash|uv run) ", code)]
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
    return [words for words in found if words]


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
    """The script and options of a shown command; None for the shell scripts."""
    runner, *rest = words
    if rest[0] == "run":
        rest = rest[1:]
    path, *options = rest
    path = INSTALLED.sub("", path)
    if "/" not in path:
        path = "scripts/" + path
    assert (ROOT / path).exists(), path
    if runner == "bash":
        assert path in ("scripts/setup.sh", "tests/run.sh")
        assert set(options) <= (SETUP_OPTIONS if path == "scripts/setup.sh" else {"--quick"})
        return None
    parser: argparse.ArgumentParser = script(path).build_parser()
    return path, parser.parse_args(options)


SHOWN = [
    pytest.param(words, id=f"{path.name}-{number}")
    for path in DOCS
    for number, words in enumerate(commands(text_of(path)))
]


def test_there_are_commands_to_check() -> None:
    by_page = {path.name: len(commands(text_of(path))) for path in DOCS}
    assert by_page["SKILL.md"] >= 6
    assert by_page["README.md"] >= 12


@pytest.mark.parametrize("words", SHOWN)
def test_shown_commands_parse(words: list[str]) -> None:
    parsed(words)


@pytest.mark.parametrize("line", ORIGINAL)
def test_commands_of_the_original_skill_parse(line: str) -> None:
    (words,) = commands(f"```bash\n{line}\n```")
    parsed(words)


@pytest.mark.parametrize("line", [*ORIGINAL, *SHOWN])
def test_shown_commands_make_a_legal_plan(line: Any, tmp_path: Path) -> None:
    """Each, as a dry run: models, ratios and durations are legal, flags do not contradict."""
    words = commands(f"```bash\n{line}\n```")[0] if isinstance(line, str) else line
    found = parsed(words)
    if found is None or found[0] == DEMO:
        return
    for name in ("anchor.png", "my-image.png"):
        Image.new("RGB", (640, 360), "teal").save(name)
    for name in ("caption.txt", "first_frame.txt", "motion.txt"):
        Path(name).write_text("A cat on a shelf.\n", encoding="utf-8")
    path, options = found
    options.dry_run, options.console = True, console.Console(quiet=True)
    if getattr(options, "input_file", None) == "-":
        options.input_file = "caption.txt"
    if getattr(options, "list_runs", None) is not None:
        options.list_runs = "."
        assert script(path).run(options)["runs"] == []
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
        if re.fullmatch(r"(?:scripts|references|tests|evals|\.claude-plugin)/[\w./-]+", code):
            assert (ROOT / code).exists(), code


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
        headings = re.findall(r"^## (.+)$", text, re.MULTILINE)
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
    for option, meaning, default in rows(section(reference("cli.md"), name))[1:]:
        for code in re.findall(r"`([^`]+)`", option):
            word, _, value = code.partition(" ")
            assert word in expected, word
            documented.add(word)
            action = expected[word]
            if action.choices:
                assert value == "{" + ",".join(map(str, action.choices)) + "}", word
            elif action.option_strings and action.nargs != 0:
                metavar = action.metavar or action.dest.upper()
                assert value == (f"[{metavar}]" if action.nargs == "?" else metavar), word
            if action.default not in (None, False, argparse.SUPPRESS):
                assert re.search(rf"\b{re.escape(str(action.default))}\b", default), word
            if word.endswith("-model") or word == "--model":
                kind = KINDS[name] if word == "--model" else word[2:-6]
                for ids in default_models().values():
                    assert f"`{ids[kind]}`" in default
        assert meaning
    assert documented == set(expected)


def default_models() -> dict[str, dict[str, str]]:
    found = models.registry()["defaults"]
    assert isinstance(found, dict)
    return found


def test_setup_options_are_documented_and_no_other() -> None:
    usage = text_of(ROOT / "scripts" / "setup.sh").partition("usage() {")[2].partition("\nEND")[0]
    assert (
        set(re.findall(r"^ +(--[a-z]+)", usage, re.MULTILINE)) | {"--help", "-h"} == SETUP_OPTIONS
    )
    table = rows(section(reference("cli.md"), "setup.sh"))[1:]
    assert {code for row in table for code in re.findall(r"`([^`]+)`", row[0])} == SETUP_OPTIONS


@pytest.mark.parametrize("path", DOCS, ids=lambda path: path.name)
def test_every_flag_named_anywhere_exists(path: Path) -> None:
    known = SETUP_OPTIONS | {"--quick", "--slow", "--port"}
    for name in SCRIPTS:
        known |= set(options_of(script(f"scripts/{name}").build_parser()))
    assert set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", text_of(path))) <= known


def test_styles_and_limits_of_the_options() -> None:
    for page in (reference("cli.md"), text_of(ROOT / "README.md")):
        assert all(style in page for style in prompts.STYLES)
    for page in ("README.md", "SKILL.md", "references/cli.md"):
        assert f"{prompts.MAX_TEXT:,} characters" in text_of(ROOT / page)
    for name in (settings.KEY, settings.BASE, settings.TIME_SCALE):
        assert f"| `{name}` |" in section(reference("cli.md"), "Environment")


# -- the result and its codes ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("page", "heading", "good"),
    [
        ("SKILL.md", "Exit codes", {"0": ""}),
        ("README.md", "Exit codes", {"0": ""}),
        ("references/troubleshooting.md", "By exit code", {}),
    ],
)
def test_exit_codes_are_those_of_the_code(page: str, heading: str, good: dict[str, str]) -> None:
    expected = good | {str(code): kind for kind, (code, _) in cli.EXITS.items()}
    table = rows(section(text_of(ROOT / page), heading))[1:]
    assert [row[0] for row in table] == sorted(expected, key=int)
    assert {row[0]: row[1].strip("`") for row in table} == expected


def test_json_keys_are_those_of_the_code() -> None:
    table = rows(section(reference("cli.md"), "JSON keys"))[1:]
    assert {k for row in table for k in re.findall(r"`(\w+)`", row[0])} == set(cli.RESULT_KEYS)
    (status,) = [row[1] for row in table if row[0] == "`status`"]
    words = {word for _, word in cli.EXITS.values()} | {"succeeded", "planned"}
    assert set(re.findall(r"`(\w+)`", status)) == words


def test_receipt_fields_and_states_are_those_of_the_code(tmp_path: Path) -> None:
    record = receipts.Record.begin(
        tmp_path / "a.png", "composition", "0", inputs={}, sent={}, gateway={}, model="m"
    )
    fields = rows(section(reference("receipt.md"), "Fields"))[1:]
    documented = {name for row in fields for name in re.findall(r"`(\w+)`", row[0])}
    later = {"adopted", "bytes", "former_jobs", "replaced_by", "reply", "result"}
    assert documented == set(record.data) | later
    states = rows(section(reference("receipt.md"), "States"))[1:]
    assert [row[0].strip("`") for row in states] == list(receipts.STATES)


def test_the_list_of_runs_has_the_keys_of_the_code(tmp_path: Path) -> None:
    receipts.Record.begin(
        tmp_path / "a.png", "composition", "0", inputs={}, sent={}, gateway={}, model="m"
    ).intend()
    (row,) = runs.listed(tmp_path)
    page = section(reference("cli.md"), "The list of runs")
    assert {name for cells in rows(page)[1:] for name in re.findall(r"`(\w+)`", cells[0])} == set(
        row
    )
    assert f"({runs.MOST_RECEIPTS:,} at most)" in page
    assert (runs.DEEPEST, "six levels" in page) == (6, True)


def test_how_long_a_lost_answer_is_looked_for() -> None:
    page = section(reference("gateways.md"), "A lost answer")
    assert f"{adoption.BEFORE_S:g} s before and {adoption.AFTER_S:g} s after" in page
    assert f"every {adoption.LOOK_EVERY_S:g} s until {adoption.LOOK_FOR_S:g} s after" in page
    limit = re.search(r"limit=(\d+)", happycapy.encode_list().path)
    assert limit
    assert f"`limit` {limit[1]}" in reference("gateways.md")


def test_how_long_a_signal_waits_for_the_answer_to_a_paid_call() -> None:
    for page in ("README.md", "references/cli.md", "references/gateways.md",
                 "references/receipt.md", "references/troubleshooting.md"):  # fmt: skip
        assert f"{interrupts.LONGEST_HOLD_S:g} s" in text_of(ROOT / page)


# -- prompts ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        prompts.CAPTION_SYSTEM_PROMPT,
        prompts.REPAIR_REQUEST.format(problem="{problem}"),
        prompts.STILLNESS_REQUEST.format(words="{words}"),
        prompts.FIRST_FRAME_GIVEN,
        prompts.image_prompt("A red barn in a field", "watercolor", "9:16", enhance=True),
    ],
    ids=["system", "repair", "stillness", "first frame", "image"],
)
def test_prompts_are_shown_word_for_word(text: str) -> None:
    assert f"```text\n{text}\n```" in reference("prompt-templates.md")


def test_styles_are_shown_word_for_word() -> None:
    table = {row[0]: row[1:] for row in rows(section(reference("prompt-templates.md"), "Styles"))}
    for style, texts in prompts.STYLES.items():
        assert table.pop(style) == list(texts)
    assert table.pop("any other")[1] == prompts.enhancement("no such style")
    assert list(table) == ["style"]


def test_strategies_are_all_shown() -> None:
    table = rows(section(reference("prompt-templates.md"), "The video prompt of Stage 3"))[1:]
    shown = [row[0].partition(" ") for row in table]
    assert [name.strip("`") for name, _, _ in shown] == list(prompts.STRATEGIES)
    assert [n.strip("`") for n, _, mark in shown if mark] == [prompts.DEFAULT_STRATEGY]


def test_worked_examples_keep_the_rules_they_show() -> None:
    page = section(reference("prompt-templates.md"), "Worked examples")
    examples = re.findall(r"> (.*)\n\nCaption:\n\n> (.*)\n\nMotion:\n\n> (.*)\n", page)
    assert len(examples) >= 2
    for _, caption, motion in examples:
        assert rewriting.motion_words(caption) == []
        assert 40 <= len(caption.split()) <= 120
        assert len(motion.split()) <= 60


# -- models and prices -----------------------------------------------------------------------------


def numbers(text: str) -> set[float]:
    return {float(number) for number in re.findall(r"\d+(?:\.\d+)?", text)}


def row_of(page: str, model: str) -> str:
    (row,) = [row for row in rows(page) if any(f"`{model}`" in cell for cell in row[:2])]
    return " | ".join(row)


@pytest.mark.parametrize("model", models.rows(), ids=lambda model: model.id)
def test_model_tables_equal_the_registry(model: models.Model) -> None:
    page = reference("model-configs.md")
    row = row_of(page, model.id)
    kept_elsewhere = [row] if model.id.startswith("demo/") else [row, row_of(skill(), model.id)]
    price = model.price or {}
    for found in kept_elsewhere:
        assert model.best_for in found
        amounts = {float(str(price[k])) for k in ("amount", "input", "output") if k in price}
        assert amounts <= numbers(found)
        assert price or "unknown" in found
        for gone in filter(None, (model.retired, model.off)):
            assert gone["date"] in found
    if model.id.startswith("demo/"):
        return
    for values in (model.durations, model.ratios):
        assert values is None or " ".join(map(str, values)) in row
    if price:
        assert f"| {price['as_of']} | {price['source']}" in row
        assert str(price["as_of"]) in section(skill(), "Models")
    assert model.typical_s is None or f"| {model.typical_s:g} s |" in row
    for gone in filter(None, (model.retired, model.off)):
        assert f"replacement `{gone['replacement']}`" in row
        assert gone["by"] in row


def skill() -> str:
    return text_of(ROOT / "SKILL.md")


@pytest.mark.parametrize("path", DOCS, ids=lambda path: path.name)
def test_no_other_model_is_named(path: Path) -> None:
    known = {model.id for model in models.rows()}
    for model in models.rows():
        known |= {gone["replacement"] for gone in (model.retired, model.off) if gone}
    named = re.findall(r"\b(?:google|openai|byteplus|anthropic)/[\w.-]*-[\w.-]+", text_of(path))
    assert {name.rstrip(".") for name in named} <= known


def test_prices_of_a_default_run() -> None:
    """What the README says that the defaults cost is what a dry run says."""
    calls = (
        plan.reasoning("A cat", "happycapy", model=None, style="anime", ratio="16:9"),
        plan.composition(
            "A cat", "happycapy", model=None, style="anime", ratio="16:9", enhance=False
        ),
        plan.synthesis(
            "A cat", None, "happycapy", model=None, strategy="combined", duration=None, ratio=None
        ),
    )
    (sentence,) = re.findall(r"^With the defaults and list prices of .*$", readme(), re.MULTILINE)
    for call in calls:
        assert call.cost.amount in numbers(sentence)
    assert f"USD {plan.Plan(calls).cost.amount:.2f} in all" in sentence
    assert str(models.registry()["as_of"]) in sentence


def readme() -> str:
    return text_of(ROOT / "README.md")


def test_the_two_commands_of_the_readme() -> None:
    assert (
        "\nbash scripts/setup.sh --install && python3 scripts/factorized_generate.py --gateway demo"
        ' --prompt "A cat jumping from a bookshelf to the couch" --style photorealistic'
        " --output outputs/cat-jump.mp4\n"
    ) in readme()
    assert "\nbash tests/run.sh\n" in readme()
