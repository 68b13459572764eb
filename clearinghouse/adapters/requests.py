"""Bodies that administrators send, and what they mean in the words of the domain."""

from typing import Annotated, Literal

import msgspec

from clearinghouse.client_administration import MOST_REASON
from venue_protocol.holds import CASH
from venue_protocol.identifiers import ClientId, SecurityId
from venue_protocol.listing import DEFAULT_BAND_BPS, MOST_SHARES
from venue_protocol.money import MoneyError, parse_json_e4
from venue_protocol.proposals import Fine, Proposed, TradeBust, TradeCorrection, Withdrawal
from venue_protocol.refusals import RejectReason, refuse
from venue_protocol.securities import Security

_MOST_KEY = 128
"""Characters of an Idempotency-Key: three times a UUID, and every key stays in an index."""
_NO_CASH = msgspec.Raw(b"null")
"""Not `Raw | None`: in a union msgspec takes Raw for no alternative at all."""

_TRADE_ID_END = 1 << 53


_SHARD = 0
"""The shard of a new security: a venue begins with one, and moving a security is not yet built."""


class ClientRequest(msgspec.Struct, forbid_unknown_fields=True):
    """Body of POST /v1/clients."""

    client_id: ClientId
    role: Literal["trader", "market_maker", "administrator"] = "trader"
    cash: msgspec.Raw = _NO_CASH
    shares: dict[SecurityId, int] = {}
    rate_limit_per_second: int | None = None

    def cash_e4(self) -> int | None:
        """Starting cash, ten-thousandths of a dollar; None if none was sent."""
        if self.cash == _NO_CASH:
            return None
        cash_e4 = amount_e4(self.cash, "cash")
        if cash_e4 < 0:
            raise refuse(RejectReason.AMOUNT_NOT_POSITIVE, "cash is below zero", "cash")
        return cash_e4

    def checked_shares(self) -> dict[str, int]:
        """Starting shares by security, each number in its range."""
        for quantity in self.shares.values():
            check_shares(quantity)
        return self.shares


class ClientChange(msgspec.Struct, forbid_unknown_fields=True):
    """Body of PATCH /v1/clients/{client_id}."""

    rate_limit_per_second: int | None


class SuspensionRequest(msgspec.Struct, forbid_unknown_fields=True):
    """Body of PUT /v1/clients/{client_id}/suspension."""

    reason: Annotated[str, msgspec.Meta(max_length=MOST_REASON)] | None = None


class TransferRequest(msgspec.Struct, forbid_unknown_fields=True):
    """Body of POST /v1/deposits and /v1/withdrawals: cash, or security and shares."""

    client_id: ClientId
    cash: msgspec.Raw = _NO_CASH
    security: SecurityId | None = None
    shares: int | None = None

    def asset_and_amount(self) -> tuple[str, int]:
        """What is moved: CASH with ten-thousandths of a dollar, or a security with shares."""
        if self.cash != _NO_CASH and self.security is None and self.shares is None:
            return CASH, amount_e4(self.cash, "cash")
        if self.cash == _NO_CASH and self.security is not None and self.shares is not None:
            if self.security == CASH:
                # Shares of "USD" would be credited as ten-thousandths of a dollar.
                raise refuse(
                    RejectReason.UNKNOWN_SECURITY,
                    f"{CASH} is no security: send cash",
                    "security",
                )
            if self.shares > MOST_SHARES:
                raise refuse(
                    RejectReason.INVALID_FIELD, f"shares is at most {MOST_SHARES}", "shares"
                )
            return self.security, self.shares
        raise refuse(RejectReason.MISSING_FIELD, "send either cash, or security and shares")


class ProposalRequest(msgspec.Struct, forbid_unknown_fields=True):
    """Body of POST /v1/proposals: what an administrator proposes, and why."""

    kind: Literal["bust", "correction", "fine"]
    reason: str
    trade_id: int | None = None
    price: msgspec.Raw = _NO_CASH
    quantity: int | None = None
    client_id: ClientId | None = None
    cash: msgspec.Raw = _NO_CASH

    def proposed(self) -> Proposed:
        """What is proposed; Refused for a field that is missing or does not belong to it."""
        sent = {
            "trade_id": self.trade_id is not None,
            "price": self.price != _NO_CASH,
            "quantity": self.quantity is not None,
            "client_id": self.client_id is not None,
            "cash": self.cash != _NO_CASH,
        }
        needed, possible = _FIELDS_OF_PROPOSALS[self.kind]
        for name, is_sent in sent.items():
            if is_sent and name not in needed + possible:
                raise refuse(
                    RejectReason.INVALID_FIELD, f"{name} does not belong to a {self.kind}", name
                )
            if not is_sent and name in needed:
                raise refuse(RejectReason.MISSING_FIELD, f"a {self.kind} needs {name}", name)
        if self.client_id is not None:
            return Fine(self.client_id, amount_e4(self.cash, "cash"))
        trade_id = _checked_trade_id(self.trade_id or 0)
        if self.kind == "bust":
            return TradeBust(trade_id)
        price_e4 = amount_e4(self.price, "price") if sent["price"] else None
        if self.quantity is not None and self.quantity > MOST_SHARES:
            raise refuse(
                RejectReason.INVALID_FIELD, f"quantity is at most {MOST_SHARES}", "quantity"
            )
        return TradeCorrection(trade_id, price_e4, self.quantity)


_FIELDS_OF_PROPOSALS = {
    "bust": (("trade_id",), ()),
    "correction": (("trade_id",), ("price", "quantity")),
    "fine": (("client_id", "cash"), ()),
}
"""Fields that each kind must have, and may have."""


class DeclineRequest(msgspec.Struct, forbid_unknown_fields=True):
    """Body of POST /v1/proposals/{id}/decline."""

    reason: str | None = None


class WithdrawalRequest(msgspec.Struct, forbid_unknown_fields=True):
    """Body of POST /v1/withdrawal-requests: cash, or security and shares, of the caller itself."""

    cash: msgspec.Raw = _NO_CASH
    security: SecurityId | None = None
    shares: int | None = None
    reason: str = "withdrawal"

    def of(self, client_id: str) -> Withdrawal:
        """What this client asks for."""
        moved = TransferRequest(client_id, self.cash, self.security, self.shares)
        return Withdrawal(client_id, *moved.asset_and_amount())


class SecurityRequest(msgspec.Struct, forbid_unknown_fields=True):
    """Body of POST /v1/securities."""

    security: SecurityId
    name: str
    reference_price: msgspec.Raw
    tick: msgspec.Raw = msgspec.Raw(b'"0.01"')
    lot: int = 1
    band_bps: int = DEFAULT_BAND_BPS
    max_quantity: int = 1_000_000
    issued_shares: int = 0

    def listed(self) -> Security:
        """The security; `domain.listing` says whether it can be one."""
        return Security(
            security_id=self.security,
            name=self.name,
            shard=_SHARD,
            tick_e4=amount_e4(self.tick, "tick"),
            lot=self.lot,
            band_bps=self.band_bps,
            reference_price_e4=amount_e4(self.reference_price, "reference_price"),
            max_quantity=self.max_quantity,
        )


def idempotency_key(sent: str | None) -> str:
    """The Idempotency-Key that came with a request; Refused with 400 if it can't be one."""
    if sent is None or not 1 <= len(sent) <= _MOST_KEY or not sent.isprintable():
        raise refuse(
            RejectReason.MISSING_FIELD,
            f"send an Idempotency-Key header of 1 to {_MOST_KEY} characters",
        )
    return sent


def amount_e4(raw: msgspec.Raw, field: str) -> int:
    """Ten-thousandths of a dollar in a raw JSON value; Refused with 400 naming `field`."""
    try:
        return parse_json_e4(bytes(raw))
    except MoneyError as error:
        raise refuse(RejectReason.INVALID_FIELD, f"{field}: {error}", field) from None


def _checked_trade_id(trade_id: int) -> int:
    """A number that a trade could have; beyond it no statement could be asked."""
    if not 1 <= trade_id < _TRADE_ID_END:
        raise refuse(RejectReason.UNKNOWN_TRADE, f"no trade {trade_id}", "trade_id")
    return trade_id


def check_shares(quantity: int) -> int:
    """The number of shares, which must be from 0 to MOST_SHARES."""
    if not 0 <= quantity <= MOST_SHARES:
        raise refuse(RejectReason.INVALID_FIELD, f"shares is from 0 to {MOST_SHARES}", "shares")
    return quantity
