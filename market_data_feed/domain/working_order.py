"""An order with open shares, as the feed knows it."""

import msgspec

from venue_protocol.orders import LIMIT, UNPRICED, OrderStatus, OrderTerms, OrderType, Side


class WorkingOrder(msgspec.Struct, gc=False):
    """An order with open shares, as the newest event left it; the one mutable record of the
    feed.
    """

    order_id: int
    client_id: str
    security_id: str
    side: Side
    price_e4: int
    quantity: int
    filled: int
    leaves: int
    notional_e4: int
    """Sum of price times quantity over its fills, ten-thousandths of a dollar."""
    event_sequence: int
    """Sharded sequence of its newest event."""
    status: OrderStatus = "new"
    reason: str | None = None
    updated_us: int = 0
    client_order_id: str | None = None
    order_type: OrderType = LIMIT
    visible: int = 0
    """Those of its open shares that the published book has: not an iceberg's reserve, nothing of a
    stop that waits.
    """
    triggered_us: int | None = None
    """When a stop was elected."""
    terms: OrderTerms | None = None

    def is_waiting_stop(self) -> bool:
        """Whether it is a stop that was not elected yet."""
        return (
            self.terms is not None
            and self.terms.stop_price_e4 is not None
            and self.triggered_us is None
        )

    def is_waiting(self) -> bool:
        """Whether it is open and not in the book: a stop before its election, a CLS order before
        its auction.
        """
        return self.leaves > 0 and not self.visible

    def entering(self) -> int:
        """How many of its open shares show when it enters a queue."""
        most = self.terms.display_quantity if self.terms is not None else None
        return self.leaves if most is None else min(most, self.leaves)

    def shown_price_e4(self) -> int | None:
        """Its limit; None if it has none."""
        return None if self.order_type in UNPRICED else self.price_e4
