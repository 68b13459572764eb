"""Broker and database killed, restarted and blocked: on a pair of servers of our own."""

import threading
import time
from collections.abc import Callable, Iterator

import pytest

from service_runtime.bus import Confirmation, Consumer, Delivery
from service_runtime.buses.rabbitmq import RabbitBus
from service_runtime.database import Cursor, Database, DatabaseUnavailable
from tests.integration.service_runtime.sample_process import eventually
from venue_launcher.infrastructure.private import PrivatePair, throw_away
from venue_protocol.topology import DEAD_LETTERS, DURABLE_QUEUES, ORDER_ENTRY

BLOCKED, NORMAL = "0.00000001", "0.4"


@pytest.fixture(scope="module")
def pair() -> Iterator[PrivatePair]:
    """A Postgres and a RabbitMQ of this module alone."""
    with throw_away(lambda _said: None) as started:
        yield started


@pytest.fixture
def bus(pair: PrivatePair) -> Iterator[RabbitBus]:
    """The bus on empty queues of the private broker."""
    made = RabbitBus(pair.broker.url, "outages")
    made.declare(DURABLE_QUEUES)
    for queue in (ORDER_ENTRY, DEAD_LETTERS):
        consumer = made.consumer(queue, prefetch=10_000)
        while deliveries := consumer.receive(0.2, 10_000):
            consumer.ack(deliveries[-1])
        consumer.close()
    yield made
    made.close()


@pytest.fixture
def blocked(pair: PrivatePair) -> Iterator[Callable[[], None]]:
    """Lets the broker block whoever publishes; calling it ends that."""

    def unblock() -> None:
        pair.broker.control("set_vm_memory_high_watermark", NORMAL)

    pair.broker.control("set_vm_memory_high_watermark", BLOCKED)
    yield unblock
    unblock()


def numbers(consumer: Consumer, count: int) -> list[int]:
    """Different numbers received until there are `count`, in the order of their first coming."""
    found: dict[int, None] = {}
    for _ in range(400):
        deliveries: list[Delivery] = consumer.receive(0.1, 1_000)
        found |= dict.fromkeys(int(delivery.body) for delivery in deliveries)
        if deliveries:
            consumer.ack(deliveries[-1])
        if len(found) >= count:
            break
    return list(found)


def test_a_blocked_publisher_is_not_ready_and_delivers_in_order_when_unblocked(
    bus: RabbitBus, blocked: Callable[[], None]
) -> None:
    publisher = bus.publisher()
    assert eventually(publisher.is_ready)
    confirmations = [publisher.publish(ORDER_ENTRY, b"0")]
    assert eventually(lambda: not publisher.is_ready())
    confirmations += [publisher.publish(ORDER_ENTRY, b"%d" % number) for number in range(1, 200)]
    assert not confirmations[-1].wait(0.3) and not publisher.flush(0.1)
    blocked()
    assert all(confirmation.wait(20) for confirmation in confirmations)
    assert publisher.is_ready()
    assert numbers(bus.consumer(ORDER_ENTRY), 200) == list(range(200))


def test_a_blocked_publisher_can_be_closed(bus: RabbitBus, blocked: Callable[[], None]) -> None:
    publisher = bus.publisher()
    assert eventually(publisher.is_ready)
    publisher.publish(ORDER_ENTRY, b"0")
    assert eventually(lambda: not publisher.is_ready())
    started_s = time.monotonic()
    publisher.close()
    assert time.monotonic() - started_s < 8


def test_readers_go_on_while_publishers_are_blocked(bus: RabbitBus, pair: PrivatePair) -> None:
    publisher = bus.publisher()
    assert all(publisher.publish(ORDER_ENTRY, b"%d" % number).wait(20) for number in range(5))
    pair.broker.control("set_vm_memory_high_watermark", BLOCKED)
    try:
        assert numbers(bus.consumer(ORDER_ENTRY), 5) == [0, 1, 2, 3, 4]
    finally:
        pair.broker.control("set_vm_memory_high_watermark", NORMAL)


def test_a_dead_letter_waits_until_the_broker_takes_it(bus: RabbitBus, pair: PrivatePair) -> None:
    assert bus.publisher().publish(ORDER_ENTRY, b"7").wait(20)
    consumer = bus.consumer(ORDER_ENTRY)
    (poison,) = consumer.receive(20, 1)
    pair.broker.control("set_vm_memory_high_watermark", BLOCKED)
    written = threading.Event()

    def write() -> None:
        consumer.dead_letter(poison, "no")
        written.set()

    writing = threading.Thread(target=write, daemon=True)
    writing.start()
    assert not written.wait(0.5)
    pair.broker.control("set_vm_memory_high_watermark", NORMAL)
    assert written.wait(20)
    assert numbers(bus.consumer(DEAD_LETTERS), 1) == [7]


def test_a_killed_broker_keeps_what_it_confirmed_and_gets_the_rest_when_it_is_back(
    bus: RabbitBus, pair: PrivatePair
) -> None:
    publisher, consumer = bus.publisher(), bus.consumer(ORDER_ENTRY, prefetch=1_000)
    assert consumer.receive(0.1, 1) == []
    confirmations: list[Confirmation] = [
        publisher.publish(ORDER_ENTRY, b"%d" % number) for number in range(200)
    ]
    assert confirmations[99].wait(20)
    pair.broker.kill()
    confirmations += [publisher.publish(ORDER_ENTRY, b"%d" % number) for number in range(200, 400)]
    assert eventually(lambda: not publisher.is_ready())
    assert consumer.receive(0.2, 1) == [] and not consumer.is_ready()
    pair.broker.start()
    assert all(confirmation.wait(60) for confirmation in confirmations)
    assert sorted(numbers(consumer, 400)) == list(range(400))


def test_a_killed_database_keeps_what_was_committed_and_work_goes_on_after_its_restart(
    pair: PrivatePair,
) -> None:
    database = Database(pair.postgres.url, "outages", pool_size=2)

    def put(number: int) -> Callable[[Cursor], None]:
        return lambda cursor: cursor.execute(
            "INSERT INTO killed VALUES (%s) ON CONFLICT DO NOTHING", (number,)
        )

    with database.transaction() as cursor:
        cursor.execute("CREATE TABLE killed (number int PRIMARY KEY)")
    database.run(put(0))
    pair.postgres.kill()
    with pytest.raises(DatabaseUnavailable):
        database.run(put(1), _stopped())
    assert not database.is_ready()
    waiting = threading.Thread(target=lambda: [database.run(put(number)) for number in range(1, 4)])
    waiting.start()
    pair.postgres.start()
    waiting.join(60)
    with database.transaction() as cursor:
        cursor.execute("SELECT number FROM killed ORDER BY 1")
        assert [number for (number,) in cursor.fetchall()] == [0, 1, 2, 3]
    database.close()


def _stopped() -> threading.Event:
    event = threading.Event()
    event.set()
    return event
