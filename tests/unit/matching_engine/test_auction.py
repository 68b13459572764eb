"""The clearing price of a call auction: its four rules by example, and what it costs.

The rules spelled out slowly are in tests/simulation/matching_engine/test_auction_rules.py.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest

from matching_engine.domain import auction_levels
from matching_engine.domain.auction import AuctionLevel, AuctionPrice, Levels, clearing, price_of
from matching_engine.domain.auction_levels import AuctionLevels
from venue_protocol.orders import BUY, SELL


@pytest.mark.parametrize(
    ("bids", "asks", "reference", "expected"),
    [
        ([(11, 10)], [(12, 10)], 11, None),
        ([], [(12, 10)], 11, None),
        ([(11, 10)], [], 11, None),
        # 1. greatest volume: 20 trade at 11, 10 at 12 or 10
        ([(12, 10), (11, 10)], [(10, 10), (11, 10)], 12, AuctionPrice(11, 20, 0, None)),
        # 2. smallest surplus: 10 trade at 10 to 12; at 12 nobody else bids
        ([(12, 10), (10, 5)], [(10, 10)], 10, AuctionPrice(12, 10, 0, None)),
        # 3. the surplus is on the buy side: the highest price that it pays
        ([(12, 30)], [(10, 10)], 10, AuctionPrice(12, 10, 20, BUY)),
        # 3. on the sell side: the lowest
        ([(12, 10)], [(10, 30)], 12, AuctionPrice(10, 10, 20, SELL)),
        # 4. no surplus: the reference price itself, or the limit nearest to it
        ([(12, 10)], [(10, 10)], 11, AuctionPrice(11, 10, 0, None)),
        ([(12, 10)], [(10, 10)], 15, AuctionPrice(12, 10, 0, None)),
        ([(12, 10)], [(10, 10)], 3, AuctionPrice(10, 10, 0, None)),
        ([(12, 10)], [(10, 10)], None, AuctionPrice(10, 10, 0, None)),
        # 4. surplus on either side: nearest to the reference
        ([(12, 5), (10, 5)], [(10, 5), (12, 5)], 13, AuctionPrice(12, 5, 5, SELL)),
        ([(12, 5), (10, 5)], [(10, 5), (12, 5)], 9, AuctionPrice(10, 5, 5, BUY)),
    ],
)
def test_each_rule_decides_where_those_before_it_are_equal(
    bids: Levels, asks: Levels, reference: int | None, expected: AuctionPrice | None
) -> None:
    assert clearing(bids, asks, reference) == expected


@contextmanager
def counting_price_of(seen: list[int]) -> Iterator[None]:
    """Note how many levels the rules are asked about."""

    def counted(levels: Sequence[AuctionLevel], *rest: Any) -> AuctionPrice | None:
        seen.append(len(levels))
        return price_of(levels, *rest)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(auction_levels, "price_of", counted)
        yield


def test_the_price_among_ten_thousand_crossed_levels_looks_at_few_of_them() -> None:
    """Case E14: an order in such an auction costs about as much as in an empty one."""
    levels = AuctionLevels(100_000)
    for number in range(10_000):
        levels.add(100_000 - number - 1, bids=1, limits=1)
        levels.add(100_000 + number + 1, asks=1, limits=1)
    levels.add(150_000, bids=1_000_000)
    levels.add(50_000, asks=1_000_000)
    seen: list[int] = []
    with counting_price_of(seen):
        found = levels.price()
    assert found == AuctionPrice(100_000, 1_000_000, 0, None)
    assert seen == [max(seen)] and seen[0] < 500
