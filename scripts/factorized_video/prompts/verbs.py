"""Does an English line tell of something that can be seen to happen? Pure.

It looks for one verb of motion or change. A heuristic over words, without a grammar: a false no
costs one more question to a model, a false yes leaves it to the other checks, so what is in doubt
counts as a verb. Poses do not count by themselves ("sits on a shelf"), and words that are names of
things as well ("light", "leaves", "rocks") count only where a verb would stand; so does what is in
no list here.
"""

from __future__ import annotations

import re

# Whatever their form and place: told of a still picture, they would be wrong.
_MOVING = """
accelerate adjust advance alight appear apply approach arrive ascend awaken backflip bake beckon
become begin blink blow boil bounce breach break breathe brighten bring burn burst bustle cackle
carry cartwheel carve catch chant chase cheer chew chirp chisel chomp chop chuckle clap clash clench
climb clink collapse collide come cough crackle crawl creep crumble crumple curtsy dance darken
deflate deliver deploy descend devour disappear dismount disperse dissipate dissolve dive dolly drag
draw dribble drive drizzle eat eject embrace emerge engulf enter envelop erase erupt evaporate
exhale exit expand explode extend fade faint fasten fetch fidget flail flap flare flash flee flick
flicker flinch fling flip flit flow flutter fly follow frolic gallop get giggle give glance glide go
grab graze greet grow growl gulp gurgle gush haul heave hiss hoist howl hug hurl hurry hurtle ignite
inch inflate inhale jerk jiggle jog jolt jump kick knead knock lather laugh leap lengthen lick lift
lunge meander melt merge mimic morph move munch neigh nibble nod nudge nuzzle overflow overtake
paddle peer pick pirouette pivot plod pluck plummet plunge poke pounce pour prance preen proceed
prowl pull pulsate push put raise reach rearrange recede recoil redden remove replace retract
retreat return reveal revolve ricochet ride ripen rise roam roar rot rotate rub rummage run rush
rustle saunter say scamper scatter scramble scrape sculpt scurry seize separate settle shake shatter
shave shiver shorten shout shove shrink shrug shudder shuffle sigh sing sizzle skate skid skip slam
slink slip slither slump slurp smash snap snatch sneeze sniff snort soar sob somersault speak spin
splatter sprinkle sprint squeeze squint squirm squish stagger stir stomp straighten stroke stroll
strum stumble swarm sway swerve swim swivel swoop take talk teeter thaw throw thrust tickle tighten
tiptoe topple toss totter transform tremble trickle trim trot trudge tug tumble turn twirl twist
twitch unbuckle unbutton uncoil unfold unfurl unpack unravel unroll unscrew untie unwind unwrap
unzip vacuum vanish vibrate waddle wade waft wag walk waltz wander weave weep whinny whirl whisk
whisper whistle widen wiggle wilt wink wipe withdraw wither wobble wriggle write yank yawn yelp
yield zigzag zip zoom
"""
# Also names of things, or words for how a still thing is ("an open door", "arms folded").
_ALSO_NAMES = """
age arc arch balance bandage bang bank bark beat bend billow bite blend block bloom blossom blush
bob bow brake brew brown brush bubble buck buckle bulge bump button buzz cascade cast change charge
circle clear click cling close coil comb contract crack crane crash crease cross crow crowd cruise
crunch cry cup curl cut cycle dart dash deal dig dim dip dock double drain drift drill drink drip
drop drum dry dunk dust ebb empty fall fan feed fill fire fish fizz flame flight float flood foam
focus fog fold fork freeze frown fry fuse gather gesture glow grasp grate grill grimace grin grind
grip groom grunt hammer hand handle harden hatch head hit hook hop hover hum iron juggle kiss labor
land lap launch lay lead light load lock loop loosen lower lurch make march mash meet mix mop mount
narrow open orbit pace pack page paint pan pant parade part pass pat patrol pause paw peck pedal
peek peel perch pet piece pile pinch pitch place plant plate play plow point polish pop pose press
puff pulse pump punch race raft rain rap rear reel release ring rip ripple rock roll row rust sail
salute saw scale scan scoop score scratch scream screw scroll scrub seal serve set sew shape sharpen
shed shift ship shoot shovel shower shut signal sink sip ski slap slice slide slope smear smile
smoke snarl snow soak spar spark sparkle speed spill spiral spit splash splinter split spray spread
spring sprout squat stab stack stalk stamp stampede start steam steer step sting stop storm stream
stretch stride strike strip stub surf surface surge swallow swap sweat sweep swell swing swipe swirl
swish switch tangle tap taste taxi tear thicken thread throb tick tie tilt tip touch tow track trail
train trap travel tread trip truck tuck type vault veer volley wake warp wash water wave wet wheel
whip whiten wind work wrap wrestle wrinkle yellow
"""
# Poses, which a picture holds as well, and the camera's; with a direction they are movements.
_POSES = "crouch hold kneel lean lie look pan sit slouch squat stand tilt track"
_PAST = """
ate became began blew broke came chased climbed crawled crept danced drank drove exploded fell flew
floated galloped grew hopped jumped landed leaped leapt raced ran rang rode rushed said sang shook
slid spoke sprang sprinted swam swept swung threw took walked went woke
"""
# Of the other verbs only as a passive with a way or a doer: "is thrown to", never "a torn sail".
_PARTICIPLES = """
bitten blown broken caught cut drawn driven eaten fed frozen hit hung laid lifted lit pushed ridden
shaken shot spun struck swept swung taken thrown torn woven written
"""
_DIRECTIONS = """
up down forward forwards backward backwards back over out away around round aside sideways closer
toward towards inward outward off upright left right
"""
_WAYS = "by to into onto from through across along apart toward towards off out away down upward"
_DETERMINERS = "a an the his her its their one two three another each every"
# What third persons do in still pictures too.
_STATES = """
adorns bears borders consists contains covers crosses depicts displays
dominates exists faces features flanks forms frames has holds includes is keeps lacks
lies lines looks marks matches means needs occupies overlooks owns owes reads reflects remains
resembles rests seems separates shows sits spans stands stays suggests supports surrounds uses
waits wants was watches wears
"""
_PASSIVES = "is are be being get gets getting has have was were"
# Before a name and never right before its verb; and what pictures are commonly told by.
_BEFORE_NAMES = """
a an the this that these those some any no each every all both several many few more most other
another one two three four five six seven eight nine ten dozen his her its their my our your whose
of in on at with by from for into onto over under above below between among through across behind
beside near along against around inside outside beneath like as and or but plus without within red
green blue yellow purple pink brown black white grey gray golden gold silver pale dark bright dim
soft warm cool cold hot large big small tiny huge little tall short long wide deep shallow high low
thick thin broad old young new ancient worn fresh dry wet damp dusty muddy rough smooth sharp flat
round square curved straight empty full open closed broken fallen scattered stacked wooden neon
street city autumn spring natural ambient diffuse harsh dramatic gentle calm quiet distant wild
dense sparse single double main front left right upper lower top bottom clean polished painted rusty
steep narrow mossy jagged rolling
"""
# A plural without an s, or what a verb's bare form follows.
_BEFORE_BARE = """
people children men women they we you i to will can must then both sheep fish deer geese mice feet
police cattle crowd camera dice
"""
_WORD_OR_MARK = re.compile(r"[^\W\d_]+|[^\w\s]")


def tells_of_motion(line: str) -> bool:
    """Whether there is a verb of something that can be seen to move or change."""
    # What follows an owner is a name, as after "its".
    words = _WORD_OR_MARK.findall(re.sub(r"['\u2019]s\b", " its", line.casefold()))
    before = ""  # the word before, adverbs left out; nothing across punctuation
    for word, after in zip(words, [*words[1:], ""], strict=False):
        if word in _MOVES or (word in _POSE_FORMS and after in _DIRECTION_WORDS):
            return True
        if word in _IN_PLACE and _stands_as_verb(_IN_PLACE[word], before, after):
            return True
        if _acts(word, after) and before and before not in _NAME_WORDS:
            return True
        if not word[0].isalpha():
            before = ""
        elif not word.endswith("ly") and not (word == "and" and before in _POSE_FORMS):
            before = word  # "stands and waves": the second verb follows the first
    return False


def _acts(word: str, after: str) -> bool:
    """Whether a word that no list has must be a verb: "the tailor threads the needle".

    A plural is followed neither by an article nor, hardly ever, by a direction.
    """
    third = (
        word.endswith("s") and not word.endswith(("ss", "us", "is")) and word not in _STATE_WORDS
    )
    return third and after in _AFTER_VERBS


def _stands_as_verb(kind: str, before: str, after: str) -> bool:
    """Whether a word of this form is a verb between these two."""
    if kind == "ed":
        return before in _PASSIVE_WORDS and after in _WAY_WORDS
    if kind == "bare":
        plural = before.endswith("s") and not before.endswith("ss")
        plural = plural and before not in _NAME_WORDS
        return plural or before in _BARE_WORDS or before in _POSE_FORMS
    return bool(before) and before not in _NAME_WORDS


def _inflected(verb: str) -> dict[str, str]:
    """The regular forms of a verb: bare, s, ed or ing. Both spellings, where one is doubled."""
    stem = verb.removesuffix("e")
    third = verb + ("es" if verb.endswith(("s", "x", "z", "ch", "sh", "o")) else "s")
    if verb.endswith("y") and verb[-2] not in "aeou":
        third, stem = verb[:-1] + "ies", verb[:-1] + "i"
    eds = {stem + "ed", verb + verb[-1] + "ed"}
    ings = {verb + "ing", verb + verb[-1] + "ing", verb.removesuffix("e") + "ing"}
    return {verb: "bare", third: "s", **dict.fromkeys(eds, "ed"), **dict.fromkeys(ings, "ing")}


def _forms(verbs: str) -> dict[str, str]:
    return {form: kind for verb in verbs.split() for form, kind in _inflected(verb).items()}


_MOVES = {form for form, kind in _forms(_MOVING).items() if kind != "ed"} | set(_PAST.split())
_IN_PLACE = {
    **{form: kind for form, kind in _forms(_MOVING).items() if kind == "ed"},
    **dict.fromkeys(_PARTICIPLES.split(), "ed"),
    **_forms(_ALSO_NAMES),
}
_POSE_FORMS = {form for form, kind in _forms(_POSES).items() if kind in ("bare", "s")}
_DIRECTION_WORDS = set(_DIRECTIONS.split())
_WAY_WORDS = set(_WAYS.split())
_STATE_WORDS = set(_STATES.split())
_AFTER_VERBS = set(_DETERMINERS.split()) | _DIRECTION_WORDS - {"over", "around", "round"}
_PASSIVE_WORDS = set(_PASSIVES.split())
_NAME_WORDS = set(_BEFORE_NAMES.split())
_BARE_WORDS = set(_BEFORE_BARE.split())
