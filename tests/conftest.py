"""Fixtures on the real broker and database. `./venue test` names both in the environment.

Everything made here has a name of its own and is dropped at the end; nothing else is touched.
A missing broker or database is an error, never a skip.
"""

import os
import secrets
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import pika
import pytest

from migrations.provision import Provisioned, drop
from service_runtime.buses.rabbitmq import RabbitBus
from tests.provisioning import provision_seeded
from venue_protocol.topology import DURABLE_QUEUES

SHARED_DATA = Path(__file__).parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real and third-party data; tests that need it skip where it is absent."""
    if not SHARED_DATA.is_dir():
        pytest.skip("../shared/data is not here")
    return SHARED_DATA


@pytest.fixture(scope="session")
def postgres_url() -> str:
    """URL of a Postgres server on which databases and roles may be made."""
    return os.environ.get(
        "VENUE_TEST_POSTGRES_URL", "postgresql://postgres@127.0.0.1:5432/postgres"
    )


@pytest.fixture(scope="session")
def broker_url() -> Iterator[str]:
    """URL of a broker with a virtual host that belongs to this test run alone."""
    given = os.environ.get("VENUE_TEST_BROKER_URL")
    if given:
        yield given
        return
    if not shutil.which("rabbitmqctl"):
        raise RuntimeError(
            "no broker for tests: run them with ./venue test, or set VENUE_TEST_BROKER_URL"
        )
    vhost = f"venue_test_{secrets.token_hex(4)}"
    subprocess.run(["rabbitmqctl", "-q", "add_vhost", vhost], check=True)
    subprocess.run(
        ["rabbitmqctl", "-q", "set_permissions", "-p", vhost, "guest", ".*", ".*", ".*"], check=True
    )
    yield urlunsplit(urlsplit("amqp://guest:guest@127.0.0.1:5672/")._replace(path=f"/{vhost}"))
    subprocess.run(["rabbitmqctl", "-q", "delete_vhost", vhost], check=True)


@pytest.fixture(scope="session")
def emptied_broker_url(broker_url: str) -> Callable[[], str]:
    """Gives the same URL after deleting what earlier tests left in the venue's queues: for whole
    venues.
    """

    def emptied() -> str:
        _delete_queues(broker_url)
        return broker_url

    return emptied


def _delete_queues(broker_url: str) -> None:
    connection = pika.BlockingConnection(pika.URLParameters(broker_url))
    channel = connection.channel()
    for queue in DURABLE_QUEUES:
        channel.queue_delete(queue)
    connection.close()


@pytest.fixture
def rabbit_bus(broker_url: str) -> Iterator[RabbitBus]:
    """A bus on the test virtual host with the venue's queues fresh and empty."""
    _delete_queues(broker_url)
    bus = RabbitBus(broker_url, "tests")
    bus.declare(DURABLE_QUEUES)
    yield bus
    bus.close()


@pytest.fixture(scope="module")
def provisioned(postgres_url: str) -> Iterator[Provisioned]:
    """Fresh, migrated databases with all roles, shared by the tests of one module."""
    instance = f"venue_test_{secrets.token_hex(4)}"
    yield provision_seeded(postgres_url, instance)
    drop(postgres_url, instance)
