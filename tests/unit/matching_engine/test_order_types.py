"""Each order type by example, with its near miss.

The slow reference (test_random_flow) has all of them together.
"""

import msgspec
import pytest

from matching_engine.domain.engine import MatchingEngine
from tests.unit.matching_engine.desk import Desk, cancels, order, refusals, trades
from venue_protocol.codec import SCHEMA
from venue_protocol.commands import AdvanceTime, CancelOrder, CommandBatch, PlaceOrder
from venue_protocol.events import Event, OrderReduced, OrderTriggered, TimeAdvanced
from venue_protocol.money import parse_e4
from venue_protocol.orders import OrderTerms


def special(
    text: str, order_type: str = "limit", stop: str | None = None, **terms: object
) -> PlaceOrder:
    """The order of `text` with these terms."""
    stop_price_e4 = None if stop is None else parse_e4(stop)
    made = OrderTerms(stop_price_e4, **terms)  # type: ignore[arg-type]
    tif = "GTD" if made.expires_us is not None else "IOC" if made.min_quantity is not None else None
    change = {"order_type": order_type, "terms": made} | ({"time_in_force": tif} if tif else {})
    return msgspec.structs.replace(order(text), **change)


def stop_order(text: str, stop: str) -> PlaceOrder:
    """A stop that becomes a market order; the price in `text` is the edge of the band."""
    return special(text, "stop", stop)


def triggered(events: list[Event]) -> list[int]:
    """Ids of the stops that were elected, in order."""
    return [event.order_id for event in events if type(event) is OrderTriggered]


def test_case_12_a_stop_whose_trigger_is_above_the_market_does_not_trade() -> None:
    desk = Desk()
    desk.place("S 10@10.00 bob", "B 1@10.00 cat")
    assert trades(desk.run(stop_order("B 5@20 ann", "10.01"))) == []
    assert desk.book() == " | 10.00: 9 #1"
    assert triggered(desk.place("B 1@10.00 cat")) == []


def test_a_stop_is_elected_by_the_last_trade() -> None:
    desk = Desk()
    desk.place("S 5@10.00 bob", "S 5@10.05 bob", "S 9@10.10 bob")
    desk.run(stop_order("B 6@20 ann", "10.05"))
    assert triggered(desk.place("B 5@10.00 cat")) == []
    events = desk.place("B 1@10.05 cat")
    assert triggered(events) == [4]
    assert trades(events) == [
        "1@10.05 buy #6 sell #2",
        "4@10.05 buy #4 sell #2",
        "2@10.10 buy #4 sell #3",
    ]


def test_a_sell_stop_is_elected_at_its_price_or_below() -> None:
    desk = Desk()
    desk.place("B 1@10.00 bob", "B 1@9.99 bob", "B 5@9.98 bob")
    desk.run(stop_order("S 3@1 ann", "9.99"))
    assert triggered(desk.place("S 1@10.00 cat")) == []
    assert trades(desk.place("S 1@9.99 cat"))[1:] == ["3@9.98 buy #3 sell #4"]


def test_a_stop_that_the_last_trade_is_through_already_is_elected_at_once() -> None:
    desk = Desk()
    desk.place("S 10@10.00 bob", "B 1@10.00 cat")
    events = desk.run(stop_order("B 5@20 ann", "9.90"))
    assert (triggered(events), trades(events)) == ([3], ["5@10.00 buy #3 sell #1"])


def test_a_trade_elects_also_where_a_later_one_of_the_same_order_is_back_across() -> None:
    """A buy order takes 10.00 and 10.20; the sell stop at 10.05 saw the first of the two."""
    desk = Desk()
    desk.place("S 1@10.10 bob", "B 1@10.10 cat", "S 1@10.00 bob", "S 1@10.20 bob")
    desk.run(stop_order("S 1@1 ann", "10.05"))
    assert triggered(desk.place("B 2@10.20 cat")) == [5]


def test_of_several_elected_stops_the_farthest_goes_first_then_the_oldest() -> None:
    desk = Desk()
    desk.place("S 9@10.20 bob")
    for stop in ("10.15", "10.10", "10.10", "10.18"):
        desk.run(stop_order("B 1@20 ann", stop))
    assert triggered(desk.place("B 1@10.20 cat")) == [3, 4, 2, 5]


def test_the_rest_of_a_stop_is_canceled_and_that_of_a_stop_limit_rests() -> None:
    desk = Desk()
    desk.place("S 3@10.00 bob")
    desk.run(stop_order("B 5@20 ann", "10.00"))
    desk.run(special("B 5@10.00 dan", "stop_limit", "10.00"))
    events = desk.place("B 1@10.00 cat")
    assert triggered(events) == [2, 3]
    assert cancels(events) == ["3 of #2 market_remainder"]
    assert desk.book() == "10.00: 5 #3 | "


def test_a_stop_that_waits_can_be_canceled_and_amended_but_is_not_in_the_book() -> None:
    desk = Desk()
    desk.run(special("B 5@10.00 ann", "stop_limit", "9.00"))
    assert desk.book() == " | "
    desk.amend(1, 7, "9.50")
    desk.place("S 1@8.00 bob", "B 1@8.00 cat")
    assert cancels(desk.cancel(1)) == ["7 of #1 requested"]
    assert refusals(desk.cancel(1)) == ["order.already_canceled"]


def test_a_mass_cancel_ends_stops_too() -> None:
    desk = Desk()
    desk.run(stop_order("B 5@20 ann", "10.00"))
    assert cancels(desk.cancel_all("ann")) == ["5 of #1 requested"]


def timed(engine: MatchingEngine, time_us: int, *commands: object) -> list[Event]:
    """The events of a batch at this time."""
    events = engine.apply(CommandBatch(SCHEMA, 0, engine.log_position + 1, time_us, list(commands)))
    engine.check_invariants()
    return events.events


def test_an_order_expires_before_the_first_command_of_the_batch_that_reaches_its_time() -> None:
    engine = MatchingEngine()
    timed(engine, 10, special("S 5@10 ann", expires_us=100), special("S 5@10 dan", expires_us=101))
    events = timed(engine, 100, order("B 9@10 bob"))
    assert cancels(events) == ["5 of #1 expired"]
    assert trades(events) == ["5@10.00 buy #3 sell #2"]
    assert cancels(timed(engine, 101, AdvanceTime())) == []


def test_time_alone_lets_orders_expire_and_a_late_cancel_is_told() -> None:
    engine = MatchingEngine()
    timed(engine, 10, special("S 5@10 ann", expires_us=100), stop_order("B 1@20 bob", "11"))
    assert timed(engine, 99, AdvanceTime()) == [TimeAdvanced()]
    events = timed(engine, 500, AdvanceTime())
    assert (cancels(events), events[-1]) == (["5 of #1 expired"], TimeAdvanced())
    assert refusals(timed(engine, 600, CancelOrder("ann", 1))) == ["order.already_expired"]


def test_an_order_that_is_late_already_never_trades() -> None:
    engine = MatchingEngine()
    timed(engine, 10, order("S 5@10 ann"))
    events = timed(engine, 100, special("B 5@10 bob", expires_us=100))
    assert (trades(events), cancels(events)) == ([], ["5 of #2 expired"])


def test_a_waiting_stop_expires_too() -> None:
    engine = MatchingEngine()
    timed(engine, 10, special("B 5@10 ann", "stop_limit", "11", expires_us=100))
    assert cancels(timed(engine, 200, AdvanceTime())) == ["5 of #1 expired"]


def test_post_only_is_canceled_where_it_would_trade_and_rests_where_not() -> None:
    desk = Desk()
    desk.place("S 5@10.00 bob")
    events = desk.run(special("B 9@10.00 ann", is_post_only=True))
    assert (trades(events), cancels(events)) == ([], ["9 of #2 post_only_would_trade"])
    desk.run(special("B 9@9.99 ann", is_post_only=True))
    assert desk.book() == "9.99: 9 #3 | 10.00: 5 #1"


def test_an_amend_of_a_post_only_order_that_would_trade_is_rejected_and_changes_nothing() -> None:
    desk = Desk()
    desk.place("S 5@10.00 bob")
    desk.run(special("B 9@9.99 ann", is_post_only=True))
    assert refusals(desk.amend(2, 9, "10.00")) == ["order.post_only_would_trade"]
    assert refusals(desk.amend(2, 9, "9.98")) == []
    assert desk.book() == "9.98: 9 #2 | 10.00: 5 #1"


@pytest.mark.parametrize(("least", "traded"), [(5, ["5@10.00 buy #3 sell #1"]), (6, [])])
def test_min_quantity_trades_at_least_so_many_at_once_or_none(
    least: int, traded: list[str]
) -> None:
    desk = Desk()
    desk.place("S 5@10.00 bob", "S 5@10.01 bob")
    events = desk.run(special("B 9@10.00 ann", min_quantity=least))
    assert trades(events) == traded
    assert cancels(events) == ["4 of #3 ioc_remainder" if traded else "9 of #3 min_quantity_unmet"]


def test_an_iceberg_shows_a_part_and_refreshes_at_the_back_of_the_queue() -> None:
    desk = Desk()
    desk.run(special("S 10@10.00 ann", display_quantity=4))
    desk.place("S 3@10.00 bob")
    assert desk.engine.depth("AAPL", 5) == ([], [(100_000, 7)])
    assert trades(desk.place("B 5@10.00 cat")) == [
        "4@10.00 buy #3 sell #1",
        "1@10.00 buy #3 sell #2",
    ]
    assert desk.engine.depth("AAPL", 5) == ([], [(100_000, 6)])
    assert trades(desk.place("B 9@10.00 cat")) == [
        "2@10.00 buy #4 sell #2",
        "4@10.00 buy #4 sell #1",
        "2@10.00 buy #4 sell #1",
    ]


def test_an_iceberg_that_is_amended_to_less_keeps_its_place_and_what_it_shows() -> None:
    desk = Desk()
    desk.run(special("S 10@10.00 ann", display_quantity=4))
    desk.place("S 3@10.00 bob")
    desk.amend(1, 5, "10.00")
    assert desk.engine.depth("AAPL", 5) == ([], [(100_000, 7)])
    assert trades(desk.place("B 6@10.00 cat")) == [
        "4@10.00 buy #4 sell #1",
        "2@10.00 buy #4 sell #2",
    ]


def test_fok_sees_the_reserve_of_an_iceberg() -> None:
    desk = Desk()
    desk.run(special("S 10@10.00 ann", display_quantity=1))
    assert cancels(desk.place("B 11@10.00 FOK cat")) == ["11 of #2 fok_unfilled"]
    assert len(trades(desk.place("B 10@10.00 FOK cat"))) == 10


PREVENTED = {
    "cancel_newest": (["6 of #3 self_trade_prevention"], [], "", " | 10.00: 4 #1; 10.01: 9 #2"),
    "cancel_oldest": (
        ["4 of #1 self_trade_prevention"],
        ["6@10.01 buy #3 sell #2"],
        "",
        " | 10.01: 3 #2",
    ),
    "cancel_both": (
        ["4 of #1 self_trade_prevention", "6 of #3 self_trade_prevention"],
        [],
        "",
        " | 10.01: 9 #2",
    ),
    "decrement": (
        ["4 of #1 self_trade_prevention"],
        ["2@10.01 buy #3 sell #2"],
        "#3 -4 2",
        " | 10.01: 7 #2",
    ),
}


@pytest.mark.parametrize("mode", PREVENTED)
def test_self_trade_prevention_does_what_the_incoming_order_says(mode: str) -> None:
    desk = Desk()
    desk.place("S 4@10.00 ann", "S 9@10.01 bob")
    events = desk.run(special("B 6@10.01 ann", self_trade_prevention=mode))
    canceled, traded, reduced, book = PREVENTED[mode]
    assert (cancels(events), trades(events), desk.book()) == (canceled, traded, book)
    told = [
        f"#{event.order_id} -{event.reduced} {event.leaves}"
        for event in events
        if type(event) is OrderReduced
    ]
    assert told == ([reduced] if reduced else [])


def test_decrement_leaves_a_larger_resting_order_its_place() -> None:
    desk = Desk()
    desk.place("S 9@10.00 ann", "S 1@10.00 bob")
    events = desk.run(special("B 4@10.00 ann", self_trade_prevention="decrement"))
    assert cancels(events) == ["4 of #3 self_trade_prevention"]
    assert desk.book() == " | 10.00: 5 #1, 1 #2"
    assert desk.engine.orders[1].quantity == 5


def test_fok_passes_own_orders_only_where_they_are_canceled() -> None:
    for mode, filled in (
        ("cancel_oldest", 5),
        ("cancel_newest", 0),
        ("cancel_both", 0),
        ("decrement", 0),
    ):
        desk = Desk()
        desk.place("S 4@10.00 ann", "S 5@10.01 bob")
        fok = msgspec.structs.replace(
            special("B 5@10.01 ann", self_trade_prevention=mode), time_in_force="FOK"
        )
        assert sum(int(text.split("@")[0]) for text in trades(desk.run(fok))) == filled, mode


def test_a_stop_market_ends_where_its_band_ends() -> None:
    desk = Desk()
    desk.place("S 1@10.00 bob", "S 5@30.00 bob")
    desk.run(stop_order("B 5@20 ann", "10.00"))
    assert cancels(desk.place("B 1@10.00 cat")) == ["5 of #3 market_remainder"]


def test_many_expired_and_canceled_orders_leave_nothing_behind() -> None:
    """The list of due times is swept: a client that cancels GTD orders for ever costs no memory."""
    desk = Desk()
    for number in range(1, 1001):
        desk.run(special("B 1@10 ann", expires_us=10**15 + number))
        desk.cancel(2 * number - 1)
    assert len(desk.engine.expiries) <= 130
