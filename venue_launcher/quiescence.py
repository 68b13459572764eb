"""Waiting until a venue has come to rest: whatever is in the log is matched, settled, reported and
recorded.
"""

import time
from contextlib import closing
from typing import Any

import psycopg2
import requests

from venue_launcher.running_venue import RunningVenue
from venue_protocol import streams

_TURN_S = 0.1
_LOG_HEAD = "SELECT last_sequence FROM order_log_heads WHERE shard = 0"
_SETTLED = "SELECT sequence FROM stream_positions WHERE reader = 'clearinghouse' AND stream = %s"
_REPORTED = "SELECT last_report_sequence FROM settlement_heads"
_RECORDED = "SELECT sequence FROM stream_positions WHERE stream = %s"


def wait_until_quiet(venue: RunningVenue, patience_s: float) -> list[str]:
    """What is still missing after `patience_s`; nothing when all came to rest.

    Nobody must send orders meanwhile.
    """
    deadline = time.monotonic() + patience_s
    while missing := _missing(venue):
        if time.monotonic() > deadline:
            return missing
        time.sleep(_TURN_S)
    return []


def engine_state(venue: RunningVenue) -> dict[str, Any]:
    """What the live engine says of itself. Raises requests.RequestException."""
    answer = requests.get(f"{venue.engine_url}/v1/engine", timeout=5)
    answer.raise_for_status()
    return dict(answer.json())


def _missing(venue: RunningVenue) -> list[str]:
    unready = [
        f"{name} is not ready, it waits for {reason}" for name, reason in venue.unready().items()
    ]
    if unready:
        return unready
    try:
        engine = engine_state(venue)
    except requests.RequestException as error:
        return [f"the engine does not answer: {error}"]
    events = streams.events(0)
    positions = [
        (
            "the engine",
            engine["log_position"],
            "the order log",
            _number(venue.owner_clearing_url, _LOG_HEAD),
        ),
        (
            "the clearinghouse",
            _number(venue.owner_clearing_url, _SETTLED, events),
            "the events",
            engine["event_position"],
        ),
        (
            "the feed",
            _number(venue.owner_market_url, _RECORDED, events),
            "the events",
            engine["event_position"],
        ),
        (
            "the feed",
            _number(venue.owner_market_url, _RECORDED, streams.SETTLEMENTS),
            "the settlement reports",
            _number(venue.owner_clearing_url, _REPORTED),
        ),
    ]
    return [f"{who} is at {at} of {of} in {what}" for who, at, what, of in positions if at != of]


def _number(url: str, statement: str, *parameters: object) -> int:
    with closing(psycopg2.connect(url)) as connection, connection.cursor() as cursor:
        cursor.execute(statement, parameters or None)
        row = cursor.fetchone()
    return int(row[0]) if row else 0
