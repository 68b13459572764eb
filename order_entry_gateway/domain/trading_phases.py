"""The commanded phases, and what they refuse at the gateway."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import msgspec

from venue_protocol.commands import (
    ApplyCorporateAction,
    SetPhase,
    SetSettlement,
    SetVolatilityBands,
    StartSettlementCycle,
)
from venue_protocol.corporate_actions import CashDividend, SymbolChange
from venue_protocol.identifiers import sharded_id
from venue_protocol.orders import OrderType, TimeInForce
from venue_protocol.refusals import Refusal, RejectReason
from venue_protocol.securities import Security
from venue_protocol.settlement_modes import SettlementRow
from venue_protocol.trading_day import (
    CLOSED,
    CONTINUOUS,
    HALTED,
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

SessionCommand = (
    SetPhase | SetVolatilityBands | ApplyCorporateAction | SetSettlement | StartSettlementCycle
)
_AT_REST = (HALTED, CLOSED)
"""Phases in which a corporate action may be applied."""
_PENDING = 1 << 40
"""Place in the log of an action that is decided in this batch: beyond what is settled."""


@dataclass(slots=True)
class SessionCandidate:
    """A command of an administrator, or of the schedule, for one shard."""

    shard: int
    command: SessionCommand

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
    actions: dict[tuple[int, str], int] = field(default_factory=dict)
    """Place in the log of the newest corporate action of each security that had one."""
    settled: dict[int, int] = field(default_factory=dict)
    """The newest command of a shard that is wholly settled, where a phase is to begin."""
    known: dict[tuple[int, str], PhaseRow] = field(default_factory=dict)
    """Rows as they stand, stored or to be stored."""
    settlements: dict[int, SettlementRow] = field(default_factory=dict)
    """How shards settle, to be stored."""

    def load(self, rows: Iterable[PhaseRow]) -> None:
        """Take over the stored rows, each shard's own first.

        A security whose row has the sequence of its shard's command has no phase of its own.
        """
        whole: dict[int, int] = {}
        for row in sorted(rows, key=lambda row: (row.shard, row.security_id)):
            self.stored.add((row.shard, row.security_id))
            self.known[row.shard, row.security_id] = row
            if row.action_sequence is not None:
                self.actions[row.shard, row.security_id] = row.action_sequence
            if row.security_id == WHOLE_SHARD:
                whole[row.shard] = row.sequence
            elif row.sequence == whole.get(row.shard):
                continue
            self._begin(
                row.shard, row.security_id or None, PhaseState(row.phase, row.reason, row.lasts_us)
            )

    def command(self, shard: int, command: SessionCommand) -> None:
        """Apply a command: everything that is decided from here on comes after it."""
        if isinstance(command, SetVolatilityBands):
            self._set_bands(shard, command)
        elif isinstance(command, ApplyCorporateAction):
            for name in _acted_on(command):
                self.actions[shard, name] = _PENDING
            self._succeed(shard, command)
        elif isinstance(command, SetPhase):
            state = PhaseState(command.phase, command.reason, command.lasts_us)
            self._begin(shard, command.security_id, state)

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

    def logged(
        self, shard: int, command: SetPhase | ApplyCorporateAction, time_us: int, sequence: int
    ) -> None:
        """Make the row of a command that now has its place in the log.

        A phase of a whole shard also changes the rows of the securities that it includes. A
        corporate action leaves the phase as it is.
        """
        if isinstance(command, ApplyCorporateAction):
            for name in _acted_on(command):
                self._note_action(shard, name, command.security_id, sequence)
            return
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
            row = PhaseRow(shard, name, *state, self.actions.get((shard, name)))
            self.rows[shard, name] = row
            self.known[shard, name] = row

    def _note_action(self, shard: int, name: str, acted_on: str, sequence: int) -> None:
        """A row with the phase as it is: that of the security acted on, or of its shard."""
        self.actions[shard, name] = sequence
        phase = self.known.get((shard, acted_on)) or self.known[shard, WHOLE_SHARD]
        row = phase._replace(security_id=name, action_sequence=sequence)
        self.rows[shard, name] = self.known[shard, name] = row

    def _succeed(self, shard: int, command: ApplyCorporateAction) -> None:
        """A new symbol has the phase of the old one."""
        phases = self.phases.get(shard)
        if isinstance(command.action, SymbolChange) and phases is not None:
            known = phases.exceptions.get(command.security_id)
            if known is not None:
                phases.begin(command.action.new_security_id, known)

    def decide(
        self, shard: int, command: SessionCommand, securities: Mapping[str, Security]
    ) -> SessionCommand | Refusal:
        """The command as it goes to the log, applied to what is decided from here on; or why not.

        Reference prices that an action has changed since they were read are left out: the engine
        knows them better.
        """
        if isinstance(command, SetPhase):
            refusal = self._refuse_phase(shard, command)
            known = [
                (name, price_e4)
                for name, price_e4 in command.reference_prices
                if name not in securities or not self._is_changed(securities[name])
            ]
            if len(known) < len(command.reference_prices):
                command = msgspec.structs.replace(command, reference_prices=known)
        elif isinstance(command, SetSettlement | StartSettlementCycle):
            refusal = None
        else:
            security = securities.get(command.security_id)
            refusal = self._refuse_changed(security)
            if refusal is None and security is not None:
                refusal = security.refuse_delisted()
            if isinstance(command, ApplyCorporateAction) and _acted_on(command):
                refusal = self._refuse_action(shard, command.security_id) or refusal
        if refusal is not None:
            return refusal
        self.command(shard, command)
        return command

    def _refuse_action(self, shard: int, security_id: str) -> Refusal | None:
        """The refusal of a corporate action in a security that was not halted or closed, or whose
        action before is not settled.
        """
        phase = self._state(shard, security_id).phase
        if phase not in _AT_REST:
            message = f"the phase of {security_id} is {phase}: halt or close it first"
            return Refusal(RejectReason.ACTION_NEEDS_HALT, message, "security")
        return self._refuse_unsettled(shard, [security_id])

    def _refuse_phase(self, shard: int, command: SetPhase) -> Refusal | None:
        """The refusal of a phase that takes orders again before settlement has passed a corporate
        action: their holds would be placed on the quantities of before.
        """
        if command.phase in _AT_REST:
            return None
        acted_on = [name for of, name in self.actions if of == shard]
        return self._refuse_unsettled(
            shard, [name for name in acted_on if command.security_id in (None, name)]
        )

    def _refuse_changed(self, security: Security | None) -> Refusal | None:
        """The refusal of what was worked out from a listing that an action has changed since."""
        if security is None or not self._is_changed(security):
            return None
        message = f"{security.security_id} was changed a moment ago, nothing was done: ask again"
        return Refusal(RejectReason.NOT_READY, message)

    def _is_changed(self, security: Security) -> bool:
        sequence = self.actions.get((security.shard, security.security_id))
        return sequence is not None and security.action_id < sharded_id(security.shard, sequence)

    def _refuse_unsettled(self, shard: int, names: Iterable[str]) -> Refusal | None:
        settled = self.settled.get(shard, 0)
        waiting = sorted(name for name in names if self.actions.get((shard, name), 0) > settled)
        if not waiting:
            return None
        message = f"the corporate action of {', '.join(waiting)} is not settled yet: ask again"
        return Refusal(RejectReason.ACTION_UNSETTLED, message, "security")

    def settlement_logged(self, shard: int, command: SetSettlement, time_us: int) -> None:
        """Make the row of a mode of settlement that now has its place in the log."""
        self.settlements[shard] = SettlementRow(
            shard, command.mode, command.interval_us, command.at_close, command.lag, time_us
        )

    def refuse(
        self,
        security: Security,
        order_type: OrderType,
        time_in_force: TimeInForce,
        known: Refusal | None = None,
    ) -> Refusal | None:
        """The refusal of an order that the commanded phase does not take, else the one that is
        `known`.

        Only the engine can judge a phase that ends by itself.
        """
        state = self._state(security.shard, security.security_id)
        if state.until_us is not None:
            return known or self._refuse_changed(security)
        reason = refuse_in_phase(state.phase, order_type, time_in_force)
        if reason is None:
            return known or self._refuse_changed(security)
        return Refusal(reason, _said(explain(reason, state.phase), state))

    def is_continuous(self, shard: int, security_id: str) -> bool:
        """Whether the security was commanded to trade continuously."""
        return self._state(shard, security_id).phase == CONTINUOUS

    def refuse_amend(self, security: Security) -> Refusal | None:
        """The refusal of an amend that the commanded phase does not take."""
        state = self._state(security.shard, security.security_id)
        reason = refuse_amend_in_phase(state.phase)
        if reason is None:
            return self._refuse_changed(security)
        return Refusal(reason, _said(explain(reason, state.phase), state))

    def _state(self, shard: int, security_id: str) -> PhaseState:
        phases = self.phases.get(shard)
        return phases.of(security_id) if phases else PhaseState()

    def _begin(self, shard: int, security_id: str | None, state: PhaseState) -> None:
        self.phases.setdefault(shard, Phases()).begin(security_id, state)


def _acted_on(command: ApplyCorporateAction) -> tuple[str, ...]:
    """The securities whose holdings or listings change as soon as the command is settled; none for
    a dividend, which is only declared.
    """
    if isinstance(command.action, CashDividend):
        return ()
    if isinstance(command.action, SymbolChange):
        return command.security_id, command.action.new_security_id
    return (command.security_id,)


def _said(fact: str, state: PhaseState) -> str:
    return f"{fact} ({state.reason})" if state.reason else fact
