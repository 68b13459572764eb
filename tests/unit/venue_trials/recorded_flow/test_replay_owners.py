"""Accounts of a replay: nobody trades with an own order, and few requests are needed."""

from itertools import groupby
from pathlib import Path

import pytest

from venue_protocol.orders import BUY, SELL, Side
from venue_trials.recorded_flow.orders import make_plan
from venue_trials.recorded_flow.owners import ORDERS_IN_A_ROW, assign_owners
from venue_trials.recorded_flow.steps import AmendStep, CancelStep, PlaceStep, Plan, Step


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


@pytest.mark.parametrize("accounts", [2, 7])
def test_in_a_whole_recording_no_account_ever_trades_with_itself_and_requests_are_few(
    shared_data: Path, accounts: int
) -> None:
    plan = make_plan(
        shared_data / "matching_consensus" / "normal_s23_n20000.orders.csv.xz", accounts=accounts
    )
    owner_of = owners(list(plan.steps))
    assert all(owner_of[maker] != owner_of[taker] for maker, taker in traded_names(plan))
    assert len({step.owner for step in plan.steps}) == accounts // 2 * 2
    assert sum(1 for _ in groupby(plan.steps, lambda step: step.owner)) < len(plan.steps) / 10


def traded_names(plan: Plan) -> list[tuple[str, str]]:
    """Names of maker and taker of each expected fill: the newest orders with these labels until
    then.
    """
    newest: dict[str, str] = {}
    pending = iter(plan.expected_fills)
    fill = next(pending, None)
    pairs = []
    for step in plan.places():
        newest[plan.labels[step.name]] = step.name
        while fill is not None and fill.taker == plan.labels[step.name] and fill.maker in newest:
            pairs.append((newest[fill.maker], step.name))
            fill = next(pending, None)
    assert fill is None
    return pairs
