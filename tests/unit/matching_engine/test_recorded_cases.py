"""Cases of two other projects, as far as their order types exist here:

CoinTossX and exchange-core.
"""

import json
import re
from pathlib import Path
from typing import Any

from tests.unit.matching_engine.desk import Desk
from venue_protocol.commands import AmendOrder, CancelOrder, PlaceOrder
from venue_protocol.events import Event, OrderAccepted, OrderAmended, Trade
from venue_protocol.orders import BUY, SELL, OrderTerms, Side

_TYPES = {"limit", "market", "stop", "stop_limit"}
_CASES = 33
_FAR_E4 = {BUY: 10**12, SELL: 1}
"""The edge of a band that binds no market order of the cases."""


class Market:
    """A desk that goes by the outside ids of a case.

    Every order has a client of its own, so none meets itself.
    """

    def __init__(self) -> None:
        self.desk = Desk()
        self.order_ids: dict[int, int] = {}

    def place(
        self,
        outside_id: int,
        side: Side,
        quantity: int,
        price: int | None,
        tif: str = "GTC",
        stop_price: int | None = None,
    ) -> list[Event]:
        """Enter an order; without a price it is a market order, or a stop that becomes one."""
        self.order_ids[outside_id] = self.desk.engine.log_position + 1
        is_market, is_stop = price is None, stop_price is not None
        order_type = (
            ("stop" if is_stop else "market") if is_market else "stop_limit" if is_stop else "limit"
        )
        limit = _FAR_E4[side] if price is None else price
        terms = OrderTerms(stop_price) if is_stop else None
        command = PlaceOrder(
            f"client{outside_id}", "AAPL", side, order_type, tif, quantity, limit, None, terms
        )  # type: ignore[arg-type]
        return self.desk.run(command)

    def enter(self, order: dict[str, Any]) -> list[Event]:
        """Enter an order of CoinTossX."""
        is_market = order["type"] in ("market", "stop")
        price = None if is_market else order["price"]
        return self.place(
            order["id"], _side(order), order["qty"], price, stop_price=order["stop_price"]
        )

    def cancel(self, outside_id: int) -> list[Event]:
        """Cancel; the order may not exist."""
        return self.desk.run(
            CancelOrder(f"client{outside_id}", self.order_ids.get(outside_id, 10**9))
        )

    def amend(self, outside_id: int, quantity: int, price: int) -> list[Event]:
        """Replace; the order may not exist."""
        order_id = self.order_ids.get(outside_id, 10**9)
        return self.desk.run(AmendOrder(f"client{outside_id}", order_id, quantity, price, 10**15))

    def orders(self) -> set[tuple[int, str, int, int | None]]:
        """What rests or waits, as (outside id, side, open shares, price)."""
        outside = {order_id: outside_id for outside_id, order_id in self.order_ids.items()}
        engine = self.desk.engine
        return {
            (outside[o.order_id], engine.sides[o.side_index].side, o.leaves, _limit(o.price_e4))
            for o in engine.orders.values()
        }


def fills(events: list[Event]) -> list[tuple[int, int]]:
    """Each trade as (price, quantity)."""
    return [(event.price_e4, event.quantity) for event in events if type(event) is Trade]


def cointossx_cases(shared_data: Path) -> list[dict[str, Any]]:
    """Cases of tier core, entered, canceled or replaced."""
    cases = json.loads((shared_data / "cointossx_cases" / "cases.json").read_text())
    return [
        case
        for case in cases
        if case["tier"] == "core"
        and case["input_action"] != "uncross"
        and {order["type"] for order in case["initial_orders"] + case["input"]} <= _TYPES
    ]


def _totals(trades: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Shares by price."""
    return sorted(
        (price, sum(shares for at, shares in trades if at == price))
        for price in {at for at, _ in trades}
    )


def _limit(price_e4: int) -> int | None:
    return None if price_e4 in _FAR_E4.values() else price_e4


def _side(order: dict[str, Any]) -> Side:
    return BUY if order["side"] == "buy" else SELL


def test_cointossx_core_cases_end_with_the_expected_trades_and_book(shared_data: Path) -> None:
    cases = cointossx_cases(shared_data)
    assert len(cases) == _CASES
    for case in cases:
        market = Market()
        events: list[Event] = []
        for order in case["initial_orders"]:
            events += market.enter(order)
        for order in case["input"]:
            if case["input_action"] == "new":
                events += market.enter(order)
            elif case["input_action"] == "cancel":
                events += market.cancel(order["id"])
            else:
                events += market.amend(order["id"], order["qty"], order["price"])
        traded, wanted = (
            fills(events),
            [(trade["price"], trade["qty"]) for trade in case["expected_trades"]],
        )
        if case["check"] == "trade_totals_and_book":
            traded, wanted = _totals(traded), _totals(wanted)
        assert traded == wanted, case["case"]
        sides = {order["id"]: _side(order) for order in case["initial_orders"] + case["input"]}
        # The side is the order's own: the expected book of stop-05 has a typing error there, as its
        # note says.
        expected = {
            (order["id"], sides[order["id"]], order["qty"], order["price"])
            for order in case["expected_book"]
        }
        assert market.orders() == expected, case["case"]


_PLACES = re.compile(r"places an (ASK|BID) order (\d+) at (\d+)@(\d+) \(type: (GTC|IOC)")
_MOVES = re.compile(r"moves a price to (\d+) of the order (\d+)")
_CANCELS = re.compile(r"cancels the remaining size \d+ of the order (\d+)")
_MATCHED = re.compile(
    r"The order (\d+) is (partially|fully) matched. LastPx: (\d+), LastQty: (\d+)"
)
_ROW = re.compile(r"\|\s*(\d*)\s*\|\s*(\d+)\s*\|\s*(\d*)\s*\|")


class Scenario:
    """Runs the lines of one exchange-core scenario; counts what it checked."""

    def __init__(self) -> None:
        self.market = Market()
        self.events: list[Event] = []
        self.checked = 0

    def step(self, line: str, rows: list[tuple[str, ...]]) -> None:
        """Do or check one step; `rows` are those of the table below it."""
        if found := _PLACES.search(line):
            side, outside_id, price, size, tif = found.groups()
            self.events = self.market.place(
                int(outside_id), BUY if side == "BID" else SELL, int(size), int(price), tif
            )
            assert type(self.events[0]) is OrderAccepted
        elif found := _MOVES.search(line):
            self.events = self._move(int(found[2]), int(found[1]))
        elif found := _CANCELS.search(line):
            self.events = self.market.cancel(int(found[1]))
        elif found := _MATCHED.search(line):
            self._check_match(int(found[1]), found[2] == "fully", int(found[3]), int(found[4]))
        elif "No trade events" in line:
            assert fills(self.events) == []
            self.checked += 1
        elif "order book is" in line:
            self._check_book(rows)
        elif "does not have active orders" in line:
            assert self.market.orders() == set()
            self.checked += 1

    def _move(self, outside_id: int, price: int) -> list[Event]:
        order = self.market.desk.engine.orders[self.market.order_ids[outside_id]]
        events = self.market.amend(outside_id, order.quantity, price)
        assert type(events[0]) is OrderAmended
        return events

    def _check_match(self, maker: int, fully: bool, price: int, size: int) -> None:
        order_id = self.market.order_ids[maker]
        assert (price, size) in fills(self.events)
        assert (order_id not in self.market.desk.engine.orders) == fully
        self.checked += 1

    def _check_book(self, rows: list[tuple[str, ...]]) -> None:
        bids, asks = self.market.desk.engine.depth("AAPL", 100)
        assert bids == [(int(price), int(size)) for size, price, _ in rows if size]
        assert asks == [(int(price), int(size)) for _, price, size in reversed(rows) if size]
        self.checked += 1


def test_exchange_core_book_and_trade_steps_hold(shared_data: Path) -> None:
    lines = (shared_data / "exchange_core_features" / "basic.feature").read_text().splitlines()
    scenarios: list[Scenario] = []
    for number, line in enumerate(lines):
        if line.strip().startswith(("Scenario", "Background")):
            scenarios.append(Scenario())
        if scenarios and not line.strip().startswith("|"):
            rows = []
            for row in lines[number + 1 :]:
                if not row.strip().startswith("|"):
                    break
                if found := _ROW.fullmatch(row.strip()):
                    rows.append(found.groups())
            scenarios[-1].step(line, rows)
    assert [scenario.checked for scenario in scenarios] == [0, 8, 2]
