"""`./venue team`: add, list, remove, freeze, release."""

import argparse

from venue_competition.arguments import add_team as add_arguments

__all__ = ["add_arguments", "run"]


def run(arguments: argparse.Namespace) -> int:
    """The exit code."""
    from venue_competition import team_console

    return team_console.team(arguments)
