"""--list-models: what is known of the models, for people and agents, and what a gateway says."""

from __future__ import annotations

import re
from typing import Any

import pytest
from conftest import KEY, run
from factorized_video import models
from loopback import Gateway, Reply
from storm import files

pytestmark = pytest.mark.thorough

VEO, VEO_FAST = "google/veo-3.1-generate-preview", "google/veo-3.1-fast-generate-preview"
SEEDANCE, SORA = "byteplus/dreamina-seedance-2-0", "openai/sora-2"
KINDS = ("llm", "image", "video")
TITLES = {"llm": "LLMs at happycapy", "image": "Image models at happycapy"}
TITLES["video"] = "Video models at happycapy"
AT_HAPPYCAPY = [m.ids["happycapy"] for m in models.rows() if "happycapy" in m.ids]
MODELS = "unknown"  # how the fake names the paths that the dialect does not have: here /models


def listed(*args: str, gateway: Gateway | None = None) -> dict[str, Any]:
    """The JSON; without a gateway there is no key either."""
    done = run("factorized_generate", *(args or ("--list-models",)), "--json", gateway=gateway)
    assert done.code == 0, done.err
    return done.json


def text(*args: str, gateway: Gateway | None = None) -> str:
    done = run("factorized_generate", *args, gateway=gateway)
    assert done.code == 0, done.err
    return done.out


def serves(*ids: str) -> Reply:
    return Reply(json={"object": "list", "data": [{"id": model_id} for model_id in ids]})


def row(model_id: str) -> dict[str, Any]:
    (found,) = listed("--list-models", model_id)["models"]
    assert isinstance(found, dict)
    return found


# --- what is known --------------------------------------------------------------------------------


def test_without_a_key_every_model_is_listed_and_nothing_is_asked(gateway: Gateway) -> None:
    without_key = listed()
    result = listed(gateway=gateway)
    assert result["models"] == without_key["models"]
    assert [row["id"] for row in result["models"]] == AT_HAPPYCAPY
    assert (result["status"], result["gateway"], result["warnings"]) == (
        "succeeded",
        "happycapy",
        [],
    )
    assert "online" not in result
    assert (gateway.requests, files()) == ([], set())


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("way", ["--list-models={}", "--list-models {}"])
def test_one_kind_can_be_listed(kind: str, way: str) -> None:
    args = way.format(kind).split()
    ids = [m.ids["happycapy"] for m in models.rows(kind) if "happycapy" in m.ids]
    assert [row["id"] for row in listed(*args)["models"]] == ids
    table = text(*args)
    assert [line for line in table.splitlines() if line.endswith("at happycapy")] == [TITLES[kind]]
    assert all(f" {model_id}" in table for model_id in ids)


def test_all_is_the_default() -> None:
    assert listed("--list-models=all")["models"] == listed()["models"]
    table = text("--list-models")
    assert re.findall(r"^.* at happycapy$", table, re.M) == list(TITLES.values())


def test_a_row_tells_status_limits_prices_and_sources() -> None:
    veo = row(VEO)
    assert (veo["status"], veo["shutdown"]["date"]) == ("upstream-retired", "2026-10-22")
    assert veo["replacement"] == "google/veo-3.1-generate-001"
    assert veo["gateways"] == {"happycapy": {"id": VEO, "status": "upstream-retired"}}
    assert veo["durations_s"] == [4, 6, 8]
    assert veo["duration_locks"][0] == {"when": {"resolution": ["1080p", "4k"]}, "durations_s": [8]}
    assert (veo["aspect_ratios"], veo["audio"]) == (["16:9", "9:16"], "always")
    assert veo["resolutions"] == ["720p", "1080p", "4k"]
    assert all(price["as_of"] and price["source"] for price in veo["prices"])
    assert "happycapy" in veo["default_at"]
    seedance = row(SEEDANCE)
    assert seedance["gateways"]["vercel"]["id"] == "bytedance/seedance-2.0"
    assert seedance["prompt_characters"] == 4000
    assert row(SORA)["status"] == "off"


def test_one_model_of_any_gateway_is_shown_whole_in_text_too() -> None:
    shown = text("--gateway=vercel", "--list-models", SORA)
    assert shown.startswith(f"{SORA}\n  best for ")
    assert f"off since 2026-09-24 (OpenAI); use\n                {SEEDANCE}\n" in shown


def test_the_demo_lists_its_own_models_first() -> None:
    table = text("--gateway=demo", "--list-models=video").splitlines()
    assert (table[0], table[2].split()[:3]) == (
        "Video models at demo",
        ["*", "demo/push-in", "0.00"],
    )


@pytest.mark.parametrize(
    "args",
    [
        pytest.param(("--list-models=sound",), id="no such kind"),
        pytest.param(("--list-models", "--prompt=A cat."), id="and a prompt"),
        pytest.param(("--list-models", "--list-runs"), id="and the runs"),
        pytest.param(("--prompt=A cat.", "--online"), id="online without the list"),
        pytest.param(("--list-runs", "--online"), id="online with the runs"),
    ],
)
def test_what_does_not_go_together_is_a_usage_error(
    gateway: Gateway, args: tuple[str, ...]
) -> None:
    refused = run("factorized_generate", *args, "--json", gateway=gateway)
    assert (refused.code, gateway.requests) == (2, [])
    assert refused.json["error"]["kind"] == "usage"


# --- what the gateway says ------------------------------------------------------------------------


@pytest.mark.parametrize("status", [404, 405])
def test_a_gateway_without_a_list_is_a_warning(gateway: Gateway, status: int) -> None:
    gateway.will(MODELS, Reply(status))
    result = listed("--list-models", "--online", gateway=gateway)
    assert result["models"] == listed()["models"]
    assert "online" not in result
    assert [("happycapy" in text, "no list" in text) for text in result["warnings"]] == [
        (True, True)
    ]
    (asked,) = gateway.requests
    assert (asked.method, asked.path) == ("GET", "/api/v1/models")
    assert asked.headers["authorization"] == f"Bearer {KEY}"
    assert gateway.sent == {}


def test_the_differences_are_shown(gateway: Gateway) -> None:
    for _ in range(2):
        gateway.will(MODELS, serves(VEO, SEEDANCE, SORA, "google/veo-3.1-generate-001", "new/one"))
    args = ("--list-models=video", "--online")
    online = listed(*args, gateway=gateway)["online"]
    assert online["not_in_the_registry"] == ["new/one"]
    assert online["served_though_retired"] == [VEO, SORA]
    assert VEO_FAST in online["not_served"]
    assert SEEDANCE not in online["not_served"]
    last = text(*args, gateway=gateway).splitlines()[-3:]
    assert last[0].startswith("known here, not in the gateway's list: " + VEO_FAST)
    assert last[1].endswith(f"shut them down: {VEO}, {SORA}")
    assert last[2] == "in the gateway's list, not known here: new/one"


def test_models_of_other_kinds_are_no_difference(gateway: Gateway) -> None:
    gateway.will(MODELS, serves("anthropic/claude-sonnet-4.6", "google/gemini-3-pro-image"))
    online = listed("--list-models=video", "--online", gateway=gateway)["online"]
    assert online["not_in_the_registry"] == []
    assert not any("claude" in model_id for model_id in online["not_served"])


def test_agreement_is_said(gateway: Gateway) -> None:
    known = [
        m.ids["happycapy"]
        for m in models.rows("llm")
        if m.status == "live" and "happycapy" in m.ids
    ]
    gateway.will(MODELS, serves(*known, "google/gemini-3-pro-preview"))
    lines = text("--list-models=llm", "--online", gateway=gateway).splitlines()
    assert lines[-1].startswith("in the gateway's list, though their vendor shut them down: ")
    assert not any("not known here" in line for line in lines)


@pytest.mark.parametrize(
    ("reply", "code", "kind"),
    [
        pytest.param(Reply(401), 3, "auth", id="a key that it does not take"),
        pytest.param(Reply(200, body=b"<html>a portal</html>"), 6, "unavailable", id="a web page"),
        pytest.param(Reply(503), 6, "unavailable", id="out of order"),
        pytest.param(Reply(json={"data": "none"}), 6, "unavailable", id="another shape"),
    ],
)
def test_a_gateway_in_trouble_is_an_error_that_names_it(
    gateway: Gateway, reply: Reply, code: int, kind: str
) -> None:
    gateway.always(MODELS, reply)
    failed = run("factorized_generate", "--list-models", "--online", "--json", gateway=gateway)
    assert (failed.code, failed.json["error"]["kind"]) == (code, kind)
    assert gateway.sent == {}


def test_strange_rows_in_the_list_are_passed_over(gateway: Gateway) -> None:
    rows = [{"id": "new/one"}, {"id": 7}, {"name": "x"}, "y", None, {"id": ""}]
    gateway.will(MODELS, Reply(json={"data": rows}))
    online = listed("--list-models", "--online", gateway=gateway)["online"]
    assert online["not_in_the_registry"] == ["new/one"]


def test_ids_of_the_gateway_cannot_steer_a_terminal(gateway: Gateway) -> None:
    gateway.will(MODELS, serves("new/\x1b[2Jone"))
    assert "\x1b" not in text("--list-models", "--online", gateway=gateway)


def test_asking_needs_a_key_and_listing_does_not() -> None:
    refused = run("factorized_generate", "--list-models", "--online", "--json")
    assert (refused.code, refused.json["error"]["kind"]) == (3, "auth")


@pytest.mark.parametrize("how", ["json", "table"])
def test_the_demo_can_be_asked_too(how: str) -> None:
    args = ("--gateway=demo", "--list-models", "--online")
    if how == "json":
        result = listed(*args)
        assert (result["gateway"], result["warnings"]) == ("demo", [])
        assert not any(result["online"].values())
    else:
        assert text(*args).splitlines()[-1] == "the gateway's list and what is known here agree"
