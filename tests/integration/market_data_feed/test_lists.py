"""Every list of the feed is read to its end by `limit`, `after` and `next`."""

import json
from typing import Any

import pytest

from market_data_feed.adapters import records
from tests.integration.market_data_feed.conftest import RunningFeed, wait_until
from tests.integration.market_data_feed.settlements import settle, settled_already, settlement
from tests.unit.market_data_feed.tape import START_US, Tape
from venue_protocol.streams import OrderRejected, OrderReports

FILLS = 1_198
_LIST = """
INSERT INTO securities
    (security_id, name, shard, tick_e4, lot, band_bps, reference_price_e4, max_quantity)
SELECT %s, name, shard, tick_e4, lot, band_bps, reference_price_e4, max_quantity
FROM securities WHERE security_id = 'AAPL'
"""


@pytest.fixture(scope="module")
def feed(shared_feed: RunningFeed) -> RunningFeed:
    """An order of alice with 1,198 fills; bob has 1,100 orders open; 1,050 refusals of alice in one
    commit and 50 of another gateway at the same time; deposits of five securities.
    """
    tape = Tape()
    before = settled_already(shared_feed.clearing)
    shared_feed.record(
        tape.batch(f"new 1 alice SELL {FILLS + 10}@100.50"),
        *(
            tape.batch(f"new {2 + n} bob BUY 1@100.50", f"trade {2 + n} 1 1@100.50 BUY")
            for n in range(FILLS)
        ),
        tape.batch("cancel_rejected 1 alice order.unknown"),
        tape.batch(*(f"new {5_000 + n} bob BUY 1@90.00" for n in range(1_100))),
    )
    refused = OrderRejected("alice", "quantity.too_large", "too many", None, "AAPL", "BUY", 9)
    shared_feed.send(
        OrderReports(1, "run-1", 1, START_US, [refused] * 1_050),
        OrderReports(1, "run-2", 1, START_US, [refused] * 50),
        OrderReports(1, "run-2", 51, START_US + 9, [refused] * 3),
    )
    reports = [settlement(before + n, "alice", n) for n in range(1, 8)]
    shared_feed.send(settle(shared_feed.clearing, *reports))
    shared_feed.wait_for_position("settlements", before + 7)
    for name in ("BRK.B", "BRKA", "ZED", "abc"):
        shared_feed.clearing.execute(_LIST, (name,))
        shared_feed.clearing.execute(
            "INSERT INTO securities_deposits VALUES ('alice', %s, 1, 0)", (name,)
        )
    wait_until(lambda: recorded_refusals(shared_feed) == 1_103)
    return shared_feed


def recorded_refusals(feed: RunningFeed) -> int:
    ((count,),) = feed.clearing.recorded("SELECT count(*) FROM refused_orders")
    return int(count)


def pages(feed: RunningFeed, path: str, name: str, caller: str, limit: int) -> list[list[Any]]:
    """The rows of each page, until there is no `next`."""
    found, query = [], f"limit={limit}"
    start = f"{path}{'&' if '?' in path else '?'}"
    while True:
        answer = feed.get(f"{start}{query}", caller)
        found.append(answer[name])
        assert len(answer[name]) <= limit
        if answer["next"] is None:
            return found
        assert len(answer[name]) == limit, "only the last page is short"
        query = f"limit={limit}&after={answer['next']}"


LISTS = [
    ("/v1/orders/1/reports", "reports", "alice", 1_200),
    ("/v1/reports", "reports", "alice", 1_200),
    ("/v1/fills", "fills", "alice", 1_198),
    ("/v1/orders?status=all", "orders", "bob", FILLS + 1_100),
    ("/v1/orders", "orders", "bob", 1_100),
    ("/v1/trades/AAPL", "trades", "bob", 1_198),
    ("/v1/refused-orders", "refused_orders", "alice", 1_103),
    ("/settlement-reports", "reports", "alice", 7),
    ("/holdings/alice", "holdings", "alice", 5),
    ("/v1/standings", "standings", "root", 4),
]


@pytest.mark.parametrize(("path", "name", "caller", "count"), LISTS)
def test_a_list_is_read_to_its_end_and_each_row_comes_once(
    feed: RunningFeed, path: str, name: str, caller: str, count: int
) -> None:
    small = [row for page in pages(feed, path, name, caller, max(1, count // 3)) for row in page]
    large = [row for page in pages(feed, path, name, caller, 1_000) for row in page]
    assert len(small) == count
    assert small == large


@pytest.mark.parametrize(("path", "name", "caller", "count"), LISTS)
def test_a_page_that_is_exactly_full_is_the_last(
    feed: RunningFeed, path: str, name: str, caller: str, count: int
) -> None:
    if count <= 1_000:
        assert [len(page) for page in pages(feed, path, name, caller, count)] == [count]
    else:
        assert len(pages(feed, path, name, caller, 1_000)) == -(-count // 1_000)


def test_reports_of_an_order_begin_with_its_acceptance(feed: RunningFeed) -> None:
    (first, *_), *_, last = pages(feed, "/v1/orders/1/reports", "reports", "alice", 500)
    assert (first["kind"], last[-1]["kind"]) == ("new", "cancel_rejected")
    assert (first["leaves"], last[-2]["leaves"]) == (FILLS + 10, 10)


def test_a_page_of_an_orders_reports_looks_each_of_them_up_by_its_key(feed: RunningFeed) -> None:
    ((text,),) = feed.clearing.recorded(
        "EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) "
        + records._REPORTS_OF_ORDER
        % {"client_id": "'alice'", "order_id": 1, "after": 0, "limit": 8}
    )
    plan = (json.loads(text) if isinstance(text, str) else text)[0]["Plan"]
    assert plan["Shared Hit Blocks"] + plan["Shared Read Blocks"] < 10 * FILLS


def test_the_securities_are_a_list_like_any_other(feed: RunningFeed) -> None:
    rows = [row for page in pages(feed, "/v1/securities", "securities", "alice", 1) for row in page]
    whole = feed.get("/v1/securities")
    assert rows == whole["securities"] and len(rows) > 1 and whole["next"] is None


@pytest.mark.parametrize(
    "path",
    [
        "/v1/refused-orders?after=x",
        "/v1/refused-orders?after=1.x.run",
        "/v1/refused-orders?after=",
        f"/v1/refused-orders?after={'9' * 30}.1.run",
        "/v1/orders?after=x",
        "/v1/orders/1/reports?after=-1",
        "/holdings/alice?after=%00",
        "/v1/securities?after=%00",
    ],
)
def test_an_after_that_no_page_gave_is_400(feed: RunningFeed, path: str) -> None:
    error = feed.get(path, "alice", status=400)["error"]
    assert (error["code"], error["field"]) == ("request.invalid_field", "after")


def test_the_ranking_is_told_whatever_an_account_holds(feed: RunningFeed) -> None:
    rich_e4 = 2 * 10**15
    feed.clearing.execute("UPDATE accounts SET balance_e4 = %s WHERE client_id = 'bob'", (rich_e4,))
    try:
        first = feed.get("/v1/standings", "root")["standings"][0]
        assert (first["client_id"], first["equity"]) == ("bob", "200000000000.00")
    finally:
        feed.clearing.execute("UPDATE accounts SET balance_e4 = 100000000 WHERE client_id = 'bob'")
