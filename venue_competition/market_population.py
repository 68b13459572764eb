"""The other traders of a simulated competition, as the rules name them."""

from collections.abc import Sequence
from decimal import Decimal

from venue_competition.rules import Rules
from venue_simulation.market_plan import BotSpec

_ROLES = ("market_maker", "random_walk", "gaussian", "market_maker", "uniform", "retail")
_CASH = Decimal(1_000_000)
_SHARES = 10_000
"""Of each security: nobody runs dry in a round."""


def population(ours: Rules) -> Sequence[BotSpec]:
    """The bots of the population; none where the rules say so."""
    if ours.population.name == "none":
        return ()
    shares = dict.fromkeys(ours.security_names(), _SHARES)
    return tuple(
        BotSpec(
            client_id=f"population.{number:03d}",
            strategy=_ROLES[number % len(_ROLES)],
            cash=_CASH,
            shares=shares,
            group="population",
        )
        for number in range(ours.population.size)
    )
