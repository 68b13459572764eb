"""The audit on real databases: equal after an honest history, at every cut, and not after one
planted unit.
"""

import json
import secrets
from collections.abc import Callable
from typing import Any

import pytest

from migrations.provision import drop, provision
from order_entry_gateway.domain.trading_phases import SessionCandidate
from tests.integration.venue_audit.synthetic_venue import SyntheticVenue
from tests.provisioning import provision_seeded
from venue_audit.differences import Difference
from venue_audit.proof import EngineState, Verdict, audit
from venue_audit.report_ledger import sealed_hash
from venue_protocol.commands import SetPhase, SetVolatilityBands


def audited(venue: SyntheticVenue, engines: list[EngineState] | None = None) -> Verdict:
    return audit(venue.provisioned.owner_clearing_url, venue.provisioned.owner_market_url, engines)


def said(verdict: Verdict) -> str:
    return "\n".join(map(str, verdict.differences))


def test_an_honest_history_is_equal(played: SyntheticVenue) -> None:
    verdict = audited(played)
    assert verdict.is_equal, said(verdict)
    assert verdict.counts["trades"] > 100 and verdict.counts["orders"] > 200
    assert verdict.counts["log_rows"] == played.engine.log_position
    assert verdict.counts["settlement_reports"] == verdict.counts["reports_replayed"] > 200
    assert verdict.counts["open_orders"] == len(played.engine.orders) > 0


def test_an_account_off_by_one_cent_is_named(played: SyntheticVenue) -> None:
    with played.planted(
        "clearing", "accounts", "client_id = 'trader1'", "balance_e4", lambda cash_e4: cash_e4 + 100
    ) as was:
        found = differences(played)
    told = {(item.what, item.subject, item.field) for item in found}
    assert told == {
        ("account", "trader1", "balance_e4"),
        ("account", "trader1", "balance_e4 by its reports"),
        ("account", "trader1", "balance_e4 by its ledger entries"),
        ("conservation", "USD", "total_e4"),
    }
    ((newest,),) = played.read(
        "clearing", "SELECT max(sequence) FROM settlement_reports WHERE client_id = 'trader1'"
    )
    assert (found[0].expected, found[0].found, found[0].sequence) == (was, was + 100, newest)


def test_a_deposit_off_by_one_share_is_named(played: SyntheticVenue) -> None:
    where = "(client_id, security_id) = ('maker0', 'MSFT')"
    with played.planted(
        "clearing", "securities_deposits", where, "quantity", lambda shares: shares - 1
    ) as was:
        found = differences(played)
    told = {(item.what, item.subject, item.field, item.expected, item.found) for item in found}
    assert told == {
        ("deposit", "maker0 MSFT", "quantity", was, was - 1),
        ("deposit", "maker0 MSFT", "quantity by its reports", was, was - 1),
        ("deposit", "maker0 MSFT", "quantity by its ledger entries", was, was - 1),
        ("conservation", "MSFT", "total", 0, -1),
    }


@pytest.mark.parametrize(
    ("table", "where", "column", "subject", "unit"),
    [
        ("accounts", "client_id = 'trader2'", "held_e4", "trader2 USD", 100),
        (
            "securities_deposits",
            "(client_id, security_id) = ('maker1', 'AAPL')",
            "held",
            "maker1 AAPL",
            1,
        ),
    ],
)
def test_a_hold_off_by_one_unit_is_named(
    played: SyntheticVenue, table: str, where: str, column: str, subject: str, unit: int
) -> None:
    with played.planted("clearing", table, where, column, lambda held: held + unit) as was:
        (found,) = differences(played)
    assert (found.what, found.subject, found.field) == ("hold", subject, column)
    assert (found.expected, found.found) == (was, was + unit) and found.sequence


def test_a_ledger_entry_of_a_trade_off_by_one_cent_is_named(played: SyntheticVenue) -> None:
    ((journal_id, accounts),) = played.read(
        "clearing",
        "SELECT journal_id, accounts FROM journals WHERE journal_kind = 'trade' ORDER BY 1 OFFSET "
        "50 LIMIT 1",
    )

    def shift(amounts: list[int]) -> list[int]:
        """A cent more for the seller out of the clearinghouse's pocket: the journal still sums to
        zero.
        """
        return [*amounts[:2], amounts[2] - 100, amounts[3] + 100, *amounts[4:]]

    with played.planted(
        "clearing", "journals", f"journal_id = {journal_id}", "amounts", shift
    ) as was:
        found = differences(played)
    entry = next(
        item for item in found if item.subject == f"{journal_id} entry 4 ({accounts[3]} USD)"
    )
    assert (entry.what, entry.field, entry.sequence) == ("journal", "amount_e4", journal_id)
    assert (entry.expected, entry.found) == (was[3], was[3] + 100)
    assert {item.what for item in found} == {"journal", "account"}
    assert {item.field for item in found} == {"amount_e4", "balance_e4 by its ledger entries"}


def test_a_ledger_entry_that_no_longer_sums_to_zero_is_named(played: SyntheticVenue) -> None:
    """The CHECK forbids it, so it is taken away as an owner could."""
    ((journal_id,),) = played.read(
        "clearing", "SELECT max(journal_id) FROM journals WHERE journal_kind = 'trade'"
    )
    check = "journals_balanced_check CHECK (journal_is_balanced(accounts, assets, amounts))"
    played.execute("clearing", "ALTER TABLE journals DROP CONSTRAINT journals_balanced_check")
    try:
        with played.planted(
            "clearing",
            "journals",
            f"journal_id = {journal_id}",
            "amounts",
            lambda legs: [legs[0] - 1, *legs[1:]],
        ):
            found = differences(played)
    finally:
        played.execute("clearing", f"ALTER TABLE journals ADD CONSTRAINT {check}")
    assert ("journal", f"{journal_id} USD", "sum_e4", 0, -1) in {
        (item.what, item.subject, item.field, item.expected, item.found) for item in found
    }


def test_a_deposit_entry_off_by_one_cent_is_told_apart_from_its_reports(
    played: SyntheticVenue,
) -> None:
    """The log says nothing of deposits: the sealed reports outvote the journal."""
    where = "reference = 'start:trader0'"
    ((journal_id,),) = played.read("clearing", f"SELECT journal_id FROM journals WHERE {where}")
    with played.planted(
        "clearing", "journals", where, "amounts", lambda legs: [legs[0] - 100, legs[1] + 100]
    ):
        found = differences(played)
    told = {
        (item.what, item.subject, item.expected, item.found)
        for item in found
        if item.field == "amount_e4"
    }
    assert told == {
        ("journal", f"{journal_id} entry 1 (bank USD)", -100_000_000, -100_000_100),
        ("journal", f"{journal_id} entry 2 (trader0 USD)", 100_000_000, 100_000_100),
    }
    assert "settlement_report" not in {item.what for item in found}


@pytest.mark.parametrize("kind", ["trade", "deposit"])
def test_a_settlement_report_off_by_one_cent_is_named(played: SyntheticVenue, kind: str) -> None:
    sequence, owner, report = some_report(played, kind)
    changed = report.replace(f'"cash_e4":{cash_of(report)}', f'"cash_e4":{cash_of(report) + 100}')
    with played.planted(
        "clearing", "settlement_reports", f"sequence = {sequence}", "report", lambda _: changed
    ):
        found = differences(played)
    first = found[0]
    assert (first.what, first.subject, first.field) == (
        "settlement_report",
        f"{sequence} of {owner}",
        "cash_e4",
    )
    assert (first.expected, first.found) == (cash_of(report), cash_of(report) + 100)
    assert first.sequence == sequence
    chain = next(item for item in found if (item.what, item.field) == ("report_chain", "hash"))
    assert (chain.subject, chain.sequence, chain.later) == (f"{sequence} of {owner}", sequence, 0)


def test_a_settlement_report_that_was_sealed_again_breaks_the_chain_after_it(
    played: SyntheticVenue,
) -> None:
    sequence, owner, report = some_report(played, "trade")
    changed = report.replace(f'"cash_e4":{cash_of(report)}', f'"cash_e4":{cash_of(report) + 100}')
    changed = changed.replace(json.loads(report)["hash"], sealed_hash(changed))
    with played.planted(
        "clearing", "settlement_reports", f"sequence = {sequence}", "report", lambda _: changed
    ):
        found = differences(played)
    assert ("settlement_report", "cash_e4", sequence) in {
        (item.what, item.field, item.sequence) for item in found
    }
    broken = next(
        item for item in found if (item.what, item.field) == ("report_chain", "previous_hash")
    )
    assert (
        broken.sequence is not None
        and broken.sequence > sequence
        and broken.subject.endswith(f"of {owner}")
    )


@pytest.mark.parametrize(
    ("column", "change"),
    [
        ("filled", lambda filled: filled + 1),
        ("status", lambda status: "filled" if status == "canceled" else "canceled"),
        ("notional_e4", lambda notional_e4: notional_e4 + 100),
        ("price_e4", lambda price_e4: price_e4 + 100),
    ],
)
@pytest.mark.parametrize("condition", ["leaves = 0", "leaves > 0"])
def test_a_planted_error_in_an_order_is_named(
    played: SyntheticVenue, condition: str, column: str, change: Callable[[Any], Any]
) -> None:
    ((order_id, sequence),) = played.read(
        "market",
        f"SELECT order_id, event_sequence FROM orders WHERE {condition} ORDER BY 1 OFFSET 3 LIMIT "
        "1",
    )
    with played.planted("market", "orders", f"order_id = {order_id}", column, change) as was:
        (found,) = differences(played)
    assert (found.what, found.subject, found.field) == ("order", str(order_id), column)
    assert (found.expected, found.found, found.sequence) == (was, change(was), sequence)


@pytest.mark.parametrize(
    ("database", "table", "where", "what"),
    [
        ("market", "trades", "trade_id = 17", "trade"),
        ("market", "orders", "order_id = 9", "order"),
        ("market", "order_reports", "event_sequence = 30", "execution_report"),
        ("market", "settlements", "sequence = 40", "recorded_settlement"),
        ("clearing", "settlement_reports", "sequence = 50", "settlement_report"),
        ("clearing", "journals", "journal_id = 60", "journal"),
        ("clearing", "journals", "reference = 'start:maker1'", "journal"),
        ("clearing", "order_log", "sequence = 70", "order_log"),
    ],
)
def test_a_missing_row_is_named(
    played: SyntheticVenue, database: str, table: str, where: str, what: str
) -> None:
    number = where.rpartition(" ")[2]
    with played.missing(database, table, where):
        found = differences(played)
    named = [item for item in found if item.what == what and item.found in (None, 71)]
    assert named, [str(item) for item in found]
    assert not number.isdigit() or any(number in item.subject.split() for item in named)


def test_a_changed_command_in_the_log_parts_at_its_own_events(played: SyntheticVenue) -> None:
    """The log is the truth: everything that followed from the changed row differs, first its own
    order.
    """
    ((sequence, command),) = played.read(
        "clearing",
        """SELECT sequence, command FROM order_log
        WHERE command LIKE '{"kind":"place_order"%%"quantity":14,%%' ORDER BY 1 LIMIT 1""",
    )
    changed = command.replace('"quantity":14,', '"quantity":13,')
    with played.planted(
        "clearing", "order_log", f"sequence = {sequence}", "command", lambda _: changed
    ):
        found = differences(played)
    told = {(item.what, item.subject, item.field, item.expected, item.found) for item in found}
    assert ("order", str(sequence), "quantity", 13, 14) in told


def test_a_log_that_can_not_be_folded_is_named_and_the_reports_still_prove_the_balances(
    played: SyntheticVenue,
) -> None:
    ((sequence, time_us, command),) = played.read(
        "clearing",
        """SELECT sequence, time_us, command FROM order_log
        WHERE command LIKE '{"kind":"place_order"%%"quantity":9,%%' ORDER BY 1 OFFSET 5 LIMIT 1""",
    )
    ((first,),) = played.read(
        "clearing", "SELECT min(sequence) FROM order_log WHERE time_us = %s", (time_us,)
    )
    changed = command.replace('"quantity":9,', '"quantity":0,')
    with played.planted(
        "clearing", "order_log", f"sequence = {sequence}", "command", lambda _: changed
    ):
        verdict = audited(played)
    (found,) = verdict.differences
    assert (found.what, found.field, found.sequence) == ("order_log", "fold", first)
    ((newest,),) = played.read("clearing", "SELECT last_report_sequence FROM settlement_heads")
    assert verdict.counts["reports_replayed"] == newest


def test_a_live_engine_with_another_book_is_named(played: SyntheticVenue) -> None:
    engine = played.engine
    honest = EngineState(0, engine.log_position, engine.event_position, engine.state_hash())
    assert audited(played, [honest]).is_equal
    (found,) = audited(
        played, [EngineState(0, engine.log_position, engine.event_position, "0" * 64)]
    ).differences
    assert (found.what, found.field, found.sequence) == ("book", "state_hash", engine.log_position)


@pytest.mark.parametrize("shards", [1, 2])
def test_every_cut_of_a_live_venue_is_equal(postgres_url: str, shards: int) -> None:
    """Clearinghouse and feed lag behind the log, each by its own distance, with deposits
    between.
    """
    instance = f"venue_test_{secrets.token_hex(4)}"
    venue = SyntheticVenue(provision_seeded(postgres_url, instance), seed=7, shards=shards)
    try:
        venue.open_accounts()
        venue.play(80)
        for number in range(12):
            venue.play(4)
            venue.commit([venue.command() for _ in range(5)])
            if number % 3 == 1:
                venue.record()
            elif number % 3 == 2:
                venue.settle(number % shards)
            venue.commit([venue.command() for _ in range(5)])
            if number % 2:
                venue.deposit()
            engines = [
                EngineState(e.shard, e.log_position, e.event_position, e.state_hash())
                for e in venue.engines
            ]
            verdict = audited(venue, engines)
            assert verdict.is_equal, said(verdict)
            assert verdict.unsettled_events and verdict.unrecorded_events
        assert all(engine.trade_count > 10 for engine in venue.engines)
    finally:
        venue.close()
        drop(postgres_url, instance)


def test_a_trade_that_was_not_settled_is_named_and_disturbs_nothing_after_it(
    postgres_url: str,
) -> None:
    """It can't happen while holds are right, so the seller's hold is made too large while it
    settles.
    """
    instance = f"venue_test_{secrets.token_hex(4)}"
    venue = SyntheticVenue(provision_seeded(postgres_url, instance), seed=3)
    deposit = (
        "UPDATE securities_deposits SET held = held %s WHERE (client_id, security_id) = "
        "('maker0', 'AAPL')"
    )
    try:
        venue.open_accounts()
        venue.commit(
            [
                venue.place("maker0", "SELL", 10, 1_000_000),
                venue.place("trader0", "BUY", 10, 1_000_000),
            ]
        )
        venue.execute(
            "clearing",
            "ALTER TABLE securities_deposits DROP CONSTRAINT securities_deposits_covered_check",
        )
        venue.execute("clearing", deposit % "+ 5000")
        venue.settle()
        venue.execute("clearing", deposit % "- 5000")
        venue.play(20)
        (found,) = differences(venue)
        assert (found.what, found.subject, found.field) == ("trade", "1", "settlement")
        assert "maker0 would have" in str(found.found)
        assert venue.engine.trade_count > 5
    finally:
        venue.close()
        drop(postgres_url, instance)


def differences(venue: SyntheticVenue) -> list[Difference]:
    """What the audit finds."""
    return audited(venue).differences


def some_report(venue: SyntheticVenue, kind: str) -> tuple[int, str, str]:
    """Sequence, client and text of a report of this kind from the middle of a trader's or maker's
    history.
    """
    rows = venue.read(
        "clearing",
        "SELECT sequence, client_id, report FROM settlement_reports WHERE report LIKE %s ORDER BY "
        "1 DESC OFFSET 20",
        (f'%"settlement_kind":"{kind}"%',),
    )
    return next((sequence, owner, text) for sequence, owner, text in rows if cash_of(text))


def cash_of(report: str) -> int:
    return int(json.loads(report)["cash_e4"])


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
        venue.execute("clearing", "UPDATE alembic_version SET version_num = 'clearing_0007'")
        provision(postgres_url, instance)
        venue.record()
        verdict = audited(venue)
        assert verdict.is_equal, said(verdict)
        assert verdict.counts["administrative_actions"] > 10
    finally:
        venue.close()
        drop(postgres_url, instance)
