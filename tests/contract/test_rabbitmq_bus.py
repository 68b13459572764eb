"""What the RabbitMQ body promises beyond the contract: it survives an absent, forgetful or
restarted broker.
"""

import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from service_runtime.bus import BusError, Publisher
from service_runtime.buses.rabbitmq import RabbitBus
from service_runtime.buses.rabbitmq_topology import DEAD_LETTER_EXCHANGE
from tests.contract.buses import RabbitBench, bodies, take, take_different
from venue_protocol.topology import DATA_FEED, DEAD_LETTERS, DURABLE_QUEUES, EXCHANGE, ORDER_ENTRY


@pytest.fixture
def rabbit(rabbit_bus: RabbitBus, broker_url: str) -> Iterator[RabbitBench]:
    """RabbitMQ behind a proxy."""
    bench = RabbitBench(broker_url)
    yield bench
    bench.close()


def eventually(claim: Callable[[], bool], within_s: float = 10.0) -> bool:
    """Whether `claim` becomes true within the time."""
    deadline_s = time.monotonic() + within_s
    while not claim():
        if time.monotonic() > deadline_s:
            return False
        time.sleep(0.01)
    return True


def open_files() -> int:
    """File descriptors of this process."""
    return len(list(Path(f"/proc/{os.getpid()}/fd").iterdir()))


def ready_publisher(rabbit: RabbitBench) -> Publisher:
    """A publisher that is connected."""
    publisher = rabbit.bus.publisher()
    assert eventually(publisher.is_ready)
    return publisher


def test_messages_published_while_the_broker_is_away_arrive_in_order_when_it_is_back(
    rabbit: RabbitBench,
) -> None:
    publisher = ready_publisher(rabbit)
    for number in range(300):
        if number == 100:
            rabbit.proxy.go_away()
        publisher.publish(ORDER_ENTRY, b"%d" % number)
    assert eventually(lambda: not publisher.is_ready())
    assert not publisher.flush(0.2)
    rabbit.proxy.come_back()
    assert publisher.flush(20)
    consumer = rabbit.bus.consumer(ORDER_ENTRY, prefetch=1_000)
    assert take_different(consumer, 300) == list(range(300))


def test_a_publisher_made_while_the_broker_is_away_connects_later(rabbit: RabbitBench) -> None:
    rabbit.proxy.go_away()
    publisher = rabbit.bus.publisher()
    confirmation = publisher.publish(ORDER_ENTRY, b"1")
    assert not confirmation.wait(0.3) and not publisher.is_ready()
    rabbit.proxy.come_back()
    assert confirmation.wait(20) and publisher.is_ready()


def test_a_consumer_waits_its_time_while_the_broker_is_away_and_does_not_spin(
    rabbit: RabbitBench,
) -> None:
    rabbit.proxy.go_away()
    consumer = rabbit.bus.consumer(ORDER_ENTRY)
    tried, started_s = rabbit.proxy.accepted, time.monotonic()
    assert consumer.receive(1.0, 1) == []
    assert 0.9 <= time.monotonic() - started_s < 5
    assert not consumer.is_ready()
    assert rabbit.proxy.accepted - tried < 20
    rabbit.proxy.come_back()
    publisher = rabbit.bus.publisher()
    assert publisher.publish(ORDER_ENTRY, b"1").wait(20)
    assert bodies(take(consumer, 1)) == [1]


def test_a_subscription_can_be_made_while_the_broker_is_away(rabbit: RabbitBench) -> None:
    rabbit.proxy.go_away()
    subscription = rabbit.bus.subscription(DATA_FEED)
    assert subscription.receive(0.1, 1) == []
    rabbit.proxy.come_back()
    assert eventually(lambda: subscription.receive(0.1, 1) == [] and subscription.is_ready())
    assert rabbit.bus.publisher().publish(DATA_FEED, b"7").wait(10)
    assert bodies(take(subscription, 1)) == [7]


@pytest.mark.parametrize("attempt", range(3))
def test_a_publisher_closed_at_once_leaves_no_thread_behind(
    rabbit: RabbitBench, attempt: int
) -> None:
    before = threading.active_count()
    started_s = time.monotonic()
    rabbit.bus.publisher().close()
    assert time.monotonic() - started_s < 4
    assert eventually(lambda: threading.active_count() <= before)


def test_a_publisher_can_be_closed_while_the_broker_is_away(rabbit: RabbitBench) -> None:
    publisher = ready_publisher(rabbit)
    rabbit.proxy.go_away()
    publisher.publish(ORDER_ENTRY, b"1")
    started_s = time.monotonic()
    publisher.close()
    assert time.monotonic() - started_s < 4


def test_who_waits_for_a_confirmation_learns_that_the_publisher_was_closed(
    rabbit: RabbitBench,
) -> None:
    publisher = ready_publisher(rabbit)
    rabbit.proxy.go_away()
    confirmation = publisher.publish(ORDER_ENTRY, b"1")
    answers: list[str] = []

    def wait() -> None:
        try:
            confirmation.wait()
        except BusError as error:
            answers.append(str(error))

    waiting = threading.Thread(target=wait, daemon=True)
    waiting.start()
    publisher.close()
    waiting.join(5)
    assert answers == ["the publisher was closed before the broker confirmed"]


def test_who_waits_for_room_learns_that_the_publisher_was_closed(rabbit: RabbitBench) -> None:
    rabbit.proxy.go_away()
    publisher = rabbit.bus.publisher()
    refused = threading.Event()

    def fill() -> None:
        try:
            for _ in range(10_000):
                publisher.publish(ORDER_ENTRY, b"1")
        except BusError:
            refused.set()

    filling = threading.Thread(target=fill, daemon=True)
    filling.start()
    filling.join(0.3)
    assert filling.is_alive(), "the number of unconfirmed messages is bounded"
    publisher.close()
    assert refused.wait(5)


def test_failed_connections_leak_no_file_descriptors(rabbit: RabbitBench) -> None:
    publisher = ready_publisher(rabbit)
    consumer = rabbit.bus.consumer(ORDER_ENTRY)
    consumer.receive(0.1, 1)
    before = open_files()
    for _ in range(15):
        rabbit.proxy.cut()
        assert eventually(lambda: not publisher.is_ready() or publisher.flush(0))
        assert publisher.publish(ORDER_ENTRY, b"1").wait(20)
        taken = take(consumer, 1)
        consumer.ack(taken[-1])
    # Both ends of a connection and of the proxy's belong to this process; a few may be closing.
    assert eventually(lambda: open_files() <= before + 6), (before, open_files())


def test_a_deleted_queue_is_declared_and_consumed_again(rabbit: RabbitBench) -> None:
    consumer = rabbit.bus.consumer(ORDER_ENTRY)
    publisher = ready_publisher(rabbit)
    assert publisher.publish(ORDER_ENTRY, b"1").wait(10)
    consumer.ack(take(consumer, 1)[0])
    rabbit.on_channel(lambda channel: channel.queue_delete(ORDER_ENTRY))
    assert eventually(lambda: consumer.receive(0.1, 1) == [] and _is_routable(publisher))
    assert 2 in bodies(take(consumer, 1))


def _is_routable(publisher: Publisher) -> bool:
    try:
        return publisher.publish(ORDER_ENTRY, b"2").wait(5)
    except BusError:
        return False


def test_a_consumer_in_the_middle_of_a_batch_survives_the_deletion_of_its_queue(
    rabbit: RabbitBench,
) -> None:
    consumer = rabbit.bus.consumer(ORDER_ENTRY)
    publisher = ready_publisher(rabbit)
    confirmations = [publisher.publish(ORDER_ENTRY, b"1") for _ in range(5)]
    assert all(confirmation.wait(10) for confirmation in confirmations)
    (delivery,) = take(consumer, 1)
    rabbit.on_channel(lambda channel: channel.queue_delete(ORDER_ENTRY))
    assert eventually(lambda: consumer.receive(0.1, 1) == [] and consumer.is_ready())
    consumer.ack(delivery)
    consumer.dead_letter(delivery, "late")
    assert bodies(take(rabbit.bus.consumer(DEAD_LETTERS), 1)) == [1]


def test_dead_letters_are_durable_even_if_their_queue_was_deleted(rabbit: RabbitBench) -> None:
    consumer = rabbit.bus.consumer(ORDER_ENTRY)
    assert ready_publisher(rabbit).publish(ORDER_ENTRY, b"1").wait(10)
    (poison,) = take(consumer, 1)
    rabbit.on_channel(lambda channel: channel.queue_delete(DEAD_LETTERS))
    consumer.dead_letter(poison, "no")
    assert bodies(take(rabbit.bus.consumer(DEAD_LETTERS), 1)) == [1]


def test_a_virtual_host_that_lost_everything_is_declared_again_before_the_first_message(
    rabbit: RabbitBench,
) -> None:
    publisher = ready_publisher(rabbit)
    rabbit.proxy.go_away()

    def forget(channel: object) -> None:
        for queue in DURABLE_QUEUES:
            channel.queue_delete(queue)  # type: ignore[attr-defined]
        for exchange in (EXCHANGE, DEAD_LETTER_EXCHANGE):
            channel.exchange_delete(exchange)  # type: ignore[attr-defined]

    rabbit.on_channel(forget)
    confirmation = publisher.publish(ORDER_ENTRY, b"1")
    rabbit.proxy.come_back()
    assert confirmation.wait(20)
    assert bodies(take(rabbit.bus.consumer(ORDER_ENTRY), 1)) == [1]


def test_an_exchange_deleted_under_a_publisher_is_declared_again(rabbit: RabbitBench) -> None:
    publisher = ready_publisher(rabbit)
    rabbit.on_channel(lambda channel: channel.exchange_delete(EXCHANGE))
    confirmations = [publisher.publish(ORDER_ENTRY, b"%d" % number) for number in range(50)]
    assert all(confirmation.wait(20) for confirmation in confirmations)
    assert take_different(rabbit.bus.consumer(ORDER_ENTRY), 50) == list(range(50))


def test_a_message_the_broker_rejects_goes_to_the_dead_letters_by_itself(
    rabbit: RabbitBench,
) -> None:
    """The queue's dead-letter exchange, for whatever an operator or a policy throws out."""
    assert ready_publisher(rabbit).publish(ORDER_ENTRY, b"1").wait(10)

    def reject(channel: object) -> None:
        method, _, _ = channel.basic_get(ORDER_ENTRY)  # type: ignore[attr-defined]
        channel.basic_reject(method.delivery_tag, requeue=False)  # type: ignore[attr-defined]

    rabbit.on_channel(reject)
    assert bodies(take(rabbit.bus.consumer(DEAD_LETTERS), 1)) == [1]


def test_a_publisher_whose_channel_breaks_while_threads_publish_loses_nothing(
    rabbit: RabbitBench,
) -> None:
    publisher = ready_publisher(rabbit)
    consumer = rabbit.bus.consumer(ORDER_ENTRY, prefetch=5_000)

    def trouble() -> None:
        for _ in range(8):
            time.sleep(0.1)
            rabbit.proxy.cut()

    troublemaker = threading.Thread(target=trouble)
    troublemaker.start()
    for number in range(3_000):
        publisher.publish(ORDER_ENTRY, b"%d" % number)
    troublemaker.join()
    assert publisher.flush(30)
    assert take_different(consumer, 3_000) == list(range(3_000))
