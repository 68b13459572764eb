"""An administrator who commands the day while things fail: phases, halts, bands, splits; what was
answered is kept.
"""

import threading
import time
from collections.abc import Sequence
from random import Random
from typing import Any

from venue_chaos.evidence import Commanded, Evidence
from venue_chaos.retrying_client import Troubles, Unresolved, WaitingClient
from venue_launcher.running_venue import RunningVenue
from venue_protocol.trading_day import CONTINUOUS, HALTED, Phase
from venue_simulation.phases import DrawnBands, draw

_PATIENCE_S = 240.0
_PAUSE_S = 2.0
_AGAIN_S = 0.5
LOCKED = 423
"""Not before a corporate action is settled."""
_BRIEF_SHARE = 0.7
"""Of the commands: trading is resumed at the next one, so that most orders find an open market."""
_ACTION_SHARE = 0.35
_RATIO = (5, 4)
"""New shares for old ones, and the other way round the next time: prices stay where traders bid."""
_LONGEST_S = 3
"""What ends by itself in the midst of trading does so soon."""


class SessionAdministrator:
    """Pursues each command until it is known to be in the log.

    A phase has no name by which it could be asked again, so each has a reason of its own: after a
    missing answer the session is read, and the phase is commanded again only where its reason is
    not there.
    """

    def __init__(
        self,
        venue: RunningVenue,
        securities: Sequence[str],
        probed: str,
        name: str,
        seed: int,
        evidence: Evidence,
        troubles: Troubles,
    ) -> None:
        self._client = WaitingClient(venue.gateway_url, venue.admin_key, troubles)
        self._securities = securities
        self._probed = probed
        """A security that shall trade all the time; a phase for all is ended there at once."""
        self._name = name
        self._dice = Random(seed)
        self._evidence = evidence
        self._count = 0
        self._splits: dict[str, int] = {}

    def command(self, stopping: threading.Event) -> None:
        """One command every two seconds until stopping; then everything trades again, without
        bands.
        """
        try:
            while not stopping.wait(_PAUSE_S):
                if self._dice.random() < _ACTION_SHARE:
                    self._split(self._dice.choice(self._securities))
                    continue
                drawn = draw(self._securities, self._dice, _LONGEST_S)
                if isinstance(drawn, DrawnBands):
                    self._set_bands(drawn)
                    continue
                self._begin(drawn.phase, drawn.security_id, drawn.lasts)
                if self._dice.random() < _BRIEF_SHARE and not stopping.wait(_PAUSE_S):
                    self._begin(CONTINUOUS, drawn.security_id, None)
            self._open()
        except Unresolved as question:
            self._evidence.note_unresolved(f"session: {question}")
        self._client.close()

    def _open(self) -> None:
        """A venue without bands that trades comes to rest: nothing in it is due."""
        self._begin(CONTINUOUS, None, None)
        for security in self._securities:
            self._begin(CONTINUOUS, security, None)
            self._set_bands(DrawnBands(security, None, 1, 1, 1))

    def _begin(self, phase: Phase, security: str | None, lasts_s: int | None) -> None:
        """Begin a phase. Raises Unresolved."""
        self._count += 1
        reason = f"{self._name} {self._count}"
        body = {"phase": phase, "security": security, "reason": reason, "lasts_s": lasts_s}
        commanded = self._evidence.command(reason, Commanded(phase, security, lasts_s))
        deadline = time.monotonic() + _PATIENCE_S
        while not commanded.is_known:
            commanded.asked += 1
            try:
                status, answer = self._client.ask("POST", "/v1/session", body, patience_s=0.0)
            except Unresolved:
                commanded.is_known = self._is_begun(reason)
            else:
                self._answered(commanded, status, answer)
            if time.monotonic() > deadline:
                raise Unresolved(f"phase {body}")
        if security is None and phase != CONTINUOUS:
            self._begin(CONTINUOUS, self._probed, None)

    def _split(self, security: str) -> None:
        """Halt a security, split it, let it trade again. Raises Unresolved.

        Without a definite answer the door says which action of the security is its newest: it is
        commanded again only where that is the one of before.
        """
        self._begin(HALTED, security, None)
        new, old = _RATIO if self._splits.get(security, 0) % 2 == 0 else _RATIO[::-1]
        body = {"action": "split", "security": security, "new_shares": new, "old_shares": old}
        before, deadline = self._newest_action(security), time.monotonic() + _PATIENCE_S
        while True:
            self._evidence.actions_asked += 1
            try:
                status, answer = self._client.ask("POST", "/v1/actions", body, patience_s=0.0)
            except Unresolved:
                if self._newest_action(security) != before:
                    break
            else:
                if status == 202:
                    place = answer["logged"]
                    self._evidence.actions[place["shard"], place["sequence"]] = security
                    break
                if status != LOCKED:
                    self._evidence.contradict(f"split {body} was answered {status} {answer}")
                    break
            time.sleep(_AGAIN_S)
            if time.monotonic() > deadline:
                raise Unresolved(f"split {body}")
        self._splits[security] = self._splits.get(security, 0) + 1
        self._begin(CONTINUOUS, security, None)

    def _newest_action(self, security: str) -> int | None:
        _, answer = self._client.ask("GET", "/v1/session", None, _PATIENCE_S)
        found = [row["action_sequence"] for row in answer["phases"] if row["security"] == security]
        return found[0] if found else None

    def _answered(self, commanded: Commanded, status: int, answer: Any) -> None:
        if status == LOCKED:
            # A corporate action is not settled yet, because its settlement is down.
            time.sleep(_AGAIN_S)
            return
        commanded.is_known = True
        if status != 202:
            self._evidence.contradict(f"{commanded} was answered {status} {answer}")
            return
        commanded.logged += [(place["shard"], place["sequence"]) for place in answer["logged"]]

    def _is_begun(self, reason: str) -> bool:
        """Whether a phase with this reason is the one commanded last, anywhere."""
        _, answer = self._client.ask("GET", "/v1/session", None, _PATIENCE_S)
        return any(row["reason"] == reason for row in answer["phases"])

    def _set_bands(self, bands: DrawnBands) -> None:
        """Set bands; asking again sets the same. Raises Unresolved."""
        times = {
            "limit_state_s": bands.limit_state,
            "pause_s": bands.pause,
            "auction_s": bands.auction,
        }
        body = {"security": bands.security_id, "band_bps": bands.band_bps} | times
        status, answer = self._client.ask("POST", "/v1/session/bands", body, _PATIENCE_S)
        if status != 202:
            self._evidence.contradict(f"bands {body} were answered {status} {answer}")
            return
        for place in answer["logged"]:
            self._evidence.bands[place["shard"], place["sequence"]] = (
                bands.security_id,
                bands.band_bps,
            )
