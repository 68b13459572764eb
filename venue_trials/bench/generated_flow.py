"""Seeded order flow in the shapes of the consensus workloads, for machines without the recorded
ones.

Half of the messages are new orders (15 in 100 of them IOC), most others cancels, the rest modifies;
they keep to the mid price, whose path is the shape.
"""

import math
import random
from collections.abc import Callable, Iterator

from venue_protocol.orders import BUY, SELL, Side
from venue_trials.bench.order_flow import FlowMessage

_MID_TICKS = 33_000
_NEW, _CANCEL = 0.50, 0.91
_IOC = 0.15
_TYPICAL_DISTANCE_TICKS = 40.0
_AGGRESSIVE = 0.03
_MOST_KNOWN = 1500

Path = Callable[[float], float]
"""The mid price, as a factor of its start, at a share of the way from 0 to 1."""


def _static(_way: float) -> float:
    return 1.0


def _normal(way: float) -> float:
    """Slow waves of different lengths, one per cent in all."""
    return 1 + 0.006 * math.sin(9 * way) + 0.004 * math.sin(31 * way + 1)


def _swing(way: float) -> float:
    """25 per cent up and down, four times."""
    return 1 + 0.25 * math.sin(8 * math.pi * way)


def _flash_crash(way: float) -> float:
    """Calm; then 30 per cent lost in a fiftieth of the way, and won back in a fifth."""
    if way < 0.5:
        return 1.0
    if way < 0.52:
        return 1 - 0.3 * (way - 0.5) / 0.02
    return 1 - 0.3 * max(0.0, 1 - (way - 0.52) / 0.2)


SHAPES: dict[str, Path] = {
    "static": _static,
    "normal": _normal,
    "swing": _swing,
    "flash-crash": _flash_crash,
}


def generate(shape: str, seed: int, count: int) -> Iterator[FlowMessage]:
    """`count` messages of a shape; the same for the same seed."""
    dice = random.Random(f"{shape} {seed}")
    path = SHAPES[shape]
    known: list[tuple[int, Side]] = []
    for number in range(count):
        mid_ticks = round(_MID_TICKS * path(number / count))
        draw = dice.random()
        if draw < _NEW or not known:
            side: Side = BUY if dice.random() < 0.5 else SELL
            known.append((number, side))
            price = _price_ticks(dice, side, mid_ticks)
            yield FlowMessage(
                "new", number, side, dice.randint(1, 100), price, dice.random() < _IOC
            )
        elif draw < _CANCEL:
            outside_id, side = _pick(dice, known, remove=True)
            yield FlowMessage("cancel", outside_id)
        else:
            outside_id, side = _pick(dice, known, remove=False)
            price = _price_ticks(dice, side, mid_ticks)
            yield FlowMessage("modify", outside_id, side, dice.randint(1, 100), price)


def _price_ticks(dice: random.Random, side: Side, mid_ticks: int) -> int:
    distance = 1 + int(dice.expovariate(1 / _TYPICAL_DISTANCE_TICKS))
    if dice.random() < _AGGRESSIVE:
        distance = -distance
    return mid_ticks - distance if side == BUY else mid_ticks + distance


def _pick(dice: random.Random, known: list[tuple[int, Side]], remove: bool) -> tuple[int, Side]:
    """A known order, which may be dead by now; the oldest ones go first once there are many."""
    place = 0 if len(known) > _MOST_KNOWN else dice.randrange(len(known))
    known[place], known[-1] = known[-1], known[place]
    return known.pop() if remove else known[-1]
