"""Buys shares early, and takes dear ones in the last seconds, so that its own look worth more."""

from collections.abc import Iterator
from decimal import Decimal

from trading_bots.commands import Intent, Place
from trading_bots.strategy import Strategy, View, on_tick


class Painter(Strategy):
    """`early_s` is when it has its shares, `late_s` when it begins to paint."""

    interval_s = 0.4

    def __init__(self, early_s: float = 4.0, late_s: float = 12.0) -> None:
        self._early_us = int(early_s * 1_000_000)
        self._late_us = int(late_s * 1_000_000)
        self._start_us = 0

    def on_start(self, view: View) -> Iterator[Intent]:
        """The clock of the round, nearly."""
        self._start_us = view.now_us
        return iter(())

    def on_timer(self, view: View, name: str) -> Iterator[Intent]:
        """Early at the market, late at any price of the next three percent."""
        passed_us = view.now_us - self._start_us
        security = view.securities[0]
        fair = view.fair_price(security)
        if passed_us < self._early_us:
            yield Place(security, "BUY", 8, self._tick(view, security, fair * 101 / 100), "IOC")
        elif passed_us > self._late_us:
            yield Place(security, "BUY", 30, self._tick(view, security, fair * 103 / 100), "IOC")

    def _tick(self, view: View, security: str, price: Decimal) -> Decimal:

        return on_tick(view.rules(security), price)
