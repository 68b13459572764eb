"""`./venue round`: start, stop, next."""

import argparse

from venue_competition.arguments import add_round as add_arguments

__all__ = ["add_arguments", "run"]


def run(arguments: argparse.Namespace) -> int:
    """The exit code."""
    from venue_competition import team_console

    return team_console.round_(arguments)
