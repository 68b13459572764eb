"""Wires the matching engine: the only place that makes its real parts."""

from flask import Flask

from matching_engine import settings as engine_settings
from matching_engine.adapters import api, http
from matching_engine.adapters.log_reader import PostgresLogReader
from matching_engine.adapters.snapshots import SnapshotFolder
from matching_engine.wiring import EnginePorts, wire
from service_runtime import settings
from service_runtime.buses.rabbitmq import RabbitBus
from service_runtime.database import Database
from service_runtime.http import application, query
from service_runtime.service import Service
from venue_protocol.topology import order_entry_queue, resend_queue
from venue_storage.listed_securities import ListedSecurities

_PREFETCH = 256
"""Command batches ahead of the engine: some milliseconds of work for it at full load."""


def build(service: Service) -> Flask:
    """The service's parts, connected; its threads run on return."""
    common, ours = service.settings, engine_settings.load()
    database = Database(common.clearing_url, service.name)
    bus = RabbitBus(common.broker_url, service.name)
    ports = EnginePorts(
        consumer=bus.consumer(order_entry_queue(ours.shard), prefetch=_PREFETCH),
        publisher=bus.publisher(),
        resend_consumer=bus.consumer(resend_queue(ours.shard)),
        # A publisher of its own: the answer to one reader must not delay the live events.
        resend_publisher=bus.publisher(),
        log_reader=PostgresLogReader(database, ours.shard),
        snapshots=SnapshotFolder(ours.state_dir, ours.shard),
    )
    engine = wire(ours.shard, ports, service.stopping)
    service.add_check("recovery", lambda: engine.reader.is_recovered)
    service.add_check("database", database.is_ready)
    service.add_check("broker", ports.is_broker_ready)
    service.spawn("command_reader", engine.reader.run)
    service.spawn("resender", engine.resender.run)
    service.on_stop(bus.close)
    service.on_stop(lambda: ports.publisher.flush(3))
    service.on_stop(engine.desk.save_snapshot)
    app = application.create_app(service)
    query.refuse_unknown(app, api.OPERATIONS)
    http.add_routes(app, engine.desk, ListedSecurities(database).find)
    return app


if __name__ == "__main__":
    Service("matching_engine", settings.load()).run(build)
