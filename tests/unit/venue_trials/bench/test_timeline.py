"""When a rising number had passed a value, and what a part of the venue has used."""

import os
import subprocess
import sys
from array import array

from hypothesis import given
from hypothesis import strategies as st

from venue_trials.bench import usage
from venue_trials.bench.watcher_process import Timeline


@given(st.lists(st.tuples(st.integers(1, 50), st.integers(0, 3)), max_size=30), st.integers(0, 100))
def test_a_timeline_answers_as_a_walk_through_it_does(
    steps: list[tuple[int, int]], wanted: int
) -> None:
    times, values, now, number = [], [], 0, 0
    for pause, gain in steps:
        now, number = now + pause, number + gain
        times.append(now)
        values.append(number)
    line = Timeline(array("q", times), array("q", values))
    entries = list(zip(times, values, strict=True))
    assert line.when(wanted) == next((time for time, value in entries if value >= wanted), None)
    assert line.at(wanted) == max([0, *(value for time, value in entries if time <= wanted)])
    assert line.newest(wanted) == max([0, *(time for time, value in entries if value <= wanted)])


def test_a_part_is_a_process_with_its_descendants() -> None:
    work = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'sum(range(10**7))'])"
    before = usage.measure({"me": os.getpid()}, with_memory=True)["me"]
    subprocess.run([sys.executable, "-c", work], check=True)
    after = usage.measure({"me": os.getpid()}, with_memory=True)["me"]
    assert after.processor_s > before.processor_s, "ended children are counted"
    assert after.memory_mb > 1
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        both = usage.measure(
            {"me": os.getpid(), "child": child.pid, "gone": 2**22 + 1}, with_memory=False
        )
        assert set(both) == {"me", "child"}
        assert both["me"].processor_s >= both["child"].processor_s
        child.communicate(b"\n")
