"""Stock loans: what is held for them, when they are called, what they cost."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from venue_protocol import stock_loans
from venue_protocol.stock_loans import DAY_US, FEE_EVERY_US, MarginRules, StockLoan

RULES = MarginRules()
ANN = stock_loans.borrowed(StockLoan("ann", "AAPL"), 10, 1_000_000, RULES, 5)


def test_a_loan_holds_the_initial_rate_of_its_value_at_the_mark() -> None:
    assert (ANN.quantity, ANN.collateral_e4, ANN.charged_us) == (10, 15_000_000, 5)
    odd = stock_loans.borrowed(StockLoan("ann", "AAPL"), 1, 10_001, RULES, 5)
    assert odd.collateral_e4 == 15_002, "15,001.5 is rounded up"


def test_more_of_the_same_is_held_anew_at_the_mark_of_now() -> None:
    more = stock_loans.borrowed(ANN, 10, 900_000, RULES, 9)
    assert (more.quantity, more.collateral_e4, more.charged_us) == (20, 27_000_000, 5)


def test_a_return_frees_its_part_and_never_holds_more() -> None:
    assert stock_loans.returned(ANN, 4, 1_000_000, RULES).collateral_e4 == 9_000_000
    assert stock_loans.returned(ANN, 1, 2_000_000, RULES).collateral_e4 == 15_000_000
    assert stock_loans.returned(ANN, 10, 2_000_000, RULES).collateral_e4 == 0


def test_collateral_follows_the_mark_in_steps_of_one_percent() -> None:
    assert stock_loans.followed(ANN, 10**9, 1_009_000, RULES) == ANN
    assert stock_loans.followed(ANN, 10**9, 1_100_000, RULES).collateral_e4 == 16_500_000
    assert stock_loans.followed(ANN, 10**9, 900_000, RULES).collateral_e4 == 13_500_000


def test_collateral_takes_no_more_than_is_free() -> None:
    assert stock_loans.followed(ANN, 7, 1_100_000, RULES).collateral_e4 == 15_000_007
    assert stock_loans.followed(ANN, -7, 1_100_000, RULES).collateral_e4 == 15_000_000


def test_the_call_comes_just_above_the_mark_at_which_maintenance_is_held() -> None:
    at, above = 1_153_846, 1_153_847
    assert stock_loans.called(ANN, at, RULES, 100).call_kind is None
    loan = stock_loans.called(ANN, above, RULES, 100)
    assert (loan.call_kind, loan.call_due_us) == ("margin", 100 + RULES.call_us)
    again = stock_loans.called(loan, above, RULES, 200)
    assert again == loan, "the time does not start again"
    assert stock_loans.called(loan, at, RULES, 300) == ANN


def test_a_recall_stays_until_its_shares_are_back() -> None:
    asked = stock_loans.recalled(ANN, 4, 50)
    assert stock_loans.called(asked, 1, RULES, 100) == asked
    part = stock_loans.returned(asked, 3, 1_000_000, RULES)
    assert (part.call_kind, part.recalled) == ("recall", 1)
    done = stock_loans.returned(part, 1, 1_000_000, RULES)
    assert (done.call_kind, done.recalled, done.stage) == (None, 0, "open")


def test_a_recall_that_is_met_while_orders_are_canceled_is_over() -> None:
    late = stock_loans.canceling(stock_loans.recalled(ANN, 4, 50), 60)
    done = stock_loans.returned(late, 4, 1_000_000, RULES)
    assert (done.call_kind, done.call_due_us, done.stage) == (None, None, "open")


def test_the_fee_is_charged_by_the_whole_minute_and_rounded_up() -> None:
    hundred = msgspec.structs.replace(ANN, quantity=100, charged_us=0)
    assert stock_loans.fee_due_e4(hundred, 1_000_000, RULES, FEE_EVERY_US - 1) == (0, 0)
    assert stock_loans.fee_due_e4(hundred, 1_000_000, RULES, FEE_EVERY_US) == (70, FEE_EVERY_US)
    assert stock_loans.fee_due_e4(hundred, 1_000_000, RULES, DAY_US) == (100_000, DAY_US)


@given(st.integers(1, 10**9), st.integers(1, 10**9), st.integers(1, 100_000))
def test_what_is_required_is_never_less_than_the_rate_and_less_than_one_unit_more(
    quantity: int, mark_e4: int, bps: int
) -> None:
    required = stock_loans.required_e4(quantity, mark_e4, bps)
    assert 0 <= required * 10_000 - quantity * mark_e4 * bps < 10_000


@pytest.mark.parametrize("mark_e4", [1, 1_000_000, 10**8])
def test_what_is_due_is_what_a_run_would_do(mark_e4: int) -> None:
    now_us = ANN.charged_us + 1
    does = stock_loans.followed(ANN, 1 << 62, mark_e4, RULES) != ANN
    assert stock_loans.is_due(ANN, mark_e4, RULES, now_us) == does
    assert stock_loans.is_due(ANN, mark_e4, RULES, ANN.charged_us + FEE_EVERY_US)
