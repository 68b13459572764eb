"""What joining asks of the clearinghouse and of its store.

Bodies of JoinCodes: `postgres_codes` and `memory_codes`; tests/contract/test_join_codes.py runs on
both.
"""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import Protocol

from client_enrollment.join_codes import JoinCode


class JoinCodeExists(RuntimeError):
    """There is a code of this label; nothing was done."""


class JoinCodes(Protocol):
    """The table of join codes, in a transaction of the clearinghouse."""

    def add(self, code: JoinCode) -> None:
        """A new one. JoinCodeExists."""
        ...

    def all(self) -> list[JoinCode]:
        """All of them, by label."""
        ...

    def lock(self, code_hash: bytes) -> JoinCode | None:
        """The code with this hash, locked until the transaction ends; None if there is none."""
        ...

    def use_place(self, label: str) -> None:
        """One account more was made with this code."""
        ...

    def close(self, label: str, now_us: int) -> JoinCode | None:
        """Let a code end now, if it has not; the code as it was, None if there is none."""
        ...


Note = Callable[[str, Mapping[str, object]], None]
"""Writes an action of an administrator, with its details, into the record."""


class Accounts(Protocol):
    """The clearinghouse, as joining sees it."""

    def change(self, by: str) -> AbstractContextManager[tuple[JoinCodes, Note]]:
        """A transaction in which `by` changes codes."""
        ...

    def create_trader(self, client_id: str, admit: Callable[[JoinCodes], dict[str, object]]) -> str:
        """The key of a new trader, in one transaction with `admit`.

        `admit` comes first: it refuses, or says what the record is to say.
        """
        ...
