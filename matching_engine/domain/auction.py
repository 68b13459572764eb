"""The price of a call auction: all that trades in it trades at one price.

Among the limit prices in the crossed part of the book, and the reference price if it lies there,
the price is the one
1. at which most shares trade,
2. then the one that leaves the smallest surplus,
3. then, if the surplus is on the buy side at all that are left, the highest of them; on the sell
side, the lowest,
4. then the nearest to the reference price; of two equally near, or without a reference, the lower.
"""

from collections.abc import Sequence

import msgspec

from venue_protocol.orders import BUY, SELL, Side

Levels = Sequence[tuple[int, int]]
"""(price_e4, shares), best price first."""


class Clearing(msgspec.Struct, frozen=True):
    """What an auction would do now."""

    price_e4: int
    paired: int
    """Shares that trade, > 0."""
    imbalance: int
    """Shares at this price or better that find no partner."""
    side: Side | None
    """Of the imbalance; None without one."""


def clearing(bids: Levels, asks: Levels, reference_e4: int | None) -> Clearing | None:
    """The clearing price of these two halves; None if they do not cross.

    Linear in the crossed levels.
    """
    if not bids or not asks or bids[0][0] < asks[0][0]:
        return None
    low, high = asks[0][0], bids[0][0]
    prices = {price for price, _ in bids if price >= low} | {
        price for price, _ in asks if price <= high
    }
    if reference_e4 is not None and low <= reference_e4 <= high:
        prices.add(reference_e4)
    rising = sorted(prices)
    bought, sold = _at_or_above(bids, rising), _at_or_below(asks, rising)
    paired = [min(buy, sell) for buy, sell in zip(bought, sold, strict=True)]
    surplus = [buy - sell for buy, sell in zip(bought, sold, strict=True)]
    most = max(paired)
    least = min(abs(surplus[i]) for i in range(len(rising)) if paired[i] == most)
    best = [i for i in range(len(rising)) if paired[i] == most and abs(surplus[i]) == least]
    chosen = _choose(best, rising, surplus, reference_e4)
    side: Side | None = None if not least else BUY if surplus[chosen] > 0 else SELL
    return Clearing(rising[chosen], most, least, side)


def _choose(
    best: list[int], rising: list[int], surplus: list[int], reference_e4: int | None
) -> int:
    """Which of the prices that are equal in volume and surplus, as indexes into `rising`."""
    if surplus[best[-1]] > 0:
        # The surplus falls with the price: on the buy side at the highest, it is there at all.
        return best[-1]
    if surplus[best[0]] < 0 or reference_e4 is None:
        return best[0]
    return min(best, key=lambda i: (abs(rising[i] - reference_e4), rising[i]))


def _at_or_above(bids: Levels, rising: list[int]) -> list[int]:
    """Shares bid at each of the prices or above."""
    totals, total, place = [0] * len(rising), 0, 0
    for i in range(len(rising) - 1, -1, -1):
        while place < len(bids) and bids[place][0] >= rising[i]:
            total += bids[place][1]
            place += 1
        totals[i] = total
    return totals


def _at_or_below(asks: Levels, rising: list[int]) -> list[int]:
    """Shares offered at each of the prices or below."""
    totals, total, place = [0] * len(rising), 0, 0
    for i, price_e4 in enumerate(rising):
        while place < len(asks) and asks[place][0] <= price_e4:
            total += asks[place][1]
            place += 1
        totals[i] = total
    return totals
