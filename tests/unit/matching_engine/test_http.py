"""The engine's HTTP doors."""

from pathlib import Path

import pytest
from flask.testing import FlaskClient

from matching_engine.adapters import http
from service_runtime.http import application
from service_runtime.service import Service
from service_runtime.settings import load
from tests.unit.matching_engine.live_engine import Venue
from venue_protocol.securities import Security

SETTINGS = load({"VENUE_BROKER_URL": "unused", "VENUE_CLEARING_DATABASE_URL": "unused"})


def find(security_id: str) -> Security | None:
    """AAPL and MSFT are listed here, GOOG on another shard."""
    shard = {"AAPL": 0, "MSFT": 0, "GOOG": 1}.get(security_id)
    return None if shard is None else Security(security_id, "", shard, 100, 1, 1_000, 100, 100)


@pytest.fixture
def venue(tmp_path: Path) -> Venue:
    venue = Venue(tmp_path)
    venue.send(venue.commit("B 5@10 ann", "B 2@10 cat", "B 1@9.50 ann", "S 3@10.25 bob"))
    venue.step()
    return venue


@pytest.fixture
def client(venue: Venue) -> FlaskClient:
    app = application.create_app(Service("matching_engine", SETTINGS))
    http.add_routes(app, venue.desk, find)
    return app.test_client()


def test_book_shows_levels_best_first_with_the_sequence(client: FlaskClient) -> None:
    assert client.get("/v1/books/AAPL").json == {
        "security": "AAPL",
        "sequence": 4,
        "bids": [{"price": "10.00", "quantity": 7}, {"price": "9.50", "quantity": 1}],
        "asks": [{"price": "10.25", "quantity": 3}],
    }


def test_a_security_of_another_shard_or_of_none_is_not_found(client: FlaskClient) -> None:
    for security_id in ("GOOG", "NOPE"):
        answer = client.get(f"/v1/books/{security_id}")
        assert (answer.status_code, answer.get_json()["error"]["code"]) == (404, "security.unknown")


def test_depth_limits_the_levels(client: FlaskClient) -> None:
    book = client.get("/v1/books/AAPL?depth=1").json
    assert book is not None
    assert [level["price"] for level in book["bids"]] == ["10.00"]


def test_listed_security_that_nobody_traded_has_an_empty_book(client: FlaskClient) -> None:
    book = client.get("/v1/books/MSFT").json
    assert book == {"security": "MSFT", "sequence": 4, "bids": [], "asks": []}


def test_unknown_security_is_not_found(client: FlaskClient) -> None:
    answer = client.get("/v1/books/NONE")
    assert answer.status_code == 404
    assert answer.json is not None
    assert answer.json["error"]["code"] == "security.unknown"


@pytest.mark.parametrize("depth", ["0", "-1", "1001", "x", "1.5", ""])
def test_depth_that_is_no_small_whole_number_is_refused(client: FlaskClient, depth: str) -> None:
    assert client.get(f"/v1/books/AAPL?depth={depth}").status_code == 400


def test_engine_tells_where_it_stands(client: FlaskClient, venue: Venue) -> None:
    assert client.get("/v1/engine").json == {
        "shard": 0,
        "log_position": 4,
        "event_position": 4,
        "trades": 0,
        "open_orders": 4,
        "state_hash": venue.desk.engine.state_hash(),
    }
