"""Who may know whom, told in the house's rules and read off the source."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from factorized_video.cli import standing_options
from tables import for_all

SCRIPTS = Path(__file__).resolve().parent.parent / "scripts"
PACKAGE = SCRIPTS / "factorized_video"
ENTRIES = {path.stem for path in SCRIPTS.glob("[!_]*.py")}
# Path below scripts/, without the extension: "factorized_video/media".
MODULES = {str(path.relative_to(SCRIPTS))[:-3]: path for path in sorted(SCRIPTS.rglob("*.py"))}
OURS = [name for name in MODULES if name.startswith("factorized_video/")]
DIALECTS = [name for name in OURS if "/dialects/" in name]
DOOR = "factorized_video/gateway/dialects/__init__"
# What the gateways have in common; none knows another.
SHARED = [
    name for name in DIALECTS if Path(name).name in ("_dialect", "_jobs", "_prices", "_shared")
]
GATEWAYS = [name for name in DIALECTS if name not in (DOOR, *SHARED)]
NETWORK = {
    "aiohttp",
    "asyncio",
    "ftplib",
    "http",
    "httpx",
    "requests",
    "smtplib",
    "socket",
    "socketserver",
    "ssl",
    "urllib3",
}
IO = NETWORK | {"io", "os", "pathlib", "shutil", "subprocess", "sys", "tempfile"}
MEDIA = {"PIL", "av"}
FONTS = "factorized_video/fonts"  # of what media and the demo draw
# Inside the package, and started by its path, as a script is.
STARTED_BY_PATH = ("factorized_video/demo/__main__",)
# From the top down: a room may import those after it, and the leaves, which import no room.
ROOMS = (
    "cli",
    "experiments",
    "story",
    "pipeline",
    "stages",
    "media",
    "gateway",
    "demo",
    "models",
    "receipts",
    "prompts",
)


@cache
def tree(module: str) -> ast.Module:
    return ast.parse(MODULES[module].read_text(encoding="utf-8"))


def is_for_types_only(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"


def imports(module: str, *, top_only: bool = False, types: bool = False) -> Iterator[str]:
    """What a module imports, dotted; relative ones made absolute. With `types` also for types."""
    folder = str(Path(module).parent).split("/")
    queue: list[ast.AST] = [tree(module)]
    while queue:
        node = queue.pop()
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            start = folder[: len(folder) - node.level + 1] if node.level else []
            base = ".".join([*start, *([node.module] if node.module else [])])
            yield from (f"{base}.{alias.name}" for alias in node.names)
        inside = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        if (types or not is_for_types_only(node)) and not (top_only and inside):
            queue += ast.iter_child_nodes(node)


def roots(module: str, *, top_only: bool = False) -> set[str]:
    return {name.partition(".")[0] for name in imports(module, top_only=top_only)}


def calls(module: str) -> set[str]:
    return {ast.unparse(n.func) for n in ast.walk(tree(module)) if isinstance(n, ast.Call)}


def attributes(module: str) -> set[str]:
    return {ast.unparse(n) for n in ast.walk(tree(module)) if isinstance(n, ast.Attribute)}


def dotted(module: str) -> str:
    return module.replace("/", ".")


def room_of(dotted_name: str) -> str | None:
    """The room of a module of the package, or None for a leaf and what is not ours."""
    parts = dotted_name.split(".")
    room = parts[1] if parts[0] == "factorized_video" and len(parts) > 1 else ""
    return room if (PACKAGE / room).is_dir() and room else None


def test_there_are_ten_rooms_and_no_other() -> None:
    folders = {path.name for path in PACKAGE.iterdir() if path.is_dir()} - {"__pycache__"}
    assert folders == set(ROOMS)


@for_all(OURS)
def test_rooms_import_downward_only(module: str) -> None:
    room = room_of(dotted(module))
    used = {found for name in imports(module, types=True) if (found := room_of(name))} - {room}
    if module in STARTED_BY_PATH:  # as a script is
        return
    allowed = set() if room is None else set(ROOMS[ROOMS.index(room) + 1 :])
    allowed -= {"story"} if room == "experiments" else set()  # on the same floor
    assert used <= allowed


def test_no_two_files_have_one_name() -> None:
    names = [Path(name).name for name in OURS if Path(name).name not in ("__init__", "__main__")]
    assert sorted(names) == sorted(set(names))


def test_the_map_has_every_file_of_every_room() -> None:
    page = (SCRIPTS.parent / "CONTRIBUTING.md").read_text(encoding="utf-8")
    _, _, table = page.partition("| room | what is in it | files |\n")
    rows = re.findall(r"^\| `?([\w/]+)`? \| [^|]+ \| ([\w, ]+) \|$", table, re.MULTILINE)
    mapped = {(room, name) for room, names in rows for name in names.split(", ")}
    paths = [MODULES[name].relative_to(PACKAGE) for name in OURS]
    there = {
        (str(path.parent) if path.parent.name else "leaves", path.stem)
        for path in paths
        if path.stem not in ("__init__", "__main__")
    }
    assert mapped == there
    assert [room for room, _ in rows if "/" not in room] == [*ROOMS, "leaves"]


@for_all(ROOMS)
def test_a_room_has_tests_of_its_own(room: str) -> None:
    assert list((Path(__file__).parent / room).glob("test_*.py"))


def test_the_modules_are_seen() -> None:
    assert {"factorized_video/cli/main", "factorized_video/gateway/dialects/happycapy"} <= set(OURS)
    assert "requests" in roots("factorized_video/gateway/transport")
    assert "PIL" in roots("factorized_video/media/images")
    assert "factorized_video.errors.UsageError" in set(imports("factorized_video/stages/plan"))
    assert "print" in calls("factorized_video/cli/main")


@for_all(OURS)
def test_the_package_never_knows_a_script(module: str) -> None:
    assert roots(module).isdisjoint(ENTRIES)
    if module not in STARTED_BY_PATH:
        assert "_bootstrap" not in roots(module)


@for_all(sorted(ENTRIES))
def test_a_script_never_knows_another(script: str) -> None:
    assert roots(script).isdisjoint(ENTRIES)
    assert "_bootstrap" in roots(script)


@for_all(OURS)
def test_only_the_transport_opens_a_connection(module: str) -> None:
    allowed = {
        "factorized_video/gateway/transport": NETWORK,
        "factorized_video/gateway/connections": NETWORK,  # what the transport connects by
        "factorized_video/demo/server": {"http"},  # it listens
    }
    used = roots(module) & NETWORK
    assert used <= allowed.get(module, set())
    assert "urllib.request" not in {name.rpartition(".")[0] for name in imports(module)}


@for_all(OURS)
def test_only_media_and_the_demo_use_pillow_and_pyav_and_only_inside_functions(module: str) -> None:
    assert roots(module, top_only=True).isdisjoint(MEDIA)
    if "/media/" not in module and "/demo/" not in module and module != FONTS:
        assert roots(module).isdisjoint(MEDIA)


@pytest.mark.parametrize(
    "script",
    [
        *sorted(ENTRIES),
        "factorized_video/cli/main",
        "factorized_video/cli/options",
        "factorized_video/cli/option_types",
        "factorized_video/gateway/__init__",
        "factorized_video/gateway/dialects/__init__",
    ],
)
def test_what_help_loads_imports_the_rest_late(script: str) -> None:
    late = {"requests", "dotenv", "dataclasses", "subprocess", "pathlib", "typing"}
    assert roots(script, top_only=True).isdisjoint(late)


@for_all(DIALECTS)
def test_a_dialect_is_a_pure_translator(module: str) -> None:
    # The door lists its folder, once, to know which gateways there are; it reads no file in it.
    listing = {"os"} if module == DOOR else set()
    assert roots(module) & IO <= listing
    assert calls(module).isdisjoint({"open", "print", "input"})
    of_os = {name for name in calls(module) if name.startswith("os.")}
    assert of_os <= ({"os.listdir", "os.path.dirname"} if module == DOOR else set())
    known = {name for name in imports(module) if "factorized_video" in name}
    pure = ("reply_parsing", "types", "refusals", "status_words", "engine_replies")
    allowed = [
        "factorized_video.gateway.refusals",
        *(f"factorized_video.gateway.{n}." for n in pure),
    ]
    if module != DOOR:
        allowed += [f"{dotted(name)}." for name in SHARED] + ["factorized_video.aspect_ratios."]
    assert {name for name in known if not name.startswith(tuple(allowed))} == set()


def test_the_dialects_are_the_gateways_that_can_be_chosen() -> None:
    from factorized_video import models
    from factorized_video.cli import options
    from factorized_video.gateway import dialects

    names = {Path(module).name for module in GATEWAYS}
    assert names == set(dialects.names()) == {"happycapy", "openai", "openrouter", "vercel"}
    assert {*options.GATEWAYS} - {"auto", "demo"} == names
    assert {*models.document()["gateways"]} == names | {"demo"}


@for_all(OURS)
def test_only_the_client_and_what_chooses_a_gateway_know_the_dialects(module: str) -> None:
    told = {name for name in imports(module) if ".dialects" in name}
    if module in DIALECTS:
        return
    if Path(module).name in ("client", "keys", "lookup", "public_list", "settings"):
        # By their door: none of them knows one by name.
        assert told == {dotted(DOOR).removesuffix(".__init__")}
    elif (
        module == "factorized_video/cli/options"
    ):  # which names there are, for --gateway; and no more
        assert told == {dotted(DOOR).removesuffix(".__init__")}
        used = {name for name in attributes(module) if name.startswith("dialects.")}
        assert used == {"dialects.names"}
    else:
        assert told == set()


@pytest.mark.parametrize(
    "module",
    ["gateway/client", "gateway/keys", "gateway/lookup", "gateway/settings", "gateway/transport"],
)
def test_no_gateways_name_is_in_what_speaks_to_all_of_them(module: str) -> None:
    """Two in the settings, each where the rules say it: the default, and what any host speaks."""
    tree_ = tree(f"factorized_video/{module}")
    texts = {n.value for n in ast.walk(tree_) if isinstance(n, ast.Constant)}
    names = {Path(gateway).name for gateway in GATEWAYS}
    spoken = {"happycapy", "openai"} if module == "gateway/settings" else set()
    assert {text for text in texts if text in names} == spoken


@pytest.mark.parametrize(
    "module",
    [
        "aspect_ratios",
        "demo/answers",
        "demo/geometry",
        "demo/stillness",
        "gateway/reply_parsing",
        "gateway/retry_policy",
        "gateway/types",
        "models/limits",
        "money",
        "receipts/cap",
        "stages/plan",
        *(name[len("factorized_video/") :] for name in OURS if "/prompts/" in name),
    ],
)
def test_what_is_pure_does_no_input_or_output(module: str) -> None:
    name = f"factorized_video/{module}"
    assert roots(name).isdisjoint(IO | {"time", "random"})
    assert calls(name).isdisjoint({"open", "print", "input"})


@for_all(OURS)
def test_only_the_command_line_prints_or_exits(module: str) -> None:
    if module in (
        "factorized_video/cli/main",
        "factorized_video/console",
        "factorized_video/models/listing",  # run by itself it prints the page that it makes
        *STARTED_BY_PATH,
    ):
        return
    assert calls(module).isdisjoint({"print", "exit", "quit", "sys.exit", "os._exit", "input"})
    source = MODULES[module].read_text(encoding="utf-8")
    assert "SystemExit" not in source
    assert "sys.stdout" not in source
    assert "sys.stderr" not in source


@for_all(MODULES)
def test_every_public_function_and_class_says_what_it_is(module: str) -> None:
    """And every public method."""
    silent = []
    assert ast.get_docstring(tree(module)) or not tree(module).body
    for node in tree(module).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
            members = node.body if isinstance(node, ast.ClassDef) else []
            for one in (node, *members):
                if not isinstance(one, ast.FunctionDef | ast.ClassDef):
                    continue
                if not one.name.startswith("_") and not ast.get_docstring(one):
                    silent.append(f"{node.name}.{one.name}" if one is not node else node.name)
    assert silent == []


LONGEST_FUNCTION = 60  # lines; what does not fit a screen lacks a concept
MOST_PARAMETERS = 8  # records excepted: they are named tuples


@for_all(MODULES)
def test_functions_fit_a_screen_and_take_few_parameters(module: str) -> None:
    too_much = []
    for node in ast.walk(tree(module)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            given = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
            parameters = [one for one in given if one.arg not in ("self", "cls")]
            lines = (node.end_lineno or 0) - node.lineno + 1
            if lines > LONGEST_FUNCTION or len(parameters) > MOST_PARAMETERS:
                too_much.append((node.name, lines, len(parameters)))
    assert too_much == []


@for_all(MODULES)
def test_the_formatter_formats_everything(module: str) -> None:
    source = MODULES[module].read_text(encoding="utf-8")
    assert not any(f"# fmt: {word}" in source for word in ("skip", "off", "on"))


def test_one_variable_of_the_environment_runs_between_our_processes() -> None:
    """What else is read from it is the user's to set, and documented."""
    written = {
        (module, found)
        for module in MODULES
        for found in ("os.environ[", "putenv")
        if found in MODULES[module].read_text(encoding="utf-8")
    }
    assert {module for module, _ in written} <= {"_bootstrap"}
    variables = {
        node.value
        for module in MODULES
        for node in ast.walk(tree(module))
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and node.value.startswith("FACTORIZED_VIDEO_")
    }
    # The guard is _bootstrap.py's note to itself across exec, that it has started again once.
    assert variables == {
        "FACTORIZED_VIDEO_HANDOFF",
        "FACTORIZED_VIDEO_MAX_COST",
        *standing_options.VARIABLES.values(),
        "FACTORIZED_VIDEO_TIME_SCALE",
        "FACTORIZED_VIDEO_BOOTSTRAPPED",
    }
