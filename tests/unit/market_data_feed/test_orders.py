"""Folding events into order states and execution reports."""

from typing import Any

import pytest

from market_data_feed.domain.execution_report import ExecutionReport
from market_data_feed.domain.orders import BrokenStream, Fold
from market_data_feed.domain.working_order import WorkingOrder
from tests.unit.market_data_feed.tape import Tape


def fold(tape: Tape) -> tuple[dict[int, WorkingOrder], Fold]:
    """All batches of the tape folded in one transaction."""
    working: dict[int, WorkingOrder] = {}
    folded = Fold(working)
    for batch in tape.batches:
        folded.apply(batch, batch.first)
    return working, folded


def reports(folded: Fold) -> list[ExecutionReport]:
    """Every report, in order."""
    return [report for effect in folded.effects for report in effect.reports]


def lines(folded: Fold, client_id: str) -> list[tuple[Any, ...]]:
    """Kind, status, filled, leaves of each report of a client."""
    return [
        (r.kind, r.status, r.filled, r.leaves) for r in reports(folded) if r.client_id == client_id
    ]


def test_an_order_is_partially_filled_until_the_rest_is_filled() -> None:
    tape = Tape()
    tape.batch("new 1 alice SELL 10@1.05")
    tape.batch("new 2 bob BUY 4@1.05", "trade 2 1 4@1.05 BUY")
    tape.batch("new 3 bob BUY 6@1.05", "trade 3 1 6@1.05 BUY")
    working, folded = fold(tape)
    assert lines(folded, "alice") == [
        ("new", "new", 0, 10),
        ("trade", "partially_filled", 4, 6),
        ("trade", "filled", 10, 0),
    ]
    assert working == {}
    assert folded.touched[1].notional_e4 == 10 * 10_500


def test_a_cancel_after_a_fill_is_canceled_with_its_fills() -> None:
    tape = Tape()
    tape.batch(
        "new 1 alice SELL 10@1.05", "new 2 bob BUY 4@1.05", "trade 2 1 4@1.05 BUY", "cancel 1"
    )
    _, folded = fold(tape)
    assert lines(folded, "alice")[-1] == ("canceled", "canceled", 4, 0)
    assert folded.touched[1].reason == "requested"


def test_an_amend_to_what_is_filled_fills_the_order() -> None:
    tape = Tape()
    tape.batch(
        "new 1 alice SELL 10@1.05", "new 2 bob BUY 4@1.05", "trade 2 1 4@1.05 BUY", "amend 1 4@1.05"
    )
    working, folded = fold(tape)
    assert lines(folded, "alice")[-1] == ("amended", "filled", 4, 0)
    assert working == {}


def test_an_amend_keeps_the_fills_and_the_status() -> None:
    tape = Tape()
    tape.batch(
        "new 1 alice SELL 10@1.05",
        "new 2 bob BUY 4@1.05",
        "trade 2 1 4@1.05 BUY",
        "amend 1 20@1.06",
    )
    working, folded = fold(tape)
    assert lines(folded, "alice")[-1] == ("amended", "partially_filled", 4, 16)
    assert working[1].price_e4 == 10_600


def test_reports_of_an_order_form_a_chain_back_to_its_acceptance() -> None:
    tape = Tape()
    tape.batch("new 1 alice SELL 10@1.05")
    tape.batch("new 2 bob BUY 4@1.05", "trade 2 1 4@1.05 BUY")
    tape.batch("cancel_rejected 1 alice order.not_open", "cancel 1")
    _, folded = fold(tape)
    chain = {
        r.event_sequence: r.previous_sequence
        for r in reports(folded)
        if r.order_id == 1 and r.kind != "new"
    }
    assert chain == {3: 1, 4: None, 5: 3}
    assert folded.touched[1].event_sequence == 5


def test_rejects_leave_the_order_as_it_stood() -> None:
    tape = Tape()
    tape.batch("new 1 alice SELL 10@1.05", "cancel_rejected 1 alice order.not_open")
    working, folded = fold(tape)
    assert lines(folded, "alice")[-1] == ("cancel_rejected", "new", 0, 10)
    assert reports(folded)[-1].reason == "order.not_open"
    assert working[1].event_sequence == 1


def test_a_reject_shows_nothing_of_an_order_of_another_client() -> None:
    tape = Tape()
    tape.batch("new 1 alice SELL 10@1.05", "cancel_rejected 1 bob order.unknown")
    _, folded = fold(tape)
    assert lines(folded, "bob") == [("cancel_rejected", None, None, None)]


def test_a_mass_cancel_tells_how_many_orders_it_ended() -> None:
    tape = Tape()
    tape.batch("new 1 alice SELL 10@1.05", "new 2 alice SELL 5@1.06")
    tape.batch("cancel 1", "cancel 2", "mass_cancel alice 2")
    working, folded = fold(tape)
    assert reports(folded)[-1].kind == "mass_cancel"
    assert reports(folded)[-1].last_quantity == 2
    assert working == {}


def test_only_what_is_new_in_an_overlapping_batch_is_folded() -> None:
    tape = Tape()
    batch = tape.batch("new 1 alice SELL 10@1.05", "new 2 bob SELL 5@1.06")
    working: dict[int, WorkingOrder] = {}
    folded = Fold(working)
    folded.apply(batch, 2)
    assert list(working) == [2]
    assert folded.effects[0].first_sequence == 2


@pytest.mark.parametrize(
    "batches",
    [
        [["new 1 alice SELL 10@1.05"], ["cancel 1"], ["cancel 1"]],
        [["new 1 alice SELL 10@1.05", "new 1 alice SELL 10@1.05"]],
    ],
    ids=["canceled twice", "accepted twice"],
)
def test_events_that_contradict_the_record_stop_the_fold(batches: list[list[str]]) -> None:
    tape = Tape()
    for batch in batches:
        tape.batch(*batch)
    with pytest.raises(BrokenStream):
        fold(tape)


def test_a_fill_that_leaves_another_quantity_than_recorded_stops_the_fold() -> None:
    tape = Tape()
    tape.batch("new 1 alice SELL 10@1.05", "new 2 bob BUY 4@1.05")
    tape.orders[1].leaves = 9
    tape.batch("trade 2 1 4@1.05 BUY")
    with pytest.raises(BrokenStream, match="order 1 has 10 shares open, not 9"):
        fold(tape)
