"""Hundreds of strangers who hold connections in every way, beside a client who is served."""

import re
import socket
import struct
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import pytest
import requests

from tests.integration.service_runtime.sample_process import SILENCE_S, SampleService, eventually
from tests.integration.service_runtime.test_service_loop import HEALTH, answer_to

HANDSHAKE = (
    b"GET /socket HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)
UNFINISHED = {
    "head": HEALTH[:20],
    "body": b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 900000\r\n\r\nx",
    "pipelined head": HEALTH + b"GET / HTTP/1.1\r\nX-a: ",
    "pipelined head after an upgrade that is none": HEALTH[:-2]
    + b"Connection: Upgrade\r\nUpgrade: websocket\r\n\r\nGET / HTTP/1.1\r\nX-a: ",
    "silent": b"",
}


@contextmanager
def strangers(service: SampleService, count: int, sent: bytes) -> Iterator[list[socket.socket]]:
    """So many connections, each of which has sent these bytes."""
    connections = [service.connect() for _ in range(count)]
    for connection in connections:
        connection.sendall(sent)
    yield connections
    for connection in connections:
        connection.close()


def is_served_quickly(service: SampleService) -> bool:
    """Whether 20 requests of a client are answered within two seconds."""
    started_s = time.monotonic()
    with requests.Session() as session:
        for _ in range(20):
            assert session.get(service.url("/healthz"), timeout=5).status_code == 200
    return time.monotonic() - started_s < 2


def metric(service: SampleService, name: str) -> float:
    """A value of /metrics."""
    text = requests.get(service.url("/metrics"), timeout=5).text
    found = re.search(rf"^{re.escape(name)} (\S+)$", text, re.MULTILINE)
    return float(found.group(1)) if found else 0.0


@pytest.mark.parametrize("sent", UNFINISHED.values(), ids=UNFINISHED)
def test_four_hundred_unfinished_requests_delay_nobody(
    lasting_sample: SampleService, sent: bytes
) -> None:
    with strangers(lasting_sample, 400, sent):
        assert is_served_quickly(lasting_sample)


@pytest.mark.parametrize(
    "length",
    [
        b"0000000000000000000900000",
        b"+5",
        b"-1",
        b"5.0",
        b"0x5",
        b"5 5",
        b"5,5",
        b"",
        b"\xd9\xa5",
        b"9" * 30,
        b"1_0",
    ],
)
def test_a_content_length_that_not_every_reader_understands_is_400(
    lasting_sample: SampleService, length: bytes
) -> None:
    with lasting_sample.connect() as connection:
        connection.sendall(
            b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: " + length + b"\r\n\r\n"
        )
        answer = answer_to(connection)
    assert answer.startswith(b"HTTP/1.1 400") and b'"request.malformed"' in answer


def test_two_content_lengths_are_400(lasting_sample: SampleService) -> None:
    with lasting_sample.connect() as connection:
        connection.sendall(
            b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n12"
        )
        assert answer_to(connection).startswith(b"HTTP/1.1 400")


@pytest.mark.parametrize("sent", [UNFINISHED["head"], UNFINISHED["body"]])
def test_a_request_that_does_not_arrive_in_time_is_told_so(
    lasting_sample: SampleService, sent: bytes
) -> None:
    with lasting_sample.connect() as connection:
        connection.sendall(sent)
        answer = answer_to(connection)
    assert answer.startswith(b"HTTP/1.1 408") and b'"request.timed_out"' in answer
    assert metric(lasting_sample, 'venue_connections_cut_total{reason="slow_request"}') >= 1


def test_a_request_that_trickles_has_one_deadline_for_all_of_it(
    lasting_sample: SampleService,
) -> None:
    started_s = time.monotonic()
    with lasting_sample.connect() as connection, suppress(OSError):
        connection.sendall(b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 900000\r\n\r\n")
        while time.monotonic() - started_s < SILENCE_S + 5:
            connection.sendall(b"x")
            time.sleep(0.05)
    assert time.monotonic() - started_s < SILENCE_S + 3


@pytest.mark.parametrize("before", [b"", HEALTH], ids=["at once", "after a request"])
def test_blank_lines_are_no_request_and_lift_no_time_limit(
    starting: Callable[..., SampleService], before: bytes
) -> None:
    service = starting(SAMPLE_IDLE_S="1")
    assert eventually(service.is_alive, 60), service.log_text()
    with service.connect() as connection:
        connection.settimeout(20)
        if before:
            connection.sendall(before)
            assert connection.recv(65_536).startswith(b"HTTP/1.1 200")
        connection.sendall(b"\r\n" * 10)
        with suppress(ConnectionError):
            assert connection.recv(65_536) == b""


def test_the_answers_before_a_pipelined_fault_come_first(lasting_sample: SampleService) -> None:
    good = b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nab"
    with lasting_sample.connect() as connection:
        connection.sendall(good + good + b"GARBAGE\r\n\r\n")
        answer = answer_to(connection)
    statuses = re.findall(rb"HTTP/1.1 (\d+)", answer)
    assert statuses == [b"200", b"200", b"400"]


def test_thousands_of_requests_sent_ahead_are_answered_in_order_and_take_bounded_memory(
    lasting_sample: SampleService,
) -> None:
    request = b"POST /native HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s"
    lengths = [number % 40 for number in range(5_000)]
    sent = b"".join(request % (length, b"x" * length) for length in lengths)
    with lasting_sample.connect() as connection:
        connection.sendall(sent)
        connection.shutdown(socket.SHUT_WR)
        answered = [int(n) for n in re.findall(rb'{"bytes":(\d+)}', answer_to(connection))]
    assert answered == lengths[: len(answered)] and len(answered) >= 1


def test_a_client_that_sends_and_closes_its_side_is_still_answered(
    lasting_sample: SampleService,
) -> None:
    with lasting_sample.connect() as connection:
        connection.sendall(HEALTH)
        connection.shutdown(socket.SHUT_WR)
        assert answer_to(connection).startswith(b"HTTP/1.1 200")


def test_four_hundred_slow_readers_delay_nobody_and_are_cut_off(
    lasting_sample: SampleService,
) -> None:
    ask = b"GET /large HTTP/1.1\r\nHost: x\r\n\r\n"
    readers = []
    for _ in range(100):
        reader = socket.socket()
        reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        reader.connect(("127.0.0.1", lasting_sample.port))
        reader.sendall(4 * ask)
        readers.append(reader)
    assert is_served_quickly(lasting_sample)
    name = 'venue_connections_cut_total{reason="slow_reader"}'
    assert eventually(lambda: metric(lasting_sample, name) >= 100, 20)
    for reader in readers:
        reader.close()


def test_the_oldest_stranger_goes_first_and_a_known_client_stays(
    starting: Callable[..., SampleService],
) -> None:
    service = starting(VENUE_CONNECTIONS_WITHOUT_KEY_PER_ADDRESS="50", SAMPLE_SILENCE_S="30")
    assert eventually(service.is_alive, 60), service.log_text()
    with requests.Session() as known:
        known.headers["X-API-Key"] = "ann"
        assert known.get(service.url("/who"), timeout=5).ok
        with strangers(service, 200, HEALTH[:20]) as connections:
            first = answer_to(connections[0])
            assert first.startswith(b"HTTP/1.1 503") and b"service.overloaded" in first
            assert known.get(service.url("/who"), timeout=5).ok
            connections[-1].sendall(HEALTH[20:])
            assert connections[-1].recv(100).startswith(b"HTTP/1.1 200"), "the newest stays"
        assert known.get(service.url("/who"), timeout=5).ok
        cut = metric(service, 'venue_connections_cut_total{reason="crowded_out"}')
        assert cut >= 150


def test_a_stranger_that_sent_nothing_goes_with_a_word_too(
    starting: Callable[..., SampleService],
) -> None:
    service = starting(VENUE_CONNECTIONS_WITHOUT_KEY_PER_ADDRESS="20", SAMPLE_SILENCE_S="30")
    assert eventually(service.is_alive, 60), service.log_text()
    with strangers(service, 60, b"") as connections:
        assert answer_to(connections[0]).startswith(b"HTTP/1.1 503")
        connections[-1].sendall(HEALTH)
        assert connections[-1].recv(100).startswith(b"HTTP/1.1 200"), "the newest stays"
    assert metric(service, 'venue_connections_cut_total{reason="crowded_out"}') >= 40
    assert "Exception in callback" not in service.log_text()


def test_websockets_without_a_key_crowd_each_other_out_with_a_word(
    starting: Callable[..., SampleService],
) -> None:
    service = starting(VENUE_CONNECTIONS_WITHOUT_KEY_PER_ADDRESS="20")
    assert eventually(service.is_alive, 60), service.log_text()
    with service.connect() as first:
        first.sendall(HANDSHAKE)
        assert first.recv(1 << 16).startswith(b"HTTP/1.1 101")
        with strangers(service, 60, HANDSHAKE):
            received = answer_to(first)
    assert received.endswith(struct.pack("!H", 1013) + b"too many connections without a key")


def test_a_client_has_only_so_many_connections_kept_open(
    starting: Callable[..., SampleService],
) -> None:
    service = starting(VENUE_CONNECTIONS_PER_CLIENT="5")
    assert eventually(service.is_alive, 60), service.log_text()
    ask = b"GET /who HTTP/1.1\r\nHost: x\r\nX-API-Key: ann\r\n\r\n"
    with strangers(service, 10, b"") as connections:
        for connection in connections:
            connection.sendall(ask)
            received = b""
            while not received.endswith(b"{}"):
                received += connection.recv(1 << 16)
            assert received.startswith(b"HTTP/1.1 200"), "all are answered"
        ended = 0
        for connection in connections:
            connection.settimeout(0.3)
            with suppress(TimeoutError):
                ended += not connection.recv(1)
        assert ended == 5


def test_a_handshake_that_is_none_is_refused_in_the_venues_words(
    lasting_sample: SampleService,
) -> None:
    faults = {
        b"Sec-WebSocket-Version: 13": b"Sec-WebSocket-Version: 12",
        b"dGhlIHNhbXBsZSBub25jZQ==": b"short",
        b"GET /socket": b"POST /socket",
        b"Host: x": b"Host: x\r\nContent-Length: 5",
        b"Host: x\r\n": b"Host: x\r\nX-a: " + b"a" * 9_000 + b"\r\n",
    }
    for good, bad in faults.items():
        with lasting_sample.connect() as connection:
            connection.sendall(HANDSHAKE.replace(good, bad))
            answer = answer_to(connection)
        assert answer.startswith(b"HTTP/1.1 400") and b"no WebSocket handshake" in answer, bad
    answer = requests.get(lasting_sample.url("/socket"), timeout=5)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "request.malformed")
