"""A private server may be asked for its process while another thread ends it."""

from typing import Any

import pytest

from venue_launcher.infrastructure.postgres_server import PrivatePostgres
from venue_launcher.infrastructure.rabbitmq_server import PrivateRabbitMQ


class EndingProcess:
    """A process whose server forgets it as soon as somebody looks whether it runs."""

    pid = 4711

    def __init__(self, server: Any, name: str) -> None:
        self._server = server
        self._name = name

    def poll(self) -> None:
        setattr(self._server, self._name, None)


@pytest.mark.parametrize(
    ("kind", "name"), [(PrivatePostgres, "_process"), (PrivateRabbitMQ, "_node")]
)
def test_the_pid_can_be_asked_while_the_server_is_ended(kind: Any, name: str) -> None:
    server = kind.__new__(kind)
    setattr(server, name, EndingProcess(server, name))
    assert server.pid == EndingProcess.pid
    assert server.pid is None
