"""One security in a statement: what its shares cost, and what happened to them in the period."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from venue_protocol.statements.cost_basis import AmendedBasis, CostBasis
from venue_protocol.statements.statement import SecurityLine


@dataclass(slots=True)
class Holding:
    """Shares of the client in one security."""

    basis: CostBasis | AmendedBasis = field(default_factory=CostBasis)
    holding: int = 0
    borrowed: int = 0
    unsettled: int = 0
    opening: int = 0
    bought: int = 0
    bought_e4: int = 0
    sold: int = 0
    sold_e4: int = 0
    realised_e4: int = 0
    dividends_e4: int = 0

    @property
    def cost(self) -> CostBasis:
        """Shares owned and what they cost."""
        return self.basis.now if isinstance(self.basis, AmendedBasis) else self.basis

    def begin(self) -> None:
        """The period begins: what was before is the opening."""
        self.opening = self.holding
        self.bought = self.bought_e4 = self.sold = self.sold_e4 = 0
        self.realised_e4 = self.dividends_e4 = 0


def owned(securities: Mapping[str, Holding]) -> dict[str, CostBasis]:
    """Shares owned in each security, with their cost."""
    return {
        name: CostBasis(held.cost.shares, held.cost.cost_e4)
        for name, held in securities.items()
        if held.cost.shares or held.cost.cost_e4
    }


def value(basis: CostBasis, price_e4: int | None) -> int:
    """Shares at the price; without one, at their cost."""
    return basis.cost_e4 if price_e4 is None else basis.shares * price_e4


def security_line(name: str, held: Holding, price_e4: int | None) -> SecurityLine:
    """The security over the period, with its price at the end."""
    return SecurityLine(
        name,
        held.opening,
        held.bought,
        held.bought_e4,
        held.sold,
        held.sold_e4,
        held.holding - held.opening - held.bought + held.sold,
        held.holding,
        held.borrowed,
        held.unsettled,
        held.cost.cost_e4,
        price_e4,
        held.realised_e4,
        held.dividends_e4,
    )
