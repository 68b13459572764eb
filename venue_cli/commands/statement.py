"""`./venue statement CLIENT`: a period's balances, movements and profit, with sums that fit."""

import argparse

from venue_audit import statements


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The client, the period, the form, which databases."""
    statements.add_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """0 when every sum fits, 1 when they part."""
    return statements.run(arguments)
