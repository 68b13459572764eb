"""Wires the matching engine: the only place that makes its real parts."""

from flask import Flask

from matching_engine.adapters import http
from matching_engine.adapters.log_reader import LogReader
from matching_engine.adapters.security_list import SecurityList
from matching_engine.adapters.snapshots import SnapshotFolder
from matching_engine.handlers import MatchingDesk
from matching_engine.loops.command_reader import CommandReader
from matching_engine.loops.resender import RecentEvents, Resender
from service_runtime import settings
from service_runtime.buses.rabbitmq import RabbitBus
from service_runtime.database import Database
from service_runtime.http import application
from service_runtime.service import Service
from venue_protocol.topology import order_entry_queue, resend_queue

_PREFETCH = 256


def build(service: Service) -> Flask:
    """The service's parts, connected; its threads run on return."""
    ours = service.settings
    database = Database(ours.clearing_url, service.name)
    bus = RabbitBus(ours.broker_url, service.name)
    publisher = bus.publisher()
    queue = order_entry_queue(ours.shard)
    consumer = bus.consumer(queue, prefetch=_PREFETCH)
    log_reader = LogReader(database, ours.shard)
    snapshots = SnapshotFolder(ours.state_dir, ours.shard)
    recent = RecentEvents()
    desk = MatchingDesk(ours.shard, publisher, recent, snapshots, log_reader)
    reader = CommandReader(service, desk, consumer, queue)
    resender = Resender(
        ours.shard,
        bus.consumer(resend_queue(ours.shard)),
        bus.publisher(),
        recent,
        snapshots,
        LogReader(database, ours.shard),
        service.stopping,
    )
    service.add_check("recovery", lambda: reader.is_recovered)
    service.add_check("database", database.is_ready)
    service.add_check("broker", lambda: consumer.is_ready() and publisher.is_ready())
    service.spawn("command_reader", reader.run)
    service.spawn("resender", resender.run)
    service.on_stop(bus.close)
    service.on_stop(lambda: publisher.flush(3))
    service.on_stop(desk.save_snapshot)
    app = application.create_app(service)
    http.add_routes(app, desk, SecurityList(database, ours.shard))
    return app


if __name__ == "__main__":
    Service("matching_engine", settings.load()).run(build)
