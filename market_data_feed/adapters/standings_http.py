"""The ranking and who gained from whom, for administrators."""

from typing import Any

from flask import Flask, Response

from market_data_feed.adapters import views
from market_data_feed.adapters.clearing_reader import Clearing
from market_data_feed.adapters.marks import Marks
from market_data_feed.domain.ranking import ranking
from market_data_feed.domain.transfers import Transfer
from service_runtime.clock import Clock
from service_runtime.http import paging
from service_runtime.http.application import json_response
from service_runtime.http.authentication import Authenticator
from venue_protocol.money import format_e4


def add_routes(
    app: Flask, clearing: Clearing, marks: Marks, authenticator: Authenticator, clock: Clock
) -> None:
    """Put the routes on `app`."""

    @app.get("/v1/standings")
    def standings() -> Response:
        authenticator.administrator()
        marks_e4 = marks.read()
        # The ranking is made anew for each page; its cursor is the number of rows before.
        after, limit = paging.asked_after(), paging.asked_limit(paging.MOST_ROWS)
        ranked = list(enumerate(ranking(clearing.standings(), marks_e4), 1))
        rows = ranked[after : after + limit + 1]
        page = paging.page(
            "standings", rows, limit, lambda row: row[0], lambda row: views.standing(*row[1])
        )
        return json_response({"time_us": clock.now_us(), "prices": _shown(marks_e4)} | page)

    @app.get("/v1/transfers")
    def transfers() -> Response:
        authenticator.administrator()
        limit, after = paging.asked_limit(), paging.asked_after()
        # The list is made anew for each page; its cursor is the number of rows that were shown.
        rows = list(enumerate(marks.transfers(), 1))[after : after + limit + 1]
        page = paging.page("transfers", rows, limit, lambda row: row[0], lambda row: _view(row[1]))
        return json_response({"time_us": clock.now_us()} | page)


def _shown(marks_e4: dict[str, int]) -> dict[str, str | None]:
    return {name: views.money(mark_e4) for name, mark_e4 in sorted(marks_e4.items())}


def _view(transfer: Transfer) -> dict[str, Any]:
    return {
        "client_id": transfer.client_id,
        "from_client_id": transfer.from_client_id,
        "gained": format_e4(transfer.gained_e4),
        "trades": transfer.trades,
        "shares": transfer.shares,
        "traded": format_e4(transfer.traded_e4),
    }
