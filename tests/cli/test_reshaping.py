"""--from and --caption: a clip or a film again in another shape, and a caption of one's own."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("av")
pytest.importorskip("PIL")

from conftest import Run, run
from loopback import Gateway, png
from speech import Asked
from stories import STORY, answering
from storm import Storm

pytestmark = pytest.mark.thorough  # except what is marked `quick`

PROMPT = "A cat jumps to the couch"


def make(gateway: Gateway, *words: str) -> Run:
    told = [f"--prompt={PROMPT}", "--output=cat.mp4", "--json"]
    return run("factorized_generate", *told, *words, gateway=gateway)


def again(gateway: Gateway, *words: str, first: str = "cat.mp4") -> Run:
    told = [f"--from={first}", "--aspect-ratio=9:16", "--json"]
    return run("factorized_generate", *told, *words, gateway=gateway)


@pytest.mark.quick
def test_caption_motion_and_settings_are_kept_and_the_first_frame_is_the_reference(
    gateway: Gateway,
) -> None:
    assert make(gateway, "--style=anime", "--duration=8", "--resolution=1080p").code == 0
    plan = again(gateway, "--dry-run")
    assert plan.code == 0, plan.err
    assert [one["stage"] for one in plan.json["stages"]] == ["composition", "synthesis"]
    assert plan.json["made_from"]["cost"]["amount"] > 0
    assert "cat.mp4 has cost USD" in plan.err
    done = again(gateway)
    assert done.code == 0, done.err
    assert gateway.billed == {"chat": 1, "image": 2, "create": 2}
    assert done.json["output"] == str(Path("cat-9x16.mp4").absolute())
    drawn = [gateway.speech.asked(one) for one in gateway.of("image")]
    assert drawn[1].pictures == (Path("cat.stages/anchor.png").read_bytes(),)
    assert drawn[1].prompt.partition("\n")[0] == drawn[0].prompt.partition("\n")[0]
    assert "Style: anime" in drawn[1].prompt
    first, second = (gateway.speech.asked(one) for one in gateway.of("create"))
    assert (first.prompt, first.duration_s) == (second.prompt, second.duration_s)
    assert (first.shape, second.shape) == ("16:9", "9:16")
    assert (again(gateway).json["reused"], gateway.billed.total()) == (True, 5)


def test_what_is_added_goes_before(gateway: Gateway) -> None:
    assert make(gateway, "--duration=8").code == 0
    assert again(gateway, "--duration=4", "--output=tall.mp4").code == 0
    assert gateway.speech.asked(gateway.of("create")[1]).duration_s == 4
    assert Path("tall.mp4").is_file()


def test_an_edited_caption_is_kept(gateway: Gateway) -> None:
    assert make(gateway, "--stop-after=caption").code == 0
    Path("cat.stages/caption.txt").write_text("@home sits a cat.\n", encoding="utf-8")
    assert make(gateway).code == 0
    assert again(gateway).code == 0
    drawn = gateway.speech.asked(gateway.of("image")[1])
    assert drawn.prompt.startswith("@home sits a cat.")


@pytest.mark.parametrize(
    ("first", "words", "told"),
    [
        ("gone.mp4", (), "is no clip in three stages"),
        ("cat.stages/anchor.png", (), "is no clip in three stages"),
        ("own.mp4", (), "made from a picture of your own"),
        ("cat.mp4", ("--aspect-ratio=16:9", "--video-model=no/such"), None),
    ],
)
def test_what_cannot_be_made_again(
    gateway: Gateway, first: str, words: tuple[str, ...], told: str | None
) -> None:
    Path("mine.png").write_bytes(png((1280, 720), 3))
    assert make(gateway).code == 0
    own = ["--prompt=A cat", "--anchor-path=mine.png", "--output=own.mp4"]
    assert run("factorized_generate", *own, gateway=gateway).code == 0
    sent = gateway.sent
    done = again(gateway, *words, "--dry-run", first=first)
    assert gateway.sent == sent
    if told is None:
        assert done.code == 0, done.err
        return
    assert (done.code, told in done.json["error"]["message"]) == (2, True), done.out


def test_without_another_shape_there_is_nothing_to_make(gateway: Gateway) -> None:
    done = run("factorized_generate", "--from=cat.mp4", "--json", gateway=gateway)
    assert (done.code, "another shape" in done.json["error"]["message"]) == (2, True)


@pytest.fixture
def storm(monkeypatch: pytest.MonkeyPatch) -> Iterator[Storm]:
    monkeypatch.setenv("FACTORIZED_VIDEO_TIME_SCALE", "0.05")
    with answering(Storm()) as server:
        yield server


def asked_clips(storm: Storm) -> list[Asked]:
    return [storm.speech.asked(one) for one in storm.of("create")]


def test_a_film_keeps_its_cast_its_captions_and_its_motions(storm: Storm) -> None:
    Path("umbrella.md").write_text(STORY.replace("- continues: yes\n", ""), encoding="utf-8")
    told = ["--story=umbrella.md", "--output=film.mp4", "--duration=8", "--json", "--yes"]
    assert run("factorized_generate", *told, gateway=storm).code == 0
    assert storm.billed == {"image": 5, "chat": 3, "create": 3}
    stopped = again(storm, first="film.mp4")
    assert stopped.code == 0, stopped.err
    assert storm.billed == {"image": 8, "chat": 3, "create": 3}  # the three first frames
    assert [one["own"] for one in stopped.json["cast"]] == [True, True]
    for asked in (storm.speech.asked(one) for one in storm.of("image")[5:]):
        assert asked.shape == "9:16"
        assert asked.pictures[-1] in {
            path.read_bytes() for path in Path("film.story").glob("*.stages/anchor.png")
        }
    done = again(storm, "--yes", first="film.mp4")
    assert done.code == 0, done.err
    assert storm.billed == {"image": 8, "chat": 3, "create": 6}
    assert Path("film-9x16.mp4").is_file()
    assert {gateway_asked.duration_s for gateway_asked in asked_clips(storm)} == {8}
    # A summary that is none is said.
    Path("film.story/story.json").write_text("[]", encoding="utf-8")
    assert again(storm, first="film.mp4").code == 2


# --- a caption of one's own -----------------------------------------------------------------------


def test_a_caption_of_ones_own_asks_no_llm(gateway: Gateway) -> None:
    Path("words.txt").write_text("A cat sits on a shelf.", encoding="utf-8")
    done = make(gateway, "--caption=@words.txt")
    assert done.code == 0, done.err
    assert gateway.billed == {"image": 1, "create": 1}
    drawn = gateway.speech.asked(gateway.of("image")[0])
    assert drawn.prompt.startswith("A cat sits on a shelf.")
    assert PROMPT in gateway.speech.asked(gateway.of("create")[0]).prompt
    receipt = json.loads(Path("cat.mp4.receipt.json").read_text(encoding="utf-8"))
    assert "A cat sits on a shelf." in receipt["command"]
    assert make(gateway, "--caption=A cat sits on a shelf.").json["reused"]


@pytest.mark.parametrize(
    "words", [("--skip-reasoning",), ("--scene=x",), ("--anchor-path=mine.png",), ("--direct",)]
)
def test_a_caption_that_is_not_used_is_a_mistake(gateway: Gateway, words: tuple[str, ...]) -> None:
    Path("mine.png").write_bytes(png((1280, 720), 3))
    done = make(gateway, "--caption=A cat sits.", *words)
    assert (done.code, gateway.sent) == (2, {})
