"""Wires the clearinghouse: the only place that makes its real parts."""

import os

from flask import Flask

from clearinghouse.adapters import api, http
from clearinghouse.adapters.ledger_store import PostgresLedgerStore
from clearinghouse.administration import Administration
from clearinghouse.handlers import SettlementDesk
from clearinghouse.loops.event_reader import EventReader
from service_runtime import settings
from service_runtime.buses.rabbitmq import RabbitBus
from service_runtime.clock import SystemClock
from service_runtime.database import Database
from service_runtime.http import application, openapi
from service_runtime.http.authentication import Authenticator
from service_runtime.service import Service
from service_runtime.settings import SettingsError
from venue_protocol.topology import ORDER_EXECUTION

_PREFETCH = 128


def endowment(text: str) -> dict[str, int]:
    """Shares each new trader gets, from VENUE_ENDOWMENT such as `AAPL:10,MSFT:5`; SettingsError if
    malformed.
    """
    shares = {}
    for part in filter(None, text.split(",")):
        security_id, _, quantity = part.partition(":")
        if not quantity.isdigit():
            raise SettingsError(f"VENUE_ENDOWMENT={text!r} is not of the form AAPL:10,MSFT:5")
        shares[security_id.strip()] = int(quantity)
    return shares


def build(service: Service) -> Flask:
    """The service's parts, connected; its threads run on return."""
    clearing = Database(service.settings.clearing_url, service.name, pool_size=10)
    bus = RabbitBus(service.settings.broker_url, service.name)
    publisher = bus.publisher()
    consumer = bus.consumer(ORDER_EXECUTION, prefetch=_PREFETCH)
    store = PostgresLedgerStore(clearing)
    desk = SettlementDesk(store, publisher, service.stopping)
    reader = EventReader(store, consumer, publisher, desk, service.stopping)
    service.add_check("database", clearing.is_ready)
    service.add_check("broker", lambda: consumer.is_ready() and publisher.is_ready())
    service.add_check("stream", reader.is_caught_up)
    service.spawn("event_reader", reader.run)
    service.on_stop(bus.close)
    service.on_stop(lambda: publisher.flush(3))
    app = application.create_app(service)
    shares = endowment(os.environ.get("VENUE_ENDOWMENT", ""))
    administration = Administration(desk, store, SystemClock(), shares)
    http.add_routes(app, administration, Authenticator(clearing), clearing)
    openapi.add_routes(app, api.described())
    return app


if __name__ == "__main__":
    Service("clearinghouse", settings.load()).run(build)
