"""The order log in memory, for tests and the simulation; it keeps what Postgres keeps."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

from order_entry_gateway.ports import NAMES, LoggedName, LogTransaction, NameTaken
from venue_protocol.settlement_modes import SettlementRow
from venue_protocol.streams import order_log
from venue_protocol.trading_day import BandRow, PhaseRow
from venue_storage.clearing_rows import LogRow
from venue_storage.memory_clearing_data import MemoryClearing, MemoryTransaction, UniqueViolated


class MemoryOrderLog:
    """The OrderLog of a MemoryClearing."""

    def __init__(self, clearing: MemoryClearing) -> None:
        self._clearing = clearing

    @contextmanager
    def transaction(self) -> Iterator[LogTransaction]:
        """One transaction."""
        try:
            with self._clearing.transaction() as transaction:
                yield MemoryLogTransaction(transaction)
        except UniqueViolated as error:
            if error.constraint != NAMES:
                raise
            raise NameTaken(str(error)) from error


class MemoryLogTransaction:
    """The LogTransaction on dicts."""

    def __init__(self, transaction: MemoryTransaction) -> None:
        self._transaction = transaction
        self._tables = transaction.tables

    def take_timers(self, due: Sequence[tuple[str, int]]) -> Iterable[tuple[str, int]]:
        """Remove timers; returns those that were there."""
        self._transaction.statement()
        timers = self._tables.cancel_timers
        taken = [
            (timer, due_us)
            for timer, due_us in due
            if timer in timers and timers[timer][1] == due_us
        ]
        for timer, _ in taken:
            self._transaction.delete(timers, timer)
        return taken

    def lock_close_outs(self, names: Sequence[str]) -> Iterable[str]:
        """Names of those that still wait for the listing of now."""
        self._transaction.statement()
        orders, listed = self._tables.close_out_orders, self._tables.securities
        return [
            name
            for name in names
            if name in orders
            and listed[orders[name].security_id].action_id == orders[name].action_id
        ]

    def remove_close_outs(self, names: Sequence[str]) -> None:
        """Remove those that are logged now."""
        self._transaction.statement()
        for name in names:
            self._transaction.delete(self._tables.close_out_orders, name)

    def session_phases(self, is_changing: bool) -> Iterable[PhaseRow]:
        """The commanded phases.

        Transactions run one at a time here, so there is nothing to lock.
        """
        self._transaction.statement()
        return list(self._tables.session_phases.values())

    def put_session_phases(self, rows: Sequence[PhaseRow]) -> None:
        """Insert or replace rows."""
        self._transaction.statement()
        for row in rows:
            self._transaction.put(self._tables.session_phases, (row.shard, row.security_id), row)

    def put_session_bands(self, rows: Sequence[BandRow]) -> None:
        """Insert or replace rows."""
        self._transaction.statement()
        for row in rows:
            self._transaction.put(self._tables.session_bands, (row.shard, row.security_id), row)

    def has_bands(self, shard: int) -> bool:
        """Whether a security of this shard has a volatility band."""
        self._transaction.statement()
        return any(
            row.shard == shard and row.band_bps is not None
            for row in self._tables.session_bands.values()
        )

    def put_settlements(self, rows: Sequence[SettlementRow]) -> None:
        """Insert or replace how these shards settle."""
        self._transaction.statement()
        for row in rows:
            self._transaction.put(self._tables.session_settlement, row.shard, row)

    def cycle_interval_us(self, shard: int) -> int | None:
        """Microseconds between the settlement cycles of this shard."""
        self._transaction.statement()
        row = self._tables.session_settlement.get(shard)
        return row.interval_us if row else None

    def named(self, names: Sequence[tuple[str, str]]) -> Iterable[LoggedName]:
        """Commands in the log under these (client_id, client_order_id)."""
        self._transaction.read()
        places = self._tables.names
        rows = [(name[1], self._tables.log[places[name]]) for name in names if name in places]
        return [
            (row.shard, row.sequence, row.time_us, row.client_id, name, row.command)
            for name, row in rows
        ]

    def commands(self, places: Sequence[tuple[int, int]]) -> Iterable[tuple[int, int, str]]:
        """Commands at these (shard, sequence)."""
        self._transaction.read()
        return [
            (*place, self._tables.log[place].command)
            for place in places
            if place in self._tables.log
        ]

    def newest_amends(self, order_ids: Sequence[int]) -> Iterable[tuple[int, str]]:
        """The newest amend of each order that has one."""
        self._transaction.read()
        amends = self._tables.amends
        rows = [self._tables.log[amends[order_id]] for order_id in order_ids if order_id in amends]
        return [(row.time_us, row.command) for row in rows]

    def lock_accounts(self, client_ids: Sequence[str]) -> Iterable[tuple[str, int, int]]:
        """client_id, balance_e4, held_e4."""
        self._transaction.statement()
        accounts = self._tables.accounts
        return [
            (name, accounts[name].balance_e4, accounts[name].held_e4)
            for name in client_ids
            if name in accounts
        ]

    def lock_deposits(self, keys: Sequence[tuple[str, str]]) -> Iterable[tuple[str, str, int, int]]:
        """client_id, security_id, quantity, held."""
        self._transaction.statement()
        deposits = self._tables.deposits
        return [
            (*key, deposits[key].quantity, deposits[key].held) for key in keys if key in deposits
        ]

    def draw_sequences(self, shard: int, count: int, now_us: int) -> tuple[int, int]:
        """The first of the next `count` sequences, and their time."""
        self._transaction.statement()
        last, last_us = self._tables.log_heads[shard]
        time_us = max(last_us + 1, now_us)
        self._transaction.put(self._tables.log_heads, shard, (last + count, time_us))
        return last + 1, time_us

    def log_time_us(self, shard: int) -> int:
        """The newest time in the log of a shard."""
        self._transaction.statement()
        return self._tables.log_heads[shard][1]

    def settled(self, shard: int) -> int:
        """The newest command of a shard whose events are all settled."""
        self._transaction.statement()
        return self._tables.positions.get(("clearinghouse", order_log(shard)), 0)

    def append(self, rows: Sequence[LogRow]) -> None:
        """Append to the log."""
        self._transaction.statement()
        for row in rows:
            self._transaction.append_log(row)

    def expect_expiries(self, shard: int, expires_us: Sequence[int]) -> None:
        """Note the times at which orders of a shard are due to expire."""
        self._transaction.statement()
        for due_us in expires_us:
            self._transaction.put(self._tables.expiries, (shard, due_us), None)

    def forget_expiries(self, shard: int, until_us: int) -> None:
        """Forget those noted up to this time."""
        self._transaction.statement()
        for key in [key for key in self._tables.expiries if key[0] == shard and key[1] <= until_us]:
            self._transaction.delete(self._tables.expiries, key)

    def hold_cash(self, holds: Sequence[tuple[str, int]]) -> None:
        """Set held_e4 of accounts."""
        self._transaction.statement()
        for client_id, held_e4 in holds:
            self._transaction.put_account(
                client_id, self._tables.accounts[client_id]._replace(held_e4=held_e4)
            )

    def hold_shares(self, holds: Sequence[tuple[str, str, int]]) -> None:
        """Set held of deposits."""
        self._transaction.statement()
        for client_id, security_id, held in holds:
            row = self._tables.deposits[client_id, security_id]
            self._transaction.put_deposit(client_id, security_id, row._replace(held=held))
