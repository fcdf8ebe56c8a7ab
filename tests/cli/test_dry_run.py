"""--dry-run: what would be sent to whom, what is legal, what was chosen, and what it would cost."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from conftest import run
from loopback import CAPTION, Gateway
from storm import PROMPT, animating, files, making, own_picture, receipt

pytestmark = pytest.mark.thorough

LLM, DRAWER = "anthropic/claude-sonnet-4.6", "google/gemini-3-pro-image-preview"
VEO = "google/veo-3.1-generate-preview"
SEEDANCE = "byteplus/dreamina-seedance-2-0"
UNPRICED = "byteplus/seedream-4-5"
OWN = "--anchor-path=mine.png"
STAGES = {"reasoning": 0.012, "composition": 0.134, "synthesis": 2.40}
KEYS = {
    "stage",
    "gateway",
    "instead_of",
    "model",
    "times",
    "status",
    "text",
    "settings",
    "legal",
    "cost",
    "chosen",
}
ALL: list[tuple[str, list[str], list[str]]] = [
    ("rewrite_prompt", [PROMPT, "--output=caption.txt"], ["reasoning"]),
    ("generate_anchor", [CAPTION, "--output=anchor.png"], ["composition"]),
    (
        "generate_video_from_anchor",
        ["--anchor=mine.png", f"--prompt={PROMPT}", "--output=cat.mp4"],
        ["synthesis"],
    ),
    ("factorized_generate", [f"--prompt={PROMPT}", "--output=cat.mp4"], list(STAGES)),
]


def plan(*args: str, gateway: Gateway | None = None) -> dict[str, Any]:
    """The orchestrator's plan; without a gateway there is no key either."""
    shown = run("factorized_generate", *making(*args), "--dry-run", gateway=gateway)
    assert shown.code == 0, shown.err
    return shown.json


def words(*args: str) -> str:
    """The same for a person to read."""
    told = [word for word in making(*args) if word != "--json"]
    shown = run("factorized_generate", *told, "--dry-run")
    assert shown.code == 0, shown.err
    return shown.out


def one(*args: str) -> dict[str, Any]:
    """The only call of a plan with one's own picture."""
    own_picture()
    (call,) = plan(OWN, *args)["stages"]
    assert isinstance(call, dict)
    return call


# --- nothing is needed, sent or left --------------------------------------------------------------


@pytest.mark.parametrize("how", ["--json", "--quiet"])
@pytest.mark.parametrize(("script", "args", "stages"), ALL)
def test_a_dry_run_needs_no_key_no_network_and_leaves_nothing(
    gateway: Gateway, script: str, args: list[str], stages: list[str], how: str
) -> None:
    own_picture()
    at = {"AI_GATEWAY_BASE_URL": gateway.root}
    named = "--gateway=happycapy"
    # No key, no key but a base URL, a key: each a dry run.
    for environ, there, which in ((None, None, []), (at, None, [named]), (None, gateway, [])):
        shown = run(script, *args, "--dry-run", how, *which, env=environ, gateway=there)
        assert shown.code == 0, shown.err
        if how == "--json":
            assert [call["stage"] for call in shown.json["stages"]] == stages
            assert shown.json["gateway"] == "happycapy"
        else:
            assert len(re.findall(r"^Stage \d \w+: ", shown.out, re.M)) == len(stages)
            assert shown.out.startswith("gateway: happycapy (")
            assert shown.out.endswith("; nothing was sent\n")
    assert gateway.requests == []
    assert files() == {"mine.png"}


@pytest.mark.parametrize(
    "environ",
    [
        {"AI_GATEWAY_API_KEY": "sk-or-v1-abcdef"},
        {"AI_GATEWAY_API_KEY": "two words"},
        {"AI_GATEWAY_API_KEY": "k" * 20, "AI_GATEWAY_BASE_URL": "http://192.0.2.1"},
    ],
)
def test_a_key_that_could_not_be_sent_hinders_no_dry_run(environ: dict[str, str]) -> None:
    shown = run("factorized_generate", *making("--dry-run"), "--gateway=happycapy", env=environ)
    assert (shown.code, shown.json["status"]) == (0, "planned"), shown.err
    assert (shown.json["gateway"], shown.json["gateway_why"]) == ("happycapy", "--gateway")
    assert environ["AI_GATEWAY_API_KEY"] not in shown.out


THREE = ["--llm-model=own/llm", "--image-model=own/image", "--video-model=own/video"]


def test_a_plan_for_a_server_of_ones_own_needs_its_models_named(gateway: Gateway) -> None:
    """It has no defaults, and its list is not asked for where several stages are to be paid for."""
    environ = {"AI_GATEWAY_BASE_URL": gateway.root}
    shown = run("factorized_generate", *making("--dry-run"), *THREE, env=environ)
    assert shown.code == 0, shown.err
    told = shown.json
    assert (told["gateway"], told["cost"]["kind"]) == ("openai", "unknown")
    assert told["gateway_why"] == "AI_GATEWAY_BASE_URL is at 127.0.0.1, which is no known gateway's"
    assert [call["model"] for call in told["stages"]] == ["own/llm", "own/image", "own/video"]
    for left_out in THREE:
        some = [word for word in THREE if word != left_out]
        refused = run("factorized_generate", *making("--dry-run"), *some, env=environ)
        assert (refused.code, refused.json["error"]["kind"]) == (2, "usage")
        hint = refused.json["error"]["hint"]
        assert hint.startswith(f"Name them: {left_out.partition('=')[0]} (")
    assert gateway.requests == []
    assert files() == set()


def test_a_dry_run_beside_a_running_job_asks_nothing_and_changes_nothing(gateway: Gateway) -> None:
    own_picture()
    gateway.ends_after = None
    assert run("factorized_generate", *making(OWN, "--no-wait"), gateway=gateway).code == 4
    before, asked = {name: Path(name).read_bytes() for name in files()}, len(gateway.requests)
    told = plan(OWN, gateway=gateway)
    assert (told["stages"], told["cost"]["amount"]) == ([], 0)
    assert len(gateway.requests) == asked
    assert {name: Path(name).read_bytes() for name in files()} == before


# --- what it shows --------------------------------------------------------------------------------


def test_each_stage_is_shown_with_all_that_is_known_of_its_call() -> None:
    told = plan()
    assert told["status"] == "planned"
    assert [call["stage"] for call in told["stages"]] == list(STAGES)
    for call in told["stages"]:
        assert set(call) == KEYS
        cost = call["cost"]
        assert cost["amount"] == pytest.approx(STAGES[call["stage"]])
        assert (cost["currency"], cost["kind"]) == ("USD", "estimated")
        assert re.fullmatch(r"20\d\d-\d\d-\d\d", cost["as_of"])
        assert cost["source"]
        assert cost["as_of"] in cost["basis"]
        assert cost["source"] in cost["basis"]
        assert call["gateway"] == "happycapy"
    assert [(call["model"], call["status"]) for call in told["stages"]] == [
        (LLM, "live"),
        (DRAWER, "upstream-retired"),
        (VEO, "upstream-retired"),
    ]
    assert told["cost"] == {
        "amount": pytest.approx(sum(STAGES.values())),
        "currency": "USD",
        "kind": "estimated",
    }
    assert (told["spent"], told["max_cost"]) == ({"amount": 0.0, "unknown_calls": 0}, None)
    first, second, third = (call["text"] for call in told["stages"])
    assert first == PROMPT
    assert "<caption of Stage 1>" in second
    assert [PROMPT in third, "<motion of Stage 1>" in third] == [True, True]


def test_what_is_legal_is_shown() -> None:
    _, image, video = plan()["stages"]
    assert {"16:9", "9:16", "21:9"} <= set(image["legal"]["aspect_ratios"])
    assert video["legal"] == {
        "prompt_characters": None,
        "aspect_ratios": ["16:9", "9:16"],
        "durations_s": [4, 6, 8],
        "resolutions": ["720p", "1080p"],
        "audio": "always",
        "last_frame": True,
    }
    assert one("--resolution=1080p")["legal"]["durations_s"] == [8]
    assert one(f"--video-model={SEEDANCE}")["legal"]["prompt_characters"] == 4000


@pytest.mark.parametrize(
    "args",
    [
        ("--max-cost=9",),
        ("--candidates=3",),
        ("--candidates=3", "--verify", "--repair", "--motion-from-anchor", "--max-cost=9"),
        ("--direct",),
        ("--skip-reasoning", "--stop-after=anchor"),
        ("--gateway=demo",),
    ],
)
def test_the_text_is_short_and_its_prices_add_up(args: tuple[str, ...]) -> None:
    """At most twenty lines of 80 columns but the total; the document has the rest."""
    lines = words(*args).splitlines()
    assert len(lines) <= 20
    assert max(map(len, lines[:-1])) <= 80
    shown = [re.search(r"USD ([\d.]+)$", line) for line in lines if line.startswith(("Sta", "Dir"))]
    parts = [float(found[1]) for found in shown if found]
    total = re.search(r"^total: USD ([\d.]+)", lines[-1])
    assert total and len(parts) == len(shown)
    assert sum(parts) == pytest.approx(float(total[1]))


RATIO, MODEL = "aspect ratio 16:9, nearest to the picture", f"model {VEO}"
STRATEGY = "prompt strategy combined"


@pytest.mark.parametrize(
    ("args", "chosen"),
    [
        ((), {RATIO, "720p", "6 s", MODEL, STRATEGY}),
        (("--duration=8", f"--video-model={VEO}"), {RATIO, "720p", STRATEGY}),
        (
            ("--resolution=1080p", "--aspect-ratio=16:9", "--prompt-strategy=original"),
            {"8 s, the nearest to 6 at 1080p", MODEL},
        ),
        (
            ("--video-model=openai/sora-2", "--allow-off", "--aspect-ratio=16:9"),
            {"720p", "4 s, the nearest to 6 at 720p", STRATEGY},
        ),
        (
            (
                "--duration=8",
                "--resolution=1080p",
                "--aspect-ratio=16:9",
                f"--video-model={VEO}",
                "--prompt-strategy=combined",
            ),
            set(),
        ),
    ],
)
def test_what_nobody_typed_is_said_and_what_was_typed_is_not(
    args: tuple[str, ...], chosen: set[str]
) -> None:
    assert set(one(*args)["chosen"]) == chosen


def test_a_duration_that_was_fitted_is_said() -> None:
    own_picture()
    told = plan(OWN, "--duration=7", "--fit-duration")
    assert told["stages"][0]["settings"]["duration_s"] == 6
    assert any("6 s instead of 7" in text for text in told["warnings"])


@pytest.mark.parametrize(
    ("stage", "what"),
    [(0, "photorealistic"), (1, "photorealistic"), (1, DRAWER), (2, VEO), (2, "combined")],
)
def test_style_model_and_strategy_that_nobody_typed_are_said_too(stage: int, what: str) -> None:
    assert any(what in chosen for chosen in plan()["stages"][stage]["chosen"])


@pytest.mark.parametrize(
    ("args", "kind", "amount"),
    [
        pytest.param(("--gateway=demo",), "listed", 0, id="the demo's own price"),
        pytest.param((f"--image-model={UNPRICED}",), "unknown", None, id="one unknown price"),
        pytest.param(("--video-model=made-up/model",), "unknown", None, id="an unlisted model"),
        pytest.param(
            (f"--video-model={SEEDANCE}", "--resolution=1080p"),
            "unknown",
            None,
            id="no price of that resolution",
        ),
        pytest.param(("--duration=8",), "estimated", 3.346, id="more seconds"),
        pytest.param(("--stop-after=anchor",), "estimated", 0.146, id="two stages"),
    ],
)
def test_the_total_has_the_weakest_kind_in_it(
    args: tuple[str, ...], kind: str, amount: float | None
) -> None:
    cost = plan(*args)["cost"]
    assert (cost["kind"], cost["amount"]) == (kind, amount and pytest.approx(amount))
    shown = "unknown" if amount is None else f"USD {amount:.2f} ({kind})"
    assert f"total: {shown}; nothing was sent\n" in words(*args)


@pytest.mark.parametrize(
    ("args", "skipped"),
    [
        (("--skip-reasoning",), ["Stage 1 reasoning (--skip-reasoning)"]),
        (
            ("--stop-after=caption",),
            ["Stage 2 composition (--stop-after)", "Stage 3 synthesis (--stop-after)"],
        ),
    ],
)
def test_stages_that_make_no_call_are_named_with_the_reason(
    args: tuple[str, ...], skipped: list[str]
) -> None:
    assert plan(*args)["skipped"] == skipped
    shown = " ".join(words(*args).split())
    assert f"left out: {'; '.join(skipped)}" in shown


def test_warnings_are_said_once_and_are_in_the_result() -> None:
    shown = run("factorized_generate", *making("--dry-run"))
    said = [line for line in shown.err.splitlines() if line.startswith("warning: ")]
    assert [f"warning: {text}" for text in shown.json["warnings"]] == said
    assert len(said) == len(set(said)) == 2


def test_what_could_not_be_run_cannot_be_planned_either() -> None:
    refused = run("factorized_generate", *making("--dry-run", "--duration=5"))
    assert (refused.code, refused.json["error"]["kind"]) == (2, "usage")


# --- what it shows is what is sent ----------------------------------------------------------------


@pytest.mark.parametrize(
    "args",
    [
        pytest.param((), id="nothing typed"),
        pytest.param(("--resolution=1080p", "--motion=It leaps."), id="1080p"),
        pytest.param(
            (f"--video-model={SEEDANCE}", "--duration=15", "--prompt-strategy=original"),
            id="another model",
        ),
        pytest.param(("--video-model=bytedance/seedance-2.5", "--duration=30"), id="adaptive"),
        pytest.param(("--video-model=alibaba/wan-v2.7-i2v",), id="follows the picture"),
        pytest.param(("--duration=7", "--fit-duration"), id="fitted"),
    ],
)
def test_what_is_planned_is_what_is_sent(gateway: Gateway, args: tuple[str, ...]) -> None:
    call = one(*args)
    made = run("factorized_generate", *making(OWN, *args), gateway=gateway)
    assert made.code == 0, made.err
    body = gateway.of("create")[0].body
    sent = {name: body.get(name) for name in ("model", "prompt", "duration", "aspectRatio", "size")}
    assert sent == {
        "model": call["model"],
        "prompt": call["text"],
        "duration": call["settings"]["duration_s"],
        "aspectRatio": call["settings"]["aspect_ratio"],
        "size": call["settings"]["resolution"],
    }
    paid = {name: call["cost"][name] for name in ("amount", "currency", "kind")}
    assert receipt()["cost"] == paid


def test_a_plan_of_what_is_left_costs_only_that(gateway: Gateway) -> None:
    whole = making("--stop-after=anchor")
    assert run("factorized_generate", *whole, gateway=gateway).code == 0
    before = len(gateway.requests)
    left = plan(gateway=gateway)
    assert [call["stage"] for call in left["stages"]] == ["synthesis"]
    assert left["cost"]["amount"] == pytest.approx(2.40)
    assert left["spent"] == {"amount": pytest.approx(0.0059 + 0.134), "unknown_calls": 0}
    assert left["skipped"][:2] == [
        "Stage 1 reasoning (already made, or being made)",
        "Stage 2 composition (already made, or being made)",
    ]
    assert run("factorized_generate", *making(), gateway=gateway).code == 0
    asked = len(gateway.requests)
    again = plan(gateway=gateway)
    assert (again["stages"], again["cost"]["amount"]) == ([], 0)
    assert again["spent"]["amount"] == pytest.approx(0.0059 + 0.134 + 2.40)
    assert before < asked == len(gateway.requests)


@pytest.mark.parametrize(
    ("script", "args"),
    [("factorized_generate", making(OWN)), ("generate_video_from_anchor", animating())],
)
def test_a_plan_with_resubmit_counts_what_a_forgotten_job_would_cost_again(
    gateway: Gateway, script: str, args: list[str]
) -> None:
    own_picture()
    assert run(script, *args, gateway=gateway).code == 0
    gateway.jobs.clear()
    Path("cat.mp4").unlink()
    told = run(script, *args, "--resubmit", "--dry-run", gateway=gateway).json
    run(script, *args, "--resubmit", gateway=gateway)
    assert gateway.sent == {"create": 2}
    assert told["cost"]["amount"] == pytest.approx(2.40)


@pytest.mark.parametrize(("script", "args", "stages"), ALL)
def test_a_file_in_the_way_is_said_by_the_plan_too(
    gateway: Gateway, script: str, args: list[str], stages: list[str]
) -> None:
    own_picture()
    output = next(word for word in args if word.startswith("--output=")).partition("=")[2]
    Path(output).write_bytes(b"precious")
    assert run(script, *args, "--json", gateway=gateway).code == 2
    shown = run(script, *args, "--json", "--dry-run", gateway=gateway)
    assert shown.code == 2 or "--overwrite" in str(shown.json["warnings"])
