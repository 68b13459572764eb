"""A gateway whose clock is wrong harms nobody: it takes no order, and the log keeps its time."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.acceptance.api import Client, code_of, eventually, ready
from venue_launcher import ports
from venue_launcher.running_venue import RunningVenue

SKEWED = """
import sys
from order_entry_gateway import __main__ as gateway
from service_runtime import settings
from service_runtime.clock import SystemClock
from service_runtime.service import Service

class SkewedClock(SystemClock):
    def now_us(self):
        return super().now_us() + int(sys.argv[1]) * 1_000_000

vars(gateway)["SystemClock"] = SkewedClock
Service("order_entry_gateway", settings.load()).run(gateway.build)
"""


@contextmanager
def second_gateway(venue: RunningVenue, ahead_s: int) -> Iterator[str]:
    """The URL of another gateway of this venue, on a machine whose clock is ahead."""
    assert venue.supervisor is not None
    first = next(each for each in venue.supervisor.services if each.name == "order_entry_gateway")
    port = ports.private_port(None)
    variables = dict(first.environment) | {"VENUE_PORT": str(port)}
    command = [sys.executable, "-P", "-c", SKEWED, str(ahead_s)]
    with subprocess.Popen(command, env=variables, cwd=Path(__file__).parents[2]) as gateway:
        try:
            url = f"http://127.0.0.1:{port}"
            eventually(lambda: is_up(url), bool)
            yield url
        finally:
            gateway.terminate()
            gateway.wait(30)


def is_up(url: str) -> bool:
    try:
        return requests.get(f"{url}/healthz", timeout=2).ok
    except requests.ConnectionError:
        return False


def through(url: str, client: Client, body: dict[str, Any]) -> requests.Response:
    return requests.post(f"{url}/v1/orders", json=body, headers=client.headers(), timeout=30)


def in_an_hour() -> str:
    return (datetime.now(UTC) + timedelta(hours=1)).isoformat().replace("+00:00", "Z")


@pytest.mark.parametrize("ahead_s", [86_400, -86_400, 5])
def test_a_gateway_with_another_time_takes_no_order_and_expires_none(
    venue: RunningVenue, trader: Client, security: str, ahead_s: int
) -> None:
    order = trader.placed("BUY", 1, "99", security, time_in_force="GTD", expire_time=in_an_hour())
    with second_gateway(venue, ahead_s) as url:
        eventually(
            lambda: requests.get(f"{url}/readyz", timeout=5).text, lambda text: "clock" in text
        )
        body = {
            "security": security,
            "side": "BUY",
            "type": "limit",
            "quantity": 1,
            "price": "98",
        }
        answer = through(url, trader, body)
        assert (answer.status_code, code_of(answer)) == (503, "service.not_ready")
        assert answer.headers["Retry-After"] == "1"
        assert "clocks of this machine and of the database differ" in answer.text
        # What is due by its clock would be begun within a second.
        noted = trader.placed("BUY", 1, "97", security)
        trader.until(noted, "new")
    assert trader.order(order)["status"] == "new"
    later = trader.placed("BUY", 1, "96", security, time_in_force="GTD", expire_time=in_an_hour())
    trader.until(later, "new")
    assert ready(venue.gateway_url)


def test_a_second_gateway_with_the_right_time_takes_orders(
    venue: RunningVenue, trader: Client, security: str
) -> None:
    """Else the test above would pass with a gateway that never works."""
    with second_gateway(venue, 0) as url:
        eventually(lambda: ready(url), bool)
        body = {"security": security, "side": "BUY", "type": "limit", "quantity": 1, "price": "98"}
        answer = through(url, trader, body)
        assert answer.status_code == 201
        trader.until(answer.json()["order_id"], "new")
