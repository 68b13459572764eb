"""The loop: what is due is sent, what is answered is counted. One thread, no waiting but for the
next of both.
"""

import re
import selectors
import time
from collections import Counter, deque
from pathlib import Path
from typing import Literal

from venue_trials.load.flow import Flow
from venue_trials.load.histogram import Histogram, summary
from venue_trials.load.lanes import Lane, Waiting, open_lanes
from venue_trials.load.plan import LoadPlan, LoadResult
from venue_trials.load.rows import Rows
from venue_trials.load.schedule import Schedule
from venue_trials.load.wire import ConnectionLost

_SEQUENCE = b'"sequence":'
_CODE = re.compile(rb'"code":"([a-z_.]+)"')
_HEAD_START_NS = 50_000_000
_LONGEST_WAIT_S = 0.05


def run(plan: LoadPlan) -> LoadResult:
    """Send a whole load and wait for its answers.

    Raises OSError, ConnectionLost when the door can't be opened.
    """
    return Generator(plan).run()


class Generator:
    """One load."""

    def __init__(self, plan: LoadPlan) -> None:
        self._plan = plan
        flow = Flow(plan.mix, plan.accounts, plan.name, plan.seed)
        self._lanes = open_lanes(plan, flow)
        self._selector = selectors.DefaultSelector()
        for lane in self._lanes:
            self._selector.register(lane.connection, selectors.EVENT_READ, lane)
        self._size = 1 if plan.case == "http-single" else plan.list_size
        self._turn = _turns(len(self._lanes), len(plan.accounts), plan.case == "websocket")
        self._rows = Rows()
        self._acknowledged = Histogram()
        self._lateness = Histogram()
        self._refused: Counter[str] = Counter()
        self._sent = self._answered = self._accepted = self._lost = 0
        self._count_from_ns = 0

    def run(self) -> LoadResult:
        """The whole load."""
        start_ns = max(self._plan.start_ns, time.monotonic_ns() + _HEAD_START_NS)
        schedule = Schedule(start_ns, self._plan.rate / self._size, self._plan.seconds)
        self._count_from_ns = start_ns + int(self._plan.warm_up_s * 1e9)
        time.sleep(max(0.0, (start_ns - time.monotonic_ns()) / 1e9))
        processor, wall = time.process_time(), time.monotonic()
        self._send_all(schedule)
        unsent = self._give_up("waiting")
        processor, wall = time.process_time() - processor, time.monotonic() - wall
        self._hear_the_last()
        unanswered = self._give_up("under_way")
        if self._plan.rows_path:
            self._rows.write(Path(self._plan.rows_path))
        for lane in self._lanes:
            lane.connection.close()
        return LoadResult(
            start_ns,
            schedule.requests * self._size,
            self._sent,
            self._answered,
            self._accepted,
            dict(self._refused),
            self._lost,
            unsent,
            unanswered,
            summary(self._acknowledged),
            summary(self._lateness),
            processor,
            wall,
        )

    def _send_all(self, schedule: Schedule) -> None:
        number, due_ns = 0, schedule.due_ns(0)
        while number < schedule.requests:
            now_ns = time.monotonic_ns()
            while due_ns <= now_ns and number < schedule.requests:
                self._lateness.record((now_ns - due_ns) // 1000, self._size)
                lane, account = self._turn[number % len(self._turn)]
                self._lanes[lane].waiting.append(Waiting(due_ns, account, self._size))
                self._push(self._lanes[lane])
                number += 1
                due_ns = schedule.due_ns(number)
                now_ns = time.monotonic_ns()
            self._hear((due_ns - now_ns) / 1e9)
        while (left_ns := schedule.end_ns - time.monotonic_ns()) > 0:
            self._hear(left_ns / 1e9)

    def _give_up(self, kind: Literal["waiting", "under_way"]) -> int:
        """Forget these requests; the number of commands.

        Their latency is at least what they have waited until now.
        """
        now_ns, commands = time.monotonic_ns(), 0
        for lane in self._lanes:
            requests: deque[Waiting] = getattr(lane, kind)
            for request in requests:
                commands += request.commands
                if request.due_ns >= self._count_from_ns:
                    self._acknowledged.record((now_ns - request.due_ns) // 1000, request.commands)
            requests.clear()
        return commands

    def _hear_the_last(self) -> None:
        deadline = time.monotonic() + self._plan.patience_s
        while any(lane.under_way for lane in self._lanes) and time.monotonic() < deadline:
            self._hear(_LONGEST_WAIT_S)

    def _hear(self, patience_s: float) -> None:
        """Take what was answered within `patience_s`."""
        for key, events in self._selector.select(max(0.0, min(patience_s, _LONGEST_WAIT_S))):
            lane: Lane = key.data
            try:
                if events & selectors.EVENT_READ:
                    for request, status, body in lane.answers():
                        self._count(request, status, body)
                if events & selectors.EVENT_WRITE:
                    lane.connection.flush()
                    self._watch(lane)
            except ConnectionLost:
                self._reopen(lane)
            self._push(lane)

    def _push(self, lane: Lane) -> None:
        """Send what waits on a lane, as far as it may."""
        if not lane.waiting or len(lane.under_way) >= lane.most_under_way:
            return
        try:
            self._sent += lane.send()
        except ConnectionLost:
            self._reopen(lane)
        if lane.connection.unsent:
            self._watch(lane)

    def _watch(self, lane: Lane) -> None:
        writing = selectors.EVENT_WRITE if lane.connection.unsent else 0
        self._selector.modify(lane.connection, selectors.EVENT_READ | writing, lane)

    def _reopen(self, lane: Lane) -> None:
        self._selector.unregister(lane.connection)
        self._lost += 1
        lost = lane.reconnect()
        if lost:
            self._refused["connection lost"] += 1
        self._selector.register(lane.connection, selectors.EVENT_READ, lane)

    def _count(self, request: Waiting, status: int, body: bytes) -> None:
        """Count an answer.

        Sequences of one request rise; the first and last of them tell where it stands.
        """
        now_ns = time.monotonic_ns()
        self._answered += request.commands
        if status == 429 or status >= 500:
            self._refused[str(status)] += 1
        elif b'"error"' in body:
            self._refused.update(code.decode() for code in _CODE.findall(body))
        accepted = body.count(_SEQUENCE)
        first = _number_at(body, body.find(_SEQUENCE)) if accepted else 0
        last = _number_at(body, body.rfind(_SEQUENCE)) if accepted else 0
        self._accepted += accepted
        self._rows.add(request.due_ns, now_ns, first, last, accepted)
        if accepted and request.due_ns >= self._count_from_ns:
            self._acknowledged.record((now_ns - request.due_ns) // 1000, accepted)


def _number_at(body: bytes, place: int) -> int:
    start = place + len(_SEQUENCE)
    end = start
    while body[end : end + 1].isdigit():
        end += 1
    return int(body[start:end])


def _turns(lanes: int, accounts: int, is_own: bool) -> list[tuple[int, int]]:
    """Lane and account of each request, round and round: every account in turn, always on the same
    lane.
    """
    return [(account % lanes, account) for account in range(lanes if is_own else accounts)]
