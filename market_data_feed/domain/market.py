"""The visible market: depth by price level, best bid and ask, last price; derived as an ITCH
receiver does.
"""

from collections.abc import Iterable, Mapping
from itertools import islice

import msgspec
from sortedcontainers import SortedDict

from market_data_feed.domain.batch_effect import BatchEffect, LevelKey, RecordedTrade
from market_data_feed.domain.orders import BrokenStream
from market_data_feed.domain.working_order import WorkingOrder
from venue_protocol.corporate_actions import Split, SymbolChange
from venue_protocol.events import CorporateActionApplied
from venue_protocol.orders import BUY, Side

Level = tuple[int, int, int]
"""Price in ten-thousandths of a dollar, shares, number of orders."""


class TopOfBook(msgspec.Struct, frozen=True, gc=False):
    """Best levels and last trade of a security; None where there is none."""

    bid: Level | None
    ask: Level | None
    last_e4: int | None
    last_quantity: int | None
    last_us: int | None


class BookSide:
    """The bids or the asks of one security: shares and order count by price, best first."""

    def __init__(self, side: Side) -> None:
        self._sign = -1 if side == BUY else 1
        self._levels: SortedDict[int, list[int]] = SortedDict()
        self._best: Level | None = None
        self._best_key = 0
        self._is_best_known = True
        """Whether `_best` is the best level of now: most changes are behind it."""

    def change(self, price_e4: int, shares: int, orders: int) -> Level:
        """The level after adding `shares` and `orders` (either may be negative); BrokenStream below
        zero.
        """
        key = price_e4 * self._sign
        if self._best is None or key <= self._best_key:
            self._is_best_known = False
        level = self._levels.get(key)
        if level is None:
            level = self._levels[key] = [0, 0]
        level[0] += shares
        level[1] += orders
        if level[0] < 0 or level[1] < 0 or (level[0] == 0) != (level[1] == 0):
            raise BrokenStream(
                f"level {price_e4} would hold {level[0]} shares in {level[1]} orders"
            )
        if level[0] == 0:
            del self._levels[key]
        return price_e4, level[0], level[1]

    def best(self) -> Level | None:
        """The best level, or None."""
        if not self._is_best_known:
            self._is_best_known = True
            self._best = None
            if self._levels:
                key, (shares, orders) = self._levels.peekitem(0)
                self._best, self._best_key = (key * self._sign, shares, orders), key
        return self._best

    def depth(self, most: int | None = None) -> list[Level]:
        """Up to `most` levels, best first."""
        sign = self._sign
        items = islice(self._levels.items(), most)
        return [(key * sign, level[0], level[1]) for key, level in items]


class SecurityMarket:
    """Both sides of a book and the last trade of one security."""

    def __init__(self) -> None:
        self.bids = BookSide("BUY")
        self.asks = BookSide("SELL")
        self.last: RecordedTrade | None = None
        """The newest trade matched, whatever became of it: it numbers the tape."""
        self.last_good: RecordedTrade | None = None
        """The newest trade that is not busted, as it stands: it gives the last price."""
        self.actions: list[tuple[int, CorporateActionApplied]] = []
        """Corporate actions with their event sequences, oldest first."""
        self.sequence = 0
        """Sharded sequence of the last event that changed this security."""
        self.updated_us = 0

    def side_of(self, side: Side) -> BookSide:
        """The bids for BUY, the asks for SELL."""
        return self.bids if side == BUY else self.asks

    def top(self) -> TopOfBook:
        """Best bid and ask, and the last trade."""
        last = self.last_good
        return TopOfBook(
            self.bids.best(),
            self.asks.best(),
            last.price_e4 if last else None,
            last.quantity if last else None,
            last.time_us if last else None,
        )


class MarketChange(msgspec.Struct, gc=False):
    """What one EventBatch changed in one security."""

    security_id: str
    bids: list[Level]
    """Changed levels as they are now; zero shares: the level is gone."""
    asks: list[Level]
    trades: list[RecordedTrade]
    top: TopOfBook | None
    """The new top, if it is another than before."""


class Market:
    """All securities that were ever traded or quoted."""

    def __init__(self) -> None:
        self._securities: dict[str, SecurityMarket] = {}

    def security(self, security_id: str) -> SecurityMarket:
        """The market of this security, empty if nothing happened yet."""
        market = self._securities.get(security_id)
        if market is None:
            market = self._securities[security_id] = SecurityMarket()
        return market

    def rest(self, orders: Iterable[WorkingOrder]) -> None:
        """Put open orders into the books, as after a restart."""
        for order in orders:
            market = self.security(order.security_id)
            if order.visible:
                market.side_of(order.side).change(order.price_e4, order.visible, 1)
            market.sequence = max(market.sequence, order.event_sequence)

    def set_last(self, trade: RecordedTrade) -> None:
        """Remember the newest trade, as after a restart."""
        market = self.security(trade.security_id)
        market.last = market.last_good = trade
        market.sequence = max(market.sequence, trade.event_sequence)

    def adjust_last(self, action: CorporateActionApplied, sequence: int) -> None:
        """Show the last price in shares of now and under the symbol of now, if that trade was
        before this event.
        """
        market = self.security(action.security_id)
        market.actions.append((sequence, action))
        market.last_good = _adjusted(market.last_good, sequence, action)
        if isinstance(action.action, SymbolChange):
            after = self.security(action.action.new_security_id)
            if after.last_good is None and market.last_good is not None:
                after.last_good = msgspec.structs.replace(
                    market.last_good, security_id=action.action.new_security_id
                )

    def correct(self, security_id: str, last_good: RecordedTrade | None) -> None:
        """A trade was busted or corrected: from now on this one gives the last price."""
        market = self.security(security_id)
        for sequence, action in market.actions:
            last_good = _adjusted(last_good, sequence, action)
        market.last_good = last_good

    def last_prices(self) -> Mapping[str, int]:
        """The last price of each security that has traded, ten-thousandths of a dollar."""
        return {
            name: market.last_good.price_e4
            for name, market in self._securities.items()
            if market.last_good
        }

    def apply(self, effect: BatchEffect) -> list[MarketChange]:
        """Apply one whole batch; what it changed, by security.

        In between books may cross, here never.
        """
        changes: dict[str, MarketChange] = {}
        tops: dict[str, TopOfBook] = {}
        for key, (shares, orders) in effect.levels.items():
            if shares or orders:
                self._change_level(key, shares, orders, self._change(key[0], changes, tops))
        for recorded in effect.trades:
            security_id = recorded.security_id
            self._change(security_id, changes, tops).trades.append(recorded)
            market = self._securities[security_id]
            market.last = market.last_good = recorded
        for row in effect.session:
            if isinstance(row.event, CorporateActionApplied):
                self._change(row.event.security_id, changes, tops)
                if isinstance(row.event.action, SymbolChange):
                    self._change(row.event.action.new_security_id, changes, tops)
                self.adjust_last(row.event, row.event_sequence)
        for security_id, change in changes.items():
            market = self._securities[security_id]
            market.sequence = effect.last_sequence
            market.updated_us = effect.time_us
            top = market.top()
            change.top = top if top != tops[security_id] else None
        return list(changes.values())

    def _change(
        self, security_id: str, changes: dict[str, MarketChange], tops: dict[str, TopOfBook]
    ) -> MarketChange:
        change = changes.get(security_id)
        if change is None:
            tops[security_id] = self.security(security_id).top()
            change = changes[security_id] = MarketChange(security_id, [], [], [], None)
        return change

    def _change_level(self, key: LevelKey, shares: int, orders: int, change: MarketChange) -> None:
        security_id, side, price_e4 = key
        level = self._securities[security_id].side_of(side).change(price_e4, shares, orders)
        (change.bids if side == BUY else change.asks).append(level)


def _adjusted(
    last: RecordedTrade | None, sequence: int, action: CorporateActionApplied
) -> RecordedTrade | None:
    """The trade in shares of now, if it was before this action."""
    split = action.action
    if last is None or last.event_sequence >= sequence or not isinstance(split, Split):
        return last
    return msgspec.structs.replace(
        last, price_e4=split.price_e4(last.price_e4), quantity=split.shares(last.quantity)
    )
