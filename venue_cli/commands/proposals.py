"""`./venue proposals`: bust or correct a trade, fine a client, and consent as a second one."""

import argparse
from pathlib import Path
from typing import Any

from venue_launcher import running_venue, state_folder
from venue_launcher.errors import CommandError
from venue_launcher.proposal_client import ProposalClient
from venue_launcher.terminal import table

_COLUMNS = ["proposal_id", "kind", "status", "about", "change", "proposed_by", "decided_by"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What to propose, or which proposal to decide; without an action, what is open."""
    parser.add_argument(
        "--key-file",
        type=Path,
        metavar="FILE",
        help="the key of the administrator that acts; default: the venue's own",
    )
    actions = parser.add_subparsers(dest="action", metavar="ACTION")
    listed = actions.add_parser("list", help="what waits for a second administrator")
    listed.add_argument("--all", action="store_true", help="what was decided too")
    bust = actions.add_parser("bust", help="undo a trade: cash, shares and fees go back")
    bust.add_argument("trade_id", type=int, metavar="TRADE")
    correct = actions.add_parser("correct", help="settle a trade at another price or quantity")
    correct.add_argument("trade_id", type=int, metavar="TRADE")
    correct.add_argument("--price", metavar="DOLLARS")
    correct.add_argument("--quantity", type=int, metavar="SHARES")
    fine = actions.add_parser("fine", help="take cash from a client, to the account of fees")
    fine.add_argument("client_id", metavar="CLIENT")
    fine.add_argument("cash", metavar="DOLLARS")
    for proposing in (bust, correct, fine):
        proposing.add_argument("--reason", required=True, help="why, for the record and for both")
    consent = actions.add_parser("consent", help="do what another administrator proposed")
    decline = actions.add_parser("decline", help="decide against a proposal, or take it back")
    for deciding in (consent, decline):
        deciding.add_argument("proposal_id", type=int, metavar="PROPOSAL")
    decline.add_argument("--reason", help="why not")


def run(arguments: argparse.Namespace) -> int:
    """Propose, decide or list."""
    venue = running_venue.attach(state_folder.choose())
    client = ProposalClient(venue, _key(arguments.key_file))
    if arguments.action in (None, "list"):
        rows = client.proposals(is_open=not getattr(arguments, "all", False))
        print(table([_line(row) for row in rows], _COLUMNS))
    elif arguments.action == "consent":
        done = client.consent(arguments.proposal_id)
        print(f"proposal {done['proposal_id']} is done by journal {done['journal_id']}")
    elif arguments.action == "decline":
        decided = client.decline(arguments.proposal_id, arguments.reason)
        print(f"proposal {decided['proposal_id']} is {decided['status']}")
    else:
        made = client.propose(_body(arguments))
        print(
            f"proposal {made['proposal_id']} waits for another administrator:"
            f" ./venue proposals --key-file FILE consent {made['proposal_id']}"
        )
    return 0


def _key(file: Path | None) -> str | None:
    if file is None:
        return None
    try:
        return file.read_text().strip()
    except OSError as error:
        raise CommandError(f"{file}: {error.strerror}") from error


def _body(arguments: argparse.Namespace) -> dict[str, Any]:
    """What is proposed; fields that were not given are left out."""
    kind = {"correct": "correction"}.get(arguments.action, arguments.action)
    sent = {name: getattr(arguments, name, None) for name in _FIELDS}
    return {"kind": kind} | {name: value for name, value in sent.items() if value is not None}


_FIELDS = ("trade_id", "price", "quantity", "client_id", "cash", "reason")


def _line(row: dict[str, Any]) -> dict[str, Any]:
    """A proposal with one word for what it is about, and one for what it changes."""
    about = f"trade {row['trade_id']}" if row["trade_id"] is not None else row["client_id"]
    words = {
        "price": f"${row['price']}",
        "quantity": f"{row['quantity']} shares",
        "cash": f"${row['cash']}",
        "shares": f"{row['shares']} {row['security']}",
    }
    change = ", ".join(said for name, said in words.items() if row[name] is not None)
    return row | {"about": about, "change": change or "-", "decided_by": row["decided_by"] or "-"}
