"""A first bot: buys a little below the last price, and offers what it owns a little above."""

import time
from decimal import Decimal

from trading_bots.client import Refused
from trading_bots.session import trading_session

with trading_session() as venue:  # Ctrl-C ends it, and cancels what is open
    rules = next(rules for rules in venue.securities() if rules.security == "AAPL")
    while True:
        price = venue.price("AAPL").last or rules.reference_price
        step = max(rules.tick, price * Decimal("0.0005") // rules.tick * rules.tick)
        try:
            venue.place("AAPL", "BUY", 5, price - step)
            owned = venue.holding("AAPL").available
            if owned:
                venue.place("AAPL", "SELL", owned, price + step)
        except Refused as refusal:
            print(refusal.code, refusal.message)
        print(venue.balance().balance, "dollars and", venue.holding("AAPL").quantity, "shares")
        time.sleep(1)
        venue.cancel_all("AAPL")
        time.sleep(0.5)
