"""Busts and corrections of trades, as the clearinghouse tells them in settlement reports."""

from collections.abc import Iterable
from typing import Literal, NamedTuple

from venue_protocol.orders import BUY
from venue_protocol.settlement import SettlementReport

TradeStatus = Literal["good", "corrected", "busted"]
"""How a trade stands: as matched, settled otherwise since, or undone."""

_CORRECTIONS = ("bust", "correction")


class TradeCorrectionRow(NamedTuple):
    """One bust or correction, in the order of the columns of `trade_corrections`."""

    security_id: str
    trade_id: int
    sequence: int
    """The buyer's settlement report that tells of it."""
    correction_kind: str
    price_e4: int
    """Ten-thousandths of a dollar: of a correction, the new one; of a bust, what it had been."""
    quantity: int
    """Shares, as the price."""
    time_us: int

    @property
    def status(self) -> TradeStatus:
        """How the trade stands after it."""
        return "busted" if self.correction_kind == "bust" else "corrected"


def corrections_of(reports: Iterable[SettlementReport]) -> list[TradeCorrectionRow]:
    """What these reports say of trades; both sides are told, so the buyer's report counts."""
    return [
        TradeCorrectionRow(
            report.security_id or "",
            report.trade_id or 0,
            report.sequence,
            report.settlement_kind,
            report.price_e4 or 0,
            report.quantity or 0,
            report.time_us,
        )
        for report in reports
        if report.settlement_kind in _CORRECTIONS and report.side == BUY
    ]
