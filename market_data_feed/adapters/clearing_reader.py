"""Reading clearing_data: accounts, holdings, securities, settlement reports. This role may only
read.
"""

from market_data_feed.domain.ranking import Account, Holding, Standing
from service_runtime.database import Database
from venue_protocol import codec
from venue_protocol.settlement import SettlementReport

# By bytes: the order by which a cursor is compared must not depend on the database's language.
_HOLDING = """
SELECT client_id, security_id, quantity, held, coalesce((
    SELECT sum(due.quantity) FROM net_obligations AS due
    WHERE (due.client_id, due.security_id) = (deposit.client_id, deposit.security_id)
), 0)::bigint, coalesce((
    SELECT lent.quantity FROM stock_loans AS lent
    WHERE (lent.client_id, lent.security_id) = (deposit.client_id, deposit.security_id)
), 0) FROM securities_deposits AS deposit WHERE client_id = %s
"""
_HOLDINGS = f"""{_HOLDING}
AND security_id COLLATE "C" > %s ORDER BY security_id COLLATE "C" LIMIT %s
"""
_ACCOUNT = """
SELECT client_id, balance_e4, held_e4, coalesce((
    SELECT sum(due.cash_e4) FROM net_obligations AS due WHERE due.client_id = accounts.client_id
), 0)::bigint FROM accounts WHERE client_id = %s
"""
_ALL_HOLDINGS = """
SELECT client_id, security_id, deposit.quantity, held, 0, coalesce(lent.quantity, 0)
FROM securities_deposits AS deposit LEFT JOIN stock_loans AS lent USING (client_id, security_id)
"""
_STANDINGS = """
SELECT client_id, role, balance_e4, held_e4 FROM accounts JOIN clients USING (client_id)
WHERE role IN ('trader', 'market_maker') ORDER BY client_id
"""


class Clearing:
    """The accounts as settled, read live."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def account(self, client_id: str) -> Account | None:
        """The client's cash, or None."""
        with self._database.transaction() as cursor:
            cursor.execute(_ACCOUNT, (client_id,))
            row = cursor.fetchone()
        return Account(*row) if row else None

    def holding(self, client_id: str, security_id: str) -> Holding:
        """The client's shares in a security; zero if it never held any."""
        with self._database.transaction() as cursor:
            cursor.execute(f"{_HOLDING} AND security_id = %s", (client_id, security_id))
            row = cursor.fetchone()
        return Holding(*row) if row else Holding(client_id, security_id, 0, 0)

    def holdings(self, client_id: str, after: str, limit: int) -> list[Holding]:
        """The securities the client has or had shares of, by name, those behind `after`."""
        with self._database.transaction() as cursor:
            cursor.execute(_HOLDINGS, (client_id, after, limit))
            return [Holding(*row) for row in cursor]

    def standings(self) -> list[Standing]:
        """Every trader and market maker with all holdings, read in one snapshot."""
        with self._database.transaction() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            cursor.execute(_STANDINGS)
            accounts = cursor.fetchall()
            cursor.execute(_ALL_HOLDINGS)
            holdings: dict[str, dict[str, Holding]] = {}
            for row in cursor:
                holding = Holding(*row)
                holdings.setdefault(holding.client_id, {})[holding.security_id] = holding
        return [
            Standing(Account(client_id, balance_e4, held_e4), role, holdings.get(client_id, {}))
            for client_id, role, balance_e4, held_e4 in accounts
        ]

    def reports_after(self, sequence: int, limit: int) -> list[SettlementReport]:
        """Settlement reports that follow `sequence` without a gap, at most `limit`."""
        with self._database.transaction() as cursor:
            cursor.execute(
                "SELECT report FROM settlement_reports WHERE sequence > %s ORDER BY sequence "
                "LIMIT %s",
                (sequence, limit),
            )
            reports = [codec.decode_report(row[0]) for row in cursor]
        return [
            report
            for number, report in enumerate(reports, sequence + 1)
            if report.sequence == number
        ]
