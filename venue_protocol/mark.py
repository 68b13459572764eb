"""The mark of a security: the price at which the standings value shares.

The last price is no mark: two clients who trade one share with each other would set it, and with
it everybody's equity. The rule here gives each client one voice, however much it trades, and asks
for several; docs/market-data.md states it for organisers.

An example, five clients in five minutes: ann sold 10 at 100.00 to bob and 5 at 100.20 to cat, and
dan bought 1 at 150.00 from eve. The voices are ann 100.0666, bob 100.00, cat 100.20, dan 150.00
and eve 150.00; the median, and so the mark, is 100.20. With the last trade alone there are two
voices: the mark stays what it was.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

WINDOW_US = 300_000_000
"""Five minutes: long enough for a few clients to trade, short enough to follow the market."""

LEAST_VOICES = 4
"""Fewest clients that make a mark: two who work together are then never the majority."""

MOST_TRADES = 1_000
"""Trades looked at, newest first: a busy market has far more voices in them than needed, and
reading them costs some milliseconds a security.
"""


class MarkTrade(NamedTuple):
    """What a mark takes from a trade."""

    time_us: int
    """Microseconds since the epoch."""
    price_e4: int
    """Ten-thousandths of a dollar."""
    quantity: int
    """Shares."""
    buy_client_id: str
    sell_client_id: str


@dataclass(slots=True)
class _Voice:
    """Trades of one client in the window: shares, and ten-thousandths of a dollar for them."""

    quantity: int = 0
    notional_e4: int = 0

    def change(self, trade: MarkTrade, sign: int) -> None:
        self.quantity += sign * trade.quantity
        self.notional_e4 += sign * trade.quantity * trade.price_e4


@dataclass(slots=True)
class _Window:
    """The voices of the trades in a window that moves."""

    voices: dict[str, _Voice] = field(default_factory=dict)

    def change(self, trade: MarkTrade, sign: int) -> None:
        """Add a trade (sign 1), or take it away (-1)."""
        for client_id in (trade.buy_client_id, trade.sell_client_id):
            voice = self.voices.setdefault(client_id, _Voice())
            voice.change(trade, sign)
            if not voice.quantity:
                del self.voices[client_id]


def mark(newest_first: Iterable[MarkTrade], before_e4: int) -> int:
    """The mark, ten-thousandths of a dollar.

    `before_e4` is the mark before, at first the reference price: it stays when no five minutes of
    these trades have enough voices. Of two middle voices the one nearer to it is taken, so that
    half of the voices can't move the mark alone.
    """
    trades = [trade for trade in newest_first if trade.buy_client_id != trade.sell_client_id]
    window, end = _Window(), 0
    for start, newest in enumerate(trades):
        while end < len(trades) and newest.time_us - trades[end].time_us <= WINDOW_US:
            window.change(trades[end], 1)
            end += 1
        if len(window.voices) >= LEAST_VOICES:
            return _median(list(window.voices.values()), before_e4)
        window.change(trades[start], -1)
    return before_e4


def _median(voices: Sequence[_Voice], before_e4: int) -> int:
    prices_e4 = sorted(voice.notional_e4 // voice.quantity for voice in voices)
    middle = (prices_e4[(len(prices_e4) - 1) // 2], prices_e4[len(prices_e4) // 2])
    return min(middle, key=lambda price_e4: abs(price_e4 - before_e4))
