"""Who plays in a demo: accounts made for it, and the bots on them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from trading_bots.population.default_population import PopulationBot, default_population
from trading_bots.population.parameters import TradedSecurity
from trading_bots.runner import BotSettings
from venue_launcher.admin_client import Administration

PLAYERS = (
    "avellaneda_stoikov",
    "symmetric_maker",
    "momentum",
    "mean_reversion",
    "zero_intelligence",
    "random_walk",
    "retail",
)
"""Strategies that are ranked: one bot each, in all securities, with what each trader gets."""
EXAMPLES = {"market_maker": 4.0, "random_walk": 3.0, "gaussian": 2.0, "uniform": 3.0, "retail": 2.0}
"""Decisions a second of the bots of a demo's day, one of each strategy a security: their orders
cross, so that the auctions have something to pair.
"""
_MAKER_CASH = "5000000.00"
_MAKER_SHARES = 20_000
_PART = 4
"""A demo's population gets one part in so many of the default cash and shares: it is short, and a
venue has shares for many demos.
"""
_VOLATILITIES = (1.0, 0.9, 1.1, 1.2, 1.3)


@dataclass(frozen=True)
class Guest:
    """An account without a bot, for the person at the terminal."""

    client_id: str
    api_key: str


@dataclass(frozen=True)
class Cast:
    """The demo's accounts. Client ids start with `prefix`."""

    prefix: str
    bots: Sequence[BotSettings]
    guest: Guest


def traded(listed: Sequence[Mapping[str, Any]]) -> list[TradedSecurity]:
    """The venue's securities as the population trades them; each has a volatility of its own."""
    return [
        TradedSecurity(
            security=str(security["security"]),
            name=str(security["security"]),
            reference_price=Decimal(security["reference_price"]),
            tick=Decimal(security["tick"]),
            volatility=_VOLATILITIES[place % len(_VOLATILITIES)],
        )
        for place, security in enumerate(listed)
    ]


def assemble(
    administration: Administration,
    securities: Sequence[TradedSecurity],
    seed: int,
    origin_us: int,
    is_day: bool = False,
) -> Cast:
    """Create accounts under an unused prefix, so that a second demo has accounts of its own.

    The default population and the players; the examples for a day. The paths of the values begin at
    `origin_us`, microseconds since 1970.
    """
    taken = {str(client["client_id"]).partition(".")[0] for client in administration.clients()}
    number = next(number for number in range(1, len(taken) + 2) if f"demo{number}" not in taken)
    prefix = f"demo{number}."
    bots = (
        _examples(administration, prefix, securities, seed)
        if is_day
        else _market(administration, prefix, securities, seed, origin_us)
    )
    guest = f"{prefix}you"
    return Cast(prefix, bots, Guest(guest, administration.create_client(guest)))


def _market(
    administration: Administration,
    prefix: str,
    securities: Sequence[TradedSecurity],
    seed: int,
    origin_us: int,
) -> list[BotSettings]:
    """The population, and the players on it."""
    bots = [
        _participant(administration, bot, seed, prefix)
        for bot in default_population(seed, securities, origin_us=origin_us)
    ]
    names = tuple(security.security for security in securities)
    for strategy in PLAYERS:
        client_id = f"{prefix}{strategy}"
        key = administration.create_client(client_id)
        bots.append(
            BotSettings(
                client_id=client_id, api_key=key, securities=names, strategy=strategy, seed=seed
            )
        )
    return bots


def _participant(
    administration: Administration, bot: PopulationBot, seed: int, prefix: str
) -> BotSettings:
    """An account of the population: a market maker's, which is not ranked."""
    client_id = f"{prefix}{bot.client_id}"
    cash = f"{bot.cash / _PART:.2f}"
    key = administration.create_client(
        client_id, "market_maker", cash, {bot.security: bot.shares // _PART}
    )
    return BotSettings(
        client_id=client_id,
        api_key=key,
        security=bot.security,
        strategy=bot.strategy,
        parameters=dict(bot.parameters),
        seed=seed,
    )


def _examples(
    administration: Administration, prefix: str, securities: Sequence[TradedSecurity], seed: int
) -> list[BotSettings]:
    """The example strategies; a market maker brings cash and shares of its own."""
    bots = []
    for security in (each.security for each in securities):
        for strategy, rate in EXAMPLES.items():
            client_id = f"{prefix}{strategy}.{security.lower()}"
            if strategy == "market_maker":
                key = administration.create_client(
                    client_id, "market_maker", _MAKER_CASH, {security: _MAKER_SHARES}
                )
            else:
                key = administration.create_client(client_id)
            bots.append(
                BotSettings(
                    client_id=client_id,
                    api_key=key,
                    security=security,
                    strategy=strategy,
                    seed=seed,
                    rate=rate,
                )
            )
    return bots
