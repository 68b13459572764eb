"""Commands: what changes a book, in the order log and on `order_entry`.

A command's sequence is its place in the log. It is not stored inside the command: in a batch
the i-th command has sequence `first + i`, and an order's id is the sharded sequence of its
PlaceOrder. All times are microseconds since the Unix epoch.
"""

from collections.abc import Iterator
from typing import Final

import msgspec

from venue_protocol.corporate_actions import CorporateAction
from venue_protocol.fees import FeeRates
from venue_protocol.orders import OrderTerms, OrderType, Side, TimeInForce
from venue_protocol.settlement_modes import SettlementMode
from venue_protocol.trading_day import Phase

VENUE: Final = ""
"""The client_id of the venue's own commands; no client can have it."""


class _CommandStruct(msgspec.Struct, frozen=True, gc=False, tag_field="kind", omit_defaults=True):
    """The shape all commands share."""


class PlaceOrder(_CommandStruct, frozen=True, tag="place_order"):
    """Place an order. Its hold is placed in the same transaction as its row in the log."""

    client_id: str
    security_id: str
    side: Side
    order_type: OrderType
    time_in_force: TimeInForce
    quantity: int
    """Shares, > 0."""
    price_e4: int
    """The limit; for a market or stop order the edge of the price band, its worst price."""
    client_order_id: str | None = None
    terms: OrderTerms | None = None
    """None for a plain order."""
    reference_price_e4: int | None = None
    """The listed reference price, while the security does not trade continuously: it may have been
    listed after the phase began, and an auction needs it."""
    fees: FeeRates | None = None
    """The order's fee rates, for as long as it lives; None: it costs nothing."""


class AmendOrder(_CommandStruct, frozen=True, tag="amend_order"):
    """Change price or quantity of an own order.

    Less at the same price keeps its place in the queue.
    """

    client_id: str
    order_id: int
    quantity: int
    """The new total quantity, shares, filled ones included (FIX OrderQty)."""
    price_e4: int
    hold_added: int
    """Held in addition by the door: ten-thousandths of a dollar (buy) or shares (sell), >= 0."""
    client_order_id: str | None = None
    security_id: str | None = None
    side: Side | None = None
    """Of the order: what `hold_added` was placed on, so that even a late rejection can release
    it.
    """


class CancelOrder(_CommandStruct, frozen=True, tag="cancel_order"):
    """Cancel what is left of an own order."""

    client_id: str
    order_id: int


class CancelAllOrders(
    msgspec.Struct,
    frozen=True,
    gc=False,
    tag_field="kind",
    tag="cancel_all_orders",
    omit_defaults=True,
):
    """Cancel every open order of a client, or those in one security."""

    client_id: str
    security_id: str | None = None


class AdvanceTime(_CommandStruct, frozen=True, tag="advance_time"):
    """Let the time of the log pass, where orders are due to expire and no other command comes."""

    client_id: str = VENUE


class SetPhase(_CommandStruct, frozen=True, tag="set_phase"):
    """Begin a phase of the trading day, in one security or in the whole shard.

    For the shard it leaves securities alone that were halted one by one, unless the phase is
    `closed`.
    """

    client_id: str
    """The administrator who commands it, or VENUE for its schedule."""
    phase: Phase
    security_id: str | None = None
    reason: str | None = None
    lasts_us: int | None = None
    """A phase with an end: after so long, by the time of the log, the security trades
    continuously.
    """
    reference_prices: list[tuple[str, int]] = []
    """Security and listed reference price; the auction's reference until the security has
    traded.
    """


class SetVolatilityBands(_CommandStruct, frozen=True, tag="set_volatility_bands"):
    """Limit-up limit-down for one security, or its end."""

    client_id: str
    security_id: str
    band_bps: int | None
    """Half width of the band around the moving reference, basis points of it; None: no band."""
    reference_price_e4: int
    """The reference until the security has traded under the bands."""
    limit_state_us: int = 15_000_000
    """How long a limit state may last before trading pauses."""
    pause_us: int = 300_000_000
    auction_us: int = 60_000_000
    """How long the reopening auction collects after the pause."""


class ApplyCorporateAction(_CommandStruct, frozen=True, tag="apply_corporate_action"):
    """Apply a corporate action to a security that is halted or closed: to its open orders, its
    holders and its reference price. A cash dividend is declared in any phase, and applied and paid
    by the time of the log.
    """

    client_id: str
    """The administrator who commands it."""
    security_id: str
    action: CorporateAction
    reference_price_e4: int
    """The listed reference price before it."""
    tick_e4: int
    lot: int


class SetSettlement(_CommandStruct, frozen=True, tag="set_settlement"):
    """How the trades of the shard settle from here on; it sends no cycle by itself.

    Back to gross, what is open is settled at once in a last cycle that nothing is exempt from.
    """

    client_id: str
    mode: SettlementMode
    interval_us: int | None = None
    """A cycle at each multiple of it since the epoch, by the time of the log; None: no such."""
    at_close: bool = False
    """A cycle when the whole shard closes."""
    lag: int = 0
    """Cycles that a trade waits for beyond the present one: 0 the same day's, 1 is T+1."""


class StartSettlementCycle(_CommandStruct, frozen=True, tag="start_settlement_cycle"):
    """End the present cycle now; nothing happens while trades settle gross."""

    client_id: str


class ExemptShares(_CommandStruct, frozen=True, tag="exempt_shares"):
    """Keep own shares of a security from delivery in cycles; it takes the place of the exemption
    before.
    """

    client_id: str
    security_id: str
    quantity: int
    """Shares, 0 for none."""
    deposit_e4: int
    """Cash held by the door, from which the charges of fails are paid; 0 without an exemption."""


class NotifyBuyIn(_CommandStruct, frozen=True, tag="notify_buy_in"):
    """Ask for the shares of a security that others did not deliver."""

    client_id: str
    security_id: str


Command = (
    PlaceOrder
    | AmendOrder
    | CancelOrder
    | CancelAllOrders
    | AdvanceTime
    | SetPhase
    | SetVolatilityBands
    | ApplyCorporateAction
    | SetSettlement
    | StartSettlementCycle
    | ExemptShares
    | NotifyBuyIn
)


class CommandBatch(msgspec.Struct, frozen=True, tag_field="kind", tag="command_batch"):
    """The commands of one commit, in log order. `time_us` rises strictly from commit to commit of a
    shard, so the log alone tells which rows were one batch."""

    schema: int
    shard: int
    first: int
    """Sequence of commands[0]; the next command has first + 1.

    Sequences start at 1 and have no gap.
    """
    time_us: int
    commands: list[Command]

    @property
    def last(self) -> int:
        """Sequence of the last command."""
        return self.first + len(self.commands) - 1

    def numbered(self) -> Iterator[tuple[int, Command]]:
        """Each command with its sequence."""
        return enumerate(self.commands, self.first)
