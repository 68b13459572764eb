"""The REST doors against the running service: one small market, seen by everybody and by its
owners.
"""

import pytest

from tests.integration.market_data_feed.conftest import RunningFeed, wait_until
from tests.integration.market_data_feed.settlements import settle, settled_already, settlement
from tests.unit.market_data_feed.tape import Tape


@pytest.fixture(scope="module")
def feed(shared_feed: RunningFeed) -> RunningFeed:
    """alice offers 10 at 100.50, bob takes 4; carol bids 5 at 100.00; alice cancels in MSFT.

    Three settlements.
    """
    tape = Tape()
    before = settled_already(shared_feed.clearing)
    shared_feed.record(
        tape.batch("new 1 alice SELL 10@100.50"),
        tape.batch("new 2 bob BUY 4@100.50", "trade 2 1 4@100.50 BUY"),
        tape.batch("new 3 carol BUY 5@100.00"),
        tape.batch(
            "new 4 alice BUY 7@99.00 MSFT",
            "cancel 4",
            "cancel_rejected 4 alice order.already_canceled",
        ),
    )
    reports = [
        settlement(before + 1, "alice", 1),
        settlement(before + 2, "bob", 1),
        settlement(before + 3, "alice", 2),
    ]
    shared_feed.send(settle(shared_feed.clearing, *reports))
    shared_feed.wait_for_position("settlements", before + 3)
    return shared_feed


def test_balance_shows_cash_held_and_available(feed: RunningFeed) -> None:
    assert feed.get("/balance/alice", "alice") == {
        "client_id": "alice",
        "balance": "10000.00",
        "held": "1.2345",
        "available": "9998.7655",
        "settled": "10000.00",
        "unsettled": "0.00",
        "currency": "USD",
    }


def held(client_id: str, security: str, quantity: int, held: int) -> dict[str, object]:
    """A holding as it is shown; all of it is settled, and nothing borrowed."""
    return {
        "client_id": client_id,
        "security": security,
        "quantity": quantity,
        "held": held,
        "available": quantity - held,
        "settled": quantity,
        "unsettled": 0,
        "borrowed": 0,
    }


def test_holdings_show_shares_held_and_available(feed: RunningFeed) -> None:
    expected = held("alice", "AAPL", 10, 3)
    assert feed.get("/holdings/AAPL/alice", "alice") == expected
    assert feed.get("/holdings/alice", "alice") == {
        "client_id": "alice",
        "holdings": [expected],
        "next": None,
    }


def test_a_listed_security_never_held_is_zero(feed: RunningFeed) -> None:
    assert feed.get("/holdings/MSFT/bob", "bob") == held("bob", "MSFT", 0, 0)
    assert feed.get("/holdings/bob", "bob")["holdings"] == []


def test_a_security_listed_a_moment_ago_is_known(feed: RunningFeed) -> None:
    feed.get("/v1/price/NEW1", status=404)
    feed.clearing.execute(
        "INSERT INTO securities VALUES ('NEW1', 'New', 0, 100, 1, 5000, 1000000, 1000000)"
    )
    wait_until(lambda: feed.request("/v1/price/NEW1").status_code == 200, timeout_s=2)
    price = feed.get("/v1/price/NEW1")
    assert (price["last"], price["bid"], price["ask"], price["time"]) == (None, None, None, None)
    assert feed.get("/v1/book/NEW1")["bids"] == []
    assert feed.get("/v1/trades/NEW1")["trades"] == []


def test_security_shows_its_trading_rules(feed: RunningFeed) -> None:
    rules = feed.get("/v1/securities/AAPL")
    assert (rules["tick"], rules["lot"], rules["reference_price"]) == ("0.01", 1, "100.00")
    assert rules in feed.get("/v1/securities")["securities"]


def test_price_and_book(feed: RunningFeed) -> None:
    price = feed.get("/v1/price/AAPL")
    assert (price["last"], price["bid"], price["ask"]) == ("100.50", "100.00", "100.50")
    assert (price["last_quantity"], price["bid_quantity"], price["ask_quantity"]) == (4, 5, 6)
    book = feed.get("/v1/book/AAPL")
    assert book["bids"] == [{"price": "100.00", "quantity": 5, "orders": 1}]
    assert book["asks"] == [{"price": "100.50", "quantity": 6, "orders": 1}]
    assert (book["sequence"], book["time_us"]) == (price["sequence"], price["time_us"])


def test_public_trades_name_no_client(feed: RunningFeed) -> None:
    (trade,) = feed.get("/v1/trades/AAPL")["trades"]
    assert (trade["trade_id"], trade["price"], trade["quantity"], trade["aggressor"]) == (
        1,
        "100.50",
        4,
        "BUY",
    )
    assert set(trade) == {
        "trade_id",
        "security",
        "price",
        "quantity",
        "aggressor",
        "status",
        "time_us",
        "time",
    }
    assert feed.get("/v1/trades/AAPL?before=1")["trades"] == []


def test_orders_open_and_all(feed: RunningFeed) -> None:
    (open_order,) = feed.get("/v1/orders", "alice")["orders"]
    assert (
        open_order["order_id"],
        open_order["status"],
        open_order["filled"],
        open_order["leaves"],
    ) == (
        1,
        "partially_filled",
        4,
        6,
    )
    assert (open_order["price"], open_order["average_price"]) == ("100.50", "100.50")
    everything = feed.get("/v1/orders?status=all", "alice")["orders"]
    assert [(o["order_id"], o["status"], o["reason"]) for o in everything] == [
        (4, "canceled", "requested"),
        (1, "partially_filled", None),
    ]
    assert feed.get("/v1/orders?status=all&before=4&limit=1", "alice")["orders"] == [everything[1]]


def test_reports_of_an_order_tell_its_life_with_rejects(feed: RunningFeed) -> None:
    reports = feed.get("/v1/orders/4/reports", "alice")["reports"]
    assert [(r["kind"], r["status"]) for r in reports] == [
        ("new", "new"),
        ("canceled", "canceled"),
        ("cancel_rejected", None),
    ]
    kinds = [
        (r["kind"], r["leaves"], r.get("role"))
        for r in feed.get("/v1/orders/1/reports", "alice")["reports"]
    ]
    assert kinds == [("new", 10, None), ("trade", 6, "maker")]


def test_another_clients_order_is_403(feed: RunningFeed) -> None:
    assert feed.get("/v1/orders/1", "bob", status=403)["error"]["code"] == "auth.forbidden"
    assert feed.get("/v1/orders/1/reports", "bob", status=403)["error"]["code"] == "auth.forbidden"
    assert feed.get("/v1/orders/1", "root")["client_id"] == "alice"


def test_both_sides_of_a_trade_see_their_fill(feed: RunningFeed) -> None:
    (maker,) = feed.get("/v1/fills", "alice")["fills"]
    (taker,) = feed.get("/v1/fills", "bob")["fills"]
    assert (maker["trade_id"], maker["side"], maker["role"]) == (1, "SELL", "maker")
    assert (taker["trade_id"], taker["side"], taker["role"]) == (1, "BUY", "taker")
    assert maker["sequence"] == taker["sequence"] == 3
    assert feed.get(f"/v1/fills?after={maker['sequence']}", "alice")["fills"] == []


def test_settlement_reports_page_by_page(feed: RunningFeed) -> None:
    first = feed.get("/settlement-reports?limit=1", "alice")
    second = feed.get(f"/settlement-reports?limit=1&after={first['next_after']}", "alice")
    end = feed.get(f"/settlement-reports?after={second['next_after']}", "alice")
    rows = first["reports"] + second["reports"]
    assert [(r["client_id"], r["client_sequence"], r["cash"]) for r in rows] == [
        ("alice", 1, "0.01"),
        ("alice", 2, "0.01"),
    ]
    assert end == {"reports": [], "next_after": second["next_after"], "next": None}


def test_an_administrator_sees_all_settlement_reports_or_one_clients(feed: RunningFeed) -> None:
    everything = feed.get("/settlement-reports?limit=1000", "root")["reports"]
    assert [r["sequence"] for r in everything] == list(range(1, len(everything) + 1))
    assert {"alice", "bob"} < {r["client_id"] for r in everything}
    of_bob = feed.get("/settlement-reports?client_id=bob", "root")["reports"]
    assert [r["client_id"] for r in of_bob] == ["bob"]


def test_standings_value_holdings_at_the_mark_which_one_trade_does_not_set(
    feed: RunningFeed,
) -> None:
    answer = feed.get("/v1/standings", "root")
    rows = {row["client_id"]: row for row in answer["standings"]}
    assert answer["prices"]["AAPL"] == "100.00" and answer["prices"]["MSFT"] == "100.00"
    assert (rows["alice"]["holdings"], rows["alice"]["equity"]) == ({"AAPL": 10}, "11000.00")
    assert (rows["bob"]["holdings"], rows["bob"]["equity"]) == ({}, "10000.00")
    equities = [float(row["equity"]) for row in answer["standings"]]
    assert equities == sorted(equities, reverse=True)


def test_an_account_above_a_hundred_billion_dollars_does_not_end_the_standings(
    feed: RunningFeed,
) -> None:
    feed.clearing.execute("INSERT INTO clients VALUES ('rich', 'trader', 0)")
    feed.clearing.execute(
        "INSERT INTO accounts (client_id, balance_e4, held_e4) VALUES ('rich', %s, 0)",
        (10**15 + 1,),
    )
    rows = {row["client_id"]: row for row in feed.get("/v1/standings", "root")["standings"]}
    assert rows["rich"]["equity"] == "100000000000.0001"


def test_transfers_name_who_gained_from_whom_for_administrators_alone(feed: RunningFeed) -> None:
    answer = feed.get("/v1/transfers", "root")
    assert answer["next"] is None
    assert answer["transfers"] == [
        {
            "client_id": "alice",
            "from_client_id": "bob",
            "gained": "2.00",
            "trades": 1,
            "shares": 4,
            "traded": "402.00",
        }
    ]
    feed.get("/v1/transfers", "alice", status=403)


def test_the_page_and_what_it_loads_are_served(feed: RunningFeed) -> None:
    page = feed.request("/")
    assert page.status_code == 200 and "text/html" in page.headers["Content-Type"]
    for name, kind in (
        ("page.css", "text/css"),
        ("page.js", "javascript"),
        ("icon.svg", "image/svg+xml"),
    ):
        answer = feed.request(f"/page/{name}")
        assert answer.status_code == 200 and kind in answer.headers["Content-Type"]
