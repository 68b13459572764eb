"""A trading day through the public API: phases, refusals, auctions and the close."""

from datetime import UTC, datetime, timedelta
from typing import Any

import requests

from tests.acceptance.api import Client, code_of, eventually
from tests.acceptance.conftest import Administrator
from venue_launcher.running_venue import RunningVenue
from venue_launcher.session_client import SessionClient


def phase_of(client: Client, security: str) -> dict[str, Any]:
    """What the feed says of the security's phase."""
    answer = client.feed(f"/v1/session/{security}")
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def begin(
    venue: RunningVenue, client: Client, phase: str, security: str, lasts_s: int | None = None
) -> None:
    """Command a phase and wait until the feed shows it."""
    SessionClient(venue).begin(phase, security, "test", lasts_s)
    eventually(lambda: phase_of(client, security)["phase"], lambda shown: shown == phase)


def test_only_administrators_command_phases(venue: RunningVenue, trader: Client) -> None:
    answer = trader.gateway("POST", "/v1/session", json={"phase": "closed"})
    assert (answer.status_code, code_of(answer)) == (403, "auth.forbidden")
    assert trader.gateway("GET", "/v1/session").json()["schedule"] == {"mode": "around_the_clock"}
    headers = {"Authorization": f"Bearer {venue.admin_key}"}
    unusable: tuple[dict[str, Any], ...] = (
        {"phase": "lunch"},
        {"phase": "halted", "lasts_s": 5},
        {"phase": "closed", "security": "no"},
        {"phase": "closed", "reason": "\0"},
        {"phase": "closed", "reason": "x" * 201},
        {},
    )
    for body in unusable:
        refused = requests.post(
            f"{venue.gateway_url}/v1/session", json=body, headers=headers, timeout=10
        )
        assert refused.status_code == 400, body
    unknown = {"phase": "halted", "security": "NOBODY"}
    refused = requests.post(
        f"{venue.gateway_url}/v1/session", json=unknown, headers=headers, timeout=10
    )
    assert refused.status_code == 404


def test_back_to_around_the_clock_opens_all_but_what_was_halted_by_hand(
    venue: RunningVenue, trader: Client, maker: Client, security: str
) -> None:
    door = SessionClient(venue)
    yesterday = (datetime.now(UTC) - timedelta(days=1)).strftime("%a").lower()
    shown = door.set_schedule({"mode": "schedule", "time_zone": "UTC", "weekdays": [yesterday]})
    whole = [(row["phase"], row["reason"]) for row in shown["phases"] if row["security"] is None]
    assert whole == [("closed", "schedule")] and shown["schedule"]["mode"] == "schedule"
    eventually(lambda: phase_of(trader, "AAPL")["phase"], lambda shown: shown == "closed")
    assert code_of(trader.place("BUY", 1, "90", "AAPL")) == "session.closed"
    begin(venue, trader, "halted", security)
    door.set_schedule({"mode": "around_the_clock"})
    eventually(lambda: phase_of(trader, "AAPL")["phase"], lambda shown: shown == "continuous")
    assert trader.placed("BUY", 1, "90", "AAPL")
    assert phase_of(trader, security)["phase"] == "halted"
    begin(venue, trader, "continuous", security)


def test_a_halted_security_refuses_orders_and_lets_them_be_canceled(
    venue: RunningVenue, trader: Client, maker: Client, security: str
) -> None:
    order_id = trader.placed("BUY", 5, "99", security)
    trader.until(order_id, "new")
    begin(venue, trader, "halted", security)
    refused = trader.place("BUY", 5, "99", security)
    assert (refused.status_code, code_of(refused)) == (423, "session.halted")
    amended = trader.gateway("PATCH", f"/v1/orders/{order_id}", json={"quantity": 4})
    assert (amended.status_code, code_of(amended)) == (423, "session.halted")
    assert trader.cancel(order_id).status_code == 202
    trader.until(order_id, "canceled")
    eventually(lambda: trader.balance()["held"], lambda held: held == "0.00")
    begin(venue, trader, "continuous", security)
    assert trader.place("BUY", 5, "99", security).status_code == 201


def test_an_auction_indicates_and_clears_at_one_price_and_the_day_ends(
    venue: RunningVenue, trader: Client, maker: Client, security: str
) -> None:
    begin(venue, trader, "opening_auction", security)
    refused = trader.place("BUY", 5, "101", security, time_in_force="IOC")
    assert (refused.status_code, code_of(refused)) == (422, "order.not_in_auction")
    opening = trader.placed("BUY", 10, "101", security, time_in_force="OPG")
    lasting = trader.placed("BUY", 3, "90", security, time_in_force="DAY")
    closing = maker.placed("SELL", 2, "80", security, time_in_force="CLS")
    resting = maker.placed("SELL", 6, "99", security)
    shown = eventually(
        lambda: phase_of(trader, security), lambda view: view["paired_quantity"] == 6
    )
    assert (shown["indicative_price"], shown["imbalance_side"], shown["imbalance_quantity"]) == (
        "101.00",
        "BUY",
        4,
    )
    assert trader.feed(f"/v1/price/{security}").json()["bid"] is None
    begin(venue, trader, "continuous", security)
    ended = trader.until(opening, "canceled", filled=6)
    assert ended["reason"] == "opening_remainder"
    maker.until(resting, "filled")
    fills = [fill for fill in maker.fills() if fill["security"] == security]
    assert [(fill["price"], fill["role"]) for fill in fills] == [("101.00", "auction")]
    late = trader.place("BUY", 1, "101", security, time_in_force="OPG")
    assert (late.status_code, code_of(late)) == (422, "order.opening_only_too_late")
    begin(venue, trader, "closing_auction", security)
    begin(venue, trader, "closed", security)
    maker.until(closing, "filled")
    expired = trader.until(lasting, "expired")
    assert (expired["filled"], expired["reason"]) == (2, "expired")
    refused = trader.place("BUY", 1, "101", security)
    assert (refused.status_code, code_of(refused)) == (423, "session.closed")
    eventually(lambda: trader.balance()["held"], lambda held: held == "0.00")


def test_a_reopening_auction_ends_by_itself_though_nobody_sends_anything(
    venue: RunningVenue, trader: Client, maker: Client, security: str
) -> None:
    begin(venue, trader, "halted", security)
    begin(venue, trader, "reopening_auction", security, lasts_s=2)
    buy, sell = trader.placed("BUY", 2, "100", security), maker.placed("SELL", 2, "100", security)
    trader.until(buy, "filled")
    maker.until(sell, "filled")
    assert phase_of(trader, security)["phase"] == "continuous"


def test_a_band_stops_a_price_pauses_and_reopens(
    venue: RunningVenue, administrator: Administrator, trader: Client, maker: Client, security: str
) -> None:
    SessionClient(venue).set_bands(security, 500, 1, 1, 1)
    far = maker.placed("SELL", 5, "120", security)
    maker.until(far, "new")
    order_id = trader.placed("BUY", 5, "120", security)
    assert trader.until(order_id, "canceled")["reason"] == "volatility_band"
    eventually(lambda: trader.balance()["held"], lambda held: held == "0.00")
    eventually(
        lambda: phase_of(trader, security).get("reason"), lambda reason: reason == "volatility"
    )
    shown = eventually(
        lambda: phase_of(trader, security), lambda view: view["phase"] == "continuous"
    )
    assert shown["limit_state"] is None
