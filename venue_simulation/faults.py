"""Faults: which kinds there are, and when each strikes. Every kind has dice of its own, all from
one seed.
"""

import random
from collections import Counter
from collections.abc import Collection

from service_runtime.database import CommitUnknown, DatabaseUnavailable
from venue_storage.memory_clearing_data import Moment


class Killed(BaseException):
    """The process ends here and now; nothing it would do afterwards is done.

    No `except Exception` stops it.
    """


KILLED = "process killed"
KILLED_IDLE = "process killed between messages"
DATABASE_AWAY = "database away"
ROLLED_BACK = "commit unknown, rolled back"
COMMITTED = "commit unknown, committed"
CONNECTION_LOST = "connection lost, redelivery"
PUBLISHED_AGAIN = "unconfirmed messages published again"
QUEUE_PURGED = "queue purged"
BROKER_WIPED = "broker wiped"
ANSWER_LOST = "answer lost on its way to the client"
SNAPSHOT_LOST = "engine snapshots deleted"
BAD_MESSAGE = "malformed or misdirected message"
RACE = "another process commits in the middle of a transaction"
BROKER_BLOCKED = "broker takes nothing for a while"

MOST_LIKELY: dict[str, float] = {
    KILLED: 0.01,
    KILLED_IDLE: 0.04,
    DATABASE_AWAY: 0.03,
    ROLLED_BACK: 0.05,
    COMMITTED: 0.05,
    CONNECTION_LOST: 0.08,
    PUBLISHED_AGAIN: 0.08,
    QUEUE_PURGED: 0.04,
    BROKER_WIPED: 0.02,
    ANSWER_LOST: 0.3,
    SNAPSHOT_LOST: 0.02,
    BROKER_BLOCKED: 0.03,
    BAD_MESSAGE: 0.05,
    RACE: 0.3,
}
"""The kinds, and the highest rate a schedule may draw for each: by moment, by answer, or by
step.
"""

KINDS = tuple(MOST_LIKELY)
_ABSENT_SHARE = 0.35
"""Share of schedules that leave a kind out: some bugs hide behind a fault that heals them."""


class Faults:
    """Says when a fault strikes, and counts. `calm` ends all faults."""

    def __init__(self, seed: int, kinds: Collection[str] = KINDS) -> None:
        dice = random.Random(seed)
        self._rates: dict[str, float] = {}
        self._dice: dict[str, random.Random] = {}
        self.counts: Counter[str] = Counter()
        self.is_calm = False
        for kind, most in MOST_LIKELY.items():
            is_absent, rate, own = (
                dice.random() < _ABSENT_SHARE,
                dice.random() * most,
                random.Random(dice.random()),
            )
            self._dice[kind] = own
            self._rates[kind] = 0.0 if is_absent or kind not in kinds else rate

    def calm(self) -> None:
        """No more faults."""
        self.is_calm = True

    def strikes(self, kind: str) -> bool:
        """Whether a fault of this kind happens now."""
        rate = self._rates[kind]
        if self.is_calm or not rate or self._dice[kind].random() >= rate:
            return False
        self.counts[kind] += 1
        return True

    def at_publish(self) -> None:
        """A process is about to publish or acknowledge."""
        if self.strikes(KILLED):
            raise Killed

    def at_database(self, moment: Moment) -> None:
        """A process is at this moment of a transaction."""
        if self.strikes(KILLED):
            raise Killed
        if moment == "begin" and self.strikes(DATABASE_AWAY):
            raise DatabaseUnavailable("simulated: away")
        if moment == "commit" and self.strikes(ROLLED_BACK):
            raise CommitUnknown("simulated: lost before the commit")
        if moment == "committed" and self.strikes(COMMITTED):
            raise CommitUnknown("simulated: lost after the commit")


UNREADABLE_MESSAGES = (
    b"",
    b"\xff\xfe",
    b'{"kind":"event_batch","schema":1,"shard":0',
    b'{"kind":"event_batch","schema":2,"shard":0,"first":1,"log_first":1,"log_last":1,'
    b'"time_us":1,"events":[]}',
    b'{"kind":"stream_position","schema":1,"stream":"events.first","sequence":9}',
    b'{"kind":"resend_request","schema":1,"stream":"settlements","after":0,"reply_to":"nowhere"}',
)
"""Messages that are none, or of another schema, or say nothing to any reader."""
