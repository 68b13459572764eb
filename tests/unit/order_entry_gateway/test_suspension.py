"""A suspended client may end its orders and read, nothing else."""

import threading
from collections.abc import Sequence

from order_entry_gateway.adapters.memory_order_log import MemoryOrderLog
from order_entry_gateway.domain.recorded_order import RecordedOrder
from order_entry_gateway.domain.requests import (
    AmendAction,
    CancelAction,
    CancelAllAction,
    PlaceOrderRequest,
)
from order_entry_gateway.handlers import Answer, OrderDesk
from order_entry_gateway.loops.group_commit import Committer
from order_entry_gateway.loops.refusal_reporter import RefusalReporter
from service_runtime.buses.memory import MemoryBus
from service_runtime.clock import ManualClock
from service_runtime.http.authentication import Caller
from venue_protocol import topology
from venue_protocol.refusals import Refusal, RejectReason
from venue_protocol.securities import Security
from venue_storage.memory_clearing_data import MemoryClearing

SECURITIES = {"ACME": Security("ACME", "Acme", 0, 100, 1, 5_000, 1_000_000)}


class Unlimited:
    def charge(self, client_id: str, commands: int, paid: int = 0) -> None:
        """Anything goes."""


class NothingRecorded:
    def recorded_orders(self, order_ids: Sequence[int]) -> dict[int, RecordedOrder]:
        """No order is on record."""
        return {}

    def named(self, client_id: str, names: Sequence[str]) -> dict[str, int]:
        """No name is known."""
        return {}

    def order(self, order_id: int) -> None:
        """No order is known."""


def answers(caller: Caller) -> list[RejectReason | None]:
    """What a placed order, an amend, a cancel and a cancel of all are refused with."""
    bus, stopping, clock = MemoryBus(), threading.Event(), ManualClock()
    bus.declare(topology.DURABLE_QUEUES)
    log = MemoryOrderLog(MemoryClearing())
    committer = Committer(log, bus.publisher(), clock, SECURITIES, stopping)
    reporter = RefusalReporter(bus.publisher(), clock, stopping)
    desk = OrderDesk(committer, SECURITIES, NothingRecorded(), Unlimited(), reporter, lambda: True)
    actions = [
        PlaceOrderRequest("ACME", "BUY", "limit", 1),
        AmendAction(order_id=1, quantity=5),
        CancelAction(order_id=1),
        CancelAllAction(),
    ]
    pending = desk.begin(caller, actions)
    committer.step(0)
    return [_reason(answer) for answer in pending.answers()]


def _reason(answer: Answer) -> RejectReason | None:
    return answer.reason if isinstance(answer, Refusal) else None


def test_a_suspended_client_may_end_orders_and_not_begin_or_change_any() -> None:
    suspended = RejectReason.CLIENT_SUSPENDED
    assert answers(Caller("ann", "trader", is_suspended=True)) == [
        suspended,
        suspended,
        RejectReason.UNKNOWN_ORDER,
        None,
    ]


def test_any_other_client_is_answered_for_what_it_sent() -> None:
    assert RejectReason.CLIENT_SUSPENDED not in answers(Caller("ann", "trader"))
