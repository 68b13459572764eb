"""What every Flask service has: one error shape, request ids, /healthz, /readyz, /metrics."""

import logging
import uuid
from typing import Any

import msgspec
import simple_websocket
from flask import Flask, Response, g, request
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from werkzeug.exceptions import HTTPException, MethodNotAllowed
from wsproto.utilities import ProtocolError

from service_runtime import metrics
from service_runtime.database import CommitUnknown, DatabaseUnavailable
from service_runtime.http.socket_timeouts import MAX_BODY_BYTES, allow_silence
from service_runtime.http.websocket_socket import lend_socket
from service_runtime.service import Service
from venue_protocol.refusals import Refusal, Refused, RejectReason, refuse

log = logging.getLogger(__name__)

RETRY_AFTER_S = 1

_BY_STATUS = {
    404: RejectReason.UNKNOWN_PATH,
    405: RejectReason.METHOD_NOT_ALLOWED,
    413: RejectReason.TOO_LARGE,
    415: RejectReason.UNSUPPORTED_MEDIA_TYPE,
}
_MESSAGES = {
    RejectReason.TOO_LARGE: f"the body has more than {MAX_BODY_BYTES} bytes",
    RejectReason.UNSUPPORTED_MEDIA_TYPE: "send JSON, with Content-Type: application/json",
    RejectReason.MALFORMED: "this is no request that the venue understands",
    RejectReason.INTERNAL: "a fault of the venue",
}
_SHOWN_PATH = 200


def error_body(refusal: Refusal) -> dict[str, Any]:
    """`{"error": {code, message, field, details, request_id}}` as a dict."""
    return {
        "error": {
            "code": refusal.reason.code,
            "message": refusal.message,
            "field": refusal.field,
            "details": refusal.details,
            "request_id": g.get("request_id"),
        }
    }


def json_response(content: Any, status: int = 200) -> Response:
    """A JSON answer of anything msgspec can encode."""
    return Response(msgspec.json.encode(content), status, content_type="application/json")


def refusal_response(refusal: Refusal, retry_after_s: int | None = None) -> Response:
    """The answer to a refused request; counts it. A 503 always says when to ask again."""
    metrics.refusals.labels(refusal.reason.code).inc()
    response = json_response(error_body(refusal), refusal.reason.http_status)
    if retry_after_s is None and response.status_code == 503:
        retry_after_s = RETRY_AFTER_S
    if retry_after_s is not None:
        response.headers["Retry-After"] = str(retry_after_s)
    if refusal.reason.http_status == 401:
        response.headers["WWW-Authenticate"] = "Bearer"
    return response


def query_whole(name: str, default: int, least: int, most: int) -> int:
    """A whole number from the query string, in [least, most]; refused if it is anything else."""
    text = request.args.get(name)
    if text is None:
        return default
    digits = text.removeprefix("-")
    if not (
        digits.isascii() and digits.isdigit() and len(digits) <= 19 and least <= int(text) <= most
    ):
        raise refuse(
            RejectReason.INVALID_FIELD,
            f"{name} must be a whole number from {least} to {most}",
            name,
            value=text[:64],
        )
    return int(text)


def _answer_of(error: HTTPException) -> Response:
    """What Flask would refuse, in the venue's words."""
    status = error.code or 500
    reason = _BY_STATUS.get(
        status, RejectReason.INTERNAL if status >= 500 else RejectReason.MALFORMED
    )
    if not isinstance(error, MethodNotAllowed):
        message = (
            _MESSAGES[reason]
            if status != 404
            else f"there is nothing at {request.path[:_SHOWN_PATH]}"
        )
        return refusal_response(Refusal(reason, message))
    allowed = sorted(set(error.valid_methods or ()) - {"OPTIONS"})
    message = (
        f"{request.path[:_SHOWN_PATH]} does not take {request.method[:16]}, but "
        f"{', '.join(allowed)}"
    )
    response = refusal_response(Refusal(reason, message, details={"allowed": allowed}))
    response.headers["Allow"] = ", ".join(allowed)
    return response


def _is_upgrade() -> bool:
    return request.headers.get("Upgrade", "").lower() == "websocket"


def create_app(service: Service) -> Flask:
    """A Flask app with the common routes and error answers; the service adds its own."""
    app = Flask(service.name, static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY_BYTES
    # A path with a slash too many is another path, not a redirection.
    app.url_map.merge_slashes = False
    app.json.sort_keys = False  # type: ignore[attr-defined]

    _add_request_ids(app)
    _add_error_answers(app)
    _add_common_routes(app, service)
    return app


def _add_request_ids(app: Flask) -> None:
    @app.before_request
    def number_request() -> None:
        g.request_id = uuid.uuid4().hex
        if _is_upgrade():
            # Before the handshake: its reader starts at once, with the socket and the limit of that
            # moment.
            lend_socket(request.environ)
            if request.content_length is None:
                allow_silence(request.environ)


def _add_error_answers(app: Flask) -> None:
    @app.errorhandler(Refused)
    def on_refused(refused: Refused) -> Response:
        return refusal_response(refused.refusal, refused.retry_after_s)

    @app.errorhandler(DatabaseUnavailable)
    def on_database_away(error: DatabaseUnavailable) -> Response:
        if isinstance(error, CommitUnknown):
            cause = "the database went away during the commit: ask again to learn the outcome"
            return refusal_response(Refusal(RejectReason.OUTCOME_UNKNOWN, cause))
        return refusal_response(Refusal(RejectReason.NOT_READY, "the database is away, ask again"))

    @app.errorhandler(HTTPException)
    def on_http_exception(error: HTTPException) -> Response:
        return _answer_of(error)

    @app.errorhandler(ProtocolError)
    @app.errorhandler(simple_websocket.ConnectionError)
    def on_bad_handshake(error: Exception) -> Response:
        return refusal_response(
            Refusal(RejectReason.MALFORMED, f"this is no WebSocket handshake: {error}"[:300])
        )

    @app.errorhandler(ConnectionError)
    def on_hung_up(error: ConnectionError) -> Response:
        if not _is_upgrade():
            return on_fault(error)
        return refusal_response(
            Refusal(RejectReason.MALFORMED, "the client hung up during the handshake")
        )

    @app.errorhandler(Exception)
    def on_fault(error: Exception) -> Response:
        log.error(
            "request failed",
            exc_info=error,
            extra={"path": request.path, "request_id": g.get("request_id")},
        )
        return refusal_response(
            Refusal(RejectReason.INTERNAL, "a fault of the venue; it has been logged")
        )


def _add_common_routes(app: Flask, service: Service) -> None:
    @app.get("/healthz")
    def healthz() -> Response:
        return json_response({"status": "alive", "service": service.name})

    @app.get("/readyz")
    def readyz() -> Response:
        failing = service.unready()
        if failing:
            refusal = Refusal(
                RejectReason.NOT_READY,
                f"waiting for {', '.join(failing)}",
                details={"waiting_for": failing},
            )
            return refusal_response(refusal)
        return json_response({"status": "ready", "service": service.name})

    @app.get("/metrics")
    def prometheus() -> Response:
        return Response(generate_latest(), content_type=CONTENT_TYPE_LATEST)
