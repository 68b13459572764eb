"""The mark of each lent security, made from settled trades by the venue's one rule for marks.

One trade is no mark: `venue_protocol/mark.py` gives each client one voice and asks for several. A
mark is stored when it changes, with the settlement reports it was made from, so that the audit can
make it again.
"""

from clearinghouse.loan_ports import LoanBook
from venue_protocol.securities import Security
from venue_protocol.stock_loans import Mark
from venue_protocol.trade_window import TradeWindow

MOST_BACK = 20_000
"""Reports read back for a security that was not watched before: some tens of milliseconds."""


class MarginMarks:
    """Watches the securities that are lent. For whoever has locked the settlement head."""

    def __init__(self) -> None:
        self._windows: dict[str, TradeWindow] = {}
        self._read_to = 0

    def mark_e4(self, book: LoanBook, security: Security, as_of: int, now_us: int) -> int:
        """The mark after report `as_of`, the newest there is; stored if it is a new one."""
        window = self._window(book, security.security_id, as_of)
        known = book.mark(security.security_id)
        if known is not None and known.as_of_report == as_of:
            return known.mark_e4
        before_e4 = known.mark_e4 if known is not None else security.reference_price_e4
        found_e4 = window.mark(before_e4, security)
        if known is None or found_e4 != before_e4:
            book.add_mark(Mark(security.security_id, as_of, window.from_report, now_us, found_e4))
        return found_e4

    def _window(self, book: LoanBook, security_id: str, as_of: int) -> TradeWindow:
        if as_of - self._read_to > MOST_BACK:
            # Nothing was lent for a while: what lies further back is not read.
            self._windows, self._read_to = {}, as_of
        for report in book.trade_reports(list(self._windows), self._read_to, as_of):
            self._windows[report.security_id or ""].take(report)
        self._read_to = as_of
        found = self._windows.get(security_id)
        if found is None:
            found = self._windows[security_id] = TradeWindow(max(0, as_of - MOST_BACK))
            for report in book.trade_reports([security_id], found.from_report, as_of):
                found.take(report)
        return found
