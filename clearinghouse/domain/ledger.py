"""The ledger: who has how much of which asset, how much of it is held, and how that changes.

Every change computes the next state of all positions, checks every rule, and only then assigns: a
posting that can't be done has changed nothing.
Cash is the asset CASH, in ten-thousandths of a dollar; every other asset is a security, in shares.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from venue_protocol.holds import CASH
from venue_protocol.invariants import BrokenInvariant


class Leg(NamedTuple):
    """One signed change on one account (a ledger entry)."""

    client_id: str
    asset: str
    """CASH or a security."""
    amount: int
    """Ten-thousandths of a dollar or shares; what the account gets, negative for what it gives."""


class HoldRelease(NamedTuple):
    """What a client's hold on an asset shrinks by, > 0."""

    client_id: str
    asset: str
    amount: int


@dataclass(slots=True)
class Position:
    """What one client has of one asset. Unless external, 0 <= held <= quantity."""

    quantity: int = 0
    """Ten-thousandths of a dollar or shares."""
    held: int = 0
    """How much of it open orders can need at worst; available = quantity - held."""
    is_external: bool = False
    """The other side of what enters and leaves the venue; may be negative."""


@dataclass(frozen=True, slots=True)
class Shortfall:
    """Why a journal was not posted: this position would not cover what is held and owed."""

    client_id: str
    asset: str
    quantity: int
    held: int

    def __str__(self) -> str:
        return f"{self.client_id} would have {self.quantity} {self.asset} with {self.held} held"


class Ledger:
    """Positions by (client, asset). `touched` names those changed since loading."""

    def __init__(self) -> None:
        self.positions: dict[tuple[str, str], Position] = {}
        self.touched: set[tuple[str, str]] = set()

    def position(self, client_id: str, asset: str) -> Position:
        """The position, made empty if there was none."""
        key = (client_id, asset)
        found = self.positions.get(key)
        if found is None:
            found = self.positions[key] = Position()
        return found

    def post(self, legs: Iterable[Leg], releases: Iterable[HoldRelease] = ()) -> Shortfall | None:
        """Move all legs and shrink all holds, or change nothing and say which position falls short.

        An example: Ann has $1,000.00, all held for an order. Taking $1.00 from her falls short;
        taking it together with a release of $1.00 leaves $999.00, all held.
        Raises BrokenInvariant if the legs of an asset do not sum to zero, or a hold would go below
        zero.
        """
        changes: dict[tuple[str, str], int] = {}
        sums: dict[str, int] = {}
        for client_id, asset, amount in legs:
            key = (client_id, asset)
            changes[key] = changes.get(key, 0) + amount
            sums[asset] = sums.get(asset, 0) + amount
        if any(sums.values()):
            raise BrokenInvariant(f"a journal does not sum to zero: {sums}")
        released: dict[tuple[str, str], int] = {}
        for client_id, asset, amount in releases:
            key = (client_id, asset)
            released[key] = released.get(key, 0) + amount
            changes.setdefault(key, 0)
        following = self._following(changes, released)
        if isinstance(following, Shortfall):
            return following
        for key, (position, quantity, held) in following.items():
            position.quantity = quantity
            position.held = held
            self.touched.add(key)
        return None

    def exchange(
        self,
        buyer: str,
        seller: str,
        security_id: str,
        quantity: int,
        cash_e4: int,
        released_e4: int,
        fees_e4: tuple[int, int] = (0, 0),
        collector: str = "",
    ) -> Shortfall | None:
        """Delivery versus payment of one trade through the clearinghouse.

        `fees_e4`: what buyer and seller pay to the account `collector` in the same step; below
        zero is what they get from it.

        It does what `post` does with the trade's eight legs and two releases (the seller's is
        `quantity` shares), without the four legs that always meet in the clearinghouse's own
        account: every trade passes here, and they would be work for nothing.
        """
        if buyer == seller or fees_e4 != (0, 0):
            # Legs may meet in one account, or in one amount of zero; few trades come here.
            paid_e4, kept_e4 = fees_e4
            return self.post(
                (
                    Leg(buyer, CASH, -cash_e4 - paid_e4),
                    Leg(seller, CASH, cash_e4 - kept_e4),
                    Leg(seller, security_id, -quantity),
                    Leg(buyer, security_id, quantity),
                    Leg(collector, CASH, paid_e4 + kept_e4),
                ),
                (HoldRelease(buyer, CASH, released_e4), HoldRelease(seller, security_id, quantity)),
            )
        keys = (buyer, CASH), (seller, CASH), (seller, security_id), (buyer, security_id)
        payer, payee, deliverer, receiver = [
            self.positions.get(key) or self.position(*key) for key in keys
        ]
        following = (
            (payer, payer.quantity - cash_e4, payer.held - released_e4),
            (payee, payee.quantity + cash_e4, payee.held),
            (deliverer, deliverer.quantity - quantity, deliverer.held - quantity),
            (receiver, receiver.quantity + quantity, receiver.held),
        )
        for key, (position, after, held) in zip(keys, following, strict=True):
            if held < 0:
                raise BrokenInvariant(f"hold of {key} would be {held}")
            if held > after and not position.is_external:
                return Shortfall(*key, after, held)
        for position, after, held in following:
            position.quantity = after
            position.held = held
        self.touched.update(keys)
        return None

    def hold(self, client_id: str, asset: str, change: int) -> Shortfall | None:
        """Raise a hold by `change`, or shrink it by -change; or do nothing and say what is short.

        Raises BrokenInvariant if the hold would go below zero.
        """
        position = self.position(client_id, asset)
        held = position.held + change
        if held < 0:
            raise BrokenInvariant(f"hold of {client_id} {asset} would be {held}")
        if change > 0 and held > position.quantity and not position.is_external:
            return Shortfall(client_id, asset, position.quantity, held)
        position.held = held
        self.touched.add((client_id, asset))
        return None

    def release(self, release: HoldRelease) -> None:
        """Shrink one hold; BrokenInvariant if it was not that large."""
        self.post((), (release,))

    def change_hold(self, client_id: str, asset: str, change: int) -> None:
        """Let one hold grow or shrink; BrokenInvariant if it is not covered then, or below zero."""
        position = self.position(client_id, asset)
        held = position.held + change
        if not 0 <= held <= position.quantity:
            raise BrokenInvariant(
                f"{client_id} would have {held} {asset} held of {position.quantity}"
            )
        position.held = held
        self.touched.add((client_id, asset))

    def _following(
        self, changes: dict[tuple[str, str], int], released: dict[tuple[str, str], int]
    ) -> dict[tuple[str, str], tuple[Position, int, int]] | Shortfall:
        following = {}
        for key, change in changes.items():
            if change == 0 and key not in released:
                continue
            position = self.position(*key)
            quantity = position.quantity + change
            held = position.held - released.get(key, 0)
            if held < 0:
                raise BrokenInvariant(f"hold of {key} would be {held}")
            if held > quantity and not position.is_external:
                return Shortfall(key[0], key[1], quantity, held)
            following[key] = (position, quantity, held)
        return following


class Journal(NamedTuple):
    """A double-entry posting: legs sum to zero per asset. Immutable; corrected by another journal.

    A tuple and no frozen dataclass: one is made for each trade, and it is made three times faster.
    """

    journal_id: int
    """Gap-free, from 1."""
    kind: str
    """One of JOURNAL_KINDS."""
    time_us: int
    legs: tuple[Leg, ...]
    trade_id: int | None = None
    reference: str | None = None
    """Of a transfer: what it is known by, so that it is done once."""


def total(ledger: Ledger, asset: str = CASH) -> int:
    """Sum of an asset over all positions, external ones included: always 0."""
    return sum(
        position.quantity for (_, name), position in ledger.positions.items() if name == asset
    )


@dataclass(slots=True)
class ReportChain:
    """Where a client's chain of settlement reports ends."""

    count: int = 0
    hash: str = field(default="0" * 64)
