"""Seeded traders on the public API: they place, amend, cancel, hang up, and repeat."""

import threading
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from venue_chaos.evidence import Evidence
from venue_chaos.rescue_administrator import SUSPENDED
from venue_chaos.retrying_client import Troubles, Unresolved, WaitingClient, code_of
from venue_launcher.admin_client import Administration
from venue_launcher.running_venue import RunningVenue
from venue_protocol.money import format_e4
from venue_protocol.times import format_utc

SECURITIES = ("AAPL", "MSFT", "GOOG")
_CASH_E4 = 3_000_000_000
_SHARES = 2_500
"""Both for each order of the longest request: enough to trade on, and sometimes too little."""
_MIDDLE_E4 = 1_000_000
_TICK_E4 = 100
_SPREAD_TICKS = 60
_KNOWN_ORDERS = 300
_UNLIMITED_PER_SECOND = 1_000_000
_PATIENCE_S = 240.0
_HANG_UP_SHARE = 0.03
_REPEAT_SHARE = 0.03


@dataclass(frozen=True)
class Account:
    """A client made for the campaign."""

    client_id: str
    api_key: str


def enroll(
    administration: Administration, prefix: str, count: int, most_listed: int
) -> list[Account]:
    """Accounts with cash and shares of their own, for requests of so many orders."""
    cash, shares = (
        format_e4(_CASH_E4 * most_listed),
        dict.fromkeys(SECURITIES, _SHARES * most_listed),
    )
    names = [f"{prefix}.{number}" for number in range(1, count + 1)]
    return [
        Account(
            name,
            administration.create_client(name, "market_maker", cash, shares, _UNLIMITED_PER_SECOND),
        )
        for name in names
    ]


_TIMES_IN_FORCE = (("GTC", "DAY", "OPG", "CLS", "IOC", "FOK"), (0.55, 0.15, 0.08, 0.08, 0.1, 0.04))
_PREVENTIONS = ("cancel_newest", "cancel_oldest", "cancel_both", "decrement")


class Trader:
    """One client: draws each action from its own dice and asks until the answer is definite."""

    def __init__(
        self,
        account: Account,
        gateway_url: str,
        seed: int,
        rate: float,
        most_listed: int,
        evidence: Evidence,
        troubles: Troubles,
    ) -> None:
        self.account = account
        self._client = WaitingClient(gateway_url, account.api_key, troubles)
        self._dice = Random(seed)
        self._rate = rate
        self._most_listed = most_listed
        self._evidence = evidence
        self._orders: deque[tuple[int, dict[str, Any]]] = deque(maxlen=_KNOWN_ORDERS)
        self._names = 0

    def trade(self, stopping: threading.Event) -> None:
        """Act at the rate until stopping; what is under way then is pursued to its end."""
        while not stopping.is_set():
            started = time.monotonic()
            try:
                self.act()
            except Unresolved as question:
                self._evidence.note_unresolved(f"{self.account.client_id}: {question}")
            stopping.wait(max(0.0, 1 / self._rate - (time.monotonic() - started)))
        self._client.close()

    def act(self) -> None:
        """One action. Raises Unresolved."""
        chance = self._dice.random()
        if chance < 0.72 or not self._orders:
            self._place()
        elif chance < 0.86:
            self._cancel()
        elif chance < 0.96:
            self._amend()
        else:
            self._cancel_all()

    def _place(self) -> None:
        orders = [self._order() for _ in range(self._dice.choice((1, 1, 2, self._most_listed)))]
        accepted = self._send(orders)
        if accepted and self._dice.random() < _REPEAT_SHARE:
            self._send(accepted)

    def _send(self, orders: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Those of the orders that were accepted.

        A refused one would be a new question if asked again.
        """
        body = orders[0] if len(orders) == 1 else orders
        unanswered = self._client.unanswered
        if self._dice.random() < _HANG_UP_SHARE:
            self._client.hang_up("/v1/orders", body, self._dice.choice((0.3, 0.95, 1.0, 1.0)))
        status, answer = self._client.ask("POST", "/v1/orders", body, _PATIENCE_S)
        if code_of(answer) == SUSPENDED:
            return []
        if status not in (200, 201, 422, 423):
            self._evidence.contradict(
                f"{self.account.client_id} was answered {status} {answer} to {body}"
            )
            return []
        results = answer["results"] if len(orders) > 1 else [answer]
        # A suspension says nothing about an order: an earlier copy may be in the log, and a later
        # one may be taken.
        decided = [
            (order, result)
            for order, result in zip(orders, results, strict=True)
            if code_of(result) != SUSPENDED
        ]
        is_only_copy = self._client.unanswered == unanswered
        ids = [
            self._evidence.order(self.account.client_id, order, result, is_only_copy)
            for order, result in decided
        ]
        accepted = [
            (order_id, order)
            for order_id, (order, _) in zip(ids, decided, strict=True)
            if order_id is not None
        ]
        self._orders.extend(accepted)
        return [order for _, order in accepted]

    def _cancel(self) -> None:
        order_id, _ = self._dice.choice(self._orders)
        self._expect(
            *self._client.ask("DELETE", f"/v1/orders/{order_id}", None, _PATIENCE_S), "cancel"
        )

    def _cancel_all(self) -> None:
        path = f"/v1/orders?security={self._dice.choice(SECURITIES)}"
        self._expect(*self._client.ask("DELETE", path, None, _PATIENCE_S), "cancel all")

    def _amend(self) -> None:
        order_id, order = self._dice.choice(self._orders)
        body = {"quantity": self._dice.randint(1, 30), "client_order_id": self._name()}
        if order["type"] == "limit" and self._dice.random() < 0.5:
            body["price"] = self._price(order["side"])
        self._expect(
            *self._client.ask("PATCH", f"/v1/orders/{order_id}", body, _PATIENCE_S), "amend", 423
        )

    def _expect(self, status: int, answer: Any, what: str, *refusals: int) -> None:
        if status not in (200, 202, 422, *refusals) and code_of(answer) != SUSPENDED:
            self._evidence.contradict(
                f"{self.account.client_id} was answered {status} {code_of(answer)} to {what}"
            )

    def _order(self) -> dict[str, Any]:
        side = self._dice.choice(("BUY", "SELL"))
        order: dict[str, Any] = {
            "security": self._dice.choice(SECURITIES),
            "side": side,
            "quantity": self._dice.randint(1, 20),
            "type": "limit",
            "client_order_id": self._name(),
        }
        if self._dice.random() < 0.08:
            return order | {
                "type": "market",
                "time_in_force": self._dice.choice(("IOC", "FOK", "OPG", "CLS")),
            }
        if self._dice.random() < 0.2:
            return order | self._rare_terms(side)
        return order | {
            "price": self._price(side),
            "time_in_force": self._dice.choices(*_TIMES_IN_FORCE)[0],
        }

    def _rare_terms(self, side: str) -> dict[str, Any]:
        """The terms of a stop, an iceberg, or another of the rarer orders."""
        limit = {
            "price": self._price(side),
            "self_trade_prevention": self._dice.choice(_PREVENTIONS),
        }
        later_us = time.time_ns() // 1000 + self._dice.randint(1_000_000, 20_000_000)
        return self._dice.choice(
            (
                {
                    "type": "stop",
                    "stop_price": self._price(side),
                    "time_in_force": self._dice.choice(("GTC", "DAY")),
                },
                limit | {"type": "stop_limit", "stop_price": self._price(side)},
                limit
                | {"type": "stop_limit", "stop_price": self._price(side), "time_in_force": "DAY"},
                limit | {"time_in_force": "GTD", "expire_time": format_utc(later_us)},
                limit
                | {
                    "quantity": self._dice.randint(10, 40),
                    "display_quantity": self._dice.randint(1, 9),
                },
                limit | {"post_only": True},
                limit | {"time_in_force": "IOC", "min_quantity": 1},
            )
        )

    def _price(self, side: str) -> str:
        """Around the middle, a little on the passive side: about half of all orders trade."""
        ticks = round(self._dice.gauss(-10 if side == "BUY" else 10, _SPREAD_TICKS / 3))
        return format_e4(_MIDDLE_E4 + ticks * _TICK_E4)

    def _name(self) -> str:
        self._names += 1
        return f"{self.account.client_id}-{self._names}"


class Treasurer:
    """An administrator who makes deposits, each under one key until it has its journal."""

    def __init__(
        self,
        venue: RunningVenue,
        accounts: Sequence[Account],
        name: str,
        seed: int,
        evidence: Evidence,
        troubles: Troubles,
    ) -> None:
        self._client = WaitingClient(venue.clearinghouse_url, venue.admin_key, troubles)
        self._accounts = accounts
        self._dice = Random(seed)
        self._evidence = evidence
        self._name = name
        self._count = 0

    def deposit(self, stopping: threading.Event) -> None:
        """One deposit a second until stopping."""
        while not stopping.wait(1.0):
            self._count += 1
            key = f"{self._name}-{self._count}"
            client_id = self._dice.choice(self._accounts).client_id
            body: dict[str, Any] = {
                "client_id": client_id,
                "cash": format_e4(self._dice.randint(1, 10_000_000)),
            }
            if self._dice.random() < 0.3:
                body = {
                    "client_id": client_id,
                    "security": SECURITIES[0],
                    "shares": self._dice.randint(1, 50),
                }
            try:
                status, answer = self._client.ask(
                    "POST", "/v1/deposits", body, _PATIENCE_S, {"Idempotency-Key": key}
                )
            except Unresolved as question:
                self._evidence.note_unresolved(f"deposit {key}: {question}")
                continue
            if status not in (200, 201):
                self._evidence.contradict(f"deposit {key} was answered {status} {answer}")
            else:
                self._evidence.deposit(key, int(answer["journal_id"]))
        self._client.close()
