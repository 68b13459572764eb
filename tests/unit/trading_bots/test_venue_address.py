"""A bot finds the venue by the environment, in its checkout, or on the usual ports."""

import json
from pathlib import Path

import pytest

from trading_bots.client import VenueClient
from trading_bots.venue_address import MARKET_DATA_URL, ORDER_ENTRY_URL, VenueAddress

MOVED = VenueAddress("http://127.0.0.1:41001", "http://127.0.0.1:41000", "http://127.0.0.1:41003")


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout whose venue took other ports, because the usual ones were taken."""
    addresses = {
        "order_entry_gateway": MOVED.order_entry_url,
        "market_data_feed": MOVED.market_data_url,
        "clearinghouse": MOVED.clearinghouse_url,
    }
    state = {"launcher_pid": 1, "launcher_started": "1", "addresses": addresses}
    (tmp_path / ".venue").mkdir()
    (tmp_path / ".venue" / "state.json").write_text(json.dumps(state))
    return tmp_path


def test_a_venue_on_other_ports_is_found_in_its_checkout(checkout: Path) -> None:
    assert VenueAddress.find({}, checkout) == MOVED


def test_a_venue_with_its_state_elsewhere_is_found_by_venue_home(
    checkout: Path, tmp_path: Path
) -> None:
    environment = {"VENUE_HOME": str(checkout / ".venue")}
    assert VenueAddress.find(environment, tmp_path / "elsewhere") == MOVED
    named = environment | {"VENUE_CLIENT_ID": "ann", "VENUE_API_KEY": "vk_1"}
    assert VenueClient.from_environment(named).order_entry_url == MOVED.order_entry_url


def test_the_environment_goes_before_the_checkout(checkout: Path) -> None:
    found = VenueAddress.find({"VENUE_ORDER_ENTRY_URL": "http://venue.example:1"}, checkout)
    assert found == VenueAddress(
        "http://venue.example:1", MOVED.market_data_url, MOVED.clearinghouse_url
    )


@pytest.mark.parametrize("content", [None, "", "{", '{"addresses": 5}', "{}"])
def test_without_a_running_venue_the_usual_ports_are_tried(
    tmp_path: Path, content: str | None
) -> None:
    if content is not None:
        (tmp_path / ".venue").mkdir()
        (tmp_path / ".venue" / "state.json").write_text(content)
    assert VenueAddress.find({}, tmp_path) == VenueAddress(ORDER_ENTRY_URL, MARKET_DATA_URL)
