"""How a bot of the population leans: who has many shares rather sells, who has much cash buys.

So nobody runs dry, and the population can go on for hours.
"""

from decimal import Decimal

from trading_bots.strategy import View


def buy_chance(view: View, security: str, price: Decimal) -> float:
    """Cash as a part of cash and shares: a half at the start, 0 without cash, 1 without shares."""
    cash = float(view.cash.balance)
    shares = view.holding(security).quantity * float(price)
    return cash / (cash + shares) if cash + shares > 0 else 0.5


def leaning_side(view: View, security: str, price: Decimal) -> str:
    """BUY or SELL, drawn with the chance that the means give."""
    return "BUY" if view.random.random() < buy_chance(view, security, price) else "SELL"
