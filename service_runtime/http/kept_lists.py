"""Lists that are made anew for each reader, kept so that their pages fit together.

A ranking changes while it is read. Its first page makes the whole list, and the pages that follow
are cut from that one: each row comes once, and all are of one moment.
"""

import itertools
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Generic, NamedTuple, TypeVar

from service_runtime.http import paging
from venue_protocol.refusals import RejectReason, refuse

Row = TypeVar("Row")

MOST_KEPT = 8
"""Lists that are kept; of more, the one made first is forgotten."""


class Made(NamedTuple, Generic[Row]):
    """A list of one moment, and what stands beside it on each page."""

    beside: Mapping[str, Any]
    rows: Sequence[Row]


class KeptLists(Generic[Row]):
    """The newest lists of one route; from any thread."""

    def __init__(self) -> None:
        self._kept: OrderedDict[int, Made[Row]] = OrderedDict()
        # From the clock, so that no cursor of a former process fits a list of this one.
        self._numbers = itertools.count(time.time_ns())
        self._lock = threading.Lock()

    def page(
        self,
        name: str,
        make: Callable[[], Made[Row]],
        shown: Callable[[Row], Any],
        usual_limit: int = paging.DEFAULT_ROWS,
    ) -> dict[str, Any]:
        """The page that the current request asks for, of a list that `make` made for its first.

        Refused if that list is no longer kept.
        """
        number, done = paging.asked_after_parts((0, 0))
        limit = paging.asked_limit(usual_limit)
        if number == 0:
            made = make()
            number, done = self._keep(made, limit), 0
        else:
            made = self._find(number)
        rows = made.rows[done : done + limit + 1]
        cursor = (number, done + limit)
        return {**made.beside, **paging.page(name, rows, limit, lambda _: cursor, shown)}

    def _keep(self, made: Made[Row], limit: int) -> int:
        with self._lock:
            number = next(self._numbers)
            # A list of one page has no cursor that asks for it again.
            if len(made.rows) > limit:
                self._kept[number] = made
            if len(self._kept) > MOST_KEPT:
                self._kept.popitem(last=False)
        return number

    def _find(self, number: int) -> Made[Row]:
        with self._lock:
            made = self._kept.get(number)
        if made is None:
            raise refuse(
                RejectReason.INVALID_FIELD,
                "this list is no longer kept: begin it again, without after",
                "after",
            )
        return made
