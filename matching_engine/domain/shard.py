"""The books of one shard and what belongs to them: the state that the rules work on.

The rules are functions in the modules beside this one. Each takes the shard, the command and the
list of events to add to. No module calls one that stands before it here:

    engine > corporate_actions, trading_day > call_auction, amendment > order_entry
           > matching, cancellation > limit_states > reports, settlement_cycles > shard > book
"""

from collections import deque
from heapq import heapify, heappush

from matching_engine.domain.book import Book, BookSide, ClientOrders, Order
from matching_engine.domain.collected_orders import CollectedOrders
from matching_engine.domain.declared_dividends import DeclaredDividend
from matching_engine.domain.ended_orders import EndedOrders
from matching_engine.domain.volatility import VolatilityBand
from venue_protocol.events import CorporateActionApplied, LimitStateChanged, PhaseChanged
from venue_protocol.orders import Side
from venue_protocol.settlement_modes import SettlementPlan
from venue_protocol.trading_day import AUCTIONS, CONTINUOUS, Phases

_FEW_EXPIRIES = 64
"""Entries of the heap of expiries before it is worth a sweep."""
_MOST_NEWS = 1_000
NEVER_US = 1 << 62
"""Later than any time of the log."""
SETTLEMENT = ""
"""Whose timer the settlement cycle's is; no security has this name."""


class Shard:
    """All books of a shard, their open orders by id and by client, phases and timers."""

    __slots__ = (
        "bands",
        "books",
        "clients",
        "collected",
        "collecting",
        "dividends",
        "due_cycle",
        "due_us",
        "elections_due",
        "ended",
        "expiries",
        "expiries_limit",
        "indicated",
        "limited",
        "news",
        "orders",
        "phases",
        "references",
        "settlement",
        "shard",
        "sides",
        "time_us",
        "trade_count",
    )

    def __init__(self, shard: int) -> None:
        self.shard = shard
        """The number of the shard."""
        self.trade_count = 0
        self.time_us = 0
        """Time of the batch that is being applied, or was applied last."""
        self.books: dict[str, Book] = {}
        self.sides: list[BookSide] = []
        """Both sides of each book, so that an order can name its own by a small number."""
        self.orders: dict[int, Order] = {}
        """Every open order: those that rest, and the stops and closing orders that wait."""
        self.clients: dict[str, ClientOrders] = {}
        self.ended = EndedOrders()
        self.elections_due: list[Book] = []
        """Books with elected stops, which take their turn when the present command is done."""
        self.expiries: list[tuple[int, int]] = []
        """A heap of (expires_us, order_id). Orders that ended meanwhile are swept out later."""
        self.expiries_limit = _FEW_EXPIRIES
        self.phases = Phases()
        self.references: dict[str, int] = {}
        """Listed reference price by security: an auction's reference until the security has
        traded.
        """
        self.bands: dict[str, VolatilityBand] = {}
        self.dividends: list[DeclaredDividend] = []
        """Those that are not paid yet, oldest first."""
        self.collecting: dict[str, Book] = {}
        """Books in an auction, whose indication is published."""
        self.collected: dict[str, CollectedOrders] = {}
        """What those books have collected; made when it is first asked for."""
        self.indicated: dict[str, tuple[int | None, int, int, Side | None]] = {}
        """Price, paired, imbalance and side published last, of those that collect."""
        self.limited: set[str] = set()
        """Securities in a limit state."""
        self.settlement = SettlementPlan()
        self.due_cycle: int | None = None
        """The cycle in which trades are due that are made now; None: they settle at once."""
        self.due_us = NEVER_US
        """When the next phase, limit state or settlement cycle ends by itself."""
        self.news: deque[PhaseChanged | LimitStateChanged | CorporateActionApplied] = deque(
            maxlen=_MOST_NEWS
        )
        """What operators want to read in the log, since they were last told: the newest, because
        many engines have nobody who reads it.
        """

    def depth(
        self, security_id: str, most: int
    ) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
        """Bids and asks as (price_e4, shares shown), best first, `most` levels each at most; empty
        if unknown.
        """
        book = self.books.get(security_id)
        return (book.bids.depth(most), book.asks.depth(most)) if book else ([], [])

    def open_book(self, security_id: str) -> Book:
        """A new, empty book."""
        book = self.books[security_id] = Book(len(self.books), security_id)
        self.sides += (book.bids, book.asks)
        self.note_phase(book)
        return book

    def client_of(self, client_id: str) -> ClientOrders:
        """The client with this id; known from here on."""
        owner = self.clients.get(client_id)
        if owner is None:
            owner = self.clients[client_id] = ClientOrders(client_id)
        return owner

    def forget_ended_orders(self, owner: ClientOrders) -> None:
        """Forget the orders of a client that ended; again when the list has doubled."""
        owner.order_ids = [order_id for order_id in owner.order_ids if order_id in self.orders]
        owner.limit = 2 * len(owner.order_ids) + 64

    def add_open_order(self, order: Order) -> None:
        """Note an open order with its owner."""
        owner = order.owner
        owner.order_ids.append(order.order_id)
        if len(owner.order_ids) > owner.limit:
            self.forget_ended_orders(owner)

    def add_expiry(self, expires_us: int, order_id: int) -> None:
        """Note when an open order is due to expire."""
        if len(self.expiries) >= self.expiries_limit:
            self.expiries = [entry for entry in self.expiries if entry[1] in self.orders]
            heapify(self.expiries)
            self.expiries_limit = 2 * len(self.expiries) + _FEW_EXPIRIES
        heappush(self.expiries, (expires_us, order_id))

    def note_phase(self, book: Book) -> None:
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

    def find_next_timer(self) -> None:
        """Look up when the next timer is due. Call it after each change of one."""
        self.due_us = min(self.timers(), default=(NEVER_US, ""))[0]

    def timers(self) -> list[tuple[int, str]]:
        """When phases, limit states and the settlement cycle end by themselves, and whose."""
        cycle = [(self.settlement.due_us, SETTLEMENT)] if self.settlement.due_us < NEVER_US else []
        phases = [
            (known.until_us, name)
            for name, known in self.phases.exceptions.items()
            if known.until_us is not None
        ]
        return cycle + phases + [(self.bands[name].limit_until_us, name) for name in self.limited]

    def reference_e4(self, book: Book) -> int | None:
        """An auction's reference: the last price, or the listed one before the first trade."""
        return book.last_e4 if book.last_e4 is not None else self.references.get(book.security_id)
