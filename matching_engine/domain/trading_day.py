"""The trading day in the engine: phases, auctions, orders that end with a phase, volatility pauses.

A book that trades continuously without a band costs nothing here (`Book.is_special` is False).
Everything else is driven by the log: SetPhase and SetVolatilityBands, and the time of the batches
for what ends by itself.
"""

import msgspec

from matching_engine.domain.amendment import Amending
from matching_engine.domain.auction import clearing
from matching_engine.domain.book import Book, HalfBook, Order, show
from matching_engine.domain.collected_orders import CollectedOrders, touched_security
from matching_engine.domain.ended_orders import FILLED
from matching_engine.domain.matching import can_fill
from matching_engine.domain.self_trades import parted, prevention, would_trade
from matching_engine.domain.uncross import crossing_levels, own_pairs, pairs, unlimited_prices
from matching_engine.domain.volatility import VolatilityBand
from venue_protocol.commands import PlaceOrder, SetPhase, SetVolatilityBands
from venue_protocol.events import (
    AuctionIndication,
    Event,
    LimitStateChanged,
    OrderReleased,
    PhaseChanged,
    Trade,
)
from venue_protocol.identifiers import sharded_id
from venue_protocol.orders import (
    BUY,
    CLS,
    DAY,
    MARKET,
    OF_THE_DAY,
    OPG,
    CancelReason,
    Side,
)
from venue_protocol.refusals import RejectReason
from venue_protocol.trading_day import (
    AUCTIONS,
    BEFORE_THE_OPENING,
    CLOSED,
    CLOSING_AUCTION,
    CONTINUOUS,
    HALTED,
    REOPENING_AUCTION,
    Phases,
    PhaseState,
    refuse_amend_in_phase,
    refuse_in_phase,
)

NEVER_US = 1 << 62
VOLATILITY = "volatility"
"""The reason of a pause that the engine began itself, and of the auction that ends it."""
_SECOND_US = 1_000_000
_CANCELED_BECAUSE: dict[RejectReason, CancelReason] = {
    RejectReason.SESSION_CLOSED: "session_closed",
    RejectReason.SESSION_HALTED: "session_halted",
    RejectReason.NOT_IN_AUCTION: "not_in_auction",
    RejectReason.OPENING_ONLY_TOO_LATE: "opening_only_too_late",
}
_NOTHING = (None, 0, 0, None)


class Sessions(Amending):
    """Begins and ends phases, and takes orders in where plain entry does not do."""

    __slots__ = (
        "bands",
        "collected",
        "collecting",
        "due_us",
        "indicated",
        "limited",
        "phases",
        "references",
    )

    def __init__(self, shard: int) -> None:
        super().__init__(shard)
        self.phases = Phases()
        self.references: dict[str, int] = {}
        """Listed reference price by security: an auction's reference until the security has
        traded.
        """
        self.bands: dict[str, VolatilityBand] = {}
        self.collecting: dict[str, Book] = {}
        """Books in an auction, whose indication is published."""
        self.collected: dict[str, CollectedOrders] = {}
        """What those books have collected; made when it is first asked for."""
        self.indicated: dict[str, tuple[int | None, int, int, Side | None]] = {}
        """Price, paired, imbalance and side published last, of those that collect."""
        self.limited: set[str] = set()
        """Securities in a limit state."""
        self.due_us = NEVER_US
        """When the next phase or limit state ends by itself."""

    def _open_book(self, security_id: str) -> Book:
        book = super()._open_book(security_id)
        self._mark(book)
        return book

    def _set_phase(self, command: SetPhase, events: list[Event]) -> None:
        self.references.update(command.reference_prices)
        is_timed = command.lasts_us is not None and command.security_id is not None
        until_us = self.time_us + (command.lasts_us or 0) if is_timed else None
        self._begin(
            command.security_id, PhaseState(command.phase, command.reason, until_us), events
        )
        if self.elections_due:
            self._hold_elections(events)

    def _begin(self, security_id: str | None, state: PhaseState, events: list[Event]) -> None:
        """End the phases that were, begin this one, and do what it brings: in one security, or in
        all it concerns.
        """
        kept = self.phases.exceptions if security_id is None and state.phase != CLOSED else {}
        concerned = [
            book
            for name, book in self.books.items()
            if security_id in (None, name) and not (name in kept and kept[name].is_halt_without_end)
        ]
        for book in concerned:
            self._leave(book, state.phase, events)
        self.phases.begin(security_id, state)
        events.append(PhaseChanged(security_id, state.phase, state.reason, state.until_us))
        if security_id is None:
            for name, known in sorted(self.phases.exceptions.items()):
                events.append(PhaseChanged(name, known.phase, known.reason, known.until_us))
        for name in [security_id] if security_id is not None else sorted(self.limited):
            self._end_limit_state(name, events)
        for book in concerned:
            self._mark(book)
            self._arrive(book, state.phase, events)
        self._plan()

    def _leave(self, book: Book, phase: str, events: list[Event]) -> None:
        """What the end of a book's phase brings when `phase` follows."""
        if phase in (CONTINUOUS, CLOSED):
            self._uncross(book, events)
        if phase not in BEFORE_THE_OPENING and phase != HALTED:
            self._end_orders(book, OPG, "opening_remainder", events)
        if phase in (CONTINUOUS, CLOSED):
            self._end_orders(book, CLS, "closing_remainder", events, with_parked=phase == CLOSED)

    def _arrive(self, book: Book, phase: str, events: list[Event]) -> None:
        """What the begin of a phase brings to a book."""
        if phase == CLOSED:
            self._end_orders(book, DAY, "expired", events)
        elif phase == CLOSING_AUCTION:
            self._release_closing_orders(book, events)
        elif phase == CONTINUOUS and book.last_e4 is not None:
            band = self.bands.get(book.security_id)
            if band is not None:
                band.restart(book.last_e4)
            if book.stops.elect(book.last_e4, book.last_e4):
                self.elections_due.append(book)

    def _mark(self, book: Book) -> None:
        """Note whether plain entry does for this book, and whether it collects."""
        name = book.security_id
        phase = self.phases.of(name).phase
        book.is_trading = phase == CONTINUOUS
        book.is_special = not book.is_trading or name in self.bands
        if phase in AUCTIONS:
            self.collecting[name] = book
        else:
            self.collecting.pop(name, None)
        self.collected.pop(name, None)
        self.indicated.pop(name, None)

    def _end_orders(
        self,
        book: Book,
        time_in_force: str,
        reason: CancelReason,
        events: list[Event],
        with_parked: bool = True,
    ) -> None:
        """End the open orders of this time in force, oldest first."""
        for order_id in sorted(
            name for name, tif in book.day_orders.items() if tif == time_in_force
        ):
            order = self.orders.get(order_id)
            if order is not None and order_id in book.closing and not with_parked:
                continue
            del book.day_orders[order_id]
            book.unpriced.discard(order_id)
            if order is not None:
                half = self.halves[order.half]
                self._withdraw(order, half)
                if reason == "expired":
                    self._discard_expired(order, half, events)
                else:
                    self._discard(order, half, reason, events)

    def _release_closing_orders(self, book: Book, events: list[Event]) -> None:
        """The parked CLS orders enter the book, oldest first."""
        parked, book.closing = book.closing, {}
        for order_id in sorted(parked):
            order = parked[order_id]
            half = self.halves[order.half]
            half.enter(show(order))
            events.append(
                OrderReleased(
                    order_id,
                    order.owner.client_id,
                    book.security_id,
                    half.side,
                    order.price_e4,
                    order.leaves,
                )
            )

    def _uncross(self, book: Book, events: list[Event]) -> None:
        """Trade what the auction's one price clears, in price-time priority on both sides."""
        if book.bids.best < book.asks.best:
            return
        for buy, sell in own_pairs(book):
            if buy.order_id in self.orders and sell.order_id in self.orders:
                self._part(buy, sell, book, events)
        bids, asks = crossing_levels(book)
        found = clearing(bids, asks, self._reference_e4(book), unlimited_prices(book))
        if found is None:
            return
        book.last_e4 = found.price_e4
        for buy, sell, quantity in pairs(book, found.price_e4, found.paired):
            self._fill(buy, book.bids, quantity)
            self._fill(sell, book.asks, quantity)
            self._tell_auction_trade(buy, sell, found.price_e4, quantity, book, events)

    def _part(self, buy: Order, sell: Order, book: Book, events: list[Event]) -> None:
        """Keep two own orders that cross from trading with each other, as the newer one's
        prevention says.
        """
        newer, older = (buy, sell) if buy.order_id > sell.order_id else (sell, buy)
        lost = parted(newer.leaves, older.leaves, prevention(newer))
        ended = []
        for order, shares in zip((newer, older), lost, strict=True):
            if shares == order.leaves:
                ended.append(order)
            elif shares:
                half = self.halves[order.half]
                order.quantity -= shares
                half.reduce(order, order.leaves - shares)
                self._tell_reduced(order, half, shares, events)
        for order in ended:
            half = self.halves[order.half]
            self._withdraw(order, half)
            self._discard(order, half, "self_trade_prevention", events)

    def _fill(self, order: Order, half: HalfBook, quantity: int) -> None:
        if quantity < order.leaves:
            half.reduce(order, order.leaves - quantity)
            return
        half.withdraw(order) if order.terms is not None else half.remove(order)
        order.leaves = 0
        del self.orders[order.order_id]
        self.ended.recent[order.order_id] = half.index << 2 | FILLED

    def _tell_auction_trade(
        self, buy: Order, sell: Order, price_e4: int, quantity: int, book: Book, events: list[Event]
    ) -> None:
        self.trade_count += 1
        events.append(
            Trade(
                sharded_id(self.shard, self.trade_count),
                book.security_id,
                price_e4,
                quantity,
                None,
                buy.order_id,
                buy.owner.client_id,
                buy.price_e4,
                buy.leaves,
                sell.order_id,
                sell.owner.client_id,
                sell.leaves,
            )
        )

    def _reference_e4(self, book: Book) -> int | None:
        return book.last_e4 if book.last_e4 is not None else self.references.get(book.security_id)

    def _indicate(self, events: list[Event]) -> None:
        """Publish what each auction would do now, where that is another than before."""
        touched = self.collecting.keys() - self.collected.keys()
        for event in events:
            changed = touched_security(event)
            if changed is not None and changed in self.collected:
                self.collected[changed].follow(event, self.orders)
                touched.add(changed)
        for name in sorted(touched):
            if name not in self.collected:
                book = self.collecting[name]
                self.collected[name] = CollectedOrders(book, self._reference_e4(book))
            found = self.collected[name].price()
            now = (found.price_e4, found.paired, found.imbalance, found.side) if found else _NOTHING
            if now != self.indicated.get(name, _NOTHING):
                self.indicated[name] = now
                events.append(AuctionIndication(name, *now))

    def _place_in_phase(
        self,
        order: Order,
        half: HalfBook,
        command: PlaceOrder,
        remainder: CancelReason | None,
        events: list[Event],
    ) -> None:
        """Take in an order that is bound to the trading day, or comes while plain entry does not
        do.
        """
        book, time_in_force = half.book, command.time_in_force
        refused = refuse_in_phase(
            self.phases.of(book.security_id).phase, command.order_type, time_in_force
        )
        if refused is not None:
            self._discard(order, half, _CANCELED_BECAUSE[refused], events)
            return
        if command.reference_price_e4 is not None:
            self._note_reference(book.security_id, command.reference_price_e4)
        if time_in_force in (OPG, CLS):
            remainder = None
            if command.order_type == MARKET:
                book.unpriced.add(order.order_id)
        if time_in_force == CLS and self.phases.of(book.security_id).phase != CLOSING_AUCTION:
            events[-1] = msgspec.structs.replace(events[-1], is_waiting=True)
            book.closing[order.order_id] = order
            self.orders[order.order_id] = order
            is_open = True
        elif order.terms is not None:
            is_open = self._take_in(order, order.terms, half, command.order_type, remainder, events)
        else:
            is_open = self._enter(order, None, half, remainder, events)
        if is_open:
            self._list(order)
            if time_in_force in OF_THE_DAY:
                self._bind_to_day(book, order.order_id, time_in_force)
        if self.elections_due:
            self._hold_elections(events)

    def _note_reference(self, security_id: str, reference_e4: int) -> None:
        """The listed reference price; of a security listed since the last phase began it is new."""
        if self.references.get(security_id) != reference_e4:
            self.references[security_id] = reference_e4
            self.collected.pop(security_id, None)

    def _bind_to_day(self, book: Book, order_id: int, time_in_force: str) -> None:
        if len(book.day_orders) >= book.day_orders_limit:
            book.day_orders = {
                name: tif for name, tif in book.day_orders.items() if name in self.orders
            }
            book.unpriced &= book.day_orders.keys()
            book.day_orders_limit = 2 * len(book.day_orders) + 64
        book.day_orders[order_id] = time_in_force

    def _take_in_phase(
        self,
        order: Order,
        half: HalfBook,
        opposite: HalfBook,
        remainder: CancelReason | None,
        events: list[Event],
    ) -> bool:
        """What `_take` is in a book that does not trade, or only within its band."""
        book = half.book
        if not book.is_trading:
            if remainder is None:
                return True
            self._discard(order, half, remainder, events)
            return False
        band, mark = self.bands[book.security_id], len(events)
        bound_e4 = band.bounded_e4(half.side, order.price_e4)
        met_own = False
        if remainder != "fok_unfilled" or can_fill(order, opposite, order.leaves, bound_e4):
            met_own = self._match(order, opposite, events, bound_e4)
        for event in events[mark:]:
            if type(event) is Trade:
                band.note(event.price_e4, self.time_us)
        if not order.leaves:
            self.ended.recent[order.order_id] = half.index << 2 | FILLED
            return False
        if met_own:
            remainder = "self_trade_prevention"
        elif (
            opposite.meets(order.price_e4)
            and not opposite.meets(bound_e4)
            and remainder != "fok_unfilled"
        ):
            # Nobody else stands in the order's way where only own orders are beyond the band: then
            # self-trade prevention decides, as without a band, and nothing trades.
            if would_trade(order, opposite):
                remainder = "volatility_band"
                self._begin_limit_state(book.security_id, band, half.side, events)
            elif self._match(order, opposite, events):
                remainder = "self_trade_prevention"
        if remainder is None:
            return True
        self._discard(order, half, remainder, events)
        return False

    def _bound_e4(self, order: Order, half: HalfBook) -> int:
        """The worst price at which this order may trade now."""
        band = self.bands.get(half.security_id) if half.book.is_special else None
        return order.price_e4 if band is None else band.bounded_e4(half.side, order.price_e4)

    def _refuse_amend_in_phase(self, half: HalfBook) -> RejectReason | None:
        return (
            refuse_amend_in_phase(self.phases.of(half.security_id).phase)
            if half.book.is_special
            else None
        )

    def _set_bands(self, command: SetVolatilityBands, events: list[Event]) -> None:
        name = command.security_id
        self.limited.discard(name)
        band: VolatilityBand | None = None
        if command.band_bps is None:
            self.bands.pop(name, None)
        else:
            known = self.books.get(name)
            last_e4 = known.last_e4 if known is not None else None
            self.bands[name] = band = VolatilityBand(
                command.band_bps,
                last_e4 or command.reference_price_e4,
                command.limit_state_us,
                command.pause_us,
                command.auction_us,
            )
        if name in self.books:
            self._mark(self.books[name])
        self._plan()
        events.append(_limit_state(name, band))

    def _begin_limit_state(
        self, name: str, band: VolatilityBand, side: Side, events: list[Event]
    ) -> None:
        if band.limit_side is not None:
            return
        band.limit_side, band.limit_until_us = side, self.time_us + band.limit_state_us
        self.limited.add(name)
        self._plan()
        events.append(_limit_state(name, band))

    def _end_limit_state(self, name: str, events: list[Event]) -> None:
        if name in self.limited:
            self.limited.discard(name)
            self.bands[name].limit_side = None
            events.append(_limit_state(name, self.bands[name]))

    def _leave_limit_states(self, events: list[Event]) -> None:
        """At the end of a batch: over where the other half is within the band again."""
        for name in sorted(self.limited):
            band, book = self.bands[name], self.books[name]
            if not band.holds_back((book.asks if band.limit_side == BUY else book.bids).best):
                self._end_limit_state(name, events)
        self._plan()

    def _pass_time(self, before_us: int, events: list[Event]) -> None:
        """At the start of a batch: references move, and what is due by its time ends, earliest
        first.
        """
        if self.bands and before_us // _SECOND_US != self.time_us // _SECOND_US:
            for moving in self.bands.values():
                moving.move(self.time_us)
        while self.due_us <= self.time_us:
            at_us, name = min(self._timers())
            state, band = self.phases.of(name), self.bands.get(name)
            if state.until_us != at_us:
                assert band is not None
                pause = PhaseState(HALTED, VOLATILITY, at_us + band.pause_us)
                self._begin(name, pause, events)
            elif state.phase == HALTED and band is not None:
                self._begin(
                    name, PhaseState(REOPENING_AUCTION, VOLATILITY, at_us + band.auction_us), events
                )
            else:
                self._begin(name, PhaseState(CONTINUOUS, state.reason), events)
                self._hold_elections(events)

    def _timers(self) -> list[tuple[int, str]]:
        """When phases and limit states end by themselves."""
        phases = [
            (known.until_us, name)
            for name, known in self.phases.exceptions.items()
            if known.until_us is not None
        ]
        return phases + [(self.bands[name].limit_until_us, name) for name in self.limited]

    def _plan(self) -> None:
        self.due_us = min(self._timers(), default=(NEVER_US, ""))[0]


def _limit_state(name: str, band: VolatilityBand | None) -> LimitStateChanged:
    if band is None:
        return LimitStateChanged(name, None, None, None)
    return LimitStateChanged(name, band.limit_side, band.low_e4, band.high_e4)
