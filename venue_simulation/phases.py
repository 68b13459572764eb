"""An administrator who begins phases, halts securities and sets bands at random: in the simulation
and in chaos.
"""

from collections.abc import Mapping, Sequence
from random import Random
from typing import NamedTuple

from order_entry_gateway.domain.trading_phases import SessionCandidate
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


class DrawnPhase(NamedTuple):
    """A phase of one security, or of all (None); `lasts` is of a reopening auction that ends by
    itself.
    """

    phase: Phase
    security_id: str | None
    lasts: int | None


class DrawnBands(NamedTuple):
    """The volatility bands of one security; times in the unit of the draw."""

    security_id: str
    band_bps: int | None
    limit_state: int
    pause: int
    auction: int


def draw(security_ids: Sequence[str], dice: Random, longest: int) -> DrawnPhase | DrawnBands:
    """What the administrator commands next; durations are up to `longest`, in the unit of the
    caller.
    """
    name = dice.choice(security_ids)
    drawn = dice.random()
    if drawn < _BANDS_SHARE:
        band_bps = dice.choice([None, 50, 150])
        return DrawnBands(name, band_bps, *(dice.randint(1, longest) for _ in range(3)))
    if drawn < _BANDS_SHARE + _SINGLE_SHARE:
        phase = dice.choice(_SINGLE)
        return DrawnPhase(
            phase, name, dice.randint(1, longest) if phase == REOPENING_AUCTION else None
        )
    return DrawnPhase(dice.choice(_WHOLE), None, None)


def next_commands(securities: Mapping[str, Security], dice: Random) -> list[SessionCandidate]:
    """What the administrator commands next: for one security, or for all shards."""
    drawn = draw(sorted(securities), dice, _LONGEST_US)
    if isinstance(drawn, DrawnBands):
        security = securities[drawn.security_id]
        bands = SetVolatilityBands(
            _ADMINISTRATOR,
            drawn.security_id,
            drawn.band_bps,
            security.reference_price_e4,
            *drawn[2:],
        )
        return [SessionCandidate(security.shard, bands)]
    if drawn.security_id is not None:
        command = SetPhase(_ADMINISTRATOR, drawn.phase, drawn.security_id, "why", drawn.lasts)
        return [SessionCandidate(securities[drawn.security_id].shard, command)]
    shards = sorted({each.shard for each in securities.values()})
    return [SessionCandidate(shard, _whole(shard, drawn.phase, securities)) for shard in shards]


def _whole(shard: int, phase: Phase, securities: Mapping[str, Security]) -> SetPhase:
    listed = [
        (each.security_id, each.reference_price_e4)
        for each in securities.values()
        if each.shard == shard
    ]
    return SetPhase(_ADMINISTRATOR, phase, reference_prices=sorted(listed))
