"""One whole venue for the tests of live competitions: real processes, broker and database."""

from collections.abc import Callable, Iterator

import pytest

from tests.integration.whole_venue import whole_venue
from venue_launcher.running_venue import RunningVenue


@pytest.fixture(scope="package")
def live_venue(
    postgres_url: str,
    emptied_broker_url: Callable[[], str],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[RunningVenue]:
    """A running venue of this test run's own, stopped and dropped afterwards."""
    folder = tmp_path_factory.mktemp("competition-venue")
    with whole_venue(postgres_url, emptied_broker_url(), folder) as started:
        yield started
