"""Money: exact in, exact out."""

from decimal import Decimal, localcontext

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from venue_protocol.money import (
    MAX_E4,
    MoneyError,
    format_e4,
    format_for_people,
    parse_e4,
    parse_json_e4,
)

amounts_e4 = st.integers(-MAX_E4, MAX_E4)


@given(amounts_e4)
@example(0)
@example(-1)
@example(MAX_E4)
def test_what_is_formatted_parses_back_to_the_same_amount(amount_e4: int) -> None:
    assert parse_e4(format_e4(amount_e4)) == amount_e4
    assert parse_json_e4(format_e4(amount_e4).encode()) == amount_e4


def test_every_cent_from_one_to_65536_is_exact() -> None:
    for cents in range(1, 65_537):
        text = f"{cents // 100}.{cents % 100:02d}"
        assert parse_json_e4(text.encode()) == cents * 100
        assert format_e4(cents * 100) == text


@pytest.mark.parametrize(
    ("text", "amount_e4"),
    [
        ("0.29", 2_900),
        ("19.99", 199_900),
        ("655.36", 6_553_600),
        ("0.0001", 1),
        ("100", 1_000_000),
        ("-3", -30_000),
        ("-0", 0),
        ("1e2", 1_000_000),
        ("1E-4", 1),
        ("1.50000000000000000000000000000", 15_000),
        ("100000000000", MAX_E4),
        ("-100000000000.0000", -MAX_E4),
    ],
)
def test_decimal_text_is_read_exactly(text: str, amount_e4: int) -> None:
    assert (
        parse_e4(text)
        == parse_json_e4(text.encode())
        == parse_json_e4(f'"{text}"'.encode())
        == amount_e4
    )


@pytest.mark.parametrize(
    "text",
    [
        "NaN",
        "sNaN",
        "Infinity",
        "-Infinity",
        "inf",
        "0.00001",
        "1.00000000000000000000000000000001",
        "0.29000000000000000000000000001",
        "100000000000.0001",
        "-100000000000.0001",
        "1e12",
        "1e-5",
        "1e99",
        "1e-99",
        "1_0",
        " 1",
        "1 ",
        "\u0661",
        "\uff11",
        "+1",
        "1,5",
        "1.",
        ".5",
        "0x10",
        "",
        "-",
        "one",
        "1" * 5_000,
        "0." + "0" * 5_000 + "1",
    ],
)
def test_text_that_is_no_exact_amount_is_refused(text: str) -> None:
    with pytest.raises(MoneyError):
        parse_e4(text)
    with pytest.raises(MoneyError):
        parse_json_e4(text.encode())


@pytest.mark.parametrize(
    "body", [b"true", b"null", b"[1]", b"{}", b'"1', b'1"', b'""', b'"NaN"', b"01x", b"\xff"]
)
def test_json_that_is_no_number_is_refused(body: bytes) -> None:
    with pytest.raises(MoneyError):
        parse_json_e4(body)


@given(
    st.decimals(
        allow_nan=False, allow_infinity=False, min_value=-(10**11), max_value=10**11, places=12
    )
)
def test_a_decimal_is_taken_exactly_or_refused(amount: Decimal) -> None:
    with localcontext() as exact:
        exact.prec = 100
        scaled = amount * 10_000
        if scaled == scaled.to_integral_value():
            assert parse_e4(amount) == int(scaled)
        else:
            with pytest.raises(MoneyError):
                parse_e4(amount)


@given(amounts_e4)
def test_cents_have_two_decimals_and_finer_amounts_four(amount_e4: int) -> None:
    decimals = format_e4(amount_e4).partition(".")[2]
    assert len(decimals) == (2 if amount_e4 % 100 == 0 else 4)


@pytest.mark.parametrize(
    ("amount", "shown"),
    [
        (0, "0.00"),
        (2_900, "0.29"),
        (-1, "-0.0001"),
        (-5_000, "-0.50"),
        (1_234_567_890_000, "123,456,789.00"),
        (Decimal("-10012.3525"), "-10,012.3525"),
        (Decimal("1.0525"), "1.0525"),
        (Decimal(19), "19.00"),
    ],
)
def test_people_see_the_same_decimals_with_commas(amount: int | Decimal, shown: str) -> None:
    assert format_for_people(amount) == shown


@given(amounts_e4)
def test_but_for_the_commas_people_see_what_programs_see(amount_e4: int) -> None:
    assert format_for_people(amount_e4).replace(",", "") == format_e4(amount_e4)


def test_the_ambient_decimal_context_does_not_matter() -> None:
    with localcontext() as coarse:
        coarse.prec = 3
        assert parse_e4("123456789.1234") == 1_234_567_891_234
        with pytest.raises(MoneyError):
            parse_e4("123456789.12345")


def test_people_are_shown_amounts_of_any_size() -> None:
    """Row D1: what comes in is bounded, what an account holds is not."""
    assert format_for_people(Decimal("123456789012345.6789")) == "123,456,789,012,345.6789"
