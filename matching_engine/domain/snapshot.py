"""The state of an engine as plain records: what a snapshot file holds. The same state gives the
same bytes.
"""

import msgspec

from matching_engine.domain.book import BookSide, Order
from matching_engine.domain.day_state import DayState
from matching_engine.domain.ended_orders import EndedOrders
from matching_engine.domain.stops import StopBook
from venue_protocol.fees import FeeRates
from venue_protocol.orders import OrderTerms, Side
from venue_protocol.settlement_modes import SettlementPlan

SNAPSHOT_SCHEMA = 3


class SnapshotError(ValueError):
    """The bytes are not a snapshot that this engine can read."""


class RestingOrder(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """One open order; its place in the list is its place in the queue."""

    order_id: int
    client_id: str
    price_e4: int
    quantity: int
    leaves: int
    terms: OrderTerms | None
    reserve: int


class WaitingStop(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """One stop that was not elected yet."""

    order_id: int
    client_id: str
    side: Side
    price_e4: int
    quantity: int
    terms: OrderTerms
    becomes_market: bool


class BookState(msgspec.Struct, frozen=True, array_like=True):
    """One book, both sides in priority order, the stops oldest first."""

    security_id: str
    bids: list[RestingOrder]
    asks: list[RestingOrder]
    stops: list[WaitingStop]
    last_e4: int | None


class EndedState(msgspec.Struct, frozen=True, array_like=True):
    """One generation of ended orders, by rising id."""

    order_ids: list[int]
    codes: list[int]


class EngineState(msgspec.Struct, frozen=True, omit_defaults=True):
    """All that an engine knows. Books in the order in which they were opened."""

    schema: int
    shard: int
    log_position: int
    event_position: int
    trade_count: int
    time_us: int
    books: list[BookState]
    ended_recent: EndedState
    ended_earlier: EndedState
    day: DayState
    fees: list[tuple[int, FeeRates]] = []
    """Rates of the open orders that cost something, by rising id. Snapshots of older versions have
    none.
    """
    settlement: SettlementPlan | None = None
    """None, and left out, while no administrator has commanded one."""


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(EngineState)


def encode_state(state: EngineState) -> bytes:
    """The snapshot's bytes."""
    return _encoder.encode(state)


def decode_state(body: bytes) -> EngineState:
    """The state in a snapshot; SnapshotError if it is none, or of another schema."""
    try:
        state: EngineState = _decoder.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise SnapshotError(str(error)) from error
    if state.schema != SNAPSHOT_SCHEMA:
        raise SnapshotError(f"snapshot schema {state.schema} is not {SNAPSHOT_SCHEMA}")
    return state


def settlement_state(plan: SettlementPlan) -> SettlementPlan | None:
    """A copy of how the shard settles; None if that is the default."""
    return None if plan == SettlementPlan() else msgspec.structs.replace(plan)


def resting_orders(book_side: BookSide) -> list[RestingOrder]:
    """The orders of a book side in priority order."""
    return [
        RestingOrder(
            order.order_id,
            order.owner.client_id,
            order.price_e4,
            order.quantity,
            order.leaves,
            order.terms,
            order.reserve,
        )
        for order in book_side.orders()
    ]


def waiting_stops(stops: StopBook[Order]) -> list[WaitingStop]:
    """The stops of a book, oldest first."""
    return [
        WaitingStop(
            stop.order.order_id,
            stop.order.owner.client_id,
            stop.side,
            stop.order.price_e4,
            stop.order.quantity,
            stop.order.terms,
            stop.becomes_market,
        )
        for stop in stops.stops()
        if stop.order.terms is not None
    ]


def ended_state(generation: dict[int, int]) -> EndedState:
    """A generation of ended orders as two parallel lists."""
    order_ids = sorted(generation)
    return EndedState(order_ids, [generation[order_id] for order_id in order_ids])


def ended_orders(recent: EndedState, earlier: EndedState) -> EndedOrders:
    """What `ended_state` was made of."""
    ended = EndedOrders()
    ended.recent = dict(zip(recent.order_ids, recent.codes, strict=True))
    ended.earlier = dict(zip(earlier.order_ids, earlier.codes, strict=True))
    return ended
