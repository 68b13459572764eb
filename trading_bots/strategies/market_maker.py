"""Market maker: always there on both sides, a little better than the rest."""

from decimal import Decimal
from random import Random

from trading_bots.commands import Cancel, Place
from trading_bots.strategy import View, cancel_oldest, on_tick

_HALF_WIDTH = Decimal("0.002")
"""Distance of a quote from the fair price where a side of the book is empty, as a part of it."""


class MarketMaker:
    """A bid and an ask inside the spread at each decision; its oldest quotes leave."""

    def __init__(self, most_working: int = 20, most_lots: int = 20) -> None:
        self._most_working = most_working
        self._most_lots = most_lots

    def decide(self, view: View, random: Random) -> list[Place | Cancel]:
        """One quote a side, never crossing each other or an own quote, so that it does not trade with itself."""
        rules = view.rules
        fair = view.fair_price()
        bid = self._inside(view, random, fair, view.price.bid or fair * (1 - _HALF_WIDTH))
        ask = self._inside(view, random, fair, view.price.ask or fair * (1 + _HALF_WIDTH))
        own_bids = [order.price for order in view.working if order.side == "BUY"]
        own_asks = [order.price for order in view.working if order.side == "SELL"]
        bid = min([bid, *(price - rules.tick for price in own_asks)])
        ask = max([ask, bid + rules.tick, *(price + rules.tick for price in own_bids)])
        quotes = [self._quote(view, random, side, price) for side, price in (("BUY", bid), ("SELL", ask))]
        return [*cancel_oldest(view, self._most_working - len(quotes)), *(quote for quote in quotes if quote)]

    def _inside(self, view: View, random: Random, fair: Decimal, outer: Decimal) -> Decimal:
        """A price between the fair one and the best quote of a side, on the tick."""
        return on_tick(view.rules, outer + (fair - outer) * Decimal(random.random()))

    def _quote(self, view: View, random: Random, side: str, price: Decimal) -> Place | None:
        """A quote of 1 to `most_lots` lots; None where the price would leave the band."""
        lots = random.randint(1, self._most_lots)
        if on_tick(view.rules, price) != price:
            return None
        return Place(view.rules.security, side, lots * view.rules.lot, price)
