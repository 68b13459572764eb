"""Stock loans on real databases: a short sale from pool to return, and the audit of every row."""

import dataclasses
import secrets
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from clearinghouse.lending.administration import LoanAdministration
from clearinghouse.lending.desk import LoanDesk
from clearinghouse.lending.marks import MarginMarks
from migrations.provision import drop
from tests.integration.venue_audit.synthetic_venue import SyntheticVenue
from tests.integration.venue_audit.verdicts import audited, differences, said
from tests.provisioning import provision_seeded
from venue_protocol.refusals import Refused


class Lending:
    """A played venue that lends."""

    def __init__(self, venue: SyntheticVenue) -> None:
        self.venue = venue
        self.desk = LoanDesk(venue.settlement_desk, venue.clock, MarginMarks())
        self.rules = LoanAdministration(venue.store, venue.clock)
        venue.administration.deposit("lender", "AAPL", 1_000, "pool")
        self.rules.set_rules({"is_open": True})

    def cash(self, client_id: str) -> tuple[int, int]:
        """Balance and held."""
        ((balance, held),) = self.venue.read(
            "clearing",
            "SELECT balance_e4, held_e4 FROM accounts WHERE client_id = %s",
            (client_id,),
        )
        return balance, held

    def shares(self, client_id: str) -> int:
        rows = self.venue.read(
            "clearing",
            "SELECT quantity FROM securities_deposits"
            " WHERE (client_id, security_id) = (%s, 'AAPL')",
            (client_id,),
        )
        return int(rows[0][0]) if rows else 0

    def trade(self, seller: str, buyer: str, quantity: int, price_e4: int) -> None:
        """One sells to the other at this price, settled and recorded."""
        self.venue.commit([self.venue.place(seller, "SELL", quantity, price_e4)])
        self.venue.commit([self.venue.place(buyer, "BUY", quantity, price_e4)])
        self.venue.settle()
        self.venue.record()


@pytest.fixture(scope="module")
def lending(postgres_url: str) -> Iterator[Lending]:
    instance = f"venue_test_{secrets.token_hex(4)}"
    venue = SyntheticVenue(provision_seeded(postgres_url, instance))
    try:
        venue.open_accounts()
        yield Lending(venue)
    finally:
        venue.close()
        drop(postgres_url, instance)


def refusal_code(do: Callable[[], Any]) -> str:
    with pytest.raises(Refused) as refused:
        do()
    return refused.value.refusal.reason.code


def test_a_short_sale_from_the_pool_to_the_return(lending: Lending) -> None:
    assert lending.desk.borrow("trader0", "AAPL", 20, "k1").duplicate is False
    assert lending.cash("trader0") == (100_000_000, 20 * 1_000_000 * 3 // 2)
    assert (lending.shares("trader0"), lending.shares("lender")) == (20, 980)
    lending.trade("trader0", "maker0", 20, 1_000_000)
    lending.trade("maker0", "trader0", 20, 990_000)
    assert lending.desk.return_shares("trader0", "AAPL", 20, "k1").duplicate is False
    assert lending.cash("trader0") == (100_000_000 + 20 * 10_000, 0)
    assert (lending.shares("trader0"), lending.shares("lender")) == (0, 1_000)
    verdict = audited(lending.venue)
    assert verdict.is_equal, said(verdict)
    assert verdict.counts["loan_events"] == 2


def test_the_same_key_borrows_and_returns_once(lending: Lending) -> None:
    desk = lending.desk
    first = desk.borrow("trader1", "AAPL", 5, "again")
    assert desk.borrow("trader1", "AAPL", 5, "again") == dataclasses.replace(first, duplicate=True)
    assert refusal_code(lambda: desk.borrow("trader1", "AAPL", 6, "again")) == (
        "request.idempotency_key_reused"
    )
    back = desk.return_shares("trader1", "AAPL", 5, "again")
    assert desk.return_shares("trader1", "AAPL", 5, "again") == dataclasses.replace(
        back, duplicate=True
    )
    assert refusal_code(lambda: desk.return_shares("trader1", "AAPL", 5, "new")) == "loan.unknown"
    assert lending.shares("trader1") == 0
    assert audited(lending.venue).is_equal


@pytest.mark.parametrize(
    ("table", "where", "column", "change", "found"),
    [
        (
            "stock_loans",
            "client_id = 'trader2'",
            "collateral_e4",
            lambda cash_e4: cash_e4 - 100,
            {("loan", "trader2 AAPL", "collateral_e4")},
        ),
        (
            "stock_loans",
            "client_id = 'trader2'",
            "quantity",
            lambda shares: shares - 1,
            {("loan", "trader2 AAPL", "quantity")},
        ),
    ],
)
def test_a_loan_off_by_one_unit_is_named(
    lending: Lending,
    table: str,
    where: str,
    column: str,
    change: Callable[[int], int],
    found: set[tuple[str, str, str]],
) -> None:
    lending.desk.borrow("trader2", "AAPL", 10, f"plant {column}")
    try:
        with lending.venue.planted("clearing", table, where, column, change):
            told = {(item.what, item.subject, item.field) for item in differences(lending.venue)}
        assert told == found
    finally:
        lending.desk.return_shares("trader2", "AAPL", 10, f"plant {column}")
