"""Lists of proposals, read from `clearing_data`."""

from clearinghouse.adapters.proposal_store import COLUMNS
from service_runtime.database import Database
from venue_storage.clearing_rows import ProposalRow

_OF_ALL = f"SELECT {COLUMNS} FROM proposals WHERE proposal_id > %(after)s"
_OPEN = " AND status = 'open'"
_OF_TRADE = " AND trade_id = %(trade)s"
_OF_REQUESTS = " AND proposed_by = %(client)s AND client_id = %(client)s"
_PAGE = " ORDER BY proposal_id LIMIT %(most)s"


class ProposalQueries:
    """The queries, each a transaction of its own."""

    def __init__(self, clearing: Database) -> None:
        self._clearing = clearing

    def one(self, proposal_id: int) -> ProposalRow | None:
        """One proposal; None if there is none."""
        with self._clearing.transaction() as cursor:
            cursor.execute(
                f"SELECT {COLUMNS} FROM proposals WHERE proposal_id = %s", (proposal_id,)
            )
            row = cursor.fetchone()
        return ProposalRow(*row) if row else None

    def page(
        self, after: int, limit: int, *, is_open: bool = False, trade_id: int | None = None
    ) -> list[ProposalRow]:
        """All proposals (that are open, of this trade), oldest first; one more than limit."""
        statement = _OF_ALL + _OPEN * is_open + _OF_TRADE * (trade_id is not None) + _PAGE
        with self._clearing.transaction() as cursor:
            cursor.execute(statement, {"after": after, "trade": trade_id, "most": limit + 1})
            return [ProposalRow(*row) for row in cursor]

    def requests(self, client_id: str, after: int, limit: int) -> list[ProposalRow]:
        """What a client asked for itself, oldest first; one more than limit."""
        with self._clearing.transaction() as cursor:
            cursor.execute(
                _OF_ALL + _OF_REQUESTS + _PAGE,
                {"after": after, "client": client_id, "most": limit + 1},
            )
            return [ProposalRow(*row) for row in cursor]
