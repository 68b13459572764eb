"""What keeps one client's orders from trading with each other: self-trade prevention."""

from matching_engine.domain.book import BookSide, Order
from venue_protocol.orders import (
    CANCEL_BOTH,
    CANCEL_NEWEST,
    CANCEL_OLDEST,
    DECREMENT,
    SelfTradePrevention,
)


def prevention(order: Order) -> SelfTradePrevention:
    """What an incoming order does when it meets an own resting order."""
    return order.terms.self_trade_prevention if order.terms is not None else CANCEL_NEWEST


def prevented_shares(
    newer_leaves: int, older_leaves: int, mode: SelfTradePrevention
) -> tuple[int, int]:
    """The shares that two own orders which cross in an auction lose, the newer one first.

    Examples: 50 and 20 shares lose (50, 0) with `cancel_newest`, (0, 20) with `cancel_oldest`,
    (50, 20) with `cancel_both` and (20, 20) with `decrement`.
    """
    if mode == CANCEL_NEWEST:
        return newer_leaves, 0
    if mode == CANCEL_OLDEST:
        return 0, older_leaves
    if mode == CANCEL_BOTH:
        return newer_leaves, older_leaves
    both = min(newer_leaves, older_leaves)
    return both, both


def would_trade(order: Order, opposite: BookSide) -> bool:
    """Whether an incoming order would trade at all at its own limit: whether it meets an order of
    somebody else before its self-trade prevention ends it.
    """
    sign, mode, leaves = opposite.sign, prevention(order), order.leaves
    for price_e4 in opposite.prices():
        if price_e4 * sign > order.price_e4 * sign:
            return False
        for maker in opposite.levels[price_e4].queue.values():
            if maker.owner is not order.owner:
                return True
            leaves -= maker.leaves if mode == DECREMENT else 0
            if mode not in (CANCEL_OLDEST, DECREMENT) or leaves <= 0:
                return False
    return False
