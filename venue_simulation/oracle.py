"""The undisturbed run, kept beside the disturbed one: one engine and one ledger that see each
commit once, in order.

After each commit the stored books must equal the oracle's, row for row and byte for byte; each
published event batch must be the oracle's; each live engine must have the oracle's state at its
position.
"""

from collections import Counter

from clearinghouse.adapters.ledger_store import READER
from clearinghouse.domain.ledger import Journal, Ledger, Leg
from clearinghouse.domain.settlement import Settlement
from clearinghouse.domain.venue_accounts import EXTERNAL, UNREPORTED
from matching_engine.domain.engine import MatchingEngine
from venue_protocol import codec, streams
from venue_protocol.commands import AmendOrder, Command, CommandBatch, ExemptShares, PlaceOrder
from venue_protocol.event_parts import event_parts
from venue_protocol.events import EventBatch
from venue_protocol.holds import CASH, held_amount, held_asset
from venue_protocol.message_bounds import BOUNDS, MessageBounds
from venue_protocol.netting_book import NettingBook
from venue_protocol.settlement import (
    DERIVED_KINDS,
    GENESIS_HASH,
    SettlementBatch,
    SettlementReport,
    report_hash,
)
from venue_simulation.action_oracle import compare_actions
from venue_simulation.violation import Violation, require
from venue_storage.clearing_rows import JournalRow, LogRow, ReportRow
from venue_storage.memory_clearing_data import AccountRow, DepositRow, MemoryClearing

_EVENT_BATCH = b'{"kind":"event_batch"'
_SETTLEMENT_BATCH = b'{"kind":"settlement_batch"'


class ShardOracle:
    """One shard's log and what must come of it."""

    def __init__(self, shard: int, bounds: MessageBounds) -> None:
        self.shard = shard
        self._bounds = bounds
        self.engine = MatchingEngine(shard)
        self.settled_engine = MatchingEngine(shard)
        """The books as of the clearinghouse's position."""
        self.batches: list[tuple[CommandBatch, EventBatch]] = []
        self.bodies: set[bytes] = set()
        self.hashes = {0: self.engine.state_hash()}
        """State by log position."""
        self.settled = 0
        """Number of batches settled as a whole."""
        self.settled_events = 0
        """Sequence of the last event settled: in the midst of a batch that travels in parts."""

    def append(self, rows: list[LogRow]) -> CommandBatch:
        """The batch that these new rows are, applied."""
        require(len({row.time_us for row in rows}) == 1, "the rows of a commit have one time", rows)
        require(rows[0].time_us > self.engine.time_us, "time rises strictly in the log", rows[0])
        commands = [codec.decode_command(row.command) for row in rows]
        batch = CommandBatch(codec.SCHEMA, self.shard, rows[0].sequence, rows[0].time_us, commands)
        events = self.engine.apply(batch)
        self.batches.append((batch, events))
        self.bodies.update(part.body for part in event_parts(events, self._bounds))
        self.hashes[batch.last] = self.engine.state_hash()
        return batch

    def is_end_of_part(self, events: EventBatch, sequence: int) -> bool:
        """Whether a message ends with this event."""
        return any(part.last == sequence for part in event_parts(events, self._bounds))

    def is_in_midst(self) -> bool:
        """Whether a part of a batch is settled, and not the rest."""
        return self.settled_events != (
            self.batches[self.settled - 1][1].last if self.settled else 0
        )


class Oracle:
    """Looks at every commit of `clearing`; raises Violation."""

    def __init__(
        self, clearing: MemoryClearing, shards: int, bounds: MessageBounds = BOUNDS
    ) -> None:
        self._tables = clearing.tables
        self.shards = [ShardOracle(shard, bounds) for shard in range(shards)]
        self._settlement = Settlement(Ledger(), {}, 0, 0, NettingBook(is_whole=True))
        self._unsettled_holds: Counter[tuple[str, str]] = Counter()
        """Held for commands that the clearinghouse has not seen events of, by client and asset."""
        self._names: set[tuple[str, str | None]] = set()
        """(client_id, client_order_id) of every command."""
        self._journals = 0
        self._reports = 0
        self.commits = 0
        clearing.on_commit = self.on_commit

    def on_commit(self) -> None:
        """Something was committed: what it changed must be what follows from the log."""
        self.commits += 1
        for shard in self.shards:
            self._follow_log(shard)
        for shard in self.shards:
            self._follow_settlement(shard)
        self._follow_transfers()
        self._compare_positions()
        self._compare_journals()
        self._compare_reports()
        self._compare_netting()
        compare_actions(self._settlement.actions, self._tables)
        self._check_conservation()
        self._check_holds()

    def on_arrival(self, routing_key: str, body: bytes) -> None:
        """A message reaches the broker: it must say what is committed, and nothing else."""
        if body.startswith(_EVENT_BATCH):
            require(
                any(body in shard.bodies for shard in self.shards),
                "published events are those of the log, byte for byte",
                body,
            )
        elif body.startswith(_SETTLEMENT_BATCH):
            batch = codec.decode(body)
            for report in batch.reports if isinstance(batch, SettlementBatch) else ():
                stored = self._tables.reports.get(report.sequence)
                require(
                    stored is not None and stored.report == codec.encode(report).decode(),
                    "published settlement reports are committed",
                    report,
                )

    def check_engine(self, engine: MatchingEngine) -> None:
        """A live engine's state is a function of the log."""
        engine.check_invariants()
        expected = self.shards[engine.shard].hashes.get(engine.log_position)
        require(
            expected is not None, "an engine stands at the end of a commit", engine.log_position
        )
        require(
            engine.state_hash() == expected,
            "an engine's state is a function of the log",
            engine.log_position,
        )

    def check_from_nothing(self) -> None:
        """At rest: positions rebuilt from the journals alone, and from the reports alone, are the
        stored ones.
        """
        tables = self._tables
        by_journals: Counter[tuple[str, str]] = Counter()
        for row in tables.journals.values():
            for client_id, asset, amount in zip(row.accounts, row.assets, row.amounts, strict=True):
                by_journals[client_id, asset] += amount
        for open_row in tables.netting.obligations.values():
            by_journals[open_row.client_id, CASH] += open_row.cash_e4
            by_journals[open_row.client_id, open_row.security_id] += open_row.quantity
        by_reports: Counter[tuple[str, str]] = Counter()
        ends: dict[str, SettlementReport] = {}
        for sequence in range(1, len(tables.reports) + 1):
            report = codec.decode_report(tables.reports[sequence].report)
            by_reports[report.client_id, CASH] += report.cash_e4
            by_reports[report.client_id, report.security_id or CASH] += report.shares
            before = ends.get(report.client_id)
            chained = (before.client_sequence, before.hash) if before else (0, GENESIS_HASH)
            require(
                (report.client_sequence - 1, report.previous_hash) == chained,
                "reports are chained",
                report,
            )
            require(report_hash(report) == report.hash, "a report carries its own hash", report)
            ends[report.client_id] = report
        stored = {(client_id, CASH): row.balance_e4 for client_id, row in tables.accounts.items()}
        stored |= {key: row.quantity for key, row in tables.deposits.items()}
        for key, quantity in stored.items():
            require(
                by_journals[key] == quantity,
                "journals and open obligations add up to the balances",
                (key, by_journals[key], quantity),
            )
            if key[0] not in UNREPORTED:
                require(
                    by_reports[key] == quantity,
                    "reports add up to the balances",
                    (key, by_reports[key], quantity),
                )

    def _follow_log(self, shard: ShardOracle) -> None:
        head = self._tables.log_heads[shard.shard][0]
        known = shard.engine.log_position
        if head == known:
            return
        rows = [
            self._tables.log.get((shard.shard, sequence)) for sequence in range(known + 1, head + 1)
        ]
        require(
            None not in rows and head > known,
            "the log has no hole and never shrinks",
            (known, head),
        )
        new = [row for row in rows if row is not None]
        for row in new:
            name = (row.client_id, row.client_order_id)
            require(
                row.client_order_id is None or name not in self._names,
                "the same order twice is one order",
                row,
            )
            self._names.add(name)
        batch = shard.append(new)
        for key, amount in _holds(batch):
            position = self._settlement.ledger.position(*key)
            position.held += amount
            self._unsettled_holds[key] += amount

    def _follow_settlement(self, shard: ShardOracle) -> None:
        position = self._tables.positions.get((READER, streams.events(shard.shard)), 0)
        was = shard.settled_events
        require(position >= was, "a position never goes back", (was, position))
        while position > shard.settled_events:
            require(
                shard.settled < len(shard.batches),
                "nothing is settled that is not in the log",
                position,
            )
            commands, events = shard.batches[shard.settled]
            end = min(events.last, position)
            require(
                end == events.last or shard.is_end_of_part(events, end),
                "the events of one message are settled together",
                (events.last, position),
            )
            for sequence, event in events.numbered():
                if shard.settled_events < sequence <= end:
                    self._settlement.apply(event, events.time_us)
            shard.settled_events = end
            if end == events.last:
                for key, amount in _holds(commands):
                    self._unsettled_holds[key] -= amount
                shard.settled_engine.apply(commands)
                shard.settled += 1

    def _follow_transfers(self) -> None:
        newest = self._tables.settlement_head[True][1]
        while self._settlement.last_journal_id < newest:
            row = self._tables.journals.get(self._settlement.last_journal_id + 1)
            require(
                row is not None and row.journal_kind not in DERIVED_KINDS,
                "cash and shares move once for each trade",
                row,
            )
            assert row is not None
            for client_id in EXTERNAL:
                for asset in row.assets:
                    self._settlement.ledger.position(client_id, asset).is_external = True
            legs = tuple(map(Leg, row.accounts, row.assets, row.amounts))
            memo = self._memo()
            shortfall = self._settlement.transfer(
                row.journal_kind, row.time_us, legs, row.reference, memo
            )
            require(shortfall is None, "a transfer is covered", shortfall)

    def _memo(self) -> str | None:
        row = self._tables.reports.get(self._settlement.last_report_sequence + 1)
        return codec.decode_report(row.report).memo if row else None

    def _compare_positions(self) -> None:
        ledger, chains = self._settlement.ledger, self._settlement.chains
        for client_id, account in self._tables.accounts.items():
            position = ledger.position(client_id, CASH)
            chain = chains.get(client_id)
            count, end = (chain.count, chain.hash) if chain else (0, account.report_hash)
            expected = AccountRow(position.quantity, position.held, account.is_external, count, end)
            if account != expected:
                raise Violation(f"account of {client_id} is {account}, should be {expected}")
        for key, deposit in self._tables.deposits.items():
            position = ledger.position(*key)
            shares = DepositRow(position.quantity, position.held, deposit.is_external)
            if deposit != shares:
                raise Violation(f"deposit {key} is {deposit}, should be {shares}")

    def _compare_journals(self) -> None:
        expected = [
            _journal_row(journal) for journal in self._settlement.journals[self._journals :]
        ]
        stored = [self._tables.journals.get(row.journal_id) for row in expected]
        require(stored == expected, "journals are those of the log", (stored, expected))
        self._journals += len(expected)
        require(
            len(self._tables.journals) == self._journals,
            "there are no other journals",
            self._journals,
        )

    def _compare_reports(self) -> None:
        sealed = self._settlement.reports[self._reports :]
        expected = [
            ReportRow(r.sequence, r.client_id, r.client_sequence, r.encoded.decode())
            for r in sealed
        ]
        stored = [self._tables.reports.get(row.sequence) for row in expected]
        require(stored == expected, "settlement reports are those of the log", (stored, expected))
        self._reports += len(expected)
        require(
            len(self._tables.reports) == self._reports, "there are no other reports", self._reports
        )
        require(not self._tables.obligations, "a covered trade settles", self._tables.obligations)

    def _compare_netting(self) -> None:
        book, tables = self._settlement.netting, self._tables
        for cycle in book.cycles:
            stored = tables.netting.cycles.get(cycle[:2])
            require(stored == cycle, "cycles are those of the log", (stored, cycle))
        book.store()
        for rows, kept in (
            (book.rows(), tables.netting.obligations),
            (book.volumes(), tables.netting.volumes),
            (book.terms(), tables.netting.terms),
        ):
            found = [row for _, row in sorted(kept.items())]
            require(found == rows, "what is open is what the log leaves open", (found, rows))

    def _check_conservation(self) -> None:
        sums: Counter[str] = Counter(
            {CASH: sum(row.balance_e4 for row in self._tables.accounts.values())}
        )
        for (_, security_id), deposit in self._tables.deposits.items():
            sums[security_id] += deposit.quantity
        require(not any(sums.values()), "no cent and no share is made or lost", dict(sums))

    def _check_holds(self) -> None:
        """Held is what open orders need, and what is held for commands on their way.

        Without the ledger's help. In the midst of a batch the books say nothing about holds.
        """
        if any(shard.is_in_midst() for shard in self.shards):
            return
        needed = Counter(self._unsettled_holds)
        for terms in self._tables.netting.terms.values():
            needed[terms.client_id, CASH] += terms.deposit_e4
        for shard in self.shards:
            for order in shard.settled_engine.orders.values():
                book_side = shard.settled_engine.sides[order.side_index]
                key = (order.owner.client_id, held_asset(book_side.side, book_side.security_id))
                needed[key] += held_amount(
                    book_side.side, order.price_e4, order.leaves, order.held_bps
                )
        for client_id, account in self._tables.accounts.items():
            if needed[client_id, CASH] != account.held_e4:
                raise Violation(
                    f"{client_id} has {account.held_e4} held, open orders need "
                    f"{needed[client_id, CASH]}"
                )
        for key, deposit in self._tables.deposits.items():
            if needed[key] != deposit.held:
                raise Violation(f"{key} has {deposit.held} held, open orders need {needed[key]}")


def _holds(batch: CommandBatch) -> list[tuple[tuple[str, str], int]]:
    """What each command of a batch holds: (client, asset) and amount."""
    return [
        ((command.client_id, asset), amount)
        for command in batch.commands
        for asset, amount in _hold(command)
    ]


def _hold(command: Command) -> list[tuple[str, int]]:
    if type(command) is PlaceOrder:
        asset = held_asset(command.side, command.security_id)
        held_bps = command.fees.held_bps if command.fees is not None else 0
        return [(asset, held_amount(command.side, command.price_e4, command.quantity, held_bps))]
    if type(command) is AmendOrder and command.side is not None and command.security_id is not None:
        return [(held_asset(command.side, command.security_id), command.hold_added)]
    if type(command) is ExemptShares:
        return [(CASH, command.deposit_e4)]
    return []


def _journal_row(journal: Journal) -> JournalRow:
    clients, assets, amounts = zip(*journal.legs, strict=True)
    return JournalRow(
        journal.journal_id,
        journal.kind,
        journal.time_us,
        journal.trade_id,
        journal.reference,
        clients,
        assets,
        amounts,
    )
