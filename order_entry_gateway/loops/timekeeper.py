"""Does what is due: lets orders expire, cancels all orders of a client, logs close-out orders.

Due times are kept in `clearing_data`, so they outlive every gateway. Several gateways may do the
same thing at once: a second advance of the time changes nothing, and a timer is removed in the
transaction that logs its cancel.
"""

import logging
import threading
import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from order_entry_gateway.domain.validation import (
    AdvanceTimeCandidate,
    CancelAllCandidate,
    PlaceCandidate,
)
from order_entry_gateway.ports import CommandQueue, PendingDecisions
from service_runtime.clock import Clock
from service_runtime.database import DatabaseUnavailable
from venue_protocol.orders import BUY, IOC, LIMIT
from venue_protocol.refusals import Refusal, Refused, RejectReason
from venue_protocol.securities import Security
from venue_protocol.settlement import CLOSE_OUT
from venue_storage.clearing_rows import CloseOutOrder

log = logging.getLogger(__name__)

_EVERY_S = 0.2
"""Between two looks; docs promise that due things happen within about half a second."""
_SESSION_US = 30_000_000
"""A connection that its gateway has not renewed for so long counts as ended."""
_KEEP_EVERY_US = 5_000_000
"""Six renewals fit into the life of a session, so that a short outage ends none."""


class Timers(Protocol):
    """The due times.

    Bodies: `adapters.timer_store`, `adapters.memory_timers`; see tests/contract/test_timers.
    """

    def due_shards(self, now_us: int) -> Sequence[int]:
        """Shards in which orders are due to expire."""
        ...

    def due_cancels(self, now_us: int) -> Sequence[tuple[str, str, int]]:
        """Timer, client_id and due_us of each cancel that is due."""
        ...

    def close_outs(self) -> Sequence[CloseOutOrder]:
        """Orders of the clearinghouse that are not logged yet."""
        ...

    def arm(self, timer: str, client_id: str, due_us: int) -> None:
        """Set a timer, or set it anew."""
        ...

    def disarm(self, timer: str) -> None:
        """Remove a timer, if it is there."""
        ...

    def keep(self, timers: Sequence[str], due_us: int) -> None:
        """Postpone those of these timers that are there."""
        ...


class Timekeeper:
    """One thread looks at the due times; any thread may set switches and open sessions.

    A session is a WebSocket that asked for `cancel_on_disconnect`.
    """

    def __init__(
        self,
        timers: Timers,
        committer: CommandQueue,
        securities: Mapping[str, Security],
        clock: Clock,
        stopping: threading.Event,
        clock_trouble: Callable[[], str | None] = lambda: None,
    ) -> None:
        self._timers = timers
        self._committer = committer
        self._securities = securities
        self._clock = clock
        self._stopping = stopping
        self._clock_trouble = clock_trouble
        """Why the time is not confirmed: nothing is due by a wrong clock."""
        self._sessions: set[str] = set()
        self._lock = threading.Lock()
        self._kept_us = 0
        self._advances: dict[int, PendingDecisions] = {}
        self._cancels: dict[str, PendingDecisions] = {}
        self._close_outs: dict[str, PendingDecisions] = {}

    def run(self) -> None:
        """Look at the due times, five times a second, until stopping."""
        while not self._stopping.wait(_EVERY_S):
            try:
                self.step()
            except DatabaseUnavailable as error:
                log.warning("due times not read, will try again", extra={"error": str(error)})

    def step(self) -> int:
        """Begin what is due and not begun yet; the number of things begun.

        What could not be done stays due.
        """
        if self._clock_trouble() is not None:
            return 0
        now_us = self._clock.now_us()
        self._advances = {
            shard: begun for shard, begun in self._advances.items() if not begun.is_decided()
        }
        self._cancels = {
            timer: begun for timer, begun in self._cancels.items() if not begun.is_decided()
        }
        self._keep_sessions(now_us)
        shards = [shard for shard in self._timers.due_shards(now_us) if shard not in self._advances]
        for shard in shards:
            self._advances[shard] = self._committer.enqueue([AdvanceTimeCandidate(shard)])
        cancels = [due for due in self._timers.due_cancels(now_us) if due[0] not in self._cancels]
        every_shard = sorted({security.shard for security in self._securities.values()})
        for timer, client_id, due_us in cancels if every_shard else ():
            log.info(
                "all orders of a client are canceled by its timer", extra={"client_id": client_id}
            )
            candidates = [
                CancelAllCandidate(client_id, shard, None, (timer, due_us)) for shard in every_shard
            ]
            self._cancels[timer] = self._committer.enqueue(candidates)
        return len(shards) + len(cancels) + self._begin_close_outs()

    def _begin_close_outs(self) -> int:
        """Log the clearinghouse's own orders; one that a phase does not take now stays due."""
        self._close_outs = {
            name: begun for name, begun in self._close_outs.items() if not begun.is_decided()
        }
        due = [
            order
            for order in self._timers.close_outs()
            if order.client_order_id not in self._close_outs
            and order.security_id in self._securities
        ]
        for order in due:
            candidate = PlaceCandidate(
                client_id=CLOSE_OUT,
                security=self._securities[order.security_id],
                side=BUY,
                order_type=LIMIT,
                time_in_force=IOC,
                quantity=order.quantity,
                price_e4=order.price_e4,
                client_order_id=order.client_order_id,
                is_close_out=True,
            )
            self._close_outs[order.client_order_id] = self._committer.enqueue([candidate])
        return len(due)

    def cancel_after(self, client_id: str, timeout_ms: int) -> int | None:
        """Restart the client's dead man's switch; when it is due, or None if it is off now.

        Raises DatabaseUnavailable; Refused while the time is not confirmed.
        """
        if timeout_ms == 0:
            self._timers.disarm(_switch(client_id))
            return None
        due_us = self._confirmed_us() + timeout_ms * 1000
        self._timers.arm(_switch(client_id), client_id, due_us)
        return due_us

    def open_session(self, client_id: str) -> str:
        """A session at whose end all orders of the client are canceled.

        Raises DatabaseUnavailable; Refused while the time is not confirmed.
        """
        session = f"session:{uuid.uuid4().hex}"
        self._timers.arm(session, client_id, self._confirmed_us() + _SESSION_US)
        with self._lock:
            self._sessions.add(session)
        return session

    def release_session(self, session: str) -> None:
        """Cancel nothing at the end of this session. Raises DatabaseUnavailable."""
        self._timers.disarm(session)
        with self._lock:
            self._sessions.discard(session)

    def end_session(self, session: str, client_id: str) -> None:
        """Cancel all orders of the client, because its connection has ended.

        Without a database the cancel comes when the session has not been renewed for 30 s.
        """
        with self._lock:
            self._sessions.discard(session)
        try:
            self._timers.arm(session, client_id, self._clock.now_us())
        except DatabaseUnavailable as error:
            log.warning(
                "the end of a session is not stored, it will lapse", extra={"error": str(error)}
            )

    def _confirmed_us(self) -> int:
        trouble = self._clock_trouble()
        if trouble is not None:
            raise Refused(Refusal(RejectReason.NOT_READY, f"{trouble}; nothing was done"))
        return self._clock.now_us()

    def _keep_sessions(self, now_us: int) -> None:
        # Locked throughout: a session that ends now is due now, and must not be put off afterwards.
        with self._lock:
            if self._sessions and now_us - self._kept_us >= _KEEP_EVERY_US:
                self._timers.keep(sorted(self._sessions), now_us + _SESSION_US)
                self._kept_us = now_us


def _switch(client_id: str) -> str:
    return f"switch:{client_id}"
