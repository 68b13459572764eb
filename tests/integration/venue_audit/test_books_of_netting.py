"""Statements and exports of a venue that settles net: what is settled, and what is still open."""

import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

from migrations.provision import drop
from tests.bookkeepers import PROGRAMS, Program, exported
from tests.integration.venue_audit.synthetic_venue import SyntheticVenue
from tests.integration.venue_audit.test_audit_of_netting import play_net
from tests.integration.venue_audit.test_audit_of_proposals import BOSS, SECOND, consent
from tests.provisioning import provision_seeded
from venue_audit import books
from venue_audit.ledger_accounts import part
from venue_audit.snapshot import Snapshot
from venue_audit.statements import SnapshotSource
from venue_protocol.proposals import TradeBust
from venue_protocol.statements.maker import Period, make
from venue_protocol.statements.statement import Line

FOR_EVER = Period(0, 4_000_000_000_000_000, True)


def bust_an_unsettled_trade(venue: SyntheticVenue) -> None:
    """It is paid back at once, while what it obliges to waits for its cycle."""
    for name in (BOSS, SECOND):
        venue.administration.create_client(name, "administrator")
    venue.commit([venue.place("maker0", "BUY", 3, 1_100_000)])
    venue.commit([venue.place("maker1", "SELL", 3, 900_000)])
    venue.settle()
    venue.record()
    ((trade_id,),) = venue.read("market", "SELECT max(trade_id) FROM trades")
    consent(venue, TradeBust(trade_id))


@pytest.fixture(scope="module")
def netted(postgres_url: str) -> Iterator[SyntheticVenue]:
    instance = f"venue_test_{secrets.token_hex(4)}"
    venue = SyntheticVenue(provision_seeded(postgres_url, instance), 5)
    try:
        play_net(venue)
        bust_an_unsettled_trade(venue)
        yield venue
    finally:
        venue.close()
        drop(postgres_url, instance)


@pytest.mark.parametrize(("form", "program"), PROGRAMS)
def test_the_program_has_receivables_and_payables_and_finds_what_is_planted_in_them(
    netted: SyntheticVenue, form: str, program: Program, tmp_path: Path
) -> None:
    urls = netted.provisioned.owner_clearing_url, netted.provisioned.owner_market_url
    text = exported(form, *urls)
    assert program(text, tmp_path) == []
    assert text.count("net_settlement") > 10 and ":Unsettled:USD" in text
    ((client_id, security_id, shard, cycle),) = netted.read(
        "clearing",
        "SELECT client_id, security_id, shard, cycle FROM net_obligations"
        " WHERE quantity <> 0 AND cash_e4 <> 0 ORDER BY 1, 2, 3, 4 LIMIT 1",
    )
    where = (
        f"client_id = '{client_id}' AND security_id = '{security_id}' AND shard = {shard}"
        f" AND cycle = {cycle}"
    )
    for column in ("cash_e4", "quantity"):
        with netted.planted("clearing", "net_obligations", where, column, lambda was: was + 1):
            found = program(exported(form, *urls), tmp_path)
        assert any(part(client_id) in line for line in found), found


def test_the_trial_balance_knows_what_is_to_be_settled(netted: SyntheticVenue) -> None:
    with Snapshot(netted.provisioned.owner_clearing_url) as clearing:
        rows = books.balances(clearing)
    assert any(row.unsettled for row in rows)
    assert [row for row in rows if row.difference] == []
    for asset in {row.asset for row in rows}:
        of_asset = [row for row in rows if row.asset == asset]
        assert sum(row.position for row in of_asset) == sum(row.unsettled for row in of_asset) == 0


def test_each_statement_ends_with_what_the_client_has_and_what_is_open(
    netted: SyntheticVenue,
) -> None:
    urls = netted.provisioned.owner_clearing_url, netted.provisioned.owner_market_url
    with Snapshot(urls[0]) as clearing, Snapshot(urls[1]) as market:
        found = {(row.client_id, row.asset): row for row in books.balances(clearing)}
        for client_id in netted.clients:
            lines: list[Line] = []
            made = make(SnapshotSource(clearing, market), client_id, FOR_EVER, lines.append)
            cash = found[client_id, "USD"]
            assert made.faults == []
            assert (made.closing.cash_e4, made.unsettled_e4) == (cash.position, cash.unsettled)
            for line in made.securities:
                row = found[client_id, line.security_id]
                assert (line.closing, line.unsettled) == (row.position, row.unsettled)
            assert any(line.kind == "net_settlement" for line in lines)
