"""How large one message may be, and how longer sequences are cut into several.

One command can cause any number of events: a cancel of 110,000 orders, an order that trades with
60,000 others, the end of a trading day. A broker refuses a message that is too large for it (16 MiB
in RabbitMQ 4), and a reader handles one message in one transaction. So both sizes are bounded here,
for every publisher.

Example: with at most 3 items in a message, 7 items travel as 3 + 3 + 1.
"""

from collections.abc import Iterator, Sequence

import msgspec


class MessageBounds(msgspec.Struct, frozen=True, kw_only=True):
    """The largest message. An item that is larger than `most_bytes` travels alone."""

    most_bytes: int = 1_000_000
    """Bytes of the items of one message: a sixteenth of what RabbitMQ 4 takes by default, and more
    than a full commit of plain orders causes, so that the hot path never cuts.
    """
    most_items: int = 5_000
    """Items of one message: what a reader handles in one transaction, at most some 0.2 s."""

    def cut(self, items: Sequence[bytes]) -> Iterator[tuple[int, int]]:
        """(start, end) of the runs of `items` that go into one message each: as long as the bounds
        allow, together all of them, none empty.
        """
        start = size = 0
        for place, item in enumerate(items):
            # One byte for the comma between two items.
            is_full = size + len(item) + 1 > self.most_bytes or place - start >= self.most_items
            if is_full and place > start:
                yield start, place
                start, size = place, 0
            size += len(item) + 1
        if items:
            yield start, len(items)


BOUNDS = MessageBounds()
"""What the venue publishes with."""
