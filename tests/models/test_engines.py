"""What engines of one's own need: sizes of whole blocks, frames at the model's rate, fields."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from factorized_video import models
from factorized_video.errors import UsageError
from factorized_video.models import Engine, Model, engines, limits

SHIPPED = Path(engines.__file__).with_name("models.json")
FOR_ENGINES = [
    row["id"]
    for row in json.loads(SHIPPED.read_text(encoding="utf-8"))["models"]
    if row.get("engine")
]
UNKNOWN = Model("m/v", "video", listed=False)
WAN = UNKNOWN._replace(engine=Engine(16, {"480p": "832x480"}, 16, 4))
LTX = UNKNOWN._replace(engine=Engine(32, {"480p": "832x480", "720p": "1280x704"}, 24, 8))
FIXED = UNKNOWN._replace(engine=Engine(32, {"540p": "896x512"}))


@pytest.mark.parametrize(
    ("model", "resolution", "shape", "size"),
    [
        (UNKNOWN, "480p", "16:9", (832, 480)),  # not 854x480: every card of Wan names this
        (UNKNOWN, "480p", "9:16", (480, 832)),
        (UNKNOWN, "480p", "1:1", (480, 480)),
        (UNKNOWN, "480p", "4:3", (640, 480)),
        (UNKNOWN, "540p", "16:9", (960, 544)),
        (UNKNOWN, "720p", "16:9", (1280, 720)),
        (UNKNOWN, "720p", "3:2", (1088, 720)),
        (UNKNOWN, "720p", "21:9", (1680, 720)),
        (UNKNOWN, "1080p", "16:9", (1920, 1088)),
        (UNKNOWN, "854x480", "16:9", (854, 480)),  # of a model that is not known, as it is typed
        (WAN, "720p", "9:16", (720, 1280)),
        (LTX, "720p", "16:9", (1280, 704)),
        (LTX, "720p", "9:16", (704, 1280)),
        (LTX, "720p", "1:1", (704, 704)),
        (LTX, "1080p", "16:9", (1920, 1088)),
        (FIXED, "540p", "16:9", (896, 512)),
    ],
)
def test_a_size_is_one_that_the_engine_can_make(
    model: Model, resolution: str, shape: str, size: tuple[int, int]
) -> None:
    assert engines.size_of(model, resolution, shape) == size


@pytest.mark.parametrize("resolution", ["480p", "540p", "720p", "768p", "1080p", "2k"])
@pytest.mark.parametrize("shape", limits.COMMON_RATIOS)
def test_sides_are_of_whole_blocks_and_nearly_in_the_ratio(resolution: str, shape: str) -> None:
    wide, high = map(int, shape.split(":"))
    for model, block in ((UNKNOWN, 16), (WAN, 16), (LTX, 32)):
        size = engines.size_of(model, resolution, shape)
        assert (size[0] % block, size[1] % block) == (0, 0)
        assert abs(size[0] / size[1] / (wide / high) - 1) < 0.05


def test_a_typed_size_that_a_known_model_cannot_make_names_the_nearest() -> None:
    engines.check_size(UNKNOWN, (854, 480))
    engines.check_size(WAN, (832, 480))
    with pytest.raises(UsageError) as raised:
        engines.check_size(WAN, (854, 480))
    assert "--resolution 848x480" in raised.value.hint


@pytest.mark.parametrize(
    ("model", "seconds", "fps", "fields"),
    [
        (UNKNOWN, 5, None, {}),
        (FIXED, 10, None, {}),
        (WAN, 5, None, {"fps": 16, "num_frames": 81}),
        (WAN, 1, None, {"fps": 16, "num_frames": 17}),
        (WAN, 5, 24, {"num_frames": 121}),
        (WAN, 5, "fast", {"fps": 16, "num_frames": 81}),
        (LTX, 5, None, {"fps": 24, "num_frames": 121}),
        (LTX, 6, None, {"fps": 24, "num_frames": 145}),
    ],
)
def test_frames_are_as_many_as_the_model_can_make(
    model: Model, seconds: int, fps: object, fields: dict[str, int]
) -> None:
    assert engines.frames_of(model, seconds, fps) == fields


def test_fields_are_numbers_where_they_are_and_only_for_ones_own_server() -> None:
    given = ("fps=16", "guidance_scale=5.5", "negative_prompt=a, b=c", "tiled=true", "x=1e999")
    assert engines.fields_of(given, "openai", engines.OF_CLIPS) == {
        "fps": 16,
        "guidance_scale": 5.5,
        "negative_prompt": "a, b=c",
        "tiled": True,
        "x": "1e999",
    }
    assert engines.fields_of(None, "vercel", engines.OF_CLIPS) == {}
    for gateway, field, own in (
        ("vercel", "fps=16", engines.OF_CLIPS),
        ("demo", "fps=16", engines.OF_IMAGES),
        ("openai", "seconds=4", engines.OF_CLIPS),
        ("openai", "seed=4", engines.OF_CLIPS),
        ("openai", "size=4", engines.OF_IMAGES),
    ):
        with pytest.raises(UsageError):
            engines.fields_of((field,), gateway, own)


@pytest.mark.usefixtures("live_registry")
@pytest.mark.parametrize(
    ("name", "known"),
    [
        ("Wan-AI/Wan2.2-I2V-A14B-Diffusers", "Wan-AI/Wan2.2-I2V-A14B-Diffusers"),
        ("/models/Wan2.2-I2V-A14B-Diffusers", "Wan-AI/Wan2.2-I2V-A14B-Diffusers"),
        ("ltx-2", "Lightricks/LTX-2"),
        ("my-wan", None),
    ],
)
def test_a_server_is_sent_the_name_that_it_uses(name: str, known: str | None) -> None:
    model = models.pick("video", name, "openai")
    row = next((row for row in models.rows("video") if row.id == known), None)
    assert (model.id, model.listed) == (name, known is not None)
    assert model.engine == (row and row.engine)


@pytest.mark.usefixtures("live_registry")
@pytest.mark.parametrize("name", FOR_ENGINES)
def test_the_default_of_every_model_for_engines_is_one_it_can_make(name: str) -> None:
    model = models.pick("video", name, "openai")
    engine: Any = model.engine
    resolution, _ = limits.choose_resolution(model, None, "openai")
    seconds, _ = limits.choose_duration(model, None, resolution, False, "openai")
    size = engines.size_of(model, resolution, "16:9")
    assert all(side % engine.multiple == 0 for side in size)
    for named in engine.pixels.values():
        assert all(int(side) % engine.multiple == 0 for side in named.split("x"))
    frames = engines.frames_of(model, seconds)
    if frames:
        assert (frames["num_frames"] - 1) % engine.frame_step == 0
        assert abs(frames["num_frames"] / frames["fps"] - seconds) <= 0.25
