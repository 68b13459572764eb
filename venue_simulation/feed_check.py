"""The record must be what the events and the settlement reports say, derived here in the plainest
way.
"""

from collections.abc import Iterator
from typing import Any

from market_data_feed.adapters.memory_record import MemoryRecord
from market_data_feed.domain.market import Market
from venue_protocol import codec, streams
from venue_protocol.events import (
    AuctionIndication,
    BuyInNotified,
    CorporateActionApplied,
    CorporateActionDeclared,
    DividendPaid,
    LimitStateChanged,
    OrderAccepted,
    OrderAdjusted,
    OrderAmended,
    OrderCanceled,
    OrderReduced,
    PhaseChanged,
    SettlementCycle,
    SettlementModeChanged,
    SharesExempted,
    TimeAdvanced,
    Trade,
)
from venue_protocol.identifiers import sharded_id
from venue_protocol.orders import EXPIRED
from venue_simulation.oracle import ShardOracle
from venue_simulation.violation import Violation, require

_ALL_LEVELS = 1_000


class FeedCheck:
    """Follows the record's positions; `check` compares everything once it is complete."""

    def __init__(self, record: MemoryRecord) -> None:
        self._tables = record.tables
        self._positions: dict[str, int] = {}
        record.on_commit = self._on_commit

    def check(self, shards: list[ShardOracle], reports: dict[int, Any]) -> None:
        """Violation unless the record is exactly what happened."""
        tables = self._tables
        orders, trades = _fold(shards)
        require(
            tables.orders.keys() == orders.keys(),
            "the feed records each order once",
            len(orders),
        )
        for order_id, row in tables.orders.items():
            recorded = (row.quantity, row.price_e4, row.filled, row.leaves, row.status)
            if recorded != orders[order_id]:
                raise Violation(
                    f"order {order_id} is recorded as {recorded}, should be {orders[order_id]}"
                )
        recorded_trades = {
            trade.trade_id: (trade.price_e4, trade.quantity) for trade in tables.trades.values()
        }
        require(
            recorded_trades == trades, "the feed records each trade once", (recorded_trades, trades)
        )
        told = sorted(tables.order_reports)
        require(told == sorted(_owners(shards)), "each owner is told of each event once", len(told))
        recorded_reports = {
            sequence: codec.encode(report).decode()
            for sequence, report in tables.settlements.items()
        }
        stored = {sequence: row.report for sequence, row in reports.items()}
        require(
            recorded_reports == stored,
            "the feed records each settlement report once, as it was sealed",
        )
        ends = [
            (streams.events(shard.shard), shard.batches[-1][1].last)
            for shard in shards
            if shard.batches
        ]
        for stream, last in [*ends, (streams.SETTLEMENTS, len(reports))]:
            require(
                tables.positions.get(stream) == last,
                "the feed has read everything",
                (stream, last),
            )

    def check_depth(self, market: Market, shards: list[ShardOracle]) -> None:
        """Violation unless the book that the feed shows is the engine's."""
        for shard in shards:
            for security_id in shard.engine.books:
                seen = market.security(security_id)
                shown = [
                    [level[:2] for level in book_side.depth()]
                    for book_side in (seen.bids, seen.asks)
                ]
                books = [
                    list(book_side) for book_side in shard.engine.depth(security_id, _ALL_LEVELS)
                ]
                require(shown == books, f"the feed shows the book of {security_id}", (shown, books))

    def _on_commit(self) -> None:
        for stream, position in self._tables.positions.items():
            require(
                position >= self._positions.get(stream, 0), "a position never goes back", stream
            )
            self._positions[stream] = position
        recorded = len(self._tables.settlements)
        expected = self._positions.get(streams.SETTLEMENTS, 0)
        require(
            recorded == expected,
            "the feed's position is stored with its effect",
            (recorded, expected),
        )


_OF_NOBODY = (
    TimeAdvanced
    | PhaseChanged
    | AuctionIndication
    | LimitStateChanged
    | CorporateActionApplied
    | CorporateActionDeclared
    | DividendPaid
    | SettlementModeChanged
    | SettlementCycle
    | SharesExempted
    | BuyInNotified
)


def _owners(shards: list[ShardOracle]) -> Iterator[tuple[str, int]]:
    """Who is concerned by which event, by its venue-wide sequence."""
    for shard in shards:
        for _, batch in shard.batches:
            for sequence, event in batch.numbered():
                number = sharded_id(shard.shard, sequence)
                if isinstance(event, Trade):
                    yield from ((event.buy_client_id, number), (event.sell_client_id, number))
                elif not isinstance(event, _OF_NOBODY):
                    yield event.client_id, number


def _fold(
    shards: list[ShardOracle],
) -> tuple[dict[int, tuple[int, int, int, int, str]], dict[int, tuple[int, int]]]:
    """Quantity, price, filled, leaves and status of each order; price and quantity of each
    trade.
    """
    terms: dict[int, tuple[int, int]] = {}
    filled: dict[int, int] = {}
    canceled: dict[int, str] = {}
    """Status of those that left the book unfilled."""
    trades = {}
    for shard in shards:
        for _, batch in shard.batches:
            for event in batch.events:
                if isinstance(event, OrderAccepted | OrderAmended | OrderReduced | OrderAdjusted):
                    terms[event.order_id] = (event.quantity, event.price_e4)
                    filled.setdefault(event.order_id, 0)
                elif type(event) is Trade:
                    trades[event.trade_id] = (event.price_e4, event.quantity)
                    filled[event.buy_order_id] += event.quantity
                    filled[event.sell_order_id] += event.quantity
                elif type(event) is OrderCanceled:
                    canceled[event.order_id] = "expired" if event.reason == EXPIRED else "canceled"
        require(
            sorted(trade for trade in trades if trade >> 40 == shard.shard)
            == [
                sharded_id(shard.shard, number) for number in range(1, shard.engine.trade_count + 1)
            ],
            "trade ids have no hole",
        )
    return {
        order_id: _state(terms[order_id], filled[order_id], canceled.get(order_id))
        for order_id in terms
    }, trades


def _state(
    terms: tuple[int, int], filled: int, ended: str | None
) -> tuple[int, int, int, int, str]:
    quantity, price_e4 = terms
    if ended is not None:
        return quantity, price_e4, filled, 0, ended
    leaves = quantity - filled
    if not leaves:
        return quantity, price_e4, filled, 0, "filled"
    return quantity, price_e4, filled, leaves, "partially_filled" if filled else "new"
