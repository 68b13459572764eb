"""What the feed shows of a command whose events come in several messages."""

from typing import Any

import msgspec

from market_data_feed.adapters.stream.hub import Hub
from market_data_feed.domain.market import Market
from market_data_feed.domain.orders import Fold
from market_data_feed.domain.working_order import WorkingOrder
from tests.unit.market_data_feed.tape import Tape
from venue_protocol.events import EventBatch


class SilentSender:
    """Nobody listens."""

    def wake(self, subscriber: object) -> None:
        """Nothing to send."""

    def schedule_flush(self) -> None:
        """Nothing to send."""


class Feed:
    """Folds batches and shows them."""

    def __init__(self) -> None:
        sender: Any = SilentSender()
        self.hub = Hub(Market(), sender)
        self.hub.start_at({})
        self._working: dict[int, WorkingOrder] = {}

    def take(self, batch: EventBatch) -> tuple[int | None, int | None]:
        """Best bid and ask afterwards."""
        fold = Fold(self._working)
        fold.apply(batch, batch.first)
        self.hub.publish(fold.effects, [], {"events.0": batch.last})
        top, _, _ = self.hub.top("AAPL")
        return top.bid and top.bid[0], top.ask and top.ask[0]


def test_a_sweep_that_comes_in_several_messages_is_shown_as_a_whole() -> None:
    tape, feed = Tape(), Feed()
    before = feed.take(tape.batch("new 1 ann SELL 5@100.00", "new 2 ann SELL 5@101.00"))
    assert before == (None, 1_000_000)
    first = tape.batch("new 3 bob BUY 12@102.00", "trade 3 1 5@100.00 BUY")
    assert feed.take(msgspec.structs.replace(first, log_last=first.log_first - 1)) == before
    assert feed.hub.positions() == {"events.0": 2}
    assert feed.take(tape.batch("trade 3 2 5@101.00 BUY")) == (1_020_000, None)
    assert feed.hub.positions() == {"events.0": 5}
    with feed.hub.market() as market:
        assert market.security("AAPL").bids.depth() == [(1_020_000, 2, 1)]
        assert market.security("AAPL").asks.depth() == []


def test_parts_of_two_shards_wait_for_their_own_last_part() -> None:
    tapes, feed = (Tape(0), Tape(1)), Feed()
    cut = [tape.batch(f"new {tape.shard + 1} ann BUY 5@{100 + tape.shard}.00") for tape in tapes]
    for batch in cut:
        feed.take(msgspec.structs.replace(batch, log_last=batch.log_first - 1))
    bid, _ = feed.take(tapes[1].batch("new 3 bob BUY 5@102.00"))
    assert bid == 1_020_000
    with feed.hub.market() as market:
        assert market.security("AAPL").bids.depth() == [(1_020_000, 5, 1), (1_010_000, 5, 1)]
