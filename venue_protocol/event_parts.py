"""The messages that carry the events of one command batch: one, or several parts if it is large.

A part is an EventBatch of its own, numbered like any other. Only the last part says that the
commands are answered: the parts before it have `log_last == log_first - 1`. Example: the commands 7
to 9 caused the events 20 to 27, and a message holds three of them:

| part | first | last | log_first | log_last |
|---|---|---|---|---|
| 1 | 20 | 22 | 7 | 6 |
| 2 | 23 | 25 | 7 | 6 |
| 3 | 26 | 27 | 7 | 9 |
"""

from collections.abc import Iterator

import msgspec

from venue_protocol import codec
from venue_protocol.events import EventBatch
from venue_protocol.message_bounds import BOUNDS, MessageBounds


class EventPart(msgspec.Struct, frozen=True):
    """One message: its first and last event sequence, and its bytes."""

    first: int
    last: int
    body: bytes


def event_parts(batch: EventBatch, bounds: MessageBounds = BOUNDS) -> Iterator[EventPart]:
    """The batch as messages within `bounds`, in order.

    The same batch gives the same messages. Readers do not rely on that: they count events.
    """
    if len(batch.events) <= bounds.most_items:
        # The hot path: encode once, and look at the result.
        body = codec.encode(batch)
        if len(body) <= bounds.most_bytes:
            yield EventPart(batch.first, batch.last, body)
            return
    encoded = [codec.encode(event) for event in batch.events]
    for start, end in bounds.cut(encoded):
        log_last = batch.log_last if end == len(encoded) else batch.log_first - 1
        first, last = batch.first + start, batch.first + end - 1
        part = msgspec.structs.replace(batch, first=first, log_last=log_last, events=[])
        yield EventPart(first, last, codec.encode_event_batch(part, encoded[start:end]))
