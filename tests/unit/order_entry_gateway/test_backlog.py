"""The door says no in time: when settlement or record is behind, and when its own queue is."""

import threading
from collections.abc import Sequence

import pytest

from order_entry_gateway.adapters.memory_order_log import MemoryOrderLog
from order_entry_gateway.domain.recorded_order import RecordedOrder
from order_entry_gateway.domain.requests import CancelAction, PlaceOrderRequest
from order_entry_gateway.domain.validation import CancelCandidate
from order_entry_gateway.handlers import Answer, OrderDesk
from order_entry_gateway.loops.backlog import Backlog
from order_entry_gateway.loops.group_commit import Committer
from order_entry_gateway.loops.refusal_reporter import RefusalReporter
from service_runtime.buses.memory import MemoryBus
from service_runtime.database import DatabaseUnavailable
from service_runtime.http.authentication import Caller
from venue_protocol import topology
from venue_protocol.refusals import Refusal, RejectReason
from venue_storage.memory_clearing_data import MemoryClearing


class Venue:
    """What is to do and what a reader has done, and the time."""

    def __init__(self, is_excused: bool = False) -> None:
        self.newest = self.done = 0
        self.now_s = 0.0
        self.is_away = False
        self.backlog = Backlog(
            "settlement", self.progress, 5_000, 1.0, is_excused=is_excused, now_s=lambda: self.now_s
        )

    def progress(self) -> tuple[int, int]:
        if self.is_away:
            raise DatabaseUnavailable("away")
        return self.newest, self.done

    def goes_on(self, newest: int, done: int) -> bool:
        """A second passes; whether the backlog is long then."""
        self.now_s += 1.0
        self.newest += newest
        self.done += done
        self.backlog.look()
        return self.backlog.is_long()


def test_a_few_thousand_commands_may_always_wait() -> None:
    venue = Venue()
    assert [venue.goes_on(2_500, 0) for _ in range(3)] == [False, False, True]


def test_as_many_may_wait_as_are_settled_in_a_second() -> None:
    venue = Venue()
    assert not any(venue.goes_on(12_000, 12_000) for _ in range(20))
    assert [venue.goes_on(5_500, 0), venue.goes_on(2_000, 0)] == [False, True]


def test_orders_are_taken_again_once_settlement_has_caught_up() -> None:
    venue = Venue()
    assert venue.goes_on(9_000, 0) and not venue.goes_on(0, 9_000)


def test_a_database_that_is_away_is_no_backlog() -> None:
    venue = Venue()
    venue.goes_on(9_000, 0)
    venue.is_away = True
    assert not venue.goes_on(0, 0)


def test_settlement_that_stands_still_is_never_excused() -> None:
    venue = Venue()
    venue.goes_on(100, 100)
    assert [venue.goes_on(4_000, 0) for _ in range(6)] == [False, *[True] * 5]


def test_nobody_waits_for_a_record_whose_feed_is_away_or_catches_up() -> None:
    venue = Venue(is_excused=True)
    assert not any(venue.goes_on(2_000, 2_000) for _ in range(3))
    assert not any(venue.goes_on(1_000, 0) for _ in range(100))
    # It is back with 100,000 events behind, and works them off faster than new ones come.
    assert not any(venue.goes_on(2_000, 6_000) for _ in range(20))


def test_a_record_that_falls_behind_at_work_is_waited_for_soon_after_an_absence_too() -> None:
    venue = Venue(is_excused=True)
    venue.goes_on(2_000, 2_000)
    assert [venue.goes_on(20_000, 0) for _ in range(4)] == [True, True, True, False]
    assert not venue.goes_on(2_000, 2_000)
    assert [venue.goes_on(4_000, 1_000) for _ in range(3)] == [False, True, True]


def test_a_look_that_failed_excuses_nothing() -> None:
    venue = Venue(is_excused=True)
    venue.goes_on(2_000, 2_000)
    assert venue.goes_on(30_000, 1_000)
    venue.is_away = True
    venue.goes_on(0, 0)
    venue.is_away = False
    assert venue.goes_on(3_000, 3_000)


class _Unlimited:
    def charge(self, client_id: str, commands: int, paid: int = 0) -> None:
        """Anything goes."""


class _NoStatuses:
    def recorded_orders(self, order_ids: Sequence[int]) -> dict[int, RecordedOrder]:
        """Nothing is recorded."""
        return {}

    def named(self, client_id: str, names: Sequence[str]) -> dict[str, int]:
        """Nothing is known."""
        return {}

    def order(self, order_id: int) -> None:
        """Nothing is known."""


def test_behind_the_door_refuses_orders_and_takes_cancels() -> None:
    bus, stopping = MemoryBus(), threading.Event()
    bus.declare(topology.DURABLE_QUEUES)
    clock = _Clock()
    committer = Committer(MemoryOrderLog(MemoryClearing()), bus.publisher(), clock, {}, stopping)
    reporter = RefusalReporter(bus.publisher(), clock, stopping)
    desk = OrderDesk(
        committer, {}, _NoStatuses(), _Unlimited(), reporter, lambda: True, lambda: True
    )  # type: ignore[arg-type]
    pending = desk.begin(
        Caller("ann", "trader"),
        [PlaceOrderRequest("ACME", "BUY", "limit", 1), CancelAction(order_id=1)],
    )
    committer.step(0)
    order, cancel = pending.answers()
    assert (
        _reason(order) == RejectReason.OVERLOADED and _reason(cancel) == RejectReason.UNKNOWN_ORDER
    )


class _Clock:
    def now_us(self) -> int:
        """Always the same moment."""
        return 1


def _reason(answer: Answer) -> RejectReason | None:
    return answer.reason if isinstance(answer, Refusal) else None


def test_once_the_oldest_has_waited_long_only_one_commit_may_wait(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now_s = [0.0]
    monkeypatch.setattr("order_entry_gateway.loops.submissions.time.monotonic", lambda: now_s[0])
    bus = MemoryBus()
    bus.declare(topology.DURABLE_QUEUES)
    committer = Committer(
        MemoryOrderLog(MemoryClearing()), bus.publisher(), _Clock(), {}, threading.Event()
    )
    hundred = [CancelCandidate("ann", 1, None)] * 100
    assert not any(committer.enqueue(hundred).is_decided() for _ in range(50))
    now_s[0] = 0.6
    committer.step(0)
    refused = committer.enqueue(hundred)
    assert refused.is_decided() and _reason(refused.wait()[0]) == RejectReason.OVERLOADED
    while committer.step(0):
        pass
    assert not committer.enqueue(hundred).is_decided()
    committer.step(0)
    assert not any(committer.enqueue(hundred).is_decided() for _ in range(50))
