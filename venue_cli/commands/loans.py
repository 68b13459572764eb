"""`./venue loans`: what is lent, the rules, who may borrow, recalls, the default fund."""

import argparse

from venue_launcher import loan_console, running_venue, state_folder
from venue_launcher.admin_client import Administration


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What to do; without an action all loans are listed."""
    loan_console.add_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """One action, and what it led to."""
    venue = Administration(running_venue.attach(state_folder.choose()))
    for line in loan_console.lines(arguments, venue):
        print(line)
    return 0
