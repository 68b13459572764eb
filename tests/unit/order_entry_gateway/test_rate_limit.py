"""Token buckets: what a client sent too much is worked off, and never given away."""

import pytest

from order_entry_gateway.domain.rate_limit import BURST_S, TokenBucket


def drawn(bucket: TokenBucket, count: int, seconds: float, every_s: float) -> int:
    """Tokens taken by a client that asks for `count` again and again."""
    taken, now_s = 0, 0.0
    while now_s < seconds:
        while bucket.draw(count, now_s) == 0:
            taken += count
        now_s += every_s
    return taken


@pytest.mark.parametrize("count", [1, 10, 49, 50, 51, 100, 1_000])
def test_whatever_the_size_of_its_lists_a_client_sends_no_more_than_its_rate(count: int) -> None:
    """An hour; one list may be under way on credit."""
    rate, hour_s = 10, 3_600
    taken = drawn(TokenBucket.full(rate, 0.0), count, hour_s, 0.5)
    most = rate * (hour_s + BURST_S) + max(0, count - rate * BURST_S)
    assert most * 0.9 - count <= taken <= most


def test_a_list_above_the_bucket_is_taken_from_a_full_one_and_leaves_a_debt() -> None:
    bucket = TokenBucket.full(10, 0.0)
    assert bucket.draw(100, 0.0) == 0
    assert bucket.draw(1, 0.0) == pytest.approx(5.1)
    assert bucket.draw(1, 5.0) == pytest.approx(0.1)
    assert bucket.draw(1, 5.125) == 0
    assert bucket.draw(100, 5.25) == pytest.approx(4.85)


def test_an_order_less_than_full_a_larger_list_waits_until_the_bucket_is_full() -> None:
    bucket = TokenBucket.full(10, 0.0)
    assert bucket.draw(1, 0.0) == 0
    assert bucket.draw(51, 0.0) == pytest.approx(0.1)
    assert bucket.draw(51, 0.125) == 0
