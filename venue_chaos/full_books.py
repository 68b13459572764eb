"""Many open orders before a campaign begins: what a recovery has to carry."""

from typing import Any

from venue_chaos.evidence import Evidence
from venue_chaos.retrying_client import Troubles, Unresolved, WaitingClient
from venue_chaos.traders import SECURITIES
from venue_launcher.admin_client import Administration
from venue_launcher.running_venue import RunningVenue
from venue_protocol.money import format_e4

_CLIENTS = 20
_LISTED = 500
_PATIENCE_S = 60.0
_CASH = "1000000000.00"
_LOWEST_BID_E4, _LOWEST_ASK_E4 = 600_000, 1_200_000
_LEVELS, _TICK_E4 = 2_000, 100
"""Prices from 60.00 to 79.99 and from 120.00 to 139.99: far from where the traders meet."""


def fill(
    venue: RunningVenue, administration: Administration, name: str, count: int, evidence: Evidence
) -> None:
    """Let `count` orders rest, through the real door, half of them bids.

    Raises Unresolved if the venue refuses.
    """
    doors = [
        _door(venue, administration, f"{name}.rest.{number}", count) for number in range(_CLIENTS)
    ]
    for turn, first in enumerate(range(0, count, _LISTED)):
        client_id, door = doors[turn % _CLIENTS]
        orders = [_order(name, number) for number in range(first, min(first + _LISTED, count))]
        status, answer = door.ask("POST", "/v1/orders", orders, _PATIENCE_S)
        if status != 200:
            raise Unresolved(f"resting orders were answered {status} {answer}")
        for order, result in zip(orders, answer["results"], strict=True):
            evidence.order(client_id, order, result)
    for _, door in doors:
        door.close()


def _door(
    venue: RunningVenue, administration: Administration, client_id: str, shares: int
) -> tuple[str, WaitingClient]:
    key = administration.create_client(
        client_id, "market_maker", _CASH, dict.fromkeys(SECURITIES, shares)
    )
    return client_id, WaitingClient(venue.gateway_url, key, Troubles())


def _order(name: str, number: int) -> dict[str, Any]:
    is_bid = number % 2 == 0
    price_e4 = (_LOWEST_BID_E4 if is_bid else _LOWEST_ASK_E4) + number * 7 % _LEVELS * _TICK_E4
    return {
        "security": SECURITIES[number % len(SECURITIES)],
        "side": "BUY" if is_bid else "SELL",
        "quantity": 1 + number % 9,
        "type": "limit",
        "price": format_e4(price_e4),
        "client_order_id": f"{name}-rest-{number}",
    }
