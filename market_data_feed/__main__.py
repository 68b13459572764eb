"""Wires the feed: the only place that makes its real parts."""

import time
from functools import partial

from market_data_feed import settings as feed_settings
from market_data_feed.adapters import (
    api,
    competition_http,
    http,
    obligations_http,
    standings_http,
    statements_http,
    status_board,
)
from market_data_feed.adapters.clearing_reader import Clearing
from market_data_feed.adapters.marks import Marks
from market_data_feed.adapters.obligation_reader import ObligationReader
from market_data_feed.adapters.postgres_record import PostgresRecord
from market_data_feed.adapters.records import Records
from market_data_feed.adapters.statement_source import StatementReader
from market_data_feed.adapters.stream import route
from market_data_feed.adapters.stream.catch_up import CatchUp
from market_data_feed.adapters.stream.charges import StreamCharges
from market_data_feed.adapters.stream.connection import StreamParts
from market_data_feed.adapters.stream.sender import Sender
from market_data_feed.domain.stream_budget import StreamBudget
from market_data_feed.domain.stream_places import StreamPlaces
from market_data_feed.loops.retention import Retention
from market_data_feed.wiring import FeedPorts, wire
from service_runtime import settings
from service_runtime.buses.rabbitmq import RabbitBus
from service_runtime.clock import SystemClock
from service_runtime.database import Database
from service_runtime.http import application, openapi, query
from service_runtime.http.asgi_application import Application
from service_runtime.http.authentication import Authenticator
from service_runtime.service import THREADS, Service, end_after_fault
from venue_protocol.topology import DATA_FEED
from venue_storage.listed_securities import ListedSecurities

_PREFETCH = 200


def build(service: Service) -> Application:
    """The service's parts, connected; its threads run on return."""
    ours, kept = service.settings, feed_settings.load()
    recording = Database(ours.market_url, f"{service.name}.recorder", pool_size=1)
    forgetting = Database(ours.market_url, f"{service.name}.retention", pool_size=1)
    market_data = Database(ours.market_url, service.name, pool_size=8)
    clearing_data = Database(ours.clearing_url, service.name, pool_size=8)
    bus = RabbitBus(ours.broker_url, service.name)
    consumer = bus.consumer(DATA_FEED, _PREFETCH)
    publisher = bus.publisher()
    clock = SystemClock()
    sender = Sender(end_after_fault)
    clearing, records = Clearing(clearing_data), Records(market_data)
    listings = ListedSecurities(clearing_data)
    authenticator = Authenticator(clearing_data)
    ports = FeedPorts(
        consumer=consumer,
        publisher=publisher,
        record=PostgresRecord(recording),
        settlements=clearing,
        sender=sender,
    )
    feed = wire(ports, service.stopping)
    hub, recorder = feed.hub, feed.recorder
    retention = Retention(
        forgetting, clock, service.stopping, kept.refused_orders_days, kept.refused_orders_most
    )
    board = status_board.StatusBoard(service, recorder, hub, clock)
    service.add_check("market_data", market_data.is_ready)
    service.add_check("clearing_data", clearing_data.is_ready)
    service.add_check("broker", lambda: consumer.is_ready() and publisher.is_ready())
    service.add_check("record", recorder.is_loaded)
    parts = StreamParts(
        hub=hub,
        catch_up=CatchUp(hub, records),
        listings=listings,
        authenticator=authenticator,
        charge=StreamCharges(StreamBudget(), time.monotonic).charge,
    )
    streams = route.Streams(sender, parts, StreamPlaces())
    service.spawn("recorder", recorder.run)
    service.spawn("retention", retention.run)
    service.spawn("status", board.run)
    service.spawn("keys", partial(authenticator.follow, service.stopping))
    service.on_stop(bus.close)
    app = application.create_app(service)
    query.refuse_unknown(app, api.OPERATIONS)
    http.add_routes(app, answers := http.Answers(clearing, listings, records, hub, authenticator))
    marks = Marks(market_data, listings)
    service.spawn("marks", partial(marks.follow, service.stopping))
    standings_http.add_routes(app, clearing, marks, authenticator, clock)
    reader = StatementReader(clearing_data, market_data, marks)
    statements_http.add_routes(app, answers, statements_http.Statements(reader, clock))
    obligations_http.add_routes(app, ObligationReader(clearing_data), authenticator)
    status_board.add_routes(app, board.read)
    competition_http.add_routes(app, competition_http.CompetitionBoard(), authenticator)
    openapi.add_routes(app, api.described())
    served = Application(app, THREADS, authenticator)
    route.add_routes(served, streams)
    return served


if __name__ == "__main__":
    Service("market_data_feed", settings.load()).run(build)
