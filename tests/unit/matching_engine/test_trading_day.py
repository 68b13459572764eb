"""The trading day in the engine: what each phase takes, how auctions uncross, what ends with a
phase.
"""

import pytest

from matching_engine.domain.engine import MatchingEngine
from tests.unit.matching_engine.day_desk import DayDesk, order, told
from tests.unit.matching_engine.desk import cancels, refusals, trades
from venue_protocol import codec
from venue_protocol.commands import PlaceOrder
from venue_protocol.events import OrderReduced, Trade
from venue_protocol.orders import OrderTerms
from venue_protocol.trading_day import Phase


def opened(*orders: str) -> DayDesk:
    """A desk in its opening auction with these orders."""
    desk = DayDesk()
    desk.phase("opening_auction")
    desk.place(*orders)
    return desk


def test_an_auction_collects_without_trading_and_opens_at_one_price() -> None:
    desk = opened("B 10@10.20 ann", "S 6@10.00 bob", "S 10@10.10 cat")
    assert desk.book() == "10.20: 10 #2 | 10.00: 6 #3; 10.10: 10 #4"
    events = desk.phase("continuous")
    assert trades(events) == ["6@10.10 buy #2 sell #3", "4@10.10 buy #2 sell #4"]
    assert all(event.aggressor is None for event in events if type(event) is Trade)
    assert desk.book() == " | 10.10: 6 #4"


def test_price_then_time_decides_who_trades_in_an_auction() -> None:
    desk = opened("B 5@10.00 ann", "B 5@10.00 bob", "B 5@10.10 cat", "S 7@10.00 dan")
    assert trades(desk.phase("continuous")) == ["5@10.00 buy #4 sell #5", "2@10.00 buy #2 sell #5"]
    assert desk.book() == "10.00: 3 #2, 5 #3 | "


def test_indications_follow_the_book_at_most_one_a_batch_and_only_when_another() -> None:
    desk = DayDesk()
    assert told(desk.phase("opening_auction")) == ["all opening_auction"]
    assert told(desk.place("B 10@10.20 ann")) == []
    assert told(desk.place("S 6@10.00 bob")) == ["6@10.20 BUY 4"]
    assert told(desk.run(order("S 6@10.10 cat"), order("B 1@9.00 cat"))) == ["10@10.10 SELL 2"]
    assert told(desk.place("B 1@9.00 cat")) == []
    assert told(desk.cancel(2)) == ["0@- even 0"]


def test_pre_open_collects_without_an_indication() -> None:
    desk = DayDesk()
    desk.phase("pre_open")
    assert told(desk.place("B 10@10.20 ann", "S 6@10.00 bob")) == []
    assert told(desk.phase("opening_auction")) == ["all opening_auction", "6@10.20 BUY 4"]


def test_without_trades_the_listed_price_is_the_reference_and_the_last_price_after() -> None:
    desk = DayDesk()
    desk.phase("opening_auction", references={"AAPL": "10.15"})
    desk.place("B 5@10.20 ann", "S 5@10.00 bob")
    assert trades(desk.phase("continuous")) == ["5@10.15 buy #2 sell #3"]
    desk.phase("closing_auction", references={"AAPL": "10.05"})
    desk.place("B 5@10.20 ann", "S 5@10.00 bob")
    assert trades(desk.phase("closed")) == ["5@10.15 buy #6 sell #7"]


@pytest.mark.parametrize(
    ("phase", "text", "reason"),
    [
        ("pre_open", "B 5@10 IOC ann", "not_in_auction"),
        ("opening_auction", "B 5@10 FOK ann", "not_in_auction"),
        ("closing_auction", "B 5@market 12 ann", "not_in_auction"),
        ("reopening_auction", "B 5@10 OPG ann", "opening_only_too_late"),
        ("continuous", "B 5@10 OPG ann", "opening_only_too_late"),
        ("halted", "B 5@10 ann", "session_halted"),
        ("closed", "B 5@10 ann", "session_closed"),
    ],
)
def test_what_a_phase_forbids_is_canceled_with_its_own_reason(
    phase: Phase, text: str, reason: str
) -> None:
    desk = DayDesk()
    desk.phase(phase)
    assert cancels(desk.place(text)) == [f"5 of #2 {reason}"]
    assert desk.engine.orders == {}


@pytest.mark.parametrize(
    ("phase", "reason"), [("halted", "session.halted"), ("closed", "session.closed")]
)
def test_while_nothing_trades_orders_are_canceled_but_not_amended(
    phase: Phase, reason: str
) -> None:
    desk = DayDesk()
    desk.place("B 5@10 ann")
    desk.phase(phase, "AAPL")
    assert refusals(desk.amend(1, 6, "10")) == [reason]
    assert cancels(desk.cancel(1)) == ["5 of #1 requested"]


def test_an_amend_in_an_auction_goes_to_the_back_and_does_not_trade() -> None:
    desk = opened("B 5@10.00 ann", "B 5@10.00 bob", "S 5@10.20 cat")
    assert trades(desk.amend(2, 5, "10.20")) == []
    assert desk.book() == "10.20: 5 #2; 10.00: 5 #3 | 10.20: 5 #4"
    assert trades(desk.phase("continuous")) == ["5@10.20 buy #2 sell #4"]


def test_opening_orders_trade_in_the_opening_or_not_at_all() -> None:
    desk = opened("B 5@market 12 OPG ann", "S 3@10.00 OPG bob", "S 9@10.50 OPG cat", "B 1@9.00 ann")
    events = desk.phase("continuous")
    assert trades(events) == ["3@10.50 buy #2 sell #3", "2@10.50 buy #2 sell #4"]
    assert cancels(events) == ["7 of #4 opening_remainder"]
    assert desk.book() == "9.00: 1 #5 | "


def test_closing_orders_wait_unseen_and_trade_in_the_closing_only() -> None:
    desk = DayDesk()
    desk.place("S 5@10.00 CLS ann", "B 4@10.00 bob", "B 9@market 12 CLS cat")
    assert desk.book() == "10.00: 4 #2 | "
    assert told(desk.phase("closing_auction")) == [
        "all closing_auction",
        "released #1",
        "released #3",
        "5@10.00 BUY 8",
    ]
    events = desk.phase("closed")
    assert trades(events) == ["5@10.00 buy #3 sell #1"]
    assert cancels(events) == ["4 of #3 closing_remainder"]
    assert desk.book() == "10.00: 4 #2 | "


def test_without_a_closing_auction_closing_orders_are_canceled_at_the_close() -> None:
    desk = DayDesk()
    desk.place("S 5@10.00 CLS ann")
    assert cancels(desk.phase("closed")) == ["5 of #1 closing_remainder"]


def test_a_waiting_closing_order_is_amended_and_canceled_like_any() -> None:
    desk = DayDesk()
    desk.place("S 5@10.00 CLS ann", "S 5@10.00 CLS bob", "B 9@11.00 cat")
    assert trades(desk.amend(1, 7, "10.10")) == []
    assert cancels(desk.cancel(2)) == ["5 of #2 requested"]
    assert told(desk.phase("closing_auction"))[1:] == ["released #1", "7@11.00 BUY 2"]
    assert trades(desk.phase("closed")) == ["7@11.00 buy #3 sell #1"]


def test_day_orders_expire_at_the_close_and_gtc_orders_stay() -> None:
    desk = DayDesk()
    desk.place("B 5@10.00 DAY ann", "B 5@10.00 ann", "B 5@9.00 DAY bob", "S 2@10.00 cat")
    assert cancels(desk.phase("closed")) == ["3 of #1 expired", "5 of #3 expired"]
    assert desk.book() == "10.00: 5 #2 | "
    assert refusals(desk.cancel(1)) == ["order.already_expired"]


def test_own_orders_never_meet_in_an_auction() -> None:
    desk = opened("B 5@10.20 ann", "S 5@10.00 ann", "S 5@10.10 bob")
    events = desk.phase("continuous")
    assert cancels(events) == ["5 of #3 self_trade_prevention"]
    assert trades(events) == ["5@10.10 buy #2 sell #4"]


@pytest.mark.parametrize(
    ("mode", "canceled", "reduced", "left"),
    [
        ("cancel_newest", ["8 of #3 self_trade_prevention"], [], "10.20: 5 #2 | "),
        ("cancel_oldest", ["5 of #2 self_trade_prevention"], [], " | 10.00: 8 #3"),
        (
            "cancel_both",
            ["8 of #3 self_trade_prevention", "5 of #2 self_trade_prevention"],
            [],
            " | ",
        ),
        ("decrement", ["5 of #2 self_trade_prevention"], [(3, 5, 3)], " | 10.00: 3 #3"),
    ],
)
def test_the_newer_orders_prevention_parts_own_orders_before_an_auction_trades(
    mode: str, canceled: list[str], reduced: list[tuple[int, int, int]], left: str
) -> None:
    desk = opened("B 5@10.20 ann")
    desk.run(order("S 8@10.00 ann", terms=OrderTerms(self_trade_prevention=mode)))
    events = desk.phase("continuous")
    assert cancels(events) == canceled
    found = [
        (event.order_id, event.reduced, event.leaves)
        for event in events
        if type(event) is OrderReduced
    ]
    assert found == reduced
    assert desk.book() == left


def test_an_iceberg_takes_part_in_an_auction_with_all_its_shares() -> None:
    desk = opened("B 9@10.00 bob")
    desk.run(order("S 20@10.00 ann", terms=OrderTerms(display_quantity=5)))
    desk.place("S 4@10.00 cat")
    assert trades(desk.phase("continuous")) == ["9@10.00 buy #2 sell #3"]
    assert desk.engine.depth("AAPL", 5) == ([], [(100_000, 9)])


def test_stops_wait_through_an_auction_and_are_elected_by_its_price() -> None:
    desk = DayDesk()
    desk.place("S 1@10.00 ann", "B 1@10.00 bob")
    desk.phase("opening_auction")
    desk.run(
        PlaceOrder(
            "dan", "AAPL", "BUY", "stop", "GTC", 5, 120_000, None, OrderTerms(stop_price_e4=105_000)
        )
    )
    desk.place("S 3@10.60 ann", "B 3@10.60 bob", "S 7@11.00 cat")
    events = desk.phase("continuous")
    assert trades(events) == ["3@10.60 buy #6 sell #5", "5@11.00 buy #4 sell #7"]


def test_a_halt_stops_a_security_until_it_is_resumed_and_the_shards_phases_pass_it_by() -> None:
    desk = DayDesk()
    desk.place("B 5@10.00 ann")
    desk.place("B 5@20.00 ann", security_id="MSFT")
    desk.phase("halted", "AAPL", "news")
    assert told(desk.phase("closing_auction")) == ["all closing_auction", "AAPL halted"]
    assert cancels(desk.place("S 5@10.00 bob")) == ["5 of #5 session_halted"]
    desk.place("S 5@20.00 bob", security_id="MSFT")
    assert trades(desk.phase("continuous")) == ["5@20.00 buy #2 sell #6"]
    assert told(desk.phase("continuous", "AAPL")) == ["AAPL continuous"]
    assert trades(desk.place("S 5@10.00 bob")) == ["5@10.00 buy #1 sell #9"]


def test_a_resumption_through_an_auction_ends_by_itself_by_the_time_of_the_log() -> None:
    desk = DayDesk()
    desk.phase("halted", "AAPL")
    desk.phase("reopening_auction", "AAPL", lasts_s=30)
    desk.place("B 5@10.00 ann", "S 5@10.00 bob")
    assert trades(desk.wait(29)) == []
    events = desk.wait(1)
    assert trades(events) == ["5@10.00 buy #3 sell #4"]
    assert told(events) == ["AAPL continuous"]


def test_a_halt_in_an_auction_keeps_the_crossed_book_and_the_resumption_uncrosses_it() -> None:
    desk = opened("B 5@10.20 ann", "S 5@10.00 bob")
    desk.phase("halted", "AAPL")
    assert desk.book() == "10.20: 5 #2 | 10.00: 5 #3"
    assert trades(desk.phase("continuous", "AAPL")) == ["5@10.00 buy #2 sell #3"]


def test_the_whole_day_goes_on_from_a_snapshot_at_every_batch_with_the_same_bytes() -> None:
    desk = DayDesk()
    desk.bands(500, "10.00")
    desk.phase("pre_open", references={"AAPL": "10.00", "MSFT": "20.00"})
    desk.place("B 9@10.10 DAY ann", "S 4@9.90 OPG bob", "S 9@market 8 CLS cat", "B 3@20 GTC ann")
    desk.phase("opening_auction")
    desk.place("S 2@10.00 bob", "B 2@10.05 CLS dan")
    desk.phase("continuous")
    desk.place("S 9@10.00 IOC bob", "S 5@10.70 bob", "B 5@10.70 ann")
    desk.wait(15)
    desk.phase("halted", "MSFT", "news")
    desk.wait(300)
    desk.place("B 5@10.70 ann")
    desk.wait(60)
    desk.phase("closing_auction")
    desk.place("B 7@9.99 dan")
    desk.phase("closed")
    engine, published = MatchingEngine(), []
    for batch in desk.log:
        published.append(codec.encode(engine.apply(batch)))
    for cut in range(len(desk.log)):
        first = MatchingEngine()
        for batch in desk.log[:cut]:
            first.apply(batch)
        again = MatchingEngine.restore(first.snapshot())
        assert again.state_hash() == first.state_hash()
        assert [codec.encode(again.apply(batch)) for batch in desk.log[cut:]] == published[cut:]
        assert again.state_hash() == engine.state_hash()
