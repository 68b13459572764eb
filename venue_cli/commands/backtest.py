"""`./venue backtest`: bots on a market in simulated time, on the venue's own desk, engine and
ledger.
"""

import argparse
import json
from pathlib import Path

from venue_launcher.errors import CommandError
from venue_launcher.terminal import report
from venue_simulation.backtest_arguments import SetParameter, settings_of

_PAIRS = 8


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
        action=SetParameter,
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
        "--fees",
        metavar="MAKER,TAKER[,AUCTION]",
        help="what trading costs everybody, basis points; write --fees=-1,3 for a rebate",
    )
    parser.add_argument(
        "--output", type=Path, metavar="FOLDER", help="write the archive and equity.csv there"
    )
    parser.add_argument(
        "--facts",
        action="store_true",
        help="measure the market: its stylised facts beside those of three real stocks",
    )
    parser.add_argument(
        "--seeds",
        type=int,
        help="markets, from --seed on: with --facts (default 1), or pairs of them with --from-log "
        "(default 8)",
    )
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output")
    _add_counterfactual(parser)


def run(arguments: argparse.Namespace) -> int:
    """0 when the market was played to its end."""
    if arguments.from_log is not None or arguments.without or arguments.replace:
        return _run_counterfactual(arguments)
    from venue_simulation import backtest
    from venue_simulation.fact_run import measure
    from venue_simulation.market_run import run_market

    try:
        settings = settings_of(arguments)
        if arguments.facts:
            print(measure(settings, arguments.seeds or 1, report).told(arguments.json))
            return 0
        played = run_market(backtest.plan_of(settings), archive=arguments.output)
    except (ValueError, FileExistsError) as error:
        raise CommandError(str(error)) from error
    if arguments.output is not None:
        backtest.write_equity(played, arguments.output / "equity.csv")
    if arguments.json:
        print(json.dumps(backtest.as_json(played), indent=2))
    else:
        print("\n".join(backtest.lines(played)))
    return 0


def _add_counterfactual(parser: argparse.ArgumentParser) -> None:
    changed = parser.add_argument_group("what a bot earned because it was there")
    changed.add_argument(
        "--from-log", type=Path, metavar="FOLDER", help="the archive of a market, played again"
    )
    changed.add_argument("--without", metavar="BOT", help="once with this bot, once without")
    changed.add_argument(
        "--replace", metavar="BOT=STRATEGY", help="once with this bot, once with another strategy"
    )
    changed.add_argument(
        "--recorded", action="store_true", help="let the others send what was recorded"
    )


def _run_counterfactual(arguments: argparse.Namespace) -> int:
    from venue_simulation import counterfactual

    if arguments.from_log is None or bool(arguments.without) == bool(arguments.replace):
        raise CommandError(
            "--from-log FOLDER takes one of --without BOT and --replace BOT=STRATEGY"
        )
    bot, strategy = arguments.without, None
    if arguments.replace:
        bot, _, strategy = arguments.replace.partition("=")
        if not strategy:
            raise CommandError(f"--replace {arguments.replace}: write --replace BOT=STRATEGY")
    try:
        answer = counterfactual.counterfactual(
            arguments.from_log, bot, strategy, arguments.seeds or _PAIRS, arguments.recorded
        )
    except ValueError as error:
        raise CommandError(str(error)) from error
    if arguments.json:
        print(json.dumps(counterfactual.as_json(answer), indent=2))
    else:
        print("\n".join(counterfactual.lines(answer)))
    return 0
