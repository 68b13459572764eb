"""What a message costs, and an order weighs, with so many orders resting in the book."""

import gc
import os
import random
import statistics
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import msgspec

from matching_engine.domain.engine import MatchingEngine
from venue_protocol import codec
from venue_protocol.commands import CancelOrder, Command, CommandBatch, PlaceOrder
from venue_protocol.orders import BUY, GTC, IOC, LIMIT, SELL, Side, TimeInForce
from venue_trials.bench.order_flow import SECURITY, TICK_E4

_MID_TICKS = 30_000
_MOST_LEVELS = 2_000
"""Price levels of a book side, at most; a small book has one for ten orders."""
_OWNERS = 200
_MOST_IN_BATCH = 300
_CANCELS, _TAKERS = 0.45, 0.10
"""Of the messages.

The others rest; what is missing or too many after a batch is mended without being timed.
"""
_MESSAGES_A_RUN = 20_000
_LEAST_TO_WEIGH = 100_000
_NEAR_TOP = 0.9
"""Of a typical flow: messages about recent orders, and prices near the top."""
_RECENT_ORDERS = 1_000
_TYPICAL_DISTANCE = 20


class DepthCost(msgspec.Struct, frozen=True):
    """Figures at one number of resting orders."""

    resting: int
    levels: int
    microseconds: float
    """Processor time of one message, commands in and events out, in a mix that keeps the number of
    orders. As in the recorded workloads, nine in ten messages are about recent orders and prices
    near the top.
    """
    scattered_microseconds: float
    """The same where every order and every price is as likely as any other: each finds cold
    memory.
    """
    bytes_an_order: float | None
    """Growth of the process while the book was filled; None where that is too little to tell."""


def measure_depth(resting: int, repeats: int, seed: int) -> DepthCost:
    """The figures at `resting` orders, in a process of its own so that its memory can be told."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(_measure, resting, repeats, seed).result()


def _measure(resting: int, repeats: int, seed: int) -> DepthCost:
    crowd = _Crowd(resting, seed)
    gc.collect()
    before = _resident_bytes()
    crowd.fill()
    gc.collect()
    weight = (_resident_bytes() - before) / resting if resting >= _LEAST_TO_WEIGH else None
    crowd.start_canceling()
    # As the service does after its recovery: a large book is nothing for the collector to walk
    # through.
    gc.freeze()
    levels = sum(len(list(book_side.prices())) for book_side in crowd.engine.sides)
    typical = [crowd.run(_MESSAGES_A_RUN) for _ in range(repeats + 1)]
    crowd.near_top = 0.0
    scattered = [crowd.run(_MESSAGES_A_RUN) for _ in range(repeats + 1)]
    return DepthCost(
        resting,
        levels,
        statistics.median(typical[1:]) * 1e6,
        statistics.median(scattered[1:]) * 1e6,
        weight,
    )


def _resident_bytes() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


class _Crowd:
    """An engine with a number of resting orders, and the flow that keeps it so."""

    def __init__(self, resting: int, seed: int) -> None:
        self.engine = MatchingEngine()
        self._resting = resting
        self._levels = max(5, min(_MOST_LEVELS, resting // 20))
        self._dice = random.Random(seed)
        self._known: list[int] = []
        self.near_top = 0.0
        """Share of messages about recent orders and prices near the top."""

    def fill(self) -> None:
        """Rest what is missing, as the wire brings it, keeping no message."""
        while (missing := self._resting - len(self.engine.orders)) > 0:
            self._apply([self._rest() for _ in range(min(missing, _MOST_IN_BATCH))])

    def start_canceling(self) -> None:
        """Know which orders there are, and go on as a market does."""
        self._known = list(self.engine.orders)
        self.near_top = _NEAR_TOP

    def run(self, messages: int) -> float:
        """Processor seconds a message of the mix."""
        size = max(10, min(_MOST_IN_BATCH, self._resting // 3))
        batches = messages // size
        return sum(self._run_batch(size) for _ in range(batches)) / (batches * size)

    def _run_batch(self, size: int) -> float:
        first = self.engine.log_position + 1
        cancels = [self._cancel() for _ in range(min(int(size * _CANCELS), self._resting // 2))]
        commands: list[Command] = [*cancels, *(self._take() for _ in range(int(size * _TAKERS)))]
        commands += [self._rest() for _ in range(size - len(commands))]
        self._dice.shuffle(commands)
        seconds = self._apply(commands)
        self.fill()
        if excess := len(self.engine.orders) - self._resting:
            self._apply([self._cancel() for _ in range(excess)])
        self._known += [
            order_id
            for order_id in range(first, self.engine.log_position + 1)
            if order_id in self.engine.orders
        ]
        return seconds

    def _apply(self, commands: list[Command]) -> float:
        first = self.engine.log_position + 1
        batch = codec.decode(codec.encode(CommandBatch(codec.SCHEMA, 0, first, first, commands)))
        assert type(batch) is CommandBatch
        started_s = time.process_time()
        self.engine.apply(batch)
        return time.process_time() - started_s

    def _rest(self) -> PlaceOrder:
        distance = self._dice.randrange(self._levels)
        if self._dice.random() < self.near_top:
            distance = min(int(self._dice.expovariate(1 / _TYPICAL_DISTANCE)), self._levels - 1)
        return self._place(BUY if self._dice.random() < 0.5 else SELL, 1 + distance, GTC)

    def _take(self) -> PlaceOrder:
        return self._place(BUY if self._dice.random() < 0.5 else SELL, -self._levels, IOC)

    def _place(self, side: Side, distance: int, time_in_force: TimeInForce) -> PlaceOrder:
        price_ticks = _MID_TICKS - distance if side == BUY else _MID_TICKS + distance
        client_id = f"{side.lower()}er{self._dice.randrange(_OWNERS)}"
        quantity = self._dice.randint(1, 500) if time_in_force == GTC else 100
        return PlaceOrder(
            client_id, SECURITY, side, LIMIT, time_in_force, quantity, price_ticks * TICK_E4
        )

    def _cancel(self) -> CancelOrder:
        """Cancel an order that rests, mostly a recent one if the flow is near the top."""
        while True:
            place = self._dice.randrange(len(self._known))
            if self._dice.random() < self.near_top:
                place = max(0, len(self._known) - 1 - self._dice.randrange(_RECENT_ORDERS))
            self._known[place], self._known[-1] = self._known[-1], self._known[place]
            order = self.engine.orders.get(self._known.pop())
            if order is not None:
                return CancelOrder(order.owner.client_id, order.order_id)
