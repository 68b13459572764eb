"""The clearing price of a call auction, against its four rules spelled out slowly."""

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matching_engine.domain import auction_levels
from matching_engine.domain.auction import AuctionLevel, AuctionPrice, Levels, clearing, price_of
from matching_engine.domain.auction_levels import AuctionLevels
from venue_protocol.orders import BUY, SELL, Side

_PRICES = st.integers(90, 110)
_SHARES = st.integers(1, 30)
_HALVES = st.dictionaries(_PRICES, _SHARES, max_size=8)


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
def short_blocks() -> Iterator[None]:
    """Blocks of a few levels, so that small auctions have many."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(auction_levels, "_LONGEST_BLOCK", 3)
        yield


@contextmanager
def counting_price_of(seen: list[int]) -> Iterator[None]:
    """Note how many levels the rules are asked about."""

    def counted(levels: Sequence[AuctionLevel], *rest: Any) -> AuctionPrice | None:
        seen.append(len(levels))
        return price_of(levels, *rest)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(auction_levels, "price_of", counted)
        yield


def slow_clearing(
    bids: dict[int, int],
    asks: dict[int, int],
    reference: int | None,
    edges: Collection[int] = (),
) -> AuctionPrice | None:
    """The four rules, one after the other, over every candidate."""
    if not bids or not asks:
        return None
    low, high = min(asks), max(bids)
    crossed = [p for p in {*bids, *asks, reference} if p is not None and low <= p <= high]
    candidates = [p for p in crossed if p == reference or p not in edges] or crossed

    def bought(price: int) -> int:
        return sum(shares for limit, shares in bids.items() if limit >= price)

    def sold(price: int) -> int:
        return sum(shares for limit, shares in asks.items() if limit <= price)

    if not candidates:
        return None
    most = max(min(bought(p), sold(p)) for p in candidates)
    candidates = [p for p in candidates if min(bought(p), sold(p)) == most]
    least = min(abs(bought(p) - sold(p)) for p in candidates)
    candidates = [p for p in candidates if abs(bought(p) - sold(p)) == least]
    if all(bought(p) > sold(p) for p in candidates):
        price = max(candidates)
    elif all(bought(p) < sold(p) for p in candidates) or reference is None:
        price = min(candidates)
    else:
        price = min(sorted(candidates), key=lambda p: abs(p - reference))
    side: Side | None = (
        BUY if bought(price) > sold(price) else SELL if bought(price) < sold(price) else None
    )
    return AuctionPrice(price, most, least, side)


@settings(max_examples=500, deadline=None)
@given(_HALVES, _HALVES, st.none() | _PRICES, st.sets(_PRICES, max_size=4))
def test_the_price_is_the_one_of_the_rules_spelled_out(
    bids: dict[int, int], asks: dict[int, int], reference: int | None, edges: set[int]
) -> None:
    found = clearing(sorted(bids.items(), reverse=True), sorted(asks.items()), reference, edges)
    assert found == slow_clearing(bids, asks, reference, edges)


@settings(max_examples=300, deadline=None)
@given(_HALVES, _HALVES, st.none() | _PRICES)
def test_no_price_at_all_would_trade_more(
    bids: dict[int, int], asks: dict[int, int], reference: int | None
) -> None:
    found = clearing(sorted(bids.items(), reverse=True), sorted(asks.items()), reference)
    possible = [
        min(
            sum(q for p, q in bids.items() if p >= price),
            sum(q for p, q in asks.items() if p <= price),
        )
        for price in range(90, 111)
    ]
    assert (found.paired if found else 0) == max(possible)


_LEVELS = st.dictionaries(
    _PRICES, st.tuples(_SHARES | st.just(0), _SHARES | st.just(0), st.booleans()), max_size=20
)


@settings(max_examples=500, deadline=None)
@given(_LEVELS, _LEVELS, st.none() | _PRICES)
def test_levels_that_change_give_the_price_of_the_same_levels_in_a_list(
    before: dict[int, tuple[int, int, bool]],
    now: dict[int, tuple[int, int, bool]],
    reference: int | None,
) -> None:
    with short_blocks():
        levels = AuctionLevels(reference)
        for half, sign in ((before, 1), (now, 1), (before, -1)):
            for price, (bids, asks, is_limit) in half.items():
                limits = bids + asks if is_limit else 0
                levels.add(price, sign * bids, sign * asks, sign * limits)
        found = levels.price()
    bids = sorted(((p, entry[0]) for p, entry in now.items() if entry[0]), reverse=True)
    asks = sorted((p, entry[1]) for p, entry in now.items() if entry[1])
    edges = {price for price, entry in now.items() if not entry[2]}
    assert found == clearing(bids, asks, reference, edges)


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
