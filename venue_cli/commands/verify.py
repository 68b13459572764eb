"""`./venue verify RESULTS`: compute a competition's results again from its archives."""

import argparse

from venue_competition.arguments import add_verify as add_arguments

__all__ = ["add_arguments", "run"]


def run(arguments: argparse.Namespace) -> int:
    """The exit code."""
    from venue_competition import console

    return console.verify_folder(arguments.results, arguments.bots)
