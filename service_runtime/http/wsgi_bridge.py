"""Runs a WSGI application on a request that has arrived whole, and takes its answer whole, or page
by page where its length is not known.

So a thread never waits for a client: neither for a body nor for an answer to be read.
"""

import io
import sys
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import unquote_to_bytes

from service_runtime.http.answers import Reply, refusal_reply
from venue_protocol.refusals import Refusal, RejectReason

WsgiApplication = Callable[[dict[str, Any], Any], Iterable[bytes]]

BEGUN = "venue.request"
"""In the environment: the request's context has begun."""


def environ_of(scope: Any, body: bytes) -> dict[str, Any]:
    """The WSGI environment (PEP 3333) of an ASGI request.

    A HEAD is asked as a GET: so its answer has the length that the GET's would have (RFC 9110,
    8.6). The server leaves the body out.
    """
    server = scope["server"] or ("", 0)
    client = scope["client"] or ("", 0)
    environ: dict[str, Any] = {
        "REQUEST_METHOD": "GET" if scope["method"] == "HEAD" else scope["method"],
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(scope["raw_path"]).decode("latin-1"),
        "QUERY_STRING": scope["query_string"].decode("latin-1"),
        "SERVER_PROTOCOL": f"HTTP/{scope['http_version']}",
        "SERVER_NAME": str(server[0]),
        "SERVER_PORT": str(server[1]),
        "REMOTE_ADDR": str(client[0]),
        "REMOTE_PORT": str(client[1]),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope["scheme"],
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
        BEGUN: True,
    }
    for raw_name, raw_value in scope["headers"]:
        # A name with an underscore would take the place of the one with a hyphen.
        if b"_" in raw_name:
            continue
        name, value = (
            raw_name.decode("latin-1").upper().replace("-", "_"),
            raw_value.decode("latin-1"),
        )
        key = name if name in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{name}"
        environ[key] = f"{environ[key]},{value}" if key in environ else value
    return environ


def answer(application: WsgiApplication, environ: dict[str, Any]) -> Reply:
    """The application's answer, whole if it has a length. Blocks: for a worker thread."""
    begun: list[tuple[int, list[tuple[str, str]]]] = []

    def start_response(status: str, headers: list[tuple[str, str]], _error: Any = None) -> Any:
        begun[:] = [(int(status[:3]), headers)]

    pieces = application(environ, start_response)
    status, headers = begun[0]
    is_of_unknown_length = status == 200 and all(
        name.lower() != "content-length" for name, _ in headers
    )
    if is_of_unknown_length and environ["SERVER_PROTOCOL"] != "HTTP/1.1":
        _close(pieces)
        message = "this answer comes in chunks, which no version before HTTP/1.1 has"
        return refusal_reply(Refusal(RejectReason.HTTP_VERSION, message))
    rest = None
    if is_of_unknown_length:
        body, rest = b"", iter(pieces)
    else:
        try:
            body = b"".join(pieces)
        finally:
            _close(pieces)
    content_type = ""
    others = []
    for name, value in headers:
        lowered = name.lower()
        if lowered == "content-type":
            content_type = value
        elif lowered != "content-length":
            others.append((name, value))
    return Reply(status, body, tuple(others), content_type, rest)


def _close(pieces: Iterable[bytes]) -> None:
    if hasattr(pieces, "close"):
        pieces.close()
