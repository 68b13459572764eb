"""Messages to bytes and back: JSON with a schema version.

An unknown version is refused, unknown fields are ignored, so that a newer sender of the same
version may add fields.
"""

from typing import Any

import msgspec

from venue_protocol.commands import Command, CommandBatch
from venue_protocol.events import EventBatch
from venue_protocol.fees import FeeRates
from venue_protocol.orders import OrderTerms
from venue_protocol.settlement import SettlementBatch, SettlementReport
from venue_protocol.streams import OrderReports, ResendRequest, StreamPosition

SCHEMA = 1

Message = (
    CommandBatch | EventBatch | SettlementBatch | StreamPosition | ResendRequest | OrderReports
)


class CodecError(ValueError):
    """The bytes are not a message of this schema version."""


_encoder = msgspec.json.Encoder()
_message_decoder = msgspec.json.Decoder(Message)
_command_decoder = msgspec.json.Decoder(Command)
_terms_decoder = msgspec.json.Decoder(OrderTerms)
_fees_decoder = msgspec.json.Decoder(FeeRates)
_report_decoder = msgspec.json.Decoder(SettlementReport)


class _RawCommandBatch(msgspec.Struct, frozen=True, tag_field="kind", tag="command_batch"):
    """A CommandBatch whose commands are bytes already, as the log stores them.

    Same fields, same order.
    """

    schema: int
    shard: int
    first: int
    time_us: int
    commands: list[msgspec.Raw]


class _RawEventBatch(msgspec.Struct, frozen=True, tag_field="kind", tag="event_batch"):
    """An EventBatch whose events are bytes already. Same fields, same order."""

    schema: int
    shard: int
    first: int
    log_first: int
    log_last: int
    time_us: int
    events: list[msgspec.Raw]


class _RawSettlementBatch(msgspec.Struct, frozen=True, tag_field="kind", tag="settlement_batch"):
    """A SettlementBatch whose reports are bytes already, as the clearinghouse sealed them."""

    schema: int
    first: int
    reports: list[msgspec.Raw]


def encode(message: Any) -> bytes:
    """JSON bytes of a message, command, event or report."""
    return _encoder.encode(message)


def encode_command_batch(shard: int, first: int, time_us: int, commands: list[bytes]) -> bytes:
    """Bytes of the CommandBatch with these encoded commands; nothing is encoded twice."""
    return _encoder.encode(
        _RawCommandBatch(SCHEMA, shard, first, time_us, [msgspec.Raw(c) for c in commands])
    )


def encode_event_batch(head: EventBatch, events: list[bytes]) -> bytes:
    """Bytes of the EventBatch with the fields of `head` and these encoded events."""
    raw = [msgspec.Raw(event) for event in events]
    return _encoder.encode(
        _RawEventBatch(
            head.schema, head.shard, head.first, head.log_first, head.log_last, head.time_us, raw
        )
    )


def encode_settlement_batch(first: int, reports: list[bytes]) -> bytes:
    """Bytes of the SettlementBatch with these encoded reports; nothing is encoded twice."""
    return _encoder.encode(
        _RawSettlementBatch(SCHEMA, first, [msgspec.Raw(report) for report in reports])
    )


def decode(body: bytes) -> Message:
    """The message in `body`; CodecError if it is not one, or has another schema version."""
    try:
        message: Message = _message_decoder.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise CodecError(str(error)) from error
    if message.schema != SCHEMA:
        raise CodecError(f"schema {message.schema} is not {SCHEMA}")
    return message


def decode_command(body: bytes | str) -> Command:
    """One command as a row of the order log stores it; CodecError if it is not one."""
    try:
        command: Command = _command_decoder.decode(body)
        return command
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise CodecError(str(error)) from error


def decode_terms(body: bytes | str | None) -> OrderTerms | None:
    """An order's terms as its record stores them, None for none; CodecError if they are not
    readable.
    """
    if body is None:
        return None
    try:
        return _terms_decoder.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise CodecError(str(error)) from error


def decode_fees(body: bytes | str | None) -> FeeRates | None:
    """An order's fee rates as its record stores them, None for none; CodecError if they are not
    readable.
    """
    if body is None:
        return None
    try:
        return _fees_decoder.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise CodecError(str(error)) from error


def decode_report(body: bytes | str) -> SettlementReport:
    """One settlement report; CodecError if it is not one."""
    try:
        return _report_decoder.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise CodecError(str(error)) from error
