"""One cycle of net settlement: a delivery versus payment of everything that is due.

Each member pays or gets one sum of cash, and gives or gets one number of shares of each security.
"""

from collections.abc import Iterator
from itertools import groupby
from typing import NamedTuple

from clearinghouse.domain.ledger import Leg
from clearinghouse.domain.netting import NetObligation, NettingBook, Volume
from venue_protocol.events import SettlementCycle
from venue_protocol.holds import CASH
from venue_protocol.invariants import BrokenInvariant
from venue_protocol.obligations import CycleRow

MOST_LEGS = 1_000
"""Members' legs of one journal. What a part leaves open meets in the clearinghouse's account."""


class NetCycle(NamedTuple):
    """What a cycle settles."""

    legs: list[list[Leg]]
    """Of members: cash first, then each security by name; none is empty, each sums to zero."""
    row: CycleRow


def net(book: NettingBook, cycle: SettlementCycle, time_us: int) -> NetCycle:
    """Take what is due from the book and say what moves.

    Raises BrokenInvariant if what is due in an asset does not sum to zero.
    """
    volumes = book.take_volumes(cycle.shard, cycle.number)
    due = book.take_due(cycle.shard, cycle.number)
    cash_legs = _cash_legs(due)
    share_legs = [
        [Leg(client_id, security_id, one.quantity) for _, client_id, one in some if one.quantity]
        for security_id, some in groupby(due, lambda one: one[0])
    ]
    legs = [some for some in (cash_legs, *share_legs) if some]
    for some in legs:
        if sum(leg.amount for leg in some):
            raise BrokenInvariant(f"cycle {cycle.number}: {some[0].asset} due is not zero")
    row = CycleRow(
        cycle.shard,
        cycle.number,
        time_us,
        sum(volume.trades for volume in volumes.values()),
        sum(volume.value_e4 for volume in volumes.values()),
        sum(leg.amount for leg in cash_legs if leg.amount > 0),
        sum(
            leg.amount * mark_e4(volumes[leg.asset])
            for some in share_legs
            for leg in some
            if leg.amount > 0
        ),
        sum(map(len, legs)),
        0,
    )
    book.cycles.append(row)
    return NetCycle(legs, row)


def _cash_legs(due: list[tuple[str, str, NetObligation]]) -> list[Leg]:
    """One leg for each member with cash to get or to pay."""
    cash: dict[str, int] = {}
    for _, client_id, one in due:
        cash[client_id] = cash.get(client_id, 0) + one.cash_e4
    return [Leg(client_id, CASH, amount) for client_id, amount in sorted(cash.items()) if amount]


def mark_e4(volume: Volume) -> int:
    """The price that stands for a security in a cycle: the mean of its trades, by shares.

    One share at an odd price hardly moves it. Rounded down to a whole ten-thousandth.
    """
    return volume.value_e4 // volume.quantity


def journal_parts(legs: list[Leg], center: str) -> Iterator[tuple[Leg, ...]]:
    """The legs of one asset as journals that each sum to zero.

    What a part leaves open is the center's, whose legs sum to zero over all parts.
    """
    for start in range(0, len(legs), MOST_LEGS):
        part = legs[start : start + MOST_LEGS]
        rest = sum(leg.amount for leg in part)
        yield (*part, *([Leg(center, part[0].asset, -rest)] if rest else []))
