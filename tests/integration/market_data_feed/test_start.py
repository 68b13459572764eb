"""Between the start of the process and the end of reading the record."""

from contextlib import closing

import psycopg2
import pytest

from tests.integration.market_data_feed.conftest import RunningFeed, wait_until
from tests.integration.market_data_feed.listener import Listener
from tests.unit.market_data_feed.tape import Tape


def test_until_the_record_is_read_nothing_empty_is_shown_and_a_resume_is_put_off(
    feed: RunningFeed,
) -> None:
    feed.record(Tape().batch("new 1 alice BUY 5@99.00"))
    feed.kill()
    with closing(psycopg2.connect(feed.clearing.provisioned.owner_market_url)) as connection:
        connection.cursor().execute("LOCK TABLE orders IN ACCESS EXCLUSIVE MODE")
        feed.start(is_awaited=False)
        assert "record" in feed.get("/readyz", status=503)["error"]["details"]["waiting_for"]
        answer = feed.request("/v1/book/AAPL")
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")
        with Listener(feed.stream_url) as listener:
            for more in (
                {"channel": "book", "security": "AAPL"},
                {"channel": "trades", "security": "AAPL", "resume_from": 1},
            ):
                assert (
                    listener.ask(action="subscribe", **more)["error"]["code"] == "service.not_ready"
                )
            connection.rollback()
            wait_until(feed.is_ready)
            assert (
                listener.ask(action="subscribe", channel="book", security="AAPL")["action"]
                == "subscribed"
            )
    assert feed.get("/v1/book/AAPL")["bids"]


@pytest.mark.parametrize("is_asked_before", [True, False])
def test_the_mark_is_the_same_after_a_restart(feed: RunningFeed, is_asked_before: bool) -> None:
    """The newest 1,000 trades are those of a pair, so the mark is not to be found in them."""
    tape = Tape()
    _trade(feed, tape, 1, "alice", "bob", "105.00", 1)
    _trade(feed, tape, 3, "carol", "root", "105.00", 1)
    if is_asked_before:
        assert feed.get("/v1/standings", "root")["prices"]["AAPL"] == "105.00"
    _trade(feed, tape, 5, "alice", "bob", "109.00", 1_100)
    before = feed.get("/v1/standings", "root")["prices"] if is_asked_before else None
    assert feed.stop() == 0
    feed.start()
    after = feed.get("/v1/standings", "root")["prices"]
    assert after["AAPL"] == "105.00"
    assert before in (None, after)


def _trade(
    feed: RunningFeed, tape: Tape, order_id: int, buyer: str, seller: str, price: str, trades: int
) -> None:
    """Record so many trades of one share between two clients."""
    feed.record(
        tape.batch(
            f"new {order_id} {buyer} BUY {trades}@{price}",
            f"new {order_id + 1} {seller} SELL {trades}@{price}",
            *[f"trade {order_id} {order_id + 1} 1@{price} SELL"] * trades,
        )
    )
