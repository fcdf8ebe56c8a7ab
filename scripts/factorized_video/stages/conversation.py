"""Asking an LLM, and what it has cost: every answer of a conversation, with its price."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from .. import models, money
from ..errors import OutputError, Refused, Rejected, ToolError
from ..gateway.types import ChatReply, ChatRequest, Picture
from ..models import limits
from ..money import Cost
from ..prompts.json_reply import Unusable, asked_again, repair_request
from ..rerun import offer_replacement

if TYPE_CHECKING:
    from ..gateway.client import Gateway
    from .calls import Call
    from .context import Context
    from .ledger import Ledger


T = TypeVar("T")


class Conversation:
    """Asks one model, and keeps what it answered. A chat call is simply sent again when it fails.

    `call` says whom, and what one answer should cost; `kind` (llm, judge, evaluator) which option
    names the model. `keep` writes down what the answers have cost, before another one is asked for.
    """

    def __init__(
        self,
        context: Context,
        gateway: Gateway,
        call: Call,
        ledger: Ledger,
        kind: str = "llm",
        keep: Callable[[Cost], None] | None = None,
    ) -> None:
        self.replies: list[ChatReply] = []
        self._costs: list[Cost] = []
        self.context = context
        self._ledger = ledger
        self._keep = keep
        self._kept = 0  # how many of the costs stand in a receipt
        self._gateway = gateway
        self.call = call
        self._kind = kind

    @property
    def cost(self) -> Cost:
        """What the answers have cost so far."""
        return money.total(self._costs)

    @property
    def counted(self) -> str:
        """The answers and what they have cost, in words: "2 answers (USD 0.0118, actual)"."""
        number, cost = len(self.replies), self.cost
        price = "unknown cost" if cost.amount is None else f"{money.usd(cost.amount)}, {cost.kind}"
        return f"{number} answer{'s' * (number != 1)} ({price})"

    @property
    def about(self) -> dict[str, Any]:
        """What a receipt says of it beside what was found."""
        cost = self.cost.as_json()
        return {"model": self.call.model.id, "cost": cost, "request_ids": self.request_ids}

    @property
    def request_ids(self) -> list[str]:
        """What the gateway's support will ask for."""
        return [reply.request_id for reply in self.replies if reply.request_id]

    def ask(self, messages: list[dict[str, str]], pictures: tuple[Picture, ...] = ()) -> ChatReply:
        """The next answer. Raises a ToolError where there is none, with the cost so far.

        OverBudget where the limit of the run has no room for it.
        """
        model = self.call.model
        try:
            self._make_room()
            request = ChatRequest(model.id, messages, pictures=pictures)
            reply = self._gateway.chat(request, self._was_lost)
        except ToolError as error:
            if isinstance(error, Rejected):
                instead = limits.replacement(model, self.call.gateway)
                offer_replacement(error, self.context.rerun, self._kind, instead)
            if isinstance(error, Refused) and error.charged != "no":
                self._costs.append(self.call.cost)  # nobody says what a refusal has cost
            if self._costs:
                error.result["cost"] = self.cost.as_json()
                # For the answers before it; one that was lost may have been billed.
                error.charged = "yes" if self.replies else "unknown"
            self._hold()
            raise
        self.context.console.warn(*reply.warnings)
        self.replies.append(reply)
        if reply.cost is not None:
            self._costs.append(Cost(reply.cost, "actual"))
        elif reply.tokens:
            self._costs.append(models.price_of_tokens(model, self.call.gateway, *reply.tokens))
        else:
            self._costs.append(self.call.cost)
        self._hold()
        if reply.drew:
            raise self._drawn()
        return reply

    def _drawn(self) -> OutputError:
        """The error for an answer that is a picture: asked again, the model draws another one."""
        error = OutputError(
            f"{self.call.model.id} was asked for a text and drew a picture: it is an image model.",
            "Name a model that writes, or a server for texts in AI_GATEWAY_CHAT_BASE_URL; "
            "--skip-reasoning does without Stage 1.",
            charged="yes",
        )
        error.result["cost"] = self.cost.as_json()
        return error

    def _was_lost(self, again: bool) -> None:
        """An answer that may have been billed did not get here; `again`: it is asked for again."""
        self._costs.append(self.call.cost)
        self._hold()
        if again:
            self._make_room()

    def _make_room(self) -> None:
        """Write down what the answers have cost so far. Raises OverBudget without room for one."""
        if self._keep and self._costs:
            self._keep(self.cost)
            self._kept = len(self._costs)
        self._hold(self._next)

    def _hold(self, following: Cost | None = None) -> None:
        """Let others know what was paid for and stands in no receipt, and what follows."""
        self._ledger.hold(self, self._costs[self._kept :], following)

    @property
    def _next(self) -> Cost:
        """What the next answer should cost: no less than any before, for more is sent with it."""
        known = [cost for cost in (self.call.cost, *self._costs) if cost.amount is not None]
        return max(known, key=lambda cost: cost.amount or 0.0, default=self.call.cost)

    def recorded(self) -> None:
        """A receipt holds what was answered, and its cost."""
        self._ledger.recorded(self)

    def ask_twice(
        self,
        messages: list[dict[str, str]],
        read: Callable[[str, str | None], T | Unusable],
        shape: str,
        pictures: tuple[Picture, ...] = (),
    ) -> T | Unusable:
        """What `read` takes from the answer, or from a second one where that cannot be used.

        `read` gets the answer's text and why it ended, `shape` says what it must look like.
        """
        for last in (False, True):
            reply = self.ask(messages, pictures)
            answer = read(reply.text, reply.finish_reason)
            if last or not isinstance(answer, Unusable):
                break
            request = repair_request(answer.problem, shape)
            messages = asked_again(messages, reply.text, request)
        return answer
