"""What the door does by itself: time passes for due orders, and a client that went away is
canceled.
"""

from threading import Event, Thread

import pytest

from order_entry_gateway.adapters.memory_order_log import MemoryOrderLog
from order_entry_gateway.adapters.memory_timers import MemoryTimers
from order_entry_gateway.domain.coverage import Accepted, Decision
from order_entry_gateway.domain.validation import PlaceCandidate
from order_entry_gateway.loops.group_commit import Committer
from order_entry_gateway.loops.timekeeper import Timekeeper
from service_runtime.buses.memory import MemoryBus
from service_runtime.clock import ManualClock
from venue_protocol import codec
from venue_protocol.commands import AdvanceTime, CancelAllOrders, Command, PlaceOrder
from venue_protocol.orders import OrderTerms
from venue_protocol.refusals import Refusal, Refused, RejectReason
from venue_protocol.securities import Security
from venue_protocol.topology import ORDER_ENTRY
from venue_storage.memory_clearing_data import AccountRow, MemoryClearing

AAPL = Security("AAPL", "", 0, tick_e4=100, lot=1, band_bps=5000, reference_price_e4=1_000_000)


class Door:
    """A gateway on memory; a second one may share its database."""

    def __init__(self, other: "Door | None" = None) -> None:
        self.clearing = other.clearing if other else MemoryClearing()
        self.clock = other.clock if other else ManualClock()
        if other is None:
            self.clearing.tables.clients["ann"] = "trader"
            self.clearing.tables.accounts["ann"] = AccountRow(10**12, 0)
        bus = MemoryBus()
        bus.declare([ORDER_ENTRY])
        log, stopping, securities = MemoryOrderLog(self.clearing), Event(), {"AAPL": AAPL}
        self.trouble: str | None = None
        self.committer = Committer(
            log,
            bus.publisher(),
            self.clock,
            securities,
            stopping,
            clock_trouble=lambda: self.trouble,
        )
        self.timekeeper = Timekeeper(
            MemoryTimers(self.clearing),
            self.committer,
            securities,
            self.clock,
            stopping,
            lambda: self.trouble,
        )

    def place(self, expires_us: int) -> Decision:
        """An order that expires then, and what is decided of it."""
        terms = OrderTerms(expires_us=expires_us)
        submission = self.committer.enqueue(
            [PlaceCandidate("ann", AAPL, "BUY", "limit", "GTD", 1, 1_000_000, None, terms)]
        )
        self.committer.step(0)
        return submission.wait()[0]

    def tick(self) -> None:
        """One look at the time, and the commit of what it began."""
        self.timekeeper.step()
        self.committer.step(0)

    def log(self) -> list[Command]:
        """All commands."""
        return [codec.decode_command(row.command) for row in self.clearing.tables.log.values()]


def kinds(door: Door) -> list[type]:
    return [type(command) for command in door.log()]


def test_time_is_advanced_once_when_an_order_is_due_and_not_before() -> None:
    door = Door()
    door.place(door.clock.now_us() + 1_000_000)
    door.tick()
    assert kinds(door) == [PlaceOrder]
    door.clock.advance(1_000_000)
    for _ in range(3):
        door.tick()
    assert kinds(door) == [PlaceOrder, AdvanceTime]
    assert door.clearing.tables.log[0, 2].time_us >= door.clock.now_us()


def test_another_gateway_advances_the_time_when_the_first_is_gone() -> None:
    door = Door()
    door.place(door.clock.now_us() + 1_000_000)
    door.clock.advance(5_000_000)
    other = Door(door)
    other.tick()
    assert kinds(other) == [PlaceOrder, AdvanceTime]


def test_the_dead_mans_switch_cancels_once_unless_it_is_set_again_or_off() -> None:
    door = Door()
    assert door.timekeeper.cancel_after("ann", 1_000) == door.clock.now_us() + 1_000_000
    door.clock.advance(900_000)
    door.timekeeper.cancel_after("ann", 1_000)
    door.clock.advance(900_000)
    door.tick()
    assert door.log() == []
    door.clock.advance(100_000)
    for _ in range(3):
        door.tick()
    assert door.log() == [CancelAllOrders("ann", None)]
    door.timekeeper.cancel_after("ann", 1_000)
    assert door.timekeeper.cancel_after("ann", 0) is None
    door.clock.advance(5_000_000)
    door.tick()
    assert len(door.log()) == 1


def test_the_switch_outlives_its_gateway() -> None:
    door = Door()
    door.timekeeper.cancel_after("ann", 1_000)
    door.clock.advance(1_000_000)
    other = Door(door)
    other.tick()
    assert other.log() == [CancelAllOrders("ann", None)]


def test_two_gateways_that_both_find_a_switch_due_cancel_once() -> None:
    door = Door()
    other = Door(door)
    door.timekeeper.cancel_after("ann", 1_000)
    door.clock.advance(1_000_000)
    assert (door.timekeeper.step(), other.timekeeper.step()) == (1, 1)
    door.committer.step(0)
    door.place(door.clock.now_us() + 60_000_000)
    other.committer.step(0)
    for _ in range(3):
        door.tick()
        other.tick()
    assert kinds(door) == [CancelAllOrders, PlaceOrder]


def test_a_switch_that_was_set_anew_after_it_was_found_due_cancels_later() -> None:
    door = Door()
    door.timekeeper.cancel_after("ann", 1_000)
    door.clock.advance(1_000_000)
    assert door.timekeeper.step() == 1
    door.timekeeper.cancel_after("ann", 1_000)
    door.committer.step(0)
    assert door.log() == []
    door.clock.advance(1_000_000)
    door.tick()
    assert door.log() == [CancelAllOrders("ann", None)]


def test_a_session_that_ends_while_it_is_kept_is_due_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    door = Door()
    session = door.timekeeper.open_session("ann")
    door.clock.advance(6_000_000)
    keep, ending = (
        MemoryTimers.keep,
        Thread(target=door.timekeeper.end_session, args=(session, "ann")),
    )

    def keep_slowly(timers: MemoryTimers, names: list[str], due_us: int) -> None:
        ending.start()
        ending.join(0.1)
        keep(timers, names, due_us)

    monkeypatch.setattr(MemoryTimers, "keep", keep_slowly)
    door.tick()
    ending.join()
    door.tick()
    assert door.log() == [CancelAllOrders("ann", None)]


def test_a_session_cancels_at_its_end_and_while_it_is_kept_never() -> None:
    door = Door()
    session = door.timekeeper.open_session("ann")
    for _ in range(100):
        door.clock.advance(1_000_000)
        door.tick()
    assert door.log() == []
    door.timekeeper.end_session(session, "ann")
    for _ in range(3):
        door.tick()
    assert door.log() == [CancelAllOrders("ann", None)]


def test_a_session_whose_gateway_died_ends_when_nobody_has_kept_it() -> None:
    door = Door()
    door.timekeeper.open_session("ann")
    other = Door(door)
    door.clock.advance(29_000_000)
    other.tick()
    assert other.log() == []
    door.clock.advance(1_000_000)
    other.tick()
    assert other.log() == [CancelAllOrders("ann", None)]


def test_a_released_session_cancels_nothing() -> None:
    door = Door()
    door.timekeeper.release_session(door.timekeeper.open_session("ann"))
    door.clock.advance(60_000_000)
    door.tick()
    assert door.log() == []


def test_while_the_clock_is_not_confirmed_nothing_is_logged_and_nothing_is_due() -> None:
    door = Door()
    door.place(door.clock.now_us() + 1_000_000)
    door.timekeeper.cancel_after("ann", 1_000)
    before = door.log()
    door.trouble = "the clocks differ by a day"
    door.clock.advance(86_400_000_000)
    door.tick()
    refusal = door.place(door.clock.now_us() + 10**12)
    assert isinstance(refusal, Refusal) and refusal.reason is RejectReason.NOT_READY
    assert "the clocks differ by a day" in refusal.message
    assert door.log() == before
    for arm in (
        lambda: door.timekeeper.cancel_after("ann", 1_000),
        lambda: door.timekeeper.open_session("ann"),
    ):
        with pytest.raises(Refused, match="the clocks differ by a day"):
            arm()
    door.trouble = None
    door.tick()
    assert len(door.log()) == len(before) + 2


def test_an_order_that_is_over_by_the_time_of_the_log_is_refused() -> None:
    """The log is a day ahead, since a clock once was: the engine would let it expire at once."""
    door = Door()
    door.clock.advance(86_400_000_000)
    assert isinstance(door.place(door.clock.now_us() + 1), Accepted)
    door.clock.advance(-86_400_000_000)
    refusal = door.place(door.clock.now_us() + 3_600_000_000)
    assert isinstance(refusal, Refusal) and refusal.reason is RejectReason.EXPIRE_TIME_PAST
    assert isinstance(door.place(door.clock.now_us() + 2 * 86_400_000_000), Accepted)
