"""The gateway's session API with the administrator's key."""

from typing import Any, Protocol

from venue_launcher.administrator_connection import AdministratorConnection

_TIMEOUT_S = 30


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
        """Replace the schedule."""
        return self._call("PUT", "/v1/session/schedule", body)

    def cancel_orders(self, body: dict[str, object]) -> int:
        """Cancel orders as POST /v1/mass-cancels takes it; the number of clients concerned."""
        return int(self._call("POST", "/v1/mass-cancels", body)["clients"])
