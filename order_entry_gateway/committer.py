"""Group commit: requests that arrive while a commit runs share the next one, so a lone order never waits."""

import logging
import queue
import threading
import time
from collections.abc import Mapping, Sequence

from psycopg2 import errors

from order_entry_gateway.adapters.order_log_store import AppendedBatch, append
from order_entry_gateway.domain.candidates import Candidate
from order_entry_gateway.domain.coverage import Decision
from service_runtime import metrics
from service_runtime.bus import Publisher
from service_runtime.clock import Clock
from service_runtime.database import CommitUnknown, Database, DatabaseUnavailable
from venue_protocol.refusals import Refusal, RejectReason
from venue_protocol.securities import Security
from venue_protocol.topology import order_entry_queue

log = logging.getLogger(__name__)

_MOST_IN_COMMIT = 1000
_MOST_WAITING = 20_000
_ANSWER_WITHIN_S = 30.0
_RACES = 5


class Submission:
    """The candidates of one request, and their decisions once they are durable."""

    def __init__(self, candidates: Sequence[Candidate]) -> None:
        self.candidates = candidates
        self._decisions: list[Decision] = []
        self._decided = threading.Event()

    def wait(self) -> list[Decision]:
        """One decision for each candidate; what was accepted is committed."""
        if not self._decided.wait(_ANSWER_WITHIN_S):
            return [_unknown("the venue did not answer in time")] * len(self.candidates)
        return self._decisions

    def settle(self, decisions: list[Decision]) -> None:
        """Give the decisions to whoever waits."""
        self._decisions = decisions
        self._decided.set()


class Committer:
    """The thread that writes the order log. `submit` from any thread, `run` in its own."""

    def __init__(
        self,
        clearing: Database,
        publisher: Publisher,
        clock: Clock,
        securities: Mapping[str, Security],
        stopping: threading.Event,
    ) -> None:
        self._clearing = clearing
        self._publisher = publisher
        self._clock = clock
        self._securities = securities
        self._stopping = stopping
        self._waiting: queue.SimpleQueue[Submission] = queue.SimpleQueue()
        self._candidates_waiting = 0
        self._count_lock = threading.Lock()

    def submit(self, candidates: Sequence[Candidate]) -> list[Decision]:
        """Decisions for these candidates, made in one transaction with whatever else waits."""
        with self._count_lock:
            if self._candidates_waiting + len(candidates) > _MOST_WAITING:
                busy = Refusal(RejectReason.OVERLOADED, "too many orders wait at the door, nothing was done")
                return [busy] * len(candidates)
            self._candidates_waiting += len(candidates)
        submission = Submission(candidates)
        self._waiting.put(submission)
        return submission.wait()

    def run(self) -> None:
        """Commit batch after batch until stopping; what waits then is answered first."""
        while not (self._stopping.is_set() and self._waiting.empty()):
            submissions = self._take()
            if submissions:
                self._commit(submissions)

    def _take(self) -> list[Submission]:
        try:
            submissions = [self._waiting.get(timeout=0.2)]
        except queue.Empty:
            return []
        taken = len(submissions[0].candidates)
        while taken < _MOST_IN_COMMIT and not self._waiting.empty():
            submissions.append(self._waiting.get())
            taken += len(submissions[-1].candidates)
        with self._count_lock:
            self._candidates_waiting -= taken
        return submissions

    def _commit(self, submissions: list[Submission]) -> None:
        candidates = [candidate for submission in submissions for candidate in submission.candidates]
        started_s = time.perf_counter()
        decisions, appended = self._decide(candidates)
        metrics.step_seconds.labels("commit").observe(time.perf_counter() - started_s)
        metrics.batch_size.labels("commit").observe(len(candidates))
        # Published before the answers, so that the engine works while the senders read them.
        for batch in appended:
            self._publisher.publish(order_entry_queue(batch.shard), batch.body)
        start = 0
        for submission in submissions:
            end = start + len(submission.candidates)
            submission.settle(decisions[start:end])
            start = end

    def _decide(self, candidates: list[Candidate]) -> tuple[list[Decision], list[AppendedBatch]]:
        """Decisions, committed; or the same refusal for all when the database can't be asked."""
        for _ in range(_RACES):
            try:
                with self._clearing.transaction() as cursor:
                    return append(cursor, candidates, self._securities, self._clock.now_us())
            except errors.UniqueViolation:
                # Another gateway logged one of the client_order_ids meanwhile: now it is seen as a repetition.
                continue
            except CommitUnknown as error:
                log.warning("outcome of a commit is unknown", extra={"error": str(error)})
                return [_unknown("the database went away during the commit")] * len(candidates), []
            except DatabaseUnavailable as error:
                log.warning("database unavailable", extra={"error": str(error)})
                refusal = Refusal(RejectReason.NOT_READY, "the database is away, nothing was done")
                return [refusal] * len(candidates), []
        return [Refusal(RejectReason.OVERLOADED, "gateways race for the same ids, nothing was done")] * len(
            candidates
        ), []


def _unknown(cause: str) -> Refusal:
    return Refusal(
        RejectReason.OUTCOME_UNKNOWN, f"{cause}: ask again with the same client_order_id to learn the outcome"
    )
