"""Commands the phases of the schedule when they are due, in order, also after an absence."""

import logging
import threading
from collections.abc import Callable

from order_entry_gateway.adapters.session_store import SessionStore
from order_entry_gateway.loops.phase_schedule import due
from order_entry_gateway.phase_desk import PhaseDesk, PhaseRequest
from service_runtime.clock import Clock
from service_runtime.database import CommitUnknown, DatabaseUnavailable
from venue_protocol.commands import VENUE
from venue_protocol.refusals import Refused

log = logging.getLogger(__name__)

_LOOK_EVERY_S = 0.5


class PhaseScheduler:
    """Of several gateways, the one that has the turn commands.

    A phase that is commanded twice after a crash does no harm.
    """

    def __init__(
        self,
        store: SessionStore,
        desk: PhaseDesk,
        clock: Clock,
        is_ready: Callable[[], bool],
        stopping: threading.Event,
    ) -> None:
        self._store = store
        self._desk = desk
        self._clock = clock
        self._is_ready = is_ready
        self._stopping = stopping

    def run(self) -> None:
        """Look twice a second until `stopping`."""
        while not self._stopping.wait(_LOOK_EVERY_S):
            try:
                self.step()
            except (DatabaseUnavailable, CommitUnknown, Refused) as error:
                log.warning("the schedule waits", extra={"error": str(error)})

    def step(self) -> int:
        """Command what is due; returns the number of phases."""
        if not self._is_ready():
            return 0
        with self._store.turn() as turn:
            if turn is None:
                return 0
            phases = due(turn.schedule, turn.done_us, self._clock.now_us())
            for at_us, phase in phases:
                self._desk.begin(VENUE, PhaseRequest(phase, reason="schedule"))
                turn.done(at_us)
                log.info("scheduled phase commanded", extra={"phase": phase, "due_us": at_us})
        return len(phases)
