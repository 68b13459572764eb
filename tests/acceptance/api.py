"""A small client for acceptance tests: one method for each route, raw answers, and waiting."""

import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from typing import Any, TypeVar

import requests

from venue_launcher.running_venue import RunningVenue

T = TypeVar("T")
PATIENCE_S = 20.0
_numbers = count(1)


def eventually(
    probe: Callable[[], T], wanted: Callable[[T], bool], patience_s: float = PATIENCE_S
) -> T:
    """The first value of `probe` that is wanted; fails with the last one at the deadline."""
    deadline_s = time.monotonic() + patience_s
    while True:
        seen = probe()
        if wanted(seen):
            return seen
        assert time.monotonic() < deadline_s, f"waited {patience_s} s, last seen: {seen}"
        time.sleep(0.01)


def unique(name: str) -> str:
    """A name that this test run has not used."""
    return f"{name}-{next(_numbers)}"


def kill(venue: RunningVenue, service: str) -> None:
    """Kill a service and wait until the supervisor has started it again; it need not be ready."""
    before = eventually(lambda: venue.pids().get(service), bool)
    assert before is not None
    os.kill(before, signal.SIGKILL)
    eventually(lambda: venue.pids().get(service), lambda pid: pid not in (None, before))


def ready(url: str) -> bool:
    """Whether the service at this URL says that it is ready."""
    try:
        return requests.get(f"{url}/readyz", timeout=5).status_code == 200
    except requests.ConnectionError:
        return False


@dataclass
class Client:
    """One client of the venue with its key."""

    venue: RunningVenue
    client_id: str
    key: str
    http: requests.Session = field(default_factory=requests.Session)

    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.key}"}

    def send(self, method: str, url: str, **arguments: Any) -> requests.Response:
        return self.http.request(method, url, headers=self.headers(), timeout=30, **arguments)

    def gateway(self, method: str, path: str, **arguments: Any) -> requests.Response:
        return self.send(method, self.venue.gateway_url + path, **arguments)

    def feed(self, path: str) -> requests.Response:
        return self.send("GET", self.venue.market_data_url + path)

    def place(
        self, side: str, quantity: int, price: str | None, security: str, **more: Any
    ) -> requests.Response:
        order = {"security": security, "side": side, "quantity": quantity, "type": "market"} | more
        if price is not None:
            order |= {"type": "limit", "price": price}
        return self.gateway("POST", "/v1/orders", json=order)

    def placed(
        self, side: str, quantity: int, price: str | None, security: str, **more: Any
    ) -> int:
        """Order id of an order that must be accepted."""
        answer = self.place(side, quantity, price, security, **more)
        assert answer.status_code == 201, answer.text
        return int(answer.json()["order_id"])

    def cancel(self, order_id: int) -> requests.Response:
        return self.gateway("DELETE", f"/v1/orders/{order_id}")

    def order(self, order_id: int) -> dict[str, Any]:
        answer = self.gateway("GET", f"/v1/orders/{order_id}")
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def until(self, order_id: int, status: str, filled: int | None = None) -> dict[str, Any]:
        """The order once it has this status (and this many shares filled)."""
        return eventually(
            lambda: self.order(order_id),
            lambda order: order["status"] == status and filled in (None, order["filled"]),
        )

    def balance(self) -> dict[str, str]:
        answer = self.feed(f"/balance/{self.client_id}")
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def holding(self, security: str) -> dict[str, int]:
        answer = self.feed(f"/holdings/{security}/{self.client_id}")
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def fills(self) -> list[dict[str, Any]]:
        answer = self.feed("/v1/fills?limit=500")
        assert answer.status_code == 200, answer.text
        return list(answer.json()["fills"])


def code_of(answer: requests.Response) -> str:
    """The refusal code of an answer; fails if it has none."""
    return str(answer.json()["error"]["code"])
