"""An answer of unknown length is made while its client reads it, in the memory of a page."""

import socket
import time
from collections.abc import Iterator

import pytest
import requests
from flask import Flask, Response

from service_runtime.database import DatabaseUnavailable
from service_runtime.http.asgi_application import Application
from tests.http_server import serving

PAGE = b"x" * 499_999 + b"\n"
PAGES = 120


class Pages:
    """Makes pages, and counts them."""

    def __init__(self) -> None:
        self.made = 0

    def pages(self) -> Iterator[bytes]:
        for _ in range(PAGES):
            self.made += 1
            yield PAGE

    def broken(self) -> Iterator[bytes]:
        yield PAGE
        raise DatabaseUnavailable("gone")

    def port(self) -> Iterator[int]:
        """Where they are served."""
        app = Flask("pages")
        app.add_url_rule("/pages", "pages", lambda: Response(self.pages()))
        app.add_url_rule("/broken", "broken", lambda: Response(self.broken()))
        with serving(Application(app, 2)) as port:
            yield port


@pytest.fixture
def pages() -> Pages:
    return Pages()


@pytest.fixture
def port(pages: Pages) -> Iterator[int]:
    yield from pages.port()


def settled(pages: Pages) -> int:
    """How many pages were made, once there are no more for a while."""
    seen, since_s = pages.made, time.monotonic()
    while time.monotonic() - since_s < 0.3:
        if pages.made != seen:
            seen, since_s = pages.made, time.monotonic()
        time.sleep(0.01)
    return seen


def test_pages_are_made_as_their_client_reads(pages: Pages, port: int) -> None:
    with socket.create_connection(("127.0.0.1", port), 10) as client:
        client.sendall(b"GET /pages HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        assert client.recv(1) == b"H"
        assert 1 <= settled(pages) < PAGES / 2, "the kernel takes a few megabytes"
        received = 1
        while chunk := client.recv(1 << 20):
            received += len(chunk)
    assert pages.made == PAGES and received > PAGES * len(PAGE)


def test_the_whole_answer_arrives(port: int) -> None:
    answer = requests.get(f"http://127.0.0.1:{port}/pages", timeout=30)
    assert len(answer.content) == PAGES * len(PAGE)


def test_an_answer_that_breaks_off_is_not_taken_for_the_whole(port: int) -> None:
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        requests.get(f"http://127.0.0.1:{port}/broken", timeout=30)


def test_who_goes_away_ends_the_making(pages: Pages, port: int) -> None:
    with socket.create_connection(("127.0.0.1", port), 10) as client:
        client.sendall(b"GET /pages HTTP/1.1\r\nHost: x\r\n\r\n")
        client.recv(1)
    assert settled(pages) < PAGES


def test_a_head_makes_none_and_http_1_0_is_told_that_it_can_not(pages: Pages, port: int) -> None:
    head = requests.head(f"http://127.0.0.1:{port}/pages", timeout=30)
    assert (head.status_code, head.content, pages.made) == (200, b"", 0)
    with socket.create_connection(("127.0.0.1", port), 10) as client:
        client.sendall(b"GET /pages HTTP/1.0\r\n\r\n")
        assert client.recv(12) == b"HTTP/1.1 505"
