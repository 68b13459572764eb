"""The contract of the bus (service_runtime/bus.py), the same for RabbitMQ and for the in-memory
body.
"""

import threading
import time
from collections.abc import Iterator

import pytest

from service_runtime.bus import BusError, Consumer
from service_runtime.buses.rabbitmq import RabbitBus
from tests.contract.buses import Bench, MemoryBench, RabbitBench, bodies, take
from venue_protocol.topology import (
    DATA_FEED,
    DEAD_LETTERS,
    DURABLE_QUEUES,
    ORDER_ENTRY,
    ORDER_EXECUTION,
)

NOTHING_S = 0.3
"""How long a test waits to be sure that nothing comes."""


@pytest.fixture(params=["rabbitmq", "memory"])
def bench(request: pytest.FixtureRequest) -> Iterator[Bench]:
    """Each body in turn, with the venue's queues empty."""
    if request.param == "memory":
        made: Bench = MemoryBench()
    else:
        fresh: RabbitBus = request.getfixturevalue("rabbit_bus")
        assert fresh is not None
        made = RabbitBench(request.getfixturevalue("broker_url"))
    made.bus.declare(DURABLE_QUEUES)
    yield made
    made.close()


def publish(bench: Bench, queue: str, numbers: range) -> None:
    """Publish these numbers and wait until they are durable."""
    publisher = bench.bus.publisher()
    confirmations = [publisher.publish(queue, b"%d" % number) for number in numbers]
    assert all(confirmation.wait(10) for confirmation in confirmations)
    publisher.close()


def test_messages_arrive_in_the_order_published(bench: Bench) -> None:
    publish(bench, ORDER_ENTRY, range(500))
    assert bodies(take(bench.bus.consumer(ORDER_ENTRY, prefetch=500), 500, at_once=7)) == list(
        range(500)
    )


def test_all_messages_arrive_when_each_is_acknowledged(bench: Bench) -> None:
    consumer = bench.bus.consumer(ORDER_ENTRY, prefetch=10)
    publish(bench, ORDER_ENTRY, range(500))
    received: list[int] = []
    while len(received) < 500 and (deliveries := consumer.receive(5, 7)):
        received += bodies(deliveries)
        consumer.ack(deliveries[-1])
    assert received == list(range(500))


def test_a_confirmed_message_outlives_publisher_and_connections(bench: Bench) -> None:
    publisher = bench.bus.publisher()
    confirmation = publisher.publish(ORDER_ENTRY, b"1")
    assert confirmation.wait(10) and confirmation.done()
    publisher.close()
    bench.lose_connections()
    assert bodies(take(bench.another_bus().consumer(ORDER_ENTRY), 1)) == [1]


def test_a_message_is_in_every_queue_bound_to_its_key(bench: Bench) -> None:
    subscription = bench.bus.subscription(ORDER_ENTRY)
    publish(bench, ORDER_ENTRY, range(3))
    assert (
        bodies(take(subscription, 3))
        == bodies(take(bench.bus.consumer(ORDER_ENTRY), 3))
        == [0, 1, 2]
    )


def test_a_message_to_all_is_in_the_queue_of_each_key_once_and_in_order(bench: Bench) -> None:
    publisher = bench.bus.publisher()
    keys = (ORDER_EXECUTION, DATA_FEED)
    confirmations = [
        done for number in range(50) for done in publisher.publish_to_all(keys, b"%d" % number)
    ]
    confirmations += publisher.publish_to_all(keys[:1], b"50")
    assert all(confirmation.wait(10) for confirmation in confirmations)
    publisher.close()
    bench.lose_connections()
    assert bodies(take(bench.another_bus().consumer(ORDER_EXECUTION), 51)) == list(range(51))
    (first, *others) = take(bench.another_bus().consumer(DATA_FEED), 50)
    assert bodies([first, *others]) == list(range(50)) and not first.headers
    assert bench.bus.consumer(ORDER_ENTRY).receive(NOTHING_S, 1) == []


def test_headers_and_body_arrive_as_sent(bench: Bench) -> None:
    publisher = bench.bus.publisher()
    body = bytes(range(256)) * 400
    assert publisher.publish(ORDER_ENTRY, body, {"trace": "42"}).wait(10)
    (delivery,) = take(bench.bus.consumer(ORDER_ENTRY), 1)
    assert (delivery.body, delivery.headers["trace"], delivery.redelivered) == (body, "42", False)


def test_what_is_not_acknowledged_comes_again_in_order_after_a_lost_connection(
    bench: Bench,
) -> None:
    publish(bench, ORDER_ENTRY, range(5))
    consumer = bench.bus.consumer(ORDER_ENTRY)
    assert bodies(take(consumer, 5)) == [0, 1, 2, 3, 4]
    bench.lose_connections()
    again = take(consumer, 5)
    assert bodies(again) == [0, 1, 2, 3, 4]
    assert all(delivery.redelivered for delivery in again)


def test_what_is_not_acknowledged_goes_to_another_consumer_when_one_closes(bench: Bench) -> None:
    publish(bench, ORDER_ENTRY, range(2))
    consumer = bench.bus.consumer(ORDER_ENTRY)
    assert bodies(take(consumer, 2)) == [0, 1]
    consumer.close()
    assert bodies(take(bench.another_bus().consumer(ORDER_ENTRY), 2)) == [0, 1]


def test_an_ack_covers_everything_received_before(bench: Bench) -> None:
    publish(bench, ORDER_ENTRY, range(6))
    consumer = bench.bus.consumer(ORDER_ENTRY)
    consumer.ack(take(consumer, 6)[3])
    consumer.close()
    assert bodies(take(bench.another_bus().consumer(ORDER_ENTRY), 2)) == [4, 5]


def test_an_acknowledged_message_does_not_come_again(bench: Bench) -> None:
    publish(bench, ORDER_ENTRY, range(2))
    consumer = bench.bus.consumer(ORDER_ENTRY)
    consumer.ack(take(consumer, 2)[-1])
    consumer.close()
    assert bench.another_bus().consumer(ORDER_ENTRY).receive(NOTHING_S, 10) == []


def test_acknowledging_twice_and_backwards_is_harmless(bench: Bench) -> None:
    publish(bench, ORDER_ENTRY, range(4))
    consumer = bench.bus.consumer(ORDER_ENTRY)
    first, second, *_ = take(consumer, 4)
    consumer.ack(second)
    consumer.ack(second)
    consumer.ack(first)
    publish(bench, ORDER_ENTRY, range(4, 5))
    assert bodies(take(consumer, 1)) == [4], "the channel still works"


def test_a_stale_ack_neither_fails_nor_acknowledges_what_came_later(bench: Bench) -> None:
    publish(bench, ORDER_ENTRY, range(3))
    consumer = bench.bus.consumer(ORDER_ENTRY)
    stale = take(consumer, 3)
    bench.lose_connections()
    consumer.ack(stale[-1])
    assert bodies(take(consumer, 3)) == [0, 1, 2]
    consumer.ack(stale[-1])
    consumer.close()
    assert bodies(take(bench.another_bus().consumer(ORDER_ENTRY), 3)) == [0, 1, 2]


def test_an_ack_after_a_lost_connection_covers_only_that_connection(bench: Bench) -> None:
    publish(bench, ORDER_ENTRY, range(3))
    consumer = bench.bus.consumer(ORDER_ENTRY)
    take(consumer, 3)
    bench.lose_connections()
    consumer.ack(take(consumer, 3)[0])
    consumer.close()
    assert bodies(take(bench.another_bus().consumer(ORDER_ENTRY), 2)) == [1, 2]


def test_a_dead_letter_keeps_its_body_and_says_why_and_whence(bench: Bench) -> None:
    publish(bench, ORDER_EXECUTION, range(1))
    consumer = bench.bus.consumer(ORDER_EXECUTION)
    (poison,) = take(consumer, 1)
    consumer.dead_letter(poison, "schema 9 is not 1")
    consumer.ack(poison)
    (dead,) = take(bench.bus.consumer(DEAD_LETTERS), 1)
    assert dead.body == b"0"
    assert (dead.headers["reason"], dead.headers["queue"]) == ("schema 9 is not 1", ORDER_EXECUTION)


def test_a_dead_letter_from_a_private_queue_names_its_routing_key(bench: Bench) -> None:
    subscription = bench.bus.subscription(DATA_FEED)
    publish(bench, DATA_FEED, range(1))
    subscription.dead_letter(take(subscription, 1)[0], "x" * 5_000)
    (dead,) = take(bench.bus.consumer(DEAD_LETTERS), 1)
    assert dead.headers["queue"] == DATA_FEED
    assert dead.headers["reason"] == "x" * 500, "a reason is cut, not refused"


def test_a_dead_letter_can_be_written_after_the_connection_was_lost(bench: Bench) -> None:
    publish(bench, ORDER_EXECUTION, range(1))
    consumer = bench.bus.consumer(ORDER_EXECUTION)
    (poison,) = take(consumer, 1)
    bench.lose_connections()
    consumer.dead_letter(poison, "no")
    assert bodies(take(bench.bus.consumer(DEAD_LETTERS), 1)) == [0]


def test_the_dead_letters_can_be_published_to(bench: Bench) -> None:
    publish(bench, DEAD_LETTERS, range(2))
    assert bodies(take(bench.bus.consumer(DEAD_LETTERS), 2)) == [0, 1]


def test_a_subscription_sees_what_is_published_after_it_and_nothing_before(bench: Bench) -> None:
    publish(bench, DATA_FEED, range(2))
    subscription = bench.bus.subscription(DATA_FEED)
    publish(bench, DATA_FEED, range(2, 5))
    assert bodies(take(subscription, 3)) == [2, 3, 4]
    assert subscription.receive(NOTHING_S, 10) == []


def test_every_subscription_sees_every_message(bench: Bench) -> None:
    subscriptions = [bench.bus.subscription(DATA_FEED) for _ in range(3)]
    publish(bench, DATA_FEED, range(4))
    assert [bodies(take(subscription, 4)) for subscription in subscriptions] == [[0, 1, 2, 3]] * 3


def test_a_subscription_lives_on_after_a_lost_connection(bench: Bench) -> None:
    subscription = bench.bus.subscription(DATA_FEED)
    bench.lose_connections()
    assert subscription.receive(NOTHING_S, 1) == []
    assert _is_ready_soon(subscription)
    publish(bench, DATA_FEED, range(1))
    assert bodies(take(subscription, 1)) == [0]


def test_the_private_queue_of_a_subscription_can_be_answered_alone(bench: Bench) -> None:
    """A ResendRequest names the queue to answer to."""
    asking, other = bench.bus.subscription(DATA_FEED), bench.bus.subscription(DATA_FEED)
    publish(bench, asking.queue_name, range(1))
    assert bodies(take(asking, 1)) == [0]
    assert other.receive(NOTHING_S, 1) == []


def test_no_more_than_the_prefetch_is_delivered_unacknowledged(bench: Bench) -> None:
    publish(bench, ORDER_ENTRY, range(10))
    consumer = bench.bus.consumer(ORDER_ENTRY, prefetch=3)
    first = take(consumer, 3)
    assert bodies(first) == [0, 1, 2]
    started_s = time.monotonic()
    assert consumer.receive(NOTHING_S, 10) == []
    assert time.monotonic() - started_s >= NOTHING_S * 0.9, "waits, does not spin"
    consumer.ack(first[1])
    assert bodies(take(consumer, 2)) == [3, 4]
    assert consumer.receive(NOTHING_S, 10) == []


def test_no_more_is_received_than_asked_for(bench: Bench) -> None:
    publish(bench, ORDER_ENTRY, range(10))
    consumer = bench.bus.consumer(ORDER_ENTRY)
    assert len(take(consumer, 1)) == 1
    assert all(len(consumer.receive(1, 2)) <= 2 for _ in range(4))


def test_an_empty_queue_gives_nothing_after_the_time_and_a_message_at_once(bench: Bench) -> None:
    consumer = bench.bus.consumer(ORDER_ENTRY)
    assert consumer.receive(0.05, 1) == []
    started_s = time.monotonic()
    assert consumer.receive(NOTHING_S, 1) == []
    assert NOTHING_S * 0.9 <= time.monotonic() - started_s < NOTHING_S + 2
    late = threading.Timer(0.2, publish, (bench, ORDER_ENTRY, range(1)))
    late.start()
    started_s = time.monotonic()
    assert bodies(consumer.receive(20, 1)) == [0]
    assert time.monotonic() - started_s < 10
    late.join()


def test_an_unroutable_message_is_an_error_of_its_confirmation_only(bench: Bench) -> None:
    publisher = bench.bus.publisher()
    before = publisher.publish(ORDER_ENTRY, b"1")
    lost = publisher.publish("nowhere", b"2")
    after = publisher.publish(ORDER_ENTRY, b"3")
    with pytest.raises(BusError, match="nowhere"):
        lost.wait(10)
    with pytest.raises(BusError, match="nowhere"):
        lost.done()
    assert before.wait(10) and after.wait(10) and publisher.flush(10)
    assert bodies(take(bench.bus.consumer(ORDER_ENTRY), 2)) == [1, 3]


def test_a_routing_key_that_amqp_cannot_carry_is_refused_at_once(bench: Bench) -> None:
    publisher = bench.bus.publisher()
    with pytest.raises(BusError):
        publisher.publish("é" * 128, b"1")
    assert publisher.publish(ORDER_ENTRY, b"2").wait(10)


def test_a_closed_publisher_refuses(bench: Bench) -> None:
    publisher = bench.bus.publisher()
    assert publisher.publish(ORDER_ENTRY, b"1").wait(10)
    assert publisher.is_ready()
    publisher.close()
    assert not publisher.is_ready()
    with pytest.raises(BusError):
        publisher.publish(ORDER_ENTRY, b"2")


def test_threads_can_share_a_publisher_and_each_keeps_its_order(bench: Bench) -> None:
    publisher = bench.bus.publisher()

    def send(thread: int) -> None:
        for number in range(200):
            publisher.publish(ORDER_ENTRY, b"%d" % (thread * 1_000 + number))

    threads = [threading.Thread(target=send, args=(thread,)) for thread in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert publisher.flush(20)
    received = bodies(take(bench.bus.consumer(ORDER_ENTRY, prefetch=1_000), 800))
    for number in range(4):
        own = [value for value in received if value // 1_000 == number]
        assert own == list(range(number * 1_000, number * 1_000 + 200))


def test_what_is_published_while_connections_break_arrives_in_order(bench: Bench) -> None:
    consumer = bench.bus.consumer(ORDER_ENTRY)
    publisher = bench.bus.publisher()
    received: list[int] = []
    for number in range(600):
        publisher.publish(ORDER_ENTRY, b"%d" % number)
        if number % 100 == 50:
            bench.lose_connections()
            received += _read(consumer)
    assert publisher.flush(30)
    while len(set(received)) < 600 and (more := _read(consumer)):
        received += more
    assert list(dict.fromkeys(received)) == list(range(600))


def _read(consumer: Consumer) -> list[int]:
    deliveries = take(consumer, 1) + consumer.receive(0, 1_000)
    if deliveries:
        consumer.ack(deliveries[-1])
    return bodies(deliveries)


def _is_ready_soon(consumer: Consumer) -> bool:
    for _ in range(100):
        consumer.receive(0.05, 1)
        if consumer.is_ready():
            return True
    return False
