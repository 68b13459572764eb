"""The audit of busts, corrections and withdrawals: equal after honest ones, and each planted error
is named.
"""

import secrets
from collections.abc import Iterator

import pytest

from migrations.provision import drop
from tests.integration.venue_audit.synthetic_venue import SyntheticVenue
from tests.integration.venue_audit.verdicts import audited, differences, said
from tests.provisioning import provision_seeded
from venue_protocol.holds import CASH
from venue_protocol.proposals import TradeBust, TradeCorrection, Withdrawal

BOSS, SECOND = "boss", "second"


@pytest.fixture(scope="module")
def corrected(postgres_url: str) -> Iterator[SyntheticVenue]:
    """A venue with a bust, two corrections of one trade and a withdrawal in its history."""
    instance = f"venue_test_{secrets.token_hex(4)}"
    venue = SyntheticVenue(provision_seeded(postgres_url, instance))
    try:
        venue.open_accounts()
        for name in (BOSS, SECOND):
            venue.administration.create_client(name, "administrator")
        venue.play(20)
        for number, trade_id in enumerate(trades_between_makers(venue, 2)):
            if number == 0:
                consent(venue, TradeBust(trade_id))
            else:
                consent(venue, TradeCorrection(trade_id, price_e4=990_000))
                consent(venue, TradeCorrection(trade_id, quantity=1))
        request = venue.proposals.propose(
            Withdrawal("maker0", CASH, 12_345), "rent", "w1", "maker0"
        )
        venue.proposals.consent(request.proposal.proposal_id, BOSS)
        venue.play(20)
        yield venue
    finally:
        venue.close()
        drop(postgres_url, instance)


def trades_between_makers(venue: SyntheticVenue, most: int) -> list[int]:
    """Trades of more than one share whose parties can always pay and deliver."""
    for number in range(most):
        price_e4 = 1_000_000 + number * 100
        venue.commit([venue.place("maker0", "BUY", 3, price_e4 + 1_000_000)])
        venue.commit([venue.place("maker1", "SELL", 3, price_e4)])
    venue.settle()
    venue.record()
    rows = venue.read(
        "clearing",
        "SELECT trade_id FROM journals WHERE trade_id IS NOT NULL AND 'maker0' = ANY (accounts)"
        " AND 'maker1' = ANY (accounts) ORDER BY trade_id DESC LIMIT %s",
        (most,),
    )
    assert len(rows) == most
    return [trade_id for (trade_id,) in rows]


def consent(venue: SyntheticVenue, proposed: TradeBust | TradeCorrection) -> int:
    key = secrets.token_hex(4)
    proposal = venue.proposals.propose(proposed, "erroneous", key, BOSS).proposal
    venue.clock.advance(10)
    done = venue.proposals.consent(proposal.proposal_id, SECOND).proposal
    assert done.journal_id is not None
    return done.journal_id


def test_a_history_with_corrections_is_equal(corrected: SyntheticVenue) -> None:
    verdict = audited(corrected)
    assert verdict.is_equal, said(verdict)
    assert verdict.counts["proposals"] == 4
    told = corrected.read(
        "market", "SELECT correction_kind FROM trade_corrections ORDER BY sequence"
    )
    assert told == [("bust",), ("correction",), ("correction",)]


def test_a_bust_sums_to_nothing_over_the_journals_of_its_trade(corrected: SyntheticVenue) -> None:
    rows = corrected.read(
        "clearing",
        "SELECT leg.client_id, asset, sum(amount) FROM proposals AS p JOIN journals AS j"
        " ON j.trade_id = p.trade_id OR j.journal_id = p.journal_id"
        " CROSS JOIN LATERAL unnest(accounts, assets, amounts) AS leg(client_id, asset, amount)"
        " WHERE proposal_kind = 'bust' GROUP BY leg.client_id, asset",
    )
    assert len(rows) == 6 and all(amount == 0 for *_, amount in rows)


PLANTED = [
    # table, where, column, change, what is named
    (
        "journals",
        "journal_kind = 'bust'",
        "amounts",
        lambda legs: [legs[0] + 1, legs[1] - 1, *legs[2:]],
        ("journal", "amount_e4"),
    ),
    (
        "journals",
        "journal_kind = 'bust'",
        "reference",
        lambda was: was + "0",
        ("journal", "reference"),
    ),
    (
        "proposals",
        "proposal_kind = 'bust'",
        "decided_by",
        lambda was: BOSS,
        ("proposal", "decided_by"),
    ),
    (
        "proposals",
        "proposal_kind = 'bust'",
        "journal_id",
        lambda was: was - 1,
        ("proposal", "journal_id"),
    ),
    (
        "proposals",
        "proposal_kind = 'correction' AND strpos(details, 'price') > 0",
        "details",
        lambda was: was.replace("990000", "980000"),
        ("proposal", "details"),
    ),
    (
        "proposals",
        "proposal_kind = 'withdrawal'",
        "details",
        lambda was: was.replace("12345", "12346"),
        ("journal", "amount_e4"),
    ),
    (
        "proposals",
        "proposal_kind = 'bust'",
        "reason",
        lambda was: "no reason",
        ("proposal", "reason"),
    ),
    (
        "proposals",
        "proposal_kind = 'withdrawal'",
        "status",
        lambda was: "declined",
        ("proposal", "status"),
    ),
]


@pytest.mark.parametrize(("table", "where", "column", "change", "named"), PLANTED)
def test_a_planted_error_is_named(
    corrected: SyntheticVenue, table: str, where: str, column: str, change, named
) -> None:
    if column in ("decided_by", "status"):
        corrected.execute(
            "clearing",
            "ALTER TABLE proposals DROP CONSTRAINT IF EXISTS proposals_second_person_check",
        )
        corrected.execute(
            "clearing", "ALTER TABLE proposals DROP CONSTRAINT IF EXISTS proposals_decided_check"
        )
    with corrected.planted("clearing", table, where, column, change):
        found = differences(corrected)
    assert named in {(item.what, item.field) for item in found}, [str(item) for item in found]
    assert audited(corrected).is_equal


@pytest.mark.parametrize("table", ["proposals", "administrative_actions"])
def test_a_missing_row_is_named(corrected: SyntheticVenue, table: str) -> None:
    where = {
        "proposals": "proposal_kind = 'bust'",
        "administrative_actions": "action = 'consent' AND strpos(details, 'bust') > 0",
    }[table]
    with corrected.missing("clearing", table, where):
        found = differences(corrected)
    assert "proposal" in {item.what for item in found} | {item.field for item in found}


@pytest.mark.parametrize(
    ("column", "change"),
    [
        ("price_e4", lambda was: was + 100),
        ("quantity", lambda was: was + 1),
        ("correction_kind", lambda was: "correction"),
        ("trade_id", lambda was: was + 1),
    ],
)
def test_what_the_feed_tells_of_a_trade_is_compared(
    corrected: SyntheticVenue, column: str, change
) -> None:
    where = "sequence = (SELECT min(sequence) FROM trade_corrections)"
    with corrected.planted("market", "trade_corrections", where, column, change):
        found = differences(corrected)
    assert {item.what for item in found} == {"trade_correction"}


def test_a_bust_that_the_feed_does_not_tell_is_missed(corrected: SyntheticVenue) -> None:
    with corrected.missing("market", "trade_corrections", "correction_kind = 'bust'"):
        found = differences(corrected)
    assert {item.what for item in found} == {"trade_correction"}
