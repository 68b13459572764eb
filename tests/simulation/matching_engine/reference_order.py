"""An order of the slow engine, and what it costs."""

from dataclasses import dataclass, field

from venue_protocol.fees import FeeRates
from venue_protocol.orders import BUY, OrderTerms, Side


@dataclass
class ReferenceOrder:
    """An order that was ever placed. `entered` is its place in time; an amend may renew it."""

    order_id: int
    client_id: str
    security_id: str
    side: Side
    price_e4: int
    quantity: int
    entered: int
    order_type: str = "limit"
    terms: OrderTerms = field(default_factory=OrderTerms)
    fees: FeeRates = field(default_factory=FeeRates)
    filled: int = 0
    shown: int = 0
    """Of its leaves, while it rests."""
    is_elected: bool = False
    state: str = "open"
    """entering, open, parked, filled, canceled or expired."""

    @property
    def leaves(self) -> int:
        """Open shares."""
        return self.quantity - self.filled


def highest_rate(order: ReferenceOrder) -> int:
    """What the hold of a buy covers, basis points; 0 for a sell."""
    rates = (order.fees.maker_bps, order.fees.taker_bps, order.fees.auction_bps, 0)
    return max(rates) if order.side == BUY else 0


def rates(
    buy: ReferenceOrder, sell: ReferenceOrder, maker: ReferenceOrder | None
) -> tuple[int, int]:
    """What both sides pay; a rebate is cut down, step by step, to what the other side pays."""
    buys, sells = (
        order.fees.auction_bps
        if maker is None
        else order.fees.maker_bps
        if order is maker
        else order.fees.taker_bps
        for order in (buy, sell)
    )
    while buys + sells < 0:
        buys, sells = (buys + 1, sells) if buys < sells else (buys, sells + 1)
    return buys, sells
