"""The REST doors of the feed: public market data, and to its owner (or an administrator) what is
private.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import Any

from flask import Flask, Response, request, send_from_directory

from market_data_feed.adapters import views
from market_data_feed.adapters.clearing_reader import Account, Clearing
from market_data_feed.adapters.listings import Listings
from market_data_feed.adapters.records import NEWEST, OrderRecord, Records
from market_data_feed.adapters.stream.hub import Hub, book_view
from market_data_feed.domain.market import Market
from service_runtime.http.application import json_response, query_whole
from service_runtime.http.authentication import Authenticator, Caller
from venue_protocol.identifiers import is_client_id
from venue_protocol.refusals import RejectReason, refuse
from venue_protocol.securities import Security

MOST_ROWS = 1_000
_DEFAULT_ROWS = 100
_MOST_LEVELS = 500
_ORDER_ID_END = 1 << 53
_PAGE_FOLDER = Path(__file__).parents[1] / "page"


class Answers:
    """What the routes need, and the checks they share."""

    def __init__(
        self,
        clearing: Clearing,
        listings: Listings,
        records: Records,
        hub: Hub,
        authenticator: Authenticator,
    ) -> None:
        self.clearing = clearing
        self.listings = listings
        self.records = records
        self.hub = hub
        self.authenticator = authenticator

    @contextmanager
    def market(self) -> Iterator[Market]:
        """The visible market, standing still inside the block; 503 until it is loaded."""
        self.hub.require_started()
        with self.hub.market() as market:
            yield market

    def reader_of(self, client_id: str) -> Caller:
        """The caller, if it may read this client; 401 without a key, 404 if unknown, 403 if
        foreign.
        """
        if not is_client_id(client_id):
            self.authenticator.caller()
            raise refuse(RejectReason.UNKNOWN_CLIENT, f"no client {client_id[:64]!r}")
        return self.authenticator.may_read(client_id)

    def asked_client(self) -> str:
        """The client a private list is about: the caller, or for an administrator the one in
        `?client_id=`.
        """
        asked = request.args.get("client_id")
        if asked is None:
            return self.authenticator.caller().client_id
        self.reader_of(asked)
        return asked

    def security(self, security_id: str) -> Security:
        """The listed security; 404 if there is none."""
        listed = self.listings.get(security_id)
        if listed is None:
            raise refuse(RejectReason.UNKNOWN_SECURITY, f"no security {security_id[:32]!r}")
        return listed

    def account(self, client_id: str) -> Account:
        """The client's cash; 404 for a client without an account."""
        account = self.clearing.account(client_id)
        if account is None:
            raise refuse(RejectReason.UNKNOWN_CLIENT, f"client {client_id!r} has no account")
        return account

    def own_order(self, order_id: int) -> OrderRecord:
        """The order, if the caller may read it; 404 if it is not on record, 403 if it is
        another's.
        """
        caller = self.authenticator.caller()
        order = self.records.order(order_id) if order_id < _ORDER_ID_END else None
        if order is None:
            raise refuse(RejectReason.UNKNOWN_ORDER, f"no order {order_id} is on record")
        if order.client_id != caller.client_id and not caller.is_administrator():
            raise refuse(RejectReason.FORBIDDEN, "this order belongs to another client")
        return order


def add_routes(app: Flask, answers: Answers) -> None:
    """Put all REST routes and the page on `app`."""
    _add_accounts(app, answers)
    _add_market(app, answers)
    _add_orders(app, answers)
    _add_page(app)


def _add_accounts(app: Flask, answers: Answers) -> None:
    @app.get("/balance/<client_id>")
    def balance(client_id: str) -> Response:
        answers.reader_of(client_id)
        return json_response(views.balance(answers.account(client_id)))

    @app.get("/holdings/<security_id>/<client_id>")
    def holding(security_id: str, client_id: str) -> Response:
        answers.reader_of(client_id)
        answers.security(security_id)
        return json_response(views.holding(answers.clearing.holding(client_id, security_id)))

    @app.get("/holdings/<client_id>")
    def holdings(client_id: str) -> Response:
        answers.reader_of(client_id)
        rows = [views.holding(row) for row in answers.clearing.holdings(client_id)]
        return json_response({"client_id": client_id, "holdings": rows})

    @app.get("/settlement-reports")
    def settlement_reports() -> Response:
        caller = answers.authenticator.caller()
        is_all = caller.is_administrator() and "client_id" not in request.args
        client_id = None if is_all else answers.asked_client()
        wanted = request.args.get("format", "json")
        if wanted == "ndjson":
            limit = query_whole("limit", NEWEST, 1, NEWEST)
            return _ndjson(_settlement_pages(answers.records, client_id, _after(), limit))
        if wanted != "json":
            raise refuse(
                RejectReason.INVALID_FIELD,
                "format must be json or ndjson",
                "format",
                value=wanted[:64],
            )
        after, limit = _after(), _limit()
        reports = [
            views.settlement(report)
            for report in answers.records.settlements(client_id, after, limit)
        ]
        return json_response(
            {"reports": reports, "next_after": reports[-1]["sequence"] if reports else after}
        )


def _add_market(app: Flask, answers: Answers) -> None:
    @app.get("/v1/securities")
    def securities() -> Response:
        return json_response(
            {"securities": [views.security(listed) for listed in answers.listings.all()]}
        )

    @app.get("/v1/securities/<security_id>")
    def security(security_id: str) -> Response:
        return json_response(views.security(answers.security(security_id)))

    @app.get("/v1/price/<security_id>")
    def price(security_id: str) -> Response:
        answers.security(security_id)
        answers.hub.require_started()
        top, sequence, updated_us = answers.hub.top(security_id)
        return json_response(views.top(security_id, top) | _as_of(sequence, updated_us))

    @app.get("/v1/book/<security_id>")
    def book(security_id: str) -> Response:
        answers.security(security_id)
        depth = query_whole("depth", 10, 1, _MOST_LEVELS)
        with answers.market() as market:
            state = market.security(security_id)
            view = {"security": security_id, **book_view(state, depth)} | _as_of(
                state.sequence, state.updated_us
            )
        return json_response(view)

    @app.get("/v1/session/<security_id>")
    def session(security_id: str) -> Response:
        listed = answers.security(security_id)
        answers.hub.require_started()
        return json_response(
            {"security": security_id, **answers.hub.security_session(listed.shard, security_id)}
        )

    @app.get("/v1/trades/<security_id>")
    def trades(security_id: str) -> Response:
        answers.security(security_id)
        rows = answers.records.trades_before(
            security_id, query_whole("before", NEWEST, 0, NEWEST), _limit()
        )
        return json_response(
            {"security": security_id, "trades": [views.public_trade(row) for row in rows]}
        )


def _add_orders(app: Flask, answers: Answers) -> None:
    @app.get("/v1/orders")
    def orders() -> Response:
        client_id = answers.asked_client()
        status = request.args.get("status", "open")
        if status not in ("open", "all"):
            raise refuse(
                RejectReason.INVALID_FIELD,
                "status must be open or all",
                "status",
                value=status[:64],
            )
        before = query_whole("before", NEWEST, 0, NEWEST)
        rows = answers.records.orders(client_id, status == "open", before, _limit())
        return json_response({"orders": [views.order(row) for row in rows]})

    @app.get("/v1/orders/<int:order_id>")
    def order(order_id: int) -> Response:
        return json_response(views.order(answers.own_order(order_id)))

    @app.get("/v1/orders/<int:order_id>/reports")
    def order_reports(order_id: int) -> Response:
        found = answers.own_order(order_id)
        reports = answers.records.reports_of_order(found.client_id, order_id, _limit())
        return json_response(
            {"order_id": order_id, "reports": [views.execution_report(row) for row in reports]}
        )

    @app.get("/v1/reports")
    def reports() -> Response:
        client_id, after, limit = answers.asked_client(), _after(), _limit()
        rows = [
            views.execution_report(row) for row in answers.records.reports(client_id, after, limit)
        ]
        return json_response(
            {"reports": rows, "next_after": rows[-1]["sequence"] if rows else after}
        )

    @app.get("/v1/fills")
    def fills() -> Response:
        client_id, after, limit = answers.asked_client(), _after(), _limit()
        rows = [
            views.fill(row)
            for row in answers.records.reports(client_id, after, limit, fills_only=True)
        ]
        return json_response({"fills": rows, "next_after": rows[-1]["sequence"] if rows else after})

    @app.get("/v1/refused-orders")
    def refused_orders() -> Response:
        client_id = answers.asked_client()
        rows = answers.records.refused_orders(client_id, _limit())
        return json_response({"refused_orders": [views.refused_order(row) for row in rows]})


def _add_page(app: Flask) -> None:
    @app.get("/")
    def page() -> Response:
        return send_from_directory(_PAGE_FOLDER, "index.html", max_age=0)

    @app.get("/page/<path:name>")
    def page_file(name: str) -> Response:
        return send_from_directory(_PAGE_FOLDER, name, max_age=60)


def _settlement_pages(
    records: Records, client_id: str | None, after: int, limit: int
) -> Iterator[str]:
    """Pages of exact report texts, a line each, until nothing follows or `limit` reports were
    given.
    """
    while limit > 0:
        page = records.settlement_texts(client_id, after, min(limit, MOST_ROWS))
        yield "".join(f"{text}\n" for _, text in page)
        if len(page) < MOST_ROWS:
            return
        after, limit = page[-1][0], limit - len(page)


def _ndjson(pages: Iterator[str]) -> Response:
    """The pages as they are read.

    The first is read now, so that a database that is away is still a 503.
    """
    return Response(chain([next(pages)], pages), mimetype="application/x-ndjson")


def _after() -> int:
    return query_whole("after", 0, 0, NEWEST)


def _limit() -> int:
    return query_whole("limit", _DEFAULT_ROWS, 1, MOST_ROWS)


def _as_of(sequence: int, time_us: int) -> dict[str, Any]:
    return {
        "sequence": sequence,
        "time_us": time_us or None,
        "time": views.iso(time_us) if time_us else None,
    }
