"""Which row an order gets its rates from, and which schedules there may not be."""

from venue_protocol.fee_schedule import NO_FEES, FeeRow, FeeSchedule, is_tier
from venue_protocol.fees import FeeRates

FOR_ALL = FeeRow("*", "standard", 2, 5, 1)


def test_without_a_row_trading_is_free() -> None:
    assert NO_FEES.rates("ann", "AAPL") is None
    assert FeeSchedule([FeeRow("AAPL", "standard", 2, 5, 1)]).rates("ann", "MSFT") is None


def test_rates_of_zero_are_none_so_that_orders_carry_nothing() -> None:
    schedule = FeeSchedule([FOR_ALL, FeeRow("AAPL", "standard", 0, 0, 0)])
    assert schedule.rates("ann", "AAPL") is None
    assert schedule.rates("ann", "MSFT") == FeeRates(2, 5, 1)


def test_the_own_tier_goes_before_the_security_and_the_security_before_all() -> None:
    rows = [FOR_ALL, FeeRow("AAPL", "standard", 3, 9, 0), FeeRow("*", "gold", 0, 3, 0)]
    schedule = FeeSchedule(rows, {"gus": "gold", "sue": "silver"})
    assert schedule.rates("ann", "AAPL") == FeeRates(3, 9, 0)
    assert schedule.rates("ann", "MSFT") == FeeRates(2, 5, 1)
    assert schedule.rates("gus", "AAPL") == FeeRates(0, 3, 0)
    assert schedule.rates("sue", "AAPL") == FeeRates(3, 9, 0), "no row is for silver"


def test_a_rebate_may_be_all_that_the_other_side_pays_and_no_more() -> None:
    assert FeeSchedule([FeeRow("*", "standard", -5, 5, 0)]).fault() is None
    fault = FeeSchedule([FeeRow("*", "standard", -6, 5, 0)]).fault()
    assert fault is not None and "lowest maker rate is -6" in fault


def test_tiers_are_compared_with_each_other_and_each_security_by_itself() -> None:
    """A gold maker may meet a standard taker; one of AAPL never meets one of MSFT."""
    standard = FeeRow("*", "standard", 0, 5, 0)
    assert FeeSchedule([standard, FeeRow("*", "gold", -6, 9, 0)]).fault() is not None
    assert FeeSchedule([standard, FeeRow("*", "gold", -5, 9, 0)]).fault() is None
    apple = FeeRow("AAPL", "standard", -7, 7, 0)
    assert FeeSchedule([standard, apple]).fault() is None
    fault = FeeSchedule([standard, apple, FeeRow("*", "gold", 0, 6, 0)]).fault()
    assert fault is not None and "in AAPL" in fault


def test_rates_are_bounded_and_an_auction_pays_nobody() -> None:
    assert FeeSchedule([FeeRow("*", "standard", 0, 1_001, 0)]).fault() is not None
    assert FeeSchedule([FeeRow("*", "standard", -1_000, 1_000, 1_000)]).fault() is None
    assert FeeSchedule([FeeRow("*", "standard", 0, 5, -1)]).fault() is not None


def test_names_of_tiers() -> None:
    assert is_tier("gold") and is_tier("maker_2-b")
    assert not is_tier("") and not is_tier("Gold") and not is_tier("a b") and not is_tier("a" * 33)
