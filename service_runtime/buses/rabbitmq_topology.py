"""Connection parameters and the declaration of exchange and queues."""

from typing import Any

import pika

from venue_protocol.topology import DEAD_LETTERS, EXCHANGE

HEARTBEAT_S = 30
DEAD_LETTER_EXCHANGE = f"{EXCHANGE}.dead_letters"
_SUBSCRIPTION_MAX_MESSAGES = 100_000


def connection_parameters(url: str, name: str) -> pika.URLParameters:
    """Parameters for `url` with heartbeat, time-outs and a name that operators see in the broker's
    tools.
    """
    parameters = pika.URLParameters(url)
    parameters.heartbeat = HEARTBEAT_S
    parameters.blocked_connection_timeout = None
    parameters.socket_timeout = 5
    parameters.stack_timeout = 10
    parameters.connection_attempts = 1
    parameters.client_properties = {"connection_name": name}
    return parameters


def declare_topology(channel: Any) -> None:
    """The durable direct exchange and the dead letters.

    The same call on a blocking channel each time: idempotent.
    """
    channel.exchange_declare(EXCHANGE, exchange_type="direct", durable=True)
    channel.exchange_declare(DEAD_LETTER_EXCHANGE, exchange_type="fanout", durable=True)
    channel.queue_declare(DEAD_LETTERS, durable=True)
    channel.queue_bind(DEAD_LETTERS, DEAD_LETTER_EXCHANGE)


def declare_queue(channel: Any, queue: str) -> None:
    """A durable queue bound by its own name; what is rejected goes to the dead letters."""
    if queue == DEAD_LETTERS:
        return
    channel.queue_declare(
        queue, durable=True, arguments={"x-dead-letter-exchange": DEAD_LETTER_EXCHANGE}
    )
    channel.queue_bind(queue, EXCHANGE, routing_key=queue)


def declare_subscription(channel: Any, routing_key: str) -> str:
    """Name of a new exclusive queue bound to `routing_key`, and to its own name so that it can be
    answered alone.

    Its reader notices what a full queue drops by the gap.
    """
    declared = channel.queue_declare(
        "", exclusive=True, arguments={"x-max-length": _SUBSCRIPTION_MAX_MESSAGES}
    )
    queue: str = declared.method.queue
    for key in (routing_key, queue):
        channel.queue_bind(queue, EXCHANGE, routing_key=key)
    return queue
