"""The demo's stand-in for an LLM: a small English table that makes a prompt still. Pure.

It understands nothing. Words of motion that it knows become poses; everything else passes through.
"""

from __future__ import annotations

import re

# participle -> the pose just before it
POSES = {
    "jumping": "crouched and ready to jump",
    "leaping": "gathered and ready to leap",
    "running": "standing ready to run",
    "racing": "lined up at the start",
    "walking": "standing with one foot forward",
    "flying": "perched with wings open",
    "dancing": "holding an opening pose",
    "spinning": "upright and at rest",
    "chasing": "watching",
    "falling": "resting at the edge",
    "swimming": "afloat and still",
    "crawling": "low to the ground",
    "climbing": "with both hands on the first hold",
    "riding": "seated and ready to ride",
    "driving": "parked and ready to drive",
    "throwing": "holding, arm drawn back,",
    "pouring": "holding, level,",
    "cooking": "standing at the stove with",
    "eating": "sitting before",
    "sailing": "moored, sails set,",
    "drifting": "hanging still",
    "floating": "hanging still",
    "swinging": "hanging at rest",
    "galloping": "standing with ears forward",
    "skating": "standing on skates",
    "surfing": "lying on the board",
    "singing": "facing the microphone",
    "melting": "still whole",
    "exploding": "still whole",
    "blooming": "still in bud",
    "rising": "low above the horizon",
    "growing": "still small",
}
_FINITE = {
    "jumps": "jumping", "leaps": "leaping", "runs": "running", "walks": "walking",
    "flies": "flying",
    "dances": "dancing", "spins": "spinning", "chases": "chasing", "falls": "falling",
    "swims": "swimming", "crawls": "crawling", "climbs": "climbing", "rides": "riding",
    "drives": "driving", "throws": "throwing", "pours": "pouring", "eats": "eating",
    "sails": "sailing", "drifts": "drifting", "gallops": "galloping",
    "melts": "melting", "explodes": "exploding", "blooms": "blooming", "rises": "rising",
}  # fmt: skip
_PARTICIPLE = "|".join(POSES)
_FROM_TO = re.compile(
    rf"\b({_PARTICIPLE})\s+(?:down |up |off |out )?from\s+(.+?)\s+(?:to|on ?to|into|toward|towards)"
    r"\s+([^.,;]+)",
    re.IGNORECASE,
)
_MOVING = re.compile(rf"\b(?:(?:is|are|was|were)\s+)?({_PARTICIPLE})\b", re.IGNORECASE)
_LATER = re.compile(r"[,;]?\s*\b(?:and then|then|while|as the camera)\b.*$", re.I | re.S)
# After these words a participle names a kind of thing: "a pair of running shoes".
_THING = r"(?=\s+(?:shoe|shoes|board|boards|water|machine|room|pan|suit|pool)\b)"

UNCHANGED = (
    "demo: the word table, which knows only English, found nothing to make still; the prompt is "
    "the caption as it is"
)


def make_still(prompt: str) -> tuple[str, str, str | None]:
    """Caption, motion and, where the table found nothing it knows, a note that says so."""
    asked = one_line(prompt)
    caption = _things_kept(_LATER.sub("", _with_participles(asked)))
    caption = _FROM_TO.sub(lambda m: f"on {m[2]}, {_pose(m[1])}, with {m[3]} in view", caption)
    caption = _MOVING.sub(lambda m: _pose(m[1]), caption)
    caption = caption.replace("\0", "ing").strip(" ,;") or asked
    return caption, asked, UNCHANGED if caption == asked else None


def tells_motion(text: str) -> bool:
    """Say whether the table finds a word of motion in a text."""
    return bool(_MOVING.search(_things_kept(_with_participles(one_line(text)))))


def one_line(text: str) -> str:
    """Return a text with single spaces, as everything that is made of a prompt begins."""
    return " ".join(text.split())


def _with_participles(text: str) -> str:
    for finite, participle in _FINITE.items():
        text = re.sub(rf"\b{finite}\b(?=\s+(?:from|to|over|across|through|into|on|off|up|down|"
                      r"around|along|past|away|out|in|toward|towards)\b|\s*[.,;]|$)",
                      participle, text, flags=re.IGNORECASE)  # fmt: skip
    return text


def _things_kept(text: str) -> str:
    """Hide the participles that name a kind of thing: their "ing" becomes a NUL."""
    return re.sub(rf"\b({_PARTICIPLE}){_THING}", lambda m: m.group(1)[:-3] + "\0", text, flags=re.I)


def _pose(participle: str) -> str:
    return POSES[participle.lower()]
