"""One whole venue for the acceptance tests: real processes, real broker, real database."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests

from migrations.provision import drop
from tests.acceptance.api import Client, unique
from venue_launcher import running_venue
from venue_launcher.running_venue import RunningVenue


@pytest.fixture(scope="package")
def venue(
    postgres_url: str,
    emptied_broker_url: Callable[[], str],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[RunningVenue]:
    """A running venue of this test run's own, ended and dropped afterwards."""
    folder: Path = tmp_path_factory.mktemp("venue")
    given = {"VENUE_POSTGRES_URL": postgres_url, "VENUE_BROKER_URL": emptied_broker_url()}
    before = {name: os.environ.get(name) for name in given}
    os.environ.update(given)
    try:
        with running_venue.start("given", folder, report=lambda _line: None) as started:
            yield started
        drop(postgres_url, started.instance)
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


class Administrator:
    """What an organiser does by hand."""

    def __init__(self, venue: RunningVenue) -> None:
        self.venue = venue

    def post(self, path: str, body: dict[str, object], **headers: str) -> requests.Response:
        sent = {"Authorization": f"Bearer {self.venue.admin_key}"} | headers
        return requests.post(
            self.venue.clearinghouse_url + path, json=body, headers=sent, timeout=30
        )

    def client(self, name: str = "trader", **more: object) -> Client:
        client_id = unique(name)
        answer = self.post("/v1/clients", {"client_id": client_id} | more)
        assert answer.status_code == 201, answer.text
        return Client(self.venue, client_id, answer.json()["api_key"])

    def security(self, reference_price: str = "100.00", **more: object) -> str:
        security = unique("S").replace("-", ".").upper()
        body = {"security": security, "name": "made for a test", "reference_price": reference_price}
        body |= {"band_bps": 5000}
        answer = self.post("/v1/securities", body | {"issued_shares": 10_000_000} | more)
        assert answer.status_code == 201, answer.text
        return security

    def maker(self, security: str, shares: int = 1_000_000, cash: str = "100000000.00") -> Client:
        return self.client(
            "maker",
            role="market_maker",
            cash=cash,
            shares={security: shares},
            rate_limit_per_second=10**6,
        )


@pytest.fixture(scope="package")
def administrator(venue: RunningVenue) -> Administrator:
    return Administrator(venue)


@pytest.fixture
def security(administrator: Administrator) -> str:
    """A security of the test's own: tick 0.01, lot 1, band 50 % around 100.00."""
    return administrator.security()


@pytest.fixture
def maker(administrator: Administrator, security: str) -> Client:
    """A client with a million shares of `security` and much cash."""
    return administrator.maker(security)


@pytest.fixture
def trader(administrator: Administrator) -> Client:
    """A trader with exactly $10,000.00."""
    return administrator.client()


@pytest.fixture
def pids_unchanged(venue: RunningVenue) -> Iterator[Callable[[], None]]:
    """No service restarts during the test."""
    before = venue.pids()
    yield lambda: None
    assert venue.pids() == before
