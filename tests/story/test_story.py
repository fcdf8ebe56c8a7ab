"""--story: several shots with the same people, approved as pictures, joined into one film."""

from __future__ import annotations

import json
import shutil
import signal
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("av")
pytest.importorskip("PIL")

from conftest import Run, ended, follow, run, start
from factorized_video.media.clips import decoded, last_frame
from factorized_video.media.similarity import alike, squeezed
from factorized_video.prompts import checklist
from judges import Judge
from loopback import Gateway, png
from pictures import opened
from speech import Wrong, shown
from stories import STORY, answering, said
from storm import Storm

pytestmark = pytest.mark.thorough  # except what is marked `quick`

FOLDER = Path("film.story")


@pytest.fixture(autouse=True)
def unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Several processes at once on few cores: time-outs of a second would be over at times."""
    monkeypatch.setenv("FACTORIZED_VIDEO_TIME_SCALE", "0.05")


@pytest.fixture
def gateway() -> Any:
    """A gateway whose clips are each another one."""
    with answering(Storm()) as server:
        yield server


def lay(text: str = STORY) -> None:
    Path("umbrella.md").write_text(text, encoding="utf-8")


def make(gateway: Gateway | None, *words: str) -> Run:
    told = ["--story=umbrella.md", "--output=film.mp4", "--json", *words]
    return run("factorized_generate", *told, gateway=gateway)


def whole(gateway: Gateway, *words: str) -> dict[str, Any]:
    """The film, made without a stop."""
    done = make(gateway, "--yes", *words)
    assert done.code == 0, done.err
    return done.json


def statuses(document: dict[str, Any]) -> list[str]:
    return [one["status"] for one in document["shots"]]


# --- what is made ---------------------------------------------------------------------------------


@pytest.mark.quick
def test_it_stops_at_the_pictures_and_its_next_command_makes_the_film(gateway: Storm) -> None:
    lay()
    stopped = make(gateway)
    assert stopped.code == 0, stopped.err
    told = stopped.json
    assert told["output"] == str(Path("film.storyboard.png").absolute())
    assert opened(Path("film.storyboard.png").read_bytes()).width == 1560
    assert statuses(told) == ["drawn", "not begun", "drawn"]
    assert gateway.sent == {"image": 4, "chat": 2}  # two of the cast, two first frames
    assert told["still_to_pay"]["amount"] > 0
    assert "--no-stop" in told["next"]
    # Without a word it stops again, and sends nothing.
    assert (make(gateway).json["next"], gateway.billed.total()) == (told["next"], 6)
    done = follow(told["next"], gateway)
    assert done.code == 0, done.err
    assert gateway.sent == {"image": 4, "chat": 3, "create": 3}  # a motion for what continues
    document = json.loads((FOLDER / "story.json").read_text(encoding="utf-8"))
    assert statuses(document) == ["succeeded"] * 3
    assert document["film"]["duration_s"] == pytest.approx(18, abs=0.1)
    for name in ("film.mp4", "film.seams.png", "film.filmstrip.png"):
        assert Path(name).is_file()
    spent = document["spent"]
    assert spent["amount"] == pytest.approx(document["cost"]["amount"])
    # It is there: the same command, or a careful one, is free and says so.
    again = make(gateway)
    assert (again.code, again.json["output"], again.json["reused"]) == (
        0,
        str(Path("film.mp4").absolute()),
        True,
    )
    assert gateway.sent == {"image": 4, "chat": 3, "create": 3}


def test_each_shot_is_drawn_from_its_people_and_told_of_them(gateway: Storm) -> None:
    lay()
    assert make(gateway).code == 0
    cast = [gateway.speech.asked(one) for one in gateway.of("image")[:2]]
    assert {one.prompt.partition("\n")[0] for one in cast} == {
        "A woman with short red hair.",
        "A grey cat.",
    }
    drawn = [gateway.speech.asked(one) for one in gateway.of("image")[2:]]
    frames = {one.prompt.partition("\n")[0]: one for one in drawn}
    (mira,) = [path.read_bytes() for path in (FOLDER / "cast").glob("mira-*.png")]
    (otto,) = [path.read_bytes() for path in (FOLDER / "cast").glob("otto-*.png")]
    assert frames["A still of: Mira waits at the bus stop."].pictures == (mira,)
    assert frames["A still of: Mira carries Otto home."].pictures == (mira, otto)
    asked = {data["prompt"]: data for data in map(said, gateway.of("chat"))}
    home = asked["Mira carries Otto home."]
    assert home["scene"].startswith("A rainy evening.\nMira (reference picture 1): A woman")
    assert "Otto (reference picture 2): A grey cat." in home["scene"]
    assert home["earlier_shots"] == ["Mira waits at the bus stop.", "Otto comes in from the left."]
    assert "The place, Bus stop: A glass shelter." in asked["Mira waits at the bus stop."]["scene"]
    assert "earlier_shots" not in asked["Mira waits at the bus stop."]


def test_a_shot_that_continues_begins_with_the_last_frame_of_the_one_before(gateway: Storm) -> None:
    lay()
    told = whole(gateway)
    first, second = told["shots"][:2]
    frame = opened(Path(second["anchor"]).read_bytes())
    clip = Path(first["output"])
    assert frame.size == (1280, 720)
    assert frame.tobytes() == last_frame(clip).tobytes()
    held = [one for _, one in decoded(clip)][-1].to_image()
    assert alike(squeezed(frame), squeezed(held)) > 0.99
    motion = [said(one) for one in gateway.of("chat") if said(one).get("task") == "motion"]
    assert [one["prompt"] for one in motion] == ["Otto comes in from the left."]


def test_a_changed_word_pays_for_what_follows_from_it_and_back_is_free(gateway: Storm) -> None:
    lay()
    whole(gateway)
    before = gateway.billed.copy()
    assert before == {"image": 4, "chat": 3, "create": 3}
    lay(STORY.replace("A grey cat.", "A black cat."))
    whole(gateway)
    # Otto anew, and the shot with him; the shot that continues is of what its picture shows.
    assert gateway.billed - before == {"image": 2, "chat": 1, "create": 1}
    lay()
    whole(gateway)
    assert gateway.billed - before == {"image": 2, "chat": 1, "create": 1}
    # What an earlier shot says is shown to the later ones, and does not make them anew.
    lay(STORY.replace("waits at the bus", "sleeps at the bus"))
    whole(gateway)
    # What continues it begins with a frame that came out the same here.
    assert gateway.billed - before == {"image": 3, "chat": 2, "create": 2}


def test_a_shot_says_what_its_last_frame_shows(gateway: Storm) -> None:
    ends = STORY.replace("- continues: yes", "- continues: yes\n- ends: Otto is asleep")
    lay(f"{ends}- ends: the door is shut\n")
    stopped = make(gateway).json
    assert gateway.billed == {"image": 5, "chat": 2}  # that of the shot that can be seen by now
    assert Path(stopped["shots"][2]["end_frame"]).is_file()
    told = whole(gateway)
    assert gateway.billed == {"image": 6, "chat": 3, "create": 3}
    clips = [gateway.speech.asked(one) for one in gateway.of("create")]
    assert sum(one.last_frame is not None for one in clips) == 2
    edits = [gateway.speech.asked(one) for one in gateway.of("image")[4:]]
    assert [one.prompt.partition("so: ")[2].partition("\n")[0] for one in edits] == [
        "the door is shut",
        "Otto is asleep",
    ]
    assert Path(told["shots"][1]["end_frame"]).is_file()


def test_another_length_or_motion_keeps_the_first_frame(gateway: Storm) -> None:
    lay()
    told = whole(gateway)
    before = gateway.billed.copy()
    lay(f"{STORY}- seconds: 8\n- motion: She hurries.\n")
    plan = make(gateway, "--dry-run").json
    assert [one["stage"] for one in plan["shots"][2]["stages"]] == ["synthesis"]
    again = whole(gateway)
    assert gateway.billed - before == {"create": 1}
    assert again["shots"][2]["output"] != told["shots"][2]["output"]
    frames = [Path(one["shots"][2]["anchor"]).read_bytes() for one in (told, again)]
    assert frames[0] == frames[1]
    # What was drawn once has cost once.
    spent = again["spent"]["amount"]
    assert spent == pytest.approx(gateway.charged_usd + 4 * 2.4, rel=0.2)
    lay()
    assert whole(gateway)["spent"]["amount"] == pytest.approx(spent)


def test_what_is_changed_in_the_folder_makes_the_clip_anew_and_back_is_free(gateway: Storm) -> None:
    lay()
    told = whole(gateway)
    motion = Path(told["shots"][2]["anchor"]).with_name("motion.txt")
    words = motion.read_text(encoding="utf-8")
    motion.write_text("Mira runs.\n", encoding="utf-8")
    before = gateway.billed.copy()
    assert statuses(make(gateway).json) == ["succeeded", "succeeded", "drawn"]
    whole(gateway)
    assert gateway.billed - before == {"create": 1}
    motion.write_text(words, encoding="utf-8")
    whole(gateway)
    assert gateway.billed - before == {"create": 1}


def test_candidates_come_also_after_the_clip(gateway: Storm) -> None:
    lay()
    whole(gateway)
    before = gateway.billed.copy()
    lay(f"{STORY}- candidates: 2\n")
    assert statuses(make(gateway).json)[2] == "awaits a choice"
    assert gateway.billed - before == {"image": 1}
    lay(f"{STORY}- candidates: 2\n- select: 2\n")
    whole(gateway)
    assert gateway.billed - before == {"image": 1, "create": 1}


def test_a_plan_leaves_nothing_and_says_who_is_where(gateway: Storm) -> None:
    lay(STORY.replace("## Places", "### Hugo\nA dog.\n\n## Places"))
    words = ["--story=umbrella.md", "--output=new/film.mp4", "--dry-run"]
    plan = run("factorized_generate", *words, gateway=gateway)
    assert not Path("new").exists()
    assert "with Mira at Bus stop" in plan.out
    assert "with Mira, Otto" in plan.out
    assert "Hugo: in the cast, and in no shot" in plan.err
    assert "Look at" not in plan.err


def test_order_and_transition_cost_nothing(gateway: Storm) -> None:
    lay()
    told = whole(gateway)
    before = gateway.billed.copy()
    head, _, shots = STORY.partition("## Shots\n")
    each = [f"### {one}\n" for one in shots.split("### ")[1:]]
    lay(f"{head}## Shots\n{each[2]}{each[0]}{each[1]}")
    moved = whole(gateway, "--transition=crossfade")
    assert gateway.billed == before
    assert [one["output"] for one in moved["shots"]] == [
        told["shots"][n]["output"] for n in (2, 0, 1)
    ]
    # One fade: what continues another shot is never faded into.
    assert moved["film"]["duration_s"] == pytest.approx(told["film"]["duration_s"] - 0.5, abs=0.1)


# --- pictures of one's own, candidates, edits -----------------------------------------------------


def test_own_pictures_are_seen_from_the_folder_of_the_file(gateway: Storm) -> None:
    Path("deep").mkdir()
    for number, name in enumerate(("otto", "stop", "first")):
        Path(f"deep/{name}.png").write_bytes(png((1280, 720), 20 + number))
    story = STORY.replace("A grey cat.", "A grey cat.\n- picture: otto.png")
    story = story.replace("A glass shelter.", "A glass shelter.\n- picture: stop.png")
    story = story.replace("### A visitor", "- anchor-path: first.png\n\n### A visitor")
    story += "- in: bus stop\n"
    Path("deep/umbrella.md").write_text(story, encoding="utf-8")
    told = ["--story=deep/umbrella.md", "--output=film.mp4", "--json"]
    done = run("factorized_generate", *told, gateway=gateway)
    assert done.code == 0, done.err
    assert gateway.sent == {"image": 2, "chat": 1}  # Mira, and the way home
    home = gateway.speech.asked(gateway.of("image")[-1])
    own = tuple(Path(f"deep/{name}.png").read_bytes() for name in ("otto", "stop"))
    assert home.pictures[1:] == own
    assert done.json["shots"][0]["anchor"] == str(Path("deep/first.png").absolute())
    assert done.json["cast"][1]["own"] is True


def test_candidates_are_chosen_in_the_file(gateway: Storm) -> None:
    lay(f"{STORY}- candidates: 2\n")
    told = whole(gateway)
    assert statuses(told) == ["succeeded", "succeeded", "awaits a choice"]
    sheet = told["shots"][2]["contact_sheet"]
    assert Path(sheet).name == "contact-sheet.png"
    assert told["output"].endswith("film.storyboard.png")
    assert gateway.billed == {"image": 5, "chat": 3, "create": 2}
    lay(f"{STORY}- candidates: 2\n- select: 2\n")
    assert statuses(whole(gateway)) == ["succeeded"] * 3
    assert gateway.billed == {"image": 5, "chat": 3, "create": 3}


def test_the_checks_compare_a_shot_with_the_pictures_of_its_people(gateway: Storm) -> None:
    judge = Judge(gateway)
    lay(f"{STORY}- verify: yes\n")
    stopped = make(gateway)
    assert stopped.code == 0, stopped.err
    assert statuses(stopped.json)[2] == "drawn"
    chats = [(said(one), one) for one in gateway.of("chat")]
    ((questions, request),) = [row for row in chats if row[0].get("task") == "questions"]
    assert questions["prompt"].startswith("Mira carries Otto home.")
    assert "Otto (reference picture 2): A grey cat." in questions["prompt"]
    (system, _), _ = shown(request)
    assert checklist.REFERENCES_FOR_QUESTIONS in str(system["content"])
    ((check, request),) = [row for row in chats if row[0].get("task") == "check"]
    assert check["reference_pictures"] == 2
    (system, _), pictures = shown(request)
    assert checklist.REFERENCES_FOR_CHECK in str(system["content"])
    cast = [Path(one["picture"]).read_bytes() for one in stopped.json["cast"]]
    assert list(pictures[1:]) == cast
    assert pictures[0] == Path(stopped.json["shots"][2]["anchor"]).read_bytes()
    assert len(judge.of("check")) == 1


def test_an_edited_caption_has_its_frame_drawn_anew_before_the_clip(gateway: Storm) -> None:
    lay()
    told = make(gateway).json
    caption = Path(told["shots"][2]["anchor"]).with_name("caption.txt")
    caption.write_text("Mira stands in her doorway.\n", encoding="utf-8")
    again = make(gateway)
    assert again.code == 0, again.err
    assert gateway.billed == {"image": 5, "chat": 2}
    asked = gateway.speech.asked(gateway.of("image")[-1])
    assert asked.prompt.startswith("Mira stands in her doorway.")
    assert statuses(whole(gateway)) == ["succeeded"] * 3
    assert gateway.billed == {"image": 5, "chat": 3, "create": 3}


# --- faults ---------------------------------------------------------------------------------------


def test_one_refused_shot_ends_nothing_else(gateway: Storm) -> None:
    gateway.answers["create"] = lambda request: (
        gateway.speech.error(400, Wrong("Blocked by the content policy"))
        if "carries" in gateway.speech.asked(request).prompt
        else None
    )
    lay()
    done = make(gateway, "--yes")
    assert done.code == 5, done.err
    assert statuses(done.json) == ["succeeded", "succeeded", "refused"]
    assert "Going home" in done.json["error"]["message"]
    assert not Path("film.mp4").exists()
    sent = gateway.sent
    again = make(gateway, "--yes")
    assert (again.code, gateway.sent) == (5, sent)
    gateway.answers.pop("create")
    lay(STORY.replace("Mira carries Otto home.", "Mira walks home with Otto."))
    assert statuses(whole(gateway)) == ["succeeded"] * 3


def test_without_the_picture_of_one_of_the_cast_the_others_are_drawn(gateway: Storm) -> None:
    gateway.answers["image"] = lambda request: (
        gateway.speech.error(400, Wrong("Blocked by the content policy"))
        if "cat." in gateway.speech.asked(request).prompt
        and "carries" not in gateway.speech.asked(request).prompt
        else None
    )
    lay()
    done = make(gateway)
    assert done.code == 5, done.err
    assert [one["status"] for one in done.json["cast"]] == ["succeeded", "refused"]
    assert statuses(done.json) == ["drawn", "not begun", "failed"]
    assert "waits for the picture of Otto" in done.json["shots"][2]["error"]["message"]
    assert Path("film.storyboard.png").is_file()
    gateway.answers.pop("image")
    lay(STORY.replace("A grey cat.", "A grey cat.\n- take: 2"))
    assert make(gateway).code == 0
    assert gateway.billed == {"image": 4, "chat": 2}


def test_a_limit_is_over_all_of_it_and_over_what_was_replaced(gateway: Storm) -> None:
    lay()
    plan = make(None, "--dry-run", "--gateway=happycapy").json
    price, later = plan["cost"]["amount"], plan["still_to_pay"]["amount"]
    over = make(gateway, "--no-stop", f"--max-cost={price - 0.01:.4f}")
    assert (over.code, gateway.sent) == (7, {})
    assert make(gateway, f"--max-cost={price - later + 0.01:.4f}").code == 0
    most = plan["suggested_max_cost"]
    assert make(gateway, "--no-stop", f"--max-cost={most}").code == 0
    sent, spent = gateway.sent, make(gateway).json["spent"]["amount"]
    # What the first version has cost counts, though other files are made now.
    lay(STORY.replace("A rainy evening.", "A sunny day."))
    more = make(gateway, "--no-stop", f"--max-cost={spent + 0.01:.4f}")
    assert (more.code, gateway.sent) == (7, sent)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_with_one_result_and_the_same_command_goes_on(
    gateway: Storm, number: signal.Signals
) -> None:
    lay()
    gateway.ends_after = None
    told = ["--story=umbrella.md", "--output=film.mp4", "--json", "--yes"]
    process = start("factorized_generate", *told, gateway=gateway)
    gateway.wait_for("create", 2)
    process.send_signal(number)
    stopped = ended(process)
    assert (stopped.code, stopped.json["status"]) == (130, "interrupted")
    assert len(stopped.json["shots"]) == 3
    gateway.ends_after = 0
    assert statuses(whole(gateway)) == ["succeeded"] * 3
    assert gateway.billed == {"image": 4, "chat": 3, "create": 3}


def test_two_at_once_are_one(gateway: Storm) -> None:
    lay()
    gateway.hold("image")
    told = ["--story=umbrella.md", "--output=film.mp4", "--json"]
    process = start("factorized_generate", *told, gateway=gateway)
    gateway.wait_for("image")
    assert make(gateway).code == 4
    gateway.release("image")
    assert ended(process).code == 0
    assert gateway.billed == {"image": 4, "chat": 2}


def test_what_ends_every_call_ends_the_story(gateway: Storm) -> None:
    gateway.key = "another"
    lay()
    done = make(gateway)
    assert (done.code, gateway.billed) == (3, {})


# --- before anything is sent ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "words", "told"),
    [
        ("no title", (), "line 1: the file begins without a title"),
        (STORY.replace("- style", "- styel"), (), "line 5: 'styel' is no setting"),
        (f"{STORY}- seconds: 99999\n", (), "seconds: "),
        (f"{STORY}- seconds: 7\n", (), "seconds"),
        (f"{STORY}- motion: It turns.\n- motion: It falls.\n", (), "a second motion"),
        (f"{STORY}- reference: gone.png\n", (), "gone.png"),
        (f"{STORY}- audio: perhaps\n", (), "is neither"),
        (STORY.replace("A grey cat.", "A grey cat.\n- picture: gone.png"), (), "picture of Otto"),
        (STORY.replace("yes", "yes\n- candidates: 2"), (), "no effect on a shot that continues"),
        (STORY.replace("watercolor", "watercolor\n- motion: x"), (), "no setting of a whole film"),
        (STORY.replace("watercolor", "watercolor\n- transition: wipe"), (), "'wipe' is none"),
        (STORY.replace("watercolor", "watercolor\n- music: gone.mp3"), (), "gone.mp3"),
        (STORY, ("--no-stop",), "needs a limit"),
        (STORY, ("--take=2",), "--take is of one clip"),
        (STORY, ("--motion=x",), "--motion is of one clip"),
        (STORY, ("--draft",), "--draft is of one clip"),
        (STORY, ("--compare",), "--compare is of one clip"),
        (STORY, ("--concurrency=999",), "--concurrency"),
        (STORY.replace("Mira carries Otto home.", "Mira waits at the bus stop."), (), None),
    ],
)
def test_what_cannot_be_made_is_said_before_anything_is_sent(
    gateway: Storm, text: str, words: tuple[str, ...], told: str | None
) -> None:
    lay(text)
    done = make(gateway, *words)
    if told is None:  # two shots may say the same, as long as one of them is another shot
        assert done.code == 0, done.err
        return
    assert (done.code, gateway.sent) == (2, {}), done.err
    assert told in done.json["error"]["message"]


def test_two_shots_that_are_one_clip_are_told(gateway: Storm) -> None:
    lay(f"{STORY}\n### going-home\nMira carries Otto home.\n")
    done = make(gateway)
    assert (done.code, gateway.sent) == (2, {})
    assert "would be the same clip as Going home" in done.json["error"]["message"]


@pytest.mark.parametrize("name", ["gone.md", ".", "picture.png"])
def test_a_file_that_is_no_story(gateway: Storm, name: str) -> None:
    Path("picture.png").write_bytes(png())
    done = run("factorized_generate", f"--story={name}", "--json", gateway=gateway)
    assert (done.code, gateway.sent) == (2, {}), done.err


def test_options_of_a_story_have_no_effect_elsewhere(gateway: Storm) -> None:
    for words in (["--no-stop"], ["--transition=cut"], ["--concurrency=2"]):
        done = run("factorized_generate", "--prompt=A cat", "--json", *words, gateway=gateway)
        assert (done.code, gateway.sent) == (2, {})


def test_a_film_in_whose_place_something_else_lies_is_not_begun(gateway: Storm) -> None:
    lay()
    Path("film.mp4").write_bytes(b"mine")
    done = make(gateway)
    assert (done.code, gateway.sent) == (2, {})
    assert Path("film.mp4").read_bytes() == b"mine"


# --- what is shown --------------------------------------------------------------------------------


def test_the_plan_has_every_shot_and_what_comes_after_the_stop(gateway: Storm) -> None:
    lay()
    plan = make(gateway, "--dry-run")
    assert (plan.code, gateway.sent) == (0, {})
    told = plan.json
    assert told["status"] == "planned"
    prices = [one["to_pay"]["amount"] for one in (*told["cast"], *told["shots"])]
    assert told["cost"]["amount"] == pytest.approx(sum(prices))
    assert told["shots"][1]["stages"][0]["stage"] == "motion"
    assert not FOLDER.exists()
    words = ["--story=umbrella.md", "--dry-run", "--output=film.mp4"]
    text = run("factorized_generate", *words, gateway=gateway).out
    assert "3 Going home" in text
    assert "then it stops for you to look" in text
    for call in (call for one in told["shots"] for call in one["stages"]):
        assert call["model"] in text
    assert text.rstrip().endswith("nothing was sent")


def test_a_person_reads_what_to_look_at_and_what_comes_next(gateway: Storm) -> None:
    lay()
    told = ["--story=umbrella.md", "--output=film.mp4"]
    stopped = run("factorized_generate", *told, gateway=gateway)
    assert stopped.out.strip() == str(Path("film.storyboard.png").absolute())
    assert "2 cast pictures + 2 first frames" in stopped.err
    assert "Look at the first frames: film.storyboard.png" in stopped.err
    assert "Next (USD" in stopped.err
    done = run("factorized_generate", *told, "--yes", gateway=gateway)
    assert "Made film.mp4 (18 s, 1280x720" in done.err
    assert "film.seams.png" in done.err


def test_the_list_of_runs_has_one_row_for_a_story(gateway: Storm) -> None:
    lay()
    stopped = make(gateway).json
    listed = run("factorized_generate", "--list-runs=.")
    assert "film.mp4 (0 of 3 shots)" in listed.out
    assert "1 run;" in listed.out
    assert "--no-stop" in listed.out
    whole(gateway)
    listed = run("factorized_generate", "--list-runs=.")
    assert "done" in listed.out
    assert "film.mp4 (3 of 3 shots)" in listed.out
    (story,) = run("factorized_generate", "--list-runs=.", "--json").json["stories"]
    assert (story["title"], story["next"]) == ("The lost umbrella", None)
    assert [one["name"] for one in story["shots"]] == [one["name"] for one in stopped["shots"]]
    # A summary that is no such thing changes nothing.
    (FOLDER / "story.json").write_text('["no"]', encoding="utf-8")
    assert run("factorized_generate", "--list-runs=.").code == 0


def test_a_long_story_has_its_storyboard_on_pages_that_can_be_read(gateway: Storm) -> None:
    shots = "".join(f"### Shot {n}\nA cat sleeps, {n}.\n\n" for n in range(13))
    lay(f"# Many\n\n## Shots\n\n{shots}")
    told = make(gateway)
    assert told.code == 0, told.err
    pages = [Path("film.storyboard.png"), Path("film.storyboard-2.png")]
    assert told.json["storyboards"] == [str(page.absolute()) for page in pages]
    assert all(max(opened(page.read_bytes()).size) <= 1568 for page in pages)


def test_a_report_lists_the_shots(gateway: Storm) -> None:
    lay()
    told = whole(gateway, "--report")
    page = Path(told["report"]).read_text(encoding="utf-8")
    assert "Mira carries Otto home." in page


def test_a_story_without_cast_and_one_shot_is_a_film(gateway: Storm) -> None:
    lay("# One\n\n## Shots\n\n### Only\nA cat sleeps.\n")
    told = whole(gateway)
    assert gateway.billed == {"image": 1, "chat": 1, "create": 1}
    assert told["film"]["duration_s"] == pytest.approx(6, abs=0.1)
    shutil.rmtree(FOLDER)
