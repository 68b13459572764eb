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
from market_data_feed.adapters.clearing_reader import Clearing
from market_data_feed.adapters.records import (
    NEWEST,
    NEWEST_REFUSAL,
    OrderRecord,
    Records,
    RefusalCursor,
    RefusedOrder,
)
from market_data_feed.adapters.stream.hub import Hub
from market_data_feed.domain.execution_report import ExecutionReport
from market_data_feed.domain.market import Market
from market_data_feed.domain.ranking import Account
from service_runtime.http.application import json_response, query_whole
from service_runtime.http.authentication import Authenticator, Caller
from service_runtime.http.paging import (
    MOST_ROWS,
    asked_after,
    asked_after_name,
    asked_limit,
    asked_newest_first,
    page,
)
from service_runtime.http.security_headers import page_policy
from venue_protocol.identifiers import is_client_id
from venue_protocol.refusals import RejectReason, refuse, unknown_client
from venue_protocol.securities import Security
from venue_storage.listed_securities import ListedSecurities

_MOST_CURSOR = 300
_MOST_LEVELS = 500
_ORDER_ID_END = 1 << 53
_PAGE_FOLDER = Path(__file__).parents[1] / "page"
_PAGE_POLICY = page_policy(
    "script-src 'self'", "style-src 'self'", "img-src 'self'", "connect-src 'self'"
)


class Answers:
    """What the routes need, and the checks they share."""

    def __init__(
        self,
        clearing: Clearing,
        listings: ListedSecurities,
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
            raise unknown_client(client_id, field=None)
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
        listed = self.listings.find(security_id)
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
        after, limit = asked_after_name(), asked_limit(MOST_ROWS)
        rows = answers.clearing.holdings(client_id, after, limit + 1)
        listed = page("holdings", rows, limit, lambda row: row.security_id, views.holding)
        return json_response({"client_id": client_id} | listed)

    @app.get("/settlement-reports")
    def settlement_reports() -> Response:
        caller = answers.authenticator.caller()
        is_all = caller.is_administrator() and "client_id" not in request.args
        client_id = None if is_all else answers.asked_client()
        wanted = request.args.get("format", "json")
        if wanted == "ndjson":
            most = query_whole("limit", NEWEST, 1, NEWEST)
            return _ndjson(_settlement_pages(answers.records, client_id, asked_after(), most))
        if wanted != "json":
            raise refuse(
                RejectReason.INVALID_FIELD,
                "format must be json or ndjson",
                "format",
                value=wanted[:64],
            )
        after, limit = asked_after(), asked_limit()
        rows = answers.records.settlements(client_id, after, limit + 1)
        listed = page("reports", rows, limit, lambda row: row.sequence, views.settlement)
        return _with_next_after(listed, "reports", after)


def _add_market(app: Flask, answers: Answers) -> None:
    @app.get("/v1/securities")
    def securities() -> Response:
        after, limit = asked_after_name(), asked_limit(MOST_ROWS)
        rows = [listed for listed in answers.listings.all() if listed.security_id > after]
        return json_response(
            page("securities", rows, limit, lambda row: row.security_id, views.security)
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
            view = {"security": security_id, **views.book(state, depth)} | _as_of(
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
        limit = asked_limit()
        rows = answers.records.trades_before(security_id, asked_newest_first(NEWEST), limit + 1)
        listed = page("trades", rows, limit, lambda row: row.trade_id, views.public_trade)
        return json_response({"security": security_id} | listed)


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
        limit = asked_limit()
        before = asked_newest_first(NEWEST)
        rows = answers.records.orders(client_id, status == "open", before, limit + 1)
        return json_response(page("orders", rows, limit, lambda row: row.order_id, views.order))

    @app.get("/v1/orders/<int:order_id>")
    def order(order_id: int) -> Response:
        return json_response(views.order(answers.own_order(order_id)))

    @app.get("/v1/orders/<int:order_id>/reports")
    def order_reports(order_id: int) -> Response:
        found = answers.own_order(order_id)
        after, limit = asked_after(), asked_limit()
        rows = answers.records.reports_of_order(found.client_id, order_id, after, limit + 1)
        listed = page("reports", rows, limit, _event_sequence, views.execution_report)
        return json_response({"order_id": order_id} | listed)

    @app.get("/v1/reports")
    def reports() -> Response:
        client_id, after, limit = answers.asked_client(), asked_after(), asked_limit()
        rows = answers.records.reports(client_id, after, limit + 1)
        listed = page("reports", rows, limit, _event_sequence, views.execution_report)
        return _with_next_after(listed, "reports", after)

    @app.get("/v1/fills")
    def fills() -> Response:
        client_id, after, limit = answers.asked_client(), asked_after(), asked_limit()
        rows = answers.records.reports(client_id, after, limit + 1, fills_only=True)
        listed = page("fills", rows, limit, _event_sequence, views.fill)
        return _with_next_after(listed, "fills", after)

    @app.get("/v1/refused-orders")
    def refused_orders() -> Response:
        client_id = answers.asked_client()
        limit = asked_limit()
        rows = answers.records.refused_orders(client_id, _asked_after_refusal(), limit + 1)
        return json_response(
            page("refused_orders", rows, limit, _refusal_cursor, views.refused_order)
        )


def _add_page(app: Flask) -> None:
    @app.get("/")
    def start_page() -> Response:
        response = send_from_directory(_PAGE_FOLDER, "index.html", max_age=0)
        response.headers["Content-Security-Policy"] = _PAGE_POLICY
        return response

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
        texts = records.settlement_texts(client_id, after, min(limit, MOST_ROWS))
        yield "".join(f"{text}\n" for _, text in texts)
        if len(texts) < MOST_ROWS:
            return
        after, limit = texts[-1][0], limit - len(texts)


def _ndjson(pages: Iterator[str]) -> Response:
    """The pages as they are read.

    The first is read now, so that a database that is away is still a 503.
    """
    return Response(chain([next(pages)], pages), mimetype="application/x-ndjson")


def _asked_after_refusal() -> RefusalCursor:
    """Where a list of refused orders goes on: `time.number.gateway run`."""
    text = request.args.get("after")
    if text is None:
        return NEWEST_REFUSAL
    time_us, _, rest = text.partition(".")
    number, _, gateway_run = rest.partition(".")
    is_cursor = all(
        part.isascii() and part.isdigit() and len(part) < 19 for part in (time_us, number)
    )
    if not is_cursor or not gateway_run.isprintable() or len(text) > _MOST_CURSOR:
        raise refuse(
            RejectReason.INVALID_FIELD,
            "after must be what the page before gave as next",
            "after",
            value=text[:64],
        )
    return RefusalCursor(int(time_us), int(number), gateway_run)


def _refusal_cursor(row: RefusedOrder) -> str:
    return f"{row.time_us}.{row.number}.{row.gateway_run}"


def _event_sequence(report: ExecutionReport) -> int:
    return report.event_sequence


def _with_next_after(listed: dict[str, Any], name: str, after: int) -> Response:
    """The page with `next_after` too: where to ask again for what comes later, also at the end."""
    rows = listed[name]
    return json_response(listed | {"next_after": rows[-1]["sequence"] if rows else after})


def _as_of(sequence: int, time_us: int) -> dict[str, Any]:
    return {
        "sequence": sequence,
        "time_us": time_us or None,
        "time": views.iso(time_us) if time_us else None,
    }
