"""What is commanded of settlement in a schedule: modes, cycles, exemptions and buy-in notices."""

from collections.abc import Mapping, Sequence
from random import Random

from order_entry_gateway.domain.trading_phases import SessionCandidate
from order_entry_gateway.domain.validation import DeliveryCandidate
from venue_protocol.commands import (
    ExemptShares,
    NotifyBuyIn,
    SetSettlement,
    StartSettlementCycle,
)
from venue_protocol.securities import Security

_WHO = "administrator"
_SHORTEST_US = 1_000_000
_MOST_EXEMPT = 40
_MOST_DEPOSIT_E4 = 200_000


def begin_netting(
    listed: Mapping[str, Security], clients: Sequence[str], dice: Random
) -> list[SessionCandidate | DeliveryCandidate]:
    """Net from here on, with members who keep shares back."""
    shards = sorted({each.shard for each in listed.values()})
    begin: list[SessionCandidate | DeliveryCandidate] = [
        SessionCandidate(shard, SetSettlement(_WHO, "net", None, False, dice.choice([0, 0, 1])))
        for shard in shards
    ]
    return begin + [
        _exemption(listed[name], client_id, dice)
        for client_id in clients
        for name in sorted(listed)
        if dice.random() < 0.3
    ]


def next_requests(
    listed: Mapping[str, Security], clients: Sequence[str], dice: Random
) -> list[SessionCandidate | DeliveryCandidate]:
    """One request: mostly cycles and what makes deliveries fail; now and then another mode."""
    security, shards = (
        listed[dice.choice(sorted(listed))],
        sorted({s.shard for s in listed.values()}),
    )
    drawn = dice.random()
    if drawn < 0.1:
        return [SessionCandidate(shard, _mode(dice)) for shard in shards]
    if drawn < 0.6:
        return [SessionCandidate(shard, StartSettlementCycle(_WHO)) for shard in shards]
    client_id = dice.choice(clients)
    if drawn < 0.85:
        return [_exemption(security, client_id, dice)]
    return [DeliveryCandidate(security.shard, NotifyBuyIn(client_id, security.security_id))]


def _exemption(security: Security, client_id: str, dice: Random) -> DeliveryCandidate:
    quantity = dice.randrange(_MOST_EXEMPT)
    deposit_e4 = dice.randrange(_MOST_DEPOSIT_E4) if quantity else 0
    command = ExemptShares(client_id, security.security_id, quantity, deposit_e4)
    return DeliveryCandidate(security.shard, command)


def _mode(dice: Random) -> SetSettlement:
    """Net three times out of four, in cycles of seconds or on command."""
    if dice.random() < 0.25:
        return SetSettlement(_WHO, "gross")
    interval_us = dice.choice([None, _SHORTEST_US, 5 * _SHORTEST_US])
    return SetSettlement(_WHO, "net", interval_us, dice.random() < 0.5, dice.choice([0, 0, 1, 2]))
