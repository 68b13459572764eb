"""Order flow in the words of the matching_consensus workloads (new, cancel, modify of outside ids)
as commands.
"""

from dataclasses import dataclass
from typing import Literal

from matching_engine.domain.engine import MatchingEngine
from venue_protocol.codec import SCHEMA
from venue_protocol.commands import AmendOrder, CancelOrder, Command, CommandBatch, PlaceOrder
from venue_protocol.events import EventBatch
from venue_protocol.holds import amend_hold
from venue_protocol.identifiers import SHARD_BITS
from venue_protocol.orders import BUY, GTC, IOC, LIMIT, Side

SECURITY = "BENCH"
TICK_E4 = 50
"""The workloads' tick is half a cent."""
_OWNERS = 50
_NO_ORDER = (1 << SHARD_BITS) - 1
"""An order id that no log reaches."""


@dataclass(frozen=True, slots=True)
class FlowMessage:
    """One message of a workload.

    A modify brings the new open quantity; a cancel uses neither side nor numbers.
    """

    action: Literal["new", "cancel", "modify"]
    outside_id: int
    side: Side = BUY
    quantity: int = 0
    price_ticks: int = 0
    is_ioc: bool = False


class OrderFlow:
    """Translates messages one by one while running them in an engine of its own, which knows what
    is filled.
    """

    def __init__(self) -> None:
        self.engine = MatchingEngine()
        self._orders: dict[int, PlaceOrder] = {}
        self._order_ids: dict[int, int] = {}
        self.outside_ids: dict[int, int] = {}
        """Outside id of each order id. An outside id may be used again once its order is dead."""

    def command(self, message: FlowMessage) -> Command:
        """The command that the next log sequence carries for this message."""
        if message.action == "new":
            return self._place(message)
        order_id = self._order_ids.get(message.outside_id, _NO_ORDER)
        client_id = self._orders[order_id].client_id if order_id in self._orders else "nobody"
        if message.action == "cancel":
            return CancelOrder(client_id, order_id)
        return self._amend(message, order_id, client_id)

    def run(self, command: Command) -> EventBatch:
        """The events of this command, as a batch of its own."""
        first = self.engine.log_position + 1
        return self.engine.apply(CommandBatch(SCHEMA, 0, first, first, [command]))

    def _place(self, message: FlowMessage) -> PlaceOrder:
        order_id = self.engine.log_position + 1
        # Buyers and sellers are different clients, so that self-trade prevention stays out of the
        # way.
        command = PlaceOrder(
            f"{message.side.lower()}er{message.outside_id % _OWNERS}",
            SECURITY,
            message.side,
            LIMIT,
            IOC if message.is_ioc else GTC,
            message.quantity,
            message.price_ticks * TICK_E4,
        )
        self._orders[order_id] = command
        self._order_ids[message.outside_id] = order_id
        self.outside_ids[order_id] = message.outside_id
        return command

    def _amend(self, message: FlowMessage, order_id: int, client_id: str) -> AmendOrder:
        price_e4 = message.price_ticks * TICK_E4
        order = self.engine.orders.get(order_id)
        if order is None:
            return AmendOrder(client_id, order_id, message.quantity, price_e4, 0)
        quantity = order.quantity - order.leaves + message.quantity
        side = self._orders[order_id].side
        added = amend_hold(side, order.price_e4, order.quantity, price_e4, quantity)
        return AmendOrder(client_id, order_id, quantity, price_e4, added)
