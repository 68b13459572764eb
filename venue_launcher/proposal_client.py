"""The clearinghouse's proposals with an administrator's key: propose, list, consent, decline."""

import secrets
from collections.abc import Iterator
from typing import Any, Protocol

from venue_launcher.administrator_connection import AdministratorConnection

_TIMEOUT_S = 30
_PAGE = 500


class ProposingVenue(Protocol):
    """What is needed to reach the clearinghouse; a RunningVenue has it."""

    @property
    def clearinghouse_url(self) -> str:
        """Base URL of the clearinghouse."""
        ...

    @property
    def admin_key(self) -> str:
        """An administrator's key."""
        ...


class ProposalClient:
    """Proposals of one venue, by the administrator whose key is given."""

    def __init__(self, venue: ProposingVenue, key: str | None = None) -> None:
        connection = AdministratorConnection(
            "clearinghouse", venue.clearinghouse_url, key or venue.admin_key, _TIMEOUT_S
        )
        self._call = connection.call

    def propose(self, body: dict[str, Any]) -> dict[str, Any]:
        """A new proposal; CommandError if it is refused."""
        headers = {"Idempotency-Key": secrets.token_hex(16)}
        return self._call("POST", "/v1/proposals", body, headers)

    def proposals(self, is_open: bool) -> Iterator[dict[str, Any]]:
        """All proposals, or those that wait to be decided; oldest first."""
        after = 0
        status = "open" if is_open else "all"
        while True:
            path = f"/v1/proposals?status={status}&limit={_PAGE}&after={after}"
            page = self._call("GET", path)
            yield from page["proposals"]
            if page["next"] is None:
                return
            after = page["next"]

    def consent(self, proposal_id: int) -> dict[str, Any]:
        """Do what another administrator proposed; CommandError says who lacks what."""
        return self._call("POST", f"/v1/proposals/{proposal_id}/consent", {})

    def decline(self, proposal_id: int, reason: str | None) -> dict[str, Any]:
        """Decide against it."""
        return self._call("POST", f"/v1/proposals/{proposal_id}/decline", {"reason": reason})
