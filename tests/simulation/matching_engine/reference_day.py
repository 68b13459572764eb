"""The rules of the trading day again, slow and obvious, on top of the slow, obvious book."""

import copy
from collections.abc import Iterable

import msgspec

from matching_engine.domain.auction import AuctionPrice
from tests.simulation.matching_engine.reference_engine import OPEN, ReferenceEngine
from tests.simulation.matching_engine.reference_order import ReferenceOrder, highest_rate, rates
from tests.simulation.matching_engine.test_auction_rules import slow_clearing
from venue_protocol.commands import AmendOrder, Command, PlaceOrder, SetPhase
from venue_protocol.events import (
    AmendRejected,
    AuctionIndication,
    Event,
    OrderAccepted,
    OrderReleased,
    PhaseChanged,
    Trade,
)
from venue_protocol.fees import FeeRates
from venue_protocol.orders import BUY, SELL, CancelReason, OrderTerms, Side
from venue_protocol.trading_day import refuse_amend_in_phase, refuse_in_phase


class ReferenceDay(ReferenceEngine):
    """Knows the phase of each security; searches all orders for what a phase ends."""

    def __init__(self) -> None:
        super().__init__()
        self.whole = "continuous"
        self.single: dict[str, str] = {}
        self.time_in_force: dict[int, str] = {}
        self.waiting: set[int] = set()
        """CLS orders that wait for the closing auction."""
        self.listed: dict[str, int] = {}
        self.indicated: dict[str, tuple[int | None, int, int, Side | None]] = {}

    def run(self, commands: Iterable[Command], time_us: int = 0) -> list[Event]:
        """The events of one batch."""
        self.time_us = time_us
        events = self._expire()
        for command in commands:
            if isinstance(command, SetPhase):
                self.sequence += 1
                events += self._set_phase(command)
            else:
                events += super().run([command], time_us)
        return events + self._indicate()

    def phase(self, security_id: str) -> str:
        """The phase of one security."""
        return self.single.get(security_id, self.whole)

    def parked(self, security_id: str) -> list[int]:
        """Ids of the stops that wait."""
        return [
            order_id for order_id in super().parked(security_id) if order_id not in self.waiting
        ]

    def _books(self) -> list[str]:
        return list(dict.fromkeys(order.security_id for order in self.orders))

    def _place(self, command: PlaceOrder) -> list[Event]:
        phase = self.phase(command.security_id)
        refused = refuse_in_phase(phase, command.order_type, command.time_in_force)
        self.time_in_force[self.sequence] = command.time_in_force
        if not refused and (command.time_in_force != "CLS" or phase == "closing_auction"):
            return super()._place(command)
        new = ReferenceOrder(
            self.sequence,
            command.client_id,
            command.security_id,
            command.side,
            command.price_e4,
            command.quantity,
            0,
            command.order_type,
            command.terms or OrderTerms(),
            command.fees or FeeRates(),
            state="parked",
        )
        self.orders.append(new)
        accepted = OrderAccepted(
            new.order_id,
            new.client_id,
            new.security_id,
            new.side,
            command.order_type,
            command.time_in_force,
            new.quantity,
            new.price_e4,
            command.client_order_id,
            command.terms,
            fees=command.fees,
        )
        if refused:
            name = refused.code.removeprefix("order.").replace(".", "_")
            return [accepted, self._end(new, name)]  # type: ignore[arg-type]
        self.waiting.add(new.order_id)
        return [msgspec.structs.replace(accepted, is_waiting=True)]

    def _trades(self, security_id: str) -> bool:
        return self.phase(security_id) == "continuous"

    def _enter(self, order: ReferenceOrder, rest: CancelReason | None) -> list[Event]:
        return super()._enter(order, rest if self._trades(order.security_id) else None)

    def _meets(self, order: ReferenceOrder) -> list[ReferenceOrder]:
        return super()._meets(order) if self._trades(order.security_id) else []

    def _elect(self, security_id: str, price_e4: int) -> None:
        if self._trades(security_id):
            super()._elect(security_id, price_e4)

    def _amend(self, command: AmendOrder) -> list[Event]:
        order = self._find(command.order_id)
        if order and not self._refusal(command.order_id, command.client_id):
            refused = refuse_amend_in_phase(self.phase(order.security_id))  # type: ignore[arg-type]
            if refused:
                return [
                    AmendRejected(
                        order.order_id,
                        order.client_id,
                        refused.code,
                        order.security_id,
                        order.side,
                        command.hold_added,
                    )
                ]
        return super()._amend(command)

    def _set_phase(self, command: SetPhase) -> list[Event]:
        self.listed.update(command.reference_prices)
        keep = {
            name
            for name, phase in self.single.items()
            if phase == "halted" and command.phase != "closed"
        }
        if command.security_id is None:
            concerned = [name for name in self._books() if name not in keep]
        else:
            concerned = [name for name in self._books() if name == command.security_id]
        events: list[Event] = []
        for name in concerned:
            events += self._before(name, command.phase)
        if command.security_id is None:
            self.whole, self.single = command.phase, dict.fromkeys(sorted(keep), "halted")
            events.append(PhaseChanged(None, command.phase, command.reason))
            events += [PhaseChanged(name, "halted", "why") for name in self.single]
        else:
            self.single[command.security_id] = command.phase
            events.append(PhaseChanged(command.security_id, command.phase, command.reason))
        for name in concerned:
            self.indicated.pop(name, None)
            events += self._after(name, command.phase)
        for name in reversed(concerned):
            if command.phase == "continuous" and name in self.last:
                self._elect(name, self.last[name])
                events += self._elections([])
        return events

    def _before(self, name: str, phase: str) -> list[Event]:
        events = self._uncross(name) if phase in ("continuous", "closed") else []
        if phase not in ("pre_open", "opening_auction", "halted"):
            events += self._end_all(name, "OPG", "opening_remainder", True)
        if phase in ("continuous", "closed"):
            events += self._end_all(name, "CLS", "closing_remainder", phase == "closed")
        return events

    def _after(self, name: str, phase: str) -> list[Event]:
        if phase == "closed":
            return self._end_all(name, "DAY", "expired", True)
        if phase != "closing_auction":
            return []
        events: list[Event] = []
        for order in [
            order
            for order in self.orders
            if order.order_id in self.waiting and order.security_id == name
        ]:
            self.waiting.discard(order.order_id)
            if order.state == "parked":
                order.state = "open"
                self._to_the_back(order)
                events.append(
                    OrderReleased(
                        order.order_id,
                        order.client_id,
                        name,
                        order.side,
                        order.price_e4,
                        order.leaves,
                    )
                )
        return events

    def _end_all(
        self, name: str, tif: str, reason: CancelReason, with_waiting: bool
    ) -> list[Event]:
        events: list[Event] = []
        for order in self.orders:
            is_meant = order.state in OPEN and order.security_id == name
            is_meant = is_meant and self.time_in_force.get(order.order_id) == tif
            if is_meant and (with_waiting or order.order_id not in self.waiting):
                events.append(self._end(order, reason))
        return events

    def _uncross(self, name: str) -> list[Event]:
        events: list[Event] = []
        if not self._crossed(name):
            return events
        events += self._part_all(name)
        found = self._price(name)
        if found is None:
            return events
        self.last[name] = found.price_e4
        while True:
            buys = [order for order in self.resting(name, BUY) if order.price_e4 >= found.price_e4]
            sells = [
                order for order in self.resting(name, SELL) if order.price_e4 <= found.price_e4
            ]
            if not buys or not sells:
                return events
            events.append(self._cross(buys[0], sells[0], found.price_e4))

    def _part_all(self, name: str) -> list[Event]:
        events: list[Event] = []
        for client in dict.fromkeys(order.client_id for order in self.resting(name, BUY)):
            while True:
                buys = [order for order in self.resting(name, BUY) if order.client_id == client]
                sells = [order for order in self.resting(name, SELL) if order.client_id == client]
                if not buys or not sells or buys[0].price_e4 < sells[0].price_e4:
                    break
                events += self._part(buys[0], sells[0])
        return events

    def _price(self, name: str) -> AuctionPrice | None:
        resting = self.resting(name, BUY) + self.resting(name, SELL)
        limits = {order.price_e4 for order in resting if order.order_type == "limit"}
        edges = {order.price_e4 for order in resting} - limits
        return slow_clearing(
            self._sums(name, BUY), self._sums(name, SELL), self._reference(name), edges
        )

    def _part(self, buy: ReferenceOrder, sell: ReferenceOrder) -> list[Event]:
        older, newer = sorted((buy, sell), key=lambda order: order.order_id)
        less, more = sorted((buy, sell), key=lambda order: order.leaves)
        mode, why = newer.terms.self_trade_prevention, "self_trade_prevention"
        if mode == "cancel_newest":
            return [self._end(newer, why)]  # type: ignore[arg-type]
        if mode == "cancel_oldest":
            return [self._end(older, why)]  # type: ignore[arg-type]
        if mode == "cancel_both" or less.leaves == more.leaves:
            return [self._end(newer, why), self._end(older, why)]  # type: ignore[arg-type]
        return [self._reduce(more, less.leaves), self._end(less, why)]  # type: ignore[arg-type]

    def _cross(self, buy: ReferenceOrder, sell: ReferenceOrder, price_e4: int) -> Trade:
        self.trades += 1
        quantity = min(buy.leaves, sell.leaves)
        for order in (buy, sell):
            order.filled += quantity
            order.shown = min(order.shown, order.leaves)
            if not order.leaves:
                order.state = "filled"
        return Trade(
            self.trades,
            buy.security_id,
            price_e4,
            quantity,
            None,
            buy.order_id,
            buy.client_id,
            buy.price_e4,
            buy.leaves,
            sell.order_id,
            sell.client_id,
            sell.leaves,
            *rates(buy, sell, None),
            highest_rate(buy),
        )

    def _crossed(self, name: str) -> bool:
        buys, sells = self.resting(name, BUY), self.resting(name, SELL)
        return bool(buys and sells and buys[0].price_e4 >= sells[0].price_e4)

    def _sums(self, name: str, side: Side) -> dict[int, int]:
        sums: dict[int, int] = {}
        for order in self.resting(name, side):
            sums[order.price_e4] = sums.get(order.price_e4, 0) + order.leaves
        return sums

    def _reference(self, name: str) -> int | None:
        return self.last.get(name, self.listed.get(name))

    def _indicate(self) -> list[Event]:
        events: list[Event] = []
        for name in self._collecting():
            # What the uncrossing would do: on a copy, own orders are parted first.
            trial = copy.deepcopy(self)
            trial._part_all(name)
            found = trial._price(name)
            now = (
                (found.price_e4, found.paired, found.imbalance, found.side)
                if found
                else (None, 0, 0, None)
            )
            if now != self.indicated.get(name, (None, 0, 0, None)):
                self.indicated[name] = now
                events.append(AuctionIndication(name, *now))
        return events

    def _collecting(self) -> list[str]:
        return sorted(name for name in self._books() if self.phase(name).endswith("_auction"))
