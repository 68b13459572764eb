"""A bot that acts on news: it buys what is offered below the usual price, and sells above it."""

from decimal import Decimal

from trading_bots.client import Refused
from trading_bots.session import trading_session

# Ctrl-C ends it, and cancels what is open
with trading_session() as venue, venue.stream() as stream, venue.order_socket() as orders:
    stream.subscribe("price", "AAPL")
    stream.subscribe("fills")
    usual = None
    for message in stream:
        if message["channel"] == "fills":
            print(message["side"], message["quantity"], "at", message["price"])
        elif message["bid"] and message["ask"]:
            bid, ask = Decimal(message["bid"]), Decimal(message["ask"])
            usual = (19 * (usual or ask) + (bid + ask) / 2) / 20
            try:
                if ask < usual:
                    orders.place("AAPL", "BUY", 1, ask, time_in_force="IOC")
                elif bid > usual and venue.holding("AAPL").available:
                    orders.place("AAPL", "SELL", 1, bid, time_in_force="IOC")
            except Refused as refusal:
                print(refusal.code, refusal.message)
