"""Scores: equity at marks, drawdown, inventory, turnover; and the ranking with its ties."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.venue_competition.notation import START_US, S, record, rules, trades
from venue_competition.ranking import rank, ratio
from venue_competition.round_record import Movement, RoundRecord, SentCommand
from venue_competition.scoring import PlayerScore, max_drawdown, score_round

FOUR = "ann bob cat dan"
LATE = (
    "100 ann buys 10@110.00 from cat",
    "101 bob buys 10@110.00 from dan",
    "102 cat buys 10@110.00 from ann",
    "103 dan buys 10@110.00 from bob",
    "104 cat buys 10@110.00 from dan",
)
"""Together they make 110.00 the mark, and give nobody anything but shares of cat."""


def scored(*texts: str, **changes: object) -> dict[str, PlayerScore]:
    made = record(trades(*texts), FOUR, shares=100)
    return score_round(made, rules(FOUR, **changes)).scores


def test_nothing_traded_is_nothing_gained() -> None:
    score = scored()["ann"]
    assert (score.start_equity_e4, score.end_equity_e4) == (200_000_000, 200_000_000)
    assert (score.profit_e4, score.max_drawdown_e4, score.turnover_e4) == (0, 0, 0)


def test_equity_is_cash_and_shares_at_the_mark() -> None:
    """All hold 100 shares, which rise by 10.00; ann bought ten more at 100.00."""
    scores = scored("5 ann buys 10@100.00 from bob", *LATE)
    assert scores["ann"].profit_e4 == 11_000_000
    assert scores["bob"].profit_e4 == 9_000_000
    assert scores["ann"].turnover_e4 == 10_000_000 + 22_000_000
    assert (scores["ann"].fills, scores["ann"].shares_traded) == (3, 30)


def test_profits_of_a_closed_market_sum_to_what_the_shares_gained() -> None:
    scores = scored("5 ann buys 10@100.00 from bob", "7 cat sells 50@99.00 to dan", *LATE)
    assert sum(score.profit_e4 for score in scores.values()) == 4 * 100 * 100_000


def test_what_is_paid_in_during_the_round_is_no_profit() -> None:
    made = record(trades(*LATE), FOUR, shares=100)
    given_later = [
        Movement(START_US + 50 * S, "ann", 5_000_000, None, 0, False),
        Movement(START_US + 50 * S, "ann", 0, "ACME", 10, False),
    ]
    movements = sorted([*made.movements, *given_later], key=lambda each: each.time_us)
    changed = RoundRecord(**{**vars(made), "movements": movements})
    ours = rules(FOUR)
    before = score_round(made, ours).scores["ann"].profit_e4
    # Ten given shares rose by 10.00 since.
    assert score_round(changed, ours).scores["ann"].profit_e4 == before + 1_000_000


def test_trades_after_the_end_do_not_count() -> None:
    late = ["121 ann buys 100@1.00 from bob"]
    assert scored(*late) == scored()


def test_inventory_is_the_distance_from_the_shares_of_the_start() -> None:
    scores = scored("0.5 ann buys 12@100.00 from bob")
    # Thirteen points, at 0, 10, … 120 s; the first has none.
    assert scores["ann"].max_inventory_e4 == 12_000_000
    assert scores["bob"].mean_inventory_e4 == 12_000_000 * 12 // 13
    assert scores["cat"].max_inventory_e4 == 0


def test_commands_and_open_orders_are_counted_for_players() -> None:
    sent = [SentCommand(START_US + 1, name, "place_order") for name in ("ann", "ann", "mm")]
    made = record([], FOUR, commands=sent, open_orders={"ann": 2, "mm": 9})
    score = score_round(made, rules(FOUR)).scores
    assert (score["ann"].commands, score["ann"].most_open_orders) == (2, 2)
    assert (score["bob"].commands, score["bob"].most_open_orders) == (0, 0)


def test_the_curve_has_a_point_each_sample_and_one_at_the_end() -> None:
    made = record([], seconds=25)
    curve = score_round(made, rules()).curves["ann"]
    assert [(point.time_us - START_US) // S for point in curve] == [0, 10, 20, 25]


@pytest.mark.parametrize(
    ("curve", "deepest"),
    [([5], 0), ([1, 2, 3], 0), ([3, 2, 1], 2), ([1, 9, 4, 10, 6], 5), ([-1, -5, 3], 4)],
)
def test_a_drawdown_is_the_largest_fall_below_an_earlier_point(
    curve: list[int], deepest: int
) -> None:
    assert max_drawdown(curve) == deepest


@given(st.lists(st.integers(-1000, 1000), min_size=1, max_size=12))
def test_a_drawdown_is_the_largest_of_all_pairs(curve: list[int]) -> None:
    slow = max(
        curve[first] - curve[later]
        for first in range(len(curve))
        for later in range(first, len(curve))
    )
    assert max_drawdown(curve) == slow


EVEN = PlayerScore(
    player="",
    start_equity_e4=0,
    end_equity_e4=0,
    profit_e4=0,
    max_drawdown_e4=0,
    turnover_e4=0,
    mean_inventory_e4=0,
    max_inventory_e4=0,
    fills=0,
    shares_traded=0,
    commands=0,
    most_open_orders=0,
)


def result(*scores: str) -> dict[str, PlayerScore]:
    """Scores such as `ann 10 3 5`: profit, drawdown and turnover."""
    found = {}
    for score in scores:
        name, profit, drawdown, turnover = score.split()
        found[name] = msgspec.structs.replace(
            EVEN,
            player=name,
            profit_e4=int(profit),
            max_drawdown_e4=int(drawdown),
            turnover_e4=int(turnover),
        )
    return found


def places(*rounds: dict[str, PlayerScore]) -> list[str]:
    return [f"{each.rank} {each.player}" for each in rank(rounds)]


@pytest.mark.parametrize(
    ("scores", "ranking"),
    [
        (["ann 5 0 0", "bob 7 9 9"], ["1 bob", "2 ann"]),
        (["ann 5 3 0", "bob 5 2 9"], ["1 bob", "2 ann"]),
        (["ann 5 2 9", "bob 5 2 8"], ["1 bob", "2 ann"]),
        (["bob 5 2 8", "ann 5 2 8", "cat 1 0 0"], ["1 ann", "1 bob", "3 cat"]),
        (["ann -5 0 0", "bob -4 9 9"], ["1 bob", "2 ann"]),
    ],
)
def test_ties_go_to_the_smaller_drawdown_then_to_the_smaller_turnover(
    scores: list[str], ranking: list[str]
) -> None:
    assert places(result(*scores)) == ranking


def test_profits_of_all_rounds_are_summed_and_wins_counted() -> None:
    one, two = result("ann 10 1 1", "bob 4 7 1"), result("ann -9 2 1", "bob 4 1 1")
    first, second = rank([one, two])
    assert (first.player, first.profit_e4, first.rounds_won, first.max_drawdown_e4) == (
        "bob",
        8,
        1,
        7,
    )
    assert (second.player, second.profit_e4, second.rounds_won) == ("ann", 1, 1)


@pytest.mark.parametrize(
    ("above", "below", "text"),
    [(1, 3, "0.3333"), (2, 3, "0.6667"), (-2, 3, "-0.6667"), (5, 0, None), (-1, 10**6, "0.0000")],
)
def test_a_ratio_has_four_decimals(above: int, below: int, text: str | None) -> None:
    assert ratio(above, below) == text
