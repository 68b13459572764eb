"""Faults of the broker: gone, frozen, full, emptied, wiped; messages dropped and brought twice."""

import os
import shutil
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from random import Random
from typing import Any

import pika

from venue_launcher.infrastructure import Unavailable
from venue_launcher.infrastructure.rabbitmq_server import PrivateRabbitMQ
from venue_protocol.topology import DATA_FEED, DURABLE_QUEUES, ORDER_ENTRY, ORDER_EXECUTION
from venue_trials.chaos.message_repeater import Eavesdropper
from venue_trials.chaos.site import Site
from venue_trials.chaos.timetable import PlannedFault

_FULL_BYTES = str(10**15)
_ROOMY_BYTES = "50000000"
_STARTS = 3


def kill_broker(site: Site, fault: PlannedFault) -> None:
    """SIGKILL; started again after a while."""
    site.broker.kill()
    site.pause(fault.seconds)
    start(site.broker)


def stop_broker(site: Site, fault: PlannedFault) -> None:
    """An orderly shutdown; started again after a while."""
    site.broker.stop()
    site.pause(fault.seconds)
    start(site.broker)


def delete_broker_data(site: Site, fault: PlannedFault) -> None:
    """Killed, and all that it stored is removed: exchange, queues and every message in them."""
    site.broker.kill()
    shutil.rmtree(site.broker.data_dir)
    site.pause(fault.seconds)
    start(site.broker)


def freeze_broker(site: Site, fault: PlannedFault) -> None:
    """SIGSTOP, SIGCONT after a while: connections are open and nobody answers."""
    pid = site.broker.pid
    if pid is None:
        return
    os.kill(pid, signal.SIGSTOP)
    try:
        site.pause(fault.seconds)
    finally:
        os.kill(pid, signal.SIGCONT)


def fill_broker_disk(site: Site, fault: PlannedFault) -> None:
    """The broker believes its disk is full (free limit raised): it blocks whoever publishes."""
    site.broker.control("set_disk_free_limit", _FULL_BYTES)
    try:
        site.pause(fault.seconds)
    finally:
        site.broker.control("set_disk_free_limit", _ROOMY_BYTES)


def cut_broker_connections(site: Site, fault: PlannedFault) -> None:
    """Every connection is closed by the broker."""
    site.broker.control("close_all_connections", "chaos")


def purge_queues(site: Site, fault: PlannedFault) -> None:
    """All queues are emptied."""
    with channel(site.broker.url) as open_channel:
        for queue in DURABLE_QUEUES:
            open_channel.queue_purge(queue)


def purge_one_queue(site: Site, fault: PlannedFault) -> None:
    """One queue is emptied: some messages are dropped, those before and after arrive."""
    with channel(site.broker.url) as open_channel:
        open_channel.queue_purge(
            Random(fault.dice).choice((ORDER_ENTRY, ORDER_EXECUTION, DATA_FEED))
        )


def delete_queue(site: Site, fault: PlannedFault) -> None:
    """One queue is deleted under its reader."""
    with channel(site.broker.url) as open_channel:
        open_channel.queue_delete(
            Random(fault.dice).choice((ORDER_ENTRY, ORDER_EXECUTION, DATA_FEED))
        )


def duplicate_messages(eavesdropper: Eavesdropper, fault: PlannedFault) -> None:
    """Messages overheard earlier come again, old ones after newer ones."""
    eavesdropper.repeat(Random(fault.dice))


def start(broker: PrivateRabbitMQ) -> None:
    """Start, and again should the first start fail: a killed node's ports may need a moment. Raises
    Unavailable.
    """
    for attempt in range(_STARTS):
        try:
            broker.start()
            return
        except Unavailable:
            if attempt == _STARTS - 1:
                raise


@contextmanager
def channel(url: str) -> Iterator[Any]:
    """A channel of our own for a moment.

    Queues that do not exist just now are none of our business.
    """
    try:
        connection = pika.BlockingConnection(pika.URLParameters(url))
    except (pika.exceptions.AMQPError, OSError) as error:
        raise Unavailable(f"the broker does not let us in: {error!r}") from error
    try:
        yield connection.channel()
    except pika.exceptions.ChannelClosedByBroker:
        return
    finally:
        if connection.is_open:
            connection.close()
