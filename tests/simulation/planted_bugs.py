"""Bugs that other venues shipped, planted one at a time: each must be noticed by the simulation."""

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import msgspec

from clearinghouse.domain.ledger import HoldRelease
from clearinghouse.domain.settlement import Settlement, trade_legs
from clearinghouse.loops.event_reader import EventReader
from clearinghouse.ports import LedgerTransaction
from market_data_feed.domain.inbox import DueRecord, Inbox, PositionAdvance
from market_data_feed.domain.orders import Fold
from market_data_feed.loops.recorder import Recorder
from matching_engine.domain.engine import MatchingEngine
from matching_engine.handlers import MatchingDesk, load_engine
from matching_engine.loops.resender import Resender
from order_entry_gateway.adapters.memory_order_log import MemoryLogTransaction, MemoryOrderLog
from order_entry_gateway.batch_admission import append
from order_entry_gateway.domain.coverage import Decision
from order_entry_gateway.loops.group_commit import Committer
from order_entry_gateway.loops.submissions import Submission
from order_entry_gateway.ports import LoggedName, LogTransaction, NameTaken
from service_runtime.database import DatabaseUnavailable
from venue_protocol.commands import CancelOrder, PlaceOrder
from venue_protocol.events import Event, EventBatch, OrderCanceled, Trade
from venue_protocol.holds import CASH
from venue_protocol.refusals import Refusal, RejectReason
from venue_protocol.stream_intake import StreamIntake
from venue_protocol.topology import order_entry_queue
from venue_simulation.memory_ledger_store import MemoryLedgerStore, MemoryLedgerTransaction
from venue_simulation.processes import RealParts
from venue_storage.clearing_rows import LogRow

_LATER = Refusal(RejectReason.NOT_READY, "nothing was done")
_NO_ORDER = 1 << 39


class AnswersBeforeCommit(RealParts):
    """The client is told before the transaction is committed."""

    class committer(Committer):
        def _commit(self, submissions: list[Submission]) -> None:
            candidates = [
                candidate for submission in submissions for candidate in submission.candidates
            ]
            try:
                with self._order_log.transaction() as transaction:
                    decisions, appended = append(
                        transaction, candidates, self._securities, self._clock.now_us()
                    )
                    start = 0
                    for submission in submissions:
                        submission.resolve(decisions[start : start + len(submission.candidates)])
                        start += len(submission.candidates)
            except (DatabaseUnavailable, NameTaken):
                for submission in submissions:
                    if not submission.is_decided():
                        submission.resolve([_LATER] * len(submission.candidates))
                return
            for batch in appended:
                self._publisher.publish(order_entry_queue(batch.shard), batch.body)


class SaysNothingWasDone(RealParts):
    """A commit of which the outcome is unknown is answered as if it had failed."""

    class committer(Committer):
        def _decide(self, candidates: list[Any]) -> Any:
            decisions, appended = super()._decide(candidates)
            return [
                _LATER if _is_unknown(decision) else decision for decision in decisions
            ], appended


def _is_unknown(decision: Decision) -> bool:
    return isinstance(decision, Refusal) and decision.reason is RejectReason.OUTCOME_UNKNOWN


class HoldsAreForgotten(RealParts):
    """The order is logged without its hold when somebody else holds already."""

    class order_log(MemoryOrderLog):
        @contextmanager
        def transaction(self) -> Iterator[LogTransaction]:
            with self._clearing.transaction() as transaction:
                yield _NoHolds(transaction)


class _NoHolds(MemoryLogTransaction):
    def hold_cash(self, holds: Sequence[tuple[str, int]]) -> None:
        super().hold_cash(holds[:1])


class RepetitionIsNotSeen(RealParts):
    """A client_order_id is neither looked up nor unique: the same order twice is two orders."""

    class order_log(MemoryOrderLog):
        @contextmanager
        def transaction(self) -> Iterator[LogTransaction]:
            with self._clearing.transaction() as transaction:
                yield _Forgetful(transaction)


class _Forgetful(MemoryLogTransaction):
    def named(self, names: Sequence[tuple[str, str]]) -> Iterable[LoggedName]:
        for name in names:
            self._tables.names.pop(name, None)
        return []


class RaceForANameIsWonTwice(RealParts):
    """A client_order_id is looked up but not unique: two gateways at once take it twice."""

    class order_log(MemoryOrderLog):
        @contextmanager
        def transaction(self) -> Iterator[LogTransaction]:
            with self._clearing.transaction() as transaction:
                yield _Unguarded(transaction)


class _Unguarded(MemoryLogTransaction):
    def append(self, rows: Sequence[LogRow]) -> None:
        for row in rows:
            self._tables.names.pop((row.client_id, row.client_order_id or ""), None)
        super().append(rows)


class RestartsFromSnapshotAlone(RealParts):
    """The log after the snapshot is passed over."""

    class matching_desk(MatchingDesk):
        def recover(self) -> None:
            engine = load_engine(self.engine.shard, self._snapshots, self._log_reader)
            for batch in self._log_reader.batches(engine.log_position):
                engine.log_position, engine.time_us = batch.last, batch.time_us
            self.engine = engine


class ForgetsCancelsAtRestart(RealParts):
    """After a restart, canceled orders rest again (seen in a public venue)."""

    class matching_desk(MatchingDesk):
        def recover(self) -> None:
            super().recover()
            fresh = MatchingEngine(self.engine.shard)
            for batch in self._log_reader.batches(0):
                kept = [
                    c if type(c) is PlaceOrder else CancelOrder(c.client_id, _NO_ORDER)
                    for c in batch.commands
                ]
                fresh.apply(msgspec.structs.replace(batch, commands=kept))
            self.engine = fresh


class NeverAnnounces(RealParts):
    """Nobody says how far the events are: a lost last message is never missed."""

    class matching_desk(MatchingDesk):
        def announce(self) -> None:
            return


class NeverLooksAtTheLog(RealParts):
    """The engine believes that the broker brings everything."""

    class matching_desk(MatchingDesk):
        def is_behind(self) -> bool:
            return False


class ResendsOneTooFew(RealParts):
    """A resend begins one batch too late."""

    class resender(Resender):
        def _bodies_after(self, position: int) -> Iterator[bytes]:
            bodies = super()._bodies_after(position)
            next(bodies, None)
            return bodies


class PositionNotStoredWithTheEffect(RealParts):
    """The position is written in a transaction of its own, after the effect."""

    class ledger_store(MemoryLedgerStore):
        def run(
            self, work: Callable[[LedgerTransaction], Any], stopping: threading.Event | None = None
        ) -> Any:
            late: list[tuple[str, int]] = []

            def without_position(transaction: Any) -> Any:
                made = MemoryLedgerTransaction(transaction)
                made.write_position = lambda stream, sequence: late.append((stream, sequence))
                return work(made)

            result = self._clearing.run(without_position, stopping)
            for stream, sequence in late:
                super().run(lambda made, at=(stream, sequence): made.write_position(*at), stopping)
            return result


class PositionIsNotLookedAt(RealParts):
    """What is delivered is settled, whether it was settled before or not."""

    class ledger_store(MemoryLedgerStore):
        def run(
            self, work: Callable[[LedgerTransaction], Any], stopping: threading.Event | None = None
        ) -> Any:
            def from_the_start(transaction: Any) -> Any:
                made = MemoryLedgerTransaction(transaction)
                made.position = lambda stream: 0  # type: ignore[method-assign]
                return work(made)

            return self._clearing.run(from_the_start, stopping)


class HoldNotReleasedOnCancel(RealParts):
    """A canceled order goes on holding."""

    class ledger_store(MemoryLedgerStore):
        def run(
            self, work: Callable[[LedgerTransaction], Any], stopping: threading.Event | None = None
        ) -> Any:
            return self._clearing.run(
                lambda transaction: work(_Settling(transaction, _KeepsHolds)), stopping
            )


class BetterPriceKeepsTheHold(RealParts):
    """A fill below the limit releases what was paid, not what was held (case 20)."""

    class ledger_store(MemoryLedgerStore):
        def run(
            self, work: Callable[[LedgerTransaction], Any], stopping: threading.Event | None = None
        ) -> Any:
            return self._clearing.run(
                lambda transaction: work(_Settling(transaction, _ReleasesThePrice)), stopping
            )


class OneLegOnly(RealParts):
    """Shares are delivered, payment is forgotten."""

    class ledger_store(MemoryLedgerStore):
        def run(
            self, work: Callable[[LedgerTransaction], Any], stopping: threading.Event | None = None
        ) -> Any:
            return self._clearing.run(
                lambda transaction: work(_Settling(transaction, _DeliversUnpaid)), stopping
            )


class _Settling(MemoryLedgerTransaction):
    def __init__(self, transaction: Any, kind: type[Settlement]) -> None:
        super().__init__(transaction)
        self._kind = kind

    def lock(self, keys: Iterable[tuple[str, str]]) -> Settlement:
        real = super().lock(keys)
        return self._kind(real.ledger, real.chains, real.last_journal_id, real.last_report_sequence)


class _KeepsHolds(Settlement):
    def apply(self, event: Event, time_us: int) -> None:
        if type(event) is not OrderCanceled:
            super().apply(event, time_us)


class _ReleasesThePrice(Settlement):
    def settle(self, trade: Trade, time_us: int) -> None:
        super().settle(trade, time_us)
        self.ledger.position(trade.buy_client_id, CASH).held += (
            trade.buy_price_e4 - trade.price_e4
        ) * trade.quantity


class _DeliversUnpaid(Settlement):
    def settle(self, trade: Trade, time_us: int) -> None:
        legs = tuple(leg for leg in trade_legs(trade) if leg.asset != CASH)
        held = HoldRelease(trade.sell_client_id, trade.security_id, trade.quantity)
        assert self.ledger.post(legs, (held,)) is None
        self._reports.traded(self._journal("trade", time_us, legs, trade_id=trade.trade_id), trade)


class GapSkipped(RealParts):
    """Events after a gap are taken at once; what is missing is never asked for."""

    class event_reader(EventReader):
        def _intake(self, shard: int) -> StreamIntake[EventBatch]:
            intake = super()._intake(shard)
            intake.__class__ = _Careless
            return intake


class _Careless(StreamIntake[EventBatch]):
    def take(self, batch: EventBatch) -> list[tuple[EventBatch, int]]:
        self.position = max(self.position, batch.first - 1)
        return super().take(batch)


class NeverReminds(RealParts):
    """A gap is asked for once; if the answer is lost, it stays."""

    class event_reader(EventReader):
        def _intake(self, shard: int) -> StreamIntake[EventBatch]:
            intake = super()._intake(shard)
            intake.__class__ = _AsksOnce
            return intake


class _AsksOnce(StreamIntake[EventBatch]):
    def ask_after(self, now_s: float) -> int | None:
        return super().ask_after(0.0 if self._asked_after is None else float("-inf"))


class FeedForgetsItsPosition(RealParts):
    """The record is written again after a restart, or its position is a guess."""

    class recorder(Recorder):
        def load(self) -> None:
            super().load()
            self._inbox = Inbox({})


class FeedTakesPositionsAhead(RealParts):
    """The feed stores the position that was announced, not the one that it has recorded."""

    class recorder(Recorder):
        def _record(self) -> None:
            for shard, intake in self._inbox.events.items():
                if intake.is_behind():
                    due = DueRecord(
                        advances=[
                            PositionAdvance(f"events.{shard}", intake.position, intake._newest)
                        ]
                    )
                    self._inbox._recorded[f"events.{shard}"] = intake.position = intake._newest
                    self._market_record.write(due, Fold({}), self._stopping)
            super()._record()


class FeedForgetsTheBook(RealParts):
    """After a restart the feed shows only what has changed since."""

    class recorder(Recorder):
        def load(self) -> None:
            super().load()
            with self._display.market() as market:
                market.__init__()  # type: ignore[misc]


class FeedNeverHeals(RealParts):
    """Lost settlement reports are not read from clearing_data."""

    class recorder(Recorder):
        def _heal_settlements(self) -> None:
            return


class AcknowledgesTooEarly(RealParts):
    """The clearinghouse acknowledges before it has settled: a crash loses the message."""

    class event_reader(EventReader):
        def step(self, timeout_s: float) -> int:
            deliveries = self._consumer.receive(timeout_s, 64)
            if deliveries:
                self._consumer.ack(deliveries[-1])
            self.handle(deliveries)
            self._announce()
            return len(deliveries)


PLANTED = (
    AnswersBeforeCommit,
    SaysNothingWasDone,
    HoldsAreForgotten,
    RepetitionIsNotSeen,
    RaceForANameIsWonTwice,
    RestartsFromSnapshotAlone,
    ForgetsCancelsAtRestart,
    NeverAnnounces,
    NeverLooksAtTheLog,
    ResendsOneTooFew,
    PositionNotStoredWithTheEffect,
    PositionIsNotLookedAt,
    HoldNotReleasedOnCancel,
    BetterPriceKeepsTheHold,
    OneLegOnly,
    GapSkipped,
    NeverReminds,
    FeedForgetsItsPosition,
    FeedTakesPositionsAhead,
    FeedForgetsTheBook,
    FeedNeverHeals,
)
