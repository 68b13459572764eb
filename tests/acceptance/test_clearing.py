"""Cases 17 to 20 and 23, and the sums, through the public API of a whole running venue."""

import time
from concurrent.futures import ThreadPoolExecutor

import psycopg2
import requests

from tests.acceptance.api import Client, code_of, eventually, kill, ready
from tests.acceptance.conftest import Administrator
from venue_launcher.running_venue import RunningVenue


def test_case_17_two_open_orders_can_not_spend_the_same_dollar(
    trader: Client, security: str
) -> None:
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: trader.place("BUY", 10, "100", security), range(20)))
    codes = sorted(answer.status_code for answer in answers)
    assert codes == [201] * 10 + [422] * 10
    assert trader.balance() | {} == trader.balance() | {
        "balance": "10000.00",
        "held": "10000.00",
        "available": "0.00",
    }


def test_case_17_two_sells_can_not_sell_the_same_share(
    administrator: Administrator, security: str
) -> None:
    seller = administrator.maker(security, shares=15)
    assert seller.place("SELL", 10, "100", security).status_code == 201
    refused = seller.place("SELL", 6, "100", security)
    assert (refused.status_code, code_of(refused)) == (422, "risk.insufficient_shares")
    assert seller.place("SELL", 5, "100", security).status_code == 201


def test_case_18_a_buyer_without_cash_is_refused_at_the_door(trader: Client, security: str) -> None:
    refused = trader.place("BUY", 101, "100", security)
    assert (refused.status_code, code_of(refused)) == (422, "risk.insufficient_funds")
    assert refused.json()["error"]["details"] == {"needed": "10100.00", "available": "10000.00"}
    assert trader.balance()["held"] == "0.00"


def test_case_19_killed_while_settling_every_trade_is_settled_exactly_once(
    venue: RunningVenue, trader: Client, maker: Client, security: str
) -> None:
    maker.placed("SELL", 100, "50.00", security)
    orders = []
    for number in range(60):
        orders.append(trader.placed("BUY", 1, "50.00", security))
        if number % 15 == 7:
            kill(venue, "clearinghouse")
    for order_id in orders:
        trader.until(order_id, "filled")
    eventually(trader.balance, lambda seen: (seen["balance"], seen["held"]) == ("7000.00", "0.00"))
    assert trader.holding(security)["quantity"] == 60
    assert maker.holding(security) | {"quantity": 999_940, "held": 40} == maker.holding(security)
    with psycopg2.connect(venue.owner_clearing_url) as connection, connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*), count(DISTINCT trade_id) FROM journals"
            " WHERE %s = ANY (accounts) AND journal_kind = 'trade'",
            (trader.client_id,),
        )
        assert cursor.fetchone() == (60, 60)
    eventually(lambda: ready(venue.clearinghouse_url), bool)


def test_case_20_the_best_price_frees_the_unused_hold_to_the_cent(
    trader: Client, maker: Client, security: str
) -> None:
    maker.placed("SELL", 30, "99.37", security)
    order_id = trader.placed("BUY", 70, "110.00", security)
    trader.until(order_id, "partially_filled", 30)
    expected = {"balance": "7018.90", "held": "4400.00", "available": "2618.90"}
    eventually(trader.balance, lambda seen: seen | expected == seen)
    trader.cancel(order_id)
    trader.until(order_id, "canceled", 30)
    eventually(
        trader.balance, lambda seen: (seen["held"], seen["available"]) == ("0.00", "7018.90")
    )


def test_case_23_an_unknown_client_is_404_on_every_path(venue: RunningVenue, security: str) -> None:
    headers = {"Authorization": f"Bearer {venue.admin_key}"}
    paths = {
        venue.market_data_url: [
            "/balance/nobody",
            f"/holdings/{security}/nobody",
            "/holdings/nobody",
            "/settlement-reports?client_id=nobody",
        ],
        venue.clearinghouse_url: ["/v1/ledger-entries/nobody"],
    }
    for base, of_base in paths.items():
        for path in of_base:
            answer = requests.get(base + path, headers=headers, timeout=10)
            assert (answer.status_code, code_of(answer)) == (404, "client.unknown"), path
    answer = requests.get(
        f"{venue.market_data_url}/holdings/NOPE/administrator", headers=headers, timeout=10
    )
    assert (answer.status_code, code_of(answer)) == (404, "security.unknown")


def test_settlement_reports_replay_to_the_balance_and_holding(
    trader: Client, maker: Client, security: str
) -> None:
    maker.placed("SELL", 10, "100.01", security)
    maker.placed("SELL", 10, "100.02", security)
    trader.until(trader.placed("BUY", 15, "101", security), "filled")
    eventually(trader.balance, lambda seen: seen["balance"] == "8499.80")

    def reports() -> list[dict[str, object]]:
        return list(trader.feed("/settlement-reports?after=0&limit=100").json()["reports"])

    seen = eventually(reports, lambda found: len(found) == 3)
    assert [report["client_sequence"] for report in seen] == [1, 2, 3]
    assert {report["client_id"] for report in seen} == {trader.client_id}


def test_a_lone_order_is_settled_within_a_second_and_nobody_waits_for_a_heartbeat(
    trader: Client, maker: Client, security: str
) -> None:
    """Not a measurement: a bound so wide that only a missed wake-up can break it."""
    maker.placed("SELL", 100, "100", security)
    started_s = time.monotonic()
    trader.placed("BUY", 1, "100", security)
    eventually(trader.balance, lambda seen: seen["balance"] == "9900.00", patience_s=5)
    assert time.monotonic() - started_s < 5
