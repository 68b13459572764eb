"""The newest trades of a security as settlement reports tell them, and the mark they make."""

from collections import deque
from dataclasses import dataclass, field

from venue_protocol.mark import MOST_TRADES, MarkTrade, mark
from venue_protocol.orders import BUY
from venue_protocol.securities import Security
from venue_protocol.settlement import SettlementReport


@dataclass(slots=True)
class TradeWindow:
    """The newest trades of one security, as its reports tell them: the buyer's, then the
    seller's.
    """

    from_report: int
    trades: deque[tuple[int, MarkTrade]] = field(default_factory=lambda: deque(maxlen=MOST_TRADES))
    """Sequence of the seller's report, and the trade; the oldest first."""
    _buyer: SettlementReport | None = None

    def take(self, report: SettlementReport) -> None:
        """Add the next report of a trade in this security."""
        if report.side == BUY:
            self._buyer = report
            return
        buyer, self._buyer = self._buyer, None
        if buyer is None or buyer.trade_id != report.trade_id:
            return
        told = MarkTrade(
            report.time_us,
            report.price_e4 or 0,
            report.quantity or 0,
            buyer.client_id,
            report.client_id,
        )
        self.trades.append((report.sequence, told))

    def mark(
        self, before_e4: int, security: Security, from_report: int = 0, after_us: int = 0
    ) -> int:
        """The mark after `before_e4`, down to the tick, from the trades behind `from_report` that
        were made after `after_us`.
        """
        newest_first = [
            trade
            for sequence, trade in reversed(self.trades)
            if sequence > from_report and trade.time_us > after_us
        ]
        return mark(newest_first, before_e4) // security.tick_e4 * security.tick_e4
