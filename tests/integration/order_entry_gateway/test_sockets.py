"""WebSockets of the door over TCP: how many there may be, and how long they may stay strangers."""

import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from typing import Any, cast

import msgspec
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection
from websockets.sync.client import connect as open_websocket

from order_entry_gateway.adapters import websocket
from order_entry_gateway.adapters.completions import Completions
from order_entry_gateway.adapters.concurrency_limit import ListTurns
from order_entry_gateway.adapters.order_routes import OrderEntry
from order_entry_gateway.adapters.record_lookups import RecordLookups
from order_entry_gateway.handlers import OrderDesk
from order_entry_gateway.loops.timekeeper import Timekeeper
from service_runtime.http import application
from service_runtime.http.asgi_application import Application
from service_runtime.http.authentication import Authenticator, Caller
from service_runtime.service import Service
from service_runtime.settings import load
from tests.acceptance.api import eventually
from tests.http_server import serving
from venue_protocol.refusals import RejectReason, refuse
from venue_protocol.roles import TRADER

SETTINGS = load(
    {"VENUE_BROKER_URL": "amqp://nowhere", "VENUE_CLEARING_DATABASE_URL": "postgresql://nowhere"}
)


class Keys:
    """An Authenticator to whom every key `NAME.…` is NAME's."""

    def remembered(self, key: str | None) -> Caller | None:
        return None if key is None else self.caller_of(key)

    def caller_of(self, key: str | None) -> Caller:
        if key is None:
            raise refuse(RejectReason.KEY_MISSING, "no key in the header")
        return Caller(key.partition(".")[0], TRADER)


class Pending:
    """A request of a client that is decided when the desk may answer."""

    def __init__(self, desk: "Desk", answers: list[dict[str, Any]]) -> None:
        self._desk = desk
        self._answers = answers

    def is_decided(self) -> bool:
        return self._desk.may_answer.is_set()

    def when_decided(self, then: Callable[[], object]) -> None:
        self._desk.waiting.append(then)
        if self.is_decided():
            then()

    def wait(self, within_s: float = 0) -> None:
        """It never takes too long."""

    def answers(self) -> list[dict[str, Any]]:
        return self._answers


class Desk:
    """Accepts everything, but not before it may."""

    def __init__(self) -> None:
        self.may_answer = threading.Event()
        self.may_answer.set()
        self.waiting: list[Callable[[], object]] = []

    def begin(
        self, caller: Caller, actions: Sequence[object], paid: int, recorded: object = None
    ) -> Pending:
        return Pending(self, [{"client_id": caller.client_id} for _ in actions])

    def answer(self) -> None:
        """Now it may."""
        self.may_answer.set()
        for then in self.waiting:
            then()

    def charge(self, caller: Caller, size: int) -> int:
        """As much as they like."""
        return 1


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


Connect = Callable[[], ClientConnection]


@pytest.fixture
def connect(desk: Desk, timekeeper: Sessions) -> Iterator[Connect]:
    """Opens a WebSocket to a door of this test's own."""
    served = Application(application.create_app(Service("door", SETTINGS)), threads=4)
    entry = OrderEntry(
        desk=cast(OrderDesk, desk),
        authenticator=cast(Authenticator, Keys()),
        lookups=RecordLookups(lambda _ids: {}),
        completions=Completions(),
        turns=ListTurns(),
        is_limit_at_hand=lambda _client_id: True,
        are_securities_known=lambda _security_ids: True,
    )
    websocket.add_routes(served, entry, cast(Timekeeper, timekeeper))
    with serving(served) as port, ExitStack() as opened:

        def connect() -> ClientConnection:
            url = f"ws://127.0.0.1:{port}/v1/order-entry"
            return opened.enter_context(
                open_websocket(url, compression=None, close_timeout=1, max_queue=None)
            )

        yield connect


def ask(client: ClientConnection, **frame: object) -> Any:
    client.send(msgspec.json.encode(frame).decode())
    return msgspec.json.decode(client.recv(5))


def test_a_client_has_only_so_many_sockets(
    connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(websocket, "MOST_SOCKETS_OF_A_CLIENT", 1)
    first, second = connect(), connect()
    assert ask(first, action="authenticate", key="ann.1")["status"] == "authenticated"
    assert ask(first, action="authenticate", key="ann.2")["status"] == "authenticated"
    assert ask(second, action="authenticate", key="ann.1")["error"]["code"] == "rate.limited"
    assert ask(second, action="authenticate", key="bob.1")["status"] == "authenticated"


def test_a_stranger_without_a_key_is_sent_away(
    connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(websocket, "STRANGER_S", 0.3)
    silent, known = connect(), connect()
    assert ask(known, action="authenticate", key="ann.1")["status"] == "authenticated"
    with pytest.raises(ConnectionClosed):
        silent.recv(5)
    end_s = time.monotonic() + 0.5
    while time.monotonic() < end_s:
        assert ask(known, action="cancel_all")["client_id"] == "ann"
        time.sleep(0.05)


def test_frames_are_not_piled_up_for_a_busy_door(connect: Connect, desk: Desk) -> None:
    """The kernel's buffers take some; what the process takes beside the frame at work is
    bounded.
    """
    client = connect()
    assert ask(client, action="authenticate", key="ann.1")["status"] == "authenticated"
    desk.may_answer.clear()
    frame = msgspec.json.encode({"action": "cancel_all", "security": "x" * 900_000}).decode()
    sent = []

    def flood() -> None:
        for _ in range(60):
            client.send(frame)
            sent.append(len(frame))

    thread = threading.Thread(target=flood, daemon=True)
    thread.start()
    thread.join(4)
    assert thread.is_alive(), f"all {len(sent)} frames were taken while none was answered"
    desk.answer()
    thread.join(20)
    assert not thread.is_alive()


def test_a_socket_that_asked_for_it_ends_its_session_however_it_ends(
    connect: Connect, timekeeper: Sessions
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
    cut.socket.shutdown(socket.SHUT_RDWR)
    eventually(lambda: sorted(timekeeper.ended), lambda ended: ended == ["c0", "c3"])
    assert not timekeeper.open


def test_the_dead_mans_switch_is_set_over_a_socket(connect: Connect, timekeeper: Sessions) -> None:
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


def test_frames_sent_ahead_are_answered_in_order(connect: Connect, desk: Desk) -> None:
    client = connect()
    assert ask(client, action="authenticate", key="ann.x")["status"] == "authenticated"
    desk.may_answer.clear()
    for number in range(20):
        client.send(msgspec.json.encode({"action": "cancel_all", "id": number}).decode())
    client.send("garbage")
    eventually(lambda: len(desk.waiting), lambda count: count == 20)
    with pytest.raises(TimeoutError):
        client.recv(0.1)
    desk.answer()
    answers = [msgspec.json.decode(client.recv(5)) for _ in range(21)]
    assert [answer["id"] for answer in answers] == [*range(20), None]
    assert answers[-1]["error"]["code"] == "request.malformed"


def test_a_stranger_is_not_read_beyond_what_a_key_needs(connect: Connect) -> None:
    stranger = connect()
    stranger.send("x" * 5_000)
    with pytest.raises(ConnectionClosed) as closed:
        stranger.recv(5)
    assert closed.value.rcvd is not None and closed.value.rcvd.code == 1009
