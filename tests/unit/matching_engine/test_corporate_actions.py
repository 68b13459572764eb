"""Corporate actions on a book: FINRA 5330 as a table, queues that keep their order, holds that
follow to the cent.
"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matching_engine.domain.engine import MatchingEngine
from matching_engine.domain.order_adjustment import AdjustedTerms, split_order
from tests.unit.matching_engine.day_desk import DayDesk, order
from venue_protocol.commands import ApplyCorporateAction, PlaceOrder
from venue_protocol.corporate_actions import CashDividend, Delisting, Split, SymbolChange
from venue_protocol.events import (
    CorporateActionApplied,
    CorporateActionDeclared,
    Event,
    OrderAdjusted,
    OrderCanceled,
    Trade,
)
from venue_protocol.holds import held_amount
from venue_protocol.money import format_e4, parse_e4
from venue_protocol.orders import BUY, OrderTerms, OrderType

CENT = 100
REFERENCE_E4 = 1_000_000


def split(new: int, old: int, lot: int = 1, tick_e4: int = CENT) -> ApplyCorporateAction:
    return ApplyCorporateAction(
        "boss", "AAPL", Split(new, old, 500_000), REFERENCE_E4, tick_e4, lot
    )


def stop(text: str, stop_price: str, order_type: OrderType = "stop_limit") -> PlaceOrder:
    placed = order(text, terms=OrderTerms(stop_price_e4=parse_e4(stop_price)))
    return PlaceOrder(
        placed.client_id,
        placed.security_id,
        placed.side,
        order_type,
        placed.time_in_force,
        placed.quantity,
        placed.price_e4,
        None,
        placed.terms,
    )


def halted(*commands: PlaceOrder) -> DayDesk:
    desk = DayDesk()
    for command in commands:
        desk.run(command)
    desk.phase("halted", "AAPL", "a split")
    return desk


def said(event: Event) -> str:
    if type(event) is OrderCanceled:
        return f"#{event.order_id} canceled {event.quantity} {event.reason}"
    if type(event) is OrderAdjusted:
        side, price = event.side[0], format_e4(event.price_e4)
        terms = event.terms
        waits = f" stop {format_e4(terms.stop_price_e4)}" if terms and terms.stop_price_e4 else ""
        return f"#{event.order_id} {side} {event.leaves}@{price}{waits} hold {event.hold_change:+d}"
    assert type(event) is CorporateActionApplied
    return f"{event.security_id} {format_e4(event.reference_price_e4)}"


SPLITS = {
    "a buy limit: price halved, size doubled, the hold no more": (
        (2, 1, 1, order("B 10@100.01 ann")),
        "#1 B 20@50.00 hold -1000",
    ),
    "a sell limit: its hold grows with its shares": (
        (2, 1, 1, order("S 10@100.01 ann")),
        "#1 S 20@50.01 hold +10",
    ),
    "3 for 2: the price of a buy down to the tick, its size down to the lot": (
        (3, 2, 1, order("B 25@100.00 ann")),
        "#1 B 37@66.66 hold -335800",
    ),
    "3 for 2: the price of a sell up to the tick": (
        (3, 2, 1, order("S 25@100.00 ann")),
        "#1 S 37@66.67 hold +12",
    ),
    "sizes are whole lots": (
        (3, 2, 100, order("S 300@100.00 ann")),
        "#1 S 400@66.67 hold +100",
    ),
    "a sell stop down to the tick": (
        (3, 2, 1, stop("S 10@80.00 ann", "90.01")),
        "#1 S 15@53.34 stop 60.00 hold +5",
    ),
    "a buy stop up to the tick": (
        (3, 2, 1, stop("B 10@120.00 ann", "110.00")),
        "#1 B 15@80.00 stop 73.34 hold +0",
    ),
    "a buy whose price would round to nothing is canceled": (
        (300, 1, 1, order("B 10@1.00 ann")),
        "#1 canceled 10 corporate_action",
    ),
}


@pytest.mark.parametrize("name", SPLITS)
def test_a_forward_split_adjusts_each_kind_of_order(name: str) -> None:
    (new, old, lot, placed), expected = SPLITS[name]
    desk = halted(placed)
    applied, adjusted = desk.run(split(new, old, lot))
    assert type(applied) is CorporateActionApplied
    assert said(adjusted) == expected


@given(
    st.integers(1, 5_000),
    st.integers(1, 200),
    st.integers(1, 300),
    st.integers(1, 20),
    st.integers(1, 20),
)
def test_a_buy_with_fees_never_holds_more_than_before(
    ticks: int, leaves: int, bps: int, new: int, old: int
) -> None:
    """$1.00 at one basis point holds $1.0001 a share; two at half the price would hold $0.5001
    each, which is more.
    """
    if new <= old:
        return
    adjusted = split_order(
        Split(new, old, 0), BUY, AdjustedTerms(ticks * CENT, leaves, None), CENT, 1, bps
    )
    if adjusted is not None:
        before = held_amount(BUY, ticks * CENT, leaves, bps)
        assert held_amount(BUY, adjusted.price_e4, adjusted.leaves, bps) <= before


DIVIDENDS = {
    "a buy limit is lowered, down to the tick": (order("B 10@50.00 ann"), 2_550, "#1 B 10@49.74"),
    "a sell limit stays": (order("S 10@50.00 ann"), 2_550, None),
    "a sell stop is lowered, with its limit": (
        stop("S 10@45.00 ann", "48.00"),
        2_550,
        "#1 S 10@44.74 stop 47.74",
    ),
    "a buy stop stays": (stop("B 10@55.00 ann", "52.00"), 2_550, None),
    "less than a cent changes nothing": (order("B 10@50.00 ann"), 99, None),
    "a cent changes": (order("B 10@50.00 ann"), 100, "#1 B 10@49.99"),
    "a DNR buy stays": (
        order("B 10@50.00 ann", terms=OrderTerms(does_not_reduce=True)),
        2_550,
        None,
    ),
    "a DNR sell stop stays": (
        order("S 10@45.00 ann", terms=OrderTerms(parse_e4("48"), does_not_reduce=True)),
        2_550,
        None,
    ),
    "a buy below the dividend is canceled": (
        order("B 10@0.25 ann"),
        2_550,
        "#1 canceled 10 corporate_action",
    ),
    "a market order for the auction has no price to lower": (
        order("B 10@market 60 CLS ann"),
        2_550,
        None,
    ),
}


def dividend(per_share_e4: int, ex_us: int, pay_us: int) -> ApplyCorporateAction:
    action = CashDividend(per_share_e4, ex_us, ex_us, pay_us)
    return ApplyCorporateAction("boss", "AAPL", action, REFERENCE_E4, CENT, 1)


@pytest.mark.parametrize("name", DIVIDENDS)
def test_on_the_ex_date_orders_are_reduced_as_finra_5330_says(name: str) -> None:
    placed, per_share_e4, expected = DIVIDENDS[name]
    desk = halted(placed)
    declared, *rest = desk.run(dividend(per_share_e4, 0, 1 << 60))
    assert type(declared) is CorporateActionDeclared
    told = [said(event).split(" hold ")[0] for event in rest]
    assert [text for text in told if text.startswith("#")] == [expected] * (expected is not None)
    assert len(told) == 1 + (expected is not None)


def test_a_dividend_goes_ex_at_the_first_halt_from_its_time_on_and_is_paid_by_time() -> None:
    desk = DayDesk()
    desk.place("B 10@50.00 ann")
    now_us = desk.engine.time_us
    desk.run(dividend(2_500, now_us + 10_000_000, now_us + 100_000_000))
    assert kinds(desk.wait(20)) == ["TimeAdvanced"]
    assert kinds(desk.phase("halted", "AAPL")) == [
        "PhaseChanged",
        "CorporateActionApplied",
        "OrderAdjusted",
    ]
    snapshot = desk.engine.snapshot()
    assert MatchingEngine.restore(snapshot).snapshot() == snapshot
    desk.phase("continuous", "AAPL")
    assert kinds(desk.wait(90)) == ["DividendPaid", "TimeAdvanced"]
    assert kinds(desk.wait(90)) == ["TimeAdvanced"]


def test_of_two_dividends_that_go_ex_together_the_second_sees_what_the_first_changed() -> None:
    desk = DayDesk()
    now_us = desk.engine.time_us
    for per_share_e4 in (10_000, 20_000):
        desk.run(dividend(per_share_e4, now_us + 10, now_us + 100_000_000))
    desk.wait(1)
    references = [
        format_e4(event.reference_price_e4)
        for event in desk.phase("halted", "AAPL")
        if isinstance(event, CorporateActionApplied)
    ]
    assert references == ["99.00", "97.00"]


def test_an_elected_stop_limit_is_reduced_as_the_limit_order_that_it_is_now() -> None:
    desk = DayDesk()
    desk.place("S 1@52.00 bob", "B 1@52.00 cat")
    desk.run(stop("B 10@51.00 ann", "51.50"))
    desk.phase("halted", "AAPL")
    *_, adjusted = desk.run(dividend(2_550, 0, 1 << 60))
    assert said(adjusted).startswith("#3 B 10@50.74")


def test_before_its_time_a_halt_does_not_let_a_dividend_go_ex() -> None:
    desk = halted()
    now_us = desk.engine.time_us
    assert kinds(desk.run(dividend(2_500, now_us + 10_000_000, now_us + 10_000_000))) == [
        "CorporateActionDeclared"
    ]
    assert kinds(desk.wait(20)) == ["CorporateActionApplied", "DividendPaid", "TimeAdvanced"]


def kinds(events: list[Event]) -> list[str]:
    return [type(event).__name__ for event in events]


def rename(keeps_orders: bool = True) -> ApplyCorporateAction:
    action = SymbolChange("APPL", keeps_orders)
    return ApplyCorporateAction("boss", "AAPL", action, REFERENCE_E4, CENT, 1)


def test_orders_go_on_under_a_new_symbol_in_their_places_and_trade_there() -> None:
    desk = halted(order("S 5@50.00 ann"), stop("S 5@40.00 bob", "45.00"))
    applied, *adjusted, phase = desk.run(rename())
    assert kinds([applied, phase]) == ["CorporateActionApplied", "PhaseChanged"]
    assert [
        (event.security_id, event.new_security_id, event.hold_change)
        for event in adjusted
        if isinstance(event, OrderAdjusted)
    ] == [("AAPL", "APPL", 0)] * 2
    snapshot = desk.engine.snapshot()
    assert MatchingEngine.restore(snapshot).snapshot() == snapshot
    desk.phase("continuous", "APPL")
    events = desk.place("B 5@50.00 cat", security_id="APPL")
    assert isinstance(events[-1], Trade) and events[-1].security_id == "APPL"
    assert "AAPL" not in desk.engine.books


def test_orders_are_canceled_at_a_change_of_symbol_if_it_says_so_and_at_a_delisting() -> None:
    for action in (rename(keeps_orders=False), delist()):
        desk = halted(order("S 5@50.00 ann"), order("B 5@40.00 bob"))
        assert kinds(desk.run(action))[:3] == [
            "OrderCanceled",
            "OrderCanceled",
            "CorporateActionApplied",
        ]
        assert not desk.engine.orders


def delist() -> ApplyCorporateAction:
    return ApplyCorporateAction("boss", "AAPL", Delisting(5_000), REFERENCE_E4, CENT, 1)


def test_a_delisted_security_pays_the_dividend_that_it_went_ex_with_and_no_other() -> None:
    desk = halted()
    later_us = desk.engine.time_us + 10_000_000
    desk.run(dividend(2_500, 0, later_us))
    desk.run(dividend(2_500, later_us, later_us))
    desk.run(delist())
    assert kinds(desk.wait(20)) == ["DividendPaid", "TimeAdvanced"]


def test_a_reverse_split_cancels_all_open_orders_before_it_takes_effect() -> None:
    desk = halted(order("B 10@99.00 ann"), order("S 10@101.00 bob"), stop("S 5@80.00 cat", "90.00"))
    assert [said(event) for event in desk.run(split(1, 10))] == [
        "#1 canceled 10 corporate_action",
        "#2 canceled 10 corporate_action",
        "#3 canceled 5 corporate_action",
        "AAPL 1000.00",
    ]
    assert not desk.engine.orders


def test_what_is_filled_stays_as_it_was_and_the_rest_is_split() -> None:
    desk = halted(order("S 10@100.00 ann"), order("B 4@100.00 bob"))
    _, adjusted = desk.run(split(2, 1))
    assert isinstance(adjusted, OrderAdjusted)
    assert (adjusted.quantity, adjusted.leaves) == (4 + 12, 12)


def test_orders_keep_their_priority_where_two_prices_become_one() -> None:
    """99.99 and 100.00 both become 33.33 in a split 3 for 1: the better price of before is first,
    though it came later.
    """
    desk = halted(order("B 1@99.99 ann"), order("B 1@100.00 bob"), order("B 1@99.99 cat"))
    desk.run(split(3, 1))
    queue = desk.engine.books["AAPL"].bids.levels[parse_e4("33.33")].queue
    assert [held.owner.client_id for held in queue.values()] == ["bob", "ann", "cat"]


def test_an_iceberg_shows_its_split_part_and_no_less_than_its_rule_asks() -> None:
    desk = halted(order("S 100@100.00 ann", terms=OrderTerms(display_quantity=1)))
    desk.run(split(3, 2))
    (held,) = desk.engine.orders.values()
    assert held.terms is not None and held.terms.display_quantity == 2
    assert desk.engine.depth("AAPL", 5) == ([], [(parse_e4("66.67"), 2)])


def test_no_stop_is_elected_by_the_split_itself() -> None:
    """The last trade is 10.01, one tick above the stop of 10.00; both halves are 5.00 on the
    tick.
    """
    desk = DayDesk()
    desk.place("S 5@10.01 ann", "B 5@10.01 bob")
    desk.run(stop("S 5@9.00 cat", "10.00"))
    desk.phase("halted", "AAPL")
    desk.run(split(2, 1))
    desk.phase("continuous", "AAPL")
    assert len(desk.engine.books["AAPL"].stops.waiting) == 1


def test_the_auctions_reference_and_the_band_follow() -> None:
    desk = DayDesk()
    desk.bands(500, "100.00")
    desk.place("S 5@100.00 ann", "B 5@100.00 bob")
    desk.phase("halted", "AAPL")
    desk.run(split(2, 1))
    assert desk.engine.books["AAPL"].last_e4 == parse_e4("50.00")
    assert desk.engine.references["AAPL"] == parse_e4("50.00")
    assert desk.engine.bands["AAPL"].reference_e4 == parse_e4("50.00")
    desk.phase("continuous", "AAPL")
    assert desk.engine.bands["AAPL"].reference_e4 == parse_e4("50.00")


def test_a_security_without_a_book_takes_a_split() -> None:
    desk = DayDesk()
    desk.phase("halted", "AAPL")
    assert [said(event) for event in desk.run(split(4, 1))] == ["AAPL 25.00"]


def test_a_snapshot_after_a_split_is_the_state_itself() -> None:
    desk = halted(
        order("B 10@99.00 DAY ann"),
        order("S 100@101.00 bob", terms=OrderTerms(display_quantity=10)),
        stop("S 5@80.00 cat", "90.00"),
        order("S 5@101.00 CLS dan"),
    )
    desk.run(split(3, 2))
    snapshot = desk.engine.snapshot()
    assert MatchingEngine.restore(snapshot).snapshot() == snapshot
