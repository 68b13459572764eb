"""Busts and corrections of settled trades: new journals that undo or change what a trade moved.

An example: Ann bought 10 AAPL from Bob at $100.00, each paid a fee of $0.10. The bust's journal has
the trade's legs with the other sign, so Ann gets $1,000.10 back and gives 10 shares, and Bob pays
$999.90 and gets 10 shares. A correction of the price to $90.00 moves $100.00 from Bob to Ann; the
fees stay as they were charged.

Nothing is edited: the trade's journal stays, and a busted trade sums to zero over its journals.
"""

from collections.abc import Sequence
from typing import Literal, NamedTuple

from clearinghouse.domain.fees import FEES
from clearinghouse.domain.ledger import Leg
from clearinghouse.domain.venue_accounts import CLEARINGHOUSE
from venue_protocol.holds import CASH
from venue_protocol.invariants import BrokenInvariant
from venue_protocol.orders import BUY, SELL, Side
from venue_protocol.proposals import TradeBust, TradeCorrection, decode
from venue_protocol.settlement import SettlementReport

SIDES: tuple[Side, Side] = (BUY, SELL)
"""The buyer is told first, as of a trade."""

CorrectionKind = Literal["bust", "correction"]
MOST_CORRECTIONS = 20
"""Of one trade: a bust reverses the legs of all of them in one journal."""


class SettledTrade(NamedTuple):
    """A settled trade as it stands after the corrections so far."""

    trade_id: int
    security_id: str
    buy_client_id: str
    buy_order_id: int
    sell_client_id: str
    sell_order_id: int
    quantity: int
    """Shares."""
    price_e4: int
    """Ten-thousandths of a dollar."""
    legs: tuple[Leg, ...]
    """Everything that was moved for it: by its own journal, then by those of its corrections."""
    corrections: int = 0
    is_busted: bool = False
    is_before_action: bool = False
    """Whether a corporate action changed what a share of it is since."""
    settlement_cycle: int | None = None
    """None: a correction pays and delivers at once, whatever the trade itself did."""

    def client_of(self, side: Side) -> str:
        """The client on this side."""
        return self.buy_client_id if side == BUY else self.sell_client_id

    def order_of(self, side: Side) -> int:
        """The order on this side."""
        return self.buy_order_id if side == BUY else self.sell_order_id


class Correction(NamedTuple):
    """What one journal does to a settled trade."""

    kind: CorrectionKind
    trade: SettledTrade
    """As it is reported: of a bust, as it stood; of a correction, at its new price and quantity."""
    legs: tuple[Leg, ...]
    reference: str
    memo: str

    def reported(self) -> set[tuple[str, str]]:
        """The positions that its reports tell of, whether they move or not."""
        clients = {self.trade.client_of(side) for side in SIDES}
        return {(client, asset) for client in clients for asset in (CASH, self.trade.security_id)}

    def moved(self, side: Side) -> tuple[int, int]:
        """What the client of this side gets: ten-thousandths of a dollar, and shares."""
        client_id = self.trade.client_of(side)
        own = [leg for leg in self.legs if leg.client_id == client_id]
        cash_e4 = sum(leg.amount for leg in own if leg.asset == CASH)
        return cash_e4, sum(leg.amount for leg in own if leg.asset == self.trade.security_id)


class DoneCorrection(NamedTuple):
    """A bust or correction that was done: what its proposal says, and what its journal moved."""

    details: str
    legs: tuple[Leg, ...]


def settled_trade(told: Sequence[SettlementReport], done: Sequence[DoneCorrection]) -> SettledTrade:
    """A trade as it stands: from its two reports, and from what was done to it since, in order.

    Its legs are those of its journal; where it settles in a cycle, those that it would have had.

    BrokenInvariant if these are not the reports of one trade.
    """
    by_side = {report.side: report for report in told}
    bought, sold = by_side.get(BUY), by_side.get(SELL)
    if bought is None or sold is None or bought.trade_id != sold.trade_id:
        raise BrokenInvariant(f"a trade has two reports, not {told}")
    trade = SettledTrade(
        trade_id=_told(bought.trade_id),
        security_id=bought.security_id or "",
        buy_client_id=bought.client_id,
        buy_order_id=_told(bought.order_id),
        sell_client_id=sold.client_id,
        sell_order_id=_told(sold.order_id),
        quantity=_told(bought.quantity),
        price_e4=_told(bought.price_e4),
        legs=(),
    )
    legs = exchange_legs(trade) + fee_payments(told)
    trade = trade._replace(legs=legs)
    for correction in done:
        trade = after(trade, correction)
    return trade


def after(trade: SettledTrade, done: DoneCorrection) -> SettledTrade:
    """The trade once this was done to it."""
    proposed = decode(done.details)
    legs = trade.legs + done.legs
    if isinstance(proposed, TradeBust):
        return trade._replace(legs=legs, is_busted=True)
    if isinstance(proposed, TradeCorrection):
        price_e4, quantity = corrected_terms(trade, proposed)
        return trade._replace(
            legs=legs, price_e4=price_e4, quantity=quantity, corrections=trade.corrections + 1
        )
    raise BrokenInvariant(f"{done.details} is no correction of trade {trade.trade_id}")


def exchange_legs(trade: SettledTrade) -> tuple[Leg, ...]:
    """Payment, then delivery, as in the trade's own journal."""
    paid = _exchanged(trade, CASH, -trade.price_e4 * trade.quantity)
    buyer, between, back, seller = _exchanged(trade, trade.security_id, trade.quantity)
    return (*paid, seller, back, between, buyer)


def fee_payments(told: Sequence[SettlementReport]) -> tuple[Leg, ...]:
    """The legs of the trade's fees and rebates; none for a side that has none."""
    legs: tuple[Leg, ...] = ()
    for report in sorted(told, key=lambda report: report.side == SELL):
        if report.fee_e4:
            legs += (Leg(report.client_id, CASH, -report.fee_e4), Leg(FEES, CASH, report.fee_e4))
    return legs


def _told(value: int | None) -> int:
    if value is None:
        raise BrokenInvariant("the report of a trade lacks a number")
    return value


def correction_of(
    trade: SettledTrade, proposed: TradeBust | TradeCorrection, reference: str, reason: str
) -> Correction:
    """What a proposal does to a trade."""
    if isinstance(proposed, TradeBust):
        return bust(trade, reference, reason)
    return correct(trade, *corrected_terms(trade, proposed), reference, reason)


def corrected_terms(trade: SettledTrade, proposed: TradeCorrection) -> tuple[int, int]:
    """The price, ten-thousandths of a dollar, and the shares that a correction gives a trade."""
    return (
        trade.price_e4 if proposed.price_e4 is None else proposed.price_e4,
        trade.quantity if proposed.quantity is None else proposed.quantity,
    )


def bust(trade: SettledTrade, reference: str, reason: str) -> Correction:
    """All legs of the trade, with the other sign."""
    legs = tuple(Leg(leg.client_id, leg.asset, -leg.amount) for leg in trade.legs)
    memo = f"bust of trade {trade.trade_id}: {reason}"
    return Correction("bust", trade, legs, reference, memo)


def correct(
    trade: SettledTrade, price_e4: int, quantity: int, reference: str, reason: str
) -> Correction:
    """The difference between the trade at this price and quantity and the trade as it stands.

    Examples for 10 AAPL at $100.00: at $90.00 Bob pays Ann $100.00 back; for 8 shares he pays her
    $200.00 and she gives 2 shares; at both he pays $280.00 and she gives 2 shares.
    """
    cash_e4 = price_e4 * quantity - trade.price_e4 * trade.quantity
    shares = quantity - trade.quantity
    legs = _exchanged(trade, CASH, -cash_e4) + _exchanged(trade, trade.security_id, shares)
    corrected = trade._replace(price_e4=price_e4, quantity=quantity)
    memo = f"correction of trade {trade.trade_id}: {reason}"
    return Correction("correction", corrected, legs, reference, memo)


def _exchanged(trade: SettledTrade, asset: str, amount: int) -> tuple[Leg, ...]:
    """What the buyer gets from the seller, through the clearinghouse as in the trade itself."""
    if not amount:
        return ()
    return (
        Leg(trade.buy_client_id, asset, amount),
        Leg(CLEARINGHOUSE, asset, -amount),
        Leg(CLEARINGHOUSE, asset, amount),
        Leg(trade.sell_client_id, asset, -amount),
    )
