"""The public lists of models: what a run takes from them, and that it never needs them."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import Run, run
from factorized_video import models
from factorized_video.gateway.settings import resolve
from loopback import Gateway
from speech import Reply

PROMPT = "A red fox on a stone wall"
VEO, VEO_FAST, SEEDANCE = "google/veo-3.1", "google/veo-3.1-fast", "bytedance/seedance-2.0"
SONNET = "anthropic/claude-sonnet-4.6"
TODAY = time.strftime("%Y-%m-%d", time.gmtime())


def video(model: str = VEO, **facts: object) -> dict[str, object]:
    """A row of OpenRouter's list of videos."""
    row = {
        "id": model,
        "supported_durations": [4, 6, 8],
        "supported_resolutions": ["720p", "1080p"],
        "supported_aspect_ratios": ["16:9", "9:16"],
        "supported_frame_images": ["first_frame", "last_frame"],
        "generate_audio": True,
        "seed": True,
        "pricing_skus": {"duration_seconds_with_audio": "0.40"},
    }
    return row | facts


def text(model: str = SONNET, tokens_in: str = "0.000003", out: str = "0.000015") -> dict[str, Any]:
    """A row of OpenRouter's list of all models."""
    makes = ["image", "text"] if "image" in model else ["text"]
    return {
        "id": model,
        "architecture": {"output_modalities": makes},
        "pricing": {"prompt": tokens_in, "completion": out},
    }


class Lists:
    """OpenRouter with lists that a test writes."""

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway
        self.says()

    def says(self, *videos: dict[str, object], without: str = "") -> None:
        """Both lists from now on: what the registry knows there, but for these, and without one."""
        rows = {row["id"]: row for row in videos}
        for model in models.rows("video"):
            if "openrouter" in model.ids:
                rows.setdefault(model.ids["openrouter"], {"id": model.ids["openrouter"]})
        rows.pop(without, None)
        texts = [text(name) for kind in ("llm", "image") for name in models.at(kind, "openrouter")]
        self.gateway.always("video models", Reply(json={"data": list(rows.values())}))
        self.gateway.always("models", Reply(json={"data": texts}))

    def run(self, *args: str, script: str = "factorized_generate") -> Run:
        """A command that takes this gateway for OpenRouter itself."""
        env = {"TESTS_ASK_FOR_LISTS": "1"}
        return run(script, *args, gateway=self.gateway, env=env)

    def plan(self, *args: str, script: str = "factorized_generate") -> dict[str, Any]:
        """What --dry-run says."""
        plan: dict[str, Any] = self.run(PROMPT, "--dry-run", "--json", *args, script=script).json
        return plan

    @property
    def asked(self) -> int:
        """How often the list of videos was asked for."""
        return len(self.gateway.of("video models"))

    @property
    def copy(self) -> Path:
        """What is kept of the lists."""
        (file,) = (Path(os.environ["HOME"]) / ".cache/factorized-video/lists").glob("*.json")
        return file

    def ages(self, **changes: object) -> None:
        """Change what is kept."""
        self.copy.write_text(json.dumps(json.loads(self.copy.read_text()) | changes))


@pytest.fixture
def lists() -> Iterator[Lists]:
    with Gateway("openrouter") as gateway:
        yield Lists(gateway)


def clip_of(plan: dict[str, Any]) -> dict[str, Any]:
    call: dict[str, Any]
    (call,) = (call for call in plan["stages"] if call["stage"] == "synthesis")
    return call


# -- what it changes ------------------------------------------------------------------------------


def test_a_price_of_the_list_wins_and_is_shown_with_its_date(lists: Lists) -> None:
    lists.says(video(pricing_skus={"duration_seconds_with_audio_720p": "0.25"}))
    cost = clip_of(lists.plan("--video-model", VEO))["cost"]
    assert cost["amount"] == 1.5
    assert (cost["as_of"], cost["source"]) == (TODAY, "OpenRouter's list of models")
    assert "prices: list prices of" in lists.run(PROMPT, "--dry-run").out
    assert TODAY in lists.run(PROMPT, "--dry-run", "--video-model", VEO).out


def test_a_duration_that_is_gone_there_is_refused_before_anything_is_sent(lists: Lists) -> None:
    lists.says(video(supported_durations=[4, 8]))
    refused = lists.run(PROMPT, "--duration", "6", "--video-model", VEO)
    assert (refused.code, "4 and 8 seconds" in refused.err) == (2, True)
    assert not lists.gateway.sent


def test_a_parameter_that_the_list_denies_is_refused(lists: Lists) -> None:
    lists.says(video(seed=False, generate_audio=False))
    assert lists.run(PROMPT, "--dry-run", "--seed", "3", "--video-model", VEO).code == 2
    assert lists.run(PROMPT, "--dry-run", "--audio", "--video-model", VEO).code == 2


def test_a_switch_that_the_model_lacks_is_not_sent(lists: Lists) -> None:
    """A stray generate_audio is a 400 at OpenRouter, once caption and anchor are paid for."""
    lists.says(video(generate_audio=None))
    made = lists.run(PROMPT, "--video-model", VEO, "--no-audio")
    assert made.code == 0, made.err
    assert "generate_audio" not in lists.gateway.of("create")[0].body
    assert "removed here" in made.err


def test_a_default_that_the_list_lacks_gives_way(lists: Lists, live_registry: None) -> None:
    lists.says()
    assert clip_of(lists.plan())["model"] == SEEDANCE
    lists.says(without=SEEDANCE)
    lists.ages(asks_at=0)
    clip = clip_of(lists.plan())
    assert (clip["model"], clip["instead_of"]) == (VEO, "byteplus/dreamina-seedance-2-0")
    shown = lists.run(PROMPT, "--dry-run").out
    assert "the default here, as byteplus/dreamina-seedance-2-0 is gone" in shown


def test_a_named_model_that_the_list_lacks_is_refused_with_its_date(lists: Lists) -> None:
    lists.says(without=VEO)
    refused = lists.run(PROMPT, "--video-model", VEO)
    assert refused.code == 2
    assert f"{VEO} is gone: OpenRouter's list of models of {TODAY} lacks it." in refused.err
    assert lists.run(PROMPT, "--video-model", VEO, "--dry-run", "--allow-off").code == 0
    assert lists.run(PROMPT, "--video-model", VEO, "--dry-run", "--offline").code == 0


def test_a_list_that_lacks_most_models_takes_none_away(lists: Lists) -> None:
    lists.gateway.always("video models", Reply(json={"data": [video("maker/film-1")]}))
    assert lists.run(PROMPT, "--dry-run", "--video-model", VEO).code == 0


def test_a_run_and_its_stages_go_by_one_list_that_is_asked_for_once_without_the_key(
    lists: Lists,
) -> None:
    lists.says(video(supported_durations=[5]))
    made = lists.run(PROMPT, "--video-model", VEO, "--json")
    assert (made.code, lists.asked) == (0, 1)
    assert [len(lists.gateway.of(name)) for name in ("chat", "image", "create")] == [1, 1, 1]
    assert lists.gateway.of("create")[0].body["duration"] == 5
    keyed = [one for one in lists.gateway.of("video models") if "Authorization" in one.headers]
    assert not keyed


def test_a_new_model_is_shown_and_can_be_used(lists: Lists) -> None:
    new = video("maker/film-1", supported_durations=[7], pricing_skus={"duration_seconds": "0.1"})
    lists.says(new)
    shown = lists.run("--list-models")
    assert f"OpenRouter's list of models of {TODAY}" in shown.out
    assert "new there: maker/film-1" in shown.out
    assert lists.run("--list-models", "--json").json["list"]["new"] == ["maker/film-1"]
    call = clip_of(lists.plan("--video-model", "maker/film-1"))
    assert (call["settings"]["duration_s"], call["cost"]["amount"]) == (7, 0.7)
    offered = lists.plan()["cheaper"]
    assert offered
    assert all(one["model"] != "maker/film-1" for one in offered)
    assert "seconds       7" in lists.run("--list-models", "maker/film-1").out


def test_what_changed_there_is_shown(lists: Lists) -> None:
    lists.says(video(supported_durations=[4, 8]), without=VEO_FAST)
    shown = lists.run("--list-models", "--json").json["list"]
    assert {"id": VEO, "what": "durations", "known": [4, 6, 8], "there": [4, 8]} in shown["changed"]
    assert shown["gone"] == [VEO_FAST]
    assert f"{VEO}: durations 4 and 8 s, not 4, 6 and 8 s" in lists.run("--list-models").out


# -- that it is never needed ----------------------------------------------------------------------


def test_it_is_asked_for_once_a_day(lists: Lists) -> None:
    lists.plan()
    lists.plan()
    assert lists.asked == 1
    lists.ages(asks_at=time.time() - 1)
    lists.plan()
    assert lists.asked == 2


def test_offline_asks_nothing_and_goes_by_the_file(lists: Lists) -> None:
    lists.says(video(pricing_skus={"duration_seconds": "0.01"}))
    lists.plan("--video-model", VEO)
    offline = lists.plan("--video-model", VEO, "--offline")
    assert (lists.asked, clip_of(offline)["cost"]["amount"]) == (1, 2.4)


@pytest.mark.parametrize(
    "reply",
    [
        Reply(500, {"error": {"message": "no"}}),
        Reply(302, headers={"Location": "https://elsewhere.example/list"}),
        Reply(body=b"<html>log in</html>", headers={"Content-Type": "text/html"}),
        Reply(json={"data": "none"}),
        Reply(json={"data": [{"id": 7}, {"id": "x\n"}, None, []]}),
        Reply(json=[1, 2]),
        Reply(fault="half"),
        Reply(fault="reset"),
    ],
    ids=["500", "redirect", "html", "no rows", "no ids", "no object", "half", "reset"],
)
def test_a_list_that_cannot_be_had_changes_nothing_and_is_asked_for_an_hour_later(
    lists: Lists, reply: Reply
) -> None:
    lists.gateway.always("video models", reply)
    lists.gateway.always("models", reply)
    plan = lists.plan("--video-model", VEO)
    assert (plan["status"], clip_of(plan)["cost"]["amount"]) == ("planned", 2.4)
    before = len(lists.gateway.of("models"))
    lists.plan()
    assert len(lists.gateway.of("models")) == before
    assert 3000 < json.loads(lists.copy.read_text())["asks_at"] - time.time() <= 3600


def test_a_list_that_takes_too_long_is_left_after_three_seconds(lists: Lists) -> None:
    lists.gateway.always("models", Reply(fault="hang"))
    began = time.monotonic()
    assert lists.plan()["status"] == "planned"
    assert 2.5 < time.monotonic() - began < 15


def test_what_was_kept_counts_for_some_days_where_no_new_list_can_be_had(lists: Lists) -> None:
    lists.says(video(pricing_skus={"duration_seconds": "0.25"}))
    lists.plan()
    lists.gateway.always("models", Reply(503))
    lists.ages(asks_at=0)
    assert clip_of(lists.plan("--video-model", VEO))["cost"]["amount"] == 1.5
    kept = json.loads(lists.copy.read_text())["list"]
    lists.ages(list=kept | {"as_of": "2026-01-02"})
    assert clip_of(lists.plan("--video-model", VEO))["cost"]["amount"] == 2.4


@pytest.mark.parametrize(
    "copy",
    ["", "[]", "{", '{"asks_at": "x"}', '{"asks_at": 9e99}', "[" * 9000, '{"asks_at": null}'],
)
def test_a_broken_copy_is_asked_for_again(lists: Lists, copy: str) -> None:
    lists.plan()
    lists.copy.write_text(copy)
    assert lists.plan()["status"] == "planned"
    assert lists.asked == 2


def test_without_a_place_for_a_copy_the_run_goes_on(lists: Lists) -> None:
    Path(os.environ["HOME"], ".cache").write_text("")
    assert lists.plan()["status"] == "planned"


def test_the_lists_of_other_gateways_are_not_asked_for(gateway: Gateway) -> None:
    planned = run(
        "factorized_generate",
        PROMPT,
        "--dry-run",
        gateway=gateway,
        env={"TESTS_ASK_FOR_LISTS": "1"},
    )
    assert (planned.code, gateway.sent) == (0, {})


def test_a_server_before_a_gateway_is_not_asked_for_its_list(lists: Lists) -> None:
    assert run("factorized_generate", PROMPT, "--dry-run", gateway=lists.gateway).code == 0
    assert not lists.asked


@pytest.mark.parametrize("name", ["openrouter", "vercel"])
@pytest.mark.parametrize(("base", "itself"), [(None, True), ("http://127.0.0.1:9", False)])
def test_only_the_gateways_own_address_is_its_own(
    name: str, base: str | None, itself: bool
) -> None:
    environ = {"AI_GATEWAY_BASE_URL": base} if base else {}
    assert resolve(name, environ, folder=Path.cwd(), needs_key=False).is_at_home is itself


# -- a list that only the key opens ---------------------------------------------------------------


def test_a_retired_default_that_the_gateway_itself_lists_is_the_default_again(
    gateway: Gateway, live_registry: None
) -> None:
    retired = "google/veo-3.1-generate-preview"

    def clip_model() -> str:
        plan = run("factorized_generate", PROMPT, "--dry-run", "--json", gateway=gateway).json
        return str(clip_of(plan)["model"])

    assert clip_model() != retired
    # The gateway of the tests has no such list, and no source says whether HappyCapy has.
    gateway.always("unknown", Reply(json={"data": [{"id": retired}, {"id": SONNET}]}))
    assert run("factorized_generate", "--list-models", "--online", gateway=gateway).code == 0
    assert clip_model() == retired
