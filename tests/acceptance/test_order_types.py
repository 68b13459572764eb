"""The rarer order types through the public API of a whole venue, as docs/orders.md has them."""

import json
import time

from websockets.sync.client import ClientConnection, connect

from tests.acceptance.api import Client, code_of, eventually, kill, ready
from tests.acceptance.conftest import Administrator
from venue_launcher.running_venue import RunningVenue
from venue_protocol.times import format_utc


def depth(client: Client, security: str) -> list[tuple[str, int]]:
    """The asks."""
    found = client.feed(f"/v1/book/{security}?depth=10").json()
    return [(level["price"], level["quantity"]) for level in found.get("asks", ())]


def in_ms(milliseconds: int) -> str:
    return format_utc(time.time_ns() // 1000 + milliseconds * 1000)


def socket_of(client: Client) -> ClientConnection:
    url = client.venue.gateway_url.replace("http", "ws", 1) + "/v1/order-entry"
    return connect(url, additional_headers=client.headers(), legacy=True)


def ask(socket: ClientConnection, **frame: object) -> dict[str, object]:
    socket.send(json.dumps(frame))
    return dict(json.loads(socket.recv(timeout=20)))


def test_case_12_a_stop_whose_trigger_is_above_the_market_does_not_trade(
    trader: Client, maker: Client, security: str
) -> None:
    maker.placed("SELL", 10, "100", security)
    first = trader.placed("BUY", 1, "100", security)
    trader.until(first, "filled")
    stop = trader.placed("BUY", 5, None, security, type="stop", stop_price="100.01")
    assert trader.balance()["held"] == "750.00"
    trader.until(trader.placed("BUY", 1, "100", security), "filled")
    order = trader.order(stop)
    assert (order["status"], order["price"], order["worst_price"], order["triggered_us"]) == (
        "new",
        None,
        "150.00",
        None,
    )
    trader.until(trader.placed("BUY", 8, "100", security), "filled")
    maker.placed("SELL", 20, "100.01", security)
    trader.placed("BUY", 1, "100.01", security)
    assert trader.until(stop, "filled", 5)["triggered_us"] > 0
    assert eventually(trader.balance, lambda seen: seen["held"] == "0.00")
    reports = trader.feed(f"/v1/orders/{stop}/reports").json()["reports"]
    assert [(report["kind"], report["price"]) for report in reports] == [
        ("new", None),
        ("triggered", None),
        ("trade", None),
    ]


def test_an_order_expires_though_nobody_trades_and_its_hold_is_free(
    trader: Client, security: str
) -> None:
    order_id = trader.placed(
        "BUY", 10, "100", security, time_in_force="GTD", expire_time=in_ms(1500)
    )
    assert trader.order(order_id)["status"] == "new"
    assert trader.until(order_id, "expired")["reason"] == "expired"
    assert eventually(trader.balance, lambda seen: seen["held"] == "0.00")
    refused = trader.cancel(order_id)
    assert (refused.status_code, code_of(refused)) == (422, "order.already_expired")
    late = trader.place("BUY", 10, "100", security, time_in_force="GTD", expire_time=in_ms(-1))
    assert (late.status_code, code_of(late)) == (422, "order.expire_time_past")


def test_only_the_shown_part_of_an_iceberg_is_in_the_book(
    trader: Client, maker: Client, security: str
) -> None:
    iceberg = maker.placed("SELL", 50, "100", security, display_quantity=10)
    assert eventually(lambda: depth(trader, security), bool) == [("100.00", 10)]
    trader.until(trader.placed("BUY", 15, "100", security), "filled")
    maker.until(iceberg, "partially_filled", 15)
    assert eventually(lambda: depth(trader, security), lambda seen: seen != [("100.00", 10)]) == [
        ("100.00", 5)
    ]
    assert maker.holding(security)["held"] == 35


def test_post_only_and_min_quantity_end_with_their_reason(
    trader: Client, maker: Client, security: str
) -> None:
    maker.placed("SELL", 5, "100", security)
    passive = trader.placed("BUY", 5, "100", security, post_only=True)
    assert trader.until(passive, "canceled", 0)["reason"] == "post_only_would_trade"
    least = trader.placed("BUY", 9, "100", security, time_in_force="IOC", min_quantity=6)
    assert trader.until(least, "canceled", 0)["reason"] == "min_quantity_unmet"


def test_decrement_takes_from_both_and_the_rest_can_be_amended(
    maker: Client, security: str
) -> None:
    """The gateway follows: an amend of the price alone keeps the lower quantity."""
    before = maker.holding(security)["held"]
    bid = maker.placed("BUY", 10, "100", security)
    sell = maker.placed("SELL", 4, "100", security, self_trade_prevention="decrement")
    assert maker.until(sell, "canceled", 0)["reason"] == "self_trade_prevention"
    order = eventually(lambda: maker.order(bid), lambda seen: seen["quantity"] == 6)
    assert (order["leaves"], order["status"]) == (6, "new")
    assert eventually(maker.balance, lambda seen: seen["held"] == "600.00")
    assert maker.holding(security)["held"] == before
    assert maker.gateway("PATCH", f"/v1/orders/{bid}", json={"price": "101"}).status_code == 202
    order = eventually(lambda: maker.order(bid), lambda seen: seen["price"] == "101.00")
    assert (order["quantity"], order["leaves"]) == (6, 6)
    assert eventually(maker.balance, lambda seen: seen["held"] == "606.00")


def test_after_a_rejected_amend_the_door_knows_the_true_terms(
    administrator: Administrator, maker: Client, security: str
) -> None:
    """An amend to 5 comes when 8 are filled: the engine rejects it, and the order keeps its 10."""
    bid = maker.placed("BUY", 10, "100", security)
    seller = administrator.maker(security)
    seller.until(seller.placed("SELL", 8, "100", security), "filled")
    maker.until(bid, "partially_filled", 8)
    assert maker.gateway("PATCH", f"/v1/orders/{bid}", json={"quantity": 5}).status_code == 202

    def rejected() -> list[str]:
        reports = maker.feed(f"/v1/orders/{bid}/reports").json()["reports"]
        return [report["reason"] for report in reports if report["kind"] == "amend_rejected"]

    assert eventually(rejected, bool) == ["order.amend_below_filled"]
    same = maker.gateway("PATCH", f"/v1/orders/{bid}", json={"quantity": 10})
    assert (same.status_code, code_of(same)) == (422, "order.amend_changes_nothing")
    assert maker.gateway("PATCH", f"/v1/orders/{bid}", json={"price": "99"}).status_code == 202
    order = eventually(lambda: maker.order(bid), lambda seen: seen["price"] == "99.00")
    assert (order["quantity"], order["leaves"]) == (10, 2)


def test_the_dead_mans_switch_cancels_all_also_across_a_restart(
    venue: RunningVenue, trader: Client, security: str
) -> None:
    kept, gone = trader.placed("BUY", 1, "90", security), trader.placed("BUY", 1, "91", security)
    assert (
        trader.gateway("POST", "/v1/cancel-after", json={"timeout_ms": 60_000}).json()["status"]
        == "armed"
    )
    assert (
        trader.gateway("POST", "/v1/cancel-after", json={"timeout_ms": 0}).json()["status"]
        == "disarmed"
    )
    assert (
        trader.gateway("POST", "/v1/cancel-after", json={"timeout_ms": 1_000}).json()["status"]
        == "armed"
    )
    kill(venue, "order_entry_gateway")
    eventually(lambda: ready(venue.gateway_url), bool)
    for order_id in (kept, gone):
        assert trader.until(order_id, "canceled")["reason"] == "requested"
    assert eventually(trader.balance, lambda seen: seen["held"] == "0.00")


def test_a_socket_that_asked_for_it_takes_the_orders_along_and_another_does_not(
    trader: Client, maker: Client, security: str
) -> None:
    bid = {
        "action": "place",
        "security": security,
        "side": "BUY",
        "type": "limit",
        "quantity": 1,
        "price": "90",
    }
    silent, asking = socket_of(maker), socket_of(trader)
    stays = int(str(ask(silent, **bid)["order_id"]))
    silent.close()
    assert ask(asking, action="cancel_on_disconnect", enabled=True)["enabled"] is True
    gone, by_rest = (
        int(str(ask(asking, **bid)["order_id"])),
        trader.placed("BUY", 1, "91", security),
    )
    asking.close()
    for order_id in (gone, by_rest):
        assert trader.until(order_id, "canceled")["reason"] == "requested"
    assert maker.order(stays)["status"] == "new"
