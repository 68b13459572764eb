"""Overhears what goes over the bus and says it again: duplicates, late and out of order, as a
broker may bring them.
"""

import logging
import threading
from collections import deque
from random import Random

from pika.exceptions import AMQPError

from service_runtime.buses.rabbitmq import RabbitBus
from venue_protocol.topology import DATA_FEED, ORDER_ENTRY, ORDER_EXECUTION

log = logging.getLogger(__name__)

_REMEMBERED = 400
_MOST_REPEATED = 60
_IDLE_S = 0.2


class MessageRepeater:
    """Listens on private queues beside the services' own, in threads of its own."""

    def __init__(self, broker_url: str) -> None:
        self._bus = RabbitBus(broker_url, "repeater")
        self._publisher = self._bus.publisher()
        self._overheard: dict[str, deque[bytes]] = {
            key: deque(maxlen=_REMEMBERED) for key in (ORDER_ENTRY, ORDER_EXECUTION, DATA_FEED)
        }
        self._stopping = threading.Event()
        self._threads = [
            threading.Thread(target=self._listen, args=(key,), name=f"repeater {key}", daemon=True)
            for key in self._overheard
        ]
        self.repeated = 0
        """Messages published again so far."""

    def start(self) -> None:
        """Begin to listen."""
        for thread in self._threads:
            thread.start()

    def repeat(self, dice: Random) -> None:
        """Publish some overheard messages again, each one or more times."""
        for key, bodies in self._overheard.items():
            known = list(bodies)
            for body in dice.choices(known, k=min(len(known), dice.randint(1, _MOST_REPEATED))):
                self._publisher.publish(key, body)
                self.repeated += 1

    def stop(self) -> None:
        """Stop listening and close the connections."""
        self._stopping.set()
        for thread in self._threads:
            thread.join(timeout=10)
        self._bus.close()

    def _listen(self, key: str) -> None:
        while not self._stopping.is_set():
            try:
                consumer = self._bus.subscription(key)
            except (AMQPError, OSError):
                self._stopping.wait(_IDLE_S)
                continue
            while not self._stopping.is_set():
                for delivery in consumer.receive(_IDLE_S, 100):
                    self._overheard[key].append(delivery.body)
                    consumer.ack(delivery)
