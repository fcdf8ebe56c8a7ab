"""Any reply that a person could read is read."""

from __future__ import annotations

import pytest
from factorized_video.prompts.json_reply import Unusable, object_with_text


@pytest.mark.parametrize(
    "text",
    [
        '{"caption": "A cat.",}',
        '```json\n{"caption": "A cat.", "tags": ["x",],\n}\n```',
        "{\u201ccaption\u201d: \u201cA cat.\u201d}",
        "{\u201ccaption\u201d: \u201cA cat.\u201d, \u201cmotion\u201d: null,}",
        "{'caption': 'A cat.', 'motion': None}",
        '{"caption": "A cat.", // the frame\n "motion": null}',
        '{"caption": /* one */ "A cat."}',
        '<think>Let me see. {"caption": "A cat."}',
        '<think>{"caption": "A draft."}</think>{"caption": "A cat.",}',
    ],
)
def test_what_can_be_read_is_not_asked_for_again(text: str) -> None:
    found = object_with_text(text, "stop", "caption", 100)
    assert not isinstance(found, Unusable), found
    assert found["caption"] == "A cat."


@pytest.mark.parametrize(
    "text", ['{"caption": "A ca', "no object", "{'caption': }", "{" * 600, '{"caption": ,}']
)
def test_what_cannot_be_read_stays_so(text: str) -> None:
    assert isinstance(object_with_text(text, "stop", "caption", 100), Unusable)
