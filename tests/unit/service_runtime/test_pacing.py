"""A loop under load gathers a little before it takes its next batch; a lone item never waits."""

import threading

from service_runtime.pacing import Pace


class Time:
    """A clock that stands still but for waits, and the event that waits on it."""

    def __init__(self) -> None:
        self.now_s = 100.0
        self.waited: list[float] = []
        self.stopping = _Waiting(self)


class _Waiting(threading.Event):
    def __init__(self, time: Time) -> None:
        super().__init__()
        self._time = time

    def wait(self, timeout: float | None = None) -> bool:
        assert timeout is not None
        self._time.waited.append(round(timeout, 6))
        self._time.now_s += timeout
        return False


def pace(time: Time) -> Pace:
    return Pace(time.stopping, 0.010, range(4, 100), lambda: time.now_s)


def test_the_first_batch_and_one_behind_a_lone_item_do_not_wait() -> None:
    time = Time()
    paced = pace(time)
    paced.wait()
    paced.began(3)
    paced.wait()
    assert time.waited == []


def test_behind_a_batch_of_a_flow_the_rest_of_the_time_is_waited() -> None:
    time = Time()
    paced = pace(time)
    paced.began(4)
    time.now_s += 0.004
    paced.wait()
    assert time.waited == [0.006]


def test_a_batch_that_took_longer_has_gathered_enough() -> None:
    time = Time()
    paced = pace(time)
    paced.began(50)
    time.now_s += 0.011
    paced.wait()
    assert time.waited == []


def test_behind_a_large_batch_nothing_is_waited_for() -> None:
    time = Time()
    paced = pace(time)
    paced.began(100)
    paced.wait()
    assert time.waited == []
