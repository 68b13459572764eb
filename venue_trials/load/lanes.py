"""Lanes: one connection each, with the requests that are due on it. The accounts of a lane are
always the same, so that an account's commands keep their order.
"""

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Iterator
from typing import NamedTuple

from venue_trials.load.flow import Flow
from venue_trials.load.plan import LoadPlan
from venue_trials.load.wire import ConnectionLost, HttpConnection, WebSocketConnection

_MOST_FRAMES_UNDER_WAY = 16
"""On one WebSocket; the gateway reads no more of a client that has 64 unread."""
_ORDER_ENTRY = "/v1/order-entry"


class Waiting(NamedTuple):
    """A request that is due, or under way."""

    due_ns: int
    account: int
    commands: int


class Lane(ABC):
    """One connection, the requests that wait for it, and those that wait for their answers."""

    most_under_way: int
    connection: HttpConnection | WebSocketConnection

    def __init__(self, plan: LoadPlan, flow: Flow) -> None:
        self._plan = plan
        self._flow = flow
        self.waiting: deque[Waiting] = deque()
        self.under_way: deque[Waiting] = deque()

    @abstractmethod
    def _connect(self) -> None:
        """Open `connection`."""

    @abstractmethod
    def _write(self, request: Waiting) -> None:
        """Send one request. Raises ConnectionLost."""

    @abstractmethod
    def _contents(self) -> Iterator[tuple[int, bytes]]:
        """Status and body of each answer that is there. Raises ConnectionLost."""

    def reconnect(self) -> int:
        """Open the connection again; how many commands were under way and will have no answer."""
        self.connection.close()
        lost = sum(request.commands for request in self.under_way)
        self.under_way.clear()
        self._connect()
        return lost

    def send(self) -> int:
        """Send what may be sent now; the number of commands. Raises ConnectionLost."""
        sent = 0
        while self.waiting and len(self.under_way) < self.most_under_way:
            request = self.waiting.popleft()
            self.under_way.append(request)
            sent += request.commands
            self._write(request)
        return sent

    def answers(self) -> Iterator[tuple[Waiting, int, bytes]]:
        """Each request that has its answer now, with status and body. Raises ConnectionLost."""
        for status, body in self._contents():
            if not self.under_way:
                raise ConnectionLost("an answer that nobody asked for")
            yield self.under_way.popleft(), status, body


class HttpLane(Lane):
    """One HTTP connection: one request under way, the rest wait for its answer."""

    most_under_way = 1
    connection: HttpConnection

    def __init__(self, plan: LoadPlan, flow: Flow) -> None:
        super().__init__(plan, flow)
        self._is_single = plan.case == "http-single"
        self._connect()

    def _connect(self) -> None:
        self.connection = HttpConnection(self._plan.gateway_url)

    def _write(self, request: Waiting) -> None:
        key = self._plan.accounts[request.account].api_key
        if self._is_single:
            path, body = self._flow.single(request.account)
        else:
            path, body = "/v1/commands", self._flow.list_of(request.account, request.commands)
        self.connection.post(path, key, body)

    def _contents(self) -> Iterator[tuple[int, bytes]]:
        yield from self.connection.answers()


class WebSocketLane(Lane):
    """One WebSocket of one account; frames follow each other without waiting."""

    most_under_way = _MOST_FRAMES_UNDER_WAY
    connection: WebSocketConnection

    def __init__(self, plan: LoadPlan, flow: Flow, account: int) -> None:
        super().__init__(plan, flow)
        self._account = account
        self._connect()

    def _connect(self) -> None:
        key = self._plan.accounts[self._account].api_key
        self.connection = WebSocketConnection(self._plan.gateway_url, _ORDER_ENTRY, key)

    def _write(self, request: Waiting) -> None:
        self.connection.send(self._flow.list_of(self._account, request.commands))

    def _contents(self) -> Iterator[tuple[int, bytes]]:
        """Each frame is an answer with status 200."""
        for content in self.connection.frames():
            yield 200, content


def open_lanes(plan: LoadPlan, flow: Flow) -> list[Lane]:
    """As many connections as the plan says; for WebSockets at most one for each account."""
    if plan.case == "websocket":
        return [
            WebSocketLane(plan, flow, number)
            for number in range(min(plan.connections, len(plan.accounts)))
        ]
    return [HttpLane(plan, flow) for _ in range(min(plan.connections, len(plan.accounts)))]
