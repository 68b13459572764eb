"""The RabbitMQ topology: one durable direct exchange, routing key = queue name."""

from typing import Final

EXCHANGE: Final = "stock_exchange"
ORDER_ENTRY: Final = "order_entry"
ORDER_EXECUTION: Final = "order_execution"
DATA_FEED: Final = "data_feed"
RESEND_REQUESTS: Final = "resend_requests"
DEAD_LETTERS: Final = "dead_letters"

DURABLE_QUEUES: Final = (ORDER_ENTRY, ORDER_EXECUTION, DATA_FEED, RESEND_REQUESTS, DEAD_LETTERS)


def order_entry_queue(shard: int) -> str:
    """Queue (and routing key) of a shard's commands; shard 0 has the plain name."""
    return ORDER_ENTRY if shard == 0 else f"{ORDER_ENTRY}.{shard}"


def resend_queue(shard: int) -> str:
    """Queue on which a shard's engine takes resend requests; shard 0 has the plain name."""
    return RESEND_REQUESTS if shard == 0 else f"{RESEND_REQUESTS}.{shard}"
