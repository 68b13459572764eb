"""Borrowing shares, to sell them short, and giving them back.

    loans = StockLoans.of(venue)
    loans.borrow("AAPL", 10)
    venue.place("AAPL", "SELL", 10, price="101.00")
    ...                                     # buy them back
    loans.return_shares("AAPL", 10)

The venue holds cash of yours for what you borrow; `loans()` says how much, and whether a call is
open. Each request has a key of its own, so one that met a time-out is repeated without borrowing
twice.
"""

import secrets
from decimal import Decimal
from typing import Any

from trading_bots.client import VenueClient
from trading_bots.records import Lendable, Loan, LoanReceipt, read
from trading_bots.transport import Transport
from trading_bots.venue_address import VenueAddress


class StockLoans:
    """The loans of one client; Refused and VenueUnavailable as in VenueClient."""

    def __init__(
        self, client_id: str, api_key: str, clearinghouse_url: str, patience_s: float = 30.0
    ) -> None:
        self.client_id = client_id
        self._clearinghouse = Transport(clearinghouse_url, api_key, patience_s=patience_s)

    @classmethod
    def of(cls, client: VenueClient, clearinghouse_url: str | None = None) -> "StockLoans":
        """The loans of this client, at the address of `VenueAddress` unless another is named."""
        url = clearinghouse_url or VenueAddress.find().clearinghouse_url
        return cls(client.client_id, client.api_key, url)

    def borrow(self, security: str, quantity: int) -> LoanReceipt:
        """Borrow shares; they can be sold when this returns."""
        return self._move("/v1/loans", security, quantity)

    def return_shares(self, security: str, quantity: int) -> LoanReceipt:
        """Give borrowed shares back; what was held for them is free when this returns."""
        return self._move("/v1/loan-returns", security, quantity)

    def loans(self) -> list[Loan]:
        """What is borrowed now, by security."""
        content = self._clearinghouse.request("GET", f"/v1/loans/{self.client_id}")
        return [read(row, Loan) for row in content["loans"]]

    def lendable(self) -> list[Lendable]:
        """What the pool has."""
        content = self._clearinghouse.request("GET", "/v1/lendable")
        return [read(row, Lendable) for row in content["securities"]]

    def cash_needed(self, security: str, quantity: int) -> Decimal:
        """Cash that borrowing so many shares holds at the mark of now."""
        rules = self._clearinghouse.request("GET", "/v1/margin-rules")
        mark = next((row.mark for row in self.lendable() if row.security == security), Decimal(0))
        return mark * quantity * int(rules["initial_bps"]) / 10_000

    def close(self) -> None:
        """Close the connection."""
        self._clearinghouse.close()

    def _move(self, path: str, security: str, quantity: int) -> LoanReceipt:
        body: dict[str, Any] = {"security": security, "quantity": quantity}
        receipt: LoanReceipt = read(
            self._clearinghouse.request("POST", path, body, idempotency_key=secrets.token_hex(16)),
            LoanReceipt,
        )
        return receipt
