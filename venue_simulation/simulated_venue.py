"""The venue of a simulated market: desk, log, engine, settlement and record, at once and on memory.

The shipped parts pass each other the same objects; nothing is encoded but what is stored. A commit
is matched, settled and recorded before the next one begins.
"""

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from clearinghouse.domain.ledger import Leg
from clearinghouse.domain.settlement import Settlement
from clearinghouse.domain.venue_accounts import BANK, DEPOSITORY, EXTERNAL, ISSUER, VENUE_ACCOUNTS
from clearinghouse.handlers import settle_batches
from market_data_feed.adapters.memory_record import MemoryRecord
from market_data_feed.domain.batch_effect import BatchEffect
from market_data_feed.domain.inbox import DueRecord, PositionAdvance
from market_data_feed.domain.market import Market, MarketChange
from market_data_feed.domain.orders import Fold
from market_data_feed.domain.working_order import WorkingOrder
from matching_engine.domain.engine import MatchingEngine
from order_entry_gateway.adapters.memory_order_log import MemoryLogTransaction
from order_entry_gateway.adapters.memory_timers import MemoryTimers
from order_entry_gateway.batch_admission import append
from order_entry_gateway.domain.coverage import Accepted, Decision
from order_entry_gateway.domain.rate_limit import TokenBucket
from order_entry_gateway.domain.recorded_order import RecordedOrder
from order_entry_gateway.domain.validation import Candidate
from order_entry_gateway.handlers import OrderDesk
from order_entry_gateway.loops.timekeeper import Timekeeper
from order_entry_gateway.phase_desk import PhaseDesk, PhaseRequest
from order_entry_gateway.ports import ANSWER_WITHIN_S
from service_runtime.api_keys import ADMINISTRATOR
from service_runtime.clock import ManualClock
from venue_protocol import codec, streams
from venue_protocol.codec import SCHEMA
from venue_protocol.commands import CommandBatch
from venue_protocol.events import EventBatch
from venue_protocol.fee_schedule import NO_FEES, FeeSchedule
from venue_protocol.holds import CASH
from venue_protocol.identifiers import sharded_id
from venue_protocol.refusals import Refusal, RejectReason, refuse
from venue_protocol.roles import TRADER
from venue_protocol.securities import Security
from venue_protocol.settlement import STARTING_POSITION
from venue_simulation.market_archive import ArchivedTransfer
from venue_simulation.market_plan import PhaseSpec
from venue_simulation.memory_ledger_store import MemoryLedgerStore, MemoryLedgerTransaction
from venue_storage.clearing_rows import LogRow
from venue_storage.memory_clearing_data import MemoryClearing

_EVENTS = streams.events(0)
SHARD = 0
"""All securities of a simulated market are on one shard."""
VENUE_ROLE = "venue"
ISSUED_SHARES = 1_000_000_000
"""Of each security; what nobody is given stays with the issuer."""


class Committed(NamedTuple):
    """What one commit did."""

    rows: list[LogRow]
    effect: BatchEffect
    changes: list[MarketChange]
    ended: list[WorkingOrder]
    """The orders that ended."""
    first_report: int
    """Number of its first settlement report."""
    last_report: int
    """Number of its last one; smaller than the first without one."""


class PendingCandidates:
    """The candidates of one request; they are decided when the venue commits."""

    __slots__ = ("candidates", "decisions")

    def __init__(self, candidates: Sequence[Candidate]) -> None:
        self.candidates = candidates
        self.decisions: list[Decision] | None = None

    def is_decided(self) -> bool:
        """Whether it was committed."""
        return self.decisions is not None

    def when_decided(self, then: Callable[[], object]) -> None:
        """Nobody waits in a simulation."""
        if self.decisions is not None:
            then()

    def wait(self, within_s: float = ANSWER_WITHIN_S) -> list[Decision]:
        """The decisions."""
        if self.decisions is None:
            raise RuntimeError("the venue has not committed this request yet")
        return self.decisions


class SimulatedRateLimit:
    """As many commands a second as one client may send, by the simulated clock."""

    def __init__(self, clock: ManualClock, per_second: int | None) -> None:
        self._clock = clock
        self._per_second = per_second
        self._buckets: dict[str, TokenBucket] = {}

    def charge(self, client_id: str, commands: int, paid: int = 0) -> None:
        """Draw for `commands`; Refused over the rate."""
        if self._per_second is None:
            return
        now_s = self._clock.now_us() / 1_000_000
        bucket = self._buckets.get(client_id)
        if bucket is None:
            bucket = self._buckets[client_id] = TokenBucket.full(self._per_second, now_s)
        if bucket.draw(commands, now_s, paid) > 0:
            raise refuse(
                RejectReason.RATE_LIMITED, f"more than {self._per_second} commands a second"
            )


class SimulatedVenue:
    """One venue in simulated time. Bring requests to `desk`, then `commit`."""

    def __init__(
        self,
        securities: Iterable[Security],
        start_us: int,
        rate_limit_per_second: int | None = None,
        fees: FeeSchedule = NO_FEES,
    ) -> None:
        self.fees = fees
        """From which orders get their rates."""
        self.securities = {each.security_id: each for each in securities}
        self.clock = ManualClock(start_us)
        self.clearing = MemoryClearing(1)
        self.engine = MatchingEngine(SHARD)
        self.market = Market()
        self.working: dict[int, WorkingOrder] = {}
        self.transfers: list[ArchivedTransfer] = []
        """Deposits and issues so far."""
        self.on_commit: Callable[[Committed], None] = lambda committed: None
        self.market_record = MemoryRecord()
        self._never = threading.Event()
        self._waiting: list[PendingCandidates] = []
        self._ledger = MemoryLedgerStore(self.clearing)
        limiter = SimulatedRateLimit(self.clock, rate_limit_per_second)
        self.desk = OrderDesk(self, self.securities, self, limiter, _NoRecord(), _always)
        self.phases = PhaseDesk(self, self.securities)
        self.timekeeper = Timekeeper(
            MemoryTimers(self.clearing), self, self.securities, self.clock, self._never
        )
        self._list_securities()

    def add_client(
        self, client_id: str, cash_e4: int, shares: Mapping[str, int], role: str = TRADER
    ) -> None:
        """A client with its starting cash and shares, from one journal."""
        legs = [Leg(BANK, CASH, -cash_e4), Leg(client_id, CASH, cash_e4)] if cash_e4 else []
        for security_id, quantity in sorted(shares.items()):
            if quantity:
                legs += [
                    Leg(ISSUER, security_id, -quantity),
                    Leg(client_id, security_id, quantity),
                ]
        with self._ledger.transaction() as transaction:
            transaction.add_client(client_id, role, self.clock.now_us(), None, False)
        if legs:
            self.transfer("deposit", legs, f"start:{client_id}", STARTING_POSITION)

    def transfer(self, kind: str, legs: Sequence[Leg], reference: str, memo: str | None) -> None:
        """Move cash or shares by a journal. ValueError if a position falls short."""
        with self._ledger.transaction() as transaction:
            assets = {(leg.client_id, leg.asset) for leg in legs}
            settlement = transaction.lock(assets | {(leg.client_id, CASH) for leg in legs})
            for leg in legs:
                position = settlement.ledger.position(leg.client_id, leg.asset)
                position.is_external |= leg.client_id in EXTERNAL
            shortfall = settlement.transfer(kind, self.clock.now_us(), legs, reference, memo)
            if shortfall is not None:
                raise ValueError(f"{reference}: {shortfall}")
            transaction.write(settlement)
        self.transfers.append(
            ArchivedTransfer(
                settlement.last_journal_id,
                kind,
                self.clock.now_us(),
                [(leg.client_id, leg.asset, leg.amount) for leg in legs],
                reference,
                memo,
                self.engine.event_position,
            )
        )

    def enqueue(self, candidates: Sequence[Candidate]) -> PendingCandidates:
        """Let these candidates wait for the next commit."""
        pending = PendingCandidates(candidates)
        self._waiting.append(pending)
        return pending

    def submit(self, candidates: Sequence[Candidate]) -> list[Decision]:
        """Commit these candidates now, after what waits."""
        pending = self.enqueue(candidates)
        self.commit()
        return pending.wait()

    def begin_phase(self, phase: PhaseSpec) -> None:
        """Begin a phase of the trading day, as an administrator commands it."""
        lasts_s = round(phase.lasts_s) if phase.lasts_s is not None else None
        request = PhaseRequest(phase.phase, phase.security, None, lasts_s)
        self.phases.begin(ADMINISTRATOR, request)

    def commit(self) -> None:
        """Commit, match, settle and record all that waits."""
        waiting, self._waiting = self._waiting, []
        candidates = [each for pending in waiting for each in pending.candidates]
        if not candidates:
            return
        decisions = self.admit(candidates)
        start = 0
        for pending in waiting:
            end = start + len(pending.candidates)
            pending.decisions = decisions[start:end]
            start = end
        fresh = [each for each in decisions if type(each) is Accepted and not each.is_duplicate]
        if not fresh:
            return
        first, commands = fresh[0].sequence, [each.command for each in fresh]
        events = self.match(CommandBatch(SCHEMA, SHARD, first, fresh[0].time_us, commands))
        settlement = self.settle(events)
        fold = self.record(events, settlement)
        changes = self.market.apply(fold.effects[0])
        log = self.clearing.tables.log
        rows = [log[SHARD, first + place] for place in range(len(fresh))]
        ended = [order for order in fold.touched.values() if not order.leaves]
        last = settlement.last_report_sequence
        first_report = last - len(settlement.reports) + 1
        self.on_commit(Committed(rows, fold.effects[0], changes, ended, first_report, last))

    def admit(self, candidates: Sequence[Candidate]) -> list[Decision]:
        """Decide, place holds and append to the log: one transaction."""
        with self.clearing.transaction() as transaction:
            log = MemoryLogTransaction(transaction)
            now_us = self.clock.now_us()
            decisions, _ = append(log, candidates, self.securities, now_us, self.fees)
        return decisions

    def match(self, batch: CommandBatch) -> EventBatch:
        """What the engine makes of the batch."""
        events = self.engine.apply(batch)
        self.engine.news.clear()
        return events

    def settle(self, events: EventBatch) -> Settlement:
        """Move cash and shares and seal the reports: one transaction."""
        with self.clearing.transaction() as transaction:
            return settle_batches(MemoryLedgerTransaction(transaction), [events])

    def record(self, events: EventBatch, settlement: Settlement) -> Fold:
        """Record what happened to every order, and every report: one transaction."""
        fold = Fold(self.working)
        fold.apply(events, events.first)
        reports = [codec.decode_report(report.encoded) for report in settlement.reports]
        advances = [PositionAdvance(_EVENTS, events.first - 1, events.last)]
        if reports:
            last = settlement.last_report_sequence
            recorded = self.market_record.tables.positions.get(streams.SETTLEMENTS, 0)
            advances.append(PositionAdvance(streams.SETTLEMENTS, recorded, last))
        due = DueRecord([(events, events.first)], reports, [], advances)
        self.market_record.write(due, fold, self._never)
        return fold

    def recorded_orders(self, order_ids: Sequence[int]) -> dict[int, RecordedOrder]:
        """How these orders stand in the record: the door asks."""
        tables = self.market_record.tables
        found = {}
        for order_id in order_ids:
            row = tables.orders.get(order_id)
            if row is not None:
                rejected_us = tables.rejected_us.get((order_id, row.client_id), 0)
                found[order_id] = RecordedOrder(
                    order_id,
                    row.client_id,
                    row.status,
                    row.quantity,
                    row.price_e4,
                    max(row.updated_us, rejected_us),
                )
        return found

    def named(self, client_id: str, names: Sequence[str]) -> dict[str, int]:
        """Order ids by client_order_id."""
        tables = self.clearing.tables
        found = {}
        for name in names:
            place = tables.names.get((client_id, name))
            if place is not None:
                found[name] = tables.log[place].amended_order_id or sharded_id(*place)
        return found

    def order(self, order_id: int) -> tuple[str, dict[str, Any]] | None:
        """No bot asks the door for one order."""
        return None

    def _list_securities(self) -> None:
        """The venue's own accounts and the listings, as `bootstrap` makes them."""
        now_us = self.clock.now_us()
        with self._ledger.transaction() as transaction:
            for client_id in VENUE_ACCOUNTS:
                transaction.add_client(client_id, VENUE_ROLE, now_us, None, client_id in EXTERNAL)
            for security in self.securities.values():
                transaction.add_security(security)
        for security_id in self.securities:
            legs = [
                Leg(DEPOSITORY, security_id, -ISSUED_SHARES),
                Leg(ISSUER, security_id, ISSUED_SHARES),
            ]
            self.transfer("issue", legs, f"issue:{security_id}", "issue")


class _NoRecord:
    """Refusals are told to the bots alone."""

    def refused(
        self,
        client_id: str,
        refusal: Refusal,
        client_order_id: str | None,
        security_id: str,
        side: str,
        quantity: int,
    ) -> None:
        """Nothing to keep."""


def _always() -> bool:
    return True
