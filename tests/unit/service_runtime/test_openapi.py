"""The OpenAPI documents say what the services' routes are, and their examples are good."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import pytest
from flask import Flask

import clearinghouse.adapters.api
import clearinghouse.adapters.http
import clearinghouse.adapters.loans_http
import clearinghouse.adapters.proposal_http
import clearinghouse.adapters.trial_balance
import client_enrollment.http
import market_data_feed.adapters.api
import market_data_feed.adapters.competition_http
import market_data_feed.adapters.http
import market_data_feed.adapters.obligations_http
import market_data_feed.adapters.standings_http
import market_data_feed.adapters.statements_http
import market_data_feed.adapters.status_board
import market_data_feed.adapters.stream.route
import order_entry_gateway.adapters.api
import order_entry_gateway.adapters.http
import order_entry_gateway.adapters.mass_cancel_http
import order_entry_gateway.adapters.order_routes
import order_entry_gateway.adapters.session_http
import order_entry_gateway.adapters.settlement_http
import order_entry_gateway.adapters.websocket
import trading_fees.http
from market_data_feed.adapters.stream.connection import StreamParts
from service_runtime.http import application, openapi, query
from service_runtime.http.asgi_application import Application
from service_runtime.http.openapi import (
    ByName,
    Maybe,
    Operation,
    Sometimes,
    plain,
    schema_of_example,
)
from service_runtime.service import Service
from service_runtime.settings import load
from tests.openapi_check import faults, resolved

SETTINGS = load(
    {"VENUE_BROKER_URL": "amqp://nowhere", "VENUE_CLEARING_DATABASE_URL": "postgresql://nowhere"}
)
NOTHING: Any = None
"""Routes can be listed without the parts that answer them."""


def add_gateway(app: Flask) -> None:
    order_entry_gateway.adapters.http.add_routes(app, NOTHING, NOTHING, NOTHING)
    order_entry_gateway.adapters.http.add_timer_routes(app, NOTHING, NOTHING, NOTHING)
    order_entry_gateway.adapters.mass_cancel_http.add_routes(app, NOTHING, NOTHING)
    order_entry_gateway.adapters.session_http.add_routes(
        app, NOTHING, NOTHING, NOTHING, NOTHING, NOTHING
    )
    order_entry_gateway.adapters.settlement_http.add_routes(
        app, NOTHING, NOTHING, NOTHING, NOTHING, NOTHING
    )
    served = Application(app, threads=1)
    order_entry_gateway.adapters.order_routes.OrderRoutes(NOTHING).add_to(served)
    order_entry_gateway.adapters.websocket.add_routes(served, NOTHING, NOTHING)


def add_clearinghouse(app: Flask) -> None:
    clearinghouse.adapters.http.add_routes(app, NOTHING, NOTHING, NOTHING, NOTHING)
    clearinghouse.adapters.loans_http.add_routes(app, NOTHING, NOTHING, NOTHING, NOTHING)
    clearinghouse.adapters.trial_balance.add_routes(app, NOTHING, NOTHING)
    client_enrollment.http.add_routes(app, NOTHING, NOTHING)
    trading_fees.http.add_routes(app, NOTHING, NOTHING)
    clearinghouse.adapters.proposal_http.add_routes(app, NOTHING, NOTHING, NOTHING)


def add_feed(app: Flask) -> None:
    market_data_feed.adapters.http.add_routes(app, NOTHING)
    market_data_feed.adapters.standings_http.add_routes(app, NOTHING, NOTHING, NOTHING, NOTHING)
    market_data_feed.adapters.obligations_http.add_routes(app, NOTHING, NOTHING)
    market_data_feed.adapters.statements_http.add_routes(app, NOTHING, NOTHING)
    market_data_feed.adapters.status_board.add_routes(app, NOTHING)
    market_data_feed.adapters.competition_http.add_routes(app, NOTHING, NOTHING)
    parts = StreamParts(
        hub=NOTHING, catch_up=NOTHING, listings=NOTHING, authenticator=NOTHING, charge=NOTHING
    )
    streams = market_data_feed.adapters.stream.route.Streams(NOTHING, parts, NOTHING)
    market_data_feed.adapters.stream.route.add_routes(Application(app, threads=1), streams)


SERVICES: dict[str, tuple[Any, Callable[[Flask], None]]] = {
    "order_entry_gateway": (order_entry_gateway.adapters.api, add_gateway),
    "clearinghouse": (clearinghouse.adapters.api, add_clearinghouse),
    "market_data_feed": (market_data_feed.adapters.api, add_feed),
}
every_service = pytest.mark.parametrize("name", SERVICES)


def app_of(name: str) -> Flask:
    api, add_routes = SERVICES[name]
    app = application.create_app(Service(name, SETTINGS))
    query.refuse_unknown(app, api.OPERATIONS)
    add_routes(app)
    openapi.add_routes(app, api.described())
    return app


def operations_of(name: str) -> tuple[Operation, ...]:
    return (*SERVICES[name][0].OPERATIONS, *openapi.COMMON)


@every_service
def test_every_route_is_in_the_document_and_nothing_else(name: str) -> None:
    routes = {
        (method, rule.rule)
        for rule in app_of(name).url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    described = [(operation.method, operation.path) for operation in operations_of(name)]
    assert set(described) == routes and len(described) == len(routes)


@every_service
def test_the_document_is_answered_as_json_and_as_a_page(name: str) -> None:
    client = app_of(name).test_client()
    document = client.get("/openapi.json").get_json()
    page = client.get("/docs")
    assert document["openapi"] == "3.1.0" and page.content_type == "text/html; charset=utf-8"
    shown = page.get_data(as_text=True)
    for path in document["paths"]:
        assert f"<code>{path}</code>" in shown
    assert "<script" not in shown and "//" not in shown.replace("://", "")


@every_service
def test_every_reference_leads_somewhere_and_every_operation_has_a_name_of_its_own(
    name: str,
) -> None:
    document = SERVICES[name][0].described()
    references = list(references_in(document))
    assert references and all(resolved(reference, document) for reference in references)
    operations = [
        described for methods in document["paths"].values() for described in methods.values()
    ]
    assert len({described["operationId"] for described in operations}) == len(operations)
    for path, methods in document["paths"].items():
        for described in methods.values():
            named = {each["name"] for each in described["parameters"] if each["in"] == "path"}
            assert named == {part[1:-1] for part in path.split("/") if part.startswith("{")}


def references_in(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        yield from ([value["$ref"]] if "$ref" in value else [])
        value = list(value.values())
    if isinstance(value, list):
        for each in value:
            yield from references_in(each)


@every_service
def test_the_example_of_a_body_is_taken_by_its_decoder_and_fits_its_schema(name: str) -> None:
    document = SERVICES[name][0].described()
    bodies = [operation for operation in operations_of(name) if operation.body is not None]
    for operation in bodies:
        msgspec.json.decode(json.dumps(operation.body_example), type=operation.body)
        described = document["paths"][operation.url][operation.method.lower()]["requestBody"][
            "content"
        ]
        schema = described["application/json"]["schema"]
        assert faults(schema, operation.body_example, document) == []
        assert faults(schema, {"surprise": 1}, document) != []
    assert bodies or name == "market_data_feed"


@every_service
def test_the_example_of_an_answer_fits_its_schema(name: str) -> None:
    document = SERVICES[name][0].described()
    for methods in document["paths"].values():
        for described in methods.values():
            for answer in described["responses"].values():
                for media in answer["content"].values():
                    if "example" in media:
                        assert faults(media["schema"], media["example"], document) == []


def test_an_amount_is_a_string_or_a_number_and_a_refusal_has_a_code_of_the_list() -> None:
    document = order_entry_gateway.adapters.api.described()
    order = {"security": "AAPL", "side": "BUY", "type": "limit", "quantity": 5}
    place = document["components"]["schemas"]["PlaceOrderRequest"]
    assert [
        faults(place, order | {"price": price}, document) for price in ("1.05", 1.05, 1, None)
    ] == [[]] * 4
    assert faults(place, order | {"price": [1]}, document) and faults(
        place, order | {"side": "hold"}, document
    )
    special = {
        "type": "stop_limit",
        "stop_price": "1.10",
        "time_in_force": "GTD",
        "expire_time": "2026-11-21T14:30:00Z",
    }
    rare = {
        "display_quantity": 1,
        "min_quantity": 1,
        "post_only": True,
        "self_trade_prevention": "decrement",
    }
    assert faults(place, order | special | rare, document) == []
    for tif in ("DAY", "OPG", "CLS"):
        assert faults(place, order | {"time_in_force": tif}, document) == []
    for unsupported in (
        {"type": "trailing_stop"},
        {"time_in_force": "GTX"},
        {"self_trade_prevention": "none"},
    ):
        assert faults(place, order | unsupported, document) != [], unsupported
    error = {
        "code": "price.off_tick",
        "message": "",
        "field": None,
        "details": {},
        "request_id": None,
    }
    refusal = document["components"]["schemas"]["Error"]
    assert faults(refusal, {"error": error}, document) == []
    assert faults(refusal, {"error": error | {"code": "price.wrong"}}, document) != []


def test_a_schema_is_taken_from_an_example_and_its_marks() -> None:
    example = {"a": 1, "b": Maybe("x"), "c": Sometimes([{"d": True}]), "e": ByName("AAPL", "1.00")}
    schema = schema_of_example(example)
    assert schema["required"] == ["a", "b", "e"]
    assert plain(example) == {"a": 1, "b": "x", "c": [{"d": True}], "e": {"AAPL": "1.00"}}
    good = {"a": 2, "b": None, "e": {"MSFT": "2.00", "TSLA": "3.00"}}
    assert faults(schema, good, {}) == []
    for change in (
        {"a": "2"},
        {"a": True},
        {"b": 1},
        {"c": [{"d": 0}]},
        {"e": {"MSFT": 2}},
        {"f": 1},
    ):
        assert faults(schema, good | change, {}) != [], change
    assert faults(schema, {"a": 1, "b": "x"}, {}) == ["$.e is missing"]
