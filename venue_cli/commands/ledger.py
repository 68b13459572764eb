"""`./venue ledger`: a trial balance, an account with its entries, one journal."""

import argparse

from venue_audit import ledger_view


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What to show, and which databases."""
    ledger_view.add_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """0 when the books balance, 1 when they part."""
    return ledger_view.run(arguments)
