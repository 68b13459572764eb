"""Amending: new terms for an open order, or the reason why not."""

from matching_engine.domain.book import HalfBook, Order, TermedOrder
from matching_engine.domain.ended_orders import FILLED
from matching_engine.domain.order_entry import Entering
from venue_protocol.commands import AmendOrder
from venue_protocol.events import AmendRejected, Event, OrderAmended
from venue_protocol.holds import held_amount
from venue_protocol.identifiers import sharded_id
from venue_protocol.orders import BUY, OrderTerms, Side
from venue_protocol.refusals import RejectReason


class Amending(Entering):
    """Changes the terms of open orders.

    Less at the same price keeps the place; a waiting stop goes on waiting.
    """

    __slots__ = ()

    def _amend(self, own_id: int, command: AmendOrder, events: list[Event]) -> None:
        order = self.orders.get(command.order_id)
        if order is None or order.owner.client_id != command.client_id:
            reason, index = self._why_not_open(command.order_id, own_id)
            self._reject_amend(
                command, reason, self.halves[index] if index is not None else None, events
            )
            return
        half = self.halves[order.half]
        refused = self._refuse_amend_in_phase(half)
        if refused is not None:
            self._reject_amend(command, refused, half, events)
            return
        leaves = command.quantity - (order.quantity - order.leaves)
        held = held_amount(half.side, order.price_e4, order.leaves) + command.hold_added
        spare = held - held_amount(half.side, command.price_e4, leaves)
        if leaves < 0:
            self._reject_amend(command, RejectReason.AMEND_BELOW_FILLED, half, events)
        elif (command.quantity, command.price_e4) == (order.quantity, order.price_e4):
            self._reject_amend(command, RejectReason.AMEND_CHANGES_NOTHING, half, events)
        elif spare < 0:
            # The door holds enough for any number of fills meanwhile. If it did not, the order
            # keeps its old terms.
            lacking = (
                RejectReason.INSUFFICIENT_FUNDS
                if half.side == BUY
                else RejectReason.INSUFFICIENT_SHARES
            )
            self._reject_amend(command, lacking, half, events)
        elif order.terms is not None and self._breaks_post_only(
            order, order.terms, command.price_e4
        ):
            self._reject_amend(command, RejectReason.POST_ONLY_WOULD_TRADE, half, events)
        else:
            self._change_terms(order, half, command, leaves, spare, events)

    def _change_terms(
        self,
        order: Order,
        half: HalfBook,
        command: AmendOrder,
        leaves: int,
        spare: int,
        events: list[Event],
    ) -> None:
        order_id, quantity, price_e4 = command.order_id, command.quantity, command.price_e4
        events.append(
            OrderAmended(
                order_id,
                command.client_id,
                half.security_id,
                half.side,
                quantity,
                price_e4,
                leaves,
                order.price_e4,
                order.leaves,
                spare,
            )
        )
        terms = order.terms
        if order_id in half.book.closing or (
            terms is not None and order_id in half.book.stops.parked
        ):
            order.quantity, order.leaves, order.price_e4 = quantity, leaves, price_e4
            return
        if price_e4 == order.price_e4 and 0 < leaves < order.leaves:
            half.reduce(order, leaves)
            order.quantity = quantity
            return
        half.remove(order) if terms is None else half.withdraw(order)
        del self.orders[order_id]
        if not leaves:
            self.ended.recent[order_id] = half.index << 2 | FILLED
            return
        opposite = self.halves[half.index ^ 1]
        if terms is None:
            amended = Order(order_id, order.owner, half.index, price_e4, leaves, quantity)
            if self._take(amended, half, opposite, None, events):
                self.orders[order_id] = half.rest(
                    order_id, order.owner, price_e4, amended.leaves, quantity
                )
        else:
            amended = TermedOrder(
                order_id, order.owner, half.index, price_e4, leaves, quantity, terms
            )
            self._enter(amended, terms, half, None, events)
        if self.elections_due:
            self._hold_elections(events)

    def _refuse_amend_in_phase(self, half: HalfBook) -> RejectReason | None:
        """Why the present phase takes no amend: the trading day's."""
        raise NotImplementedError

    def _reject_amend(
        self, command: AmendOrder, reason: RejectReason, half: HalfBook | None, events: list[Event]
    ) -> None:
        if half is not None:
            security_id: str | None = half.security_id
            side: Side | None = half.side
        else:
            # Ended so long ago that only the door's word is left of where its hold is.
            security_id, side = command.security_id, command.side
        released = command.hold_added if side is not None else 0
        rejected = AmendRejected(
            command.order_id, command.client_id, reason.code, security_id, side, released
        )
        events.append(rejected)

    def _why_not_open(self, order_id: int, own_id: int) -> tuple[RejectReason, int | None]:
        """Why the command with id `own_id` can't touch this order, and the order's half book if it
        is known.
        """
        ended = self.ended.find(order_id)
        if ended is not None:
            return ended
        if order_id in self.orders or not sharded_id(self.shard, 0) < order_id < own_id:
            return RejectReason.UNKNOWN_ORDER, None
        return RejectReason.ORDER_NOT_OPEN, None

    def _breaks_post_only(self, order: Order, terms: OrderTerms, price_e4: int) -> bool:
        """Whether the order must not trade, and would at this price.

        At its own price it meets nothing.
        """
        opposite = self.halves[order.half ^ 1]
        is_bound = terms.is_post_only and opposite.book.is_trading
        return is_bound and price_e4 != order.price_e4 and opposite.meets(price_e4)
