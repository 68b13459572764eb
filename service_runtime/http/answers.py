"""Answers before they are anybody's response: status, headers and JSON, and the shape of errors."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import msgspec

from service_runtime import metrics
from service_runtime.http import request_context
from venue_protocol.refusals import Refusal, RejectReason

RETRY_AFTER_S = 1
"""What a 503 says unless it knows better."""
JSON = "application/json"

_encoder = msgspec.json.Encoder()


class Reply(NamedTuple):
    """An answer. `headers` go beside Content-Type and Content-Length."""

    status: int
    body: bytes
    headers: tuple[tuple[str, str], ...] = ()
    content_type: str = JSON
    rest: Iterator[bytes] | None = None
    """What follows `body`, made while it is sent; None where `body` is the whole."""


def error_body(refusal: Refusal) -> dict[str, Any]:
    """`{"error": {code, message, field, details, request_id}}` as a dict."""
    return {
        "error": {
            "code": refusal.reason.code,
            "message": refusal.message,
            "field": refusal.field,
            "details": refusal.details,
            "request_id": request_context.request_id(),
        }
    }


def json_reply(content: Any, status: int = 200) -> Reply:
    """A JSON answer of anything msgspec can encode."""
    return Reply(status, _encoder.encode(content))


def refusal_reply(refusal: Refusal, retry_after_s: int | None = None) -> Reply:
    """The answer to a refused request; counts it. A 503 always says when to ask again."""
    metrics.refusals.labels(refusal.reason.code).inc()
    status = refusal.reason.http_status
    headers: list[tuple[str, str]] = []
    if retry_after_s is None and status == 503:
        retry_after_s = RETRY_AFTER_S
    if retry_after_s is not None:
        headers.append(("Retry-After", str(retry_after_s)))
    if status == 401:
        headers.append(("WWW-Authenticate", "Bearer"))
    return Reply(status, _encoder.encode(error_body(refusal)), tuple(headers))


def database_refusal(is_commit_unknown: bool) -> Refusal:
    """What a request is told that met a database that is away."""
    if is_commit_unknown:
        cause = "the database went away during the commit: ask again to learn the outcome"
        return Refusal(RejectReason.OUTCOME_UNKNOWN, cause)
    return Refusal(RejectReason.NOT_READY, "the database is away, ask again")


FAULT = Refusal(RejectReason.INTERNAL, "a fault of the venue; it has been logged")
"""What a request is told that met a fault of ours."""
