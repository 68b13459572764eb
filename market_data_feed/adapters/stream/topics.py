"""Who listens to what, and how far each topic has been told."""

from typing import Any

from market_data_feed.adapters.stream.sender import Sender
from market_data_feed.adapters.stream.subscriber import TOO_SLOW, Subscriber
from service_runtime.http.websocket_frames import json_frame
from venue_protocol.identifiers import sharded_id

TopicKey = tuple[str, str]
"""Channel, and the security (public) or client (private) it is about; empty for status."""

_MOST_HELD_BYTES = 1 << 23
"""Held back for one subscriber that catches up: four times its queue, since it reads at once."""
STATUS: TopicKey = ("status", "")
PRIVATE = ("orders", "fills", "settlements")
PUBLIC = ("price", "book", "trades", "corrections", "status")


class HeldFrames:
    """Frames held back from a subscriber until it has what came before them."""

    def __init__(self) -> None:
        self._frames: list[bytes] = []
        self._size = 0

    def add(self, frames: bytes) -> bool:
        """Keep these frames too; False once there are too many."""
        self._size += len(frames)
        self._frames.append(frames)
        return self._size <= _MOST_HELD_BYTES

    def joined(self) -> bytes:
        """All frames in their order."""
        return b"".join(self._frames)


class Topic:
    """One channel of one security or client, while somebody listens."""

    def __init__(self, last: int) -> None:
        self.last = last
        """Sequence of the newest message, the `previous` of the next."""
        self.subscribers: dict[Subscriber, HeldFrames | None] = {}
        """For each: None if live, else what is held back while it catches up."""


class Topics:
    """The topics that somebody listens to. Its caller holds the lock of the hub."""

    def __init__(self, sender: Sender) -> None:
        self.by_key: dict[TopicKey, Topic] = {}
        self._sender = sender

    def tell(self, key: TopicKey, sequence: int, view: dict[str, Any]) -> None:
        """Encode once, queue for each who listens to this topic."""
        topic = self.by_key[key]
        message = {"channel": key[0], **view, "sequence": sequence, "previous": topic.last}
        topic.last = sequence
        self.put_all(topic, key, json_frame(message))

    def put_all(self, topic: Topic, key: TopicKey, frames: bytes) -> None:
        """Queue frames for each who listens; held back for those who catch up."""
        for subscriber, held in topic.subscribers.items():
            if held is None:
                self.put(subscriber, key, frames, topic.last)
            elif not held.add(frames):
                subscriber.end(TOO_SLOW, "too slow")
                self._sender.wake(subscriber)

    def put(self, subscriber: Subscriber, key: TopicKey, frames: bytes, sequence: int) -> None:
        """Queue frames for one; `sequence` is that of the last message in them."""
        subscriber.put(frames, public_name(key), sequence)
        self._sender.wake(subscriber)

    def remove(self, key: TopicKey, subscriber: Subscriber) -> bool:
        """Remove a subscriber from a topic; False if it was not there."""
        topic = self.by_key.get(key)
        if topic is None or subscriber not in topic.subscribers:
            return False
        del topic.subscribers[subscriber]
        if not topic.subscribers:
            del self.by_key[key]
        return True


def public_name(key: TopicKey) -> str:
    """`book:AAPL`, `orders`: how a topic is named to its subscriber."""
    channel, subject = key
    return channel if channel in PRIVATE or not subject else f"{channel}:{subject}"


def sharded_position(stream: str, position: int) -> int:
    """A position in the events of a shard as messages number it; 0 for other streams."""
    name, _, shard = stream.partition(".")
    return sharded_id(int(shard), position) if name == "events" else 0
