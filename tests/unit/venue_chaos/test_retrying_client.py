"""A client's end of HTTP asks until the answer is definite, and counts what it saw on the way."""

import json
import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from venue_chaos.retrying_client import Troubles, Unresolved, WaitingClient

HANG_UP = None
Answer = tuple[int, Any] | None


class FakeVenue:
    """Gives the n-th answer to the n-th connection and closes it; the last one for ever.

    HANG_UP closes at once.
    """

    def __init__(self) -> None:
        self.answers: list[Answer] = []
        self.requests: list[bytes] = []
        self.headers = "Retry-After: 1\r\n"
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        self._listener.close()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with connection:
                self.requests.append(_request(connection))
                answer = self.answers[min(len(self.requests), len(self.answers)) - 1]
                if answer is not None:
                    body = json.dumps(answer[1]).encode()
                    head = f"HTTP/1.1 {answer[0]} X\r\n{self.headers}Connection: close\r\n"
                    head += f"Content-Length: {len(body)}"
                    connection.sendall(head.encode() + b"\r\n\r\n" + body)


def _request(connection: socket.socket) -> bytes:
    request = b""
    try:
        while not request.endswith(b"}") and (more := connection.recv(65_536)):
            request += more
    except ConnectionResetError:
        pass
    return request


@pytest.fixture
def venue() -> Iterator[FakeVenue]:
    venue = FakeVenue()
    yield venue
    venue.close()


def away() -> dict[str, Any]:
    return {"error": {"code": "service.not_ready"}}


def test_no_answer_and_503_are_asked_again_and_counted(venue: FakeVenue) -> None:
    venue.answers = [HANG_UP, (503, away()), (201, {"order_id": 1})]
    troubles = Troubles()
    assert WaitingClient(venue.url, "key", troubles).ask("POST", "/v1/orders", {"a": 1}, 10) == (
        201,
        {"order_id": 1},
    )
    assert troubles.counts == {"connection lost": 1, "503 service.not_ready": 1}
    assert len(set(venue.requests)) == 1, "the same request each time"


def test_a_list_with_an_open_result_is_asked_again_as_a_whole(venue: FakeVenue) -> None:
    venue.answers = [(200, {"results": [{"order_id": 1}, away()]}), (200, {"results": [{}, {}]})]
    assert WaitingClient(venue.url, "key", Troubles()).ask("POST", "/v1/orders", {}, 10)[1] == {
        "results": [{}, {}]
    }


def test_a_definite_refusal_and_a_fault_are_answers(venue: FakeVenue) -> None:
    for status in (409, 422, 500):
        venue.answers = [(status, {"error": {"code": "x"}})]
        assert (
            WaitingClient(venue.url, "key", Troubles()).ask("POST", "/v1/orders", {}, 10)[0]
            == status
        )


def test_a_503_without_retry_after_is_noted(venue: FakeVenue) -> None:
    venue.headers = ""
    venue.answers = [(503, away()), (200, {})]
    troubles = Troubles()
    WaitingClient(venue.url, "key", troubles).ask("POST", "/v1/orders", {}, 10)
    assert troubles.counts["503 without Retry-After"] == 1


def test_without_a_definite_answer_the_question_is_unresolved(venue: FakeVenue) -> None:
    venue.answers = [(503, away())]
    with pytest.raises(Unresolved, match=r"service\.not_ready"):
        WaitingClient(venue.url, "key", Troubles()).ask("POST", "/v1/orders", {}, 0.1)


def test_a_hang_up_sends_the_share_it_shall_and_no_more(venue: FakeVenue) -> None:
    venue.answers = [HANG_UP]
    door = WaitingClient(venue.url, "key", Troubles())
    door.hang_up("/v1/orders", {"quantity": 5}, 0.5)
    door.hang_up("/v1/orders", {"quantity": 5}, 1.0)
    with pytest.raises(Unresolved):
        door.ask("POST", "/v1/orders", {}, 0.5)
    assert not venue.requests[0].endswith(b"}")
