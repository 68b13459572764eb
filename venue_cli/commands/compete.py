"""`./venue compete`: a competition from one file, or a new bot against a ladder of stored ones."""

import argparse

from venue_competition.arguments import add_compete as add_arguments

__all__ = ["add_arguments", "run"]


def run(arguments: argparse.Namespace) -> int:
    """The exit code."""
    from venue_competition import console

    return console.compete(arguments)
