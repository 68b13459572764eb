"""A gateway whose clock is wrong: `python -m venue_chaos.skewed_gateway SECONDS`.

A machine's clock can't be set for one process, so this is the gateway as it is, with a clock that
adds SECONDS. It runs beside the campaign's gateway, as a second machine of the organiser would.
"""

import sys
from functools import partial

from order_entry_gateway import __main__ as gateway
from service_runtime import settings
from service_runtime.clock import SystemClock
from service_runtime.service import Service

_MICROSECONDS = 1_000_000


class SkewedClock(SystemClock):
    """The machine's clock, ahead by `ahead_s` seconds; behind where that is negative."""

    def __init__(self, ahead_s: int) -> None:
        self._ahead_us = ahead_s * _MICROSECONDS

    def now_us(self) -> int:
        """The time of this clock."""
        return super().now_us() + self._ahead_us


def main(ahead_s: int) -> None:
    """Run the gateway until it is told to end."""
    vars(gateway)["SystemClock"] = partial(SkewedClock, ahead_s)
    Service("order_entry_gateway", settings.load()).run(gateway.build)


if __name__ == "__main__":
    main(int(sys.argv[1]))
