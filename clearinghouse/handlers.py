"""One function a message: from event batches to a committed settlement and its published
reports.
"""

import logging
import threading
from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from clearinghouse.domain.settlement import Obligation, Settlement
from clearinghouse.ports import LedgerStore, LedgerTransaction
from service_runtime import metrics
from service_runtime.bus import Publisher
from venue_protocol import codec, streams
from venue_protocol.events import (
    AmendRejected,
    Event,
    EventBatch,
    OrderAmended,
    OrderCanceled,
    Trade,
)
from venue_protocol.holds import CASH
from venue_protocol.message_bounds import MessageBounds
from venue_protocol.topology import DATA_FEED

log = logging.getLogger(__name__)

T = TypeVar("T")
_REPORTS = MessageBounds(most_items=500)
"""Settlement reports of one message."""


class SettlementDesk:
    """The one place of this process where cash and shares move: commits, then publishes, in
    sequence.
    """

    def __init__(self, store: LedgerStore, publisher: Publisher, stopping: threading.Event) -> None:
        self._store = store
        self._publisher = publisher
        self._stopping = stopping
        self._one_at_a_time = threading.Lock()

    def settle(self, batches: Sequence[EventBatch]) -> None:
        """Settle these event batches of one shard, in order, in one transaction; known events are
        passed over.
        """
        stream = streams.events(batches[0].shard)

        def work(transaction: LedgerTransaction) -> Settlement:
            settlement = transaction.lock(_touched(batches))
            position = transaction.position(stream)
            for batch in batches:
                for sequence, event in batch.numbered():
                    if sequence > position:
                        settlement.apply(event, batch.time_us)
            if batches[-1].last > position:
                transaction.write(settlement)
                transaction.write_position(stream, batches[-1].last)
                transaction.write_position(
                    streams.order_log(batches[-1].shard), batches[-1].log_last
                )
            return settlement

        with self._one_at_a_time:
            settlement = self._store.run(work, self._stopping)
            self._publish(settlement)
        metrics.batch_size.labels("settle").observe(sum(len(batch.events) for batch in batches))
        metrics.position.labels(stream).set(batches[-1].last)

    def move(self, work: Callable[[LedgerTransaction], tuple[T, Settlement | None]]) -> T:
        """Run a transfer's transaction once and publish its reports; DatabaseUnavailable is the
        caller's to answer.
        """
        with self._one_at_a_time:
            with self._store.transaction() as transaction:
                result, settlement = work(transaction)
            if settlement is not None:
                self._publish(settlement)
        return result

    def announce(self) -> None:
        """Say how far the settlement reports have come, so that the feed notices a lost last
        message.
        """
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


def _touched(batches: Iterable[EventBatch]) -> set[tuple[str, str]]:
    """Every position that settling these batches can change or report."""
    keys: set[tuple[str, str]] = set()
    for batch in batches:
        for event in batch.events:
            keys.update(_positions_of(event))
    return keys


def _positions_of(event: Event) -> tuple[tuple[str, str], ...]:
    if type(event) is Trade:
        buyer, seller, security = event.buy_client_id, event.sell_client_id, event.security_id
        return (buyer, CASH), (buyer, security), (seller, CASH), (seller, security)
    if (
        isinstance(event, OrderCanceled | OrderAmended | AmendRejected)
        and event.security_id is not None
    ):
        return (event.client_id, CASH), (event.client_id, event.security_id)
    return ()


def _alarm(obligation: Obligation) -> None:
    metrics.alarms.labels("settlement_failed").inc()
    log.critical(
        "a covered trade could not be settled",
        extra={"trade_id": obligation.trade.trade_id, "reason": obligation.reason},
    )
