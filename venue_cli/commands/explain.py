"""`./venue explain CLIENT`: every movement of a client's cash and shares, with its cause and the
running balance.
"""

import argparse

from venue_audit import explain


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The client and which databases."""
    explain.add_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """0 when all is explained, 1 when movements and live values part."""
    return explain.run(arguments)
