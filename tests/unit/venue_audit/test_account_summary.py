"""The summary of an account, from its settlement reports."""

from typing import Any

import pytest

from venue_audit.account_summary import AccountSummary
from venue_protocol.settlement import STARTING_POSITION, SettlementReport


def report(kind: str, cash_e4: int = 0, shares: int = 0, **fields: Any) -> SettlementReport:
    return SettlementReport(1, "ann", 1, kind, 1, cash_e4, shares, 0, 0, "", **fields)


def bought(quantity: int, price_e4: int) -> SettlementReport:
    return report("trade", -quantity * price_e4, quantity, security_id="AAPL")


def sold(quantity: int, price_e4: int) -> SettlementReport:
    return report("trade", quantity * price_e4, -quantity, security_id="AAPL")


def given(quantity: int, memo: str = STARTING_POSITION) -> SettlementReport:
    return report("deposit", 0, quantity, security_id="AAPL", memo=memo)


def test_the_starting_cash_is_told_apart_from_later_deposits() -> None:
    reports = [
        report("deposit", 10**8, memo=STARTING_POSITION),
        report("deposit", 500),
        report("withdrawal", -200),
    ]
    summary = AccountSummary.of(reports, {})
    assert (summary.starting_cash_e4, summary.deposits_e4, summary.trades) == (10**8, 300, 0)


def test_busts_corrections_and_fines_are_no_deposits() -> None:
    undone = {"security_id": "AAPL", "trade_id": 1}
    summary = AccountSummary.of(
        [
            report("deposit", 500),
            bought(10, 100),
            report("bust", 1_000, -10, **undone),
            report("correction", 70, 0, **undone),
            report("fine", -20),
        ],
        {},
    )
    assert (summary.deposits_e4, summary.corrected_e4) == (500, 1_050)
    assert "  busts, corrections and fines +0.1050" in summary.lines()
    assert summary.securities["AAPL"].holding == 0


@pytest.mark.parametrize(
    ("reports", "realised_e4"),
    [
        ([bought(10, 1_000_000), sold(10, 1_000_500)], 5_000),
        ([bought(10, 1_000_000), bought(10, 1_000_200), sold(5, 1_000_100)], 0),
        ([bought(3, 1_000_000), sold(1, 999_999)], -1),
        ([bought(1, 100), bought(2, 101), sold(1, 101)], 0),
        ([bought(10, 1_000_000), sold(10, 1_000_000), bought(1, 5), sold(1, 9)], 4),
        ([given(10), sold(4, 1_000_300)], 1_200),
        ([bought(10, 1_000_000)], 0),
    ],
)
def test_the_result_of_a_sale_is_on_the_average_cost(
    reports: list[SettlementReport], realised_e4: int
) -> None:
    """In the fourth the average is 100 2/3: a third of a ten-thousandth is no result; given shares
    cost 1,000,000.
    """
    assert AccountSummary.of(reports, {"AAPL": 1_000_000}).realised_e4() == realised_e4


def test_the_words_name_what_was_given_bought_sold_and_what_is_there_now() -> None:
    reports = [
        report("deposit", 10**8, memo=STARTING_POSITION),
        given(2),
        bought(10, 1_000_500),
        sold(4, 1_002_500),
    ]
    assert AccountSummary.of(reports, {"AAPL": 1_000_500}).lines() == [
        "  started with 10000.00; deposits since 0.00",
        "  2 trades; realised result +0.80 (at average cost)",
        "  AAPL     given 2, bought 10 for 1000.50, sold 4 for 401.00, result +0.80, now 8",
    ]


def test_a_trade_that_could_not_be_settled_is_shouted() -> None:
    assert "1 trades COULD NOT BE SETTLED" in "\n".join(
        AccountSummary.of([report("failed_trade")], {}).lines()
    )
