"""Many rows into a table by COPY: about half the cost of an INSERT from arrays, for both sides."""

import io
from collections.abc import Iterable

from service_runtime.database import Cursor

_ESCAPES = str.maketrans({"\\": r"\\", "\t": r"\t", "\n": r"\n", "\r": r"\r"})
_CHUNK_BYTES = 1 << 20


def copy_rows(cursor: Cursor, target: str, rows: Iterable[tuple[str | int | None, ...]]) -> None:
    """Append rows to `target`, "table (column, …)". Text is escaped; None is NULL. Nothing happens without rows."""
    text = "".join(["\t".join([_field(value) for value in row]) + "\n" for row in rows])
    if text:
        cursor.copy_expert(f"COPY {target} FROM STDIN", io.StringIO(text), _CHUNK_BYTES)


def _field(value: str | int | None) -> str:
    if value is None:
        return r"\N"
    if type(value) is str:
        return value.translate(_ESCAPES)
    return str(value)
