"""Loans and returns are bounded for each client."""

import pytest

from clearinghouse.lending.request_rate import BURST, PER_SECOND, RequestRate
from venue_protocol.refusals import Refused


def test_above_the_rate_a_request_is_refused_and_time_works_it_off() -> None:
    now_s = [0.0]
    rate = RequestRate(lambda: now_s[0])
    for _ in range(BURST):
        rate.charge("ann")
    with pytest.raises(Refused) as refused:
        rate.charge("ann")
    assert refused.value.refusal.reason.code == "rate.limited" and refused.value.retry_after_s == 1
    rate.charge("bob")
    now_s[0] += 1
    for _ in range(PER_SECOND):
        rate.charge("ann")
    with pytest.raises(Refused):
        rate.charge("ann")
