"""Books of a venue where everything happens: trades with fees, a bust, corrections, a fine, a
withdrawal, short sales and a close-out, a split, a dividend, a new symbol and a delisting.

Each statement fits and ends with what its client has, the trial balance is equal, and the real
programs accept the ledger.
"""

import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

from migrations.provision import drop
from order_entry_gateway.domain.trading_phases import SessionCandidate
from tests.bookkeepers import PROGRAMS, Program, exported
from tests.integration.venue_audit.synthetic_venue import SyntheticVenue
from tests.integration.venue_audit.test_audit_of_proposals import (
    BOSS,
    SECOND,
    consent,
    trades_between_makers,
)
from tests.integration.venue_audit.test_loans import Lending
from tests.integration.venue_audit.verdicts import audited, said
from tests.provisioning import provision_seeded
from venue_audit import books
from venue_audit.snapshot import Snapshot
from venue_audit.statements import SnapshotSource
from venue_protocol.commands import ApplyCorporateAction, SetPhase
from venue_protocol.corporate_actions import (
    CashDividend,
    CorporateAction,
    Delisting,
    Split,
    SymbolChange,
)
from venue_protocol.holds import CASH
from venue_protocol.proposals import Fine, TradeBust, TradeCorrection, Withdrawal
from venue_protocol.securities import Security
from venue_protocol.statements.maker import Period, make
from venue_protocol.statements.statement import Line, Statement

FOR_EVER = Period(0, 4_000_000_000_000_000, True)


ACTIONS: tuple[tuple[str, CorporateAction], ...] = (
    ("AAPL", Split(3, 2, 666_667)),
    ("MSFT", CashDividend(2_550, 1, 1, 1)),
    ("MSFT", SymbolChange("MSX")),
    ("OLD", Delisting(1_234_500)),
)


def correct(venue: SyntheticVenue) -> None:
    """A bust, corrections, a fine and a withdrawal."""
    for name in (BOSS, SECOND):
        venue.administration.create_client(name, "administrator")
    first, second = trades_between_makers(venue, 2)
    consent(venue, TradeBust(first))
    consent(venue, TradeCorrection(second, price_e4=990_000))
    consent(venue, TradeCorrection(second, quantity=1))
    consent(venue, Fine("maker1", 1_234))
    request = venue.proposals.propose(Withdrawal("maker0", CASH, 12_345), "rent", "w1", "maker0")
    venue.proposals.consent(request.proposal.proposal_id, BOSS)


def lend(venue: SyntheticVenue) -> None:
    """A short sale that is returned, and one that the clearinghouse closes out."""
    lending = Lending(venue)
    venue.administration.create_client("shorter", "trader")
    venue.clients.append("shorter")
    lending.desk.borrow("trader0", "AAPL", 20, "k1")
    lending.trade("trader0", "maker0", 20, 1_000_000)
    lending.trade("maker0", "trader0", 20, 950_000)
    lending.desk.return_shares("trader0", "AAPL", 20, "k2")
    lending.desk.borrow("shorter", "AAPL", 60, "k3")
    lending.trade("shorter", "maker0", 60, 1_000_000)
    venue.commit([venue.place("maker0", "SELL", 50, 1_000_000, "MSFT")])
    venue.commit([venue.place("shorter", "BUY", 50, 1_000_000, "MSFT")])
    venue.settle()
    lending.mark(1_500_000)
    lending.pass_time()
    venue.commit([venue.place("maker1", "SELL", 100, 1_490_000)])
    for seconds in (61, 3, 1, 1, 1):
        lending.pass_time(seconds)


def act(venue: SyntheticVenue, security_id: str, action: CorporateAction) -> None:
    """Halt, act, settle, and trade again."""
    listed = venue.listed[security_id]
    venue.clock.advance(1_000)
    halt = SetPhase(BOSS, "halted", security_id, "action")
    venue.commit([SessionCandidate(0, halt)])
    command = ApplyCorporateAction(
        BOSS, security_id, action, listed.reference_price_e4, listed.tick_e4, listed.lot
    )
    venue.commit([SessionCandidate(0, command)])
    venue.settle()
    venue.record()


@pytest.fixture(scope="module")
def venue(postgres_url: str) -> Iterator[SyntheticVenue]:
    instance = f"venue_test_{secrets.token_hex(4)}"
    made = SyntheticVenue(provision_seeded(postgres_url, instance), 7)
    try:
        made.open_accounts()
        made.play(30)
        correct(made)
        lend(made)
        made.administration.list_security(
            Security("OLD", "to be delisted", 0, 100, 1, 1000, 10**6), 99
        )
        made.administration.deposit("trader3", "OLD", 9, "old")
        made.listed.look_for(["OLD"])
        for security_id, action in ACTIONS:
            act(made, security_id, action)
        yield made
    finally:
        made.close()
        drop(postgres_url, instance)


def statement(venue: SyntheticVenue, client_id: str) -> tuple[Statement, list[Line]]:
    lines: list[Line] = []
    urls = venue.provisioned.owner_clearing_url, venue.provisioned.owner_market_url
    with Snapshot(urls[0]) as clearing, Snapshot(urls[1]) as market:
        return make(SnapshotSource(clearing, market), client_id, FOR_EVER, lines.append), lines


def test_each_statement_fits_and_ends_with_what_the_client_has(venue: SyntheticVenue) -> None:
    with Snapshot(venue.provisioned.owner_clearing_url) as clearing:
        rows = books.balances(clearing)
    found = {(row.client_id, row.asset): row for row in rows}
    owed = {
        (client_id, security_id): quantity
        for client_id, security_id, quantity in venue.read(
            "clearing", "SELECT client_id, security_id, quantity FROM stock_loans"
        )
    }
    for client_id in [*venue.clients, "lender"]:
        made, _ = statement(venue, client_id)
        assert made.faults == [], client_id
        assert made.closing.cash_e4 == found[client_id, CASH].position
        for line in made.securities:
            key = (client_id, line.security_id)
            assert line.closing == found[key].position
            if client_id != "lender":
                assert line.borrowed == owed.get(key, 0)
    assert [row for row in rows if row.difference] == []


def test_each_cause_is_told_apart(venue: SyntheticVenue) -> None:
    maker, _ = statement(venue, "maker1")
    assert maker.earned["fines"] == -1_234
    assert {"busts", "corrections"} <= set(maker.cash)
    shorted, lines = statement(venue, "trader0")
    assert shorted.earned["realised"] > 0, "bought back for less than it was sold for"
    assert any(line.kind == "stock_loan" for line in lines)
    kinds = {line.kind for client_id in venue.clients for line in statement(venue, client_id)[1]}
    assert {"split", "dividend", "symbol_change", "delisting"} <= kinds
    defaulted, _ = statement(venue, "shorter")
    assert defaulted.earned["close_outs"] < 0 and defaulted.securities[0].borrowed == 0


@pytest.mark.parametrize(("form", "program"), PROGRAMS)
def test_the_program_accepts_all_of_it(
    venue: SyntheticVenue, form: str, program: Program, tmp_path: Path
) -> None:
    urls = venue.provisioned.owner_clearing_url, venue.provisioned.owner_market_url
    assert program(exported(form, *urls), tmp_path) == []


def test_the_audit_is_equal(venue: SyntheticVenue) -> None:
    verdict = audited(venue)
    assert verdict.is_equal, said(verdict)
