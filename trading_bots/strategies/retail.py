"""Retail: market orders, whatever the price."""

from collections.abc import Iterator

from trading_bots.commands import Place
from trading_bots.strategy import Strategy, View, either_side

_LOTS = 4


class Retail(Strategy):
    """4 lots at the market, either side."""

    interval_s = 0.5

    def on_timer(self, view: View, name: str) -> Iterator[Place]:
        """One market order in each security."""
        for security in view.securities:
            lot = view.rules(security).lot
            yield Place(security, either_side(view.random), _LOTS * lot)
