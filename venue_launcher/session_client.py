"""The gateway's session API with the administrator's key."""

import time
from typing import Any, Protocol

from venue_launcher.administrator_connection import AdministratorConnection
from venue_launcher.errors import CommandError

_TIMEOUT_S = 30
_PHASE_PATIENCE_S = 15.0
_LOOK_EVERY_S = 0.1


class CommandableVenue(Protocol):
    """What is needed to command a session; a RunningVenue has it."""

    @property
    def gateway_url(self) -> str:
        """Base URL of the gateway."""
        ...

    @property
    def admin_key(self) -> str:
        """An administrator's key."""
        ...


class SessionClient:
    """Phases, halts, bands and the schedule of one venue."""

    def __init__(self, venue: CommandableVenue) -> None:
        connection = AdministratorConnection(
            "gateway", venue.gateway_url, venue.admin_key, _TIMEOUT_S
        )
        self._call = connection.call

    def session(self) -> dict[str, Any]:
        """What was commanded last, and what comes."""
        return self._call("GET", "/v1/session")

    def begin(
        self,
        phase: str,
        security: str | None = None,
        reason: str | None = None,
        lasts_s: int | None = None,
    ) -> None:
        """Begin a phase."""
        body = {"phase": phase, "security": security, "reason": reason, "lasts_s": lasts_s}
        self._call("POST", "/v1/session", body)

    def set_bands(
        self, security: str, band_bps: int | None, limit_state_s: int, pause_s: int, auction_s: int
    ) -> None:
        """Set or end the volatility bands of a security."""
        body = {
            "security": security,
            "band_bps": band_bps,
            "limit_state_s": limit_state_s,
            "pause_s": pause_s,
            "auction_s": auction_s,
        }
        self._call("POST", "/v1/session/bands", body)

    def set_schedule(self, body: dict[str, Any]) -> dict[str, Any]:
        """Replace the schedule; the session once the phase that is due by it has begun.

        The gateway logs that phase a moment after it stored the schedule. Raises CommandError if
        it has not within 15 seconds.
        """
        before = _begun(self.session())
        self._call("PUT", "/v1/session/schedule", body)
        deadline = time.monotonic() + _PHASE_PATIENCE_S
        while time.monotonic() < deadline:
            session = self.session()
            begun = _begun(session)
            if begun and all(begun[shard] > before.get(shard, -1) for shard in begun):
                return session
            time.sleep(_LOOK_EVERY_S)
        raise CommandError(
            "the schedule is set, but its phase has not begun: look at ./venue status"
        )

    def apply_action(self, body: dict[str, Any]) -> dict[str, Any]:
        """Apply a corporate action as POST /v1/actions takes it; what was logged."""
        return self._call("POST", "/v1/actions", body)

    def cancel_orders(self, body: dict[str, object]) -> int:
        """Cancel orders as POST /v1/mass-cancels takes it; the number of clients concerned."""
        return int(self._call("POST", "/v1/mass-cancels", body)["clients"])


def _begun(session: dict[str, Any]) -> dict[int, int]:
    """When the phase of each whole shard began, microseconds."""
    return {row["shard"]: row["since_us"] for row in session["phases"] if row["security"] is None}
