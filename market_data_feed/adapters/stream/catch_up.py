"""Replaying a topic from the record, then going live without a hole or a repeat."""

from collections.abc import Callable
from typing import Any

from market_data_feed.adapters import views
from market_data_feed.adapters.records import Records
from market_data_feed.adapters.stream.frames import json_frame
from market_data_feed.adapters.stream.hub import Hub, TopicKey, trade_message
from market_data_feed.adapters.stream.subscriber import TOO_SLOW, Subscriber

RESUMABLE = ("orders", "fills", "settlements", "trades")
_PAGE = 500
_PATIENCE_S = 30.0

Row = tuple[int, dict[str, Any]]
"""Sequence of a message and the message without its `previous`."""


class CatchUp:
    """Reads what a subscriber missed.

    Runs where the subscriber's actions run, one at a time: it reads the database and waits for the
    client to read, so the transport must call it in a thread, never on an event loop.
    """

    def __init__(self, hub: Hub, records: Records) -> None:
        self._hub = hub
        self._records = records

    def newest(self, key: TopicKey) -> int:
        """Sequence of the newest message of a topic that is published, read from the record where
        that is needed.
        """
        channel, subject = key
        published = self._hub.published(key)
        if channel == "settlements":
            return self._records.last_settlement(subject, published)
        if channel in ("orders", "fills"):
            return self._records.last_report(subject, published, fills_only=channel == "fills")
        return 0

    def run(self, key: TopicKey, subscriber: Subscriber, after: int) -> int:
        """Replay everything of the topic after `after`, then let it go live; how many messages.

        Ends early if the subscriber ends.
        """
        after, most = self._replay(key, subscriber, after, self._hub.published(key))
        # Twice: the first replay may be long and runs beside live trading, the second is short,
        # so little has to be held back in memory while it runs.
        cut = self._hub.subscribe_held(key, subscriber, self.newest(key))
        _, rest = self._replay(key, subscriber, after, cut)
        self._hub.release(key, subscriber)
        return most + rest

    def _replay(
        self, key: TopicKey, subscriber: Subscriber, after: int, through: int
    ) -> tuple[int, int]:
        """Send the messages with after < sequence <= through; the last of them, and how many."""
        read, count = self._source(key), 0
        while not subscriber.is_ending():
            rows = read(after, through)
            frames = []
            for sequence, view in rows:
                frames.append(
                    json_frame({"channel": key[0], **view, "sequence": sequence, "previous": after})
                )
                after = sequence
            count += len(rows)
            if frames:
                if not subscriber.wait_for_room(_PATIENCE_S):
                    subscriber.end(TOO_SLOW, "too slow")
                self._hub.send_frames(subscriber, b"".join(frames), key, after)
            if len(rows) < _PAGE:
                break
        return after, count

    def _source(self, key: TopicKey) -> Callable[[int, int], list[Row]]:
        channel, subject = key
        records = self._records
        if channel == "trades":
            return lambda after, through: [
                (trade.trade_id, trade_message(trade, 0))
                for trade in records.trades_after(subject, after, _PAGE, through)
            ]
        if channel == "settlements":
            return lambda after, through: [
                (report.sequence, views.settlement(report))
                for report in records.settlements(subject, after, _PAGE, through)
            ]
        is_fills = channel == "fills"
        show = views.fill if is_fills else views.execution_report
        return lambda after, through: [
            (report.event_sequence, show(report))
            for report in records.reports(subject, after, _PAGE, is_fills, through)
        ]
