"""`python -m trading_bots`: runs one bot from options or the environment, or many from a file.

A signal ends it.
"""

import argparse
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import FrameType

import msgspec

from trading_bots.progress import Progress
from trading_bots.refusal import Refused, VenueUnavailable
from trading_bots.runner import BotSettings, Fleet, Way
from trading_bots.strategies import STRATEGIES
from trading_bots.venue_address import VenueAddress

log = logging.getLogger("trading_bots")

_REPORT_EVERY_S = 5.0


def main(arguments: Sequence[str], environment: Mapping[str, str]) -> int:
    """Run the bots that the arguments and the environment name; the exit code."""
    options = _parser(environment).parse_args(arguments)
    logging.basicConfig(
        level=logging.WARNING, format="%(asctime)s %(levelname)s %(message)s", stream=sys.stderr
    )
    stopping = threading.Event()

    def stop(_signal: int, _frame: FrameType | None) -> None:
        stopping.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    try:
        bots = read_bots(options)
        address = VenueAddress(options.order_entry_url, options.market_data_url)
        fleet = _fleet(bots, address, stopping, options.orders_over)
    except (ValueError, OSError, Refused) as error:
        print(f"trading_bots: {error}", file=sys.stderr)
        return 2
    if fleet is None:
        return 0
    return _play(fleet, stopping, None if options.quiet else Progress(fleet, address, stopping))


def read_bots(options: argparse.Namespace) -> list[BotSettings]:
    """The bots of the file, or the one that the options describe.

    ValueError says what is missing or wrong.
    """
    if options.bots:
        text = (
            sys.stdin.read()
            if options.bots == "-"
            else Path(options.bots).read_text(encoding="utf-8")
        )
        return msgspec.json.decode(text, type=list[BotSettings])
    missing = [
        name
        for name in ("client_id", "api_key", "strategy", "securities")
        if not getattr(options, name)
    ]
    if missing:
        raise ValueError(
            f"missing {', '.join('--' + name.replace('_', '-') for name in missing)}; see --help"
        )
    bot = BotSettings(
        client_id=options.client_id,
        api_key=options.api_key,
        strategy=options.strategy,
        securities=tuple(filter(None, options.securities.split(","))),
        parameters=_parameters(options.set),
        seed=options.seed,
        rate=options.rate,
    )
    return [bot]


def _parameters(settings: Sequence[str]) -> dict[str, str]:
    """Names and values of `--set name=value`; ValueError."""
    parameters: dict[str, str] = {}
    for setting in settings:
        name, equals, value = setting.partition("=")
        if not name or not equals:
            raise ValueError(f"--set {setting}: write name=value")
        parameters[name] = value
    return parameters


def _fleet(
    bots: list[BotSettings], address: VenueAddress, stopping: threading.Event, way: Way
) -> Fleet | None:
    """The fleet, once the venue answers; None if a signal comes before that."""
    while not stopping.is_set():
        try:
            return Fleet(bots, address, way)
        except VenueUnavailable as error:
            log.warning("waiting for the venue: %s", error)
    return None


def _play(fleet: Fleet, stopping: threading.Event, progress: Progress | None) -> int:
    """Let the fleet trade and print its progress; 1 when every bot ended by itself."""
    started = time.monotonic()
    if progress:
        progress.lines(0.0)
    fleet.start()
    while not stopping.wait(_REPORT_EVERY_S) and fleet.is_playing():
        _print_progress(progress, started, stopping)
    ended_alone = not stopping.is_set()
    fleet.stop()
    _print_progress(progress, started, stopping)
    return 1 if ended_alone else 0


def _print_progress(progress: Progress | None, started: float, stopping: threading.Event) -> None:
    """Print a line for each bot; a closed pipe (`… | head`) ends the bots too."""
    if progress is None:
        return
    try:
        print("\n".join(progress.lines(time.monotonic() - started)), flush=True)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        stopping.set()


def _parser(environment: Mapping[str, str]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m trading_bots",
        description="Runs a strategy at the venue. Every option may come from the environment "
        "instead: VENUE_CLIENT_ID, VENUE_API_KEY, VENUE_ORDER_ENTRY_URL, VENUE_MARKET_DATA_URL, "
        "VENUE_BOT_STRATEGY, VENUE_BOT_SET, VENUE_BOT_SECURITIES, VENUE_BOT_SEED, VENUE_BOT_RATE, "
        "VENUE_BOT_ORDERS_OVER, VENUE_BOTS.",
    )
    get, address = environment.get, VenueAddress.find(environment)
    parser.add_argument(
        "--client-id", default=get("VENUE_CLIENT_ID"), help="the account to trade with"
    )
    parser.add_argument(
        "--api-key", default=get("VENUE_API_KEY"), help="its key; better given as VENUE_API_KEY"
    )
    parser.add_argument(
        "--strategy",
        default=get("VENUE_BOT_STRATEGY"),
        help=f"{', '.join(STRATEGIES)}; or your own, as module:Class or path/to/file.py:Class",
    )
    parser.add_argument(
        "--set",
        metavar="NAME=VALUE",
        action="append",
        default=(get("VENUE_BOT_SET") or "").split(),
        help="a parameter of the strategy, such as spread=0.02; may be given often",
    )
    parser.add_argument(
        "--securities",
        "--security",
        default=get("VENUE_BOT_SECURITIES") or get("VENUE_BOT_SECURITY"),
        help="for example AAPL,MSFT",
    )
    parser.add_argument(
        "--seed", type=int, default=get("VENUE_BOT_SEED", "1"), help="of the bot's dice (default 1)"
    )
    parser.add_argument(
        "--rate",
        type=float,
        default=get("VENUE_BOT_RATE"),
        help="decisions a second (default: as the strategy says)",
    )
    parser.add_argument(
        "--bots",
        metavar="FILE",
        default=get("VENUE_BOTS"),
        help="many bots in one process: a JSON list of objects with client_id, api_key, "
        "strategy, parameters, securities, seed and rate; - reads it from standard input",
    )
    parser.add_argument(
        "--orders-over",
        choices=["websocket", "http"],
        default=get("VENUE_BOT_ORDERS_OVER", "websocket"),
        help="how orders are sent (default websocket)",
    )
    parser.add_argument("--quiet", action="store_true", help="print warnings only, no progress")
    parser.add_argument("--order-entry-url", default=address.order_entry_url)
    parser.add_argument("--market-data-url", default=address.market_data_url)
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], os.environ))
