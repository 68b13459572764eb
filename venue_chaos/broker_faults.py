"""Faults of the broker: gone, frozen, full, emptied, wiped; messages dropped and brought twice."""

import os
import shutil
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from random import Random
from typing import Any

import pika

from venue_chaos.message_repeater import MessageRepeater
from venue_chaos.site import Site
from venue_chaos.timetable import PlannedFault
from venue_launcher.infrastructure.broker_probe import speaks_amqp
from venue_launcher.infrastructure.rabbitmq_server import PrivateRabbitMQ
from venue_launcher.infrastructure.ways import Unavailable
from venue_launcher.processes import wait_until
from venue_protocol.topology import DATA_FEED, DURABLE_QUEUES, ORDER_ENTRY, ORDER_EXECUTION

_FULL_BYTES = str(10**15)
_ROOMY_BYTES = "50000000"
_STARTS = 3
_LAUNCHER_PATIENCE_S = 60.0
_LARGEST_MESSAGE_ALLOWED = 1_100_000
"""Just above the venue's own bound of 1,000,000 bytes a message."""
_LARGEST_MESSAGE_REFUSED = 200
"""Below the envelope of nearly every batch."""
_SET_LARGEST = (
    "{{ok, Before}} = application:get_env(rabbit, max_message_size),"
    " case application:get_env(rabbit, largest_before_chaos) of undefined ->"
    " application:set_env(rabbit, largest_before_chaos, Before); _ -> ok end,"
    " application:set_env(rabbit, max_message_size, {size})."
)
_RESTORE_LARGEST = (
    "{ok, Before} = application:get_env(rabbit, largest_before_chaos),"
    " application:set_env(rabbit, max_message_size, Before)."
)


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
    """The broker believes its disk is full (free limit raised): it blocks publishers."""
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


def duplicate_messages(repeater: MessageRepeater, fault: PlannedFault) -> None:
    """Messages from earlier come again, old ones after newer ones."""
    repeater.repeat(Random(fault.dice))


def kill_broker_unasked(site: Site, fault: PlannedFault) -> None:
    """SIGKILL behind the launcher's back: it must notice, and start its own server again."""
    pid = site.broker.pid
    if pid is None:
        return
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: site.broker.pid not in (None, pid), _LAUNCHER_PATIENCE_S)
    _wait_until_it_answers(site)


def lower_largest_message(site: Site, fault: PlannedFault) -> None:
    """The broker takes no message above what the venue promises to keep below; nothing waits."""
    _with_largest_message(site, fault, _LARGEST_MESSAGE_ALLOWED)


def refuse_publishers(site: Site, fault: PlannedFault) -> None:
    """The broker refuses nearly every message; what waited goes out once it takes them again."""
    _with_largest_message(site, fault, _LARGEST_MESSAGE_REFUSED)


def fill_broker_disk_for_real(site: Site, fault: PlannedFault) -> None:
    """Not a byte is left on its disk for a while. It may end for that: the launcher starts it."""
    assert site.broker_disk is not None
    try:
        site.broker_disk.fill()
        site.pause(fault.seconds)
    finally:
        site.broker_disk.free()
    _wait_until_it_answers(site)


def _wait_until_it_answers(site: Site) -> None:
    """The faults that follow speak to it."""
    wait_until(lambda: speaks_amqp(site.broker.port), _LAUNCHER_PATIENCE_S)


def _with_largest_message(site: Site, fault: PlannedFault, size: int) -> None:
    """Connections are closed, because a channel keeps the limit that it was opened with."""
    control = site.broker.control
    control("eval", _SET_LARGEST.format(size=size))
    control("close_all_connections", "chaos")
    try:
        site.pause(fault.seconds)
    finally:
        control("eval", _RESTORE_LARGEST)
        control("close_all_connections", "chaos")


def start(broker: PrivateRabbitMQ) -> None:
    """Start it, in three attempts: a killed node's ports may need a moment. Raises Unavailable."""
    for attempt in range(_STARTS):
        try:
            broker.start()
            return
        except Unavailable:
            if attempt == _STARTS - 1:
                raise


@contextmanager
def channel(url: str) -> Iterator[Any]:
    """A channel of our own for a moment; that a queue does not exist just now is no error."""
    try:
        connection = pika.BlockingConnection(pika.URLParameters(url))
    except (pika.exceptions.AMQPError, OSError) as error:
        raise Unavailable(f"the broker takes no connection: {error!r}") from error
    try:
        yield connection.channel()
    except pika.exceptions.ChannelClosedByBroker:
        return
    finally:
        if connection.is_open:
            connection.close()
