"""A back-test: players on a market of a population, described as a plan, and told in words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from trading_bots.population.default_population import default_population
from trading_bots.population.parameters import SECURITIES, TradedSecurity
from venue_protocol.fee_schedule import ALL_SECURITIES, STANDARD, FeeRow
from venue_protocol.fees import FeeRates
from venue_protocol.money import format_e4, format_for_people
from venue_simulation.market_plan import START_US, BotSpec, Latency, MarketPlan, SecuritySpec
from venue_simulation.market_run import BotResult, MarketRun

_POPULATION_LATENCY = Latency(jitter_us=2_000)


@dataclass(frozen=True, kw_only=True)
class Player:
    """A strategy that is tested, and its parameters."""

    strategy: str
    parameters: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class BacktestSettings:
    """What a back-test is made of."""

    players: Sequence[Player] = ()
    securities: int = 1
    seconds: float = 3600.0
    seed: int = 1
    rate: float = 1.0
    """How quick the population is; 0: there is none."""
    cash: Decimal = Decimal(10_000)
    shares: int = 100
    """Of each security, at the start of each player."""
    latency: Latency = field(default_factory=Latency)
    fees: FeeRates | None = None
    """What all trading costs; None: nothing."""


def plan_of(settings: BacktestSettings) -> MarketPlan:
    """The market of these settings. ValueError for settings that describe none."""
    if not 1 <= settings.securities <= len(SECURITIES):
        raise ValueError(f"the default market has 1 to {len(SECURITIES)} securities")
    if settings.seconds <= 0 or settings.rate < 0:
        raise ValueError("a market has a length above 0, and a rate of 0 or more")
    traded = SECURITIES[: settings.securities]
    listed = tuple(
        SecuritySpec(
            security=each.security,
            name=each.name,
            reference_price=each.reference_price,
            tick=each.tick,
        )
        for each in traded
    )
    names = [each.security for each in listed]
    others = population(settings.seed, traded, settings.rate) if settings.rate else []
    fees: tuple[FeeRow, ...] = ()
    if settings.fees is not None:
        rates = settings.fees
        row = FeeRow(ALL_SECURITIES, STANDARD, rates.maker_bps, rates.taker_bps, rates.auction_bps)
        fees = (row,)
    return MarketPlan(
        seed=settings.seed,
        securities=listed,
        bots=(*players(settings, names), *others),
        seconds=settings.seconds,
        fees=fees,
    )


def players(settings: BacktestSettings, names: Sequence[str]) -> list[BotSpec]:
    """The bots that are tested: `player_1`, `player_2` …"""
    return [
        BotSpec(
            client_id=f"player_{number}",
            strategy=player.strategy,
            parameters=player.parameters,
            cash=settings.cash,
            shares=dict.fromkeys(names, settings.shares),
            latency=settings.latency,
        )
        for number, player in enumerate(settings.players, 1)
    ]


def population(
    seed: int,
    securities: Sequence[TradedSecurity] = SECURITIES,
    rate: float = 1.0,
    origin_us: int = START_US,
) -> list[BotSpec]:
    """The bots that make the default market, twenty for each security."""
    return [
        BotSpec(
            client_id=bot.client_id,
            strategy=bot.strategy,
            parameters=bot.parameters,
            securities=(bot.security,),
            cash=bot.cash,
            shares={bot.security: bot.shares},
            latency=_POPULATION_LATENCY,
            group="population",
        )
        for bot in default_population(seed, securities, rate, origin_us=origin_us)
    ]


def as_json(run: MarketRun) -> dict[str, Any]:
    """The result for programs. Amounts are decimal text."""
    return {
        "seed": run.plan.seed,
        "seconds": run.plan.seconds,
        "log_hash": run.log_hash,
        "counts": dict(sorted(run.counts.items())),
        "archive": str(run.archive) if run.archive is not None else None,
        "bots": [
            {
                "client_id": bot.client_id,
                "group": bot.group,
                "equity_start": format_e4(bot.start_e4),
                "equity_end": format_e4(bot.end_e4),
                "profit": format_e4(bot.profit_e4),
                "stopped": bot.stopped,
                "refused": dict(sorted(bot.refused.items())),
                **{name: bot.numbers[name] for name in _NUMBERS},
                "turnover": format_e4(bot.numbers["turnover_e4"]),
                "fees": format_e4(bot.numbers["fees_e4"]),
            }
            for bot in run.bots.values()
        ],
    }


def lines(run: MarketRun) -> list[str]:
    """The result for people: the market, then one line for each player, then what went wrong."""
    counts, plan = run.counts, run.plan
    minutes = plan.seconds / 60
    said = [
        f"market    {len(plan.securities)} securities, {len(plan.bots)} bots, {minutes:,.1f} "
        f"minutes of simulated time, seed {plan.seed}",
        f"traded    {counts['trades']:,} trades of {counts['shares']:,} shares, from "
        f"{counts['commands']:,} commands",
        f"log       {run.log_hash}",
        "",
    ]
    shown = [bot for bot in run.bots.values() if bot.group == "player"] or list(run.bots.values())
    header = ("bot", "start", "end", "profit", "orders", "fills", "shares", "refused")
    table = [header, *(_row(bot) for bot in shown)]
    if plan.fees:
        paid = [format_for_people(bot.numbers["fees_e4"]) for bot in shown]
        table = [(*row, cell) for row, cell in zip(table, ["fees", *paid], strict=True)]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    for row in table:
        cells = [row[0].ljust(widths[0])]
        cells += [cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True)]
        said.append("  ".join(cells).rstrip())
    for bot in run.bots.values():
        if bot.stopped is not None:
            said.append(f"stopped   {bot.client_id}: {bot.stopped}")
        for code, count in sorted(bot.refused.items()) if bot.group == "player" else ():
            said.append(f"refused   {bot.client_id}: {count:,} times {code}")
    if run.archive is not None:
        said += ["", f"archive   {run.archive}: ./venue audit --archive {run.archive}"]
    return said


def write_equity(run: MarketRun, path: Path) -> None:
    """The equity curves as CSV: time_us, then one column a bot, dollars."""
    names = list(run.curves)
    rows = ["time_us," + ",".join(names)]
    for points in zip(*(run.curves[name] for name in names), strict=True):
        rows.append(f"{points[0][0]}," + ",".join(format_e4(equity) for _, equity in points))
    path.write_text("\n".join(rows) + "\n")


_NUMBERS = ("commands", "orders", "canceled", "fills", "shares_traded")


def _row(bot: BotResult) -> tuple[str, ...]:
    profit = format_for_people(bot.profit_e4)
    return (
        bot.client_id,
        format_for_people(bot.start_e4),
        format_for_people(bot.end_e4),
        profit if bot.profit_e4 < 0 else f"+{profit}",
        f"{bot.numbers['orders']:,}",
        f"{bot.numbers['fills']:,}",
        f"{bot.numbers['shares_traded']:,}",
        f"{sum(bot.refused.values()):,}",
    )
