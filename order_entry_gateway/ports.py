"""What the gateway needs of the world: the order log, and what stands around it.

The order log has two bodies, `adapters.order_log_store` and `adapters.memory_order_log`;
tests/contract/test_order_log.py runs on both.
"""

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

from order_entry_gateway.domain.coverage import Decision
from order_entry_gateway.domain.recorded_order import RecordedOrder
from order_entry_gateway.domain.validation import Candidate
from venue_protocol.refusals import Refusal
from venue_protocol.settlement_modes import SettlementRow
from venue_protocol.trading_day import BandRow, PhaseRow
from venue_storage.clearing_rows import LogRow

NAMES = "order_log_client_order_id"
"""The constraint by which a client_order_id stands for one command of its client."""


class NameTaken(RuntimeError):
    """Another gateway logged one of the client_order_ids meanwhile.

    Nothing was committed; a new try sees it.
    """


LoggedName = tuple[int, int, int, str, str, str]
"""Shard, sequence, time_us, client_id, client_order_id and text of a command that is in the log
under a name.
"""


class LogTransaction(Protocol):
    """One transaction of the order log.

    Lock order: timers, close-outs, session, accounts, deposits, sequencer. The sequencer comes
    last, because every gateway needs it, and so it is locked for the shortest time.
    """

    def take_timers(self, due: Sequence[tuple[str, int]]) -> Iterable[tuple[str, int]]:
        """Remove the timers with these names and due times.

        Returns those that were there and were not set anew.
        """
        ...

    def lock_close_outs(self, names: Sequence[str]) -> Iterable[str]:
        """Names of those close-out orders that still wait to be logged, locked until the end."""
        ...

    def remove_close_outs(self, names: Sequence[str]) -> None:
        """Remove close-out orders that are logged now."""
        ...

    def session_phases(self, is_changing: bool) -> Iterable[PhaseRow]:
        """The commanded phases, locked until the end.

        Those that only read them share the lock; one that changes them has it alone.
        """
        ...

    def put_session_phases(self, rows: Sequence[PhaseRow]) -> None:
        """Insert or replace the rows of commanded phases."""
        ...

    def put_session_bands(self, rows: Sequence[BandRow]) -> None:
        """Insert or replace the rows of volatility bands."""
        ...

    def has_bands(self, shard: int) -> bool:
        """Whether a security of this shard has a volatility band."""
        ...

    def put_settlements(self, rows: Sequence[SettlementRow]) -> None:
        """Insert or replace how these shards settle."""
        ...

    def cycle_interval_us(self, shard: int) -> int | None:
        """Microseconds between the settlement cycles of this shard; None: time ends none."""
        ...

    def named(self, names: Sequence[tuple[str, str]]) -> Iterable[LoggedName]:
        """Commands in the log under these (client_id, client_order_id)."""
        ...

    def commands(self, places: Sequence[tuple[int, int]]) -> Iterable[tuple[int, int, str]]:
        """Shard, sequence and text of the commands that exist at these (shard, sequence)."""
        ...

    def newest_amends(self, order_ids: Sequence[int]) -> Iterable[tuple[int, str]]:
        """time_us and text of the newest amend of each of these orders that has one."""
        ...

    def lock_accounts(self, client_ids: Sequence[str]) -> Iterable[tuple[str, int, int]]:
        """client_id, balance_e4 and held_e4 of these clients, locked until the end."""
        ...

    def lock_deposits(self, keys: Sequence[tuple[str, str]]) -> Iterable[tuple[str, str, int, int]]:
        """client_id, security_id, quantity and held of these deposits, locked until the end."""
        ...

    def draw_sequences(self, shard: int, count: int, now_us: int) -> tuple[int, int]:
        """The first of the next `count` sequences of a shard, and their strictly rising time."""
        ...

    def log_time_us(self, shard: int) -> int:
        """The newest time in the log of a shard; not locked, so it may go on meanwhile."""
        ...

    def settled(self, shard: int) -> int:
        """The newest command of a shard whose events are all settled; it only grows."""
        ...

    def append(self, rows: Sequence[LogRow]) -> None:
        """Append to the log."""
        ...

    def expect_expiries(self, shard: int, expires_us: Sequence[int]) -> None:
        """Note the times at which orders of a shard are due to expire."""
        ...

    def forget_expiries(self, shard: int, until_us: int) -> None:
        """Forget those noted up to this time: the log has passed it."""
        ...

    def hold_cash(self, holds: Sequence[tuple[str, int]]) -> None:
        """Set held_e4 of these (client_id, held_e4); their accounts are locked."""
        ...

    def hold_shares(self, holds: Sequence[tuple[str, str, int]]) -> None:
        """Set held of these (client_id, security_id, held); their deposits are locked."""
        ...


class OrderLog(Protocol):
    """The store of the order log."""

    def transaction(self) -> AbstractContextManager[LogTransaction]:
        """One transaction, committed at the end of the block, rolled back on any error.

        Raises NameTaken and DatabaseUnavailable (nothing is committed), or CommitUnknown.
        """
        ...


ANSWER_WITHIN_S = 30.0
"""After so long the outcome of a request is called unknown."""


class PendingDecisions(Protocol):
    """The commands of one request, on their way to the log."""

    def is_decided(self) -> bool:
        """Whether `wait` returns at once."""
        ...

    def when_decided(self, then: Callable[[], object]) -> None:
        """Call `then` once it is decided, in the thread that decides; perhaps twice."""
        ...

    def wait(self, within_s: float = ANSWER_WITHIN_S) -> list[Decision]:
        """One decision for each command; what was accepted is committed.

        After `within_s` the outcome is unknown.
        """
        ...


class CommandQueue(Protocol):
    """Takes commands into the next transaction of the order log."""

    def submit(self, candidates: Sequence[Candidate]) -> list[Decision]:
        """The decisions, once they are durable."""
        ...

    def enqueue(self, candidates: Sequence[Candidate]) -> PendingDecisions:
        """The same without waiting for the decisions."""
        ...


class OrderOwners(Protocol):
    """Who may have open orders."""

    def with_open_orders(self, security_id: str | None) -> list[str]:
        """Clients that may have open orders, in this security or in any, by name."""
        ...

    def exists(self, client_id: str) -> bool:
        """Whether there is such a client."""
        ...


class RefusalRecord(Protocol):
    """Keeps refused orders, so that their senders can look them up later."""

    def refused(
        self,
        client_id: str,
        refusal: Refusal,
        client_order_id: str | None,
        security_id: str,
        side: str,
        quantity: int,
    ) -> None:
        """Note one refused order."""
        ...


class LookForSecurities(Protocol):
    """Makes sure that what is listed is known, before rules look it up in a plain mapping."""

    def __call__(self, security_ids: Iterable[str] = (), /) -> None:
        """Read the list of securities if one of these is not known. Raises DatabaseUnavailable."""
        ...


def nothing_to_look_for(security_ids: Iterable[str] = (), /) -> None:
    """For a fixed list of securities."""


class ReferenceTime(Protocol):
    """A second clock, on another machine where the database has one of its own."""

    def database_us(self) -> int:
        """The database's clock now. Raises DatabaseUnavailable."""
        ...

    def newest_log_us(self) -> int:
        """The newest time in any shard's log; 0 for an empty one. Raises DatabaseUnavailable."""
        ...


class Readiness(Protocol):
    """Whether the gateway may take orders now."""

    def __call__(self) -> bool:
        """True while broker and database are there."""
        ...


class OrderStatuses(Protocol):
    """What is known of orders that were logged."""

    def recorded_orders(self, order_ids: Sequence[int]) -> dict[int, RecordedOrder]:
        """These orders as they are recorded, in one lookup; {} when the record is away."""
        ...

    def named(self, client_id: str, names: Sequence[str]) -> dict[str, int]:
        """Order ids by client_order_id, for those of these names that the client has used."""
        ...

    def order(self, order_id: int) -> tuple[str, dict[str, Any]] | None:
        """Owner and description of one order, or None if there is no such order."""
        ...


class RateLimit(Protocol):
    """How much each client may send."""

    def charge(self, client_id: str, commands: int, paid: int = 0) -> None:
        """Draw for `commands`, of which `paid` were drawn before; Refused over the rate."""
        ...
