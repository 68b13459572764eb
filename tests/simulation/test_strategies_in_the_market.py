"""What strategies are known for, in simulated markets: few seeds, and what chance alone would give.

Each claim compares two runs, or two bots of one run, seed by seed. If the two were alike, each seed
would go either way like a coin, and all of `SEEDS` would agree by chance once in 2 ** len(SEEDS):
once in 32. The seeds are fixed, so a test that has passed goes on passing until the code changes.
"""

from collections.abc import Callable, Mapping
from decimal import Decimal
from math import sqrt
from typing import Any

import pytest

from trading_bots.population.parameters import ValueParameters
from trading_bots.population.values import fundamental_value
from trading_bots.strategies.informed import Informed
from trading_bots.strategy import Strategy
from venue_simulation.market_plan import START_US, BotSpec, MarketPlan, SecuritySpec
from venue_simulation.market_run import MarketRun, run_market
from venue_simulation.simulated_market import SimulatedMarket
from venue_simulation.simulated_venue import Committed

SEEDS = (1, 2, 3, 4, 5)
NAME = "AAPL"
HOME = 1_000
"""Shares of a maker at the start."""


def noise(bots: int = 2) -> list[BotSpec]:
    """Zero intelligence: the flow that the others trade against."""
    parameters = {"limit_rate": 1.0, "market_rate": 0.2, "cancel_rate": 0.02}
    return [_rich(f"noise{number}", "zero_intelligence", parameters) for number in range(bots)]


def _rich(client_id: str, strategy: Any, parameters: Mapping[str, Any]) -> BotSpec:
    return BotSpec(
        client_id=client_id,
        strategy=strategy,
        parameters=parameters,
        cash=Decimal(10_000_000),
        shares={NAME: 50_000},
        group="population",
    )


def play(
    seed: int, bots: list[BotSpec], seconds: float, inventory: "Inventory | None" = None
) -> MarketRun:
    plan = MarketPlan(
        seed=seed,
        securities=(SecuritySpec(security=NAME),),
        bots=tuple(bots),
        seconds=seconds,
        sample_s=5.0,
    )
    run = run_market(plan, [inventory] if inventory is not None else [])
    assert all(bot.stopped is None for bot in run.bots.values())
    return run


class Inventory:
    """An observer: what `maker` holds beside its shares of the start, every five seconds."""

    def __init__(self) -> None:
        self.seen: list[int] = []

    def begun(self, market: SimulatedMarket) -> None:
        """Nothing was traded yet."""

    def committed(self, market: SimulatedMarket, committed: Committed) -> None:
        """Only samples count."""

    def sampled(self, market: SimulatedMarket) -> None:
        """One look at the holding."""
        self.seen.append(market.venue.clearing.tables.deposits["maker", NAME].quantity - HOME)

    def spread(self) -> float:
        """Root of the mean square, shares."""
        return sqrt(sum(held**2 for held in self.seen) / len(self.seen))


def inventory_spread(seed: int, strategy: str) -> float:
    """How far the inventory of a maker strays in five minutes among noise."""
    inventory = Inventory()
    maker = BotSpec(
        client_id="maker",
        strategy=strategy,
        parameters={"quantity": 10},
        cash=Decimal(200_000),
        shares={NAME: HOME},
    )
    run = play(seed, [maker, *noise()], 300, inventory)
    assert run.bots["maker"].numbers["fills"] > 0
    return inventory.spread()


@pytest.mark.parametrize("seed", SEEDS)
def test_avellaneda_stoikov_strays_less_in_inventory_than_a_symmetric_maker(seed: int) -> None:
    assert inventory_spread(seed, "avellaneda_stoikov") < inventory_spread(seed, "symmetric_maker")


def informed_about(seed: int) -> Callable[..., Strategy]:
    """Makes bots that see, with noise, a value that moves by 10 basis points a second."""

    def value(security: str, time_us: int) -> float:
        moves = ValueParameters(deviation_bps=10.0)
        return fundamental_value(seed, security, 100.0, START_US, moves, 1.0).at(time_us)

    def make(**parameters: Any) -> Strategy:
        return Informed(value, **parameters)

    return make


@pytest.mark.parametrize("seed", SEEDS)
def test_who_is_informed_earns_more_than_who_trades_at_random(seed: int) -> None:
    informed = informed_about(seed)
    players = [
        BotSpec(client_id=client_id, strategy=strategy, parameters=given, shares={NAME: 100})
        for client_id, strategy, given in (
            ("informed", informed, {"quantity": 5}),
            ("noise", "retail", {"interval_s": 5.0}),
        )
    ]
    others = [_rich("other", informed, {"quantity": 40, "noise_bps": 5.0})]
    run = play(seed, [*players, *others, *noise()], 300)
    assert min(run.bots[name].numbers["fills"] for name in ("informed", "noise")) >= 10
    assert run.bots["informed"].profit_e4 > run.bots["noise"].profit_e4


@pytest.mark.parametrize("seed", SEEDS)
def test_momentum_loses_in_a_market_that_returns_to_its_mean(seed: int) -> None:
    anchors = [
        _rich(f"anchor{number}", "informed", {"quantity": 60, "noise_bps": 1.0, "margin_bps": 3.0})
        for number in range(2)
    ]
    trend = BotSpec(
        client_id="momentum", strategy="momentum", parameters={"fast_s": 10, "slow_s": 60}
    )
    run = play(seed, [trend, *anchors, *noise(3)], 600)
    assert run.bots["momentum"].numbers["fills"] > 0
    assert run.bots["momentum"].profit_e4 < 0
