"""Busts, corrections, fines and withdrawals between random trades, settled gross and net: nothing
is made or lost, and the audit derives all of it.
"""

import secrets
from collections import Counter
from collections.abc import Iterator

import pytest

from migrations.provision import drop
from order_entry_gateway.domain.trading_phases import SessionCandidate
from tests.integration.venue_audit.synthetic_venue import SyntheticVenue
from tests.integration.venue_audit.verdicts import audited, said
from tests.provisioning import provision_seeded
from venue_protocol.commands import SetSettlement, StartSettlementCycle
from venue_protocol.holds import CASH
from venue_protocol.proposals import Fine, Proposed, TradeBust, TradeCorrection, Withdrawal
from venue_protocol.refusals import Refused

NET = SetSettlement("boss", "net", lag=1)
CYCLE = StartSettlementCycle("boss")


@pytest.fixture(params=[(1, 1), (2, 2)], ids=["one shard", "two shards"])
def venue(request: pytest.FixtureRequest, postgres_url: str) -> Iterator[SyntheticVenue]:
    seed, shards = request.param
    instance = f"venue_test_{secrets.token_hex(4)}"
    made = SyntheticVenue(provision_seeded(postgres_url, instance), seed, shards)
    try:
        made.open_accounts()
        for name in ("boss", "second"):
            made.administration.create_client(name, "administrator")
        yield made
    finally:
        made.close()
        drop(postgres_url, instance)


def command(venue: SyntheticVenue, each: SetSettlement | StartSettlementCycle) -> None:
    venue.clock.advance(1)
    venue.commit([SessionCandidate(shard, each) for shard in range(len(venue.engines))])


def some_proposal(venue: SyntheticVenue, trades: list[int]) -> Proposed:
    dice = venue.dice
    trade_id, client_id = dice.choice(trades), dice.choice(venue.clients)
    return dice.choice(
        [
            TradeBust(trade_id),
            TradeBust(trade_id),
            TradeCorrection(trade_id, price_e4=dice.randrange(9_000, 11_000) * 100),
            TradeCorrection(trade_id, quantity=dice.randrange(1, 20)),
            TradeCorrection(trade_id, dice.randrange(9_000, 11_000) * 100, dice.randrange(1, 20)),
            Fine(client_id, dice.randrange(1, 100_000)),
            Withdrawal(client_id, CASH, dice.randrange(1, 100_000)),
        ]
    )


def correct_some(venue: SyntheticVenue, outcomes: Counter[str], most: int = 6) -> None:
    """Propose and consent to this and that; what is refused has changed nothing."""
    trades = [row[0] for row in venue.read("market", "SELECT trade_id FROM trades")]
    for _ in range(most if trades else 0):
        proposed = some_proposal(venue, trades)
        by = proposed.client_id if isinstance(proposed, Withdrawal) else "boss"
        venue.clock.advance(venue.dice.randrange(1, 1_000))
        try:
            proposal = venue.proposals.propose(proposed, "why", secrets.token_hex(4), by).proposal
            venue.proposals.consent(proposal.proposal_id, "second")
            outcomes[proposal.proposal_kind] += 1
        except Refused as refused:
            outcomes[refused.refusal.reason.code] += 1
            if refused.refusal.reason.code.startswith("risk."):
                venue.proposals.decline(proposal.proposal_id, "second")
        if venue.dice.random() < 0.3:
            venue.record()


def test_any_history_with_corrections_is_derived_and_conserves_everything(
    venue: SyntheticVenue,
) -> None:
    outcomes: Counter[str] = Counter()
    for step in range(12):
        venue.play(6)
        correct_some(venue, outcomes)
        if step == 4:
            command(venue, NET)
        if step > 6 and step % 2:
            command(venue, CYCLE)
    venue.play(4)
    verdict = audited(venue)
    assert verdict.is_equal, said(verdict)
    assert outcomes["bust"] > 3 and outcomes["correction"] > 3 and outcomes["fine"] > 0, outcomes
    assert outcomes["trade.already_busted"] + outcomes["risk.insufficient_funds"] > 0, outcomes
    ((cash_e4,),) = venue.read("clearing", "SELECT sum(balance_e4) FROM accounts")
    assert cash_e4 == 0
    shares = venue.read(
        "clearing", "SELECT sum(quantity) FROM securities_deposits GROUP BY security_id"
    )
    assert all(total == 0 for (total,) in shares)


def test_a_trade_that_settles_in_a_cycle_is_busted_before_and_after_it(
    venue: SyntheticVenue,
) -> None:
    command(venue, NET)
    venue.play(30)
    rows = venue.read("market", "SELECT trade_id FROM trades ORDER BY trade_id")
    before = venue.read(
        "clearing", "SELECT count(*) FROM journals WHERE journal_kind IN ('trade', 'bust')"
    )
    assert before == [(0,)]
    done = 0
    for number, (trade_id,) in enumerate(rows[:10]):
        if number == 5:
            command(venue, CYCLE)
            venue.settle()
        proposal = venue.proposals.propose(
            TradeBust(trade_id), "why", secrets.token_hex(4), "boss"
        ).proposal
        try:
            venue.proposals.consent(proposal.proposal_id, "second")
            done += 1
        except Refused as refused:
            assert refused.refusal.reason.code.startswith("risk.")
    command(venue, CYCLE)
    venue.play(3)
    verdict = audited(venue)
    assert verdict.is_equal, said(verdict)
    assert done >= 2
