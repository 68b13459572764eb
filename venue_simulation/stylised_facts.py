"""Watches a simulated market and measures its stylised facts, security by security."""

from typing import TYPE_CHECKING

from market_data_feed.domain.execution_report import ExecutionReport
from venue_simulation.parent_impact import ParentImpact
from venue_simulation.security_facts import SECOND_US, SecurityFacts
from venue_simulation.simulated_venue import Committed

if TYPE_CHECKING:
    from venue_simulation.simulated_market import SimulatedMarket

WARM_UP_S = 120.0
"""Left out at the start: the book has to find its shape."""


class StylisedFacts:
    """A `MarketObserver`. Its memory does not grow with the market."""

    def __init__(self, warm_up_s: float = WARM_UP_S) -> None:
        self.impact: dict[str, ParentImpact] = {}
        """By security."""
        self._facts: dict[str, SecurityFacts] = {}
        self._warm_up_us = round(warm_up_s * SECOND_US)
        self._next_second_us = 0

    def begun(self, market: "SimulatedMarket") -> None:
        """Measure from the end of the warm-up on."""
        begin_us = market.plan.start_us + self._warm_up_us
        self._next_second_us = begin_us
        for name, security in market.venue.securities.items():
            self._facts[name] = SecurityFacts(begin_us, security.tick_e4)
            self.impact[name] = ParentImpact()

    def committed(self, market: "SimulatedMarket", committed: Committed) -> None:
        """Take over what a commit did."""
        time_us = committed.effect.time_us
        while self._next_second_us < time_us:
            for name, facts in self._facts.items():
                self.impact[name].second(self._next_second_us, facts.middle_e4)
            self._next_second_us += SECOND_US
        before = {
            change.security_id: self._facts[change.security_id].middle_e4
            for change in committed.changes
        }
        for change in committed.changes:
            if change.top is not None:
                book = market.venue.market.security(change.security_id)
                bid, ask = book.bids.best(), book.asks.best()
                facts = self._facts[change.security_id]
                facts.top(time_us, bid[0] if bid else None, ask[0] if ask else None)
        if time_us >= market.plan.start_us + self._warm_up_us:
            self._orders(committed, before)

    def sampled(self, market: "SimulatedMarket") -> None:
        """Only commits count."""

    def facts(self, end_us: int) -> dict[str, dict[str, float]]:
        """Every fact of every security, by their names."""
        return {name: facts.finish(end_us) for name, facts in self._facts.items()}

    def _orders(self, committed: Committed, before: dict[str, float]) -> None:
        """Count orders that came to rest, that ended without a trade, and that took."""
        reports = committed.effect.reports
        ended = {order.order_id for order in committed.ended}
        fresh = set()
        for report in reports:
            if report.kind == "new" and report.order_id is not None and report.security_id:
                fresh.add(report.order_id)
                if report.order_id not in ended:
                    self._facts[report.security_id].rested(report.quantity or 0)
        for order in committed.ended:
            if order.order_id not in fresh and not order.filled:
                self._facts[order.security_id].deleted_unfilled()
        if committed.effect.trades:
            self._takers(reports, before, committed.effect.time_us)

    def _takers(
        self, reports: list[ExecutionReport], before: dict[str, float], time_us: int
    ) -> None:
        taken: dict[int, list[ExecutionReport]] = {}
        for report in reports:
            if report.kind == "trade" and report.is_aggressor and report.order_id is not None:
                taken.setdefault(report.order_id, []).append(report)
        for parts in taken.values():
            first = parts[0]
            security = first.security_id or ""
            sign = 1 if first.side == "BUY" else -1
            shares = sum(part.last_quantity or 0 for part in parts)
            facts = self._facts[security]
            facts.aggressive(sign, shares)
            self.impact[security].traded(
                time_us,
                first.client_id,
                first.client_order_id,
                sign,
                shares,
                before.get(security, 0.0),
                facts.middle_e4,
            )
