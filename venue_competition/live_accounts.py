"""Accounts of a competition at a live venue: made once, and brought to the start by journals."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Protocol

from venue_competition.rules import Rules
from venue_launcher.admin_client import Administration
from venue_launcher.administrator_connection import AdministratorConnection
from venue_protocol.money import format_e4, parse_e4

_ISSUED = 1_000_000_000
_TIMEOUT_S = 10


class CompetitionVenue(Protocol):
    """What a competition needs of a venue; a RunningVenue has it."""

    @property
    def gateway_url(self) -> str:
        """Base URL of order entry."""
        ...

    @property
    def clearinghouse_url(self) -> str:
        """Base URL of the clearinghouse."""
        ...

    @property
    def market_data_url(self) -> str:
        """Base URL of the feed."""
        ...

    @property
    def admin_key(self) -> str:
        """An administrator's key."""
        ...

    @property
    def owner_clearing_url(self) -> str:
        """Of the database, as its owner."""
        ...

    @property
    def owner_market_url(self) -> str:
        """Of the feed's database, as its owner."""
        ...


class LiveAccounts:
    """Makes accounts, resets and freezes them."""

    def __init__(self, venue: CompetitionVenue) -> None:
        self._administration = Administration(venue)
        self._feed = AdministratorConnection(
            "feed", venue.market_data_url, venue.admin_key, _TIMEOUT_S
        )

    def list_securities(self, ours: Rules) -> None:
        """List those of the rules that the venue does not have."""
        known = {str(each["security"]) for each in self._administration.securities()}
        for rule in ours.securities:
            if rule.security not in known:
                self._administration.add_security(
                    {
                        "security": rule.security,
                        "name": rule.security,
                        "reference_price": format_e4(parse_e4(rule.reference_price)),
                        "tick": format_e4(parse_e4(rule.tick)),
                        "lot": rule.lot,
                        "band_bps": rule.band_percent * 100,
                        "issued_shares": _ISSUED // rule.lot * rule.lot,
                    }
                )

    def key(self, client_id: str, role: str = "trader") -> str:
        """A new key of the client, which is made if there is none of this name; its earlier keys
        end.
        """
        known = {str(each["client_id"]) for each in self._administration.clients()}
        if client_id in known:
            return self._administration.rotate_keys(client_id)
        return self._administration.create_client(client_id, role)

    def standings(self) -> dict[str, dict[str, Any]]:
        """Balance, held, holdings and equity of every client, as the feed words them."""
        rows: list[dict[str, Any]] = []
        after: Any = 0
        while after is not None:
            page = self._feed.call("GET", f"/v1/standings?after={after}&limit=1000")
            rows += page["standings"]
            after = page["next"]
        return {str(row["client_id"]): row for row in rows}

    def reset(self, client_id: str, cash: Decimal, shares: Mapping[str, int]) -> None:
        """Bring a client without open orders to these means, by deposits and withdrawals."""
        row = self.standings().get(client_id, {})
        self._move_cash(client_id, parse_e4(cash) - parse_e4(str(row.get("balance", "0"))))
        held: dict[str, int] = row.get("holdings", {})
        for security in sorted({*held, *shares}):
            change = shares.get(security, 0) - held.get(security, 0)
            body = {"client_id": client_id, "security": security, "shares": abs(change)}
            if change > 0:
                self._administration.deposit(body)
            elif change < 0:
                self._administration.withdraw(body)

    def freeze(self, client_id: str, reason: str) -> None:
        """Have its orders canceled and new ones refused."""
        self._administration.suspend(client_id, reason)

    def release(self, client_id: str) -> None:
        """Let it trade again."""
        self._administration.resume(client_id)

    def show(self, standing: object) -> None:
        """Tell everybody, at /v1/competition."""
        self._feed.call("PUT", "/v1/competition", standing)

    def _move_cash(self, client_id: str, change_e4: int) -> None:
        body = {"client_id": client_id, "cash": format_e4(abs(change_e4))}
        if change_e4 > 0:
            self._administration.deposit(body)
        elif change_e4 < 0:
            self._administration.withdraw(body)
