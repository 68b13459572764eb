"""What is borrowed and what can be, for those who ask."""

from typing import NamedTuple

from clearinghouse.lending.marks import newest_mark_e4
from clearinghouse.loan_ports import LoanBook
from clearinghouse.ports import LedgerStore
from venue_protocol.stock_loans import MarginRules, StockLoan


class LoanLine(NamedTuple):
    """A loan with the mark and the rules it is measured by."""

    loan: StockLoan
    mark_e4: int
    rules: MarginRules

    @property
    def cursor(self) -> str:
        """Where a list goes on behind it."""
        return f"{self.loan.client_id}/{self.loan.security_id}"


class PoolLine(NamedTuple):
    """Shares of one security in the lender's pool."""

    security_id: str
    available: int
    lent: int
    mark_e4: int


class LoanViews:
    """Reads, each in a transaction of its own."""

    def __init__(self, store: LedgerStore) -> None:
        self._store = store

    def of_client(self, client_id: str) -> list[LoanLine]:
        """The client's loans, by security: there is at most one for each."""
        with self._store.transaction() as transaction:
            return _lines(transaction.loans, transaction.loans.loans(client_id))

    def all(self, after: str, limit: int) -> list[LoanLine]:
        """Loans of everybody behind the cursor `after`; one more than `limit`."""
        with self._store.transaction() as transaction:
            book = transaction.loans
            rows = [loan for loan in book.loans() if "/".join(loan.key) > after]
            rows.sort(key=lambda loan: "/".join(loan.key))
            return _lines(book, rows[: limit + 1])

    def pool(self) -> list[PoolLine]:
        """Securities of which the pool has or lent something."""
        with self._store.transaction() as transaction:
            book = transaction.loans
            return [
                PoolLine(security_id, available, lent, _mark_e4(book, security_id))
                for security_id, available, lent in book.pool()
            ]

    def contributions(self) -> list[tuple[str, int]]:
        """Members of the default fund with what they have in it, by name."""
        with self._store.transaction() as transaction:
            return sorted(transaction.loans.contributions().items())


def _lines(book: LoanBook, loans: list[StockLoan]) -> list[LoanLine]:
    rules = book.rules()
    marks_e4 = {
        security_id: _mark_e4(book, security_id)
        for security_id in {loan.security_id for loan in loans}
    }
    return [LoanLine(loan, marks_e4[loan.security_id], rules) for loan in loans]


def _mark_e4(book: LoanBook, security_id: str) -> int:
    security = book.security(security_id)
    return newest_mark_e4(book, security) if security is not None else 0
