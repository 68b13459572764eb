"""Any flow of commands gives the events of the slow, obvious engine, and books that hold
together.
"""

from collections.abc import Iterable

import msgspec
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from matching_engine.domain.engine import MatchingEngine
from tests.simulation.matching_engine.reference_engine import ReferenceEngine
from venue_protocol import codec
from venue_protocol.commands import (
    AdvanceTime,
    AmendOrder,
    CancelAllOrders,
    CancelOrder,
    Command,
    CommandBatch,
    PlaceOrder,
)
from venue_protocol.events import (
    AmendRejected,
    Event,
    OrderAdjusted,
    OrderAmended,
    OrderCanceled,
    OrderReduced,
    Trade,
)
from venue_protocol.fees import FeeRates, fee_e4
from venue_protocol.holds import amend_hold, held_amount
from venue_protocol.orders import BUY, SELL, OrderTerms

CLIENTS = st.sampled_from(["ann", "bob", "cat"])
SECURITIES = st.sampled_from(["AAPL", "MSFT"])
PRICES = st.integers(95, 105).map(lambda ticks: ticks * 100)
QUANTITIES = st.integers(1, 12)
RATES = st.none() | st.builds(
    FeeRates, st.integers(-30, 30), st.integers(-10, 40), st.integers(0, 20)
)
"""Rates that no schedule would have together are among them: orders outlive their schedule."""

_places = st.builds(
    PlaceOrder,
    CLIENTS,
    SECURITIES,
    st.sampled_from([BUY, SELL]),
    st.sampled_from(["limit", "limit", "limit", "market"]),
    st.sampled_from(["GTC", "GTC", "GTC", "IOC", "FOK"]),
    QUANTITIES,
    PRICES,
    st.sampled_from([None, "mine"]),
    fees=RATES,
)

_PREVENTIONS = st.sampled_from(["cancel_newest", "cancel_oldest", "cancel_both", "decrement"])
_EXPIRES_IN = st.one_of(st.none(), st.integers(0, 12))
"""After the batch of the order; a time between two batches too."""
_EDGES = st.sampled_from([(BUY, 10_600), (SELL, 9_400)])


@st.composite
def _special_places(draw: st.DrawFn) -> PlaceOrder:
    """An order with terms of its own. `expires_us` is relative to its batch."""
    kind = draw(
        st.sampled_from(["stop", "stop_limit", "iceberg", "post_only", "min_quantity", "gtd"])
    )
    stop = draw(PRICES) if kind in ("stop", "stop_limit") else None
    side, edge = draw(_EDGES)
    quantity = draw(st.integers(1, 12)) if kind != "iceberg" else draw(st.integers(4, 30))
    expires_in = draw(_EXPIRES_IN) if kind != "min_quantity" else None
    terms = OrderTerms(
        stop,
        expires_in,
        draw(st.integers(1, quantity)) if kind == "min_quantity" else None,
        draw(st.integers(1, 4)) if kind == "iceberg" else None,
        kind == "post_only",
        draw(_PREVENTIONS),
    )
    tif = "IOC" if kind == "min_quantity" else "GTC" if expires_in is None else "GTD"
    order_type = kind if kind in ("stop", "stop_limit") else "limit"
    price = edge if kind == "stop" else draw(PRICES)
    return PlaceOrder(
        draw(CLIENTS),
        draw(SECURITIES),
        side,
        order_type,  # type: ignore[arg-type]
        tif,  # type: ignore[arg-type]
        quantity,
        price,
        None,
        terms,
        fees=draw(RATES),
    )


class EngineAgainstReference(RuleBasedStateMachine):
    """Both engines get the same batches; holds are kept as the clearinghouse keeps them."""

    def __init__(self) -> None:
        super().__init__()
        self.engine = MatchingEngine()
        self.reference = ReferenceEngine()
        self.log: list[CommandBatch] = []
        self.published: list[bytes] = []
        self.held: dict[int, int] = {}
        self.bought: dict[int, int] = {}

    @initialize()
    def start(self) -> None:
        """Nothing rests."""
        assert self.engine.depth("AAPL", 5) == ([], [])

    @rule(orders=st.lists(_places, min_size=1, max_size=8))
    def place(self, orders: list[PlaceOrder]) -> None:
        """A batch of orders."""
        self._place_all(orders)

    def _place_all(self, orders: list[PlaceOrder]) -> None:
        first = self.engine.log_position + 1
        for order_id, order in enumerate(orders, first):
            highest = order.fees.held_bps if order.fees else 0
            self.held[order_id] = held_amount(order.side, order.price_e4, order.quantity, highest)
        self._run(orders)

    @rule(orders=st.lists(_special_places(), min_size=1, max_size=4))
    def place_special(self, orders: list[PlaceOrder]) -> None:
        """A batch of stops, icebergs and other orders with terms."""
        now_us = self.engine.log_position + 1
        for index, order in enumerate(orders):
            terms = order.terms
            if terms is not None and terms.expires_us is not None:
                terms = msgspec.structs.replace(terms, expires_us=now_us + terms.expires_us)
                orders[index] = msgspec.structs.replace(order, terms=terms)
        self._place_all(orders)

    @rule(prevention=_PREVENTIONS, tif=st.sampled_from(["GTC", "IOC", "FOK"]), order=_places)
    def place_with_prevention(self, prevention: str, tif: str, order: PlaceOrder) -> None:
        """A plain order that says what happens when it meets an own one."""
        terms = OrderTerms(self_trade_prevention=prevention)  # type: ignore[arg-type]
        self._place_all([msgspec.structs.replace(order, time_in_force=tif, terms=terms)])

    @rule()
    def let_time_pass(self) -> None:
        """Nothing but time."""
        self._run([AdvanceTime()])

    @rule(client=CLIENTS, back=st.integers(0, 40))
    def cancel(self, client: str, back: int) -> None:
        """A cancel of a recent number, mostly by its owner, sometimes of nothing."""
        order_id = self.engine.log_position - back
        self._run([CancelOrder(self._owner(order_id, client, back), order_id)])

    @rule(client=CLIENTS, security=st.none() | SECURITIES)
    def cancel_all(self, client: str, security: str | None) -> None:
        """A mass cancel."""
        self._run([CancelAllOrders(client, security)])

    @rule(client=CLIENTS, back=st.integers(0, 40), more=st.integers(-2, 3))
    def amend_a_little(self, client: str, back: int, more: int) -> None:
        """An amend by a few shares at the same price, where keeping and losing one's place are
        close together.
        """
        order = self.engine.orders.get(self.engine.log_position - back)
        if order is not None:
            self.amend(client, back, max(1, order.quantity + more), order.price_e4)

    @rule(client=CLIENTS, back=st.integers(0, 40), quantity=QUANTITIES, price=PRICES)
    def amend(self, client: str, back: int, quantity: int, price: int) -> None:
        """An amend with the hold that the door adds; the door does not know what is filled."""
        order_id = self.engine.log_position - back
        order = self.engine.orders.get(order_id)
        sender = self._owner(order_id, client, back)
        added = 0
        # The gateway holds nothing for an amend of somebody else's order: it refuses it.
        if order is not None and sender == order.owner.client_id:
            side = self.engine.sides[order.side_index].side
            added = amend_hold(
                side, order.price_e4, order.quantity, price, quantity, order.held_bps
            )
            self.held[order_id] += added
        self._run([AmendOrder(sender, order_id, quantity, price, added)])

    @rule()
    def restart(self) -> None:
        """The engine goes on from its snapshot."""
        restored = MatchingEngine.restore(self.engine.snapshot())
        assert restored.state_hash() == self.engine.state_hash()
        self.engine = restored

    @invariant()
    def books_hold_together(self) -> None:
        """Never crossed, levels are the sums of their orders, the same orders in the same
        places.
        """
        self.engine.check_invariants()
        for security_id, book in self.engine.books.items():
            for book_side in (book.bids, book.asks):
                mine = [
                    (order.order_id, order.leaves, order.price_e4) for order in book_side.orders()
                ]
                theirs = self.reference.resting(security_id, book_side.side)
                assert mine == [(order.order_id, order.leaves, order.price_e4) for order in theirs]
                shown = [order.leaves - order.reserve for order in book_side.orders()]
                assert shown == [order.shown for order in theirs]
            assert sorted(book.stops.waiting) == self.reference.parked(security_id)

    @invariant()
    def open_orders_are_held_exactly(self) -> None:
        """What is held is what open orders can need, to the cent and share; nothing is held for an
        ended one.
        """
        for order_id, held in self.held.items():
            order = self.engine.orders.get(order_id)
            need = (
                held_amount(
                    self.engine.sides[order.side_index].side,
                    order.price_e4,
                    order.leaves,
                    order.held_bps,
                )
                if order
                else 0
            )
            assert held == need, f"order {order_id}"

    def teardown(self) -> None:
        """The whole log again, in one engine, gives the same bytes and the same state."""
        again = MatchingEngine()
        assert [codec.encode(again.apply(batch)) for batch in self.log] == self.published
        assert again.state_hash() == self.engine.state_hash()

    def _owner(self, order_id: int, client: str, back: int) -> str:
        order = self.engine.orders.get(order_id)
        return order.owner.client_id if order is not None and back % 4 else client

    def _run(self, commands: Iterable[Command]) -> None:
        first = self.engine.log_position + 1
        batch = codec.decode(
            codec.encode(CommandBatch(codec.SCHEMA, 0, first, first, list(commands)))
        )
        assert isinstance(batch, CommandBatch)
        events = self.engine.apply(batch)
        assert events.events == self.reference.run(batch.commands, first)
        self.log.append(batch)
        self.published.append(codec.encode(events))
        for event in events.events:
            self._account(event)

    def _account(self, event: Event) -> None:
        """Release holds as the clearinghouse does, and conserve quantity."""
        if type(event) is Trade:
            released = held_amount(BUY, event.buy_price_e4, event.quantity, event.buy_held_bps)
            self.held[event.buy_order_id] -= released
            value_e4 = event.price_e4 * event.quantity
            fees = [fee_e4(value_e4, rate) for rate in (event.buy_fee_bps, event.sell_fee_bps)]
            assert value_e4 + fees[0] <= released, "the hold covers the fee"
            assert fees[1] <= value_e4, "the proceeds cover the fee"
            assert sum(fees) >= 0, "no trade costs the venue anything"
            self.held[event.sell_order_id] -= event.quantity
            assert event.buy_client_id != event.sell_client_id
            assert event.price_e4 <= event.buy_price_e4
        elif type(event) is OrderCanceled:
            self.held[event.order_id] -= held_amount(
                event.side, event.price_e4, event.quantity, event.held_bps
            )
        elif type(event) is OrderReduced:
            self.held[event.order_id] -= held_amount(
                event.side, event.price_e4, event.reduced, event.held_bps
            )
        elif type(event) is OrderAmended:
            self.held[event.order_id] -= event.hold_released
            assert event.hold_released >= 0
        elif type(event) is OrderAdjusted:
            self.held[event.order_id] += event.hold_change
            assert event.side != BUY or event.hold_change <= 0, "a buy never needs more"
        elif type(event) is AmendRejected and event.hold_released:
            self.held[event.order_id] -= event.hold_released


TestEngineAgainstReference = EngineAgainstReference.TestCase
TestEngineAgainstReference.settings = settings(
    max_examples=60, stateful_step_count=60, deadline=None, suppress_health_check=list(HealthCheck)
)
