"""Reads the frames that a server sends."""

from collections.abc import Iterator

from wsproto.connection import Connection, ConnectionType
from wsproto.events import TextMessage


def payloads(frames: bytes) -> Iterator[str]:
    """The text of each whole message in `frames`."""
    reader, text = Connection(ConnectionType.CLIENT), ""
    reader.receive_data(frames)
    for event in reader.events():
        if isinstance(event, TextMessage):
            text += event.data
            if event.message_finished:
                yield text
                text = ""
