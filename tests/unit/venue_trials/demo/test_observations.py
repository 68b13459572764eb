"""What the demo says of its prices."""

from decimal import Decimal
from xml.etree import ElementTree

import pytest

from venue_trials.demo.observations import Quote, picture, summary

TICK = Decimal("0.01")


def quote(bid: str | None, ask: str | None) -> Quote:
    return Quote(Decimal(bid) if bid else None, Decimal(ask) if ask else None)


def test_the_summary_counts_moves_sides_and_spreads() -> None:
    quotes = [
        quote(None, None),
        quote("99.99", "100.01"),
        quote("99.99", None),
        quote("100.98", "101.02"),
        quote("100.99", "101.01"),
    ]
    numbers = summary(quotes, TICK)
    assert numbers is not None
    assert numbers.largest_move_percent == pytest.approx(1.0)
    assert numbers.both_sides_percent == 75
    assert numbers.median_spread_ticks == 2


def test_a_move_that_takes_longer_than_a_second_is_no_move_in_a_second() -> None:
    still = [quote("99.99", "100.01")] * 11
    moved = [quote("100.99", "101.01")]
    within = summary([*still[:10], *moved], TICK)
    slowly = summary([still[0], *[quote(None, "101.01")] * 10, *moved], TICK)
    assert within is not None and within.largest_move_percent == pytest.approx(1.0)
    assert slowly is not None and slowly.largest_move_percent == 0


def test_a_security_without_two_sides_has_no_summary() -> None:
    assert summary([quote("99.99", None), quote(None, "100.01")], TICK) is None


def test_the_picture_has_a_band_for_each_security_that_was_quoted() -> None:
    quotes = {
        "AAPL": [quote("99.99", "100.01"), quote(None, "100.01"), quote("100.00", "100.03")],
        "MSFT": [quote(None, "100.01")],
    }
    drawn = ElementTree.fromstring(picture(quotes))
    (band,) = drawn.findall("{http://www.w3.org/2000/svg}path")
    assert band.attrib["d"] == "M150.0,55.0H788.0V18.0H788.0L788.0,73.5H150.0V92.0H150.0Z"
    assert [text.text for text in drawn.iter("{http://www.w3.org/2000/svg}text")] == [
        "AAPL",
        "99.99 to 100.03, +0.01 %",
    ]
