"""What one batch of events did to the market and to the owners of orders."""

from collections.abc import Iterable, Iterator

import msgspec

from market_data_feed.domain.execution_report import ExecutionReport
from market_data_feed.domain.trade_corrections import TradeCorrectionRow, TradeStatus
from market_data_feed.domain.trading_phases import SessionRow
from market_data_feed.domain.working_order import WorkingOrder
from venue_protocol.identifiers import shard_and_number
from venue_protocol.orders import Side


class RecordedTrade(msgspec.Struct, frozen=True, gc=False):
    """One row of trades: a trade and its place in the stream."""

    event_sequence: int
    time_us: int
    trade_id: int
    security_id: str
    price_e4: int
    quantity: int
    aggressor: Side | None
    """None in an auction."""
    buy_order_id: int
    buy_client_id: str
    sell_order_id: int
    sell_client_id: str
    status: TradeStatus = "good"
    """Price and quantity are those of the trade as it stands."""


def corrected(trade: RecordedTrade, row: TradeCorrectionRow) -> RecordedTrade:
    """The trade as it stands after its newest correction."""
    return msgspec.structs.replace(
        trade, price_e4=row.price_e4, quantity=row.quantity, status=row.status
    )


LevelKey = tuple[str, Side, int]
"""Security, side, price in ten-thousandths of a dollar."""


class BatchEffect(msgspec.Struct, gc=False):
    """What one EventBatch did, for the streams: net change of each price level, trades, reports."""

    first_sequence: int
    """Sharded sequence of its first event."""
    last_sequence: int
    time_us: int
    levels: dict[LevelKey, list[int]]
    """Net change of [shares, orders] at each level touched; may be [0, 0]."""
    trades: list[RecordedTrade]
    reports: list[ExecutionReport]
    session: list[SessionRow] = []
    """Phases, indications and limit states, in order."""
    is_part: bool = False
    """Whether more messages of the same commands follow."""

    def show(self, order: WorkingOrder, visible: int) -> None:
        """Let so many shares of an order stand in the published book."""
        shares, orders = visible - order.visible, (visible > 0) - (order.visible > 0)
        order.visible = visible
        key = (order.security_id, order.side, order.price_e4)
        level = self.levels.get(key)
        if level is None:
            self.levels[key] = [shares, orders]
            return
        level[0] += shares
        level[1] += orders


def whole_effect(parts: list[BatchEffect]) -> BatchEffect:
    """What the parts of one batch of commands did together. In between its books may cross."""
    first, *others = parts
    if not others:
        return first
    levels = {key: list(change) for key, change in first.levels.items()}
    for part in others:
        for key, (shares, orders) in part.levels.items():
            change = levels.setdefault(key, [0, 0])
            change[0] += shares
            change[1] += orders
    return BatchEffect(
        first.first_sequence,
        parts[-1].last_sequence,
        first.time_us,
        levels,
        [recorded for part in parts for recorded in part.trades],
        [report for part in parts for report in part.reports],
        [row for part in parts for row in part.session],
    )


class BatchParts:
    """Joins the parts of a batch of commands, so that no book is shown while it crosses."""

    def __init__(self) -> None:
        self._parts: dict[int, list[BatchEffect]] = {}
        """By shard: recorded parts of a batch whose last part has not come."""

    def joined(self, effects: Iterable[BatchEffect]) -> Iterator[BatchEffect]:
        """The effects of whole batches of commands; a part waits for the others."""
        for effect in effects:
            shard, _ = shard_and_number(effect.first_sequence)
            parts = self._parts.setdefault(shard, [])
            parts.append(effect)
            if not effect.is_part:
                del self._parts[shard]
                yield whole_effect(parts)

    def is_waiting(self, shard: int | None) -> bool:
        """Whether parts of this shard wait for their last."""
        return shard in self._parts
