"""Group commit: requests that arrive while a commit runs share the next one.

So a lone order never waits for others, and a thousand share one transaction and one fsync.
"""

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence

from order_entry_gateway.batch_admission import AppendedBatch, append
from order_entry_gateway.domain.coverage import Decision
from order_entry_gateway.domain.validation import Candidate
from order_entry_gateway.loops.submissions import Submission, SubmissionQueue, outcome_unknown
from order_entry_gateway.ports import NameTaken, OrderLog
from service_runtime import metrics
from service_runtime.bus import Publisher
from service_runtime.clock import Clock
from service_runtime.database import CommitUnknown, DatabaseUnavailable
from service_runtime.pacing import Pace
from venue_protocol.fee_schedule import NO_FEES, FeeSchedule
from venue_protocol.message_bounds import BOUNDS, MessageBounds
from venue_protocol.refusals import Refusal, RejectReason
from venue_protocol.securities import Security
from venue_protocol.topology import order_entry_queue

log = logging.getLogger(__name__)

_LEAST_S, _FLOW = 0.006, range(4, 250)
"""Candidates: a commit of few costs the time of some ten orders, whatever it carries."""
_RACES = 5
"""Tries of a commit whose names another gateway took meanwhile; each sees what is there."""


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
        fees: Callable[[], FeeSchedule] = lambda: NO_FEES,
    ) -> None:
        self._order_log = order_log
        self._publisher = publisher
        self._clock = clock
        self._securities = securities
        self._stopping = stopping
        self._bounds = bounds
        self._clock_trouble = clock_trouble
        """Why the time is not confirmed: the log takes no time from a wrong clock."""
        self._fees = fees
        self._waiting = SubmissionQueue()

    def submit(self, candidates: Sequence[Candidate]) -> list[Decision]:
        """Decisions for these candidates, made in one transaction with whatever else waits."""
        return self.enqueue(candidates).wait()

    def enqueue(self, candidates: Sequence[Candidate]) -> Submission:
        """Put these candidates in the queue for the next transaction, or refuse them at once when
        too many wait.
        """
        submission = Submission(candidates)
        if not self._waiting.put(submission):
            busy = Refusal(
                RejectReason.OVERLOADED, "too many orders wait at the gateway, nothing was done"
            )
            submission.resolve([busy] * len(candidates))
        return submission

    def run(self) -> None:
        """Commit batch after batch until stopping; what waits then is answered first."""
        pace = Pace(self._stopping, _LEAST_S, _FLOW)
        while not (self._stopping.is_set() and self._waiting.is_empty()):
            pace.wait()
            self.step(0.2, pace.began)

    def step(self, timeout_s: float, began: Callable[[int], object] = lambda size: None) -> bool:
        """Commit what waits, or comes within `timeout_s`; whether there was anything.

        `began` is told how many candidates the commit takes, as it begins.
        """
        submissions = self._waiting.take(timeout_s)
        if submissions:
            began(sum(len(submission.candidates) for submission in submissions))
            self._commit(submissions)
        return bool(submissions)

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
                fees = self._fees()
                with self._order_log.transaction() as transaction:
                    return append(
                        transaction, candidates, self._securities, self._clock.now_us(), fees
                    )
            except NameTaken:
                continue
            except CommitUnknown as error:
                log.warning("outcome of a commit is unknown", extra={"error": str(error)})
                return [outcome_unknown("the database went away during the commit")] * len(
                    candidates
                ), []
            except DatabaseUnavailable as error:
                log.warning("database unavailable", extra={"error": str(error)})
                refusal = Refusal(RejectReason.NOT_READY, "the database is away, nothing was done")
                return [refusal] * len(candidates), []
        race = Refusal(RejectReason.OVERLOADED, "gateways race for the same ids, nothing was done")
        return [race] * len(candidates), []
