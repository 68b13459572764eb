"""The strategies, by the name they have on the command line."""

from collections.abc import Callable

from trading_bots.strategies.flood import Flood
from trading_bots.strategies.gaussian import Gaussian
from trading_bots.strategies.market_maker import MarketMaker
from trading_bots.strategies.random_walk import RandomWalk
from trading_bots.strategies.retail import Retail
from trading_bots.strategies.uniform import Uniform
from trading_bots.strategy import Strategy

STRATEGIES: dict[str, Callable[..., Strategy]] = {
    "random_walk": RandomWalk,
    "gaussian": Gaussian,
    "uniform": Uniform,
    "retail": Retail,
    "market_maker": MarketMaker,
    "flood": Flood,
}
