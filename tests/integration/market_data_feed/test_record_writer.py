"""One write of the record: repeated, and against another feed."""

import pytest

from market_data_feed.adapters import record_writer
from market_data_feed.domain.inbox import Inbox, PositionAdvance
from market_data_feed.domain.orders import BrokenStream, Fold
from service_runtime.database import Database
from tests.integration.market_data_feed.conftest import Clearing
from tests.integration.market_data_feed.recorded import assert_record_equals, dump
from tests.unit.market_data_feed.random_tape import RandomMarket
from tests.unit.market_data_feed.tape import START_US, Tape
from venue_protocol.events import EventBatch


def test_a_record_whose_commit_was_in_doubt_is_written_once(clearing: Clearing) -> None:
    tape = RandomMarket(seed=9).play(30)
    inbox, fold = Inbox({}), Fold({})
    for batch in tape.batches:
        inbox.take_events(batch)
        fold.apply(batch, batch.first)
    record = record_writer.compose(inbox.take_due(), fold)
    database = Database(clearing.provisioned.market_url("market_data_feed"), "test", pool_size=1)
    for _ in range(3):
        database.run(lambda cursor: record_writer.write(cursor, record))
    database.close()
    assert_record_equals(clearing, tape)


def test_a_second_feed_on_the_same_record_stops_instead_of_writing(clearing: Clearing) -> None:
    tape = RandomMarket(seed=10).play(3)
    database = Database(clearing.provisioned.market_url("market_data_feed"), "test", pool_size=1)

    def record(positions: dict[str, int], batch: EventBatch) -> None:
        inbox, fold = Inbox(positions), Fold({})
        inbox.take_events(batch)
        fold.apply(batch, batch.first)
        composed = record_writer.compose(inbox.take_due(), fold)
        database.run(lambda cursor: record_writer.write(cursor, composed))

    record({}, tape.batches[0])
    before = dump(clearing)
    other = Tape()
    other.batch("new 77 carol BUY 1@1.00")
    with pytest.raises(BrokenStream, match="another feed"):
        record({"events.0": 500}, EventBatch(1, 0, 501, 1, 1, START_US, other.batches[0].events))
    assert dump(clearing) == before
    database.close()


def test_a_record_of_which_another_feed_wrote_a_part_is_not_written(clearing: Clearing) -> None:
    database = Database(clearing.provisioned.market_url("market_data_feed"), "test", pool_size=1)

    def record(*advances: PositionAdvance) -> None:
        database.run(
            lambda cursor: record_writer.write(cursor, record_writer.Record(list(advances)))
        )

    record(PositionAdvance("events.0", 0, 10), PositionAdvance("settlements", 0, 5))
    record(PositionAdvance("settlements", 5, 6))
    before = dump(clearing)
    with pytest.raises(BrokenStream, match="another feed"):
        record(PositionAdvance("events.0", 10, 20), PositionAdvance("settlements", 5, 6))
    assert dump(clearing) == before
    database.close()
