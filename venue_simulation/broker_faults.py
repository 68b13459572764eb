"""Faults that no process's own step brings about: of the broker, and lost snapshots."""

from collections.abc import Callable, Sequence
from random import Random

from venue_simulation import faults as kinds
from venue_simulation.broker import SimulatedPublisher
from venue_simulation.faults import Faults
from venue_simulation.processes import Surroundings


class BrokerFaults:
    """Draws from the schedule's dice, so that a seed decides these faults too."""

    def __init__(
        self,
        around: Surroundings,
        faults: Faults,
        dice: Random,
        note: Callable[[str], None],
        some_publisher: Callable[[], SimulatedPublisher | None],
    ) -> None:
        self._around = around
        self._bus = around.bus
        self._faults = faults
        self._dice = dice
        self._note = note
        self._some_publisher = some_publisher
        self.queues: Sequence[str] = ()
        """Queues that can be hit; set once they are declared."""
        self.blocked: SimulatedPublisher | None = None
        """The publisher from which the broker takes nothing at the moment."""

    def strike(self) -> None:
        """Give each kind its chance."""
        if self._faults.strikes(kinds.CONNECTION_LOST):
            self._note("every consumer loses its connection")
            self._bus.lose_connections()
        publisher = self._some_publisher()
        if publisher is not None and self._faults.strikes(kinds.PUBLISHED_AGAIN):
            self._note(f"a publisher reconnects and sends {publisher.reconnect()} messages again")
        if self._faults.strikes(kinds.QUEUE_PURGED):
            queue = self._dice.choice(self.queues)
            self._note(f"queue {queue} loses {self._bus.purge(queue)} messages")
        if self._faults.strikes(kinds.BROKER_WIPED):
            self._note("the broker loses everything")
            self._bus.wipe()
        if self._faults.strikes(kinds.SNAPSHOT_LOST):
            self._note("all engine snapshots are deleted")
            for snapshots in self._around.snapshots.values():
                snapshots.wipe()
        if self._faults.strikes(kinds.BAD_MESSAGE):
            queue = self._dice.choice(self.queues)
            self._note(f"queue {queue} gets a message that does not belong there")
            self._bus.put(queue, self._dice.choice(kinds.UNREADABLE_MESSAGES), {})
        self.block_or_unblock()

    def block_or_unblock(self) -> None:
        """Unblock the publisher that is blocked; perhaps block another."""
        if self.blocked is not None:
            self.blocked.is_blocked = False
            self.blocked = None
        publisher = self._some_publisher()
        if publisher is not None and self._faults.strikes(kinds.BROKER_BLOCKED):
            self._note("the broker takes nothing from a publisher for a while")
            publisher.is_blocked = True
            self.blocked = publisher
