"""Many rows into a table by COPY: about half the cost of an INSERT from arrays, for both sides."""

import io
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from service_runtime.database import Cursor

NULL = r"\N"
_ESCAPES = str.maketrans({"\\": r"\\", "\t": r"\t", "\n": r"\n", "\r": r"\r"})
_NEEDS_CARE = re.compile(r"[\\\t\n\r]").search
_CHUNK_BYTES = 1 << 20


def copy_text(cursor: "Cursor", target: str, lines: list[str]) -> None:
    """Append rows that are COPY text already: fields divided by tabs, ended by a line feed."""
    if lines:
        cursor.copy_expert(f"COPY {target} FROM STDIN", io.StringIO("".join(lines)), _CHUNK_BYTES)


def json_field(text: str) -> str:
    """JSON as a field: it has no bare control characters, so only backslashes need care."""
    return text.replace("\\", r"\\") if "\\" in text else text


def text_field(text: str) -> str:
    """Any text as a field."""
    return text.translate(_ESCAPES) if _NEEDS_CARE(text) else text
