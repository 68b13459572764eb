"""The audit derives corporate actions from the log, and names what differs in each of their
tables.
"""

import secrets
from collections.abc import Iterator

import pytest

from migrations.provision import drop
from order_entry_gateway.domain.trading_phases import SessionCandidate
from tests.integration.venue_audit.synthetic_venue import SyntheticVenue
from tests.integration.venue_audit.verdicts import audited, differences, said
from tests.provisioning import provision_seeded
from venue_protocol.commands import ApplyCorporateAction, SetPhase
from venue_protocol.corporate_actions import (
    CashDividend,
    CorporateAction,
    Delisting,
    Split,
    SymbolChange,
)

ALL = (
    ("AAPL", Split(3, 2, 333_333)),
    ("AAPL", CashDividend(2_550, 0, 0, 0)),
    ("AAPL", CashDividend(2_550, 0, 0, 1 << 60)),
    ("AAPL", SymbolChange("APPL")),
    ("MSFT", Split(1, 7, 333_333)),
    ("MSFT", Delisting(12_345)),
)


def act(venue: SyntheticVenue, name: str, action: CorporateAction) -> None:
    """A halt and an action, everything settled and recorded."""
    venue.listed.refresh()
    listed = venue.listed[name]
    command = ApplyCorporateAction(
        "boss", name, action, listed.reference_price_e4, listed.tick_e4, listed.lot
    )
    for each in (SetPhase("boss", "halted", name), command):
        venue.clock.advance(1_000)
        venue.commit([SessionCandidate(0, each)])
    venue.settle()
    venue.record()


@pytest.fixture(scope="module")
def acted(postgres_url: str) -> Iterator[SyntheticVenue]:
    """A venue that has seen each kind of action, with open orders."""
    instance = f"venue_test_{secrets.token_hex(4)}"
    venue = SyntheticVenue(provision_seeded(postgres_url, instance))
    try:
        venue.open_accounts()
        venue.play(60)
        for name, action in ALL:
            act(venue, name, action)
        yield venue
    finally:
        venue.close()
        drop(postgres_url, instance)


def test_a_venue_is_equal_after_each_kind_of_action(acted: SyntheticVenue) -> None:
    verdict = audited(acted)
    assert verdict.is_equal, said(verdict)
    assert verdict.counts["corporate_actions"] == len(ALL)
    kinds = {row[0] for row in acted.read("clearing", "SELECT journal_kind FROM journals")}
    assert {"split", "dividend", "symbol_change", "delisting"} <= kinds


@pytest.mark.parametrize(
    ("table", "where", "column", "what"),
    [
        ("corporate_actions", "step = 'paid'", "time_us", "corporate_action"),
        (
            "corporate_actions",
            "security_id = 'MSFT' AND action ~ 'delisting'",
            "time_us",
            "corporate_action",
        ),
        (
            "dividend_entitlements",
            "client_id = 'maker0' AND action_id = (SELECT max(action_id)"
            " FROM dividend_entitlements)",
            "cash_e4",
            "dividend_entitlement",
        ),
        ("securities", "security_id = 'APPL'", "reference_price_e4", "security"),
        ("securities", "security_id = 'MSFT'", "action_id", "security"),
        ("securities", "security_id = 'AAPL'", "delisted_us", "security"),
        ("session_phases", "security_id = 'AAPL'", "action_sequence", "phase"),
    ],
)
def test_a_planted_number_is_named(
    acted: SyntheticVenue, table: str, where: str, column: str, what: str
) -> None:
    by = 100 if column == "reference_price_e4" else 1
    with acted.planted("clearing", table, where, column, lambda was: was + by) as was:
        (found,) = differences(acted)
    assert (found.what, found.field) == (what, column)
    assert (found.expected, found.found) == (was, was + by)


@pytest.mark.parametrize("table", ["corporate_actions", "dividend_entitlements"])
def test_a_row_that_is_gone_is_named(acted: SyntheticVenue, table: str) -> None:
    where = f"action_id = (SELECT max(action_id) FROM {table})"
    with acted.missing("clearing", table, where):
        found = differences(acted)
    assert found and all(each.field == "row" and each.found is None for each in found)
