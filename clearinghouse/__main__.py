"""Makes the clearinghouse's real parts from its settings."""

import os
import sys
from collections.abc import Mapping

from flask import Flask

from clearinghouse.adapters import (
    api,
    http,
    loans_http,
    proposal_http,
    trial_balance,
)
from clearinghouse.adapters.account_queries import AccountQueries
from clearinghouse.adapters.ledger_store import PostgresLedgerStore
from clearinghouse.adapters.proposal_queries import ProposalQueries
from clearinghouse.administration import require_listed
from clearinghouse.domain import endowment
from clearinghouse.lending.views import LoanViews
from clearinghouse.wiring import wire
from client_enrollment import http as enrollment_http
from service_runtime import settings
from service_runtime.buses.rabbitmq import RabbitBus
from service_runtime.clock import SystemClock
from service_runtime.database import Database
from service_runtime.http import application, openapi, query
from service_runtime.http.authentication import Authenticator
from service_runtime.service import Service
from service_runtime.settings import SettingsError
from trading_fees import http as fees_http
from venue_protocol.topology import ORDER_EXECUTION

_PREFETCH = 128
"""Messages the broker sends ahead: twice what one step of the reader takes."""
_CONNECTIONS = 10
"""To the database: the reader's one, and those of administrators and of readers of lists."""


def endowment_of(environment: Mapping[str, str]) -> dict[str, int]:
    """Shares each new trader gets, from VENUE_ENDOWMENT; SettingsError names a malformed part."""
    try:
        return endowment.parse(environment.get("VENUE_ENDOWMENT", ""))
    except endowment.EndowmentFault as fault:
        raise SettingsError(f"VENUE_ENDOWMENT: {fault}") from fault


def build(service: Service) -> Flask:
    """The service's parts, connected; its threads run on return."""
    clearing = Database(service.settings.clearing_url, service.name, pool_size=_CONNECTIONS)
    bus = RabbitBus(service.settings.broker_url, service.name)
    publisher = bus.publisher()
    consumer = bus.consumer(ORDER_EXECUTION, prefetch=_PREFETCH)
    store = PostgresLedgerStore(clearing)
    shares = endowment_of(os.environ)
    parts = wire(store, consumer, publisher, SystemClock(), service.stopping, endowment=shares)
    service.add_check("database", clearing.is_ready)
    service.add_check("broker", lambda: consumer.is_ready() and publisher.is_ready())
    service.add_check("stream", parts.reader.is_caught_up)
    service.spawn("event_reader", parts.reader.run)
    service.spawn("margin_run", parts.margin.run)
    # In a thread: while the database is away the service answers, and says what it waits for.
    service.spawn("endowment", lambda: require_listed(store, shares, service.stopping))
    service.on_stop(bus.close)
    service.on_stop(lambda: publisher.flush(3))
    app = application.create_app(service)
    query.refuse_unknown(app, api.OPERATIONS)
    authenticator = Authenticator(clearing)
    http.add_routes(
        app, parts.administration, parts.clients, authenticator, AccountQueries(clearing)
    )
    trial_balance.add_routes(app, trial_balance.TrialBalance(clearing), authenticator)
    loans_http.add_routes(app, parts.loans, parts.loan_rules, LoanViews(store), authenticator)
    proposal_http.add_routes(app, parts.proposals, authenticator, ProposalQueries(clearing))
    enrollment_http.add_routes(app, parts.enrollment, authenticator)
    fees_http.add_routes(app, parts.fees, authenticator)
    openapi.add_routes(app, api.described())
    return app


if __name__ == "__main__":
    try:
        endowment_of(os.environ)
        loaded = settings.load()
    except SettingsError as error:
        sys.exit(f"clearinghouse: {error}")
    Service("clearinghouse", loaded).run(build)
