"""The auction cases of CoinTossX: one price, the total traded, and the book that is left."""

import json
from pathlib import Path

from tests.unit.matching_engine.day_desk import DayDesk
from venue_protocol.commands import PlaceOrder
from venue_protocol.events import Trade
from venue_protocol.orders import BUY, SELL

_CASES = 2


def test_cointossx_auctions_clear_at_the_expected_price_with_the_expected_volume(
    shared_data: Path,
) -> None:
    cases = json.loads((shared_data / "cointossx_cases" / "cases.json").read_text())
    cases = [case for case in cases if case["tier"] == "core" and case["input_action"] == "uncross"]
    assert len(cases) == _CASES
    for case in cases:
        desk = DayDesk()
        desk.phase("opening_auction")
        for order in case["initial_orders"]:
            side, is_market = BUY if order["side"] == "buy" else SELL, order["price"] is None
            edge = 10**9 if side == BUY else 1
            desk.run(
                PlaceOrder(
                    f"client{order['id']}",
                    "AAPL",
                    side,
                    "market" if is_market else "limit",
                    "OPG" if is_market else "DAY",
                    order["qty"],
                    edge if is_market else order["price"],
                )
            )
        trades = [event for event in desk.phase("continuous") if type(event) is Trade]
        expected = case["expected_trades"]
        assert {trade.price_e4 for trade in trades} == {trade["price"] for trade in expected}, case[
            "case"
        ]
        assert sum(trade.quantity for trade in trades) == sum(trade["qty"] for trade in expected), (
            case["case"]
        )
        left = {
            (
                order.owner.client_id,
                desk.engine.sides[order.side_index].side,
                order.leaves,
                order.price_e4,
            )
            for order in desk.engine.orders.values()
        }
        assert left == {
            (
                f"client{order['id']}",
                BUY if order["side"] == "buy" else SELL,
                order["qty"],
                order["price"],
            )
            for order in case["expected_book"]
        }, case["case"]
