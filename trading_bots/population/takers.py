"""Takers: orders that take what stands at the best price, in bursts on one side.

Each taker runs a Hawkes process of its own. A Hawkes process is a cluster process (Hawkes, Oakes,
J. Applied Probability 11, 1974): first orders of bursts arrive as a Poisson process, each order
brings about a Poisson number of further ones. So the sum over takers has the law of one process
with the sum of their rates, and no taker needs to see another one.
"""

from collections.abc import Iterator
from decimal import Decimal
from typing import NamedTuple

from trading_bots.commands import Intent, Place, WakeUp
from trading_bots.population.draws import children_of_parent, poisson, taking_size
from trading_bots.population.means import leaning_side
from trading_bots.population.parameters import TakerParameters
from trading_bots.population.surroundings import Surroundings
from trading_bots.sizing import within_means
from trading_bots.strategy import Strategy, View

_FIRST = "first"
_OTHER_SIDE = {"BUY": "SELL", "SELL": "BUY"}


class Wish(NamedTuple):
    """What the first order of a burst wants: its side, and its size as a factor."""

    side: str
    factor: float = 1.0


class Taker(Strategy):
    """Bursts of orders, immediate or canceled. Who it is decides how a burst begins.

    `share` is its part of the first orders of all takers of the security. Wake-ups are named by
    what is due: the first order of a burst, or a further one with its side.
    """

    def __init__(
        self,
        seed: int = 1,
        origin_us: int = 0,
        share: float = 1.0,
        rate: float = 1.0,
        volatility: float = 1.0,
        prices: str = "",
        parameters: TakerParameters | None = None,
    ) -> None:
        self._parameters = parameters or TakerParameters()
        self._surroundings = Surroundings(
            seed=seed, origin_us=origin_us, volatility=volatility, prices=prices
        )
        given = self._parameters
        self._first_rate = given.orders_per_second * (1 - given.branching) * share * rate
        self._decay_s = given.decay_s / rate

    def on_start(self, view: View) -> Iterator[Intent]:
        """The first wake-up."""
        yield self._next(view)

    def on_timer(self, view: View, name: str) -> Iterator[Intent]:
        """One order at most; and the wake-ups of those that it brings about."""
        security = view.securities[0]
        if name == _FIRST:
            yield self._next(view)
            wish = self.wish(view, security)
            if wish is not None:
                yield from self._take(view, security, wish)
        elif name in _OTHER_SIDE:
            yield from self._take(view, security, Wish(name))

    def wish(self, view: View, security: str) -> Wish | None:
        """What a burst that is due begins with; None: it does not take place."""
        return Wish(leaning_side(view, security, view.fair_price(security)))

    def order_name(self, view: View) -> str | None:
        """The name of the next order; None: the runner's."""
        return None

    def _next(self, view: View) -> WakeUp:
        amount = view.random.expovariate(self._first_rate)
        regimes = self._surroundings.volume(view.securities[0])
        return WakeUp(regimes.wait_s(view.now_us, amount), _FIRST)

    def _take(self, view: View, security: str, wish: Wish) -> Iterator[Intent]:
        parameters, random = self._parameters, view.random
        size = max(round(taking_size(random, parameters) * wish.factor), 1)
        for _ in range(poisson(random, parameters.branching)):
            is_same = random.random() < parameters.same_side
            side = wish.side if is_same else _OTHER_SIDE[wish.side]
            yield WakeUp(random.expovariate(1 / self._decay_s), side)
        book = view.book(security)
        levels = book.asks if wish.side == "BUY" else book.bids
        if not levels:
            return
        best = levels[0]
        if parameters.is_capped:
            price, size = best.price, min(size, best.quantity)
        else:
            price = levels[-1].price
        quantity = within_means(view, security, wish.side, price, size)
        if quantity:
            name = self.order_name(view)
            yield Place(security, wish.side, quantity, price, "IOC", client_order_id=name)


class ParentTrader(Taker):
    """Works one large order after another, cut into children; each child begins a burst.

    Orders are named `parent-K-N`: the N-th order of the K-th parent.
    """

    _side = ""
    _left = 0
    _parent = 0
    _order = 0

    def wish(self, view: View, security: str) -> Wish | None:
        """The next child; a new parent begins when the last one is done."""
        if self._left <= 0:
            self._left = children_of_parent(view.random, self._parameters)
            self._side = leaning_side(view, security, view.fair_price(security))
            self._parent += 1
            self._order = 0
        self._left -= 1
        return Wish(self._side)

    def order_name(self, view: View) -> str | None:
        """`parent-K-N`."""
        self._order += 1
        return f"parent-{self._parent}-{self._order}"


class FundamentalTrader(Taker):
    """Buys below the fundamental value and sells above it; larger where the gap is larger."""

    def wish(self, view: View, security: str) -> Wish | None:
        """Towards the value, where it is off by more than half the spread and a tick."""
        price = view.price(security)
        if price.bid is None or price.ask is None:
            return None
        middle, tick = (price.bid + price.ask) / 2, view.rules(security).tick
        gap = Decimal(self._surroundings.value(view, security)) - middle
        needed = (price.ask - price.bid) / 2 + tick
        if abs(gap) <= needed:
            return None
        return Wish("BUY" if gap > 0 else "SELL", min(float(abs(gap) / needed) / 2, 3.0))


class TrendTrader(Taker):
    """Follows the newest price change with `direction` 1 (momentum), trades against it with -1.

    The change is that of the middle since its last look.
    """

    direction = 1
    _seen: Decimal | None = None

    def wish(self, view: View, security: str) -> Wish | None:
        """The side of the change, or the other one; None while nothing has changed."""
        seen, fair = self._seen, view.fair_price(security)
        self._seen = fair
        if seen is None or fair == seen:
            return None
        is_up = (fair > seen) == (self.direction > 0)
        return Wish("BUY" if is_up else "SELL")


class MomentumTaker(TrendTrader):
    """Follows price changes."""

    direction = 1


class ContrarianTaker(TrendTrader):
    """Trades against price changes."""

    direction = -1
