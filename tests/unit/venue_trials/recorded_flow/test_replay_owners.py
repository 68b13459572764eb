"""Accounts of a replay: nobody trades with an own order, and few requests are needed."""

from itertools import groupby

import pytest

from venue_protocol.orders import BUY, SELL, Side
from venue_trials.recorded_flow.owners import ORDERS_IN_A_ROW, assign_owners
from venue_trials.recorded_flow.steps import AmendStep, CancelStep, PlaceStep, Step


def place(name: str, side: Side) -> PlaceStep:
    return PlaceStep("", name, side, 1, 100, "GTC")


def owners(steps: list[Step]) -> dict[str, str]:
    return {step.name: step.owner for step in steps}


def test_orders_that_never_trade_share_one_account_whatever_their_side() -> None:
    steps: list[Step] = [place("1", BUY), place("2", SELL), CancelStep("", "1", True)]
    assert [step.owner for step in assign_owners(steps, [], 2)] == ["account0"] * 3


def test_buyers_and_sellers_that_trade_are_apart_and_most_stay_on_the_first_account() -> None:
    steps: list[Step] = [
        place("1", BUY),
        place("2", BUY),
        place("3", SELL),
        place("4", SELL),
        AmendStep("", "3", 1),
    ]
    found = assign_owners(steps, [("1", "3"), ("2", "3")], 2)
    assert owners(found) == {"1": "account0", "2": "account0", "3": "account1", "4": "account0"}
    assert found[-1].owner == "account1"


def test_groups_that_meet_later_are_one_group() -> None:
    steps: list[Step] = [
        place(name, side) for name, side in zip("abcd", (BUY, SELL, BUY, SELL), strict=True)
    ]
    found = owners(assign_owners(steps, [("a", "b"), ("c", "d"), ("c", "b")], 2))
    assert found["a"] == found["c"] != found["b"] == found["d"]


def test_more_accounts_take_turns() -> None:
    steps: list[Step] = [place(str(number), BUY) for number in range(3 * ORDERS_IN_A_ROW)]
    assert [owner for owner, _ in groupby(assign_owners(steps, [], 4), lambda s: s.owner)] == [
        "account0",
        "account2",
        "account0",
    ]


def test_less_than_two_accounts_are_refused() -> None:
    with pytest.raises(ValueError, match="two accounts"):
        assign_owners([], [], 1)
