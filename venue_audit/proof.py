"""The audit itself: one consistent cut of both databases, two proofs, one verdict.

The cut of a live venue: market_data is read as of a moment before clearing_data, so everything that
the feed recorded stands in the order log and in the reports that the audit sees. The log is folded
to its end; settled is what the clearinghouse's position says, recorded what the feed's positions
say, and the holds of all logged commands count as placed, because the gateway raises them in the
commit of the log row.
"""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from typing import Protocol

import msgspec

from market_data_feed.domain.orders import BrokenStream
from venue_audit.action_check import ActionCheck
from venue_audit.administration_check import AdministrationCheck
from venue_audit.differences import EVENTS, LOG, Difference, Differences
from venue_audit.fee_check import FeeCheck
from venue_audit.history import History
from venue_audit.loan_check import LoanCheck
from venue_audit.log_rows import LOG_ROWS, LogBroken, batches, note_break
from venue_audit.market_check import MarketCheck
from venue_audit.netting_check import NettingCheck
from venue_audit.positions_check import PositionsCheck
from venue_audit.proposals_check import ProposalsCheck
from venue_audit.report_ledger import ReportLedger
from venue_audit.settlement_check import SettlementCheck
from venue_audit.settlement_order import Matched, in_settlement_order
from venue_audit.snapshot import Snapshot
from venue_audit.trading_day_check import TradingDayCheck
from venue_protocol import streams
from venue_protocol.commands import CommandBatch
from venue_protocol.events import EventBatch
from venue_protocol.invariants import BrokenInvariant
from venue_storage.clearing_rows import LogRow, ReportRow

_REPORT_ROWS = (
    "SELECT sequence, client_id, client_sequence, report FROM settlement_reports ORDER BY sequence"
)
_SHARDS = "SELECT shard FROM order_log_heads UNION SELECT shard FROM order_log ORDER BY shard"
_SETTLED = "SELECT stream, sequence FROM stream_positions WHERE reader = 'clearinghouse'"
_RECORDED = "SELECT stream, sequence FROM stream_positions"
_ROWS_A_WORD = 1_000


class Progress(Protocol):
    """Shows how far a part has come."""

    def __call__(self, part: str, done: int, of: int) -> None:
        """`part` has done so many of so many."""
        ...


class EngineState(msgspec.Struct, frozen=True):
    """What a live engine said of itself (`GET /v1/engine`) before the cut."""

    shard: int
    log_position: int
    event_position: int
    state_hash: str


class Verdict(msgspec.Struct):
    """What was compared, and what was found."""

    counts: dict[str, int]
    differences: list[Difference]
    found: int
    """All differences, also those that are only counted."""
    unsettled_events: int
    """Events of the log that the clearinghouse had not settled at the cut."""
    unrecorded_events: int
    """Events of the log that the feed had not recorded at the cut."""

    @property
    def is_equal(self) -> bool:
        """Whether nothing differs."""
        return self.found == 0


def audit(
    clearing_url: str,
    market_url: str,
    engines: list[EngineState] | None = None,
    progress: Progress = lambda part, done, of: None,
) -> Verdict:
    """Audit both databases. `engines` must have been asked before this call. Reads only."""
    with ExitStack() as stack:
        market = stack.enter_context(Snapshot(market_url))
        clearing = stack.enter_context(Snapshot(clearing_url))
        return Audit(clearing, market, engines or [], progress).run()


class Audit:
    """One run on two snapshots."""

    def __init__(
        self, clearing: Snapshot, market: Snapshot, engines: list[EngineState], progress: Progress
    ) -> None:
        self._clearing = clearing
        self._engines = {engine.shard: engine for engine in engines}
        self._progress = progress
        self.differences = Differences()
        recorded: dict[str, int] = dict(market.all(_RECORDED))
        self._settled = _event_positions(dict(clearing.all(_SETTLED)))
        self._recorded = _event_positions(recorded)
        failed = clearing.all("SELECT trade_id, reason FROM obligations")
        for trade_id, reason in failed:
            self.differences.compare(
                "trade", str(trade_id), "settlement", "settled", f"failed: {reason}"
            )
        self._history = History(self._settled, dict(failed))
        reported = recorded.get(streams.SETTLEMENTS, 0)
        self._proposals = ProposalsCheck(clearing, market, reported, self.differences)
        self._actions = ActionCheck(clearing, self.differences)
        self._settlement = SettlementCheck(
            clearing, market, reported, self.differences, self._proposals, self._actions
        )
        self._netting = NettingCheck(clearing, self.differences)
        self._market = MarketCheck(market, self._recorded, self.differences)
        self._positions = PositionsCheck(clearing, self.differences)
        self._trading_day = TradingDayCheck(clearing, self.differences)
        self._fees = FeeCheck(clearing, self.differences)
        self._administration = AdministrationCheck(clearing, self.differences)
        self._loans = LoanCheck(clearing, self.differences)
        self._rows = 0
        self._log_rows = clearing.number("SELECT sum(last_sequence) FROM order_log_heads")

    def run(self) -> Verdict:
        """Both proofs."""
        is_folded = self._fold()
        self._history.hold_collateral(self._loans.run(self._history.action_history()))
        if is_folded:
            self._settlement.finish()
            self._netting.finish(self._history)
            self._market.finish()
            self._positions.against_history(self._history)
            self._positions.holds_against_open_orders(self._history)
            self._positions.heads(self._history)
            self._trading_day.finish()
            self._actions.against(self._history.settlement.actions)
            self._proposals.finish()
        reports = self._replay_reports()
        self._positions.against_reports(reports.clients)
        self._positions.conservation()
        self._administration.run(self._history.settlement.actions.changed())
        return self._verdict(reports)

    def _fold(self) -> bool:
        """Fold the whole log and compare on the way; False if it could not be folded to its end."""
        try:
            self._settlement.apply_transfers(self._history)
            for matched in self._matched():
                if matched.first_told is not None:
                    self._settlement.apply_transfers(self._history, is_last_chance=True)
                self._apply(matched.batch, matched.answer)
            self._settlement.apply_transfers(self._history, is_last_chance=True)
        except (LogBroken, BrokenInvariant, BrokenStream) as broken:
            note_break(self.differences, broken, self._rows + 1)
            return False
        self._check_positions()
        return True

    def _apply(self, batch: CommandBatch, answer: EventBatch) -> None:
        """Settle a matched batch and compare all that it wrote."""
        self._history.settle(batch, answer)
        self._market.take(answer)
        self._netting.compare(self._history)
        self._proposals.note(answer.events)
        self._settlement.compare(self._history)
        self._settlement.apply_transfers(self._history)
        for sequence, client_id, held, quantity in self._history.uncovered:
            self.differences.compare(
                "hold",
                f"{client_id} (order log {sequence})",
                "cover",
                held,
                quantity,
                LOG,
                sequence,
            )
        self._history.uncovered.clear()
        self._rows += len(batch.commands)
        self._progress("order log", self._rows, self._log_rows)

    def _matched(self) -> Iterator[Matched]:
        """The batches of all shards with their events, in the order in which they were settled."""
        shards = [row[0] for row in self._clearing.all(_SHARDS)]
        return in_settlement_order(
            [self._match(shard) for shard in shards],
            lambda: self._settlement.next_told(self._history),
        )

    def _match(self, shard: int) -> Iterator[Matched]:
        """The batches of one shard with their events; a live engine is compared where it stood."""
        live = self._engines.get(shard)
        for batch in batches(shard, map(LogRow._make, self._clearing.stream(LOG_ROWS, (shard,)))):
            answer = self._history.match(batch)
            self._trading_day.take(batch)
            self._fees.take(batch)
            if live is not None and live.log_position == batch.last:
                self._check_engine(live)
            yield Matched(batch, answer, self._history.first_told(answer))

    def _check_engine(self, live: EngineState) -> None:
        """The live engine's state is the folded one's, byte for byte."""
        folded = self._history.engines[live.shard]
        subject, sequence = f"engine {live.shard}", live.log_position
        compare = self.differences.compare
        compare(
            "book",
            subject,
            "event_position",
            folded.event_position,
            live.event_position,
            LOG,
            sequence,
        )
        compare("book", subject, "state_hash", folded.state_hash(), live.state_hash, LOG, sequence)

    def _check_positions(self) -> None:
        """Nobody can have handled more than the log gives."""
        for reader, positions in (
            ("clearinghouse", self._settled),
            ("market_data_feed", self._recorded),
        ):
            for shard, position in positions.items():
                last = self._last_event(shard)
                if position > last:
                    subject = f"{reader} {streams.events(shard)}"
                    self.differences.compare(
                        "position", subject, "sequence", f"at most {last}", position, EVENTS, last
                    )
        for shard, engine in self._engines.items():
            folded = self._history.engines.get(shard)
            last = folded.log_position if folded else 0
            if engine.log_position > last:
                self.differences.compare(
                    "position",
                    f"engine {shard}",
                    "log_position",
                    f"at most {last}",
                    engine.log_position,
                )

    def _replay_reports(self) -> ReportLedger:
        """The second proof's own pass over the reports."""
        ledger = ReportLedger(self.differences)
        total = self._clearing.number("SELECT last_report_sequence FROM settlement_heads")
        self._progress("settlement reports", 0, total)
        for row in map(ReportRow._make, self._clearing.stream(_REPORT_ROWS)):
            report = ledger.take(row)
            if report is not None:
                self._loans.take(report)
            if not row.sequence % _ROWS_A_WORD:
                self._progress("settlement reports", row.sequence, total)
        self._loans.finish()
        self._progress("settlement reports", ledger.last_sequence, total)
        return ledger

    def _last_event(self, shard: int) -> int:
        engine = self._history.engines.get(shard)
        return engine.event_position if engine else 0

    def _verdict(self, reports: ReportLedger) -> Verdict:
        counts = {
            "log_rows": self._rows,
            "events": sum(self._last_event(shard) for shard in self._history.engines),
            "orders": self._market.counts["order"],
            "execution_reports": self._market.counts["execution_report"],
            "trades": self._market.counts["trade"],
            "journals": self._settlement.journals,
            "settlement_reports": self._settlement.reports,
            "settlement_cycles": self._netting.cycles,
            "net_obligations": self._netting.obligations,
            "reports_replayed": reports.last_sequence,
            "accounts": self._positions.accounts,
            "deposits": self._positions.deposits,
            "open_orders": sum(len(engine.orders) for engine in self._history.engines.values()),
            "engines_compared": len(self._engines),
            "corporate_actions": self._actions.actions,
            "proposals": len(self._proposals.proposals),
            "administrative_actions": self._administration.actions,
            "loan_events": self._loans.events,
        }
        shards = self._history.engines
        return Verdict(
            counts,
            list(self.differences),
            self.differences.count,
            sum(max(0, self._last_event(shard) - self._settled.get(shard, 0)) for shard in shards),
            sum(max(0, self._last_event(shard) - self._recorded.get(shard, 0)) for shard in shards),
        )


def _event_positions(positions: Mapping[str, int]) -> dict[int, int]:
    """Newest event handled, by shard."""
    prefix = streams.events(0).removesuffix("0")
    return {
        int(name.removeprefix(prefix)): number
        for name, number in positions.items()
        if name.startswith(prefix)
    }
