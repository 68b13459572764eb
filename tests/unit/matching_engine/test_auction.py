"""The clearing price of a call auction, against its four rules spelled out slowly."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matching_engine.domain.auction import Clearing, Levels, clearing
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
        ([(12, 10), (11, 10)], [(10, 10), (11, 10)], 12, Clearing(11, 20, 0, None)),
        # 2. smallest surplus: 10 trade at 10 to 12; at 12 nobody else bids
        ([(12, 10), (10, 5)], [(10, 10)], 10, Clearing(12, 10, 0, None)),
        # 3. the surplus is on the buy side: the highest price that it pays
        ([(12, 30)], [(10, 10)], 10, Clearing(12, 10, 20, BUY)),
        # 3. on the sell side: the lowest
        ([(12, 10)], [(10, 30)], 12, Clearing(10, 10, 20, SELL)),
        # 4. no surplus: the reference price itself, or the limit nearest to it
        ([(12, 10)], [(10, 10)], 11, Clearing(11, 10, 0, None)),
        ([(12, 10)], [(10, 10)], 15, Clearing(12, 10, 0, None)),
        ([(12, 10)], [(10, 10)], 3, Clearing(10, 10, 0, None)),
        ([(12, 10)], [(10, 10)], None, Clearing(10, 10, 0, None)),
        # 4. surplus on either side: nearest to the reference
        ([(12, 5), (10, 5)], [(10, 5), (12, 5)], 13, Clearing(12, 5, 5, SELL)),
        ([(12, 5), (10, 5)], [(10, 5), (12, 5)], 9, Clearing(10, 5, 5, BUY)),
    ],
)
def test_each_rule_decides_where_those_before_it_are_equal(
    bids: Levels, asks: Levels, reference: int | None, expected: Clearing | None
) -> None:
    assert clearing(bids, asks, reference) == expected


def slow_clearing(
    bids: dict[int, int], asks: dict[int, int], reference: int | None
) -> Clearing | None:
    """The four rules, one after the other, over every candidate."""
    if not bids or not asks:
        return None
    low, high = min(asks), max(bids)
    candidates = [p for p in {*bids, *asks, reference} if p is not None and low <= p <= high]

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
    return Clearing(price, most, least, side)


@settings(max_examples=500, deadline=None)
@given(_HALVES, _HALVES, st.none() | _PRICES)
def test_the_price_is_the_one_of_the_rules_spelled_out(
    bids: dict[int, int], asks: dict[int, int], reference: int | None
) -> None:
    found = clearing(sorted(bids.items(), reverse=True), sorted(asks.items()), reference)
    assert found == slow_clearing(bids, asks, reference)


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
