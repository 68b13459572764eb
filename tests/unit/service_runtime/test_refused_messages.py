"""A publisher whose messages the broker refuses: it is not ready, waits, and goes on by itself."""

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from service_runtime import metrics
from service_runtime.buses import rabbitmq_publisher
from service_runtime.buses.rabbitmq_publisher import RabbitPublisher
from tests.unit.service_runtime.fake_rabbitmq import FakeBroker


def refusals(cause: str) -> float:
    """What the metric counts."""
    return float(metrics.publisher_refusals.labels(cause)._value.get())


def waiting() -> float:
    """How many publishers wait, by the metric."""
    return float(metrics.publishers_waiting._value.get())


class _NoPause:
    """A backoff that does not wait, but tells that it was asked."""

    def __init__(self) -> None:
        self.pauses = 0

    def next_s(self) -> float:
        """No pause."""
        self.pauses += 1
        return 0.0

    def reset(self) -> None:
        """Nothing to reset."""


@pytest.fixture
def broker() -> FakeBroker:
    return FakeBroker()


@pytest.fixture
def publisher(broker: FakeBroker, monkeypatch: pytest.MonkeyPatch) -> Iterator[RabbitPublisher]:
    monkeypatch.setattr(rabbitmq_publisher, "Backoff", _NoPause)
    parameters: Any = None
    publisher = RabbitPublisher(parameters, broker.connect)
    yield publisher
    broker.most_bytes, broker.nacks = 1_000_000, False
    publisher.close()


def test_a_message_too_large_for_the_broker_is_seen_and_sent_once_it_is_taken(
    broker: FakeBroker, publisher: RabbitPublisher
) -> None:
    before, waited = refusals("channel_closed"), waiting()
    broker.most_bytes = 10
    sent = [publisher.publish("order_entry", body) for body in (b"small", b"x" * 11, b"next")]
    assert broker.wait_for(lambda: refusals("channel_closed") >= before + 5)
    assert not publisher.is_ready()
    assert waiting() == waited + 1
    assert sent[0].done() and not sent[1].done()
    broker.most_bytes = 100
    assert publisher.flush(10)
    assert broker.taken[-2:] == [b"x" * 11, b"next"]
    assert publisher.is_ready()
    assert waiting() == waited


def test_what_follows_a_refused_message_is_not_sent_with_each_attempt(
    broker: FakeBroker, publisher: RabbitPublisher
) -> None:
    before = refusals("channel_closed")
    broker.most_bytes = 10
    for body in [b"x" * 11, *[b"next"] * 50]:
        publisher.publish("order_entry", body)
    assert broker.wait_for(lambda: refusals("channel_closed") >= before + 5)
    assert broker.sent_at_once[-3] == 1
    assert broker.taken == []


def test_a_broker_that_answers_no_is_asked_again_until_it_answers_yes(
    broker: FakeBroker, publisher: RabbitPublisher
) -> None:
    before = refusals("nack")
    broker.nacks = True
    for body in (b"one", b"two", b"three"):
        publisher.publish("order_entry", body)
    assert broker.wait_for(lambda: refusals("nack") >= before + 5)
    assert not publisher.is_ready()
    broker.nacks = False
    assert publisher.flush(10)
    assert sorted(broker.taken) == [b"one", b"three", b"two"]
    assert publisher.is_ready()


def test_a_broker_with_an_alarm_is_seen_and_nothing_is_sent_until_it_is_over(
    broker: FakeBroker, publisher: RabbitPublisher
) -> None:
    assert broker.wait_for(publisher.is_ready, 0.1) or publisher.flush(1)
    publisher.publish("order_entry", b"before").wait(10)
    before, waited = refusals("blocked"), waiting()
    connection = broker.connections[-1]
    told = threading.Event()
    connection.block("low on disk")
    connection.ioloop.add_callback_threadsafe(told.set)
    assert told.wait(10)
    assert refusals("blocked") == before + 1
    assert waiting() == waited + 1
    assert not publisher.is_ready()
    held = publisher.publish("order_entry", b"held")
    assert not held.wait(0.05)
    connection.unblock()
    assert held.wait(10)
    assert publisher.is_ready()
    assert waiting() == waited


def test_the_bytes_of_unconfirmed_messages_are_bounded(
    broker: FakeBroker, publisher: RabbitPublisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rabbitmq_publisher, "_MAX_UNCONFIRMED_BYTES", 100)
    broker.nacks = True
    publisher.publish("order_entry", b"x" * 200)
    waits = threading.Thread(target=publisher.publish, args=("order_entry", b"y"), daemon=True)
    waits.start()
    waits.join(0.2)
    assert waits.is_alive()
    broker.nacks = False
    waits.join(10)
    assert not waits.is_alive()
    assert publisher.flush(10)
