"""--report: a page for each run in a folder, made from receipts and the files they are beside."""

from __future__ import annotations

import argparse
import base64
import shlex
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from .. import files, money, output_paths, receipts
from ..errors import OutputError, UsageError
from ..media import file_types
from ..output_paths import WORK_FOLDER
from ..pipeline.work_folder import WorkFolder
from ..receipts import run_list, spending
from ..stages.candidates.folder import CONTACT_SHEET
from . import report_page
from .report_page import Index, Media, Page, Picture, Row

LARGEST_INSIDE = 24 << 20  # bytes of a file that a page holds; of a larger one it has a link
INDEX = "index.html"
SMALL = 480  # pixels of the longer side of a picture in the list
_TYPES = {ending: file_types.MIME[kind] for ending, kind in file_types.EXTENSIONS.items()}
_TYPES[".mp4"] = "video/mp4"


def add(
    options: argparse.Namespace,
    result: dict[str, Any],
    clips: tuple[Path, ...] = (),
    folder: Path | None = None,
) -> dict[str, Any]:
    """The result, with the path of the report if one was asked for.

    Of the runs of these `clips`, and with `folder` the list of all there. What cannot be written is
    a warning: what was paid for is there.
    """
    if not options.report:
        return result
    work_folder = options.work_dir and output_paths.folder_path(options.work_dir)
    path: Path | None = None
    try:
        for clip in clips:
            path = of_run(clip, work_folder)
        if folder:
            path = of_folder(folder, pages=not clips)
    except (OutputError, UsageError) as error:
        options.console.warn(f"There is no report: {error.message}")
    result["report"] = str(path) if path else None
    return result


def of_run(clip: Path, work_folder: Path | None = None) -> Path:
    """Write the page of one run, NAME.html beside the clip; its path. Raises OutputError.

    `clip` need not be there yet. `work_folder` is where caption and anchor lie, if elsewhere.
    """
    return _written(clip, _page(clip, work_folder))


def _written(clip: Path, page: Page) -> Path:
    path = clip.with_suffix(".html")
    files.write_again(path, report_page.page(page).encode())
    return path


def of_folder(folder: Path, *, pages: bool = True) -> Path:
    """Write `index.html` in a folder, and with `pages` the page of each run below; its path.

    Without, the runs whose page is there already are listed. Raises UsageError for what is no
    folder, OutputError for what cannot be written.
    """
    clips = dict.fromkeys(
        run_list.clip_of(row["output"])
        for row in run_list.listed(folder)
        if row["stage"] in run_list.CLIPS or WORK_FOLDER + "/" in str(row["output"])
    )
    rows = []
    for clip in reversed(clips):  # the oldest first
        if _is_aside(clip):  # its cost is on the page of what replaced it
            continue
        path = clip.with_suffix(".html")
        if pages or path.is_file():
            page = _page(clip, None)
            if pages:
                _written(clip, page)
            rows.append(_in_list(page, path.relative_to(folder).as_posix()))
    path = folder / INDEX
    files.write_again(path, report_page.index(folder.name, rows).encode())
    return path


def _is_aside(clip: Path) -> bool:
    """Whether it is NAME.1.mp4 beside a NAME.mp4."""
    name, dot, number = clip.stem.rpartition(".")
    base = clip.with_name(f"{name}{clip.suffix}")
    return bool(dot) and number.isdecimal() and receipts.receipt_path(base).exists()


def _in_list(run: Page, link: str) -> Index:
    """A run in the list: small, for there may be thousands."""
    state = f"{run.name} · {run.warnings[0] if run.warnings else run.total}"
    anchor = run.pictures[0].media if run.pictures else None
    return Index(link, (run.prompt or run.name)[:200], state, _small(anchor))


def _small(picture: Media | None) -> Media | None:
    """A picture small enough for a list; None where it cannot be made smaller here."""
    if picture is None or not picture.inside:
        return None
    try:
        from ..media import images

        data = images.thumbnail(base64.b64decode(picture.source.partition(",")[2]), SMALL)
    except (ImportError, OutputError, UsageError):
        return None
    encoded = base64.b64encode(data).decode("ascii")
    return Media(picture.name, f"data:image/jpeg;base64,{encoded}", "image/jpeg", inside=True)


def _page(clip: Path, work_folder: Path | None) -> Page:
    of_clip = _receipt(clip)
    final = _final(clip, of_clip)
    folder = WorkFolder.of(final, work_folder)
    anchor, caption = folder.anchor, folder.caption
    of_anchor, of_caption = map(_receipt, (anchor, caption))
    known = [one for one in (of_clip, of_anchor, of_caption) if one]
    asked: dict[str, Any] = next(
        (one["asked"] for one in known if isinstance(one.get("asked"), dict)), {}
    )
    inputs, anchored = receipts.part(of_clip, "inputs"), receipts.part(of_anchor, "inputs")
    filmstrip, sheet = output_paths.filmstrip_path(clip), _candidates(anchor) / CONTACT_SHEET
    choosing = sheet.is_file() and not of_anchor
    own = of_anchor is not None and receipts.edited(receipts.look(anchor))
    first = "First frame (your own version)" if own else "First frame"
    outputs = [caption, folder.seen_motion, anchor, folder.end_frame, clip]
    return Page(
        name=clip.stem,
        prompt=str(asked.get("prompt") or inputs.get("prompt") or ""),
        made_at=str((known[0] if known else {}).get("created_at") or ""),
        caption=str(anchored.get("caption") or _text(caption)),
        motion=str(inputs.get("motion") or _text(folder.motion)),
        clip=_media(clip, clip.parent),
        pictures=tuple(
            Picture(title, media)
            for title, path in ((first, anchor), ("Frames of the clip", filmstrip))
            if (media := _media(path, clip.parent))
        ),
        candidates=tuple(_of_candidates(anchor, of_anchor, clip.parent, replaced=own)),
        sheet=_media(sheet, clip.parent) if choosing else None,
        settings=tuple(_settings(of_clip or of_anchor or {}, asked)),
        calls=tuple(_calls(outputs)),
        total=_total(outputs),
        warnings=tuple(_state(of_clip)),
        commands=tuple(_commands(clip, of_clip or of_anchor or of_caption, choosing=choosing)),
        receipts=tuple(_receipts(outputs, clip.parent)),
    )


def _receipt(output: Path) -> dict[str, Any] | None:
    try:
        return receipts.read(output)
    except UsageError:  # of a newer version
        return None


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return file.read(80_000).decode("utf-8", "replace").strip()
    except OSError:
        return ""


def _media(path: Path, base: Path) -> Media | None:
    """A file as the page holds it, or a link to it from `base`; None where there is none."""
    kind = _TYPES.get(path.suffix.lower())
    try:
        size = path.stat().st_size
        if kind is None or not path.is_file():
            return None
        if size > LARGEST_INSIDE:
            return Media(path.name, path.relative_to(base).as_posix(), kind, inside=False)
        encoded = base64.b64encode(path.read_bytes()).decode("ascii")
        return Media(path.name, f"data:{kind};base64,{encoded}", kind, inside=True)
    except (OSError, ValueError):
        return None


def _candidates(anchor: Path) -> Path:
    return anchor.with_name(anchor.stem + receipts.CANDIDATES)


def _of_candidates(
    anchor: Path, chosen: dict[str, Any] | None, base: Path, *, replaced: bool
) -> Iterable[tuple[str, Media, tuple[str, ...]]]:
    """Each candidate: its title, its picture, and what it fails."""
    listed = (chosen or {}).get("candidates")
    found = [row for row in listed if isinstance(row, dict)] if isinstance(listed, list) else []
    rows = {str(row.get("candidate")): row for row in found}
    taken = str((chosen or {}).get("candidate"))
    mark = " (chosen, then replaced by your own)" if replaced else " (chosen)"
    for path in sorted(_candidates(anchor).glob("candidate-*")):
        name = path.stem.removeprefix("candidate-")
        media = _media(path, base)
        if media is None or "." in name:
            continue
        row = rows.get(name, {})
        score, failed = row.get("score"), row.get("failed")
        verdict = f": passes {score:.0%}" if isinstance(score, int | float) else ""
        words = f"Candidate {name}{verdict}{mark if name == taken else ''}"
        yield words, media, tuple(map(str, failed if isinstance(failed, list) else ()))


def _settings(receipt: dict[str, Any], asked: dict[str, Any]) -> Iterable[Row]:
    """What the clip is, and what was asked for."""
    sent, measured = receipts.part(receipt, "sent"), receipts.part(receipt, "measured")
    names = ("duration_s", "resolution", "aspect_ratio", "style", "audio", "seed")
    yield "gateway", str(receipts.part(receipt, "gateway").get("name") or "")
    for name in names:
        if sent.get(name) is not None:
            yield name.replace("_s", " (s)").replace("_", " "), str(sent[name])
    if measured.get("width"):
        yield "size", f"{measured['width']} x {measured.get('height')}"
    for name in ("anchor_fidelity", "loop_fidelity"):
        if isinstance(receipt.get(name), int | float):
            yield name.replace("_", " "), f"{receipt[name]:.2f}"
    for name, value in asked.items():
        plain = isinstance(value, str | int | float) and not isinstance(value, bool)
        if name not in ("script", "prompt", "gateway", *names) and (plain or value is True):
            yield name.replace("_", " "), "yes" if value is True else str(value)


def _calls(outputs: list[Path]) -> Iterable[tuple[str, ...]]:
    """Of each paid call: what it made, the model, its state, its time and its cost."""
    for output in outputs:
        try:
            found = list(spending.attempts(output))
        except UsageError:  # a receipt of a newer version
            yield output.name, "", "receipt not readable", "", "unknown"
            continue
        for receipt in found:
            cost = money.total(spending.costs_of(receipt))
            took = receipt.get("took_s")
            yield (
                str(receipt.get("output") or output.name),
                str(receipt.get("model") or ""),
                str(receipt.get("state") or ""),
                f"{took:.0f} s" if isinstance(took, int | float) else "",
                "unknown" if cost.amount is None else money.usd(cost.amount),
            )


def _total(outputs: list[Path]) -> str:
    try:
        spent = spending.spent_for(outputs)
    except UsageError:
        return "unknown"
    more = f", and {spent.unknown} calls of unknown cost" if spent.unknown else ""
    return f"{money.usd(spent.usd)}{more}"


def _state(receipt: dict[str, Any] | None) -> Iterable[str]:
    """What is to be known of a clip that is not there, or was not made."""
    if receipt is None:
        yield "There is no clip yet."
    elif receipt.get("state") != "succeeded":
        why = str(receipts.part(receipt, "error").get("message") or "")
        yield f"The clip's state is {receipt.get('state')}. {why}".strip()


def _final(clip: Path, receipt: dict[str, Any] | None) -> Path:
    """The clip itself; of a draft the clip that it is of."""
    is_draft = receipts.part(receipt, "asked").get("draft")
    return output_paths.final_path(clip) if is_draft else clip


def _commands(clip: Path, receipt: dict[str, Any] | None, *, choosing: bool) -> Iterable[Row]:
    if receipt is None or not (command := receipts.command_of(receipt, "--overwrite")):
        return
    if choosing:
        yield "Continue with candidate 1", f"{command} --select=1"
    yield "The same again: resumes, and pays for nothing that is there", command
    paid = "" if receipts.was_demo(receipt) else " (paid)"
    final = _final(clip, receipt)
    other = shlex.quote(str(final.with_name(f"{final.stem}-2{final.suffix}")))
    again = receipts.command_of(receipt, "--overwrite", "--take", "--output")
    yield f"Another take of it{paid}", f"{again} --take=2 --output={other}"


def _receipts(outputs: list[Path], base: Path) -> Iterable[str]:
    for output in outputs:
        path = receipts.receipt_path(output)
        if path.is_file():
            yield path.relative_to(base).as_posix() if path.is_relative_to(base) else path.name
