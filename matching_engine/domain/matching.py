"""Matching: an incoming order meets the resting ones, price first, then time. A trade prints at the
resting price.

Example: SELL 5 at 10.00 (ann) and SELL 5 at 10.10 (bob) rest. BUY 8 at 10.20 (cat) trades 5 at
10.00 with ann, then 3 at 10.10 with bob, whose other 2 shares go on resting.
"""

from matching_engine.domain.book import Book, BookSide, Order, PriceLevel, hide_reserve
from matching_engine.domain.limit_states import begin_limit_state
from matching_engine.domain.reports import discard, report_reduced, report_trade
from matching_engine.domain.self_trades import prevention, would_trade
from matching_engine.domain.shard import Shard
from venue_protocol.events import Event, OrderAccepted, OrderAmended, OrderTriggered, Trade
from venue_protocol.orders import CANCEL_NEWEST, CANCEL_OLDEST, DECREMENT, CancelReason


def match(
    shard: Shard,
    order: Order,
    book_side: BookSide,
    opposite: BookSide,
    remainder: CancelReason | None,
    events: list[Event],
) -> bool:
    """Trade an incoming order.

    True if what is left of it shall rest; else it is filled, or canceled.
    """
    if opposite.book.is_special:
        return _match_in_phase(shard, order, book_side, opposite, remainder, events)
    if remainder != "fok_unfilled" or can_fill(order, opposite, order.leaves):
        met_own = _match_order(shard, order, opposite, events)
        if not order.leaves:
            shard.ended.recent[order.order_id] = book_side.filled
            return False
        if met_own:
            remainder = "self_trade_prevention"
    if remainder is None:
        return True
    discard(shard, order, book_side, remainder, events)
    return False


def _match_in_phase(
    shard: Shard,
    order: Order,
    book_side: BookSide,
    opposite: BookSide,
    remainder: CancelReason | None,
    events: list[Event],
) -> bool:
    """What `match` does in a book that does not trade, or only within its band."""
    book = book_side.book
    if not book.is_trading:
        if remainder is None:
            return True
        discard(shard, order, book_side, remainder, events)
        return False
    band, mark = shard.bands[book.security_id], len(events)
    bound_e4 = band.bounded_e4(book_side.side, order.price_e4)
    met_own = False
    if remainder != "fok_unfilled" or can_fill(order, opposite, order.leaves, bound_e4):
        met_own = _match_order(shard, order, opposite, events, bound_e4)
    for event in events[mark:]:
        if type(event) is Trade:
            band.add_trade(event.price_e4, shard.time_us)
    if not order.leaves:
        shard.ended.recent[order.order_id] = book_side.filled
        return False
    if met_own:
        remainder = "self_trade_prevention"
    elif (
        opposite.meets(order.price_e4)
        and not opposite.meets(bound_e4)
        and remainder != "fok_unfilled"
    ):
        # Nobody else stands in the order's way where only own orders are beyond the band: then
        # self-trade prevention decides, as without a band, and nothing trades.
        if would_trade(order, opposite):
            remainder = "volatility_band"
            begin_limit_state(shard, book.security_id, band, book_side.side, events)
        elif _match_order(shard, order, opposite, events):
            remainder = "self_trade_prevention"
    if remainder is None:
        return True
    discard(shard, order, book_side, remainder, events)
    return False


def _match_order(
    shard: Shard, taker: Order, opposite: BookSide, events: list[Event], worst_e4: int | None = None
) -> bool:
    """Trade as far as price and quantity allow, at `worst_e4` at worst.

    True if an own order stopped it.
    """
    sign = opposite.sign
    limit_e4 = (taker.price_e4 if worst_e4 is None else worst_e4) * sign
    while taker.leaves and opposite.best * sign <= limit_e4:
        level = opposite.levels[opposite.best]
        if level.reserve:
            met_own = _match_icebergs(shard, taker, opposite, level, events)
        else:
            met_own = _match_level(shard, taker, opposite, level, events)
        if not level.quantity:
            opposite.find_best()
        if met_own and not _prevent_self_trade(shard, taker, opposite, level, events):
            break
    else:
        met_own = False
    if opposite.stops.waiting:
        _elect(shard, opposite.book, events)
    return met_own


def _elect(shard: Shard, book: Book, events: list[Event]) -> None:
    """Elect stops by the trades that stand at the end of the events."""
    prices = []
    for event in reversed(events):
        if type(event) is Trade:
            prices.append(event.price_e4)
        elif type(event) in (OrderAccepted, OrderAmended, OrderTriggered):
            break
    if prices and book.stops.elect(min(prices), max(prices)):
        shard.elections_due.append(book)


def _match_level(
    shard: Shard, taker: Order, opposite: BookSide, level: PriceLevel, events: list[Event]
) -> bool:
    """Trade with one level without icebergs, oldest order first.

    True if an own order comes next.
    """
    owner, leaves, available = taker.owner, taker.leaves, level.quantity
    met_own = False
    filled: list[int] = []
    level.compact()
    for maker in level.queue.values():
        if maker.owner is owner:
            met_own = True
            break
        maker_leaves = maker.leaves
        quantity = maker_leaves if maker_leaves < leaves else leaves
        leaves -= quantity
        available -= quantity
        maker.leaves = maker_leaves - quantity
        report_trade(shard, taker, leaves, maker, opposite, quantity, events)
        if maker_leaves == quantity:
            filled.append(maker.order_id)
        if not leaves:
            break
    for order_id in filled:
        del level.queue[order_id], shard.orders[order_id]
        shard.ended.recent[order_id] = opposite.filled
    level.left += len(filled)
    level.quantity = available
    taker.leaves = leaves
    return met_own


def _match_icebergs(
    shard: Shard, taker: Order, opposite: BookSide, level: PriceLevel, events: list[Event]
) -> bool:
    """Trade with one level order by order. An iceberg whose shown part is gone shows more at
    the back of the queue.

    True if an own order comes next.
    """
    while taker.leaves and level.quantity:
        level.compact()
        maker = next(iter(level.queue.values()))
        if maker.owner is taker.owner:
            return True
        shown = maker.leaves - maker.reserve
        quantity = min(shown, taker.leaves)
        taker.leaves -= quantity
        maker.leaves -= quantity
        level.quantity -= quantity
        report_trade(shard, taker, taker.leaves, maker, opposite, quantity, events)
        if quantity < shown:
            break
        del level.queue[maker.order_id]
        level.left += 1
        if maker.leaves:
            level.reserve -= maker.reserve
            opposite.enter(hide_reserve(maker))
        else:
            del shard.orders[maker.order_id]
            shard.ended.recent[maker.order_id] = opposite.filled
    return False


def _prevent_self_trade(
    shard: Shard, taker: Order, opposite: BookSide, level: PriceLevel, events: list[Event]
) -> bool:
    """Do to the own order in front what the incoming order's self-trade prevention says.

    True if that goes on.
    """
    mode = prevention(taker)
    if mode == CANCEL_NEWEST:
        return False
    maker = next(iter(level.queue.values()))
    if mode == DECREMENT and maker.leaves > taker.leaves:
        leaves = maker.leaves - taker.leaves
        maker.quantity -= taker.leaves
        opposite.reduce(maker, leaves)
        report_reduced(shard, maker, opposite, taker.leaves, events)
        return False
    del shard.orders[maker.order_id]
    discard(shard, maker, opposite, "self_trade_prevention", events)
    opposite.withdraw(maker)
    if mode == DECREMENT and maker.leaves < taker.leaves:
        taker.quantity -= maker.leaves
        taker.leaves -= maker.leaves
        report_reduced(shard, taker, shard.sides[opposite.index ^ 1], maker.leaves, events)
        return True
    return mode == CANCEL_OLDEST


def can_fill(order: Order, opposite: BookSide, wanted: int, worst_e4: int | None = None) -> bool:
    """Whether `wanted` shares of `order` would trade at once, at `worst_e4` at worst, before an own
    order stops or shortens it.
    """
    limit_e4 = order.price_e4 if worst_e4 is None else worst_e4
    sign, passes_own = opposite.sign, prevention(order) == CANCEL_OLDEST
    for price_e4 in opposite.prices():
        if price_e4 * sign > limit_e4 * sign:
            return False
        hidden = 0
        for maker in opposite.levels[price_e4].queue.values():
            if maker.owner is order.owner:
                if passes_own:
                    continue
                return False
            wanted -= maker.leaves - maker.reserve
            hidden += maker.reserve
            if wanted <= 0:
                return True
        # Reserves show only once the whole queue before them has traded.
        wanted -= hidden
        if wanted <= 0:
            return True
    return False
