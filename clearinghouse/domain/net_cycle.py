"""One cycle of net settlement: a delivery versus payment of everything that is due.

Each member pays or gets one sum of cash, and gives or gets one number of shares of each security.
What fails is marked to the cycle's price and due again in the next cycle (continuous net
settlement): everything but the open shares at their mark is paid now.

An example: Bob owes 10 AAPL for $1,000 and keeps 4 back; the mark is $101. He delivers 6 and gets
$1,000 - 4 x $101 = $596; due in the next cycle are 4 shares for $404.
"""

from collections.abc import Callable, Iterator
from itertools import groupby
from typing import NamedTuple

from clearinghouse.domain.ledger import Leg
from venue_protocol.events import SettlementCycle
from venue_protocol.fails import Waiting, allocate, charge_e4, divide, kept_back
from venue_protocol.holds import CASH
from venue_protocol.invariants import BrokenInvariant
from venue_protocol.netting_book import NetObligation, NettingBook, Volume
from venue_protocol.obligations import CycleRow

MOST_LEGS = 1_000
"""Members' legs of one journal. What a part leaves open meets in the clearinghouse's account."""
Due = tuple[str, str, NetObligation]
"""Security, client and what is due."""


class NetCycle(NamedTuple):
    """What a cycle settles."""

    legs: list[list[Leg]]
    """Of members: cash first, then each security by name; none is empty, each sums to zero."""
    open_shares: dict[tuple[str, str], int]
    """What failed, by client and security; below zero: not delivered."""
    charges: dict[str, list[Leg]]
    """Cash from those who did not deliver to those who wait, by security; sums to zero."""
    row: CycleRow


def net(
    book: NettingBook,
    cycle: SettlementCycle,
    time_us: int,
    balance_e4: Callable[[str], int] = lambda client_id: 0,
) -> NetCycle:
    """Take what is due from the book, put what fails back into it, and say what moves.

    `balance_e4` is a client's cash by its trades, settled or not. Raises BrokenInvariant if what is
    due in an asset does not sum to zero.
    """
    volumes = book.take_volumes(cycle.shard, cycle.number)
    due = book.take_due(cycle.shard, cycle.number)
    marks = {name: _mark_e4(volumes.get(name), some) for name, some in _by_security(due)}
    open_shares = {} if cycle.is_final else _fails(book, cycle, due, marks, balance_e4)
    charges = _charges(book, cycle, due, marks, open_shares)
    cash: dict[str, int] = {}
    share_legs: list[list[Leg]] = []
    for security_id, some in _by_security(due):
        legs = []
        for _, client_id, one in some:
            left = open_shares.get((client_id, security_id), 0)
            if left:
                book.roll(cycle, client_id, security_id, left, marks[security_id], one)
            paid_e4 = one.cash_e4 + left * marks[security_id]
            cash[client_id] = cash.get(client_id, 0) + paid_e4
            if one.quantity != left:
                legs.append(Leg(client_id, security_id, one.quantity - left))
        share_legs.append(legs)
    book.drop_notices(cycle.shard, open_shares)
    cash_legs = [Leg(name, CASH, amount) for name, amount in sorted(cash.items()) if amount]
    legs_of_all = [legs for legs in (cash_legs, *share_legs) if legs]
    for legs in legs_of_all:
        if sum(leg.amount for leg in legs):
            raise BrokenInvariant(f"cycle {cycle.number}: {legs[0].asset} due is not zero")
    row = CycleRow(
        cycle.shard,
        cycle.number,
        time_us,
        sum(volume.trades for volume in volumes.values()),
        sum(volume.value_e4 for volume in volumes.values()),
        sum(leg.amount for leg in cash_legs if leg.amount > 0),
        sum(
            leg.amount * marks[leg.asset]
            for delivered in share_legs
            for leg in delivered
            if leg.amount > 0
        ),
        sum(map(len, legs_of_all)),
        sum(1 for left in open_shares.values() if left < 0),
    )
    book.cycles.append(row)
    return NetCycle(legs_of_all, open_shares, charges, row)


def _by_security(due: list[Due]) -> Iterator[tuple[str, list[Due]]]:
    for security_id, some in groupby(due, lambda one: one[0]):
        yield security_id, list(some)


def _mark_e4(volume: Volume | None, due: list[Due]) -> int:
    """The price that stands for a security in a cycle: the mean of its trades, by shares.

    One share at an odd price hardly moves it. Rounded down to a whole ten-thousandth. Without a
    trade it is the mark of the cycle before.
    """
    if volume is not None and volume.quantity:
        return volume.value_e4 // volume.quantity
    return max(one.mark_e4 for _, _, one in due)


def _fails(
    book: NettingBook,
    cycle: SettlementCycle,
    due: list[Due],
    marks: dict[str, int],
    balance_e4: Callable[[str], int],
) -> dict[tuple[str, str], int]:
    """Shares that stay open, by client and security."""
    if not book.exemptions:
        return {}
    later = book.unsettled()
    open_shares: dict[tuple[str, str], int] = {}
    carried: dict[str, int] = {}
    for security_id, some in _by_security(due):
        mark_e4, kept = marks[security_id], 0
        for _, client_id, one in some:
            exemption = book.exemptions.get((client_id, security_id))
            if exemption is None or one.quantity >= 0 or book.is_bought_in(cycle, security_id):
                continue
            settled = balance_e4(client_id) - later.get((client_id, CASH), 0)
            cash_e4 = settled - carried.get(client_id, 0)
            age = cycle.number - one.since(cycle.number) + 1
            left = kept_back(exemption, -one.quantity, mark_e4, age, cash_e4)
            if left:
                open_shares[client_id, security_id] = -left
                carried[client_id] = carried.get(client_id, 0) + left * mark_e4
                kept += left
        if kept:
            waiting = [
                Waiting(
                    name, one.quantity, one.since(cycle.number), (name, security_id) in book.notices
                )
                for _, name, one in some
                if one.quantity > 0
            ]
            delivered = sum(one.quantity for one in waiting) - kept
            seed = f"{cycle.shard}:{cycle.number}:{security_id}"
            for long, given in allocate(delivered, waiting, seed):
                if long.quantity > given:
                    open_shares[long.client_id, security_id] = long.quantity - given
    return open_shares


def _charges(
    book: NettingBook,
    cycle: SettlementCycle,
    due: list[Due],
    marks: dict[str, int],
    open_shares: dict[tuple[str, str], int],
) -> dict[str, list[Leg]]:
    """What failing costs, taken from the deposits, and to whom it goes: by the shares not got."""
    charges: dict[str, list[Leg]] = {}
    for security_id, some in _by_security(due):
        left = {name: open_shares.get((name, security_id), 0) for _, name, _ in some}
        longs = {name: quantity for name, quantity in left.items() if quantity > 0}
        legs = []
        for _, name, one in some:
            if left[name] < 0:
                age = cycle.number - one.since(cycle.number) + 1
                amount_e4 = charge_e4(-left[name], marks[security_id], age)
                book.charge(name, security_id, amount_e4)
                legs.append(Leg(name, CASH, -amount_e4))
        total_e4 = -sum(leg.amount for leg in legs)
        if total_e4:
            got = divide(total_e4, longs)
            charges[security_id] = legs + [Leg(name, CASH, e4) for name, e4 in got.items() if e4]
    return charges


def journal_parts(legs: list[Leg], center: str) -> Iterator[tuple[Leg, ...]]:
    """The legs of one asset as journals that each sum to zero.

    What a part leaves open is the center's, whose legs sum to zero over all parts.
    """
    for start in range(0, len(legs), MOST_LEGS):
        part = legs[start : start + MOST_LEGS]
        rest = sum(leg.amount for leg in part)
        yield (*part, *([Leg(center, part[0].asset, -rest)] if rest else []))
