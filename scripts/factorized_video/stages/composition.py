"""One picture, from the paid call to its place: sent, kept, looked at, written.

What happens is on disk before the next step. What came is also kept outside the output's folder
until it is in place.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from .. import aspect_ratios, files, receipts
from ..errors import OutputError, Refused, ToolError, Unknown
from ..gateway.types import ImageRequest, Picture
from ..media import file_types, images
from ..models import limits
from ..money import Cost
from ..rerun import offer_replacement

if TYPE_CHECKING:
    from ..console import Console
    from ..gateway.client import Gateway
    from .plan import Call


def draw(
    console: Console,
    gateway: Gateway,
    call: Call,
    record: receipts.Record,
    ratio: str,
    *,
    pictures: tuple[Picture, ...] = (),
    candidate: str | None = None,
) -> bytes:
    """Send the paid call; the image's bytes, or the address they are at.

    The receipt tells of the call before it is sent, and of how it ended; the caller holds signals
    back meanwhile. `pictures` are those that it is made from, `candidate` as in `ImageRequest`.
    """
    try:
        files.drop(record.kept_name)  # what an earlier draw left, if it was no picture
        record.intend()
        size = limits.pixel_size(call.model, ratio)
        request = ImageRequest(call.model.id, call.text, ratio, size, pictures, candidate)
        reply = gateway.image(request)
        came = reply.data or (reply.url or "").encode()
        files.keep(record.kept_name, came)
        cost = Cost(reply.cost, "actual") if reply.cost is not None else call.cost
        record.update(
            cost=cost.as_json(),
            reply=reply.raw,
            request_ids=[reply.request_id] if reply.request_id else [],
        )
        console.warn(*reply.warnings)
    except (Refused, Unknown) as error:
        if isinstance(error, Unknown):
            error.hint = receipts.AFTER_UNKNOWN
        else:
            error.hint = "Say it in other words. " + receipts.PAY_AGAIN
        record.ended(error)
        error.result = record.whereabouts
        raise
    except ToolError as error:
        if record.data["cost"] is None:  # not accepted; with a cost it was, and is kept
            record.withdraw()
            instead = limits.replacement(call.model, call.gateway)
            offer_replacement(error, "--model", instead, str(record.output), None)
        raise
    return came


def resumed(output: Path, receipt: dict[str, Any]) -> tuple[receipts.Record, bytes]:
    """A picture that came and is kept, for `deliver`: its record, and its bytes or address."""
    record = receipts.Record(output, receipt)
    return record, files.kept(record.kept_name) or b""


def deliver(
    console: Console, gateway: Gateway, record: receipts.Record, came: bytes, ratio: str
) -> None:
    """Put the picture that came, and its receipt, where they belong. Raises OutputError."""
    extension = record.output.suffix.lower()
    if came.startswith((b"https://", b"http://", b"/")):
        came = gateway.fetch_image(came.decode(), images.check_image)
    try:
        image = images.check_image(came)
        converted, notes = images.convert(image, extension)
    except OutputError as error:
        failure = OutputError(
            f"What came is no picture that can be used: {error.message}",
            receipts.PAY_AGAIN,
            charged="yes",
            **record.whereabouts,
        )
        record.ended(failure)
        raise failure from None
    console.warn(*image.warnings, *notes)
    width, height = image.size or (None, None)
    if image.size and aspect_ratios.difference(image.size, ratio) > limits.RATIO_TOLERANCE:
        console.warn(
            f"The image is {width}x{height} px, not {ratio}: the model chose another shape."
        )
    try:
        files.write_file(record.output, converted)
        record.succeeded(
            receipts.sha256_of(record.output),
            measured={"width": width, "height": height, "format": file_types.EXTENSIONS[extension]},
        )
    except OutputError as error:
        error.hint = (
            "The picture is paid for and kept: make room, then run the same command again."
            if files.kept(record.kept_name)
            else "The picture is paid for, and there was no room to keep it anywhere: make room. "
            + receipts.PAY_AGAIN
        )
        error.charged = "yes"
        error.result = record.whereabouts
        raise
    files.drop(record.kept_name)
