"""The gateway's session API with the administrator's key."""

from typing import Any, Protocol

import requests

from venue_launcher.errors import VenueError

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


class SessionError(VenueError):
    """The gateway refused, or did not answer; the message is its own."""


class SessionDoor:
    """Phases, halts, bands and the schedule of one venue."""

    def __init__(self, venue: CommandableVenue) -> None:
        self._url = venue.gateway_url
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.headers["Authorization"] = f"Bearer {venue.admin_key}"

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

    def _call(self, method: str, path: str, body: object = None) -> dict[str, Any]:
        try:
            answer = self._session.request(method, self._url + path, json=body, timeout=_TIMEOUT_S)
        except requests.RequestException as error:
            raise SessionError(
                f"the gateway at {self._url} does not answer: see ./venue status"
            ) from error
        try:
            content: dict[str, Any] = answer.json()
        except ValueError:
            content = {}
        if not answer.ok:
            status = f"status {answer.status_code}"
            raise SessionError(f"refused: {content.get('error', {}).get('message', status)}")
        return content
