"""From ports to running parts: how an engine is put together, live and in the simulation."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from matching_engine.handlers import MatchingDesk
from matching_engine.loops.command_reader import CommandReader
from matching_engine.loops.resender import Resender
from matching_engine.ports import LogReader, Snapshots
from matching_engine.recent_events import RecentEvents
from service_runtime.bus import Consumer, Publisher
from venue_protocol.message_bounds import BOUNDS, MessageBounds
from venue_protocol.topology import order_entry_queue


@dataclass(frozen=True, kw_only=True)
class EnginePorts:
    """What one engine is connected to."""

    consumer: Consumer
    publisher: Publisher
    resend_consumer: Consumer
    resend_publisher: Publisher
    log_reader: LogReader
    snapshots: Snapshots
    bounds: MessageBounds = BOUNDS

    def is_broker_ready(self) -> bool:
        """Whether commands come and events get out, also those that are sent again."""
        return (
            self.consumer.is_ready()
            and self.publisher.is_ready()
            and self.resend_publisher.is_ready()
        )


@dataclass(frozen=True)
class EngineParts:
    """The desk, and the loops that each need a thread."""

    desk: MatchingDesk
    reader: CommandReader
    resender: Resender


def wire(
    shard: int,
    ports: EnginePorts,
    stopping: threading.Event,
    now_s: Callable[[], float] = time.monotonic,
    *,
    desk_type: type[MatchingDesk] = MatchingDesk,
    resender_type: type[Resender] = Resender,
) -> EngineParts:
    """One engine, ready to run. The simulation hands in parts with planted bugs."""
    recent = RecentEvents()
    desk = desk_type(
        shard, ports.publisher, recent, ports.snapshots, ports.log_reader, ports.bounds
    )
    reader = CommandReader(desk, ports.consumer, order_entry_queue(shard), stopping, now_s)
    resender = resender_type(
        shard,
        ports.resend_consumer,
        ports.resend_publisher,
        recent,
        ports.snapshots,
        ports.log_reader,
        stopping,
        ports.bounds,
    )
    return EngineParts(desk, reader, resender)
