"""Is the whole way open?

One trade after another through all four services, timed from order to settlement report.
"""

import threading
import time
from typing import Any

from venue_chaos.evidence import Evidence, is_of_the_phase
from venue_chaos.retrying_client import Troubles, Unresolved, WaitingClient, code_of
from venue_launcher.admin_client import Administration
from venue_launcher.running_venue import RunningVenue

_PRICE = "10.00"
_PATIENCE_S = 240.0
_LOOK_EVERY_S = 0.01
_PAUSE_S = 0.1


class Probe:
    """Two accounts that trade one share of a security of their own with each other, again and
    again.
    """

    def __init__(
        self, venue: RunningVenue, administration: Administration, name: str, evidence: Evidence
    ) -> None:
        self._evidence = evidence
        troubles = Troubles()
        self.security = f"{name.upper()}.PROBE"
        administration.add_security(
            {
                "security": self.security,
                "name": "Probe",
                "reference_price": _PRICE,
                "issued_shares": 10_000_000,
            }
        )
        self._names = {"SELL": f"{name}.probe.seller", "BUY": f"{name}.probe.buyer"}
        shares = {self.security: 1_000_000}
        keys = {
            "SELL": administration.create_client(
                self._names["SELL"], "market_maker", "0.00", shares
            ),
            "BUY": administration.create_client(self._names["BUY"], "market_maker", "10000000.00"),
        }
        self.buyer = (self._names["BUY"], keys["BUY"])
        """Client id and key."""
        self._clients = {
            side: WaitingClient(venue.gateway_url, key, troubles) for side, key in keys.items()
        }
        self._window = WaitingClient(venue.market_data_url, keys["BUY"], troubles)
        self._passages: list[tuple[float, float]] = []
        """(sent, through), monotonic seconds, of each trade whose settlement report was seen."""
        self._seen = 0
        self._count = 0
        self._orders = 0

    def run(self, stopping: threading.Event) -> None:
        """Trade until stopping."""
        while not stopping.wait(_PAUSE_S):
            try:
                self._trade()
            except Unresolved as question:
                self._evidence.note_unresolved(f"probe: {question}")
        for door in (*self._clients.values(), self._window):
            door.close()

    def first_through(self, since: float) -> float | None:
        """When the first trade sent after `since` was settled and reported; None if none was."""
        return next((through for sent, through in self._passages if sent >= since), None)

    def _trade(self) -> None:
        sent = time.monotonic()
        self._count += 1
        for side in ("SELL", "BUY"):
            self._place(side)
        deadline = sent + _PATIENCE_S
        while not self._is_reported():
            if time.monotonic() > deadline:
                raise Unresolved("a trade was never reported as settled")
            time.sleep(_LOOK_EVERY_S)
        self._passages.append((sent, time.monotonic()))

    def _place(self, side: str) -> None:
        """Send an order of this side, new ones while the phase takes none."""
        deadline = time.monotonic() + _PATIENCE_S
        while not self._is_taken(side):
            if time.monotonic() > deadline:
                raise Unresolved("the probe's security does not open")
            time.sleep(_LOOK_EVERY_S)

    def _is_taken(self, side: str) -> bool:
        name = self._names[side]
        self._orders += 1
        order = {
            "security": self.security,
            "side": side,
            "quantity": 1,
            "type": "limit",
            "price": _PRICE,
            "client_order_id": f"{name}-{self._orders}",
        }
        status, answer = self._clients[side].ask("POST", "/v1/orders", order, _PATIENCE_S)
        if is_of_the_phase(code_of(answer)):
            return False
        if status not in (200, 201):
            self._evidence.contradict(f"the probe was answered {status} {answer}")
            raise Unresolved("the probe's order was refused")
        self._evidence.order(name, order, answer)
        return True

    def _is_reported(self) -> bool:
        """Whether the buyer's report of trade number `_count` is there (its first report is its
        deposit).
        """
        path = f"/settlement-reports?after={self._seen}&limit=100"
        reports: list[dict[str, Any]] = self._window.ask("GET", path, None, _PATIENCE_S)[1][
            "reports"
        ]
        if not reports:
            return False
        self._seen = int(reports[-1]["sequence"])
        return int(reports[-1]["client_sequence"]) > self._count
