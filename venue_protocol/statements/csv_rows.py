"""A statement as a table for spreadsheets: one movement a row, between two rows of balances."""

from collections.abc import Iterable, Iterator

from venue_protocol.money import format_e4
from venue_protocol.statements.statement import Line, Moment, Statement
from venue_protocol.times import format_utc

COLUMNS = (
    "number",
    "time",
    "kind",
    "what",
    "security",
    "shares",
    "price",
    "gross",
    "fee",
    "cash",
    "balance",
    "holding",
    "realised",
    "trade_id",
    "order_id",
    "journal_id",
    "memo",
)
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""A spreadsheet takes a text that begins so for a formula, and would run it."""


def rows(made: Statement, lines: Iterable[Line]) -> Iterator[str]:
    """The lines of the file, each with its end (RFC 4180): a head, balances and movements."""
    yield _row(COLUMNS)
    yield _balance("opening", made.opening)
    for line in lines:
        yield _row(_cells(line))
    yield _balance("closing", made.closing)


def _cells(line: Line) -> tuple[str, ...]:
    return (
        str(line.number),
        format_utc(line.time_us),
        line.kind,
        _text(line.what),
        line.security_id or "",
        str(line.shares),
        "" if line.price_e4 is None else format_e4(line.price_e4),
        format_e4(line.gross_e4),
        format_e4(line.fee_e4),
        format_e4(line.cash_e4),
        format_e4(line.balance_e4),
        "" if line.holding is None else str(line.holding),
        format_e4(line.realised_e4),
        "" if line.trade_id is None else str(line.trade_id),
        "" if line.order_id is None else str(line.order_id),
        str(line.journal_id),
        _text(line.memo or ""),
    )


def _balance(kind: str, at: Moment) -> str:
    """The balance at one end of the period; no cash moves."""
    cells = dict.fromkeys(COLUMNS, "") | {
        "time": format_utc(at.time_us),
        "kind": kind,
        "what": f"{kind} balance",
        "balance": format_e4(at.cash_e4),
    }
    return _row(cells.values())


def _text(text: str) -> str:
    """Words of people, made harmless for spreadsheets."""
    return f"'{text}" if text.startswith(_FORMULA) else text


def _row(cells: Iterable[str]) -> str:
    return ",".join(map(_quoted, cells)) + "\r\n"


def _quoted(cell: str) -> str:
    if not any(mark in cell for mark in ',"\r\n'):
        return cell
    doubled = cell.replace('"', '""')
    return f'"{doubled}"'
