"""The arguments of `./venue compete`, `verify`, `team` and `round`."""

import argparse
from pathlib import Path


def add_compete(parser: argparse.ArgumentParser) -> None:
    """The rules or the new bot, how to play, and where the results go."""
    parser.add_argument(
        "what",
        metavar="FILE",
        help="competition.toml; with --ladder the new bot, such as my_bot.py",
    )
    parser.add_argument(
        "--simulated", action="store_true", help="in one process and simulated time"
    )
    parser.add_argument("--output", type=Path, metavar="DIR", help="a new folder for the results")
    parser.add_argument("--ladder", type=Path, metavar="DIR", help="play against the bots in DIR")
    parser.add_argument(
        "--seeds", type=int, default=5, help="pairs of rounds against each stored bot (default 5)"
    )


def add_verify(parser: argparse.ArgumentParser) -> None:
    """The folder, and where the strategies are."""
    parser.add_argument("results", type=Path, help="a results folder of ./venue compete")
    parser.add_argument(
        "--bots",
        type=Path,
        metavar="DIR",
        help="play simulated rounds again too, with the strategies as the rules name them, in DIR; "
        "this runs their code",
    )


def add_team(parser: argparse.ArgumentParser) -> None:
    """One action each."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    add = actions.add_parser("add", help="make teams; those that are there are left alone")
    add.add_argument("names", nargs="*", help="the teams' names")
    add.add_argument("--csv", type=Path, metavar="FILE", help="names, in the column `team`")
    add.add_argument("--keys", type=Path, metavar="FILE", help="write the keys there, mode 0600")
    actions.add_parser("list", help="all teams with their cash")
    code = actions.add_parser("code", help="open a join code: teams make themselves with it")
    code.add_argument("label", help="a name for the code, such as autumn")
    code.add_argument("--places", type=int, required=True, help="so many teams")
    code.add_argument("--hours", type=float, default=24.0, help="how long (default 24)")
    actions.add_parser("codes", help="all join codes, and how many joined with each")
    closing = actions.add_parser("close", help="take nobody more with a join code")
    closing.add_argument("label", help="the code's label")
    for name, says in (
        ("remove", "freeze a team and revoke its keys; its history stays"),
        ("freeze", "cancel a team's orders and refuse new ones"),
        ("release", "let a frozen team trade again"),
    ):
        action = actions.add_parser(name, help=says)
        action.add_argument("name", help="the team's name")
        if name == "freeze":
            action.add_argument("--reason", help="why, for the record")


def add_round(parser: argparse.ArgumentParser) -> None:
    """One action each."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    actions.add_parser("start", help="begin continuous trading")
    actions.add_parser("stop", help="close, and cancel all open orders")
    following = actions.add_parser(
        "next", help="stop, bring all teams to the start by journals, and start"
    )
    following.add_argument(
        "rules", nargs="?", type=Path, help="competition.toml with cash and shares of the start"
    )
