"""What `./venue loans` asks the clearinghouse, and how its answers read."""

import argparse
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from venue_launcher.admin_client import Administration

_RULES = ("initial_bps", "maintenance_bps", "fee_bps", "call_ms", "pool_bps")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """One action for each thing an organiser decides."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION")
    actions.add_parser("list", help="all loans and the pool (the default)")
    rules = actions.add_parser("rules", help="show or change what a loan asks for")
    rules.add_argument("--open", choices=("yes", "no"), help="whether every client may borrow")
    for name in _RULES:
        rules.add_argument(f"--{name.replace('_', '-')}", type=int, metavar="N")
    for name, says in (
        ("allow", "let a client borrow"),
        ("forbid", "let a client borrow no more"),
        ("as-all", "treat a client as the rules say for everybody"),
    ):
        actions.add_parser(name, help=says).add_argument("client")
    recall = actions.add_parser("recall", help="ask for borrowed shares back")
    recall.add_argument("client")
    recall.add_argument("security")
    recall.add_argument("quantity", type=int)
    recall.add_argument("--reason")
    fund = actions.add_parser("fund", help="show the default fund, or move a member's cash")
    fund.add_argument("client", nargs="?")
    fund.add_argument("cash", nargs="?", help="dollars into it; below zero: back")


def lines(arguments: argparse.Namespace, venue: Administration) -> Iterator[str]:
    """Do it, and say what came of it."""
    action = arguments.action or "list"
    if action == "list":
        yield from _listed(venue)
    elif action == "rules":
        yield from _rules(arguments, venue)
    elif action == "recall":
        body = {
            "client_id": arguments.client,
            "security": arguments.security,
            "quantity": arguments.quantity,
            "reason": arguments.reason,
        }
        answer = venue.recall_loan(body)
        due = _time(answer["call_due_us"])
        yield f"{arguments.client} returns {answer['recalled']} {arguments.security} until {due}"
    elif action == "fund":
        yield from _fund(arguments, venue)
    else:
        is_allowed = {"allow": True, "forbid": False, "as-all": None}[action]
        venue.allow_short_selling(arguments.client, is_allowed)
        yield f"{arguments.client}: {action}"


def _listed(venue: Administration) -> Iterator[str]:
    loans = venue.loans()
    for loan in loans:
        yield _loan(loan)
    if not loans:
        yield "nothing is borrowed"
    for row in venue.lendable():
        yield (
            f"pool {row['security']}: {row['available']} can be borrowed, {row['lent']} are"
            f" ({row['mark']} a share)"
        )


def _loan(loan: dict[str, Any]) -> str:
    text = (
        f"{loan['client_id']} owes {loan['quantity']} {loan['security']} (${loan['value']}):"
        f" ${loan['collateral']} held of ${loan['initial']}, call below ${loan['maintenance']}"
    )
    if loan["stage"] != "open":
        return f"{text}; {loan['stage']}"
    if loan["call"] is None:
        return text
    return f"{text}; {loan['call']} call until {_time(loan['call_due_us'])}"


def _rules(arguments: argparse.Namespace, venue: Administration) -> Iterator[str]:
    changes = {
        name: value for name in _RULES if (value := getattr(arguments, name, None)) is not None
    }
    if arguments.open is not None:
        changes["is_open"] = arguments.open == "yes"
    for name, value in venue.margin_rules(changes).items():
        yield f"{name} {str(value).lower()}"


def _fund(arguments: argparse.Namespace, venue: Administration) -> Iterator[str]:
    if arguments.client is not None and arguments.cash is not None:
        total = venue.contribute(arguments.client, arguments.cash)
        yield f"{arguments.client} has ${total} in the default fund"
        return
    members = venue.default_fund()
    for member in members:
        yield f"{member['client_id']} ${member['contribution']}"
    if not members:
        yield "the default fund is empty"


def _time(time_us: int | None) -> str:
    if time_us is None:
        return "now"
    return datetime.fromtimestamp(time_us / 1_000_000, UTC).strftime("%H:%M:%S UTC")
