"""The price of an auction with orders without a limit, and indications that say what it will do."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matching_engine.domain.engine import MatchingEngine
from tests.unit.matching_engine.day_desk import DayDesk, order, told
from tests.unit.matching_engine.desk import trades
from venue_protocol.commands import AmendOrder, CancelOrder, Command, PlaceOrder, SetPhase
from venue_protocol.events import AuctionIndication, Trade
from venue_protocol.money import parse_e4
from venue_protocol.orders import BUY, SELL, OrderTerms

PREVENTIONS = ["cancel_newest", "cancel_oldest", "cancel_both", "decrement"]


def opened(*orders: str, reference: str | None = "100.00") -> DayDesk:
    """A desk in its opening auction, with this reference, and these orders."""
    desk = DayDesk()
    desk.phase("opening_auction", references={"AAPL": reference} if reference else None)
    desk.place(*orders)
    return desk


@pytest.mark.parametrize(
    ("orders", "expected"),
    [
        (["S 10@100.00 ann", "B 11@market 150.00 OPG bob"], ["10@100.00"]),
        (["B 50@market 150.00 OPG ann", "S 40@market 50.00 OPG bob"], ["40@100.00"]),
        (
            ["S 10@100.00 a", "S 10@100.10 b", "S 10@100.20 c", "B 31@market 150.00 OPG d"],
            ["10@100.20", "10@100.20", "10@100.20"],
        ),
        (["B 10@100.00 ann", "S 11@market 50.00 OPG bob"], ["10@100.00"]),
        (["S 10@150.00 ann", "B 10@market 150.00 OPG bob"], ["10@150.00"]),
    ],
)
def test_an_order_without_a_price_sets_none(orders: list[str], expected: list[str]) -> None:
    """Case C1: limits and the reference are the candidates, not the edge of the price band."""
    desk = opened(*orders)
    found = [text.split(" ")[0] for text in trades(desk.phase("continuous"))]
    assert found == expected


def test_the_edges_are_candidates_where_there_is_neither_a_limit_nor_a_reference() -> None:
    desk = opened("B 10@market 150.00 OPG ann", "S 10@market 50.00 OPG bob", reference=None)
    assert trades(desk.phase("continuous")) == ["10@50.00 buy #2 sell #3"]


def test_an_order_without_a_price_sets_none_after_a_restart_in_the_auction() -> None:
    desk = opened("S 10@100.00 ann", "B 11@market 150.00 OPG bob", reference=None)
    desk.engine = MatchingEngine.restore(desk.engine.snapshot())
    assert trades(desk.phase("continuous")) == ["10@100.00 buy #3 sell #2"]


@pytest.mark.parametrize("waiting", [63, 64, 65, 66])
def test_an_order_without_a_price_sets_none_whenever_ended_orders_are_swept_out(
    waiting: int,
) -> None:
    """Found by half an hour of chaos: the sweep took the order that caused it for an ended one."""
    many = [f"B 1@{90 + number / 100:.2f} DAY c{number}" for number in range(waiting)]
    desk = opened(*many, "S 10@100.00 ann", "B 11@market 150.00 OPG bob", reference=None)
    again = MatchingEngine.restore(desk.engine.snapshot())
    assert trades(desk.phase("continuous"))[0].startswith("10@100.00 ")
    again.apply(desk.log[-1])
    assert again.state_hash() == desk.engine.state_hash()


def test_closing_orders_without_a_price_that_waited_set_none() -> None:
    desk = DayDesk()
    desk.place("S 10@100.00 CLS ann", "B 11@market 150.00 CLS bob")
    desk.phase("closing_auction")
    assert trades(desk.phase("closed")) == ["10@100.00 buy #2 sell #1"]


def test_the_indication_is_what_the_uncrossing_would_do_with_own_orders() -> None:
    """Case C4: the newer own order is canceled, so 20 shares pair at 105 and not 50 at 95."""
    desk = opened("B 50@105.00 ann", "S 20@104.00 bob")
    assert told(desk.place("S 50@95.00 ann")) == []
    assert desk.engine.indicated["AAPL"] == (parse_e4("105.00"), 20, 30, BUY)
    assert trades(desk.phase("continuous")) == ["20@105.00 buy #2 sell #3"]


def test_a_security_listed_after_the_auction_began_has_its_listed_reference() -> None:
    """Case C5."""
    desk = DayDesk()
    desk.phase("opening_auction")
    for text in ("S 100@98.00 ann", "B 100@102.00 bob"):
        place = order(text, "NEW")
        desk.run(
            PlaceOrder(
                place.client_id,
                "NEW",
                place.side,
                "limit",
                "GTC",
                100,
                place.price_e4,
                reference_price_e4=parse_e4("100.00"),
            )
        )
    assert desk.engine.indicated["NEW"] == (parse_e4("100.00"), 100, 0, None)
    assert trades(desk.phase("continuous")) == ["100@100.00 buy #3 sell #2"]


_PLACES = st.builds(
    lambda client, side, tif, quantity, price, mode, shown: PlaceOrder(
        client,
        "AAPL",
        side,
        "market" if tif == "OPG" else "limit",
        tif,
        quantity,
        (1_100_000 if side == BUY else 900_000) if tif == "OPG" else price * 10_000,
        None,
        None if mode is None else OrderTerms(self_trade_prevention=mode, display_quantity=shown),
    ),
    st.sampled_from("abc"),
    st.sampled_from([BUY, SELL]),
    st.sampled_from(["GTC", "GTC", "OPG"]),
    st.integers(1, 9),
    st.integers(95, 105),
    st.none() | st.sampled_from(PREVENTIONS),
    st.none() | st.just(2),
)
_COMMANDS = st.lists(
    _PLACES
    | st.builds(CancelOrder, st.sampled_from("abc"), st.integers(2, 30))
    | st.builds(
        AmendOrder,
        st.sampled_from("abc"),
        st.integers(2, 30),
        st.integers(1, 9),
        st.integers(950_000, 1_050_000),
        st.just(100_000_000),
    ),
    min_size=1,
    max_size=30,
)


@settings(max_examples=150, deadline=None)
@given(_COMMANDS, st.none() | st.integers(90, 110))
def test_every_indication_is_what_the_uncrossing_does_then(
    commands: list[Command], reference: int | None
) -> None:
    desk = DayDesk()
    listed = [("AAPL", reference * 10_000)] if reference is not None else []
    desk.run(SetPhase("admin", "opening_auction", None, None, None, listed))
    said: tuple[int | None, int] = (None, 0)
    for command in commands:
        for event in desk.run(command):
            if type(event) is AuctionIndication:
                said = (event.price_e4, event.paired)
        twin = DayDesk()
        twin.engine = MatchingEngine.restore(desk.engine.snapshot())
        traded = [event for event in twin.phase("continuous") if type(event) is Trade]
        assert sum(trade.quantity for trade in traded) == said[1]
        assert {trade.price_e4 for trade in traded} == ({said[0]} if traded else set())


def crossed(levels: int) -> DayDesk:
    """An auction with so many levels a side, all of them crossed by a market order a side."""
    desk = opened("B 1000000@market 150.00 OPG ann", "S 1000000@market 50.00 OPG bob")
    places = [
        PlaceOrder("cat", "AAPL", side, "limit", "GTC", 1, 1_000_000 + sign * number * 10)
        for number in range(1, levels + 1)
        for side, sign in ((BUY, -1), (SELL, 1))
    ]
    desk.engine_events(*places)
    return desk


def test_a_lone_order_in_an_auction_of_ten_thousand_crossed_levels_costs_as_in_a_small_one() -> (
    None
):
    """Case E14: it was fifteen milliseconds of the engine. Processor time, best of many."""
    best = {}
    for levels in (10, 10_000):
        desk = crossed(levels)
        spent = []
        for number in range(30):
            started = time.thread_time()
            desk.engine_events(
                PlaceOrder("dan", "AAPL", BUY, "limit", "GTC", 1, 990_000 + number * 100)
            )
            spent.append(time.thread_time() - started)
        best[levels] = min(spent)
    assert best[10_000] < best[10] + 0.001
