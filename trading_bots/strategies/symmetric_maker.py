"""Symmetric maker: one bid and one ask at the same distance from the middle, whatever it holds.

Source: the benchmark strategy of Avellaneda, Stoikov, "High-frequency trading in a limit order
book", Quantitative Finance 8 (2008), section 3.3.
"""

from collections.abc import Iterator
from decimal import Decimal

from trading_bots.commands import Intent
from trading_bots.quoting import Quote, move_quotes
from trading_bots.strategy import Strategy, View


class SymmetricMaker(Strategy):
    """Quotes `quantity` shares on each side, `spread_bps` basis points apart."""

    interval_s = 1.0

    def __init__(self, spread_bps: float = 4.0, quantity: int = 10) -> None:
        self._half = Decimal(spread_bps) / 20_000
        self._quantity = quantity

    def on_timer(self, view: View, name: str) -> Iterator[Intent]:
        """Both quotes of each security follow its fair price."""
        for security in view.securities:
            fair = view.fair_price(security)
            bid = Quote(fair * (1 - self._half), self._quantity)
            ask = Quote(fair * (1 + self._half), self._quantity)
            yield from move_quotes(view, security, bid, ask)
