"""The published book of every order type: folded from the events alone it is the engine's own, also
after a restart.
"""

import pytest

from market_data_feed.domain.market import Market
from market_data_feed.domain.orders import Fold
from market_data_feed.domain.working_order import WorkingOrder
from matching_engine.domain.engine import MatchingEngine
from tests.unit.matching_engine.random_flow import RandomFlow

SECURITIES = ("AAPL", "MSFT")


def published(
    market: Market, security_id: str
) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    """Price and shares of each level."""
    sides = market.security(security_id).bids, market.security(security_id).asks
    bids, asks = (
        [(price, shares) for price, shares, _ in book_side.depth()] for book_side in sides
    )
    return bids, asks


@pytest.mark.parametrize("seed", range(8))
def test_the_published_book_shows_what_the_engine_shows_and_no_more(seed: int) -> None:
    engine, flow, market = MatchingEngine(), RandomFlow(seed), Market()
    working: dict[int, WorkingOrder] = {}
    hidden = waiting = 0
    for _ in range(300):
        batch = engine.apply(flow.batch())
        fold = Fold(working)
        fold.apply(batch, batch.first)
        market.apply(fold.effects[0])
        again = Market()
        again.rest(working.values())
        for security_id in SECURITIES:
            shown = engine.depth(security_id, 1000)
            assert published(market, security_id) == published(again, security_id) == shown
        assert {order_id: order.leaves for order_id, order in working.items()} == {
            order_id: order.leaves for order_id, order in engine.orders.items()
        }
        hidden += sum(order.visible < order.leaves for order in working.values())
        waiting += sum(order.is_waiting_stop() for order in working.values())
    assert hidden > waiting > 0


def test_statuses_and_reports_of_the_rarer_orders() -> None:
    """What each order is told: one line of kinds an order."""
    engine, flow = MatchingEngine(), RandomFlow(3)
    working: dict[int, WorkingOrder] = {}
    kinds: set[tuple[str, str | None]] = set()
    for _ in range(300):
        batch = engine.apply(flow.batch())
        fold = Fold(working)
        fold.apply(batch, batch.first)
        types = {accepted.order_id: accepted.order_type for accepted, _ in fold.accepted}
        for report in fold.effects[0].reports:
            kinds.add((report.kind, report.status))
            if types.get(report.order_id or 0) in ("market", "stop"):
                assert report.price_e4 is None
    assert {
        ("expired", "expired"),
        ("triggered", "new"),
        ("reduced", "new"),
        ("canceled", "canceled"),
    } <= kinds
