"""Statements over HTTP: JSON page by page, or the whole as CSV or as a page to print."""

import re
import threading
from typing import Any

from flask import Flask, Response, request

from market_data_feed.adapters.http import Answers
from service_runtime.clock import Clock
from service_runtime.http import paging
from service_runtime.http.application import json_response
from service_runtime.http.security_headers import page_policy, style_source
from venue_protocol.refusals import RejectReason, refuse
from venue_protocol.statements import csv_rows, page, view
from venue_protocol.statements.maker import Period, StatementSource, make
from venue_protocol.statements.statement import Line, Statement
from venue_protocol.times import TimeError, parse_utc

MOST_MOVEMENTS = 20_000
"""Of one CSV or page: some megabytes. JSON has pages."""
_AT_ONCE = 2
_PATIENCE_S = 10.0
"""A statement reads all reports of its client: a second for some hundred thousands."""
_DAY_US = 86_400_000_000
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_FORMATS = ("json", "csv", "html")
_POLICY = page_policy(style_source(page.STYLE))


class Statements:
    """Makes statements, few at a time: whoever waits too long is told to ask again."""

    def __init__(self, source: StatementSource, clock: Clock) -> None:
        self._source = source
        self._clock = clock
        self._places = threading.BoundedSemaphore(_AT_ONCE)

    def read(
        self, client_id: str, asked: tuple[int | None, int | None], after: int, most: int
    ) -> tuple[Statement, list[Line]]:
        """The statement of a period, and its lines behind report `after`, one more than `most`."""
        lines: list[Line] = []

        def keep(line: Line) -> None:
            if line.number > after and len(lines) <= most:
                lines.append(line)

        if not self._places.acquire(timeout=_PATIENCE_S):
            raise refuse(RejectReason.OVERLOADED, "other statements are being made: ask again")
        try:
            return make(self._source, client_id, period(asked, self._clock.now_us()), keep), lines
        finally:
            self._places.release()


def period(asked: tuple[int | None, int | None], now_us: int) -> Period:
    """From the first movement until now where nothing else is asked; never beyond now."""
    from_us, to_us = asked
    end_us = now_us if to_us is None else min(to_us, now_us)
    return Period(min(from_us or 0, end_us), end_us, reaches_now=to_us is None or to_us >= now_us)


def asked_moment(name: str) -> int | None:
    """A moment of the query, microseconds; a day alone is its beginning, or as `to` its end."""
    text = request.args.get(name)
    if text is None:
        return None
    is_day = _DAY.fullmatch(text) is not None
    try:
        found_us = parse_utc(f"{text}T00:00:00Z" if is_day else text)
    except TimeError as error:
        raise refuse(
            RejectReason.INVALID_FIELD, f"{name}: {error}, or 2026-11-21", name, value=text[:64]
        ) from None
    return found_us + _DAY_US if is_day and name == "to" else found_us


def add_routes(app: Flask, answers: Answers, statements: Statements) -> None:
    """Put the route on `app`."""

    @app.get("/v1/statements/<client_id>")
    def statement(client_id: str) -> Response:
        answers.reader_of(client_id)
        asked = asked_moment("from"), asked_moment("to")
        if None not in asked and asked[0] >= asked[1]:  # type: ignore[operator]
            raise refuse(RejectReason.INVALID_FIELD, "from must be before to", "from")
        form = request.args.get("format", "json")
        if form not in _FORMATS:
            raise refuse(RejectReason.INVALID_FIELD, f"format is {', '.join(_FORMATS)}", "format")
        if form == "json":
            limit, after = paging.asked_limit(), paging.asked_after()
            made, lines = statements.read(client_id, asked, after, limit)
            return json_response(view.statement(made) | _page(lines, limit))
        made, lines = statements.read(client_id, asked, 0, MOST_MOVEMENTS)
        if len(lines) > MOST_MOVEMENTS:
            raise refuse(
                RejectReason.INVALID_FIELD,
                f"{made.movements} movements are more than {MOST_MOVEMENTS}: "
                "ask for a shorter period, or for JSON",
                "from",
            )
        return _csv(made, lines) if form == "csv" else _html(made, lines)


def _page(lines: list[Line], limit: int) -> dict[str, Any]:
    return paging.page("movements", lines, limit, lambda line: line.number, view.movement)


def _csv(made: Statement, lines: list[Line]) -> Response:
    return Response("".join(csv_rows.rows(made, lines)), mimetype="text/csv")


def _html(made: Statement, lines: list[Line]) -> Response:
    response = Response(page.page(made, lines), mimetype="text/html")
    response.headers["Content-Security-Policy"] = _POLICY
    return response
