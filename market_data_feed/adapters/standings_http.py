"""The ranking and who gained from whom, for administrators."""

from typing import Any

from flask import Flask, Response

from market_data_feed.adapters import views
from market_data_feed.adapters.clearing_reader import Clearing
from market_data_feed.adapters.marks import Marks
from market_data_feed.domain.ranking import Standing, ranking
from market_data_feed.domain.transfers import Transfer
from service_runtime.clock import Clock
from service_runtime.http import paging
from service_runtime.http.application import json_response
from service_runtime.http.authentication import Authenticator
from service_runtime.http.kept_lists import KeptLists, Made
from venue_protocol.money import format_e4

_MOST_READINGS = 5
"""Of marks and holdings, when corporate actions come in between."""


def add_routes(
    app: Flask, clearing: Clearing, marks: Marks, authenticator: Authenticator, clock: Clock
) -> None:
    """Put the routes on `app`."""
    rankings: KeptLists[tuple[Standing, int]] = KeptLists()
    reports: KeptLists[Transfer] = KeptLists()

    def ranked() -> Made[tuple[Standing, int]]:
        for _ in range(_MOST_READINGS):
            # Marks and holdings in the same shares: not one before a split and the other after it.
            actions, marks_e4 = marks.actions(), marks.read()
            owned = clearing.standings()
            if marks.actions() == actions:
                break
        beside = {"time_us": clock.now_us(), "prices": _shown(marks_e4)}
        return Made(beside, ranking(owned, marks_e4))

    @app.get("/v1/standings")
    def standings() -> Response:
        authenticator.administrator()
        return json_response(
            rankings.page("standings", ranked, lambda row: views.standing(*row), paging.MOST_ROWS)
        )

    @app.get("/v1/transfers")
    def transfers() -> Response:
        authenticator.administrator()
        return json_response(
            reports.page(
                "transfers", lambda: Made({"time_us": clock.now_us()}, marks.transfers()), _view
            )
        )


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
