"""A venue keeps its ports from start to start, and says when one had to move."""

import json
import socket
from contextlib import ExitStack
from pathlib import Path

import pytest

from venue_launcher import service_ports, services

HOSTS = {service.name: "127.0.0.1" for service in services.STOP_ORDER}


def start(folder: Path) -> tuple[dict[str, int], list[str]]:
    """The ports of one start, and what it reported."""
    said: list[str] = []
    with ExitStack() as stack:
        return service_ports.choose(folder, HOSTS, stack, said.append), said


def test_the_ports_of_the_last_start_are_kept(tmp_path: Path) -> None:
    first, _ = start(tmp_path)
    assert start(tmp_path) == (first, [])


def test_a_port_that_moved_once_is_kept_too(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        taken = server.getsockname()[1]
        (tmp_path / "ports.json").write_text(json.dumps({"order_entry_gateway": taken}))
        moved, said = start(tmp_path)
        new = moved["order_entry_gateway"]
        assert new != taken
        assert f"port {taken} is taken: order_entry_gateway answers on {new}" in said
    assert start(tmp_path) == (moved, [])


@pytest.mark.parametrize("content", ["", "{", "[]", '{"order_entry_gateway": 0}'])
def test_a_damaged_note_of_the_ports_is_as_none(tmp_path: Path, content: str) -> None:
    (tmp_path / "ports.json").write_text(content)
    ports, _ = start(tmp_path)
    assert ports["order_entry_gateway"] >= services.GATEWAY.usual_port
