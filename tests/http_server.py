"""A server of a test's own, in a thread, with the bounds of the real one."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from service_runtime.http.asgi_application import Application
from service_runtime.http.connections import Limits
from service_runtime.http.server import HttpServer


@contextmanager
def serving(application: Application, limits: Limits | None = None) -> Iterator[int]:
    """The port on which `application` is served inside the block."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    server = HttpServer(application, "127.0.0.1", port, limits or Limits(), lambda: None)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    end_s = time.monotonic() + 10
    while not server.started:
        assert thread.is_alive() and time.monotonic() < end_s, "the server does not start"
        time.sleep(0.01)
    yield port
    server.should_exit = True
    thread.join(10)
    assert not thread.is_alive()
