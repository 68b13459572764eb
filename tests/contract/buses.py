"""What the contract suite needs of a bus under test: the bus itself, and faults."""

from collections.abc import Callable
from typing import Protocol
from urllib.parse import urlsplit, urlunsplit

import pika

from service_runtime.bus import Bus, Consumer, Delivery
from service_runtime.buses.memory import MemoryBus
from service_runtime.buses.rabbitmq import RabbitBus
from tests.contract.tcp_proxy import TcpProxy


class Bench(Protocol):
    """A bus under test."""

    @property
    def bus(self) -> Bus:
        """The bus."""
        ...

    def another_bus(self) -> Bus:
        """A second bus on the same broker, as another process has it."""
        ...

    def lose_connections(self) -> None:
        """Every connection breaks now; the broker lives on."""
        ...

    def close(self) -> None:
        """End all."""
        ...


class MemoryBench:
    """The in-memory bus: every bus of one test is the same object."""

    def __init__(self) -> None:
        self.bus = MemoryBus()

    def another_bus(self) -> MemoryBus:
        """The same bus."""
        return self.bus

    def lose_connections(self) -> None:
        """Its own fault."""
        self.bus.lose_connections()

    def close(self) -> None:
        """Close it."""
        self.bus.close()


class RabbitBench:
    """RabbitMQ behind a proxy that can break the connections."""

    def __init__(self, broker_url: str) -> None:
        parts = urlsplit(broker_url)
        self.proxy = TcpProxy((parts.hostname or "127.0.0.1", parts.port or 5672))
        credentials = parts.netloc.rpartition("@")[0]
        self.url = urlunsplit(parts._replace(netloc=f"{credentials}@127.0.0.1:{self.proxy.port}"))
        self.direct_url = broker_url
        self._buses: list[RabbitBus] = []
        self.bus = self.another_bus()

    def another_bus(self) -> RabbitBus:
        """A bus with connections of its own."""
        self._buses.append(RabbitBus(self.url, "contract"))
        return self._buses[-1]

    def lose_connections(self) -> None:
        """Cut them in the proxy."""
        self.proxy.cut()

    def on_channel(
        self, action: Callable[[pika.adapters.blocking_connection.BlockingChannel], object]
    ) -> None:
        """Do something at the broker directly, as an operator would."""
        connection = pika.BlockingConnection(pika.URLParameters(self.direct_url))
        action(connection.channel())
        connection.close()

    def close(self) -> None:
        """Close all buses, then the proxy."""
        self.proxy.come_back()
        for bus in self._buses:
            bus.close()
        self.proxy.close()


def take(
    consumer: Consumer, count: int, within_s: float = 10.0, at_once: int = 1_000
) -> list[Delivery]:
    """The next `count` deliveries; fewer if they do not come in time."""
    taken: list[Delivery] = []
    rounds = int(within_s / 0.1)
    for _ in range(rounds + count):
        if len(taken) >= count:
            break
        taken += consumer.receive(0.1, min(at_once, count - len(taken)))
    return taken


def bodies(deliveries: list[Delivery]) -> list[int]:
    """The numbers that the messages carry."""
    return [int(delivery.body) for delivery in deliveries]


def take_different(consumer: Consumer, count: int, within_s: float = 10.0) -> list[int]:
    """The next `count` different numbers, each where it came first; fewer if they do not come.

    A message that was published again, because its confirmation was lost, comes twice.
    """
    numbers: dict[int, None] = {}
    for _ in range(int(within_s / 0.1) + count):
        if len(numbers) >= count:
            break
        deliveries = consumer.receive(0.1, 1_000)
        numbers.update(dict.fromkeys(bodies(deliveries)))
        if deliveries:
            consumer.ack(deliveries[-1])
    return list(numbers)
