"""Clients that send orders, lose answers, try again with the same name, and hold the venue to what
it answered.
"""

from collections.abc import Callable, Sequence
from random import Random
from typing import Any

import msgspec

from order_entry_gateway.domain.requests import (
    Action,
    AmendAction,
    CancelAction,
    CancelAllAction,
    PlaceOrderRequest,
)
from order_entry_gateway.handlers import Answer, PendingRequest
from service_runtime.http.authentication import Caller
from venue_protocol import codec
from venue_protocol.commands import AmendOrder, PlaceOrder
from venue_protocol.identifiers import sharded_id
from venue_protocol.money import format_e4, parse_e4
from venue_protocol.orders import (
    BUY,
    CLS,
    DAY,
    FOK,
    GTD,
    IOC,
    LIMIT,
    MARKET,
    OPG,
    SELL,
    STOP,
    STOP_LIMIT,
    UNPRICED,
    SelfTradePrevention,
    Side,
    TimeInForce,
)
from venue_protocol.refusals import Refusal, RejectReason
from venue_protocol.roles import TRADER
from venue_protocol.times import format_utc
from venue_simulation.violation import require
from venue_storage.memory_clearing_data import MemoryClearing

ClientAction = Action | PlaceOrderRequest

_REFERENCE_E4 = 1_000_000
_STEP_E4 = 10_000
_SIDES: tuple[Side, Side] = (BUY, SELL)
_PREVENTIONS: tuple[SelfTradePrevention | None, ...] = (
    None,
    "cancel_newest",
    "cancel_oldest",
    "cancel_both",
    "decrement",
)
_TIMES_IN_FORCE: tuple[TimeInForce | None, ...] = (*(None,) * 10, IOC, FOK, DAY, OPG, CLS)
_UNKNOWN = (RejectReason.OUTCOME_UNKNOWN,)
_NOT_NOW = (RejectReason.NOT_READY, RejectReason.OVERLOADED)


class InFlight:
    """A request on its way."""

    def __init__(
        self,
        client: "Client",
        actions: Sequence[ClientAction],
        pending: PendingRequest,
        gateway: object,
    ) -> None:
        self.client = client
        self.actions = actions
        self.pending = pending
        self.gateway = gateway
        """The gateway that has it."""
        self.is_abandoned = False
        """The client waits no longer, but the gateway does not know that."""


class Client:
    """One client.

    It keeps asking, with the same names, until it knows what became of each order.
    """

    def __init__(
        self, client_id: str, securities: Sequence[str], dice: Random, now_us: Callable[[], int]
    ) -> None:
        self.caller = Caller(client_id, TRADER)
        self._now_us = now_us
        self._securities = securities
        self._dice = dice
        self._names: list[str] = []
        self._next_name = 1
        self.order_ids: list[int] = []
        self.unclear: dict[str, ClientAction] = {}
        """Named actions without a clear answer, to be sent again."""
        self._sent: dict[str, int] = {}
        """Requests under way that carry a name."""
        self._doubtful: set[str] = set()
        """Names of which an earlier attempt may have been logged."""
        self._first_answers: set[str] = set()
        self._bodies: dict[str, ClientAction] = {}
        """The first action sent under a name."""
        self._reused: set[str] = set()
        self._overlapping: set[str] = set()
        """Names that were under way twice at a time: their answers may come in another order than
        the decisions.
        """

    def next_actions(self, others: Sequence["Client"]) -> list[ClientAction]:
        """What this client sends next: mostly one new order; a repetition when an answer is
        missing.
        """
        dice = self._dice
        if self.unclear and dice.random() < 0.6:
            return [self.unclear.pop(name) for name in list(self.unclear)[: dice.randint(1, 3)]]
        count = 1 if dice.random() < 0.7 else dice.randint(2, 5)
        return [self._new_action(others) for _ in range(count)]

    def retries(self) -> list[ClientAction]:
        """Everything that is still unclear, once."""
        actions, self.unclear = list(self.unclear.values()), {}
        return actions

    def sent(self, actions: Sequence[ClientAction]) -> None:
        """These actions are on their way."""
        for action in actions:
            name = name_of(action)
            if name is not None:
                if self._sent.get(name):
                    self._overlapping.add(name)
                self._sent[name] = self._sent.get(name, 0) + 1
                if self._bodies.setdefault(name, action) != action:
                    self._reused.add(name)

    def abandoned(self, actions: Sequence[ClientAction]) -> None:
        """The answer to these actions did not come: what became of them is unknown."""
        for action in actions:
            name = name_of(action)
            if name is not None:
                self._doubtful.add(name)
                self.unclear[name] = action

    def ended(self, actions: Sequence[ClientAction]) -> None:
        """Nothing will happen to these actions any more that has not happened."""
        for action in actions:
            name = name_of(action)
            if name is not None:
                self._sent[name] -= 1

    def answered(
        self, actions: Sequence[ClientAction], answers: Sequence[Answer], clearing: MemoryClearing
    ) -> None:
        """Check each answer against the log, and remember what is still unclear."""
        self.ended(actions)
        for action, answer in zip(actions, answers, strict=True):
            name = name_of(action)
            if not isinstance(answer, Refusal):
                self._check_accepted(action, answer, clearing)
            elif name is not None:
                self._check_refused(name, action, answer, clearing)

    def _check_accepted(
        self, action: ClientAction, answer: dict[str, Any], clearing: MemoryClearing
    ) -> None:
        """Accepted means durable: the log has it, with these terms, under this number."""
        log, client_id = clearing.tables.log, self.caller.client_id
        name = name_of(action)
        if name is None:
            require(
                any(
                    row.sequence == answer["sequence"] and row.client_id == client_id
                    for row in log.values()
                ),
                "an accepted command is in the log",
                answer,
            )
            return
        place = clearing.tables.names.get((client_id, name))
        require(place is not None, "an accepted order is in the log", (client_id, name))
        assert place is not None
        row = log[place]
        command = codec.decode_command(row.command)
        require(
            row.sequence == answer["sequence"],
            "an answer has the number of its command",
            (row, answer),
        )
        if type(command) is PlaceOrder:
            require(
                answer["order_id"] == sharded_id(*place),
                "an order's id is its place in the log",
                answer,
            )
            self.order_ids.append(answer["order_id"])
        require(
            _is_command_of(action, command),
            "the order in the log is the one sent",
            (action, command),
        )
        if not answer["duplicate"]:
            require(
                name not in self._first_answers,
                "the same order twice is one order",
                (client_id, name),
            )
            self._first_answers.add(name)

    def _check_refused(
        self, name: str, action: ClientAction, refusal: Refusal, clearing: MemoryClearing
    ) -> None:
        if refusal.reason in _UNKNOWN:
            self._doubtful.add(name)
            self.unclear[name] = action
            return
        is_logged = (self.caller.client_id, name) in clearing.tables.names
        if refusal.reason in _NOT_NOW:
            # Only this attempt did nothing; an earlier one may have been logged.
            if name not in self._doubtful | self._overlapping | self._first_answers:
                require(not is_logged, "nothing was done means nothing was done", (name, refusal))
            self.unclear[name] = action
        elif refusal.reason is RejectReason.CLIENT_ORDER_ID_REUSED:
            require(
                name in self._reused,
                "the same request under the same name is no conflict",
                (action, refusal),
            )
        elif name not in self._overlapping | self._reused:
            require(
                not is_logged,
                "a refused order is not in the log",
                (self.caller.client_id, name, refusal),
            )

    def _new_action(self, others: Sequence["Client"]) -> ClientAction:
        drawn = self._dice.random()
        if drawn < 0.62 or not self._names:
            return self._new_order()
        if drawn < 0.78:
            return self._new_cancel(others)
        if drawn < 0.94:
            return self._new_amend()
        if drawn < 0.97:
            return CancelAllAction(self._dice.choice([None, *self._securities]))
        return self._reused_name()

    def _new_order(self) -> PlaceOrderRequest:
        dice = self._dice
        self._names.append(f"n{self._next_name}")
        self._next_name += 1
        request = PlaceOrderRequest(
            dice.choice(self._securities),
            dice.choice(_SIDES),
            MARKET if dice.random() < 0.08 else LIMIT,
            dice.randint(1, 6) if dice.random() < 0.9 else dice.randint(20, 60),
            time_in_force=dice.choice(_TIMES_IN_FORCE),
            client_order_id=self._names[-1],
        )
        if dice.random() < 0.4:
            self._give_terms(request)
        if request.type not in UNPRICED:
            request.price = msgspec.Raw(self._price())
        return request

    def _give_terms(self, request: PlaceOrderRequest) -> None:
        """Make it one of the rarer orders; now and then one that the door must refuse."""
        dice = self._dice
        kind = dice.choice(
            ("stop", "stop_limit", "gtd", "post_only", "min_quantity", "iceberg", "prevention")
        )
        request.self_trade_prevention = dice.choice(_PREVENTIONS)
        if kind in (STOP, STOP_LIMIT):
            request.type = STOP if kind == STOP else STOP_LIMIT
            request.time_in_force = dice.choice((None, None, None, GTD, IOC))
            request.stop_price = msgspec.Raw(self._price())
        elif kind == "gtd":
            request.type, request.time_in_force = LIMIT, GTD
        elif kind == "post_only":
            request.post_only = True
        elif kind == "min_quantity":
            request.time_in_force = IOC
            request.min_quantity = dice.randint(1, request.quantity + 1)
        elif kind == "iceberg":
            request.type, request.time_in_force = LIMIT, None
            request.quantity = dice.randint(5, 30)
            request.display_quantity = dice.randint(1, 5)
        if request.time_in_force == GTD:
            request.expire_time = format_utc(self._now_us() + dice.randint(-500_000, 5_000_000))

    def _new_cancel(self, others: Sequence["Client"]) -> CancelAction:
        owner = self if self._dice.random() < 0.9 else self._dice.choice(others)
        if owner.order_ids and self._dice.random() < 0.5:
            return CancelAction(order_id=self._dice.choice(owner.order_ids))
        return CancelAction(client_order_id=self._recent_name())

    def _new_amend(self) -> AmendAction:
        dice = self._dice
        amend_id = f"a{self._next_name}"
        self._next_name += 1
        quantity = dice.randint(1, 8) if dice.random() < 0.7 else None
        price = self._price() if quantity is None or dice.random() < 0.6 else b"null"
        order_id = dice.choice(self.order_ids) if self.order_ids and dice.random() < 0.4 else None
        name = self._recent_name() if order_id is None else None
        return AmendAction(order_id, name, quantity, msgspec.Raw(price), amend_id)

    def _reused_name(self) -> PlaceOrderRequest:
        """A client's mistake: an old name for another order. Its first use must be clear, or nobody
        could say.
        """
        clear = [
            name for name in self._names if name not in self.unclear and not self._sent.get(name)
        ]
        if not clear:
            return self._new_order()
        price = msgspec.Raw(self._price())
        return PlaceOrderRequest(
            self._securities[0], BUY, LIMIT, 7, price, None, self._dice.choice(clear)
        )

    def _recent_name(self) -> str:
        return self._dice.choice(self._names[-6:])

    def _price(self) -> bytes:
        return format_e4(_REFERENCE_E4 + self._dice.randint(-3, 3) * _STEP_E4).encode()


def name_of(action: ClientAction) -> str | None:
    """The sender's name for an action that can be repeated safely."""
    if isinstance(action, PlaceOrderRequest):
        return action.client_order_id
    return action.amend_id if isinstance(action, AmendAction) else None


def _is_command_of(action: ClientAction, command: object) -> bool:
    if isinstance(action, PlaceOrderRequest) and type(command) is PlaceOrder:
        same = (action.security, action.side, action.type, action.quantity) == (
            command.security_id,
            command.side,
            command.order_type,
            command.quantity,
        )
        return same and (
            action.type in UNPRICED or parse_e4(bytes(action.price).decode()) == command.price_e4
        )
    if isinstance(action, AmendAction) and type(command) is AmendOrder:
        return action.quantity in (None, command.quantity)
    return False


def brief(actions: list[ClientAction]) -> str:
    """The kinds of the actions, for a trace."""
    return ", ".join(
        type(action).__name__.removesuffix("Action").removesuffix("Request") for action in actions
    )
