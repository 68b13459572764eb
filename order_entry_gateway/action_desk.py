"""Logs the corporate actions that an administrator commands."""

import logging
from collections.abc import Callable
from typing import Any

import msgspec

from order_entry_gateway.phase_desk import PhaseDesk
from venue_protocol.commands import ApplyCorporateAction
from venue_protocol.corporate_actions import (
    CashDividend,
    CorporateAction,
    Delisting,
    Split,
    SymbolChange,
    action_shown,
)
from venue_protocol.identifiers import SecurityId, sharded_id
from venue_protocol.money import MoneyError, parse_json_e4
from venue_protocol.refusals import Refused, RejectReason, refuse
from venue_protocol.securities import Security
from venue_protocol.times import TimeError, parse_utc

log = logging.getLogger(__name__)

MOST_SPLIT_SHARES = 10_000
"""Of either number of a split."""
MOST_PER_SHARE_E4 = 1_000_000_000
"""$100,000.00 for one share: times the shares of the largest holding it fits into 64 bits."""
_NOTHING = b"null"


class _Request(msgspec.Struct, forbid_unknown_fields=True, tag_field="action", kw_only=True):
    """Body of POST /v1/actions."""

    security: SecurityId


class SplitRequest(_Request, forbid_unknown_fields=True, tag="split"):
    """`new_shares` for `old_shares`."""

    new_shares: int
    old_shares: int
    share_price: msgspec.Raw = msgspec.Raw(_NOTHING)
    """What a whole new share is paid with where a holding has a fraction of one; the reference
    price after the split, if left out.
    """


class CashDividendRequest(_Request, forbid_unknown_fields=True, tag="cash_dividend"):
    """Times: ISO 8601 in UTC, 2026-11-21T14:30:00Z."""

    per_share: msgspec.Raw
    ex_time: str
    record_time: str | None = None
    """Default: `ex_time`."""
    pay_time: str | None = None
    """Default: `record_time`."""


class SymbolChangeRequest(_Request, forbid_unknown_fields=True, tag="symbol_change"):
    """The same shares under a new symbol."""

    new_security: SecurityId
    keeps_orders: bool = True


class DelistingRequest(_Request, forbid_unknown_fields=True, tag="delisting"):
    """Paid out at a price, or written off."""

    share_price: msgspec.Raw = msgspec.Raw(b'"0.00"')


ActionRequest = SplitRequest | CashDividendRequest | SymbolChangeRequest | DelistingRequest


class ActionDesk:
    """Turns requests into commands of the security's shard."""

    def __init__(self, phases: PhaseDesk) -> None:
        self._phases = phases

    def apply(self, client_id: str, request: ActionRequest) -> dict[str, Any]:
        """Log the action; its number and place. Raises Refused if it can't be logged."""
        security = self._phases.security(request.security)
        action = self._action(request, security)
        command = ApplyCorporateAction(
            client_id,
            security.security_id,
            action,
            security.reference_price_e4,
            security.tick_e4,
            security.lot,
        )
        (logged,) = self._phases.commit(security.shard, command)
        shown = action_shown(action)
        log.info(
            "corporate action commanded",
            extra={"administrator": client_id, "security_id": security.security_id, **shown},
        )
        action_id = sharded_id(logged["shard"], logged["sequence"])
        return {"action_id": action_id, "security": security.security_id, **shown, "logged": logged}

    def _action(self, request: ActionRequest, security: Security) -> CorporateAction:
        if isinstance(request, SplitRequest):
            return _split(request, security)
        if isinstance(request, CashDividendRequest):
            return _dividend(request)
        if isinstance(request, SymbolChangeRequest):
            return _symbol_change(request, self._phases.is_listed)
        return Delisting(_price_e4(request.share_price, "share_price"))


def _split(request: SplitRequest, security: Security) -> Split:
    for name in ("new_shares", "old_shares"):
        if not 1 <= getattr(request, name) <= MOST_SPLIT_SHARES:
            raise _invalid(f"{name} is from 1 to {MOST_SPLIT_SHARES}", name)
    if request.new_shares == request.old_shares:
        raise _invalid("a split changes the number of shares", "new_shares")
    split = Split(request.new_shares, request.old_shares, 0)
    if bytes(request.share_price) == _NOTHING:
        price_e4 = split.price_e4(security.reference_price_e4)
    else:
        price_e4 = _price_e4(request.share_price, "share_price")
    return msgspec.structs.replace(split, share_price_e4=price_e4)


def _dividend(request: CashDividendRequest) -> CashDividend:
    per_share_e4 = _price_e4(request.per_share, "per_share")
    if per_share_e4 == 0:
        raise _invalid("per_share is above zero", "per_share")
    ex_us = _time_us(request.ex_time, "ex_time")
    record_us = _time_us(request.record_time or request.ex_time, "record_time")
    pay_us = record_us if request.pay_time is None else _time_us(request.pay_time, "pay_time")
    if not ex_us <= record_us <= pay_us:
        raise _invalid("ex_time, record_time and pay_time follow each other", "ex_time")
    return CashDividend(per_share_e4, ex_us, record_us, pay_us)


def _symbol_change(request: SymbolChangeRequest, is_listed: Callable[[str], bool]) -> SymbolChange:
    if is_listed(request.new_security):
        message = f"{request.new_security} is, or was, another security"
        raise refuse(RejectReason.SECURITY_EXISTS, message, "new_security")
    return SymbolChange(request.new_security, request.keeps_orders)


def _price_e4(raw: msgspec.Raw, field: str) -> int:
    try:
        price_e4 = parse_json_e4(bytes(raw))
    except MoneyError as error:
        raise _invalid(f"{field}: {error}", field) from None
    if not 0 <= price_e4 <= MOST_PER_SHARE_E4:
        raise _invalid(f"{field} is from 0 to {MOST_PER_SHARE_E4 // 10_000} dollars", field)
    return price_e4


def _time_us(text: str, field: str) -> int:
    try:
        return parse_utc(text)
    except TimeError as error:
        raise _invalid(f"{field}: {error}", field) from None


def _invalid(message: str, field: str) -> Refused:
    return refuse(RejectReason.INVALID_FIELD, message, field)
