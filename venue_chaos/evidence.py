"""What clients were told, kept to be held against the venue afterwards."""

import threading
from dataclasses import dataclass, field
from typing import Any

from venue_protocol.refusals import RejectReason

_OF_THE_PHASE = frozenset(
    reason.code
    for reason in (
        RejectReason.SESSION_CLOSED,
        RejectReason.SESSION_HALTED,
        RejectReason.NOT_IN_AUCTION,
        RejectReason.OPENING_ONLY_TOO_LATE,
    )
)


@dataclass(frozen=True)
class Told:
    """An order as its sender described it, and the order_id it was given."""

    client_id: str
    client_order_id: str
    security: str
    side: str
    quantity: int
    order_id: int


@dataclass
class Commanded:
    """A phase of one security, or of all (None), and what its sender knows of it."""

    phase: str
    security: str | None
    lasts_s: int | None
    asked: int = 0
    """How often it was sent: so often it may be in the log."""
    is_known: bool = False
    """Whether it was answered, or read in the session."""
    logged: list[tuple[int, int]] = field(default_factory=list)
    """Shard and sequence that were answered."""


@dataclass
class Evidence:
    """Answers of the door and of the clearinghouse. Filled from several threads."""

    acknowledged: dict[tuple[str, str], Told] = field(default_factory=dict)
    """By (client_id, client_order_id)."""
    refused: dict[tuple[str, str], str] = field(default_factory=dict)
    """Code of the definite refusal, by (client_id, client_order_id)."""
    began_after: dict[int, int] = field(default_factory=dict)
    """Last sequence of each shard's log before the campaign; one site may see several."""
    commanded: dict[str, Commanded] = field(default_factory=dict)
    """Phases by their reason, which is unique to each."""
    bands: dict[tuple[int, int], tuple[str, int | None]] = field(default_factory=dict)
    """Security and width of the bands that were set, by shard and sequence told."""
    actions: dict[tuple[int, int], str] = field(default_factory=dict)
    """Security of the corporate actions that were told, by shard and sequence."""
    actions_asked: int = 0
    """How often one was asked for; each asking is in the log once at most."""
    deposits: dict[str, int] = field(default_factory=dict)
    """Journal id by idempotency key."""
    unresolved: list[str] = field(default_factory=list)
    """Requests that had no definite answer at the end."""
    contradictions: list[str] = field(default_factory=list)
    """Answers that no client should ever see."""
    lock: threading.Lock = field(default_factory=threading.Lock)

    def order(
        self,
        client_id: str,
        order: dict[str, Any],
        result: dict[str, Any],
        is_only_copy: bool = True,
    ) -> int | None:
        """Keep what was answered to an order; its order_id if it was accepted.

        Unless it `is_only_copy`, a refusal for the phase says nothing: an earlier copy may be
        decided in a later phase.
        """
        name = str(order["client_order_id"])
        key = (client_id, name)
        with self.lock:
            if "error" in result:
                self._refused(key, str(result["error"]["code"]), is_only_copy)
                return None
            told = Told(
                client_id,
                name,
                order["security"],
                order["side"],
                order["quantity"],
                int(result["order_id"]),
            )
            before = self.acknowledged.setdefault(key, told)
            if before != told or key in self.refused:
                self.contradictions.append(
                    f"order {key} was {before or self.refused[key]}, and then {told}"
                )
            return told.order_id

    def command(self, reason: str, commanded: Commanded) -> Commanded:
        """Keep a phase that is about to be commanded."""
        with self.lock:
            self.commanded[reason] = commanded
        return commanded

    def deposit(self, key: str, journal_id: int) -> None:
        """Keep a deposit's journal."""
        with self.lock:
            if self.deposits.setdefault(key, journal_id) != journal_id:
                self.contradictions.append(
                    f"deposit {key} has journals {self.deposits[key]} and {journal_id}"
                )

    def note_unresolved(self, what: str) -> None:
        """A request without a definite answer."""
        with self.lock:
            self.unresolved.append(what)

    def contradict(self, what: str) -> None:
        """An answer that should not be."""
        with self.lock:
            self.contradictions.append(what)

    def _refused(self, key: tuple[str, str], code: str, is_only_copy: bool) -> None:
        if not code.startswith(("risk.", "price.", "quantity.", "order.", "session.")):
            self.contradictions.append(f"order {key} was refused with {code}")
        if key in self.acknowledged:
            self.contradictions.append(
                f"order {key} was {self.acknowledged[key]}, and then refused with {code}"
            )
        if is_only_copy or not is_of_the_phase(code):
            self.refused[key] = code


def is_of_the_phase(code: str | None) -> bool:
    """Whether an order was refused for the phase: the same order is taken in another."""
    return code in _OF_THE_PHASE
