"""The hub: what the recorder has recorded goes to those who listen; who begins to listen gets the
state first.

One lock covers the visible market and the list of subscribers. So a snapshot and the updates that
follow it fit together: nothing between them is lost or sent twice.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import msgspec

from market_data_feed.adapters import views
from market_data_feed.adapters.stream.book_frames import BookSnapshots, update_frames
from market_data_feed.adapters.stream.sender import Sender
from market_data_feed.adapters.stream.subscriber import Subscriber
from market_data_feed.adapters.stream.topics import (
    PRIVATE,
    STATUS,
    HeldFrames,
    Topic,
    TopicKey,
    Topics,
    public_name,
    sharded_position,
)
from market_data_feed.domain.batch_effect import BatchEffect, BatchParts, RecordedTrade
from market_data_feed.domain.execution_report import ExecutionReport
from market_data_feed.domain.market import Market, MarketChange, TopOfBook
from market_data_feed.domain.trade_corrections import TradeCorrectionRow
from market_data_feed.domain.trading_phases import Session, SessionRow
from service_runtime.http.websocket_frames import json_frame
from venue_protocol.events import PhaseChanged
from venue_protocol.identifiers import shard_and_number
from venue_protocol.refusals import Refusal, Refused, RejectReason
from venue_protocol.settlement import SettlementReport
from venue_protocol.streams import SETTLEMENTS, event_shard
from venue_protocol.trading_day import CONTINUOUS


class Hub:
    """Topics, their subscribers, and the market that snapshots are taken of."""

    def __init__(self, market: Market, sender: Sender) -> None:
        self._lock = threading.Lock()
        self._market = market
        self._sender = sender
        self._topics = Topics(sender)
        self._newest: dict[TopicKey, int] = {}
        self._positions: dict[str, int] = {}
        self._parts = BatchParts()
        self._status_count = 0
        self._session = Session()
        self._session_us = 0
        self._status: dict[str, Any] = {}
        """The newest status told."""
        self._is_started = False
        self._book_snapshots = BookSnapshots()

    def require_started(self) -> None:
        """Refused with 503 until the record is loaded: an empty book now would be a wrong one."""
        if not self._is_started:
            raise Refused(Refusal(RejectReason.NOT_READY, "the record is being read, ask again"))

    @contextmanager
    def market(self) -> Iterator[Market]:
        """The visible market, standing still inside the block."""
        with self._lock:
            yield self._market

    def positions(self) -> dict[str, int]:
        """Newest published number of each stream."""
        with self._lock:
            return dict(self._positions)

    def start_at(self, positions: dict[str, int]) -> None:
        """The positions on record, whose market was loaded before.

        From now on there is something to show.
        """
        with self._lock:
            self._positions = dict(positions)
            self._is_started = True

    def load_session(self, rows: list[SessionRow]) -> None:
        """The session on record."""
        with self._lock:
            self._session.load(rows)
            self._session_us = max((row.time_us for row in rows), default=0)

    def session(self) -> dict[str, Any]:
        """Phases, indications and limit states now."""
        with self._lock:
            return views.session(self._session, self._session_us)

    def top(self, security_id: str) -> tuple[TopOfBook, int, int]:
        """Best bid and ask that can be traded now, and the last trade; sequence and time of
        them.
        """
        with self._lock:
            market = self._market.security(security_id)
            return self._tradable(security_id, market.top()), market.sequence, market.updated_us

    def security_session(self, shard: int, security_id: str) -> dict[str, Any]:
        """Phase, indication and limit state of one security."""
        with self._lock:
            return views.security_session(self._session, shard, security_id)

    def publish(
        self,
        effects: list[BatchEffect],
        settlements: list[SettlementReport],
        positions: dict[str, int],
    ) -> None:
        """Show what was just committed: apply it to the market and tell who listens."""
        with self._lock:
            effects = list(self._parts.joined(effects))
            for effect in effects:
                for row in effect.session:
                    self._session.apply(row)
                    self._session_us = row.time_us
                for change in self._market.apply(effect):
                    self._tell_market(change, effect)
                if any(isinstance(row.event, PhaseChanged) for row in effect.session):
                    self._tell_prices(effect)
                self._tell_owners(effect.reports)
            if self._status and any(effect.session for effect in effects):
                self._tell_status(
                    {**self._status, "session": views.session(self._session, self._session_us)}
                )
            for report in settlements:
                key = ("settlements", report.client_id)
                self._newest[key] = report.sequence
                if key in self._topics.by_key:
                    self._topics.tell(key, report.sequence, views.settlement(report))
            self._positions.update(
                (stream, position)
                for stream, position in positions.items()
                if not self._parts.is_waiting(event_shard(stream))
            )
        self._sender.schedule_flush()

    def correct(
        self,
        corrections: list[TradeCorrectionRow],
        good_trades: dict[str, RecordedTrade | None],
    ) -> None:
        """Tell of busts and corrections, and of the last prices without them."""
        with self._lock:
            for security_id, good in good_trades.items():
                self._market.correct(security_id, good)
                updated_us = self._market.security(security_id).updated_us
                at_us = max((row.time_us for row in corrections), default=updated_us)
                key = ("price", security_id)
                if key in self._topics.by_key:
                    # No event moved it: the same sequence again, which no reader takes for a hole.
                    view = self._price_update(security_id, at_us)
                    self._topics.tell(key, self._topics.by_key[key].last, view)
            for row in corrections:
                key = ("corrections", row.security_id)
                self._newest[key] = row.sequence
                if key in self._topics.by_key:
                    self._topics.tell(key, row.sequence, views.trade_correction(row))
        self._sender.schedule_flush()

    def publish_status(self, status: dict[str, Any]) -> None:
        """Tell the listeners of `status`; it has a count of its own."""
        with self._lock:
            self._tell_status(status)
        self._sender.schedule_flush()

    def subscribe(
        self, key: TopicKey, subscriber: Subscriber, action: dict[str, Any], newest: int = 0
    ) -> None:
        """Add a live subscriber: `action` acknowledges, then the snapshot of a price, then updates.

        Books have `subscribe_book`. `newest`: sequence of the topic's newest message up to now,
        where only the record knows it.
        """
        with self._lock:
            topic = self._topic(key, newest)
            frames = json_frame(action | {"sequence": topic.last})
            snapshot = self._snapshot(key, topic.last)
            if snapshot is not None:
                frames += json_frame(snapshot)
            topic.subscribers[subscriber] = None
            self._topics.put(subscriber, key, frames, topic.last)
        self._sender.schedule_flush()

    def subscribe_held(self, key: TopicKey, subscriber: Subscriber, newest: int = 0) -> int:
        """Add a subscriber whose updates are held back until `release`; the newest sequence that is
        not.
        """
        with self._lock:
            topic = self._topic(key, newest)
            topic.subscribers[subscriber] = HeldFrames()
            return topic.last

    def subscribe_book(
        self, security_id: str, subscriber: Subscriber, action: dict[str, Any]
    ) -> int:
        """Add a live subscriber to a book: `action` acknowledges, then the snapshot, then updates.

        Returns the price levels in the snapshot. A deep book takes tenths of a second to encode:
        that happens outside the lock, while the subscriber's updates are held back.
        """
        key = ("book", security_id)
        bids, asks = [], []
        with self._lock:
            market = self._market.security(security_id)
            topic = self._topic(key, 0)
            topic.subscribers[subscriber] = HeldFrames()
            at, version, time_us = topic.last, market.sequence, market.updated_us
            snapshot = self._book_snapshots.find(security_id, at, version)
            if snapshot is None:
                bids, asks = market.bids.depth(), market.asks.depth()
        if snapshot is None:
            encode = self._book_snapshots.encode
            snapshot = encode(security_id, at, version, bids, asks, time_us)
        subscriber.put(json_frame(action | {"sequence": at}), public_name(key), at)
        for frame in snapshot.frames:
            subscriber.put(frame, public_name(key), at, is_snapshot=True)
        self._sender.wake(subscriber)
        self.release(key, subscriber)
        return snapshot.levels

    def release(self, key: TopicKey, subscriber: Subscriber) -> None:
        """Send what was held back; the subscriber is live from here on."""
        with self._lock:
            topic = self._topics.by_key.get(key)
            held = topic.subscribers.get(subscriber) if topic else None
            if topic is None or held is None:
                return
            topic.subscribers[subscriber] = None
            frames = held.joined()
            if frames:
                self._topics.put(subscriber, key, frames, topic.last)
        self._sender.schedule_flush()

    def send(
        self, subscriber: Subscriber, message: Any, key: TopicKey | None = None, sequence: int = 0
    ) -> bool:
        """Queue one message for one subscriber; False once it ends."""
        return self.send_frames(subscriber, json_frame(message), key, sequence)

    def send_frames(
        self, subscriber: Subscriber, frames: bytes, key: TopicKey | None = None, sequence: int = 0
    ) -> bool:
        """Queue frames for one subscriber; False once it ends."""
        queued = subscriber.put(frames, public_name(key) if key else "", sequence)
        self._sender.wake(subscriber)
        self._sender.schedule_flush()
        return queued

    def unsubscribe(self, key: TopicKey, subscriber: Subscriber) -> bool:
        """Remove a subscriber from a topic; False if it was not there."""
        with self._lock:
            return self._topics.remove(key, subscriber)

    def leave(self, subscriber: Subscriber) -> None:
        """Remove a subscriber from everything."""
        with self._lock:
            for key in list(self._topics.by_key):
                self._topics.remove(key, subscriber)

    def published(self, key: TopicKey) -> int:
        """The newest sequence that a message of this topic can have by now."""
        channel, subject = key
        with self._lock:
            if channel == "trades":
                last = self._market.security(subject).last
                return last.trade_id if last else 0
            if channel in ("settlements", "corrections"):
                return self._positions.get(SETTLEMENTS, 0)
            return max(
                (sharded_position(stream, at) for stream, at in self._positions.items()), default=0
            )

    def end(self, subscriber: Subscriber, code: int, reason: str) -> None:
        """Close one subscriber after what is queued."""
        subscriber.end(code, reason)
        self._sender.wake(subscriber)
        self._sender.schedule_flush()

    def _tell_status(self, status: dict[str, Any]) -> None:
        self._status = status
        self._status_count += 1
        if STATUS in self._topics.by_key:
            self._topics.tell(STATUS, self._status_count, status)

    def _topic(self, key: TopicKey, newest: int) -> Topic:
        """The topic, made if nobody listened yet.

        What happened since the start of this process is known here.
        """
        topic = self._topics.by_key.get(key)
        if topic is None:
            topic = self._topics.by_key[key] = Topic(self._first_last(key, newest))
        return topic

    def _first_last(self, key: TopicKey, newest: int) -> int:
        channel, subject = key
        if channel == "status":
            return self._status_count
        if channel in (*PRIVATE, "corrections"):
            return self._newest.get(key, newest)
        market = self._market.security(subject)
        if channel == "trades":
            return market.last.trade_id if market.last else 0
        return market.sequence

    def _snapshot(self, key: TopicKey, sequence: int) -> dict[str, Any] | None:
        channel, subject = key
        head = {
            "channel": channel,
            "type": "snapshot",
            "security": subject,
            "sequence": sequence,
            "previous": None,
        }
        if channel != "price":
            return None
        market = self._market.security(subject)
        return (
            head
            | views.top(subject, self._tradable(subject, market.top()))
            | {"time_us": market.updated_us or None}
        )

    def _tell_market(self, change: MarketChange, effect: BatchEffect) -> None:
        book, price = ("book", change.security_id), ("price", change.security_id)
        if book in self._topics.by_key and (change.bids or change.asks):
            self._tell_book(book, change, effect)
        if price in self._topics.by_key and change.top is not None:
            top = self._tradable(change.security_id, change.top)
            view = {
                "type": "update",
                **views.top(change.security_id, top),
                "time_us": effect.time_us,
            }
            self._topics.tell(price, effect.last_sequence, view)
        if change.trades:
            self._tell_trades(change.trades)

    def _tell_book(self, key: TopicKey, change: MarketChange, effect: BatchEffect) -> None:
        topic, sequence = self._topics.by_key[key], effect.last_sequence
        frames = update_frames(
            change.security_id, sequence, topic.last, change.bids, change.asks, effect.time_us
        )
        topic.last = sequence
        self._topics.put_all(topic, key, frames)

    def _tell_prices(self, effect: BatchEffect) -> None:
        """A phase began: what can be traded at once may be another now, though no order moved."""
        for (channel, security_id), topic in list(self._topics.by_key.items()):
            if channel == "price" and topic.last < effect.last_sequence:
                view = self._price_update(security_id, effect.time_us)
                self._topics.tell(("price", security_id), effect.last_sequence, view)

    def _price_update(self, security_id: str, time_us: int) -> dict[str, Any]:
        top = self._tradable(security_id, self._market.security(security_id).top())
        return {"type": "update", **views.top(security_id, top), "time_us": time_us}

    def _tradable(self, security_id: str, top: TopOfBook) -> TopOfBook:
        """The top without bid and ask while the security does not trade: they may cross, and nobody
        can have them.
        """
        shard, _ = shard_and_number(self._market.security(security_id).sequence)
        if self._session.phase(shard, security_id).phase == CONTINUOUS:
            return top
        return msgspec.structs.replace(top, bid=None, ask=None)

    def _tell_trades(self, trades: list[RecordedTrade]) -> None:
        key = ("trades", trades[0].security_id)
        topic = self._topics.by_key.get(key)
        if topic is not None:
            frames = []
            for trade in trades:
                frames.append(json_frame(views.trade_message(trade, topic.last)))
                topic.last = trade.trade_id
            self._topics.put_all(topic, key, b"".join(frames))

    def _tell_owners(self, reports: list[ExecutionReport]) -> None:
        newest, topics = self._newest, self._topics.by_key
        for report in reports:
            sequence = report.event_sequence
            orders = ("orders", report.client_id)
            newest[orders] = sequence
            if orders in topics:
                self._topics.tell(orders, sequence, views.execution_report(report))
            if report.kind == "trade":
                fills = ("fills", report.client_id)
                newest[fills] = sequence
                if fills in topics:
                    self._topics.tell(fills, sequence, views.fill(report))
