"""The test bed itself: that its pictures, judge, editor and table are what they claim to be.

What the loop comes to on it is printed by `python tests/bed`, by hand; nothing here judges that.
"""

from __future__ import annotations

import base64
import io
import json
import random
import re
import urllib.request
from math import sqrt
from pathlib import Path
from typing import Any

import pytest
from bed import drawing, judge, loop, models, scenes, table
from bed.models import Models, Rates
from bed.world import World
from factorized_video.prompts import anchor_image, checklist
from factorized_video.prompts.caption import rewrite_messages
from loopback import Gateway
from PIL import Image

SCENES = 120
CONTROLS = tuple(loop.CONTROLS)


def scene_of(seed: int) -> tuple[scenes.Scene, random.Random]:
    """A scene, and the chances to draw it by."""
    chance = random.Random(seed)
    return scenes.generate(chance), chance


def kinds(shapes: Any) -> list[tuple[str, str, str]]:
    """What there is, without the places."""
    return sorted(shape[:3] for shape in shapes)


def re_encoded(picture: bytes, size: tuple[int, int], quality: int) -> bytes:
    """As a client may send it: another size, JPEG, colours at half the resolution."""
    out = io.BytesIO()
    scaled = Image.open(io.BytesIO(picture)).resize(size, Image.Resampling.LANCZOS)
    scaled.save(out, "JPEG", quality=quality, subsampling=2)
    return out.getvalue()


def is_near(hits: int, number: int, rate: float) -> bool:
    """Within four standard deviations of what so many tries at this rate bring."""
    return abs(hits - number * rate) <= 4 * sqrt(number * rate * (1 - rate))


# --- scenes ---------------------------------------------------------------------------------------


def test_prompts_and_questions_can_be_read_back() -> None:
    for seed in range(500):
        scene, _ = scene_of(seed)
        assert scenes.parse(scenes.prompt(scene)) == scene
        still = scenes.parse(anchor_image.image_prompt(scenes.still(scene), "anime", "16:9", True))
        assert (still.groups, still.relations) == (scene.groups, scene.relations)
        asked = scenes.questions(scene)
        assert 5 <= len(asked) <= 8
        for question in asked:
            again = scenes.parse_question(question.text)
            assert again is not None
            assert again.text == question.text
    with pytest.raises(ValueError, match="no scene is told"):
        scenes.parse("A cat jumps from a bookshelf to the couch.")
    assert scenes.parse_question("Is there a cat?") is None


def test_a_prompt_in_words() -> None:
    red, blue = scenes.Group(2, "red", "circle", "small"), scenes.Group(1, "blue", "square")
    scene = scenes.Scene((red, blue), (scenes.Relation(0, scenes.LEFT, 1),), (0, "right"))
    assert scenes.prompt(scene) == (
        "Two small red circles and one blue square on a plain white ground. "
        "The red circles are to the left of the blue square. The red circles drift to the right."
    )
    assert [question.text for question in scenes.questions(scene)] == [
        "Are there exactly two red circles?",
        "Is there exactly one blue square?",
        "Are the red circles small?",
        "Are the red circles to the left of the blue square?",
    ]


# --- pictures -------------------------------------------------------------------------------------


def test_what_is_drawn_is_read_back() -> None:
    for seed in range(SCENES):
        scene, chance = scene_of(seed)
        full = scenes.filled(scene, chance)
        placed = drawing.place(full, chance)
        shapes = judge.read(drawing.png(placed))
        assert kinds(shapes) == kinds(placed)
        for shape in placed:  # to two thousandths of the picture: a pixel or two
            near = [s for s in shapes if abs(s.x - shape.x) <= 2 and abs(s.y - shape.y) <= 3]
            assert [s[:3] for s in near] == [shape[:3]]
        assert scenes.is_right(scene, shapes)
        assert models.as_drawn(scene, shapes) == full


def test_a_planted_fault_fails_the_questions_about_it_and_no_others() -> None:
    planted = set()
    for seed in range(SCENES):
        scene, chance = scene_of(seed)
        wrong, fault = scenes.plant(scene, chance)
        shapes = judge.read(drawing.drawn(wrong, chance))
        asked = scenes.questions(scene)
        failed = {question for question in asked if not judge.truth(question.text, shapes)}
        assert failed == {question for question, behind in asked.items() if fault in behind}
        assert failed
        assert models.as_drawn(scene, shapes) == wrong
        assert [f for f in scenes.facts(scene) if scenes.is_wrong(wrong, scene, f)] == [fault]
        planted.add(fault.what)
    assert planted == {"count", "colour", "size", "side"}


@pytest.mark.parametrize(("size", "quality"), [((640, 360), 80), ((1568, 882), 80)])
def test_the_reading_stands_jpeg_and_scaling(size: tuple[int, int], quality: int) -> None:
    for seed in range(12):
        scene, chance = scene_of(seed)
        picture = drawing.drawn(scenes.filled(scene, chance), chance)
        assert kinds(judge.read(re_encoded(picture, size, quality))) == kinds(judge.read(picture))


def test_facts_are_drawn_wrong_at_the_set_rate() -> None:
    wrong = number = 0
    for seed in range(500):
        scene, chance = scene_of(seed)
        drawn = scenes.misdrawn(scene, 0.15, chance)
        faults = sum(scenes.is_wrong(drawn, scene, fact) for fact in scenes.facts(scene))
        wrong, number = wrong + faults, number + len(scenes.facts(scene))
        # However many there are, they never cancel each other out.
        assert scenes.is_right(scene, drawing.place(drawn, chance)) == (faults == 0)
    assert is_near(wrong, number, 0.15)


# --- the judge ------------------------------------------------------------------------------------


@pytest.mark.parametrize("rate", [0.0, 0.1, 0.2, 1.0])
def test_the_judge_errs_at_the_set_rate_and_in_controls_too(rate: float) -> None:
    wrong = number = controls_wrong = 0
    judged = judge.Judge(rate, seed=3)
    for seed in range(12):
        scene, chance = scene_of(seed)
        picture = drawing.drawn(scenes.misdrawn(scene, 0.15, chance), chance)
        asked = [*(question.text for question in scenes.questions(scene)), *CONTROLS]
        right = [judge.truth(question, judge.read(picture)) for question in asked]
        for attempt in range(20):
            rows: Any = judged.answers(picture, list(enumerate(asked, 1)), attempt)["answers"]
            assert [row["id"] for row in rows] == list(range(1, len(asked) + 1))
            missed = [(row["answer"] == "yes") != r for row, r in zip(rows, right, strict=True)]
            wrong, number = wrong + sum(missed), number + len(missed)
            controls_wrong += sum(missed[-len(CONTROLS) :])
    assert is_near(wrong, number, rate)
    assert is_near(controls_wrong, 12 * 20 * len(CONTROLS), rate)


def test_the_judge_says_the_same_of_the_same_and_not_of_another_picture() -> None:
    scene, chance = scene_of(0)
    full = scenes.filled(scene, chance)
    one, other = (drawing.drawn(full, chance) for _ in range(2))
    asked = list(enumerate([question.text for question in scenes.questions(scene)] * 5, 1))
    judged = judge.Judge(0.5, seed=1)
    assert judged.answers(one, asked) == judged.answers(one, asked)
    assert words(judged.answers(one, asked)) != words(judged.answers(one, asked, attempt=1))
    assert words(judged.answers(one, asked)) != words(judged.answers(other, asked))


def words(answers: dict[str, object]) -> list[str]:
    """The answers, without what was seen."""
    rows: Any = answers["answers"]
    return [row["answer"] for row in rows]


def test_controls_and_what_is_not_understood() -> None:
    shapes = judge.read(drawing.drawn(scenes.filled(*scene_of(0)), random.Random(0)))
    assert [judge.truth(control, shapes) for control in CONTROLS] == [False, True]
    assert judge.truth("Is there a square in the picture?", shapes) is True
    assert judge.truth("Is it a good picture?", shapes) is None
    assert words(judge.Judge(1.0).answers(drawing.png([]), [(1, "Is it good?")])) == ["unsure"]
    assert [judge.truth(control, judge.read(drawing.png([]))) for control in CONTROLS] == [
        False
    ] * 2


# --- the editor -----------------------------------------------------------------------------------


@pytest.mark.thorough
@pytest.mark.parametrize(("mends", "breaks"), [(1.0, 0.0), (0.7, 0.1), (0.0, 1.0)])
def test_the_editor_mends_and_breaks_at_the_set_rates(mends: float, breaks: float) -> None:
    mended = broken = number = 0
    for seed in range(60):
        scene, chance = scene_of(seed)
        wrong, fault = scenes.plant(scene, chance)
        world = Models(Rates(mends=mends, breaks=breaks), seed)
        world.questions(scenes.prompt(scene))
        picture = drawing.drawn(wrong, chance)
        failed = [
            (question.text, judge.seen(question.text, judge.read(picture)))
            for question, behind in scenes.questions(scene).items()
            if fault in behind
        ]
        edited = world.edit(picture, anchor_image.edit_prompt(failed))
        seen = models.as_drawn(scene, judge.read(edited))
        others = [fact for fact in scenes.facts(scene) if fact != fault]
        mended += not scenes.is_wrong(seen, scene, fault)
        broken += sum(scenes.is_wrong(seen, scene, fact) for fact in others)
        number += 1
    assert is_near(mended, number, mends)
    assert is_near(broken, number, breaks)


def test_the_editor_needs_questions_that_it_knows() -> None:
    world, picture = Models(Rates()), drawing.png([])
    with pytest.raises(ValueError, match="no scene is known"):
        world.edit(picture, anchor_image.edit_prompt([("Is there a cat?", "")]))


# --- on the gateway -------------------------------------------------------------------------------


def posted(gateway: Gateway, path: str, body: dict[str, object]) -> Any:
    """The reply to one request."""
    request = urllib.request.Request(gateway.root + path, json.dumps(body).encode())
    with urllib.request.urlopen(request) as reply:
        return json.load(reply)


def chatted(
    gateway: Gateway, messages: list[dict[str, str]], picture: bytes | None = None
) -> dict[str, Any]:
    """What the LLM answers; a picture is shown with the user's first message."""
    content: object = messages[1]["content"]
    if picture:
        content = [
            {"type": "image_url", "image_url": {"url": uri(picture)}},
            {"type": "text", "text": content},
        ]
    told = [messages[0], {"role": "user", "content": content}]
    reply = posted(gateway, "/api/v1/chat/completions", {"model": "m", "messages": told})
    assert reply["usage"]["cost"] == models.CHAT_USD
    answer = json.loads(reply["choices"][0]["message"]["content"])
    assert isinstance(answer, dict)
    return answer


def drawn(gateway: Gateway, text: str, **more: object) -> bytes:
    """The picture that the image model makes."""
    body = {"model": "m", "prompt": text, **more}
    reply = posted(gateway, "/api/v1/images/generations", body)
    assert reply["usage"]["cost"] == models.IMAGE_USD
    return base64.b64decode(reply["data"][0]["b64_json"])


def uri(picture: bytes) -> str:
    return f"data:image/png;base64,{base64.b64encode(picture).decode()}"


def test_the_models_on_the_gateway() -> None:
    scene, _ = scene_of(4)
    prompt = scenes.prompt(scene)
    world = World(Models(Rates(draws_wrong=1.0, mends=1.0, breaks=0.0), 4))
    with world.behind(Gateway()) as gateway:
        rewritten = chatted(gateway, rewrite_messages(prompt, "anime", "16:9"))
        assert rewritten == {"caption": scenes.still(scene), "motion": scenes.motion(scene)}
        asked = chatted(gateway, checklist.question_messages(prompt))["questions"]
        assert asked == [question.text for question in scenes.questions(scene)]
        text = anchor_image.image_prompt(rewritten["caption"], "anime", "16:9")
        first = drawn(gateway, text)
        assert drawn(gateway, text, user="candidate-2") != first != drawn(gateway, text)
        answers = chatted(gateway, checklist.check_messages([*asked, *CONTROLS]), first)
        assert words(answers) == ["no"] * len(asked) + ["no", "yes"]
        seen = [row["seen"] for row in answers["answers"][: len(asked)]]
        text = anchor_image.edit_prompt(list(zip(asked, seen, strict=True)))
        edited = drawn(gateway, text, images=[uri(first)], user="candidate-1r")
        answers = chatted(gateway, checklist.check_messages(asked), edited)
        assert words(answers) == ["yes"] * len(asked)
        assert world.models.calls == gateway.billed == {"chat": 4, "image": 4}
        assert world.models.usd == pytest.approx(4 * models.CHAT_USD + 4 * models.IMAGE_USD)


def test_draws_hang_on_the_candidate_and_not_on_the_order() -> None:
    scene, _ = scene_of(7)
    caption, names = scenes.still(scene), ["", "candidate-2", "candidate-3"]
    one, other = Models(Rates(), 5), Models(Rates(), 5)
    forth = {name: one.draw(caption, name) for name in names}
    back = {name: other.draw(caption, name) for name in reversed(names)}
    assert forth == back
    assert len({*forth.values()}) == 3
    assert Models(Rates(), 6).draw(caption) != forth[""]


# --- the table ------------------------------------------------------------------------------------


def test_wilson() -> None:
    """Newcombe 1998, table I: 81 of 263, 15 of 148, 0 of 20, 1 of 29."""
    told = {
        (81, 263): (0.2553, 0.3662),
        (15, 148): (0.0624, 0.1605),
        (0, 20): (0.0, 0.1611),
        (1, 29): (0.0061, 0.1718),
    }
    for (hits, number), interval in told.items():
        assert table.wilson(hits, number) == pytest.approx(interval, abs=5e-5)


def test_without_errors_the_loop_ends_with_the_right_anchor_and_edits_nothing() -> None:
    scene, _ = scene_of(2)
    perfect = Rates(draws_wrong=0.0)
    told = {mode: loop.simulated(Models(perfect), scene, 2, mode) for mode in loop.MODES}
    assert all(one.right for one in told.values())
    assert [told[mode].calls for mode in loop.MODES] == [2, 5, 5]  # nothing is edited
    images, checked = 2 * models.IMAGE_USD, 3 * models.CHAT_USD  # one list of questions, two checks
    usd = [told[mode].usd for mode in loop.MODES]
    assert usd == pytest.approx([images, images + checked, images + checked])


def test_nothing_goes_on_where_the_judge_cannot_be_believed() -> None:
    scene, _ = scene_of(2)
    told = loop.simulated(Models(Rates(judges_wrong=1.0)), scene, 2, loop.REPAIR)
    assert (told.goes_on, told.right, told.calls) == (False, False, 2 + 1 + 2 * 2)


def test_a_row_of_the_table() -> None:
    """A right anchor, a wrong one, and two runs after which no clip is paid for."""
    outcomes = [
        loop.Outcome(True, True, 0.2, 3),
        loop.Outcome(True, False, 0.2, 3),
        loop.Outcome(False, False, 0.4, 5),
        loop.Outcome(False, False, 0.4, 5),
    ]
    assert table.row(2, loop.VERIFY, 0.1, outcomes) == (
        "| 2 | verify | 0.1 | 0.25 (0.05 to 0.70) | 0.300 | 6.00 | 4.0 |"
    )


def test_the_table(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--simulated", "--scenes=2", "--seed=5", "--rates=0,0.2", "--jobs=1"]
    assert table.main(words) == 0
    printed = capsys.readouterr().out
    assert "never a hosted model" in printed
    assert "2 scenes, seed 5" in printed
    rows = [line for line in printed.splitlines() if re.match(r"\| \d", line)]
    assert len(rows) == 3 * (1 + 2 * 2)
    assert table.main(words) == 0
    assert capsys.readouterr().out == printed


# --- the command line -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("number", "mode", "error"),
    [
        (1, loop.PLAIN, 0.0),
        (2, loop.PLAIN, 0.0),
        (2, loop.VERIFY, 0.1),
        (2, loop.REPAIR, 0.0),
        (3, loop.REPAIR, 0.2),
        (1, loop.VERIFY, 1.0),
    ],
)
@pytest.mark.thorough
def test_the_command_line_ends_as_the_loop_in_a_few_lines_does(
    number: int, mode: str, error: float, tmp_path: Path
) -> None:
    """The same anchor, cost and calls: the decisions are told twice, and agree."""
    rates = Rates(judges_wrong=error)
    for seed in (0, 1):
        scene, _ = scene_of(seed)
        folder = tmp_path / str(seed)
        folder.mkdir()
        told = table.by_command(Models(rates, seed), scene, number, mode, folder)
        expected = loop.simulated(Models(rates, seed), scene, number, mode)
        assert told == expected
