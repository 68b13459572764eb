"""The closed list of refusals."""

import re
from collections import Counter

import pytest

from venue_protocol.refusals import Refusal, RejectReason


def test_every_code_is_unique() -> None:
    assert [
        code for code, count in Counter(reason.code for reason in RejectReason).items() if count > 1
    ] == []


def test_no_reason_is_an_alias_of_another() -> None:
    assert len(RejectReason.__members__) == len(list(RejectReason))


@pytest.mark.parametrize("reason", RejectReason, ids=lambda reason: str(reason.code))
def test_a_reason_has_a_dotted_code_and_an_error_status(reason: RejectReason) -> None:
    assert re.fullmatch(r"[a-z]+\.[a-z_]+", reason.code)
    assert 400 <= reason.http_status < 600
    assert RejectReason.of_code(reason.code) is reason


def test_only_faults_of_the_venue_and_an_unknown_version_of_http_have_a_5xx() -> None:
    """HTTP itself has a 5xx, 505, for a version that a server does not speak."""
    faults = {reason.code for reason in RejectReason if reason.http_status >= 500}
    assert faults == {
        "service.overloaded",
        "service.outcome_unknown",
        "service.not_ready",
        "service.internal",
        "request.http_version",
    }


def test_a_code_outside_the_list_is_an_error() -> None:
    with pytest.raises(KeyError):
        RejectReason.of_code("order.because")


def test_two_refusals_share_no_details() -> None:
    first, second = (Refusal(RejectReason.MALFORMED, "no") for _ in range(2))
    assert first.details is not second.details
