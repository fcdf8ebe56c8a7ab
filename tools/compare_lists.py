"""Print how a gateway's public list of models differs from models.json.

    python3 tools/compare_lists.py openrouter models.json videos.json
    python3 tools/compare_lists.py vercel models.json

The files are copies of the lists, in the order in which references/gateways.md names them, as curl
saves them. Nothing is read from the network. Ends with 1 where something differs.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "scripts"))

from factorized_video import models
from factorized_video.errors import ToolError
from factorized_video.gateway import dialects
from factorized_video.gateway.types import HttpReply
from factorized_video.models import catalog, overlay


def main(argv: list[str] | None = None) -> int:
    """Compare; 0 where nothing differs, 1 where something does, 2 where a file is no list."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("gateway", choices=[name for name in dialects.names() if _paths(name)])
    parser.add_argument("copy", nargs="+", type=Path, help="a saved list")
    given = parser.parse_args(argv)
    paths = _paths(given.gateway)
    if len(given.copy) != len(paths):
        parser.error(f"{given.gateway} has {len(paths)} lists: {', '.join(paths)}.")
    try:
        listed = read(given.gateway, [copy.read_bytes() for copy in given.copy])
    except (OSError, ToolError) as error:
        parser.error(f"That is not the list of {given.gateway}: {error}")
    lines = report(listed)
    print("\n".join(lines or ["models.json agrees with the list"]))
    return int(bool(lines))


def read(gateway: str, copies: list[bytes]) -> catalog.Catalog:
    """The lists as a run reads them. Raises ToolError for what is no list."""
    replies = [HttpReply(200, {}, copy) for copy in copies]
    rows = dialects.load(gateway).decode_public_lists(replies)
    about = {"gateway": gateway, "as_of": models.document()["as_of"], "source": "the copy"}
    listed = catalog.from_json({**about, "models": rows})
    if listed is None:
        raise ToolError("no model is in it", "")
    return listed


def report(listed: catalog.Catalog) -> list[str]:
    """A line for each difference, and one for each model that the registry does not know."""
    known = models.in_file()
    lines = [
        f"{one.id}: {one.what} is {_shown(one.there)} there, {_shown(one.known)} here"
        for one in overlay.differences(known, listed)
    ]
    for one in overlay.unknown(known, listed):
        facts = [f"{name} {_shown(value)}" for name, value in one.facts.items()]
        prices = [models.shown_price(price) for price in overlay.prices_of(one, listed)]
        lines.append(f"{one.id}: not known here ({'; '.join([str(one.kind), *facts, *prices])})")
    return lines


def _paths(gateway: str) -> list[str]:
    return [call.path for call in dialects.load(gateway).encode_public_lists()]


def _shown(value: object) -> str:
    if isinstance(value, tuple):
        return " ".join(map(str, value))
    return "not known" if value is None else str(value)


if __name__ == "__main__":
    sys.exit(main())
