"""FastVideo's own API server, with its generator replaced by `engine.py`.

    python fastvideo_server.py MODEL PORT PIPELINE

Real: routes, protocol models, how a request becomes the generator's arguments, and the job store.
Read in fastvideo 0.2.1, `entrypoints/openai`.
"""

from __future__ import annotations

import os
import sys
import time
from fractions import Fraction
from types import SimpleNamespace
from typing import Any

import engine

os.environ["HF_HUB_OFFLINE"] = "1"
engine.pretend("peft", "torchaudio", "ray", "wandb", "fastvideo_kernel", "flashinfer")

from fastvideo.entrypoints.openai import api_server

MODEL, PORT = sys.argv[1], int(sys.argv[2])


class Generator:
    """In place of one that loads a model."""

    @classmethod
    def from_fastvideo_args(cls, args: Any) -> Generator:
        """Load nothing."""
        return cls()

    def shutdown(self) -> None:
        """Nothing is held."""

    def generate_video(self, **asked: Any) -> dict[str, Any]:
        """Draw and save what is asked for, as the real one does."""
        engine.log(**asked)
        if "SLOW" in asked["prompt"]:
            time.sleep(engine.SLOW_S)
        if "BREAK" in asked["prompt"]:
            raise RuntimeError(engine.BROKEN)
        from PIL import Image

        path = asked.get("image_path")
        size = asked.get("width", 832), asked.get("height", 480)
        first = engine.first_frame(Image.open(path) if path else None, size, asked.get("seed"))
        frames = engine.moving(first, asked.get("num_frames", 81))
        _save(frames, asked["output_path"], asked["fps"])
        return {}


def _save(frames: Any, path: str, fps: int) -> None:
    import av

    with av.open(path, "w") as file:
        stream = file.add_stream("libx264", rate=Fraction(fps))
        stream.height, stream.width = frames.shape[1:3]
        stream.pix_fmt = "yuv420p"
        for pixels in frames:
            file.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        file.mux(stream.encode())


api_server.VideoGenerator = Generator
api_server.run_server(SimpleNamespace(model_path=MODEL), "127.0.0.1", PORT, "outputs")
