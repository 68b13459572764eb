"""Price-time priority, the lives of order types, self-trade prevention: acceptance cases 8, 9, 11,
12, 14.
"""

import pytest

from tests.unit.matching_engine.desk import Desk, cancels, order, trades
from venue_protocol.commands import PlaceOrder
from venue_protocol.events import OrderAccepted, Trade
from venue_protocol.invariants import BrokenInvariant


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_trade_prints_at_the_resting_price(desk: Desk) -> None:
    assert trades(desk.place("B 10@1.05 ann", "S 10@1.00 bob")) == ["10@1.05 buy #1 sell #2"]
    assert desk.book() == " | "


def test_level_canceled_and_made_again_is_swept_in_price_order(desk: Desk) -> None:
    desk.place("S 10@100 ann", "S 10@101 ann", "S 10@102 ann")
    desk.cancel(2)
    desk.place("S 10@101 ann")
    assert trades(desk.place("B 30@102 bob")) == [
        "10@100.00 buy #6 sell #1",
        "10@101.00 buy #6 sell #5",
        "10@102.00 buy #6 sell #3",
    ]
    assert desk.book() == " | "


def test_oldest_order_of_a_level_trades_first(desk: Desk) -> None:
    desk.place("B 5@10 ann", "B 5@10 cat", "B 5@10 dan")
    assert trades(desk.place("S 12@9 bob")) == [
        "5@10.00 buy #1 sell #4",
        "5@10.00 buy #2 sell #4",
        "2@10.00 buy #3 sell #4",
    ]
    assert desk.book() == "10.00: 3 #3 | "


def test_partial_fill_keeps_its_place(desk: Desk) -> None:
    desk.place("S 5@10 ann", "S 5@10 cat", "B 2@10 bob", "S 1@10 dan")
    assert desk.book() == " | 10.00: 3 #1, 5 #2, 1 #4"


def test_rest_of_an_aggressive_limit_order_rests_at_its_limit(desk: Desk) -> None:
    events = desk.place("S 5@10 ann", "B 8@11 bob")
    assert trades(events) == ["5@10.00 buy #2 sell #1"]
    assert desk.book() == "11.00: 3 #2 | "


def test_orders_of_different_securities_never_meet(desk: Desk) -> None:
    desk.place("S 5@10 ann", security_id="AAPL")
    assert trades(desk.place("B 5@10 bob", security_id="MSFT")) == []


def test_accepted_order_is_told_with_all_its_terms(desk: Desk) -> None:
    placed = PlaceOrder("ann", "AAPL", "BUY", "limit", "GTC", 5, 100_000, "mine-1")
    assert desk.run(placed) == [
        OrderAccepted(1, "ann", "AAPL", "BUY", "limit", "GTC", 5, 100_000, "mine-1"),
    ]


def test_trade_tells_both_sides_and_what_stays_open(desk: Desk) -> None:
    desk.place("B 10@1.05 ann")
    assert desk.place("S 4@1.00 bob")[1] == Trade(
        1, "AAPL", 10_500, 4, "SELL", 1, "ann", 10_500, 6, 2, "bob", 0
    )
    desk.place("S 4@1.20 bob")
    assert desk.place("B 5@1.30 cat")[1] == Trade(
        2, "AAPL", 12_000, 4, "BUY", 4, "cat", 13_000, 1, 3, "bob", 0
    )


def test_market_order_fills_what_is_there_and_the_rest_is_canceled(desk: Desk) -> None:
    events = desk.place("S 10@10 ann", "B 15@market 12 bob")
    assert trades(events) == ["10@10.00 buy #2 sell #1"]
    assert cancels(events) == ["5 of #2 market_remainder"]
    assert desk.book() == " | "


def test_market_order_on_an_empty_book_is_answered(desk: Desk) -> None:
    events = desk.place("B 15@market 12 bob")
    assert type(events[0]) is OrderAccepted
    assert cancels(events) == ["15 of #1 market_remainder"]


def test_market_order_does_not_trade_beyond_the_band(desk: Desk) -> None:
    events = desk.place("S 10@12.01 ann", "B 15@market 12 bob")
    assert trades(events) == []
    assert desk.book() == " | 12.01: 10 #1"


def test_ioc_remainder_is_canceled_not_rested(desk: Desk) -> None:
    events = desk.place("S 10@10 ann", "B 15@10 IOC bob")
    assert cancels(events) == ["5 of #2 ioc_remainder"]
    assert desk.book() == " | "


def test_ioc_that_meets_nothing_is_canceled_whole(desk: Desk) -> None:
    assert cancels(desk.place("S 10@10.01 ann", "B 15@10 IOC bob")) == ["15 of #2 ioc_remainder"]


def test_fok_fills_whole_across_levels(desk: Desk) -> None:
    events = desk.place("S 5@10 ann", "S 5@11 ann", "B 10@11 FOK bob")
    assert trades(events) == ["5@10.00 buy #3 sell #1", "5@11.00 buy #3 sell #2"]


def test_fok_one_share_short_trades_nothing(desk: Desk) -> None:
    events = desk.place("S 5@10 ann", "S 5@11 ann", "S 9@11.01 ann", "B 11@11 FOK bob")
    assert trades(events) == []
    assert cancels(events) == ["11 of #4 fok_unfilled"]
    assert desk.book() == " | 10.00: 5 #1; 11.00: 5 #2; 11.01: 9 #3"


def test_fok_does_not_count_what_stands_behind_an_own_order(desk: Desk) -> None:
    desk.place("S 5@10 ann", "S 5@10 bob", "S 9@10 ann")
    assert cancels(desk.place("B 6@10 FOK bob")) == ["6 of #4 fok_unfilled"]
    assert trades(desk.place("B 5@10 FOK bob")) == ["5@10.00 buy #5 sell #1"]


def test_own_orders_never_trade_with_each_other(desk: Desk) -> None:
    events = desk.place("B 10@10 ann", "S 10@9 ann")
    assert trades(events) == []
    assert cancels(events) == ["10 of #2 self_trade_prevention"]
    assert desk.book() == "10.00: 10 #1 | "


def test_trades_before_an_own_order_stand_and_the_rest_is_canceled(desk: Desk) -> None:
    events = desk.place("S 3@10 bob", "S 3@10 ann", "S 3@10 bob", "B 9@10 ann")
    assert trades(events) == ["3@10.00 buy #4 sell #1"]
    assert cancels(events) == ["6 of #4 self_trade_prevention"]
    assert desk.book() == " | 10.00: 3 #2, 3 #3"


def test_own_order_behind_the_limit_does_not_matter(desk: Desk) -> None:
    desk.place("S 3@10 bob", "S 3@11 ann")
    assert cancels(desk.place("B 9@10 ann")) == []
    assert desk.book() == "10.00: 6 #3 | 11.00: 3 #2"


def test_order_filled_exactly_in_front_of_an_own_order_is_not_canceled(desk: Desk) -> None:
    events = desk.place("S 3@10 bob", "S 3@10 ann", "B 3@10 ann")
    assert trades(events) == ["3@10.00 buy #3 sell #1"]
    assert cancels(events) == []


def test_a_level_of_a_hundred_thousand_orders_is_swept_in_order(desk: Desk) -> None:
    count = 100_000
    desk.run(*(order("B 1@10 ann") for _ in range(count)))
    sold = [event for event in desk.run(order(f"S {count - 1}@10 bob")) if type(event) is Trade]
    assert [trade.buy_order_id for trade in sold] == list(range(1, count))
    assert desk.book() == f"10.00: 1 #{count} | "


def test_order_logged_without_quantity_stops_the_engine(desk: Desk) -> None:
    with pytest.raises(BrokenInvariant, match="quantity 0"):
        desk.place("B 0@10 ann")
