"""The commands of an archive as intents, and the strategy that sends them again at their times."""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

from trading_bots.commands import Amend, Cancel, CancelAll, Command, Intent, Place, WakeUp
from trading_bots.strategy import Strategy, View
from venue_protocol import codec
from venue_protocol.commands import AmendOrder, CancelAllOrders, CancelOrder, PlaceOrder
from venue_protocol.identifiers import sharded_id
from venue_protocol.money import format_e4
from venue_protocol.orders import UNPRICED
from venue_protocol.times import format_utc
from venue_simulation.market_archive import MarketArchive

Timed = tuple[int, Command]
"""When the venue committed a command, and the command."""


class RecordedCommands(Strategy):
    """Sends what one client sent, when it sent it, whatever the market does."""

    def __init__(self, commands: Any = ()) -> None:
        """`commands` is a sequence of Timed, in order; Any, so that the loader leaves it alone."""
        self._commands: Sequence[Timed] = commands
        self._next = 0

    def on_start(self, view: View) -> Iterator[Intent]:
        """Wait for the first command."""
        yield from self._due(view)

    def on_timer(self, view: View, name: str) -> Iterator[Intent]:
        """Send what is due, and wait for what comes next."""
        yield from self._due(view)

    def _due(self, view: View) -> Iterator[Intent]:
        commands = self._commands
        while self._next < len(commands) and commands[self._next][0] <= view.now_us:
            yield commands[self._next][1]
            self._next += 1
        if self._next < len(commands):
            yield WakeUp((commands[self._next][0] - view.now_us) / 1_000_000)


def commands_of(archive: MarketArchive) -> dict[str, list[Timed]]:
    """Each client's commands in order. Orders are named by client and number, as ids will differ.

    Phases and the passing of time are the venue's own, and left out.
    """
    found: dict[str, list[Timed]] = {}
    names: dict[int, str] = {}
    for row in archive.log_rows():
        command = codec.decode_command(row.command)
        intent: Command | None = None
        if type(command) is PlaceOrder:
            order_id = sharded_id(row.shard, row.sequence)
            names[order_id] = command.client_order_id or f"recorded-{order_id}"
            intent = _place(command, names[order_id])
        elif type(command) is CancelOrder and command.order_id in names:
            intent = Cancel(client_order_id=names[command.order_id])
        elif type(command) is AmendOrder and command.order_id in names:
            intent = Amend(
                client_order_id=names[command.order_id],
                quantity=command.quantity,
                price=Decimal(format_e4(command.price_e4)),
                amend_id=command.client_order_id,
            )
        elif type(command) is CancelAllOrders:
            intent = CancelAll(command.security_id)
        if intent is not None:
            found.setdefault(row.client_id, []).append((row.time_us, intent))
    return found


def _place(command: PlaceOrder, name: str) -> Place:
    terms = command.terms
    is_unpriced = command.order_type in UNPRICED
    stop_e4 = terms.stop_price_e4 if terms is not None else None
    expires_us = terms.expires_us if terms is not None else None
    return Place(
        command.security_id,
        command.side,
        command.quantity,
        None if is_unpriced else Decimal(format_e4(command.price_e4)),
        command.time_in_force,
        name,
        stop_price=Decimal(format_e4(stop_e4)) if stop_e4 is not None else None,
        expire_time=format_utc(expires_us) if expires_us is not None else None,
        min_quantity=terms.min_quantity if terms is not None else None,
        display_quantity=terms.display_quantity if terms is not None else None,
        post_only=terms.is_post_only if terms is not None else False,
        self_trade_prevention=terms.self_trade_prevention if terms is not None else None,
    )
