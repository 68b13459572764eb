"""Logs the corporate actions that an administrator commands."""

import logging
from typing import Any

import msgspec

from order_entry_gateway.phase_desk import PhaseDesk
from venue_protocol.commands import ApplyCorporateAction
from venue_protocol.corporate_actions import CorporateAction, Split, action_shown
from venue_protocol.identifiers import SecurityId, sharded_id
from venue_protocol.money import MoneyError, parse_json_e4
from venue_protocol.refusals import RejectReason, refuse
from venue_protocol.securities import Security

log = logging.getLogger(__name__)

MOST_SPLIT_SHARES = 10_000
"""Of either number of a split."""


class SplitRequest(msgspec.Struct, forbid_unknown_fields=True, tag_field="action", tag="split"):
    """Body of POST /v1/actions: `new_shares` for `old_shares`."""

    security: SecurityId
    new_shares: int
    old_shares: int
    share_price: msgspec.Raw = msgspec.Raw(b"null")
    """What a whole new share is paid with where a holding has a fraction of one; the reference
    price after the split, if left out.
    """


ActionRequest = SplitRequest


class ActionDesk:
    """Turns requests into commands of the security's shard."""

    def __init__(self, phases: PhaseDesk) -> None:
        self._phases = phases

    def apply(self, client_id: str, request: ActionRequest) -> dict[str, Any]:
        """Log the action; its number and place. Raises Refused if it can't be logged."""
        security = self._phases.security(request.security)
        action = _split(request, security)
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


def _split(request: SplitRequest, security: Security) -> CorporateAction:
    for name in ("new_shares", "old_shares"):
        if not 1 <= getattr(request, name) <= MOST_SPLIT_SHARES:
            message = f"{name} is from 1 to {MOST_SPLIT_SHARES}"
            raise refuse(RejectReason.INVALID_FIELD, message, name)
    if request.new_shares == request.old_shares:
        raise refuse(RejectReason.INVALID_FIELD, "a split changes the number", "new_shares")
    price_e4 = _amount_e4(request.share_price, "share_price")
    split = Split(request.new_shares, request.old_shares, 0)
    if price_e4 is None:
        price_e4 = split.price_e4(security.reference_price_e4)
    if price_e4 < 0:
        raise refuse(RejectReason.INVALID_FIELD, "share_price is not below zero", "share_price")
    return msgspec.structs.replace(split, share_price_e4=price_e4)


def _amount_e4(raw: msgspec.Raw, field: str) -> int | None:
    if bytes(raw) == b"null":
        return None
    try:
        return parse_json_e4(bytes(raw))
    except MoneyError as error:
        raise refuse(RejectReason.INVALID_FIELD, f"{field}: {error}", field) from None
