"""Postgres and RabbitMQ for the venue: given, local, private or downloaded.

`start` finds or starts both; `throw_away` starts a pair of one's own for a test. See `finder` for the order.
"""

from venue_cli.infrastructure.errors import InfrastructureError, Unavailable
from venue_cli.infrastructure.finder import Infrastructure, instance_name, start
from venue_cli.infrastructure.found import WAYS
from venue_cli.infrastructure.private import PrivatePair, throw_away

__all__ = [
    "WAYS",
    "Infrastructure",
    "InfrastructureError",
    "PrivatePair",
    "Unavailable",
    "instance_name",
    "start",
    "throw_away",
]
