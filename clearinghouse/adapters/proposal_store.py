"""Proposals in Postgres, and the settled trades that some of them are about."""

from psycopg2 import errors

from clearinghouse.adapters.trade_reports import reports_of_trade
from clearinghouse.domain.corrections import DoneCorrection, SettledTrade, settled_trade
from clearinghouse.domain.ledger import Leg
from clearinghouse.ports import ProposalExists
from service_runtime.database import Cursor
from venue_storage.clearing_rows import ProposalRow

COLUMNS = ", ".join(ProposalRow._fields)
_PROPOSED = ProposalRow._fields[1:9]
"""What a new proposal has: its number is drawn, and nobody has decided."""
_DONE = """
SELECT details, accounts, assets, amounts FROM proposals JOIN journals USING (journal_id)
WHERE proposals.trade_id = %s AND status = 'done' ORDER BY journal_id
"""

_ACTION_SINCE = """
SELECT FROM corporate_actions WHERE security_id = %s AND step = 'applied' AND time_us >= %s LIMIT 1
"""


class PostgresProposals:
    """The Proposals of a transaction."""

    def __init__(self, cursor: Cursor) -> None:
        self._cursor = cursor

    def add(self, proposal: ProposalRow) -> int:
        """Store an open proposal; its number."""
        try:
            self._cursor.execute(
                f"INSERT INTO proposals ({', '.join(_PROPOSED)})"
                f" VALUES ({', '.join(['%s'] * len(_PROPOSED))}) RETURNING proposal_id",
                [getattr(proposal, name) for name in _PROPOSED],
            )
        except errors.UniqueViolation as error:
            if error.diag.constraint_name != "proposals_open_trade":
                raise
            raise ProposalExists(str(proposal.trade_id)) from error
        return int(self._cursor.fetchone()[0])

    def find(self, proposed_by: str, idempotency_key: str) -> ProposalRow | None:
        """What was proposed under this key."""
        # The same key sent twice at once: the second waits here, and then finds the first.
        self._cursor.execute("SELECT FROM settlement_heads FOR UPDATE")
        self._cursor.execute(
            f"SELECT {COLUMNS} FROM proposals WHERE proposed_by = %s AND idempotency_key = %s",
            (proposed_by, idempotency_key),
        )
        row = self._cursor.fetchone()
        return ProposalRow(*row) if row else None

    def lock(self, proposal_id: int) -> ProposalRow | None:
        """A proposal, locked until the end."""
        self._cursor.execute(
            f"SELECT {COLUMNS} FROM proposals WHERE proposal_id = %s FOR UPDATE", (proposal_id,)
        )
        row = self._cursor.fetchone()
        return ProposalRow(*row) if row else None

    def decide(self, decided: ProposalRow) -> None:
        """Store the decision."""
        self._cursor.execute(
            "UPDATE proposals SET status = %s, decided_by = %s, decided_us = %s,"
            " decision_reason = %s, journal_id = %s WHERE proposal_id = %s",
            (*decided[9:], decided.proposal_id),
        )

    def count_since(self, proposed_by: str, after_us: int) -> int:
        """How many this one proposed later than `after_us`."""
        self._cursor.execute(
            "SELECT count(*) FROM proposals WHERE proposed_by = %s AND proposed_us > %s",
            (proposed_by, after_us),
        )
        return int(self._cursor.fetchone()[0])

    def trade(self, trade_id: int) -> SettledTrade | None:
        """A settled trade as it stands after its corrections."""
        cursor = self._cursor
        cursor.execute("SELECT FROM settlement_heads FOR UPDATE")
        told = reports_of_trade(cursor, trade_id)
        if not told:
            return None
        cursor.execute(_DONE, (trade_id,))
        done = [DoneCorrection(details, tuple(map(Leg, *legs))) for details, *legs in cursor]
        trade = settled_trade(told, done)
        cursor.execute(_ACTION_SINCE, (trade.security_id, told[0].time_us))
        return trade._replace(is_before_action=cursor.fetchone() is not None)
