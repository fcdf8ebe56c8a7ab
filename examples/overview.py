#!/usr/bin/env python3
"""One picture of a run: the prompt, the first frame, and frames of the clip.

    python3 examples/overview.py outputs/cat-jump.mp4 overview.png

For a clip of factorized_generate.py, from its receipt and the files beside it. Needs what
`bash scripts/setup.sh --install` installs, and makes nothing paid.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

SKILL = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(SKILL / "scripts"))

WIDTH, GAP, LINE = 1200, 16, 34  # pixels
FRAMES = 4


def main() -> int:
    """Write the picture; exit code 2 for a clip without a receipt."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("clip", type=Path, help="a clip with a receipt beside it")
    parser.add_argument("output", type=Path, help="the PNG to write")
    options = parser.parse_args()
    ours = SKILL / ".venv" / "bin" / "python"
    try:
        from factorized_video import receipts
        from PIL import Image
    except ImportError:
        if not ours.exists() or sys.executable == str(ours):
            print("Run first: bash scripts/setup.sh --install", file=sys.stderr)
            return 2
        os.execv(ours, [str(ours), *sys.argv])
    receipt = receipts.read(options.clip.absolute())
    anchor = options.clip.with_suffix(".stages") / "anchor.png"
    if receipt is None or not anchor.is_file():
        print(f"{options.clip} has no receipt, or no anchor in {anchor.parent}.", file=sys.stderr)
        return 2
    asked = receipt.get("asked") or receipt["inputs"]
    picture = overview(options.clip, Image.open(anchor), str(asked["prompt"]))
    picture.save(options.output)
    return 0


def overview(clip: Path, anchor: Image.Image, prompt: str) -> Image.Image:  # noqa: F821
    """The prompt over the first frame, beside frames of the clip."""
    from factorized_video.media.frames import frames_at, moments
    from factorized_video.media.grid import FAINT, GROUND, INK, Text
    from PIL import Image, ImageDraw

    times, shape, _ = moments(clip, FRAMES)
    half = (WIDTH - 3 * GAP) // 2
    tall = half * shape[1] // shape[0]
    low = (tall - LINE - GAP) // 2
    small = low * shape[0] // shape[1], low
    frames = frames_at(clip, times, small)
    lines = Text.of(f"“{prompt}”", 26).lines(WIDTH - 2 * GAP, 2)
    top = GAP + LINE * len(lines) + GAP
    picture = Image.new("RGB", (WIDTH, top + LINE + tall + GAP), GROUND)
    draw = ImageDraw.Draw(picture)
    for number, line in enumerate(lines):
        line.draw(draw, (GAP, GAP + number * LINE + LINE // 2), INK)
    right = 2 * GAP + half
    Text.of("the first frame, for cents: look at it", 20).draw(draw, (GAP, top + 12), FAINT)
    Text.of("the clip that begins with it", 20).draw(draw, (right, top + 12), FAINT)
    picture.paste(anchor.convert("RGB").resize((half, tall)), (GAP, top + LINE))
    for number, (when, frame) in enumerate(frames):
        x = right + number % 2 * (half // 2 + GAP // 2)
        y = top + LINE + number // 2 * (small[1] + LINE // 2 + GAP)
        picture.paste(frame, (x, y))
        Text.of(f"{when:.1f} s", 16).draw(draw, (x, y + small[1] + 11), FAINT)
    return picture


if __name__ == "__main__":
    sys.exit(main())
