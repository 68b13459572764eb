"""Order entry over REST: what is neither an order nor a cancel of one (see order_routes)."""

import msgspec
from flask import Flask, Response, request

from order_entry_gateway.adapters.order_routes import bounded, list_reply, whole_order_id
from order_entry_gateway.adapters.order_status_store import OrderStatusStore
from order_entry_gateway.domain.requests import (
    CancelAction,
    CancelAfterRequest,
    CancelListRequest,
)
from order_entry_gateway.handlers import OrderDesk
from order_entry_gateway.loops.timekeeper import Timekeeper
from service_runtime.http import paging
from service_runtime.http.application import flask_response, json_response
from service_runtime.http.authentication import Authenticator
from service_runtime.http.request_body import body_as
from venue_protocol.refusals import RejectReason, refuse
from venue_protocol.times import format_utc

_cancels_decoder = msgspec.json.Decoder(CancelListRequest)
_cancel_after_decoder = msgspec.json.Decoder(CancelAfterRequest)

ORDER_ID_END = 1 << 53
"""Above all order ids."""
LONGEST_TIMEOUT_MS = 86_400_000
"""Of a dead man's switch: a day."""


def add_routes(
    app: Flask,
    desk: OrderDesk,
    statuses: OrderStatusStore,
    authenticator: Authenticator,
) -> None:
    """Put the routes on `app` that are not native."""
    _add_reading_routes(app, desk, statuses, authenticator)

    @app.post("/v1/orders/cancel")
    def cancel_list() -> Response:
        caller = authenticator.caller()
        paid = desk.charge(caller, request.content_length or 0)
        cancels = bounded(_cancels(body_as(_cancels_decoder)))
        return flask_response(list_reply(desk.begin(caller, cancels, paid).answers()))


def _add_reading_routes(
    app: Flask, desk: OrderDesk, statuses: OrderStatusStore, authenticator: Authenticator
) -> None:
    @app.get("/v1/orders")
    def orders() -> Response:
        caller = authenticator.caller()
        desk.charge(caller)
        status = request.args.get("status", "open")
        if status not in ("open", "all"):
            raise refuse(RejectReason.INVALID_FIELD, "status is open or all", "status")
        before, limit = paging.asked_newest_first(ORDER_ID_END), paging.asked_limit()
        rows = statuses.orders(caller.client_id, status == "open", before, limit + 1)
        return json_response(paging.page("orders", rows, limit, lambda row: row["order_id"]))

    @app.get("/v1/orders/<order_id>")
    def order(order_id: str) -> Response:
        caller = authenticator.caller()
        desk.charge(caller)
        found = statuses.order(whole_order_id(order_id))
        if found is None:
            raise refuse(RejectReason.UNKNOWN_ORDER, f"no order {order_id}", "order_id")
        owner, described = found
        if owner != caller.client_id and not caller.is_administrator():
            raise refuse(RejectReason.FORBIDDEN, "this order belongs to another client", "order_id")
        return json_response(described)


def add_timer_routes(
    app: Flask, desk: OrderDesk, timekeeper: Timekeeper, authenticator: Authenticator
) -> None:
    """Put the dead man's switch on `app`."""

    @app.post("/v1/cancel-after")
    def cancel_after() -> Response:
        caller = authenticator.caller()
        timeout_ms = body_as(_cancel_after_decoder).timeout_ms
        desk.charge(caller)
        return json_response(switch_answer(timekeeper, caller.client_id, timeout_ms))


def switch_answer(timekeeper: Timekeeper, client_id: str, timeout_ms: int) -> dict[str, object]:
    """Restart or disarm the client's switch, and say when it is due."""
    if not 0 <= timeout_ms <= LONGEST_TIMEOUT_MS:
        raise refuse(
            RejectReason.INVALID_FIELD, f"timeout_ms is 0 to {LONGEST_TIMEOUT_MS}", "timeout_ms"
        )
    due_us = timekeeper.cancel_after(client_id, timeout_ms)
    due = None if due_us is None else format_utc(due_us)
    return {"status": "disarmed" if due_us is None else "armed", "due_us": due_us, "due": due}


def _cancels(body: CancelListRequest) -> list[CancelAction]:
    if (body.order_ids is None) == (body.client_order_ids is None):
        raise refuse(
            RejectReason.MISSING_FIELD, "send either order_ids or client_order_ids", "order_ids"
        )
    cancels = [CancelAction(order_id=order_id) for order_id in body.order_ids or ()]
    return cancels + [CancelAction(client_order_id=name) for name in body.client_order_ids or ()]
