"""Decides a batch: which orders are covered, which repeat, which commands go to the log.

Pure: state in, decisions out. The adapter loads and locks what a batch needs into a DoorState,
`decide` runs over the candidates in order, and the adapter writes holds and log rows in the same
transaction.

Example: ann has $1,000.00, of which 400.00 are held. A buy of 50 at 10.00 needs 500.00 and is
accepted; held is then 900.00. A second one in the same batch needs 500.00 of the 100.00 that are
available and is refused with risk.insufficient_funds.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import msgspec

from order_entry_gateway.domain.logged_commands import Logged, named_order_id
from order_entry_gateway.domain.order_terms import refuse_amended_terms
from order_entry_gateway.domain.repetitions import is_same_order
from order_entry_gateway.domain.trading_phases import Session, SessionCandidate
from order_entry_gateway.domain.validation import (
    AdvanceTimeCandidate,
    AmendCandidate,
    CancelAllCandidate,
    CancelCandidate,
    Candidate,
    DeliveryCandidate,
    PlaceCandidate,
    unknown_order,
)
from venue_protocol.commands import (
    AdvanceTime,
    AmendOrder,
    CancelAllOrders,
    CancelOrder,
    Command,
    PlaceOrder,
)
from venue_protocol.fee_schedule import NO_FEES, FeeSchedule
from venue_protocol.holds import CASH, amend_hold, held_amount, held_asset
from venue_protocol.identifiers import shard_and_number, sharded_id
from venue_protocol.money import format_e4
from venue_protocol.orders import BUY, UNPRICED
from venue_protocol.refusals import Refusal, RejectReason
from venue_protocol.securities import Security
from venue_protocol.times import format_utc


@dataclass(slots=True)
class Funds:
    """One client's position in one asset, as locked in the database.

    Cash in ten-thousandths of a dollar, or shares; `available == quantity - held`.
    """

    quantity: int
    held: int


@dataclass(slots=True)
class Order:
    """A logged order with its terms of now.

    They are those of the record, or those of its newest amend until the engine has answered it.
    `order_id` is None until its number is drawn.
    """

    order_id: int | None
    place: PlaceOrder
    quantity: int
    price_e4: int
    amended_us: int = 0
    """Log time of the newest amend; 0 without one."""
    is_known: bool = True
    """Whether the engine's answer to the newest amend is known."""


@dataclass(slots=True)
class Accepted:
    """A command for the log. `sequence` and `time_us` are drawn after the decision."""

    shard: int
    command: Command
    target: "Order | None" = None
    """For a cancel or amend: the order, whose id may only be drawn in this very batch."""
    sequence: int = 0
    time_us: int = 0
    is_duplicate: bool = False
    """The command is in the log already, or is logged by `original` in this batch."""
    original: "Accepted | None" = None

    @property
    def order_id(self) -> int:
        """Id of the order placed, amended or canceled; 0 for a mass cancel."""
        if type(self.command) is PlaceOrder:
            return sharded_id(self.shard, self.sequence)
        return (self.target.order_id or 0) if self.target else 0


Decision = Accepted | Refusal


@dataclass(slots=True)
class DoorState:
    """Everything that the decisions of a batch depend on; the adapter loads and locks it."""

    funds: dict[tuple[str, str], Funds] = field(default_factory=dict)
    orders: dict[int, Order] = field(default_factory=dict)
    named: dict[tuple[str, str], Logged] = field(default_factory=dict)
    """(client_id, client_order_id) of commands in the log."""
    securities: Mapping[str, Security] = field(default_factory=dict)
    session: Session = field(default_factory=Session)
    fees: FeeSchedule = NO_FEES
    """From which accepted orders get their rates."""
    changed: set[tuple[str, str]] = field(default_factory=set)
    """Keys of funds whose hold was raised."""
    placed: dict[tuple[str, str], Accepted] = field(default_factory=dict)
    """(client_id, client_order_id) of commands of this batch."""
    timers: set[tuple[str, int]] = field(default_factory=set)
    """Name and due_us of the due timers that this batch takes."""
    close_outs: set[str] = field(default_factory=set)
    """Names of the close-out orders of this batch that still wait to be logged."""
    now_us: int = 0
    log_times_us: dict[int, int] = field(default_factory=dict)
    """Newest time in the log of each shard in which an order of the batch is to expire."""


def decide(candidates: Sequence[Candidate], state: DoorState) -> list[Decision]:
    """A decision for each candidate, in order; `state` has the holds of those accepted."""
    return [_decide(candidate, state) for candidate in candidates]


def _decide(candidate: Candidate, state: DoorState) -> Decision:
    if type(candidate) is PlaceCandidate:
        return _decide_place(candidate, state)
    if type(candidate) is CancelCandidate:
        return _decide_cancel(candidate, state)
    if type(candidate) is AmendCandidate:
        return _decide_amend(candidate, state)
    if type(candidate) is AdvanceTimeCandidate:
        return Accepted(candidate.shard, AdvanceTime())
    if type(candidate) is DeliveryCandidate:
        refusal = _hold(candidate.client_id, CASH, candidate.deposit_e4, state)
        return refusal or Accepted(candidate.shard, candidate.command)
    if type(candidate) is SessionCandidate:
        command = state.session.decide(candidate.shard, candidate.command, state.securities)
        return command if isinstance(command, Refusal) else Accepted(candidate.shard, command)
    assert type(candidate) is CancelAllCandidate
    # If its timer is gone, another gateway has canceled already, or the client has restarted it.
    is_done = candidate.timer is not None and candidate.timer not in state.timers
    return Accepted(
        candidate.shard,
        CancelAllOrders(candidate.client_id, candidate.security_id),
        is_duplicate=is_done,
    )


def _decide_place(candidate: PlaceCandidate, state: DoorState) -> Decision:
    if candidate.is_close_out and candidate.client_order_id not in state.close_outs:
        # Another gateway has logged it, or the clearinghouse has taken it back.
        return unknown_order(candidate.client_order_id)
    command = PlaceOrder(
        candidate.client_id,
        candidate.security.security_id,
        candidate.side,
        candidate.order_type,
        candidate.time_in_force,
        candidate.quantity,
        candidate.price_e4,
        candidate.client_order_id,
        candidate.terms,
    )
    if not state.session.is_continuous(candidate.security.shard, command.security_id):
        # The auction's reference, should the security be listed after the phase began.
        reference_e4 = candidate.security.reference_price_e4
        command = msgspec.structs.replace(command, reference_price_e4=reference_e4)
    earlier = _earlier(candidate.client_id, candidate.client_order_id, state)
    if earlier is not None:
        return _repeat(earlier, is_same_order(earlier.command, command), candidate.client_order_id)
    expires_us = candidate.terms.expires_us if candidate.terms is not None else None
    now_us = max(state.now_us, state.log_times_us.get(candidate.security.shard, 0))
    if expires_us is not None and expires_us <= now_us:
        message = f"expire_time {format_utc(expires_us)} is over: it is {format_utc(now_us)}"
        return Refusal(RejectReason.EXPIRE_TIME_PAST, message, "expire_time")
    rates, side = state.fees.rates(candidate.client_id, command.security_id), candidate.side
    held_bps = 0
    if rates is not None and not candidate.is_close_out:
        # A close-out pays no fee: its limit is all that the waterfall has given for a share.
        command, held_bps = msgspec.structs.replace(command, fees=rates), rates.held_bps
    amount = held_amount(side, candidate.price_e4, candidate.quantity, held_bps)
    refusal = state.session.refuse(
        candidate.security, candidate.order_type, candidate.time_in_force, candidate.unless_repeated
    ) or _hold(
        candidate.client_id,
        held_asset(side, command.security_id),
        amount,
        state,
        amount - candidate.price_e4 * candidate.quantity if held_bps and side == BUY else 0,
    )
    if refusal is not None:
        return refusal
    order = Order(None, command, candidate.quantity, candidate.price_e4)
    return _accept(
        Accepted(candidate.security.shard, command, order), candidate.client_order_id, state
    )


def _decide_cancel(candidate: CancelCandidate, state: DoorState) -> Decision:
    order = _find(candidate, state)
    if isinstance(order, Refusal):
        return order
    # An order placed in this batch has no id yet; the command gets it when the id is drawn.
    return Accepted(
        _shard_of(order, state), CancelOrder(candidate.client_id, order.order_id or 0), order
    )


def _decide_amend(candidate: AmendCandidate, state: DoorState) -> Decision:
    order = _find(candidate, state)
    if isinstance(order, Refusal):
        return order
    earlier = _earlier(candidate.client_id, candidate.client_order_id, state)
    if earlier is not None:
        return _repeat(
            earlier, _is_same_amend(earlier, candidate, order), candidate.client_order_id
        )
    security = state.securities.get(order.place.security_id)
    if security is None:
        # Listed, and ordered through another gateway, since this one read the list.
        message = "the security was listed a moment ago, nothing was done: ask again in a second"
        return Refusal(RejectReason.NOT_READY, message)
    quantity = order.quantity if candidate.quantity is None else candidate.quantity
    price_e4 = order.price_e4 if candidate.price_e4 is None else candidate.price_e4
    refusal = (
        state.session.refuse_amend(security)
        or security.refuse_quantity(quantity)
        or refuse_amended_terms(order.place, candidate.price_e4, quantity)
    )
    if order.place.order_type not in UNPRICED:
        refusal = refusal or security.refuse_price(price_e4)
    if refusal is not None:
        return refusal
    side = order.place.side
    held_bps = order.place.fees.held_bps if order.place.fees is not None else 0
    added = amend_hold(side, order.price_e4, order.quantity, price_e4, quantity, held_bps)
    command = AmendOrder(
        candidate.client_id,
        order.order_id or 0,
        quantity,
        price_e4,
        added,
        candidate.client_order_id,
        order.place.security_id,
        side,
    )
    if (quantity, price_e4) == (order.quantity, order.price_e4):
        asked = "the order has" if order.is_known else "an amend that is not answered yet asks for"
        return Refusal(
            RejectReason.AMEND_CHANGES_NOTHING, f"{asked} these terms already", "quantity"
        )
    refusal = _hold(candidate.client_id, held_asset(side, order.place.security_id), added, state)
    if refusal is not None:
        return refusal
    order.quantity, order.price_e4, order.is_known = quantity, price_e4, False
    return _accept(Accepted(security.shard, command, order), candidate.client_order_id, state)


def _hold(
    client_id: str, asset: str, amount: int, state: DoorState, fee_e4: int = 0
) -> Refusal | None:
    """Raise the hold by `amount`, or refuse it with the numbers; `fee_e4` of it is for a fee."""
    if amount == 0:
        return None
    funds = state.funds.get((client_id, asset)) or Funds(0, 0)
    available = funds.quantity - funds.held
    if amount > available:
        if asset == CASH:
            fee = f" with the highest fee of {format_e4(fee_e4)}" if fee_e4 else ""
            message = f"needs {format_e4(amount)}{fee}, available is {format_e4(available)}"
            details = {"needed": format_e4(amount), "available": format_e4(available)}
            return Refusal(RejectReason.INSUFFICIENT_FUNDS, message, "quantity", details)
        message = f"needs {amount} shares of {asset}, available is {available}"
        shares = {"needed": amount, "available": available}
        return Refusal(RejectReason.INSUFFICIENT_SHARES, message, "quantity", shares)
    funds.held += amount
    state.changed.add((client_id, asset))
    return None


def _accept(accepted: Accepted, client_order_id: str | None, state: DoorState) -> Accepted:
    if client_order_id is not None:
        state.placed[accepted.command.client_id, client_order_id] = accepted
    return accepted


def _earlier(client_id: str, client_order_id: str | None, state: DoorState) -> Accepted | None:
    """The command that used this name before: in this batch, or in the log."""
    if client_order_id is None:
        return None
    name = (client_id, client_order_id)
    placed = state.placed.get(name)
    if placed is not None:
        return Accepted(
            placed.shard, placed.command, placed.target, is_duplicate=True, original=placed
        )
    logged = state.named.get(name)
    if logged is None:
        return None
    target = (
        state.orders.get(logged.command.order_id) if type(logged.command) is AmendOrder else None
    )
    return Accepted(
        logged.shard, logged.command, target, logged.sequence, logged.time_us, is_duplicate=True
    )


def _repeat(earlier: Accepted, is_same: bool, client_order_id: str | None) -> Decision:
    """The first answer again if the request is the same; else a conflict."""
    if is_same:
        return earlier
    return Refusal(
        RejectReason.CLIENT_ORDER_ID_REUSED,
        f"client_order_id {client_order_id} stands for another request",
        "client_order_id",
    )


def _is_same_amend(earlier: Accepted, candidate: AmendCandidate, order: Order) -> bool:
    """Whether the earlier command is what this candidate asks for.

    A term that is left out meant the order's own, which may have changed since, so it is not
    compared.
    """
    known = earlier.command
    return (
        type(known) is AmendOrder
        and earlier.target is order
        and candidate.quantity in (None, known.quantity)
        and candidate.price_e4 in (None, known.price_e4)
    )


def _find(candidate: CancelCandidate | AmendCandidate, state: DoorState) -> Order | Refusal:
    """The order a cancel or amend names, if it is the sender's.

    The name of an amend names the amended order.
    """
    if candidate.order_id is not None:
        order = state.orders.get(candidate.order_id)
        if order is None:
            return unknown_order(candidate.order_id)
        if order.place.client_id != candidate.client_id:
            return Refusal(
                RejectReason.FORBIDDEN, "this order belongs to another client", "order_id"
            )
        return order
    name = (candidate.client_id, candidate.target_client_order_id or "")
    accepted = state.placed.get(name)
    if accepted is not None and accepted.target is not None:
        return accepted.target
    logged = state.named.get(name)
    found = state.orders.get(named_order_id(logged)) if logged is not None else None
    return found or unknown_order(candidate.target_client_order_id)


def _shard_of(order: Order, state: DoorState) -> int:
    if order.order_id is not None:
        return shard_and_number(order.order_id)[0]
    return state.securities[order.place.security_id].shard
