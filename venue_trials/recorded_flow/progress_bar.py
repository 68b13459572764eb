"""A bar on standard error: redrawn in place on a terminal, a line every tenth elsewhere."""

import sys
import time
from typing import TextIO

_WIDTH = 30
_REDRAW_S = 0.1


class ProgressBar:
    """`show` from one thread; `close` once."""

    def __init__(self, name: str, stream: TextIO | None = None) -> None:
        self._name = name
        self._stream = stream or sys.stderr
        self._is_terminal = self._stream.isatty()
        self._started = time.monotonic()
        self._shown_at = float("-inf")
        self._tenths = 0
        self._is_drawn = False

    def show(self, done: int, total: int) -> None:
        """Show `done` of `total`, not more often than can be seen."""
        now = time.monotonic()
        part = done / total if total else 1.0
        if self._is_terminal and (now - self._shown_at >= _REDRAW_S or done >= total):
            self._shown_at = now
            self._is_drawn = True
            print(
                f"\r{self._line(part, done, total, now)}\x1b[K",
                end="",
                file=self._stream,
                flush=True,
            )
        elif not self._is_terminal and int(part * 10) > self._tenths:
            self._tenths = int(part * 10)
            print(self._line(part, done, total, now), file=self._stream, flush=True)

    def close(self) -> None:
        """Leave the bar's line."""
        if self._is_drawn:
            print(file=self._stream, flush=True)
            self._is_drawn = False

    def _line(self, part: float, done: int, total: int, now: float) -> str:
        filled = "█" * int(part * _WIDTH)
        elapsed_s = max(now - self._started, 1e-9)
        return (
            f"{self._name} [{filled:<{_WIDTH}}] {part:4.0%} {done:,}/{total:,} "
            f"{done / elapsed_s:,.0f}/s"
        )
