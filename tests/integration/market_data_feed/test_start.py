"""Between the start of the process and the end of reading the record."""

from contextlib import closing

import psycopg2

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
