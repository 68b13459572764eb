"""`./venue verify RESULTS`: compute a competition's results again from its archives."""

import argparse
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The folder."""
    parser.add_argument("results", type=Path, help="a results folder of ./venue compete")


def run(arguments: argparse.Namespace) -> int:
    """0 if every byte follows from the archives, else 1 with the names of the files."""
    from venue_competition import console

    return console.verify_folder(arguments.results)
