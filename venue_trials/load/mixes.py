"""What the commands of a load are: shares of resting orders, cancels and orders that trade at
once.
"""

import msgspec


class Mix(msgspec.Struct, frozen=True):
    """Shares of all commands; they sum to one."""

    name: str
    rest: float
    """New orders that rest near the top of the book."""
    cancel: float
    """Cancels of own orders that were resting when last heard of."""
    take: float
    """New orders that meet the other half of the book and trade at once."""
    is_uniform: bool = False
    """All orders have one size, so that each taker trades with one resting order.

    Else sizes vary.
    """


MIXES = {
    mix.name: mix
    for mix in (
        Mix("usual", rest=0.60, cancel=0.35, take=0.05),
        Mix("trades", rest=0.50, cancel=0.0, take=0.50, is_uniform=True),
        Mix("fills", rest=0.50, cancel=0.0, take=0.50),
    )
}
"""`usual`: most orders are canceled or rest. `trades`: half of the orders trade as they arrive,
each with one of the other half: a trade for two orders. `fills`: the same with sizes that vary: a
trade for each order.
"""
