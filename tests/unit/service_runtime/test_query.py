"""Every route of every service refuses what it does not take in its query string."""

import re
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

import matching_engine.adapters.api
import matching_engine.adapters.http
from service_runtime.http import application, query
from service_runtime.http.openapi import COMMON, Operation
from service_runtime.service import Service
from tests.unit.service_runtime import test_openapi

NOTHING: Any = None
SETTINGS = test_openapi.SETTINGS


def engine_app() -> Flask:
    app = application.create_app(Service("matching_engine", SETTINGS))
    query.refuse_unknown(app, matching_engine.adapters.api.OPERATIONS)
    matching_engine.adapters.http.add_routes(app, NOTHING, NOTHING)
    return app


def app_of(name: str) -> Flask:
    return engine_app() if name == "matching_engine" else test_openapi.app_of(name)


def operations_of(name: str) -> list[Operation]:
    """Those that are answered over plain HTTP; a WebSocket is refused before it is asked why."""
    if name == "matching_engine":
        return [*matching_engine.adapters.api.OPERATIONS, *COMMON[:3]]
    return [each for each in test_openapi.operations_of(name) if 101 not in each.answers]


every_service = pytest.mark.parametrize("name", [*test_openapi.SERVICES, "matching_engine"])


def ask(app: Flask, operation: Operation, query_string: str) -> TestResponse:
    numbered = re.sub(r"<int:\w+>", "1", operation.path)
    path = re.sub(r"<(?:path:)?(\w+)>", r"\1", numbered)
    return app.test_client().open(f"{path}?{query_string}", method=operation.method)


def assert_refused(response: TestResponse, field: str, where: str) -> None:
    body = response.get_json()
    assert response.status_code == 400, f"{where}: {body}"
    assert (body["error"]["code"], body["error"]["field"]) == ("request.unknown_field", field)


@every_service
def test_a_parameter_that_no_operation_takes_is_refused_everywhere(name: str) -> None:
    app = app_of(name)
    for operation in operations_of(name):
        for text, field in (("depths=1", "depths"), ("since=", "since"), ("=1", "")):
            assert_refused(ask(app, operation, text), field, f"{operation.method} {operation.path}")


@every_service
def test_a_parameter_that_is_there_twice_is_refused_everywhere(name: str) -> None:
    app = app_of(name)
    for operation in operations_of(name):
        for each in operation.query:
            answer = ask(app, operation, f"{each.name}=5&{each.name}=5")
            assert_refused(answer, each.name, f"{operation.method} {operation.path}")


@every_service
def test_what_is_refused_stands_in_the_words_of_the_operation(name: str) -> None:
    answer = app_of(name).test_client().get("/healthz?verbose=1")
    assert answer.get_json()["error"]["message"] == (
        "GET /healthz has no parameter 'verbose'; it takes no parameters"
    )


@every_service
def test_a_request_without_parameters_is_answered(name: str) -> None:
    assert app_of(name).test_client().get("/healthz").status_code == 200
    assert app_of(name).test_client().get("/healthz?").status_code == 200


def test_the_rows_that_the_administrator_asked_of_another_are_not_his_own() -> None:
    app = test_openapi.app_of("order_entry_gateway")
    answer = app.test_client().get("/v1/orders?client_id=ann")
    assert_refused(answer, "client_id", "GET /v1/orders")
