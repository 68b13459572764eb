"""Cancels, mass cancels and amends: acceptance cases 6, 7, 10, 13 where the book decides them."""

import sys

import pytest

from matching_engine.domain import ended_orders
from tests.unit.matching_engine.desk import Desk, cancels, order, refusals, trades
from venue_protocol.commands import AmendOrder, CancelOrder
from venue_protocol.events import AmendRejected, MassCancelReport, OrderAmended, OrderCanceled
from venue_protocol.identifiers import sharded_id


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_cancel_tells_what_was_open(desk: Desk) -> None:
    desk.place("B 10@10 ann", "S 4@10 bob")
    assert desk.cancel(1) == [OrderCanceled(1, "ann", "AAPL", "BUY", 100_000, 6, "requested")]
    assert desk.book() == " | "


def test_cancel_of_a_filled_order_says_so(desk: Desk) -> None:
    desk.place("B 10@10 ann", "S 10@10 bob")
    assert refusals(desk.cancel(1)) == ["order.already_filled"]
    assert refusals(desk.cancel(2)) == ["order.already_filled"]


def test_second_cancel_says_so(desk: Desk) -> None:
    desk.place("B 10@10 ann")
    desk.cancel(1)
    events = desk.cancel(1)
    assert refusals(events) == ["order.already_canceled"]
    assert cancels(events) == []


@pytest.mark.parametrize("text", ["B 10@10 IOC ann", "B 10@10 FOK ann", "B 10@market 10 ann"])
def test_cancel_of_an_order_that_never_rested_says_canceled(desk: Desk, text: str) -> None:
    desk.place(text)
    assert refusals(desk.cancel(1)) == ["order.already_canceled"]


@pytest.mark.parametrize("order_id", [0, -1, 99, sharded_id(1, 1)])
def test_cancel_of_an_order_that_never_was_says_unknown(desk: Desk, order_id: int) -> None:
    desk.place("B 10@10 ann")
    assert refusals(desk.cancel(order_id, "ann")) == ["order.unknown"]


def test_foreign_order_is_unknown_and_stays(desk: Desk) -> None:
    desk.place("B 10@10 ann")
    assert refusals(desk.cancel(1, "bob")) == ["order.unknown"]
    assert refusals(desk.amend(1, 5, "10", "bob")) == ["order.unknown"]
    assert desk.book() == "10.00: 10 #1 | "


def test_number_of_a_cancel_is_not_an_open_order(desk: Desk) -> None:
    desk.place("B 10@10 ann")
    desk.cancel(1)
    desk.place("B 10@10 ann")
    assert refusals(desk.cancel(2, "ann")) == ["order.not_open"]


def test_end_of_an_order_is_forgotten_only_after_many_others(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ended_orders, "REMEMBERED_BATCHWISE", 100)
    desk.place("B 10@10 ann")
    desk.cancel(1)
    desk.run(*(order("B 1@10 IOC bob") for _ in range(99)))
    assert refusals(desk.cancel(1)) == ["order.already_canceled"]
    desk.run(*(order("B 1@10 IOC bob") for _ in range(100)))
    assert refusals(desk.cancel(1)) == ["order.not_open"]


def test_best_bid_canceled_gives_the_next_best(desk: Desk) -> None:
    desk.place("B 10@10 ann", "B 10@11 ann", "S 5@12 bob")
    desk.cancel(2)
    assert desk.engine.depth("AAPL", 1) == ([(100_000, 10)], [(120_000, 5)])
    desk.cancel(3)
    assert desk.engine.depth("AAPL", 1) == ([(100_000, 10)], [])


def test_cancel_number_65536_leaves_order_1_alone(desk: Desk) -> None:
    desk.place("B 1@9 ann")
    desk.run(*(order("B 1@10 bob") for _ in range(70_000)))
    desk.cancel(65_536)
    desk.cancel(65_537)
    assert 1 in desk.engine.orders
    assert len(desk.engine.orders) == 69_999


def test_cancel_all_takes_the_oldest_first_and_counts(desk: Desk) -> None:
    desk.place("B 1@10 ann", "B 1@11 bob", "S 1@12 ann", "B 1@9 ann")
    desk.amend(1, 5, "9.50")
    events = desk.cancel_all("ann")
    assert cancels(events) == ["5 of #1 requested", "1 of #3 requested", "1 of #4 requested"]
    assert events[-1] == MassCancelReport("ann", None, 3)
    assert desk.book() == "11.00: 1 #2 | "


def test_cancel_all_of_one_security_leaves_the_others(desk: Desk) -> None:
    desk.place("B 1@10 ann", security_id="AAPL")
    desk.place("B 1@10 ann", security_id="MSFT")
    assert desk.cancel_all("ann", "MSFT")[-1] == MassCancelReport("ann", "MSFT", 1)
    assert desk.book("AAPL") == "10.00: 1 #1 | "
    assert cancels(desk.cancel_all("ann")) == ["1 of #1 requested"]


def test_cancel_all_of_a_stranger_is_answered(desk: Desk) -> None:
    assert desk.cancel_all("nobody", "NONE") == [MassCancelReport("nobody", "NONE", 0)]


def test_less_at_the_same_price_keeps_its_place(desk: Desk) -> None:
    desk.place("B 10@10 ann", "B 10@10 cat", "S 2@10 bob")
    assert desk.amend(1, 6, "10") == [
        OrderAmended(1, "ann", "AAPL", "BUY", 6, 100_000, 4, 100_000, 8, 400_000),
    ]
    assert desk.book() == "10.00: 4 #1, 10 #2 | "


def test_more_at_the_same_price_goes_to_the_back(desk: Desk) -> None:
    desk.place("B 10@10 ann", "B 10@10 cat")
    assert desk.amend(1, 11, "10") == [
        OrderAmended(1, "ann", "AAPL", "BUY", 11, 100_000, 11, 100_000, 10, 0),
    ]
    assert desk.book() == "10.00: 10 #2, 11 #1 | "


def test_new_price_goes_to_the_back_even_with_less(desk: Desk) -> None:
    desk.place("S 10@10 ann", "S 10@11 cat")
    desk.amend(1, 5, "11")
    assert desk.book() == " | 11.00: 10 #2, 5 #1"


def test_amend_across_the_spread_trades_at_the_resting_price(desk: Desk) -> None:
    desk.place("S 4@10 bob", "B 10@9 ann")
    events = desk.amend(2, 12, "10.50")
    assert trades(events) == ["4@10.00 buy #2 sell #1"]
    assert type(events[0]) is OrderAmended
    assert events[0].leaves == 12
    assert desk.book() == "10.50: 8 #2 | "


def test_amend_that_fills_the_order_ends_it(desk: Desk) -> None:
    desk.place("S 10@10 bob", "B 10@9 ann")
    assert trades(desk.amend(2, 10, "10")) == ["10@10.00 buy #2 sell #1"]
    assert refusals(desk.cancel(2)) == ["order.already_filled"]


def test_amend_into_an_own_order_cancels_the_rest(desk: Desk) -> None:
    desk.place("S 10@10 ann", "B 10@9 ann")
    assert cancels(desk.amend(2, 10, "10")) == ["10 of #2 self_trade_prevention"]
    assert desk.book() == " | 10.00: 10 #1"


def test_amend_to_what_is_filled_ends_the_order(desk: Desk) -> None:
    desk.place("B 10@10 ann", "S 6@10 bob")
    assert desk.amend(1, 6, "10") == [
        OrderAmended(1, "ann", "AAPL", "BUY", 6, 100_000, 0, 100_000, 4, 400_000)
    ]
    assert desk.book() == " | "
    assert refusals(desk.cancel(1)) == ["order.already_filled"]


def test_amend_below_what_is_filled_is_refused_and_frees_its_hold(desk: Desk) -> None:
    desk.place("B 10@10 ann", "S 6@10 bob")
    assert desk.run(AmendOrder("ann", 1, 5, 300_000, 500_000)) == [
        AmendRejected(1, "ann", "order.amend_below_filled", "AAPL", "BUY", 500_000)
    ]
    assert desk.book() == "10.00: 4 #1 | "


def test_amend_of_a_filled_order_is_refused_and_frees_its_hold(desk: Desk) -> None:
    desk.place("S 10@10 ann", "B 10@10 bob")
    assert desk.run(AmendOrder("ann", 1, 15, 100_000, 5)) == [
        AmendRejected(1, "ann", "order.already_filled", "AAPL", "SELL", 5)
    ]


def test_amend_of_an_order_never_seen_is_refused(desk: Desk) -> None:
    assert desk.run(AmendOrder("ann", 77, 15, 100_000, 0)) == [
        AmendRejected(77, "ann", "order.unknown", None, None, 0)
    ]


def test_amend_that_changes_nothing_is_refused_and_keeps_its_place(desk: Desk) -> None:
    desk.place("B 10@10 ann", "B 10@10 cat")
    assert refusals(desk.run(AmendOrder("ann", 1, 10, 100_000, 7))) == [
        "order.amend_changes_nothing"
    ]
    assert desk.book() == "10.00: 10 #1, 10 #2 | "


@pytest.mark.parametrize(
    ("text", "price_e4", "reason"),
    [
        ("B 10@10 ann", 110_000, "risk.insufficient_funds"),
        ("S 10@10 ann", 100_000, "risk.insufficient_shares"),
    ],
)
def test_amend_that_its_hold_does_not_cover_is_refused(
    desk: Desk, text: str, price_e4: int, reason: str
) -> None:
    desk.place(text)
    quantity = 10 if text[0] == "B" else 11
    assert refusals(desk.run(AmendOrder("ann", 1, quantity, price_e4, 0))) == [reason]


def test_amend_after_fills_the_door_did_not_know_of_frees_the_surplus(desk: Desk) -> None:
    desk.place("B 10@10 ann", "S 6@10 bob")
    # The door held 10 * 12 - 10 * 10 = 20 dollars more; with 6 filled only 4 * 12 = 48 of 40 + 20
    # are needed.
    amended = desk.amend(1, 10, "12")[0]
    assert type(amended) is OrderAmended
    assert amended.hold_released == 120_000


def test_many_cancels_at_one_price_leave_no_places_behind(desk: Desk) -> None:
    desk.place("B 1@10 ann")
    for _ in range(50):
        first = desk.engine.log_position + 1
        desk.run(*(order("B 1@10 bob") for _ in range(100)))
        desk.run(*(CancelOrder("bob", order_id) for order_id in range(first, first + 100)))
    level = desk.engine.books["AAPL"].bids.levels[100_000]
    assert sys.getsizeof(level.queue) <= 40_000
    assert len(desk.engine.clients["bob"].order_ids) <= 400


def test_orders_that_left_the_front_are_walked_over_once(desk: Desk) -> None:
    desk.run(*(order("B 2@10 ann") for _ in range(5000)))
    desk.run(*(CancelOrder("ann", order_id) for order_id in range(1, 4001)))
    level = desk.engine.books["AAPL"].bids.levels[100_000]
    assert level.left == 4000
    assert trades(desk.place("S 1@10 bob")) == ["1@10.00 buy #4001 sell #9001"]
    assert level.left == 0
    desk.cancel_all("ann")
    assert desk.engine.books["AAPL"].bids.levels == {}


def test_many_prices_used_once_leave_no_levels_behind(desk: Desk) -> None:
    desk.place("B 1@5000 ann")
    for price in range(1, 4000):
        desk.place(f"B 1@{price} bob")
        desk.cancel(desk.engine.log_position)
    assert len(desk.engine.books["AAPL"].bids.levels) <= 200
