"""What the shares of a client cost, and what selling them earned: at average cost, in integers.

Each share of a security costs the same: the cost of all, divided. Of a sale the cost that goes is
rounded to the nearest ten-thousandth of a dollar (a half away from zero); the rest stays with the
shares that stay, so that the last share takes all that is left and no ten-thousandth is lost.

An example: 3 shares are bought for $1.0000. Selling one for $0.5000 takes $0.3333 of the cost and
earns $0.1667; the two that stay cost $0.6667. Selling both for $1.0000 earns $0.3333: in all
$0.5000, which is what came in less what went out.

Below zero the shares are owed (a short sale of borrowed shares): their cost is then what was
received for them, with a minus, and buying them back earns the difference.
"""

from dataclasses import dataclass, field
from typing import NamedTuple


class Move(NamedTuple):
    """Shares that came (> 0) or went, and the cash for them, with its sign; no fees."""

    shares: int
    cash_e4: int
    trade_id: int | None = None
    is_exchange: bool = True
    """False: the number of shares changed and their cost did not (a split)."""


@dataclass(slots=True)
class CostBasis:
    """Shares of one security with their cost. `realised_e4 == cash of all moves + cost_e4`."""

    shares: int = 0
    cost_e4: int = 0
    """Ten-thousandths of a dollar; below zero while shares are owed."""
    realised_e4: int = 0

    def apply(self, move: Move) -> int:
        """Do this move; what it earned, ten-thousandths of a dollar."""
        earned_e4 = self._exchange(move) if move.is_exchange else self._resize(move)
        self.realised_e4 += earned_e4
        return earned_e4

    def cost_of(self, shares: int) -> int:
        """Cost of so many of the shares held (0 < shares <= all), to the nearest ten-thousandth."""
        return _part(self.cost_e4, shares, abs(self.shares))

    def _exchange(self, move: Move) -> int:
        is_closing = self.shares * move.shares < 0
        closing = min(abs(move.shares), abs(self.shares)) if is_closing else 0
        cost_e4 = self.cost_of(closing) if closing else 0
        # Without shares it is cash for what was held: all of it was earned (cash in lieu).
        cash_e4 = _part(move.cash_e4, closing, abs(move.shares)) if move.shares else move.cash_e4
        self.shares += move.shares
        self.cost_e4 -= cost_e4 + move.cash_e4 - cash_e4
        return cash_e4 - cost_e4

    def _resize(self, move: Move) -> int:
        """A split. If no share is left, what they had cost is lost, less the cash for them."""
        self.shares += move.shares
        if self.shares:
            return move.cash_e4
        cost_e4, self.cost_e4 = self.cost_e4, 0
        return move.cash_e4 - cost_e4


def _part(amount_e4: int, part: int, whole: int) -> int:
    """`amount * part / whole`, to the nearest whole number, a half away from zero."""
    size = (2 * abs(amount_e4) * part + whole) // (2 * whole)
    return size if amount_e4 >= 0 else -size


@dataclass(slots=True)
class AmendedBasis:
    """A cost basis that can take a trade back, or change it, as if it had always been so.

    It keeps the moves since its making, so it is made only for securities with such a trade.
    """

    now: CostBasis
    _before: CostBasis = field(init=False)
    _moves: list[Move] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._before = CostBasis(self.now.shares, self.now.cost_e4, self.now.realised_e4)

    def apply(self, move: Move) -> int:
        """Do this move; what it earned, ten-thousandths of a dollar."""
        self._moves.append(move)
        return self.now.apply(move)

    def amend(self, change: Move) -> int:
        """Change the trade `change.trade_id` by these shares and this cash; what that earned.

        An example: 10 were bought at $100, 10 at $200, and 10 sold at $180: $300 earned at the
        average of $150. The purchase at $200 is busted: 10 were then bought at $100 and sold at
        $180, which earns $800, so the bust earns $500.
        Raises KeyError if the trade is not among the moves.
        """
        place = self._place(change.trade_id, change.shares)
        found = self._moves[place]
        self._moves[place] = found._replace(
            shares=found.shares + change.shares, cash_e4=found.cash_e4 + change.cash_e4
        )
        before_e4 = self.now.realised_e4
        again = CostBasis(self._before.shares, self._before.cost_e4, self._before.realised_e4)
        for move in self._moves:
            again.apply(move)
        self.now.shares, self.now.cost_e4 = again.shares, again.cost_e4
        self.now.realised_e4 = again.realised_e4
        return again.realised_e4 - before_e4

    def trade(self, trade_id: int | None, shares: int = 0) -> Move:
        """The trade as it stands after all changes; KeyError if it is not among the moves."""
        return self._moves[self._place(trade_id, shares)]

    def _place(self, trade_id: int | None, shares: int) -> int:
        """Of a trade with oneself both sides are here: that which `shares` takes back is meant."""
        places = [
            place
            for place, move in enumerate(self._moves)
            if trade_id is not None and move.trade_id == trade_id
        ]
        if not places:
            raise KeyError(trade_id)
        return next((at for at in places if self._moves[at].shares == -shares), places[0])
