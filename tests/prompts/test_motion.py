"""A motion written with the anchor in view: found, and held to what the model says of it."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from factorized_video.prompts.json_reply import Unusable
from factorized_video.prompts.motion import MOST_WORDS, Motion, problems, read_motion
from factorized_video.prompts.verbs import tells_of_motion
from factorized_video.texts import MAX_TEXT
from hypothesis import given, settings
from hypothesis import strategies as st
from judges import MOTION_REPLY

# --- verbs ----------------------------------------------------------------------------------------

# As the guides of Wan, Veo, Hunyuan and LTX-2 have them told: each is a sound motion.
MOVING = (
    "The tabby cat leaps down to the couch at the lower left.",
    "The woman turns her head toward the window and smiles.",
    "The camera slowly pushes in on the old man's face.",
    "Camera pans left across the harbour.",
    "The dog's ears perk up and its tail wags.",
    "Snow falls steadily over the village.",
    "Waves roll in and break on the shore.",
    "The curtains sway in the breeze.",
    "The candle flame flickers.",
    "The lid opens slowly and steam rises.",
    "The robot raises its right arm and waves.",
    "The bird spreads its wings and takes off.",
    "The red car drives off to the right, dust trailing behind it.",
    "The boy kicks the ball toward the goal.",
    "Leaves drift down from the tree.",
    "The chef tosses the pan and the vegetables flip.",
    "The ice cube melts into a puddle.",
    "The apple turns from green to red over four seconds.",
    "The iron gate rusts from the hinges outward.",
    "The flower blooms, its petals unfolding one by one.",
    "The girl stands up and walks out of the frame on the right.",
    "The man sits down on the chair.",
    "She leans forward and blows out the candle.",
    'The man says, "We are late," and looks at his watch.',
    "The balloon floats up and out of the frame.",
    "The train leaves the station toward the left edge.",
    "The horse gallops across the field from left to right.",
    "The two dancers spin and separate.",
    "A hand reaches in from the right and lifts the cup.",
    "The clouds race across the sky while the shadows lengthen.",
    "The crowd cheers and throws confetti.",
    "The fish swims in a circle.",
    "The water in the glass ripples.",
    "The boat rocks gently on the waves.",
    "The flags wave in the wind.",
    "The city lights come on one after another.",
    "The traffic light changes from red to green.",
    "The soldier salutes, then marches to the left.",
    "The baker kneads the dough and folds it over.",
    "The painter drags the brush across the canvas.",
    "The wolf lifts its head and howls.",
    "The elevator doors slide open.",
    "The door closes behind her.",
    "Petals scatter in the wind.",
    "The woman hands the letter to the man.",
    "The skateboarder jumps, flips the board and lands on it.",
    "The hot-air balloon inflates until it stands upright.",
    "The paper burns from the corner inward.",
    "The cat's eyes close.",
    "The old man nods twice.",
    "The knight draws his sword and swings it down.",
    "The child hugs the teddy bear.",
    "The spaceship hovers, then shoots up.",
    "Two astronauts float towards each other and shake hands.",
    "The lava flows down the slope toward the camera.",
    "The ballerina pirouettes on the spot.",
    "The volcano erupts, ash billowing upward.",
    "The toy blocks tumble to the floor.",
    "The lights dim.",
    "The camera orbits the statue clockwise.",
    "The camera tilts up to the sky.",
    "The children run across the meadow to the right.",
    "The glass falls off the edge and shatters.",
    "The chameleon shifts from green to brown.",
    "The singer sings into the microphone and taps her foot.",
    "The dough rises in the bowl.",
    "The bicycle wheel spins freely.",
    "Raindrops hit the window and run down.",
    "The sun sets behind the mountain.",
    "The eagle swoops down and grabs the fish.",
    "The tower crumbles.",
    "The puppy is licked by the kitten.",
    "The rope is pulled to the left.",
    "The woman takes a sip of coffee.",
    "The kite flies higher.",
    "The pendulum swings from side to side.",
    "Smoke rises from the chimney.",
    "The grass sways, and her hair moves with the wind.",
    "The laptop screen lights up.",
    "The statue comes to life.",
    "The pages of the book flip.",
    "The worker hammers the nail.",
    "He picks up the phone and answers.",
    "The vine grows up the wall.",
    "The jellyfish pulses upward.",
    "The tabby cat crouches, then springs to the sofa at the lower right.",
    "The light slowly turns from blue to red.",
    "The orange rolls off the table.",
    "A gust tousles the woman's hair; the scarf trails to the left.",
    "The waiter sets the plate on the table and backs away.",
    "The robotic arm rotates ninety degrees and grips the bolt.",
    "The toddler takes two steps toward the dog.",
    "The tree's leaves turn yellow and drop one by one.",
    "The cyclist pedals past the barn.",
    "Rain begins to fall, and puddles form.",
    "The whale breaches and slaps the water.",
    "The rabbit's nose twitches.",
    "The woman lifts the lid; steam curls upward.",
    "The two knights clash their swords.",
    "The butterfly flutters from flower to flower.",
    "The skyscraper's windows light up floor by floor.",
    "The girl skips rope.",
    "The drone rises above the treeline, revealing the valley.",
    "The fox sniffs the snow, then pounces.",
    "The blacksmith strikes the anvil, sparks fly.",
    "The penguin waddles to the water's edge and dives.",
    "A second cat enters from the right.",
    "The metal glows brighter and bends.",
    "The old man chuckles and shakes his head.",
    "The bartender shakes the shaker and pours the drink.",
    "The gymnast backflips.",
    "The frog catches a fly with its tongue.",
    "The monkey peels the banana.",
    "The mouse nibbles the cheese.",
    "The bucket tips over and milk spills across the floor.",
    "The chain snaps.",
    "The crane lowers the container.",
    "The conductor waves his baton.",
    "The student types on the keyboard.",
    "The woman reads, then closes the book.",
    "The man lights a cigarette.",
    "The man puts on his hat.",
    "The dog digs a hole.",
    "The surfers ride the wave toward the beach.",
    "The windmill's blades rotate.",
    "The mask dissolves into sand.",
    "The caterpillar becomes a butterfly.",
    "The pumpkin rots.",
    "The plant wilts.",
    "The mirror cracks.",
    "Her eyes widen.",
    "His jaw drops.",
    "The crowd parts.",
    "The sea recedes.",
    "The fireworks burst above the bridge.",
    "The camera dollies in.",
    "Slow dolly in on the face.",
    "Handheld camera follows the runner.",
    "The camera cranes up over the roofs.",
    "Static camera. The wolf pants.",
    "The wine swirls in the glass.",
    "The dice roll and stop.",
    "The hands of the clock move.",
    "The dragon breathes fire.",
    "The astronaut plants the flag.",
    "The men stand and wave.",
    "The woman sits and smiles.",
    "THE CAT LEAPS",
    "the cat’s ears twitch",
    "Push in on the face.",
    "The sail is torn off by the wind.",
    "The barista pours milk into the cup in a thin stream.",
    "The subway train pulls into the platform from the left.",
    "Fog rolls down the hillside.",
    "The sculptor chisels the marble.",
    "The gardener waters the roses.",
    "The streetlamp buzzes and goes dark.",
    "The bride tosses the bouquet backward over her shoulder.",
    "The fire crackles; embers rise.",
    "The ice cracks beneath his boots.",
    "The chess player slides the bishop diagonally.",
    "The tailor threads the needle.",
    "The hourglass sand trickles down.",
    "The ghost appears at the window.",
    "The woman ages thirty years.",
    "The dough doubles in size.",
    "The ink spreads through the water.",
    "The cloth soaks up the wine.",
    "The seedling sprouts.",
    "The banana browns over four seconds.",
    "The sky darkens.",
    "The leaf yellows.",
    "The tomato reddens.",
    "The metal sphere rusts.",
    "The paint dries.",
    "The snowman shrinks to a puddle.",
    "The paper crumples.",
    "The balloon pops.",
    "The glass fogs up.",
    "The rocket lifts off.",
    "The acrobat hangs from the bar, then swings forward.",
    "The old couple waltz.",
    "The robot vacuums the floor.",
    "The monk bows.",
    "The goalkeeper blocks the shot.",
    "The referee signals.",
    "The judge bangs the gavel.",
    "The nurse bandages the arm.",
    "The ship docks.",
    "The plane banks left.",
    "The parachute deploys.",
    "The wall cracks and water seeps through.",
    "The cake is sliced by the chef.",
    "The parrot mimics the man.",
    "The spider spins its web.",
    "The toddler claps twice.",
    "The cat grooms itself.",
    "The bee lands on the flower.",
    "The tram stops at the corner.",
    "The cup fills with tea.",
    "The room fills with light.",
    "The lamp switches on.",
    "The screen goes black.",
    "The woman applies lipstick.",
    "The man ties his tie.",
    "The boy salutes the flag.",
    "The barber trims the beard.",
    "The chef plates the dish.",
    "The choir sways.",
    "The windsurfer carves to the left.",
    "The wind picks up.",
    "The egg hatches.",
    "The lizard sheds its skin.",
    "The car skids to a halt.",
    "The woman faints.",
    "The guard yields to the queen.",
    "The diver surfaces.",
    "The rain stops and the sun comes out.",
    "The dancer dips her partner.",
    "He winds the clock.",
    "The sunflower faces east, then tracks the sun to the west.",
    "The color drains from the picture.",
    "The man ages.",
    "The statue's head turns.",
    "It hops.",
    "The magician conjures a dove from the hat.",
    "The plumber tightens the pipe.",
    "The cactus sprouts a pink flower.",
    "The archer looses the arrow toward the target.",
    "The dentist adjusts the lamp.",
    "The llama spits.",
    "The fisherman reels in the line.",
    "The cowboy lassoes the bull.",
    "The juggler keeps three balls in the air, tossing them in turn.",
    "The little girl twirls her umbrella.",
    "The beaver gnaws the trunk.",
    "The elephant sprays water over its back.",
    "The avalanche engulfs the hut.",
    "The bridge sways, then collapses.",
    "The traveller boards the train.",
    "The hikers ascend the ridge.",
    "The squirrel buries an acorn.",
    "The pianist plays a chord.",
    "The lantern dims and brightens.",
    "The mechanic unscrews the bolt.",
    "The hen lays an egg.",
    "The crab scuttles sideways.",
    "The wheel spins faster and faster.",
    "The farmer shears the sheep.",
    "The boy blows a bubble and it pops.",
    "The cobra rears up and hisses.",
    "The blender whirs and the fruit turns to pulp.",
    "The tide comes in.",
    "The moon slides behind a cloud.",
    "The soup simmers, bubbles breaking on the surface.",
    "The woman unrolls the map.",
    "The curtain lifts.",
    "The porcelain vase tips, falls and breaks into pieces.",
    "The ribbon unravels.",
    "The mason lays the brick.",
    "The pencil sketches a line.",
    "The sheet slides off the statue.",
    "The goat butts the gate.",
    "The clay is shaped into a bowl.",
    "The rooster crows.",
    "The car brakes hard.",
    "The gate creaks open.",
    "The plant bends toward the light.",
    "The girl braids her hair.",
    "The bull charges the red cape.",
    "The helicopter lands on the roof.",
    "The subject blinks and smiles faintly.",
    "The hedgehog curls into a ball.",
)
# What a caption tells, or nothing: poses, light, names of things that are verbs elsewhere.
STILL = (
    "A cat sits on a shelf, grey light, shallow depth of field.",
    "A tabby cat on a shelf.",
    "The man stands in the doorway, hands in his pockets.",
    "A woman holds a red umbrella, soft lighting.",
    "An old house with open windows, warm light on the wall.",
    "A wooden table with a bowl of fruit.",
    "The mountain is covered in snow.",
    "Autumn leaves on the ground, golden light.",
    "Two chairs and a lamp, arms folded, legs crossed.",
    "A lighthouse on the rocks at dusk.",
    "The scene is calm and beautiful.",
    "The king on his throne, a string of pearls in hand.",
    "A dog lies on the rug, eyes closed.",
    "The child looks at the camera.",
    "A portrait of a woman in a blue dress, cinematic, 35 mm.",
    "Everything stays still.",
    "Nothing is there.",
    "A bridge over a river, street lamps, wet stones.",
    "Red rocks, dry land, a distant storm.",
    "The picture hangs on the wall.",
    "A smiling woman with a parked car behind her.",
    "A building with a painting above the landing.",
    "A jar of honey with a folded napkin.",
    "The shelf is above the couch.",
    "The man leans against a fence.",
    "The girl kneels beside the well.",
    "A calm lake with tall trees along the shore, film grain.",
    "cat, shelf, couch, photorealistic, 4k",
    "The motion.",
    "The cat sits at the left of the shelf.",
    "A medium shot of a rose on the lower left.",
    "A white paw on the rug.",
    "The cup is broken.",
    "A tabby cat on the upper shelf, its tail hanging down.",
    "A swallow on a wire, a dove, a bit of sky.",
    "A man in a tie at the kitchen sink.",
    "No visible change.",
    "A stack of folded towels, a closed door and an empty glass.",
    "The leaves are green.",
    "The woman wears a red coat and holds a cup.",
    "Snow on the roof, icicles, a parked car.",
    "The waterfall is behind the trees.",
    "Nothing happens.",
    "",
    "...",
    "猫",
    "42",
    "The cat",
    "A torn sail, broken masts and stacked crates.",
    "The woman sits and the man stands.",
    "A man in a suit looks at the camera, arms crossed.",
    "Close-up of hands on a keyboard, soft light.",
    "Three boats moored at the dock, calm water.",
    "A row of parked cars under street lights.",
    "Two cups of coffee on the table, steam above them.",
    "A child with a balloon in its hand.",
    "A bird on a branch with spread wings.",
    "The bookshelf stands against the left wall; the couch is at the lower left.",
    "Tall trees, scattered leaves, and stones.",
    "A knight holds a sword in front of a castle.",
    "A woman is seated at a piano.",
    "The clock on the wall shows noon.",
    "A river between hills.",
    "Her hair is tied back.",
    "A path between two fields.",
    "The picture shows a cat and a dog.",
    "The train waits at the station.",
    "A street market with fruit stands and hanging lamps.",
    "The cat remains still.",
    "No movement.",
    "A waterfall, mist, rainbows and cliffs.",
    "A cozy living room with two armchairs facing a fireplace, warm tones.",
    "An astronaut in a white suit on the red desert, two moons above.",
    "The couch is to the left of the bookshelf.",
    "A plate of pasta with basil leaves and cherry tomatoes.",
    "A red sports car on a wet street at night, neon signs reflected in puddles.",
    "The girl has long hair and wears glasses.",
    "A pair of shoes beside the door.",
    "A chessboard with all its pieces in place.",
    "The house overlooks the bay.",
    "Snowy peaks, pine forests, a frozen lake.",
    "The man's hands are on the table.",
    "A lone figure in the doorway, shadows on the floor.",
    "Two swans on the lake, ripples around them.",
    "Books, papers, pens and maps.",
    "The cat, alert, ears up, eyes on the couch.",
    "An aerial view of rice terraces.",
    "The dragon rests on a heap of gold coins.",
    "The bride and the groom at the altar.",
    "A row of houses by the canal.",
    'The text reads "OPEN".',
)


def test_sound_motions_have_a_verb_of_motion() -> None:
    assert [line for line in MOVING if not tells_of_motion(line)] == []


def test_still_lines_have_none() -> None:
    assert [line for line in STILL if tells_of_motion(line)] == []


# --- what is found in a reply ---------------------------------------------------------------------

WHOLE = json.dumps(MOTION_REPLY)
SOUND = Motion(
    MOTION_REPLY["motion"],
    ("tabby cat", "bookshelf", "couch"),
    ("the tabby cat",),
    (),
    (("the cat jumps to the couch", "leaps down to the couch"),),
)


@pytest.mark.parametrize(
    "text",
    [
        WHOLE,
        f"Here is the motion:\n```json\n{WHOLE}\n```\nEnjoy.",
        f'<think>Perhaps {{"motion": "It runs."}}</think>{WHOLE}',
        f'{{"motion": "A draft."}} Better: {WHOLE}',
        f'{{"answer": {WHOLE}}}',
        f'{WHOLE} {{"confidence": 1}}',
        f'{WHOLE} {{"motion": ""}} {{"motion": null}}',
        json.dumps(
            {
                **MOTION_REPLY,
                "motion": " The tabby cat leaps\n down to the couch at the\x00 lower left. ",
            }
        ),
        json.dumps(
            {
                **MOTION_REPLY,
                "named": ["the tabby cat", "", None, 7, ["x"]],
                "visible": ["tabby cat", " bookshelf ", "couch", {}],
                "enters": ["x", None, {"subject": ""}, {"words": "from the left"}],
                "demands": [*MOTION_REPLY["demands"], "x", {"demand": None, "words": "x"}],
            }
        ),
    ],
)
def test_the_motion_is_found_through_wrapping(text: str) -> None:
    assert read_motion(text) == SOUND
    assert problems(SOUND) == []


@pytest.mark.parametrize(
    ("text", "finish_reason", "problem"),
    [
        ("", None, "empty"),
        ("<think>hm", "length", "empty"),
        (WHOLE[:60], None, "cut off"),
        ("The cat leaps to the", "length", "cut off"),
        ("The tabby cat leaps down to the couch.", "stop", "no JSON object"),
        ('{"motion": ""}', None, "no JSON object"),
        ('{"motion": ["The cat leaps."]}', None, "no JSON object"),
        ('{"caption": "A cat.", "moves": "It leaps."}', None, "no JSON object"),
        (json.dumps({"motion": "x" * (MAX_TEXT + 1)}), None, f"{MAX_TEXT + 1} characters"),
    ],
)
def test_a_reply_without_a_motion_says_what_is_wrong_with_it(
    text: str, finish_reason: str | None, problem: str
) -> None:
    answer = read_motion(text, finish_reason)
    assert isinstance(answer, Unusable)
    assert problem in answer.problem
    assert not answer.refused


def test_a_refusal_in_prose_is_a_refusal() -> None:
    answer = read_motion("I'm sorry, but I can't write that.", "stop")
    assert isinstance(answer, Unusable)
    assert answer.refused


def test_half_a_pair_of_surrogates_can_be_written_to_a_file() -> None:
    found = read_motion('{"motion": "The cat \\ud83d leaps."}')
    assert isinstance(found, Motion)
    assert found.text == "The cat leaps."


# --- what is wrong with one -----------------------------------------------------------------------


def motion(text: str = SOUND.text, **changes: Any) -> Motion:
    """A sound motion, with changes; its demand is met by "leaps" where another text is given."""
    demands = SOUND.demands if text == SOUND.text else (("it jumps", "leaps"),)
    return SOUND._replace(text=text, **{"demands": demands, **changes})


SUBJECTS = [
    # named, visible, and whether it is there
    ("the tabby cat", "tabby cat", True),
    ("A Tabby Cat.", "the TABBY-cat", True),
    ("the cat", "a tabby cat on the top shelf", True),
    ("cats", "two tabby cats", True),
    ("the cat", "cats", True),
    ("the cat's tail", "tabby cat", True),
    ("the cat’s tail", "tabby cat", True),
    ("tail of the cat", "tabby cat", True),
    ("both children", "a child with a kite", True),
    ("the left woman", "two women", True),
    ("the wolf", "wolves", True),
    ("the leaves", "a leaf", True),
    ("puppies", "puppy", True),
    ("the box", "boxes", True),
    ("a horse", "three horses", True),
    ("ox", "an ox", True),
    ("the man holding a spoon", "a man in an apron", True),
    ("the man who waits", "an old man", True),
    ("the “red” car", '"red car"', True),
    ("猫", "猫", True),
    ("the camera", "bookshelf", True),
    ("a red dragon", "a red car", False),
    ("the dragon on the car", "a red car", False),
    ("the dog", "tabby cat", False),
    ("the dogma", "a dog", False),
    ("the cat", "a cathedral", False),
    ("it", "tabby cat", False),
    ("the", "the bookshelf", False),
    ("both", "both cats", False),
    ("?!", "?!", False),
]


@pytest.mark.parametrize(("named", "visible", "there"), SUBJECTS)
def test_a_named_subject_must_be_in_the_picture(named: str, visible: str, there: bool) -> None:
    found = problems(motion(named=(named,), visible=(visible,)))
    assert found == ([] if there else [f'"{named}" is not in the picture and does not enter'])


ENTRIES = [
    (("the dog", "a dog runs in from the left"), True),
    (("dogs", "A dog runs in, from the left!"), True),
    (("the brown dog", "runs in from the left"), True),
    (("the dog", "runs in from the right"), False),  # not the words of the motion
    (("the dog", "og runs in"), False),  # not whole words
    (("the dog", ""), False),
    (("the dog", "..."), False),
    (("the dog", "a"), False),
    (("the cat", "a dog runs in from the left"), False),  # somebody else
]


@pytest.mark.parametrize(("entry", "enters"), ENTRIES)
def test_who_is_not_may_enter_by_words_of_the_motion(entry: tuple[str, str], enters: bool) -> None:
    text = "A dog runs in from the left; the tabby cat leaps."
    found = problems(motion(text, named=("the tabby cat", "the dog"), enters=(entry,)))
    assert found == ([] if enters else ['"the dog" is not in the picture and does not enter'])


DEMANDS = [
    ("leaps down to the couch", True),
    ("LEAPS down, to the couch.", True),
    ("“leaps down to the couch”", True),
    ("the tabby cat leaps", True),
    ("leaps", True),
    ("leap", False),  # whole words only
    ("jumps to the couch", False),
    ("leaps to the couch", False),
    ("the", False),  # nothing that tells
    (".", False),
    ("", False),
]


@pytest.mark.parametrize(("words", "met"), DEMANDS)
def test_a_demand_must_be_met_by_words_of_the_motion(words: str, met: bool) -> None:
    found = problems(motion(demands=(("it jumps", words),)))
    assert found == ([] if met else ['the motion has no words for "it jumps"'])


def test_quotes_and_apostrophes_may_be_of_either_kind() -> None:
    text = "The man leaps up and says “Don’t go”."
    demands = (("he says it", 'says "Don\'t go"'), ("he jumps", "the man leaps up"))
    assert problems(motion(text, named=("man",), visible=("a man",), demands=demands)) == []


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"named": ()}, '"named" is empty: list every subject that the motion names'),
        ({"demands": ()}, '"demands" is empty: list what the person asked to happen'),
        ({"text": "The tabby cat, and no leaps down to the couch, sits."}, None),
        (
            {
                "text": "The tabby cat leaps" + " and leaps" * MOST_WORDS,
                "demands": (("x", "leaps"),),
            },
            f"the motion has {2 * MOST_WORDS + 4} words, at most {MOST_WORDS} are told",
        ),
        (
            {"text": "The tabby cat on the shelf.", "demands": (("x", "on the shelf"),)},
            "the motion has no verb of something that can be seen to move",
        ),
    ],
)
def test_each_kind_of_bad_motion_is_told(changed: dict[str, Any], problem: str | None) -> None:
    assert problems(SOUND._replace(**changed)) == ([problem] if problem else [])


def test_all_that_is_wrong_is_told_at_once() -> None:
    bad = Motion("A dragon on a hill. " * 30, (), ("the dragon",), (), (("it flies", "flies"),))
    assert len(problems(bad)) == 4


def test_a_motion_of_just_so_many_words_is_fine() -> None:
    text = "The tabby cat leaps" + " on" * (MOST_WORDS - 4)
    assert problems(motion(text)) == []


# --- anything -------------------------------------------------------------------------------------

PIECES = st.sampled_from(
    [
        *'{}",:[]\\\n',
        '"motion": "',
        "motion",
        WHOLE,
        '{"motion": "It runs."',
        "<think>",
        "null",
        "'s",
    ]
)
TEXTS = st.text(max_size=30)
PAIRS = st.lists(st.tuples(TEXTS, TEXTS), max_size=3).map(tuple)
NAMES = st.lists(TEXTS, max_size=3).map(tuple)


@settings(deadline=None)  # a busy machine is no failure
@given(st.lists(PIECES | st.text(max_size=8)).map("".join), st.none() | st.just("length"))
def test_any_reply_is_read_without_raising(text: str, finish_reason: str | None) -> None:
    answer = read_motion(text, finish_reason)
    assert answer.text if isinstance(answer, Motion) else answer.problem
    if isinstance(answer, Motion):
        problems(answer)


@settings(deadline=None)
@given(TEXTS, NAMES, NAMES, PAIRS, PAIRS)
def test_any_motion_is_judged_without_raising(
    text: str,
    visible: tuple[str, ...],
    named: tuple[str, ...],
    enters: tuple[tuple[str, str], ...],
    demands: tuple[tuple[str, str], ...],
) -> None:
    for problem in problems(Motion(text, visible, named, enters, demands)):
        assert problem


@pytest.mark.parametrize("piece", ["leaf ", "a", "'s", "s'", ". ", "\u0301"])
def test_a_long_text_takes_less_than_a_second(piece: str) -> None:
    text = piece * (MAX_TEXT // len(piece))
    started = time.process_time()
    problems(Motion(text, (text,), (text,), ((text, text),), ((text, text),)))
    assert time.process_time() - started < 1
