"""Liquidity providers: patient orders on both sides, which give the book its depth.

Zero intelligence in the sense of Smith, Farmer et al. (2003): arrivals, placements and cancels are
random; only distances follow the market's stress, and the side follows the own means.
"""

from collections.abc import Iterator
from decimal import Decimal

from trading_bots.commands import Intent, Place, WakeUp
from trading_bots.population.draws import distance_ticks, resting_size
from trading_bots.population.means import leaning_side
from trading_bots.population.parameters import ProviderParameters
from trading_bots.population.surroundings import Surroundings
from trading_bots.sizing import within_means
from trading_bots.strategy import Strategy, View, cancel, on_tick

_MOST_ORDERS = 400
"""Open orders of one provider: a bound that only a frozen market reaches."""


class LiquidityProvider(Strategy):
    """Places `share` of the security's limit orders, and cancels each after a random time.

    One chain of wake-ups for both: the next event comes after an exponential time at the rate of
    placements plus the highest rate of cancels; then it is drawn which one it is, and a cancel that
    came too early for its order is none.
    """

    def __init__(
        self,
        seed: int = 1,
        origin_us: int = 0,
        share: float = 1.0,
        rate: float = 1.0,
        volatility: float = 1.0,
        parameters: ProviderParameters | None = None,
    ) -> None:
        self._parameters = parameters or ProviderParameters()
        self._surroundings = Surroundings(seed=seed, origin_us=origin_us, volatility=volatility)
        self._volatility = volatility
        self._place_rate = self._parameters.orders_per_second * share * rate
        self._cancel_rate = self._parameters.cancels_per_second * rate
        self._fastest_cancel = self._cancel_rate * self._parameters.cancel_factor_at_best
        self._counted = 0

    def on_start(self, view: View) -> Iterator[Intent]:
        """The orders that would rest here if it had always traded, and the first wake-up."""
        resting = min(round(self._place_rate / self._cancel_rate), _MOST_ORDERS // 2)
        for _ in range(resting - len(view.orders())):
            yield from self._place(view, view.securities[0])
        yield self._next(view, resting)

    def on_timer(self, view: View, name: str) -> Iterator[Intent]:
        """One placement, or a cancel, or neither; and the next wake-up."""
        security = view.securities[0]
        orders = view.orders(security)
        place_rate, counted = self._place_rate, self._counted
        total = place_rate + counted * self._fastest_cancel
        drawn = view.random.random() * total
        if drawn < place_rate:
            if len(orders) < _MOST_ORDERS:
                yield from self._place(view, security)
        else:
            chosen = min(int((drawn - place_rate) / self._fastest_cancel), counted - 1)
            chance = view.random.random()
            if chosen < len(orders) and not orders[chosen].is_canceling:
                order = orders[chosen]
                is_at_best = order.price == self._best(view, security, order.side)
                if is_at_best or chance * self._fastest_cancel < self._cancel_rate:
                    yield cancel(order)
        yield self._next(view, len(orders))

    def _next(self, view: View, orders: int) -> WakeUp:
        self._counted = orders
        return WakeUp(view.random.expovariate(self._place_rate + orders * self._fastest_cancel))

    def _best(self, view: View, security: str, side: str) -> Decimal | None:
        book = view.book(security)
        levels = book.bids if side == "BUY" else book.asks
        return levels[0].price if levels else None

    def _place(self, view: View, security: str) -> Iterator[Place]:
        parameters, random, rules = self._parameters, view.random, view.rules(security)
        fair = view.fair_price(security)
        side = leaning_side(view, security, fair)
        tick = rules.tick
        ticks_a_bp = (
            float(fair / tick) / 10_000 * self._volatility * self._surroundings.stress(view)
        )
        distance = distance_ticks(
            random,
            parameters.distance_exponent,
            parameters.distance_offset_bps * ticks_a_bp,
            parameters.distance_most_bps * ticks_a_bp,
        )
        size = resting_size(random, parameters)
        opposite = self._best(view, security, "SELL" if side == "BUY" else "BUY") or fair
        price = on_tick(
            rules, opposite - tick * distance if side == "BUY" else opposite + tick * distance
        )
        quantity = within_means(view, security, side, price, size)
        if quantity:
            yield Place(security, side, quantity, price, post_only=True)
