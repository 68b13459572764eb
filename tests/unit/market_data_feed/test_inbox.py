"""The inbox: the streams of all shards side by side."""

from market_data_feed.domain.inbox import Inbox
from tests.unit.market_data_feed.tape import Tape


def test_streams_of_two_shards_do_not_mix() -> None:
    first, second = Tape(0), Tape(1)
    inbox = Inbox({"events.0": 1})
    inbox.take_events(second.batch("new 1 a BUY 1@1.00"))
    inbox.take_events(first.batch("new 2 a BUY 1@1.00"))
    inbox.take_events(first.batch("new 3 a BUY 1@1.00"))
    due = inbox.take_due()
    assert [(batch.shard, first_new) for batch, first_new in due.events] == [(1, 1), (0, 2)]
    assert {(a.stream, a.before, a.after) for a in due.advances} == {
        ("events.0", 1, 2),
        ("events.1", 0, 1),
    }
    assert inbox.take_due().is_empty()


def test_what_waited_behind_a_gap_is_recorded_in_transactions_of_bounded_size() -> None:
    tape, inbox = Tape(0), Inbox({})
    batches = [tape.batch(f"new {number} a BUY 1@1.00") for number in range(1, 8)]
    for batch in [*batches[1:], batches[0]]:
        inbox.take_events(batch)
    sizes, ends = [], []
    while not (due := inbox.take_due(3)).is_empty():
        sizes.append(due.size())
        ends += [(advance.before, advance.after) for advance in due.advances]
    assert sizes == [3, 3, 1]
    assert ends == [(0, 3), (3, 6), (6, 7)]
