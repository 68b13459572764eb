"""Who asks: keys, their end, and whose account it is (cases 6 and 23)."""

import secrets
import time
from collections.abc import Callable, Iterator

import psycopg2
import pytest
from flask import Flask, Response
from flask.ctx import RequestContext
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from migrations.provision import Provisioned
from service_runtime.api_keys import key_hash, new_key
from service_runtime.database import Database
from service_runtime.http import application, authentication
from service_runtime.http.authentication import Authenticator
from service_runtime.service import Service
from service_runtime.settings import load
from venue_protocol.refusals import Refused

SETTINGS = load(
    {"VENUE_BROKER_URL": "amqp://nowhere", "VENUE_CLEARING_DATABASE_URL": "postgresql://nowhere"}
)


class Door:
    """An app with the three questions a service can ask, on the real database."""

    def __init__(self, provisioned: Provisioned) -> None:
        self._database = Database(provisioned.clearing_url("market_data_feed"), "door", pool_size=2)
        self._owner = psycopg2.connect(provisioned.owner_clearing_url)
        self._owner.autocommit = True
        self.client = self._app(Authenticator(self._database)).test_client()

    def _app(self, authenticator: Authenticator) -> Flask:
        app = application.create_app(Service("door", SETTINGS))
        app.testing = False

        @app.get("/me")
        def me() -> Response:
            return application.json_response(authenticator.caller().client_id)

        @app.get("/administration")
        def administration() -> Response:
            return application.json_response(authenticator.administrator().client_id)

        @app.get("/accounts/<client_id>")
        def account(client_id: str) -> Response:
            return application.json_response(authenticator.may_read(client_id).client_id)

        return app

    def execute(self, statement: str, *parameters: object) -> None:
        """As the owner, committed at once."""
        with self._owner.cursor() as cursor:
            cursor.execute(statement, parameters)

    def new_client(self, role: str = "trader") -> tuple[str, str]:
        """A new client's id and key."""
        client_id, key = f"c{secrets.token_hex(4)}", new_key()
        self.execute("INSERT INTO clients VALUES (%s, %s, 1, NULL)", client_id, role)
        self.execute("INSERT INTO api_keys VALUES (%s, %s, 1, NULL)", key_hash(key), client_id)
        return client_id, key

    def close(self) -> None:
        """Disconnect."""
        self._database.close()
        self._owner.close()


@pytest.fixture(scope="module")
def door(provisioned: Provisioned) -> Iterator[Door]:
    """The app."""
    made = Door(provisioned)
    yield made
    made.close()


def ask(client: FlaskClient, path: str, key: str | None = None) -> TestResponse:
    """The answer to a request with this key."""
    return client.get(path, headers={} if key is None else {"Authorization": f"Bearer {key}"})


def code(answer: TestResponse) -> tuple[int, str]:
    """Status and code of a refusal."""
    return answer.status_code, answer.get_json()["error"]["code"]


def test_a_key_names_its_client(door: Door) -> None:
    client_id, key = door.new_client()
    assert ask(door.client, "/me", key).get_json() == client_id
    assert door.client.get("/me", headers={"X-API-Key": key}).get_json() == client_id
    assert (
        door.client.get("/me", headers={"Authorization": f"bearer  {key} "}).get_json() == client_id
    )


@pytest.mark.parametrize("path", ["/me", "/administration", "/accounts/bank", "/accounts/nobody"])
def test_no_key_and_a_wrong_key_are_401(door: Door, path: str) -> None:
    missing = ask(door.client, path)
    assert code(missing) == (401, "auth.key_missing")
    assert missing.headers["WWW-Authenticate"] == "Bearer"
    for wrong in ("vk_wrong", "x" * 5_000, "é", "'; DROP TABLE clients; --"):
        assert code(ask(door.client, path, wrong)) == (401, "auth.key_invalid")


@pytest.mark.parametrize("header", ["Bearer", "Bearer ", "Bearer    ", "Basic dXNlcjpwYXNz", ""])
def test_a_header_without_a_key_is_a_missing_key(door: Door, header: str) -> None:
    assert code(door.client.get("/me", headers={"Authorization": header})) == (
        401,
        "auth.key_missing",
    )


def test_a_revoked_key_stops_working_within_a_second(door: Door) -> None:
    client_id, key = door.new_client()
    assert ask(door.client, "/me", key).status_code == 200
    door.execute("UPDATE api_keys SET revoked_us = 1 WHERE client_id = %s", client_id)
    revoked_s = time.monotonic()
    while ask(door.client, "/me", key).status_code == 200:
        assert time.monotonic() - revoked_s < 1.5
    assert code(ask(door.client, "/me", key)) == (401, "auth.key_invalid")


def test_one_revoked_key_leaves_the_others(door: Door) -> None:
    client_id, key = door.new_client()
    second = new_key()
    door.execute("INSERT INTO api_keys VALUES (%s, %s, 1, NULL)", key_hash(second), client_id)
    door.execute("UPDATE api_keys SET revoked_us = 1 WHERE key_hash = %s", key_hash(key))
    assert ask(door.client, "/me", second).get_json() == client_id


def test_keys_are_stored_as_hashes_only(door: Door) -> None:
    _, key = door.new_client()
    assert key.encode() not in key_hash(key) and len(key_hash(key)) == 32


def test_a_client_reads_itself_and_an_administrator_everybody(door: Door) -> None:
    client_id, key = door.new_client()
    assert ask(door.client, f"/accounts/{client_id}", key).status_code == 200
    _, administrator_key = door.new_client("administrator")
    assert ask(door.client, f"/accounts/{client_id}", administrator_key).status_code == 200


@pytest.mark.parametrize("role", ["trader", "market_maker"])
def test_a_foreign_account_is_403(door: Door, role: str) -> None:
    _, key = door.new_client(role)
    other, _ = door.new_client()
    assert code(ask(door.client, f"/accounts/{other}", key)) == (403, "auth.forbidden")
    assert code(ask(door.client, "/administration", key)) == (403, "auth.forbidden")


UNKNOWN: list[Callable[[str], str]] = [
    lambda _known: "nobody",
    lambda known: f"{known}%00",
    lambda known: f"%00{known}",
    lambda known: known[0] + "%00" + known[1:],
    lambda known: known.upper(),
    lambda known: f"{known}%20",
    lambda _known: "%ff%fe",
    lambda _known: "%ed%a0%80",
    lambda _known: "x" * 65,
    lambda _known: "'%20OR%20''='",
]


@pytest.mark.parametrize("spelling", UNKNOWN)
@pytest.mark.parametrize("role", ["trader", "administrator"])
def test_an_unknown_client_is_404_for_everybody(
    door: Door, role: str, spelling: Callable[[str], str]
) -> None:
    known, _ = door.new_client()
    _, key = door.new_client(role)
    assert code(ask(door.client, f"/accounts/{spelling(known)}", key)) == (404, "client.unknown")


def test_a_database_that_is_away_is_503_with_retry_after_and_no_verdict_on_the_key() -> None:
    database = Database("postgresql://nobody@127.0.0.1:1/nothing", "away")
    app = application.create_app(Service("door", SETTINGS))
    authenticator = Authenticator(database)

    @app.get("/me")
    def me() -> Response:
        return application.json_response(authenticator.caller().client_id)

    answer = ask(app.test_client(), "/me", "vk_any")
    assert code(answer) == (503, "service.not_ready")
    assert int(answer.headers["Retry-After"]) >= 1


def test_keys_in_use_are_looked_up_together_and_a_revoked_one_among_them_is_found(
    provisioned: Provisioned, door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = Database(provisioned.clearing_url("market_data_feed"), "together", pool_size=1)
    authenticator, now_s = Authenticator(database), [100.0]
    monkeypatch.setattr(authentication.time, "monotonic", lambda: now_s[0])
    asked = 0
    transaction = database.transaction

    def counted() -> object:
        nonlocal asked
        asked += 1
        return transaction()

    monkeypatch.setattr(database, "transaction", counted)
    clients = [door.new_client() for _ in range(5)]
    with create_context():
        assert [authenticator.caller_of(key).client_id for _, key in clients] == [
            client_id for client_id, _ in clients
        ]
        assert asked == 5
        door.execute(
            "UPDATE api_keys SET revoked_us = 2 WHERE key_hash = %s", key_hash(clients[4][1])
        )
        now_s[0] += 5
        for client_id, key in clients[:4]:
            assert authenticator.caller_of(key).client_id == client_id
        assert asked == 6
        with pytest.raises(Refused):
            authenticator.caller_of(clients[4][1])
        assert asked == 7
        now_s[0] += 60
        authenticator.caller_of(clients[0][1])
        authenticator.caller_of(clients[1][1])
        assert asked == 9, "keys that nobody used for half a minute are not looked up again"
    database.close()


def create_context() -> RequestContext:
    """Flask's own, which refusals need."""
    return application.create_app(Service("door", SETTINGS)).test_request_context()
