"""Teams and rounds by hand on a whole venue."""

import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from decimal import Decimal
from typing import Any

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


def joined(venue: RunningVenue, code: str, name: str) -> tuple[int, dict[str, Any]]:
    """Status and answer of a stranger's enrollment."""
    request = urllib.request.Request(
        f"{venue.clearinghouse_url}/v1/enrollments",
        json.dumps({"code": code, "client_id": name}).encode(),
        {"Content-Type": "application/json"},
    )
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as refused:
        return refused.code, json.load(refused)


def test_strangers_with_a_join_code_make_teams_that_trade(live_venue: RunningVenue) -> None:
    teams = Teams(live_venue)
    opened = teams.open_code("live", 1, hours=1)
    status, said = joined(live_venue, opened["code"], "stranger")
    assert (status, said["client_id"]) == (201, "stranger")
    client = VenueClient(
        "stranger", said["api_key"], live_venue.gateway_url, live_venue.market_data_url
    )
    try:
        wait_until(lambda: refusal_of_an_order(client) in ("", "session.closed"))
        assert client.balance().balance == 10_000
    finally:
        client.close()
    assert joined(live_venue, opened["code"], "second")[1]["error"]["code"] == "join.code_full"
    (listed,) = [code for code in teams.codes() if code["label"] == "live"]
    assert (listed["places"], listed["used"]) == (1, 1)
    assert teams.close_code("live") and not teams.close_code("live")
    assert joined(live_venue, opened["code"], "late")[1]["error"]["code"] == "join.code_invalid"
    assert "stranger" in {str(team["client_id"]) for team in teams.all()}
