"""Shards run side by side: their batches come in the order in which their trades were settled."""

from collections.abc import Iterator

from venue_audit.settlement_order import Matched, Told, in_settlement_order
from venue_protocol.commands import CancelOrder, CommandBatch
from venue_protocol.events import EventBatch


def log(shard: int, *entries: tuple[int, int | None]) -> Iterator[Matched]:
    """Batches of a shard as (time, first trade)."""
    for number, (time_us, trade_id) in enumerate(entries, 1):
        batch = CommandBatch(1, shard, number, time_us, [CancelOrder("ann", 1)])
        yield Matched(
            batch, EventBatch(1, shard, number, number, number, time_us, []), told(trade_id)
        )


def told(trade_id: int | None) -> Told | None:
    return None if trade_id is None else ("trade", trade_id, 0)


def ordered(journals: list[int], *logs: Iterator[Matched]) -> list[tuple[int, int]]:
    """(shard, time) of the batches; the journal of each batch's trade counts as written once it
    came.
    """
    waiting = [told(journal) for journal in journals]
    came = []
    for matched in in_settlement_order(logs, lambda: waiting[0] if waiting else None):
        came.append((matched.batch.shard, matched.batch.time_us))
        if waiting and matched.first_told == waiting[0]:
            waiting.pop(0)
    return came


def test_one_shard_comes_in_its_own_order() -> None:
    assert ordered([7], log(0, (1, None), (2, 7), (3, None))) == [(0, 1), (0, 2), (0, 3)]


def test_trades_come_in_the_order_of_their_journals_whatever_their_commit_time() -> None:
    found = ordered([11, 21, 22, 12], log(0, (5, 11), (6, 12)), log(1, (1, 21), (2, 22)))
    assert found == [(0, 5), (1, 1), (1, 2), (0, 6)]


def test_batches_without_trades_come_by_commit_time() -> None:
    found = ordered([21, 11], log(0, (1, None), (4, 11)), log(1, (2, None), (3, 21), (9, None)))
    assert found == [(0, 1), (1, 2), (1, 3), (0, 4), (1, 9)]


def test_journals_that_fit_no_batch_stop_nothing() -> None:
    assert ordered([99], log(0, (2, 11)), log(1, (1, 21))) == [(1, 1), (0, 2)]


def test_empty_shards_are_passed_over() -> None:
    assert ordered([], log(0), log(1, (1, None)), log(2)) == [(1, 1)]
