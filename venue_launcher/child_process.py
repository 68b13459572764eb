"""Becomes a command that the kernel ends when its parent dies.

`python child_process.py PARENT_PID SIGNAL UID GID COMMAND…` runs it as a script, with the standard
library only; a UID and GID of -1 keep the present user. The user is changed here and not in the
launcher, because the kernel forgets the death signal when a process changes its user.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def become(parent: int, death_signal: int, uid: int, gid: int, command: list[str]) -> None:
    """Drop to the account, ask for the signal, make sure that the parent still lives, become the
    command.
    """
    if uid >= 0:
        os.setgroups([])
        os.setgid(gid)
        os.setuid(uid)
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, death_signal, 0, 0, 0)
    if os.getppid() != parent:
        sys.exit(0)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
    os.execvp(command[0], command)


if __name__ == "__main__":
    try:
        parent_pid, death, user, group = map(int, sys.argv[1:5])
        become(parent_pid, death, user, group, sys.argv[5:])
    except OSError as error:
        sys.exit(f"{sys.argv[5]}: {error.strerror}")
