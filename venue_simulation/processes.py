"""The venue's processes, wired like their `__main__` but on memory, and moved one step at a
time.
"""

from collections.abc import Callable, Sequence
from random import Random
from threading import Event
from typing import Any

import msgspec

from clearinghouse.handlers import SettlementDesk
from clearinghouse.loops.event_reader import EventReader
from clearinghouse.wiring import wire as wire_clearinghouse
from market_data_feed.adapters.memory_record import MemoryRecord
from market_data_feed.loops.recorder import Recorder
from market_data_feed.wiring import FeedPorts
from market_data_feed.wiring import wire as wire_feed
from matching_engine.adapters.memory_log_reader import MemoryLogReader
from matching_engine.domain.engine import MatchingEngine
from matching_engine.handlers import MatchingDesk
from matching_engine.loops.resender import Resender
from matching_engine.wiring import EnginePorts, wire
from order_entry_gateway.adapters.memory_order_log import MemoryOrderLog
from order_entry_gateway.adapters.memory_timers import MemoryTimers
from order_entry_gateway.domain.recorded_order import RecordedOrder
from order_entry_gateway.loops.group_commit import Committer
from order_entry_gateway.wiring import GatewayPorts
from order_entry_gateway.wiring import wire as wire_gateway
from service_runtime.clock import ManualClock
from service_runtime.database import DatabaseUnavailable
from venue_protocol import codec
from venue_protocol.identifiers import sharded_id
from venue_protocol.message_bounds import BOUNDS, MessageBounds
from venue_protocol.securities import Security
from venue_protocol.settlement import SettlementReport
from venue_protocol.topology import DATA_FEED, ORDER_EXECUTION, order_entry_queue, resend_queue
from venue_simulation.broker import SimulatedBus, SimulatedConsumer, SimulatedPublisher
from venue_simulation.memory_ledger_store import MemoryLedgerStore
from venue_storage.memory_clearing_data import MemoryClearing


class Surroundings:
    """What outlives a process: databases, broker, snapshot files, time."""

    def __init__(
        self,
        bus: SimulatedBus,
        securities: dict[str, Security],
        shards: int,
        bounds: MessageBounds = BOUNDS,
    ) -> None:
        self.clearing = MemoryClearing(shards)
        self.record = MemoryRecord()
        self.bus = bus
        self.clock = ManualClock()
        self.securities = securities
        self.bounds = bounds
        self.snapshots = {shard: MemorySnapshots() for shard in range(shards)}

    def now_s(self) -> float:
        """Seconds for the processes' pauses."""
        return self.clock.now_us() / 1_000_000


class RealParts:
    """The parts that a planted bug may replace; here without one."""

    order_log: type[MemoryOrderLog] = MemoryOrderLog
    committer: type[Committer] = Committer
    ledger_store: type[MemoryLedgerStore] = MemoryLedgerStore
    settlement_desk: type[SettlementDesk] = SettlementDesk
    event_reader: type[EventReader] = EventReader
    matching_desk: type[MatchingDesk] = MatchingDesk
    resender: type[Resender] = Resender
    recorder: type[Recorder] = Recorder


class MemorySnapshots:
    """Snapshots of one shard that survive the engine's process."""

    def __init__(self) -> None:
        self._contents: dict[int, bytes] = {}

    def save(self, engine: MatchingEngine) -> None:
        """Keep the engine's state."""
        self._contents[engine.log_position] = engine.snapshot()

    def load(self, events_at_most: int | None = None) -> MatchingEngine | None:
        """The newest one, or the newest whose events go no further than given."""
        for position in sorted(self._contents, reverse=True):
            engine = MatchingEngine.restore(self._contents[position])
            if events_at_most is None or engine.event_position <= events_at_most:
                return engine
        return None

    def discard(self, engine: MatchingEngine) -> None:
        """Forget one."""
        del self._contents[engine.log_position]

    def wipe(self) -> bool:
        """Delete all of them; whether there were any."""
        had = bool(self._contents)
        self._contents.clear()
        return had


class ImpatientEvent(Event):
    """`stopping`, never set; who waits on it lets simulated time pass."""

    def __init__(self, clock: ManualClock) -> None:
        super().__init__()
        self._clock = clock

    def wait(self, timeout: float | None = None) -> bool:
        """Time passes."""
        self._clock.advance(int((timeout or 0) * 1_000_000))
        return False


class SkewedClock:
    """A machine's clock that is a little wrong."""

    def __init__(self, clock: ManualClock, offset_us: int) -> None:
        self._clock = clock
        self._offset_us = offset_us

    def now_us(self) -> int:
        """The time this machine believes in."""
        return self._clock.now_us() + self._offset_us


class Process:
    """One process: it may be down. `steps` are what its threads can do next."""

    def __init__(self, name: str, around: Surroundings, parts: type[RealParts]) -> None:
        self.name = name
        self.around = around
        self.parts = parts
        self.is_up = False
        self.publishers: list[SimulatedPublisher] = []
        self._consumers: list[SimulatedConsumer] = []
        self.runs = 0

    def start(self) -> None:
        """Wire the parts and recover. A process may be killed while it starts."""
        self.runs += 1
        self.is_up = True
        self.wire(ImpatientEvent(self.around.clock))

    def wire(self, stopping: Event) -> None:
        """Make the parts."""
        raise NotImplementedError

    def steps(self) -> list[tuple[str, Callable[[], object]]]:
        """Its threads' next moves by name."""
        raise NotImplementedError

    def crash(self, dice: Random) -> None:
        """Gone with all its memory; its connections end."""
        self.is_up = False
        for publisher in self.publishers:
            publisher.crash(dice)
        for consumer in self._consumers:
            self.around.bus.forget(consumer)
        self.publishers, self._consumers = [], []

    def publisher(self) -> SimulatedPublisher:
        """A publisher that ends with the process."""
        self.publishers.append(self.around.bus.publisher())
        return self.publishers[-1]

    def consumer(self, queue: str, prefetch: int) -> SimulatedConsumer:
        """A consumer that ends with the process."""
        self._consumers.append(self.around.bus.consumer(queue, prefetch))
        return self._consumers[-1]


class Gateway(Process):
    """order_entry_gateway: group commit, and the reports of refusals."""

    def __init__(
        self, number: int, around: Surroundings, parts: type[RealParts], offset_us: int
    ) -> None:
        super().__init__(f"gateway{number}", around, parts)
        self._clock = SkewedClock(around.clock, offset_us)
        self.listed: dict[str, Security] = {}
        """The securities as it read them last."""

    def wire(self, stopping: Event) -> None:
        """As in order_entry_gateway.__main__, without a rate limit."""
        self.read_lists()
        ports = GatewayPorts(
            order_log=self.parts.order_log(self.around.clearing),
            publisher=self.publisher(),
            clock=self._clock,
            securities=self.listed,
            statuses=_Statuses(self.around),
            rate_limit=_NoLimit(),
            timers=MemoryTimers(self.around.clearing),
            run_name=f"{self.name}.{self.runs}",
            fees=lambda: self._fees,
        )
        self._fees = self.around.clearing.tables.fees.schedule()
        gateway = wire_gateway(ports, stopping, committer_type=self.parts.committer)
        self.desk, self.committer = gateway.desk, gateway.committer
        self.reporter, self.timekeeper = gateway.reporter, gateway.timekeeper

    def steps(self) -> list[tuple[str, Callable[[], object]]]:
        """Commit what waits; look at the due times; publish refusals."""
        return [
            ("commits", lambda: self.committer.step(0)),
            ("looks at the time", self._look_at_the_time),
            ("reports refusals", self.reporter.publish),
            ("reads fees and securities", self.read_lists),
        ]

    def read_lists(self) -> None:
        """Until then its orders carry the rates, and obey the listings, of before."""
        tables = self.around.clearing.tables
        self._fees = tables.fees.schedule()
        self.listed.clear()
        self.listed.update(tables.securities)

    def _look_at_the_time(self) -> int:
        try:
            return self.timekeeper.step()
        except DatabaseUnavailable:
            return 0


class Engine(Process):
    """matching_engine of one shard."""

    def __init__(self, shard: int, around: Surroundings, parts: type[RealParts]) -> None:
        super().__init__(f"engine{shard}", around, parts)
        self.shard = shard

    def wire(self, stopping: Event) -> None:
        """As in matching_engine.__main__, but with one publisher for events and resends."""
        around, shard = self.around, self.shard
        publisher = self.publisher()
        ports = EnginePorts(
            consumer=self.consumer(order_entry_queue(shard), 256),
            publisher=publisher,
            resend_consumer=self.consumer(resend_queue(shard), 1),
            resend_publisher=publisher,
            log_reader=MemoryLogReader(around.clearing, shard),
            snapshots=around.snapshots[shard],
            bounds=around.bounds,
        )
        engine = wire(
            shard,
            ports,
            stopping,
            around.now_s,
            desk_type=self.parts.matching_desk,
            resender_type=self.parts.resender,
        )
        self.desk, self.reader, self.resender = engine.desk, engine.reader, engine.resender
        self.reader.recover()

    def steps(self) -> list[tuple[str, Callable[[], object]]]:
        """Match; resend; write a snapshot."""
        return [
            ("matches", self.reader.step),
            ("resends", lambda: self.resender.step(0)),
            ("saves a snapshot", self.desk.save_snapshot),
        ]


class Clearing(Process):
    """clearinghouse."""

    def __init__(self, around: Surroundings, parts: type[RealParts]) -> None:
        super().__init__("clearinghouse", around, parts)

    def wire(self, stopping: Event) -> None:
        """As in clearinghouse.__main__."""
        publisher = self.publisher()
        parts = wire_clearinghouse(
            self.parts.ledger_store(self.around.clearing),
            self.consumer(ORDER_EXECUTION, 128),
            publisher,
            self.around.clock,
            stopping,
            now_s=self.around.now_s,
            settlement_desk=self.parts.settlement_desk,
            event_reader=self.parts.event_reader,
        )
        self.reader, self.administration, self.fees = parts.reader, parts.administration, parts.fees

    def steps(self) -> list[tuple[str, Callable[[], object]]]:
        """Settle."""
        return [("settles", lambda: self.reader.step(0))]


class Feed(Process):
    """market_data_feed: the recorder; nobody listens to its streams."""

    def __init__(self, around: Surroundings, parts: type[RealParts]) -> None:
        super().__init__("feed", around, parts)

    def wire(self, stopping: Event) -> None:
        """As in market_data_feed.__main__."""
        around = self.around
        sender: Any = _SilentSender()
        ports = FeedPorts(
            consumer=self.consumer(DATA_FEED, 200),
            publisher=self.publisher(),
            record=around.record,
            settlements=ClearingReader(around.clearing),
            sender=sender,
        )
        feed = wire_feed(ports, stopping, around.now_s, recorder_type=self.parts.recorder)
        self.market, self.recorder = feed.market, feed.recorder
        self.recorder.load()

    def steps(self) -> list[tuple[str, Callable[[], object]]]:
        """Record."""
        return [("records", lambda: self.recorder.step(0))]


class ClearingReader:
    """What the feed reads of clearing_data."""

    def __init__(self, clearing: MemoryClearing) -> None:
        self._clearing = clearing

    def reports_after(self, sequence: int, limit: int) -> list[SettlementReport]:
        """Settlement reports that follow `sequence`, at most `limit`."""
        with self._clearing.transaction() as transaction:
            reports = transaction.tables.reports
            last = min(sequence + limit, transaction.tables.settlement_head[True][0])
            return [
                codec.decode_report(reports[number].report)
                for number in range(sequence + 1, last + 1)
            ]


class _Statuses:
    """What the door looks up of orders that were logged."""

    def __init__(self, around: Surroundings) -> None:
        self._record = around.record.tables
        self._clearing = around.clearing

    def recorded_orders(self, order_ids: Sequence[int]) -> dict[int, RecordedOrder]:
        """These orders as they are recorded."""
        found = [self._record.orders.get(order_id) for order_id in order_ids]
        return {
            row.order_id: RecordedOrder(
                row.order_id,
                row.client_id,
                row.status,
                row.quantity,
                row.price_e4,
                max(
                    row.updated_us,
                    self._record.rejected_us.get((row.order_id, row.client_id), 0),
                ),
            )
            for row in found
            if row is not None
        }

    def order(self, order_id: int) -> tuple[str, dict[str, Any]] | None:
        """Owner and record of one order."""
        row = self._record.orders.get(order_id)
        return None if row is None else (row.client_id, msgspec.structs.asdict(row))

    def named(self, client_id: str, names: Sequence[str]) -> dict[str, int]:
        """Ids of the orders for which these client_order_ids stand."""
        tables = self._clearing.tables
        places = {
            name: tables.names[client_id, name]
            for name in names
            if (client_id, name) in tables.names
        }
        return {
            name: tables.log[place].amended_order_id or sharded_id(*place)
            for name, place in places.items()
        }


class _NoLimit:
    """Everybody may send as much as he likes."""

    def charge(self, client_id: str, commands: int, paid: int = 0) -> None:
        """Nothing."""


class _SilentSender:
    """A Sender of streams that nobody listens to."""

    def wake(self, subscriber: object) -> None:
        """Nothing to send."""

    def schedule_flush(self) -> None:
        """Nothing to send."""
