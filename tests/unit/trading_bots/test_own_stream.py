"""Reports of the own account, as they come from the stream."""

import threading
from typing import Any, cast

from trading_bots.client import VenueClient
from trading_bots.events import Event, Missed
from trading_bots.own_stream import follow_account
from trading_bots.records import OrderReport

TOO_LATE = {
    "channel": "orders",
    "kind": "cancel_rejected",
    "order_id": 7,
    "client_order_id": None,
    "security": None,
    "side": None,
    "quantity": None,
    "filled": None,
    "leaves": None,
    "status": None,
    "reason": "order.already_filled",
    "time_us": 5,
}


class OneMessage:
    """A client and its stream: one message, then the end."""

    client_id = "ann"

    def __init__(self, message: dict[str, Any], stopping: threading.Event) -> None:
        self._message, self._stopping = message, stopping

    def stream(self) -> "OneMessage":
        return self

    def __enter__(self) -> "OneMessage":
        return self

    def __exit__(self, *_raised: object) -> None:
        """Nothing to close."""

    def subscribe(self, channel: str) -> None:
        """All the same."""

    def receive(self, _within_s: float) -> dict[str, Any]:
        self._stopping.set()
        return self._message


def test_a_cancel_that_came_too_late_is_told_although_its_report_has_nulls() -> None:
    stopping, told = threading.Event(), list[Event]()
    follow_account(cast(VenueClient, OneMessage(TOO_LATE, stopping)), told.append, stopping)
    report, missed = told
    assert isinstance(missed, Missed)
    assert isinstance(report, OrderReport)
    assert (report.kind, report.order_id, report.quantity) == ("cancel_rejected", 7, 0)
