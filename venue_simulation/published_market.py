"""What the venue has published of one security, as it stood a little while ago.

A bot sees the newest state that has reached it. Nothing is copied at a change: a book of the past
is the book of now with the newest changes taken back, and is made only when somebody reads it.
"""

from bisect import bisect_right
from collections import deque
from collections.abc import Sequence

from market_data_feed.domain.batch_effect import RecordedTrade
from market_data_feed.domain.market import Level as LevelE4
from market_data_feed.domain.market import SecurityMarket
from trading_bots.records import Book, Level, Price, PublicTrade, SecurityRules
from venue_protocol.orders import BUY
from venue_protocol.securities import Security
from venue_simulation.bot_records import dollars, public_trade

DEPTH = 10
"""Levels of each side that a bot sees."""
TRADES = 100
"""Trades that a bot sees."""
_MOST_BOOKS = 64

LevelChange = tuple[str, int, int, int]
"""Side, price, and by how many shares and orders its level changed."""


def rules_of(security: Security) -> SecurityRules:
    """The rules of a security as a bot reads them."""
    return SecurityRules(
        security=security.security_id,
        tick=dollars(security.tick_e4),
        reference_price=dollars(security.reference_price_e4),
        lot=security.lot,
        name=security.name,
        band_low=dollars(security.band_low_e4),
        band_high=dollars(security.band_high_e4),
    )


class PublishedMarket:
    """Depth and trades of one security by the time at which they were published."""

    def __init__(self, security: Security, market: SecurityMarket, keep_us: int) -> None:
        self.rules = rules_of(security)
        self._security_id = security.security_id
        self._reference_price_e4 = security.reference_price_e4
        self._market = market
        self._keep_us = keep_us
        """How old the state may be that somebody reads: the longest way of all bots."""
        self._version = 0
        self._changes: deque[tuple[int, list[LevelChange]]] = deque()
        """The newest changes with their time, oldest first."""
        self._books: dict[int, Book] = {}
        """By version."""
        self._price = Price(security=security.security_id)
        self._price_key = (0, 0)
        """Version of the book and number of trades that `_price` is of."""
        self._trades: list[PublicTrade] = []
        self._trade_times: list[int] = []

    def changed(
        self, time_us: int, levels: list[LevelChange], trades: Sequence[RecordedTrade]
    ) -> None:
        """Note what a commit changed; the market has it already."""
        changes = self._changes
        if levels:
            self._version += 1
            changes.append((time_us, levels))
        oldest_us = time_us - self._keep_us
        while changes and changes[0][0] < oldest_us:
            changes.popleft()
        for trade in trades:
            self._trades.append(public_trade(trade))
            self._trade_times.append(time_us)
        if len(self._trades) > 8 * TRADES:
            self._forget_trades(oldest_us)

    def book(self, at_us: int) -> Book:
        """The depth as it stood at `at_us`, best first."""
        newer = self._newer(at_us)
        version = self._version - newer
        book = self._books.get(version)
        if book is None:
            if len(self._books) >= _MOST_BOOKS:
                self._books.clear()
            book = self._books[version] = self._book(newer, version)
        return book

    def price(self, at_us: int) -> Price:
        """Last price, best bid and best ask as they stood at `at_us`."""
        place = bisect_right(self._trade_times, at_us)
        key = (self._version - self._newer(at_us), place)
        if self._price_key != key:
            self._price_key, self._price = key, self._price_at(at_us, place)
        return self._price

    def _price_at(self, at_us: int, place: int) -> Price:
        if self._newer(at_us):
            book = self.book(at_us)
            bid = book.bids[0].price if book.bids else None
            ask = book.asks[0].price if book.asks else None
        else:
            best_bid, best_ask = self._market.bids.best(), self._market.asks.best()
            bid = dollars(best_bid[0]) if best_bid is not None else None
            ask = dollars(best_ask[0]) if best_ask is not None else None
        last = self._trades[place - 1].price if place else None
        return Price(security=self._security_id, last=last, bid=bid, ask=ask)

    def trades(self, at_us: int) -> Sequence[PublicTrade]:
        """The newest trades at `at_us`, oldest first."""
        place = bisect_right(self._trade_times, at_us)
        return tuple(self._trades[max(0, place - TRADES) : place])

    def mark_e4(self) -> int:
        """The middle of bid and ask now, rounded down; else the last price; else the reference."""
        bid, ask = self._market.bids.best(), self._market.asks.best()
        if bid is not None and ask is not None:
            return (bid[0] + ask[0]) // 2
        last = self._market.last
        return last.price_e4 if last is not None else self._reference_price_e4

    def _newer(self, at_us: int) -> int:
        """How many changes are newer than `at_us`."""
        newer = 0
        for time_us, _ in reversed(self._changes):
            if time_us <= at_us:
                break
            newer += 1
        return newer

    def _book(self, newer: int, version: int) -> Book:
        bids = self._levels(BUY, newer)
        asks = self._levels("SELL", newer)
        return Book(
            security=self._security_id,
            bids=[Level(price=dollars(price), quantity=shares) for price, shares, _ in bids],
            asks=[Level(price=dollars(price), quantity=shares) for price, shares, _ in asks],
            sequence=version,
        )

    def _levels(self, side: str, newer: int) -> list[LevelE4]:
        """The best levels of a side, with its newest changes taken back."""
        half = self._market.bids if side == BUY else self._market.asks
        undo: dict[int, list[int]] = {}
        for place in range(1, newer + 1):
            for changed_side, price_e4, shares, orders in self._changes[-place][1]:
                if changed_side == side:
                    change = undo.setdefault(price_e4, [0, 0])
                    change[0] -= shares
                    change[1] -= orders
        if not undo:
            return half.depth(DEPTH)
        # So many levels could have come before the tenth one since.
        levels = {level[0]: level for level in half.depth(DEPTH + len(undo))}
        for price_e4, (shares, orders) in undo.items():
            _, shares_now, orders_now = levels.pop(price_e4, (price_e4, 0, 0))
            if shares_now + shares > 0:
                levels[price_e4] = (price_e4, shares_now + shares, orders_now + orders)
        return sorted(levels.values(), reverse=side == BUY)[:DEPTH]

    def _forget_trades(self, oldest_us: int) -> None:
        place = max(0, bisect_right(self._trade_times, oldest_us) - TRADES)
        self._price_key = (-1, 0)
        del self._trades[:place]
        del self._trade_times[:place]
