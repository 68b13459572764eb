"""Query parameters that no operation has are refused, for every route of every service.

A parameter that is taken and not applied gives a wrong answer without a word: a mistyped
`?limits=5` lists everything, `?client_id=` where there is no such filter shows the wrong client.
What an operation takes stands in the service's `OPERATIONS`, from which the documentation is made
too; so what is documented, what is taken and what is refused can't differ.
"""

from collections.abc import Iterable, Mapping, Sequence

from flask import Flask, request

from service_runtime.http.openapi import COMMON, Operation
from venue_protocol.refusals import RejectReason, refuse

Parameters = Mapping[tuple[str, str], frozenset[str]]
"""Names of the query parameters by method and Flask rule."""

_SHOWN = 64


def parameters_of(operations: Iterable[Operation]) -> Parameters:
    """What each operation takes in its query string."""
    return {
        (operation.method, operation.path): frozenset(query.name for query in operation.query)
        for operation in operations
    }


def check_query(where: str, known: frozenset[str], given: Sequence[str]) -> None:
    """Refuse the first name in `given` that is not known, or that comes twice.

    `where` names the operation, such as `GET /v1/things`; `given` has each name as often as it was
    sent. Example: with `limit` known, `limit, limit` and `limits` are refused, `limit` is not.
    """
    for number, name in enumerate(given):
        if name not in known:
            there_are = ", ".join(sorted(known)) or "no parameters"
            raise refuse(
                RejectReason.UNKNOWN_FIELD,
                f"{where} has no parameter {name[:_SHOWN]!r}; it takes {there_are}",
                name[:_SHOWN],
            )
        if name in given[:number]:
            raise refuse(
                RejectReason.UNKNOWN_FIELD, f"{where} takes {name} once, it is there twice", name
            )


def refuse_unknown(app: Flask, operations: Sequence[Operation]) -> None:
    """Check the query string of each request to `app` before its route runs.

    Call it before the routes are added: what a route takes, such as a place, is then not taken for
    a request that is refused. A route that is not among `operations` takes no parameter.
    """
    parameters = parameters_of((*operations, *COMMON))

    @app.before_request
    def check() -> None:
        if not request.query_string or request.url_rule is None:
            return
        method = "GET" if request.method == "HEAD" else request.method
        known = parameters.get((method, request.url_rule.rule), frozenset())
        given = [name for name, _ in request.args.items(multi=True)]
        check_query(f"{method} {request.url_rule.rule}", known, given)
