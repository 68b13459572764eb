"""A service with nothing of the venue in it, to try the service loop: run by test_service_loop in a
process.
"""

import hashlib
import os
import queue
import sys
import time

import flask
from flask import Response

from service_runtime import service as service_module
from service_runtime import settings
from service_runtime.http import application, request_context
from service_runtime.http.answers import Reply, json_reply
from service_runtime.http.asgi_application import Application, NativeRequest
from service_runtime.http.connections import Limits
from service_runtime.http.request_body import body_bytes
from service_runtime.http.websocket import WebSocket
from service_runtime.service import Service
from venue_protocol.refusals import RejectReason, refuse

_SILENCE_S = float(os.environ["SAMPLE_SILENCE_S"])


def limits_of(ours: settings.Settings) -> Limits:
    """The bounds of a real service, but for how long a client may take."""
    return Limits(
        most=ours.connections,
        most_strangers=ours.connections_without_key,
        most_strangers_of_an_address=ours.connections_without_key_per_address,
        most_of_a_client=ours.connections_per_client,
        request_s=_SILENCE_S,
        answer_s=_SILENCE_S,
        idle_s=float(os.environ.get("SAMPLE_IDLE_S", Limits.idle_s)),
    )


def add_answers(app: flask.Flask) -> None:
    """Routes that answer in each of the ways a service can."""

    @app.get("/refused")
    def refused() -> Response:
        raise refuse(RejectReason.INVALID_FIELD, "the field is wrong", "field", given=1)

    @app.get("/fault")
    def fault() -> Response:
        raise ZeroDivisionError("secret")

    @app.get("/whole")
    def whole() -> Response:
        return application.json_response({"limit": application.query_whole("limit", 5, 1, 10)})

    @app.get("/large")
    def large() -> Response:
        return application.json_response("x" * 1_000_000)

    @app.get("/who")
    def who() -> Response:
        """A key that is good: the connection is its client's."""
        request_context.note_caller(flask.request.headers["X-API-Key"])
        return application.json_response({})


def build(service: Service) -> Application:
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
    print("building", file=sys.stderr, flush=True)
    while os.environ.get("SAMPLE_HANGS_IN_BUILD"):
        time.sleep(0.05)
    app = application.create_app(service)

    @app.post("/echo")
    def echo() -> Response:
        body = body_bytes()
        digest = hashlib.sha256(body).hexdigest()
        return application.json_response({"bytes": len(body), "sha256": digest})

    @app.post("/break/<order>")
    def break_down(order: str) -> Response:
        orders.put(order)
        return application.json_response({})

    @app.post("/unready")
    def unready() -> Response:
        ready["part"] = False
        return application.json_response({})

    add_answers(app)
    native = Application(app, threads=4)
    native.add_route("POST", "/native", echo_natively)
    native.add_websocket("/socket", converse, refuse_no_handshake)
    return native


async def echo_natively(request: NativeRequest) -> Reply:
    """The length of the body, counted on the loop."""
    return json_reply({"bytes": len(request.body)})


async def converse(websocket: WebSocket) -> None:
    """Send back what comes."""
    await websocket.accept(16_384)
    while (message := await websocket.receive()) is not None:
        await websocket.send_text(str(message))
    await websocket.close(1012, "the service ends")


def refuse_no_handshake() -> Response:
    """For who asks without a handshake."""
    raise refuse(RejectReason.MALFORMED, "this is no WebSocket handshake")


if __name__ == "__main__":
    service_module.limits_of = limits_of
    Service("sample", settings.load()).run(build)
