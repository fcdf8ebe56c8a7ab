"""A gateway's public list of models: read at most once a day, kept, and never needed.

Only where the gateway itself is asked, and without the key. What goes wrong is no error: then the
copy of the last days counts, or what the registry knows.
"""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path

from .. import models, private_folders
from ..errors import ToolError
from ..files import write_file
from ..models import catalog
from ..models.catalog import Catalog
from . import dialects
from .settings import Settings

ASKS_AFTER_S = 24 * 3600.0
ASKS_AGAIN_AFTER_S = 3600.0  # where the last attempt failed
COUNTS_FOR_S = 7 * 24 * 3600.0
ANSWERS_WITHIN_S = 3.0  # all lists of a gateway together
LARGEST = 16 << 20  # bytes; OpenRouter's list of all models has about two million


def learn(settings: Settings, *, now: bool = False) -> Catalog | None:
    """Lay the gateway's list of the last days over the registry; None where there is none.

    It is asked for once a day, and `now`.
    """
    kept = _kept(_file(settings))
    asks = is_public(settings) and (now or time.time() >= kept.asks_at)
    found = _ask(settings, kept) if asks else kept.catalog
    models.learn(found)
    return found


def keep_ids(settings: Settings, ids: list[str]) -> None:
    """Keep which models a gateway lists whose list only its key opens.

    Not those of a server of one's own: what it lists is what it has loaded today.
    """
    if is_public(settings) or models.gateway(settings.name).own_engines:
        return
    if found := _catalog(settings, [{"id": one} for one in ids]):
        _keep(_file(settings), _Kept(found, time.time() + ASKS_AFTER_S))


class _Kept:
    """What is kept of a list: the list, and when it may be asked for again, as a Unix time."""

    def __init__(self, found: Catalog | None = None, asks_at: float = 0.0) -> None:
        self.catalog = found
        self.asks_at = asks_at


def is_public(settings: Settings) -> bool:
    """Whether anyone may read this gateway's list, and it is the gateway itself that is set."""
    return is_itself(settings) and bool(dialects.load(settings.dialect).encode_public_lists())


def is_itself(settings: Settings) -> bool:
    """Whether it is the gateway itself: what stands before one may not have its list."""
    return settings.is_at_home


def _ask(settings: Settings, kept: _Kept) -> Catalog | None:
    """The list of today, which is kept; where none can be had, what was kept before."""
    rows = _read(settings)
    found = _catalog(settings, rows) if rows else None
    wait_s = ASKS_AFTER_S if found else ASKS_AGAIN_AFTER_S
    kept = _Kept(found or kept.catalog, time.time() + wait_s)
    _keep(_file(settings), kept)
    return kept.catalog


def _read(settings: Settings) -> list[dict[str, object]] | None:
    """The rows of all lists; None where one of them is not to be had."""
    from .transport import Broken, Transport  # late: with requests, which most commands do without

    dialect = dialects.load(settings.dialect)
    by = time.monotonic() + ANSWERS_WITHIN_S
    # By the clock of people: the time scale is for what is paid for.
    session = Transport(settings._replace(key=None, keys=None, time_scale=1.0))
    replies = []
    with contextlib.closing(session):
        for call in dialect.encode_public_lists():
            try:
                reply = session.send(call, max(0.1, by - time.monotonic()), LARGEST, follow=True)
            except Broken:
                return None
            if reply.status != 200:
                return None
            replies.append(reply)
    try:
        return dialect.decode_public_lists(replies)
    except (ToolError, ValueError):
        return None


def _catalog(settings: Settings, rows: Sequence[Mapping[str, object]]) -> Catalog | None:
    today = time.strftime("%Y-%m-%d", time.gmtime())
    source = f"{dialects.load(settings.dialect).ABOUT.subject}'s list of models"
    whole = {"gateway": settings.name, "as_of": today, "source": source, "models": list(rows)}
    return catalog.from_json(whole)


# -- the copy -------------------------------------------------------------------------------------


def _file(settings: Settings) -> Path | None:
    """Where the copy of a gateway's list lies; None where there is no place for one."""
    place = sha256(json.dumps(sorted(settings.bases.items())).encode()).hexdigest()[:8]
    with contextlib.suppress(ToolError):
        return private_folders.cache("lists", create=False) / f"{settings.name}-{place}.json"
    return None


def _kept(file: Path | None) -> _Kept:
    """What is kept there. A copy of another form, or from the future, is none."""
    try:
        document = json.loads(file.read_bytes()) if file else {}
        asks_at = float(document["asks_at"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return _Kept()
    if asks_at > time.time() + ASKS_AFTER_S:
        return _Kept()
    found = catalog.from_json(document.get("list"))
    oldest = time.strftime("%Y-%m-%d", time.gmtime(time.time() - COUNTS_FOR_S))
    return _Kept(found if found and found.as_of >= oldest else None, asks_at)


def _keep(file: Path | None, kept: _Kept) -> None:
    """Keep it. What cannot be written is asked for again by the next command."""
    listed = kept.catalog.as_json() if kept.catalog else None
    with contextlib.suppress(ToolError, OSError):
        if file:
            private_folders.cache("lists")
            write_file(file, json.dumps({"asks_at": kept.asks_at, "list": listed}).encode())
