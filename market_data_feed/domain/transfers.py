"""Who gained how much from whom, for the organiser of a competition.

A trade away from a security's value gives one client's money to the other. All trades of a pair
are taken together: what one has of them, at the mark, less what it paid the other.

An example: mule sold 10 AAPL to ann at 60.00, and the mark is 100.00. Ann paid 600.00 for what is
worth 1,000.00: she gained 400.00 from mule.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple


class PairTrades(NamedTuple):
    """All trades of one security in which this buyer bought from this seller."""

    buy_client_id: str
    sell_client_id: str
    security_id: str
    trades: int
    quantity: int
    """Shares."""
    notional_e4: int
    """Ten-thousandths of a dollar paid for them."""


class Transfer(NamedTuple):
    """What a client gained from another, > 0; the other lost the same."""

    client_id: str
    from_client_id: str
    gained_e4: int
    """Ten-thousandths of a dollar, at the marks."""
    trades: int
    shares: int
    """Shares that changed hands between the two, in both directions."""
    traded_e4: int
    """Cash that changed hands between the two, in both directions."""


def transfers(pairs: Iterable[PairTrades], marks_e4: Mapping[str, int]) -> list[Transfer]:
    """Every pair with a gain, the largest first; trades with oneself give nothing away."""
    sums: dict[tuple[str, str], list[int]] = {}
    for pair in pairs:
        if pair.buy_client_id == pair.sell_client_id:
            continue
        gained_e4 = pair.quantity * marks_e4.get(pair.security_id, 0) - pair.notional_e4
        first, second = sorted((pair.buy_client_id, pair.sell_client_id))
        total = sums.setdefault((first, second), [0, 0, 0, 0])
        total[0] += gained_e4 if first == pair.buy_client_id else -gained_e4
        total[1] += pair.trades
        total[2] += pair.quantity
        total[3] += pair.notional_e4
    found = [_transfer(*clients, *total) for clients, total in sums.items() if total[0]]
    return sorted(found, key=lambda each: (-each.gained_e4, each.client_id, each.from_client_id))


def _transfer(
    first: str, second: str, gained_e4: int, trades: int, shares: int, traded_e4: int
) -> Transfer:
    """Seen from the one that gained."""
    if gained_e4 < 0:
        first, second = second, first
    return Transfer(first, second, abs(gained_e4), trades, shares, traded_e4)
