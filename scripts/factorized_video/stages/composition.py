"""Stage 2: what is left of an anchor, and one picture from the paid call to its place.

What came is also kept outside the output's folder until it is in place.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from .. import aspect_ratios, files, interrupts, receipts
from ..errors import JobFailed, OutputError, Refused, ToolError, Unfetched, Unknown, safe_to_keep
from ..gateway.types import ImageReply, ImageRequest, Picture
from ..media import file_types, images
from ..models import limits
from ..money import Cost
from ..receipts import Allowed, Intent, Record
from ..rerun import offer_replacement
from . import plan, preflight
from .calls import Call
from .candidates import choice
from .candidates.folder import Folder
from .context import Context
from .given_images import sent_pictures
from .outlook import Outlook
from .paid_call import Made, PaidCall, send_seeded, with_seed
from .request import AnchorRequest

if TYPE_CHECKING:
    from ..gateway.client import Gateway


def folder_of(request: AnchorRequest, output: Path, context: Context) -> Folder:
    """Where the candidates of an anchor lie."""
    first = request.digest(context.identity_of("image"))
    return Folder(output, first, request.wish, context.identity_of("image"))


def left_to_pay(request: AnchorRequest, output: Path, context: Context) -> dict[str, int]:
    """How many paid calls of each kind an anchor still needs, at the most."""
    return choice.left(folder_of(request, output, context), context.allowed)


def check_room(folder: Folder, allowed: Allowed, asked: dict[str, object]) -> None:
    """Raise UsageError where something else lies in the place of a plain anchor."""
    receipts.check_room(folder.output, folder.first, allowed, asked)


def outlook(request: AnchorRequest, output: Path, context: Context) -> Outlook:
    """What is left to pay for an anchor."""
    left = left_to_pay(request, output, context)

    def calls(strict: bool = True) -> tuple[Call, ...]:
        return plan.anchor(request, context.rules(strict=strict))

    # What exists is returned whatever the models of today support.
    strict = any(left.values()) or not plan.why_not(calls)
    return Outlook(calls(strict), left)


class AnchorCall(PaidCall):
    """One plain anchor in the output's place."""

    def __init__(
        self, context: Context, output: Path, request: AnchorRequest, pictures: tuple[Picture, ...]
    ) -> None:
        super().__init__(
            context, output, request.digest(context.identity_of("image")), context.asked(request)
        )
        self.request = request
        self.pictures = pictures
        self.came: bytes | None = None

    def checked(self, gateway: Gateway) -> Call:
        """With the only model there is, where none was named."""
        context, request = self.context, self.request
        planned = plan.anchor(request, context.rules())[0]
        only = preflight.model(context, gateway, planned.model.id, "image")
        if only:
            (planned,) = plan.anchor(request._replace(model=only), context.rules())
        return planned

    def intent(self, gateway: Gateway, call: Call) -> Intent:
        """The caption, the pictures, and what is sent."""
        inputs = self.request.inputs
        return image_intent(self.context, call, self.wanted, inputs, self.asked, self.pictures)

    def send(self, gateway: Gateway, call: Call, record: Record) -> None:
        """Generate it; a signal takes effect once the reply is written down."""
        console = self.context.console
        console.progress(f"generating with {call.model.id}")
        with interrupts.held_back(console.note, gateway.settings.time_scale):
            self.came = generate(self.context, gateway, call, record, self.pictures)

    def deliver(self, gateway: Gateway, record: Record) -> None:
        """Check and convert the picture, and put it in its place."""
        deliver(self.context, gateway, record, self.came or record.kept.read() or b"")

    def result(self, made: Made) -> dict[str, Any]:
        """The result of Stage 2."""
        receipt = made.receipt
        return {
            "status": "succeeded",
            "output": str(self.output),
            "gateway": self.context.gateway.name,
            "model": receipt["model"],
            "cost": receipt["cost"],
            "receipt": str(receipts.receipt_path(self.output)) if self.output else None,
            "image": receipt["measured"],
            "reused": made.reused,
        }


def image_intent(
    context: Context,
    call: Call,
    wanted: str,
    inputs: dict[str, Any],
    asked: dict[str, object],
    pictures: tuple[Picture, ...],
) -> Intent:
    """What the receipt of a picture says before the call is sent."""
    call = with_seed(call)
    return Intent(
        call.stage,
        wanted,
        inputs,
        {"prompt": call.text, **call.settings, **sent_pictures(pictures)},
        context.gateway.in_receipt("image"),
        call.model.id,
        call.cost,
        context.rerun.kept(),
        asked=asked,
    )


def generate(
    context: Context,
    gateway: Gateway,
    call: Call,
    record: Record,
    pictures: tuple[Picture, ...],
    candidate: str | None = None,
) -> bytes:
    """Send the paid call; the image's bytes, or the address they are at.

    The receipt shows the call before it is sent, and how it ended; the caller holds signals back
    meanwhile. `pictures` are those it is made from, `candidate` as in `ImageRequest`.
    """
    ratio = str(call.settings["aspect_ratio"])
    try:
        record.kept.drop()  # what an earlier attempt left, if it was no picture
        record.intend()
        size = limits.pixel_size(call.model, ratio)
        request = ImageRequest(call.model.id, call.text, ratio, size, pictures, candidate)

        def send() -> ImageReply:
            sent = record.data["sent"]
            own = {"seed": sent.get("seed"), "fields": sent.get("fields") or {}}
            return gateway.image(request._replace(**own))

        reply = send_seeded(record, send, given=False)
        came = reply.data or (reply.url or "").encode()
        record.kept.store(came, is_address=not reply.data)
        cost = Cost(reply.cost, "actual") if reply.cost is not None else call.cost
        request_ids = [reply.request_id] if reply.request_id else []
        record.update(cost=cost.as_json(), reply=reply.raw, request_ids=request_ids)
        context.console.warn(*reply.warnings)
    except (JobFailed, Refused, Unknown) as error:
        hints = {"refused": "Say it in other words. ", "failed": f"{error.hint} "}
        error.hint = receipts.AFTER_UNKNOWN
        if error.kind in hints:
            error.hint = hints[error.kind] + receipts.PAY_AGAIN
        record.ended(error)
        error.result = record.whereabouts
        raise
    except ToolError as error:
        if record.data["cost"] is None:  # not accepted; with a cost it was, and is kept
            record.withdraw()
            instead = limits.replacement(call.model, call.gateway)
            offer_replacement(error, context.rerun, "image", instead)
        raise
    return came


def _keep_response(output: Path, came: bytes) -> str:
    """Put what came beside the output, under a name of its own; a sentence that says so."""
    kind = file_types.kind_of(came)
    place = output.with_name(f"{output.stem}.response.{kind.lower() if kind else 'bin'}")
    try:
        receipts.make_room(place)
        files.write_file(place, safe_to_keep(came))
    except OutputError:
        return ""
    return f" It is kept as {place.name}."


def deliver(context: Context, gateway: Gateway, record: Record, came: bytes) -> None:
    """Put the picture that came, and its receipt, where they belong. Raises OutputError."""
    if record.has_arrived:
        came = record.output.read_bytes()
    ratio = (record.data.get("sent") or {}).get("aspect_ratio")
    extension = record.output.suffix.lower()
    if file_types.is_address(came):
        try:
            came = gateway.fetch_image(came.decode(), images.check_image)
        except Unfetched as error:
            record.unfetched(error)
            error.result = record.whereabouts
            raise
    try:
        image = images.check_image(came)
        converted, notes = images.convert(image, extension)
    except OutputError as error:
        kept = _keep_response(record.output, came)
        failure = OutputError(
            f"The response is not an image that can be used: {error.message}{kept}",
            receipts.PAY_AGAIN,
            charged="yes",
            **record.whereabouts,
        )
        record.ended(failure)
        raise failure from None
    context.console.warn(*image.warnings, *notes)
    width, height = image.size or (None, None)
    if (
        image.size
        and ratio
        and aspect_ratios.difference(image.size, ratio) > limits.RATIO_TOLERANCE
    ):
        context.console.warn(
            f"The image is {width}x{height} px, not {ratio}: the model chose another shape."
        )
    measured = {"width": width, "height": height, "format": file_types.EXTENSIONS[extension]}
    try:
        sha256 = receipts.sha256_of_bytes(converted)
        record.arriving(sha256)
        files.write_file(record.output, converted)
        record.succeeded(sha256, measured=measured)
    except OutputError as error:
        error.hint = (
            "The picture is paid for and kept: make room, then run the same command again."
            if record.kept.read()
            else "The picture is paid for, and there was no room to keep it anywhere: make room. "
            + receipts.PAY_AGAIN
        )
        error.charged = "yes"
        error.result = record.whereabouts
        raise
    record.kept.drop()
