"""Services are restarted, given up loudly, and stopped in order.

The services here are small real processes.
"""

import os
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from venue_launcher import ports, service_logs
from venue_launcher.processes import wait_until
from venue_launcher.supervisor import ServiceFailed, SupervisedService, Supervisor

READY = """
import http.server, signal, sys
name, port, journal = sys.argv[1], int(sys.argv[2]), sys.argv[3]
def end(*_):
    open(journal, "a").write(name + "\\n")
    sys.exit(0)
signal.signal(signal.SIGTERM, end)
class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
    def log_message(self, *_):
        pass
http.server.HTTPServer(("127.0.0.1", port), Answer).serve_forever()
"""
CRASHING = "import sys; print('no such table: order_log', flush=True); sys.exit(7)"


def ready_service(name: str, tmp_path: Path) -> SupervisedService:
    port = ports.private_port(None)
    command = [sys.executable, "-c", READY, name, str(port), str(tmp_path / "journal")]
    return SupervisedService(name, command, {}, f"http://127.0.0.1:{port}", tmp_path)


def crashing_service(tmp_path: Path) -> SupervisedService:
    return SupervisedService(
        "engine", [sys.executable, "-c", CRASHING], {}, "http://127.0.0.1:1", tmp_path
    )


@contextmanager
def supervised(
    services: list[SupervisedService], restarted: list[str], allowed: int = 5
) -> Iterator[Supervisor]:
    supervisor = Supervisor(services, restarted.append, allowed)
    supervisor.start()
    try:
        yield supervisor
    finally:
        supervisor.stop()


def test_a_killed_service_is_started_again(tmp_path: Path) -> None:
    service, restarted = ready_service("gateway", tmp_path), list[str]()
    with supervised([service], restarted) as supervisor:
        supervisor.wait_ready(20)
        first = service.pid
        assert first
        os.kill(first, signal.SIGKILL)
        assert wait_until(lambda: service.pid not in (None, first), 10)
        supervisor.wait_ready(20)
    assert restarted == ["gateway"] and service.restarts == 1


def test_the_logs_of_servers_beside_the_services_are_rotated_too(tmp_path: Path) -> None:
    log = tmp_path / "logs" / "rabbitmq.log"
    log.parent.mkdir()
    with log.open("ab") as writer:
        writer.truncate(service_logs.MAX_BYTES + 1)
        with supervised([ready_service("gateway", tmp_path)], []):
            assert wait_until(lambda: log.stat().st_size == 0, 10)
            writer.write(b"the next line")
    assert log.read_bytes() == b"the next line"
    assert log.with_name("rabbitmq.log.1").stat().st_size == service_logs.MAX_BYTES + 1


def test_a_service_that_keeps_failing_is_given_up_with_the_end_of_its_log(tmp_path: Path) -> None:
    with (
        supervised([crashing_service(tmp_path)], [], allowed=2) as supervisor,
        pytest.raises(ServiceFailed) as failed,
    ):
        supervisor.wait_ready(30)
    assert "engine ended 3 times" in str(failed.value)
    assert "exit code 7" in str(failed.value) and "no such table: order_log" in str(failed.value)


def test_the_others_are_stopped_when_one_is_given_up(tmp_path: Path) -> None:
    healthy = ready_service("feed", tmp_path)
    with (
        supervised([healthy, crashing_service(tmp_path)], [], allowed=1) as supervisor,
        pytest.raises(ServiceFailed),
    ):
        supervisor.wait(30)
    assert healthy.pid is None


def test_services_are_stopped_in_their_order(tmp_path: Path) -> None:
    names = ["gateway", "engine", "clearinghouse", "feed"]
    with supervised([ready_service(name, tmp_path) for name in names], []) as supervisor:
        supervisor.wait_ready(30)
    assert (tmp_path / "journal").read_text().split() == names


def test_stop_before_ready_leaves_nothing(tmp_path: Path) -> None:
    service = ready_service("gateway", tmp_path)
    with supervised([service], []):
        pass
    assert service.pid is None and not list((tmp_path / "processes").glob("*.json"))


def test_a_service_that_never_gets_ready_is_named(tmp_path: Path) -> None:
    waiting = [sys.executable, "-c", "import time; time.sleep(600)"]
    service = SupervisedService("clearinghouse", waiting, {}, "http://127.0.0.1:1", tmp_path)
    with (
        supervised([service], []) as supervisor,
        pytest.raises(ServiceFailed, match="clearinghouse is not ready"),
    ):
        supervisor.wait_ready(0.3)


def test_two_launchers_never_claim_the_same_port() -> None:
    first, one = ports.claim_free(20_100)
    second, other = ports.claim_free(20_100)
    with one, other:
        assert first != second


def test_a_port_somebody_listens_on_is_passed_over() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        taken = server.getsockname()[1]
        port, holder = ports.claim_free(taken)
        holder.close()
    assert port > taken
