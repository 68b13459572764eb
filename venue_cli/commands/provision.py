"""`./venue provision`: databases, roles, first state and administrator's key of a venue whose
processes others run.
"""

import argparse
import os
from pathlib import Path

from clearinghouse.bootstrap import ensure_administrator, seed
from migrations.provision import SERVICES, provision
from venue_cli.commands.compose_env import role_password_variable
from venue_launcher.errors import CommandError
from venue_launcher.infrastructure import given
from venue_launcher.state_folder import write_private
from venue_launcher.terminal import report


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """--instance and --key-file."""
    parser.epilog = (
        "Needs VENUE_POSTGRES_URL and, for each service's database role, its password in "
        f"{', '.join(map(role_password_variable, SERVICES))}."
    )
    parser.add_argument(
        "--instance", default="venue", help="prefix of databases and roles (default venue)"
    )
    parser.add_argument(
        "--key-file", type=Path, required=True, help="where the administrator's key is kept"
    )


def run(arguments: argparse.Namespace) -> int:
    """Idempotent: makes what is missing, migrates what is old."""
    found = given.find_postgres(os.environ)
    databases = provision(found.url, arguments.instance, _passwords())
    seed(databases.owner_clearing_url)
    path = arguments.key_file
    key = ensure_administrator(
        databases.owner_clearing_url, path.read_text().strip() if path.exists() else None
    )
    if key:
        write_private(path, key + "\n")
    report(
        f"databases {arguments.instance}_* at {found.place} are ready; the key is in "
        f"{arguments.key_file}"
    )
    return 0


def _passwords() -> dict[str, str]:
    missing = [name for name in map(role_password_variable, SERVICES) if not os.environ.get(name)]
    if missing:
        raise CommandError(f"{', '.join(missing)} not set: make them with ./venue compose-env")
    return {service: os.environ[role_password_variable(service)] for service in SERVICES}
