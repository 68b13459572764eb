"""Join codes: how strangers make an account of their own, where the organiser allows it.

An example: the organiser opens the code `autumn` with 30 places for a day, and gives the text to
the participants. Each who sends it with a name of its own gets a trader's account and a key; the
31st is refused, and so is everybody once the code is closed.
"""

import re
from collections import OrderedDict, deque
from ipaddress import ip_address, ip_network
from typing import NamedTuple

MOST_PLACES = 10_000
LONGEST_OPEN_S = 30 * 86_400
"""A month: a code that is forgotten does not stay open."""
MOST_CODES = 1_000
"""Codes of a venue, closed ones included."""
MOST_FAILED = 5
FAILED_WINDOW_S = 60.0
"""An address that failed so often within so long waits: nobody tries codes or names by the list."""
MOST_ADDRESSES = 10_000
"""Addresses whose failures are remembered; of more, the one seen first is forgotten."""
TEAM_NAME_PATTERN = r"^[a-z][a-z0-9_\-]{1,31}\Z"
"""Lower case and without dots: no name that only looks like another's, none of the population."""
LABEL_PATTERN = r"^[a-z0-9][a-z0-9_\-]{0,31}\Z"

_is_team_name = re.compile(TEAM_NAME_PATTERN).match
_RESERVED = re.compile(r"(administrator|market_maker|console|population|provider|maker|taker)\d*\Z")
_IPV6_PREFIX = 64
"""Bits of an IPv6 address that belong to one connection: it has all addresses behind them."""


class JoinCode(NamedTuple):
    """One code as it is stored; its text is known to those who were given it alone."""

    label: str
    code_hash: bytes
    """SHA-256 of the text."""
    places: int
    """Accounts that may be made with it."""
    used: int
    """Accounts that were made with it, 0 to `places`."""
    created_us: int
    closes_us: int
    """From here on it is refused; microseconds since the epoch."""

    def is_open(self, now_us: int) -> bool:
        """Whether it is taken at this time, places or not."""
        return now_us < self.closes_us


def is_team_name(name: str) -> bool:
    """Whether a stranger may choose this name: 2 to 32 of a-z, 0-9, `_`, `-`, a letter first, and
    none of those that the venue and its population use.
    """
    return _is_team_name(name) is not None and _RESERVED.match(name) is None


class FailedTries:
    """Which addresses have failed of late. The caller gives the time, and holds a lock."""

    def __init__(self) -> None:
        self._times_s: OrderedDict[str, deque[float]] = OrderedDict()

    def wait_s(self, address: str, now_s: float) -> float:
        """How long this address has to wait; 0 if it may try."""
        times_s = self._times_s.get(_holder(address))
        if times_s is None or len(times_s) < MOST_FAILED:
            return 0.0
        return max(0.0, times_s[0] + FAILED_WINDOW_S - now_s)

    def add(self, address: str, now_s: float) -> None:
        """Note a failure."""
        holder = _holder(address)
        times_s = self._times_s.setdefault(holder, deque(maxlen=MOST_FAILED))
        times_s.append(now_s)
        if len(self._times_s) > MOST_ADDRESSES:
            self._times_s.popitem(last=False)


def _holder(address: str) -> str:
    """Who has an address: itself in IPv4, its network in IPv6."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if parsed.version == 4:
        return address
    mapped = parsed.ipv4_mapped
    return str(mapped or ip_network((parsed.packed, _IPV6_PREFIX), strict=False))
