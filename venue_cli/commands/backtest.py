"""`./venue backtest`: bots on a market in simulated time, on the venue's own desk, engine and
ledger.
"""

import argparse
import json
from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TYPE_CHECKING, Any

from venue_launcher.errors import CommandError

if TYPE_CHECKING:
    from venue_simulation.backtest import BacktestSettings


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Players, market, output."""
    parser.add_argument(
        "--strategy",
        action="append",
        default=[],
        metavar="NAME",
        help="a bot to test: a name, module:Class or file.py:Class; may be repeated",
    )
    parser.add_argument(
        "--set",
        action=_SetParameter,
        default=[],
        metavar="KEY=VALUE",
        help="a parameter of the --strategy before it",
    )
    parser.add_argument("--securities", type=int, default=1, help="how many (default 1)")
    parser.add_argument(
        "--seconds", type=float, default=3600.0, help="of simulated time (default 3600)"
    )
    parser.add_argument("--seed", type=int, default=1, help="of all dice (default 1)")
    parser.add_argument(
        "--rate", type=float, default=1.0, help="of the population (default 1; 0: there is none)"
    )
    parser.add_argument("--cash", default="10000", help="of each player (default 10000)")
    parser.add_argument(
        "--shares", type=int, default=100, help="of each security and player (default 100)"
    )
    parser.add_argument(
        "--latency-us", type=int, default=500, help="each way of a player (default 500)"
    )
    parser.add_argument(
        "--output", type=Path, metavar="FOLDER", help="write the archive and equity.csv there"
    )
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output")


def run(arguments: argparse.Namespace) -> int:
    """0 when the market was played to its end."""
    from venue_simulation import backtest
    from venue_simulation.market_run import run_market

    try:
        plan = backtest.plan_of(settings(arguments))
        played = run_market(plan, archive=arguments.output)
    except (ValueError, FileExistsError) as error:
        raise CommandError(str(error)) from error
    if arguments.output is not None:
        backtest.write_equity(played, arguments.output / "equity.csv")
    if arguments.json:
        print(json.dumps(backtest.as_json(played), indent=2))
    else:
        print("\n".join(backtest.lines(played)))
    return 0


def settings(arguments: argparse.Namespace) -> "BacktestSettings":
    """The settings that the command line says. ValueError for what is none."""
    from venue_simulation.backtest import BacktestSettings, Player
    from venue_simulation.market_plan import Latency

    try:
        cash = Decimal(arguments.cash)
    except InvalidOperation as error:
        raise ValueError(f"--cash {arguments.cash} is no amount") from error
    parameters: list[dict[str, str]] = [{} for _ in arguments.strategy]
    for number, key, value in arguments.set:
        parameters[number][key] = value
    return BacktestSettings(
        players=[
            Player(strategy=name, parameters=given)
            for name, given in zip(arguments.strategy, parameters, strict=True)
        ],
        securities=arguments.securities,
        seconds=arguments.seconds,
        seed=arguments.seed,
        rate=arguments.rate,
        cash=cash,
        shares=arguments.shares,
        latency=Latency(order_us=arguments.latency_us, feed_us=arguments.latency_us),
    )


class _SetParameter(argparse.Action):
    """Notes a parameter with the number of the strategy that it belongs to."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: str | Sequence[Any] | None,
        option_string: str | None = None,
    ) -> None:
        """`--set key=value`, after a `--strategy`."""
        key, equals, value = str(values).partition("=")
        if not equals or not key:
            parser.error(f"--set {values}: write --set KEY=VALUE")
        if not namespace.strategy:
            parser.error("--set belongs to the --strategy before it")
        namespace.set = [*namespace.set, (len(namespace.strategy) - 1, key, value)]
