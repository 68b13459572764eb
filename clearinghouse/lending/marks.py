"""The mark of each lent security, made from settled trades by the venue's one rule for marks.

One trade is no mark: `venue_protocol/mark.py` gives each client one voice and asks for several. A
mark is stored when it changes, with the settlement reports it was made from, so that the audit can
make it again.
"""

from clearinghouse.loan_ports import LoanBook
from venue_protocol.loan_actions import AppliedAction, mark_after_e4
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
        """The mark after report `as_of`, the newest there is; stored if it is a new one.

        Trades from before the security's newest corporate action are of another share: only those
        after it count, and the mark before it follows the action.
        """
        name, symbols = security.security_id, book.symbols(security.security_id)
        window = self._window(book, name, as_of)
        known = book.mark(symbols)
        actions = book.actions(symbols, known.followed_us if known is not None else 0)
        if known is not None and known.as_of_report == as_of and not actions:
            return known.mark_e4
        followed_us = _followed_us(known, actions)
        before_e4 = _before_e4(known, actions, security)
        found_e4 = window.mark(before_e4, security, after_us=followed_us)
        if known is None or actions or found_e4 != before_e4:
            made_from = window.from_report
            book.add_mark(Mark(name, as_of, made_from, now_us, found_e4, followed_us))
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


def newest_mark_e4(book: LoanBook, security: Security) -> int:
    """The newest mark that was made, in shares of now; the reference price before the first."""
    symbols = book.symbols(security.security_id)
    known = book.mark(symbols)
    actions = book.actions(symbols, known.followed_us) if known is not None else []
    return _before_e4(known, actions, security)


def _followed_us(known: Mark | None, actions: list[AppliedAction]) -> int:
    if actions:
        return actions[-1].time_us
    return known.followed_us if known is not None else 0


def _before_e4(known: Mark | None, actions: list[AppliedAction], security: Security) -> int:
    """The mark before, after these actions; the reference price of now before the first mark."""
    if known is None:
        return security.reference_price_e4
    return mark_after_e4(known.mark_e4, actions, security.tick_e4)
