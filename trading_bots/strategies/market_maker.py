"""Market maker: quotes both sides, a little better than the best prices."""

from decimal import Decimal
from random import Random

from trading_bots.commands import Cancel, Place
from trading_bots.strategy import View, cancel_oldest, on_tick

_FAR = Decimal("0.003")
"""Distance from the fair price, as a part of it, of a quote beside an empty side of the book."""
_NEAR = Decimal("0.0005")
"""Least distance of a quote from the fair price, as a part of it: half of what a round trip earns.
"""


class MarketMaker:
    """A bid and an ask inside the spread at each decision; it cancels its oldest quotes.

    It quotes few lots, so that others can move the price, and its quotes follow.
    """

    def __init__(self, most_working: int = 8, most_lots: int = 5) -> None:
        self._most_working = most_working
        self._most_lots = most_lots

    def decide(self, view: View, random: Random) -> list[Place | Cancel]:
        """One quote on each side, which never crosses one of its own."""
        rules = view.rules
        fair = view.fair_price()
        best_bid = fair * (1 - _FAR) if view.price.bid is None else view.price.bid
        best_ask = fair * (1 + _FAR) if view.price.ask is None else view.price.ask
        bid = self._between(view, random, best_bid, fair * (1 - _NEAR))
        ask = self._between(view, random, best_ask, fair * (1 + _NEAR))
        own_bids = [order.price for order in view.working if order.side == "BUY"]
        own_asks = [order.price for order in view.working if order.side == "SELL"]
        bid = min([bid, *(price - rules.tick for price in own_asks)])
        ask = max([ask, bid + rules.tick, *(price + rules.tick for price in own_bids)])
        quotes = [
            self._quote(view, random, side, price) for side, price in (("BUY", bid), ("SELL", ask))
        ]
        return [
            *cancel_oldest(view, self._most_working - len(quotes)),
            *(quote for quote in quotes if quote),
        ]

    def _between(self, view: View, random: Random, best: Decimal, nearest: Decimal) -> Decimal:
        """A random price between the best quote of a side and `nearest`.

        `nearest` itself when the best quote is already nearer to the fair price.
        """
        inwards = nearest - best
        is_room = inwards > 0 if nearest < view.fair_price() else inwards < 0
        return on_tick(
            view.rules, best + inwards * Decimal(random.random()) if is_room else nearest
        )

    def _quote(self, view: View, random: Random, side: str, price: Decimal) -> Place | None:
        """A quote of 1 to `most_lots` lots; None where the price would leave the band."""
        lots = random.randint(1, self._most_lots)
        if on_tick(view.rules, price) != price:
            return None
        return Place(view.rules.security, side, lots * view.rules.lot, price)
