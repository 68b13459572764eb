"""Market maker: quotes both sides, a little better than the best prices."""

from collections.abc import Iterator
from decimal import Decimal

from trading_bots.commands import Intent, Place
from trading_bots.strategy import Strategy, View, cancel_oldest, on_tick

_FAR = Decimal("0.003")
"""Distance from the fair price, as a part of it, of a quote beside an empty side of the book."""
_NEAR = Decimal("0.0005")
"""Least distance of a quote from the fair price, as a part of it: half of what a round trip earns.
"""


class MarketMaker(Strategy):
    """A bid and an ask inside the spread at each decision; it cancels its oldest quotes.

    It quotes few lots, so that others can move the price, and its quotes follow.
    """

    interval_s = 0.5

    def __init__(self, most_working: int = 8, most_lots: int = 5) -> None:
        self._most_working = most_working
        self._most_lots = most_lots

    def on_timer(self, view: View, name: str) -> Iterator[Intent]:
        """One quote on each side of each security, which never crosses one of its own."""
        for security in view.securities:
            yield from cancel_oldest(view, security, self._most_working - 2)
            bid, ask = self._prices(view, security)
            for side, price in (("BUY", bid), ("SELL", ask)):
                lots = view.random.randint(1, self._most_lots)
                rules = view.rules(security)
                is_in_band = on_tick(rules, price) == price
                if is_in_band:
                    yield Place(security, side, lots * rules.lot, price)

    def _prices(self, view: View, security: str) -> tuple[Decimal, Decimal]:
        """Where to quote: inside the spread, and apart from the own quotes of the other side."""
        fair, price, tick = (
            view.fair_price(security),
            view.price(security),
            view.rules(security).tick,
        )
        best_bid = fair * (1 - _FAR) if price.bid is None else price.bid
        best_ask = fair * (1 + _FAR) if price.ask is None else price.ask
        bid = self._between(view, security, best_bid, fair * (1 - _NEAR))
        ask = self._between(view, security, best_ask, fair * (1 + _NEAR))
        own = [(order.side, order.price) for order in view.orders(security) if order.price]
        bid = min([bid, *(at - tick for side, at in own if side == "SELL")])
        ask = max([ask, bid + tick, *(at + tick for side, at in own if side == "BUY")])
        return bid, ask

    def _between(self, view: View, security: str, best: Decimal, nearest: Decimal) -> Decimal:
        """A random price between the best quote of a side and `nearest`.

        `nearest` itself when the best quote is already nearer to the fair price.
        """
        inwards = nearest - best
        is_room = inwards > 0 if nearest < view.fair_price(security) else inwards < 0
        price = best + inwards * Decimal(view.random.random()) if is_room else nearest
        return on_tick(view.rules(security), price)
