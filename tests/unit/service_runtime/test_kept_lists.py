"""Pages of a list that is made anew for each reader: they are of one moment."""

from typing import Any

import pytest
from flask import Flask

from service_runtime.http.kept_lists import MOST_KEPT, KeptLists, Made
from venue_protocol.refusals import Refused, RejectReason

app = Flask(__name__)


class Ranking:
    """Names that change their places each time the ranking is made."""

    def __init__(self) -> None:
        self.names = ["ann", "bob", "cem", "dan", "eve"]
        self.made = 0
        self.lists: KeptLists[str] = KeptLists()

    def ask(self, query: str) -> dict[str, Any]:
        """The answer to a request with this query."""

        def make() -> Made[str]:
            self.made += 1
            self.names = [*self.names[1:], self.names[0]]
            return Made({"made": self.made}, list(self.names))

        with app.test_request_context(f"/{query}"):
            return self.lists.page("rows", make, str.upper)

    def refusal(self, query: str) -> tuple[RejectReason, str | None]:
        with pytest.raises(Refused) as refused:
            self.ask(query)
        return refused.value.refusal.reason, refused.value.refusal.field


def test_pages_of_a_ranking_that_changes_give_each_row_once_and_one_moment() -> None:
    ranking, rows, query = Ranking(), [], "?limit=2"
    while True:
        page = ranking.ask(query)
        rows += page["rows"]
        assert page["made"] == 1
        ranking.ask("?limit=1")  # another reader, for whom it is made anew
        if page["next"] is None:
            break
        query = f"?limit=2&after={page['next']}"
    assert rows == ["BOB", "CEM", "DAN", "EVE", "ANN"]
    assert ranking.made == 4


def test_a_list_of_one_page_is_kept_for_nobody() -> None:
    ranking = Ranking()
    first = ranking.ask("?limit=2")
    for _ in range(3 * MOST_KEPT):
        assert ranking.ask("?limit=5")["next"] is None
    assert ranking.ask(f"?limit=2&after={first['next']}")["rows"] == ["DAN", "EVE"]


def test_only_the_newest_lists_are_kept_and_the_others_say_so() -> None:
    ranking = Ranking()
    cursors = [ranking.ask("?limit=1")["next"] for _ in range(MOST_KEPT + 1)]
    assert ranking.refusal(f"?limit=1&after={cursors[0]}") == (RejectReason.INVALID_FIELD, "after")
    assert ranking.ask(f"?limit=1&after={cursors[1]}")["rows"]


def test_a_cursor_of_a_former_process_fits_no_list() -> None:
    cursor = Ranking().ask("?limit=1")["next"]
    assert Ranking().refusal(f"?after={cursor}") == (RejectReason.INVALID_FIELD, "after")
    assert Ranking().ask("?after=0")["rows"]
