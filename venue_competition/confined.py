"""Becomes a player's command, with limits that it can't raise again.

`python confined.py PARENT_PID MEMORY_MB PROCESSOR_S COMMAND…` runs it as a script, with the
standard library only. The kernel ends the command when its parent dies.
"""

import ctypes
import os
import resource
import signal
import sys

PR_SET_PDEATHSIG = 1
MOST_FILES = 256
MOST_FILE_BYTES = 64 << 20
_MB = 1 << 20


def confine(memory_mb: int, processor_s: int) -> None:
    """Set the limits: private memory, processor time, open files, size of a written file.

    RLIMIT_DATA and not RLIMIT_AS: some run-times reserve addresses by the terabyte, and use few.
    """
    for kind, most in (
        (resource.RLIMIT_DATA, memory_mb * _MB),
        (resource.RLIMIT_CPU, processor_s),
        (resource.RLIMIT_NOFILE, MOST_FILES),
        (resource.RLIMIT_FSIZE, MOST_FILE_BYTES),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(kind, (most, most))


def become(parent: int, memory_mb: int, processor_s: int, command: list[str]) -> None:
    """Confine this process and become the command."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        sys.exit(0)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
    confine(memory_mb, processor_s)
    os.execvp(command[0], command)


if __name__ == "__main__":
    try:
        parent_pid, memory, seconds = map(int, sys.argv[1:4])
        become(parent_pid, memory, seconds, sys.argv[4:])
    except OSError as error:
        sys.exit(f"{sys.argv[4]}: {error.strerror}")
