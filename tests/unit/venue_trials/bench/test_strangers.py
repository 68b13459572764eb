"""The table of `./venue bench door --strangers`, and strangers on a real socket."""

import socket

import pytest

from venue_trials.bench.strangers import StrangersFigures, holding, lines
from venue_trials.bench.strangers_process import KINDS


def figures(kind: str, p99_ms: float, change: float | None, **more: int) -> StrangersFigures:
    return StrangersFigures(
        kind=kind,
        strangers=100,
        accepted=500,
        refused=more,
        lost_connections=0,
        p50_ms=1.0,
        p99_ms=p99_ms,
        p99_change=change,
    )


def test_the_table_says_how_much_longer_a_client_waits_and_what_was_refused() -> None:
    table = list(lines([figures("nobody", 5.0, None), figures("silent", 6.0, 0.2, late=3)]))
    assert "5.0 ms" in table[1] and "+20 %" in table[2]
    assert "refused {'late': 3}" in table[3]


@pytest.mark.parametrize("kind", KINDS)
def test_strangers_of_each_kind_connect_and_begin(kind: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(20)
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
        with holding(url, kind, 3):
            for _ in range(3):
                connection, _ = server.accept()
                with connection:
                    connection.settimeout(20)
                    begins = KINDS[kind].begins
                    assert not begins or connection.recv(1 << 16).startswith(begins[:20])
