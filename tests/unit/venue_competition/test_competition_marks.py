"""Marks of a competition: what one share, one client or one late trade can't do to them."""

import pytest

from tests.unit.venue_competition.notation import START_US, S, rules, trades
from venue_competition.marks import MedianMark, average, new_mark
from venue_competition.round_record import RoundTrade
from venue_competition.rules import ScoringRule

REFERENCE_E4 = 1_000_000
HONEST = (
    "10 ann buys 10@101.00 from bob",
    "20 cat buys 10@101.00 from dan",
    "30 bob sells 10@102.00 to ann",
    "40 dan sells 10@102.00 to cat",
    "50 ann buys 10@101.50 from dan",
)


def marked(made: list[RoundTrade], at_s: float, rule: ScoringRule | None = None) -> int:
    """The mark at this second, after the trades until then."""
    found = new_mark(REFERENCE_E4, rule or ScoringRule(), START_US + 100 * S)
    for each in made:
        if each.time_us <= START_US + at_s * S:
            found.add(each)
    return found.at(START_US + int(at_s * S))


def test_without_trades_the_reference_price_is_the_mark() -> None:
    assert marked([], 60) == REFERENCE_E4


def test_the_mark_is_the_volume_weighted_price_of_the_window() -> None:
    assert marked(trades(*HONEST), 50) == 1_015_000


def test_one_share_at_a_wild_price_moves_the_mark_by_its_share_of_the_volume() -> None:
    painted = trades(*HONEST, "51 eve buys 1@150.00 from bob")
    assert marked(painted, 51) - marked(trades(*HONEST), 51) == 9_510


@pytest.mark.parametrize("quantity", [1, 1_000_000])
def test_two_friends_alone_make_no_mark_with_any_volume(quantity: int) -> None:
    friends = [f"{second} eve buys {quantity}@150.00 from mule" for second in range(1, 20)]
    assert marked(trades(*friends), 20) == REFERENCE_E4


def test_four_trades_of_four_clients_are_not_enough_and_a_fifth_is() -> None:
    assert marked(trades(*HONEST[:4]), 50) == REFERENCE_E4
    assert marked(trades(*HONEST[:5]), 50) != REFERENCE_E4


def test_trades_that_leave_the_window_leave_the_mark_before() -> None:
    """The first trade is 60 s old at second 70: four are left, and the mark of before stays."""
    made = trades(*HONEST)
    assert marked(made, 69) == marked(made, 70) == marked(made, 1_000) == 1_015_000


def test_old_trades_do_not_weigh_where_there_are_new_ones() -> None:
    later = [text.replace("101", "201").replace("102", "202") for text in HONEST]
    later = [f"{int(text.split()[0]) + 100} {text.split(' ', 1)[1]}" for text in later]
    assert marked(trades(*HONEST, *later), 150) == 2_015_000


CLOSE = ScoringRule(mark="closing_auction")
AUCTION = (
    "110 ann crosses 10@90.00 with bob",
    "110 cat crosses 10@90.00 with dan",
    "110 cat crosses 10@90.00 with bob",
    "110 ann crosses 10@90.00 with dan",
    "110 eve crosses 10@90.00 with dan",
)


def test_the_closing_auctions_price_is_the_last_mark() -> None:
    assert marked(trades(*HONEST, *AUCTION), 120, CLOSE) == 900_000


def test_an_auction_of_two_friends_is_no_close() -> None:
    friends = ["110 eve crosses 500@150.00 with mule"] * 5
    assert marked(trades(*HONEST, *friends), 120, CLOSE) == 1_015_000


def test_an_opening_auction_is_a_trade_like_any_other() -> None:
    opening = [text.replace("110", "1") for text in AUCTION]
    assert marked(trades(*opening), 2, CLOSE) == 900_000
    assert marked(trades(*opening, *HONEST), 50, CLOSE) == 957_500


def test_the_median_of_clients_is_the_rule_of_the_standings() -> None:
    rule = ScoringRule(mark="median_of_clients")
    assert isinstance(new_mark(REFERENCE_E4, rule, 0), MedianMark)
    painted = trades(*HONEST, "51 eve buys 100000@150.00 from mule")
    assert 1_010_000 <= marked(painted, 51, rule) <= 1_020_000


@pytest.mark.parametrize(("notional", "quantity", "price"), [(7, 2, 4), (5, 3, 2), (4, 3, 1)])
def test_an_average_is_rounded_half_up(notional: int, quantity: int, price: int) -> None:
    assert average(notional, quantity) == price


def test_rules_default_to_the_last_minute() -> None:
    assert rules().scoring.mark == "last_minute"
