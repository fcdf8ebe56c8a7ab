"""A motion line that was written with the anchor in view: read, and checked against itself. Pure.

The model lists what it sees, whom its motion names, who enters, and by which words each demand of
the prompt is met; a motion that does not bear out that list is not told to the video model. The
rules follow the published prompt guides for image-to-video models (see `prompts.py`).
"""

from __future__ import annotations

import re
from typing import NamedTuple

from .replies import Object, Unusable, last_object, one_line

MOST_WORDS = 100  # Wan's, Kling's and Hunyuan's guides: about that many at the most

# Verbs that can be seen to happen, by their beginnings; with s, ed, ing and the irregular forms.
_VERBS = """
approach arc arriv ascend bend billow blink bloom blow bob bounc break breath brush burst buck carr
catch chang charg chas circl clap clench climb clos coil collaps crack crawl creep cross crouch
crumbl cut danc dart dash descend dip dissolv div doubl drag drain draw drift drip driv drop duck
emerg enter erupt exit expand explod extend fad fall fan fill flap flare flash flex flicker flip
float flow flutter fly fold follow freez gallop gaz gestur glanc glid glow grab grasp grip grow
hand hang heav hit hold hop hover hug hurl ignit inch inflat jerk jog jolt jump kick kneel knock
land lap laugh lean leap leav lift light limp loosen lower lung march melt mix mov nod open orbit
paddl pan part pass paus peck peel pick pivot plod plung point pounc pour press pull push rac rais
reach rear recoil releas retreat revers revolv rid rip rippl ris rock roll rotat row run rush rust
sail scatter scoop scurr shak shatter shift shin shiver shrink shrug shuffl sing sink sip sit skat
skid skip slid slip slither smil smok snap snow soar spark speak speed spill spin splash split
spray spread sprint sprout squat squeez stack stamp stand start steer step stir stop straighten
stream stretch strid strik stroll stumbl surfac surg sway sweep swim swing swirl swoop tak tap
tast tear throb throw tilt tip topple toss touch tow track travel tread trembl trickl trot tumbl
turn twirl twist twitch unfold unfurl unroll vanish vibrat walk wander wag wav whip whirl wilt wind
wink wip wobbl wrap writ yawn zoom
"""
_IRREGULAR = """
flies flown flew fell fallen ran swam swum sang rose risen drove driven threw thrown caught shook
spun swung swept stood sat bent wound wrote took tore leapt dove slept crept knelt stuck struck
dries carries hurries cries tries
"""
_VERB = re.compile(
    rf"\b(?:(?:{'|'.join(_VERBS.split())})[a-z]?(?:e|s|es|ed|ing)?|{'|'.join(_IRREGULAR.split())})\b",
    re.IGNORECASE,
)
_EMPTY = {"the", "and", "his", "her", "its", "their", "with", "from", "that", "this", "into", "who"}


class Motion(NamedTuple):
    """A motion line, and what the model says of it."""

    text: str
    visible: tuple[str, ...] = ()
    named: tuple[str, ...] = ()
    enters: tuple[tuple[str, str], ...] = ()  # a subject, and the words that bring it in
    demands: tuple[tuple[str, str], ...] = ()  # a demand, and the words that meet it


def read_motion(text: str, finish_reason: str | None = None) -> Motion | Unusable:
    """The motion of the last JSON object that has one."""

    def has_motion(candidate: Object) -> bool:
        return bool(one_line(candidate.get("motion")))

    found = last_object(text, finish_reason, has_motion, 'a non-empty "motion"')
    if isinstance(found, Unusable):
        return found
    return Motion(
        one_line(found["motion"]),
        _texts(found.get("visible")),
        _texts(found.get("named")),
        _pairs(found.get("enters"), "subject"),
        _pairs(found.get("demands"), "demand"),
    )


def problems(motion: Motion) -> list[str]:
    """What is wrong with a motion, in words that the model can act on; empty where nothing is."""
    found = []
    said = _plain(motion.text)
    words = len(motion.text.split())
    if words > MOST_WORDS:
        found.append(f"the motion has {words} words, at most {MOST_WORDS} are told")
    if not _VERB.search(motion.text):
        found.append("the motion has no verb of something that can be seen to move")
    seen = _content(" ".join(motion.visible))
    for subject in motion.named:
        ways = [words for who, words in motion.enters if _content(who) & _content(subject)]
        comes_in = any(words and _plain(words) in said for words in ways)
        if not _content(subject) & seen and not comes_in:
            found.append(f'"{subject}" is not in the picture and does not enter')
    if not motion.demands:
        found.append('"demands" is empty: list what the person asked to happen')
    for demand, words_of_it in motion.demands:
        if not words_of_it or _plain(words_of_it) not in said:
            found.append(f'the motion has no words for "{demand}"')
    return found


def _plain(text: str) -> str:
    """A text as it is compared: letters and digits in lower case, one space between words."""
    return " ".join(re.findall(r"\w+", text.lower()))


def _content(text: str) -> set[str]:
    """The words of a name that tell it from others, without the plural's s."""
    words = (word for word in _plain(text).split() if len(word) > 2 and word not in _EMPTY)
    return {word.removesuffix("s") for word in words}


def _texts(value: object) -> tuple[str, ...]:
    rows = value if isinstance(value, list) else []
    return tuple(filter(None, map(one_line, rows)))


def _pairs(value: object, name: str) -> tuple[tuple[str, str], ...]:
    rows = [row for row in value if isinstance(row, dict)] if isinstance(value, list) else []
    pairs = ((one_line(row.get(name)), one_line(row.get("words"))) for row in rows)
    return tuple(pair for pair in pairs if pair[0])
