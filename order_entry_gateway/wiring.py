"""From ports to running parts: how a gateway is put together, live and in the simulation."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from order_entry_gateway.handlers import OrderDesk
from order_entry_gateway.loops.group_commit import Committer
from order_entry_gateway.loops.refusal_reporter import RefusalReporter
from order_entry_gateway.loops.timekeeper import Timekeeper, Timers
from order_entry_gateway.phase_desk import PhaseDesk
from order_entry_gateway.ports import (
    LookForSecurities,
    OrderLog,
    OrderStatuses,
    RateLimit,
    Readiness,
    nothing_to_look_for,
)
from order_entry_gateway.settlement_desk import SettlementModeDesk
from service_runtime.bus import Publisher
from service_runtime.clock import Clock
from venue_protocol.fee_schedule import NO_FEES, FeeSchedule
from venue_protocol.securities import Security


@dataclass(frozen=True, kw_only=True)
class GatewayPorts:
    """What one gateway is connected to."""

    order_log: OrderLog
    publisher: Publisher
    clock: Clock
    securities: Mapping[str, Security]
    """Reading it asks nobody; see `look_for`."""
    statuses: OrderStatuses
    rate_limit: RateLimit
    timers: Timers
    clock_trouble: Callable[[], str | None] = lambda: None
    """Why the time is not confirmed, so that no order is taken; None while it is."""
    look_for: LookForSecurities = nothing_to_look_for
    refresh: Callable[[], object] = lambda: None
    """Reads the list of securities anew."""
    lendable: Callable[[str], int] = lambda security_id: 0
    """Shares of a security that can be borrowed; asks nobody."""
    is_behind: Readiness = lambda: False
    """Whether settlement or record is too far behind to take more orders."""
    fees: Callable[[], FeeSchedule] = lambda: NO_FEES
    """The fee schedule of now, from which orders get their rates."""
    run_name: str | None = None
    """Name of this run in the reports of refusals; None for a random one."""


@dataclass(frozen=True)
class GatewayParts:
    """The desks that requests call, and the loops that each need a thread."""

    desk: OrderDesk
    phases: PhaseDesk
    committer: Committer
    reporter: RefusalReporter
    timekeeper: Timekeeper
    settlement: SettlementModeDesk


def wire(
    ports: GatewayPorts,
    stopping: threading.Event,
    *,
    committer_type: type[Committer] = Committer,
) -> GatewayParts:
    """One gateway, ready to run. The simulation hands in parts with planted bugs."""
    committer = committer_type(
        ports.order_log,
        ports.publisher,
        ports.clock,
        ports.securities,
        stopping,
        clock_trouble=ports.clock_trouble,
        fees=ports.fees,
    )
    reporter = RefusalReporter(ports.publisher, ports.clock, stopping, ports.run_name)
    desk = OrderDesk(
        committer,
        ports.securities,
        ports.statuses,
        ports.rate_limit,
        reporter,
        ports.publisher.is_ready,
        ports.is_behind,
        ports.look_for,
        ports.lendable,
    )
    timekeeper = Timekeeper(
        ports.timers, committer, ports.securities, ports.clock, stopping, ports.clock_trouble
    )
    return GatewayParts(
        desk,
        PhaseDesk(committer, ports.securities, ports.look_for, ports.refresh),
        committer,
        reporter,
        timekeeper,
        SettlementModeDesk(committer, ports.securities, ports.look_for),
    )
