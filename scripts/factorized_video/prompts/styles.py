"""The seven styles in words, and how to find the one that a prompt names. Pure."""

from __future__ import annotations

import re

DEFAULT_STYLE = "photorealistic"

# style -> (its phrase in the image prompt, terms of its craft that --enhance adds)
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

# A prompt names a style if it describes the work itself ("a watercolor of ...", "in anime style"),
# not if it mentions a thing in the scene ("an oil painting hangs on the wall").
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
    """Return the phrase for a style; any other words are their own phrase."""
    return STYLES[style][0] if style in STYLES else style


def enhancement(style: str) -> str:
    """Return the terms that `--enhance` adds for this style."""
    general = "fine detail, coherent light, clear focal point, balanced composition"
    return STYLES[style][1] if style in STYLES else general


def named_style(text: str) -> str | None:
    """Return the style that a text explicitly asks for, else None."""
    for style, words in _STYLE_WORDS:
        if not re.search(words, text, re.IGNORECASE):
            continue  # nearly always; compiling the patterns below takes milliseconds
        for pattern in _AS_THE_WORK:
            if re.search(pattern.format(w=words), text.strip(), re.IGNORECASE):
                return style
    return None


def resolve_style(typed: str | None, text: str) -> str:
    """Return the chosen style, else the one that the text names, else photorealistic."""
    return typed or named_style(text) or DEFAULT_STYLE
