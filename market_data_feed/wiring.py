"""From ports to running parts: the same for the real service and for the simulation."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from market_data_feed.adapters.stream.hub import Hub
from market_data_feed.adapters.stream.sender import Sender
from market_data_feed.domain.market import Market
from market_data_feed.loops.recorder import Recorder
from market_data_feed.ports import MarketRecord, SettlementSource
from service_runtime.bus import Consumer, Publisher


@dataclass(frozen=True, kw_only=True)
class FeedPorts:
    """What the feed is given of the world."""

    consumer: Consumer
    publisher: Publisher
    record: MarketRecord
    settlements: SettlementSource
    sender: Sender


@dataclass(frozen=True, kw_only=True)
class Parts:
    """The feed, ready to run; `recorder.run` is the loop that records and shows."""

    market: Market
    hub: Hub
    recorder: Recorder


def wire(
    ports: FeedPorts,
    stopping: threading.Event,
    now_s: Callable[[], float] = time.monotonic,
    *,
    recorder_type: type[Recorder] = Recorder,
) -> Parts:
    """The parts on these ports. `now_s` paces healing; the class is for tests that break it."""
    market = Market()
    hub = Hub(market, ports.sender)
    recorder = recorder_type(
        ports.consumer, ports.publisher, ports.record, ports.settlements, hub, stopping, now_s
    )
    return Parts(market=market, hub=hub, recorder=recorder)
