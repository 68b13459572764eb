"""A local player's process: what it is given, and what it can't do."""

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from venue_competition.player_process import OUTPUT_FILE, PlayerProcess

Started = Callable[..., PlayerProcess]


@pytest.fixture
def start(tmp_path: Path) -> Started:
    def start(program: str, memory_mb: int = 256, processor_s: int = 60) -> PlayerProcess:
        command = [sys.executable, "-c", program]
        variables = {"VENUE_API_KEY": "own"}
        return PlayerProcess(command, tmp_path / "player", variables, memory_mb, processor_s)

    return start


def ended(process: PlayerProcess, within_s: float = 60.0) -> int:
    """Its exit code, once it has one."""
    deadline = time.monotonic() + within_s
    while (code := process.exit_code()) is None:
        assert time.monotonic() < deadline, "still running"
        time.sleep(0.02)
    return code


def output(folder: Path) -> str:
    return (folder / "player" / OUTPUT_FILE).read_text()


def test_it_sees_its_own_key_and_nothing_that_opens_the_venue(
    start: Started, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VENUE_CLEARING_DATABASE_URL", "postgresql://secret")
    monkeypatch.setenv("VENUE_HOME", "secret")
    process = start("import os; print(*os.environ)")
    assert ended(process) == 0
    names = set(output(tmp_path).split())
    assert "VENUE_API_KEY" in names
    assert names <= {"VENUE_API_KEY", "PATH", "LANG", "LC_ALL", "TZ", "HOME", "TMPDIR", "LC_CTYPE"}


def test_it_starts_in_an_empty_folder_of_its_own(start: Started, tmp_path: Path) -> None:
    process = start("import os; print(os.getcwd())")
    assert ended(process) == 0
    assert output(tmp_path).strip() == str((tmp_path / "player").resolve())


def test_more_memory_than_allowed_is_not_given(start: Started) -> None:
    process = start("bytearray(512 << 20)", memory_mb=256)
    assert ended(process) == 1
    assert process.last_words() == "MemoryError"


def test_as_much_memory_as_allowed_is_given(start: Started) -> None:
    assert ended(start("bytearray(128 << 20)", memory_mb=256)) == 0


def test_more_processor_time_than_allowed_ends_it(start: Started) -> None:
    assert ended(start("while True: pass", processor_s=1)) < 0


def test_its_limits_can_not_be_raised_again(start: Started) -> None:
    program = (
        "import resource as r\n"
        "soft, hard = r.getrlimit(r.RLIMIT_DATA)\n"
        "assert (soft, hard) == (256 << 20, 256 << 20)"
    )
    assert ended(start(program)) == 0


def test_who_ignores_the_signal_is_ended_with_all_that_it_started(
    start: Started, tmp_path: Path
) -> None:
    process = start(
        "import signal, subprocess, sys, time\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
        "print(child.pid, flush=True)\n"
        "time.sleep(600)"
    )
    deadline = time.monotonic() + 30
    while not output(tmp_path).strip():
        assert time.monotonic() < deadline
        time.sleep(0.02)
    child = int(output(tmp_path))
    process.stop()
    assert process.exit_code() is not None
    deadline = time.monotonic() + 10
    while is_running(child):
        assert time.monotonic() < deadline, "the child still runs"
        time.sleep(0.02)


def is_running(pid: int) -> bool:
    """Whether the process is there, and no zombie that nobody has asked after."""
    try:
        os.kill(pid, 0)
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (ProcessLookupError, FileNotFoundError):
        return False
    return state != "Z"


def test_a_command_that_is_not_there_says_so(tmp_path: Path) -> None:
    process = PlayerProcess(["no-such-program"], tmp_path / "player", {}, 256, 60)
    assert ended(process) == 1
    assert process.last_words() == "no-such-program: No such file or directory"
