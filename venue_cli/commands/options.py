"""Options that several commands share."""

import argparse

from venue_launcher.infrastructure.ways import WAYS


def add_infrastructure(parser: argparse.ArgumentParser) -> None:
    """--infrastructure, None when the first way that works shall be taken."""
    parser.add_argument(
        "--infrastructure",
        choices=WAYS,
        help="how to get Postgres and RabbitMQ: given (VENUE_POSTGRES_URL, VENUE_BROKER_URL), "
        "local (usual ports of this machine), private (started here from installed programs), "
        "download (started here from downloaded programs); default: what the last start took, "
        "else the first that works",
    )
