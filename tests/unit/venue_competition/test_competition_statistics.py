"""Luck, counted: what intervals, odds and ratings say of results that are known."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading_bots.dice import dice
from venue_competition.statistics import (
    Match,
    confidences,
    elo_intervals,
    elo_ratings,
    matches,
    percentile,
    rounds_until_known,
)


def test_an_interval_of_equal_rounds_is_a_point() -> None:
    (ann,) = confidences({"ann": [7, 7, 7]}, dice(1, "x"), 100, 0.95)
    assert (ann.mean_e4, ann.low_e4, ann.high_e4, ann.first_percent) == (7, 7, 7, "100.00")


def test_a_player_that_leads_in_each_round_is_first_in_each_resample() -> None:
    ann, bob = confidences({"ann": [1, 900], "bob": [0, 899]}, dice(1, "x"), 200, 0.95)
    assert (ann.first_percent, bob.first_percent) == ("100.00", "0.00")


def test_a_tie_is_shared() -> None:
    ann, bob = confidences({"ann": [5, 5], "bob": [5, 5]}, dice(1, "x"), 100, 0.95)
    assert ann.first_percent == bob.first_percent == "50.00"


def test_an_interval_covers_the_true_mean_about_as_often_as_it_says() -> None:
    """Of 200 samples of 40 rounds 95 % should be covered; below 86 % has odds under 1 in 10^5."""
    draws, covered = dice(3, "rounds"), 0
    for sample in range(200):
        profits = [round(draws.gauss(100, 50)) for _ in range(40)]
        (found,) = confidences({"ann": profits}, dice(sample, "x"), 300, 0.95)
        covered += found.low_e4 <= 100 <= found.high_e4
    assert covered >= 172


def test_the_same_seed_gives_the_same_interval_and_another_seed_another() -> None:
    profits = {"ann": [3, 1, 4, 1, 5, 9, 2, 6], "bob": [2, 7, 1, 8, 2, 8, 1, 8]}
    one, same, other = (confidences(profits, dice(seed, "x"), 100, 0.9) for seed in (1, 1, 2))
    assert one == same
    assert one != other


@pytest.mark.parametrize(
    ("share", "value"), [(0, 1), (0.01, 1), (0.5, 5), (0.51, 6), (0.95, 10), (1, 10)]
)
def test_a_percentile_is_one_of_the_values(share: float, value: int) -> None:
    assert percentile([10, 9, 8, 7, 6, 5, 4, 3, 2, 1], share) == value


def test_a_lead_that_never_varies_is_known_after_one_round() -> None:
    assert rounds_until_known({"ann": [10, 20, 30], "bob": [9, 19, 29]}) == 1


def test_a_lead_as_large_as_its_deviation_needs_three_rounds_and_half_of_it_eleven() -> None:
    """(1.645)^2 = 2.7, and (1.645 x 2)^2 = 10.8."""
    assert rounds_until_known({"ann": [0, 2] * 500, "bob": [0, 0] * 500}) == 3
    assert rounds_until_known({"ann": [-1, 3] * 500, "bob": [0, 0] * 500}) == 11


def test_more_rivals_need_more_rounds() -> None:
    two = {"ann": [-1, 3] * 50, "bob": [0, 0] * 50}
    three = {**two, "cat": [0, 0] * 50}
    assert (rounds_until_known(three) or 0) > (rounds_until_known(two) or 0)


@pytest.mark.parametrize(
    "profits",
    [
        {"ann": [5], "bob": [3]},
        {"ann": [5, 5]},
        {"ann": [5, 5], "bob": [5, 5]},
        {"ann": [10**9 + 1, -(10**9)], "bob": [0, 0]},
    ],
)
def test_what_the_rounds_do_not_say_is_not_said(profits: dict[str, list[int]]) -> None:
    assert rounds_until_known(profits) is None


def test_rounds_until_known_hold_what_they_promise() -> None:
    """Of 300 tournaments of that length the better player should win at least 95 %."""
    long_run = dice(1, "long run")
    needed = rounds_until_known(
        {"ann": [round(long_run.gauss(30, 100)) for _ in range(5000)], "bob": [0] * 5000}
    )
    assert needed is not None
    draws = dice(2, "tournaments")
    won = sum(sum(draws.gauss(30, 100) for _ in range(needed)) > 0 for _ in range(300))
    assert won >= 270


def test_each_pair_of_a_round_is_a_match() -> None:
    assert matches({"ann": 3, "bob": 3, "cat": 1}) == [
        Match("ann", "bob", 1),
        Match("ann", "cat", 2),
        Match("bob", "cat", 2),
    ]


def test_players_who_only_draw_are_all_average() -> None:
    assert elo_ratings(["ann", "bob"], [Match("ann", "bob", 1)] * 9) == {"ann": 1500, "bob": 1500}


def test_who_wins_ten_of_eleven_is_about_400_points_better() -> None:
    played = [Match("ann", "bob", 2)] * 1000 + [Match("ann", "bob", 0)] * 100
    ratings = elo_ratings(["ann", "bob"], played)
    assert ratings["ann"] - ratings["bob"] == pytest.approx(400, abs=5)


def test_who_won_everything_has_a_finite_rating() -> None:
    ratings = elo_ratings(["ann", "bob"], [Match("ann", "bob", 2)] * 20)
    assert 1500 < ratings["ann"] < 2500


@given(st.permutations([Match("a", "b", 2), Match("b", "c", 2), Match("a", "c", 1)] * 3))
def test_the_order_of_the_matches_is_of_no_matter(played: list[Match]) -> None:
    expected = elo_ratings(["a", "b", "c"], sorted(played, key=str))
    assert elo_ratings(["a", "b", "c"], played) == expected


def test_an_elo_interval_holds_the_rating() -> None:
    rounds = [[Match("ann", "bob", 2 if index % 4 else 0)] for index in range(40)]
    low, high = elo_intervals(["ann", "bob"], rounds, dice(1, "elo"), 100, 0.95)["ann"]
    rating = elo_ratings(["ann", "bob"], [match for each in rounds for match in each])["ann"]
    assert low < rating < high
