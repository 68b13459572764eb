"""Reads what a server sent, with another implementation of RFC 6455 than the one that sent it."""

from typing import Any

import msgspec
from websockets.frames import Close, Frame, Opcode
from websockets.protocol import CLIENT, OPEN, Protocol


def frames_in(received: bytes) -> list[Any]:
    """JSON of the text frames, (code, reason) of a close frame."""
    reader = Protocol(CLIENT, state=OPEN, max_size=None)
    reader.receive_data(received)
    assert reader.parser_exc is None, reader.parser_exc
    return [_content(event) for event in reader.events_received() if isinstance(event, Frame)]


def _content(frame: Frame) -> Any:
    assert frame.opcode in (Opcode.TEXT, Opcode.CLOSE) and frame.fin
    if frame.opcode is Opcode.TEXT:
        return msgspec.json.decode(frame.data)
    close = Close.parse(bytes(frame.data))
    return close.code, close.reason
