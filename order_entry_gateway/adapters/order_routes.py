"""The routes that orders come by: they wait for their commit without holding a thread.

Short requests are decoded and checked on the server's loop as they come. What may block goes to a
thread: a look-up that needs a statement, and the reading and writing of long lists.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import parse_qsl

import msgspec

from order_entry_gateway.adapters.completions import Completions
from order_entry_gateway.adapters.concurrency_limit import SHORT_BYTES, ListTurns
from order_entry_gateway.adapters.record_lookups import RecordLookups
from order_entry_gateway.domain.requests import (
    MOST_COMMANDS,
    Action,
    AmendAction,
    AmendRequest,
    CancelAction,
    CancelAllAction,
    PlaceOrderRequest,
)
from order_entry_gateway.handlers import Answer, OrderDesk, PendingRequest, named_securities
from service_runtime import metrics
from service_runtime.http.answers import Reply, error_body, json_reply, refusal_reply
from service_runtime.http.asgi_application import Application, NativeRequest
from service_runtime.http.authentication import Authenticator, Caller, key_in
from service_runtime.http.query import check_query
from service_runtime.http.request_body import decode_strictly
from service_runtime.http.worker_threads import WorkerThreads
from venue_protocol.refusals import Refusal, RejectReason, refuse

Actions = Sequence[Action | PlaceOrderRequest]

_orders_decoder = msgspec.json.Decoder(PlaceOrderRequest | list[PlaceOrderRequest])
_commands_decoder = msgspec.json.Decoder(list[Action])
_amend_decoder = msgspec.json.Decoder(AmendRequest)


@dataclass(frozen=True, kw_only=True)
class OrderEntry:
    """What REST and WebSocket share: from a caller's actions to their decisions, on the loop."""

    desk: OrderDesk
    authenticator: Authenticator
    completions: Completions
    lookups: RecordLookups
    turns: ListTurns
    is_limit_at_hand: Callable[[str], bool]
    """Whether the rate limit of a client is known without a statement."""
    are_securities_known: Callable[[Iterable[str]], bool]
    """Whether these securities are known without a statement."""

    async def caller(self, key: str | None, threads: WorkerThreads, share_of: str) -> Caller:
        """The caller with this key; Refused with 401 when there is none."""
        caller = self.authenticator.remembered(key)
        if caller is None:
            caller = await threads.run(share_of, self.authenticator.caller_of, key)
        return caller

    async def charge(self, caller: Caller, size: int, threads: WorkerThreads) -> int:
        """The tokens that a request of `size` bytes costs before it is read.

        Refused over the rate.
        """
        if self.is_limit_at_hand(caller.client_id):
            return self.desk.charge(caller, size)
        return await threads.run(caller.client_id, self.desk.charge, caller, size)

    async def begin(
        self, caller: Caller, actions: Actions, threads: WorkerThreads, paid: int
    ) -> PendingRequest:
        """Check `actions` and queue them for the next commit. `paid`: see `pay`."""
        if not self._is_all_at_hand(caller, actions):
            return await threads.run(caller.client_id, self.desk.begin, caller, actions, paid)
        named = {
            action.order_id
            for action in actions
            if isinstance(action, CancelAction | AmendAction) and action.order_id is not None
        }
        recorded = await self.lookups.recorded(named, threads) if named else {}
        return self.desk.begin(caller, actions, paid, recorded)

    async def begin_long(
        self, caller: Caller, read: Callable[[], Actions], threads: WorkerThreads, paid: int
    ) -> PendingRequest:
        """The same with a long list, which is read in a thread."""
        async with self.turns.reading():
            return await threads.run(
                caller.client_id, lambda: self.desk.begin(caller, read(), paid)
            )

    def _is_all_at_hand(self, caller: Caller, actions: Actions) -> bool:
        """Whether checking needs no statement but the one that looks orders up by their id.

        An amend that names its order by client_order_id asks the log for the id first.
        """
        is_named = any(
            isinstance(action, AmendAction) and action.order_id is None for action in actions
        )
        if is_named or not self.is_limit_at_hand(caller.client_id):
            return False
        return self.are_securities_known(named_securities(actions))


class OrderRoutes:
    """Handlers of the native routes."""

    def __init__(self, entry: OrderEntry) -> None:
        self._entry = entry

    def add_to(self, application: Application) -> None:
        """Put the routes on `application`."""
        application.add_route("POST", "/v1/orders", self.place)
        application.add_route("POST", "/v1/commands", self.commands)
        application.add_route("DELETE", "/v1/orders", self.cancel_all)
        application.add_route("DELETE", "/v1/orders/<order_id>", self.cancel)
        application.add_route("PATCH", "/v1/orders/<order_id>", self.amend)

    async def place(self, request: NativeRequest) -> Reply:
        """One order, or a list of them."""
        caller, paid = await self._caller(request, "POST /v1/orders")
        if len(request.body) > SHORT_BYTES:
            is_list = request.body.lstrip()[:1] == b"["
            return await self._answer_long(request, caller, paid, _read_orders, is_list)
        orders = decode_strictly(_orders_decoder, request.body)
        if isinstance(orders, list):
            pending = await self._entry.begin(caller, bounded(orders), request.threads, paid)
            await self._entry.completions.decided(pending)
            return list_reply(pending.answers())
        pending = await self._entry.begin(caller, [orders], request.threads, paid)
        await self._entry.completions.decided(pending)
        return single_reply(pending.answers()[0], 201)

    async def commands(self, request: NativeRequest) -> Reply:
        """A mixed list."""
        caller, paid = await self._caller(request, "POST /v1/commands")
        if len(request.body) > SHORT_BYTES:
            return await self._answer_long(request, caller, paid, _read_commands, True)
        commands = _read_commands(request.body)
        pending = await self._entry.begin(caller, commands, request.threads, paid)
        await self._entry.completions.decided(pending)
        return list_reply(pending.answers())

    async def cancel(self, request: NativeRequest) -> Reply:
        """Cancel one order."""
        caller, paid = await self._caller(request, "DELETE /v1/orders/<order_id>")
        cancel = CancelAction(order_id=whole_order_id(request.segment))
        return await self._answer(request, caller, paid, cancel)

    async def cancel_all(self, request: NativeRequest) -> Reply:
        """Cancel all of the caller's orders, or those in one security."""
        caller, paid = await self._caller(request, "DELETE /v1/orders", "security")
        named = [value for _, value in query_of(request)]
        return await self._answer(request, caller, paid, CancelAllAction(*named))

    async def amend(self, request: NativeRequest) -> Reply:
        """Amend one order."""
        caller, paid = await self._caller(request, "PATCH /v1/orders/<order_id>")
        body = decode_strictly(_amend_decoder, request.body)
        action = AmendAction(
            order_id=whole_order_id(request.segment),
            quantity=body.quantity,
            price=body.price,
            amend_id=body.client_order_id,
        )
        return await self._answer(request, caller, paid, action)

    async def _answer(
        self, request: NativeRequest, caller: Caller, paid: int, action: Action
    ) -> Reply:
        pending = await self._entry.begin(caller, [action], request.threads, paid)
        await self._entry.completions.decided(pending)
        return single_reply(pending.answers()[0], 202)

    async def _answer_long(
        self,
        request: NativeRequest,
        caller: Caller,
        paid: int,
        read: Callable[[bytes], Actions],
        is_list: bool,
    ) -> Reply:
        entry, body = self._entry, request.body
        pending = await entry.begin_long(caller, lambda: read(body), request.threads, paid)
        await entry.completions.decided(pending)

        def write() -> Reply:
            answers = pending.answers()
            return list_reply(answers) if is_list else single_reply(answers[0], 201)

        async with entry.turns.writing():
            return await request.threads.run(caller.client_id, write)

    async def _caller(
        self, request: NativeRequest, where: str, *parameters: str
    ) -> tuple[Caller, int]:
        """The caller of an operation that takes these query parameters, and what it has paid.

        A request costs before it is read: what can't be read costs as well. Refused for other
        parameters and over the rate.
        """
        if request.scope["query_string"]:
            check_query(where, frozenset(parameters), [name for name, _ in query_of(request)])
        key = key_in(request.header(b"authorization"), request.header(b"x-api-key"))
        caller = await self._entry.caller(key, request.threads, request.caller)
        return caller, await self._entry.charge(caller, len(request.body), request.threads)


def query_of(request: NativeRequest) -> list[tuple[str, str]]:
    """Names and values of the query string."""
    text = request.scope["query_string"].decode("utf-8", "replace")
    return parse_qsl(text, keep_blank_values=True)


def bounded(actions: list) -> list:  # type: ignore[type-arg]
    """These actions; Refused when a list may not have so many."""
    if not 1 <= len(actions) <= MOST_COMMANDS:
        raise refuse(RejectReason.INVALID_FIELD, f"a list has 1 to {MOST_COMMANDS} commands")
    return actions


def whole_order_id(text: str) -> int:
    """An order id in a path."""
    if not (text.isascii() and text.isdigit() and len(text) <= 19):
        raise refuse(RejectReason.INVALID_FIELD, "an order id is a whole number", "order_id")
    return int(text)


def answer_content(answer: Answer) -> dict[str, object]:
    """An answer inside a list: the description, or the error object."""
    if isinstance(answer, Refusal):
        metrics.refusals.labels(answer.reason.code).inc()
        return error_body(answer)
    return answer


def single_reply(answer: Answer, status: int) -> Reply:
    """The answer to one action; 200 for a repetition."""
    if isinstance(answer, Refusal):
        return refusal_reply(answer)
    return json_reply(answer, 200 if answer.get("duplicate") else status)


def list_reply(answers: Sequence[Answer]) -> Reply:
    """200 with one result each; 503 when the venue as a whole could not answer."""
    refusals = [answer for answer in answers if isinstance(answer, Refusal)]
    if refusals and len(refusals) == len(answers) and refusals[0].reason.http_status == 503:
        return refusal_reply(refusals[0])
    return json_reply({"results": [answer_content(answer) for answer in answers]})


def _read_orders(body: bytes) -> Actions:
    orders = decode_strictly(_orders_decoder, body)
    return bounded(orders) if isinstance(orders, list) else [orders]


def _read_commands(body: bytes) -> Actions:
    return bounded(decode_strictly(_commands_decoder, body))
