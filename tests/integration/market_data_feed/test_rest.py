"""The REST doors against the running service."""

from tests.integration.market_data_feed.conftest import RunningFeed
from tests.unit.market_data_feed.tape import Tape


def test_balance_shows_cash_held_and_available(feed: RunningFeed) -> None:
    assert feed.get("/balance/alice", "alice") == {
        "client_id": "alice",
        "balance": "10000.00",
        "held": "1.2345",
        "available": "9998.7655",
        "currency": "USD",
    }


def test_price_book_and_trades(feed: RunningFeed) -> None:
    tape = Tape()
    feed.record(
        tape.batch("new 1 alice SELL 10@100.50"),
        tape.batch("new 2 bob BUY 4@100.50", "trade 2 1 4@100.50 BUY"),
        tape.batch("new 3 carol BUY 5@100.00"),
    )
    price = feed.get("/v1/price/AAPL")
    assert (price["last"], price["bid"], price["ask"]) == ("100.50", "100.00", "100.50")
    book = feed.get("/v1/book/AAPL")
    assert book["bids"] == [{"price": "100.00", "quantity": 5, "orders": 1}]
    assert book["asks"] == [{"price": "100.50", "quantity": 6, "orders": 1}]
    (trade,) = feed.get("/v1/trades/AAPL")["trades"]
    assert (trade["trade_id"], trade["price"], trade["quantity"], trade["aggressor"]) == (1, "100.50", 4, "BUY")
