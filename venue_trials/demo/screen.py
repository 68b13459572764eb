"""The terminal during a demo: redrawn in place where it is a terminal, plain lines elsewhere."""

import shutil
import sys
from collections.abc import Sequence
from typing import TextIO

_PLAIN_FIRST_S = 2.0
_PLAIN_EVERY_S = 5.0
_PLAIN_STANDINGS = 5


class Screen:
    """Shows one picture of the demo after the other."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stdout
        self._is_terminal = self._stream.isatty()
        self._plain_at_s = _PLAIN_FIRST_S

    def show(
        self, elapsed_s: float, head: Sequence[str], standings: Sequence[str], foot: Sequence[str]
    ) -> None:
        """What happens, who owns what (as many lines as fit), and where to look."""
        if self._is_terminal:
            self._redraw(head, standings, foot)
        elif elapsed_s >= self._plain_at_s:
            self._plain_at_s = elapsed_s + _PLAIN_EVERY_S
            self.lines([*head, *standings[: _PLAIN_STANDINGS + 1], ""])

    def lines(self, lines: Sequence[str]) -> None:
        """These lines, below whatever was there."""
        print("\n".join(lines), file=self._stream, flush=True)

    def clear(self) -> None:
        """An empty screen, for what comes after the last picture."""
        if self._is_terminal:
            print("\x1b[H\x1b[J", end="", file=self._stream, flush=True)

    def _redraw(self, head: Sequence[str], standings: Sequence[str], foot: Sequence[str]) -> None:
        size = shutil.get_terminal_size()
        foot_rows = sum(-(-len(line) // size.columns) for line in foot)
        room = max(size.lines - len(head) - foot_rows - 3, 2)
        cut = [f"{line[: size.columns - 1]}\x1b[0m" for line in [*head, "", *standings[:room], ""]]
        # The foot is not cut: its lines are there to be pasted.
        shown = "\n".join(f"{line}\x1b[K" for line in [*cut, *foot])
        print(f"\x1b[H{shown}\x1b[J", end="", file=self._stream, flush=True)
