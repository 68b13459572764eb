"""The demo's final check finds and names each planted drift."""

import secrets
from collections.abc import Iterator
from pathlib import Path

import psycopg2
import pytest

from clearinghouse.bootstrap import _administration
from migrations.provision import Provisioned
from service_runtime.database import Database
from venue_audit import conservation
from venue_launcher.running_venue import RunningVenue


@pytest.fixture
def venue(provisioned: Provisioned) -> RunningVenue:
    """The databases of a fresh venue, no service running."""
    return RunningVenue(
        state_dir=Path(),
        instance=provisioned.instance,
        gateway_url="",
        engine_url="",
        clearinghouse_url="",
        market_data_url="",
        admin_key="",
        postgres_url=provisioned.server_url,
        broker_url="",
        owner_clearing_url=provisioned.owner_clearing_url,
        owner_market_url=provisioned.owner_market_url,
        how="given",
    )


@pytest.fixture
def undo(venue: RunningVenue) -> Iterator[list[str]]:
    """Statements that take back what a test planted in clearing_data."""
    statements: list[str] = []
    yield statements
    execute(venue, *statements)


def execute(venue: RunningVenue, *statements: str) -> None:
    connection = psycopg2.connect(venue.owner_clearing_url)
    with connection, connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
    connection.close()


def faults(venue: RunningVenue, before: conservation.Sums) -> list[str]:
    return conservation.judge(venue, before, "demo1.").faults


def test_an_untouched_venue_has_no_faults_and_the_sums_of_its_first_state(
    venue: RunningVenue,
) -> None:
    before = conservation.read_sums(venue)
    assert before.shares == dict.fromkeys(("AAPL", "AMZN", "GOOG", "MSFT", "TSLA"), 10_000_000)
    assert before.cash_e4 > 0 and before.trades_settled == 0
    assert faults(venue, before) == []


def test_a_ten_thousandth_of_a_dollar_of_drift_is_found(
    venue: RunningVenue, undo: list[str]
) -> None:
    before = conservation.read_sums(venue)
    execute(
        venue, "UPDATE accounts SET balance_e4 = balance_e4 + 1 WHERE client_id = 'market_maker'"
    )
    undo.append("UPDATE accounts SET balance_e4 = balance_e4 - 1 WHERE client_id = 'market_maker'")
    assert faults(venue, before) == ["cash drifted by $0.0001"]


def test_one_share_of_drift_is_found(venue: RunningVenue, undo: list[str]) -> None:
    before = conservation.read_sums(venue)
    of_one = "WHERE client_id = 'market_maker' AND security_id = 'AAPL'"
    execute(venue, f"UPDATE securities_deposits SET quantity = quantity - 1 {of_one}")
    undo.append(f"UPDATE securities_deposits SET quantity = quantity + 1 {of_one}")
    assert faults(venue, before) == ["AAPL drifted by -1 shares"]


def test_a_hold_without_an_open_order_is_found(venue: RunningVenue, undo: list[str]) -> None:
    execute(
        venue,
        "INSERT INTO clients (client_id, role, created_us) VALUES ('demo1.x', 'trader', 0)",
        "INSERT INTO accounts (client_id, balance_e4, held_e4) VALUES ('demo1.x', 10, 3)",
    )
    undo += [
        "DELETE FROM accounts WHERE client_id = 'demo1.x'",
        "DELETE FROM clients WHERE client_id = 'demo1.x'",
    ]
    before = conservation.read_sums(venue)
    assert faults(venue, before) == [
        "something is still held although no order of the demo is open"
    ]
    assert conservation.judge(venue, before, "demo2.").faults == []


def test_a_deposit_meanwhile_is_accounted_for_and_spoken_of(venue: RunningVenue) -> None:
    before = conservation.read_sums(venue)
    deposit(venue, "USD", 1_234_500)
    verdict = conservation.judge(venue, before, "demo1.")
    assert verdict.faults == []
    assert any("$123.45 entered meanwhile" in line for line in verdict.lines())


def test_shares_given_by_the_issuer_move_within_the_venue(venue: RunningVenue) -> None:
    before = conservation.read_sums(venue)
    deposit(venue, "AAPL", 10)
    verdict = conservation.judge(venue, before, "demo1.")
    assert verdict.faults == [] and verdict.entered == {}


def test_a_deposit_does_not_hide_a_drift(venue: RunningVenue, undo: list[str]) -> None:
    before = conservation.read_sums(venue)
    deposit(venue, "USD", 5)
    execute(
        venue, "UPDATE accounts SET balance_e4 = balance_e4 - 1 WHERE client_id = 'market_maker'"
    )
    undo.append("UPDATE accounts SET balance_e4 = balance_e4 + 1 WHERE client_id = 'market_maker'")
    assert faults(venue, before) == ["cash drifted by $-0.0001"]


def deposit(venue: RunningVenue, asset: str, amount: int) -> None:
    """As the clearinghouse does it, to the market maker."""
    database = Database(venue.owner_clearing_url, "test", pool_size=1)
    try:
        administration = _administration(database)
        administration.deposit("market_maker", asset, amount, secrets.token_hex(8))
    finally:
        database.close()


def test_a_trade_settled_but_never_matched_is_found(venue: RunningVenue) -> None:
    before = conservation.read_sums(venue)
    execute(
        venue,
        "INSERT INTO journals (journal_id, journal_kind, time_us, trade_id, accounts, assets, "
        "amounts)"
        " SELECT max(journal_id) + 1, 'trade', 1, 1, '{a,b}', '{USD,USD}', '{-5,5}' FROM journals",
    )
    assert faults(venue, before) == ["0 trades were matched, 1 settled"]


def test_a_journal_that_does_not_sum_to_zero_is_found(venue: RunningVenue) -> None:
    before = conservation.read_sums(venue)
    execute(
        venue,
        "ALTER TABLE journals DROP CONSTRAINT journals_balanced_check",
        "INSERT INTO journals (journal_id, journal_kind, time_us, accounts, assets, amounts)"
        " SELECT max(journal_id) + 1, 'issue', 1, '{a}', '{MSFT}', '{7}' FROM journals",
    )
    found = faults(venue, before)
    assert "1 journals do not sum to zero" in found
    assert "MSFT does not sum to zero over all journals" in found
    assert "MSFT drifted by -7 shares" in found
