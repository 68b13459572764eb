"""Who trades in the default market: roles, accounts, means and parameters of every bot."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from trading_bots.population.parameters import SECURITIES, TakerParameters, TradedSecurity

_MODULE = "trading_bots.population"
_PROVIDERS = 8
_FUNDAMENTALS = 4
_MAKERS = 2


@dataclass(frozen=True, kw_only=True)
class PopulationBot:
    """One bot. `strategy` is module:Class, `parameters` are plain values."""

    client_id: str
    strategy: str
    parameters: Mapping[str, Any]
    security: str
    cash: Decimal
    """Dollars at the start: as much as the shares are worth."""
    shares: int


@dataclass(frozen=True)
class _Role:
    name: str
    strategy: str
    bots: int
    value: Decimal
    """Dollars in cash, and as many in shares, of each bot."""
    first_orders: float = 0.0
    """Part of the takers' bursts that all bots of this role begin together."""


def default_population(
    seed: int,
    securities: Sequence[TradedSecurity] = SECURITIES,
    rate: float = 1.0,
    *,
    origin_us: int,
    prefix: str = "",
    prices: Mapping[str, str] | None = None,
) -> list[PopulationBot]:
    """Twenty bots for each security, in the order of the securities.

    `rate` runs the whole market that much quicker or slower. All paths of values begin at
    `origin_us`, microseconds since 1970. `prices` gives, by security, a CSV of daily prices that
    its value follows. ValueError for a rate that is not above 0.
    """
    if not rate > 0:
        raise ValueError(f"a rate of {rate} is not above 0")
    recorded = prices or {}
    return [
        _bot(role, number, security, rate, seed, origin_us, prefix, recorded)
        for security in securities
        for role in _roles()
        for number in range(1, role.bots + 1)
    ]


def _roles() -> tuple[_Role, ...]:
    given = TakerParameters()
    fundamental, momentum = given.fundamental_share, given.momentum_share
    contrarian = given.contrarian_share
    parents = 1 - fundamental - momentum - contrarian
    million = Decimal(1_000_000)
    return (
        _Role("provider", "providers:LiquidityProvider", _PROVIDERS, 4 * million),
        _Role("maker", "makers:InventoryMaker", _MAKERS, million),
        _Role("parent", "takers:ParentTrader", given.parents, 4 * million, parents),
        _Role("fundamental", "takers:FundamentalTrader", _FUNDAMENTALS, 4 * million, fundamental),
        _Role("momentum", "takers:MomentumTaker", 1, 2 * million, momentum),
        _Role("contrarian", "takers:ContrarianTaker", 1, 2 * million, contrarian),
    )


def _bot(
    role: _Role,
    number: int,
    security: TradedSecurity,
    rate: float,
    seed: int,
    origin_us: int,
    prefix: str,
    prices: Mapping[str, str],
) -> PopulationBot:
    parameters: dict[str, Any] = {
        "seed": seed,
        "origin_us": origin_us,
        "rate": rate,
        "volatility": security.volatility,
    }
    if role.first_orders:
        parameters["share"] = role.first_orders / role.bots
        if security.security in prices:
            parameters["prices"] = prices[security.security]
    elif role.name == "provider":
        parameters["share"] = 1 / role.bots
    return PopulationBot(
        client_id=f"{prefix}{role.name}{number}.{security.security.lower()}",
        strategy=f"{_MODULE}.{role.strategy}",
        parameters=parameters,
        security=security.security,
        cash=role.value,
        shares=int(role.value / security.reference_price),
    )
