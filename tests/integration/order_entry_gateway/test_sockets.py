"""WebSockets of the door over TCP: how many there may be, and how long they may stay strangers."""

import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, cast

import msgspec
import pytest
import simple_websocket
from simple_websocket import Client, ConnectionClosed
from werkzeug.serving import make_server

from order_entry_gateway.adapters import websocket
from order_entry_gateway.adapters.concurrency_limit import Turnstile
from order_entry_gateway.handlers import OrderDesk
from order_entry_gateway.loops.timekeeper import Timekeeper
from service_runtime.api_keys import TRADER
from service_runtime.http import application
from service_runtime.http.authentication import Authenticator, Caller
from service_runtime.service import Service
from service_runtime.settings import load
from tests.acceptance.api import eventually
from venue_protocol.refusals import RejectReason, refuse

SETTINGS = load(
    {"VENUE_BROKER_URL": "amqp://nowhere", "VENUE_CLEARING_DATABASE_URL": "postgresql://nowhere"}
)


class Keys:
    """An Authenticator to whom every key `NAME.…` is NAME's."""

    def caller(self) -> Caller:
        raise refuse(RejectReason.KEY_MISSING, "no key in the header")

    def caller_of(self, key: str) -> Caller:
        return Caller(key.partition(".")[0], TRADER)


class Desk:
    """Accepts everything, but not before it may."""

    def __init__(self) -> None:
        self.may_answer = threading.Event()
        self.may_answer.set()

    def handle(self, caller: Caller, actions: Sequence[object]) -> list[dict[str, str]]:
        self.may_answer.wait(20)
        return [{"client_id": caller.client_id} for _ in actions]

    def charge(self, caller: Caller) -> None:
        """As much as they like."""


@pytest.fixture
def desk() -> Desk:
    return Desk()


class Sessions:
    """A Timekeeper that only notes what it is told."""

    def __init__(self) -> None:
        self.open: dict[str, str] = {}
        self.ended: list[str] = []
        self.switches: list[tuple[str, int]] = []

    def open_session(self, client_id: str) -> str:
        self.open[f"session {len(self.open)}"] = client_id
        return list(self.open)[-1]

    def release_session(self, session: str) -> None:
        del self.open[session]

    def end_session(self, session: str, client_id: str) -> None:
        assert self.open.pop(session) == client_id
        self.ended.append(client_id)

    def cancel_after(self, client_id: str, timeout_ms: int) -> int | None:
        self.switches.append((client_id, timeout_ms))
        return 1_000 * timeout_ms or None


@pytest.fixture
def timekeeper() -> Sessions:
    return Sessions()


@pytest.fixture
def connect(desk: Desk, timekeeper: Sessions) -> Iterator[Callable[[], Client]]:
    """Opens a WebSocket to a door of this test's own."""
    app = application.create_app(Service("door", SETTINGS))
    doors = cast(OrderDesk, desk), cast(Timekeeper, timekeeper), cast(Authenticator, Keys())
    websocket.add_routes(app, *doors, Turnstile())
    server = make_server("127.0.0.1", 0, app, threaded=True)
    server.daemon_threads = True  # type: ignore[attr-defined]
    threading.Thread(target=server.serve_forever, daemon=True).start()
    opened: list[Client] = []

    def connect() -> Client:
        opened.append(Client.connect(f"ws://127.0.0.1:{server.server_port}/v1/order-entry"))
        return opened[-1]

    yield connect
    for client in opened:
        if client.connected:
            client.close()
    server.shutdown()


def ask(client: Client, **frame: object) -> Any:
    client.send(msgspec.json.encode(frame).decode())
    return msgspec.json.decode(client.receive(5))


def _once_there_is_room(connect: Callable[[], Client]) -> Client:
    end_s = time.monotonic() + 5
    while True:
        try:
            return connect()
        except simple_websocket.ConnectionError:
            assert time.monotonic() < end_s
            time.sleep(0.05)


def test_sockets_leave_room_for_requests(
    connect: Callable[[], Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(websocket, "MOST_SOCKETS", 2)
    first, second = connect(), connect()
    for client in (first, second):
        assert ask(client, action="authenticate", key="ann.1")["status"] == "authenticated"
    with pytest.raises(simple_websocket.ConnectionError):
        connect()
    first.close()
    assert (
        ask(_once_there_is_room(connect), action="authenticate", key="ann.1")["status"]
        == "authenticated"
    )


def test_a_client_has_only_so_many_sockets(
    connect: Callable[[], Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(websocket, "MOST_SOCKETS_OF_A_CLIENT", 1)
    first, second = connect(), connect()
    assert ask(first, action="authenticate", key="ann.1")["status"] == "authenticated"
    assert ask(first, action="authenticate", key="ann.2")["status"] == "authenticated"
    assert ask(second, action="authenticate", key="ann.1")["error"]["code"] == "rate.limited"
    assert ask(second, action="authenticate", key="bob.1")["status"] == "authenticated"


def test_who_shows_no_key_is_sent_away(
    connect: Callable[[], Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(websocket, "STRANGER_S", 0.3)
    silent, known = connect(), connect()
    assert ask(known, action="authenticate", key="ann.1")["status"] == "authenticated"
    with pytest.raises(ConnectionClosed):
        silent.receive(5)
    end_s = time.monotonic() + 0.5
    while time.monotonic() < end_s:
        assert ask(known, action="cancel_all")["client_id"] == "ann"
        time.sleep(0.05)


def test_frames_are_not_piled_up_for_a_busy_door(connect: Callable[[], Client], desk: Desk) -> None:
    """The kernel's buffers take some; what the process takes beside the frame at work is
    bounded.
    """
    client = connect()
    assert ask(client, action="authenticate", key="ann.1")["status"] == "authenticated"
    desk.may_answer.clear()
    frame = msgspec.json.encode({"action": "cancel_all", "id": "x" * 900_000}).decode()
    sent = []

    def flood() -> None:
        for _ in range(60):
            client.send(frame)
            sent.append(len(frame))

    thread = threading.Thread(target=flood, daemon=True)
    thread.start()
    thread.join(4)
    assert thread.is_alive(), f"all {len(sent)} frames were taken while none was answered"
    desk.may_answer.set()
    thread.join(20)
    assert not thread.is_alive()


def test_a_socket_that_asked_for_it_ends_its_session_however_it_ends(
    connect: Callable[[], Client], timekeeper: Sessions
) -> None:
    """Case: asked, asked not to, never asked; and one that is cut without a word."""
    asked, changed, quiet, cut = connect(), connect(), connect(), connect()
    for number, client in enumerate((asked, changed, quiet, cut)):
        assert ask(client, action="authenticate", key=f"c{number}.x")["status"] == "authenticated"
    for client in (asked, asked, changed, cut):
        assert ask(client, action="cancel_on_disconnect", enabled=True)["enabled"] is True
    assert ask(changed, action="cancel_on_disconnect", enabled=False)["enabled"] is False
    assert sorted(timekeeper.open.values()) == ["c0", "c3"]
    for client in (asked, changed, quiet):
        client.close()
    cut.sock.shutdown(socket.SHUT_RDWR)
    eventually(lambda: sorted(timekeeper.ended), lambda ended: ended == ["c0", "c3"])
    assert not timekeeper.open


def test_the_dead_mans_switch_is_set_over_a_socket(
    connect: Callable[[], Client], timekeeper: Sessions
) -> None:
    client = connect()
    ask(client, action="authenticate", key="ann.x")
    armed = ask(client, action="cancel_after", timeout_ms=2_000, id=7)
    assert (armed["id"], armed["status"], armed["due_us"]) == (7, "armed", 2_000_000)
    assert ask(client, action="cancel_after", timeout_ms=0)["status"] == "disarmed"
    assert (
        ask(client, action="cancel_after", timeout_ms=-1)["error"]["code"]
        == "request.invalid_field"
    )
    assert timekeeper.switches == [("ann", 2_000), ("ann", 0)]
