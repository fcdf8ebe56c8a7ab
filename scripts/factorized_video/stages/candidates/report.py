"""What is said of candidates: the result of Stage 2, its warnings, and the contact sheet."""

from __future__ import annotations

from typing import Any

from ... import files, receipts
from ...errors import OutputError, Unverified
from ...media import contact_sheet, images
from ...models.limits import listed
from ...prompts.checklist import Check
from ..context import Context
from .folder import Candidate, Folder


class Report:
    """Of one folder of candidates."""

    def __init__(self, context: Context, folder: Folder) -> None:
        self._console = context.console
        self._rerun = context.rerun
        self._folder = folder

    def so_far(self) -> dict[str, Any]:
        """What can be said of a run that does not end well."""
        standing = self._folder.standing(self._folder.known_questions())
        return {
            "cost": self._folder.cost(standing).as_json(),
            "candidates": [one.as_json(None) for one in standing],
        }

    def returned(self) -> dict[str, Any]:
        """The result where one was chosen before for just these inputs."""
        folder = self._folder
        receipt = receipts.read(folder.output) or {}
        standing = folder.standing(folder.known_questions())
        one = next((one for one in standing if one.name == receipt.get("candidate")), None)
        self._console.progress("already made for the same inputs")
        self.warn_of_faults(one)
        sheet: str | None = str(folder.sheet)
        if not folder.sheet.is_file():
            sheet = self.draw_sheet(standing, one.name if one else None)
        return {**self.chosen(standing, one, sheet, receipt), "reused": True}

    def chosen(
        self,
        standing: list[Candidate],
        one: Candidate | None,
        sheet: str | None,
        receipt: dict[str, Any],
    ) -> dict[str, Any]:
        """The result with one of them in the output's place; `receipt` is the output's."""
        output = self._folder.output
        return {
            **self._result(standing, one, sheet),
            "output": str(output),
            "model": receipt["model"],
            "receipt": str(receipts.receipt_path(output)),
            "image": receipt["measured"],
        }

    def awaits_choice(self, standing: list[Candidate], sheet: str | None) -> dict[str, Any]:
        """The result where somebody is to choose."""
        return {
            **self._result(standing, None, sheet),
            "output": sheet or str(self._folder.path),
            "next": self._rerun.with_choice(),
        }

    def unverified(self, best: Candidate | None, standing: list[Candidate]) -> Unverified:
        """The error where none is good enough, or nothing is known of any."""
        sheet = self.draw_sheet(standing, None)
        if best is None or best.check is None:
            problems = [one.check.problem for one in standing if one.check and one.check.problem]
            what = f"No candidate could be checked: {(problems or ['no answer came'])[0]}."
            otherwise = "or have another --judge-model look at them."
        else:
            what = (
                f"The best candidate, {best.name}, passes {best.check.passed} of "
                f"{len(best.check.answers)} questions ({best.check.score:.2f}): under --min-score "
                f"{self._folder.wish.min_score:g}."
            )
            otherwise = "generate more with a higher --candidates, or change the words."
        where = sheet or self._folder.path
        error = Unverified(what, f"Look at {where}. Choose one with --select K, {otherwise}")
        error.result = {
            **self._result(standing, None, sheet),
            "output": sheet,
            "next": self._rerun.with_choice(),
            "status": error.kind,
        }
        return error

    def _result(
        self, standing: list[Candidate], chosen: Candidate | None, sheet: str | None
    ) -> dict[str, Any]:
        name = chosen.name if chosen else None
        return {
            "status": "succeeded",
            "gateway": self._folder.gateway["name"],
            "model": standing[0].receipt["model"] if standing else None,
            "cost": self._folder.cost(standing).as_json(),
            "candidate": name,
            "candidates": [one.as_json(name) for one in standing],
            "contact_sheet": sheet,
        }

    # -- warnings --------------------------------------------------------------------------------

    def warn_of(self, standing: list[Candidate]) -> None:
        """Of those that are missing, were changed, or could not be checked."""
        for one in standing:
            self._warn_of_missing(one)
            if one.changed:
                self._console.warn(
                    f"{one.path} was changed since it was made: it is used as it is."
                )
            if one.check and one.check.problem and self._folder.wish.verifies:
                self._console.warn(
                    f"Candidate {one.name} could not be checked: {one.check.problem}."
                )

        self._warn_of_equal(standing)

    def _warn_of_equal(self, standing: list[Candidate]) -> None:
        """Warn of pictures that are the same, byte for byte: a choice among them is none."""
        alike: dict[str, list[str]] = {}
        for one in standing:
            if one.is_there:
                alike.setdefault(one.sha256, []).append(one.name)
        for names in alike.values():
            if len(names) > 1:
                self._console.warn(
                    f"Candidates {listed(names)} are the same picture, byte for byte: the model "
                    "may always draw the same for the same words."
                )

    def _warn_of_missing(self, one: Candidate) -> None:
        """Warn of a candidate without a usable picture: nothing else shows that it was paid."""
        if one.is_there:
            return
        if one.damage:
            self._console.warn(
                f"Candidate {one.name} is left out: {one.damage} Delete {one.path}, or put the "
                "picture back."
            )
            return
        row = one.receipt.get("error")
        why = row.get("message") if isinstance(row, dict) else None
        lost = "what became of the paid call for it is not known."
        gone = lost if one.receipt["state"] in ("intent", "unknown") else "its file is missing."
        self._console.warn(f"Candidate {one.name} is missing: {why or gone}")

    def warn_of_faults(self, chosen: Candidate | None) -> None:
        """Warn of what the best candidate fails, where it was chosen in spite of that."""
        wish = self._folder.wish
        if wish.verifies and wish.select is None and chosen and chosen.check:
            failed = "; ".join(one.question for one in chosen.check.failed)
            if failed:
                self._console.warn(f"Candidate {chosen.name}, the best, does not pass: {failed}")

    # -- the contact sheet -----------------------------------------------------------------------

    def draw_sheet(self, standing: list[Candidate], chosen: str | None) -> str | None:
        """Write the contact sheet of the pictures there are; its path.

        A sheet that cannot be written is only a warning, and None is returned.
        """
        tiles = [
            contact_sheet.Tile(
                one.name,
                images.to_show(images.read_image(one.path, f"Candidate {one.name}")),
                one.check.state if one.check else "unchecked",
                title_of(one),
                lines_of(one.check),
                one.name == chosen,
            )
            for one in standing
            if one.is_there
        ]
        if not tiles:
            return None
        try:
            files.write_file(self._folder.sheet, contact_sheet.contact_sheet(tiles))
        except OutputError as error:
            self._console.warn(f"There is no contact sheet: {error.message}")
            return None
        return str(self._folder.sheet)


def title_of(one: Candidate) -> str:
    """The line below a picture on the sheet."""
    edit = f"candidate {one.name[:-1]}, edited; " if one.is_edit else ""
    check = one.check
    if check is None:
        return edit.removesuffix("; ")
    if check.state == "unknown":
        return f"{edit}check unknown"
    fails = f", fails {len(check.failed)}" if check.failed else ""
    return f"{edit}{check.passed}/{len(check.answers)}{fails}"


def lines_of(check: Check | None) -> tuple[tuple[str, str], ...]:
    """What fails, as pairs of an answer and its question."""
    if check is None:
        return ()
    if check.problem:
        return (("", check.problem),)
    return tuple((f"{row.answer}:", row.question) for row in check.failed)
