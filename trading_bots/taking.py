"""Orders that take what the other side shows, and leave nothing behind."""

from collections.abc import Iterator

from trading_bots.commands import Place
from trading_bots.sizing import within_means
from trading_bots.strategy import View


def take(view: View, security: str, side: str, quantity: float) -> Iterator[Place]:
    """An order at the other side's best price, immediate or canceled, within the own means.

    None where nobody is there, or where the means pay no lot.
    """
    book = view.book(security)
    levels = book.asks if side == "BUY" else book.bids
    if levels:
        price = levels[0].price
        shares = within_means(view, security, side, price, quantity)
        if shares:
            yield Place(security, side, shares, price, "IOC")
