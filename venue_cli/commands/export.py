"""`./venue export ledger`: the ledger as the text of a bookkeeping program."""

import argparse

from venue_audit import ledger_export


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """For which program, and which databases."""
    ledger_export.add_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """0 once it is written."""
    return ledger_export.run(arguments)
