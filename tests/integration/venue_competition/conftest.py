"""One whole venue for the tests of live competitions: real processes, broker and database."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from migrations.provision import drop
from venue_launcher import running_venue
from venue_launcher.running_venue import RunningVenue


@pytest.fixture(scope="package")
def live_venue(
    postgres_url: str,
    emptied_broker_url: Callable[[], str],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[RunningVenue]:
    """A running venue of this test run's own, stopped and dropped afterwards."""
    folder: Path = tmp_path_factory.mktemp("competition-venue")
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("VENUE_POSTGRES_URL", postgres_url)
        environment.setenv("VENUE_BROKER_URL", emptied_broker_url())
        with running_venue.start("given", folder, report=lambda _line: None) as started:
            yield started
        drop(postgres_url, started.instance)
