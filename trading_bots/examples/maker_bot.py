"""A market maker: one bid and one ask around the last price, moved by amending them.

An amend keeps what the order holds. A cancel and a new order in one list need the cash or shares
twice, because the venue frees what a cancel held only when the order has left the book.
"""

import time
from decimal import Decimal

from trading_bots.client import Refused
from trading_bots.session import trading_session

with trading_session() as venue:  # Ctrl-C ends it, and cancels what is open
    rules = next(rules for rules in venue.securities() if rules.security == "AAPL")
    quotes: dict[str, int] = {}
    """Order ids by side."""
    while True:
        price = venue.price("AAPL").last or rules.reference_price
        step = max(rules.tick, price * Decimal("0.001") // rules.tick * rules.tick)
        for side, at in (("BUY", price - step), ("SELL", price + step)):
            try:
                if side in quotes:
                    venue.amend(quotes[side], price=at)
                else:
                    quotes[side] = venue.place("AAPL", side, 5, at).order_id
            except Refused as refusal:
                if refusal.code.startswith("order.already_") or refusal.code == "order.not_open":
                    del quotes[side]  # filled: quote anew at the next turn
                elif refusal.code != "order.amend_changes_nothing":
                    print(refusal.code, refusal.message)
        time.sleep(1)
