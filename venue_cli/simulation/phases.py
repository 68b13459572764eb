"""An administrator of the simulation who begins phases, halts securities and sets bands at random."""

from collections.abc import Mapping
from random import Random

from order_entry_gateway.domain.session import SessionCandidate
from venue_protocol.commands import SetPhase, SetVolatilityBands
from venue_protocol.securities import Security
from venue_protocol.trading_day import (
    CLOSED,
    CLOSING_AUCTION,
    CONTINUOUS,
    HALTED,
    OPENING_AUCTION,
    PRE_OPEN,
    REOPENING_AUCTION,
    Phase,
)

_ADMINISTRATOR = "administrator"
_WHOLE: tuple[Phase, ...] = (
    *(CONTINUOUS,) * 4,
    PRE_OPEN,
    OPENING_AUCTION,
    OPENING_AUCTION,
    CLOSING_AUCTION,
    CLOSING_AUCTION,
    CLOSED,
)
_SINGLE: tuple[Phase, ...] = (HALTED, HALTED, REOPENING_AUCTION, CONTINUOUS)
_LONGEST_US = 400_000
_BANDS_SHARE = 0.2
_SINGLE_SHARE = 0.4


def next_commands(securities: Mapping[str, Security], dice: Random) -> list[SessionCandidate]:
    """What the administrator commands next: for one security, or for all shards."""
    name = dice.choice(sorted(securities))
    security = securities[name]
    drawn = dice.random()
    if drawn < _BANDS_SHARE:
        bands = SetVolatilityBands(
            _ADMINISTRATOR,
            name,
            dice.choice([None, 50, 150]),
            security.reference_price_e4,
            *(dice.randint(1, _LONGEST_US) for _ in range(3)),
        )
        return [SessionCandidate(security.shard, bands)]
    if drawn < _BANDS_SHARE + _SINGLE_SHARE:
        phase = dice.choice(_SINGLE)
        lasts_us = dice.randint(1, _LONGEST_US) if phase == REOPENING_AUCTION else None
        return [SessionCandidate(security.shard, SetPhase(_ADMINISTRATOR, phase, name, "why", lasts_us))]
    phase = dice.choice(_WHOLE)
    shards = sorted({each.shard for each in securities.values()})
    return [SessionCandidate(shard, _whole(shard, phase, securities)) for shard in shards]


def _whole(shard: int, phase: Phase, securities: Mapping[str, Security]) -> SetPhase:
    listed = [(each.security_id, each.reference_price_e4) for each in securities.values() if each.shard == shard]
    return SetPhase(_ADMINISTRATOR, phase, reference_prices=sorted(listed))
