"""The texts that go to the models. Pure: words in, words out.

How captions and motion are to be written follows arXiv:2512.16371 (the caption tells only the
initial scene; the video model gets the anchor and the original prompt) and the vendors' published
prompt guides for image-to-video models. `references/prompt-templates.md` shows these texts to
people; a test holds it to this file.
"""

from __future__ import annotations

import re

DEFAULT_STYLE = "photorealistic"

# style -> (how the image prompt says it, what --enhance adds: terms of that craft)
STYLES: dict[str, tuple[str, str]] = {
    "photorealistic": (
        "photorealistic photograph, true-to-life materials and light",
        "35 mm lens, natural directional light, fine texture, accurate exposure, crisp focus on "
        "the subject",
    ),
    "cinematic": (
        "cinematic film still, considered framing, motivated light, graded colour",
        "anamorphic lens, shallow depth of field, soft key light with practical lamps, subtle film "
        "grain",
    ),
    "anime": (
        "anime illustration, clean line art, cel shading, expressive eyes",
        "crisp key-frame linework, layered painted background, controlled highlights, rich flat "
        "colour",
    ),
    "illustration": (
        "digital illustration, clear shapes, confident line, harmonious palette",
        "strong silhouettes, considered negative space, fine edge control, soft rim light",
    ),
    "3d-render": (
        "3D render, physically based materials, soft global illumination",
        "area lights, ambient occlusion, subsurface scattering, sharp high-resolution textures",
    ),
    "oil-painting": (
        "oil painting on canvas, visible brushwork, layered pigment",
        "impasto highlights, glazed shadows, bristle-brush texture, warm underpainting",
    ),
    "watercolor": (
        "watercolor painting on cold-pressed paper, transparent washes",
        "wet-on-wet blooms, soft round-brush edges, paper grain showing through, reserved whites",
    ),
}

# How a prompt names a style of its own accord: said of the work itself ("a watercolor of ...",
# "in anime style"), never of a thing in the scene ("an oil painting hangs on the wall").
_STYLE_WORDS: tuple[tuple[str, str], ...] = (
    ("photorealistic", r"photo-?realistic|photo-?realism"),
    ("cinematic", r"cinematic"),
    ("anime", r"anime"),
    ("illustration", r"illustrat(?:ion|ed)"),
    ("3d-render", r"3d[ -]?(?:render(?:ed|ing)?|animation|animated)"),
    ("oil-painting", r"oil[ -]paint(?:ing|ed)"),
    ("watercolor", r"water-?colou?r(?: painting)?"),
)
_AS_THE_WORK = (
    r"^(?:an? |the )?(?:\w+ ){{0,2}}(?:{w})(?: \w+)? (?:of|showing|shot|scene|video|clip|film)\b",
    r"\b(?:as|in the style of) (?:an? )?(?:\w+ )?(?:{w})(?:\s*[.,;:!)]|\s*$)",
    r"\bin (?:an? )?(?:\w+ )?(?:{w})[ -](?:style|look|art)\b",
    r"\bin (?:(?!an?\b|the\b)\w+ )?(?:{w})(?:\s*[.,;:!)]|\s*$)",
    r"\b(?:{w})[ -]style\b",
    r"\bstyle\s*[:=]\s*(?:{w})\b",
    r"^(?:{w})\s*[,:]",
    r",\s*(?:{w})\s*(?:[,.]|$)",
)


def style_phrase(style: str) -> str:
    """How a style is said to a model; a word that is none of the seven is taken as it is."""
    return STYLES[style][0] if style in STYLES else style


def enhancement(style: str) -> str:
    """The terms that `--enhance` adds for this style."""
    general = "fine detail, coherent light, clear focal point, balanced composition"
    return STYLES[style][1] if style in STYLES else general


def named_style(text: str) -> str | None:
    """The style that a text asks for in so many words, else None."""
    for style, words in _STYLE_WORDS:
        if not re.search(words, text, re.IGNORECASE):
            continue  # nearly always: and compiling the patterns below costs milliseconds
        for pattern in _AS_THE_WORK:
            if re.search(pattern.format(w=words), text.strip(), re.IGNORECASE):
                return style
    return None


def resolve_style(typed: str | None, text: str) -> str:
    """The typed style, else the one that the text names, else photorealistic."""
    return typed or named_style(text) or DEFAULT_STYLE
