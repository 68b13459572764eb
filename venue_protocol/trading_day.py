"""The trading day: its phases, and what each of them refuses. One rule for the door and the engine.

Phases follow FIX TradingSessionSubID (625): pre-trading, opening auction, continuous, closing
auction, closed, intraday auction. A *call phase* collects orders without trading; leaving it
uncrosses the book at one price.
"""

from typing import Final, Literal, NamedTuple

import msgspec

from venue_protocol.orders import CLS, FOK, IOC, MARKET, OPG, OrderType, TimeInForce
from venue_protocol.refusals import RejectReason

Phase = Literal[
    "pre_open",
    "opening_auction",
    "continuous",
    "closing_auction",
    "closed",
    "halted",
    "reopening_auction",
]
PRE_OPEN: Final = "pre_open"
OPENING_AUCTION: Final = "opening_auction"
CONTINUOUS: Final = "continuous"
CLOSING_AUCTION: Final = "closing_auction"
CLOSED: Final = "closed"
HALTED: Final = "halted"
REOPENING_AUCTION: Final = "reopening_auction"

CALL_PHASES: Final = frozenset({PRE_OPEN, OPENING_AUCTION, CLOSING_AUCTION, REOPENING_AUCTION})
"""Orders are collected, nothing trades, the book may be crossed."""
AUCTIONS: Final = frozenset({OPENING_AUCTION, CLOSING_AUCTION, REOPENING_AUCTION})
"""Call phases in which the indicative price is published."""
BEFORE_THE_OPENING: Final = frozenset({PRE_OPEN, OPENING_AUCTION})

_REFUSE_ALL: Final[dict[str, RejectReason]] = {
    CLOSED: RejectReason.SESSION_CLOSED,
    HALTED: RejectReason.SESSION_HALTED,
}


def refuse_in_phase(
    phase: Phase, order_type: OrderType, time_in_force: TimeInForce
) -> RejectReason | None:
    """Why a new order can't be taken in this phase; None if it can."""
    if phase in _REFUSE_ALL:
        return _REFUSE_ALL[phase]
    if time_in_force == OPG:
        return None if phase in BEFORE_THE_OPENING else RejectReason.OPENING_ONLY_TOO_LATE
    if phase in CALL_PHASES and (
        time_in_force in (IOC, FOK) or (order_type == MARKET and time_in_force != CLS)
    ):
        return RejectReason.NOT_IN_AUCTION
    return None


def refuse_amend_in_phase(phase: Phase) -> RejectReason | None:
    """Why no order can be amended in this phase; None if it can.

    Cancels are taken in every phase.
    """
    return _REFUSE_ALL.get(phase)


def explain(reason: RejectReason, phase: Phase) -> str:
    """The fact behind a refusal of this phase, in words."""
    if reason is RejectReason.OPENING_ONLY_TOO_LATE:
        return f"OPG takes part in the opening auction only, and the phase is {phase}"
    if reason is RejectReason.NOT_IN_AUCTION:
        return (
            f"nothing trades at once in {phase}: send a limit order, or a market order OPG or CLS"
        )
    return f"the phase is {phase}: cancels only"


class PhaseState(msgspec.Struct, frozen=True):
    """A phase, why, and when it ends by itself (log time; None: when commanded)."""

    phase: Phase = CONTINUOUS
    reason: str | None = None
    until_us: int | None = None

    @property
    def is_halt_without_end(self) -> bool:
        """Whether an administrator halted it."""
        return self.phase == HALTED and self.until_us is None


class Phases:
    """The phase of each security of a shard: one for all, and exceptions."""

    __slots__ = ("exceptions", "whole")

    def __init__(self, whole: PhaseState = PhaseState()) -> None:  # noqa: B008
        self.whole = whole
        self.exceptions: dict[str, PhaseState] = {}

    def of(self, security_id: str) -> PhaseState:
        """The phase of one security."""
        return self.exceptions.get(security_id, self.whole)

    def begin(self, security_id: str | None, state: PhaseState) -> None:
        """Begin a phase in one security; or in all but those halted one by one, which only `closed`
        takes along.
        """
        if security_id is not None:
            self.exceptions[security_id] = state
            return
        self.whole = state
        keeps = state.phase != CLOSED
        self.exceptions = {
            name: known
            for name, known in self.exceptions.items()
            if keeps and known.is_halt_without_end
        }


class PhaseRow(NamedTuple):
    """The phase that was commanded last: of a shard (security_id empty), or of a security that may
    differ from it.
    """

    shard: int
    security_id: str
    phase: Phase
    reason: str | None
    lasts_us: int | None
    time_us: int
    sequence: int
    action_sequence: int | None = None
    """Place in the log of the newest corporate action of the security; None without one."""


class BandRow(NamedTuple):
    """The volatility band of a security as commanded last; `band_bps` is None where it was switched
    off.
    """

    shard: int
    security_id: str
    band_bps: int | None
    limit_state_us: int
    pause_us: int
    auction_us: int
