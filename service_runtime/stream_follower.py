"""Following a numbered stream: what to apply, what is known already, and when to ask for a resend (rule 3)."""

import logging
import time
from collections.abc import Callable

from service_runtime import metrics

log = logging.getLogger(__name__)

_ASK_AGAIN_S = 1.0


class StreamFollower:
    """Knows the newest number taken of one stream.

    A gap is asked for at once, and again about a second after the last that helped to close it.
    """

    def __init__(
        self, stream: str, position: int, ask: Callable[[int], None], now_s: Callable[[], float] = time.monotonic
    ) -> None:
        self.stream = stream
        self.position = position
        """Newest number taken; everything up to it is applied or about to be."""
        self._ask = ask
        self._now_s = now_s
        self._ask_not_before_s = 0.0
        self._newest_known = position

    def takes(self, first: int, last: int) -> bool:
        """Whether a batch [first, last] continues the stream; then it counts as taken. Its older part is known.

        A batch after a gap is not taken: the resend will bring it again.
        """
        if last <= self.position:
            metrics.messages_duplicate.labels(self.stream).inc()
            return False
        if first > self.position + 1:
            self.announced(last)
            return False
        self.position = last
        if self._newest_known > last:
            # A resend arrives: asking again for its rest would multiply it.
            self._ask_not_before_s = self._now_s() + _ASK_AGAIN_S
        self._newest_known = max(self._newest_known, last)
        return True

    def announced(self, newest: int) -> None:
        """The stream has reached `newest`: ask for what is missing."""
        self._newest_known = max(self._newest_known, newest)
        if newest <= self.position or self._now_s() < self._ask_not_before_s:
            return
        metrics.gaps_noticed.labels(self.stream).inc()
        log.warning("gap in stream", extra={"stream": self.stream, "position": self.position, "newest": newest})
        self._ask_not_before_s = self._now_s() + _ASK_AGAIN_S
        self._ask(self.position)

    def remind(self) -> None:
        """Ask again if what was missing has not come; call it when idle."""
        self.announced(self._newest_known)

    def is_caught_up(self) -> bool:
        """Whether nothing that is known to exist is missing."""
        return self.position >= self._newest_known

    def reset(self, position: int) -> None:
        """What was taken after `position` was not applied after all."""
        self.position = position
