"""HTTP to one service of the venue: keys, time-outs, safe repetition, errors."""

import math
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

import msgspec
import requests

from trading_bots.backoff import Backoff
from trading_bots.refusal import Refused, VenueUnavailable, refusal_of

_TOO_MANY_REQUESTS = 429
_MOST_RETRY_AFTER_S = 60.0
"""A proxy may ask for hours; a bot that waited so long would look dead."""


class Transport:
    """One keep-alive connection to one base URL.

    Not for several threads at once: give each its own.
    """

    def __init__(
        self,
        base_url: str,
        api_key: str | None = None,
        timeout_s: float = 5.0,
        patience_s: float = 30.0,
        stopping: threading.Event | None = None,
    ) -> None:
        self.base_url = base_url.rstrip("/")
        self._timeout_s = timeout_s
        self._patience_s = patience_s
        self._stopping = stopping or threading.Event()
        self.is_repeated = False
        """Whether the newest request was sent more than once."""
        self._session = requests.Session()
        self._session.trust_env = False
        if api_key:
            self._session.headers["Authorization"] = f"Bearer {api_key}"

    def request(
        self,
        method: str,
        path: str,
        body: Any = None,
        query: Mapping[str, Any] | None = None,
        open_question: Callable[[Any], str | None] = lambda _content: None,
        idempotency_key: str | None = None,
    ) -> Any:
        """The JSON answer. Asks again after a time-out, a 5xx or a 429, for at most `patience_s`.

        Only for requests that are safe to repeat; all of the client library's are, because each
        order carries a client_order_id, and each loan an Idempotency-Key. `open_question` says what
        an answer leaves open; the request is then sent again. Raises Refused for another 4xx,
        VenueUnavailable when the patience is over or `stopping` is set.
        """
        payload = None if body is None else msgspec.json.encode(body)
        parameters = {name: value for name, value in (query or {}).items() if value is not None}
        deadline = time.monotonic() + self._patience_s
        backoff = Backoff()
        self.is_repeated = False
        while True:
            content, failure, retry_after_s = self._attempt(
                method, path, payload, parameters, idempotency_key
            )
            failure = failure or open_question(content)
            if failure is None:
                return content
            pause_s = backoff.next_s(retry_after_s)
            if time.monotonic() + pause_s > deadline or self._stopping.wait(pause_s):
                raise VenueUnavailable(f"{method} {path}: {failure}")
            self.is_repeated = True

    def close(self) -> None:
        """Close the connection."""
        self._session.close()

    def _attempt(
        self,
        method: str,
        path: str,
        payload: bytes | None,
        query: dict[str, Any],
        idempotency_key: str | None = None,
    ) -> tuple[Any, str | None, float]:
        """(answer, None, 0), or (None, why there is none yet, seconds the venue asked to wait)."""
        headers = {"Content-Type": "application/json"} if payload is not None else {}
        if idempotency_key is not None:
            headers["Idempotency-Key"] = idempotency_key
        try:
            response = self._session.request(
                method,
                self.base_url + path,
                data=payload,
                params=query,
                headers=headers,
                timeout=self._timeout_s,
            )
        except requests.RequestException as error:
            return None, type(error).__name__, 0.0
        status = response.status_code
        content = _json(response.content)
        if status == _TOO_MANY_REQUESTS or status >= 500:
            return None, f"HTTP {status}", _retry_after_s(response)
        if status >= 400:
            raise refusal_of(content, status) or _unexpected(response)
        if content is None and response.content:
            return None, "an answer that is not JSON", 0.0
        return content, None, 0.0


def _unexpected(response: requests.Response) -> Refused:
    """A refusal in no shape the venue uses: something else answers at this address."""
    return Refused(
        "service.unexpected_answer", response.text[:200], http_status=response.status_code
    )


def _json(content: bytes) -> Any:
    try:
        return msgspec.json.decode(content)
    except msgspec.DecodeError:
        return None


def _retry_after_s(response: requests.Response) -> float:
    try:
        seconds = float(response.headers.get("Retry-After", "0"))
    except ValueError:
        return 0.0
    return min(max(seconds, 0.0), _MOST_RETRY_AFTER_S) if math.isfinite(seconds) else 0.0
