"""The commanded phases, and what they refuse at the gateway."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from venue_protocol.commands import SetPhase, SetVolatilityBands
from venue_protocol.orders import OrderType, TimeInForce
from venue_protocol.refusals import Refusal
from venue_protocol.trading_day import (
    CONTINUOUS,
    BandRow,
    PhaseRow,
    Phases,
    PhaseState,
    explain,
    refuse_amend_in_phase,
    refuse_in_phase,
)

WHOLE_SHARD = ""
"""The security_id of a shard's own row."""


@dataclass(slots=True)
class SessionCandidate:
    """A command of an administrator, or of the schedule, for one shard."""

    shard: int
    command: SetPhase | SetVolatilityBands

    @property
    def client_id(self) -> str:
        """The client that commands it."""
        return self.command.client_id


@dataclass(slots=True)
class Session:
    """The commanded phases of the shards that a batch concerns.

    A shard without a row trades continuously.
    """

    phases: dict[int, Phases] = field(default_factory=dict)
    stored: set[tuple[int, str]] = field(default_factory=set)
    """Shard and security of the stored rows."""
    rows: dict[tuple[int, str], PhaseRow] = field(default_factory=dict)
    """The rows to be stored."""
    bands: dict[tuple[int, str], BandRow] = field(default_factory=dict)

    def load(self, rows: Iterable[PhaseRow]) -> None:
        """Take over the stored rows, each shard's own first.

        A security whose row has the sequence of its shard's command has no phase of its own.
        """
        whole: dict[int, int] = {}
        for row in sorted(rows, key=lambda row: (row.shard, row.security_id)):
            self.stored.add((row.shard, row.security_id))
            if row.security_id == WHOLE_SHARD:
                whole[row.shard] = row.sequence
            elif row.sequence == whole.get(row.shard):
                continue
            self._begin(
                row.shard, row.security_id or None, PhaseState(row.phase, row.reason, row.lasts_us)
            )

    def command(self, shard: int, command: SetPhase | SetVolatilityBands) -> None:
        """Apply a command: everything that is decided from here on comes after it."""
        if isinstance(command, SetVolatilityBands):
            self._set_bands(shard, command)
            return
        self._begin(
            shard, command.security_id, PhaseState(command.phase, command.reason, command.lasts_us)
        )

    def _set_bands(self, shard: int, command: SetVolatilityBands) -> None:
        """Remember the commanded bands; the engine applies them."""
        self.bands[shard, command.security_id] = BandRow(
            shard,
            command.security_id,
            command.band_bps,
            command.limit_state_us,
            command.pause_us,
            command.auction_us,
        )

    def logged(self, shard: int, command: SetPhase, time_us: int, sequence: int) -> None:
        """Make the row of a command that now has its place in the log.

        A phase of a whole shard also changes the rows of the securities that it includes.
        """
        state = (command.phase, command.reason, command.lasts_us, time_us, sequence)
        names = {command.security_id or WHOLE_SHARD}
        if command.security_id is None:
            kept = self.phases[shard].exceptions
            names |= {
                name
                for of, name in self.stored | self.rows.keys()
                if of == shard and name not in kept
            }
        for name in names:
            self.rows[shard, name] = PhaseRow(shard, name, *state)

    def refuse(
        self, shard: int, security_id: str, order_type: OrderType, time_in_force: TimeInForce
    ) -> Refusal | None:
        """The refusal of an order that the commanded phase does not take.

        Only the engine can judge a phase that ends by itself.
        """
        state = self._state(shard, security_id)
        if state.until_us is not None:
            return None
        reason = refuse_in_phase(state.phase, order_type, time_in_force)
        return (
            None if reason is None else Refusal(reason, _said(explain(reason, state.phase), state))
        )

    def is_continuous(self, shard: int, security_id: str) -> bool:
        """Whether the security was commanded to trade continuously."""
        return self._state(shard, security_id).phase == CONTINUOUS

    def refuse_amend(self, shard: int, security_id: str) -> Refusal | None:
        """The refusal of an amend that the commanded phase does not take."""
        state = self._state(shard, security_id)
        reason = refuse_amend_in_phase(state.phase)
        return (
            None if reason is None else Refusal(reason, _said(explain(reason, state.phase), state))
        )

    def _state(self, shard: int, security_id: str) -> PhaseState:
        phases = self.phases.get(shard)
        return phases.of(security_id) if phases else PhaseState()

    def _begin(self, shard: int, security_id: str | None, state: PhaseState) -> None:
        self.phases.setdefault(shard, Phases()).begin(security_id, state)


def _said(fact: str, state: PhaseState) -> str:
    return f"{fact} ({state.reason})" if state.reason else fact
