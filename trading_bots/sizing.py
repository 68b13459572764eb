"""Orders that the own cash and shares can pay: a bot that sizes by its means never runs dry."""

from decimal import Decimal

from trading_bots.strategy import View


def within_means(
    view: View, security: str, side: str, price: float | Decimal, quantity: float
) -> int:
    """As many whole lots of `quantity` shares as a new order may have; 0 if not one lot.

    A buy at `price` is paid from the available cash, a sell from the available shares.
    """
    lot = view.rules(security).lot
    if side == "BUY":
        most = int(view.cash.available / Decimal(price))
    else:
        most = view.holding(security).available
    return max(min(int(quantity), most) // lot * lot, 0)
