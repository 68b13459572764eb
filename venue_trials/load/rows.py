"""One row for each answered request, kept in flat arrays so that a long load stays cheap, and
written to a file.
"""

from array import array
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

_WIDTH = 5


class Row(NamedTuple):
    """Times are time.monotonic_ns; sequences are the order log's, 0 where nothing was accepted."""

    due_ns: int
    answered_ns: int
    first: int
    last: int
    accepted: int


class Rows:
    """Rows in the order they came."""

    def __init__(self, numbers: "array[int] | None" = None) -> None:
        self._numbers = array("q") if numbers is None else numbers

    def add(self, due_ns: int, answered_ns: int, first: int, last: int, accepted: int) -> None:
        """One more."""
        self._numbers.extend((due_ns, answered_ns, first, last, accepted))

    def __len__(self) -> int:
        return len(self._numbers) // _WIDTH

    def __iter__(self) -> Iterator[Row]:
        numbers = self._numbers
        for start in range(0, len(numbers), _WIDTH):
            yield Row(*numbers[start : start + _WIDTH])

    def write(self, path: Path) -> None:
        """Leave them in a file."""
        with path.open("wb") as file:
            self._numbers.tofile(file)


def read(path: Path) -> Rows:
    """What `write` left."""
    numbers: array[int] = array("q")
    numbers.frombytes(path.read_bytes())
    return Rows(numbers)
