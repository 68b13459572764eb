"""One function a message of `data_feed`. None of them writes or sends: they fill the inbox."""

import logging

from market_data_feed.domain.inbox import Inbox
from service_runtime import metrics
from service_runtime.bus import Misdirected
from venue_protocol.codec import Message
from venue_protocol.events import EventBatch
from venue_protocol.settlement import SettlementBatch
from venue_protocol.streams import SETTLEMENTS, OrderReports, StreamPosition, event_shard

log = logging.getLogger(__name__)


def handle(message: Message, inbox: Inbox) -> None:
    """Put `message` into the inbox; Misdirected if it has no business here."""
    if isinstance(message, EventBatch):
        event_batch(message, inbox)
    elif isinstance(message, SettlementBatch):
        settlement_batch(message, inbox)
    elif isinstance(message, OrderReports):
        order_reports(message, inbox)
    elif isinstance(message, StreamPosition):
        stream_position(message, inbox)
    else:
        raise Misdirected(f"a {type(message).__name__} does not belong on data_feed")


def event_batch(batch: EventBatch, inbox: Inbox) -> None:
    """Events of one command batch, from the matching engine."""
    if batch.first < 1 or not batch.events or batch.shard < 0:
        raise Misdirected(
            f"an event batch of shard {batch.shard} from {batch.first} with {len(batch.events)} "
            "events"
        )
    if batch.last <= inbox.intake(batch.shard).position:
        metrics.messages_duplicate.labels("data_feed").inc()
    inbox.take_events(batch)


def settlement_batch(batch: SettlementBatch, inbox: Inbox) -> None:
    """Settlement reports of one transaction, from the clearinghouse."""
    if any(report.sequence != number for number, report in enumerate(batch.reports, batch.first)):
        raise Misdirected(f"the settlement batch from {batch.first} has other numbers inside")
    if batch.last <= inbox.settlements.position:
        metrics.messages_duplicate.labels("data_feed").inc()
    inbox.take_settlements(batch)


def order_reports(batch: OrderReports, inbox: Inbox) -> None:
    """Refusals, from a gateway. They are in no log: a gap can be noticed, but not healed."""
    if not inbox.take_refusals(batch):
        metrics.gaps_noticed.labels("order_reports").inc()
        log.warning(
            "refusals are missing",
            extra={"gateway_run": batch.gateway_run, "sequence": batch.first},
        )


def stream_position(position: StreamPosition, inbox: Inbox) -> None:
    """The newest number of a stream: shows that a last message was lost."""
    if position.stream == SETTLEMENTS:
        inbox.settlements.announce(position.sequence)
        return
    shard = event_shard(position.stream)
    if shard is not None:
        inbox.intake(shard).announce(position.sequence)
