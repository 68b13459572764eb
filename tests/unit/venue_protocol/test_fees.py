"""Rates, fees and what a hold covers."""

from hypothesis import given
from hypothesis import strategies as st

from venue_protocol.fees import MOST_BPS, FeeRates, fee_e4, rates_of_trade
from venue_protocol.holds import amend_hold, held_amount, held_price_e4

RATES = st.builds(
    FeeRates,
    st.integers(-MOST_BPS, MOST_BPS),
    st.integers(-MOST_BPS, MOST_BPS),
    st.integers(-MOST_BPS, MOST_BPS),
)


def test_a_fee_is_rounded_up_and_a_rebate_down() -> None:
    assert fee_e4(100_500, 3) == 31
    assert fee_e4(100_500, -3) == -30
    assert fee_e4(100_000, 3) == 30
    assert fee_e4(100_500, 0) == 0


def test_the_hold_of_a_share_is_its_price_and_the_fee_rounded_up() -> None:
    assert held_price_e4(100_500, 3) == 100_531
    assert held_price_e4(100_500) == 100_500
    assert held_amount("BUY", 100_500, 4, 3) == 402_124
    assert held_amount("SELL", 100_500, 4, 3) == 4


def test_an_amend_to_a_higher_price_holds_the_fee_on_the_difference_too() -> None:
    assert amend_hold("BUY", 100_000, 10, 101_000, 10, 100) == 10_100
    assert amend_hold("BUY", 100_000, 10, 101_000, 10) == 10_000
    assert amend_hold("BUY", 100_000, 10, 99_000, 10, 100) == 0


def test_no_rebate_is_held_for() -> None:
    assert FeeRates(-5, -1, 0).held_bps == 0
    assert FeeRates(-5, 7, 2).held_bps == 7


def test_a_rebate_is_cut_down_to_what_the_other_side_pays() -> None:
    assert rates_of_trade(FeeRates(-5, 9), FeeRates(1, 7), False) == (-5, 7)
    assert rates_of_trade(FeeRates(-5, 9), FeeRates(1, 2), False) == (-2, 2)
    assert rates_of_trade(FeeRates(-5, 9), None, False) == (0, 0)
    assert rates_of_trade(FeeRates(3, 0), FeeRates(0, -2), False) == (3, -2)
    assert rates_of_trade(FeeRates(auction_bps=4), FeeRates(auction_bps=6), True) == (4, 6)


@given(
    limit_e4=st.integers(1, 10**9),
    better=st.integers(0, 10**9),
    fills=st.lists(st.integers(1, 10**6), min_size=1, max_size=6),
    rates=RATES,
    other=st.none() | RATES,
    way=st.sampled_from(["maker", "taker", "auction"]),
)
def test_the_hold_covers_any_split_into_fills_and_no_trade_costs_the_venue(
    limit_e4: int,
    better: int,
    fills: list[int],
    rates: FeeRates,
    other: FeeRates | None,
    way: str,
) -> None:
    """Each fill at the limit or better; `rates` are the buyer's."""
    held = held_amount("BUY", limit_e4, sum(fills), rates.held_bps)
    price_e4 = max(1, limit_e4 - better)
    buys, sells = (
        rates_of_trade(rates, other, way == "auction")
        if way != "taker"
        else rates_of_trade(other, rates, False)[::-1]
    )
    for quantity in fills:
        value_e4 = price_e4 * quantity
        paid, kept = fee_e4(value_e4, buys), fee_e4(value_e4, sells)
        assert paid + kept >= 0
        assert kept <= value_e4
        released = held_amount("BUY", limit_e4, quantity, rates.held_bps)
        assert value_e4 + paid <= released
        held -= released
    assert held == 0
