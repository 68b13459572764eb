"""The folder of what belongs to one instance of the venue, which is its data in one Postgres: role
passwords, the administrator's key, services' caches.
"""

import json
import os
import secrets
from pathlib import Path

import psycopg2

from clearinghouse.bootstrap import check_endowment, ensure_administrator, seed
from migrations.provision import SERVICES, Provisioned, provision
from service_runtime.settings import SettingsError
from venue_launcher.errors import VenueError
from venue_launcher.infrastructure.finder import Infrastructure, place_key
from venue_launcher.signals import shielded
from venue_launcher.state_folder import instance_name, write_private


class InstanceError(VenueError):
    """The data and what we know of them don't fit; the message says what to do."""


class InstanceFolder:
    """Of one state folder and one Postgres."""

    def __init__(self, state_dir: Path, postgres_place: str) -> None:
        self._state_dir = state_dir
        self.folder = state_dir / "realms" / place_key(postgres_place)

    def service_folder(self, service: str) -> Path:
        """Where a service may keep a cache; made."""
        folder = self.folder / service
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def provision(self, infrastructure: Infrastructure) -> Provisioned:
        """Databases, roles and schemas, migrated, with the first securities and accounts in
        them.
        """
        try:
            databases = provision(
                infrastructure.postgres_url, instance_name(self._state_dir), self._passwords()
            )
        except psycopg2.Error as error:
            raise InstanceError(
                f"the databases can't be prepared ({str(error).strip()}): is Postgres 12 or newer?"
            ) from error
        with shielded():
            seed(databases.owner_clearing_url)
        try:
            check_endowment(databases.owner_clearing_url, os.environ.get("VENUE_ENDOWMENT", ""))
        except SettingsError as error:
            raise InstanceError(str(error)) from error
        return databases

    def administrator_key(self, databases: Provisioned) -> str:
        """A valid key of the first administrator; also written to `admin.key` of the state folder.

        It is made at the first start, and again if that one was revoked or lost.
        """
        path = self.folder / "admin.key"
        known = path.read_text().strip() if path.exists() else None
        with shielded():
            # The launcher owns the database, so a key that was revoked or lost is replaced.
            fresh = ensure_administrator(databases.owner_clearing_url, known)
            if fresh:
                write_private(path, fresh)
        key = fresh or str(known)
        write_private(self._state_dir / "admin.key", key + "\n")
        return key

    def _passwords(self) -> dict[str, str]:
        """Of the services' roles; the same at each start."""
        path = self.folder / "passwords.json"
        if not path.exists():
            write_private(
                path, json.dumps({service: secrets.token_hex(16) for service in SERVICES})
            )
        known: dict[str, str] = json.loads(path.read_text())
        return known
