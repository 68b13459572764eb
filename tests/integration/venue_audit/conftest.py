"""A venue with a history, for all tests that only read it or take out again what they planted."""

import secrets
from collections.abc import Iterator

import pytest

from migrations.provision import drop
from tests.integration.venue_audit.synthetic_venue import SyntheticVenue
from tests.provisioning import provision_seeded


@pytest.fixture(scope="package")
def played(postgres_url: str) -> Iterator[SyntheticVenue]:
    """Four traders and two makers after some hundred random commands."""
    instance = f"venue_test_{secrets.token_hex(4)}"
    venue = SyntheticVenue(provision_seeded(postgres_url, instance))
    try:
        venue.open_accounts()
        venue.play(150)
        yield venue
    finally:
        venue.close()
        drop(postgres_url, instance)
