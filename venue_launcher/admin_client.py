"""The clearinghouse's HTTP API with the administrator's key."""

import uuid
from typing import Any, Protocol
from urllib.parse import quote

from venue_launcher.administrator_connection import AdministratorConnection

TIMEOUT_S = 10


class AdministeredVenue(Protocol):
    """What is needed to administer a venue; a RunningVenue has it."""

    @property
    def clearinghouse_url(self) -> str:
        """Base URL of the clearinghouse."""
        ...

    @property
    def admin_key(self) -> str:
        """An administrator's key."""
        ...


class Administration:
    """Accounts, deposits and securities of one venue."""

    def __init__(self, venue: AdministeredVenue) -> None:
        connection = AdministratorConnection(
            "clearinghouse", venue.clearinghouse_url, venue.admin_key, TIMEOUT_S
        )
        self._call = connection.call

    def create_client(
        self,
        client_id: str,
        role: str = "trader",
        cash: str | None = None,
        shares: dict[str, int] | None = None,
        rate_limit_per_second: int | None = None,
    ) -> str:
        """A new client's API key, shown this once.

        `cash` in dollars (None: what the venue gives each trader).
        """
        body: dict[str, Any] = {"client_id": client_id, "role": role}
        if cash is not None:
            body["cash"] = cash
        if shares:
            body["shares"] = shares
        if rate_limit_per_second is not None:
            body["rate_limit_per_second"] = rate_limit_per_second
        return str(self._call("POST", "/v1/clients", body)["api_key"])

    def add_key(self, client_id: str) -> str:
        """One more API key of a client that exists."""
        return str(self._call("POST", f"/v1/clients/{client_id}/keys")["api_key"])

    def rotate_keys(self, client_id: str) -> str:
        """A new API key of a client, instead of all that it had."""
        return str(self._call("PUT", f"/v1/clients/{client_id}/keys")["api_key"])

    def revoke_keys(self, client_id: str) -> None:
        """Let no key of a client work any more."""
        self._call("DELETE", f"/v1/clients/{client_id}/keys")

    def suspend(self, client_id: str, reason: str | None = None) -> None:
        """Have a client's orders canceled and new ones refused."""
        self._call("PUT", f"/v1/clients/{client_id}/suspension", {"reason": reason})

    def resume(self, client_id: str) -> bool:
        """Take a client's orders again; whether it was suspended."""
        return bool(self._call("DELETE", f"/v1/clients/{client_id}/suspension")["was_suspended"])

    def set_rate_limit(self, client_id: str, rate_limit_per_second: int | None) -> None:
        """Give a client a rate limit of its own; None: the usual one."""
        body = {"rate_limit_per_second": rate_limit_per_second}
        self._call("PATCH", f"/v1/clients/{client_id}", body)

    def open_join_code(self, label: str, places: int, open_s: int) -> dict[str, Any]:
        """A new code for strangers, as the API words it; its text is shown this once."""
        body = {"label": label, "places": places, "open_s": open_s}
        return dict(self._call("POST", "/v1/join-codes", body))

    def close_join_code(self, label: str) -> bool:
        """Take nobody more with this code; whether it was open."""
        return bool(self._call("DELETE", f"/v1/join-codes/{quote(label, safe='')}")["was_open"])

    def join_codes(self) -> list[dict[str, Any]]:
        """All codes without their texts, as the API words them."""
        return self._every("/v1/join-codes", "join_codes")

    def clients(self) -> list[dict[str, Any]]:
        """All clients with role and cash, as the API words them."""
        return self._every("/v1/clients", "clients")

    def securities(self) -> list[dict[str, Any]]:
        """All securities with their rules, as the API words them."""
        return self._every("/v1/securities", "securities")

    def add_security(self, body: dict[str, Any]) -> None:
        """List a new security; `body` as POST /v1/securities takes it."""
        self._call("POST", "/v1/securities", body)

    def fees(self) -> list[dict[str, Any]]:
        """The rows of the fee schedule, as the API words them."""
        return list(self._call("GET", "/v1/fees")["fees"])

    def set_fees(self, body: dict[str, Any]) -> dict[str, Any]:
        """Set a row of the fee schedule; `body` as PUT /v1/fees takes it. Returns the row."""
        return dict(self._call("PUT", "/v1/fees", body))

    def remove_fees(self, security: str | None, tier: str) -> bool:
        """Remove a row of the fee schedule, for all securities if None; whether it was there."""
        only = "" if security is None else f"&security={quote(security)}"
        return bool(self._call("DELETE", f"/v1/fees?tier={quote(tier)}{only}")["was_set"])

    def fee_tiers(self) -> dict[str, str]:
        """Tier by client, of those that are not in the standard one."""
        return dict(self._call("GET", "/v1/fee-tiers")["tiers"])

    def set_fee_tier(self, client_id: str, tier: str) -> None:
        """Put a client into a tier of fees."""
        self._call("PUT", f"/v1/clients/{client_id}/fee-tier", {"tier": tier})

    def deposit(self, body: dict[str, Any]) -> None:
        """Give cash or shares, once; `body` as POST /v1/deposits takes it."""
        self._call("POST", "/v1/deposits", body, {"Idempotency-Key": uuid.uuid4().hex})

    def withdraw(self, body: dict[str, Any]) -> None:
        """Take cash or shares away, once; `body` as POST /v1/withdrawals takes it."""
        self._call("POST", "/v1/withdrawals", body, {"Idempotency-Key": uuid.uuid4().hex})

    def loans(self) -> list[dict[str, Any]]:
        """All stock loans, as the API words them."""
        return self._every("/v1/loans", "loans")

    def lendable(self) -> list[dict[str, Any]]:
        """What the lender's pool has and has lent."""
        return list(self._call("GET", "/v1/lendable")["securities"])

    def default_fund(self) -> list[dict[str, Any]]:
        """What each member has in the default fund."""
        return self._every("/v1/default-fund", "members")

    def margin_rules(self, changes: dict[str, Any]) -> dict[str, Any]:
        """The rules of stock loans, after these changes."""
        return dict(self._call("PATCH", "/v1/margin-rules", changes))

    def allow_short_selling(self, client_id: str, is_allowed: bool | None) -> None:
        """Let a client borrow, or not; None: as for everybody."""
        path = f"/v1/clients/{quote(client_id)}/short-selling"
        self._call("PUT", path, {"is_allowed": is_allowed})

    def recall_loan(self, body: dict[str, Any]) -> dict[str, Any]:
        """Ask for borrowed shares back; `body` as POST /v1/loan-recalls takes it."""
        return dict(self._call("POST", "/v1/loan-recalls", body))

    def contribute(self, client_id: str, cash: str) -> str:
        """Move a member's cash into the default fund, once; what it has there then."""
        body = {"client_id": client_id, "cash": cash}
        headers = {"Idempotency-Key": uuid.uuid4().hex}
        return str(self._call("POST", "/v1/default-fund", body, headers)["contribution"])

    def _every(self, path: str, name: str) -> list[dict[str, Any]]:
        """All rows of a list, page after page."""
        page = self._call("GET", path)
        rows = list(page[name])
        while page["next"] is not None:
            page = self._call("GET", f"{path}?after={quote(page['next'])}")
            rows += page[name]
        return rows
