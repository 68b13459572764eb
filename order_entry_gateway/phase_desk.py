"""Logs what administrators and the schedule command: phases, halts and volatility bands."""

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from order_entry_gateway.domain.coverage import Accepted
from order_entry_gateway.domain.trading_phases import SessionCandidate, SessionCommand
from order_entry_gateway.domain.validation import Candidate, unknown_security
from order_entry_gateway.ports import CommandQueue, LookForSecurities, nothing_to_look_for
from venue_protocol.commands import SetPhase, SetVolatilityBands
from venue_protocol.identifiers import SecurityId
from venue_protocol.refusals import Refusal, Refused, RejectReason
from venue_protocol.securities import Security
from venue_protocol.trading_day import REOPENING_AUCTION, Phase

log = logging.getLogger(__name__)

_SECOND_US = 1_000_000
_ACTION_LOOKS, _ACTION_LOOK_S = 50, 0.1
"""A phase waits up to five seconds for the settlement of a corporate action."""


class PhaseRequest(msgspec.Struct, forbid_unknown_fields=True):
    """Body of POST /v1/session."""

    phase: Phase
    security: SecurityId | None = None
    """None: all securities, except for those halted one by one."""
    reason: str | None = None
    lasts_s: int | None = None
    """Of a reopening auction of one security: how long it collects before trading goes on."""


class BandsRequest(msgspec.Struct, forbid_unknown_fields=True):
    """Body of POST /v1/session/bands."""

    security: SecurityId
    band_bps: int | None
    """Half width of the band; null switches it off."""
    limit_state_s: int = 15
    pause_s: int = 300
    auction_s: int = 60


class PhaseDesk:
    """Turns requests into commands of each shard concerned."""

    def __init__(
        self,
        committer: CommandQueue,
        securities: Mapping[str, Security],
        look_for: LookForSecurities = nothing_to_look_for,
        refresh: Callable[[], object] = lambda: None,
        wait_s: Callable[[float], object] = time.sleep,
    ) -> None:
        self._committer = committer
        self._securities = securities
        self._look_for = look_for
        self._refresh = refresh
        """Reads the list of securities anew: a corporate action may have changed it."""
        self._wait_s = wait_s

    def begin(self, client_id: str, request: PhaseRequest) -> list[dict[str, Any]]:
        """Log the phase; its place in the log, by shard. Raises Refused if it can't be logged."""
        if request.reason is not None and not (
            len(request.reason) <= 200 and request.reason.isprintable()
        ):
            message = "a reason has 200 printable characters at most"
            raise Refused(Refusal(RejectReason.INVALID_FIELD, message, "reason"))
        if request.lasts_s is not None:
            _check_duration(request)
        logged = self._once_settled(client_id, request)
        log.info(
            "phase commanded",
            extra={
                "administrator": client_id,
                "phase": request.phase,
                "security_id": request.security,
                "reason": request.reason,
            },
        )
        return logged

    def _once_settled(self, client_id: str, request: PhaseRequest) -> list[dict[str, Any]]:
        """Log the phase; where a corporate action is not settled yet, a moment later."""
        for _ in range(_ACTION_LOOKS):
            try:
                return self._begin(client_id, request)
            except Refused as refused:
                if refused.refusal.reason is not RejectReason.ACTION_UNSETTLED:
                    raise
                self._wait_s(_ACTION_LOOK_S)
        return self._begin(client_id, request)

    def _begin(self, client_id: str, request: PhaseRequest) -> list[dict[str, Any]]:
        self._refresh()
        lasts_us = request.lasts_s * _SECOND_US if request.lasts_s is not None else None
        shards = (
            [self.security(request.security).shard]
            if request.security is not None
            else self._shards()
        )
        return commit(
            self._committer,
            [
                SessionCandidate(
                    shard,
                    SetPhase(
                        client_id,
                        request.phase,
                        request.security,
                        request.reason,
                        lasts_us,
                        self._references(shard, request.security),
                    ),
                )
                for shard in shards
            ],
        )

    def set_bands(self, client_id: str, request: BandsRequest) -> list[dict[str, Any]]:
        """Log the bands of a security."""
        if request.band_bps is not None and not 1 <= request.band_bps <= 9_999:
            raise Refused(
                Refusal(RejectReason.INVALID_FIELD, "band_bps is 1 to 9999, or null", "band_bps")
            )
        for name in ("limit_state_s", "pause_s", "auction_s"):
            if not 1 <= getattr(request, name) <= 86_400:
                raise Refused(
                    Refusal(RejectReason.INVALID_FIELD, f"{name} is 1 to 86400 seconds", name)
                )
        security = self.security(request.security)
        command = SetVolatilityBands(
            client_id,
            request.security,
            request.band_bps,
            security.reference_price_e4,
            request.limit_state_s * _SECOND_US,
            request.pause_s * _SECOND_US,
            request.auction_s * _SECOND_US,
        )
        logged = commit(self._committer, [SessionCandidate(security.shard, command)])
        log.info(
            "volatility bands set",
            extra={
                "administrator": client_id,
                "security_id": request.security,
                "band_bps": request.band_bps,
            },
        )
        return logged

    def is_listed(self, security_id: str) -> bool:
        """Whether there is, or was, a security of this symbol."""
        self._look_for([security_id])
        return security_id in self._securities

    def commit(self, shard: int, command: SessionCommand) -> list[dict[str, Any]]:
        """Log one command; where it stands in the log. Raises Refused."""
        return commit(self._committer, [SessionCandidate(shard, command)])

    def security(self, security_id: str) -> Security:
        """A listed security. Raises Refused."""
        self._look_for([security_id])
        security = self._securities.get(security_id)
        if security is None:
            raise Refused(unknown_security(security_id))
        refusal = security.refuse_delisted()
        if refusal is not None:
            raise Refused(refusal)
        return security

    def _shards(self) -> list[int]:
        self._look_for()
        return sorted({security.shard for security in self._securities.values()}) or [0]

    def _references(self, shard: int, security_id: str | None) -> list[tuple[str, int]]:
        return sorted(
            (name, security.reference_price_e4)
            for name, security in self._securities.items()
            if security.shard == shard
            and security_id in (None, name)
            and security.delisted_us is None
        )


def commit(committer: CommandQueue, candidates: Sequence[Candidate]) -> list[dict[str, Any]]:
    """Log these commands; the place of each. Raises Refused if they can't be logged."""
    answers = []
    for decision in committer.submit(candidates):
        if isinstance(decision, Refusal):
            raise Refused(decision)
        assert isinstance(decision, Accepted)
        answers.append(
            {"shard": decision.shard, "sequence": decision.sequence, "time_us": decision.time_us}
        )
    return answers


def _check_duration(request: PhaseRequest) -> None:
    if not 1 <= (request.lasts_s or 0) <= 86_400:
        raise Refused(
            Refusal(RejectReason.INVALID_FIELD, "lasts_s is 1 to 86400 seconds", "lasts_s")
        )
    if request.security is None or request.phase != REOPENING_AUCTION:
        message = "only a reopening auction of one security ends by itself"
        raise Refused(Refusal(RejectReason.INVALID_FIELD, message, "lasts_s"))
