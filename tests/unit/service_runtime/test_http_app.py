"""Error shapes of every Flask service."""

import logging
from collections.abc import Callable

import pytest
from flask import Flask, Response
from flask.testing import FlaskClient
from werkzeug.exceptions import BadRequest, HTTPException, ServiceUnavailable, default_exceptions
from werkzeug.test import TestResponse

from service_runtime.database import CommitUnknown, DatabaseUnavailable
from service_runtime.http import application
from service_runtime.service import Service
from service_runtime.settings import load
from venue_protocol.refusals import RejectReason, refuse

SETTINGS = load(
    {"VENUE_BROKER_URL": "amqp://nowhere", "VENUE_CLEARING_DATABASE_URL": "postgresql://nowhere"}
)
SHAPE = {"code", "message", "field", "details", "request_id"}


@pytest.fixture
def app() -> Flask:
    """An app with the common routes only."""
    return application.create_app(Service("sample", SETTINGS))


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """Its client."""
    return app.test_client()


def raising(app: Flask, error: Exception, **headers: str) -> TestResponse:
    """The answer of a route that raises."""

    @app.get("/raise")
    def route() -> Response:
        raise error

    return app.test_client().get("/raise", headers=headers)


def code(answer: TestResponse) -> tuple[int, str]:
    """Status and code; every error has the one shape."""
    body = answer.get_json()
    assert set(body) == {"error"} and set(body["error"]) == SHAPE
    assert len(body["error"]["request_id"]) == 32
    assert body["error"]["code"] in {reason.code for reason in RejectReason}
    return answer.status_code, body["error"]["code"]


def test_a_refusal_carries_field_and_details(app: Flask) -> None:
    answer = raising(app, refuse(RejectReason.PRICE_OFF_TICK, "off", "price", tick="0.10"))
    assert code(answer) == (422, "price.off_tick")
    error = answer.get_json()["error"]
    assert (error["message"], error["field"], error["details"]) == (
        "off",
        "price",
        {"tick": "0.10"},
    )


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (ZeroDivisionError("secret"), (500, "service.internal")),
        (DatabaseUnavailable("secret"), (503, "service.not_ready")),
        (CommitUnknown("secret"), (503, "service.outcome_unknown")),
        (BadRequest(), (400, "request.malformed")),
        (ServiceUnavailable(), (500, "service.internal")),
    ],
)
def test_an_error_becomes_a_code_of_the_list_and_says_nothing_of_its_inside(
    app: Flask, error: Exception, expected: tuple[int, str]
) -> None:
    answer = raising(app, error)
    assert code(answer) == expected
    assert "secret" not in answer.get_data(as_text=True)


def test_a_fault_is_logged_with_the_request_id_the_caller_got(
    app: Flask, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.ERROR, logger="service_runtime")
    answer = raising(app, ZeroDivisionError("secret"))
    (record,) = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert record.__dict__["request_id"] == answer.get_json()["error"]["request_id"]
    assert record.exc_info is not None


@pytest.mark.parametrize(
    ("request_of", "expected"),
    [
        (lambda client: client.get("/nowhere"), (404, "request.unknown_path")),
        (lambda client: client.post("/healthz"), (405, "request.method_not_allowed")),
        (lambda client: client.get("/static/x"), (404, "request.unknown_path")),
        (lambda client: client.get("/%ff%00"), (404, "request.unknown_path")),
    ],
)
def test_unknown_paths_and_methods_have_the_shape_too(
    client: FlaskClient,
    request_of: Callable[[FlaskClient], TestResponse],
    expected: tuple[int, str],
) -> None:
    assert code(request_of(client)) == expected


@pytest.mark.parametrize(
    ("request_of", "message"),
    [
        (lambda client: client.get("/no/where"), "there is nothing at /no/where"),
        (lambda client: client.get("/" + "x" * 5_000), "there is nothing at /" + "x" * 199),
        (lambda client: client.get("/healthz/"), "there is nothing at /healthz/"),
        (lambda client: client.get("/v1//healthz"), "there is nothing at /v1//healthz"),
        (lambda client: client.post("/healthz"), "/healthz does not take POST, but GET, HEAD"),
        (
            lambda client: client.open("/healthz", method="BREW"),
            "/healthz does not take BREW, but GET, HEAD",
        ),
    ],
)
def test_unknown_paths_and_methods_are_refused_in_the_venues_words(
    client: FlaskClient, request_of: Callable[[FlaskClient], TestResponse], message: str
) -> None:
    assert request_of(client).get_json()["error"]["message"] == message


def test_a_refused_method_names_those_that_are_taken(client: FlaskClient) -> None:
    answer = client.delete("/healthz")
    assert answer.headers["Allow"] == "GET, HEAD"
    assert answer.get_json()["error"]["details"] == {"allowed": ["GET", "HEAD"]}


WERKZEUG = [error for error in default_exceptions.values() if error.description]


@pytest.mark.parametrize("error", WERKZEUG, ids=lambda error: error.__name__)
def test_no_refusal_has_the_words_of_the_library(app: Flask, error: type[HTTPException]) -> None:
    said = raising(app, error()).get_json()["error"]["message"]
    assert said and said != error.description and "URL" not in said and "browser" not in said


@pytest.mark.parametrize(
    "text",
    ["", "x", "1.5", "0", "11", "-1", "--5", "+5", "1e1", "5 ", "\u0665", "\u00b2", "9" * 5_000],
)
def test_a_query_value_that_is_no_whole_number_in_range_is_400(app: Flask, text: str) -> None:
    @app.get("/whole")
    def route() -> Response:
        return application.json_response(application.query_whole("limit", 5, 1, 10))

    answer = app.test_client().get("/whole", query_string={"limit": text})
    assert code(answer) == (400, "request.invalid_field")
    assert answer.get_json()["error"]["field"] == "limit"


def test_a_query_value_in_range_is_taken_and_a_missing_one_has_its_default(app: Flask) -> None:
    @app.get("/whole")
    def route() -> Response:
        return application.json_response(
            [
                application.query_whole("limit", 5, -10, 10),
                application.query_whole("after", 7, 0, 10),
            ]
        )

    assert app.test_client().get("/whole?limit=-10").get_json() == [-10, 7]


def test_readiness_is_refused_while_a_check_fails() -> None:
    service = Service("sample", SETTINGS)
    ready = {"broker": False}
    service.add_check("broker", lambda: ready["broker"])
    service.add_check("database", lambda: True)
    client = application.create_app(service).test_client()
    answer = client.get("/readyz")
    assert code(answer) == (503, "service.not_ready")
    assert answer.get_json()["error"]["details"] == {
        "waiting_for": ["broker"],
        "degraded": [],
    }
    ready["broker"] = True
    assert client.get("/readyz").get_json() == {
        "status": "ready",
        "service": "sample",
        "degraded": [],
    }


def test_a_service_that_is_degraded_says_so_and_is_ready() -> None:
    service = Service("sample", SETTINGS)
    service.add_warning("record of refused orders", lambda: True)
    answer = application.create_app(service).test_client().get("/readyz")
    assert answer.status_code == 200
    assert answer.get_json()["degraded"] == ["record of refused orders"]


def test_a_check_that_raises_counts_as_not_ready() -> None:
    service = Service("sample", SETTINGS)

    def broken() -> bool:
        raise AttributeError("between connections")

    service.add_check("broker", broken)
    assert code(application.create_app(service).test_client().get("/readyz")) == (
        503,
        "service.not_ready",
    )


def test_a_broken_connection_of_our_own_is_a_fault(app: Flask) -> None:
    assert code(raising(app, ConnectionResetError())) == (500, "service.internal")


@pytest.mark.parametrize("reason", [reason for reason in RejectReason if reason.http_status == 503])
def test_every_503_says_when_to_ask_again(app: Flask, reason: RejectReason) -> None:
    assert raising(app, refuse(reason, "not now")).headers["Retry-After"] == "1"
