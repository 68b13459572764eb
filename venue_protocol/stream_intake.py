"""Which batches of a stream may take effect now: in order, each once, none missing; and when to ask
for a resend.
"""

from typing import Generic, Protocol, TypeVar


class Numbered(Protocol):
    """A batch of a stream: numbers `first` to `last`."""

    @property
    def first(self) -> int:
        """The first number."""
        ...

    @property
    def last(self) -> int:
        """The last number."""
        ...


BatchT = TypeVar("BatchT", bound=Numbered)

MOST_HELD = 1_000
"""Batches held back behind a gap; more are dropped, and come again with the resend."""
MOST_NUMBERS_HELD = 200_000
"""Numbers in all batches held back: some 100 MB of decoded events. More are dropped as well."""
ASK_AGAIN_S = 1.0
_LONGEST_PAUSE_S = 10.0


class StreamIntake(Generic[BatchT]):
    """The reader's place in one stream. What comes after a gap is held back until the gap closes.

    Nothing held is durable here: whoever loses it asks its source again.
    """

    def __init__(self, position: int) -> None:
        self.position = position
        """The last number passed on by `take`."""
        self._newest = position
        self._held: dict[int, BatchT] = {}
        self._numbers_held = 0
        self._asked_after: int | None = None
        self._ask_at_s = 0.0
        self._pause_s = ASK_AGAIN_S

    def take(self, batch: BatchT) -> list[tuple[BatchT, int]]:
        """What may take effect now that `batch` has come, each with the first number in it that is
        new.

        Nothing for a duplicate or behind a gap; `batch` and those held that follow it, otherwise.
        """
        self.announce(batch.last)
        follows = batch.first <= self.position + 1
        if batch.last > self.position and (follows or self._has_room(batch)):
            self._hold(batch)
        return self._release()

    def announce(self, newest: int) -> None:
        """The source has said that `newest` exists."""
        self._newest = max(self._newest, newest)

    def is_behind(self) -> bool:
        """Whether numbers are known to exist that have not come."""
        return self._newest > self.position

    def ask_after(self, now_s: float) -> int | None:
        """The position after which to ask for a resend now, or None: nothing is missing, or it was
        asked for.

        The first time at once; again after a growing pause, if nothing has come since.
        """
        if not self.is_behind():
            self._asked_after = None
            return None
        if self._asked_after is not None and now_s < self._ask_at_s:
            return None
        if self._asked_after is not None and self._asked_after != self.position:
            self._pause_s = ASK_AGAIN_S
            is_due = False
        else:
            self._pause_s = (
                ASK_AGAIN_S
                if self._asked_after is None
                else min(2 * self._pause_s, _LONGEST_PAUSE_S)
            )
            is_due = True
        self._asked_after = self.position
        self._ask_at_s = now_s + self._pause_s
        return self.position if is_due else None

    def _has_room(self, batch: BatchT) -> bool:
        """Whether one more batch may be held back."""
        numbers = self._numbers_held + _length(batch)
        return len(self._held) < MOST_HELD and numbers <= MOST_NUMBERS_HELD

    def _hold(self, batch: BatchT) -> None:
        """Hold a batch back. Of two that begin alike the longer one stays: a batch may come again
        cut otherwise.
        """
        known = self._held.get(batch.first)
        if known is None or known.last < batch.last:
            self._held[batch.first] = batch
            self._numbers_held += _length(batch) - (_length(known) if known is not None else 0)

    def _release(self) -> list[tuple[BatchT, int]]:
        """Held batches that follow the position now; forgets those that are overtaken."""
        released = []
        for first in sorted(self._held) if len(self._held) > 1 else list(self._held):
            if first > self.position + 1:
                break
            batch = self._held.pop(first)
            self._numbers_held -= _length(batch)
            if batch.last > self.position:
                released.append((batch, self.position + 1))
                self.position = batch.last
        return released


def _length(batch: Numbered) -> int:
    return batch.last - batch.first + 1
