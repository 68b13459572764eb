"""An HTTP client for when everything may break: it asks until the answer is definite."""

import http.client
import json
import socket
import struct
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

_TIMEOUT_S = 5.0
_PAUSES_S = (0.02, 0.05, 0.1, 0.2, 0.4)
_LONGEST_PAUSE_S = 1.0


class Unresolved(Exception):
    """No definite answer within the patience."""


@dataclass
class Troubles:
    """What clients saw instead of an answer, by kind. Filled from several threads."""

    counts: Counter[str] = field(default_factory=Counter)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, kind: str) -> None:
        """One more."""
        with self.lock:
            self.counts[kind] += 1


class WaitingClient:
    """One keep-alive connection of one client to one service. For one thread."""

    def __init__(self, url: str, api_key: str, troubles: Troubles) -> None:
        address = urlsplit(url)
        self._host, self._port = str(address.hostname), int(address.port or 80)
        self._headers = {"Authorization": f"Bearer {api_key}", "Content-Type": "application/json"}
        self._troubles = troubles
        self._connection: http.client.HTTPConnection | None = None
        self.unanswered = 0
        """Requests sent, perhaps in part, that had no answer: the service may do them later than a
        repetition.
        """

    def ask(
        self,
        method: str,
        path: str,
        body: Any,
        patience_s: float,
        headers: dict[str, str] | None = None,
    ) -> tuple[int, Any]:
        """Status and JSON of the first definite answer. Only for requests that are safe to repeat.

        Not definite are no answer at all, 429, 503, and a list with such results in it. Raises
        Unresolved.
        """
        deadline = time.monotonic() + patience_s
        attempt = 0
        while True:
            answered = self._once(method, path, body, headers or {})
            if answered is not None and not _is_open(*answered):
                return answered
            pause_s = _PAUSES_S[attempt] if attempt < len(_PAUSES_S) else _LONGEST_PAUSE_S
            attempt += 1
            if time.monotonic() + pause_s > deadline:
                raise Unresolved(f"{method} {path}: last answer {answered}")
            time.sleep(pause_s)

    def hang_up(self, path: str, body: Any, share: float) -> None:
        """Send `share` of a POST's bytes and disconnect: gone before the answer, perhaps in
        mid-request.
        """
        self.unanswered += 1
        content = json.dumps(body).encode()
        lines = [f"POST {path} HTTP/1.1", f"Host: {self._host}", f"Content-Length: {len(content)}"]
        lines += [f"{name}: {value}" for name, value in self._headers.items()]
        request = "\r\n".join(lines).encode() + b"\r\n\r\n" + content
        try:
            with socket.create_connection(
                (self._host, self._port), timeout=_TIMEOUT_S
            ) as connection:
                connection.sendall(request[: max(1, int(share * len(request)))])
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        except OSError:
            self._troubles.note("no connection")
        self._troubles.note("hung up")

    def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _once(
        self, method: str, path: str, body: Any, headers: dict[str, str]
    ) -> tuple[int, Any] | None:
        if self._connection is None:
            self._connection = http.client.HTTPConnection(
                self._host, self._port, timeout=_TIMEOUT_S
            )
        content = None if body is None else json.dumps(body)
        try:
            self._connection.request(method, path, content, self._headers | headers)
            response = self._connection.getresponse()
            text = response.read()
            answer = json.loads(text) if text else None
        except (OSError, http.client.HTTPException, ValueError) as error:
            self.unanswered += 1
            self._troubles.note(
                "time-out" if isinstance(error, TimeoutError) else "connection lost"
            )
            self.close()
            return None
        if response.status in (429, 503):
            self._note_refusal(response, answer)
        if response.will_close:
            self.close()
        return response.status, answer

    def _note_refusal(self, response: http.client.HTTPResponse, answer: Any) -> None:
        self._troubles.note(f"{response.status} {code_of(answer)}")
        if response.getheader("Retry-After") is None:
            self._troubles.note(f"{response.status} without Retry-After")


def code_of(answer: Any) -> str | None:
    """The code of an error answer, or of one error in a list; None if it is none."""
    error = answer.get("error") if isinstance(answer, dict) else None
    return str(error["code"]) if error else None


def _is_open(status: int, answer: Any) -> bool:
    """Whether the question is still open: asked again it may have another answer."""
    if status in (429, 503):
        return True
    results = answer.get("results", []) if isinstance(answer, dict) else []
    return any((code_of(result) or "").startswith(("service.", "rate.")) for result in results)
