"""Results as text for people to read: a path, a caption, a list; a plan by `dry_run_text`. Pure."""

from __future__ import annotations

from typing import Any

from ..errors import one_line
from .dry_run_text import plan_text
from .model_list_text import model_list_text
from .run_list_text import run_list_text
from .story_text import story_text


def text_of(document: dict[str, Any]) -> str:
    """What is printed of a result."""
    if "lines" in document:
        from ..experiments import summary

        return summary.as_text(document)
    if "shots" in document:
        return story_text(document)
    if "gateway_why" in document:  # over the limit, the status of a plan is "failed"
        return plan_text(document)
    if "runs" in document:
        text = run_list_text(
            document["runs"], document["stories"], every_receipt=bool(document.get("all"))
        )
        return f"{text}\nreport: {document['report']}" if document.get("report") else text
    if "models" in document:
        return model_list_text(document)
    if document.get("cancelled"):
        return f"cancelled: {one_line(document['job'])}"
    if "caption" in document:
        return str(document["caption"] or document["motion"] or "")
    return str(document.get("comparison") or document.get("output") or "")
