"""Cases 1 to 7: order entry of a whole running venue."""

import random
import socket
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from urllib.parse import urlsplit

import pytest
import requests

from service_runtime.buses.rabbitmq import RabbitBus
from tests.acceptance.api import Client, code_of, eventually, kill, ready
from tests.acceptance.conftest import Administrator
from venue_launcher.running_venue import RunningVenue
from venue_protocol.refusals import RejectReason
from venue_protocol.topology import ORDER_ENTRY

CODES = {reason.code: reason.http_status for reason in RejectReason}


@pytest.fixture(scope="module")
def pennies(administrator: Administrator) -> tuple[str, Client, list[int]]:
    """A security with one sell order at each cent from 0.01 to 655.36, in the order of prices."""
    security = administrator.security("400.00", band_bps=10_000)
    maker = administrator.maker(security)
    order_ids = []
    for start in range(1, 65_537, 1000):
        orders = [
            {
                "security": security,
                "side": "SELL",
                "type": "limit",
                "quantity": 1,
                "price": str(Decimal(cents) / 100),
            }
            for cents in range(start, min(start + 1000, 65_537))
        ]
        answer = maker.gateway("POST", "/v1/orders", json=orders)
        assert answer.status_code == 200, answer.text
        results = answer.json()["results"]
        assert [result["price"] for result in results] == [
            f"{Decimal(order['price']):.2f}" for order in orders
        ]
        order_ids += [result["order_id"] for result in results]
    return security, maker, order_ids


def test_case_1_every_cent_is_stored_and_matched_and_reported_as_itself(
    pennies: tuple[str, Client, list[int]], trader: Client
) -> None:
    security, maker, order_ids = pennies
    for cents in (29, 1999, 65_536):
        assert maker.order(order_ids[cents - 1])["price"] == f"{cents / 100:.2f}"
    bought = trader.placed("BUY", 40, 0.40, security)  # type: ignore[arg-type]
    trader.until(bought, "filled", 40)
    prices = eventually(
        lambda: [fill["price"] for fill in trader.fills()], lambda seen: len(seen) == 40
    )
    assert sorted(prices) == [f"{cents / 100:.2f}" for cents in range(1, 41)]
    spent = sum(Decimal(cents) for cents in range(1, 41)) / 100
    eventually(trader.balance, lambda seen: Decimal(seen["balance"]) == 10_000 - spent)


def test_case_7_cancel_of_order_65536_leaves_order_1_alone_and_ids_never_repeat(
    pennies: tuple[str, Client, list[int]], venue: RunningVenue
) -> None:
    security, maker, order_ids = pennies
    assert len(set(order_ids)) == 65_536
    assert maker.cancel(order_ids[65_535]).status_code == 202
    maker.until(order_ids[65_535], "canceled")
    assert maker.order(order_ids[100])["status"] == "new"
    kill(venue, "order_entry_gateway")
    eventually(lambda: ready(venue.gateway_url), bool)
    assert maker.placed("SELL", 1, "700", security) > max(order_ids)


GOOD = {"security": "AAPL", "side": "BUY", "type": "limit", "quantity": 1, "price": "100.00"}
LIMIT_SELL = GOOD | {"side": "SELL"}


@pytest.mark.parametrize(
    ("order", "code"),
    [
        (LIMIT_SELL | {"price": "0"}, "price.not_positive"),
        (GOOD | {"price": "-3"}, "price.not_positive"),
        (GOOD | {"price": "100.005"}, "price.off_tick"),
        (GOOD | {"price": "151"}, "price.outside_band"),
        (GOOD | {"price": "49.99"}, "price.outside_band"),
        (GOOD | {"quantity": 0}, "quantity.not_positive"),
        (GOOD | {"quantity": -5}, "quantity.not_positive"),
        (GOOD | {"quantity": 1.5}, "request.invalid_field"),
        (GOOD | {"quantity": True}, "request.invalid_field"),
        (GOOD | {"quantity": "5"}, "request.invalid_field"),
        (GOOD | {"quantity": 2**63}, "quantity.too_large"),
        (GOOD | {"quantity": 10**400}, "quantity.too_large"),
        (GOOD | {"side": "hold"}, "request.invalid_field"),
        (GOOD | {"security": "NOPE"}, "security.unknown"),
        (GOOD | {"security": "\u0000"}, "security.unknown"),
        (GOOD | {"type": "market"}, "price.not_allowed"),
        ({key: value for key, value in GOOD.items() if key != "price"}, "price.required"),
        ({key: value for key, value in GOOD.items() if key != "side"}, "request.missing_field"),
        (GOOD | {"colour": "red"}, "request.unknown_field"),
        (GOOD | {"client_order_id": "x" * 65}, "request.invalid_field"),
        (GOOD | {"client_order_id": "no spaces"}, "request.invalid_field"),
        (GOOD | {"price": [1]}, "request.invalid_field"),
        (GOOD | {"price": "Infinity"}, "request.invalid_field"),
        (GOOD | {"price": "1e999999999"}, "request.invalid_field"),
    ],
)
def test_case_2_an_order_against_the_rules_is_refused_with_its_reason(
    trader: Client, order: dict[str, object], code: str
) -> None:
    answer = trader.gateway("POST", "/v1/orders", json=order)
    assert (code_of(answer), answer.status_code) == (code, CODES[code])


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "request.malformed"),
        (b"{", "request.malformed"),
        (b"null", "request.invalid_field"),
        (b'{"security": NaN}', "request.malformed"),
        (
            b'{"security":"AAPL","side":"BUY","type":"limit","quantity":1,"price":Infinity}',
            "request.malformed",
        ),
        (
            b'{"security":"AAPL","security":"MSFT","side":"BUY","type":"market","quantity":1}',
            "request.duplicate_key",
        ),
        (b'{"security":"\xff\xfe","side":"BUY","type":"market","quantity":1}', "request.malformed"),
        (b"[" * 100_000, "request.malformed"),
        (b'{"a":' * 50_000, "request.unknown_field"),
        (b"[]", "request.invalid_field"),
        (b" " * 10_000_000, "request.too_large"),
    ],
)
def test_case_2_a_body_that_is_no_request_is_refused(
    trader: Client, body: bytes, code: str
) -> None:
    answer = trader.gateway("POST", "/v1/orders", data=body)
    assert 400 <= answer.status_code < 500
    assert code_of(answer) in (code, "request.invalid_field", "request.malformed")


def test_case_2_a_cancel_without_an_id_or_with_a_silly_one_is_refused(trader: Client) -> None:
    answer = trader.gateway("POST", "/v1/commands", json=[{"action": "cancel"}])
    assert answer.json()["results"][0]["error"]["code"] == "request.missing_field"
    for silly in ("0", "-1", "x", "1" * 30, "%00", "1.5"):
        answer = trader.gateway("DELETE", f"/v1/orders/{silly}")
        assert 400 <= answer.status_code < 500 and code_of(answer) in CODES, silly


def test_case_2_a_misspelt_cancel_all_cancels_nothing(maker: Client, security: str) -> None:
    resting = maker.placed("SELL", 5, "100", security)
    for query in ("Security=AAPL", f"security=AAPL&security={security}", "security=NOPE"):
        assert 400 <= maker.gateway("DELETE", f"/v1/orders?{query}").status_code < 500, query
    assert maker.order(resting)["status"] == "new"


def test_case_2_a_client_id_of_65_characters_is_refused(
    administrator: Administrator, venue: RunningVenue
) -> None:
    assert (
        code_of(administrator.post("/v1/clients", {"client_id": "c" * 65}))
        == "request.invalid_field"
    )
    headers = {"Authorization": f"Bearer {venue.admin_key}"}
    answer = requests.get(
        f"{venue.market_data_url}/balance/{'c' * 65}", headers=headers, timeout=10
    )
    assert (answer.status_code, code_of(answer)) == (404, "client.unknown")


def test_case_2_ten_thousand_mutated_requests_get_an_answer_from_the_list_and_stop_nothing(
    trader: Client, pids_unchanged: Callable[[], None]
) -> None:
    dice = random.Random(2)
    template = (
        b'{"security":"AAPL","side":"BUY","type":"limit","quantity":10,"price":"100.05",'
        b'"time_in_force":"IOC","client_order_id":"m-1"}'
    )
    paths = ("/v1/orders", "/v1/commands", "/v1/orders/cancel")
    rate_limited = 0

    def send(seed: int) -> tuple[int, str | None]:
        answer = sessions[seed % len(sessions)].gateway("POST", paths[seed % 3], data=bodies[seed])
        return answer.status_code, code_of(answer) if answer.status_code >= 400 else None

    bodies = [_mutated(template, dice) for _ in range(10_000)]
    sessions = [Client(trader.venue, trader.client_id, trader.key) for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        for status, code in pool.map(send, range(10_000)):
            assert status < 500, (status, code)
            assert code is None or CODES[code] == status
            rate_limited += status == 429
    assert rate_limited < 5_000
    assert trader.gateway("GET", "/readyz").status_code == 200


def _mutated(template: bytes, dice: random.Random) -> bytes:
    body = bytearray(template)
    for _ in range(dice.randint(1, 4)):
        place = dice.randrange(len(body) or 1)
        kind = dice.randrange(5)
        if kind == 0 and body:
            body[place] = dice.randrange(256)
        elif kind == 1:
            del body[place : place + dice.randint(1, 12)]
        elif kind == 2:
            body[place:place] = body[: dice.randint(1, 40)]
        elif kind == 3:
            body[place:place] = dice.choice(
                [
                    b"-",
                    b"9" * 30,
                    b'"',
                    b"null",
                    b"1e5",
                    b"\x00",
                    b"{}",
                    b"[[",
                    b"\\u0000",
                    b"true",
                    b".",
                    "é".encode(),
                ]
            )
        else:
            del body[place:]
    return bytes(body)


@pytest.mark.parametrize(
    "unsupported",
    [
        {"type": "pegged"},
        {"type": "trailing_stop"},
        {"time_in_force": "GTX"},
        {"self_trade_prevention": "none"},
    ],
)
def test_case_3_what_is_not_supported_is_refused_not_ignored(
    trader: Client, unsupported: dict[str, object]
) -> None:
    answer = trader.gateway("POST", "/v1/orders", json=GOOD | unsupported)
    assert answer.status_code == 400
    assert code_of(answer) in ("request.invalid_field", "request.unknown_field")


def test_case_4_the_same_order_sent_twice_is_one_order(trader: Client, security: str) -> None:
    def send(_: int) -> requests.Response:
        return Client(trader.venue, trader.client_id, trader.key).place(
            "BUY", 10, "100", security, client_order_id="only-once"
        )

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(send, range(16)))
    assert {answer.json()["order_id"] for answer in answers} == {answers[0].json()["order_id"]}
    assert sorted(answer.status_code for answer in answers) == [200] * 15 + [201]
    assert [answer.json()["duplicate"] for answer in answers].count(False) == 1
    other = trader.place("BUY", 11, "100", security, client_order_id="only-once")
    assert (other.status_code, code_of(other)) == (409, "order.client_order_id_reused")
    assert trader.balance()["held"] == "1000.00"


def test_case_4_the_same_message_delivered_twice_by_the_broker_is_one_order(
    venue: RunningVenue, trader: Client, maker: Client, security: str
) -> None:
    bus = RabbitBus(venue.broker_url, "duplicator")
    overheard = bus.subscription(ORDER_ENTRY)
    sold = maker.placed("SELL", 10, "100", security)
    (delivery,) = overheard.receive(10, 1)
    publisher = bus.publisher()
    for _ in range(5):
        assert publisher.publish(ORDER_ENTRY, delivery.body).wait(10)
    trader.until(trader.placed("BUY", 30, "100", security), "partially_filled", 10)
    maker.until(sold, "filled", 10)
    eventually(trader.balance, lambda seen: seen["balance"] == "9000.00")
    assert trader.holding(security)["quantity"] == 10
    bus.close()


def test_case_5_silent_and_slow_clients_delay_nobody(
    venue: RunningVenue, trader: Client, security: str
) -> None:
    address = urlsplit(venue.gateway_url)
    silent = [socket.create_connection((address.hostname, address.port)) for _ in range(60)]
    slow = [socket.create_connection((address.hostname, address.port)) for _ in range(60)]
    for connection in slow:
        connection.sendall(
            b"POST /v1/orders HTTP/1.1\r\nHost: venue\r\nContent-Length: 100\r\n\r\n{"
        )
    try:
        slowest_s = 0.0
        for number in range(20):
            started_s = time.monotonic()
            trader.placed("BUY", 1, f"{60 + number}", security)
            slowest_s = max(slowest_s, time.monotonic() - started_s)
        assert slowest_s < 3
    finally:
        for connection in silent + slow:
            connection.close()


def test_case_6_nobody_reads_cancels_or_amends_anothers_order(
    trader: Client, maker: Client, security: str
) -> None:
    resting = maker.placed("SELL", 5, "100", security)
    eventually(lambda: maker.feed(f"/v1/orders/{resting}").status_code, lambda code: code == 200)
    for answer in (
        trader.gateway("GET", f"/v1/orders/{resting}"),
        trader.cancel(resting),
        trader.gateway("PATCH", f"/v1/orders/{resting}", json={"quantity": 1}),
        trader.feed(f"/v1/orders/{resting}"),
        trader.feed(f"/v1/orders/{resting}/reports"),
        trader.feed(f"/balance/{maker.client_id}"),
        trader.feed(f"/holdings/{security}/{maker.client_id}"),
        trader.feed(f"/holdings/{maker.client_id}"),
        trader.feed(f"/settlement-reports?client_id={maker.client_id}"),
        trader.send("GET", f"{trader.venue.clearinghouse_url}/v1/ledger-entries/{maker.client_id}"),
        trader.send(
            "POST", f"{trader.venue.clearinghouse_url}/v1/clients", json={"client_id": "mine"}
        ),
    ):
        assert (answer.status_code, code_of(answer)) == (403, "auth.forbidden"), answer.url
    assert maker.order(resting)["status"] == "new"


def test_case_6_no_key_a_wrong_key_and_a_revoked_key_get_401(
    venue: RunningVenue, administrator: Administrator
) -> None:
    client = administrator.client("revoked")
    url = f"{venue.gateway_url}/v1/orders"
    assert code_of(requests.get(url, timeout=10)) == "auth.key_missing"
    wrong = requests.get(url, headers={"Authorization": "Bearer vk_wrong"}, timeout=10)
    assert (wrong.status_code, code_of(wrong)) == (401, "auth.key_invalid")
    assert client.gateway("GET", "/v1/orders").status_code == 200
    revoked = requests.delete(
        f"{venue.clearinghouse_url}/v1/clients/{client.client_id}/keys",
        headers={"Authorization": f"Bearer {venue.admin_key}"},
        timeout=10,
    )
    assert revoked.json()["revoked"] == 1
    eventually(
        lambda: client.gateway("GET", "/v1/orders").status_code,
        lambda status: status == 401,
        patience_s=3,
    )
    eventually(
        lambda: client.feed(f"/balance/{client.client_id}").status_code,
        lambda status: status == 401,
    )
