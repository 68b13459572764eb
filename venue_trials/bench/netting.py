"""`./venue bench netting`: its arguments. The desk is loaded when it is needed."""

import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """How many trades of how many members."""
    parser.add_argument("--trades", type=int, default=1_000_000, help="netted in one cycle")
    parser.add_argument("--gross", type=int, default=100_000, help="settled gross, to compare")
    parser.add_argument("--members", type=int, default=1_000)
    parser.add_argument("--securities", type=int, default=50)
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output")


def run(arguments: argparse.Namespace) -> int:
    """0 when the cycle left nothing open."""
    from venue_trials.bench import netting_desk

    return netting_desk.run(arguments)
