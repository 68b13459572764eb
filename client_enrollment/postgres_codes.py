"""Join codes in Postgres."""

from psycopg2 import errors

from client_enrollment.join_codes import JoinCode
from client_enrollment.ports import JoinCodeExists
from service_runtime.database import Cursor

_COLUMNS = ", ".join(JoinCode._fields)


class PostgresJoinCodes:
    """The JoinCodes on a cursor."""

    def __init__(self, cursor: Cursor) -> None:
        self._cursor = cursor

    def add(self, code: JoinCode) -> None:
        """A new one."""
        try:
            self._cursor.execute(
                f"INSERT INTO join_codes ({_COLUMNS}) VALUES (%s, %s, %s, %s, %s, %s)", tuple(code)
            )
        except errors.UniqueViolation as error:
            raise JoinCodeExists(code.label) from error

    def all(self) -> list[JoinCode]:
        """All of them, by label."""
        self._cursor.execute(f'SELECT {_COLUMNS} FROM join_codes ORDER BY label COLLATE "C"')
        return [_read(row) for row in self._cursor]

    def lock(self, code_hash: bytes) -> JoinCode | None:
        """The code with this hash, locked until the transaction ends."""
        self._cursor.execute(
            f"SELECT {_COLUMNS} FROM join_codes WHERE code_hash = %s FOR UPDATE", (code_hash,)
        )
        row = self._cursor.fetchone()
        return _read(row) if row else None

    def use_place(self, label: str) -> None:
        """One account more."""
        self._cursor.execute("UPDATE join_codes SET used = used + 1 WHERE label = %s", (label,))

    def close(self, label: str, now_us: int) -> JoinCode | None:
        """Let a code end now."""
        self._cursor.execute(
            f"SELECT {_COLUMNS} FROM join_codes WHERE label = %s FOR UPDATE", (label,)
        )
        row = self._cursor.fetchone()
        self._cursor.execute(
            "UPDATE join_codes SET closes_us = %s WHERE label = %s AND closes_us > %s",
            (now_us, label, now_us),
        )
        return _read(row) if row else None


def _read(row: tuple[str, memoryview, int, int, int, int]) -> JoinCode:
    return JoinCode(row[0], bytes(row[1]), *row[2:])
