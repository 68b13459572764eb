"""Stock loans on real databases: a short sale from pool to return, and the audit of every row."""

import dataclasses
import json
import secrets
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from clearinghouse.lending.administration import LoanAdministration
from clearinghouse.lending.desk import LoanDesk
from clearinghouse.lending.margin_run import MarginRun
from clearinghouse.lending.marks import MarginMarks
from migrations.provision import drop
from order_entry_gateway.adapters.timer_store import PostgresTimers
from order_entry_gateway.loops.timekeeper import Timekeeper
from tests.integration.venue_audit.synthetic_venue import SyntheticVenue
from tests.integration.venue_audit.verdicts import audited, differences, said
from tests.provisioning import provision_seeded
from venue_protocol.refusals import Refused
from venue_protocol.stock_loans import StockLoan


class Lending:
    """A venue that lends."""

    def __init__(self, venue: SyntheticVenue) -> None:
        self.venue = venue
        desk, clock, marks = venue.settlement_desk, venue.clock, MarginMarks()
        self.desk = LoanDesk(desk, clock, marks)
        self.rules = LoanAdministration(desk, venue.store, clock, marks)
        self.margin = MarginRun(desk, venue.store, clock, marks, threading.Event())
        self.timekeeper = Timekeeper(
            PostgresTimers(venue.clearing),
            venue.committer,
            venue.listed,
            clock,
            threading.Event(),
        )
        venue.administration.deposit("lender", "AAPL", 1_000, "pool")
        self.rules.set_rules({"is_open": True})

    def pass_time(self, seconds: float = 1) -> None:
        """The clock goes on; the margin run and the gateway's timekeeper look once."""
        self.venue.clock.advance(int(seconds * 1_000_000))
        self.margin.step()
        self.timekeeper.step()
        self.venue.commit([])
        self.venue.settle()
        self.venue.record()

    def mark(self, price_e4: int) -> None:
        """Bring the mark there: enough clients trade at this price, and nothing else does."""
        self.venue.clock.advance(6 * 60 * 1_000_000)
        self.trade("maker0", "maker1", 1, price_e4)
        self.trade("maker1", "trader3", 1, price_e4)
        self.trade("maker0", "trader1", 1, price_e4)

    def loan(self, client_id: str) -> StockLoan | None:
        with self.venue.store.transaction() as transaction:
            return transaction.loans.loan(client_id, "AAPL")

    def events(self, client_id: str) -> list[str]:
        rows = self.venue.read(
            "clearing",
            "SELECT event::json->>'kind' FROM loan_events WHERE client_id = %s ORDER BY number",
            (client_id,),
        )
        return [kind for (kind,) in rows]

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


@pytest.fixture
def fresh(postgres_url: str) -> Iterator[Lending]:
    """A venue of its own."""
    instance = f"venue_test_{secrets.token_hex(4)}"
    venue = SyntheticVenue(provision_seeded(postgres_url, instance))
    try:
        venue.open_accounts()
        yield Lending(venue)
    finally:
        venue.close()
        drop(postgres_url, instance)


def test_a_rise_through_maintenance_is_called_and_closed_out(fresh: Lending) -> None:
    venue = fresh.venue
    fresh.desk.borrow("trader0", "AAPL", 60, "k1")
    fresh.trade("trader0", "maker0", 60, 1_000_000)
    assert fresh.cash("trader0") == (160_000_000, 90_000_000)
    # All of the free cash goes into an order, so nothing can follow the mark.
    venue.commit([venue.place("trader0", "BUY", 70, 1_000_000)])
    venue.settle()
    fresh.mark(1_200_000)
    fresh.pass_time()
    loan = fresh.loan("trader0")
    assert loan is not None and loan.call_kind == "margin" and loan.stage == "open"
    assert refusal_code(lambda: fresh.desk.borrow("trader0", "AAPL", 1, "k2")) == "loan.called"
    assert audited(venue).is_equal
    fresh.pass_time(61)
    assert fresh.loan("trader0").stage == "canceling"  # type: ignore[union-attr]
    assert fresh.cash("trader0")[1] < 100_000_000, "its order is canceled"
    fresh.pass_time(3)
    assert fresh.loan("trader0").call_kind is None  # type: ignore[union-attr]
    assert fresh.events("trader0")[-1] == "call_ended", "the freed cash has met the call"
    verdict = audited(venue)
    assert verdict.is_equal, said(verdict)
    venue.commit([venue.place("maker0", "SELL", 50, 1_000_000, "MSFT")])
    venue.commit([venue.place("trader0", "BUY", 50, 1_000_000, "MSFT")])
    venue.settle()
    fresh.mark(1_500_000)
    fresh.pass_time()
    assert fresh.loan("trader0").call_kind == "margin"  # type: ignore[union-attr]
    venue.commit([venue.place("maker1", "SELL", 100, 1_490_000)])
    for seconds in (61, 3, 1, 1):
        fresh.pass_time(seconds)
    fresh.pass_time()
    assert fresh.loan("trader0") is None
    assert fresh.shares("lender") == 1_000
    assert fresh.cash("close_out") == (0, 0)
    balance, held = fresh.cash("trader0")
    fees = venue.read(
        "clearing",
        "SELECT sum(amount) FROM ledger_entries JOIN journals USING (journal_id)"
        " WHERE journals.journal_kind = 'loan_fee' AND client_id = 'trader0'",
    )[0][0]
    assert (balance, held) == (160_000_000 - 50_000_000 - 60 * 1_490_000 + fees, 0)
    assert fresh.events("trader0")[-4:] == ["closing", "order", "bought", "closed"]
    verdict = audited(venue)
    assert verdict.is_equal, said(verdict)


@pytest.fixture(scope="module")
def lent(lending: Lending) -> Lending:
    """With a loan that the mark has moved, and a contribution to the default fund."""
    lending.rules.contribute("trader3", 5_000_000, "fund")
    lending.desk.borrow("trader3", "AAPL", 10, "to plant in")
    lending.mark(1_050_000)
    lending.pass_time(61)
    assert audited(lending.venue).is_equal
    return lending


FEE = "number = (SELECT min(number) FROM loan_events WHERE event::json->>'kind' = 'fee')"


def lowered(field: str) -> Callable[[str], str]:
    """The JSON of an event with one field one less, wherever it stands."""

    def change(text: str) -> str:
        event = json.loads(text)
        where = event if field in event else event["loan"]
        where[field] -= 1
        return json.dumps(event, separators=(",", ":"))

    return change


@pytest.mark.parametrize(
    ("table", "where", "column", "change", "named"),
    [
        ("default_fund", "client_id = 'trader3'", "contribution_e4", lambda e4: e4 - 1,
         ("default_fund", "default_fund", "balance_e4")),
        ("loan_marks", "mark_e4 = 1050000", "mark_e4", lambda e4: e4 + 100,
         ("mark", "AAPL as of", "mark_e4")),
        ("loan_events", FEE, "event", lowered("charged_us"),
         ("loan_event", "(fee)", "charged_us")),
        ("loan_events", "client_id = 'trader3' AND event::json->>'kind' = 'borrow'", "event",
         lowered("collateral_e4"), ("loan_event", "(borrow)", "collateral_e4")),
        ("loan_events", "client_id = 'trader3' AND event::json->>'kind' = 'borrow'", "event",
         lowered("mark_e4"), ("loan_event", "(borrow)", "mark_e4")),
        ("stock_loans", "client_id = 'trader3'", "loan", lowered("collateral_e4"),
         ("loan", "trader3 AAPL", "loan")),
    ],
)  # fmt: skip
def test_a_planted_error_in_each_table_of_loans_is_named(
    lent: Lending,
    table: str,
    where: str,
    column: str,
    change: Callable[[Any], Any],
    named: tuple[str, str, str],
) -> None:
    if column == "loan":
        original = change
        change = lambda text: json.dumps(  # noqa: E731
            json.loads(original(json.dumps({"loan": json.loads(text)})))["loan"],
            separators=(",", ":"),
        )
    with lent.venue.planted("clearing", table, where, column, change):
        found = differences(lent.venue)
    told = [(item.what, item.subject, item.field) for item in found]
    what, subject, field = named
    assert any(row[0] == what and subject in row[1] and row[2] == field for row in told), told


def test_a_loan_event_that_is_missing_is_named(lent: Lending) -> None:
    with lent.venue.missing(
        "clearing", "loan_events", "client_id = 'trader3' AND event::json->>'kind' = 'borrow'"
    ):
        told = {(item.what, item.field) for item in differences(lent.venue)}
    assert ("loan_event", "number") in told and ("journal", "loan event") in told
