"""What the bots of one market share: seed, origin, and a security's volatility."""

from dataclasses import dataclass, field

from trading_bots.population.parameters import RegimeParameters, ValueParameters
from trading_bots.population.regimes import VolumeRegimes, volume_regimes
from trading_bots.population.values import daily_prices, fundamental_value, market_stress
from trading_bots.strategy import View


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """Gives a bot value, stress and volume regime at the time of its view.

    `origin_us` is the time at which every path begins, microseconds since 1970. The value begins at
    the reference price of the security.
    """

    seed: int
    origin_us: int
    volatility: float = 1.0
    prices: str = ""
    """A CSV of daily prices that the value follows; empty: the random path."""
    day_s: float = 23_400.0
    """How long a day of that file lasts."""
    values: ValueParameters = field(default_factory=ValueParameters)
    regimes: RegimeParameters = field(default_factory=RegimeParameters)

    def value(self, view: View, security: str) -> float:
        """The fundamental value now, dollars."""
        price = float(view.rules(security).reference_price)
        if self.prices:
            return daily_prices(self.prices, price, self.origin_us, self.day_s).at(view.now_us)
        path = fundamental_value(
            self.seed, security, price, self.origin_us, self.values, self.volatility
        )
        return path.at(view.now_us)

    def stress(self, view: View) -> float:
        """The stress of the market now; 1 on average."""
        return market_stress(self.seed, self.origin_us, self.values).level(view.now_us)

    def volume(self, security: str) -> VolumeRegimes:
        """The volume regimes of a security."""
        return volume_regimes(self.seed, security, self.origin_us, self.regimes)
