"""One paging convention for every list of every service (docs/paging.md).

A request names `limit` (at most so many rows) and `after` (where the page before ended); the
answer holds the rows and `next`: what to send as `after` for the following page, or null when the
list has ended.
An example: a list of the five rows 1 to 5, read two at a time.

    GET …?limit=2            {"rows": [1, 2], "next": "2"}
    GET …?limit=2&after=2    {"rows": [3, 4], "next": "4"}
    GET …?limit=2&after=4    {"rows": [5], "next": null}

A service asks its store for one row more than `limit`: that row says whether a page follows, so
that a page which is exactly full does not send its reader to an empty one.
"""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from flask import request

from service_runtime.http.application import query_whole
from venue_protocol.refusals import RejectReason, refuse

Row = TypeVar("Row")

DEFAULT_ROWS = 100
MOST_ROWS = 1_000
"""Rows of the largest page: a few hundred kilobytes of JSON, some milliseconds of a worker."""

_LARGEST = (1 << 63) - 1
"""What a BIGINT holds, so a cursor can always be compared in SQL."""
_MOST_CHARACTERS = 200


def asked_limit(default: int = DEFAULT_ROWS) -> int:
    """The rows that the current request wants at most: 1 to MOST_ROWS."""
    return query_whole("limit", default, 1, MOST_ROWS)


def asked_after(default: int = 0) -> int:
    """The cursor of a list with one whole number as its key; `default` for the first page."""
    return query_whole("after", default, 0, _LARGEST)


def asked_newest_first(newest: int) -> int:
    """The cursor of a list of numbered rows that begins with the newest: rows below it follow.

    `newest` is above all numbers. Older clients say `before` for `after`; both at once are two
    windows on one list, and refused.
    """
    if "before" in request.args and "after" in request.args:
        raise refuse(
            RejectReason.INVALID_FIELD,
            "before is the former name of after: send one of them",
            "before",
        )
    name = "before" if "before" in request.args else "after"
    return query_whole(name, newest, 0, newest)


def asked_after_parts(first: tuple[int, ...]) -> tuple[int, ...]:
    """The cursor of a list with several whole numbers as its key, such as `47.2`.

    `first` is the cursor of the first page; a request may leave parts out at the end, which then
    are as in `first`.
    """
    text = request.args.get("after")
    if text is None:
        return first
    parts = text.split(".")
    if len(parts) > len(first) or not all(_is_whole(part) for part in parts):
        raise _refuse_after(text)
    return tuple(map(int, parts)) + first[len(parts) :]


def asked_after_name() -> str:
    """The cursor of a list in alphabetical order; the empty text for the first page."""
    text = request.args.get("after", "")
    if len(text) > _MOST_CHARACTERS or not text.isprintable():
        raise _refuse_after(text)
    return text


def page(
    name: str,
    rows: Sequence[Row],
    limit: int,
    cursor_of: Callable[[Row], object],
    shown: Callable[[Row], Any] = lambda row: row,
) -> dict[str, Any]:
    """The answer `{name: rows, "next": cursor}` of rows that were read up to `limit + 1`.

    `cursor_of` gives a row's cursor: a whole number, a name, or a tuple of whole numbers.
    """
    cut = rows[:limit]
    following = cursor_text(cursor_of(cut[-1])) if len(rows) > limit else None
    return {name: [shown(row) for row in cut], "next": following}


def cursor_text(cursor: object) -> str:
    """A cursor as it stands in `next`: (47, 2) is `47.2`."""
    return ".".join(map(str, cursor)) if isinstance(cursor, tuple) else str(cursor)


def _is_whole(text: str) -> bool:
    return (text.isascii() and text.isdigit() and len(text) <= len(str(_LARGEST))) and int(
        text
    ) <= _LARGEST


def _refuse_after(text: str) -> Exception:
    return refuse(
        RejectReason.INVALID_FIELD,
        "after must be what the page before gave as next",
        "after",
        value=text[:64],
    )
