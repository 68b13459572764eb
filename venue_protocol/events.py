"""Events: what the matching engine says happened, on `order_execution` and `data_feed`.

Event sequences of a shard start at 1 and have no gap. An event does not carry its number: in a
batch the i-th event has sequence `first + i`. One command batch gives one event batch, which
travels in one message, or cut into several (`event_parts`).
"""

from collections.abc import Iterator

import msgspec

from venue_protocol.corporate_actions import CorporateAction
from venue_protocol.fees import FeeRates
from venue_protocol.orders import CancelReason, OrderTerms, OrderType, Side, TimeInForce
from venue_protocol.settlement_modes import SettlementMode
from venue_protocol.trading_day import Phase


class _EventStruct(msgspec.Struct, frozen=True, gc=False, tag_field="kind", omit_defaults=True):
    """The shape all events share."""


class OrderAccepted(_EventStruct, frozen=True, tag="order_accepted"):
    """The order reached the engine (execution report, ExecType=New). Its trades follow, if any."""

    order_id: int
    client_id: str
    security_id: str
    side: Side
    order_type: OrderType
    time_in_force: TimeInForce
    quantity: int
    price_e4: int
    client_order_id: str | None = None
    terms: OrderTerms | None = None
    """None for a plain order."""
    is_waiting: bool = False
    """A CLS order that is not in the book before its OrderReleased."""
    fees: FeeRates | None = None
    """Its fee rates; None: it costs nothing."""


class OrderTriggered(_EventStruct, frozen=True, tag="order_triggered"):
    """A stop was elected: from here on it is a market or limit order (FIX ExecType=L). Its trades
    follow, if any.
    """

    order_id: int
    client_id: str
    security_id: str
    side: Side
    price_e4: int
    leaves: int
    last_e4: int
    """The last price that the stop was at or behind."""


class OrderReleased(_EventStruct, frozen=True, tag="order_released"):
    """A CLS order that waited entered the book: the closing auction collects."""

    order_id: int
    client_id: str
    security_id: str
    side: Side
    price_e4: int
    leaves: int


class Trade(_EventStruct, frozen=True, tag="trade"):
    """Two fills at the resting order's price. The resting order is the one of the side that is not
    `aggressor`.

    In an auction nobody is the aggressor, and the price is the one of the auction.
    """

    trade_id: int
    security_id: str
    price_e4: int
    quantity: int
    aggressor: Side | None
    buy_order_id: int
    buy_client_id: str
    buy_price_e4: int
    """The buyer's limit. With the highest fee on it (`held_price_e4`) it is what its order held per
    share; the fill releases `quantity` times that.
    """
    buy_leaves: int
    """Shares of the buy order still open after this trade."""
    sell_order_id: int
    sell_client_id: str
    sell_leaves: int
    buy_fee_bps: int = 0
    """What the buyer pays for this trade, basis points of its value; below zero: a rebate."""
    sell_fee_bps: int = 0
    buy_held_bps: int = 0
    """The highest rate that might have applied to the buyer; its hold covered it."""
    settlement_cycle: int | None = None
    """The cycle in which it is due; None: it settles at once, by itself."""


class OrderCanceled(_EventStruct, frozen=True, tag="order_canceled"):
    """The rest of an order left the venue; its hold is released."""

    order_id: int
    client_id: str
    security_id: str
    side: Side
    price_e4: int
    quantity: int
    """Shares that were open until now, > 0."""
    reason: CancelReason
    held_bps: int = 0
    """Of a buy: the highest fee rate, which its hold covered (`held_amount`)."""


class OrderReduced(_EventStruct, frozen=True, tag="order_reduced"):
    """Self-trade prevention took shares from an order that goes on in its place; their hold is
    released.
    """

    order_id: int
    client_id: str
    security_id: str
    side: Side
    price_e4: int
    reduced: int
    """Shares taken away, > 0."""
    quantity: int
    """New total quantity, shares, filled ones included."""
    leaves: int
    """Open shares now, > 0."""
    held_bps: int = 0
    """Of a buy: the highest fee rate, which its hold covers (`held_amount`)."""


class OrderAmended(_EventStruct, frozen=True, tag="order_amended"):
    """An order has new terms. If it lost its place it may trade at once: trades follow."""

    order_id: int
    client_id: str
    security_id: str
    side: Side
    quantity: int
    """New total quantity, shares, filled ones included."""
    price_e4: int
    leaves: int
    """Open shares under the new terms, before any trade that follows. 0: the amend ended the
    order.
    """
    previous_price_e4: int
    previous_leaves: int
    hold_released: int
    """Ten-thousandths of a dollar (buy) or shares (sell) that the new terms do not need, >= 0."""


class CancelRejected(_EventStruct, frozen=True, tag="cancel_rejected"):
    """A cancel or amend could not be done (FIX OrderCancelReject). Nothing changed in the book."""

    order_id: int
    client_id: str
    reason: str
    """Code of a RejectReason: order.already_filled, order.already_canceled, order.unknown, ..."""


class AmendRejected(_EventStruct, frozen=True, tag="amend_rejected"):
    """An amend could not be done; what the door held for it is released."""

    order_id: int
    client_id: str
    reason: str
    security_id: str | None
    """None when neither engine nor command knows the order; then hold_released is 0."""
    side: Side | None
    hold_released: int


class MassCancelReport(_EventStruct, frozen=True, tag="mass_cancel_report"):
    """A CancelAllOrders was done; its OrderCanceled events, oldest order first, stand before it."""

    client_id: str
    security_id: str | None
    canceled: int


class TimeAdvanced(_EventStruct, frozen=True, tag="time_advanced"):
    """An AdvanceTime was done; what expired stands before it."""


class PhaseChanged(_EventStruct, frozen=True, tag="phase_changed"):
    """A phase began.

    What it uncrossed stands before this event, what it ended or released after it.
    """

    security_id: str | None
    """None: in every security of the shard; those that are excepted follow, one event each."""
    phase: Phase
    reason: str | None = None
    until_us: int | None = None
    """When it ends by itself, by the time of the log."""


class AuctionIndication(_EventStruct, frozen=True, tag="auction_indication"):
    """What the auction would do if it ended now; at most one a batch and security, when it is
    another than before.
    """

    security_id: str
    price_e4: int | None
    """None: the book does not cross, nothing would trade."""
    paired: int
    imbalance: int
    side: Side | None
    """Of the imbalance; None without one."""


class LimitStateChanged(_EventStruct, frozen=True, tag="limit_state_changed"):
    """An order was stopped by the volatility band, or what stopped it is over, or the bands were
    set.
    """

    security_id: str
    side: Side | None
    """BUY: the price wants to rise above the band; SELL: to fall below it; None: there is no limit
    state now.
    """
    band_low_e4: int | None
    """None: the security has no band."""
    band_high_e4: int | None


class CorporateActionApplied(_EventStruct, frozen=True, tag="corporate_action_applied"):
    """A corporate action took effect. Orders that it cancels stand before it (OrderCanceled), those
    that it adjusts after it (OrderAdjusted).
    """

    action_id: int
    """Sharded sequence of the command."""
    security_id: str
    action: CorporateAction
    reference_price_e4: int
    """The listed reference price from here on."""


class CorporateActionDeclared(_EventStruct, frozen=True, tag="corporate_action_declared"):
    """An action that takes effect later, by the time of the log."""

    action_id: int
    """Sharded sequence of the command."""
    security_id: str
    action: CorporateAction


class DividendPaid(_EventStruct, frozen=True, tag="dividend_paid"):
    """A cash dividend is paid to those who held shares when the security went ex."""

    action_id: int
    security_id: str


class OrderAdjusted(_EventStruct, frozen=True, tag="order_adjusted"):
    """A corporate action gave an open order other terms (FINRA 5330). It trades with nobody."""

    order_id: int
    client_id: str
    security_id: str
    side: Side
    quantity: int
    """New total quantity, shares, those filled before the action included as they were."""
    price_e4: int
    leaves: int
    """Open shares now, > 0."""
    previous_price_e4: int
    previous_leaves: int
    hold_change: int
    """Ten-thousandths of a dollar (buy, never above 0) or shares (sell) by which its hold
    changes.
    """
    terms: OrderTerms | None = None
    """Its terms now; None for a plain order."""
    new_security_id: str | None = None
    """The symbol it goes on under, if that is another."""


class SettlementModeChanged(_EventStruct, frozen=True, tag="settlement_mode_changed"):
    """Trades after this event settle so."""

    mode: SettlementMode
    interval_us: int | None = None
    at_close: bool = False
    lag: int = 0
    cycle: int = 1
    """The cycle that collects now."""


class SettlementCycle(_EventStruct, frozen=True, tag="settlement_cycle"):
    """All obligations of the shard that are due in this cycle, or were before, settle now."""

    shard: int
    number: int
    """From 1; it skips numbers when the last cycle of net settlement takes what was due later."""
    is_final: bool = False
    """Nothing may stay open: trades settle gross from here on."""


class SharesExempted(_EventStruct, frozen=True, tag="shares_exempted"):
    """A client keeps so many shares from delivery; its deposit is held already."""

    client_id: str
    security_id: str
    quantity: int
    deposit_e4: int


class BuyInNotified(_EventStruct, frozen=True, tag="buy_in_notified"):
    """A client asks for shares that it waits for; it comes first when shares are allocated."""

    client_id: str
    security_id: str
    shard: int
    cycle: int
    """The cycle that collects now."""


Event = (
    OrderAccepted
    | OrderTriggered
    | Trade
    | OrderCanceled
    | OrderReleased
    | OrderReduced
    | OrderAmended
    | CancelRejected
    | AmendRejected
    | MassCancelReport
    | TimeAdvanced
    | PhaseChanged
    | AuctionIndication
    | LimitStateChanged
    | CorporateActionApplied
    | OrderAdjusted
    | SettlementModeChanged
    | SettlementCycle
    | CorporateActionDeclared
    | DividendPaid
    | SharesExempted
    | BuyInNotified
)


class EventBatch(msgspec.Struct, frozen=True, tag_field="kind", tag="event_batch"):
    """The events of one command batch, in order; or a part of them, if they are too many for one
    message.
    """

    schema: int
    shard: int
    first: int
    """Event sequence of events[0]."""
    log_first: int
    """The first of the commands that these events answer."""
    log_last: int
    """The last command that is wholly answered; `log_first - 1` while more parts follow."""
    time_us: int
    events: list[Event]

    @property
    def last(self) -> int:
        """Event sequence of the last event."""
        return self.first + len(self.events) - 1

    def numbered(self) -> Iterator[tuple[int, Event]]:
        """Each event with its sequence."""
        return enumerate(self.events, self.first)
