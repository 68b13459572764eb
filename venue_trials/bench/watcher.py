"""A process beside the venue that notes when things become known: matched and settled on the
broker, seen on streams.

It reads `data_feed` through a private queue of its own, as every WebSocket process does, and
decodes only the numbers it needs; and it listens to the private streams of a few clients. It ends
when its standard input does.
"""

import gc
import os
import selectors
import sys
import threading
import time
from array import array
from collections.abc import Callable
from pathlib import Path

import msgspec

from service_runtime.buses.rabbitmq import RabbitBus
from venue_protocol.orders import BUY
from venue_protocol.topology import DATA_FEED
from venue_trials.load.wire import WebSocketConnection

_STREAM = "/v1/stream"
_TURN_S = 0.2
_MOST_MESSAGES = 64

MATCHED = "matched"
"""File of: time, newest log sequence matched, newest event."""
TRADES = "trades"
"""File of: trade_id, order_id of its aggressor."""
SETTLED = "settled"
"""File of: time, newest trade settled, number of settlement reports in the message."""
SEEN = "seen"
"""File of: time, order_id, 0 for its acceptance on the channel `orders` and 1 for a report on
`settlements`.
"""
WIDTHS = {MATCHED: 3, TRADES: 2, SETTLED: 3, SEEN: 3}


class WatchPlan(msgspec.Struct, frozen=True):
    """What to watch, and where to leave what was seen."""

    broker_url: str
    market_data_url: str
    keys: list[str]
    """Of the clients whose private streams are heard."""
    folder: str


class _Event(msgspec.Struct, gc=False):
    trade_id: int = 0
    aggressor: str = ""
    buy_order_id: int = 0
    sell_order_id: int = 0


class _Events(msgspec.Struct, tag_field="kind", tag="event_batch", gc=False):
    first: int
    log_last: int
    events: list[_Event]


class _Report(msgspec.Struct, gc=False):
    trade_id: int | None = None


class _Settlements(msgspec.Struct, tag_field="kind", tag="settlement_batch", gc=False):
    reports: list[_Report]


class _Position(msgspec.Struct, tag_field="kind", tag="stream_position", gc=False):
    pass


class _Refusals(msgspec.Struct, tag_field="kind", tag="order_reports", gc=False):
    pass


class _Frame(msgspec.Struct, gc=False):
    channel: str = ""
    action: str = ""
    kind: str = ""
    order_id: int | None = None


_message_decoder = msgspec.json.Decoder(_Events | _Settlements | _Position | _Refusals)
_frame_decoder = msgspec.json.Decoder(_Frame)


class Watcher:
    """Two threads, one for the broker and one for the streams; each writes arrays of its own."""

    def __init__(self, plan: WatchPlan) -> None:
        self._bus = RabbitBus(plan.broker_url, "bench_watcher")
        self._tap = self._bus.subscription(DATA_FEED, prefetch=1_000)
        self._selector = selectors.DefaultSelector()
        self.found: dict[str, array[int]] = {name: array("q") for name in WIDTHS}
        for key in plan.keys:
            stream = WebSocketConnection(plan.market_data_url, _STREAM, key)
            for channel in ("orders", "settlements"):
                stream.send(f'{{"action":"subscribe","channel":"{channel}"}}')
            self._selector.register(stream, selectors.EVENT_READ, stream)

    def tap(self, stopping: threading.Event) -> None:
        """Note what is matched and settled until stopping."""
        while not stopping.is_set():
            deliveries = self._tap.receive(_TURN_S, _MOST_MESSAGES)
            now_ns = time.monotonic_ns()
            for delivery in deliveries:
                message = _message_decoder.decode(delivery.body)
                if isinstance(message, _Events):
                    self._note_events(message, now_ns)
                elif isinstance(message, _Settlements):
                    self._note_settlements(message, now_ns)
            if deliveries:
                self._tap.ack(deliveries[-1])

    def listen(self, stopping: threading.Event) -> None:
        """Note what the streams show until stopping.

        A stream that is cut off ends this process: it proves nothing.
        """
        seen = self.found[SEEN]
        while not stopping.is_set():
            for key, _ in self._selector.select(_TURN_S):
                now_ns = time.monotonic_ns()
                for content in key.data.frames():
                    frame = _frame_decoder.decode(content)
                    if frame.channel == "settlements" and not frame.action:
                        seen.extend((now_ns, frame.order_id or 0, 1))
                    elif frame.channel == "orders" and frame.kind == "new":
                        seen.extend((now_ns, frame.order_id or 0, 0))

    def _note_events(self, batch: _Events, now_ns: int) -> None:
        for event in batch.events:
            if event.trade_id:
                aggressor = event.buy_order_id if event.aggressor == BUY else event.sell_order_id
                self.found[TRADES].extend((event.trade_id, aggressor))
        last = batch.first + len(batch.events) - 1
        self.found[MATCHED].extend((now_ns, batch.log_last, last))

    def _note_settlements(self, batch: _Settlements, now_ns: int) -> None:
        trades = [report.trade_id for report in batch.reports if report.trade_id is not None]
        if trades:
            self.found[SETTLED].extend((now_ns, trades[-1], len(batch.reports)))


def main(path: str) -> int:
    """Watch by the plan in `path` until standard input ends, then leave the files."""
    plan = msgspec.json.decode(Path(path).read_bytes(), type=WatchPlan)
    watcher = Watcher(plan)
    stopping = threading.Event()
    threads = [
        threading.Thread(target=_or_die, args=(loop, stopping))
        for loop in (watcher.tap, watcher.listen)
    ]
    gc.disable()
    for thread in threads:
        thread.start()
    print("ready", flush=True)
    sys.stdin.read()
    stopping.set()
    for thread in threads:
        thread.join()
    for name, numbers in watcher.found.items():
        with (Path(plan.folder) / name).open("wb") as file:
            numbers.tofile(file)
    return 0


def _or_die(loop: Callable[[threading.Event], None], stopping: threading.Event) -> None:
    try:
        loop(stopping)
    except BaseException as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr, flush=True)
        os._exit(1)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
