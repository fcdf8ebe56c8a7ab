"""What the orchestrator shows or ends instead of making a clip: models, runs, a running job."""

from __future__ import annotations

import argparse
import time
from typing import Any

from .. import models, output_paths, receipts
from ..gateway import lookup, open_gateway, public_list, settings
from ..models import listing
from ..receipts import run_list
from ..stages import cancel
from . import run_report


def shown(options: argparse.Namespace) -> dict[str, Any]:
    """The list that was asked for, or what became of the job to cancel."""
    if options.list_models is not None:
        return list_models(options)
    return list_runs(options) if options.list_runs is not None else cancel_job(options)


def list_runs(options: argparse.Namespace) -> dict[str, Any]:
    """What the receipts in a folder say; nothing is sent."""
    given = options.list_runs
    folder = output_paths.folder_path(given) if given else run_list.default_folder()
    rows = run_list.listed(folder)
    spent, unknown = run_list.total(rows)
    if unknown:
        options.console.warn(f"The cost of {unknown} paid calls is not known and not in the total.")
    result = {"status": "succeeded", "output": str(folder), "cost": spent.as_json(), "runs": rows}
    result["stories"] = run_list.stories(rows)
    result = run_report.add(options, result, folder=folder)
    return {**result, "all": True} if options.all else result


def list_models(options: argparse.Namespace) -> dict[str, Any]:
    """What the registry says, and with --online where the gateway's own list differs."""
    today = time.strftime("%Y-%m-%d", time.gmtime())
    wanted = options.list_models
    kind = wanted if wanted in listing.KINDS else None
    of_one = wanted not in ("all", *listing.KINDS)
    chosen = settings.resolve(options.gateway, needs_key=bool(options.online))
    listed = None if options.offline else public_list.learn(chosen, now=bool(options.online))
    rows = listing.one(wanted, today) if of_one else listing.short_rows(kind, chosen.name, today)
    result: dict[str, Any] = {"status": "succeeded", "gateway": chosen.name, "models": rows}
    if listed:
        result["list"] = {"as_of": listed.as_of, "source": listed.source}
    if of_one:
        return {**result, "of_one": True}
    if listed:
        result["list"] |= listing.of_list(listed, kind)
    if options.online:
        with open_gateway(chosen, options.console.progress) as gateway:
            services = [models.service_of(kind)] if kind else lookup.SERVICES
            lists = [gateway.models(service) for service in chosen.servers(services)]
        served = [one for ids in lists for one in ids or ()]
        if None in lists:
            options.console.warn(f"{chosen.name} offers no list of models; this is what is known.")
        else:
            public_list.keep_ids(chosen, served)
            result["online"] = listing.differences(served, chosen.name, kind)
    return result


def cancel_job(options: argparse.Namespace) -> dict[str, Any]:
    """Ask the gateway to end a running job."""
    options.console.stage = "synthesis"
    path = output_paths.output_path(options.cancel)
    record = cancel.record_of(path)
    cancel.check_gateway(record, settings.resolve(options.gateway, needs_key=False))
    chosen = settings.resolve(options.gateway)
    # A process that waits for the job would write over what is written here: it has to end first,
    # and may have written since.
    with receipts.locked(record.output):
        return cancel.cancel(options.console, cancel.record_of(path), chosen)
