"""What a service can be asked: an OpenAPI 3.1 document at `/openapi.json`, for people a page at
`/docs`; no network.

Bodies are described by the very structs that decode them; answers by an example, from which their
schema is taken. A test compares the document with the routes of each service, the examples with the
decoders and with real answers.
"""

import re
import types
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple, get_args, get_origin

import msgspec
from flask import Flask, Response

from service_runtime.http.answers import json_reply
from service_runtime.http.application import flask_response
from service_runtime.http.openapi_page import STYLE, page
from service_runtime.http.security_headers import page_policy, style_source
from venue_protocol.refusals import RejectReason

VERSION = "3.1.0"
_REF = "#/components/schemas/{name}"
_PARAMETER = re.compile(r"<(?:int:|path:)?(\w+)>")

Who = Literal["anybody", "client", "administrator"]


class Maybe(NamedTuple):
    """In an example: this value, or null."""

    value: Any


class Either(NamedTuple):
    """In an example: this value, or one of the other's kind."""

    value: Any
    other: Any


class Sometimes(NamedTuple):
    """In an example: a field that some answers do not have."""

    value: Any


class ByName(NamedTuple):
    """In an example: an object whose names are data, such as those of streams."""

    name: str
    value: Any


@dataclass(frozen=True)
class Query:
    """A parameter of the query string."""

    name: str
    says: str
    schema: Mapping[str, Any] = field(default_factory=lambda: {"type": "integer"})


@dataclass(frozen=True)
class Operation:
    """One method on one path.

    `path` is the Flask rule; `answers`: an example by status, None without a body.
    """

    method: str
    path: str
    says: str
    needs: Who
    answers: Mapping[int, Any]
    query: Sequence[Query] = ()
    body: Any = None
    """A struct, a list of one, or a union of these."""
    body_example: Any = None
    headers: Sequence[str] = ()
    media_type: str = "application/json"

    @property
    def url(self) -> str:
        """The path as OpenAPI writes it."""
        return _PARAMETER.sub(r"{\1}", self.path)


_PLAIN = "text/plain"
NEXT = Maybe("47")
"""Of each list: what to send as `after` for the following page; null at the end."""
COMMON = (
    Operation(
        "GET",
        "/healthz",
        "Whether the process is alive.",
        "anybody",
        {200: {"status": "alive", "service": "x"}},
    ),
    Operation(
        "GET",
        "/readyz",
        "Whether it can do its work; 503 says what it waits for.",
        "anybody",
        {200: {"status": "ready", "service": "x", "degraded": ["name of a part"]}},
    ),
    Operation(
        "GET",
        "/metrics",
        "Counters and timings for Prometheus.",
        "anybody",
        {200: None},
        media_type=_PLAIN,
    ),
    Operation("GET", "/openapi.json", "This document.", "anybody", {200: {"openapi": VERSION}}),
    Operation(
        "GET", "/docs", "This document for people.", "anybody", {200: None}, media_type="text/html"
    ),
)
AFTER = Query(
    "after",
    "only what follows this sequence; 0 for all",
    {"type": "integer", "minimum": 0, "default": 0},
)
LIMIT = Query(
    "limit",
    "at most so many rows",
    {"type": "integer", "minimum": 1, "maximum": 1000, "default": 100},
)
CURSOR = Query(
    "after",
    "the `next` of the page before; left out for the first page",
    {"type": "string", "maxLength": 200},
)
"""Of a list whose `next` is no plain number (service_runtime.http.paging)."""


def document(
    title: str, description: str, operations: Sequence[Operation], raw_type: Any = Any
) -> dict[str, Any]:
    """The OpenAPI document of a service with these operations and the common ones.

    `raw_type` says what the fields of its bodies stand for that are decoded as raw JSON.
    """
    structs: dict[str, type[msgspec.Struct]] = {}
    paths: dict[str, dict[str, Any]] = {}
    for operation in (*operations, *COMMON):
        paths.setdefault(operation.url, {})[operation.method.lower()] = _described(
            operation, structs
        )
    described = [_documented(struct, raw_type) for struct in structs.values()]
    _, components = msgspec.json.schema_components(described, ref_template=_REF)
    return {
        "openapi": VERSION,
        "info": {"title": title, "version": "1", "description": description},
        "paths": paths,
        "components": {
            "schemas": {**components, "Error": _ERROR},
            "securitySchemes": {
                "key": {"type": "http", "scheme": "bearer", "description": "Your API key."}
            },
        },
    }


def add_routes(app: Flask, content: dict[str, Any]) -> None:
    """Put `/openapi.json` and `/docs` on `app`. Both are made once: anybody may ask for them."""
    as_json = json_reply(content)
    as_page = page(content)

    @app.get("/openapi.json")
    def openapi() -> Response:
        return flask_response(as_json)

    @app.get("/docs")
    def docs() -> Response:
        response = Response(as_page, content_type="text/html; charset=utf-8")
        response.headers["Content-Security-Policy"] = page_policy(style_source(STYLE))
        return response


_ERROR = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["code", "message", "field", "details", "request_id"],
            "properties": {
                "code": {"type": "string", "enum": [reason.code for reason in RejectReason]},
                "message": {"type": "string"},
                "field": {"type": ["string", "null"]},
                "details": {"type": "object"},
                "request_id": {"type": ["string", "null"]},
            },
        }
    },
}
_REFUSED = {
    "description": "Refused: the code says why, and nothing was done.",
    "content": {"application/json": {"schema": {"$ref": _REF.format(name="Error")}}},
}


def _described(operation: Operation, structs: dict[str, type[msgspec.Struct]]) -> dict[str, Any]:
    path_in_words = re.sub(r"[^a-z0-9]+", "_", operation.url.lower()).strip("_")
    described: dict[str, Any] = {
        "operationId": f"{operation.method.lower()}_{path_in_words}",
        "summary": operation.says,
        "description": {
            "anybody": "",
            "client": "Needs a key.",
            "administrator": "Needs an administrator's key.",
        }[operation.needs],
        "parameters": _parameters(operation),
        "security": [] if operation.needs == "anybody" else [{"key": []}],
        "responses": {
            str(status): _answer(operation, example)
            for status, example in operation.answers.items()
        },
    }
    described["responses"]["default"] = _REFUSED
    if operation.body is not None:
        content = {"schema": _schema_of(operation.body, structs), "example": operation.body_example}
        described["requestBody"] = {"required": True, "content": {"application/json": content}}
    return described


def _parameters(operation: Operation) -> list[dict[str, Any]]:
    parameters: list[dict[str, Any]] = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in _PARAMETER.findall(operation.path)
    ]
    for query in operation.query:
        parameters.append(
            {
                "name": query.name,
                "in": "query",
                "description": query.says,
                "schema": dict(query.schema),
            }
        )
    for header in operation.headers:
        parameters.append(
            {"name": header, "in": "header", "required": True, "schema": {"type": "string"}}
        )
    return parameters


def _answer(operation: Operation, example: Any) -> dict[str, Any]:
    if example is None:
        return {
            "description": "Done.",
            "content": {operation.media_type: {"schema": {"type": "string"}}},
        }
    content = {"schema": schema_of_example(example), "example": plain(example)}
    return {"description": "Done.", "content": {operation.media_type: content}}


def maybe_each(example: Mapping[str, Any]) -> dict[str, Maybe]:
    """The fields of an example, each of which may be null."""
    return {name: Maybe(value) for name, value in example.items()}


def plain(example: Any) -> Any:
    """An example without its marks."""
    if isinstance(example, Maybe | Either | Sometimes):
        return plain(example.value)
    if isinstance(example, ByName):
        return {example.name: plain(example.value)}
    if isinstance(example, dict):
        return {name: plain(value) for name, value in example.items()}
    return [plain(value) for value in example] if isinstance(example, list) else example


def schema_of_example(example: Any) -> dict[str, Any]:
    """The schema that an example of an answer stands for; a field is there in every answer unless
    it is `Sometimes`.
    """
    if isinstance(example, Maybe):
        inner = schema_of_example(example.value)
        return {"anyOf": [inner, {"type": "null"}]}
    if isinstance(example, Either):
        return {"anyOf": [schema_of_example(example.value), schema_of_example(example.other)]}
    if isinstance(example, Sometimes):
        return schema_of_example(example.value)
    if isinstance(example, ByName):
        return {"type": "object", "additionalProperties": schema_of_example(example.value)}
    if isinstance(example, dict):
        if not example:
            return {"type": "object"}
        return {
            "type": "object",
            "required": [
                name for name, value in example.items() if not isinstance(value, Sometimes)
            ],
            "properties": {name: schema_of_example(value) for name, value in example.items()},
        }
    if isinstance(example, list):
        return {"type": "array", "items": schema_of_example(example[0]) if example else {}}
    kinds = {str: "string", bool: "boolean", int: "integer"}
    return {"type": kinds[type(example)]} if type(example) in kinds else {}


def _schema_of(body: Any, structs: dict[str, type[msgspec.Struct]]) -> dict[str, Any]:
    """Schema of a struct, a list, or a union; the structs met are kept in `structs`."""
    if isinstance(body, types.UnionType):
        return {"anyOf": [_schema_of(part, structs) for part in get_args(body)]}
    if get_origin(body) is list:
        return {"type": "array", "items": _schema_of(get_args(body)[0], structs)}
    structs[body.__name__] = body
    return {"$ref": _REF.format(name=body.__name__)}


def _documented(struct: type[msgspec.Struct], raw_type: Any) -> type[msgspec.Struct]:
    """The same struct with `raw_type` where it has raw JSON, which is read by other code later."""
    fields: list[Any] = []
    for each in msgspec.structs.fields(struct):
        kind, default = each.type, each.default
        if kind is msgspec.Raw:
            default = default if default is msgspec.NODEFAULT else msgspec.json.decode(default)
            kind = raw_type | None if default is None else raw_type
        if each.default_factory is not msgspec.NODEFAULT:
            fields.append((each.name, kind, msgspec.field(default_factory=each.default_factory)))
        else:
            fields.append(
                (each.name, kind) if default is msgspec.NODEFAULT else (each.name, kind, default)
            )
    config = struct.__struct_config__
    fields.sort(key=len)
    return msgspec.defstruct(
        struct.__name__,
        fields,
        namespace={"__doc__": struct.__doc__},
        tag_field=config.tag_field,
        tag=config.tag,
        forbid_unknown_fields=config.forbid_unknown_fields,
    )
