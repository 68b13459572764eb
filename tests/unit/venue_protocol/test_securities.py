"""Trading rules of a security: tick, lot, band."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from venue_protocol.money import format_e4
from venue_protocol.refusals import RejectReason
from venue_protocol.securities import Security

STOCK = Security(
    "AAPL", "Apple Inc.", 0, tick_e4=100, lot=10, band_bps=1_000, reference_price_e4=1_000_000
)


@st.composite
def securities(draw: st.DrawFn) -> Security:
    tick_e4 = draw(st.integers(1, 10_000))
    return Security(
        "X",
        "Any",
        0,
        tick_e4=tick_e4,
        lot=draw(st.integers(1, 100)),
        band_bps=draw(st.integers(1, 10_000)),
        reference_price_e4=tick_e4 * draw(st.integers(1, 10**6)),
    )


@pytest.mark.parametrize(
    ("price_e4", "reason"),
    [
        (0, RejectReason.PRICE_NOT_POSITIVE),
        (-30_000, RejectReason.PRICE_NOT_POSITIVE),
        (1_000_001, RejectReason.PRICE_OFF_TICK),
        (899_900, RejectReason.PRICE_OUTSIDE_BAND),
        (900_000, None),
        (1_000_000, None),
        (1_100_000, None),
        (1_100_100, RejectReason.PRICE_OUTSIDE_BAND),
    ],
)
def test_a_price_is_positive_on_the_tick_and_inside_the_band(
    price_e4: int, reason: RejectReason | None
) -> None:
    refusal = STOCK.refuse_price(price_e4)
    assert (refusal.reason if refusal else None) == reason


@pytest.mark.parametrize(
    ("quantity", "reason"),
    [
        (0, RejectReason.QUANTITY_NOT_POSITIVE),
        (-10, RejectReason.QUANTITY_NOT_POSITIVE),
        (5, RejectReason.QUANTITY_OFF_LOT),
        (10, None),
        (1_000_000, None),
        (1_000_010, RejectReason.QUANTITY_TOO_LARGE),
        (2**63, RejectReason.QUANTITY_TOO_LARGE),
    ],
)
def test_a_quantity_is_positive_in_whole_lots_and_bounded(
    quantity: int, reason: RejectReason | None
) -> None:
    refusal = STOCK.refuse_quantity(quantity)
    assert (refusal.reason if refusal else None) == reason


def test_a_refusal_names_the_field_and_the_fact() -> None:
    refusal = msgspec.structs.replace(STOCK, tick_e4=1_000).refuse_price(100_500)
    assert refusal is not None
    assert (refusal.field, refusal.message) == (
        "price",
        "price 10.05 is not a multiple of tick 0.10",
    )


@given(securities())
def test_the_edges_of_the_band_are_accepted_and_one_tick_beyond_is_not(security: Security) -> None:
    assert security.refuse_price(security.band_low_e4) is None
    assert security.refuse_price(security.band_high_e4) is None
    assert security.refuse_price(security.band_low_e4 - security.tick_e4) is not None
    assert security.refuse_price(security.band_high_e4 + security.tick_e4) is not None


@given(securities())
def test_the_reference_price_is_always_accepted(security: Security) -> None:
    assert security.refuse_price(security.reference_price_e4) is None


@given(securities(), st.integers(-(10**6), 10**11))
def test_an_accepted_price_differs_from_the_reference_by_the_band_at_most(
    security: Security, price_e4: int
) -> None:
    off_e4 = abs(price_e4 - security.reference_price_e4)
    if security.refuse_price(price_e4) is None:
        assert off_e4 * 10_000 <= security.reference_price_e4 * security.band_bps, format_e4(
            price_e4
        )
