"""The books of the venue: every account with what it has, and every journal, streamed.

An account is a client (or one of the venue's own) in one asset. What it has is told twice: by its
position, which trading works on, and by the sum of its entries in the journals. A trial balance
puts both beside each other; positions and entries each sum to zero for every asset.
"""

from collections.abc import Iterator
from typing import NamedTuple

from venue_audit.snapshot import Snapshot
from venue_protocol.holds import CASH
from venue_storage.clearing_rows import JournalRow

_ROLES = "SELECT client_id, role FROM clients"
_POSITIONS = """
SELECT client_id, 'USD', balance_e4 FROM accounts
UNION ALL SELECT client_id, security_id, quantity FROM securities_deposits
"""
_ENTERED = """
SELECT account, asset, sum(amount) FROM journals
CROSS JOIN LATERAL unnest(accounts, assets, amounts) AS leg(account, asset, amount)
GROUP BY account, asset
"""
_COLUMNS = "journal_id, journal_kind, time_us, trade_id, reference, accounts, assets, amounts"
_JOURNALS = f"SELECT {_COLUMNS} FROM journals ORDER BY journal_id"
_OF_ACCOUNT = f"""
SELECT {_COLUMNS} FROM journals WHERE accounts @> ARRAY[%s] ORDER BY journal_id
"""
_SPAN = "SELECT min(time_us), max(time_us) FROM journals"
_ONE = f"SELECT {_COLUMNS} FROM journals WHERE journal_id = %s"


class Balance(NamedTuple):
    """One account in one asset; ten-thousandths of a dollar, or shares."""

    client_id: str
    role: str
    """`venue` for the venue's own accounts."""
    asset: str
    position: int
    """What it has."""
    entered: int
    """The sum of its entries in the journals."""

    @property
    def difference(self) -> int:
        """What is not in the journals: 0, or what is traded and not yet settled."""
        return self.position - self.entered


def balances(clearing: Snapshot) -> list[Balance]:
    """Every account that has a position or entries, cash first, by name."""
    roles: dict[str, str] = dict(clearing.stream(_ROLES))
    positions = {(name, asset): amount for name, asset, amount in clearing.stream(_POSITIONS)}
    entered = {(name, asset): int(amount) for name, asset, amount in clearing.stream(_ENTERED)}
    return [
        Balance(
            name, roles[name], asset, positions.get((name, asset), 0), entered.get((name, asset), 0)
        )
        for name, asset in sorted(
            positions.keys() | entered.keys(), key=lambda key: (key[1] != CASH, key[1], key[0])
        )
    ]


def journals(clearing: Snapshot, client_id: str | None = None) -> Iterator[JournalRow]:
    """All journals, or those with an entry of this client, oldest first, streamed."""
    if client_id is None:
        return map(JournalRow._make, clearing.stream(_JOURNALS))
    return map(JournalRow._make, clearing.stream(_OF_ACCOUNT, (client_id,)))


def span(clearing: Snapshot) -> tuple[int, int]:
    """Earliest and latest time of a journal, microseconds; zeros without one.

    They need not be the first and the last: transfers have another clock than trades.
    """
    row = clearing.one(_SPAN)
    return (row[0] or 0, row[1] or 0) if row else (0, 0)


def journal(clearing: Snapshot, journal_id: int) -> JournalRow | None:
    """One journal, or None."""
    row = clearing.one(_ONE, (journal_id,))
    return JournalRow._make(row) if row else None


def legs(row: JournalRow) -> list[tuple[str, str, int]]:
    """Account, asset and amount of each entry."""
    return list(zip(row.accounts, row.assets, row.amounts, strict=True))
