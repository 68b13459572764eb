"""Whole recordings become steps: the recorded fills and book, and accounts that meet nobody of
their own.
"""

import csv
import lzma
from itertools import groupby
from pathlib import Path

import pytest

from tests.unit.venue_trials.recorded_flow.obvious_engine import fills_of
from venue_trials.recorded_flow.orders import make_plan
from venue_trials.recorded_flow.steps import Plan

WORKLOADS = ["normal_s23_n20000", "static_s23_n20000", "swing-25_s23_n20000"]


def last_best(file: Path) -> tuple[tuple[int, int] | None, tuple[int, int] | None]:
    """Best bid and ask, (price in ticks, shares), after the last message."""
    with lzma.open(file, "rt") as rows:
        *_, (_, bid, bid_quantity, ask, ask_quantity) = csv.reader(rows)
    return (int(bid), int(bid_quantity)) if bid else None, (
        int(ask),
        int(ask_quantity),
    ) if ask else None


@pytest.mark.parametrize("name", WORKLOADS)
def test_a_consensus_workload_rehearses_to_the_recorded_trades_and_final_book(
    shared_data: Path, name: str
) -> None:
    folder = shared_data / "matching_consensus"
    plan = make_plan(folder / f"{name}.orders.csv.xz")
    assert plan.messages == 39878 and plan.source == f"{name}.reports.txt.xz"
    assert len(plan.expected_fills) > 10 and fills_of(plan) == plan.expected_fills
    bid, ask = last_best(folder / f"{name}.bbo.csv.xz")
    top = plan.expected_levels
    assert [(price // 50, size) for price, size in (top.bids[0], top.asks[0])] == [bid, ask]


@pytest.mark.parametrize("accounts", [2, 7])
def test_in_a_whole_recording_no_account_ever_trades_with_itself_and_requests_are_few(
    shared_data: Path, accounts: int
) -> None:
    plan = make_plan(
        shared_data / "matching_consensus" / "normal_s23_n20000.orders.csv.xz", accounts=accounts
    )
    owner_of = {step.name: step.owner for step in plan.steps}
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
