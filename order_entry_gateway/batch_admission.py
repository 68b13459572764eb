"""Writes one batch to the order log, in one transaction.

It loads and locks what the batch needs, decides in pure code, draws the numbers, and appends.
"""

from collections.abc import Mapping, Sequence

import msgspec

from order_entry_gateway import close_out_orders
from order_entry_gateway.domain.coverage import (
    Accepted,
    Decision,
    DoorState,
    Funds,
    Order,
    decide,
)
from order_entry_gateway.domain.logged_commands import Logged, named_order_id
from order_entry_gateway.domain.trading_phases import SessionCandidate
from order_entry_gateway.domain.validation import (
    AmendCandidate,
    CancelAllCandidate,
    CancelCandidate,
    Candidate,
    DeliveryCandidate,
    PlaceCandidate,
)
from order_entry_gateway.ports import LogTransaction
from venue_protocol import codec
from venue_protocol.commands import (
    AdvanceTime,
    AmendOrder,
    ApplyCorporateAction,
    CancelOrder,
    PlaceOrder,
    SetPhase,
    SetSettlement,
    SetVolatilityBands,
)
from venue_protocol.corporate_actions import CashDividend
from venue_protocol.fee_schedule import NO_FEES, FeeSchedule
from venue_protocol.holds import CASH
from venue_protocol.identifiers import shard_and_number, sharded_id
from venue_protocol.orders import BUY
from venue_protocol.securities import Security, current_symbol
from venue_protocol.settlement_modes import next_cycle_us
from venue_storage.clearing_rows import LogRow


class AppendedBatch(msgspec.Struct):
    """What one commit appended to one shard's log: the bytes to publish, and their sequences."""

    shard: int
    first: int
    last: int
    body: bytes


def append(
    transaction: LogTransaction,
    candidates: Sequence[Candidate],
    securities: Mapping[str, Security],
    now_us: int,
    fees: FeeSchedule = NO_FEES,
) -> tuple[list[Decision], list[AppendedBatch]]:
    """Decide the candidates and write holds and log rows; the caller commits.

    One decision for each candidate. The order of the steps is the lock order of LogTransaction, so
    that two gateways never wait for each other in a circle.
    """
    state = DoorState(securities=securities, now_us=now_us, fees=fees)
    kinds = {type(candidate) for candidate in candidates}
    if CancelAllCandidate in kinds:
        _take_timers(transaction, candidates, state)
    if PlaceCandidate in kinds:
        close_out_orders.lock(transaction, candidates, state)
    _load_named(transaction, candidates, state)
    if not kinds.isdisjoint(_NAMING_ORDERS):
        _load_orders(transaction, candidates, state)
        _load_amended_terms(transaction, candidates, state)
    if PlaceCandidate in kinds:
        _load_log_times(transaction, candidates, state)
    _lock_session(transaction, candidates, state)
    _lock_funds(transaction, candidates, state)
    decisions = decide(candidates, state)
    fresh = [
        decision
        for decision in decisions
        if isinstance(decision, Accepted) and not decision.is_duplicate
    ]
    appended = [
        _append_shard(
            transaction, shard, [accepted for accepted in fresh if accepted.shard == shard], now_us
        )
        for shard in sorted({accepted.shard for accepted in fresh})
    ]
    for decision in decisions:
        if isinstance(decision, Accepted) and decision.original is not None:
            decision.sequence, decision.time_us = (
                decision.original.sequence,
                decision.original.time_us,
            )
    if state.close_outs:
        close_out_orders.remove(transaction, fresh, state)
    _write_holds(transaction, state)
    _write_session(transaction, fresh, state)
    return decisions, appended


_NAMING_ORDERS = (CancelCandidate, AmendCandidate)


def _load_log_times(
    transaction: LogTransaction, candidates: Sequence[Candidate], state: DoorState
) -> None:
    """How far the log is in the shards in which an order is to expire at some time.

    The engine goes by the log's time: where a clock once was ahead, so is the log.
    """
    shards = {
        candidate.security.shard
        for candidate in candidates
        if type(candidate) is PlaceCandidate
        and candidate.terms is not None
        and candidate.terms.expires_us is not None
    }
    state.log_times_us = {shard: transaction.log_time_us(shard) for shard in sorted(shards)}


def _take_timers(
    transaction: LogTransaction, candidates: Sequence[Candidate], state: DoorState
) -> None:
    due = {
        candidate.timer
        for candidate in candidates
        if type(candidate) is CancelAllCandidate and candidate.timer
    }
    if due:
        state.timers.update(transaction.take_timers(sorted(due)))


def _lock_session(
    transaction: LogTransaction, candidates: Sequence[Candidate], state: DoorState
) -> None:
    """Load and lock the commanded phases.

    Orders share the lock and a phase takes it alone, so orders and phases are in the log in the
    order in which they were decided.
    """
    is_changing = any(isinstance(candidate, SessionCandidate) for candidate in candidates)
    if is_changing or any(
        isinstance(candidate, PlaceCandidate | AmendCandidate) for candidate in candidates
    ):
        state.session.load(transaction.session_phases(is_changing))
        if is_changing and state.session.actions:
            shards = {shard for shard, _ in state.session.actions}
            state.session.settled = {shard: transaction.settled(shard) for shard in sorted(shards)}


def _write_session(
    transaction: LogTransaction, fresh: Sequence[Accepted], state: DoorState
) -> None:
    for accepted in fresh:
        if isinstance(accepted.command, SetPhase | ApplyCorporateAction):
            state.session.logged(
                accepted.shard, accepted.command, accepted.time_us, accepted.sequence
            )
        elif type(accepted.command) is SetSettlement:
            state.session.settlement_logged(accepted.shard, accepted.command, accepted.time_us)
    if state.session.rows:
        transaction.put_session_phases(sorted(state.session.rows.values(), key=lambda row: row[:2]))
    if state.session.bands:
        transaction.put_session_bands(sorted(state.session.bands.values(), key=lambda row: row[:2]))
    if state.session.settlements:
        transaction.put_settlements(sorted(state.session.settlements.values()))


def _load_named(
    transaction: LogTransaction, candidates: Sequence[Candidate], state: DoorState
) -> None:
    """Commands in the log under the client_order_ids that the batch uses or refers to."""
    names = set()
    for candidate in candidates:
        if (
            isinstance(candidate, PlaceCandidate | AmendCandidate)
            and candidate.client_order_id is not None
        ):
            names.add((candidate.client_id, candidate.client_order_id))
        if (
            isinstance(candidate, AmendCandidate | CancelCandidate)
            and candidate.target_client_order_id is not None
        ):
            names.add((candidate.client_id, candidate.target_client_order_id))
    if not names:
        return
    for shard, sequence, time_us, client_id, client_order_id, text in transaction.named(
        sorted(names)
    ):
        logged = Logged(shard, sequence, time_us, codec.decode_command(text))
        state.named[client_id, client_order_id] = logged
        if type(logged.command) is PlaceOrder:
            _remember(state, sharded_id(shard, sequence), logged.command)


def _load_orders(
    transaction: LogTransaction, candidates: Sequence[Candidate], state: DoorState
) -> None:
    """Load the orders that cancels and amends name by id, or by the name of an earlier amend."""
    ids = {
        candidate.order_id
        for candidate in candidates
        if isinstance(candidate, AmendCandidate | CancelCandidate)
        and candidate.order_id is not None
    }
    ids |= {
        logged.command.order_id
        for logged in state.named.values()
        if type(logged.command) is AmendOrder
    }
    wanted = [shard_and_number(order_id) for order_id in sorted(ids - state.orders.keys())]
    if not wanted:
        return
    for shard, sequence, text in transaction.commands(wanted):
        command = codec.decode_command(text)
        if type(command) is PlaceOrder:
            _remember(state, sharded_id(shard, sequence), command)


def _load_amended_terms(
    transaction: LogTransaction, candidates: Sequence[Candidate], state: DoorState
) -> None:
    """Load price and quantity of each order.

    They are those of its newest amend, or those of the record once it has the answer to that amend.
    """
    if not state.orders:
        return
    for time_us, text in transaction.newest_amends(list(state.orders)):
        amend = codec.decode_command(text)
        assert type(amend) is AmendOrder
        order = state.orders[amend.order_id]
        order.quantity, order.price_e4 = amend.quantity, amend.price_e4
        order.amended_us, order.is_known = time_us, False
    for candidate in candidates:
        recorded = candidate.recorded if isinstance(candidate, AmendCandidate) else None
        known = state.orders.get(recorded.order_id) if recorded is not None else None
        if recorded is not None and known is not None and recorded.known_us >= known.amended_us:
            known.quantity, known.price_e4, known.is_known = (
                recorded.quantity,
                recorded.price_e4,
                True,
            )


def _lock_funds(
    transaction: LogTransaction, candidates: Sequence[Candidate], state: DoorState
) -> None:
    """Lock and read the accounts and deposits on which the batch may place holds."""
    clients, deposits = set(), set()
    for candidate in candidates:
        if isinstance(candidate, PlaceCandidate):
            side, security_id = candidate.side, candidate.security.security_id
        elif isinstance(candidate, AmendCandidate):
            order = _amended_order(candidate, state)
            if order is None:
                # Unknown, or placed in this batch: then its own candidate locks what it needs.
                continue
            side, security_id = order.place.side, order.place.security_id
        elif isinstance(candidate, DeliveryCandidate) and candidate.deposit_e4:
            side, security_id = BUY, candidate.command.security_id
        else:
            continue
        if side == BUY:
            clients.add(candidate.client_id)
        else:
            deposits.add((candidate.client_id, security_id))
    if clients:
        for client_id, balance_e4, held_e4 in transaction.lock_accounts(sorted(clients)):
            state.funds[client_id, CASH] = Funds(balance_e4, held_e4)
    if deposits:
        for client_id, security_id, quantity, held in transaction.lock_deposits(sorted(deposits)):
            state.funds[client_id, security_id] = Funds(quantity, held)


def _amended_order(candidate: AmendCandidate, state: DoorState) -> Order | None:
    if candidate.order_id is not None:
        return state.orders.get(candidate.order_id)
    logged = state.named.get((candidate.client_id, candidate.target_client_order_id or ""))
    return state.orders.get(named_order_id(logged)) if logged is not None else None


def _append_shard(
    transaction: LogTransaction, shard: int, fresh: list[Accepted], now_us: int
) -> AppendedBatch:
    """Draw sequences, complete the commands with them, append."""
    first, time_us = transaction.draw_sequences(shard, len(fresh), now_us)
    encoded = []
    for sequence, accepted in enumerate(fresh, first):
        accepted.sequence, accepted.time_us = sequence, time_us
        encoded.append(codec.encode(_completed(accepted)))
    transaction.append(
        [_log_row(accepted, text) for accepted, text in zip(fresh, encoded, strict=True)]
    )
    expiries = {due_us for accepted in fresh for due_us in _due_us(accepted)}
    if expires := sorted(expiries):
        transaction.expect_expiries(shard, expires)
    if any(type(accepted.command) is AdvanceTime for accepted in fresh):
        transaction.forget_expiries(shard, time_us)
        if transaction.has_bands(shard):
            # Only the engine knows what a band stops, pauses and reopens, so it gets the time
            # once a second.
            transaction.expect_expiries(shard, [_next_second_us(time_us)])
        interval_us = transaction.cycle_interval_us(shard)
        if interval_us is not None:
            transaction.expect_expiries(shard, [next_cycle_us(time_us, interval_us)])
    body = codec.encode_command_batch(shard, first, time_us, encoded)
    return AppendedBatch(shard, first, first + len(fresh) - 1, body)


def _due_us(accepted: Accepted) -> tuple[int, ...]:
    """When the time of the log must pass: for an expiry, a phase's end, a band's next second, the
    end of a settlement cycle, a dividend's dates.
    """
    command = accepted.command
    if type(command) is PlaceOrder:
        expires_us = command.terms.expires_us if command.terms is not None else None
        return () if expires_us is None else (expires_us,)
    if type(command) is SetPhase and command.lasts_us is not None:
        return (accepted.time_us + command.lasts_us,)
    if type(command) is SetVolatilityBands and command.band_bps is not None:
        return (_next_second_us(accepted.time_us),)
    if type(command) is ApplyCorporateAction and isinstance(command.action, CashDividend):
        return command.action.ex_us, command.action.pay_us
    if type(command) is SetSettlement and command.interval_us is not None:
        return (next_cycle_us(accepted.time_us, command.interval_us),)
    return ()


def _next_second_us(time_us: int) -> int:
    return (time_us // 1_000_000 + 1) * 1_000_000


def _log_row(accepted: Accepted, encoded: bytes) -> LogRow:
    command = accepted.command
    return LogRow(
        accepted.shard,
        accepted.sequence,
        accepted.time_us,
        command.client_id,
        command.client_order_id if isinstance(command, PlaceOrder | AmendOrder) else None,
        command.order_id if type(command) is AmendOrder else None,
        encoded.decode(),
    )


def _completed(accepted: Accepted) -> object:
    """The command with the order id that was unknown when it was decided, in the same batch."""
    command, target = accepted.command, accepted.target
    if type(command) is PlaceOrder and target is not None:
        target.order_id = sharded_id(accepted.shard, accepted.sequence)
    elif (
        isinstance(command, CancelOrder | AmendOrder)
        and command.order_id == 0
        and target is not None
    ):
        accepted.command = msgspec.structs.replace(command, order_id=target.order_id)
    return accepted.command


def _write_holds(transaction: LogTransaction, state: DoorState) -> None:
    cash = sorted(key for key in state.changed if key[1] == CASH)
    shares = sorted(key for key in state.changed if key[1] != CASH)
    if cash:
        transaction.hold_cash(
            [(client_id, state.funds[client_id, asset].held) for client_id, asset in cash]
        )
    if shares:
        transaction.hold_shares([(*key, state.funds[key].held) for key in shares])


def _remember(state: DoorState, order_id: int, place: PlaceOrder) -> None:
    """Note a logged order, under the symbol that its security has now."""
    name = current_symbol(state.securities, place.security_id)
    if name != place.security_id:
        place = msgspec.structs.replace(place, security_id=name)
    state.orders[order_id] = Order(order_id, place, place.quantity, place.price_e4)
