"""The key file of the administrator holds a key that works after each start."""

import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

from migrations.provision import Provisioned, drop
from service_runtime.api_keys import key_hash
from service_runtime.database import Database
from tests.provisioning import provision_seeded
from venue_launcher.instance_folder import InstanceFolder


class Place:
    """A state folder with databases of its own."""

    def __init__(self, folder: Path, databases: Provisioned) -> None:
        self.databases = databases
        self.instance = InstanceFolder(folder, "somewhere")
        self.database = Database(databases.owner_clearing_url, "test", pool_size=1)

    def key(self) -> str:
        """What a start puts into the key file."""
        return self.instance.administrator_key(self.databases)

    def is_good(self, key: str) -> bool:
        """Whether the venue takes this key."""
        with self.database.transaction() as cursor:
            cursor.execute(
                "SELECT 1 FROM api_keys JOIN clients USING (client_id) WHERE key_hash = %s"
                " AND revoked_us IS NULL AND role = 'administrator'",
                (key_hash(key),),
            )
            return cursor.fetchone() is not None

    def revoke_all(self) -> None:
        """Revoke every key of the venue."""
        with self.database.transaction() as cursor:
            cursor.execute("UPDATE api_keys SET revoked_us = 1 WHERE revoked_us IS NULL")


@pytest.fixture
def place(tmp_path: Path, postgres_url: str) -> Iterator[Place]:
    instance = f"venue_test_{secrets.token_hex(4)}"
    made = Place(tmp_path, provision_seeded(postgres_url, instance))
    yield made
    made.database.close()
    drop(postgres_url, instance)


def test_a_second_start_keeps_the_key_of_the_first(place: Place) -> None:
    first = place.key()
    assert place.is_good(first) and place.key() == first


def test_a_start_replaces_a_key_that_was_revoked(place: Place, tmp_path: Path) -> None:
    """Row D10: all keys revoked, and the venue locked for good."""
    first = place.key()
    place.revoke_all()
    second = place.key()
    assert second != first and place.is_good(second)
    assert (tmp_path / "admin.key").read_text() == second + "\n"


def test_a_start_replaces_a_key_that_was_lost(place: Place) -> None:
    first = place.key()
    (place.instance.folder / "admin.key").unlink()
    second = place.key()
    assert second != first and place.is_good(second) and place.is_good(first)
