"""Join codes over HTTP: opened by an administrator, brought by strangers."""

from typing import Annotated, Any

import msgspec
from flask import Flask, Response, request

from client_enrollment import join_page
from client_enrollment.desk import Enrollment
from client_enrollment.join_codes import LABEL_PATTERN, JoinCode
from service_runtime.http import paging
from service_runtime.http.application import json_response
from service_runtime.http.authentication import Authenticator
from service_runtime.http.openapi import CURSOR, NEXT, Operation, Query
from service_runtime.http.request_body import body_as
from venue_protocol.identifiers import ClientId
from venue_protocol.times import format_utc

_MOST_CODE = 64
_DAY_S = 86_400


class JoinCodeRequest(msgspec.Struct, forbid_unknown_fields=True):
    """Body of POST /v1/join-codes."""

    label: Annotated[str, msgspec.Meta(pattern=LABEL_PATTERN, max_length=32)]
    places: int
    open_s: int = _DAY_S
    """Seconds from now."""


class EnrollmentRequest(msgspec.Struct, forbid_unknown_fields=True):
    """Body of POST /v1/enrollments."""

    code: Annotated[str, msgspec.Meta(max_length=_MOST_CODE)]
    client_id: ClientId


_code_decoder = msgspec.json.Decoder(JoinCodeRequest)
_enrollment_decoder = msgspec.json.Decoder(EnrollmentRequest)

_LIMIT = Query(
    "limit",
    "at most so many rows",
    {"type": "integer", "minimum": 1, "maximum": 1000, "default": 1000},
)
_CODE = {
    "label": "autumn",
    "places": 30,
    "used": 12,
    "closes_us": 1795318699579535,
    "closes": "2026-11-22T03:38:19.579535Z",
}
OPERATIONS = (
    Operation(
        "POST",
        "/v1/join-codes",
        "Open a code with which strangers make accounts of their own; its text is shown this once.",
        "administrator",
        {201: {"code": "k7mq-2wxp-9dra-hn4c"} | _CODE},
        body=JoinCodeRequest,
        body_example={"label": "autumn", "places": 30, "open_s": 86400},
    ),
    Operation(
        "GET",
        "/v1/join-codes",
        "All codes without their texts, by label.",
        "administrator",
        {200: {"join_codes": [_CODE], "next": NEXT}},
        query=(CURSOR, _LIMIT),
    ),
    Operation(
        "DELETE",
        "/v1/join-codes/<label>",
        "Take nobody more with this code; who joined with it stays.",
        "administrator",
        {200: {"label": "autumn", "was_open": True}},
    ),
    Operation(
        "POST",
        "/v1/enrollments",
        "With a join code: an account of your own, and its key, shown this once.",
        "anybody",
        {201: {"client_id": "ann", "api_key": "vk_…"}},
        body=EnrollmentRequest,
        body_example={"code": "k7mq-2wxp-9dra-hn4c", "client_id": "ann"},
    ),
    Operation(
        "GET", "/join", "The same for people.", "anybody", {200: None}, media_type="text/html"
    ),
)


def add_routes(app: Flask, enrollment: Enrollment, authenticator: Authenticator) -> None:
    """Put the routes of join codes on `app`."""

    @app.post("/v1/join-codes")
    def open_code() -> Response:
        caller = authenticator.administrator()
        body = body_as(_code_decoder)
        text, code = enrollment.open_code(body.label, body.places, body.open_s, caller.client_id)
        return _unstored(json_response({"code": text} | _shown(code), 201))

    @app.get("/v1/join-codes")
    def codes() -> Response:
        authenticator.administrator()
        after, limit = paging.asked_after_name(), paging.asked_limit(paging.MOST_ROWS)
        rows = [code for code in enrollment.codes() if code.label > after]
        return json_response(paging.page("join_codes", rows, limit, lambda row: row.label, _shown))

    @app.delete("/v1/join-codes/<label>")
    def close_code(label: str) -> Response:
        caller = authenticator.administrator()
        was_open = enrollment.close_code(label, caller.client_id)
        return json_response({"label": label, "was_open": was_open})

    @app.post("/v1/enrollments")
    def enroll() -> Response:
        body = body_as(_enrollment_decoder)
        key = enrollment.enroll(body.code, body.client_id, request.remote_addr or "")
        return _unstored(json_response({"client_id": body.client_id, "api_key": key}, 201))

    @app.get("/join")
    def join() -> Response:
        return join_page.response()


def _shown(code: JoinCode) -> dict[str, Any]:
    return {
        "label": code.label,
        "places": code.places,
        "used": code.used,
        "closes_us": code.closes_us,
        "closes": format_utc(code.closes_us),
    }


def _unstored(response: Response) -> Response:
    """What holds a secret stays in no cache."""
    response.headers["Cache-Control"] = "no-store"
    return response
