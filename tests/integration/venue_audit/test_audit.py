"""The audit on real databases: equal after an honest history, at every cut, and not after one
planted unit.
"""

import json
import secrets
from collections.abc import Callable
from typing import Any

import pytest

from migrations.provision import drop
from tests.integration.venue_audit.synthetic_venue import SyntheticVenue
from tests.integration.venue_audit.verdicts import audited, cash_of, differences, said, some_report
from tests.provisioning import provision_seeded
from venue_audit.proof import EngineState
from venue_audit.report_ledger import sealed_hash


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
