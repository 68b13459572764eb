"""Teams and rounds by hand on a whole venue."""

import time
from collections.abc import Callable
from decimal import Decimal

import pytest

from trading_bots.client import VenueClient
from trading_bots.refusal import Refused
from venue_competition.live_accounts import LiveAccounts
from venue_competition.teams import Teams
from venue_launcher.errors import CommandError
from venue_launcher.running_venue import RunningVenue


def wait_until(claim: Callable[[], bool]) -> None:
    """Until it is so; fails when it is not within half a minute."""
    deadline = time.monotonic() + 30
    while not claim():
        assert time.monotonic() < deadline, "it never became so"
        time.sleep(0.05)


def refusal_of_an_order(client: VenueClient) -> str:
    """The code of the refusal of an order; empty if the venue takes it."""
    try:
        client.place("AAPL", "BUY", 1, "99.00")
    except Refused as refused:
        return refused.code
    return ""


def test_a_round_begins_afresh_by_journals_and_a_frozen_team_is_refused(
    live_venue: RunningVenue,
) -> None:
    teams = Teams(live_venue)
    keys = teams.add(["red", "blue"])
    assert set(keys) == {"red", "blue"} and teams.add(["red", "blue"]) == {}
    red, blue = (
        VenueClient(name, key, live_venue.gateway_url, live_venue.market_data_url)
        for name, key in keys.items()
    )
    try:
        shares = {"AAPL": 5}
        assert teams.next_round(Decimal(12_000), shares, lambda line: None) >= 2
        wait_until(lambda: red.balance().balance == 12_000)
        red.place("AAPL", "SELL", 5, "101.00")
        blue.place("AAPL", "BUY", 5, "101.00")
        blue.place("AAPL", "BUY", 1, "99.00")
        wait_until(lambda: blue.holding("AAPL").quantity == 10)
        teams.freeze("blue", "shares its key")
        wait_until(lambda: refusal_of_an_order(blue) == "client.suspended")
        teams.release("blue")
        teams.next_round(Decimal(12_000), shares, lambda line: None)
        wait_until(lambda: red.balance().balance == blue.balance().balance == 12_000)
        wait_until(lambda: blue.holding("AAPL").quantity == red.holding("AAPL").quantity == 5)
        assert blue.orders() == []
        assert len(list(blue.settlement_reports())) > 3, "history is there"
    finally:
        red.close()
        blue.close()


def test_a_removed_team_has_no_key_any_more(live_venue: RunningVenue) -> None:
    teams = Teams(live_venue)
    key = teams.add(["gone"])["gone"]
    client = VenueClient("gone", key, live_venue.gateway_url, live_venue.market_data_url)
    assert client.balance().balance == 10_000
    teams.remove("gone")

    def is_out() -> bool:
        try:
            client.balance()
        except Refused as refused:
            return refused.code == "auth.key_invalid"
        return False

    wait_until(is_out)
    client.close()
    assert "gone" in LiveAccounts(live_venue).standings()


def test_a_team_that_is_not_there_is_named(live_venue: RunningVenue) -> None:
    with pytest.raises(CommandError, match="there is no team nobody"):
        Teams(live_venue).freeze("nobody", None)
