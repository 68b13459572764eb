"""The other traders of a competition, as the rules name them."""

from collections.abc import Sequence
from decimal import Decimal

from trading_bots.population.default_population import PopulationBot, default_population
from trading_bots.population.parameters import TradedSecurity
from venue_competition.rules import Rules

_EXAMPLES = ("market_maker", "random_walk", "gaussian", "market_maker", "uniform", "retail")
_CASH = Decimal(1_000_000)
_SHARES = 10_000
"""Nobody runs dry in a round."""
PREFIX = "population."


def population(ours: Rules, seed: int, origin_us: int) -> Sequence[PopulationBot]:
    """The bots of the population; none where the rules say so."""
    if ours.population.name == "default":
        return default_population(
            seed,
            [
                TradedSecurity(
                    security=rule.security,
                    name=rule.security,
                    reference_price=rule.reference_price,
                    tick=rule.tick,
                    volatility=float(rule.volatility),
                )
                for rule in ours.securities
            ],
            float(ours.population.rate),
            origin_us=origin_us,
            prefix=PREFIX,
        )
    count = ours.population.size if ours.population.name == "examples" else 0
    names = ours.security_names()
    return [
        PopulationBot(
            client_id=f"{PREFIX}{number:03d}",
            strategy=_EXAMPLES[number % len(_EXAMPLES)],
            parameters={},
            security=names[number % len(names)],
            cash=_CASH,
            shares=_SHARES,
        )
        for number in range(count)
    ]
