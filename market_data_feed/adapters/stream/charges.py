"""The token accounts of all streams, charged from any thread."""

import threading
from collections.abc import Callable

from market_data_feed.domain.stream_budget import StreamBudget


class StreamCharges:
    """A `StreamBudget` behind a lock, on a clock that only goes forward."""

    def __init__(self, budget: StreamBudget, now_s: Callable[[], float]) -> None:
        self._budget = budget
        self._now_s = now_s
        self._lock = threading.Lock()

    def charge(self, payer: str, tokens: int) -> float:
        """Charge a payer; the seconds until it has paid."""
        with self._lock:
            return self._budget.charge(payer, tokens, self._now_s())
