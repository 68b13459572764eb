"""Market makers of the population: two quotes about a price that their own shares shift."""

from collections.abc import Iterator
from decimal import Decimal

from trading_bots.commands import Intent, Place
from trading_bots.population.parameters import MakerParameters
from trading_bots.population.surroundings import Surroundings
from trading_bots.sizing import within_means
from trading_bots.strategy import Strategy, View, cancel, on_tick


class InventoryMaker(Strategy):
    """Renews a bid and an ask at a distance that follows the market's stress.

    The price about which it quotes falls with the shares that it has above those of its start:
    the reservation price of Avellaneda and Stoikov (2008).
    """

    def __init__(
        self,
        seed: int = 1,
        origin_us: int = 0,
        rate: float = 1.0,
        volatility: float = 1.0,
        parameters: MakerParameters | None = None,
    ) -> None:
        self._parameters = parameters or MakerParameters()
        self._surroundings = Surroundings(seed=seed, origin_us=origin_us, volatility=volatility)
        self._volatility = volatility
        self._start: int | None = None
        self.interval_s = self._parameters.interval_s / rate

    def on_timer(self, view: View, name: str) -> Iterator[Intent]:
        """Cancel what no longer stands where it should; quote where nothing stands."""
        for security in view.securities:
            bid, ask = self.quotes(view, security)
            standing = set()
            for order in view.orders(security):
                if order.is_canceling:
                    continue
                if order.price == (bid if order.side == "BUY" else ask):
                    standing.add(order.side)
                else:
                    yield cancel(order)
            for side, price in (("BUY", bid), ("SELL", ask)):
                size = within_means(view, security, side, price, self._parameters.quantity)
                if side not in standing and size:
                    yield Place(security, side, size, price, post_only=True)

    def quotes(self, view: View, security: str) -> tuple[Decimal, Decimal]:
        """Where to bid and to ask now."""
        parameters, rules = self._parameters, view.rules(security)
        shares, fair = view.holding(security).quantity, view.fair_price(security)
        if self._start is None:
            self._start = max(shares, 1)
        surplus = max(min(2 * (shares / self._start - 1), 3.0), -3.0)
        width = self._volatility * self._surroundings.stress(view) / 10_000
        middle = fair * Decimal(1 - surplus * parameters.skew_bps * width)
        half = fair * Decimal(parameters.half_spread_bps * width)
        bid, ask = on_tick(rules, middle - half), on_tick(rules, middle + half)
        return bid, max(ask, bid + rules.tick)
