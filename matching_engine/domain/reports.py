"""Events about single orders: trades, and what is left of an order that ends.

Each is made here alone, whether matching, an auction or the trading day is the cause.
"""

import msgspec

from matching_engine.domain.book import BookSide, Order
from matching_engine.domain.shard import Shard
from venue_protocol.events import (
    CorporateActionApplied,
    Event,
    LimitStateChanged,
    OrderCanceled,
    OrderReduced,
    PhaseChanged,
    Trade,
)
from venue_protocol.fees import rates_of_trade
from venue_protocol.identifiers import sharded_id
from venue_protocol.orders import BUY, EXPIRED, SELL, CancelReason, Side

News = PhaseChanged | LimitStateChanged | CorporateActionApplied


def report_trade(
    shard: Shard,
    taker: Order,
    taker_leaves: int,
    maker: Order,
    book_side: BookSide,
    quantity: int,
    events: list[Event],
    auction_e4: int | None = None,
) -> None:
    """Tell of a trade of `quantity` shares, after which the orders have `taker_leaves` and
    `maker.leaves` shares open. `book_side` is the maker's.

    In an auction, which has neither maker nor taker, the buy is given as the taker, and the price.
    Positional throughout: this runs for every trade, and keyword arguments cost a tenth of it.
    """
    shard.trade_count += 1
    price_e4 = book_side.book.last_e4 = maker.price_e4 if auction_e4 is None else auction_e4
    aggressor: Side | None
    if book_side.side == BUY:
        aggressor = SELL
        buy, buy_leaves, sell, sell_leaves = maker, maker.leaves, taker, taker_leaves
    else:
        aggressor = BUY if auction_e4 is None else None
        buy, buy_leaves, sell, sell_leaves = taker, taker_leaves, maker, maker.leaves
    trade = Trade(
        sharded_id(shard.shard, shard.trade_count),
        book_side.security_id,
        price_e4,
        quantity,
        aggressor,
        buy.order_id,
        buy.owner.client_id,
        buy.price_e4,
        buy_leaves,
        sell.order_id,
        sell.owner.client_id,
        sell_leaves,
        0,
        0,
        0,
        shard.due_cycle,
    )
    if taker.fees is not None or maker.fees is not None:
        trade = _with_fees(trade, buy, maker, taker)
    events.append(trade)


def _with_fees(trade: Trade, buy: Order, maker: Order, taker: Order) -> Trade:
    """The trade with the rates of its two orders. Few venues ask for fees, so it is made twice."""
    maker_bps, taker_bps = rates_of_trade(maker.fees, taker.fees, trade.aggressor is None)
    buy_bps, sell_bps = (maker_bps, taker_bps) if buy is maker else (taker_bps, maker_bps)
    return msgspec.structs.replace(
        trade, buy_fee_bps=buy_bps, sell_fee_bps=sell_bps, buy_held_bps=buy.held_bps
    )


def discard(
    shard: Shard, order: Order, book_side: BookSide, reason: CancelReason, events: list[Event]
) -> None:
    """Tell that what is left of an order is canceled, and remember it."""
    order_id = order.order_id
    events.append(
        OrderCanceled(
            order_id,
            order.owner.client_id,
            book_side.security_id,
            book_side.side,
            order.price_e4,
            order.leaves,
            reason,
            order.held_bps if book_side.side == BUY and order.fees is not None else 0,
        )
    )
    shard.ended.recent[order_id] = book_side.canceled


def discard_expired(shard: Shard, order: Order, book_side: BookSide, events: list[Event]) -> None:
    """Tell that the time of an order is over, and remember it."""
    discard(shard, order, book_side, EXPIRED, events)
    shard.ended.recent[order.order_id] = book_side.expired


def report_reduced(
    shard: Shard, order: Order, book_side: BookSide, reduced: int, events: list[Event]
) -> None:
    """Tell that self-trade prevention took shares from an order that goes on."""
    events.append(
        OrderReduced(
            order.order_id,
            order.owner.client_id,
            book_side.security_id,
            book_side.side,
            order.price_e4,
            reduced,
            order.quantity,
            order.leaves,
            order.held_bps if book_side.side == BUY else 0,
        )
    )


def report_news(shard: Shard, event: News, events: list[Event]) -> None:
    """Tell of a change of a whole security, which operators read in the log as well."""
    events.append(event)
    shard.news.append(event)
