"""Logs how the venue settles, and the end of a cycle, as an administrator commands it."""

import logging
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from order_entry_gateway.domain.trading_phases import SessionCandidate, SessionCommand
from order_entry_gateway.domain.validation import DeliveryCandidate, unknown_security
from order_entry_gateway.phase_desk import commit
from order_entry_gateway.ports import CommandQueue, LookForSecurities, nothing_to_look_for
from venue_protocol.commands import (
    ExemptShares,
    NotifyBuyIn,
    SetSettlement,
    StartSettlementCycle,
)
from venue_protocol.identifiers import SecurityId
from venue_protocol.money import MoneyError, parse_json_e4
from venue_protocol.refusals import Refusal, Refused, RejectReason
from venue_protocol.securities import Security
from venue_protocol.settlement_modes import GROSS, MOST_INTERVAL_US, MOST_LAG, SettlementMode

log = logging.getLogger(__name__)

_SECOND_US = 1_000_000
MOST_EXEMPT = 10**15
"""Shares: more than any issue has, and few enough for the columns of the database."""
_NOTHING = msgspec.Raw(b"0")


class SettlementRequest(msgspec.Struct, forbid_unknown_fields=True):
    """Body of POST /v1/settlement."""

    mode: SettlementMode
    every_s: int | None = None
    """Seconds between cycles, from whole multiples of them since the epoch; null: no such."""
    at_close: bool = False
    """A cycle when the whole venue closes."""
    lag: int = 0
    """0: a trade is due in the cycle that ends next; 1: in the one after it (T+1)."""


class CycleRequest(msgspec.Struct, forbid_unknown_fields=True):
    """Body of POST /v1/settlement/cycles: an empty object."""


class ExemptionRequest(msgspec.Struct, forbid_unknown_fields=True):
    """Body of PUT /v1/delivery-exemptions."""

    security: SecurityId
    quantity: int
    """Own shares that cycles don't deliver; 0 ends the exemption."""
    deposit: msgspec.Raw = _NOTHING
    """Cash held for the charges; the exemption ends when it does not cover the next one."""


class BuyInRequest(msgspec.Struct, forbid_unknown_fields=True):
    """Body of POST /v1/buy-ins."""

    security: SecurityId


class SettlementModeDesk:
    """Turns requests into one command for each shard."""

    def __init__(
        self,
        committer: CommandQueue,
        securities: Mapping[str, Security],
        look_for: LookForSecurities = nothing_to_look_for,
    ) -> None:
        self._committer = committer
        self._securities = securities
        self._look_for = look_for

    def set(self, client_id: str, request: SettlementRequest) -> list[dict[str, Any]]:
        """Log the mode; its place in the log, by shard. Raises Refused if it can't be logged."""
        _check(request)
        interval_us = request.every_s * _SECOND_US if request.every_s is not None else None
        logged = self._log(
            lambda: SetSettlement(
                client_id, request.mode, interval_us, request.at_close, request.lag
            )
        )
        log.info(
            "mode of settlement commanded",
            extra={"administrator": client_id, "mode": request.mode, "every_s": request.every_s},
        )
        return logged

    def start_cycle(self, client_id: str) -> list[dict[str, Any]]:
        """Log the end of the present cycle of each shard."""
        logged = self._log(lambda: StartSettlementCycle(client_id))
        log.info("settlement cycle commanded", extra={"administrator": client_id})
        return logged

    def exempt(self, client_id: str, request: ExemptionRequest) -> list[dict[str, Any]]:
        """Log which own shares are kept from delivery; the deposit is held. Raises Refused."""
        try:
            deposit_e4 = parse_json_e4(bytes(request.deposit))
        except MoneyError as error:
            raise Refused(Refusal(RejectReason.INVALID_FIELD, str(error), "deposit")) from error
        if not 0 <= request.quantity <= MOST_EXEMPT:
            _refuse(f"quantity is 0 to {MOST_EXEMPT} shares", "quantity")
        if deposit_e4 < 0 or (request.quantity == 0 and deposit_e4):
            _refuse("deposit is 0 or more, and 0 without an exemption", "deposit")
        security = self._security(request.security)
        command = ExemptShares(client_id, security.security_id, request.quantity, deposit_e4)
        return commit(self._committer, [DeliveryCandidate(security.shard, command)])

    def notify_buy_in(self, client_id: str, request: BuyInRequest) -> list[dict[str, Any]]:
        """Log that a client asks for shares that it waits for. Raises Refused."""
        security = self._security(request.security)
        command = NotifyBuyIn(client_id, security.security_id)
        return commit(self._committer, [DeliveryCandidate(security.shard, command)])

    def _security(self, security_id: str) -> Security:
        self._look_for([security_id])
        security = self._securities.get(security_id)
        if security is None:
            raise Refused(unknown_security(security_id))
        return security

    def _log(self, command: Callable[[], SessionCommand]) -> list[dict[str, Any]]:
        self._look_for()
        shards = sorted({security.shard for security in self._securities.values()}) or [0]
        return commit(self._committer, [SessionCandidate(shard, command()) for shard in shards])


def _check(request: SettlementRequest) -> None:
    most_s = MOST_INTERVAL_US // _SECOND_US
    if request.every_s is not None and not 1 <= request.every_s <= most_s:
        _refuse(f"every_s is 1 to {most_s} seconds, or null", "every_s")
    if not 0 <= request.lag <= MOST_LAG:
        _refuse(f"lag is 0 to {MOST_LAG} cycles", "lag")
    if request.mode == GROSS and (request.every_s is not None or request.at_close or request.lag):
        _refuse("gross settlement has no cycles: leave every_s, at_close and lag out", "mode")


def _refuse(message: str, field: str) -> None:
    raise Refused(Refusal(RejectReason.INVALID_FIELD, message, field))
