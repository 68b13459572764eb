"""A service with nothing of the venue in it, to try the service loop: run by test_service_loop in a
process.
"""

import os
import queue
import sys
import time
from typing import Any

from flask import Flask, Response
from flask_sock import Sock

from service_runtime.http import socket_timeouts

socket_timeouts.SILENCE_S = int(os.environ["SAMPLE_SILENCE_S"])

from service_runtime import settings  # noqa: E402
from service_runtime.http import application  # noqa: E402
from service_runtime.http.request_body import body_bytes  # noqa: E402
from service_runtime.service import Service  # noqa: E402
from venue_protocol.refusals import RejectReason, refuse  # noqa: E402


def build(service: Service) -> Flask:
    """A worker thread that does what it is told, and routes that tell it."""
    orders: queue.SimpleQueue[str] = queue.SimpleQueue()
    ready = {"part": True}

    def work() -> None:
        while not service.stopping.is_set():
            try:
                order = orders.get(timeout=0.1)
            except queue.Empty:
                continue
            raise SystemExit(order) if order == "exit" else RuntimeError(f"told to: {order}")

    def fail_to_close() -> None:
        raise RuntimeError("could not close")

    service.spawn("work", work)
    service.add_check("part", lambda: ready["part"])
    service.on_stop(lambda: print("closed last", file=sys.stderr, flush=True))
    service.on_stop(fail_to_close)
    if os.environ.get("SAMPLE_FAILS_TO_BUILD"):
        raise RuntimeError("can't be built")
    while os.environ.get("SAMPLE_HANGS_IN_BUILD"):
        time.sleep(0.05)
    app = application.create_app(service)

    @app.post("/echo")
    def echo() -> Response:
        return application.json_response({"bytes": len(body_bytes())})

    @app.post("/break/<order>")
    def break_down(order: str) -> Response:
        orders.put(order)
        return application.json_response({})

    @app.post("/unready")
    def unready() -> Response:
        ready["part"] = False
        return application.json_response({})

    @app.get("/refused")
    def refused() -> Response:
        raise refuse(RejectReason.INVALID_FIELD, "the field is wrong", "field", given=1)

    @app.get("/fault")
    def fault() -> Response:
        raise ZeroDivisionError("secret")

    @app.get("/whole")
    def whole() -> Response:
        return application.json_response({"limit": application.query_whole("limit", 5, 1, 10)})

    @Sock(app).route("/socket")  # type: ignore[untyped-decorator]
    def socket(connection: Any) -> None:
        while True:
            connection.send(connection.receive())

    return app


if __name__ == "__main__":
    Service("sample", settings.load()).run(build, threads=4)
