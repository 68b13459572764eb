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


class EndedOrders:
    """The newest ended orders in two generations: order id to `half << 2 | FILLED, CANCELED or
    EXPIRED`.
    """

    __slots__ = ("earlier", "recent")

    def __init__(self) -> None:
        self.recent: dict[int, int] = {}
        self.earlier: dict[int, int] = {}

    def turn(self) -> None:
        """Close the generation when it is full; call it at the end of a batch."""
        if len(self.recent) >= REMEMBERED_BATCHWISE:
            self.earlier, self.recent = self.recent, {}

    def find(self, order_id: int) -> tuple[RejectReason, int] | None:
        """The reason why nothing can be done with this order, and the index of its half book; None
        if forgotten.
        """
        code = self.recent.get(order_id) or self.earlier.get(order_id)
        return (_REASONS[code & 3], code >> 2) if code else None
