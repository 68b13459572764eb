"""Group commit: requests that arrive while a commit runs share the next one, so a lone order never
waits.

When more waits than one commit takes, short requests go before long lists of others, of which each
commit takes at least one.
"""

import logging
import queue
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence

from order_entry_gateway.batch_admission import AppendedBatch, append
from order_entry_gateway.domain.coverage import Decision
from order_entry_gateway.domain.validation import Candidate
from order_entry_gateway.ports import ANSWER_WITHIN_S, NameTaken, OrderLog
from service_runtime import metrics
from service_runtime.bus import Publisher
from service_runtime.clock import Clock
from service_runtime.database import CommitUnknown, DatabaseUnavailable
from venue_protocol.message_bounds import BOUNDS, MessageBounds
from venue_protocol.refusals import Refusal, RejectReason
from venue_protocol.securities import Security
from venue_protocol.topology import order_entry_queue

log = logging.getLogger(__name__)

_MOST_IN_COMMIT = 1000
_SHORT = 25
"""Candidates of a short request."""
_MOST_WAITING = 20_000
_LONGEST_WAIT_S = 0.5
"""Once the oldest has waited that long for its commit, no more than one commit's worth may wait."""
_RACES = 5


class Submission:
    """The candidates of one request, and their decisions once they are durable."""

    def __init__(self, candidates: Sequence[Candidate]) -> None:
        self.candidates = candidates
        self.came_s = time.monotonic()
        self.number = 0
        """Its place in the order in which all came."""
        self.is_short = len(candidates) <= _SHORT
        self._decisions: list[Decision] = []
        self._decided = threading.Event()
        self._then: Callable[[], object] | None = None

    def when_decided(self, then: Callable[[], object]) -> None:
        """Call `then` once it is decided, in the thread that decides.

        It may be called twice, when the decision comes at this very moment.
        """
        self._then = then
        if self._decided.is_set():
            then()

    def is_decided(self) -> bool:
        """Whether `wait` returns at once."""
        return self._decided.is_set()

    def wait(self, within_s: float = ANSWER_WITHIN_S) -> list[Decision]:
        """One decision for each candidate; what was accepted is committed.

        After `within_s` the outcome is unknown.
        """
        if not self._decided.wait(within_s):
            return [_unknown("the venue did not answer in time")] * len(self.candidates)
        return self._decisions

    def resolve(self, decisions: list[Decision]) -> None:
        """Give the decisions to the thread that waits for them."""
        self._decisions = decisions
        self._decided.set()
        then = self._then
        if then is not None:
            then()


class Committer:
    """The thread that writes the order log.

    `submit` and `enqueue` from any thread, `run` in its own.
    """

    def __init__(
        self,
        order_log: OrderLog,
        publisher: Publisher,
        clock: Clock,
        securities: Mapping[str, Security],
        stopping: threading.Event,
        bounds: MessageBounds = BOUNDS,
        clock_trouble: Callable[[], str | None] = lambda: None,
    ) -> None:
        self._order_log = order_log
        self._publisher = publisher
        self._clock = clock
        self._securities = securities
        self._stopping = stopping
        self._bounds = bounds
        self._clock_trouble = clock_trouble
        """Why the time is not confirmed: the log takes no time from a wrong clock."""
        self._coming: queue.SimpleQueue[Submission] = queue.SimpleQueue()
        self._short: deque[Submission] = deque()
        self._long: deque[Submission] = deque()
        self._clients_of_long: Counter[str] = Counter()
        self._came = 0
        self._waiting = {True: 0, False: 0}
        """Candidates that wait, in short requests and in long ones; likewise the next."""
        self._waited_s = {True: 0.0, False: 0.0}
        """How long the oldest of the newest commit had waited."""
        self._count_lock = threading.Lock()

    def submit(self, candidates: Sequence[Candidate]) -> list[Decision]:
        """Decisions for these candidates, made in one transaction with whatever else waits."""
        return self.enqueue(candidates).wait()

    def enqueue(self, candidates: Sequence[Candidate]) -> Submission:
        """Put these candidates in the queue for the next transaction, or refuse them at once when
        too many wait.
        """
        submission = Submission(candidates)
        is_short, count = submission.is_short, len(candidates)
        with self._count_lock:
            most = _MOST_WAITING if self._waited_s[is_short] <= _LONGEST_WAIT_S else _MOST_IN_COMMIT
            waiting = self._waiting[is_short]
            is_full = waiting + count > most and waiting > 0
            if not is_full:
                self._waiting[is_short] += count
        if is_full:
            busy = Refusal(
                RejectReason.OVERLOADED, "too many orders wait at the door, nothing was done"
            )
            submission.resolve([busy] * len(candidates))
        else:
            self._coming.put(submission)
        return submission

    def run(self) -> None:
        """Commit batch after batch until stopping; what waits then is answered first."""
        while not (self._stopping.is_set() and not any(self._waiting.values())):
            self.step(0.2)

    def step(self, timeout_s: float) -> bool:
        """Commit what waits, or comes within `timeout_s`; whether there was anything."""
        submissions = self._take(timeout_s)
        if submissions:
            self._commit(submissions)
        return bool(submissions)

    def _take(self, timeout_s: float) -> list[Submission]:
        """What goes into the next commit, in the order in which it came."""
        self._sort_out(timeout_s)
        submissions: list[Submission] = []
        taken = 0
        while self._short and taken < _MOST_IN_COMMIT:
            submissions.append(self._short.popleft())
            taken += len(submissions[-1].candidates)
        is_first = True
        while self._long and (taken < _MOST_IN_COMMIT or is_first):
            submissions.append(self._long.popleft())
            taken += len(submissions[-1].candidates)
            self._clients_of_long -= Counter([_client_of(submissions[-1])])
            is_first = False
        submissions.sort(key=lambda submission: submission.number)
        self._count_out(submissions)
        return submissions

    def _count_out(self, submissions: Sequence[Submission]) -> None:
        """These no longer wait."""
        now_s = time.monotonic()
        with self._count_lock:
            for is_short in (True, False):
                alike = [
                    submission for submission in submissions if submission.is_short == is_short
                ]
                self._waiting[is_short] -= sum(len(submission.candidates) for submission in alike)
                self._waited_s[is_short] = now_s - alike[0].came_s if alike else 0.0

    def _sort_out(self, timeout_s: float) -> None:
        """Take what has come, or comes within `timeout_s` if nothing waits."""
        try:
            if not (self._short or self._long):
                self._line_up(self._coming.get(timeout=timeout_s))
            while True:
                self._line_up(self._coming.get_nowait())
        except queue.Empty:
            return

    def _line_up(self, submission: Submission) -> None:
        """A short request goes ahead, but never of a long one of its own client: a cancel must not
        overtake it.
        """
        self._came += 1
        submission.number = self._came
        client_id = _client_of(submission)
        if submission.is_short and not self._clients_of_long[client_id]:
            self._short.append(submission)
        else:
            self._long.append(submission)
            self._clients_of_long[client_id] += 1

    def _commit(self, submissions: list[Submission]) -> None:
        candidates = [
            candidate for submission in submissions for candidate in submission.candidates
        ]
        started_s = time.perf_counter()
        decisions, appended = self._decide(candidates)
        metrics.step_seconds.labels("commit").observe(time.perf_counter() - started_s)
        metrics.batch_size.labels("commit").observe(len(candidates))
        # Published before the answers, so that the engine works while the senders read them.
        for batch in appended:
            # A commit that is too large for a message is not sent: the engine looks at the log when
            # it is idle and notices the gap when the next one comes.
            if len(batch.body) <= self._bounds.most_bytes:
                self._publisher.publish(order_entry_queue(batch.shard), batch.body)
        start = 0
        for submission in submissions:
            end = start + len(submission.candidates)
            submission.resolve(decisions[start:end])
            start = end

    def _decide(self, candidates: list[Candidate]) -> tuple[list[Decision], list[AppendedBatch]]:
        """Decisions, committed; or the same refusal for all when the database can't be asked."""
        trouble = self._clock_trouble()
        if trouble is not None:
            unconfirmed = Refusal(RejectReason.NOT_READY, f"{trouble}; nothing was done")
            return [unconfirmed] * len(candidates), []
        for _ in range(_RACES):
            try:
                with self._order_log.transaction() as transaction:
                    return append(transaction, candidates, self._securities, self._clock.now_us())
            except NameTaken:
                continue
            except CommitUnknown as error:
                log.warning("outcome of a commit is unknown", extra={"error": str(error)})
                return [_unknown("the database went away during the commit")] * len(candidates), []
            except DatabaseUnavailable as error:
                log.warning("database unavailable", extra={"error": str(error)})
                refusal = Refusal(RejectReason.NOT_READY, "the database is away, nothing was done")
                return [refusal] * len(candidates), []
        race = Refusal(RejectReason.OVERLOADED, "gateways race for the same ids, nothing was done")
        return [race] * len(candidates), []


def _client_of(submission: Submission) -> str:
    """Whose request it is; the venue's own commands are nobody's."""
    return getattr(submission.candidates[0], "client_id", "")


def _unknown(cause: str) -> Refusal:
    return Refusal(
        RejectReason.OUTCOME_UNKNOWN,
        f"{cause}: ask again with the same client_order_id to learn the outcome",
    )
