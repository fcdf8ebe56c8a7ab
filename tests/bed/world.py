"""The models behind a loopback gateway: requests as they come, replies as the gateway says them."""

from __future__ import annotations

import json
from typing import Any, TypeGuard

from loopback import Gateway, Reply, Request
from speech import in_base64, may_be_picture, said, within

from bed.models import CHAT_USD, IMAGE_USD, Models


class World:
    """Answers the chat and image requests of a gateway that speaks HappyCapy's dialect."""

    def __init__(self, models: Models) -> None:
        self.models = models

    def behind(self, gateway: Gateway) -> Gateway:
        """The gateway, answering by these models from now on."""
        gateway.answers.update({"chat": self.chat, "image": self.image})
        return gateway

    def chat(self, request: Request) -> Reply:
        """Stage 1, the questions, a check, or the motion: by the task in the first user message."""
        data, pictures = shown(request)
        task, prompt = data.get("task", "rewrite"), str(data.get("prompt"))
        try:
            answer: dict[str, object]
            if task == "rewrite":
                answer = self.models.rewrite(prompt)
            elif task == "questions":
                answer = self.models.questions(prompt)
            elif task == "check" and len(pictures) == 1:
                rows = data.get("questions")
                asked = [(row["id"], row["question"]) for row in rows] if _is_list(rows) else []
                answer = self.models.check(pictures[0], asked)
            else:
                return _refused(f"no such task: {task!r} with {len(pictures)} pictures")
        except ValueError as error:
            return _refused(str(error))
        reply = said(json.dumps(answer))
        return Reply(json={**reply, "usage": {"cost": CHAT_USD}})

    def image(self, request: Request) -> Reply:
        """A draw, or an edit where a picture comes along.

        `user` tells the candidates apart. Without it the first to come gets the first picture.
        """
        text, who = str(request.body.get("prompt")), str(request.body.get("user", ""))
        images = request.body.get("images")
        try:
            picture = may_be_picture(within(images, 0))
            made = self.models.edit(picture, text) if picture else self.models.draw(text, who)
        except ValueError as error:
            return _refused(str(error))
        row = {"b64_json": in_base64(made)}
        return Reply(json={"created": 1, "data": [row], "usage": {"cost": IMAGE_USD}})


def shown(request: Request) -> tuple[dict[str, object], list[bytes]]:
    """The JSON and the pictures in the first user message of a chat request."""
    messages = request.body.get("messages")
    for message in messages if isinstance(messages, list) else []:
        if message["role"] == "user":
            content = message["content"]
            parts = content if isinstance(content, list) else [{"type": "text", "text": content}]
            texts = [part["text"] for part in parts if part["type"] == "text"]
            addresses = [within(part, "image_url", "url") for part in parts]
            pictures = [data for data in map(may_be_picture, addresses) if data]
            data = json.loads("".join(texts))
            assert isinstance(data, dict)
            return data, pictures
    raise AssertionError("a chat without a message of the user")


def _is_list(value: object) -> TypeGuard[list[dict[str, Any]]]:
    return isinstance(value, list)


def _refused(why: str) -> Reply:
    """What is asked for and makes no sense here fails the command, so that it shows."""
    return Reply(400, {"error": {"message": why}})
