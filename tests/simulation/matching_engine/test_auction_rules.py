"""The clearing price of any call auction, against its four rules spelled out slowly."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matching_engine.domain import auction_levels
from matching_engine.domain.auction import AuctionPrice, clearing
from matching_engine.domain.auction_levels import AuctionLevels
from venue_protocol.orders import BUY, SELL, Side

_PRICES = st.integers(90, 110)
_SHARES = st.integers(1, 30)
_HALVES = st.dictionaries(_PRICES, _SHARES, max_size=8)


@contextmanager
def short_blocks() -> Iterator[None]:
    """Blocks of a few levels, so that small auctions have many."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(auction_levels, "_LONGEST_BLOCK", 3)
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
