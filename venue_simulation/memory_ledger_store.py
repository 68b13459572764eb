"""The ledger in memory, for tests and simulation. It keeps what Postgres keeps."""

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import msgspec

from clearinghouse.adapters.ledger_store import READER
from clearinghouse.domain.corporate_actions import ActionRecord, Entitlement
from clearinghouse.domain.ledger import Journal, Ledger, Leg, Position, ReportChain
from clearinghouse.domain.settlement import Settlement
from clearinghouse.loan_ports import LoanBook
from clearinghouse.ports import (
    ClientExists,
    ClientState,
    LedgerTransaction,
    SecurityExists,
    Transfer,
)
from client_enrollment.memory_codes import MemoryJoinCodes
from client_enrollment.ports import JoinCodes
from trading_fees.memory_table import MemoryFeeTable
from venue_protocol.holds import CASH
from venue_protocol.invariants import BrokenInvariant
from venue_protocol.netting_book import NettingBook
from venue_protocol.securities import Security
from venue_simulation.memory_loan_store import MemoryLoanBook
from venue_simulation.memory_proposal_store import MemoryProposals
from venue_storage.clearing_rows import ActionRow, JournalRow, ReportRow, Suspension
from venue_storage.memory_clearing_data import (
    AccountRow,
    DepositRow,
    MemoryClearing,
    MemoryTransaction,
)

T = TypeVar("T")


class MemoryLedgerStore:
    """The LedgerStore of a MemoryClearing."""

    def __init__(self, clearing: MemoryClearing) -> None:
        self._clearing = clearing

    @contextmanager
    def transaction(self) -> Iterator[LedgerTransaction]:
        """One transaction."""
        with self._clearing.transaction() as transaction:
            yield MemoryLedgerTransaction(transaction)

    def run(
        self, work: Callable[[LedgerTransaction], T], stopping: threading.Event | None = None
    ) -> T:
        """The result of `work`, tried until it commits."""
        return self._clearing.run(
            lambda transaction: work(MemoryLedgerTransaction(transaction)), stopping
        )


class MemoryLedgerTransaction:
    """The LedgerTransaction on dicts."""

    def __init__(self, transaction: MemoryTransaction) -> None:
        self._transaction = transaction
        self._tables = transaction.tables
        self.proposals = MemoryProposals(transaction)

    @property
    def loans(self) -> LoanBook:
        """The tables of stock loans."""
        return MemoryLoanBook(self._transaction)

    @property
    def join_codes(self) -> JoinCodes:
        """The table of join codes."""
        return MemoryJoinCodes(self._transaction)

    def lock(self, keys: Iterable[tuple[str, str]], with_netting: bool = False) -> Settlement:
        """A Settlement on the positions named."""
        self._transaction.statement()
        last_report_sequence, last_journal_id = self._tables.settlement_head[True]
        netting = NettingBook()
        if with_netting:
            tables = self._tables
            netting.load(
                tables.netting.obligations.values(),
                tables.netting.volumes.values(),
                tables.netting.terms.values(),
            )
        keys = set(keys) | netting.positions()
        ledger, chains = Ledger(), {}
        for client_id in {client_id for client_id, _ in keys}:
            account = self._tables.accounts.get(client_id)
            if account is not None:
                ledger.positions[client_id, CASH] = Position(
                    account.balance_e4, account.held_e4, account.is_external
                )
                chains[client_id] = ReportChain(account.report_count, account.report_hash)
        for key in keys & self._tables.deposits.keys():
            deposit = self._tables.deposits[key]
            ledger.positions[key] = Position(deposit.quantity, deposit.held, deposit.is_external)
        return Settlement(ledger, chains, last_journal_id, last_report_sequence, netting)

    def holders(self, security_ids: Iterable[str]) -> list[tuple[str, str]]:
        """Client and security of every deposit in these securities."""
        self._transaction.statement()
        names = set(security_ids)
        return [key for key in self._tables.deposits if key[1] in names]

    def entitlements(self, action_id: int) -> list[Entitlement]:
        """Who gets a dividend that went ex in an earlier transaction, and how much."""
        self._transaction.statement()
        return [row for key, row in self._tables.entitlements.items() if key[0] == action_id]

    def write(self, settlement: Settlement) -> None:
        """Write all that the settlement changed."""
        book = settlement.netting
        netted = (*book.settled, *book.changed)
        written = (settlement.journals, settlement.reports, settlement.obligations, netted)
        if not settlement.ledger.touched and not any(written) and not settlement.actions.steps:
            return
        self._write_actions(settlement.actions)
        self._write_accounts(settlement)
        self._write_deposits(settlement.ledger)
        self._transaction.statement()
        for journal in settlement.journals:
            self._transaction.add_journal(_journal_row(journal))
        self._transaction.statement()
        for report in settlement.reports:
            row = ReportRow(
                report.sequence, report.client_id, report.client_sequence, report.encoded.decode()
            )
            self._transaction.add_report(row)
        for obligation in settlement.obligations:
            trade_id = obligation.trade.trade_id
            self._transaction.insert(
                self._tables.obligations, trade_id, obligation.reason, "obligations_pkey"
            )
        self._write_netting(settlement.netting)
        if settlement.journals or settlement.reports:
            self._transaction.statement()
            head = (settlement.last_report_sequence, settlement.last_journal_id)
            self._transaction.put(self._tables.settlement_head, True, head)

    def position(self, stream: str) -> int:
        """Newest number of `stream` whose effect is committed."""
        self._transaction.statement()
        return self._tables.positions.get((READER, stream), 0)

    def write_position(self, stream: str, sequence: int) -> None:
        """Store the position."""
        self._transaction.statement()
        self._transaction.put(self._tables.positions, (READER, stream), sequence)

    def last_report_sequence(self) -> int:
        """Number of the newest settlement report."""
        self._transaction.statement()
        return self._tables.settlement_head[True][0]

    def transfer(self, reference: str) -> Transfer | None:
        """What was done under `reference`."""
        self._transaction.statement()
        journal_id = self._tables.references.get(reference)
        if journal_id is None:
            return None
        row = self._tables.journals[journal_id]
        return Transfer(journal_id, tuple(map(Leg, row.accounts, row.assets, row.amounts)))

    def has_client(self, client_id: str) -> bool:
        """Whether there is such a client."""
        self._transaction.statement()
        return client_id in self._tables.clients

    def lot_size(self, security_id: str) -> int | None:
        """Shares of the smallest order in a security; None if it is not listed."""
        self._transaction.statement()
        security = self._tables.securities.get(security_id)
        return security.lot if security else None

    def role_of_key(self, key_hash: bytes) -> str | None:
        """Role of the client with this key; None if the key is unknown or revoked."""
        self._transaction.statement()
        client_id, revoked_us = self._tables.keys.get(key_hash, ("", None))
        return self._tables.clients.get(client_id) if revoked_us is None else None

    def add_client(
        self,
        client_id: str,
        role: str,
        created_us: int,
        rate_limit_per_second: int | None,
        is_external: bool,
    ) -> None:
        """A client with an empty account. Memory does not keep its age."""
        self._transaction.statement()
        if client_id in self._tables.clients:
            raise ClientExists(client_id)
        self._transaction.put(self._tables.clients, client_id, role)
        self._transaction.put(self._tables.rate_limits, client_id, rate_limit_per_second)
        self._transaction.put_account(client_id, AccountRow(0, 0, is_external))

    def lock_client(self, client_id: str) -> ClientState | None:
        """What an administrator can change of a client."""
        self._transaction.statement()
        role = self._tables.clients.get(client_id)
        if role is None:
            return None
        limit = self._tables.rate_limits.get(client_id)
        return ClientState(role, limit, self._tables.suspensions.get(client_id))

    def set_suspension(self, client_id: str, suspension: Suspension | None) -> None:
        """Suspend a client, or let it trade again."""
        self._transaction.statement()
        if suspension is None:
            self._transaction.delete(self._tables.suspensions, client_id)
        else:
            self._transaction.put(self._tables.suspensions, client_id, suspension)

    def set_rate_limit(self, client_id: str, rate_limit_per_second: int | None) -> None:
        """Give a client a rate limit of its own."""
        self._transaction.statement()
        self._transaction.put(self._tables.rate_limits, client_id, rate_limit_per_second)

    def set_cancel_timer(self, timer: str, client_id: str, due_us: int) -> None:
        """Let the gateway cancel all open orders of a client at `due_us`."""
        self._transaction.statement()
        self._transaction.put(self._tables.cancel_timers, timer, (client_id, due_us))

    def remove_cancel_timer(self, timer: str) -> None:
        """Remove such a timer, if it is there."""
        self._transaction.statement()
        self._transaction.delete(self._tables.cancel_timers, timer)

    def has_other_administrator(self, client_id: str) -> bool:
        """Whether an administrator other than this client, not suspended, has a key that works."""
        self._transaction.statement()
        return any(
            owner != client_id
            and revoked_us is None
            and self._tables.clients[owner] == "administrator"
            and owner not in self._tables.suspensions
            for owner, revoked_us in self._tables.keys.values()
        )

    def record(self, action: ActionRow) -> None:
        """Add to the record of what administrators did."""
        self._transaction.statement()
        number = len(self._tables.actions) + 1
        self._transaction.insert(
            self._tables.actions, number, action, "administrative_actions_pkey"
        )

    def add_key(self, key_hash: bytes, client_id: str, created_us: int) -> None:
        """An API key of a client."""
        self._transaction.statement()
        self._transaction.insert(self._tables.keys, key_hash, (client_id, None), "api_keys_pkey")

    def revoke_keys(self, client_id: str, revoked_us: int) -> int:
        """Revoke all keys of a client; the number revoked."""
        self._transaction.statement()
        good = [
            key
            for key, (owner, revoked) in self._tables.keys.items()
            if owner == client_id and revoked is None
        ]
        for key in good:
            self._transaction.put(self._tables.keys, key, (client_id, revoked_us))
        return len(good)

    def fee_table(self) -> MemoryFeeTable:
        """The fee schedule."""
        return MemoryFeeTable(self._transaction)

    def add_security(self, security: Security) -> None:
        """List a security."""
        self._transaction.statement()
        if security.security_id in self._tables.securities:
            raise SecurityExists(security.security_id)
        self._transaction.put(self._tables.securities, security.security_id, security)

    def _write_accounts(self, settlement: Settlement) -> None:
        self._transaction.statement()
        clients = {client_id for client_id, asset in settlement.ledger.touched if asset == CASH}
        clients |= {report.client_id for report in settlement.reports}
        for client_id in sorted(clients):
            account = self._tables.accounts.get(client_id)
            if account is None:
                raise BrokenInvariant(f"the account of {client_id} to write does not exist")
            position = settlement.ledger.position(client_id, CASH)
            chain = settlement.chains.get(client_id) or ReportChain()
            row = AccountRow(
                position.quantity, position.held, account.is_external, chain.count, chain.hash
            )
            self._transaction.put_account(client_id, row)

    def _write_actions(self, record: ActionRecord) -> None:
        tables, put = self._tables, self._transaction.put
        for change in record.listings:
            self._transaction.statement()
            listed = msgspec.structs.replace(
                tables.securities[change.security_id],
                reference_price_e4=change.reference_price_e4,
                action_id=change.action_id,
            )
            if change.successor is not None:
                renamed = msgspec.structs.replace(listed, security_id=change.successor)
                self._transaction.statement()
                self._transaction.insert(
                    tables.securities, change.successor, renamed, "securities_pkey"
                )
            listed = msgspec.structs.replace(
                listed, delisted_us=change.delisted_us, successor=change.successor
            )
            put(tables.securities, change.security_id, listed)
        for step in record.steps:
            self._transaction.statement()
            key = (step.action_id, step.step)
            self._transaction.insert(tables.corporate_actions, key, step, "corporate_actions_pkey")
        for row in record.new_entitlements:
            entitled = (row.action_id, row.client_id)
            self._transaction.insert(
                tables.entitlements, entitled, row, "dividend_entitlements_pkey"
            )

    def _write_netting(self, book: NettingBook) -> None:
        if not (book.settled or book.added or book.changed):
            return
        self._transaction.statement()
        for table, added, names in (
            (self._tables.netting.obligations, book.added_rows(), 4),
            (self._tables.netting.volumes, book.added_volume_rows(), 3),
        ):
            self._add_up(table, added, names, book.settled)
        for key in sorted(book.changed):
            terms = book.terms_of(key)
            self._transaction.delete(self._tables.netting.terms, key)
            if any(terms[2:]):
                self._transaction.put(self._tables.netting.terms, key, terms)
        self._transaction.statement()
        for cycle in book.cycles:
            self._transaction.insert(
                self._tables.netting.cycles, cycle[:2], cycle, "settlement_cycles_pkey"
            )

    def _add_up(
        self, table: dict[Any, Any], added: list[Any], names: int, settled: dict[int, int]
    ) -> None:
        """Remove what settled, and add these rows, whose first `names` fields are their key."""
        for key in [key for key in table if key[1] <= settled.get(key[0], 0)]:
            self._transaction.delete(table, key)
        for row in added:
            key = row[:names]
            known = table.get(key, (0,) * len(row))[names:]
            sums = (old + new for old, new in zip(known, row[names:], strict=True))
            self._transaction.put(table, key, type(row)(*key, *sums))

    def _write_deposits(self, ledger: Ledger) -> None:
        self._transaction.statement()
        for client_id, asset in sorted(key for key in ledger.touched if key[1] != CASH):
            position = ledger.positions[client_id, asset]
            row = DepositRow(position.quantity, position.held, position.is_external)
            self._transaction.put_deposit(client_id, asset, row)


def _journal_row(journal: Journal) -> JournalRow:
    return JournalRow(
        journal.journal_id,
        journal.kind,
        journal.time_us,
        journal.trade_id,
        journal.reference,
        tuple(leg.client_id for leg in journal.legs),
        tuple(leg.asset for leg in journal.legs),
        tuple(leg.amount for leg in journal.legs),
    )
