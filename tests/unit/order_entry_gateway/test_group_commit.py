"""Group commit on a log in memory: what goes into a commit, and in which order."""

import threading
from collections.abc import Sequence

import pytest

from order_entry_gateway.adapters.memory_order_log import MemoryOrderLog
from order_entry_gateway.domain.validation import AdvanceTimeCandidate, CancelCandidate
from order_entry_gateway.loops.group_commit import Committer
from order_entry_gateway.loops.submissions import Submission
from service_runtime.buses.memory import MemoryBus
from service_runtime.clock import SystemClock
from venue_protocol.message_bounds import MessageBounds
from venue_protocol.refusals import RejectReason
from venue_protocol.topology import ORDER_ENTRY
from venue_storage.memory_clearing_data import MemoryClearing


class _NotingCommitter(Committer):
    """Notes of which submissions each commit is."""

    def __init__(self) -> None:
        log, publisher = MemoryOrderLog(MemoryClearing()), MemoryBus().publisher()
        super().__init__(log, publisher, SystemClock(), {}, threading.Event())
        self.commits: list[list[Submission]] = []

    def _commit(self, submissions: list[Submission]) -> None:
        self.commits.append(submissions)
        super()._commit(submissions)

    def send(self, *sizes: int, client_id: str | None = None) -> list[Submission]:
        """Submissions of so many cancels of orders that nobody has; each of another client, or all
        of this one.
        """
        clients = [client_id or f"client{number}" for number in range(len(sizes))]
        return [
            self.enqueue([CancelCandidate(of, 1, None)] * size)
            for of, size in zip(clients, sizes, strict=True)
        ]

    def commit_all(self) -> list[list[Submission]]:
        """All commits until nothing waits."""
        while self.step(0):
            pass
        return self.commits


def _sizes(commits: Sequence[Sequence[Submission]]) -> list[list[int]]:
    return [[len(submission.candidates) for submission in commit] for commit in commits]


def test_what_one_commit_takes_goes_in_the_order_in_which_it_came() -> None:
    committer = _NotingCommitter()
    sent = committer.send(1, 300, 2, 500, 1)
    assert committer.commit_all() == [sent]
    assert all(submission.is_decided() for submission in sent)


def test_a_single_order_does_not_wait_behind_twenty_lists() -> None:
    committer = _NotingCommitter()
    sent = committer.send(*[1000] * 5, 1, *[1000] * 2, 25)
    commits = committer.commit_all()
    assert _sizes(commits) == [[1000, 1, 25], *[[1000]] * 6]
    assert [
        submission for commit in commits for submission in commit if len(submission.candidates) > 25
    ] == [submission for submission in sent if len(submission.candidates) > 25]


def test_each_commit_takes_a_list_however_many_single_orders_come() -> None:
    committer = _NotingCommitter()
    committer.send(400, 400, 400, *[1] * 2500)
    assert [sizes.count(1) for sizes in _sizes(committer.commit_all())] == [1000, 1000, 500]
    assert [sizes.count(400) for sizes in _sizes(committer.commits)] == [1, 1, 1]


def test_a_cancel_does_not_overtake_a_list_of_its_own_client() -> None:
    committer = _NotingCommitter()
    committer.send(1000, 1000, 1000)
    own = committer.send(500, 1, client_id="ann") + committer.send(1, client_id="bob")
    commits = committer.commit_all()
    assert _sizes(commits) == [[1000, 1], [1000], [1000], [500, 1]]
    assert commits[3] == own[:2]
    (later,) = committer.send(1, client_id="ann")
    committer.step(0)
    assert later.is_decided(), "its list is through: it goes ahead again"


def test_lists_that_wait_long_are_refused_and_single_orders_still_taken(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now_s = [0.0]
    monkeypatch.setattr("order_entry_gateway.loops.submissions.time.monotonic", lambda: now_s[0])
    committer = _NotingCommitter()
    committer.send(*[500] * 30)
    now_s[0] = 0.6
    committer.step(0)
    refused, taken = committer.send(500, 1)
    assert refused.is_decided() and refused.wait()[0].reason == RejectReason.OVERLOADED
    assert not taken.is_decided()
    committer.step(0)
    assert taken.wait()[0].reason == RejectReason.UNKNOWN_ORDER  # type: ignore[union-attr]


def test_what_waits_at_the_end_is_answered_before_the_thread_ends(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    committer = _NotingCommitter()
    sent = committer.send(1000, 1000, 3)
    monkeypatch.setattr(committer, "_stopping", threading.Event())
    committer._stopping.set()
    committer.run()
    assert all(submission.is_decided() for submission in sent)


def test_a_commit_that_is_too_large_for_a_message_is_left_to_the_log() -> None:
    """The engine finds it there, as it finds a message that the broker lost."""
    bus, clearing = MemoryBus(), MemoryClearing()
    bus.declare([ORDER_ENTRY])
    committer = Committer(
        MemoryOrderLog(clearing),
        bus.publisher(),
        SystemClock(),
        {},
        threading.Event(),
        MessageBounds(most_bytes=250),
    )
    sent = []
    for count in (1, 20):
        sent.append(committer.enqueue([AdvanceTimeCandidate(0)] * count))
        committer.step(0)
    assert all(submission.is_decided() for submission in sent)
    assert clearing.tables.log_heads[0][0] == 21
    assert bus.depth(ORDER_ENTRY) == 1
