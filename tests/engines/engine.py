"""What stands in for an engine behind its real API server: pictures drawn on the CPU, and a log.

Whatever reaches it is a line of the file `ENGINE_LOG`: that is what the server really passes on.
Words in a prompt steer it: SLOW sleeps three seconds, BREAK fails as an engine does.
"""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import json
import os
import sys
import types
from collections.abc import Sequence
from pathlib import Path
from typing import Any

BROKEN = "CUDA out of memory. Tried to allocate 20.00 GiB"
SLOW_S = 3.0


def log(**row: object) -> None:
    """Write down one thing that the engine was asked or did."""
    with open(os.environ["ENGINE_LOG"], "a", encoding="utf-8") as file:
        file.write(json.dumps(row, default=str) + "\n")


def model_folder(pipeline: str, parts: Sequence[str] = ()) -> str:
    """A folder that names the pipeline as a model's does, with no weights in it."""
    folder = Path(os.environ["ENGINE_MODELS"], pipeline)
    for part in parts:
        (folder / part).mkdir(parents=True, exist_ok=True)
        (folder / part / "config.json").write_text("{}")
    folder.mkdir(parents=True, exist_ok=True)
    index: dict[str, object] = {"_class_name": pipeline, "_diffusers_version": "0.37.0"}
    index |= {part: ["diffusers", "Stand-in"] for part in parts}
    (folder / "model_index.json").write_text(json.dumps(index))
    return str(folder)


def first_frame(given: Any, size: tuple[int, int], seed: int | None) -> Any:
    """The picture to begin with: the given one at the size, or one that its seed decides."""
    from PIL import Image, ImageDraw

    if given is not None:
        return given.convert("RGB").resize(size)
    number = seed or 0
    drawn = Image.new("RGB", size, (40 + number % 97, 60 + number % 89, 90 + number % 83))
    wide, high = size
    ImageDraw.Draw(drawn).ellipse(
        (wide // 3, high // 3, wide // 2, high // 3 + wide // 6), fill=(220, 120, 40)
    )
    return drawn


def moving(first: Any, count: int) -> Any:
    """So many frames of a slow push into a picture: an array of frame, row, column and RGB."""
    import numpy as np

    wide, high = first.size
    shots = []
    for number in range(count):
        cut = 0.07 * number / max(1, count - 1)
        box = (wide * cut, high * cut, wide * (1 - cut), high * (1 - cut))
        shots.append(np.asarray(first.resize(first.size, box=box)))
    return np.stack(shots)


# -- packages for GPUs that servers import and do not need here ------------------------------------


class _OfAnything(type):
    def __getattr__(cls, name: str) -> Any:
        return _anything(name)


def _anything(name: str) -> Any:
    """A class that can be called, decorated with, inherited from and asked for any attribute."""
    if name.startswith("__") and name.endswith("__"):
        raise AttributeError(name)

    def call(self: object, *given: Any, **named: Any) -> Any:
        decorates = len(given) == 1 and callable(given[0]) and not named
        return given[0] if decorates else self

    body = {
        "__init__": lambda self, *given, **named: None,
        "__call__": call,
        "__getattr__": lambda self, attribute: _anything(attribute)(),
        "__iter__": lambda self: iter(()),
        "__bool__": lambda self: False,
    }
    return _OfAnything(name, (), body)


class _Absent(types.ModuleType):
    __version__ = "0.0.0"
    __file__ = "none"

    def __getattr__(self, name: str) -> Any:
        return _anything(name)


class _Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    def __init__(self, names: Sequence[str]) -> None:
        self._names = names

    def find_spec(self, fullname: str, path: Any, target: Any = None) -> Any:
        if fullname.partition(".")[0] not in self._names:
            return None
        return importlib.machinery.ModuleSpec(fullname, self, is_package=True)

    def create_module(self, spec: Any) -> Any:
        return _Absent(spec.name)

    def exec_module(self, module: Any) -> None:
        pass


def pretend(*packages: str) -> None:
    """Let these packages be imported, whether they are there or not, with nothing in them."""
    sys.meta_path.insert(0, _Finder(packages))
