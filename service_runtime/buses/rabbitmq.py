"""The bus on RabbitMQ: one connection for each publisher and each consumer."""

from collections.abc import Sequence
from typing import TypeVar

import pika

from service_runtime.buses.rabbitmq_consumer import RabbitConsumer
from service_runtime.buses.rabbitmq_publisher import RabbitPublisher
from service_runtime.buses.rabbitmq_topology import (
    connection_parameters,
    declare_queue,
    declare_topology,
)

_Part = TypeVar("_Part", RabbitPublisher, RabbitConsumer)


class RabbitBus:
    """A Bus on the broker at `url` (amqp://user:password@host:port/vhost)."""

    def __init__(self, url: str, name: str = "venue") -> None:
        self._parameters = connection_parameters(url, name)
        self._opened: list[RabbitPublisher | RabbitConsumer] = []

    def declare(self, queues: Sequence[str]) -> None:
        """Make sure that exchange, queues and dead letters exist.

        Raises pika's errors when there is no broker.
        """
        connection = pika.BlockingConnection(self._parameters)
        try:
            channel = connection.channel()
            declare_topology(channel)
            for queue in queues:
                declare_queue(channel, queue)
        finally:
            connection.close()

    def publisher(self) -> RabbitPublisher:
        """A new publisher; connects in the background."""
        return self._keep(RabbitPublisher(self._parameters))

    def consumer(self, queue: str, prefetch: int = 100) -> RabbitConsumer:
        """A new consumer of a durable queue; connects at the first receive."""
        return self._keep(
            RabbitConsumer(self._parameters, queue=queue, routing_key=None, prefetch=prefetch)
        )

    def subscription(self, routing_key: str, prefetch: int = 100) -> RabbitConsumer:
        """A consumer of a private queue bound to `routing_key`; bound on return when a broker is
        there.
        """
        consumer = RabbitConsumer(
            self._parameters, queue=None, routing_key=routing_key, prefetch=prefetch
        )
        consumer.connect()
        return self._keep(consumer)

    def close(self) -> None:
        """Close all publishers and consumers of this bus."""
        for part in self._opened:
            part.close()
        self._opened.clear()

    def _keep(self, part: _Part) -> _Part:
        self._opened.append(part)
        return part
