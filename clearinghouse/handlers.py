"""From event batches to a committed settlement, and then to its published reports."""

import logging
import threading
from collections.abc import Callable, Sequence
from typing import TypeVar

from clearinghouse.domain.corporate_actions import entitled_positions, holders_positions
from clearinghouse.domain.settlement import (
    Obligation,
    Settlement,
    needs_netting,
    positions_touched,
    securities_acted_on,
)
from clearinghouse.ports import LedgerStore, LedgerTransaction
from service_runtime import metrics
from service_runtime.bus import Publisher
from venue_protocol import codec, streams
from venue_protocol.events import DividendPaid, EventBatch
from venue_protocol.message_bounds import MessageBounds
from venue_protocol.topology import DATA_FEED

log = logging.getLogger(__name__)

T = TypeVar("T")
_REPORTS = MessageBounds(most_items=500)
"""Settlement reports of one message."""


class SettlementDesk:
    """The one place of this process where cash and shares move.

    It commits, then publishes, under one lock: so reports leave in the order of their sequence
    although both the event reader and administrators move cash.
    """

    def __init__(self, store: LedgerStore, publisher: Publisher, stopping: threading.Event) -> None:
        self._store = store
        self._publisher = publisher
        self._stopping = stopping
        self._one_at_a_time = threading.Lock()

    def settle(self, batches: Sequence[EventBatch]) -> None:
        """Settle these event batches of one shard, in order, in one transaction.

        Events that were settled before are passed over, so a repeated batch changes nothing.
        """
        stream = streams.events(batches[0].shard)

        def work(transaction: LedgerTransaction) -> Settlement:
            return settle_batches(transaction, batches)

        with self._one_at_a_time:
            settlement = self._store.run(work, self._stopping)
            self._publish(settlement)
        metrics.batch_size.labels("settle").observe(sum(len(batch.events) for batch in batches))
        metrics.position.labels(stream).set(batches[-1].last)

    def move(self, work: Callable[[LedgerTransaction], tuple[T, Settlement | None]]) -> T:
        """Run a transfer's transaction once and publish its reports.

        The caller answers DatabaseUnavailable: only it knows whether asking again is safe.
        """
        with self._one_at_a_time:
            with self._store.transaction() as transaction:
                result, settlement = work(transaction)
            if settlement is not None:
                self._publish(settlement)
        return result

    def announce(self) -> None:
        """Publish the number of the newest report, so that the feed notices a lost last message."""
        with self._one_at_a_time, self._store.transaction() as transaction:
            newest = transaction.last_report_sequence()
        message = streams.StreamPosition(codec.SCHEMA, streams.SETTLEMENTS, newest)
        self._publisher.publish(DATA_FEED, codec.encode(message))

    def _publish(self, settlement: Settlement) -> None:
        for obligation in settlement.obligations:
            _alarm(obligation)
        encoded = [report.encoded for report in settlement.reports]
        for start, end in _REPORTS.cut(encoded):
            first = settlement.reports[start].sequence
            body = codec.encode_settlement_batch(first, encoded[start:end])
            self._publisher.publish(DATA_FEED, body)


def settle_batches(transaction: LedgerTransaction, batches: Sequence[EventBatch]) -> Settlement:
    """Settle event batches of one shard, in order, with the position reached; the caller commits.

    Events that were settled before are passed over.
    """
    stream = streams.events(batches[0].shard)
    events = [event for batch in batches for event in batch.events]
    touched = positions_touched(events)
    acted_on = securities_acted_on(events)
    if acted_on:
        held = [*transaction.holders(acted_on), *(key for key in touched if key[1] in acted_on)]
        touched |= holders_positions(events, held)
    owed = {
        event.action_id: transaction.entitlements(event.action_id)
        for event in events
        if type(event) is DividendPaid
    }
    for event in events:
        if type(event) is DividendPaid:
            touched |= entitled_positions(event.security_id, owed[event.action_id])
    settlement = transaction.lock(touched, needs_netting(events))
    settlement.actions.entitlements.update(owed)
    position = transaction.position(stream)
    for batch in batches:
        for sequence, event in batch.numbered():
            if sequence > position:
                settlement.apply(event, batch.time_us)
    if batches[-1].last > position:
        transaction.write(settlement)
        transaction.write_position(stream, batches[-1].last)
        transaction.write_position(streams.order_log(batches[-1].shard), batches[-1].log_last)
    return settlement


def _alarm(obligation: Obligation) -> None:
    metrics.alarms.labels("settlement_failed").inc()
    log.critical(
        "a covered trade could not be settled",
        extra={"trade_id": obligation.trade.trade_id, "reason": obligation.reason},
    )
