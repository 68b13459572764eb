"""A venue on servers that its launcher started: killed, they come back, and trading goes on."""

import os
import signal
from collections.abc import Iterator

import pytest

from trading_bots.client import VenueClient
from trading_bots.refusal import Refused, VenueUnavailable
from venue_launcher import background, running_venue, state_file
from venue_launcher.admin_client import Administration
from venue_launcher.processes import wait_until
from venue_launcher.running_venue import RunningVenue
from venue_launcher.terminal import silent

PATIENCE_S = 60.0


@pytest.fixture(scope="module")
def venue(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningVenue]:
    folder = tmp_path_factory.mktemp("venue")
    for parent in (folder, folder.parent, folder.parent.parent):
        parent.chmod(0o755)
    with running_venue.start("private", folder, silent) as started:
        yield started
    assert started.infrastructure is not None
    for server in started.infrastructure.servers:
        server.erase()


@pytest.fixture(scope="module")
def maker(venue: RunningVenue) -> Iterator[VenueClient]:
    key = Administration(venue).create_client("maker", "market_maker", "100000.00")
    client = VenueClient("maker", key, venue.gateway_url, venue.market_data_url)
    yield client
    client.close()


def is_recorded(client: VenueClient, name: str) -> bool:
    """Whether an order that is sent under this name now, or was, is accepted and on record."""
    try:
        receipt = client.place("AAPL", "BUY", 1, "95.00", client_order_id=name)
        return receipt.order_id in {order.order_id for order in client.orders("all", 10)}
    except (Refused, VenueUnavailable):
        return False


@pytest.mark.parametrize("name", ["Postgres", "RabbitMQ"])
def test_a_killed_server_is_started_again_and_trading_goes_on(
    venue: RunningVenue, maker: VenueClient, name: str
) -> None:
    assert venue.infrastructure is not None
    server = next(each for each in venue.infrastructure.servers if each.name == name)
    before = server.pid
    assert before
    os.kill(before, signal.SIGKILL)

    def status() -> state_file.ServerStatus:
        known = state_file.read(venue.state_dir)
        assert known is not None
        return known.servers[name]

    assert wait_until(lambda: status().restarts == 1, PATIENCE_S)
    assert status().trouble is None and server.pid not in (None, before)
    assert wait_until(lambda: is_recorded(maker, f"after-{name}"), PATIENCE_S, pause_s=0.2)
    assert venue.supervisor is not None
    venue.supervisor.wait_ready(PATIENCE_S)
    assert {service.name: service.restarts for service in venue.supervisor.services} == {
        service.name: 0 for service in venue.supervisor.services
    }


@pytest.mark.parametrize("damage", ["removed", "emptied", "garbage"])
def test_a_lost_state_file_is_written_again(venue: RunningVenue, damage: str) -> None:
    path = venue.state_dir / "state.json"
    before = path.read_text()
    if damage == "removed":
        path.unlink()
    else:
        path.write_text("" if damage == "emptied" else "{]")
    assert wait_until(lambda: path.exists() and path.read_text() == before, 10)


def test_without_its_state_file_the_launcher_is_found_by_its_lock(venue: RunningVenue) -> None:
    assert running_venue.locked_by(venue.state_dir) == os.getpid()
    assert running_venue.locked_by(venue.state_dir.parent) is None


def test_a_launcher_that_can_not_be_told_is_not_taken_for_a_stopped_one(
    venue: RunningVenue,
) -> None:
    lock, state = venue.state_dir / "venue.lock", venue.state_dir / "state.json"
    pid = lock.read_text()
    lock.write_text("")
    try:
        known = state.read_text()
        # The launcher writes its state again within a tenth of a second: look before that.
        while True:
            state.write_text("")
            try:
                background.launcher_of(venue.state_dir)
            except background.CommandError as error:
                assert "can't be told" in str(error)
                break
        assert wait_until(lambda: state.read_text() == known, 10)
    finally:
        lock.write_text(pid)


def test_logs_are_for_the_venues_own_eyes(venue: RunningVenue) -> None:
    assert (venue.state_dir / "logs").stat().st_mode & 0o077 == 0
    assert (venue.state_dir / "state.json").stat().st_mode & 0o077 == 0
