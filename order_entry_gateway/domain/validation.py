"""Checks requests against the rules of their security.

A request becomes a candidate: it is well formed and obeys the rules, but is not covered or logged
yet. Example: a buy of 10 at 10.055 where the tick is 0.01 is refused with price.off_tick.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from order_entry_gateway.domain.order_terms import check_terms
from order_entry_gateway.domain.recorded_order import RecordedOrder
from order_entry_gateway.domain.requests import (
    AmendAction,
    CancelAction,
    CancelAllAction,
    PlaceOrderRequest,
)
from order_entry_gateway.domain.trading_phases import SessionCandidate
from venue_protocol.commands import ExemptShares, NotifyBuyIn
from venue_protocol.identifiers import SHARD_BITS
from venue_protocol.money import MoneyError, parse_json_e4
from venue_protocol.orders import (
    BUY,
    DAY,
    GTC,
    GTD,
    IOC,
    LIMIT,
    MARKET,
    STOP,
    STOP_LIMIT,
    STOPS,
    UNPRICED,
    OrderTerms,
    OrderType,
    Side,
    TimeInForce,
)
from venue_protocol.refusals import Refusal, RejectReason
from venue_protocol.securities import Security

_NO_PRICE = b"null"
_LARGEST_ID = 1 << 53
"""The largest whole number that every JSON reader keeps exact."""


@dataclass(slots=True)
class PlaceCandidate:
    """An order that obeys the rules of its security.

    `price_e4` is its limit, or the edge of the price band if it has none.
    """

    client_id: str
    security: Security
    side: Side
    order_type: OrderType
    time_in_force: TimeInForce
    quantity: int
    price_e4: int
    client_order_id: str | None
    terms: OrderTerms | None = None
    is_close_out: bool = False
    """An order of the clearinghouse: logged only while it waits there, and removed with it."""
    unless_repeated: Refusal | None = None
    """Why it is refused, unless it repeats an order that was logged before a corporate action."""


@dataclass(slots=True)
class AmendCandidate:
    """New terms for the order named by one of the two ids; None leaves a term as it is."""

    client_id: str
    order_id: int | None
    target_client_order_id: str | None
    quantity: int | None
    price_e4: int | None
    client_order_id: str | None
    recorded: RecordedOrder | None = None
    """The order as recorded, if it is in the record."""


@dataclass(slots=True)
class CancelCandidate:
    """A cancel of the order named by one of the two ids."""

    client_id: str
    order_id: int | None
    target_client_order_id: str | None


@dataclass(slots=True)
class CancelAllCandidate:
    """A cancel of all orders of a client on one shard, or of those in one security."""

    client_id: str
    shard: int
    security_id: str | None
    timer: tuple[str, int] | None = None
    """Name and due_us of the timer that caused the cancel.

    It is removed in the transaction that logs the cancel, so that it cancels once.
    """


@dataclass(slots=True)
class DeliveryCandidate:
    """What a client asks for its deliveries in cycles; the deposit is to be held."""

    shard: int
    command: ExemptShares | NotifyBuyIn

    @property
    def client_id(self) -> str:
        """The client that asks."""
        return self.command.client_id

    @property
    def deposit_e4(self) -> int:
        """Cash to hold."""
        return self.command.deposit_e4 if isinstance(self.command, ExemptShares) else 0


@dataclass(slots=True)
class AdvanceTimeCandidate:
    """Lets time pass in a shard in which something is due."""

    shard: int


Candidate = (
    PlaceCandidate
    | AmendCandidate
    | CancelCandidate
    | CancelAllCandidate
    | AdvanceTimeCandidate
    | DeliveryCandidate
    | SessionCandidate
)


def check_place(
    request: PlaceOrderRequest, client_id: str, securities: Mapping[str, Security]
) -> PlaceCandidate | Refusal:
    """The candidate for a place request, or why not."""
    security = securities.get(request.security)
    if security is None:
        return unknown_security(request.security)
    checked = _check_place(request, client_id, security)
    if (
        security.action_id
        and request.client_order_id is not None
        and isinstance(checked, Refusal)
        and checked.reason in _BY_ACTIONS
    ):
        repeated = _check_place(request, client_id, _as_before(security))
        if isinstance(repeated, PlaceCandidate):
            repeated.security, repeated.unless_repeated = security, checked
            return repeated
    return checked


_BY_ACTIONS = (RejectReason.PRICE_OUTSIDE_BAND, RejectReason.SECURITY_DELISTED)
"""Reasons that a corporate action gives for an order that was right before it."""


class _AnyPrice(Security, frozen=True):
    """A security as it may have been before its corporate actions: around any price."""

    def refuse_price(self, price_e4: int, field: str = "price") -> Refusal | None:
        """The refusal of a price that was never right."""
        refusal = super().refuse_price(price_e4, field)
        is_of_now = refusal is not None and refusal.reason is RejectReason.PRICE_OUTSIDE_BAND
        return None if is_of_now else refusal

    def refuse_delisted(self) -> Refusal | None:
        """It was listed."""
        return None


def _as_before(security: Security) -> Security:
    return _AnyPrice(**msgspec.structs.asdict(security))


def _check_place(
    request: PlaceOrderRequest, client_id: str, security: Security
) -> PlaceCandidate | Refusal:
    refusal = security.refuse_delisted() or security.refuse_quantity(request.quantity)
    if refusal is not None:
        return refusal
    price_e4 = _price_e4(bytes(request.price))
    if isinstance(price_e4, Refusal):
        return price_e4
    time_in_force = _time_in_force(request)
    if isinstance(time_in_force, Refusal):
        return time_in_force
    bounded_e4 = _bounded_e4(request, security, price_e4)
    if isinstance(bounded_e4, Refusal):
        return bounded_e4
    terms = check_terms(request, time_in_force, security)
    if isinstance(terms, Refusal):
        return terms
    return PlaceCandidate(
        client_id,
        security,
        request.side,
        request.type,
        time_in_force,
        request.quantity,
        bounded_e4,
        request.client_order_id,
        terms,
    )


def check_amend(action: AmendAction, client_id: str) -> AmendCandidate | Refusal:
    """The candidate for an amend, or why not.

    Price and quantity are checked against the security once the order is known.
    """
    refusal = _one_name(action.order_id, action.client_order_id)
    if refusal is not None:
        return refusal
    price_e4 = _price_e4(bytes(action.price))
    if isinstance(price_e4, Refusal):
        return price_e4
    if price_e4 is None and action.quantity is None:
        return Refusal(
            RejectReason.AMEND_CHANGES_NOTHING,
            "send a new quantity, a new price, or both",
            "quantity",
        )
    return AmendCandidate(
        client_id,
        action.order_id,
        action.client_order_id,
        action.quantity,
        price_e4,
        action.amend_id,
    )


def check_cancel(action: CancelAction, client_id: str) -> CancelCandidate | Refusal:
    """The candidate for a cancel, or why not."""
    refusal = _one_name(action.order_id, action.client_order_id)
    return refusal or CancelCandidate(client_id, action.order_id, action.client_order_id)


def check_cancel_all(
    action: CancelAllAction, client_id: str, securities: Mapping[str, Security]
) -> list[CancelAllCandidate] | Refusal:
    """One candidate for each shard concerned, or why not."""
    if action.security is not None:
        security = securities.get(action.security)
        if security is None:
            return unknown_security(action.security)
        refusal = security.refuse_delisted()
        if refusal is not None:
            return refusal
        return [CancelAllCandidate(client_id, security.shard, security.security_id)]
    shards = sorted({security.shard for security in securities.values()})
    return [CancelAllCandidate(client_id, shard, None) for shard in shards]


def _bounded_e4(
    request: PlaceOrderRequest, security: Security, price_e4: int | None
) -> int | Refusal:
    """The limit; or, for an order without one, the edge of the band.

    The edge is the worst price at which such an order may trade, so that its hold is known.
    Example: at a reference of 100.00 and a band of 50 %, a market buy of 10 holds 1,500.00.
    """
    if request.type not in UNPRICED:
        if price_e4 is None:
            return Refusal(
                RejectReason.PRICE_REQUIRED, f"a {request.type} order needs a price", "price"
            )
        return security.refuse_price(price_e4) or price_e4
    if price_e4 is not None:
        other = STOP_LIMIT if request.type == STOP else LIMIT
        message = f"a {request.type} order has no price; send type {other}"
        return Refusal(RejectReason.PRICE_NOT_ALLOWED, message, "price")
    return security.band_high_e4 if request.side == BUY else security.band_low_e4


def _time_in_force(request: PlaceOrderRequest) -> TimeInForce | Refusal:
    """The time in force asked for, or the default of the order type.

    A market order never rests, and a stop order always waits.
    """
    asked, is_market = request.time_in_force, request.type == MARKET
    if asked is None:
        return IOC if is_market else GTC
    may_rest = asked in (GTC, GTD, DAY)
    if is_market and may_rest:
        message = "a market order never rests: send IOC or FOK, or OPG or CLS for an auction"
    elif request.type in STOPS and not may_rest:
        message = f"a {request.type} order waits for its price: send GTC, GTD or DAY"
    else:
        return asked
    return Refusal(RejectReason.TIME_IN_FORCE_NOT_ALLOWED, message, "time_in_force")


def _price_e4(raw: bytes) -> int | Refusal | None:
    if raw == _NO_PRICE:
        return None
    try:
        return parse_json_e4(raw)
    except MoneyError as error:
        return Refusal(RejectReason.INVALID_FIELD, f"price: {error}", "price")


def _one_name(order_id: int | None, client_order_id: str | None) -> Refusal | None:
    if (order_id is None) == (client_order_id is None):
        return Refusal(
            RejectReason.MISSING_FIELD,
            "name the order by order_id or by client_order_id",
            "order_id",
        )
    if order_id is not None and not 0 < order_id < _LARGEST_ID:
        return unknown_order(order_id)
    return None


def unknown_order(name: object) -> Refusal:
    """The refusal for an order that does not exist."""
    return Refusal(RejectReason.UNKNOWN_ORDER, f"no order {name}", "order_id")


def unknown_security(security_id: str) -> Refusal:
    """The refusal for a security that is not listed."""
    return Refusal(RejectReason.UNKNOWN_SECURITY, f"no security {security_id[:32]!r}", "security")


assert _LARGEST_ID > 1 << SHARD_BITS
