"""One whole venue for the tests of a package: real processes, broker and database."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from migrations.provision import drop
from venue_launcher import running_venue
from venue_launcher.running_venue import RunningVenue


@contextmanager
def whole_venue(postgres_url: str, broker_url: str, folder: Path) -> Iterator[RunningVenue]:
    """A running venue of this test run's own, stopped and dropped afterwards."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("VENUE_POSTGRES_URL", postgres_url)
        environment.setenv("VENUE_BROKER_URL", broker_url)
        with running_venue.start("given", folder, report=lambda _line: None) as started:
            yield started
        drop(postgres_url, started.instance)
