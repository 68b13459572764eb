"""`./venue enroll`: accounts for bots at any clearinghouse, as the file that `python -m
trading_bots` reads.
"""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import msgspec

from trading_bots.runner import BotSettings
from venue_launcher.admin_client import Administration
from venue_launcher.administrator_connection import AdministrationError
from venue_launcher.errors import CommandError
from venue_launcher.state_folder import write_private
from venue_launcher.terminal import report

STRATEGIES = ("market_maker", "random_walk", "gaussian", "uniform", "retail")
MARKET_MAKER_CASH = "1000000.00"
MARKET_MAKER_SHARES = 10_000
TRADER_SHARES = 50


@dataclass(frozen=True)
class Access:
    """A clearinghouse and an administrator's key."""

    clearinghouse_url: str
    admin_key: str


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Where the clearinghouse is, its key, the securities, and the file."""
    parser.add_argument("--clearinghouse-url", default="http://127.0.0.1:8003")
    parser.add_argument(
        "--key-file", type=Path, required=True, help="holds the administrator's key"
    )
    parser.add_argument(
        "--file", type=Path, required=True, help="where to write the bots; left alone if it exists"
    )
    parser.add_argument(
        "--securities",
        nargs="+",
        default=["AAPL", "MSFT"],
        help="one bot of each strategy for each",
    )


def run(arguments: argparse.Namespace) -> int:
    """Create the accounts, once."""
    if arguments.file.exists():
        report(f"{arguments.file} exists already: its bots keep their accounts")
        return 0
    if not arguments.key_file.exists():
        raise CommandError(f"{arguments.key_file} is missing: run ./venue provision first")
    administration = Administration(
        Access(arguments.clearinghouse_url, arguments.key_file.read_text().strip())
    )
    bots = [_enroll(administration, *role) for role in roles(arguments.securities)]
    write_private(arguments.file, msgspec.json.encode(bots).decode())
    report(f"{len(bots)} bots enrolled in {arguments.file}")
    return 0


def roles(securities: Sequence[str]) -> list[tuple[str, str, int]]:
    """Strategy, security and seed of each bot.

    No two have one seed: with a seed for each strategy all securities would draw one picture.
    """
    bots = product(securities, STRATEGIES)
    return [(strategy, security, seed) for seed, (security, strategy) in enumerate(bots, start=1)]


def _enroll(administration: Administration, strategy: str, security: str, seed: int) -> BotSettings:
    """A market maker brings cash and shares of its own; a trader has the usual cash and some shares
    to sell.

    An account that an interrupted enrollment left gets a new key.
    """
    is_maker = strategy == "market_maker"
    client_id = f"bot-{strategy}-{security}".lower()
    try:
        key = administration.create_client(
            client_id,
            "market_maker" if is_maker else "trader",
            MARKET_MAKER_CASH if is_maker else None,
            {security: MARKET_MAKER_SHARES} if is_maker else None,
        )
        if not is_maker:
            administration.deposit(
                {"client_id": client_id, "security": security, "shares": TRADER_SHARES}
            )
    except AdministrationError as refused:
        if refused.status != 409:
            raise
        key = administration.add_key(client_id)
    return BotSettings(
        client_id=client_id, api_key=key, security=security, strategy=strategy, seed=seed
    )
