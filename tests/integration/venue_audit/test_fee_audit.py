"""The audit on a venue with fees: equal after an honest history, not after one wrong fee."""

import secrets
from collections.abc import Iterator

import pytest

from clearinghouse.domain.fees import FEES
from migrations.provision import drop
from tests.integration.venue_audit.synthetic_venue import SyntheticVenue
from tests.integration.venue_audit.verdicts import audited, differences, said
from tests.provisioning import provision_seeded
from venue_audit.explain import Explanation, summarize
from venue_audit.fee_check import WITHIN_US
from venue_audit.snapshot import Snapshot
from venue_protocol import codec
from venue_protocol.fee_schedule import FeeRow
from venue_protocol.holds import CASH

_FEE_JOURNAL = """
SELECT journal_id, accounts, amounts FROM journals
WHERE cardinality(accounts) = 12 ORDER BY journal_id OFFSET 10 LIMIT 1
"""


@pytest.fixture(scope="module")
def venue(postgres_url: str) -> Iterator[SyntheticVenue]:
    """Free at first, then fees for all, then a tier with a rebate; a part of the fees paid out."""
    instance = f"venue_test_{secrets.token_hex(4)}"
    made = SyntheticVenue(provision_seeded(postgres_url, instance))
    try:
        made.open_accounts()
        made.play(30)
        made.clock.advance(2 * WITHIN_US)
        made.fees.set_fees(FeeRow("*", "standard", 2, 7, 1), "boss")
        made.play(60)
        made.fees.set_fees(FeeRow("MSFT", "gold", -5, 6, 0), "boss")
        made.fees.set_fees(FeeRow("*", "gold", -2, 5, 0), "boss")
        made.fees.set_tier("maker0", "gold", "boss")
        made.clock.advance(2 * WITHIN_US)
        made.play(60)
        made.administration.withdraw(FEES, CASH, 1, "to the owners")
        made.record()
        yield made
    finally:
        made.close()
        drop(postgres_url, instance)


def test_an_honest_history_with_fees_is_equal(venue: SyntheticVenue) -> None:
    verdict = audited(venue)
    assert verdict.is_equal, said(verdict)
    rebates = venue.read(
        "clearing",
        "SELECT count(*) FROM settlement_reports WHERE (report::json->>'fee_e4')::bigint < 0",
    )
    ((collected_e4,),) = venue.read(
        "clearing", "SELECT balance_e4 FROM accounts WHERE client_id = 'fees'"
    )
    assert rebates[0][0] > 0 and collected_e4 > 0


def test_the_account_of_fees_is_what_the_reports_say_was_paid(venue: SyntheticVenue) -> None:
    ((paid_e4,),) = venue.read(
        "clearing",
        "SELECT sum((report::json->>'fee_e4')::bigint)::bigint FROM settlement_reports"
        " WHERE report LIKE '%%\"fee_e4\"%%'",
        (),
    )
    ((collected_e4,),) = venue.read(
        "clearing", "SELECT balance_e4 FROM accounts WHERE client_id = 'fees'"
    )
    assert collected_e4 == paid_e4 - 1, "one ten-thousandth went to the owners"


def test_a_fee_off_by_one_unit_in_its_journal_is_named(venue: SyntheticVenue) -> None:
    ((journal_id, accounts, _),) = venue.read("clearing", _FEE_JOURNAL)

    def shift(amounts: list[int]) -> list[int]:
        """One ten-thousandth more from the buyer: the journal still sums to zero."""
        return [*amounts[:8], amounts[8] - 1, amounts[9] + 1, *amounts[10:]]

    with venue.planted(
        "clearing", "journals", f"journal_id = {journal_id}", "amounts", shift
    ) as was:
        found = differences(venue)
    told = {
        (item.subject, item.field, item.expected, item.found)
        for item in found
        if item.what == "journal"
    }
    assert told == {
        (f"{journal_id} entry 9 ({accounts[8]} USD)", "amount_e4", was[8], was[8] - 1),
        (f"{journal_id} entry 10 (fees USD)", "amount_e4", was[9], was[9] + 1),
    }


def test_a_fee_off_by_one_unit_in_the_record_of_the_feed_is_named(venue: SyntheticVenue) -> None:
    ((client_id, sequence),) = venue.read(
        "market",
        "SELECT client_id, event_sequence FROM order_reports WHERE fee_e4 > 0 LIMIT 1",
    )
    where = f"(client_id, event_sequence) = ('{client_id}', {sequence})"
    with venue.planted("market", "order_reports", where, "fee_e4", lambda fee: fee + 1) as was:
        (found,) = differences(venue)
    assert (found.what, found.subject) == ("execution_report", f"{client_id} {sequence}")
    assert (found.field, found.expected, found.found) == ("fee_e4", was, was + 1)


def test_the_account_of_fees_off_by_one_unit_is_named(venue: SyntheticVenue) -> None:
    with venue.planted(
        "clearing", "accounts", "client_id = 'fees'", "balance_e4", lambda cash: cash + 1
    ):
        found = differences(venue)
    assert ("account", "fees", "balance_e4") in {
        (item.what, item.subject, item.field) for item in found
    }


@pytest.mark.parametrize("column", ["maker_bps", "taker_bps", "auction_bps"])
def test_a_rate_that_no_administrator_set_is_named(venue: SyntheticVenue, column: str) -> None:
    where = "(security_id, tier) = ('*', 'standard')"
    with venue.planted("clearing", "fee_schedule", where, column, lambda bps: bps + 1) as was:
        (found,) = differences(venue)
    assert (found.what, found.subject, found.field) == ("fee_schedule", "* standard", column)
    assert (found.expected, found.found) == (was, was + 1) and found.sequence


def test_a_tier_that_no_administrator_gave_is_named(venue: SyntheticVenue) -> None:
    venue.execute("clearing", "INSERT INTO fee_tiers VALUES ('trader0', 'gold')")
    try:
        (found,) = differences(venue)
    finally:
        venue.execute("clearing", "DELETE FROM fee_tiers WHERE client_id = 'trader0'")
    assert (found.what, found.subject) == ("fee_tier", "trader0")
    assert (found.expected, found.found) == ("standard", "gold")


def test_an_order_with_rates_of_no_schedule_of_its_time_is_named(venue: SyntheticVenue) -> None:
    """A cheaper rate slipped into the log: what it does to cash is found, and where it began."""
    rows = venue.read("clearing", "SELECT sequence, command FROM order_log ORDER BY sequence DESC")
    sequence, text = next(
        (number, text) for number, text in rows if '"fees"' in text and '"maker0"' not in text
    )
    command = codec.decode_command(text)
    cheaper = text.replace('"taker_bps":7', '"taker_bps":1')
    with venue.planted(
        "clearing", "order_log", f"sequence = {sequence}", "command", lambda _: cheaper
    ):
        found = differences(venue)
    named = next(item for item in found if item.field == "fees" and item.what == "order")
    assert named.subject == f"{sequence} of {command.client_id}" and named.sequence == sequence
    assert (named.expected, named.found) == (
        "maker 2, taker 7, auction 1",
        "maker 2, taker 1, auction 1",
    )


def test_explain_shows_each_fee_and_their_sum(venue: SyntheticVenue) -> None:
    ((client_id, paid_e4),) = venue.read(
        "clearing",
        "SELECT client_id, sum((report::json->>'fee_e4')::bigint)::bigint FROM settlement_reports"
        " WHERE report LIKE '%%\"fee_e4\"%%' AND client_id LIKE 'trader%%'"
        " GROUP BY client_id ORDER BY 2 DESC LIMIT 1",
        (),
    )
    with Snapshot(venue.provisioned.owner_clearing_url) as clearing:
        assert summarize(clearing, client_id).fees_e4 == paid_e4
        explanation = Explanation(clearing, client_id)
        moved = [each for each in explanation.movements() if each.fee != "0.00"]
        assert explanation.conclude()["equal"]
    assert moved
    for movement in moved:
        counter = {entry.counter_account for entry in movement.entries}
        assert counter == {"clearinghouse", FEES}
        assert movement.fee in movement.what
