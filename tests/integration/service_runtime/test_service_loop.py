"""The service loop in a real process: how it ends, and that no client holds up another (case 5)."""

import hashlib
import os
import random
import signal
import socket
import struct
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest
import requests
from websockets.sync.client import connect as connect_websocket

from tests.integration.service_runtime.sample_process import SILENCE_S, SampleService, eventually

FATAL = 3
HEALTH = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"


def answer_to(connection: socket.socket) -> bytes:
    """All that comes until the other side closes."""
    received = b""
    with suppress(ConnectionResetError):
        while chunk := connection.recv(65_536):
            received += chunk
    return received


@pytest.mark.parametrize("order", ["now", "exit"])
def test_a_thread_that_raises_ends_the_process_with_the_fatal_code(
    sample: SampleService, order: str
) -> None:
    with suppress(requests.RequestException):
        requests.post(sample.url(f"/break/{order}"), timeout=5)
    assert sample.process.wait(10) == FATAL
    assert any(
        line["level"] == "CRITICAL" and line["worker"] == "work" for line in sample.log_lines()
    )


def test_an_app_that_cannot_be_built_ends_the_process_with_the_fatal_code(
    starting: Callable[..., SampleService],
) -> None:
    service = starting(SAMPLE_FAILS_TO_BUILD="1")
    assert service.process.wait(20) == FATAL
    assert "can't be built" in service.log_text()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_signal_ends_the_process_cleanly(sample: SampleService, number: int) -> None:
    sample.process.send_signal(number)
    assert sample.process.wait(30) == 0, sample.log_text()
    assert "service stopped" in sample.log_text()
    assert "closed last" in sample.log_text(), "one action that fails must not stop the others"
    assert not sample.is_alive()


def test_ctrl_c_in_the_terminal_ends_it_cleanly_too(sample: SampleService) -> None:
    os.killpg(sample.process.pid, signal.SIGINT)
    assert sample.process.wait(30) == 0, sample.log_text()
    assert "service stopped" in sample.log_text()


def test_a_service_that_still_waits_for_its_surroundings_can_be_stopped(
    starting: Callable[..., SampleService],
) -> None:
    service = starting(SAMPLE_HANGS_IN_BUILD="1")
    assert eventually(lambda: "building" in service.log_text())
    service.process.send_signal(signal.SIGTERM)
    assert service.process.wait(10) == 0
    assert "service stopped" in service.log_text()


def test_open_connections_and_websockets_do_not_hold_back_the_stop(sample: SampleService) -> None:
    silent = [sample.connect() for _ in range(5)]
    half_sent = sample.connect()
    half_sent.sendall(HEALTH[:10])
    with (
        connect_websocket(f"ws://127.0.0.1:{sample.port}/socket") as websocket,
        requests.Session() as session,
    ):
        websocket.send("hello")
        assert websocket.recv(timeout=5) == "hello"
        session.get(sample.url("/healthz"), timeout=5)
        sample.process.send_signal(signal.SIGTERM)
        assert sample.process.wait(12) == 0
    assert "service stopped" in sample.log_text() and "closed last" in sample.log_text()
    for connection in [*silent, half_sent]:
        connection.close()


@pytest.mark.parametrize(
    "sent", [b"", HEALTH[:20], b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n12345"]
)
def test_two_hundred_clients_that_stop_halfway_delay_nobody(
    lasting_sample: SampleService, sent: bytes
) -> None:
    connections = [lasting_sample.connect() for _ in range(200)]
    for connection in connections:
        connection.sendall(sent)
    started_s = time.monotonic()
    for _ in range(20):
        assert requests.get(lasting_sample.url("/healthz"), timeout=5).status_code == 200
    assert time.monotonic() - started_s < 2
    for connection in connections:
        connection.close()


def test_two_hundred_clients_that_do_not_close_delay_nobody(lasting_sample: SampleService) -> None:
    connections = [lasting_sample.connect() for _ in range(200)]
    for connection in connections:
        connection.sendall(HEALTH.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
    started_s = time.monotonic()
    for _ in range(20):
        assert requests.get(lasting_sample.url("/healthz"), timeout=5).status_code == 200
    assert time.monotonic() - started_s < 2
    for connection in connections:
        assert answer_to(connection).startswith(b"HTTP/1.1 200")
        connection.close()


@pytest.mark.parametrize(
    "sent",
    [
        HEALTH[:20],
        b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n12345",
    ],
)
def test_a_half_sent_request_is_cut_off(lasting_sample: SampleService, sent: bytes) -> None:
    with lasting_sample.connect() as connection:
        connection.sendall(sent)
        started_s = time.monotonic()
        answer_to(connection)
        assert time.monotonic() - started_s < SILENCE_S + 3


def test_a_request_in_single_bytes_is_answered(lasting_sample: SampleService) -> None:
    request = b"POST /echo HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 3\r\n\r\nabc"
    with lasting_sample.connect() as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in request:
            connection.send(bytes([byte]))
        assert b'{"bytes":3,' in answer_to(connection)


@pytest.mark.parametrize("size", [0, 1, 3_900, 4_096, 7_000, 60_000, 70_000, 999_999])
def test_bodies_of_any_allowed_size_arrive_whole(lasting_sample: SampleService, size: int) -> None:
    body = random.Random(size).randbytes(size)
    answer = requests.post(lasting_sample.url("/echo"), data=body, timeout=10)
    assert answer.json() == {"bytes": size, "sha256": hashlib.sha256(body).hexdigest()}


def test_a_body_sent_slowly_in_two_parts_arrives_whole(lasting_sample: SampleService) -> None:
    with lasting_sample.connect() as connection:
        connection.sendall(
            b"POST /echo HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 300000\r\n\r\n"
        )
        connection.sendall(b"x" * 150_000)
        assert requests.get(lasting_sample.url("/healthz"), timeout=5).status_code == 200
        connection.sendall(b"x" * 150_000)
        assert b'{"bytes":300000,' in answer_to(connection)


def test_a_trickled_chunked_body_is_refused_at_once_and_holds_no_thread(
    lasting_sample: SampleService,
) -> None:
    with lasting_sample.connect() as connection:
        connection.sendall(
            b"POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n64\r\n \r\n0\r\n"
        )
        answer = answer_to(connection)
    assert answer.startswith(b"HTTP/1.1 411") and b"request.length_required" in answer


def test_ten_megabytes_are_refused_and_the_service_goes_on(lasting_sample: SampleService) -> None:
    try:
        answer = requests.post(lasting_sample.url("/echo"), data=b"x" * 10_000_000, timeout=10)
        assert (answer.status_code, answer.json()["error"]["code"]) == (413, "request.too_large")
    except requests.ConnectionError:
        pass  # A client that is still sending may miss the answer.
    assert lasting_sample.is_alive()


def test_a_client_that_waits_for_100_continue_gets_it(lasting_sample: SampleService) -> None:
    with lasting_sample.connect() as connection:
        connection.sendall(
            b"POST /echo HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
            b"Expect: 100-continue\r\nContent-Length: 3\r\n\r\n"
        )
        assert connection.recv(100).startswith(b"HTTP/1.1 100")
        connection.sendall(b"abc")
        assert b'{"bytes":3,' in answer_to(connection)


def test_requests_sent_ahead_on_one_connection_are_answered_in_order(
    lasting_sample: SampleService,
) -> None:
    first = b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nab"
    last = b"POST /echo HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 3\r\n\r\nabc"
    with lasting_sample.connect() as connection:
        connection.sendall(first + last)
        answer = answer_to(connection)
    assert answer.index(b'{"bytes":2,') < answer.index(b'{"bytes":3,')


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", b"request.malformed"),
        (b"GARBAGE\r\n\r\n", b"request.malformed"),
        (b"GET /healthz HTTP/1.1\r\nbad header\r\n\r\n", b"request.malformed"),
        (b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n", b"request.malformed"),
        (
            b"POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n"
            b"0\r\n\r\n\r\n0\r\n\r\n",
            b"request.length_required",
        ),
        (b"GET /" + b"x" * 5_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", b"request.too_large"),
        (
            b"GET / HTTP/1.1\r\n" + b"".join(b"H%d: x\r\n" % n for n in range(100)) + b"\r\n",
            b"request.too_large",
        ),
        (b"GET / HTTP/1.1\r\nX: " + b"x" * 100_000, b"request.too_large"),
    ],
)
def test_what_is_not_http_gets_our_error_shape(
    lasting_sample: SampleService, sent: bytes, code: bytes
) -> None:
    with lasting_sample.connect() as connection:
        connection.sendall(sent)
        answer = answer_to(connection)
    assert answer.startswith(b"HTTP/1.1 4") and b'"code":"' + code + b'"' in answer, answer
    assert lasting_sample.is_alive()


@pytest.mark.parametrize("version", [b"0.9", b"1.2", b"2.0", b"3.0", b"9.9"])
def test_a_version_of_http_that_is_not_spoken_is_505(
    lasting_sample: SampleService, version: bytes
) -> None:
    with lasting_sample.connect() as connection:
        connection.sendall(b"GET /healthz HTTP/" + version + b"\r\nHost: x\r\n\r\n")
        answer = answer_to(connection)
    assert answer.startswith(b"HTTP/1.1 505 "), answer
    assert b'"code":"request.http_version"' in answer


def test_the_first_bytes_of_http_2_are_answered_with_505(lasting_sample: SampleService) -> None:
    with lasting_sample.connect() as connection:
        connection.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
        assert answer_to(connection).startswith(b"HTTP/1.1 505 ")


def test_a_line_that_ends_with_lf_alone_is_no_other_version(lasting_sample: SampleService) -> None:
    with lasting_sample.connect() as connection:
        connection.sendall(b"GET /healthz HTTP/1.1\nHost: x\n\n")
        assert answer_to(connection).startswith(b"HTTP/1.1 400 ")


@pytest.mark.parametrize("hosts", [b"", b"Host: x\r\nHost: x\r\n"])
def test_a_request_without_one_host_is_400(lasting_sample: SampleService, hosts: bytes) -> None:
    with lasting_sample.connect() as connection:
        connection.sendall(b"GET /healthz HTTP/1.1\r\n" + hosts + b"\r\n")
        assert answer_to(connection).startswith(b"HTTP/1.1 400 ")


def test_http_1_0_is_spoken(lasting_sample: SampleService) -> None:
    with lasting_sample.connect() as connection:
        connection.sendall(b"GET /healthz HTTP/1.0\r\n\r\n")
        answer = answer_to(connection)
    assert answer.startswith(b"HTTP/1.1 200 ") and b"connection: close" in answer


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/large", "/refused", "/nowhere", "/echo"])
def test_head_says_what_get_would_without_its_body(
    lasting_sample: SampleService, path: str
) -> None:
    url = lasting_sample.url(path)
    with requests.Session() as session:
        whole, head = session.get(url, timeout=5), session.head(url, timeout=5)
        # The next answer on the connection begins where the last one ended.
        assert session.get(url, timeout=5).status_code == whole.status_code
    assert (head.status_code, head.content) == (whole.status_code, b"")
    assert head.headers["content-length"] == whole.headers["content-length"] != "0"
    assert head.headers["content-type"] == whole.headers["content-type"]


def test_what_is_refused_of_a_head_has_no_body(lasting_sample: SampleService) -> None:
    with lasting_sample.connect() as connection:
        connection.sendall(b"HEAD /healthz HTTP/1.1\r\nbad header\r\n\r\n")
        answer = answer_to(connection)
    assert answer.startswith(b"HTTP/1.1 400 ") and answer.endswith(b"\r\n\r\n")


def test_a_websocket_client_may_be_silent_longer_than_a_request(
    lasting_sample: SampleService,
) -> None:
    with connect_websocket(f"ws://127.0.0.1:{lasting_sample.port}/socket") as websocket:
        with pytest.raises(TimeoutError):
            websocket.recv(timeout=SILENCE_S + 0.5)
        websocket.send("still here")
        assert websocket.recv(timeout=5) == "still here"


@pytest.mark.parametrize("wanted", [b"", b"Expect: 100-continue\r\n"])
def test_clients_that_reset_their_connection_end_nothing(
    sample: SampleService, wanted: bytes
) -> None:
    for _ in range(100):
        with sample.connect() as connection:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            connection.sendall(
                b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n" + wanted + b"\r\n"
            )
    assert sample.is_alive() and sample.process.poll() is None


def test_websockets_that_close_while_others_connect_end_nothing(sample: SampleService) -> None:
    def open_and_close() -> None:
        for _ in range(100):
            with connect_websocket(f"ws://127.0.0.1:{sample.port}/socket") as websocket:
                websocket.send("hello")
                assert websocket.recv(timeout=5) == "hello"

    def ask() -> None:
        for _ in range(300):
            assert requests.get(sample.url("/healthz"), timeout=5).ok

    with ThreadPoolExecutor() as threads:
        for ended in [threads.submit(work) for work in (open_and_close, open_and_close, ask, ask)]:
            ended.result()
    assert sample.process.poll() is None


def test_connections_that_ended_are_forgotten(lasting_sample: SampleService) -> None:
    before = lasting_sample.open_files()
    for sent in (b"", HEALTH[:9], HEALTH):
        for _ in range(30):
            with lasting_sample.connect() as connection:
                connection.sendall(sent)
    assert eventually(lambda: lasting_sample.open_files() <= before)
