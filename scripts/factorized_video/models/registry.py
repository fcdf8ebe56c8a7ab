"""`models.json` read, matched and priced. Pure but for reading that one file.

Its shape is told in `models.schema.json`. What no source states is None here and is not checked.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from ..errors import UsageError
from ..money import Cost

# The Stage 1 exchange, for an estimate before the gateway tells what it was: the system prompt and
# a longish prompt in, caption and motion out. Measured over the texts in prompts.py at four
# characters a token, rounded up.
REWRITE_TOKENS = (1_500, 500)

# Stands in a plan for the model of a gateway without defaults: that which its list names, if it is
# the only one there.
THE_ONLY_ONE = "<the only model there>"


class ImageLimits(NamedTuple):
    """What a first frame may be: bytes, sides in pixels, ratios as width over height."""

    formats: tuple[str, ...] | None = None  # of PNG, JPEG, WEBP
    bytes: int | None = None
    side_min: int | None = None
    side_max: int | None = None
    ratio_min: float | None = None
    ratio_max: float | None = None


class Model(NamedTuple):
    """One model as the registry knows it; None where no source states the fact."""

    id: str  # from `pick`: as the gateway is told it
    kind: str  # llm | image | video | as asked for when not listed
    listed: bool = True
    best_for: str = ""
    status: str = "live"  # live | upstream-retired | off; from `pick`: at that gateway
    shutdown: dict[str, str] | None = None  # date, and by whom
    replacement: str | None = None
    ids: Mapping[str, str] = MappingProxyType({})  # by gateway
    statuses: Mapping[str, str] = MappingProxyType({})  # by gateway, where they differ
    resolutions_at: Mapping[str, tuple[str, ...]] = MappingProxyType({})  # likewise
    text_to_video_at: Mapping[str, bool | None] = MappingProxyType({})  # likewise
    aliases: tuple[str, ...] = ()
    prompt_characters: int | None = None
    prompt_over: str | None = None  # what the model does with more: refused | cut silently
    typical_s: float | None = None  # seconds from create to finished
    prices: tuple[dict[str, Any], ...] = ()
    as_of: str | None = None
    source: str | None = None
    ratios: tuple[str, ...] | None = None
    references: int | None = None
    sees_images: bool | None = None  # llm
    edits: bool | None = None  # image
    sizes: tuple[str, ...] | None = None  # image
    durations: tuple[int, ...] | None = None  # video, seconds
    duration_locks: tuple[tuple[dict[str, Any], tuple[int, ...]], ...] = ()  # condition, durations
    ratio_mode: str | None = None  # video: sent | adaptive | follows-image
    resolutions: tuple[str, ...] | None = None  # video
    text_to_video: bool | None = None  # makes a clip from the prompt alone; from `pick`: there
    text_sibling: str | None = None  # the id of the row that does where this one does not
    first_frame: bool | None = None
    last_frame: bool | None = None
    audio: str | None = None  # never | always | switch
    seed: bool | None = None
    image: ImageLimits | None = None

    def durations_at(self, resolution: str, *, last_frame: bool = False) -> tuple[int, ...] | None:
        """The legal durations at a resolution, in seconds; None if not known.

        `last_frame`: of a clip whose last frame is given.
        """
        for when, durations in self.duration_locks:
            if resolution in when.get("resolution", ()):
                return durations
            if last_frame and when.get("last_frame"):
                return durations
        return self.durations


class Gateway(NamedTuple):
    """What the registry knows of a gateway."""

    defaults: dict[str, str]  # model ids by kind
    any_model: bool  # takes whatever id is sent
    free: bool  # nothing costs anything there
    resolutions: tuple[str, ...] | None  # what its video call can say
    # What it has a call or a field for; None where that is not known.
    audio_switch: bool | None  # its video call can say whether sound is wanted
    seed: bool | None
    last_frame: bool | None
    cancel: bool | None
    tells_cost: bool | None  # of a clip

    @property
    def cannot(self) -> tuple[str, ...]:
        """In words, what is known not to be had there."""
        lacks = {
            "cancel a job": self.cancel,
            "take a seed": self.seed,
            "take a last frame": self.last_frame,
            "switch sound off": self.audio_switch,
            "tell what a clip has cost": self.tells_cost,
        }
        return tuple(words for words, has in lacks.items() if has is False)


@cache
def registry() -> dict[str, Any]:
    """The whole of models.json."""
    text = (Path(__file__).parent / "models.json").read_text(encoding="utf-8")
    data: dict[str, Any] = json.loads(text)
    return data


@cache
def rows(kind: str | None = None) -> tuple[Model, ...]:
    """All listed models, or those of one kind, in the order of the file."""
    return tuple(_model(row) for row in registry()["models"] if kind in (None, row["kind"]))


def gateway(name: str) -> Gateway:
    """What is known of a gateway; of one that the registry does not have, nothing is."""
    row = registry()["gateways"].get(name, {})
    has = (row.get(what) for what in ("audio_switch", "seed", "last_frame", "cancel", "tells_cost"))
    return Gateway(
        row.get("defaults", {}),
        row.get("any_model", False),
        row.get("free", False),
        _tuple(row.get("resolutions")),
        *has,
    )


def pick(kind: str, typed: str | None, gateway_name: str) -> Model:
    """The typed model, listed or not, else the gateway's default of that kind, else `THE_ONLY_ONE`.

    Its `id` is what this gateway is told, which need not be what was typed: an id of another
    gateway, and a vendor's own, are translated. Raises UsageError for a model of another kind, and
    for what can be no id: some gateways are told it in a header.
    """
    wanted = typed or gateway(gateway_name).defaults.get(kind, THE_ONLY_ONE)
    row = _row_of(wanted)
    if row is None:
        if not wanted.isascii() or not wanted.isprintable():
            raise UsageError(
                f"{wanted!r} is not the id of a model: it holds a character that none has.",
                "--list-models shows the ids.",
            )
        return Model(wanted, kind, listed=False)
    if row["kind"] != kind:
        raise UsageError(
            f"{wanted} is a model for {_WHAT[row['kind']]}, not for {_WHAT[kind]}.",
            f"For {_WHAT[kind]} this tool knows: {', '.join(at(kind, gateway_name))}.",
        )
    model = _model(row)
    return model._replace(
        id=model.ids.get(gateway_name, wanted),
        status=model.statuses.get(gateway_name, model.status),
        resolutions=model.resolutions_at.get(gateway_name, model.resolutions),
        text_to_video=model.text_to_video_at.get(gateway_name, model.text_to_video),
    )


def unchecked(model: Model) -> Model:
    """The same model, as if nothing were known of what it takes."""
    return model._replace(
        durations=None,
        duration_locks=(),
        ratios=None,
        resolutions=None,
        audio=None,
        image=None,
        prompt_characters=None,
        first_frame=None,
        last_frame=None,
        seed=None,
        references=None,
        edits=None,
        text_to_video=None,
    )


def at(kind: str, gateway_name: str) -> list[str]:
    """The ids of one kind that a gateway is known to serve, or may still serve."""
    return [
        model.ids[gateway_name]
        for model in rows(kind)
        if gateway_name in model.ids and model.statuses.get(gateway_name, model.status) != "off"
    ]


_WHAT = {"llm": "text", "image": "images", "video": "video"}


def price(
    model: Model,
    gateway_name: str,
    *,
    seconds: int = 0,
    resolution: str | None = None,
    audio: bool = True,
    tokens: tuple[int, int] = REWRITE_TOKENS,
    pictures: int = 0,
) -> Cost:
    """What one call is expected to cost: by the gateway's own price, else by a list price.

    `seconds`, `resolution` and `audio` (whether it comes with sound) matter to videos, `tokens` (in
    and out) to texts, `pictures` (how many it is made from) to images: what each of them adds is
    known of few models, and of the others nothing is added.
    """
    if gateway(gateway_name).free:
        return Cost(0.0, "listed", "free at this gateway, whatever the model")
    row = _price_row(model, gateway_name, resolution, audio)
    if row is None:
        ours = any(row.get("gateway") in (None, gateway_name) for row in model.prices)
        at_which = f" at {resolution}" if ours and resolution else ""
        return Cost(None, "unknown", f"no published price is known for this model{at_which}")
    kind = "listed" if row.get("gateway") else "estimated"
    words, amount = "", 0.0
    if row["unit"] == "1M tokens":
        amount = _tokens(row, *tokens)
        words = f"about {tokens[0]:,} tokens in, {tokens[1]:,} out, at "
    elif row["unit"] == "second":
        amount = round(row["usd"] * seconds, 6)
        words = f"{seconds} s at "
    else:
        amount = round(row["usd"] + pictures * row.get("per_picture", 0), 6)
    words += _rate(row) + _for_pictures(row, pictures)
    basis = f"{words}, price of {row['as_of']}, {row['source']}"
    return Cost(amount, kind, basis, row["as_of"], row["source"])


def _price_row(
    model: Model, gateway_name: str, resolution: str | None, audio: bool
) -> dict[str, Any] | None:
    """The price that holds: the gateway's own, else the first of the others that fits."""
    fitting = [
        row
        for row in model.prices
        if row.get("resolution") in (None, resolution)
        and row.get("audio") in (None, audio)
        and row.get("gateway") in (None, gateway_name)
    ]
    return next((row for row in fitting if row.get("gateway")), fitting[0] if fitting else None)


def price_of_tokens(model: Model, gateway_name: str, tokens_in: int, tokens_out: int) -> Cost:
    """What a chat call cost by its own token counts, where the gateway did not say."""
    expected = price(model, gateway_name)
    row = _price_row(model, gateway_name, None, True)
    if row is None or row["unit"] != "1M tokens":
        return expected
    amount = _tokens(row, tokens_in, tokens_out)
    basis = f"{tokens_in:,} tokens in, {tokens_out:,} out, at {_rate(row)}"
    return expected._replace(amount=amount, basis=basis)


def shown_price(row: dict[str, Any]) -> str:
    """A price row in words: "USD 0.40 a second at 720p with sound"."""
    words = _rate(row)
    words += f" at {row['resolution']}" if "resolution" in row else ""
    words += f" in {row['size']}" if "size" in row else ""
    if "audio" in row:
        words += " with sound" if row["audio"] else " silent"
    if "per_picture" in row:
        words += f" and {_usd(row['per_picture'])} for each picture given"
    return words + (f" by {row['gateway']}" if "gateway" in row else "")


def _rate(row: dict[str, Any]) -> str:
    if row["unit"] == "1M tokens":
        return f"USD {_usd(row['input'])} in and {_usd(row['output'])} out per 1M tokens"
    return f"USD {_usd(row['usd'])} a{'n' if row['unit'] == 'image' else ''} {row['unit']}"


def _for_pictures(row: dict[str, Any], pictures: int) -> str:
    if not pictures or "per_picture" not in row:
        return ""
    given = "1 picture" if pictures == 1 else f"{pictures} pictures"
    return f" and {given} given at USD {_usd(row['per_picture'])}"


def _usd(amount: float) -> str:
    return f"{amount:.2f}" if round(amount, 2) == amount else f"{amount:g}"


def _tokens(row: dict[str, Any], tokens_in: int, tokens_out: int) -> float:
    amount: float = tokens_in * row["input"] + tokens_out * row["output"]
    return round(amount / 1_000_000, 6)


def _row_of(wanted: str) -> dict[str, Any] | None:
    for row in registry()["models"]:
        theirs = (entry["id"] for entry in row["gateways"].values())
        if wanted == row["id"] or wanted in row["aliases"] or wanted in theirs:
            found: dict[str, Any] = row
            return found
    return None


def _model(row: dict[str, Any]) -> Model:
    prompt, image = row["prompt"] or {}, row.get("image")
    kept = (
        "id",
        "kind",
        "best_for",
        "status",
        "shutdown",
        "replacement",
        "typical_s",
        "as_of",
        "source",
        "references",
        "sees_images",
        "edits",
        "ratio_mode",
        "text_to_video",
        "text_sibling",
        "first_frame",
        "last_frame",
        "audio",
        "seed",
    )
    plain: dict[str, Any] = {name: row.get(name) for name in kept}
    return Model(
        **plain,
        ids={name: entry["id"] for name, entry in row["gateways"].items()},
        statuses={
            name: entry["status"] for name, entry in row["gateways"].items() if "status" in entry
        },
        resolutions_at={
            name: tuple(entry["resolutions"])
            for name, entry in row["gateways"].items()
            if "resolutions" in entry
        },
        text_to_video_at={
            name: entry["text_to_video"]
            for name, entry in row["gateways"].items()
            if "text_to_video" in entry
        },
        aliases=tuple(row["aliases"]),
        prompt_characters=prompt.get("characters"),
        prompt_over=prompt.get("over"),
        prices=tuple(row["prices"]),
        ratios=_tuple(row.get("ratios")),
        sizes=_tuple(row.get("sizes")),
        resolutions=_tuple(row.get("resolutions")),
        durations=_seconds(row.get("durations")),
        duration_locks=tuple(
            (lock["when"], _seconds(lock["durations"]) or ())
            for lock in row.get("duration_locks", ())
        ),
        image=ImageLimits(**{**image, "formats": _tuple(image["formats"])}) if image else None,
    )


def _tuple(values: list[str] | None) -> tuple[str, ...] | None:
    return None if values is None else tuple(values)


def _seconds(durations: Any) -> tuple[int, ...] | None:
    if isinstance(durations, dict):
        return tuple(range(durations["from"], durations["to"] + 1))
    return None if durations is None else tuple(durations)
