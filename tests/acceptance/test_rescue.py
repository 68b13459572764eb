"""The organiser stops a client on a running venue: its orders go, its keys still read."""

import requests

from tests.acceptance.api import Client, code_of, eventually
from tests.acceptance.conftest import Administrator
from venue_launcher.admin_client import Administration
from venue_launcher.running_venue import RunningVenue
from venue_launcher.session_client import SessionClient


def test_a_suspended_clients_orders_are_canceled_and_new_ones_refused(
    venue: RunningVenue, trader: Client, maker: Client, security: str
) -> None:
    resting = trader.placed("BUY", 10, "99.00", security)
    others = maker.placed("SELL", 10, "101.00", security)
    Administration(venue).suspend(trader.client_id, "trades with itself")
    trader.until(resting, "canceled")
    refused = trader.place("BUY", 1, "99.00", security)
    while refused.status_code == 201:  # a gateway remembers a key for a second
        refused = trader.place("BUY", 1, "99.00", security)
    assert (refused.status_code, code_of(refused)) == (403, "client.suspended")
    assert trader.balance()["balance"] == "10000.00"
    assert trader.cancel(resting).status_code != 403
    assert maker.order(others)["status"] == "new"


def test_a_resumed_client_trades_again_and_owes_nothing_to_its_suspension(
    venue: RunningVenue, administrator: Administrator, security: str
) -> None:
    client = administrator.client()
    rescue = Administration(venue)
    rescue.suspend(client.client_id)
    while client.place("BUY", 1, "99.00", security).status_code == 201:
        pass
    assert rescue.resume(client.client_id)
    while code_of_or_none(client, security) == "client.suspended":
        pass
    order_id = client.placed("BUY", 10, "98.00", security)
    client.until(order_id, "new")


def code_of_or_none(client: Client, security: str) -> str | None:
    """The refusal of one more order, or None."""
    answer = client.place("BUY", 1, "97.00", security)
    return None if answer.status_code == 201 else code_of(answer)


def test_an_administrator_cancels_by_client_by_security_and_all(
    venue: RunningVenue, administrator: Administrator, trader: Client, maker: Client, security: str
) -> None:
    door, other = SessionClient(venue), administrator.security()
    mine = trader.placed("BUY", 1, "99.00", security)
    elsewhere = trader.placed("BUY", 1, "99.00", other)
    others = maker.placed("SELL", 1, "101.00", security)
    assert door.cancel_orders({"client_id": trader.client_id, "security": security}) == 1
    trader.until(mine, "canceled")
    assert (trader.order(elsewhere)["status"], maker.order(others)["status"]) == ("new", "new")
    assert door.cancel_orders({"security": security}) >= 1
    maker.until(others, "canceled")
    assert trader.order(elsewhere)["status"] == "new"
    again = maker.placed("SELL", 1, "101.00", security)
    assert door.cancel_orders({"all": True}) >= 2
    trader.until(elsewhere, "canceled")
    maker.until(again, "canceled")
    eventually(lambda: trader.balance()["held"], lambda held: held == "0.00")


def test_a_mass_cancel_is_for_administrators_and_says_what_it_is_about(
    venue: RunningVenue, trader: Client
) -> None:
    asked = trader.gateway("POST", "/v1/mass-cancels", json={"all": True})
    assert (asked.status_code, code_of(asked)) == (403, "auth.forbidden")
    headers = {"Authorization": f"Bearer {venue.admin_key}"}
    for body, code in (
        ({}, "request.invalid_field"),
        ({"all": True, "client_id": "ann"}, "request.invalid_field"),
        ({"client_id": "nobody"}, "client.unknown"),
        ({"security": "NOPE"}, "security.unknown"),
        ({"client_id": "nobody", "security": "NOPE"}, "security.unknown"),
    ):
        answer = requests.post(
            f"{venue.gateway_url}/v1/mass-cancels", json=body, headers=headers, timeout=10
        )
        assert code_of(answer) == code, body
