"""An administrator who suspends traders, resumes them and changes the fees while things fail."""

import threading
from collections.abc import Sequence
from random import Random
from typing import Any

from venue_chaos.evidence import Evidence
from venue_chaos.retrying_client import Troubles, Unresolved, WaitingClient
from venue_launcher.running_venue import RunningVenue

_FEES = "/v1/fees"
SUSPENDED = "client.suspended"
_PATIENCE_S = 240.0
_EVERY_S = 5.0
_SUSPENDED_S = 2.0
"""Short, so that the traders trade most of the time."""


class RescueAdministrator:
    """Suspends one trader after the other, and sets other fees each time; all may be repeated."""

    def __init__(
        self,
        venue: RunningVenue,
        client_ids: Sequence[str],
        seed: int,
        evidence: Evidence,
        troubles: Troubles,
    ) -> None:
        self._clearinghouse = WaitingClient(venue.clearinghouse_url, venue.admin_key, troubles)
        self._client_ids = client_ids
        self._dice = Random(seed)
        self._evidence = evidence
        self.suspensions = 0

    def command(self, stopping: threading.Event) -> None:
        """Command until stopping; in the end nobody is suspended, and trading is free."""
        while not stopping.wait(_EVERY_S):
            path = f"/v1/clients/{self._dice.choice(self._client_ids)}/suspension"
            self._ask("PUT", path, {"reason": "chaos"})
            stopping.wait(_SUSPENDED_S)
            self._ask("DELETE", path, None)
            self.suspensions += 1
            self._ask("PUT", _FEES, self._some_fees())
        self._ask("DELETE", _FEES, None)
        self._clearinghouse.close()

    def _some_fees(self) -> dict[str, int]:
        """Fees, or a rebate for who rests: orders of several schedules meet."""
        taker = self._dice.randint(0, 9)
        maker = self._dice.randint(-taker, taker)
        return {"maker_bps": maker, "taker_bps": taker, "auction_bps": self._dice.randint(0, 3)}

    def _ask(self, method: str, path: str, body: Any) -> None:
        try:
            status, answer = self._clearinghouse.ask(method, path, body, _PATIENCE_S)
        except Unresolved as question:
            self._evidence.note_unresolved(str(question))
            return
        if status != 200:
            self._evidence.contradict(f"{method} {path} was answered {status} {answer}")
