"""The order in which the batches of several shards were settled.

Shards run side by side; reports and journals tell.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from venue_protocol.commands import CommandBatch
from venue_protocol.events import EventBatch

Told = tuple[str, int, int | str]
"""What the database tells of a settlement: ("trade", id, 0), ("cycle", shard, number), or
("action", id, step).
"""


class Matched(NamedTuple):
    """A batch with its events.

    `first_told`: what the database tells first of its settlement, None if it tells nothing.
    """

    batch: CommandBatch
    answer: EventBatch
    first_told: Told | None


def in_settlement_order(
    logs: Sequence[Iterator[Matched]], due: Callable[[], Told | None]
) -> Iterator[Matched]:
    """All batches of all shards. One that settled something comes when that is `due`: what the
    next report or journal is about.

    Among those that may come, and where the journals fit none, the earliest commit comes first.
    """
    ahead = {
        number: matched
        for number, log in enumerate(logs)
        if (matched := next(log, None)) is not None
    }
    while ahead:
        number = _choose(ahead, due() if len(ahead) > 1 else None)
        yield ahead[number]
        following = next(logs[number], None)
        if following is None:
            del ahead[number]
        else:
            ahead[number] = following


def _choose(ahead: dict[int, Matched], due: Told | None) -> int:
    ready = [number for number, matched in ahead.items() if matched.first_told in (None, due)]
    return min(ready or ahead, key=lambda number: ahead[number].batch.time_us)
