"""The fee schedule: which rates the next order of a client in a security gets.

A row is for one security or for all, and for one tier. A client's own tier goes before the standard
one, and then a row of the security before one for all:

    (security, tier)  (all, tier)  (security, standard)  (all, standard)  nothing: trading is free

Example: with 2 / 5 basis points for all, and 0 / 3 for tier `gold`, a client of tier `gold` takes
at 3 everywhere, also in a security that has a row of its own for the standard tier.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from venue_protocol.fees import MOST_BPS, FeeRates

ALL_SECURITIES: Final = "*"
"""In place of a security: a row for all of them."""
STANDARD: Final = "standard"
"""The tier of whoever was given no other."""
TIER_PATTERN: Final = r"^[a-z0-9][a-z0-9_\-]{0,31}\Z"

_is_tier = re.compile(TIER_PATTERN).match
_FREE = FeeRates()


class FeeRow(NamedTuple):
    """One row: rates in basis points of a trade's value, below zero a rebate."""

    security_id: str
    """ALL_SECURITIES or a security."""
    tier: str
    maker_bps: int
    taker_bps: int
    auction_bps: int

    @property
    def rates(self) -> FeeRates:
        """What an order under this row carries."""
        return FeeRates(self.maker_bps, self.taker_bps, self.auction_bps)


class FeeSchedule:
    """The rows and the clients' tiers as they stand; immutable."""

    __slots__ = ("_found", "_rows", "_tiers")

    def __init__(self, rows: Iterable[FeeRow] = (), tiers: Mapping[str, str] | None = None) -> None:
        self._rows = {(row.security_id, row.tier): row for row in rows}
        self._tiers = dict(tiers or {})
        self._found: dict[tuple[str, str], FeeRates | None] = {}
        """What was asked before, by tier and security."""

    @property
    def rows(self) -> list[FeeRow]:
        """All rows, by security and tier."""
        return [self._rows[key] for key in sorted(self._rows)]

    @property
    def tiers(self) -> dict[str, str]:
        """Tier by client, of those that are not in the standard one."""
        return dict(self._tiers)

    def tier_of(self, client_id: str) -> str:
        """The client's tier."""
        return self._tiers.get(client_id, STANDARD)

    def rates(self, client_id: str, security_id: str) -> FeeRates | None:
        """What the client's next order in the security carries; None if it costs nothing."""
        if not self._rows:
            return None
        key = (self._tiers.get(client_id, STANDARD), security_id)
        try:
            return self._found[key]
        except KeyError:
            rates = self._look_up(*key)
            found = self._found[key] = None if rates == _FREE else rates
            return found

    def fault(self) -> str | None:
        """Why the venue may not have this schedule; None if it may.

        In each security the lowest rate of a maker and the lowest of a taker, over all tiers, are
        together not below zero, so that every rebate is paid in full by the other side's fee.
        """
        for row in self.rows:
            if max(map(abs, row[2:])) > MOST_BPS:
                return f"a rate is from -{MOST_BPS} to {MOST_BPS} basis points"
            if row.auction_bps < 0:
                return "in an auction nobody gives to the other: auction_bps is not below zero"
        tiers = {STANDARD, *(row.tier for row in self._rows.values())}
        for security_id in sorted({ALL_SECURITIES, *(key[0] for key in self._rows)}):
            rates = [self._look_up(tier, security_id) for tier in tiers]
            maker, taker = min(r.maker_bps for r in rates), min(r.taker_bps for r in rates)
            if maker + taker < 0:
                where = "" if security_id == ALL_SECURITIES else f" in {security_id}"
                return (
                    f"the lowest maker rate{where} is {maker} and the lowest taker rate {taker}:"
                    " a rebate would be more than the other side pays"
                )
        return None

    def _look_up(self, tier: str, security_id: str) -> FeeRates:
        for of_tier in (tier, STANDARD):
            for name in (security_id, ALL_SECURITIES):
                row = self._rows.get((name, of_tier))
                if row is not None:
                    return row.rates
        return _FREE


NO_FEES = FeeSchedule()
"""Trading is free."""


def is_tier(text: str) -> bool:
    """Whether `text` may name a tier: 1 to 32 small letters, digits, `_`, `-`."""
    return _is_tier(text) is not None
