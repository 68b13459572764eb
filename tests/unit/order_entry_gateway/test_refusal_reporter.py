"""The reports of refused orders."""

import threading

from order_entry_gateway import metrics
from order_entry_gateway.loops.refusal_reporter import RefusalReporter
from service_runtime.buses.memory import MemoryBus
from service_runtime.clock import ManualClock, SystemClock
from venue_protocol import codec
from venue_protocol.message_bounds import BOUNDS
from venue_protocol.refusals import Refusal, RejectReason
from venue_protocol.streams import OrderReports
from venue_protocol.topology import DATA_FEED


def test_a_message_of_refusals_is_small_whatever_the_client_wrote() -> None:
    bus = MemoryBus()
    bus.declare([DATA_FEED])
    reporter = RefusalReporter(bus.publisher(), SystemClock(), threading.Event())
    text = "\x01" * 10_000
    refusal = Refusal(RejectReason.MALFORMED, text)
    for _ in range(600):
        reporter.refused("ann", refusal, text, text, text, 1)
    reporter.publish()
    bodies = [delivery.body for delivery in bus.consumer(DATA_FEED, 1_000).receive(0, 1_000)]
    messages = [codec.decode(body) for body in bodies]
    assert [len(m.reports) for m in messages if isinstance(m, OrderReports)] == [200, 200, 200]
    assert max(map(len, bodies)) <= BOUNDS.most_bytes


def test_of_too_many_refusals_that_wait_the_newest_are_reported() -> None:
    bus = MemoryBus()
    bus.declare([DATA_FEED])
    clock = ManualClock()
    reporter = RefusalReporter(bus.publisher(), clock, threading.Event())
    refusal = Refusal(RejectReason.INSUFFICIENT_FUNDS, "no cash")
    before = metrics.refusals_left_out._value.get()
    for number in range(10_000):
        reporter.refused("ann", refusal, str(number), "AAPL", "BUY", 1)
    assert not reporter.has_left_out(), "as many as may wait"
    for number in range(10_000, 10_005):
        reporter.refused("ann", refusal, str(number), "AAPL", "BUY", 1)
    assert metrics.refusals_left_out._value.get() - before == 5
    assert reporter.has_left_out(), "said while they wait"
    reporter.publish()
    assert reporter.has_left_out(), "and for a while, so that somebody sees it"
    clock.advance(301_000_000)
    assert not reporter.has_left_out()
    bodies = [delivery.body for delivery in bus.consumer(DATA_FEED, 1_000).receive(0, 1_000)]
    messages = [codec.decode(body) for body in bodies]
    reported = [
        r.client_order_id for m in messages if isinstance(m, OrderReports) for r in m.reports
    ]
    assert reported == [str(number) for number in range(5, 10_005)]
