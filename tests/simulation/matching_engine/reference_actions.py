"""Corporate actions again, slow and obvious, on top of the slow, obvious day.

Exact fractions first, then the rounding that FINRA 5330 states.
"""

import math
from collections.abc import Iterable
from fractions import Fraction

import msgspec

from tests.simulation.matching_engine.reference_day import ReferenceDay
from tests.simulation.matching_engine.reference_engine import OPEN, ReferenceEngine
from tests.simulation.matching_engine.reference_order import ReferenceOrder, highest_rate
from venue_protocol.commands import ApplyCorporateAction, Command, PlaceOrder, SetPhase
from venue_protocol.corporate_actions import (
    CashDividend,
    CorporateAction,
    Delisting,
    Split,
    SymbolChange,
)
from venue_protocol.events import (
    CorporateActionApplied,
    CorporateActionDeclared,
    DividendPaid,
    Event,
    OrderAdjusted,
    PhaseChanged,
)
from venue_protocol.holds import held_amount
from venue_protocol.orders import BUY, SELL


class ReferenceActions(ReferenceDay):
    """Looks at all orders of a security for each action, and at all dividends for each batch."""

    def __init__(self) -> None:
        super().__init__()
        self.dividends: list[list[object]] = []
        """Number, command and whether it is ex, of those that are not paid."""
        self.termed: set[int] = set()
        """Orders that came with terms."""

    def run(self, commands: Iterable[Command], time_us: int = 0) -> list[Event]:
        """The events of one batch."""
        self.time_us = time_us
        events = self._dividends_due() + self._expire()
        for command in commands:
            if isinstance(command, ApplyCorporateAction):
                self.sequence += 1
                events += self._apply(self.sequence, command)
            elif isinstance(command, SetPhase):
                self.sequence += 1
                events += self._set_phase(command) + self._dividends_due()
            else:
                events += ReferenceEngine.run(self, [command], time_us)
        return events + self._indicate()

    def _place(self, command: PlaceOrder) -> list[Event]:
        if command.terms is not None:
            self.termed.add(self.sequence)
        return super()._place(command)

    def _apply(self, number: int, command: ApplyCorporateAction) -> list[Event]:
        action = command.action
        if isinstance(action, CashDividend):
            self.dividends.append([number, command, False])
            declared = CorporateActionDeclared(number, command.security_id, action)
            return [declared, *self._dividends_due()]
        return self._effect(number, command)

    def _dividends_due(self) -> list[Event]:
        events: list[Event] = []
        for known in list(self.dividends):
            number, command, is_ex = known
            assert isinstance(command, ApplyCorporateAction) and isinstance(number, int)
            action, name = command.action, command.security_id
            assert isinstance(action, CashDividend)
            at_rest = self.phase(name) in ("halted", "closed")
            if not is_ex and action.ex_us <= self.time_us and at_rest:
                events += self._effect(number, command)
                known[2] = is_ex = True
            if is_ex and action.pay_us <= self.time_us:
                # The command may have been renamed since it was read.
                paid = known[1]
                assert isinstance(paid, ApplyCorporateAction)
                events.append(DividendPaid(number, paid.security_id))
                self.dividends.remove(known)
        return events

    def _effect(self, number: int, command: ApplyCorporateAction) -> list[Event]:
        action, name = command.action, command.security_id
        open_now = [o for o in self.orders if o.security_id == name and o.state in OPEN]
        events: list[Event] = []
        if self._cancels_all(action):
            events += [self._end(order, "corporate_action") for order in open_now]
            open_now = []
        reference_e4 = self._reference_after(action, command)
        events.append(CorporateActionApplied(number, name, action, reference_e4))
        queues = [order for side in (BUY, SELL) for order in self.resting(name, side)]
        for order in open_now:
            events += self._adjust(order, command)
        for order in queues:
            if order.state == "open":
                shown = order.shown
                was_adjusted = any(
                    isinstance(event, OrderAdjusted)
                    and event.order_id == order.order_id
                    and event.new_security_id is None
                    for event in events
                )
                self._to_the_back(order)
                if not was_adjusted:
                    order.shown = shown
        self.listed[name] = reference_e4
        if isinstance(action, Split) and name in self.last:
            exact = Fraction(self.last[name] * action.old_shares, action.new_shares)
            self.last[name] = max(math.floor(exact), 1)
        self._follow(action, name, reference_e4, events)
        return events

    def _cancels_all(self, action: CorporateAction) -> bool:
        return (
            isinstance(action, Delisting)
            or (isinstance(action, Split) and action.new_shares < action.old_shares)
            or (isinstance(action, SymbolChange) and not action.keeps_orders)
        )

    def _reference_after(self, action: CorporateAction, command: ApplyCorporateAction) -> int:
        before, tick = Fraction(command.reference_price_e4), command.tick_e4
        if isinstance(action, Split):
            before = before * action.old_shares / action.new_shares
            # Rounded to a ten-thousandth on the way down to the tick: the same.
        elif isinstance(action, CashDividend):
            before -= action.per_share_e4
        else:
            return command.reference_price_e4
        return max(math.floor(before / tick), 1) * tick

    def _adjust(self, order: ReferenceOrder, command: ApplyCorporateAction) -> list[Event]:
        action, tick, is_buy = command.action, command.tick_e4, order.side == BUY
        stop = order.terms.stop_price_e4
        waits = order.state == "parked" and order.order_id not in self.waiting
        price, leaves = Fraction(order.price_e4), Fraction(order.leaves)
        shown = order.terms.display_quantity
        new_stop = Fraction(stop) if stop is not None else None
        rounds_up = False
        if isinstance(action, Split):
            ratio = Fraction(action.new_shares, action.old_shares)
            price, leaves, rounds_up = price / ratio, leaves * ratio, not is_buy
            new_stop = new_stop / ratio if new_stop is not None else None
            if shown is not None:
                shown = math.ceil(shown * ratio / command.lot) * command.lot
        elif isinstance(action, CashDividend):
            is_small = action.per_share_e4 < 100 or order.terms.does_not_reduce
            lowers_buy = is_buy and not waits and order.order_type != "market"
            lowers_stop = not is_buy and waits
            if is_small or not (lowers_buy or lowers_stop):
                return []
            price -= action.per_share_e4
            if lowers_stop and new_stop is not None:
                new_stop -= action.per_share_e4
                price = max(price, Fraction(tick))
        else:
            assert isinstance(action, SymbolChange)
            return [self._rename(order, action)]
        price_e4 = (math.ceil if rounds_up else math.floor)(price / tick) * tick
        open_shares = math.floor(leaves)
        rate = highest_rate(order)
        held = held_amount(order.side, order.price_e4, order.leaves, rate)
        while is_buy and price_e4 > 0 and held_amount(BUY, price_e4, open_shares, rate) > held:
            open_shares -= 1
        open_shares -= open_shares % command.lot if isinstance(action, Split) else 0
        stop_e4 = None
        if new_stop is not None:
            up = isinstance(action, Split) and is_buy
            stop_e4 = (math.ceil if up else math.floor)(new_stop / tick) * tick
        if price_e4 <= 0 or open_shares <= 0 or (stop_e4 is not None and stop_e4 <= 0):
            return [self._end(order, "corporate_action")]
        terms = msgspec.structs.replace(order.terms, stop_price_e4=stop_e4, display_quantity=shown)
        if (price_e4, open_shares, terms) == (order.price_e4, order.leaves, order.terms):
            return []
        before = (order.price_e4, order.leaves)
        order.price_e4, order.quantity, order.terms = price_e4, order.filled + open_shares, terms
        return [
            self._told(order, before, held_amount(order.side, price_e4, open_shares, rate) - held)
        ]

    def _rename(self, order: ReferenceOrder, action: SymbolChange) -> OrderAdjusted:
        told = self._told(order, (order.price_e4, order.leaves), 0)
        order.security_id = action.new_security_id
        return msgspec.structs.replace(told, new_security_id=action.new_security_id)

    def _told(self, order: ReferenceOrder, before: tuple[int, int], change: int) -> OrderAdjusted:
        return OrderAdjusted(
            order.order_id,
            order.client_id,
            order.security_id,
            order.side,
            order.quantity,
            order.price_e4,
            order.leaves,
            *before,
            change,
            order.terms if order.order_id in self.termed else None,
        )

    def _follow(
        self, action: CorporateAction, name: str, reference_e4: int, events: list[Event]
    ) -> None:
        """What is known of the security by its name, and its other dividends."""
        after = action.new_security_id if isinstance(action, SymbolChange) else name
        for known in list(self.dividends):
            command = known[1]
            assert isinstance(command, ApplyCorporateAction)
            if command.security_id != name:
                continue
            if isinstance(action, Delisting) and not known[2]:
                self.dividends.remove(known)
            known[1] = msgspec.structs.replace(
                command, security_id=after, reference_price_e4=reference_e4
            )
        if after == name:
            return
        self.listed[after] = self.listed.pop(name)
        if name in self.last:
            self.last[after] = self.last.pop(name)
        for order in self.orders:
            if order.security_id == name:
                order.security_id = after
        if name in self.single:
            self.single[after] = self.single[name]
            events.append(PhaseChanged(after, self.single[name], "why"))  # type: ignore[arg-type]
