"""Children end with us, leftovers are found, and a recycled pid is nobody's leftover."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from venue_launcher import processes
from venue_launcher.processes import ProcessIdentity, ProcessRecord, identify, wait_until

SLEEPER = [sys.executable, "-c", "import time; time.sleep(600)"]
DEAF = [
    sys.executable,
    "-c",
    "import signal, time; signal.signal(15, signal.SIG_IGN); print('deaf', flush=True); "
    "time.sleep(600)",
]
PARENT = """
import sys
from pathlib import Path
from venue_launcher import processes
child = processes.start(sys.argv[2:], log=Path(sys.argv[1]), death_signal=9, environment={})
print(child.pid, flush=True)
child.wait()
"""


def start(command: list[str], tmp_path: Path) -> subprocess.Popen[bytes]:
    log = tmp_path / "child.log"
    return processes.start(
        command, log=log, death_signal=signal.SIGKILL, environment=dict(os.environ)
    )


def test_a_child_ends_when_its_parent_is_killed(tmp_path: Path) -> None:
    command = [sys.executable, "-c", PARENT, str(tmp_path / "log"), *SLEEPER]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=Path(__file__).parents[3]) as parent:
        assert parent.stdout
        child = identify(int(parent.stdout.readline()))
        assert child
        parent.kill()
    assert wait_until(lambda: not child.is_alive(), 10)


def test_stop_kills_a_child_that_ignores_sigterm(tmp_path: Path) -> None:
    child = start(DEAF, tmp_path)
    assert wait_until(lambda: "deaf" in (tmp_path / "child.log").read_text(), 10)
    assert processes.stop(child, signal.SIGTERM, 0.2) == -signal.SIGKILL


def test_a_recorded_process_is_ended_as_a_leftover(tmp_path: Path) -> None:
    child = start(SLEEPER, tmp_path)
    ProcessRecord(tmp_path / "records" / "sleeper.json", signal.SIGKILL).write(child.pid)
    assert processes.end_leftovers(tmp_path / "records") == ["sleeper"]
    assert child.wait(10) == -signal.SIGKILL
    assert processes.end_leftovers(tmp_path / "records") == []


def test_a_pid_that_belongs_to_another_process_now_is_left_alone(tmp_path: Path) -> None:
    child = start(SLEEPER, tmp_path)
    record = tmp_path / "records" / "sleeper.json"
    record.parent.mkdir()
    record.write_text(json.dumps({"pid": child.pid, "started": "1", "end_signal": 9}))
    try:
        assert processes.end_leftovers(record.parent) == []
        assert child.poll() is None
    finally:
        processes.stop(child, signal.SIGKILL, 5)


def test_a_broken_record_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "broken.json").write_text("{")
    assert processes.end_leftovers(tmp_path) == []


def test_an_ended_child_is_not_alive_even_before_it_is_waited_for(tmp_path: Path) -> None:
    child = start([sys.executable, "-c", ""], tmp_path)
    identity = ProcessIdentity(child.pid, "")
    assert wait_until(lambda: identify(child.pid) is None, 10)
    assert not identity.is_alive()
    child.wait()


def test_a_program_that_is_missing_is_named_in_the_log(tmp_path: Path) -> None:
    child = start(["/nowhere/program"], tmp_path)
    assert child.wait(10) == 1
    assert "/nowhere/program" in (tmp_path / "child.log").read_text()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells the parent's death")
def test_a_child_whose_parent_is_gone_already_never_starts(tmp_path: Path) -> None:
    nobody = 2**22 - 1
    marker = tmp_path / "started"
    command = [
        sys.executable,
        str(processes.CHILD_PROCESS),
        str(nobody),
        "9",
        "-1",
        "-1",
        "touch",
        str(marker),
    ]
    assert subprocess.run(command, check=False).returncode == 0
    assert not marker.exists()
