"""--draft: a cheap clip of the same first frame, then the real one for the price of the clip."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import Run, follow, run
from factorized_video import models, receipts
from loopback import Gateway, png
from speech import Reply, Wrong

PROMPT = "A red fox jumps from a stone wall"
SEEDANCE, LITE = "bytedance/seedance-2.0", "x-ai/grok-imagine-video-1.5-lite"
HEYGEN, VEO = "heygen/heygen-video-1", "google/veo-3.1"
ONE_OF_EACH = {"chat": 1, "image": 1, "create": 1}

pytestmark = pytest.mark.usefixtures("live_registry")


@pytest.fixture
def openrouter() -> Iterator[Gateway]:
    with Gateway("openrouter") as gateway:
        yield gateway


def make(gateway: Gateway, *args: str) -> Run:
    done = run("factorized_generate", PROMPT, *args, gateway=gateway)
    assert done.code == 0, done.err
    return done


def paid(gateway: Gateway) -> dict[str, int]:
    return {name: len(gateway.of(name)) for name in ONE_OF_EACH}


def clips(gateway: Gateway) -> list[tuple[Any, Any]]:
    """Model and resolution of each that was sent."""
    return [(one.body["model"], one.body["resolution"]) for one in gateway.of("create")]


def receipt(name: str) -> dict[str, Any]:
    found = receipts.read(Path(name))
    assert found
    return found


def test_the_real_clip_after_a_draft_pays_for_the_clip_alone(openrouter: Gateway) -> None:
    draft = make(openrouter, "--draft", "--output", "fox.mp4", "--json").json
    assert (Path(draft["output"]).name, paid(openrouter)) == ("fox.draft.mp4", ONE_OF_EACH)
    real = follow(draft["next"], openrouter)
    assert (real.code, Path(real.json["output"]).name) == (0, "fox.mp4")
    assert paid(openrouter) == ONE_OF_EACH | {"create": 2}
    assert clips(openrouter) == [(LITE, "480p"), (SEEDANCE, "720p")]
    first, second = (receipt(name) for name in ("fox.draft.mp4", "fox.mp4"))
    assert first["pipeline"]["files"] == second["pipeline"]["files"]
    assert first["inputs"] == second["inputs"]  # the very same anchor and motion


def test_both_are_there_and_asking_again_pays_for_nothing(openrouter: Gateway) -> None:
    for words in (("--draft",), (), ("--draft",), ()):
        make(openrouter, *words)
    assert paid(openrouter) == ONE_OF_EACH | {"create": 2}
    names = sorted(path.name for path in Path("outputs").glob("*.mp4"))
    assert len(names) == 2
    assert names[0] == names[1].replace(".mp4", ".draft.mp4")
    assert len(list(Path("outputs").glob("*.stages"))) == 1


def test_a_draft_after_the_real_clip_has_its_anchor(openrouter: Gateway) -> None:
    make(openrouter, "--output", "fox.mp4")
    make(openrouter, "--output", "fox.mp4", "--draft")
    assert paid(openrouter) == ONE_OF_EACH | {"create": 2}


def test_model_and_resolution_are_those_of_the_real_clip(openrouter: Gateway) -> None:
    words = ("--video-model", VEO, "--resolution", "1080p", "--duration", "8")
    make(openrouter, "--draft", *words)
    make(openrouter, *words)
    assert clips(openrouter) == [(LITE, "480p"), (VEO, "1080p")]
    assert [one.body["duration"] for one in openrouter.of("create")] == [8, 8]


def test_a_draft_has_the_shape_of_the_real_clip(openrouter: Gateway) -> None:
    make(openrouter, "--draft", "--video-model", VEO, "--aspect-ratio", "9:16")
    assert openrouter.of("image")[0].body["aspect_ratio"] == "9:16"
    anchor = receipt(str(next(Path("outputs").glob("*.stages")) / "anchor.png"))
    make(openrouter, "--video-model", VEO, "--aspect-ratio", "9:16")
    assert receipt(str(next(Path("outputs").glob("*.stages")) / "anchor.png")) == anchor


def test_of_the_models_for_drafts_the_first_that_does_what_is_asked(openrouter: Gateway) -> None:
    """The first knows no seed, and the second always makes sound."""
    plan = make(openrouter, "--draft", "--seed", "3", "--dry-run", "--json").json
    (clip,) = (call for call in plan["stages"] if call["stage"] == "synthesis")
    assert clip["model"] not in (LITE, SEEDANCE)
    assert clip["settings"] | {"seed": 3, "draft": True} == clip["settings"]


def test_the_plan_shows_both_prices(openrouter: Gateway) -> None:
    plan = make(openrouter, "--dry-run", "--json").json
    assert (plan["draft"]["model"], plan["draft"]["resolution"]) == (LITE, "480p")
    assert plan["final"] is None
    clip = plan["stages"][-1]["cost"]["amount"]
    of_draft = make(openrouter, "--draft", "--dry-run", "--json").json
    assert (of_draft["final"]["model"], of_draft["draft"]) == (SEEDANCE, None)
    assert of_draft["final"]["cost"]["amount"] == clip
    assert of_draft["stages"][-1]["cost"]["amount"] == plan["draft"]["cost"]["amount"] < clip / 2
    assert of_draft["cheaper"] == []
    text = make(openrouter, "--dry-run").out
    assert f"a draft first: USD 0.13 with --draft ({LITE}, 480p)" in text
    text = make(openrouter, "--draft", "--dry-run").out
    assert f"then the real clip: USD 0.91 without --draft ({SEEDANCE}, 720p)" in text


def test_the_limit_is_for_each_of_the_two(openrouter: Gateway) -> None:
    make(openrouter, "--draft", "--max-cost", "0.30")
    over = run("factorized_generate", PROMPT, "--max-cost", "0.30", gateway=openrouter)
    assert (over.code, paid(openrouter)) == (7, ONE_OF_EACH)


def test_where_nothing_is_cheaper_nothing_is_sent(gateway: Gateway) -> None:
    refused = run("factorized_generate", PROMPT, "--draft", gateway=gateway)
    assert (refused.code, gateway.sent) == (2, {})
    assert "not known to make a cheaper draft" in refused.err
    plan = run("factorized_generate", PROMPT, "--dry-run", "--json", gateway=gateway)
    assert plan.json["draft"] is None


def test_a_work_folder_of_another_clip_is_not_taken(openrouter: Gateway) -> None:
    make(openrouter, "--output", "fox.mp4", "--work-dir", "work")
    other = run(
        "factorized_generate",
        PROMPT,
        "--draft",
        "--output=cat.mp4",
        "--work-dir=work",
        gateway=openrouter,
    )
    assert (other.code, "belongs to" in other.err) == (2, True)
    make(openrouter, "--output", "fox.mp4", "--work-dir", "work", "--draft")
    assert paid(openrouter) == ONE_OF_EACH | {"create": 2}


def test_stage_3_alone_makes_drafts_too(openrouter: Gateway) -> None:
    Path("anchor.png").write_bytes(png())
    words = ("--anchor", "anchor.png", "--prompt", PROMPT, "--output", "fox.mp4")
    for more in (("--draft",), ()):
        done = run("generate_video_from_anchor", *words, *more, gateway=openrouter)
        assert done.code == 0, done.err
    assert clips(openrouter) == [(LITE, "480p"), (SEEDANCE, "720p")]
    assert Path("fox.draft.mp4").exists()
    assert Path("fox.mp4").exists()


def test_many_prompts_have_drafts_of_their_own(openrouter: Gateway) -> None:
    lines = [json.dumps({"prompt": prompt}) for prompt in (PROMPT, "A cat")]
    Path("prompts.jsonl").write_text("\n".join(lines))
    words = ("--prompts-file", "prompts.jsonl", "--output", "batch")
    for more in (("--draft",), ()):
        done = run("factorized_generate", *words, *more, gateway=openrouter)
        assert done.code == 0, done.err
    assert paid(openrouter) == {"chat": 2, "image": 2, "create": 4}
    assert len(list(Path("batch").glob("*.draft.mp4"))) == 2


@pytest.mark.parametrize("other", ["--direct", "--compare"])
def test_only_a_clip_of_a_first_frame_has_a_draft(openrouter: Gateway, other: str) -> None:
    refused = run("factorized_generate", PROMPT, "--draft", other, gateway=openrouter)
    assert (refused.code, f"--draft has no effect with {other}" in refused.err) == (2, True)
    assert not openrouter.sent


def test_a_stop_to_look_leads_on_to_the_draft(openrouter: Gateway) -> None:
    stopped = make(openrouter, "--draft", "--stop-after", "anchor", "--json").json
    assert stopped["still_to_pay"]["amount"] < 0.2
    drafted = follow(stopped["next"], openrouter)
    assert drafted.json["output"].endswith(".draft.mp4")
    assert paid(openrouter) == ONE_OF_EACH


def test_the_page_of_a_draft_shows_the_anchor_of_both(openrouter: Gateway) -> None:
    make(openrouter, "--draft", "--output", "fox.mp4", "--report")
    page = Path("fox.draft.html").read_text(encoding="utf-8")
    assert "First frame" in page
    assert "--draft" in page
    assert "fox-2.mp4" in page  # another take, of whose name the draft's is made


def test_a_draft_that_was_sent_is_fetched_whatever_costs_less_today(
    openrouter: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    started = run(
        "factorized_generate",
        PROMPT,
        "--draft",
        "--no-wait",
        "--output=fox.mp4",
        gateway=openrouter,
    )
    assert (started.code, paid(openrouter)) == (4, ONE_OF_EACH)
    # As if the registry of today knew no models for drafts, and none with a lower resolution.
    live = json.loads(Path(models.registry.FILE).read_text(encoding="utf-8"))
    live["gateways"]["openrouter"]["drafts"] = ["google/veo-3.1-generate-001"]
    for row in live["models"]:
        if row["id"] == "byteplus/dreamina-seedance-2-0":
            row["gateways"]["openrouter"]["resolutions"] = ["720p"]
    Path("registry.json").write_text(json.dumps(live))
    monkeypatch.setenv("TESTS_REGISTRY", str(Path("registry.json").absolute()))
    another = run("factorized_generate", "A cat", "--draft", gateway=openrouter)
    assert (another.code, "cheaper draft" in another.err) == (2, True)
    made = make(openrouter, "--draft", "--output=fox.mp4")
    assert made.out.strip().endswith("fox.draft.mp4")
    assert paid(openrouter) == ONE_OF_EACH


def test_a_draft_whose_model_the_gateway_does_not_know_changes_nothing_of_the_clip(
    openrouter: Gateway,
) -> None:
    wrong = Wrong(f"Model {LITE} does not exist", code=404)
    openrouter.will("create", Reply(404, means=wrong))
    failed = run("factorized_generate", PROMPT, "--draft", "--json", gateway=openrouter)
    assert failed.code == 10
    assert "--video-model" not in str(failed.json.get("next"))
