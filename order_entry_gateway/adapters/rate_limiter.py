"""One token bucket for each client, sized by the client's own limit where the organiser set one."""

import math
import threading
import time

from order_entry_gateway.domain.rate_limit import BURST_S, TokenBucket
from service_runtime.database import Database
from venue_protocol.refusals import Refusal, Refused, RejectReason


class RateLimiter:
    """Counts commands by client, over all its connections to this gateway."""

    def __init__(self, clearing: Database, default_per_second: int) -> None:
        self._clearing = clearing
        self._default_per_second = default_per_second
        self._buckets: dict[str, TokenBucket] = {}
        self._lock = threading.Lock()

    def is_at_hand(self, client_id: str) -> bool:
        """Whether `charge` needs no statement for this client."""
        return client_id in self._buckets

    def charge(self, client_id: str, commands: int, paid: int = 0) -> None:
        """Draw for `commands`; Refused with 429 and Retry-After when the client has sent too
        many.
        """
        if client_id not in self._buckets:
            per_second = self._limit_of(client_id)
            with self._lock:
                self._buckets.setdefault(client_id, TokenBucket.full(per_second, time.monotonic()))
        with self._lock:
            bucket = self._buckets[client_id]
            wait_s = bucket.draw(commands, time.monotonic(), paid)
        if wait_s > 0:
            message = (
                f"more than {bucket.per_second} commands a second, or "
                f"{bucket.per_second * BURST_S} at once"
            )
            retry_after_s = max(1, math.ceil(wait_s))
            details = {"retry_after_ms": math.ceil(wait_s * 1000)}
            raise Refused(
                Refusal(RejectReason.RATE_LIMITED, message, details=details), retry_after_s
            )

    def _limit_of(self, client_id: str) -> int:
        with self._clearing.transaction() as cursor:
            cursor.execute(
                "SELECT rate_limit_per_second FROM clients WHERE client_id = %s", (client_id,)
            )
            row = cursor.fetchone()
        return int(row[0]) if row and row[0] else self._default_per_second
