"""The audit names what differs in securities, clients, keys, phases and bands."""

import secrets

import pytest

from clearinghouse.adapters.ledger_store import PostgresLedgerStore
from clearinghouse.enrollment import EnrolledAccounts
from client_enrollment.desk import Enrollment
from migrations import schema
from migrations.provision import drop, provision
from order_entry_gateway.domain.trading_phases import SessionCandidate
from tests.integration.venue_audit.synthetic_venue import SyntheticVenue
from tests.integration.venue_audit.verdicts import audited, differences, said
from tests.provisioning import provision_seeded
from venue_protocol.commands import SetPhase, SetVolatilityBands


def test_a_reference_price_off_by_one_cent_is_named(played: SyntheticVenue) -> None:
    with played.planted(
        "clearing",
        "securities",
        "security_id = 'AAPL'",
        "reference_price_e4",
        lambda price_e4: price_e4 + 100,
    ):
        (found,) = differences(played)
    assert (found.what, found.subject, found.field) == ("security", "AAPL", "reference_price_e4")
    assert (found.expected, found.found) == (1_000_000, 1_000_100)
    assert found.stream == "administrative action" and found.sequence


def test_a_security_that_nobody_listed_is_named(played: SyntheticVenue) -> None:
    row = "'GHOST', 'A ghost', 0, 100, 1, 1000, 1000000, 100"
    played.execute("clearing", f"INSERT INTO securities VALUES ({row})")
    try:
        (found,) = differences(played)
    finally:
        played.execute("clearing", "DELETE FROM securities WHERE security_id = 'GHOST'")
    assert (found.what, found.subject, found.expected) == ("security", "GHOST", None)


def test_a_planted_administrator_is_named(played: SyntheticVenue) -> None:
    plant = "INSERT INTO clients (client_id, role, created_us) VALUES ('mallory', %s, 1)"
    played.execute("clearing", plant, ("administrator",))
    try:
        (found,) = differences(played)
    finally:
        played.execute("clearing", "DELETE FROM clients WHERE client_id = 'mallory'")
    assert (found.what, found.subject, found.field) == ("client", "mallory", "role")
    assert (found.expected, found.found) == (None, "administrator")


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("role", "administrator"),
        ("rate_limit_per_second", 1_000_000),
        ("suspension_reason", "planted"),
    ],
)
def test_a_client_that_was_changed_by_hand_is_named(
    played: SyntheticVenue, column: str, value: object
) -> None:
    with played.planted(
        "clearing", "clients", "client_id = 'trader1'", column, lambda _: value
    ) as was:
        (found,) = differences(played)
    assert (found.what, found.subject, found.field) == ("client", "trader1", column)
    assert (found.expected, found.found) == (was, value)


def test_a_planted_key_is_named(played: SyntheticVenue) -> None:
    played.execute(
        "clearing",
        "INSERT INTO api_keys VALUES (decode(repeat('07', 32), 'hex'), 'trader1', 1, NULL)",
    )
    try:
        (found,) = differences(played)
    finally:
        played.execute("clearing", "DELETE FROM api_keys WHERE key_hash = %s", (b"\x07" * 32,))
    assert (found.what, found.subject, found.field) == ("client", "trader1", "valid_keys")
    assert (found.expected, found.found) == (1, 2)


def test_what_the_clearinghouse_does_to_clients_is_equal(played: SyntheticVenue) -> None:
    clients = played.clients_desk
    clients.suspend("trader2", "painting")
    clients.set_rate_limit("trader2", 5)
    clients.add_key("trader2")
    assert audited(played).is_equal, said(audited(played))
    clients.resume("trader2")
    clients.rotate_keys("trader2")
    clients.revoke_keys("trader3")
    clients.set_rate_limit("trader2", None)
    played.administration.ensure_administrator(None, "second_boss")
    assert audited(played).is_equal, said(audited(played))


def test_phases_and_bands_that_differ_from_the_log_are_named(played: SyntheticVenue) -> None:
    for command in (
        SetPhase("boss", "halted", "AAPL", "news", None),
        SetPhase("boss", "continuous", None, None, None),
        SetVolatilityBands("boss", "MSFT", 500, 1_000_000),
        SetPhase("boss", "continuous", "AAPL", None, None),
    ):
        played.clock.advance(1_000)
        played.commit([SessionCandidate(0, command)])
    played.settle()
    played.record()
    assert audited(played).is_equal, said(audited(played))
    with played.planted(
        "clearing", "session_phases", "security_id = 'AAPL'", "phase", lambda _: "closed"
    ):
        (phase,) = differences(played)
    assert (phase.what, phase.subject, phase.field) == ("phase", "AAPL of shard 0", "phase")
    assert (phase.expected, phase.found) == ("continuous", "closed")
    with played.planted("clearing", "session_bands", "true", "band_bps", lambda _: 9_999):
        (band,) = differences(played)
    assert (band.what, band.subject, band.field) == ("band", "MSFT of shard 0", "band_bps")
    with played.missing("clearing", "session_phases", "security_id = ''"):
        (row,) = differences(played)
    assert (row.what, row.field, row.found) == ("phase", "row", None)


def test_clients_from_before_the_record_are_taken_into_it_by_the_migration(
    postgres_url: str,
) -> None:
    instance = f"venue_test_{secrets.token_hex(4)}"
    venue = SyntheticVenue(provision_seeded(postgres_url, instance))
    try:
        venue.open_accounts()
        venue.clients_desk.suspend("trader1", "painting")
        venue.clients_desk.add_key("trader2")
        venue.execute("clearing", "DELETE FROM administrative_actions")
        url = venue.provisioned.owner_clearing_url
        schema.downgrade("clearing_data", url, instance, "clearing_0007")
        provision(postgres_url, instance)
        venue.record()
        verdict = audited(venue)
        assert verdict.is_equal, said(verdict)
        assert verdict.counts["administrative_actions"] > 10
    finally:
        venue.close()
        drop(postgres_url, instance)


def test_a_place_of_a_join_code_that_nobody_took_is_named(played: SyntheticVenue) -> None:
    store = PostgresLedgerStore(played.clearing)
    accounts = EnrolledAccounts(played.administration, store, played.clock)
    enrollment = Enrollment(accounts, played.clock, lambda: 0.0)
    code, _ = enrollment.open_code("autumn", 3, 3600, "boss")
    enrollment.enroll(code, "stranger", "203.0.113.7")
    played.record()
    assert audited(played).is_equal, said(audited(played))
    with played.planted(
        "clearing", "join_codes", "label = 'autumn'", "used", lambda used: used - 1
    ):
        (found,) = differences(played)
    assert (found.what, found.subject, found.field) == ("join code", "autumn", "used")
    assert (found.expected, found.found) == (1, 0)
    with played.missing("clearing", "join_codes", "label = 'autumn'"):
        places, used = differences(played)
    assert (places.expected, places.found, used.expected, used.found) == (3, None, 1, None)
