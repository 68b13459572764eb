"""A back-test: players on a market of a population, described as a plan, and told in words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from venue_protocol.money import format_e4, format_for_people
from venue_simulation.market_plan import BotSpec, Latency, MarketPlan, SecuritySpec
from venue_simulation.market_run import BotResult, MarketRun

_NAMES = ("AAPL", "MSFT", "GOOG", "AMZN", "TSLA")
_ROLES = ("market_maker", "retail", "market_maker", "random_walk", "market_maker", "retail")
_POPULATION_CASH = Decimal(50_000_000)
_POPULATION_SHARES = 500_000


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
    bots: int = 20
    """Bots of the population."""
    cash: Decimal = Decimal(10_000)
    shares: int = 100
    """Of each security, at the start of each player."""
    latency: Latency = field(default_factory=Latency)


def plan_of(settings: BacktestSettings) -> MarketPlan:
    """The market of these settings. ValueError for settings that describe none."""
    if settings.securities < 1 or settings.seconds <= 0 or settings.bots < 0:
        raise ValueError("a market has a security, a length above 0, and no fewer than 0 bots")
    names = [security_name(number) for number in range(settings.securities)]
    return MarketPlan(
        seed=settings.seed,
        securities=tuple(SecuritySpec(security=name) for name in names),
        bots=(*players(settings, names), *population(settings.bots, names)),
        seconds=settings.seconds,
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


def population(bots: int, names: Sequence[str]) -> list[BotSpec]:
    """The bots that make the market."""
    return [
        BotSpec(
            client_id=f"{role}_{number + 1}",
            strategy=role,
            cash=_POPULATION_CASH,
            shares=dict.fromkeys(names, _POPULATION_SHARES),
            latency=Latency(jitter_us=2_000),
            group="population",
        )
        for number in range(bots)
        for role in (_ROLES[number % len(_ROLES)],)
    ]


def security_name(number: int) -> str:
    """AAPL, MSFT …, then S6, S7 …"""
    return _NAMES[number] if number < len(_NAMES) else f"S{number + 1}"


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
    widths = [max(len(row[column]) for row in table) for column in range(len(header))]
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
