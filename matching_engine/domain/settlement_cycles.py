"""When trades settle: the mode commanded, and the cycles that the log's time or the close ends.

The engine only numbers the cycles and says when one ends; what is owed in it is known to the
clearinghouse. In gross mode a trade pays nothing for this: `Shard.due_cycle` is None.
"""

from matching_engine.domain.shard import NEVER_US, Shard
from venue_protocol.commands import ExemptShares, NotifyBuyIn, SetSettlement
from venue_protocol.events import (
    BuyInNotified,
    Event,
    SettlementCycle,
    SettlementModeChanged,
    SharesExempted,
    TimeAdvanced,
)
from venue_protocol.settlement_modes import GROSS, NET, SettlementPlan, next_cycle_us


def settle_all(shard: Shard, events: list[Event]) -> None:
    """End all cycles that have begun, those of trades that are due later included: nothing is open
    in the shard afterwards. In gross mode nothing is.
    """
    plan = shard.settlement
    if plan.mode != NET:
        return
    events.append(SettlementCycle(shard.shard, max(plan.cycle, plan.newest), is_final=True))
    plan.cycle = max(plan.cycle, plan.newest) + 1
    if plan.interval_us is not None:
        plan.due_us = next_cycle_us(shard.time_us, plan.interval_us)
    _collect(shard)
    shard.find_next_timer()


def set_settlement(shard: Shard, command: SetSettlement, events: list[Event]) -> None:
    """Settle so from here on.

    From net to gross a last cycle settles what is open. The number of a cycle never comes again.
    """
    plan = shard.settlement
    if plan.mode == NET and command.mode == GROSS:
        events.append(SettlementCycle(shard.shard, max(plan.cycle, plan.newest), is_final=True))
        plan.cycle = max(plan.cycle, plan.newest) + 1
    is_net = command.mode == NET
    plan.mode = command.mode
    plan.interval_us = command.interval_us if is_net else None
    plan.at_close = command.at_close and is_net
    plan.lag = command.lag if is_net else 0
    plan.due_us = NEVER_US
    if plan.interval_us is not None:
        plan.due_us = next_cycle_us(shard.time_us, plan.interval_us)
    _collect(shard)
    shard.find_next_timer()
    events.append(
        SettlementModeChanged(plan.mode, plan.interval_us, plan.at_close, plan.lag, plan.cycle)
    )


def start_cycle(shard: Shard, events: list[Event]) -> None:
    """End the present cycle because an administrator says so; without cycles only time passes."""
    if shard.settlement.mode == NET:
        end_cycle(shard, events)
    else:
        events.append(TimeAdvanced())


def close_cycle(shard: Shard, events: list[Event]) -> None:
    """The whole shard closed: end the present cycle, if it ends with the day."""
    if shard.settlement.at_close:
        end_cycle(shard, events)


def end_cycle(shard: Shard, events: list[Event]) -> None:
    """End the present cycle; the next one collects from here on."""
    plan = shard.settlement
    events.append(SettlementCycle(shard.shard, plan.cycle))
    plan.cycle += 1
    if plan.interval_us is not None:
        plan.due_us = next_cycle_us(shard.time_us, plan.interval_us)
    _collect(shard)
    shard.find_next_timer()


def pass_on(shard: Shard, command: ExemptShares | NotifyBuyIn, events: list[Event]) -> None:
    """Tell the clearinghouse, in its place among trades and cycles, what a client asks for."""
    client_id, security_id = command.client_id, command.security_id
    if isinstance(command, ExemptShares):
        events.append(SharesExempted(client_id, security_id, command.quantity, command.deposit_e4))
    else:
        cycle = shard.settlement.cycle
        events.append(BuyInNotified(client_id, security_id, shard.shard, cycle))


def restore_settlement(shard: Shard, plan: SettlementPlan | None) -> None:
    """Go on by the plan of a snapshot; None: of an engine that was never told to net."""
    if plan is not None:
        shard.settlement = plan
        shard.due_cycle = plan.cycle + plan.lag if plan.mode == NET else None
        shard.find_next_timer()


def _collect(shard: Shard) -> None:
    """The trades that follow are due in the cycle that collects now, or `lag` cycles after it."""
    plan = shard.settlement
    shard.due_cycle = None
    if plan.mode == NET:
        shard.due_cycle = plan.cycle + plan.lag
        plan.newest = max(plan.newest, shard.due_cycle)
