"""Wires the gateway: the only place that makes its real parts."""

import threading
from functools import partial
from typing import Protocol

from flask import Flask

from order_entry_gateway import settings as gateway_settings
from order_entry_gateway.adapters import (
    api,
    http,
    mass_cancel_http,
    session_http,
    settlement_http,
    websocket,
)
from order_entry_gateway.adapters.completions import Completions
from order_entry_gateway.adapters.concurrency_limit import ListTurns
from order_entry_gateway.adapters.lendable_pool import LendablePool
from order_entry_gateway.adapters.order_log_store import PostgresOrderLog
from order_entry_gateway.adapters.order_owners import PostgresOrderOwners
from order_entry_gateway.adapters.order_routes import OrderEntry, OrderRoutes
from order_entry_gateway.adapters.order_status_store import OrderStatusStore
from order_entry_gateway.adapters.progress import RecordProgress, SettlementProgress
from order_entry_gateway.adapters.rate_limiter import RateLimiter
from order_entry_gateway.adapters.record_lookups import RecordLookups
from order_entry_gateway.adapters.reference_time import PostgresTime
from order_entry_gateway.adapters.session_store import SessionStore
from order_entry_gateway.adapters.timer_store import PostgresTimers
from order_entry_gateway.loops.backlog import Backlog
from order_entry_gateway.loops.clock_check import ClockCheck
from order_entry_gateway.loops.phase_scheduler import PhaseScheduler
from order_entry_gateway.mass_cancel_desk import MassCancelDesk
from order_entry_gateway.ports import OrderLog
from order_entry_gateway.wiring import GatewayParts, GatewayPorts, wire
from service_runtime import settings
from service_runtime.bus import Publisher
from service_runtime.buses.rabbitmq import RabbitBus
from service_runtime.clock import ConfirmedClock, SystemClock
from service_runtime.database import Database
from service_runtime.http import application, openapi, query
from service_runtime.http.asgi_application import Application
from service_runtime.http.authentication import Authenticator
from service_runtime.service import THREADS, Service
from venue_storage.listed_fees import ListedFees
from venue_storage.listed_securities import ListedSecurities

_SETTLED_WITHIN_S, _RECORDED_WITHIN_S = 1.0, 3.0
"""A new order is refused when it would wait longer than this for settlement, or for the record."""
_EVENTS = 4
"""Events that a command has at most, as a rule: accepted, traded twice, canceled."""


class Followed(Protocol):
    """A list in Postgres that others change."""

    def follow(self, stopping: threading.Event) -> None:
        """Read it again and again, until stopping."""
        ...


def build(service: Service, order_log: OrderLog | None = None) -> Application:
    """The service's parts, connected; its threads run on return.

    `order_log` replaces the one in Postgres, for measurements.
    """
    ours, rules = service.settings, gateway_settings.load()
    clearing = Database(ours.clearing_url, service.name, pool_size=8)
    market = Database(ours.market_url, service.name, pool_size=8)
    bus = RabbitBus(ours.broker_url, service.name)
    publisher = bus.publisher()
    securities, fees = ListedSecurities(clearing), ListedFees(clearing)
    statuses = OrderStatusStore(clearing, market)
    limiter = RateLimiter(clearing, rules.rate_limit_per_second)
    backlogs = _backlogs(ours, rules.backlog_allowed)
    clock, pool = ConfirmedClock(SystemClock()), LendablePool(clearing)
    ports = GatewayPorts(
        order_log=order_log or _order_log(ours),
        publisher=publisher,
        clock=clock,
        clock_trouble=lambda: clock.trouble,
        securities=securities,
        look_for=securities.look_for,
        refresh=securities.refresh,
        fees=fees,
        statuses=statuses,
        rate_limit=limiter,
        timers=PostgresTimers(clearing),
        lendable=pool.available,
        is_behind=lambda: any(backlog.is_long() for backlog in backlogs),
    )
    parts = wire(ports, service.stopping)
    authenticator, sessions = Authenticator(clearing), SessionStore(clearing)
    service.add_check("database", clearing.is_ready)
    service.add_check("broker", publisher.is_ready)
    service.add_warning("record of refused orders", parts.reporter.has_left_out)
    _check_clock(service, clock)
    _run_loops(service, parts, backlogs)
    scheduler = PhaseScheduler(
        sessions, parts.phases, clock, lambda: _may_command(publisher, clock), service.stopping
    )
    service.spawn("scheduler", scheduler.run)
    _follow(service, keys=authenticator, securities=securities, fees=fees, lendable=pool)
    service.on_stop(bus.close)
    service.on_stop(lambda: publisher.flush(3))

    app = application.create_app(service)
    query.refuse_unknown(app, api.OPERATIONS)
    http.add_routes(app, parts.desk, statuses, authenticator)
    http.add_timer_routes(app, parts.desk, parts.timekeeper, authenticator)
    _add_day_routes(app, parts, sessions, authenticator, clock)
    cancels = _mass_cancels(clearing, parts, securities)
    mass_cancel_http.add_routes(app, cancels, authenticator)
    openapi.add_routes(app, api.described())
    served = Application(app, THREADS, authenticator)
    entry = _order_entry(parts, authenticator, limiter, securities, statuses)
    OrderRoutes(entry).add_to(served)
    websocket.add_routes(served, entry, parts.timekeeper)
    return served


def _add_day_routes(
    app: Flask,
    parts: GatewayParts,
    sessions: SessionStore,
    authenticator: Authenticator,
    clock: ConfirmedClock,
) -> None:
    """The trading day and how it settles."""
    charge = parts.desk.charge
    session_http.add_routes(app, parts.phases, sessions, authenticator, clock, charge)
    settlement_http.add_routes(app, parts.settlement, sessions, authenticator, clock, charge)


def _may_command(publisher: Publisher, clock: ConfirmedClock) -> bool:
    return publisher.is_ready() and clock.is_confirmed()


def _follow(service: Service, **lists: Followed) -> None:
    """Keep what others change up to date, each list by a loop of its name."""
    for name, each in lists.items():
        service.spawn(name, partial(each.follow, service.stopping))


def _order_log(ours: settings.Settings) -> PostgresOrderLog:
    """On a connection of its own: nothing else keeps the sequencer waiting."""
    return PostgresOrderLog(Database(ours.clearing_url, "order_entry_gateway.log", pool_size=1))


def _mass_cancels(
    clearing: Database, parts: GatewayParts, securities: ListedSecurities
) -> MassCancelDesk:
    owners = PostgresOrderOwners(clearing)
    return MassCancelDesk(parts.committer, securities, owners, securities.look_for)


def _order_entry(
    parts: GatewayParts,
    authenticator: Authenticator,
    limiter: RateLimiter,
    securities: ListedSecurities,
    statuses: OrderStatusStore,
) -> OrderEntry:
    return OrderEntry(
        desk=parts.desk,
        authenticator=authenticator,
        completions=Completions(),
        lookups=RecordLookups(statuses.recorded_orders),
        turns=ListTurns(),
        is_limit_at_hand=limiter.is_at_hand,
        are_securities_known=securities.are_known,
    )


def _check_clock(service: Service, clock: ConfirmedClock) -> None:
    """Compare the clock with the database's, and be unready while they differ."""
    service.add_check("clock", clock.is_confirmed)
    reference = PostgresTime(_connection_for_looking(service.settings.clearing_url))
    service.spawn("clock check", ClockCheck(clock, reference, service.stopping).run)


def _run_loops(service: Service, parts: GatewayParts, backlogs: list[Backlog]) -> None:
    service.spawn("committer", parts.committer.run)
    service.spawn("refusal_reporter", parts.reporter.run)
    service.spawn("timekeeper", parts.timekeeper.run)
    for backlog in backlogs:
        service.spawn(f"backlog of {backlog.who}", partial(backlog.run, service.stopping))


def _backlogs(ours: settings.Settings, allowed: int) -> list[Backlog]:
    """What may wait for settlement, counted in commands, and for the record, in events."""
    settlement = SettlementProgress(_connection_for_looking(ours.clearing_url))
    record = RecordProgress(
        _connection_for_looking(ours.clearing_url), _connection_for_looking(ours.market_url)
    )
    return [
        Backlog("settlement", settlement, allowed, _SETTLED_WITHIN_S),
        Backlog("record", record, _EVENTS * allowed, _RECORDED_WITHIN_S, is_excused=True),
    ]


def _connection_for_looking(url: str) -> Database:
    """One connection of its own, so that looking never waits for what the backlog holds up."""
    return Database(url, "order_entry_gateway.loops.backlog", pool_size=1)


if __name__ == "__main__":
    Service("order_entry_gateway", settings.load()).run(build)
