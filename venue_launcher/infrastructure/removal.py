"""Removes what a venue stored: databases and roles, messages, private servers with their data."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pika
import psycopg2
from pika.exceptions import AMQPError

from migrations.provision import drop
from venue_launcher.infrastructure import given, local, memory
from venue_launcher.infrastructure.finder import place_key
from venue_launcher.infrastructure.found import FoundBroker
from venue_launcher.infrastructure.memory import Remembered
from venue_launcher.infrastructure.urls import without_password
from venue_launcher.infrastructure.ways import OWN_WAYS, Unavailable
from venue_launcher.state_folder import instance_name
from venue_protocol.topology import DURABLE_QUEUES, EXCHANGE


def remove(way: str | None, state_dir: Path) -> Iterator[str]:
    """Remove it where the last start kept it (or at `way`); yields what was removed. Servers must
    be stopped.

    Raises Unavailable when a shared server that holds data does not answer: they would be left
    behind.
    """
    known = memory.recall(state_dir)
    if known is None:
        return
    if way in (None, known.postgres_way):
        yield _remove_databases(known, state_dir)
    if way in (None, known.broker_way):
        yield _remove_messages(known, state_dir)


def _remove_databases(known: Remembered, state_dir: Path) -> str:
    if known.postgres_way in OWN_WAYS:
        shutil.rmtree(known.postgres_place, ignore_errors=True)
        return f"private Postgres in {known.postgres_place} removed"
    found = (
        given.find_postgres(os.environ)
        if known.postgres_way == "given"
        else local.find_postgres(os.environ)
    )
    if found.place != known.postgres_place:
        raise Unavailable(
            f"the venue's data are at {known.postgres_place}, not at {found.place}: name that "
            "server again"
        )
    try:
        drop(found.url, instance_name(state_dir))
    except psycopg2.Error as error:
        raise Unavailable(
            f"the databases at {found.place} can't be dropped: {str(error).strip()}"
        ) from error
    return f"databases {instance_name(state_dir)}_* at {found.place} dropped"


def _remove_messages(known: Remembered, state_dir: Path) -> str:
    if known.broker_way in OWN_WAYS:
        shutil.rmtree(state_dir / known.broker_way / "rabbitmq", ignore_errors=True)
        return "private RabbitMQ removed"
    if known.broker_way == "given":
        return _empty_given_host(given.find_broker(os.environ))
    vhost = f"{instance_name(state_dir)}_{place_key(known.postgres_place)}"
    local.find_broker(os.environ, vhost).vhosts.delete(vhost)
    return f"virtual host {vhost} removed"


def _empty_given_host(found: FoundBroker) -> str:
    """Remove the venue's queues from a virtual host that is not ours to remove."""
    try:
        connection = pika.BlockingConnection(pika.URLParameters(found.url))
        channel = connection.channel()
        for queue in DURABLE_QUEUES:
            channel.queue_delete(queue)
        channel.exchange_delete(EXCHANGE)
        connection.close()
    except AMQPError as error:
        raise Unavailable(
            f"the queues on {without_password(found.url)} can't be removed: {error!r}"
        ) from error
    return f"the venue's queues on {found.place} removed"
