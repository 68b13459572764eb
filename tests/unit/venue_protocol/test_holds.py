"""Holds: enough at worst, and not a cent more."""

from hypothesis import given
from hypothesis import strategies as st

from venue_protocol.holds import CASH, amend_hold, held_amount, held_asset
from venue_protocol.orders import BUY, SELL, Side

sides = st.sampled_from([BUY, SELL])
prices_e4 = st.integers(1, 10**7)
quantities = st.integers(1, 60)


def shortfall(
    side: Side, price_e4: int, quantity: int, new_price_e4: int, new_quantity: int, filled: int
) -> int:
    """What the new terms need beyond what the old ones still hold, with `filled` shares gone at
    amend time.
    """
    needed = held_amount(side, new_price_e4, max(new_quantity - filled, 0))
    return needed - held_amount(side, price_e4, quantity - filled)


def test_a_buy_holds_cash_at_its_limit_and_a_sell_holds_shares() -> None:
    assert (held_asset(BUY, "AAPL"), held_amount(BUY, 1_000_500, 10)) == (CASH, 10_005_000)
    assert (held_asset(SELL, "AAPL"), held_amount(SELL, 1_000_500, 10)) == ("AAPL", 10)


@given(sides, prices_e4, quantities, prices_e4, quantities)
def test_an_amend_holds_the_worst_case_over_all_fills_and_no_more(
    side: Side, price_e4: int, quantity: int, new_price_e4: int, new_quantity: int
) -> None:
    terms = (side, price_e4, quantity, new_price_e4, new_quantity)
    worst = max(shortfall(*terms, filled) for filled in range(quantity + 1))
    assert amend_hold(*terms) == max(0, worst)


def test_a_better_price_for_fewer_shares_needs_no_new_hold() -> None:
    assert amend_hold(BUY, 1_000_000, 10, 900_000, 5) == 0


def test_a_higher_price_for_fewer_shares_is_held_for_the_case_of_no_fill() -> None:
    assert amend_hold(BUY, 100, 10, 300, 5) == 500


def test_a_lower_price_for_more_shares_is_held_for_the_case_of_most_fills() -> None:
    assert amend_hold(BUY, 300, 10, 100, 15) == 500
