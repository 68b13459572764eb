"""The price of a call auction: all that trades in it trades at one price.

Candidates are the limit prices in the crossed part of the book, and the reference price if it lies
there. An order without a limit sets no price: it stands at the edge of the price band, which is a
candidate only if there is no other. Among the candidates the price is the one
1. at which most shares trade,
2. then the one that leaves the smallest surplus,
3. then, if the surplus is on the buy side at all that are left, the highest of them; on the sell
side, the lowest,
4. then the nearest to the reference price; of two equally near, or without a reference, the lower.

Example: SELL 10 at 100.00, SELL 10 at 100.10, SELL 10 at 100.20, and BUY 31 without a limit, whose
edge is 150.00. At 100.20 all 30 trade, at the other limits fewer, and 150.00 is no candidate: the
price is 100.20. The 31st share finds no partner.
"""

from collections.abc import Collection, Sequence

import msgspec

from venue_protocol.orders import BUY, SELL, Side

Levels = Sequence[tuple[int, int]]
"""(price_e4, shares) of one side."""


class AuctionPrice(msgspec.Struct, frozen=True):
    """What an auction would do now."""

    price_e4: int
    paired: int
    """Shares that trade, > 0."""
    imbalance: int
    """Shares at this price or better that find no partner."""
    side: Side | None
    """Of the imbalance; None without one."""


class AuctionLevel(msgspec.Struct, gc=False):
    """The shares of both sides at one price."""

    price_e4: int
    bids: int = 0
    asks: int = 0
    limits: int = 0
    """Those of its shares whose limit this price is; the others have no limit."""

    def is_empty(self) -> bool:
        """Whether no share stands here."""
        return not (self.bids or self.asks)

    def is_candidate(self, reference_e4: int | None) -> bool:
        """Whether this price may be the one of the auction."""
        return self.limits > 0 or self.price_e4 == reference_e4


def clearing(
    bids: Levels, asks: Levels, reference_e4: int | None, edges: Collection[int] = ()
) -> AuctionPrice | None:
    """The price at which these two sides clear; None if they do not cross.

    `edges`: prices at which only orders without a limit stand.
    """
    levels: dict[int, AuctionLevel] = {}
    for price_e4, shares in bids:
        levels.setdefault(price_e4, AuctionLevel(price_e4)).bids += shares
    for price_e4, shares in asks:
        levels.setdefault(price_e4, AuctionLevel(price_e4)).asks += shares
    for level in levels.values():
        level.limits = 0 if level.price_e4 in edges else level.bids + level.asks
    if reference_e4 is not None:
        levels.setdefault(reference_e4, AuctionLevel(reference_e4))
    return price_of([levels[price_e4] for price_e4 in sorted(levels)], reference_e4)


def price_of(
    levels: Sequence[AuctionLevel],
    reference_e4: int | None,
    bids_above: int = 0,
    asks_below: int = 0,
) -> AuctionPrice | None:
    """The price among these levels, lowest first; None if nothing would trade.

    The shares bid above and offered below them count, but their prices are no candidates.
    """
    bought, sold = _wanted(levels, bids_above, asks_below)
    limits = [i for i, level in enumerate(levels) if level.is_candidate(reference_e4)]
    return _best(levels, limits, bought, sold, reference_e4) or _best(
        levels, range(len(levels)), bought, sold, reference_e4
    )


def _wanted(
    levels: Sequence[AuctionLevel], bids_above: int, asks_below: int
) -> tuple[list[int], list[int]]:
    """Shares bid at each level or above, and shares offered at each level or below."""
    bought, total = [0] * len(levels), bids_above
    for i in range(len(levels) - 1, -1, -1):
        total += levels[i].bids
        bought[i] = total
    sold, total = [0] * len(levels), asks_below
    for i, level in enumerate(levels):
        total += level.asks
        sold[i] = total
    return bought, sold


def _best(
    levels: Sequence[AuctionLevel],
    candidates: Sequence[int],
    bought: list[int],
    sold: list[int],
    reference_e4: int | None,
) -> AuctionPrice | None:
    """The best of the candidates, which are places in `levels`; None if none would trade."""
    most = max((min(bought[i], sold[i]) for i in candidates), default=0)
    if not most:
        return None
    equal = [i for i in candidates if min(bought[i], sold[i]) == most]
    least = min(abs(bought[i] - sold[i]) for i in equal)
    equal = [i for i in equal if abs(bought[i] - sold[i]) == least]
    chosen = equal[0]
    if bought[equal[-1]] > sold[equal[-1]]:
        # The surplus falls with the price: on the buy side at the highest, it is there at all.
        chosen = equal[-1]
    elif bought[equal[0]] >= sold[equal[0]] and reference_e4 is not None:
        chosen = min(equal, key=lambda i: (abs(levels[i].price_e4 - reference_e4), i))
    surplus = bought[chosen] - sold[chosen]
    side: Side | None = None if not least else BUY if surplus > 0 else SELL
    return AuctionPrice(levels[chosen].price_e4, most, least, side)
