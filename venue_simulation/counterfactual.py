"""What a bot earned because it was there: the same market again, without it or with another in its
place, and the paired difference.

Where the archive has a plan whose strategies can be loaded, the others react, and each pair is one
seed. Otherwise the others send what they sent then, at the same times, and each pair is a block of
time of one market.

Earned is what a bot has more than if it had kept what it started with: a price that moves earns
nothing for shares that were there before.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec

from clearinghouse.domain.venue_accounts import VENUE_ACCOUNTS
from trading_bots.dice import dice
from trading_bots.strategy import Strategy
from venue_protocol.fee_schedule import STANDARD, FeeRow
from venue_protocol.holds import CASH
from venue_protocol.money import format_e4, format_for_people, parse_e4
from venue_simulation.market_archive import MarketArchive
from venue_simulation.market_plan import (
    BotLimits,
    BotSpec,
    Latency,
    MarketPlan,
    PhaseSpec,
    SecuritySpec,
)
from venue_simulation.market_run import run_market
from venue_simulation.recorded_commands import RecordedCommands, commands_of
from venue_simulation.simulated_market import SimulatedMarket, strategy_of
from venue_simulation.simulated_venue import Committed

_RESAMPLES = 2_000
_BLOCKS = 30
_MILLION = 1_000_000


class DoesNothing(Strategy):
    """Keeps what it has: the account of a bot that is not there."""


@dataclass(frozen=True)
class Pair:
    """What the bot earned as it was, and changed; ten-thousandths of a dollar."""

    name: str
    """The seed, or the block of time."""
    as_it_was_e4: int
    changed_e4: int

    @property
    def difference_e4(self) -> int:
        """What the bot earned more as it was."""
        return self.as_it_was_e4 - self.changed_e4


class Earned:
    """An observer: what each bot has more than if it had kept what it started with."""

    def __init__(self) -> None:
        self.times: list[int] = []
        self.curves: dict[str, list[int]] = {}
        self._players: list[str] = []

    def begun(self, market: SimulatedMarket) -> None:
        """A curve for each bot."""
        self.curves = {client_id: [] for client_id in market.seats}
        seats = market.seats.items()
        self._players = [name for name, seat in seats if seat.spec.group == "player"]

    def committed(self, market: SimulatedMarket, committed: Committed) -> None:
        """Only samples count."""

    def sampled(self, market: SimulatedMarket) -> None:
        """One point of each curve."""
        self.times.append(market.now_us)
        marks = {name: each.mark_e4() for name, each in market.markets.items()}
        for client_id, curve in self.curves.items():
            spec = market.seats[client_id].spec
            kept_e4 = parse_e4(spec.cash)
            kept_e4 += sum(quantity * marks[name] for name, quantity in spec.shares.items())
            curve.append(market.equity_e4(client_id) - kept_e4)

    def end_e4(self, bot: str) -> int:
        """What a bot had earned at the end."""
        return self.curves[bot][-1]

    def others_e4(self, bot: str) -> int:
        """What all players but this one had earned at the end."""
        return sum(self.end_e4(name) for name in self._players if name != bot)


@dataclass(frozen=True)
class Counterfactual:
    """The answer: pairs, their mean difference, and its 95 % bootstrap interval."""

    bot: str
    change: str
    reacts: bool
    """Whether the others reacted, or sent what was recorded."""
    pairs: Sequence[Pair]
    others_e4: int
    """How much more all other players earned with the bot as it was; the mean over the pairs of
    seeds, or the whole of the recorded market.
    """
    mean_e4: float
    low_e4: float
    high_e4: float


def counterfactual(
    folder: Path,
    bot: str,
    strategy: str | None = None,
    seeds: int = 8,
    is_recorded: bool = False,
) -> Counterfactual:
    """The bot of this archive replaced by `strategy`, or by nobody (None).

    ArchiveFault for a folder without an archive, ValueError for a bot or strategy that is not
    there.
    """
    archive = MarketArchive(folder)
    plan = None if is_recorded else _reacting_plan(archive)
    change = f"replaced by {strategy}" if strategy is not None else "away"
    if plan is not None:
        _require(bot, [each.client_id for each in plan.bots])
        pairs, others_e4 = _over_seeds(plan, bot, strategy, seeds)
    else:
        plan = _recorded_plan(archive)
        _require(bot, [each.client_id for each in plan.bots])
        before = _played(plan)
        after = _played(_changed(plan, bot, strategy))
        pairs = _blocks(before, after, bot, plan.start_us)
        others_e4 = before.others_e4(bot) - after.others_e4(bot)
        return _answer(bot, change, False, pairs, others_e4)
    return _answer(bot, change, True, pairs, others_e4)


def lines(answer: Counterfactual) -> list[str]:
    """The answer for people."""
    per = "seed" if answer.reacts else "block of time"
    how = "the others react" if answer.reacts else "the others send what was recorded"
    said = [
        f"bot       {answer.bot}, and the same market with it {answer.change}; {how}",
        "",
        f"{per:>14}  {'as it was':>14}  {'changed':>14}  {'difference':>14}",
    ]
    said += [
        f"{pair.name:>14}  {format_for_people(pair.as_it_was_e4):>14}  "
        f"{format_for_people(pair.changed_e4):>14}  {format_for_people(pair.difference_e4):>14}"
        for pair in answer.pairs
    ]
    mean, low, high = (
        format_for_people(round(each)) for each in (answer.mean_e4, answer.low_e4, answer.high_e4)
    )
    return [
        *said,
        "",
        f"earned because of itself: {mean} a {per}, 95 % interval {low} to {high} "
        f"(bootstrap over {len(answer.pairs)} pairs)",
        f"all other players earned {format_for_people(answer.others_e4)} more with it as it was",
    ]


def as_json(answer: Counterfactual) -> dict[str, Any]:
    """The answer for programs; amounts are decimal text."""
    return {
        "bot": answer.bot,
        "change": answer.change,
        "others_react": answer.reacts,
        "pairs": [
            {
                "name": pair.name,
                "as_it_was": format_e4(pair.as_it_was_e4),
                "changed": format_e4(pair.changed_e4),
                "difference": format_e4(pair.difference_e4),
            }
            for pair in answer.pairs
        ],
        "others": format_e4(answer.others_e4),
        "mean": format_e4(round(answer.mean_e4)),
        "interval": [format_e4(round(answer.low_e4)), format_e4(round(answer.high_e4))],
    }


def plan_of_json(content: Mapping[str, Any]) -> MarketPlan:
    """The plan that a manifest holds. ValueError where it holds none."""
    try:
        bots = tuple(_bot_of(each) for each in content["bots"])
        return MarketPlan(
            seed=content["seed"],
            securities=tuple(
                msgspec.convert(each, SecuritySpec, strict=False) for each in content["securities"]
            ),
            bots=bots,
            seconds=content["seconds"],
            start_us=content["start_us"],
            phases=tuple(msgspec.convert(each, PhaseSpec) for each in content["phases"]),
            rate_limit_per_second=content["rate_limit_per_second"],
            sample_s=content["sample_s"],
            fees=tuple(FeeRow(*row) for row in content.get("fees", ())),
        )
    except (KeyError, TypeError, msgspec.ValidationError) as error:
        raise ValueError(f"the manifest holds no plan: {error}") from error


def _bot_of(content: Mapping[str, Any]) -> BotSpec:
    return BotSpec(
        client_id=content["client_id"],
        strategy=content["strategy"],
        parameters=content["parameters"],
        securities=tuple(content["securities"]),
        cash=Decimal(content["cash"]),
        shares=content["shares"],
        latency=msgspec.convert(content["latency"], Latency),
        group=content["group"],
        seed_name=content["seed_name"],
        limits=msgspec.convert(content["limits"], BotLimits, strict=False),
        fee_tier=content.get("fee_tier", STANDARD),
    )


def _reacting_plan(archive: MarketArchive) -> MarketPlan | None:
    """The plan, if all of its strategies can be made again."""
    try:
        plan = plan_of_json(archive.manifest.plan)
        for bot in plan.bots:
            strategy_of(bot)
    except ValueError:
        return None
    return plan


def _recorded_plan(archive: MarketArchive) -> MarketPlan:
    """A plan in which every client sends what it sent then."""
    manifest = archive.manifest
    cash, shares = _endowments(archive)
    commands = commands_of(archive)
    groups = {account.client_id: account.group for account in archive.accounts()}
    names = [name for name in groups if name not in VENUE_ACCOUNTS and name in cash]
    seconds = (manifest.end_us - manifest.start_us) / _MILLION
    return MarketPlan(
        seed=manifest.seed or 0,
        securities=tuple(
            SecuritySpec(
                security=each.security_id,
                reference_price=Decimal(format_e4(each.reference_price_e4)),
                tick=Decimal(format_e4(each.tick_e4)),
                lot=each.lot,
                band_bps=each.band_bps,
                name=each.name,
            )
            for each in archive.securities()
        ),
        bots=tuple(
            BotSpec(
                client_id=name,
                strategy=RecordedCommands,
                parameters={"commands": commands.get(name, [])},
                cash=Decimal(format_e4(cash[name])),
                shares=shares.get(name, {}),
                latency=Latency(order_us=0, feed_us=0),
                group=groups[name],
            )
            for name in names
        ),
        seconds=seconds,
        start_us=manifest.start_us,
        sample_s=max(seconds / _BLOCKS, 0.001),
    )


def _endowments(archive: MarketArchive) -> tuple[dict[str, int], dict[str, dict[str, int]]]:
    """What each client was given, all of it at the start."""
    cash: dict[str, int] = {}
    shares: dict[str, dict[str, int]] = {}
    for transfer in archive.transfers():
        for client_id, asset, amount in transfer.legs:
            cash.setdefault(client_id, 0)
            if asset == CASH:
                cash[client_id] += amount
            else:
                held = shares.setdefault(client_id, {})
                held[asset] = held.get(asset, 0) + amount
    return cash, shares


def _changed(plan: MarketPlan, bot: str, strategy: str | None) -> MarketPlan:
    """The plan with another strategy in the bot's seat."""
    maker = strategy if strategy is not None else DoesNothing
    bots = tuple(
        replace(each, strategy=maker, parameters={}) if each.client_id == bot else each
        for each in plan.bots
    )
    return replace(plan, bots=bots)


def _over_seeds(
    plan: MarketPlan, bot: str, strategy: str | None, seeds: int
) -> tuple[list[Pair], int]:
    pairs, others_e4 = [], 0
    for number in range(seeds):
        seed = plan.seed + number
        before = _played(_with_seed(plan, seed))
        after = _played(_changed(_with_seed(plan, seed), bot, strategy))
        pairs.append(Pair(str(seed), before.end_e4(bot), after.end_e4(bot)))
        others_e4 += before.others_e4(bot) - after.others_e4(bot)
    return pairs, others_e4 // max(1, seeds)


def _with_seed(plan: MarketPlan, seed: int) -> MarketPlan:
    """The plan under another seed, which bots of the population have among their parameters."""
    bots = tuple(
        replace(each, parameters={**each.parameters, "seed": seed})
        if each.parameters.get("seed") == plan.seed
        else each
        for each in plan.bots
    )
    return replace(plan, seed=seed, bots=bots)


def _played(plan: MarketPlan) -> "Earned":
    earned = Earned()
    run_market(plan, [earned])
    return earned


def _blocks(before: "Earned", after: "Earned", bot: str, start_us: int) -> list[Pair]:
    """What the bot earned in each block of time, as it was and changed."""
    was, changed = before.curves[bot], after.curves[bot]
    return [
        Pair(
            f"{(before.times[place] - start_us) / _MILLION:,.0f} s",
            was[place] - was[place - 1],
            changed[place] - changed[place - 1],
        )
        for place in range(1, min(len(was), len(changed)))
    ]


def _answer(
    bot: str, change: str, reacts: bool, pairs: Sequence[Pair], others_e4: int
) -> Counterfactual:
    differences = [pair.difference_e4 for pair in pairs]
    if not differences:
        raise ValueError("there is no pair to compare: ask for one seed or more")
    random, count = dice(len(differences), f"bootstrap/{bot}"), len(differences)
    means = sorted(
        sum(random.choice(differences) for _ in differences) / count for _ in range(_RESAMPLES)
    )
    edge = _RESAMPLES // 40
    mean = sum(differences) / count
    return Counterfactual(
        bot, change, reacts, pairs, others_e4, mean, means[edge], means[-edge - 1]
    )


def _require(bot: str, names: Sequence[str]) -> None:
    if bot not in names:
        raise ValueError(f"no bot {bot} in this archive: there are {', '.join(names[:20])}")
