"""The client library on a whole venue: what it sends is done, what it reads is true."""

import os
import signal
from collections.abc import Callable
from decimal import Decimal

import pytest

from tests.integration.trading_bots.waiting import wait_for
from trading_bots.client import Amend, Cancel, Place, Refused, VenueClient
from trading_bots.records import Receipt
from venue_launcher.running_venue import RunningVenue

NewClient = Callable[..., VenueClient]


@pytest.fixture
def maker(new_client: NewClient) -> VenueClient:
    return new_client("maker", "1000000.00", {"AMZN": 1000, "TSLA": 1000})


def test_a_trade_shows_in_fills_cash_shares_reports_and_on_the_stream(
    new_client: NewClient, maker: VenueClient
) -> None:
    ann = new_client("ann")
    with ann.stream() as stream:
        stream.subscribe("fills")
        assert stream.receive(0.5) is None
        offer = maker.place("AMZN", "SELL", 10, "100.05")
        bought = ann.place("AMZN", "BUY", 10, Decimal("101"))
        message = stream.receive(20)
    assert message is not None and (message["price"], message["role"]) == ("100.05", "taker")
    wait_for(lambda: ann.holding("AMZN").quantity == 10)
    assert ann.balance().balance == ann.balance().available == Decimal("8999.50")
    assert [(fill.order_id, fill.price, fill.role) for fill in ann.fills()] == [
        (bought.order_id, Decimal("100.05"), "taker")
    ]
    assert [fill.role for fill in maker.fills()] == ["maker"]
    wait_for(lambda: maker.order(offer.order_id).status == "filled")
    wait_for(lambda: len(list(ann.settlement_reports(page=1))) == 2)
    assert sum(report.cash for report in ann.settlement_reports(page=1)) == ann.balance().balance
    assert {holding.security: holding.quantity for holding in ann.holdings()} == {"AMZN": 10}
    assert ann.trades("AMZN", 1)[0].price == Decimal("100.05") == ann.price("AMZN").last


def test_orders_are_amended_and_canceled_by_either_name(maker: VenueClient) -> None:
    receipt = maker.place("TSLA", "BUY", 10, "99.00", client_order_id="mine")
    maker.amend(receipt.order_id, quantity=7)
    wait_for(lambda: maker.order(receipt.order_id).quantity == 7)
    results = maker.send(
        [
            Place("TSLA", "BUY", 1, "98.00", client_order_id="other"),
            Amend(client_order_id="other", price="98.50"),
            Cancel(client_order_id="mine"),
        ]
    )
    assert all(isinstance(result, Receipt) for result in results)
    wait_for(
        lambda: (
            [(order.client_order_id, order.price) for order in maker.orders()]
            == [("other", Decimal("98.50"))]
        )
    )
    maker.cancel_all()
    wait_for(lambda: maker.orders() == [] and maker.balance().held == 0)


def test_the_same_client_order_id_again_is_the_same_order(maker: VenueClient) -> None:
    first = maker.place("TSLA", "BUY", 1, "97.00", client_order_id="once")
    again = maker.place("TSLA", "BUY", 1, "97.00", client_order_id="once")
    assert (again.order_id, first.duplicate, again.duplicate) == (first.order_id, False, True)


def test_refusals_carry_the_venues_code(new_client: NewClient) -> None:
    ann = new_client("ann")
    results = ann.place_many([Place("TSLA", "SELL", 1, "100.00"), Place("TSLA", "BUY", 1, "90.00")])
    assert isinstance(results[0], Refused) and results[0].code == "risk.insufficient_shares"
    assert isinstance(results[1], Receipt)
    with pytest.raises(Refused, match=r"price\.off_tick"):
        ann.place("TSLA", "BUY", 1, "100.001")
    with pytest.raises(Refused, match=r"auth\.forbidden"):
        VenueClient("market_maker", ann.api_key, ann.order_entry_url, ann.market_data_url).balance()


def test_the_book_shows_resting_orders_best_first(maker: VenueClient) -> None:
    maker.place_many(
        [
            Place("TSLA", "BUY", 5, "60.00"),
            Place("TSLA", "BUY", 3, "61.00"),
            Place("TSLA", "BUY", 2, "61.00"),
        ]
    )

    def own_levels() -> list[tuple[Decimal, int]]:
        return [
            (level.price, level.quantity)
            for level in maker.book("TSLA", 50).bids
            if level.price <= 61
        ]

    wait_for(lambda: own_levels() == [(Decimal("61.00"), 5), (Decimal("60.00"), 5)])


def test_orders_over_the_websocket_survive_a_killed_gateway_without_a_repeat(
    live_venue: RunningVenue, maker: VenueClient
) -> None:
    with maker.order_socket() as orders:
        first = orders.place("TSLA", "BUY", 1, "90.00", client_order_id="before")
        os.kill(live_venue.pids()["order_entry_gateway"], signal.SIGKILL)
        second = orders.place("TSLA", "BUY", 2, "91.00", client_order_id="after")
        again = orders.place("TSLA", "BUY", 1, "90.00", client_order_id="before")
        with pytest.raises(Refused, match=r"risk\.insufficient_shares"):
            orders.place("TSLA", "SELL", 5000, "100.00")
        results = orders.send([Amend(second.order_id, quantity=1), Cancel(first.order_id)])
    assert (again.order_id, again.duplicate) == (first.order_id, True)
    assert [result for result in results if isinstance(result, Refused)] == []
    wait_for(lambda: [(o.client_order_id, o.quantity) for o in maker.orders()] == [("after", 1)])


def test_cancel_all_is_the_first_request_that_a_gateway_may_get(
    live_venue: RunningVenue, maker: VenueClient
) -> None:
    maker.place("TSLA", "BUY", 1, "90.00")
    os.kill(live_venue.pids()["order_entry_gateway"], signal.SIGKILL)
    maker.cancel_all()
    wait_for(lambda: maker.orders() == [] and maker.balance().held == 0)
