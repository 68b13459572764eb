"""The mark of a security: the price at which a competition values shares.

The last price is no mark: one share, bought by a friend, would set it. `last_minute` takes all
trades of the window weighted by their volume, and only where several trades of several clients are
in it; otherwise the mark before stays, at first the reference price. `closing_auction` is the same
until the closing auction, whose one price is the last mark, under the same minimum.
`median_of_clients` is the rule of the venue's own standings (venue_protocol/mark.py): the
middle of each client's average price.

All of it is whole numbers, so every machine finds the same marks.
"""

from collections import Counter, deque
from collections.abc import Iterable, Sequence

from venue_competition.round_record import RoundTrade
from venue_competition.rules import ScoringRule
from venue_protocol.mark import MOST_TRADES, MarkTrade, mark

_S = 1_000_000


class VolumeWeightedMark:
    """`last_minute` of one security; trades are added in order of time."""

    def __init__(self, reference_e4: int, rule: ScoringRule) -> None:
        self._rule = rule
        self._window_us = rule.window_s * _S
        self._trades: deque[RoundTrade] = deque()
        self._clients = Counter[str]()
        self._quantity = 0
        self._notional_e4 = 0
        self._mark_e4 = reference_e4

    def add(self, trade: RoundTrade) -> None:
        """Count one more trade; those that have become too old are left out."""
        self._forget(trade.time_us)
        self._trades.append(trade)
        self._change(trade, 1)
        self._update()

    def at(self, time_us: int) -> int:
        """The mark at a time that is not before the newest trade, ten-thousandths of a dollar."""
        self._forget(time_us)
        self._update()
        return self._mark_e4

    def _update(self) -> None:
        enough = len(self._trades) >= self._rule.least_trades
        if enough and len(self._clients) >= self._rule.least_clients:
            self._mark_e4 = average(self._notional_e4, self._quantity)

    def _forget(self, now_us: int) -> None:
        while self._trades and self._trades[0].time_us <= now_us - self._window_us:
            self._change(self._trades.popleft(), -1)

    def _change(self, trade: RoundTrade, sign: int) -> None:
        self._quantity += sign * trade.quantity
        self._notional_e4 += sign * trade.quantity * trade.price_e4
        for client in (trade.buyer, trade.seller):
            self._clients[client] += sign
            if not self._clients[client]:
                del self._clients[client]


class ClosingAuctionMark(VolumeWeightedMark):
    """`closing_auction`: from the close on the auction's price, if enough clients took part."""

    def __init__(self, reference_e4: int, rule: ScoringRule, close_us: int) -> None:
        super().__init__(reference_e4, rule)
        self._close_us = close_us
        self._auction: list[RoundTrade] = []

    def add(self, trade: RoundTrade) -> None:
        """Count one more trade."""
        if trade.aggressor is None and trade.time_us >= self._close_us:
            self._auction.append(trade)
        else:
            super().add(trade)

    def at(self, time_us: int) -> int:
        """The mark at a time, ten-thousandths of a dollar."""
        if is_enough(self._auction, self._rule):
            return self._auction[-1].price_e4
        return super().at(time_us)


class MedianMark:
    """`median_of_clients`: what the venue's own standings show."""

    def __init__(self, reference_e4: int) -> None:
        self._newest_first: deque[MarkTrade] = deque(maxlen=MOST_TRADES)
        self._mark_e4 = reference_e4

    def add(self, trade: RoundTrade) -> None:
        """Count one more trade."""
        self._newest_first.appendleft(
            MarkTrade(trade.time_us, trade.price_e4, trade.quantity, trade.buyer, trade.seller)
        )

    def at(self, time_us: int) -> int:
        """The mark now, ten-thousandths of a dollar."""
        self._mark_e4 = mark(self._newest_first, self._mark_e4)
        return self._mark_e4


Mark = VolumeWeightedMark | MedianMark


def new_mark(reference_e4: int, rule: ScoringRule, close_us: int) -> Mark:
    """The mark that the rules name; `close_us` is when the closing auction begins."""
    if rule.mark == "median_of_clients":
        return MedianMark(reference_e4)
    if rule.mark == "closing_auction":
        return ClosingAuctionMark(reference_e4, rule, close_us)
    return VolumeWeightedMark(reference_e4, rule)


def is_enough(trades: Sequence[RoundTrade], rule: ScoringRule) -> bool:
    """Whether these trades are as many, and of as many clients, as the rules ask for."""
    return len(trades) >= rule.least_trades and len(clients_of(trades)) >= rule.least_clients


def clients_of(trades: Iterable[RoundTrade]) -> set[str]:
    """Everybody who bought or sold."""
    return {client for trade in trades for client in (trade.buyer, trade.seller)}


def average(notional_e4: int, quantity: int) -> int:
    """Price per share, ten-thousandths of a dollar, half up; `quantity` is above 0."""
    return (2 * notional_e4 + quantity) // (2 * quantity)
