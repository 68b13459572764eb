"""Commands that are in the log already, under the names that clients gave them."""

from dataclasses import dataclass

from venue_protocol.commands import AmendOrder, Command, PlaceOrder
from venue_protocol.identifiers import sharded_id


@dataclass(frozen=True, slots=True)
class Logged:
    """A command that is in the log already: shard, sequence, commit time and text."""

    shard: int
    sequence: int
    time_us: int
    command: Command


def named_order_id(logged: Logged) -> int:
    """Id of the order that a named command placed or amended; 0 if it did neither."""
    if type(logged.command) is PlaceOrder:
        return sharded_id(logged.shard, logged.sequence)
    return logged.command.order_id if type(logged.command) is AmendOrder else 0
