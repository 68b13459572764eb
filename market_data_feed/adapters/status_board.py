"""The word on how the feed is: on HTTP when asked, on the `status` channel about once a second."""

from collections.abc import Callable
from typing import Any

from flask import Flask, Response

from market_data_feed.adapters import views
from market_data_feed.adapters.stream.hub import Hub
from market_data_feed.loops.recorder import Recorder
from service_runtime.clock import Clock
from service_runtime.http.application import json_response
from service_runtime.service import Service

_EVERY_S = 1.0


class StatusBoard:
    """What the feed waits for, what it misses, and how far it has come."""

    def __init__(self, service: Service, recorder: Recorder, hub: Hub, clock: Clock) -> None:
        self._service = service
        self._recorder = recorder
        self._hub = hub
        self._clock = clock

    def read(self) -> dict[str, Any]:
        """The status now: ready, catching_up (something is missing and asked for), or waiting for a
        named part.
        """
        waiting_for = self._service.unready()
        behind = self._recorder.behind()
        now_us = self._clock.now_us()
        return {
            "status": "waiting" if waiting_for else "catching_up" if behind else "ready",
            "waiting_for": waiting_for,
            "behind": behind,
            "positions": self._hub.positions(),
            "session": self._hub.session(),
            "time_us": now_us,
            "time": views.iso(now_us),
        }

    def run(self) -> None:
        """Tell the subscribers until the service stops."""
        while not self._service.stopping.wait(_EVERY_S):
            self._hub.publish_status(self.read())


def add_routes(app: Flask, read: Callable[[], dict[str, Any]]) -> None:
    """Put `/v1/status` on `app`."""

    @app.get("/v1/status")
    def status() -> Response:
        return json_response(read())
