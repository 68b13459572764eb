"""Keeps one quote a side where a market maker wants it, by amending.

An amend keeps what the order holds; a cancel and a new order in one list need the cash or shares
twice (docs/bots.md, market making).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from trading_bots.commands import Amend, Intent, Place
from trading_bots.records import WorkingOrder
from trading_bots.sizing import within_means
from trading_bots.strategy import View, cancel, on_tick, working


@dataclass(frozen=True, slots=True)
class Quote:
    """Where one side should stand; of `quantity` shares, what the means don't pay is left out."""

    price: Decimal
    quantity: int


def move_quotes(
    view: View, security: str, bid: Quote | None, ask: Quote | None
) -> Iterator[Intent]:
    """The intents that bring the own quotes of a security to these; None: no quote on that side.

    A second own order on a side is canceled. The side that moves away goes first, so that a quote
    never meets the other one.
    """
    own = working(view, security)
    targets = {"BUY": bid, "SELL": ask}
    order = ("SELL", "BUY") if _rises(own, bid) else ("BUY", "SELL")
    for side in order:
        quotes = [each for each in own if each.side == side]
        yield from (cancel(each) for each in quotes[:-1])
        yield from _move(view, security, side, quotes[-1:], targets[side])


def _rises(own: list[WorkingOrder], bid: Quote | None) -> bool:
    """Whether the new bid is above the own one."""
    bids = [order.price for order in own if order.side == "BUY" and order.price is not None]
    return bid is not None and (not bids or bid.price > max(bids))


def _move(
    view: View, security: str, side: str, quote: list[WorkingOrder], target: Quote | None
) -> Iterator[Intent]:
    if target is None:
        yield from (cancel(each) for each in quote)
        return
    price = on_tick(view.rules(security), target.price)
    if not quote:
        quantity = within_means(view, security, side, price, target.quantity)
        if quantity:
            yield Place(security, side, quantity, price, post_only=True)
    elif quote[0].order_id is not None and quote[0].price != price:
        yield Amend(order_id=quote[0].order_id, price=price)
