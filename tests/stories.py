"""A story of three shots, and what a gateway's LLM answers of it."""

from __future__ import annotations

import json
from typing import Any

from loopback import Reply, Request
from speech import shown
from storm import Storm

STORY = """\
# The lost umbrella

A rainy evening.

- style: watercolor

## Cast

### Mira
A woman with short red hair.

### Otto
A grey cat.

## Places

### Bus stop
A glass shelter.

## Shots

### Waiting
Mira waits at the bus stop.

### A visitor
Otto comes in from the left.

- continues: yes

### Going home
Mira carries Otto home.
"""


def answering(server: Storm) -> Storm:
    """The same, with a caption of its own for each prompt, and motions where they are asked for."""
    server.answers["chat"] = _chat
    return server


def _chat(request: Request) -> Reply | None:
    messages, _ = shown(request)
    data = json.loads(str(messages[1]["content"]))
    seen = {"visible": ["a cat"], "named": ["a cat"], "enters": []}
    demands = {"demands": [{"demand": "it moves", "words": "turns"}]}
    still = f"A still of: {data['prompt']}"
    answer = {"caption": still, "motion": "A cat turns.", **seen, **demands}
    message = {"message": {"content": json.dumps(answer)}}
    return Reply(body=json.dumps({"choices": [message]}).encode())


def said(request: Request) -> dict[str, Any]:
    messages, _ = shown(request)
    data = json.loads(str(messages[1]["content"]))
    assert isinstance(data, dict)
    return data
