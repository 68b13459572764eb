"""The venue's answers as typed records. Money and prices are Decimal, quantities whole shares.

Fields that a newer venue adds are ignored.
"""

from decimal import ROUND_CEILING, Decimal
from typing import Any

import msgspec

_BPS = 10_000
_SMALLEST = Decimal("0.0001")


class _Record(msgspec.Struct, frozen=True, kw_only=True):
    """The shape all records share."""


class FeeRates(_Record, frozen=True, kw_only=True):
    """What an order pays for its trades, basis points of their value; below zero: a rebate."""

    maker_bps: int = 0
    taker_bps: int = 0
    auction_bps: int = 0

    def held_on(self, price: Decimal) -> Decimal:
        """What a buy holds for each share beside its price: the highest fee, rounded up."""
        highest = max(self.maker_bps, self.taker_bps, self.auction_bps, 0)
        return (price * highest / _BPS).quantize(_SMALLEST, ROUND_CEILING)


class Receipt(_Record, frozen=True, kw_only=True):
    """The order or command is durable.

    `duplicate`: it was durable before, and this is the first answer again.
    `order_id` is 0 where the command names no order (a cancel of all).
    """

    order_id: int = 0
    status: str
    client_order_id: str | None = None
    sequence: int | None = None
    duplicate: bool = False
    fees: FeeRates | None = None
    """Of a new order; None: it costs nothing."""


class Order(_Record, frozen=True, kw_only=True):
    """Where an order stands. `quantity == filled + leaves` while it works."""

    order_id: int
    security: str
    side: str
    type: str
    quantity: int
    status: str
    filled: int = 0
    leaves: int = 0
    price: Decimal | None = None
    time_in_force: str | None = None
    client_order_id: str | None = None
    reason: str | None = None
    worst_price: Decimal | None = None
    """How far an order without a limit may trade."""
    stop_price: Decimal | None = None
    triggered_us: int | None = None
    """When a stop was elected."""
    expire_time: str | None = None
    min_quantity: int | None = None
    display_quantity: int | None = None
    post_only: bool = False
    self_trade_prevention: str = "cancel_newest"
    do_not_reduce: bool = False
    fees: FeeRates | None = None
    """None: it costs nothing."""


class Balance(_Record, frozen=True, kw_only=True):
    """Cash of a client, dollars. `available == balance - held`."""

    client_id: str
    balance: Decimal
    held: Decimal
    available: Decimal


class Holding(_Record, frozen=True, kw_only=True):
    """Shares of a client in one security. `available == quantity - held`."""

    client_id: str
    security: str
    quantity: int
    held: int
    available: int
    borrowed: int = 0
    """Shares that the client owes to the lender's pool, sold or not."""


class Loan(_Record, frozen=True, kw_only=True):
    """A stock loan: shares that must come back, and the cash held for them."""

    security: str
    quantity: int
    mark: Decimal
    value: Decimal
    collateral: Decimal
    initial: Decimal
    """Collateral that the venue asks for when it can be had."""
    maintenance: Decimal
    """Less than this is a call."""
    stage: str
    """open, canceling or closing; while it is closing the venue buys the shares back itself."""
    call: str | None = None
    """margin or recall."""
    call_due_us: int | None = None
    recalled: int = 0


class Lendable(_Record, frozen=True, kw_only=True):
    """Shares of one security in the lender's pool."""

    security: str
    available: int
    lent: int
    mark: Decimal


class LoanReceipt(_Record, frozen=True, kw_only=True):
    """A loan or a return that was done."""

    security: str
    quantity: int
    journal_id: int
    duplicate: bool = False


class SecurityRules(_Record, frozen=True, kw_only=True):
    """One listed security.

    Prices are multiples of `tick` inside the band, quantities multiples of `lot`.
    """

    security: str
    tick: Decimal
    reference_price: Decimal
    lot: int = 1
    name: str = ""
    band_low: Decimal | None = None
    band_high: Decimal | None = None


class Price(_Record, frozen=True, kw_only=True):
    """Last price and best bid and ask; None where there is none."""

    security: str
    last: Decimal | None = None
    bid: Decimal | None = None
    ask: Decimal | None = None


class Level(_Record, frozen=True, kw_only=True):
    """All shares open at one price."""

    price: Decimal
    quantity: int


class Book(_Record, frozen=True, kw_only=True):
    """The best price levels of a security, best first."""

    security: str
    bids: list[Level]
    asks: list[Level]
    sequence: int = 0


class PublicTrade(_Record, frozen=True, kw_only=True):
    """One trade as everybody sees it. `aggressor`: the side that took; None in an auction."""

    trade_id: int
    security: str
    price: Decimal
    quantity: int
    aggressor: str | None
    time_us: int
    status: str = "good"
    """`corrected`: settled at this price and quantity; `busted`: undone."""


class TradeCorrection(_Record, frozen=True, kw_only=True):
    """A trade was busted or corrected: message of the public channel `corrections`."""

    security: str
    trade_id: int
    status: str
    """`busted` or `corrected`."""
    price: Decimal
    """Of a correction, the new one; of a bust, what it had been. The same holds for quantity."""
    quantity: int
    time_us: int
    sequence: int = 0


class Fill(_Record, frozen=True, kw_only=True):
    """One side of a trade: what an own order got."""

    trade_id: int
    order_id: int
    security: str
    side: str
    price: Decimal
    quantity: int
    time_us: int
    sequence: int = 0
    client_order_id: str | None = None
    role: str | None = None
    """`maker` when the order rested, `taker` when it arrived, `auction` in an auction."""
    fee: Decimal = Decimal(0)
    """What it cost on top of the price; below zero: a rebate."""
    trade_status: str = "good"
    """How the trade stands now: `good`, `corrected` or `busted` (FIX ExecType G and H)."""


class OrderReport(_Record, frozen=True, kw_only=True):
    """What happened to an own order (`kind`), and where it stands now (`status`).

    The kinds are those of the `orders` channel: new, triggered, trade, canceled, expired, reduced,
    amended, cancel_rejected, amend_rejected, mass_cancel. The runner adds `rejected` (status
    `rejected`, `reason` the code of the refusal) for an order that the venue did not take.
    `quantity == filled + leaves` while the order works.
    """

    kind: str
    status: str | None = None
    order_id: int | None = None
    client_order_id: str | None = None
    security: str | None = None
    side: str | None = None
    quantity: int = 0
    filled: int = 0
    leaves: int = 0
    price: Decimal | None = None
    """Its limit; None for an order without one."""
    reason: str | None = None
    time_us: int = 0
    trade_id: int | None = None
    last_price: Decimal | None = None
    """Price and shares of the trade that this report tells of."""
    last_quantity: int | None = None
    role: str | None = None
    """`maker` or `taker`, of a trade."""
    fee: Decimal = Decimal(0)
    """What that trade cost on top of its price; below zero: a rebate."""
    trade_status: str = "good"
    """Of a trade, how it stands now: `good`, `corrected` or `busted`."""
    sequence: int = 0


class WorkingOrder(_Record, frozen=True, kw_only=True):
    """An own order that, as far as its owner knows, is open: sent, and not known to have ended."""

    security: str
    side: str
    quantity: int
    leaves: int
    filled: int = 0
    price: Decimal | None = None
    """None for an order without a limit."""
    client_order_id: str | None = None
    """The runner names every order; None for one that another program sent without a name."""
    order_id: int | None = None
    """None until the venue has answered."""
    fees: FeeRates | None = None
    """Until the venue has answered, those of the newest order in this security."""
    is_canceling: bool = False
    """A cancel has been sent; until the venue reports its end the order may still trade."""


class SettlementReport(_Record, frozen=True, kw_only=True):
    """One movement on the own accounts: signed cash and shares, and what is there afterwards."""

    sequence: int
    client_id: str
    client_sequence: int
    settlement_kind: str
    cash: Decimal
    shares: int
    balance: Decimal
    time_us: int
    security: str | None = None
    holding: int | None = None
    trade_id: int | None = None
    order_id: int | None = None
    fee: Decimal = Decimal(0)
    """What a trade cost on top; it is in `cash`. Below zero: a rebate."""
    settlement_cycle: int | None = None
    """Of a trade that settles net: the cycle in which it is due; of a net settlement: its own."""
    settled_cash: Decimal = Decimal(0)
    """Of a net settlement: cash paid to this client; its balance has it since the trades."""
    settled_shares: int = 0
    open_shares: int = 0
    """Of a net settlement: shares that failed and are due again."""
    previous_hash: str = ""
    hash: str = ""


def read(content: Any, record: type[Any]) -> Any:
    """`content` (decoded JSON) as a `record` or a list of them; else msgspec.ValidationError."""
    return msgspec.convert(content, record, strict=False)
