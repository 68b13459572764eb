"""The competition's standing: anybody reads it, only its runner writes it."""

from typing import Any

import pytest
import requests

from tests.integration.market_data_feed.conftest import RunningFeed

STANDING: dict[str, Any] = {
    "name": "Cup",
    "state": "running",
    "round": 1,
    "rounds": 2,
    "starts_us": 1,
    "ends_us": 2,
    "time_us": 1,
    "mark": "last_minute",
    "players": [
        {
            "rank": 1,
            "player": "alice",
            "equity": "10000.00",
            "profit": "0.00",
            "total_profit": "-1.2345",
            "stopped": None,
            "curve": [{"time_us": 1, "equity": "10000.00"}],
        }
    ],
}


def put(feed: RunningFeed, client: str | None, body: Any) -> requests.Response:
    headers = {"Authorization": f"Bearer {feed.clearing.keys[client]}"} if client else {}
    return requests.put(f"{feed.url}/v1/competition", json=body, headers=headers, timeout=5)


def test_what_the_runner_shows_anybody_reads(shared_feed: RunningFeed) -> None:
    assert put(shared_feed, "root", STANDING).status_code == 200
    assert shared_feed.get("/v1/competition") == {"competition": STANDING}


def test_nobody_else_shows_a_standing(shared_feed: RunningFeed) -> None:
    assert put(shared_feed, "alice", STANDING).status_code == 403
    assert put(shared_feed, None, STANDING).status_code == 401


@pytest.mark.parametrize(
    "change",
    [
        {"state": "won"},
        {"rank": 1},
        {"players": [{**STANDING["players"][0], "player": "<b>"}]},
        {"players": [{**STANDING["players"][0], "equity": "much"}]},
    ],
)
def test_what_is_no_standing_is_refused(shared_feed: RunningFeed, change: dict[str, Any]) -> None:
    assert put(shared_feed, "root", {**STANDING, **change}).status_code == 400
