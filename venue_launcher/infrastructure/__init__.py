"""Postgres and RabbitMQ for the venue: given, local, private or downloaded.

`start` finds or starts both; `throw_away` starts a pair of one's own for a test. See `finder` for
the order. What is exported is loaded when it is asked for: most commands of the console need no
driver of a broker.
"""

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from venue_launcher.infrastructure.choices import WAYS
    from venue_launcher.infrastructure.errors import InfrastructureError, Unavailable
    from venue_launcher.infrastructure.finder import Infrastructure, instance_name, start
    from venue_launcher.infrastructure.private import PrivatePair, throw_away

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

_HOMES = {
    "WAYS": "choices",
    "Infrastructure": "finder",
    "InfrastructureError": "errors",
    "PrivatePair": "private",
    "Unavailable": "errors",
    "instance_name": "finder",
    "start": "finder",
    "throw_away": "private",
}


def __getattr__(name: str) -> object:
    """What is exported, from its module."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__} has no attribute {name}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
