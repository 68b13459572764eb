"""Limit-up limit-down: nothing trades beyond the band; a limit state, then a pause, then a
reopening auction.
"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matching_engine.domain.volatility import WINDOW_S, VolatilityBand
from tests.unit.matching_engine.day_desk import DayDesk, order, told
from tests.unit.matching_engine.desk import cancels, trades
from venue_protocol.orders import OrderTerms


def banded(*orders: str) -> DayDesk:
    """A desk with a band of 5 % around 10.00, from 9.50 to 10.50, and these orders."""
    desk = DayDesk()
    desk.bands(500, "10.00")
    desk.place(*orders)
    return desk


def test_an_order_trades_to_the_bands_edge_and_no_further() -> None:
    desk = banded("S 5@10.50 ann", "S 5@10.51 ann")
    events = desk.place("B 10@11.00 bob")
    assert trades(events) == ["5@10.50 buy #4 sell #2"]
    assert cancels(events) == ["5 of #4 volatility_band"]
    assert told(events) == ["limit state BUY"]
    assert desk.book() == " | 10.51: 5 #3"


def test_an_order_that_rests_beyond_the_band_starts_nothing() -> None:
    desk = banded()
    assert told(desk.place("S 5@10.60 ann", "B 5@10.40 bob", "B 5@9.00 bob")) == []


def test_a_limit_state_ends_when_the_other_half_is_within_the_band_again() -> None:
    desk = banded("S 5@10.60 ann")
    assert told(desk.place("B 5@11.00 bob")) == ["limit state BUY"]
    assert told(desk.place("B 5@11.00 bob")) == []
    assert told(desk.place("S 1@10.50 cat")) == ["limit state over"]
    assert told(desk.wait(20)) == []


def test_a_limit_state_that_lasts_becomes_a_pause_an_auction_and_trading_again() -> None:
    desk = banded("B 5@9.00 ann")
    assert told(desk.place("S 5@9.00 bob")) == ["limit state SELL"]
    assert told(desk.wait(14)) == []
    assert told(desk.wait(1)) == ["AAPL halted", "limit state over"]
    assert cancels(desk.place("S 5@9.00 bob")) == ["5 of #6 session_halted"]
    assert told(desk.wait(300)) == ["AAPL reopening_auction"]
    assert told(desk.place("S 5@9.00 bob")) == ["5@9.00 even 0"]
    events = desk.wait(60)
    assert trades(events) == ["5@9.00 buy #2 sell #8"]
    assert told(events) == ["AAPL continuous"]
    # The reopening price is the new reference: 9.45 is inside now, 8.50 is outside.
    desk.place("S 1@9.45 cat", "S 1@9.46 cat")
    events = desk.place("B 2@9.46 dan")
    assert trades(events) == ["1@9.45 buy #12 sell #10"]
    assert told(events) == ["limit state BUY"]


def test_a_batch_that_comes_late_finds_all_that_was_due_done_in_order() -> None:
    desk = banded("B 5@9.00 ann")
    desk.place("S 5@9.00 bob")
    assert told(desk.wait(3600)) == [
        "AAPL halted",
        "limit state over",
        "AAPL reopening_auction",
        "AAPL continuous",
    ]


def test_an_all_or_nothing_order_beyond_the_band_is_unfilled() -> None:
    desk = banded("S 5@10.40 ann", "S 5@10.60 ann")
    assert cancels(desk.place("B 10@11.00 FOK bob")) == ["10 of #4 fok_unfilled"]
    assert trades(desk.place("B 5@11.00 FOK bob")) == ["5@10.40 buy #5 sell #2"]


def test_an_administrators_phase_ends_a_pause() -> None:
    desk = banded("B 5@9.00 ann")
    desk.place("S 5@9.00 bob")
    desk.wait(15)
    assert told(desk.phase("continuous", "AAPL")) == ["AAPL continuous"]
    assert told(desk.wait(1000)) == []


def test_bands_end_when_they_are_switched_off() -> None:
    desk = banded("S 5@10.60 ann")
    desk.place("B 5@11.00 bob")
    desk.bands(None, "10.00")
    assert trades(desk.place("B 5@11.00 bob")) == ["5@10.60 buy #5 sell #2"]
    assert told(desk.wait(20)) == []


def test_the_reference_is_the_mean_of_the_trades_of_five_minutes() -> None:
    band = VolatilityBand(500, 100_000, 1, 1, 1)
    band.add_trade(100_000, 1_000_000)
    band.add_trade(102_000, 200_000_000)
    band.move_reference(200_000_000)
    assert band.reference_e4 == 101_000
    band.move_reference((1 + WINDOW_S) * 1_000_000)
    assert band.reference_e4 == 102_000
    band.move_reference(900_000_000)
    assert (band.reference_e4, band.seconds) == (102_000, [])


@given(st.lists(st.tuples(st.integers(1, 10**7), st.integers(0, 90_000_000)), max_size=30))
def test_the_reference_is_the_mean_spelled_out(steps: list[tuple[int, int]]) -> None:
    band, now, trades_seen, reference = VolatilityBand(500, 77, 1, 1, 1), 0, [], 77
    for price, later in steps:
        now += later
        band.move_reference(now)
        recent = [p for p, at in trades_seen if at // 1_000_000 > now // 1_000_000 - WINDOW_S]
        reference = sum(recent) // len(recent) if recent else reference
        assert band.reference_e4 == reference
        assert band.low_e4 * 10_000 >= reference * 9_500 > (band.low_e4 - 1) * 10_000
        assert band.high_e4 * 10_000 <= reference * 10_500 < (band.high_e4 + 1) * 10_000
        band.add_trade(price, now)
        trades_seen.append((price, now))


@pytest.mark.parametrize("prevention", ["cancel_newest", "cancel_oldest", "cancel_both"])
def test_an_own_order_beyond_the_band_starts_no_limit_state(prevention: str) -> None:
    """Case C2: what can't trade with the sender stops nobody."""
    desk = banded("S 1@12.00 ann")
    terms = OrderTerms(self_trade_prevention=prevention)  # type: ignore[arg-type]
    for _ in range(3):
        assert told(desk.run(order("B 1@12.00 IOC ann", terms=terms))) == []
    assert told(desk.wait(400)) == []


def test_an_own_order_beyond_the_band_is_met_as_its_prevention_says() -> None:
    desk = banded("S 1@12.00 ann")
    assert cancels(desk.place("B 1@12.00 ann")) == ["1 of #3 self_trade_prevention"]
    assert desk.book() == " | 12.00: 1 #2"
    oldest = order("B 1@12.00 ann", terms=OrderTerms(self_trade_prevention="cancel_oldest"))
    assert cancels(desk.run(oldest)) == ["1 of #2 self_trade_prevention"]
    assert desk.book() == "12.00: 1 #4 | "


def test_an_order_of_another_behind_the_own_ones_starts_a_limit_state_if_it_would_trade() -> None:
    desk = banded("S 1@11.00 ann", "S 5@12.00 bob")
    assert told(desk.place("B 5@12.00 IOC ann")) == []
    oldest = order("B 5@12.00 IOC ann", terms=OrderTerms(self_trade_prevention="cancel_oldest"))
    assert told(desk.run(oldest)) == ["limit state BUY"]


def test_what_decrement_leaves_of_an_order_starts_a_limit_state_if_it_would_trade() -> None:
    desk = banded("S 2@11.00 ann", "S 5@12.00 bob")
    for quantity, started in ((2, []), (3, ["limit state BUY"])):
        terms = OrderTerms(self_trade_prevention="decrement")
        assert told(desk.run(order(f"B {quantity}@12.00 IOC ann", terms=terms))) == started
        desk.place("S 2@11.00 ann")
