"""What an administrator cancels: the open orders of a client, of a security, or all of them.

Each client concerned gets its own CancelAllOrders in the log, so books, audit and restart need no
new command, and every owner is told like after a cancel of its own.
"""

import logging
from collections.abc import Mapping

import msgspec

from order_entry_gateway.domain.requests import CancelAllAction
from order_entry_gateway.domain.validation import CancelAllCandidate, check_cancel_all
from order_entry_gateway.ports import (
    CommandQueue,
    LookForSecurities,
    OrderOwners,
    nothing_to_look_for,
)
from venue_protocol.identifiers import ClientId, SecurityId
from venue_protocol.refusals import Refusal, Refused, RejectReason, refuse, unknown_client
from venue_protocol.securities import Security

log = logging.getLogger(__name__)

_AT_ONCE = 200
"""Cancels of one commit: others' orders get in between, however many clients there are."""


class MassCancelRequest(msgspec.Struct, forbid_unknown_fields=True):
    """Body of POST /v1/mass-cancels: a client, a security, both, or all."""

    client_id: ClientId | None = None
    security: SecurityId | None = None
    all: bool = False


class MassCancelDesk:
    """Logs the cancels. Orders that enter the log meanwhile stay."""

    def __init__(
        self,
        commands: CommandQueue,
        securities: Mapping[str, Security],
        owners: OrderOwners,
        look_for: LookForSecurities = nothing_to_look_for,
    ) -> None:
        self._commands = commands
        self._securities = securities
        self._look_for = look_for
        self._owners = owners

    def cancel(self, request: MassCancelRequest, by: str) -> int:
        """Log the cancels; the number of clients whose orders are canceled.

        Refused for what can't be; a refusal in between says how many were done before it.
        """
        if request.all == (request.client_id is not None or request.security is not None):
            raise refuse(
                RejectReason.INVALID_FIELD, "send all, or client_id, security or both of them"
            )
        self._look_for([] if request.security is None else [request.security])
        owners = self._owners_of(request)
        candidates = [found for owner in owners for found in self._check(owner, request.security)]
        log.info(
            "an administrator cancels orders",
            extra={
                "administrator": by,
                "client_id": request.client_id,
                "security_id": request.security,
                "clients": len(owners),
            },
        )
        for start in range(0, len(candidates), _AT_ONCE):
            for decision in self._commands.submit(candidates[start : start + _AT_ONCE]):
                if isinstance(decision, Refusal):
                    raise Refused(decision)
        return len(owners)

    def _owners_of(self, request: MassCancelRequest) -> list[str]:
        if request.security is not None:
            self._check("", request.security)
        if request.client_id is None:
            return self._owners.with_open_orders(request.security)
        if not self._owners.exists(request.client_id):
            raise unknown_client(request.client_id)
        return [request.client_id]

    def _check(self, client_id: str, security_id: str | None) -> list[CancelAllCandidate]:
        found = check_cancel_all(CancelAllAction(security_id), client_id, self._securities)
        if isinstance(found, Refusal):
            raise Refused(found)
        return found
