"""`./venue compose-env`: the `.env` that compose.yaml insists on, with random passwords, for our
eyes alone.
"""

import argparse
import secrets
from pathlib import Path

from migrations.provision import SERVICES
from venue_launcher.errors import CommandError
from venue_launcher.state_folder import write_private
from venue_launcher.terminal import report


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """--file."""
    parser.add_argument(
        "--file", type=Path, default=Path(".env"), help="where to write them (default .env)"
    )


def run(arguments: argparse.Namespace) -> int:
    """Write it once; secrets in use are never overwritten."""
    if arguments.file.exists():
        raise CommandError(
            f"{arguments.file} exists already: remove it first if you want new passwords"
        )
    write_private(
        arguments.file, "".join(f"{name}={secrets.token_hex(20)}\n" for name in variable_names())
    )
    report(f"{arguments.file} written; go on with: docker compose up --build")
    return 0


def variable_names() -> list[str]:
    """The secrets of a composed venue: the servers' own, then one for each database role."""
    return ["POSTGRES_PASSWORD", "RABBITMQ_PASSWORD", *map(role_password_variable, SERVICES)]


def role_password_variable(service: str) -> str:
    """The variable that holds the password of a service's database role."""
    return f"{service.upper()}_PASSWORD"
