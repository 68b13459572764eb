"""Real NASDAQ order flow:

NVDA rebuilt order by order, AAPL with its executions matched by the engine (LOBSTER).
"""

import csv
import json
from collections.abc import Iterator
from decimal import Decimal
from itertools import groupby
from pathlib import Path
from typing import Any

from tests.unit.matching_engine.desk import Desk
from venue_protocol.commands import AmendOrder, CancelOrder, PlaceOrder
from venue_protocol.events import AmendRejected, CancelRejected, Event, OrderAccepted, Trade
from venue_protocol.orders import BUY, SELL, Side, TimeInForce

Levels = list[tuple[int, int]]
"""(price, shares), best first."""


class Feed:
    """A desk that goes by the recorded ids.

    Executions come from a client of their own, so they meet no own order.
    """

    def __init__(self) -> None:
        self.desk = Desk()
        self.order_ids: dict[Any, int] = {}
        self.names: dict[int, Any] = {}

    def add(self, name: Any, side: Side, size: int, price: int) -> None:
        """A recorded order enters and must rest."""
        order_id = self.desk.engine.log_position + 1
        self.order_ids[name], self.names[order_id] = order_id, name
        events = self.desk.engine_events(
            PlaceOrder(side.lower(), "X", side, "limit", "GTC", size, price)
        )
        assert [type(event) for event in events] == [OrderAccepted], name

    def is_known(self, name: Any) -> bool:
        """Whether the order rests."""
        return self.order_ids.get(name) in self.desk.engine.orders

    def reduce(self, name: Any, side: Side, by: int) -> None:
        """The order has `by` fewer open shares and keeps its place; at none left it is gone."""
        order_id = self.order_ids[name]
        order = self.desk.engine.orders[order_id]
        amend = AmendOrder(side.lower(), order_id, order.quantity - by, order.price_e4, 0)
        events = self.desk.engine_events(
            amend if order.leaves > by else CancelOrder(side.lower(), order_id)
        )
        assert not any(isinstance(event, AmendRejected | CancelRejected) for event in events), name

    def execute(self, side: Side, size: int, price: int) -> list[Event]:
        """An incoming order that takes what it can and does not rest."""
        tif: TimeInForce = "IOC"
        return self.desk.engine_events(PlaceOrder("taker", "X", side, "limit", tif, size, price))

    def levels(self, side: Side, most: int = 10**9) -> Levels:
        """The levels of one side."""
        bids, asks = self.desk.engine.depth("X", most)
        return bids if side == BUY else asks


def test_nvda_orders_are_rebuilt_exactly(shared_data: Path) -> None:
    folder = shared_data / "nasdaq_nvda_l3_20100608"
    expected = json.loads((folder / "expected_summary.json").read_text())
    feed = Feed()
    sides: dict[str, Side] = {}
    with (folder / "nvda_messages.csv").open() as file:
        for number, row in enumerate(csv.reader(_without_header(file)), 1):
            match row:
                case ["A", _, name, price, size, half]:
                    sides[name] = BUY if half == "BID" else SELL
                    feed.add(name, sides[name], int(size), _e4(price))
                case ["C", _, name]:
                    feed.reduce(name, sides[name], _leaves(feed, name))
                case ["R", _, name, size]:
                    feed.reduce(name, sides[name], _leaves(feed, name) - int(size))
                case _:
                    assert row[0] == "T"
            if number == 5000:
                assert _orders(feed) == _expected_orders(folder / "expected_book_after_5000.csv")
            if number in (5000, 10000):
                assert _summary(feed) == {
                    k: v for k, v in expected[f"after_{number}"].items() if k != "source"
                }
    feed.desk.engine.check_invariants()


def _without_header(file: Any) -> Iterator[str]:
    return (line for line in file if not line.startswith("type,"))


def _leaves(feed: Feed, name: str) -> int:
    return feed.desk.engine.orders[feed.order_ids[name]].leaves


def _e4(price: str) -> int:
    return int(Decimal(price) * 10_000)


def _cents(price_e4: int) -> str:
    """As the expected file writes prices: rounded to a cent."""
    return f"{price_e4 / 10_000:.2f}"


def _orders(feed: Feed) -> list[tuple[str, str, str, int]]:
    engine = feed.desk.engine
    return sorted(
        (
            feed.names[o.order_id],
            "BID" if o.side_index % 2 == 0 else "ASK",
            _cents(o.price_e4),
            o.leaves,
        )
        for o in engine.orders.values()
    )


def _expected_orders(path: Path) -> list[tuple[str, str, str, int]]:
    with path.open() as file:
        return sorted(
            (r["id"], r["side"], r["price"], int(r["size"])) for r in csv.DictReader(file)
        )


def _summary(feed: Feed) -> dict[str, float]:
    bids, asks = feed.levels(BUY), feed.levels(SELL)
    engine = feed.desk.engine
    return {
        "bid_orders": sum(o.side_index % 2 == 0 for o in engine.orders.values()),
        "ask_orders": sum(o.side_index % 2 == 1 for o in engine.orders.values()),
        "bid_levels": len(bids),
        "ask_levels": len(asks),
        "best_bid": bids[0][0] / 10_000,
        "best_ask": asks[0][0] / 10_000,
        "bid_size": bids[0][1],
        "ask_size": asks[0][1],
    }


NO_ASK, NO_BID = 9999999999, -9999999999


class Lobster:
    """The AAPL excerpt, by the four rules of its README; executions are left to the engine's
    matching.
    """

    def __init__(self, folder: Path) -> None:
        self.messages = [line.split(",") for line in _lines(folder, "message")]
        self.books = [
            [int(value) for value in line.split(",")] for line in _lines(folder, "orderbook")
        ]
        self.feed = Feed()
        self.taken_over = 0
        self.blocks = 0

    def published(self, row: int, side: Side) -> Levels:
        """The ten published levels of a row, those that exist."""
        start = 2 if side == BUY else 0
        values = self.books[row]
        pairs = [(values[i], values[i + 1]) for i in range(start, 40, 4)]
        return [(price, size) for price, size in pairs if price not in (NO_ASK, NO_BID)]

    def seed(self) -> None:
        """Row 0: anonymous blocks, and message 0 under its own id behind the block at its price."""
        _, kind, name, size, price, direction = self.messages[0]
        own: tuple[Side, int] = (BUY if direction == "1" else SELL, int(price))
        assert kind == "1"
        for side in (BUY, SELL):
            for level_price, level_size in self.published(0, side):
                part = int(size) if (side, level_price) == own else 0
                if level_size > part:
                    self.add_block(side, level_price, level_size - part)
        self.feed.add(name, own[0], int(size), own[1])

    def add_block(self, side: Side, price: int, size: int) -> None:
        """Volume whose orders are not known, as one order."""
        self.feed.add(("block", side, price), side, size, price)

    def apply(self, row: int) -> None:
        """A message taken at its word."""
        _, kind, name, size, price, direction = self.messages[row]
        side: Side = BUY if direction == "1" else SELL
        if kind == "1":
            self.feed.add(name, side, int(size), int(price))
        elif kind in "234":
            known = name if self.feed.is_known(name) else ("block", side, int(price))
            self.feed.reduce(known, side, int(size))

    def follow_view(self, row: int) -> None:
        """Rule 3: forget what is worse than the tenth published price, take over what comes into
        view there.
        """
        for side in (BUY, SELL):
            published = self.published(row, side)
            if len(published) == 10:
                price, size = published[-1]
                self._forget_beyond(side, price)
                known = dict(self.feed.levels(side))
                if price not in known and int(self.messages[row][4]) != price:
                    self.add_block(side, price, size)
                    self.taken_over += 1

    def _forget_beyond(self, side: Side, last: int) -> None:
        engine = self.feed.desk.engine
        half = engine.books["X"].bids if side == BUY else engine.books["X"].asks
        for order in list(half.orders()):
            if order.price_e4 * half.sign > last * half.sign:
                self.feed.reduce(self.feed.names[order.order_id], side, order.leaves)


def _lines(folder: Path, kind: str) -> list[str]:
    return (folder / f"AAPL_2012-06-21_{kind}_10.first999.csv").read_text().split()


def _runs(lobster: Lobster) -> Iterator[list[int]]:
    """Rows from 1 on; consecutive executions of visible orders with one time and direction
    together, others alone.
    """

    def key(row: int) -> tuple[object, ...]:
        time, kind, *_, direction = lobster.messages[row]
        return ("execution", time, direction) if kind == "4" else ("other", row)

    for _, rows in groupby(range(1, len(lobster.messages)), key):
        yield list(rows)


def _assert_as_published(lobster: Lobster, row: int) -> None:
    for side in (BUY, SELL):
        assert lobster.feed.levels(side, 10) == lobster.published(row, side), f"row {row}"


def test_aapl_ten_levels_are_equal_after_every_message(shared_data: Path) -> None:
    lobster = Lobster(shared_data / "lobster_aapl_l10_sample")
    lobster.seed()
    for row in range(1, len(lobster.messages)):
        lobster.apply(row)
        lobster.follow_view(row)
        _assert_as_published(lobster, row)
    assert (row, lobster.taken_over) == (998, 318)


def test_aapl_executions_hit_the_recorded_orders_at_the_recorded_prices(shared_data: Path) -> None:
    lobster = Lobster(shared_data / "lobster_aapl_l10_sample")
    lobster.seed()
    matched = 0
    for rows in _runs(lobster):
        if lobster.messages[rows[0]][1] == "4":
            _check_execution(lobster, rows)
            matched += 1
        else:
            lobster.apply(rows[0])
        for row in rows:
            lobster.follow_view(row)
        _assert_as_published(lobster, rows[-1])
    assert matched == 66


def _check_execution(lobster: Lobster, rows: list[int]) -> None:
    """One incoming order in place of a run of executions: the same resting orders, prices and
    sizes.
    """
    records = [lobster.messages[row] for row in rows]
    maker_side: Side = BUY if records[0][5] == "1" else SELL
    taker_side: Side = SELL if maker_side == BUY else BUY
    expected: list[tuple[Any, int, int]] = []
    for _, _, name, size, price, _ in records:
        known = name if lobster.feed.is_known(name) else ("block", maker_side, int(price))
        if expected and expected[-1][0] == known and isinstance(known, tuple):
            known, price_before, size_before = expected.pop()
            assert price_before == int(price)
            size = str(int(size) + size_before)
        expected.append((known, int(price), int(size)))
    events = lobster.feed.execute(
        taker_side, sum(int(record[3]) for record in records), int(records[-1][4])
    )
    names = lobster.feed.names
    fills = [
        (
            names[event.buy_order_id if maker_side == BUY else event.sell_order_id],
            event.price_e4,
            event.quantity,
        )
        for event in events
        if type(event) is Trade
    ]
    assert fills == expected, f"rows {rows}"
