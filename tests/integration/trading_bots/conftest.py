"""One whole venue for the tests of its players: real processes, broker and database."""

import time
from collections.abc import Callable, Iterator

import pytest

from tests.integration.whole_venue import whole_venue
from trading_bots.client import VenueClient
from venue_launcher.admin_client import Administration
from venue_launcher.running_venue import RunningVenue


@pytest.fixture(scope="package")
def live_venue(
    postgres_url: str,
    emptied_broker_url: Callable[[], str],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[RunningVenue]:
    """A running venue of this test run's own, stopped and dropped afterwards."""
    folder = tmp_path_factory.mktemp("bots-venue")
    with whole_venue(postgres_url, emptied_broker_url(), folder) as started:
        yield started


@pytest.fixture
def new_client(live_venue: RunningVenue) -> Iterator[Callable[..., VenueClient]]:
    """Makes a client: `new_client("ann")`, or with cash and shares a market maker."""
    administration = Administration(live_venue)
    made: list[VenueClient] = []

    def make(
        name: str, cash: str | None = None, shares: dict[str, int] | None = None
    ) -> VenueClient:
        client_id = f"{name}-{time.monotonic_ns()}"
        role = "market_maker" if cash or shares else "trader"
        key = administration.create_client(client_id, role, cash, shares)
        made.append(VenueClient(client_id, key, live_venue.gateway_url, live_venue.market_data_url))
        return made[-1]

    yield make
    for client in made:
        client.cancel_all()
        client.close()
