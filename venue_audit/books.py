"""The books of the venue: every account with what it has, and every journal, streamed.

An account is a client (or one of the venue's own) in one asset. What it has is told twice: by its
position, which trading works on, and by the sum of its entries in the journals. A trial balance
puts both beside each other; positions and entries each sum to zero for every asset.
"""

from collections.abc import Iterator
from typing import NamedTuple

from venue_audit.snapshot import Snapshot
from venue_protocol import codec
from venue_protocol.holds import CASH
from venue_protocol.settlement import SettlementReport
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
_UNSETTLED = f"""
SELECT client_id, security_id, sum(quantity) FROM net_obligations GROUP BY client_id, security_id
UNION ALL SELECT client_id, '{CASH}', sum(cash_e4) FROM net_obligations GROUP BY client_id
"""
_UNSETTLED_TRADES = """
SELECT report FROM settlement_reports
WHERE report LIKE '%"settlement_cycle":%' AND report LIKE '%"journal_id":0,%' ORDER BY sequence
"""
_HAS_CYCLES = """
SELECT EXISTS (SELECT FROM settlement_cycles) OR EXISTS (SELECT FROM net_obligations)
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
    unsettled: int = 0
    """Of its position, what net settlement has not paid or delivered yet (receivable), or what the
    account has still to pay or to deliver (payable, below zero): there are no entries of it yet.
    """

    @property
    def settled(self) -> int:
        """What it has with its entries in the journals."""
        return self.position - self.unsettled

    @property
    def difference(self) -> int:
        """What is neither in the journals nor unsettled: 0 in sound books."""
        return self.settled - self.entered


def balances(clearing: Snapshot) -> list[Balance]:
    """Every account that has a position or entries, cash first, by name."""
    roles: dict[str, str] = dict(clearing.stream(_ROLES))
    positions = {(name, asset): amount for name, asset, amount in clearing.stream(_POSITIONS)}
    entered = {(name, asset): int(amount) for name, asset, amount in clearing.stream(_ENTERED)}
    later = {(name, asset): int(amount) for name, asset, amount in clearing.stream(_UNSETTLED)}
    keys = positions.keys() | entered.keys() | {key for key, amount in later.items() if amount}
    return [
        Balance(
            key[0],
            roles[key[0]],
            key[1],
            positions.get(key, 0),
            entered.get(key, 0),
            later.get(key, 0),
        )
        for key in sorted(keys, key=lambda key: (key[1] != CASH, key[1], key[0]))
    ]


def has_cycles(clearing: Snapshot) -> bool:
    """Whether trades of this venue were ever settled net."""
    return bool(clearing.number(_HAS_CYCLES))


def unsettled_reports(clearing: Snapshot) -> Iterator[SettlementReport]:
    """The reports of what moved without a journal, since a cycle settles it; in sequence."""
    for (text,) in clearing.stream(_UNSETTLED_TRADES):
        yield codec.decode_report(text)


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
