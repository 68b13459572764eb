"""The client library against a fake venue over real HTTP."""

import threading
import time
from decimal import Decimal
from typing import Any

import pytest

from order_entry_gateway.domain import requests
from tests.integration.trading_bots.on_a_fake_venue.fake_services import KEY, FakeVenue, refusal
from trading_bots import commands
from trading_bots.client import Amend, Cancel, Place, Refused, VenueClient, VenueUnavailable
from trading_bots.records import Receipt


def answer_with(status: int, content: Any, headers: dict[str, str] | None = None) -> Any:
    return lambda _venue, _method, _target, _body: (status, content, headers or {})


def lose_the_answer(venue: FakeVenue, method: str, target: str, body: Any) -> None:
    """The venue does what it was asked, and the connection breaks before the answer."""
    venue.serve(method, target, body)


def test_a_limit_order_leaves_with_its_price_as_an_exact_decimal_string(
    client: VenueClient, fake_venue: FakeVenue
) -> None:
    client.place("AAPL", "buy", 10, Decimal("0.29"), "IOC")
    method, path, body = fake_venue.requests[-1]
    assert (method, path) == ("POST", "/v1/orders")
    assert body.pop("client_order_id")
    assert body == {
        "security": "AAPL",
        "side": "BUY",
        "type": "limit",
        "quantity": 10,
        "price": "0.29",
        "time_in_force": "IOC",
    }


def test_a_market_order_has_no_price(client: VenueClient, fake_venue: FakeVenue) -> None:
    client.place("AAPL", "SELL", 4)
    body = fake_venue.requests[-1][2]
    assert body["type"] == "market" and "price" not in body and "time_in_force" not in body


def test_a_float_price_is_refused_before_it_is_sent(
    client: VenueClient, fake_venue: FakeVenue
) -> None:
    with pytest.raises(TypeError, match="write Decimal"):
        client.place("AAPL", "BUY", 1, 100.05)  # type: ignore[arg-type]
    assert fake_venue.requests == []


def test_a_large_price_is_sent_without_an_exponent(
    client: VenueClient, fake_venue: FakeVenue
) -> None:
    client.place("AAPL", "BUY", 1, Decimal("1E+2"))
    assert fake_venue.requests[-1][2]["price"] == "100"


def test_each_order_has_a_client_order_id_of_its_own(
    client: VenueClient, fake_venue: FakeVenue
) -> None:
    client.place("AAPL", "BUY", 1, "1")
    client.place_many([Place("AAPL", "BUY", 1, "1"), Place("AAPL", "BUY", 1, "1")])
    assert len(fake_venue.orders) == 3


@pytest.mark.parametrize(
    "fault",
    [
        lose_the_answer,
        answer_with(500, refusal("service.internal", "a fault")),
        answer_with(503, refusal("service.not_ready", "starting"), {"Retry-After": "0"}),
        answer_with(429, refusal("rate.limited", "slower"), {"Retry-After": "0"}),
        answer_with(502, "<html>bad gateway"),
    ],
    ids=["lost_answer", "500", "503", "429", "proxy_page"],
)
def test_an_unclear_answer_is_asked_again_with_the_same_client_order_id(
    client: VenueClient, fake_venue: FakeVenue, fault: Any
) -> None:
    fake_venue.faults.append(fault)
    receipt = client.place("AAPL", "BUY", 10, "100.05")
    assert receipt.order_id == 1
    assert len(fake_venue.orders) == 1
    first, second = (body for _, _, body in fake_venue.requests)
    assert first == second


def test_a_lost_answer_comes_back_as_a_duplicate(
    client: VenueClient, fake_venue: FakeVenue
) -> None:
    fake_venue.faults.append(lose_the_answer)
    assert client.place("AAPL", "BUY", 10, "100.05").duplicate


def test_a_silent_venue_is_a_time_out_and_is_asked_again(
    client: VenueClient, fake_venue: FakeVenue
) -> None:
    may_answer = threading.Event()

    def stay_silent(_venue: FakeVenue, _method: str, _target: str, _body: Any) -> None:
        fake_venue.lock.release()
        may_answer.wait(10)
        fake_venue.lock.acquire()

    fake_venue.faults.append(stay_silent)
    assert client.place("AAPL", "BUY", 10, "100.05").order_id == 1
    may_answer.set()


def test_retry_after_is_waited_for(client: VenueClient, fake_venue: FakeVenue) -> None:
    fake_venue.faults.append(
        answer_with(429, refusal("rate.limited", "slower"), {"Retry-After": "1"})
    )
    began = time.monotonic()
    client.place("AAPL", "BUY", 10, "100.05")
    assert time.monotonic() - began >= 1.0


def test_a_retry_after_of_hours_is_waited_for_a_minute_at_most(fake_venue: FakeVenue) -> None:
    class StopAtThePause(threading.Event):
        paused_s = 0.0

        def wait(self, timeout: float | None = None) -> bool:
            self.paused_s = timeout or 0.0
            return True

    stopping = StopAtThePause()
    fake_venue.faults.append(answer_with(503, None, {"Retry-After": "36000"}))
    client = VenueClient(
        "ann", KEY, fake_venue.url, fake_venue.url, patience_s=10**6, stopping=stopping
    )
    with pytest.raises(VenueUnavailable):
        client.balance()
    assert 60 <= stopping.paused_s < 61


def test_a_refusal_is_raised_at_once_with_its_code_and_not_repeated(
    client: VenueClient, fake_venue: FakeVenue
) -> None:
    with pytest.raises(Refused) as refused:
        client.place("AAPL", "BUY", 2000, "100.05")
    assert (refused.value.code, refused.value.http_status) == ("risk.insufficient_funds", 422)
    assert len(fake_venue.requests) == 1


def test_an_answer_of_something_else_is_a_refusal_that_says_so(
    client: VenueClient, fake_venue: FakeVenue
) -> None:
    fake_venue.faults.append(answer_with(404, "not here"))
    with pytest.raises(Refused, match=r"service\.unexpected_answer"):
        client.balance()


def test_patience_ends_with_venue_unavailable(fake_venue: FakeVenue) -> None:
    url = fake_venue.url
    fake_venue.close()
    client = VenueClient("ann", KEY, url, url, patience_s=0.3)
    with pytest.raises(VenueUnavailable, match="POST /v1/orders"):
        client.place("AAPL", "BUY", 1, "1")


def test_a_stopping_client_waits_no_longer(fake_venue: FakeVenue) -> None:
    stopping = threading.Event()
    stopping.set()
    fake_venue.faults.append(answer_with(503, None, {"Retry-After": "60"}))
    client = VenueClient(
        "ann", KEY, fake_venue.url, fake_venue.url, patience_s=600, stopping=stopping
    )
    with pytest.raises(VenueUnavailable):
        client.balance()


def test_a_list_gives_each_order_its_receipt_or_refusal(client: VenueClient) -> None:
    results = client.place_many(
        [
            Place("AAPL", "BUY", 1, "1"),
            Place("AAPL", "BUY", 5000, "1"),
            Place("AAPL", "BUY", 2, "1"),
        ]
    )
    first, second, third = results
    assert isinstance(first, Receipt) and isinstance(third, Receipt)
    assert isinstance(second, Refused) and second.code == "risk.insufficient_funds"


def test_a_list_with_an_unclear_result_is_sent_again_as_a_whole(
    client: VenueClient, fake_venue: FakeVenue
) -> None:
    unclear = {
        "results": [
            refusal("price.off_tick", "no"),
            refusal("service.outcome_unknown", "ask again"),
        ]
    }
    fake_venue.faults.append(answer_with(200, unclear))
    results = client.send([Place("AAPL", "BUY", 1, "1"), Place("AAPL", "BUY", 2, "1")])
    assert [isinstance(result, Receipt) for result in results] == [True, True]
    first, second = (body for _, _, body in fake_venue.requests)
    assert first == second


def test_an_empty_list_is_not_sent(client: VenueClient, fake_venue: FakeVenue) -> None:
    assert client.send([]) == client.place_many([]) == []
    assert fake_venue.requests == []


def test_mixed_commands_keep_their_order(client: VenueClient, fake_venue: FakeVenue) -> None:
    client.send(
        [
            Place("AAPL", "BUY", 1, "1", client_order_id="a"),
            Cancel(client_order_id="a"),
            Amend(client_order_id="a", quantity=5, price="1.10"),
            Cancel(order_id=7),
        ]
    )
    sent = fake_venue.requests[-1][2]
    assert [command["action"] for command in sent] == ["place", "cancel", "amend", "cancel"]
    assert sent[2].pop("amend_id")
    assert sent[2] == {"action": "amend", "client_order_id": "a", "quantity": 5, "price": "1.10"}
    assert sent[3] == {"action": "cancel", "order_id": 7}


def test_a_cancel_names_its_order_in_exactly_one_way(client: VenueClient) -> None:
    for cancel in (Cancel(), Cancel(1, "a")):
        with pytest.raises(ValueError, match="one of the two"):
            client.send([cancel])


def test_amend_cancel_and_cancel_all_go_to_the_paths_of_the_door(
    client: VenueClient, fake_venue: FakeVenue
) -> None:
    client.amend(7, quantity=3)
    client.cancel(7)
    client.cancel_all("AAPL")
    client.cancel_all()
    assert [(method, path) for method, path, _ in fake_venue.requests] == [
        ("PATCH", "/v1/orders/7"),
        ("DELETE", "/v1/orders/7"),
        ("DELETE", "/v1/orders?security=AAPL"),
        ("DELETE", "/v1/orders"),
    ]
    assert fake_venue.requests[0][2]["quantity"] == 3


def test_money_is_exact(client: VenueClient) -> None:
    balance = client.balance()
    assert balance.available == Decimal("9999.71") == balance.balance - balance.held


def test_settlement_reports_are_read_page_by_page_to_the_end(
    client: VenueClient, fake_venue: FakeVenue
) -> None:
    assert [report.sequence for report in client.settlement_reports(after=1, page=2)] == [
        2,
        3,
        4,
        5,
    ]
    assert [path for _, path, _ in fake_venue.requests] == [
        "/settlement-reports?after=1&limit=2",
        "/settlement-reports?after=3&limit=2",
        "/settlement-reports?after=5&limit=2",
    ]


def test_all_open_orders_are_read_page_by_page(client: VenueClient, fake_venue: FakeVenue) -> None:
    """One page has 500; the venue gives 1,000 at most."""
    for _ in range(3):
        client.place_many([Place("AAPL", "BUY", 1, "1")] * 400)
    fake_venue.requests.clear()
    assert [order.order_id for order in client.orders()] == list(range(1200, 0, -1))
    assert len(fake_venue.requests) == 3


def test_the_newest_orders_can_be_asked_for(client: VenueClient) -> None:
    client.place_many([Place("AAPL", "BUY", 1, "1")] * 3)
    assert [order.order_id for order in client.orders(limit=2)] == [3, 2]


def test_a_list_may_be_as_long_as_the_gateway_takes() -> None:
    """The client library imports nothing of the venue, so it has a copy of the number."""
    assert commands.MOST_COMMANDS == requests.MOST_COMMANDS


def test_the_environment_names_the_client() -> None:
    client = VenueClient.from_environment({"VENUE_CLIENT_ID": "bob", "VENUE_API_KEY": "k"})
    assert client.client_id == "bob"
    with pytest.raises(ValueError, match="set VENUE_API_KEY"):
        VenueClient.from_environment({"VENUE_CLIENT_ID": "bob"})


def test_a_cancel_sent_again_that_finds_its_order_canceled_is_done(
    client: VenueClient, fake_venue: FakeVenue
) -> None:
    refused = refusal("order.already_canceled", "it was canceled")
    unclear, done = answer_with(503, None), Receipt(order_id=7, status="canceled", duplicate=True)
    fake_venue.faults += [
        unclear,
        answer_with(422, refused),
        unclear,
        answer_with(200, {"results": [refused]}),
    ]
    assert client.cancel(7) == done
    assert client.send([Cancel(7)]) == [done]
    fake_venue.faults += [answer_with(422, refused), answer_with(200, {"results": [refused]})]
    with pytest.raises(Refused, match=r"order\.already_canceled"):
        client.cancel(7)
    (result,) = client.send([Cancel(7)])
    assert isinstance(result, Refused)
