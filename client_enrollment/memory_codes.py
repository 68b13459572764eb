"""Join codes in memory, for tests and simulation. It keeps what Postgres keeps."""

from client_enrollment.join_codes import JoinCode
from client_enrollment.ports import JoinCodeExists
from venue_storage.memory_clearing_data import ConstraintViolated, MemoryTransaction


class MemoryJoinCodes:
    """The JoinCodes on a dict."""

    def __init__(self, transaction: MemoryTransaction) -> None:
        self._transaction = transaction
        self._rows = transaction.tables.join_codes

    def add(self, code: JoinCode) -> None:
        """A new one."""
        self._transaction.statement()
        if code.label in self._rows:
            raise JoinCodeExists(code.label)
        self._transaction.put(self._rows, code.label, tuple(code))

    def all(self) -> list[JoinCode]:
        """All of them, by label."""
        self._transaction.statement()
        return [JoinCode(*row) for _, row in sorted(self._rows.items())]

    def lock(self, code_hash: bytes) -> JoinCode | None:
        """The code with this hash."""
        self._transaction.statement()
        found = (JoinCode(*row) for row in self._rows.values())
        return next((code for code in found if code.code_hash == code_hash), None)

    def use_place(self, label: str) -> None:
        """One account more."""
        self._transaction.statement()
        code = JoinCode(*self._rows[label])
        if code.used >= code.places:
            raise ConstraintViolated("join_codes_places_check")
        self._transaction.put(self._rows, label, tuple(code._replace(used=code.used + 1)))

    def close(self, label: str, now_us: int) -> JoinCode | None:
        """Let a code end now."""
        self._transaction.statement()
        row = self._rows.get(label)
        if row is None:
            return None
        code = JoinCode(*row)
        if code.closes_us > now_us:
            self._transaction.put(self._rows, label, tuple(code._replace(closes_us=now_us)))
        return code
