"""The trading day as the events tell it: phases, indications of auctions, limit states, by
security.
"""

from collections.abc import Iterable
from typing import get_args

import msgspec

from venue_protocol.events import (
    AuctionIndication,
    CorporateActionApplied,
    CorporateActionDeclared,
    DividendPaid,
    LimitStateChanged,
    PhaseChanged,
)
from venue_protocol.trading_day import CONTINUOUS, PhaseState

ActionEvent = CorporateActionDeclared | CorporateActionApplied | DividendPaid
SessionEvent = PhaseChanged | AuctionIndication | LimitStateChanged | ActionEvent
SESSION_EVENTS = get_args(SessionEvent)


class SessionRow(msgspec.Struct, frozen=True):
    """A row of session_events: the newest event of its kind about a security, or about a whole
    shard.
    """

    shard: int
    security_id: str
    """Empty: the whole shard."""
    kind: str
    """The event's name; that of a corporate action has its number too, so each one is kept."""
    event: SessionEvent
    time_us: int
    event_sequence: int
    """Sharded."""

    @property
    def key(self) -> tuple[int, str, str]:
        """What the row is the newest of."""
        return self.shard, self.security_id, self.kind


def session_row(shard: int, event: SessionEvent, time_us: int, sequence: int) -> SessionRow:
    """The row of an event."""
    kind = type(event).__name__
    if isinstance(event, ActionEvent):
        kind = f"{kind} {event.action_id}"
    return SessionRow(shard, event.security_id or "", kind, event, time_us, sequence)


class Session:
    """What is true now of each shard and security."""

    def __init__(self) -> None:
        self._whole: dict[int, PhaseState] = {}
        self._single: dict[tuple[int, str], PhaseState] = {}
        self._indications: dict[tuple[int, str], AuctionIndication] = {}
        self._limits: dict[tuple[int, str], LimitStateChanged] = {}
        self._actions: dict[tuple[int, str], SessionRow] = {}

    def load(self, rows: Iterable[SessionRow]) -> None:
        """Take the recorded rows, oldest first."""
        for row in sorted(rows, key=lambda row: row.event_sequence):
            self.apply(row)

    def apply(self, row: SessionRow) -> None:
        """Take one event.

        What a phase says, no earlier exception, indication or limit state outlives.
        """
        event, shard = row.event, row.shard
        if isinstance(event, PhaseChanged):
            self._begin(shard, event)
        elif isinstance(event, AuctionIndication):
            self._indications[shard, event.security_id] = event
        elif isinstance(event, ActionEvent):
            self._actions[shard, event.security_id] = row
        elif event.side is None:
            self._limits.pop((shard, event.security_id), None)
        else:
            self._limits[shard, event.security_id] = event

    def phase(self, shard: int, security_id: str) -> PhaseState:
        """The phase of a security."""
        return self._single.get((shard, security_id)) or self._whole.get(shard, PhaseState())

    def shards(self) -> dict[int, PhaseState]:
        """The phase of each shard of which one was ever changed."""
        return dict(self._whole)

    def indication(self, shard: int, security_id: str) -> AuctionIndication | None:
        """What the security's auction would do now."""
        return self._indications.get((shard, security_id))

    def limit_state(self, shard: int, security_id: str) -> LimitStateChanged | None:
        """The limit state of the security, if it is in one."""
        return self._limits.get((shard, security_id))

    def newest_action(self, shard: int, security_id: str) -> SessionRow | None:
        """The newest step of a corporate action of the security; None without one."""
        return self._actions.get((shard, security_id))

    def remarkable(self) -> list[tuple[int, str]]:
        """Shard and name of the securities of which there is more to say than their shard's
        phase.
        """
        differing = {
            key
            for key, state in self._single.items()
            if state.phase != self._whole.get(key[0], PhaseState()).phase
        }
        return sorted(differing | self._indications.keys() | self._limits.keys())

    def is_around_the_clock(self) -> bool:
        """Whether every shard trades and nothing is remarkable."""
        return not self.remarkable() and all(
            state.phase == CONTINUOUS for state in self._whole.values()
        )

    def _begin(self, shard: int, event: PhaseChanged) -> None:
        state = PhaseState(event.phase, event.reason, event.until_us)
        if event.security_id is not None:
            self._single[shard, event.security_id] = state
            self._indications.pop((shard, event.security_id), None)
            self._limits.pop((shard, event.security_id), None)
            return
        self._whole[shard] = state
        for key in [key for key in self._single if key[0] == shard]:
            del self._single[key]
        for key in [key for key in self._indications if key[0] == shard]:
            del self._indications[key]
        for key in [key for key in self._limits if key[0] == shard]:
            del self._limits[key]
