"""The clearinghouse's routes on a real database, asked as an administrator."""

import itertools
import threading
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import psycopg2
import pytest
from flask.testing import FlaskClient

from clearinghouse.adapters import http, proposal_http
from clearinghouse.adapters.account_queries import AccountQueries
from clearinghouse.adapters.ledger_store import PostgresLedgerStore
from clearinghouse.adapters.proposal_queries import ProposalQueries
from clearinghouse.wiring import wire
from client_enrollment import http as enrollment_http
from migrations.provision import Provisioned
from service_runtime.buses.memory import MemoryBus
from service_runtime.clock import ManualClock
from service_runtime.database import Database
from service_runtime.http.application import create_app
from service_runtime.http.authentication import Authenticator
from service_runtime.service import Service
from service_runtime.settings import load
from trading_fees import http as fees_http
from venue_protocol import topology

SETTINGS = load(
    {"VENUE_BROKER_URL": "amqp://nowhere", "VENUE_CLEARING_DATABASE_URL": "postgresql://nowhere"}
)
numbers = itertools.count(1)


class Door:
    """The service's routes with an administrator's key."""

    def __init__(self, provisioned: Provisioned) -> None:
        self._owner_url = provisioned.owner_clearing_url
        self.database = Database(provisioned.clearing_url("clearinghouse"), "test", pool_size=3)
        self.bus = bus = MemoryBus()
        bus.declare(topology.DURABLE_QUEUES)
        self.store = PostgresLedgerStore(self.database)
        self.parts = wire(
            self.store,
            bus.consumer(topology.ORDER_EXECUTION, prefetch=10),
            bus.publisher(),
            ManualClock(),
            threading.Event(),
        )
        app = create_app(Service("clearinghouse", SETTINGS))
        authenticator = Authenticator(self.database)
        http.add_routes(
            app,
            self.parts.administration,
            self.parts.clients,
            authenticator,
            AccountQueries(self.database),
        )
        proposal_http.add_routes(
            app, self.parts.proposals, authenticator, ProposalQueries(self.database)
        )
        enrollment_http.add_routes(app, self.parts.enrollment, Authenticator(self.database))
        fees_http.add_routes(app, self.parts.fees, authenticator)
        self.client: FlaskClient = app.test_client()
        self.key = self.parts.administration.create_client(self.name("boss"), "administrator")

    def cancel_timers(self, client_id: str) -> int:
        """Timers that cancel this client's orders; only the gateway and the owner may read them."""
        connection = psycopg2.connect(self._owner_url)
        with closing(connection), connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM cancel_timers WHERE client_id = %s", (client_id,))
            return int(cursor.fetchone()[0])

    def name(self, prefix: str) -> str:
        return f"{prefix}{next(numbers)}"

    def ask(
        self, method: str, path: str, body: object = None, status: int = 200, **headers: str
    ) -> Any:
        """The answer as JSON; fails on another status."""
        sent = {"Authorization": f"Bearer {headers.pop('key', self.key)}"} | {
            name.replace("_", "-"): value for name, value in headers.items()
        }
        answer = self.client.open(path, method=method, json=body, headers=sent)
        assert answer.status_code == status, answer.text
        return answer.get_json()

    def refused(self, method: str, path: str, body: object, status: int, **headers: str) -> str:
        """Code and field of the refusal."""
        error = self.ask(method, path, body, status, **headers)["error"]
        return f"{error['code']} {error['field']}"

    def everything(self, path: str, name: str, limit: int) -> list[Any]:
        """All rows of a list, page after page."""
        rows, query = [], f"?limit={limit}"
        while True:
            page = self.ask("GET", path + query)
            rows += page[name]
            assert len(page[name]) <= limit
            if page["next"] is None:
                return rows
            query = f"?limit={limit}&after={page['next']}"


@pytest.fixture(scope="module")
def door(provisioned: Provisioned) -> Iterator[Door]:
    made = Door(provisioned)
    yield made
    made.database.close()
