"""The ledger in Postgres: lock and load what a batch touches, write back what it changed.

Every statement takes a whole batch in arrays (or COPY): its cost is the round trip, not the rows.
"""

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

import msgspec
from psycopg2 import errors

from clearinghouse.adapters.action_store import ActionReads, write_actions
from clearinghouse.adapters.journal_rows import write_journals, write_reports
from clearinghouse.adapters.loan_store import PostgresLoanBook
from clearinghouse.adapters.netting_store import read_netting, read_open_deposits, write_netting
from clearinghouse.adapters.proposal_store import PostgresProposals
from clearinghouse.domain.ledger import Ledger, Leg, Position, ReportChain
from clearinghouse.domain.settlement import Obligation, Settlement
from clearinghouse.loan_ports import LoanBook
from clearinghouse.ports import (
    ClientExists,
    ClientState,
    LedgerTransaction,
    SecurityExists,
    Transfer,
)
from client_enrollment.ports import JoinCodes
from client_enrollment.postgres_codes import PostgresJoinCodes
from service_runtime.database import Cursor, Database
from trading_fees.postgres_table import PostgresFeeTable
from venue_protocol import codec
from venue_protocol.holds import CASH
from venue_protocol.invariants import BrokenInvariant
from venue_protocol.netting_book import NettingBook
from venue_protocol.securities import Security
from venue_storage.clearing_rows import ActionRow, Suspension

T = TypeVar("T")

READER = "clearinghouse"


class PostgresLedgerStore:
    """The LedgerStore of `clearing_data`."""

    def __init__(self, clearing: Database) -> None:
        self._clearing = clearing

    @contextmanager
    def transaction(self) -> Iterator[LedgerTransaction]:
        """One transaction."""
        with self._clearing.transaction() as cursor:
            yield PostgresLedgerTransaction(cursor)

    def run(
        self, work: Callable[[LedgerTransaction], T], stopping: threading.Event | None = None
    ) -> T:
        """The result of `work`, tried until it commits."""
        return self._clearing.run(lambda cursor: work(PostgresLedgerTransaction(cursor)), stopping)


class PostgresLedgerTransaction(ActionReads):
    """The LedgerTransaction on a cursor."""

    def __init__(self, cursor: Cursor) -> None:
        self._cursor = cursor
        self.proposals = PostgresProposals(cursor)

    @property
    def loans(self) -> LoanBook:
        """The tables of stock loans."""
        return PostgresLoanBook(self._cursor)

    @property
    def join_codes(self) -> JoinCodes:
        """The table of join codes."""
        return PostgresJoinCodes(self._cursor)

    def lock(self, keys: Iterable[tuple[str, str]], with_netting: bool = False) -> Settlement:
        """A Settlement on the positions named, locked until the transaction ends."""
        cursor = self._cursor
        cursor.execute(
            "SELECT last_journal_id, last_report_sequence FROM settlement_heads FOR UPDATE"
        )
        last_journal_id, last_report_sequence = cursor.fetchone()
        netting = read_netting(cursor) if with_netting else NettingBook()
        keys = set(keys)
        ledger, chains = Ledger(), {}
        if with_netting:
            read_open_deposits(cursor, ledger)
        clients = {client_id for client_id, _ in keys | netting.positions()}
        cursor.execute(
            "SELECT client_id, balance_e4, held_e4, is_external, report_count, report_hash FROM "
            "accounts"
            " WHERE client_id = ANY (%s) ORDER BY client_id FOR UPDATE",
            (sorted(clients),),
        )
        for client_id, balance_e4, held_e4, is_external, count, report_hash in cursor:
            ledger.positions[client_id, CASH] = Position(balance_e4, held_e4, is_external)
            chains[client_id] = ReportChain(count, report_hash)
        deposits = sorted(key for key in keys if key[1] != CASH)
        cursor.execute(
            "SELECT client_id, security_id, quantity, held, is_external FROM securities_deposits"
            " JOIN unnest(%s::text[], %s::text[]) AS wanted(client_id, security_id) USING "
            "(client_id, security_id)"
            " ORDER BY client_id, security_id FOR UPDATE OF securities_deposits",
            ([client_id for client_id, _ in deposits], [asset for _, asset in deposits]),
        )
        for client_id, security_id, quantity, held, is_external in cursor:
            ledger.positions[client_id, security_id] = Position(quantity, held, is_external)
        return Settlement(ledger, chains, last_journal_id, last_report_sequence, netting)

    def write(self, settlement: Settlement) -> None:
        """Write all that the settlement changed."""
        write_actions(self._cursor, settlement.actions)
        _write_accounts(self._cursor, settlement)
        _write_deposits(self._cursor, settlement.ledger)
        write_journals(self._cursor, settlement.journals)
        write_reports(self._cursor, settlement.reports)
        _write_obligations(self._cursor, settlement.obligations)
        write_netting(self._cursor, settlement.netting)
        if settlement.journals or settlement.reports:
            self._cursor.execute(
                "UPDATE settlement_heads SET last_journal_id = %s, last_report_sequence = %s",
                (settlement.last_journal_id, settlement.last_report_sequence),
            )

    def position(self, stream: str) -> int:
        """Newest number of `stream` whose effect is committed."""
        self._cursor.execute(
            "SELECT sequence FROM stream_positions WHERE reader = %s AND stream = %s",
            (READER, stream),
        )
        row = self._cursor.fetchone()
        return row[0] if row else 0

    def write_position(self, stream: str, sequence: int) -> None:
        """Store the position."""
        self._cursor.execute(
            "INSERT INTO stream_positions (reader, stream, sequence) VALUES (%s, %s, %s)"
            " ON CONFLICT (reader, stream) DO UPDATE SET sequence = EXCLUDED.sequence",
            (READER, stream, sequence),
        )

    def last_report_sequence(self) -> int:
        """Number of the newest settlement report."""
        self._cursor.execute("SELECT last_report_sequence FROM settlement_heads")
        return int(self._cursor.fetchone()[0])

    def transfer(self, reference: str) -> Transfer | None:
        """What was done under `reference`."""
        self._cursor.execute("SELECT FROM settlement_heads FOR UPDATE")
        self._cursor.execute(
            "SELECT journal_id, accounts, assets, amounts FROM journals WHERE reference = %s",
            (reference,),
        )
        row = self._cursor.fetchone()
        return Transfer(row[0], tuple(map(Leg, *row[1:]))) if row else None

    def has_client(self, client_id: str) -> bool:
        """Whether there is such a client."""
        return self._exists("SELECT 1 FROM clients WHERE client_id = %s", client_id)

    def lot_size(self, security_id: str) -> int | None:
        """Shares of the smallest order in a security; None if it is not listed."""
        self._cursor.execute("SELECT lot FROM securities WHERE security_id = %s", (security_id,))
        row = self._cursor.fetchone()
        return row[0] if row else None

    def role_of_key(self, key_hash: bytes) -> str | None:
        """Role of the client with this key; None if the key is unknown or revoked."""
        self._cursor.execute(
            "SELECT role FROM api_keys JOIN clients USING (client_id)"
            " WHERE key_hash = %s AND revoked_us IS NULL",
            (key_hash,),
        )
        row = self._cursor.fetchone()
        return row[0] if row else None

    def add_client(
        self,
        client_id: str,
        role: str,
        created_us: int,
        rate_limit_per_second: int | None,
        is_external: bool,
    ) -> None:
        """A client with an empty account."""
        try:
            self._cursor.execute(
                "INSERT INTO clients (client_id, role, created_us, rate_limit_per_second) VALUES "
                "(%s, %s, %s, %s)",
                (client_id, role, created_us, rate_limit_per_second),
            )
        except errors.UniqueViolation as error:
            raise ClientExists(client_id) from error
        self._cursor.execute(
            "INSERT INTO accounts (client_id, balance_e4, held_e4, is_external) VALUES (%s, 0, 0, "
            "%s)",
            (client_id, is_external),
        )

    def lock_client(self, client_id: str) -> ClientState | None:
        """What an administrator can change of a client, locked until the end."""
        # NO KEY UPDATE: orders and deposits that only refer to the client need not wait.
        self._cursor.execute(
            "SELECT role, rate_limit_per_second, suspended_us, suspension_reason FROM clients"
            " WHERE client_id = %s FOR NO KEY UPDATE",
            (client_id,),
        )
        row = self._cursor.fetchone()
        if row is None:
            return None
        suspension = None if row[2] is None else Suspension(row[2], row[3])
        return ClientState(row[0], row[1], suspension)

    def set_suspension(self, client_id: str, suspension: Suspension | None) -> None:
        """Suspend a client, or let it trade again."""
        self._cursor.execute(
            "UPDATE clients SET suspended_us = %s, suspension_reason = %s WHERE client_id = %s",
            (*(suspension or (None, None)), client_id),
        )

    def set_rate_limit(self, client_id: str, rate_limit_per_second: int | None) -> None:
        """Give a client a rate limit of its own."""
        self._cursor.execute(
            "UPDATE clients SET rate_limit_per_second = %s WHERE client_id = %s",
            (rate_limit_per_second, client_id),
        )

    def set_cancel_timer(self, timer: str, client_id: str, due_us: int) -> None:
        """Let the gateway cancel all open orders of a client at `due_us`."""
        self._cursor.execute("SELECT set_suspension_timer(%s, %s, %s)", (timer, client_id, due_us))

    def remove_cancel_timer(self, timer: str) -> None:
        """Remove such a timer, if it is there."""
        self._cursor.execute("SELECT remove_suspension_timer(%s)", (timer,))

    def has_other_administrator(self, client_id: str) -> bool:
        """Whether an administrator other than this client, not suspended, has a key that works."""
        self._cursor.execute(
            "SELECT client_id FROM clients WHERE role = 'administrator'"
            " ORDER BY client_id FOR NO KEY UPDATE"
        )
        # A statement of its own: it sees what others committed while this one waited for the lock.
        return self._exists(
            "SELECT 1 FROM api_keys JOIN clients USING (client_id)"
            " WHERE role = 'administrator' AND suspended_us IS NULL AND revoked_us IS NULL"
            " AND client_id <> %s LIMIT 1",
            client_id,
        )

    def record(self, action: ActionRow) -> None:
        """Add to the record of what administrators did."""
        self._cursor.execute(
            f"INSERT INTO administrative_actions ({', '.join(ActionRow._fields)})"
            f" VALUES ({', '.join(['%s'] * len(ActionRow._fields))})",
            action,
        )

    def add_key(self, key_hash: bytes, client_id: str, created_us: int) -> None:
        """An API key of a client."""
        self._cursor.execute(
            "INSERT INTO api_keys (key_hash, client_id, created_us) VALUES (%s, %s, %s)",
            (key_hash, client_id, created_us),
        )

    def revoke_keys(self, client_id: str, revoked_us: int) -> int:
        """Revoke all keys of a client; the number revoked."""
        self._cursor.execute(
            "UPDATE api_keys SET revoked_us = %s WHERE client_id = %s AND revoked_us IS NULL",
            (revoked_us, client_id),
        )
        return int(self._cursor.rowcount)

    def fee_table(self) -> PostgresFeeTable:
        """The fee schedule."""
        return PostgresFeeTable(self._cursor)

    def add_security(self, security: Security) -> None:
        """List a security."""
        fields = msgspec.structs.asdict(security)
        try:
            self._cursor.execute(
                f"INSERT INTO securities ({', '.join(fields)}) VALUES "
                f"({', '.join(['%s'] * len(fields))})",
                tuple(fields.values()),
            )
        except errors.UniqueViolation as error:
            raise SecurityExists(security.security_id) from error

    def _exists(self, statement: str, name: str) -> bool:
        self._cursor.execute(statement, (name,))
        return self._cursor.fetchone() is not None


def _write_accounts(cursor: Cursor, settlement: Settlement) -> None:
    clients = sorted(
        {client_id for client_id, asset in settlement.ledger.touched if asset == CASH}
        | {report.client_id for report in settlement.reports}
    )
    if not clients:
        return
    positions = [settlement.ledger.position(client_id, CASH) for client_id in clients]
    chains = [settlement.chains.get(client_id) or ReportChain() for client_id in clients]
    cursor.execute(
        "UPDATE accounts SET balance_e4 = changed.balance_e4, held_e4 = changed.held_e4,"
        " report_count = changed.report_count, report_hash = changed.report_hash"
        " FROM unnest(%s::text[], %s::bigint[], %s::bigint[], %s::bigint[], %s::text[])"
        " AS changed(client_id, balance_e4, held_e4, report_count, report_hash)"
        " WHERE accounts.client_id = changed.client_id",
        (
            clients,
            [position.quantity for position in positions],
            [position.held for position in positions],
            [chain.count for chain in chains],
            [chain.hash for chain in chains],
        ),
    )
    if cursor.rowcount != len(clients):
        raise BrokenInvariant(
            f"{len(clients) - cursor.rowcount} of {len(clients)} accounts to write do not exist"
        )


def _write_deposits(cursor: Cursor, ledger: Ledger) -> None:
    keys = sorted(key for key in ledger.touched if key[1] != CASH)
    if not keys:
        return
    positions = [ledger.positions[key] for key in keys]
    columns = (
        [client_id for client_id, _ in keys],
        [security_id for _, security_id in keys],
        [position.quantity for position in positions],
        [position.held for position in positions],
        [position.is_external for position in positions],
    )
    cursor.execute(
        "UPDATE securities_deposits SET quantity = changed.quantity, held = changed.held"
        " FROM unnest(%s::text[], %s::text[], %s::bigint[], %s::bigint[])"
        " AS changed(client_id, security_id, quantity, held)"
        " WHERE securities_deposits.client_id = changed.client_id"
        " AND securities_deposits.security_id = changed.security_id",
        columns[:4],
    )
    if cursor.rowcount < len(keys):
        # Some are new: a client's first shares of a security. Those that exist are left alone.
        cursor.execute(
            "INSERT INTO securities_deposits (client_id, security_id, quantity, held, is_external)"
            " SELECT * FROM unnest(%s::text[], %s::text[], %s::bigint[], %s::bigint[], "
            "%s::boolean[])"
            " ON CONFLICT DO NOTHING",
            columns,
        )


def _write_obligations(cursor: Cursor, obligations: Sequence[Obligation]) -> None:
    for obligation in obligations:
        cursor.execute(
            "INSERT INTO obligations (trade_id, time_us, reason, trade) VALUES (%s, %s, %s, %s)",
            (
                obligation.trade.trade_id,
                obligation.time_us,
                obligation.reason,
                codec.encode(obligation.trade).decode(),
            ),
        )
