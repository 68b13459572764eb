"""How often a client may borrow and return: each request is a journal that stays."""

import threading
from collections.abc import Callable

from venue_protocol.refusals import Refusal, Refused, RejectReason

PER_SECOND = 10
BURST = 50


class RequestRate:
    """Counts the requests of each client: PER_SECOND, and BURST at once after a quiet time."""

    def __init__(self, now_s: Callable[[], float]) -> None:
        self._now_s = now_s
        self._lock = threading.Lock()
        self._spent: dict[str, tuple[float, float]] = {}
        """By client: requests that are not worked off, and when that was counted."""

    def charge(self, client_id: str) -> None:
        """Count one request; Refused with 429 above the rate."""
        with self._lock:
            now_s = self._now_s()
            spent, counted_s = self._spent.get(client_id, (0.0, now_s))
            spent = max(0.0, spent - (now_s - counted_s) * PER_SECOND)
            is_over = spent + 1 > BURST
            self._spent[client_id] = (spent if is_over else spent + 1, now_s)
        if is_over:
            message = f"more than {PER_SECOND} loans and returns a second, or {BURST} at once"
            raise Refused(Refusal(RejectReason.RATE_LIMITED, message), retry_after_s=1)
