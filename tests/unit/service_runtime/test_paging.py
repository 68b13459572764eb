"""The paging convention: pages to the end, each row once."""

from typing import Any

import pytest
from flask import Flask

from service_runtime.http import paging
from venue_protocol.refusals import Refused, RejectReason

app = Flask(__name__)


def _walk(keys: list[Any], limit: int) -> tuple[list[Any], int]:
    """All rows of the list of these keys read by `limit`, and the number of pages."""
    seen: list[Any] = []
    pages, query = 0, f"?limit={limit}"
    while True:
        with app.test_request_context(f"/{query}"):
            wide = paging.asked_limit()
            after = paging.asked_after_parts((0, 0))
            found = [key for key in keys if key > after][: wide + 1]
            answer = paging.page("rows", found, wide, lambda row: row)
        seen += answer["rows"]
        pages += 1
        if answer["next"] is None:
            return seen, pages
        query = f"?limit={limit}&after={answer['next']}"


@pytest.mark.parametrize("limit", [1, 2, 3, 6, 7, 1000])
def test_following_next_gives_each_row_once_whatever_the_limit(limit: int) -> None:
    keys = [(1, 1), (1, 2), (2, 1), (2, 2), (2, 3), (9, 1)]
    seen, pages = _walk(keys, limit)
    assert seen == keys
    assert pages == -(-len(keys) // limit), "a page that is exactly full is not followed by none"


def test_an_empty_list_has_no_next() -> None:
    assert paging.page("rows", [], 5, lambda row: row) == {"rows": [], "next": None}


@pytest.mark.parametrize(("cursor", "text"), [(47, "47"), ((47, 2), "47.2"), ("ann.b", "ann.b")])
def test_next_is_a_text(cursor: object, text: str) -> None:
    assert paging.page("rows", [1, 2], 1, lambda _: cursor)["next"] == text


def test_a_cursor_may_name_its_first_part_alone() -> None:
    with app.test_request_context("/?after=47"):
        assert paging.asked_after_parts((0, 9)) == (47, 9)


@pytest.mark.parametrize("after", ["-1", "1.2.3", "x", "²", "1.", "9223372036854775808", "1" * 30])
def test_an_after_that_no_page_gave_is_refused(after: str) -> None:
    with app.test_request_context(query_string={"after": after}), pytest.raises(Refused) as refused:
        paging.asked_after_parts((0, 0))
    assert refused.value.refusal.reason is RejectReason.INVALID_FIELD
    assert refused.value.refusal.field == "after"


@pytest.mark.parametrize("after", ["a\nb", "a" * 201])
def test_a_name_that_no_page_gave_is_refused(after: str) -> None:
    with app.test_request_context(query_string={"after": after}), pytest.raises(Refused):
        paging.asked_after_name()
