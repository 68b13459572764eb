"""The fair-play report: each question with an example, and a near miss that it leaves alone."""

import pytest

from tests.unit.venue_competition.notation import START_US, S, record, rules, trades
from venue_competition import fair_play
from venue_competition.round_record import SentCommand
from venue_competition.scoring import score_round

PLAYERS = frozenset({"ann", "bob", "cat", "dan"})


def everybody(times: int) -> list[str]:
    """Each of four players and four others takes from each other one this often."""
    names = [*sorted(PLAYERS), "m1", "m2", "m3", "m4"]
    return [
        f"{index}.0 {one} buys 1@100.00 from {other}"
        for index in range(times)
        for one in names
        for other in names
        if one != other
    ]


def test_friends_who_trade_with_each_other_far_above_chance_are_named() -> None:
    made = trades(*everybody(3), *[f"{30 + n / 4} ann buys 1@100.00 from bob" for n in range(40)])
    (found,) = fair_play.pairs(made, PLAYERS)
    assert (found.kind, found.players) == ("pair", ["ann", "bob"])
    assert "met 46 times" in found.says


def test_a_market_in_which_all_trade_with_all_has_no_friends() -> None:
    assert fair_play.pairs(trades(*everybody(20)), PLAYERS) == []


def test_trades_with_the_population_are_not_suspicious() -> None:
    made = trades(*everybody(3), *[f"{30 + n / 4} ann buys 1@100.00 from m1" for n in range(40)])
    assert fair_play.pairs(made, PLAYERS) == []


def test_a_taker_and_the_only_maker_are_no_friends() -> None:
    others = [
        f"{n / 4} {taker} buys 1@100.00 from bob" for n in range(40) for taker in ("ann", "m1")
    ]
    assert fair_play.pairs(trades(*others), PLAYERS) == []


def test_one_order_that_takes_from_forty_of_a_maker_meets_it_once() -> None:
    made = trades(*everybody(3), *["50 ann buys 1@100.00 from bob"] * 40)
    assert fair_play.pairs(made, PLAYERS) == []


@pytest.mark.parametrize(
    ("count", "expected", "probability"),
    [(0, 3.0, 1.0), (1, 1.0, 0.632121), (5, 2.0, 0.052653), (50, 1.0, 0.0), (3, 0.0, 0.0)],
)
def test_the_tail_of_the_poisson_distribution(
    count: int, expected: float, probability: float
) -> None:
    assert fair_play.poisson_tail(count, expected) == pytest.approx(probability, abs=1e-6)


def test_shares_sold_to_a_friend_and_bought_back_are_washed() -> None:
    made = trades("1 ann sells 30@100.00 to bob", "59.5 ann buys 25@100.00 from bob")
    (found,) = fair_play.washes(made, PLAYERS)
    assert (found.kind, found.players) == ("wash", ["ann", "bob"])
    assert "25 shares of ACME" in found.says


@pytest.mark.parametrize(
    "texts",
    [
        ["1 ann sells 30@100.00 to bob", "62 ann buys 30@100.00 from bob"],
        ["1 ann sells 30@100.00 to bob", "2 ann sells 30@100.00 to bob"],
        ["1 ann sells 30@100.00 to bob", "2 ann buys 19@100.00 from bob"],
        ["1 ann sells 30@100.00 to bob", "2 ann buys 30@100.00 from bob in OTHER"],
        ["1 ann sells 30@100.00 to m1", "2 ann buys 30@100.00 from m1"],
        [
            "1 ann sells 30@100.00 to bob",
            "2 ann buys 30@100.00 from bob",
            "3 ann buys 200@100.00 from m1",
            "3 bob buys 200@100.00 from m1",
        ],
    ],
)
def test_late_one_way_few_other_and_by_the_way_is_not_washed(texts: list[str]) -> None:
    assert fair_play.washes(trades(*texts), PLAYERS) == []


def test_shares_that_came_back_are_counted_once() -> None:
    made = trades(
        "1 ann sells 30@100.00 to bob",
        "2 ann buys 30@100.00 from bob",
        "3 ann buys 30@100.00 from bob",
    )
    (found,) = fair_play.washes(made, PLAYERS)
    assert "30 shares" in found.says


HONEST = [
    f"{70 + index} m{1 + index % 2} buys 10@100.00 from m{3 + index % 2}" for index in range(8)
]


def painting(*texts: str) -> list[fair_play.Finding]:
    made = record(trades(*HONEST, *texts), "ann bob", shares=100)
    ours = rules()
    return fair_play.painted(made, ours, score_round(made, ours))


def test_a_holder_who_takes_high_just_before_the_end_is_named() -> None:
    (found,) = painting("119 ann buys 10@105.00 from m3")
    assert (found.kind, found.players) == ("painted", ["ann"])
    assert "$61.12" in found.says


@pytest.mark.parametrize(
    "text",
    [
        "59 ann buys 10@105.00 from m3",
        "119 ann buys 10@100.00 from m3",
        "119 m3 buys 10@105.00 from ann",
        "119 ann sells 10@95.00 to m3",
    ],
)
def test_early_fair_passive_and_losing_trades_paint_nothing(text: str) -> None:
    assert painting(text) == []


def sent(name: str, count: int, within_s: float) -> list[SentCommand]:
    step_us = int(within_s * S / count)
    return [SentCommand(START_US + index * step_us, name, "place_order") for index in range(count)]


def test_many_commands_in_a_second_and_no_trade_are_stuffing() -> None:
    (found,) = fair_play.stuffing(sent("ann", 250, 1), [], PLAYERS)
    assert (found.kind, found.players) == ("stuffing", ["ann"])
    assert "up to 250 commands in a second, 250 in all, and traded 0 times" in found.says


def test_slow_or_trading_or_unknown_senders_are_not() -> None:
    traded = trades(*["1 ann buys 1@100.00 from m1"] * 3)
    assert fair_play.stuffing(sent("ann", 250, 2), [], PLAYERS) == []
    assert fair_play.stuffing(sent("ann", 250, 1), traded, PLAYERS) == []
    assert fair_play.stuffing(sent("m1", 250, 1), [], PLAYERS) == []


def test_the_report_asks_all_four_questions() -> None:
    made = record(
        trades(
            *everybody(3),
            *[f"{30 + n / 4} ann buys 1@100.00 from bob" for n in range(40)],
            *[f"{40 + n / 4} bob buys 1@100.00 from ann" for n in range(40)],
            *HONEST,
            "119 ann buys 10@105.00 from m3",
        ),
        "ann bob cat dan",
        shares=100,
        commands=sent("cat", 5000, 1),
    )
    ours = rules("ann bob cat dan")
    found = fair_play.report(made, ours, score_round(made, ours))
    assert [finding.kind for finding in found] == ["pair", "wash", "painted", "stuffing"]
