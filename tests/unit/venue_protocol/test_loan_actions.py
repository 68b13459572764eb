"""What is owed to the pool follows what happens to the pool's shares, to the last unit."""

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from venue_protocol.corporate_actions import (
    CashDividend,
    CorporateAction,
    Delisting,
    Split,
    SymbolChange,
)
from venue_protocol.loan_actions import (
    AppliedAction,
    follow,
    mark_after_e4,
    without_dividends,
)
from venue_protocol.stock_loans import (
    LoanEvent,
    MarginRules,
    StockLoan,
    newest_loans,
    recalled,
)

NOW_US = 1_700_000_000_000_000


def loan(quantity: int = 5, collateral_e4: int = 7_500_000) -> StockLoan:
    return StockLoan("ann", "AAPL", quantity, collateral_e4, NOW_US)


def applied(action: CorporateAction, number: int = 77) -> AppliedAction:
    return AppliedAction(NOW_US + number, number, "AAPL", action)


def test_a_split_scales_what_is_owed_and_the_fraction_is_owed_in_cash() -> None:
    after, owed_e4, _ = follow(loan(), applied(Split(3, 2, 333_333)))
    assert (after.quantity, owed_e4) == (7, 166_666)
    assert (after.collateral_e4, after.followed_us) == (7_500_000, NOW_US + 77)


def test_a_split_scales_what_is_recalled() -> None:
    before = recalled(loan(), 3, NOW_US)
    after, owed_e4, _ = follow(before, applied(Split(2, 1, 500_000)))
    assert (after.quantity, after.recalled, after.call_kind, owed_e4) == (10, 6, "recall", 0)


def test_a_recall_of_less_than_a_new_share_is_cured() -> None:
    before = recalled(loan(), 1, NOW_US)
    after, owed_e4, _ = follow(before, applied(Split(1, 2, 2_000_000)))
    assert (after.quantity, after.recalled, after.call_kind, owed_e4) == (2, 0, None, 1_000_000)


def test_a_loan_of_less_than_a_new_share_is_over_and_owed_in_cash() -> None:
    after, owed_e4, _ = follow(loan(9), applied(Split(1, 10, 10_000_000)))
    assert owed_e4 == 9_000_000
    assert after.is_over and not after.collateral_e4


def test_a_dividend_is_owed_from_the_ex_date_and_outlives_a_split() -> None:
    after, owed_e4, _ = follow(loan(7), applied(CashDividend(2_500, NOW_US, NOW_US, NOW_US)))
    assert (owed_e4, after.dividends_e4) == (0, {"77": 17_500})
    after, _, _ = follow(after, applied(Split(2, 1, 500_000), 78))
    assert after.dividends_e4 == {"77": 17_500}
    assert not msgspec.structs.replace(after, quantity=0).is_over, "it is still owed"
    assert without_dividends(after, ["77"]).dividends_e4 == {}


def test_a_loan_goes_on_under_the_new_symbol() -> None:
    before = loan()
    after, owed_e4, _ = follow(before, applied(SymbolChange("META")))
    assert (after.key, after.quantity, owed_e4) == (("ann", "META"), 5, 0)
    event = LoanEvent("symbol_change", after, MarginRules(), 1_000_000, 1, renamed="AAPL")
    assert newest_loans([event]) == {("ann", "AAPL"): None, ("ann", "META"): after}


def test_a_delisting_ends_the_loan_and_its_price_is_owed() -> None:
    before = recalled(loan(), 2, NOW_US)
    after, owed_e4, _ = follow(before, applied(Delisting(300_000)))
    assert owed_e4 == 1_500_000
    assert after.is_over and not after.collateral_e4 and after.call_kind is None
    assert follow(loan(), applied(Delisting())).owed_e4 == 0, "written off"


def test_a_mark_follows_as_the_listed_price_does() -> None:
    split = applied(Split(2, 1, 750_000))
    dividend = applied(CashDividend(2_500, NOW_US, NOW_US, NOW_US), 78)
    assert mark_after_e4(1_510_100, [split], 100) == 755_000
    assert mark_after_e4(1_510_100, [split, dividend], 100) == 752_500
    assert mark_after_e4(1_510_100, [applied(SymbolChange("META"))], 100) == 1_510_100


@given(
    st.lists(st.integers(1, 1_000), min_size=1, max_size=5),
    st.integers(0, 10_000),
    st.integers(1, 20),
    st.integers(1, 20),
    st.integers(1, 10**7),
)
def test_the_pool_has_by_loans_and_shares_what_it_would_have_had(
    lent: list[int], kept: int, new: int, old: int, price_e4: int
) -> None:
    """Worth at the split's own price, within what rounding down takes of each holding."""
    split = Split(new, old, price_e4)
    whole = sum(lent) + kept
    shares = split.shares(kept)
    cash_e4 = split.cash_in_lieu_e4(kept)
    for quantity in lent:
        after, owed_e4, _ = follow(loan(quantity), applied(split))
        shares, cash_e4 = shares + after.quantity, cash_e4 + owed_e4
    would_have_e4 = split.shares(whole) * price_e4 + split.cash_in_lieu_e4(whole)
    assert 0 <= would_have_e4 - (shares * price_e4 + cash_e4) <= len(lent) + 1
