"""One database as it stood at one moment: a read-only snapshot whose rows are streamed, so memory
stays bounded.
"""

from collections import deque
from collections.abc import Callable, Iterator
from itertools import count, islice
from typing import Any, Generic, TypeVar

import psycopg2

from venue_launcher.errors import CommandError

Row = tuple[Any, ...]
T = TypeVar("T")
_ROWS_A_FETCH = 5_000
_names = count(1)


class Snapshot:
    """A REPEATABLE READ transaction.

    The moment is that of the constructor; writers are not disturbed.
    """

    def __init__(self, url: str) -> None:
        try:
            self._connection = psycopg2.connect(url, application_name="audit", connect_timeout=5)
        except psycopg2.OperationalError as error:
            raise CommandError(
                f"the audit can't read the database: {str(error).strip()}"
            ) from error
        self._connection.set_session(isolation_level="REPEATABLE READ", readonly=True)
        with self._connection.cursor() as cursor:
            # Lookups join a list of keys with a large table: by its index, never by reading all of
            # it for each list.
            cursor.execute(
                "SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off; SELECT 1"
            )

    def __enter__(self) -> "Snapshot":
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def all(self, statement: str, parameters: Any = None) -> list[Row]:
        """All rows of a small answer."""
        with self._connection.cursor() as cursor:
            cursor.execute(statement, parameters)
            return list(cursor.fetchall())

    def one(self, statement: str, parameters: Any = None) -> Row | None:
        """The first row, or None."""
        rows = self.all(statement, parameters)
        return rows[0] if rows else None

    def number(self, statement: str, parameters: Any = None) -> int:
        """The single number of an answer; nothing counts as 0."""
        row = self.one(statement, parameters)
        return int(row[0] or 0) if row else 0

    def stream(self, statement: str, parameters: Any = None) -> Iterator[Row]:
        """The rows of a large answer, fetched as they are read."""
        with self._connection.cursor(name=f"audit_{next(_names)}") as cursor:
            cursor.itersize = _ROWS_A_FETCH
            cursor.execute(statement, parameters)
            yield from cursor


class Numbered(Generic[T]):
    """Streamed records with rising numbers, looked up by number: each once, in order, with a look
    ahead.
    """

    def __init__(self, rows: Iterator[T], number: Callable[[T], int]) -> None:
        self._rows = rows
        self._number = number
        self._ahead: deque[T] = deque()

    def take(self, number: int) -> T | None:
        """The record with this number, now read; None if there is none.

        Records before it are passed over.
        """
        while (found := self._first()) is not None:
            if self._number(found) > number:
                return None
            self._ahead.popleft()
            if self._number(found) == number:
                return found
        return None

    def peek(self, number: int) -> T | None:
        """The record with this number if it is the next one; it stays unread."""
        first = self._first()
        return first if first is not None and self._number(first) == number else None

    def ahead(self, most: int) -> list[T]:
        """The next records, at most so many; they stay unread."""
        while len(self._ahead) < most:
            row = next(self._rows, None)
            if row is None:
                break
            self._ahead.append(row)
        return list(islice(self._ahead, most))

    def rest(self) -> Iterator[T]:
        """All that was not read, read now."""
        while self._first() is not None:
            yield self._ahead.popleft()

    def _first(self) -> T | None:
        return self._ahead[0] if self._ahead or self.ahead(1) else None
