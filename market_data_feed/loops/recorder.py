"""The recorder: takes what `data_feed` brings, writes it in one transaction with its positions,
then shows it.

Only what is committed is acknowledged, and only what is committed is shown. What is held back
behind a gap is acknowledged unrecorded: the engine derives it again from the log, also after a
crash of this process.
"""

import logging
import threading
import time
from collections.abc import Callable

from market_data_feed import handlers
from market_data_feed.domain.inbox import MOST_ROWS, DueRecord, Inbox
from market_data_feed.domain.orders import Fold
from market_data_feed.domain.trade_corrections import TradeCorrectionRow, corrections_of
from market_data_feed.domain.working_order import WorkingOrder
from market_data_feed.ports import MarketDisplay, MarketRecord, SettlementSource
from service_runtime import metrics
from service_runtime.bus import Consumer, Delivery, Misdirected, Publisher
from service_runtime.database import DatabaseUnavailable
from service_runtime.pacing import Pace
from venue_protocol import codec, streams, topology
from venue_protocol.events import CorporateActionApplied
from venue_protocol.settlement import SettlementBatch
from venue_protocol.streams import ResendRequest

log = logging.getLogger(__name__)

_MOST_MESSAGES = 100
_LEAST_S, _FLOW = 0.02, range(1, _MOST_MESSAGES)
"""Messages: what comes in a flow of small ones is recorded and shown together."""
_IDLE_S = 0.25
_HEAL_PAGE = 2_000
_HEAL_AGAIN_S = 0.5


class Recorder:
    """One thread: receive, fold, commit, show, acknowledge, ask for what is missing."""

    def __init__(
        self,
        consumer: Consumer,
        publisher: Publisher,
        record: MarketRecord,
        settlements: SettlementSource,
        display: MarketDisplay,
        stopping: threading.Event,
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._consumer = consumer
        self._publisher = publisher
        self._market_record = record
        self._settlements = settlements
        self._display = display
        self._stopping = stopping
        self._now_s = now_s
        self._working: dict[int, WorkingOrder] = {}
        self._inbox = Inbox({})
        self._corrected: dict[str, int] = {}
        """The newest trade of each security that was busted or corrected."""
        self._is_loaded = False
        self._heal_at_s: float | None = None

    def run(self) -> None:
        """Record until `stopping`."""
        self.load()
        pace = Pace(self._stopping, _LEAST_S, _FLOW)
        while not self._stopping.is_set():
            pace.wait()
            self.step(_IDLE_S, pace.began)

    def is_loaded(self) -> bool:
        """Whether the record was read after the start."""
        return self._is_loaded

    def behind(self) -> list[str]:
        """Names of the streams in which something is known to be missing."""
        return self._inbox.behind()

    def load(self) -> None:
        """Read positions, open orders and last trades from the record; waits for the database."""
        recorded = self._market_record.load(self._stopping)
        self._working = recorded.working
        self._inbox = Inbox(recorded.positions)
        with self._display.market() as market:
            market.rest(recorded.working.values())
            for trade in recorded.last_trades:
                market.set_last(trade)
            for row in sorted(recorded.session, key=lambda row: row.event_sequence):
                if isinstance(row.event, CorporateActionApplied):
                    market.adjust_last(row.event, row.event_sequence)
            for security_id, good in recorded.good_trades.items():
                market.correct(security_id, good)
        self._corrected = dict(recorded.newest_corrected)
        self._display.load_session(recorded.session)
        self._display.start_at(recorded.positions)
        self._heal_at_s = self._now_s()
        self._is_loaded = True
        log.info(
            "record loaded",
            extra={"positions": recorded.positions, "open_orders": len(recorded.working)},
        )

    def step(self, timeout_s: float, began: Callable[[int], object] = lambda size: None) -> int:
        """Handle what waits, or comes within `timeout_s`; the number of messages taken.

        `began` is told that number before they are handled.
        """
        deliveries = self._consumer.receive(timeout_s, _MOST_MESSAGES)
        began(len(deliveries))
        behind = self.behind()
        for delivery in deliveries:
            self._take(delivery)
            if self._inbox.waiting() >= MOST_ROWS:
                self._record()
        self._note_gaps(behind)
        self._record()
        if deliveries:
            self._consumer.ack(deliveries[-1])
            metrics.messages_consumed.labels(topology.DATA_FEED).inc(len(deliveries))
        self._heal_settlements()
        self._ask_for_events()
        return len(deliveries)

    def _take(self, delivery: Delivery) -> None:
        """Put a message into the inbox.

        Poison goes to the dead letters; the gap it leaves is healed like any other.
        """
        try:
            handlers.handle(codec.decode(delivery.body), self._inbox)
        except (codec.CodecError, Misdirected) as error:
            metrics.dead_letters.labels(topology.DATA_FEED).inc()
            self._consumer.dead_letter(delivery, str(error))

    def _record(self) -> None:
        """Write what is due and show it, in transactions of bounded size."""
        while not (due := self._inbox.take_due()).is_empty():
            self._record_together(due)

    def _record_together(self, due: DueRecord) -> None:
        """Write in one transaction, then show."""
        with metrics.step_seconds.labels("record").time():
            fold = Fold(self._working)
            for batch, first_new in due.events:
                fold.apply(batch, first_new)
            self._market_record.write(due, fold, self._stopping)
        positions = {advance.stream: advance.after for advance in due.advances}
        self._display.publish(fold.effects, due.settlements, positions)
        self._show_corrections(corrections_of(due.settlements), fold)
        metrics.batch_size.labels("record").observe(due.size())
        for stream, position in positions.items():
            metrics.position.labels(stream).set(position)

    def _show_corrections(self, corrections: list[TradeCorrectionRow], fold: Fold) -> None:
        """Show what was busted or corrected. A bust may be told before its trade is: the streams
        of events and of settlements come each at its own pace.
        """
        changed = {row.security_id for row in corrections}
        for row in corrections:
            known = self._corrected.get(row.security_id, 0)
            self._corrected[row.security_id] = max(known, row.trade_id)
        if self._corrected:
            changed |= {
                trade.security_id
                for effect in fold.effects
                for trade in effect.trades
                if trade.trade_id <= self._corrected.get(trade.security_id, 0)
            }
        if changed:
            good = self._market_record.good_trades(changed, self._stopping)
            self._display.correct(corrections, good)

    def _heal_settlements(self) -> None:
        """What is missing of the settlements stands in clearing_data: read it there. Also once
        after a start.
        """
        intake = self._inbox.settlements
        if self._heal_at_s is None and intake.is_behind():
            self._heal_at_s = self._now_s()
        if self._heal_at_s is None or self._now_s() < self._heal_at_s:
            return
        self._heal_at_s = None
        try:
            while reports := self._settlements.reports_after(intake.position, _HEAL_PAGE):
                self._inbox.take_settlements(
                    SettlementBatch(codec.SCHEMA, reports[0].sequence, reports)
                )
                self._record()
        except DatabaseUnavailable as error:
            log.warning("settlements not read, will try again", extra={"error": str(error)})
            self._heal_at_s = self._now_s() + _HEAL_AGAIN_S
        if intake.is_behind():
            self._heal_at_s = self._now_s() + _HEAL_AGAIN_S

    def _ask_for_events(self) -> None:
        """Ask the engines for the events that are missing."""
        if not self._publisher.is_ready():
            return
        for shard, intake in self._inbox.events.items():
            after = intake.ask_after(self._now_s())
            if after is not None:
                stream = streams.events(shard)
                log.warning(
                    "events are missing, asking again", extra={"stream": stream, "sequence": after}
                )
                request = ResendRequest(codec.SCHEMA, stream, after, topology.DATA_FEED)
                self._publisher.publish(topology.resend_queue(shard), codec.encode(request))

    def _note_gaps(self, before: list[str]) -> None:
        for stream in self.behind():
            if stream not in before:
                metrics.gaps_noticed.labels(stream).inc()
