"""From typed actions to answers: check, commit, describe. The same for REST and WebSocket."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from order_entry_gateway.domain.coverage import Accepted, Decision
from order_entry_gateway.domain.recorded_order import RecordedOrder
from order_entry_gateway.domain.requests import (
    Action,
    AmendAction,
    CancelAction,
    CancelAllAction,
    PlaceOrderRequest,
)
from order_entry_gateway.domain.validation import (
    AmendCandidate,
    CancelAllCandidate,
    CancelCandidate,
    Candidate,
    check_amend,
    check_cancel,
    check_cancel_all,
    check_place,
)
from order_entry_gateway.ports import (
    ANSWER_WITHIN_S,
    CommandQueue,
    LookForSecurities,
    OrderStatuses,
    PendingDecisions,
    RateLimit,
    Readiness,
    RefusalRecord,
    nothing_to_look_for,
)
from service_runtime.http.authentication import Caller
from venue_protocol.commands import AmendOrder, CancelOrder, PlaceOrder
from venue_protocol.money import format_e4
from venue_protocol.order_views import fees_shown, price_shown, terms_shown, worst_price_shown
from venue_protocol.orders import UNPRICED
from venue_protocol.refusals import Refusal, Refused, RejectReason
from venue_protocol.securities import Security

Answer = dict[str, Any] | Refusal
BYTES_OF_A_TOKEN = 4_096
"""Some 25 orders: a list that can be read costs its orders, and one that can't a part of that."""
_ENDING = (CancelAction, CancelAllAction)
_SUSPENDED = Refusal(
    RejectReason.CLIENT_SUSPENDED,
    "an administrator has suspended this client: it may cancel and read, nothing else",
)
_BEHIND = Refusal(
    RejectReason.OVERLOADED, "the venue is behind, nothing was done: ask again in a second"
)


class OrderDesk:
    """Takes actions of one caller and answers each, in order."""

    def __init__(
        self,
        committer: CommandQueue,
        securities: Mapping[str, Security],
        statuses: OrderStatuses,
        limiter: RateLimit,
        reporter: RefusalRecord,
        is_ready: Readiness,
        is_behind: Readiness = lambda: False,
        look_for: LookForSecurities = nothing_to_look_for,
        lendable: Callable[[str], int] = lambda security_id: 0,
    ) -> None:
        self._committer = committer
        self._securities = securities
        self._look_for = look_for
        self._statuses = statuses
        self._limiter = limiter
        self._reporter = reporter
        self._is_ready = is_ready
        self._lendable = lendable
        """Shares of a security that can be borrowed."""
        self._is_behind = is_behind
        """Whether settlement or record is too far behind to take more orders; what ends orders is
        always taken.
        """

    def handle(self, caller: Caller, actions: Sequence[Action | PlaceOrderRequest]) -> list[Answer]:
        """One answer for each action; the accepted ones are durable.

        Refused as a whole over the rate or unready.
        """
        return self.begin(caller, actions).answers()

    def begin(
        self,
        caller: Caller,
        actions: Sequence[Action | PlaceOrderRequest],
        paid: int = 0,
        recorded: Mapping[int, RecordedOrder] | None = None,
    ) -> "PendingRequest":
        """Check the actions and queue what is left of them for the next commit.

        `paid`: tokens that the request has cost already, before it was read. `recorded`: the
        orders that it names by id, where they were looked up before; None to look them up here.
        """
        self._limiter.charge(caller.client_id, len(actions), paid)
        if not self._is_ready():
            raise Refused(
                Refusal(RejectReason.NOT_READY, "the broker is away, nothing was done"),
                retry_after_s=1,
            )
        self._look_for(named_securities(actions))
        refused = self._refusal_of_new_orders(caller)
        checked = [
            refused
            if refused is not None and not isinstance(action, _ENDING)
            else self._check(caller.client_id, action)
            for action in actions
        ]
        self._consult_record(caller.client_id, checked, recorded)
        candidates = [
            candidate for found in checked if not isinstance(found, Refusal) for candidate in found
        ]
        submission = self._committer.enqueue(candidates) if candidates else None
        return PendingRequest(
            caller.client_id, actions, checked, submission, self._reporter, self._lendable
        )

    def _refusal_of_new_orders(self, caller: Caller) -> Refusal | None:
        """Why the caller may only end orders now, or None."""
        if caller.is_suspended:
            return _SUSPENDED
        return _BEHIND if self._is_behind() else None

    def charge(self, caller: Caller, size: int = 0) -> int:
        """Count a request of `size` bytes against the caller's rate, before it is read.

        The tokens that it cost: what can't be read costs as well. Refused over the rate.
        """
        tokens = 1 + size // BYTES_OF_A_TOKEN
        self._limiter.charge(caller.client_id, tokens)
        return tokens

    def _check(
        self, client_id: str, action: Action | PlaceOrderRequest
    ) -> list[Candidate] | Refusal:
        found: Candidate | list[CancelAllCandidate] | Refusal
        if isinstance(action, PlaceOrderRequest):
            found = check_place(action, client_id, self._securities)
        elif isinstance(action, CancelAction):
            found = check_cancel(action, client_id)
        elif isinstance(action, AmendAction):
            found = check_amend(action, client_id)
        else:
            assert isinstance(action, CancelAllAction)
            found = check_cancel_all(action, client_id, self._securities)
        if isinstance(found, Refusal):
            return found
        return list(found) if isinstance(found, list) else [found]

    def _consult_record(
        self,
        client_id: str,
        checked: list[list[Candidate] | Refusal],
        recorded_orders: Mapping[int, RecordedOrder] | None,
    ) -> None:
        """Refuse at once what is known to have ended, and tell amends how their orders stand.

        A named amend is not refused: it may be a repetition. Ownership is checked by the committer
        for the rest.
        """
        named: list[tuple[int, CancelCandidate | AmendCandidate]] = [
            (index, found[0])
            for index, found in enumerate(checked)
            if not isinstance(found, Refusal)
            and isinstance(found[0], CancelCandidate | AmendCandidate)
        ]
        if not named:
            return
        names = [
            found.target_client_order_id for _, found in named if isinstance(found, AmendCandidate)
        ]
        known_names = [name for name in names if name is not None]
        ids = self._statuses.named(client_id, known_names) if known_names else {}
        order_ids = [
            found.order_id or ids.get(found.target_client_order_id or "") for _, found in named
        ]
        if recorded_orders is None:
            wanted = sorted({order_id for order_id in order_ids if order_id is not None})
            recorded_orders = self._statuses.recorded_orders(wanted) if wanted else {}
        for (index, candidate), order_id in zip(named, order_ids, strict=True):
            recorded = recorded_orders.get(order_id or 0)
            if recorded is None or recorded.client_id != client_id:
                continue
            if isinstance(candidate, AmendCandidate):
                candidate.recorded = recorded
            if getattr(candidate, "client_order_id", None) is None:
                checked[index] = recorded.refusal() or checked[index]


class PendingRequest:
    """A request of one caller, on its way to the log."""

    def __init__(
        self,
        client_id: str,
        actions: Sequence[Action | PlaceOrderRequest],
        checked: Sequence[list[Candidate] | Refusal],
        submission: PendingDecisions | None,
        reporter: RefusalRecord,
        lendable: Callable[[str], int] = lambda security_id: 0,
    ) -> None:
        self._lendable = lendable
        self._client_id = client_id
        self._actions = actions
        self._checked = checked
        self._submission = submission
        self._reporter = reporter
        self._decisions: list[Decision] | None = None

    def is_decided(self) -> bool:
        """Whether `answers` returns at once."""
        if self._decisions is not None or self._submission is None:
            return True
        return self._submission.is_decided()

    def when_decided(self, then: Callable[[], object]) -> None:
        """Call `then` once all is decided, in the thread that decides; perhaps twice."""
        if self._submission is None:
            then()
        else:
            self._submission.when_decided(then)

    def wait(self, within_s: float = ANSWER_WITHIN_S) -> None:
        """Wait until all is decided, or for too long; `answers` returns at once then."""
        if self._decisions is None:
            self._decisions = self._submission.wait(within_s) if self._submission else []

    def answers(self) -> list[Answer]:
        """One answer for each action, in order, once all are decided."""
        self.wait()
        decisions = iter(self._decisions or ())
        answers: list[Answer] = []
        for action, found in zip(self._actions, self._checked, strict=True):
            answer = (
                found
                if isinstance(found, Refusal)
                else _merge([_answer(next(decisions)) for _ in found])
            )
            if isinstance(answer, Refusal) and isinstance(action, PlaceOrderRequest):
                self._report(action, answer)
                answer = self._with_loan(action, answer)
            answers.append(answer)
        return answers

    def refusals(self) -> list[tuple[int, Refusal]]:
        """The place of each refused action, and why; the same as in `answers`, for who needs no
        more.
        """
        self.wait()
        decisions = iter(self._decisions or ())
        refused: list[tuple[int, Refusal]] = []
        for place, (action, found) in enumerate(zip(self._actions, self._checked, strict=True)):
            refusal = (
                found
                if isinstance(found, Refusal)
                else next(
                    (
                        decided
                        for decided in [next(decisions) for _ in found]
                        if isinstance(decided, Refusal)
                    ),
                    None,
                )
            )
            if refusal is not None:
                refused.append((place, refusal))
                if isinstance(action, PlaceOrderRequest):
                    self._report(action, refusal)
        return refused

    def _with_loan(self, request: PlaceOrderRequest, refusal: Refusal) -> Refusal:
        """A refusal for missing shares also says how many can be borrowed."""
        if refusal.reason is not RejectReason.INSUFFICIENT_SHARES:
            return refusal
        lendable = self._lendable(request.security)
        if not lendable:
            return refusal
        return msgspec.structs.replace(
            refusal, details=refusal.details | {"can_be_borrowed": lendable}
        )

    def _report(self, request: PlaceOrderRequest, refusal: Refusal) -> None:
        """For the record; not what shall be asked again: it would add to what the record is behind
        with.
        """
        if refusal.reason.http_status == 503:
            return
        self._reporter.refused(
            self._client_id,
            refusal,
            request.client_order_id,
            request.security,
            request.side,
            request.quantity,
        )


def named_securities(actions: Sequence[Action | PlaceOrderRequest]) -> set[str]:
    """The securities that must be known before these actions are checked."""
    named = {
        action.security
        for action in actions
        if isinstance(action, PlaceOrderRequest | CancelAllAction)
    }
    return {security_id for security_id in named if security_id is not None}


def _answer(decision: Decision) -> Answer:
    if isinstance(decision, Refusal):
        return decision
    command = decision.command
    answer: dict[str, Any] = {"sequence": decision.sequence, "time_us": decision.time_us}
    if type(command) is PlaceOrder:
        return _placed(decision, command) | answer
    if type(command) is AmendOrder:
        return {
            "order_id": decision.order_id,
            "status": "pending_replace",
            "quantity": command.quantity,
            "price": _amended_price(decision, command),
            "duplicate": decision.is_duplicate,
        } | answer
    if type(command) is CancelOrder:
        return {"order_id": decision.order_id, "status": "pending_cancel"} | answer
    return {"status": "pending_cancel"} | answer


def _amended_price(decision: Accepted, command: AmendOrder) -> str | None:
    is_unpriced = decision.target is not None and decision.target.place.order_type in UNPRICED
    return None if is_unpriced else format_e4(command.price_e4)


def _placed(accepted: Accepted, command: PlaceOrder) -> dict[str, Any]:
    return {
        "order_id": accepted.order_id,
        "client_order_id": command.client_order_id,
        "status": "new",
        "security": command.security_id,
        "side": command.side,
        "type": command.order_type,
        "time_in_force": command.time_in_force,
        "quantity": command.quantity,
        "price": price_shown(command.order_type, command.price_e4),
        "worst_price": worst_price_shown(command.order_type, command.price_e4),
        **terms_shown(command.terms),
        "fees": fees_shown(command.fees),
        "duplicate": accepted.is_duplicate,
    }


def _merge(answers: list[Answer]) -> Answer:
    """One answer for an action that became several commands: the first refusal, else the last
    answer.
    """
    return next((answer for answer in answers if isinstance(answer, Refusal)), answers[-1])
