"""The organiser stops a client on a running venue: its orders go, its keys still read."""

from tests.acceptance.api import Client, code_of
from tests.acceptance.conftest import Administrator
from venue_launcher.admin_client import Administration
from venue_launcher.running_venue import RunningVenue


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
