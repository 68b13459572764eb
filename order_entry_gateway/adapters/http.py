"""Order entry over REST."""

import msgspec
from flask import Flask, Response, request

from order_entry_gateway.adapters.concurrency_limit import Turnstile
from order_entry_gateway.adapters.order_status_store import OrderStatusStore
from order_entry_gateway.domain.requests import (
    MOST_COMMANDS,
    Action,
    AmendAction,
    AmendRequest,
    CancelAction,
    CancelAfterRequest,
    CancelAllAction,
    CancelListRequest,
    PlaceOrderRequest,
)
from order_entry_gateway.handlers import Answer, OrderDesk, PendingRequest
from order_entry_gateway.loops.timekeeper import Timekeeper
from service_runtime import metrics
from service_runtime.http.application import (
    error_body,
    json_response,
    query_whole,
    refusal_response,
)
from service_runtime.http.authentication import Authenticator
from service_runtime.http.request_body import body_as, body_bytes, decode_strictly
from venue_protocol.refusals import Refusal, RejectReason, refuse
from venue_protocol.times import format_utc

_orders_decoder = msgspec.json.Decoder(PlaceOrderRequest | list[PlaceOrderRequest])
_commands_decoder = msgspec.json.Decoder(list[Action])
_cancels_decoder = msgspec.json.Decoder(CancelListRequest)
_amend_decoder = msgspec.json.Decoder(AmendRequest)
_cancel_after_decoder = msgspec.json.Decoder(CancelAfterRequest)

LONGEST_TIMEOUT_MS = 86_400_000
"""Of a dead man's switch: a day."""


def add_routes(
    app: Flask,
    desk: OrderDesk,
    statuses: OrderStatusStore,
    authenticator: Authenticator,
    turnstile: Turnstile,
) -> None:
    """Put the order entry routes on `app`."""
    _add_reading_routes(app, statuses, authenticator)

    @app.post("/v1/orders")
    def place() -> Response:
        caller, body = authenticator.caller(), body_bytes()
        with turnstile.entering(len(body)):
            orders = decode_strictly(_orders_decoder, body)
            pending = desk.begin(caller, bounded(orders) if isinstance(orders, list) else [orders])
        pending.wait()
        with turnstile.leaving(len(body)):
            return (
                _list_response(pending)
                if isinstance(orders, list)
                else _single_response(pending.answers()[0], 201)
            )

    @app.post("/v1/commands")
    def commands() -> Response:
        caller, body = authenticator.caller(), body_bytes()
        with turnstile.entering(len(body)):
            pending = desk.begin(caller, bounded(decode_strictly(_commands_decoder, body)))
        pending.wait()
        with turnstile.leaving(len(body)):
            return _list_response(pending)

    @app.post("/v1/orders/cancel")
    def cancel_list() -> Response:
        caller = authenticator.caller()
        return _list_response(desk.begin(caller, bounded(_cancels(body_as(_cancels_decoder)))))

    @app.delete("/v1/orders/<order_id>")
    def cancel(order_id: str) -> Response:
        caller = authenticator.caller()
        return _single_response(
            desk.handle(caller, [CancelAction(order_id=_order_id(order_id))])[0], 202
        )

    @app.delete("/v1/orders")
    def cancel_all() -> Response:
        caller = authenticator.caller()
        named = request.args.getlist("security")
        if set(request.args) - {"security"} or len(named) > 1:
            raise refuse(
                RejectReason.UNKNOWN_FIELD,
                "the only parameter is security, once; nothing was canceled",
            )
        return _single_response(desk.handle(caller, [CancelAllAction(*named)])[0], 202)

    @app.patch("/v1/orders/<order_id>")
    def amend(order_id: str) -> Response:
        caller = authenticator.caller()
        body = body_as(_amend_decoder)
        action = AmendAction(
            order_id=_order_id(order_id),
            quantity=body.quantity,
            price=body.price,
            amend_id=body.client_order_id,
        )
        return _single_response(desk.handle(caller, [action])[0], 202)


def _add_reading_routes(
    app: Flask, statuses: OrderStatusStore, authenticator: Authenticator
) -> None:
    @app.get("/v1/orders")
    def orders() -> Response:
        caller = authenticator.caller()
        status = request.args.get("status", "open")
        if status not in ("open", "all"):
            raise refuse(RejectReason.INVALID_FIELD, "status is open or all", "status")
        before = query_whole("before", 1 << 53, 1, 1 << 53)
        limit = query_whole("limit", 100, 1, 1000)
        return json_response(
            {"orders": statuses.orders(caller.client_id, status == "open", before, limit)}
        )

    @app.get("/v1/orders/<order_id>")
    def order(order_id: str) -> Response:
        caller = authenticator.caller()
        found = statuses.order(_order_id(order_id))
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


def answer_content(answer: Answer) -> dict[str, object]:
    """An answer inside a list: the description, or the error object."""
    if isinstance(answer, Refusal):
        metrics.refusals.labels(answer.reason.code).inc()
        return error_body(answer)
    return answer


def _single_response(answer: Answer, status: int) -> Response:
    if isinstance(answer, Refusal):
        return refusal_response(answer)
    return json_response(answer, 200 if answer.get("duplicate") else status)


def _cancels(body: CancelListRequest) -> list[CancelAction]:
    if (body.order_ids is None) == (body.client_order_ids is None):
        raise refuse(
            RejectReason.MISSING_FIELD, "send either order_ids or client_order_ids", "order_ids"
        )
    cancels = [CancelAction(order_id=order_id) for order_id in body.order_ids or ()]
    return cancels + [CancelAction(client_order_id=name) for name in body.client_order_ids or ()]


def _list_response(pending: PendingRequest) -> Response:
    """200 with one result each; 503 when the venue as a whole could not answer."""
    answers = pending.answers()
    refusals = [answer for answer in answers if isinstance(answer, Refusal)]
    if refusals and len(refusals) == len(answers) and refusals[0].reason.http_status == 503:
        return refusal_response(refusals[0])
    return json_response({"results": [answer_content(answer) for answer in answers]})


def bounded(actions: list) -> list:  # type: ignore[type-arg]
    """These actions; Refused when a list may not have so many."""
    if not 1 <= len(actions) <= MOST_COMMANDS:
        raise refuse(RejectReason.INVALID_FIELD, f"a list has 1 to {MOST_COMMANDS} commands")
    return actions


def _order_id(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 19):
        raise refuse(RejectReason.INVALID_FIELD, "an order id is a whole number", "order_id")
    return int(text)
