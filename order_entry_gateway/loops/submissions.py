"""Requests that wait for a commit: who may wait, and who goes next.

Short requests go before long lists of other clients, of which each commit takes at least one.
"""

import queue
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Sequence

from order_entry_gateway.domain.coverage import Decision
from order_entry_gateway.domain.validation import Candidate
from order_entry_gateway.ports import ANSWER_WITHIN_S
from venue_protocol.refusals import Refusal, RejectReason

MOST_IN_COMMIT = 1_000
"""Candidates: one commit of so many takes some 40 ms, and holds its accounts as long."""
_SHORT = 25
"""Candidates of a short request."""
_MOST_WAITING = 20_000
_LONGEST_WAIT_S = 0.5
"""Once the oldest has waited that long for its commit, no more than one commit's worth may wait."""


class Submission:
    """The candidates of one request, and their decisions once they are durable."""

    def __init__(self, candidates: Sequence[Candidate]) -> None:
        self.candidates = candidates
        self.came_s = time.monotonic()
        self.number = 0
        """Its place in the order in which all came."""
        self.is_short = len(candidates) <= _SHORT
        self._decisions: list[Decision] | None = None
        self._event: threading.Event | None = None
        """Only where a thread waits: to make one costs more than the rest of a submission."""
        self._then: Callable[[], object] | None = None

    def when_decided(self, then: Callable[[], object]) -> None:
        """Call `then` once it is decided, in the thread that decides.

        It may be called twice, when the decision comes at this very moment.
        """
        self._then = then
        if self._decisions is not None:
            then()

    def is_decided(self) -> bool:
        """Whether `wait` returns at once."""
        return self._decisions is not None

    def wait(self, within_s: float = ANSWER_WITHIN_S) -> list[Decision]:
        """One decision for each candidate; what was accepted is committed.

        After `within_s` the outcome is unknown.
        """
        if self._decisions is None:
            self._event = threading.Event()
            # `resolve` writes the decisions before it looks for the event, so one of the two sees
            # the other.
            if self._decisions is None:
                self._event.wait(within_s)
        if self._decisions is None:
            return [outcome_unknown("the venue did not answer in time")] * len(self.candidates)
        return self._decisions

    def resolve(self, decisions: list[Decision]) -> None:
        """Give the decisions to whoever waits for them: one thread at most."""
        self._decisions = decisions
        if self._event is not None:
            self._event.set()
        then = self._then
        if then is not None:
            then()


class WaitingCount:
    """How many candidates wait in requests of one kind, short or long, and how long they did.

    For the queue alone, under its lock.
    """

    def __init__(self) -> None:
        self.waiting = 0
        self.waited_s = 0.0
        """How long the oldest of the newest commit had waited; 0 if it had none of this kind."""

    def admit(self, count: int) -> bool:
        """Let `count` more wait, if they may: where none waits, a request of any size may."""
        most = _MOST_WAITING if self.waited_s <= _LONGEST_WAIT_S else MOST_IN_COMMIT
        if self.waiting and self.waiting + count > most:
            return False
        self.waiting += count
        return True

    def release(self, submissions: Sequence[Submission], now_s: float) -> None:
        """These of its kind, oldest first, are taken into a commit now."""
        self.waiting -= sum(len(submission.candidates) for submission in submissions)
        self.waited_s = now_s - submissions[0].came_s if submissions else 0.0


class SubmissionQueue:
    """Put from any thread, taken by the committer's alone."""

    def __init__(self) -> None:
        self._coming: queue.SimpleQueue[Submission] = queue.SimpleQueue()
        self._first: deque[Submission] = deque()
        self._behind: deque[Submission] = deque()
        self._clients_behind: Counter[str] = Counter()
        self._came = 0
        self._short, self._long = WaitingCount(), WaitingCount()
        self._lock = threading.Lock()

    def put(self, submission: Submission) -> bool:
        """Let it wait for a commit; False, and nothing done, when too many wait."""
        with self._lock:
            is_admitted = self._count_of(submission).admit(len(submission.candidates))
        if is_admitted:
            self._coming.put(submission)
        return is_admitted

    def is_empty(self) -> bool:
        """Whether nothing waits."""
        return not (self._short.waiting or self._long.waiting)

    def take(self, timeout_s: float) -> list[Submission]:
        """What goes into the next commit, in the order in which it came.

        Waits up to `timeout_s` when nothing is there.
        """
        self._line_up_all(timeout_s)
        submissions: list[Submission] = []
        count = 0
        while self._first and count < MOST_IN_COMMIT:
            submissions.append(self._first.popleft())
            count += len(submissions[-1].candidates)
        is_one_taken = False
        while self._behind and (count < MOST_IN_COMMIT or not is_one_taken):
            submissions.append(self._behind.popleft())
            count += len(submissions[-1].candidates)
            self._leave_behind(client_of(submissions[-1]))
            is_one_taken = True
        submissions.sort(key=lambda submission: submission.number)
        self._release(submissions)
        return submissions

    def _count_of(self, submission: Submission) -> WaitingCount:
        return self._short if submission.is_short else self._long

    def _release(self, submissions: Sequence[Submission]) -> None:
        now_s = time.monotonic()
        with self._lock:
            self._short.release([each for each in submissions if each.is_short], now_s)
            self._long.release([each for each in submissions if not each.is_short], now_s)

    def _line_up_all(self, timeout_s: float) -> None:
        """Line up what has come, or comes within `timeout_s` if nothing is lined up."""
        try:
            if not (self._first or self._behind):
                self._line_up(self._coming.get(timeout=timeout_s))
            while True:
                self._line_up(self._coming.get_nowait())
        except queue.Empty:
            return

    def _line_up(self, submission: Submission) -> None:
        """A short request goes first, but never before a long one of its own client: a cancel
        must not overtake the orders that it cancels.
        """
        self._came += 1
        submission.number = self._came
        client_id = client_of(submission)
        if submission.is_short and not self._clients_behind[client_id]:
            self._first.append(submission)
        else:
            self._behind.append(submission)
            self._clients_behind[client_id] += 1

    def _leave_behind(self, client_id: str) -> None:
        self._clients_behind[client_id] -= 1
        if not self._clients_behind[client_id]:
            del self._clients_behind[client_id]


def client_of(submission: Submission) -> str:
    """Whose request it is; the venue's own commands are nobody's."""
    return getattr(submission.candidates[0], "client_id", "")


def outcome_unknown(cause: str) -> Refusal:
    """The answer when a commit may have happened or not."""
    return Refusal(
        RejectReason.OUTCOME_UNKNOWN,
        f"{cause}: ask again with the same client_order_id to learn the outcome",
    )
