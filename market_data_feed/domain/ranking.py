"""Who owns what, valued at given prices, in the order of the ranking. Integers only: an account may
be larger than any amount that a request may name.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Account:
    """Cash of one client, ten-thousandths of a dollar."""

    client_id: str
    balance_e4: int
    held_e4: int
    unsettled_e4: int = 0
    """What trades that are not settled yet put in (or took out, below zero)."""


@dataclass(frozen=True, slots=True)
class Holding:
    """Shares of one client in one security."""

    client_id: str
    security_id: str
    quantity: int
    held: int
    unsettled: int = 0
    """Shares of trades that are not settled yet: bought, or below zero sold."""
    borrowed: int = 0
    """Shares that the client owes to the lender's pool; `quantity` has those it has not sold."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What one client owns."""

    account: Account
    role: str
    holdings: Mapping[str, Holding]
    """By security."""

    def equity_e4(self, prices_e4: Mapping[str, int]) -> int:
        """Cash and shares at these prices, held ones too, less borrowed ones; a security without a
        price counts zero.

        Example: $9,000.00 and 10 shares at 100.50 are $10,005.00; with 4 of them borrowed,
        $9,603.00.
        """
        shares_e4 = sum(
            (held.quantity - held.borrowed) * prices_e4.get(name, 0)
            for name, held in self.holdings.items()
        )
        return self.account.balance_e4 + shares_e4


def ranking(
    standings: Iterable[Standing], prices_e4: Mapping[str, int]
) -> list[tuple[Standing, int]]:
    """Everybody with the equity, the largest first; by name where it is the same."""
    valued = [(standing, standing.equity_e4(prices_e4)) for standing in standings]
    return sorted(valued, key=lambda row: (-row[1], row[0].account.client_id))
