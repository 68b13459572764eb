"""A trading desk for tests: orders in one line of text, books and trades back as text."""

import re

from matching_engine.domain.engine import MatchingEngine
from venue_protocol.codec import SCHEMA
from venue_protocol.commands import (
    AmendOrder,
    CancelAllOrders,
    CancelOrder,
    Command,
    CommandBatch,
    PlaceOrder,
)
from venue_protocol.events import AmendRejected, CancelRejected, Event, OrderCanceled, Trade
from venue_protocol.holds import amend_hold
from venue_protocol.money import format_e4, parse_e4
from venue_protocol.orders import BUY, SELL, OrderType, Side, TimeInForce

ORDER = re.compile(
    r"(?P<side>[BS]) (?P<quantity>\d+)@(?P<market>market )?(?P<price>[\d.]+)"
    r"( (?P<tif>GTC|IOC|FOK))? (?P<client>\w+)"
)


def order(text: str, security_id: str = "AAPL") -> PlaceOrder:
    """The order in `"S 50@10.10 IOC bob"`; `"B 15@market 12 bob"` is a market order with 12 as edge
    of the band.
    """
    found = ORDER.fullmatch(text)
    assert found, text
    side: Side = BUY if found["side"] == "B" else SELL
    order_type: OrderType = "market" if found["market"] else "limit"
    time_in_force: TimeInForce = found["tif"] or ("IOC" if found["market"] else "GTC")
    return PlaceOrder(
        found["client"],
        security_id,
        side,
        order_type,
        time_in_force,
        int(found["quantity"]),
        parse_e4(found["price"]),
    )


class Desk:
    """One engine, its log and its events.

    Each call is a batch of its own; order ids count from 1.
    """

    def __init__(self) -> None:
        self.engine = MatchingEngine()
        self.log: list[CommandBatch] = []
        self._placed: dict[int, PlaceOrder] = {}

    def run(self, *commands: Command) -> list[Event]:
        """The events of these commands, in one batch; the books are checked afterwards."""
        events = self.engine_events(*commands)
        self.engine.check_invariants()
        return events

    def engine_events(self, *commands: Command) -> list[Event]:
        """The events of these commands, in one batch."""
        first = self.engine.log_position + 1
        batch = CommandBatch(SCHEMA, 0, first, 1_000_000 + first, list(commands))
        self.log.append(batch)
        for sequence, command in batch.numbered():
            if type(command) is PlaceOrder:
                self._placed[sequence] = command
        return self.engine.apply(batch).events

    def place(self, *orders: str, security_id: str = "AAPL") -> list[Event]:
        """Place these orders, each in its own batch; all their events."""
        return [event for text in orders for event in self.run(order(text, security_id))]

    def cancel(self, order_id: int, client_id: str | None = None) -> list[Event]:
        """Cancel an order, as its owner unless told otherwise."""
        return self.run(CancelOrder(client_id or self._placed[order_id].client_id, order_id))

    def cancel_all(self, client_id: str, security_id: str | None = None) -> list[Event]:
        """Cancel all of a client's orders."""
        return self.run(CancelAllOrders(client_id, security_id))

    def amend(
        self, order_id: int, quantity: int, price: str, client_id: str | None = None
    ) -> list[Event]:
        """Amend an order, with the hold that the door would add; it knows the terms, not the
        fills.
        """
        placed, price_e4 = self._placed[order_id], parse_e4(price)
        resting = self.engine.orders.get(order_id)
        terms = (
            (resting.price_e4, resting.quantity) if resting else (placed.price_e4, placed.quantity)
        )
        held_bps = placed.fees.held_bps if placed.fees is not None else 0
        added = amend_hold(placed.side, *terms, price_e4, quantity, held_bps)
        return self.run(
            AmendOrder(client_id or placed.client_id, order_id, quantity, price_e4, added)
        )

    def book(self, security_id: str = "AAPL") -> str:
        """Bids | asks, best first, orders of a level in priority order:

        `"10.00: 5 #1, 7 #3 | 10.10: 4 #2"`.
        """
        book = self.engine.books.get(security_id)
        if book is None:
            return " | "
        return " | ".join(
            "; ".join(
                f"{format_e4(price)}: "
                + ", ".join(
                    f"{o.leaves} #{o.order_id}" for o in book_side.levels[price].queue.values()
                )
                for price in book_side.prices()
            )
            for book_side in (book.bids, book.asks)
        )


def trades(events: list[Event]) -> list[str]:
    """Each trade as `"10@1.05 buy #1 sell #2"`."""
    return [
        f"{event.quantity}@{format_e4(event.price_e4)} buy #{event.buy_order_id} sell "
        f"#{event.sell_order_id}"
        for event in events
        if type(event) is Trade
    ]


def cancels(events: list[Event]) -> list[str]:
    """Each canceled rest as `"5 of #2 ioc_remainder"`."""
    return [
        f"{event.quantity} of #{event.order_id} {event.reason}"
        for event in events
        if type(event) is OrderCanceled
    ]


def refusals(events: list[Event]) -> list[str]:
    """The reason of each refused cancel or amend."""
    return [event.reason for event in events if isinstance(event, CancelRejected | AmendRejected)]
