"""Processor time and memory of each part of the venue, from /proc: a part is a process with all its
descendants.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

_TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")


class Usage(NamedTuple):
    """Of one part, so far."""

    processor_s: float
    """User and system time, that of ended children included."""
    memory_mb: float
    """Resident pages, shared ones in equal parts (Pss) where the kernel tells, so that sums do not
    count twice.
    """


def measure(roots: Mapping[str, int], with_memory: bool) -> dict[str, Usage]:
    """Usage by part, of those that run.

    Memory costs the kernel a walk, so it is read when asked for.
    """
    children = _children()
    return {
        name: _of_family(pid, children, with_memory)
        for name, pid in roots.items()
        if pid in children
    }


def _children() -> dict[int, list[int]]:
    """Pids of the children of each process there is."""
    found: dict[int, list[int]] = {}
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        fields = _stat(int(folder.name))
        if fields:
            found.setdefault(int(folder.name), [])
            found.setdefault(int(fields[1]), []).append(int(folder.name))
    return found


def _of_family(root: int, children: Mapping[int, list[int]], with_memory: bool) -> Usage:
    ticks, memory_kb = 0, 0
    waiting = [root]
    while waiting:
        pid = waiting.pop()
        waiting += children.get(pid, ())
        fields = _stat(pid)
        if fields:
            ticks += sum(int(field) for field in fields[11:15])
            memory_kb += _memory_kb(pid) if with_memory else 0
    return Usage(ticks / _TICKS_A_SECOND, memory_kb / 1024)


def _stat(pid: int) -> list[str]:
    """Fields of /proc/PID/stat from the third on; [] when it ended meanwhile."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


def _memory_kb(pid: int) -> int:
    try:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1])
    except OSError:
        return _resident_kb(pid)
    return 0


def _resident_kb(pid: int) -> int:
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    except OSError:
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE") // 1024
