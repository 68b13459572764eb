"""Messages a second through the engine's core, with and without the codec, beside the codec
alone.
"""

import statistics
import time
from collections.abc import Callable, Iterable, Sequence

import msgspec

from matching_engine.domain.engine import MatchingEngine
from venue_protocol import codec
from venue_protocol.commands import Command, CommandBatch
from venue_protocol.events import EventBatch, Trade
from venue_trials.bench.order_flow import FlowMessage, OrderFlow


class Throughput(msgspec.Struct, frozen=True):
    """One workload's figures: messages a second, medians."""

    workload: str
    messages: int
    events: int
    trades: int
    whole: float
    """Decode, match, events, encode."""
    whole_cpu: float
    """The same by the processor time of this process: what it would be if nothing else ran."""
    book: float
    """Commands in, events out, both as objects."""
    baseline: float
    """Decode of the same commands and encode of the same events, without matching."""


def commands_of(messages: Iterable[FlowMessage]) -> list[Command]:
    """The log of a flow."""
    flow = OrderFlow()
    commands = []
    for message in messages:
        command = flow.command(message)
        flow.run(command)
        commands.append(command)
    return commands


def batches_of(commands: Sequence[Command], size: int) -> list[bytes]:
    """A log as bodies of messages on `order_entry`, `size` commands each."""
    return [
        codec.encode(
            CommandBatch(
                codec.SCHEMA, 0, start + 1, start + 1, list(commands[start : start + size])
            )
        )
        for start in range(0, len(commands), size)
    ]


def decoded(bodies: Iterable[bytes]) -> list[CommandBatch]:
    """The batches in these bodies."""
    return [batch for batch in map(codec.decode, bodies) if isinstance(batch, CommandBatch)]


def measure(
    name: str, messages: Iterable[FlowMessage], batch_size: int, repeats: int
) -> Throughput:
    """The figures of one workload; each way `repeats` times, by turns, so that a disturbance hits
    them alike.
    """
    commands = commands_of(messages)
    bodies = batches_of(commands, batch_size)
    batches = decoded(bodies)
    results = _run_book(batches)
    walls: dict[str, list[float]] = {"whole": [], "book": [], "baseline": []}
    cpus: list[float] = []
    for _ in range(repeats):
        wall, cpu = _time(lambda: _run_whole(bodies))
        walls["whole"].append(wall)
        cpus.append(cpu)
        walls["book"].append(_time(lambda: _run_book(batches))[0])
        walls["baseline"].append(_time(lambda: _run_codec(bodies, results))[0])
    count = len(commands)
    rate = {way: count / statistics.median(seconds) for way, seconds in walls.items()}
    events = [event for result in results for event in result.events]
    return Throughput(
        name,
        count,
        len(events),
        sum(type(event) is Trade for event in events),
        rate["whole"],
        count / statistics.median(cpus),
        rate["book"],
        rate["baseline"],
    )


def _time(work: Callable[[], object]) -> tuple[float, float]:
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - wall, time.process_time() - cpu


def _run_whole(bodies: list[bytes]) -> None:
    engine = MatchingEngine()
    for body in bodies:
        batch = codec.decode(body)
        assert type(batch) is CommandBatch
        codec.encode(engine.apply(batch))


def _run_book(batches: list[CommandBatch]) -> list[EventBatch]:
    engine = MatchingEngine()
    return [engine.apply(batch) for batch in batches]


def _run_codec(bodies: list[bytes], results: list[EventBatch]) -> None:
    for body, events in zip(bodies, results, strict=True):
        codec.decode(body)
        codec.encode(events)
