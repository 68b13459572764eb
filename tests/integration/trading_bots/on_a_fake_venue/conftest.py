"""A fake venue on a loopback port, and a client of it."""

from collections.abc import Iterator

import pytest

from tests.integration.trading_bots.on_a_fake_venue.fake_services import KEY, FakeVenue
from trading_bots.client import VenueClient


@pytest.fixture
def fake_venue() -> Iterator[FakeVenue]:
    venue = FakeVenue()
    yield venue
    venue.close()


@pytest.fixture
def client(fake_venue: FakeVenue) -> Iterator[VenueClient]:
    client = VenueClient("ann", KEY, fake_venue.url, fake_venue.url, timeout_s=0.5, patience_s=5.0)
    yield client
    client.close()
