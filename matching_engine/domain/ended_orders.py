"""How orders ended, for the answers to late cancels and amends.

Bounded, and a function of the log.
"""

from venue_protocol.refusals import RejectReason

REMEMBERED_BATCHWISE = 65_536
"""A generation is closed at the end of the first batch with at least so many ended orders in it.
So at least this many of the newest ended orders are known, and about twice as many at most."""

FILLED = 1
CANCELED = 2
EXPIRED = 3

_REASONS = {
    FILLED: RejectReason.ORDER_FILLED,
    CANCELED: RejectReason.ORDER_CANCELED,
    EXPIRED: RejectReason.ORDER_EXPIRED,
}


def packed_end(side_index: int, end: int) -> int:
    """How an order ended, and on which side of which book, in one small number; never 0.

    A number in a dict takes a third of the memory of a tuple, and snapshots hold it as it is.
    Example: an order of side 5 that was filled is 5 << 2 | FILLED = 21.
    """
    return side_index << 2 | end


class EndedOrders:
    """The newest ended orders in two generations: `packed_end` by order id."""

    __slots__ = ("earlier", "recent")

    def __init__(self) -> None:
        self.recent: dict[int, int] = {}
        self.earlier: dict[int, int] = {}

    def close_full_generation(self) -> None:
        """Close the generation when it is full; call it at the end of a batch."""
        if len(self.recent) >= REMEMBERED_BATCHWISE:
            self.earlier, self.recent = self.recent, {}

    def find(self, order_id: int) -> tuple[RejectReason, int] | None:
        """Why nothing can be done with this order, and the index of its side of the book.

        None if it is forgotten.
        """
        code = self.recent.get(order_id) or self.earlier.get(order_id)
        return (_REASONS[code & 3], code >> 2) if code else None
