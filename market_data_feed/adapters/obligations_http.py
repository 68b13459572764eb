"""Obligations and cycles of net settlement over HTTP."""

from typing import Any

from flask import Flask, Response, request

from market_data_feed.adapters.obligation_reader import FIRST, NEWEST, ObligationReader
from service_runtime.http import paging
from service_runtime.http.application import json_response
from service_runtime.http.authentication import Authenticator
from venue_protocol.money import format_e4
from venue_protocol.obligations import CycleRow, ObligationRow
from venue_protocol.refusals import RejectReason, refuse

_GROSS_MOVEMENTS = 4
"""Of one trade: payment and receipt, delivery and its receipt."""


def add_routes(app: Flask, queries: ObligationReader, authenticator: Authenticator) -> None:
    """Put the routes on `app`."""

    @app.get("/v1/obligations")
    def all_obligations() -> Response:
        authenticator.administrator()
        return json_response(_obligations(queries, None))

    @app.get("/v1/obligations/<client_id>")
    def obligations(client_id: str) -> Response:
        authenticator.may_read(client_id)
        return json_response({"client_id": client_id} | _obligations(queries, client_id))

    @app.get("/v1/settlement-cycles")
    def cycles() -> Response:
        authenticator.caller()
        limit = paging.asked_limit()
        rows = queries.cycles(paging.asked_after_parts(NEWEST), limit)
        place = lambda row: (row.time_us, row.shard, row.number)  # noqa: E731
        return json_response(paging.page("cycles", rows, limit, place, _cycle))


def _obligations(queries: ObligationReader, client_id: str | None) -> dict[str, Any]:
    limit = paging.asked_limit()
    rows = queries.obligations(client_id, _asked_after(), limit)
    return paging.page(
        "obligations", rows, limit, lambda row: "/".join(map(str, row[:4])), _obligation
    )


def _asked_after() -> tuple[int, int, str, str]:
    """The cursor: the key of the last row of the page before."""
    text = paging.asked_after_name()
    if not text:
        return FIRST
    parts = text.split("/")
    numbers = [part for part in parts[:2] if part.isascii() and part.isdigit() and len(part) < 19]
    if len(parts) != 4 or len(numbers) != 2:
        after = request.args.get("after", "")[:64]
        raise refuse(
            RejectReason.INVALID_FIELD, f"after={after} is no cursor of this list", "after"
        )
    return int(parts[0]), int(parts[1]), parts[2], parts[3]


def _obligation(row: ObligationRow) -> dict[str, Any]:
    return {
        "client_id": row.client_id,
        "security": row.security_id,
        "cycle": row.cycle,
        "shard": row.shard,
        "quantity": row.quantity,
        "cash": format_e4(row.cash_e4),
        "failed": row.failed,
        "failing_since": row.failing_since or None,
        "mark": format_e4(row.mark_e4) if row.mark_e4 else None,
    }


def _cycle(row: CycleRow) -> dict[str, Any]:
    return {
        "number": row.number,
        "shard": row.shard,
        "time_us": row.time_us,
        "trades": row.trades,
        "gross_value": format_e4(row.gross_value_e4),
        "net_cash": format_e4(row.net_cash_e4),
        "net_deliveries": format_e4(row.net_deliveries_e4),
        "gross_movements": _GROSS_MOVEMENTS * row.trades,
        "net_movements": row.movements,
        "fails": row.fails,
        "cash_saved": _saved(row.net_cash_e4, row.gross_value_e4),
        "deliveries_saved": _saved(row.net_deliveries_e4, row.gross_value_e4),
        "movements_saved": _saved(row.movements, _GROSS_MOVEMENTS * row.trades),
    }


def _saved(net: int, gross: int) -> str | None:
    """How much less than gross, percent with two decimals, rounded down; None without trades."""
    if not gross:
        return None
    hundredths = 10_000 * (gross - net) // gross
    sign = "-" if hundredths < 0 else ""
    return f"{sign}{abs(hundredths) // 100}.{abs(hundredths) % 100:02}"
