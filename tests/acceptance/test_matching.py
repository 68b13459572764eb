"""Cases 8 to 16: the book, seen through the public API of a whole running venue."""

from tests.acceptance.api import Client, code_of, eventually, kill
from tests.acceptance.conftest import Administrator
from venue_launcher.running_venue import RunningVenue


def trades(client: Client, security: str) -> list[tuple[str, int]]:
    found = client.feed(f"/v1/trades/{security}?limit=100").json()["trades"]
    return [
        (trade["price"], trade["quantity"])
        for trade in sorted(found, key=lambda trade: trade["trade_id"])
    ]


def book(client: Client, security: str) -> tuple[list[tuple[str, int]], list[tuple[str, int]]]:
    found = client.feed(f"/v1/book/{security}?depth=10").json()
    bids, asks = (
        [(level["price"], level["quantity"]) for level in found.get(side, ())]
        for side in ("bids", "asks")
    )
    return bids, asks


def test_case_8_a_seller_gets_the_better_resting_price(
    administrator: Administrator, trader: Client
) -> None:
    penny = administrator.security("1.00")
    maker = administrator.maker(penny)
    bid = trader.placed("BUY", 10, "1.05", penny)
    sell = maker.placed("SELL", 10, "1.00", penny)
    trader.until(bid, "filled", 10)
    maker.until(sell, "filled", 10)
    assert trades(trader, penny) == [("1.05", 10)]


def test_case_9_levels_are_taken_in_price_order_and_nothing_is_left_crossed(
    trader: Client, maker: Client, security: str
) -> None:
    first = maker.placed("SELL", 10, "100", security)
    second = maker.placed("SELL", 10, "101", security)
    third = maker.placed("SELL", 10, "102", security)
    assert maker.cancel(second).status_code == 202
    again = maker.placed("SELL", 10, "101", security)
    bought = trader.placed("BUY", 30, "102", security)
    trader.until(bought, "filled", 30)
    for order_id in (first, again, third):
        maker.until(order_id, "filled", 10)
    maker.until(second, "canceled")
    assert trades(trader, security) == [("100.00", 10), ("101.00", 10), ("102.00", 10)]
    assert eventually(lambda: book(trader, security), lambda seen: seen == ([], [])) == ([], [])


def test_case_10_a_cancel_of_an_ended_order_is_refused_with_the_reason(
    trader: Client, maker: Client, security: str
) -> None:
    sold = maker.placed("SELL", 5, "100", security)
    bought = trader.placed("BUY", 5, "100", security)
    trader.until(bought, "filled")
    maker.until(sold, "filled")
    refused = maker.cancel(sold)
    assert (refused.status_code, code_of(refused)) == (422, "order.already_filled")
    resting = maker.placed("SELL", 5, "100", security)
    assert maker.cancel(resting).status_code == 202
    maker.until(resting, "canceled")
    refused = maker.cancel(resting)
    assert (refused.status_code, code_of(refused)) == (422, "order.already_canceled")
    reports = maker.feed(f"/v1/orders/{sold}/reports").json()["reports"]
    assert "canceled" not in [report["status"] for report in reports]


def test_case_10_two_cancels_in_one_list_give_one_canceled_report(
    maker: Client, security: str
) -> None:
    resting = maker.placed("SELL", 5, "100", security)
    cancel = {"action": "cancel", "order_id": resting}
    answer = maker.gateway("POST", "/v1/commands", json=[cancel, cancel])
    assert answer.status_code == 200
    maker.until(resting, "canceled")
    reports = eventually(
        lambda: maker.feed(f"/v1/orders/{resting}/reports").json()["reports"],
        lambda seen: any(report["kind"] == "cancel_rejected" for report in seen),
    )
    rejected = [report for report in reports if report["kind"] == "cancel_rejected"]
    assert [report["reason"] for report in rejected] == ["order.already_canceled"]
    assert sum(report["kind"] == "canceled" for report in reports) == 1


def test_case_11_a_market_order_takes_what_there_is_and_the_rest_is_canceled(
    trader: Client, maker: Client, security: str
) -> None:
    maker.placed("SELL", 10, "100", security)
    bought = trader.placed("BUY", 15, None, security)
    order = trader.until(bought, "canceled", 10)
    assert (order["leaves"], order["reason"]) == (0, "market_remainder")
    assert trader.balance()["held"] == "0.00"


def test_case_11_a_market_order_on_an_empty_book_is_answered(trader: Client, security: str) -> None:
    order = trader.until(trader.placed("BUY", 15, None, security), "canceled", 0)
    assert order["reason"] == "market_remainder"


def test_case_12_an_ioc_remainder_never_rests(trader: Client, maker: Client, security: str) -> None:
    maker.placed("SELL", 4, "100", security)
    bought = trader.placed("BUY", 10, "100", security, time_in_force="IOC")
    assert trader.until(bought, "canceled", 4)["reason"] == "ioc_remainder"
    assert eventually(lambda: book(trader, security), lambda seen: seen == ([], [])) == ([], [])


def test_case_12_a_fok_order_trades_whole_or_not_at_all(
    trader: Client, maker: Client, security: str
) -> None:
    maker.placed("SELL", 4, "100", security)
    killed = trader.placed("BUY", 5, "100", security, time_in_force="FOK")
    assert trader.until(killed, "canceled", 0)["reason"] == "fok_unfilled"
    trader.until(trader.placed("BUY", 4, "100", security, time_in_force="FOK"), "filled", 4)


def test_case_13_the_next_best_price_is_shown_when_the_best_leaves(
    maker: Client, security: str
) -> None:
    best = maker.placed("BUY", 1, "99", security)
    maker.placed("BUY", 1, "98", security)
    ask = maker.placed("SELL", 1, "101", security)

    def top() -> tuple[str | None, str | None]:
        price = maker.feed(f"/v1/price/{security}").json()
        return price["bid"], price["ask"]

    eventually(top, lambda seen: seen == ("99.00", "101.00"))
    maker.cancel(best)
    eventually(top, lambda seen: seen == ("98.00", "101.00"))
    maker.cancel(ask)
    eventually(top, lambda seen: seen == ("98.00", None))


def test_case_14_a_client_never_trades_with_itself(maker: Client, security: str) -> None:
    resting = maker.placed("SELL", 5, "100", security)
    crossing = maker.placed("BUY", 5, "100", security)
    assert maker.until(crossing, "canceled", 0)["reason"] == "self_trade_prevention"
    assert maker.order(resting)["status"] == "new"
    assert trades(maker, security) == []


def test_case_15_resting_orders_survive_an_engine_restart_in_their_queue_order(
    venue: RunningVenue, trader: Client, maker: Client, security: str
) -> None:
    first = maker.placed("SELL", 1, "100", security)
    second = maker.placed("SELL", 1, "100", security)
    eventually(lambda: book(trader, security), lambda seen: seen[1] == [("100.00", 2)])
    kill(venue, "matching_engine")
    bought = trader.placed("BUY", 1, "100", security)
    trader.until(bought, "filled")
    maker.until(first, "filled")
    assert maker.order(second)["status"] == "new"
    trader.until(trader.placed("BUY", 1, "100", security), "filled")
    maker.until(second, "filled")


def test_case_16_status_follows_the_order_and_never_turns_back(
    trader: Client, maker: Client, security: str
) -> None:
    sold = maker.placed("SELL", 10, "100", security)
    trader.until(trader.placed("BUY", 4, "100", security), "filled")
    assert maker.until(sold, "partially_filled", 4)["leaves"] == 6
    trader.until(trader.placed("BUY", 6, "100", security), "filled")
    maker.until(sold, "filled", 10)
    canceled = maker.placed("SELL", 10, "100", security)
    trader.until(trader.placed("BUY", 4, "100", security), "filled")
    maker.until(canceled, "partially_filled", 4)
    maker.cancel(canceled)
    order = maker.until(canceled, "canceled", 4)
    assert order["leaves"] == 0
    statuses = [
        report["status"]
        for report in maker.feed(f"/v1/orders/{canceled}/reports").json()["reports"]
    ]
    assert statuses == ["new", "partially_filled", "canceled"]
