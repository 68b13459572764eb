"""What can be listed, and what a new trader may be given."""

import msgspec
import pytest

from clearinghouse.domain import endowment
from venue_protocol import listing
from venue_protocol.securities import Security

GOOD = Security("NVDA", "NVIDIA", 0, 100, 100, 1_000, 1_800_000, 10_000)


@pytest.mark.parametrize(
    ("changes", "issued", "field"),
    [
        ({}, 1_000, None),
        ({"lot": 1000, "max_quantity": 1000}, 0, None),
        ({"lot": 1000, "max_quantity": 10}, 0, "max_quantity"),
        ({}, 1_050, "issued_shares"),
        ({}, -100, "issued_shares"),
        ({}, 10**12 + 100, "issued_shares"),
        ({"lot": 0}, 0, "lot"),
        ({"lot": 10**6 + 1, "max_quantity": 10**9}, 0, "lot"),
        ({"max_quantity": 10**9 + 1}, 0, "max_quantity"),
        ({"band_bps": 0}, 0, "band_bps"),
        ({"band_bps": 10_001}, 0, "band_bps"),
        ({"tick_e4": 0}, 0, "tick"),
        ({"reference_price_e4": 0}, 0, "reference_price"),
        ({"reference_price_e4": 1_800_050}, 0, "reference_price"),
        ({"reference_price_e4": 10**15 - 10_000}, 0, "reference_price"),
        ({"reference_price_e4": 909_090_909_090_900}, 0, None),
        ({"reference_price_e4": 909_090_909_091_000}, 0, "reference_price"),
        ({"name": "a\nb"}, 0, "name"),
        ({"name": "a" * 201}, 0, "name"),
    ],
)
def test_a_listing_that_could_not_be_traded_is_refused_with_its_field(
    changes: dict[str, object], issued: int, field: str | None
) -> None:
    found = listing.fault(msgspec.structs.replace(GOOD, **changes), issued)
    assert (found and found.field) == field


@pytest.mark.parametrize(
    ("text", "shares"),
    [
        ("", {}),
        (" ", {}),
        ("AAPL:10", {"AAPL": 10}),
        ("AAPL:10, MSFT: 5", {"AAPL": 10, "MSFT": 5}),
    ],
)
def test_an_endowment_is_shares_by_security(text: str, shares: dict[str, int]) -> None:
    assert endowment.parse(text) == shares


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("USD:10000", "USD:10000"),
        ("AAPL:²", "AAPL:²"),
        ("AAPL:10,AAPL:20", "AAPL:20"),
        (":5", ":5"),
        ("AAPL", "AAPL"),
        ("AAPL:", "AAPL:"),
        ("AAPL:10,", "''"),
        (",AAPL:10", "''"),
        ("AAPL:10;MSFT:5", "AAPL:10;MSFT:5"),
        ("AAPL:-1", "AAPL:-1"),
        ("AAPL:0", "AAPL:0"),
        ("AAPL:1.5", "AAPL:1.5"),
        ("aapl:10", "aapl:10"),
        ("MSFT:5,AAPL:1000000000001", "AAPL:1000000000001"),
        ("AAPL:" + "9" * 400, "AAPL:999"),
    ],
)
def test_a_malformed_endowment_names_its_part(text: str, part: str) -> None:
    with pytest.raises(endowment.EndowmentFault) as fault:
        endowment.parse(text)
    assert part in str(fault.value)
