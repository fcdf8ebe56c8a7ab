"""A story written by the LLM from one idea: the paid call, and the file that comes of it."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import Any, NamedTuple

from .. import receipts
from ..errors import OutputError, Refused, UsageError
from ..gateway.client import Gateway
from ..models import limits
from ..prompts import story_draft
from ..prompts.json_reply import Unusable
from ..prompts.story_draft import Draft, DraftNamed
from ..stages import plan, preflight
from ..stages.calls import Call
from ..stages.context import Context
from ..stages.conversation import Conversation
from ..stages.outlook import Outlook
from ..stages.paid_call import Made
from ..stages.plan import Rules
from ..stages.reasoning import TextCall, exchange
from ..stages.request import asked_of
from .story_file import LONGEST_NAME, NOBODY, Shot, Story, mentioned, read_story

# Tokens in; and out, for the cast and for each shot: by the texts in prompts/, rounded up.
_TOKENS_IN, _TOKENS_OUT, _TOKENS_A_SHOT = 1_200, 600, 150
_WIDTH = 100  # columns of the file


class StoryRequest(NamedTuple):
    """A story from an idea; `settings` are written into the file, for all of its shots."""

    prompt: str
    shots: int
    model: str | None = None
    settings: tuple[tuple[str, str], ...] = ()
    seconds: int = limits.DEFAULT_DURATION_S
    one_take: bool = False  # the shots are parts of one clip

    def _fields_asked(self) -> dict[str, object]:
        own = {"prompt": self.prompt, "shots": self.shots, "model": self.model}
        return {**own, **dict(self.settings), "one_take": self.one_take or None}

    def digest(self, gateway: dict[str, str]) -> str:
        """By which the output is recognised."""
        return receipts.digest("story", {**self._fields_asked(), "gateway": gateway})

    def asked(self, gateway: dict[str, str]) -> dict[str, object]:
        """By option, as the receipt holds it."""
        return asked_of("factorized_generate", self._fields_asked(), gateway)

    @property
    def inputs(self) -> dict[str, object]:
        """As the receipt holds them."""
        return {"prompt": self.prompt, "shots": self.shots}


def outlook(request: StoryRequest, output: Path, context: Context) -> Outlook:
    """What is left to pay for a story."""
    wanted = request.digest(context.identity_of("chat"))
    found = receipts.rewritten(output, wanted) or receipts.to_come_back(output, wanted)
    call = planned(request, context.rules(strict=found is None))
    return Outlook((call,), {call.stage: int(found is None)})


def planned(request: StoryRequest, rules: Rules) -> Call:
    """The call that writes it."""
    tokens = (_TOKENS_IN, _TOKENS_OUT + request.shots * _TOKENS_A_SHOT)
    return plan.chat("story", request.prompt, request.model, rules, tokens)


class StoryCall(TextCall):
    """A story in its file."""

    key = "story"
    request: StoryRequest

    def __init__(self, context: Context, output: Path, request: StoryRequest) -> None:
        super().__init__(context, output, request)

    def checked(self, gateway: Gateway) -> Call:
        """With the only model there is, where none was named."""
        call = planned(self.request, self.context.rules())
        only = preflight.model(self.context, gateway, call.model.id, "llm")
        request = self.request._replace(model=only)
        return planned(request, self.context.rules()) if only else call

    def ask(self, conversation: Conversation, call: Call) -> dict[str, Any]:
        """Once more where the answer is no story."""
        request = self.request
        messages = story_draft.story_messages(
            request.prompt, request.shots, request.seconds, one_take=request.one_take
        )

        def read(text: str, finish_reason: str | None) -> str | Unusable:
            draft = story_draft.read_draft(
                text, finish_reason, request.shots, one_take=request.one_take
            )
            if isinstance(draft, Unusable):
                return draft
            story = as_file(draft, request.settings)
            try:
                read_story(story)
            except UsageError as error:
                return Unusable(error.message)
            return story

        self.context.console.progress(f"asking {call.model.id} for a story")
        answer = conversation.ask_twice(messages, read, story_draft.STORY_SHAPE)
        if isinstance(answer, Unusable):
            raise (Refused if answer.refused else OutputError)(
                f"The model wrote no story in {conversation.counted}: {answer.problem}.",
                "Run it again, choose another --llm-model, or write the file yourself: "
                "references/stories.md.",
                charged="yes",
                cost=conversation.cost.as_json(),
            )
        return {"story": answer, **exchange(conversation, messages)}

    def result(self, made: Made) -> dict[str, Any]:
        """The result: where the story is."""
        whole = super().result(made)
        return {name: value for name, value in whole.items() if name not in ("caption", "motion")}


def as_file(draft: Draft, settings: tuple[tuple[str, str], ...]) -> str:
    """The story as its file, to be edited. Pure."""
    cast, places = _unique(draft.cast), _unique(draft.places)
    blocks = [f"# {_heading(draft.title)}"]
    if draft.about:
        blocks.append(_prose(draft.about))
    if settings:
        blocks.append("\n".join(f"- {name}: {value}" for name, value in settings))
    for title, named in (("Cast", cast), ("Places", places)):
        if named:
            blocks.append(f"## {title}")
            blocks += [f"### {name}\n{_prose(text)}" for name, text in named.items()]
    blocks.append("## Shots")
    seen: set[str] = set()
    for shot in draft.shots:
        name = _heading(shot.name)
        while name.casefold() in seen:
            name = f"{name[: LONGEST_NAME - 2]} +"
        seen.add(name.casefold())
        blocks.append(f"### {name}\n{_prose(shot.prompt)}")
        lines = ["- continues: yes"] if shot.continues else []
        if not shot.continues:
            lines += _who_and_where(shot.prompt, shot.cast, shot.place, (cast, places))
        if lines:
            blocks.append("\n".join(lines))
    return "\n\n".join(blocks)


def _who_and_where(
    prompt: str, names: tuple[str, ...], place: str, known: tuple[dict[str, str], dict[str, str]]
) -> list[str]:
    """What is said of a shot beside its prompt, where that does not show it."""
    cast, places = known
    wanted = {_heading(name).casefold() for name in names}
    people = [name for name in cast if name.casefold() in wanted]
    lines = []
    if people != list(mentioned(prompt, cast)):
        lines.append(f"- with: {', '.join(people) or NOBODY}")
    at = next((name for name in places if name.casefold() == _heading(place).casefold()), None)
    if at and at not in mentioned(prompt, places)[:1]:
        lines.append(f"- in: {at}")
    return lines


def _unique(named: tuple[DraftNamed, ...]) -> dict[str, str]:
    """Descriptions by name, the first of each name."""
    found: dict[str, str] = {}
    seen: set[str] = set()
    for one in named:
        name = _heading(one.name)
        if name.casefold() not in seen:
            seen.add(name.casefold())
            found[name] = one.description
    return found


def _heading(text: str) -> str:
    """A name as a heading has it: a comma would divide it in a list."""
    plain = " ".join(text.replace(",", " ").replace("#", " ").replace("<!--", " ").split())
    plain = plain[:LONGEST_NAME].strip()
    return plain if any(char.isalnum() for char in plain) else "Untitled"


def _prose(text: str) -> str:
    """A text as a paragraph: nothing in it is a heading, a setting or a remark."""
    plain = " ".join(text.replace("<!--", " ").split()).lstrip("#-* ")
    lines = textwrap.wrap(plain, _WIDTH, break_long_words=False, break_on_hyphens=False)
    # A line that begins so would be read as something else: it goes with the one before.
    kept: list[str] = []
    for line in lines:
        if kept and line.startswith(("- ", "* ", "#")):
            kept[-1] += f" {line}"
        else:
            kept.append(line)
    return "\n".join(kept)


def stand_in(prompt: str, shots: int) -> Story:
    """One take in parts that are yet to be written, to be planned and priced. Pure."""
    parts = tuple(
        Shot(f"Part {n}", f"{prompt} ({n} of {shots})", n, continues=n > 1)
        for n in range(1, shots + 1)
    )
    return Story(prompt, "", (), (), (), parts)
