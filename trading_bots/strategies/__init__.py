"""The strategies, by the name they have on the command line."""

from collections.abc import Callable

from trading_bots.strategies.avellaneda_stoikov import AvellanedaStoikov
from trading_bots.strategies.flood import Flood
from trading_bots.strategies.gaussian import Gaussian
from trading_bots.strategies.informed import Informed
from trading_bots.strategies.market_maker import MarketMaker
from trading_bots.strategies.mean_reversion import MeanReversion
from trading_bots.strategies.momentum import Momentum
from trading_bots.strategies.pairs import Pairs
from trading_bots.strategies.pov import Pov
from trading_bots.strategies.random_walk import RandomWalk
from trading_bots.strategies.recorded_flow import RecordedFlow
from trading_bots.strategies.retail import Retail
from trading_bots.strategies.symmetric_maker import SymmetricMaker
from trading_bots.strategies.twap import Twap
from trading_bots.strategies.uniform import Uniform
from trading_bots.strategies.vwap import Vwap
from trading_bots.strategies.zero_intelligence import ZeroIntelligence
from trading_bots.strategy import Strategy

STRATEGIES: dict[str, Callable[..., Strategy]] = {
    "random_walk": RandomWalk,
    "gaussian": Gaussian,
    "uniform": Uniform,
    "retail": Retail,
    "market_maker": MarketMaker,
    "flood": Flood,
    "zero_intelligence": ZeroIntelligence,
    "symmetric_maker": SymmetricMaker,
    "avellaneda_stoikov": AvellanedaStoikov,
    "informed": Informed,
    "momentum": Momentum,
    "mean_reversion": MeanReversion,
    "pairs": Pairs,
    "twap": Twap,
    "vwap": Vwap,
    "pov": Pov,
    "recorded_flow": RecordedFlow,
}
