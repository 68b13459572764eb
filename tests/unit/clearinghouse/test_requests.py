"""Amounts in the bodies that administrators send."""

import msgspec
import pytest

from clearinghouse.adapters.requests import amount_e4
from venue_protocol.refusals import Refused, RejectReason


@pytest.mark.parametrize("raw", [b"10.05", b'"10.05"', b"10.0500", b"1005e-2"])
def test_an_amount_is_read_exactly(raw: bytes) -> None:
    assert amount_e4(msgspec.Raw(raw), "cash") == 100_500


@pytest.mark.parametrize(
    "raw", [b'"x"', b"true", b"null", b"[1]", b'{"a":1}', b"1e400", b'"NaN"', b"0.00001", b""]
)
def test_an_amount_that_is_no_money_is_refused_with_its_field(raw: bytes) -> None:
    with pytest.raises(Refused) as raised:
        amount_e4(msgspec.Raw(raw), "price")
    assert (raised.value.refusal.reason, raised.value.refusal.field) == (
        RejectReason.INVALID_FIELD,
        "price",
    )
