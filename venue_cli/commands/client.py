"""`./venue client`: create, list, suspend, resume, rotate-key, set."""

import argparse

from service_runtime.api_keys import ADMINISTRATOR
from venue_launcher import running_venue, state_file, state_folder
from venue_launcher.admin_client import Administration
from venue_launcher.terminal import table

_COLUMNS = ["client_id", "role", "balance", "held", "available", "suspended"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """One action each."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    create = actions.add_parser("create", help="make an account and print its API key, this once")
    create.add_argument("name", help="the client's id")
    create.add_argument(
        "--cash", metavar="DOLLARS", help='for example "10000.00"; default: what each trader gets'
    )
    create.add_argument(
        "--role", default="trader", choices=["trader", "market_maker", "administrator"]
    )
    actions.add_parser("list", help="all clients with their cash, and whether they are suspended")
    suspend = actions.add_parser(
        "suspend", help="cancel a client's orders and refuse new ones; its keys still read"
    )
    suspend.add_argument("name", help="the client's id")
    suspend.add_argument("--reason", help="why, for the record and for the client")
    resume = actions.add_parser("resume", help="take a suspended client's orders again")
    resume.add_argument("name", help="the client's id")
    rotate = actions.add_parser(
        "rotate-key", help="revoke all keys of a client and print a new one, this once"
    )
    rotate.add_argument("name", help="the client's id")
    change = actions.add_parser("set", help="change what holds for a client")
    change.add_argument("name", help="the client's id")
    change.add_argument(
        "--rate-limit",
        required=True,
        metavar="ORDERS",
        type=_rate_limit,
        help="orders per second, sustained; default: the one that each client has",
    )


def run(arguments: argparse.Namespace) -> int:
    """The key alone goes to standard output."""
    administration = Administration(running_venue.attach(state_folder.choose()))
    if arguments.action == "list":
        print(table([_line(client) for client in administration.clients()], _COLUMNS))
    else:
        print(_change(administration, arguments))
    return 0


def _change(administration: Administration, arguments: argparse.Namespace) -> str:
    """Does what was asked; what is to be printed."""
    name = arguments.name
    if arguments.action == "create":
        return administration.create_client(name, arguments.role, arguments.cash)
    if arguments.action == "suspend":
        administration.suspend(name, arguments.reason)
        return f"{name} is suspended: its open orders are being canceled, new ones are refused"
    if arguments.action == "resume":
        was = administration.resume(name)
        return f"{name} may trade again" if was else f"{name} was not suspended"
    if arguments.action == "rotate-key":
        key = administration.rotate_keys(name)
        if name == ADMINISTRATOR:
            state_file.keep_administrator_key(state_folder.choose(), key)
        return key
    administration.set_rate_limit(name, arguments.rate_limit)
    return (
        f"{name} has the usual rate limit"
        if arguments.rate_limit is None
        else f"{name} may send {arguments.rate_limit} orders per second"
    )


def _line(client: dict[str, object]) -> dict[str, object]:
    """A client with one word for its suspension."""
    if client.get("suspended_us") is None:
        return client | {"suspended": "-"}
    return client | {"suspended": client.get("suspension_reason") or "yes"}


def _rate_limit(text: str) -> int | None:
    """Orders per second, or None for the word default."""
    if text == "default":
        return None
    if not (text.isascii() and text.isdigit()):
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number, and not 'default'")
    return int(text)
