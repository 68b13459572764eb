"""From which terms an amend goes on: the newest amend while its answer is unknown, the record from
then on.
"""

import pytest

from order_entry_gateway.adapters.memory_order_log import MemoryOrderLog
from order_entry_gateway.batch_admission import append
from order_entry_gateway.domain.coverage import Accepted, Decision
from order_entry_gateway.domain.recorded_order import RecordedOrder
from order_entry_gateway.domain.validation import AmendCandidate, Candidate, PlaceCandidate
from venue_protocol.commands import AmendOrder
from venue_protocol.refusals import Refusal
from venue_protocol.securities import Security
from venue_storage.memory_clearing_data import AccountRow, MemoryClearing

AAPL = Security("AAPL", "", 0, tick_e4=100, lot=1, band_bps=5000, reference_price_e4=1_000_000)


class Door:
    """One client, ann, with $100,000.00 on memory; its order 1 is a bid for 10 at 100.00."""

    def __init__(self) -> None:
        self.clearing = MemoryClearing()
        self.clearing.tables.clients["ann"] = "trader"
        self.clearing.tables.accounts["ann"] = AccountRow(10**9, 0)
        self.now_us = 0
        self.do(PlaceCandidate("ann", AAPL, "BUY", "limit", "GTC", 10, 1_000_000, "one"))

    def do(self, candidate: Candidate) -> Decision:
        """One command at the next second; its decision."""
        self.now_us += 1_000_000
        with MemoryOrderLog(self.clearing).transaction() as transaction:
            decisions, _ = append(transaction, [candidate], {"AAPL": AAPL}, self.now_us)
        return decisions[0]

    def amend(
        self, quantity: int | None, price_e4: int | None, recorded: RecordedOrder | None
    ) -> AmendOrder | str:
        """The amend that was logged, or why there is none."""
        decision = self.do(AmendCandidate("ann", 1, None, quantity, price_e4, None, recorded))
        if isinstance(decision, Refusal):
            return decision.reason.code
        assert isinstance(decision, Accepted)
        assert isinstance(decision.command, AmendOrder)
        return decision.command


def recorded(known_us: int, quantity: int = 10, price_e4: int = 1_000_000) -> RecordedOrder:
    return RecordedOrder(1, "ann", "new", quantity, price_e4, known_us)


def test_terms_that_the_engine_rejected_are_not_gone_on_from() -> None:
    door = Door()
    assert not isinstance(door.amend(5, None, None), str)
    rejected = recorded(known_us=2_000_000)
    assert door.amend(10, None, rejected) == "order.amend_changes_nothing"
    amend = door.amend(None, 1_010_000, rejected)
    assert isinstance(amend, AmendOrder)
    assert (amend.quantity, amend.hold_added) == (10, 100_000)


def test_an_amend_on_its_way_is_gone_on_from() -> None:
    door = Door()
    door.amend(5, None, None)
    not_answered = recorded(known_us=1_999_999)
    amend = door.amend(None, 1_010_000, not_answered)
    assert isinstance(amend, AmendOrder)
    assert amend.quantity == 5


@pytest.mark.parametrize("known_us", [1_000_000, 1_500_000])
def test_an_order_that_was_reduced_goes_on_with_what_is_left(known_us: int) -> None:
    door = Door()
    held = door.clearing.tables.accounts["ann"].held_e4
    amend = door.amend(None, 1_010_000, recorded(known_us, quantity=6))
    assert isinstance(amend, AmendOrder)
    assert (amend.quantity, amend.hold_added) == (6, 60_000)
    assert door.clearing.tables.accounts["ann"].held_e4 == held + 60_000
