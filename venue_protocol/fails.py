"""What is not delivered in a cycle: who keeps shares back, who waits, and what waiting costs.

Every sale is covered, so a delivery fails for one reason alone: the seller exempted shares of it.
It pays for that from a deposit that the door held for it.
"""

from collections.abc import Iterable
from hashlib import sha256
from typing import NamedTuple

CHARGES_BPS = ((20, 100), (10, 20), (5, 10), (1, 5))
"""Basis points of the marked value that a fail of so many cycles, or more, costs in each of them.

The ages are NSCC's kind of step (SR-NSCC-2025-013 charges by duration); the rates are this venue's
own, paid to those who wait, as the penalties of CSDR are.
"""
BUY_IN_CYCLES = 2
"""So many cycles after a buy-in notice nothing is exempt in the security."""


class Exemption(NamedTuple):
    """Shares that a client keeps from delivery while its deposit lasts."""

    quantity: int
    deposit_e4: int
    """Cash held for it: what charges have left of it."""


class Waiting(NamedTuple):
    """One who is to receive shares of a security in a cycle."""

    client_id: str
    quantity: int
    since: int
    """The cycle in which it waited first."""
    is_noticed: bool
    """Whether it gave a buy-in notice."""


def charge_e4(quantity: int, mark_e4: int, age: int) -> int:
    """What a fail costs in its `age`-th cycle, rounded up to a whole ten-thousandth of a dollar.

    An example: 10 shares at a mark of $100 in the first cycle: 5 basis points of $1,000, $0.50.
    """
    bps = next(rate for least, rate in CHARGES_BPS if age >= least)
    return -(-quantity * mark_e4 * bps // 10_000)


def kept_back(exemption: Exemption, to_deliver: int, mark_e4: int, age: int, cash_e4: int) -> int:
    """How many shares of a delivery fail.

    `cash_e4`: what the seller has settled once all it delivers is paid. A fail must leave it at
    zero or above, for what is open is paid at its delivery only; and its deposit must cover the
    charge. What is not covered is delivered.
    """
    kept = max(0, min(exemption.quantity, to_deliver, cash_e4 // mark_e4 if mark_e4 else 0))
    return kept if charge_e4(kept, mark_e4, age) <= exemption.deposit_e4 else 0


def allocate(delivered: int, waiting: Iterable[Waiting], seed: str) -> list[tuple[Waiting, int]]:
    """Who gets how many of the shares delivered: buy-in notices first, then who has waited longest,
    then by a draw that everybody can repeat.

    An example: 10 shares for Ann (5, since cycle 3), Bob (10, since 2) and Cid (4, noticed): Cid
    gets 4, Bob 6, Ann none.
    """
    shares = []
    for one in sorted(waiting, key=lambda one: (not one.is_noticed, one.since, _draw(seed, one))):
        given = min(delivered, one.quantity)
        delivered -= given
        shares.append((one, given))
    return shares


def _draw(seed: str, one: Waiting) -> bytes:
    return sha256(f"{seed}:{one.client_id}".encode()).digest()


def divide(amount_e4: int, weights: dict[str, int]) -> dict[str, int]:
    """An amount in proportion to the weights, to the whole ten-thousandth: rounded down for each,
    and what is left over goes to the first.

    An example: 10 in the weights 1, 1, 1 is 4, 3, 3.
    """
    total = sum(weights.values())
    parts = {name: amount_e4 * weight // total for name, weight in weights.items()}
    parts[next(iter(parts))] += amount_e4 - sum(parts.values())
    return parts
