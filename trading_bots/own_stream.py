"""Brings a bot the reports of its own account from the stream, through any outage."""

import logging
import threading
from collections.abc import Callable

import msgspec

from trading_bots.client import VenueClient
from trading_bots.events import Event, Missed
from trading_bots.records import Fill, OrderReport, SettlementReport, read
from trading_bots.refusal import Refused, VenueUnavailable
from trading_bots.stream import Stream

log = logging.getLogger(__name__)

_RECORDS = {"orders": OrderReport, "fills": Fill, "settlements": SettlementReport}
_TURN_S = 0.5
"""How often it looks whether it should stop."""
_PAUSE_S = 5.0
"""Before it subscribes anew, after a refusal."""


def follow_account(
    client: VenueClient, put: Callable[[Event], None], stopping: threading.Event
) -> None:
    """Put each report of the client's orders, fills and settlements, until `stopping`.

    The stream resumes after a cut, so each comes once. Where the venue refuses to resume, it begins
    with what comes now and puts `Missed`.
    """
    while not stopping.is_set():
        with client.stream() as stream:
            for channel in _RECORDS:
                stream.subscribe(channel)
            try:
                _read_on(stream, put, stopping)
            except (Refused, msgspec.ValidationError) as error:
                log.warning("%s: reports of the account: %s", client.client_id, error)
                stopping.wait(_PAUSE_S)
        put(Missed())


def _read_on(stream: Stream, put: Callable[[Event], None], stopping: threading.Event) -> None:
    while not stopping.is_set():
        try:
            message = stream.receive(_TURN_S)
        except VenueUnavailable as error:
            log.warning("reports of an account: %s", error)
            continue
        if message is not None and message["channel"] in _RECORDS:
            # A report that concerns no order, such as a cancel that came too late, has nulls.
            told = {name: value for name, value in message.items() if value is not None}
            put(read(told, _RECORDS[message["channel"]]))
