"""What every Flask service has: one error shape, request ids, /healthz, /readyz, /metrics."""

import logging
from typing import Any

from flask import Flask, Response, request
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from service_runtime.database import CommitUnknown, DatabaseUnavailable
from service_runtime.http import request_context
from service_runtime.http.answers import FAULT, Reply, database_refusal, json_reply, refusal_reply
from service_runtime.http.http_protocol import MAX_BODY_BYTES
from service_runtime.http.security_headers import add_security_headers
from service_runtime.http.wsgi_bridge import BEGUN
from service_runtime.service import Service
from venue_protocol.refusals import Refusal, Refused, RejectReason, refuse

log = logging.getLogger(__name__)

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


def flask_response(reply: Reply) -> Response:
    """An answer as Flask sends it."""
    return Response(
        reply.body, reply.status, headers=list(reply.headers), content_type=reply.content_type
    )


def json_response(content: Any, status: int = 200) -> Response:
    """A JSON answer of anything msgspec can encode."""
    return flask_response(json_reply(content, status))


def refusal_response(refusal: Refusal, retry_after_s: int | None = None) -> Response:
    """The answer to a refused request; counts it. A 503 always says when to ask again."""
    return flask_response(refusal_reply(refusal, retry_after_s))


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


def create_app(service: Service) -> Flask:
    """A Flask app with the common routes and error answers; the service adds its own."""
    app = Flask(service.name, static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY_BYTES
    # A path with a slash too many is another path, not a redirection.
    app.url_map.merge_slashes = False
    app.json.sort_keys = False  # type: ignore[attr-defined]

    _add_request_ids(app)
    add_security_headers(app)
    _add_error_answers(app)
    _add_common_routes(app, service)
    return app


def _add_request_ids(app: Flask) -> None:
    @app.before_request
    def begin_request() -> None:
        # Under our server it has begun already; under another, such as a test client, here.
        if BEGUN not in request.environ:
            request_context.begin()
        if request.url_rule is not None:
            request_context.note_route(request.url_rule.rule)


def _add_error_answers(app: Flask) -> None:
    @app.errorhandler(Refused)
    def on_refused(refused: Refused) -> Response:
        return refusal_response(refused.refusal, refused.retry_after_s)

    @app.errorhandler(DatabaseUnavailable)
    def on_database_away(error: DatabaseUnavailable) -> Response:
        return refusal_response(database_refusal(isinstance(error, CommitUnknown)))

    @app.errorhandler(HTTPException)
    def on_http_exception(error: HTTPException) -> Response:
        return _answer_of(error)

    @app.errorhandler(Exception)
    def on_fault(error: Exception) -> Response:
        log.error(
            "request failed",
            exc_info=error,
            extra={"path": request.path, "request_id": request_context.request_id()},
        )
        return refusal_response(FAULT)


def _add_common_routes(app: Flask, service: Service) -> None:
    @app.get("/healthz")
    def healthz() -> Response:
        return json_response({"status": "alive", "service": service.name})

    @app.get("/readyz")
    def readyz() -> Response:
        failing, degraded = service.unready(), service.degraded()
        if failing:
            refusal = Refusal(
                RejectReason.NOT_READY,
                f"waiting for {', '.join(failing)}",
                details={"waiting_for": failing, "degraded": degraded},
            )
            return refusal_response(refusal)
        return json_response({"status": "ready", "service": service.name, "degraded": degraded})

    @app.get("/metrics")
    def prometheus() -> Response:
        return Response(generate_latest(), content_type=CONTENT_TYPE_LATEST)
