"""Replaying a topic from the record, then going live without a hole or a repeat."""

from collections.abc import Awaitable, Callable
from typing import Any

from market_data_feed.adapters import views
from market_data_feed.adapters.records import Records
from market_data_feed.adapters.stream.hub import Hub
from market_data_feed.adapters.stream.subscriber import TOO_SLOW, Subscriber
from market_data_feed.adapters.stream.topics import TopicKey
from service_runtime.http.websocket_frames import json_frame

RESUMABLE = ("orders", "fills", "settlements", "trades", "corrections")
_PAGE = 500
_PATIENCE_S = 30.0

InThread = Callable[..., Awaitable[Any]]
"""Runs a function that may block in a thread."""
Row = tuple[int, dict[str, Any]]
"""Sequence of a message and the message without its `previous`."""


class CatchUp:
    """Reads what a subscriber missed: the record in threads, while the rest waits on the server's
    loop for the client to read.
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
        if channel == "corrections":
            return self._records.last_correction(subject, published)
        if channel in ("orders", "fills"):
            return self._records.last_report(subject, published, fills_only=channel == "fills")
        return 0

    async def run(
        self, key: TopicKey, subscriber: Subscriber, after: int, in_thread: InThread
    ) -> int:
        """Replay everything of the topic after `after`, then let it go live; how many messages.

        Ends early if the subscriber ends.
        """
        published = await in_thread(self._hub.published, key)
        after, most = await self._replay(key, subscriber, after, published, in_thread)
        # Twice: the first replay may be long and runs beside live trading, the second is short,
        # so little has to be held back in memory while it runs.
        newest = await in_thread(self.newest, key)
        cut = await in_thread(self._hub.subscribe_held, key, subscriber, newest)
        _, rest = await self._replay(key, subscriber, after, cut, in_thread)
        await in_thread(self._hub.release, key, subscriber)
        return most + rest

    async def _replay(
        self, key: TopicKey, subscriber: Subscriber, after: int, through: int, in_thread: InThread
    ) -> tuple[int, int]:
        """Send the messages with after < sequence <= through; the last of them, and how many."""
        read, count = self._source(key), 0
        while not subscriber.is_ending():
            frames, after, rows = await in_thread(_read_page, read, key[0], after, through)
            count += rows
            if rows:
                if not await subscriber.wait_for_room(_PATIENCE_S):
                    subscriber.end(TOO_SLOW, "too slow")
                self._hub.send_frames(subscriber, frames, key, after)
            if rows < _PAGE:
                break
        return after, count

    def _source(self, key: TopicKey) -> Callable[[int, int], list[Row]]:
        channel, subject = key
        records = self._records
        if channel == "trades":
            return lambda after, through: [
                (trade.trade_id, views.trade_message(trade, 0))
                for trade in records.trades_after(subject, after, _PAGE, through)
            ]
        if channel == "corrections":
            return lambda after, through: [
                (row.sequence, views.trade_correction(row))
                for row in records.corrections(subject, after, _PAGE, through)
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


def _read_page(
    read: Callable[[int, int], list[Row]], channel: str, after: int, through: int
) -> tuple[bytes, int, int]:
    """The next messages as frames, the sequence of the last, and how many they are."""
    frames = []
    rows = read(after, through)
    for sequence, view in rows:
        message = {"channel": channel, **view, "sequence": sequence, "previous": after}
        frames.append(json_frame(message))
        after = sequence
    return b"".join(frames), after, len(rows)
