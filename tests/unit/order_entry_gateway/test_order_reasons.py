"""Every reason of the closed list that an order, amend or cancel can meet, each produced by an
example.

The list of reasons that orders can not meet is closed too: a new reason must be put on one side or
the other.
"""

from typing import Any

import msgspec
import pytest

from matching_engine.domain.engine import MatchingEngine
from order_entry_gateway.domain.coverage import DoorState, Funds, Logged, Order, decide
from order_entry_gateway.domain.requests import AmendAction, CancelAction, PlaceOrderRequest
from order_entry_gateway.domain.validation import (
    AmendCandidate,
    CancelCandidate,
    check_amend,
    check_cancel,
    check_place,
)
from venue_protocol.codec import SCHEMA
from venue_protocol.commands import (
    AdvanceTime,
    AmendOrder,
    CancelOrder,
    Command,
    CommandBatch,
    PlaceOrder,
    SetPhase,
)
from venue_protocol.holds import CASH
from venue_protocol.orders import OrderTerms
from venue_protocol.refusals import Refusal, RejectReason
from venue_protocol.securities import Security

AAPL = Security(
    "AAPL",
    "",
    0,
    tick_e4=100,
    lot=10,
    band_bps=5000,
    reference_price_e4=1_000_000,
    max_quantity=100_000,
)
SECURITIES = {"AAPL": AAPL}
NOW_US = 1_800_000_000_000_000
LATER = "2037-01-01T00:00:00Z"

GOOD: dict[str, Any] = {
    "security": "AAPL",
    "side": "BUY",
    "type": "limit",
    "quantity": 10,
    "price": "100",
}

PLACED: list[tuple[str, dict[str, Any]]] = [
    ("security.unknown", {"security": "NONE"}),
    ("order.opening_only_too_late", {"time_in_force": "OPG"}),
    ("price.required", {"price": None}),
    ("price.required", {"type": "stop_limit", "price": None, "stop_price": "100"}),
    ("price.not_allowed", {"type": "market"}),
    ("price.not_allowed", {"type": "stop", "stop_price": "100"}),
    ("price.not_positive", {"price": "0"}),
    ("price.off_tick", {"price": "100.005"}),
    ("price.outside_band", {"price": "151"}),
    ("price.outside_band", {"type": "stop_limit", "stop_price": "151"}),
    ("price.off_tick", {"type": "stop_limit", "stop_price": "100.005"}),
    ("request.invalid_field", {"price": "NaN"}),
    ("request.invalid_field", {"type": "stop_limit", "stop_price": "much"}),
    ("request.invalid_field", {"time_in_force": "GTD", "expire_time": "tomorrow"}),
    ("quantity.not_positive", {"quantity": 0}),
    ("quantity.off_lot", {"quantity": 11}),
    ("quantity.too_large", {"quantity": 100_010}),
    ("quantity.too_large", {"time_in_force": "IOC", "min_quantity": 20}),
    ("quantity.not_positive", {"time_in_force": "IOC", "min_quantity": 0}),
    ("quantity.off_lot", {"quantity": 20, "display_quantity": 15}),
    ("quantity.too_large", {"display_quantity": 20}),
    ("order.display_quantity_too_small", {"quantity": 1_010, "display_quantity": 10}),
    ("order.display_quantity_not_allowed", {"time_in_force": "IOC", "display_quantity": 10}),
    (
        "order.display_quantity_not_allowed",
        {"type": "market", "price": None, "display_quantity": 10},
    ),
    ("order.time_in_force_not_allowed", {"type": "market", "price": None, "time_in_force": "GTC"}),
    (
        "order.time_in_force_not_allowed",
        {"type": "stop_limit", "stop_price": "100", "time_in_force": "IOC"},
    ),
    ("order.stop_price_required", {"type": "stop", "price": None}),
    ("order.stop_price_not_allowed", {"stop_price": "100"}),
    ("order.expire_time_required", {"time_in_force": "GTD"}),
    ("order.expire_time_not_allowed", {"expire_time": LATER}),
    ("order.expire_time_past", {"time_in_force": "GTD", "expire_time": "2020-01-01T00:00:00Z"}),
    ("order.post_only_not_allowed", {"time_in_force": "IOC", "post_only": True}),
    ("order.post_only_not_allowed", {"type": "stop_limit", "stop_price": "100", "post_only": True}),
    ("order.min_quantity_not_allowed", {"min_quantity": 10}),
    ("risk.insufficient_funds", {"quantity": 1_010}),
    ("risk.insufficient_shares", {"side": "SELL", "quantity": 1_010}),
    ("order.client_order_id_reused", {"client_order_id": "used", "quantity": 20}),
    ("accepted", {}),
    ("accepted", {"type": "market", "price": None}),
    ("accepted", {"type": "market", "price": None, "min_quantity": 10}),
    ("accepted", {"type": "stop", "price": None, "stop_price": "100"}),
    (
        "accepted",
        {
            "type": "stop_limit",
            "stop_price": "149.99",
            "time_in_force": "GTD",
            "expire_time": LATER,
        },
    ),
    ("accepted", {"time_in_force": "GTD", "expire_time": LATER}),
    ("accepted", {"quantity": 1_000, "display_quantity": 10, "post_only": True}),
    ("accepted", {"self_trade_prevention": "decrement"}),
]


def door() -> DoorState:
    """ann has $100,000.00 and 1,000 shares, order 7, an iceberg 8, a stop 9; bob has order 6."""
    plain = PlaceOrder("ann", "AAPL", "BUY", "limit", "GTC", 10, 1_000_000, "used")
    iceberg = msgspec.structs.replace(
        plain, terms=OrderTerms(display_quantity=10), client_order_id=None
    )
    stop = msgspec.structs.replace(
        plain, order_type="stop", terms=OrderTerms(1_000_000), client_order_id=None
    )
    bobs = msgspec.structs.replace(plain, client_id="bob")
    orders = {6: bobs, 7: plain, 8: iceberg, 9: stop}
    return DoorState(
        funds={("ann", CASH): Funds(1_000_000_000, 0), ("ann", "AAPL"): Funds(1_000, 0)},
        orders={
            order_id: Order(order_id, place, 10, 1_000_000) for order_id, place in orders.items()
        },
        named={("ann", "used"): Logged(0, 7, 1, plain)},
        securities=SECURITIES,
        now_us=NOW_US,
    )


def placed(change: dict[str, Any]) -> str:
    """The code with which the door answers an order, or `accepted`."""
    body = {name: value for name, value in (GOOD | change).items() if value is not None}
    request = msgspec.json.decode(msgspec.json.encode(body), type=PlaceOrderRequest)
    found = check_place(request, "ann", SECURITIES)
    decision = found if isinstance(found, Refusal) else decide([found], door())[0]
    return decision.reason.code if isinstance(decision, Refusal) else "accepted"


@pytest.mark.parametrize(("code", "change"), PLACED)
def test_the_door_answers_an_order_with_its_reason(code: str, change: dict[str, Any]) -> None:
    assert placed(change) == code


AMENDED: list[tuple[str, AmendAction | CancelAction]] = [
    ("request.missing_field", AmendAction(quantity=20)),
    ("request.missing_field", CancelAction()),
    ("order.unknown", CancelAction(order_id=-5)),
    ("order.unknown", CancelAction(order_id=99)),
    ("order.unknown", CancelAction(client_order_id="nobody")),
    ("auth.forbidden", CancelAction(order_id=6)),
    ("auth.forbidden", AmendAction(order_id=6, quantity=20)),
    ("order.amend_changes_nothing", AmendAction(order_id=7)),
    ("order.amend_changes_nothing", AmendAction(order_id=7, quantity=10)),
    ("quantity.off_lot", AmendAction(order_id=7, quantity=15)),
    ("price.off_tick", AmendAction(order_id=7, price=msgspec.Raw(b"100.005"))),
    ("request.invalid_field", AmendAction(order_id=7, price=msgspec.Raw(b"[]"))),
    ("risk.insufficient_funds", AmendAction(order_id=7, quantity=2_000)),
    ("order.display_quantity_too_small", AmendAction(order_id=8, quantity=1_010)),
    ("price.not_allowed", AmendAction(order_id=9, price=msgspec.Raw(b"100"))),
    ("accepted", AmendAction(order_id=9, quantity=20)),
    ("accepted", AmendAction(client_order_id="used", quantity=20)),
    ("accepted", CancelAction(client_order_id="used")),
]


def changed(action: AmendAction | CancelAction) -> str:
    """The code with which the door answers an amend or a cancel, or `accepted`."""
    found: AmendCandidate | CancelCandidate | Refusal
    found = (
        check_amend(action, "ann")
        if isinstance(action, AmendAction)
        else check_cancel(action, "ann")
    )
    decision = found if isinstance(found, Refusal) else decide([found], door())[0]
    return decision.reason.code if isinstance(decision, Refusal) else "accepted"


@pytest.mark.parametrize(("code", "action"), AMENDED)
def test_the_door_answers_an_amend_or_cancel_with_its_reason(
    code: str, action: AmendAction | CancelAction
) -> None:
    assert changed(action) == code


def _bid(
    client: str, quantity: int, terms: OrderTerms | None = None, tif: str = "GTC"
) -> PlaceOrder:
    return PlaceOrder(client, "AAPL", "BUY", "limit", tif, quantity, 1_000_000, None, terms)


def _ask(client: str, quantity: int, price_e4: int = 1_000_000) -> PlaceOrder:
    return PlaceOrder(client, "AAPL", "SELL", "limit", "GTC", quantity, price_e4)


def _amend(
    order_id: int, quantity: int, price_e4: int = 1_000_000, hold: int = 10**9
) -> AmendOrder:
    return AmendOrder("ann", order_id, quantity, price_e4, hold)


ENGINE: list[tuple[str, list[Command]]] = [
    ("order.unknown", [CancelOrder("ann", 5)]),
    ("order.not_open", [CancelOrder("ann", 1), CancelOrder("ann", 1)]),
    ("order.already_filled", [_bid("ann", 5), _ask("bob", 5), CancelOrder("ann", 1)]),
    ("order.already_canceled", [_bid("ann", 5), CancelOrder("ann", 1), _amend(1, 6)]),
    (
        "order.already_expired",
        [_bid("ann", 5, OrderTerms(expires_us=1), "GTD"), AdvanceTime(), CancelOrder("ann", 1)],
    ),
    ("session.closed", [_bid("ann", 5), SetPhase("administrator", "closed"), _amend(1, 6)]),
    ("session.halted", [_bid("ann", 5), SetPhase("administrator", "halted", "AAPL"), _amend(1, 6)]),
    ("order.amend_below_filled", [_bid("ann", 5), _ask("bob", 3), _amend(1, 2)]),
    ("order.amend_changes_nothing", [_bid("ann", 5), _amend(1, 5)]),
    ("risk.insufficient_funds", [_bid("ann", 5), _amend(1, 6, hold=0)]),
    ("risk.insufficient_shares", [_ask("ann", 5), _amend(1, 6, hold=0)]),
    (
        "order.post_only_would_trade",
        [
            _ask("bob", 5, 1_000_100),
            _bid("ann", 5, OrderTerms(is_post_only=True)),
            _amend(2, 5, 1_000_100),
        ],
    ),
]


@pytest.mark.parametrize(("code", "commands"), ENGINE)
def test_the_engine_answers_a_late_or_impossible_change_with_its_reason(
    code: str, commands: list[Command]
) -> None:
    engine = MatchingEngine()
    events = engine.apply(CommandBatch(SCHEMA, 0, 1, 10, commands)).events
    assert getattr(events[-1], "reason", None) == code


ELSEWHERE = {
    # The language of requests, keys and paths: acceptance cases 2 and 6.
    "request.malformed",
    "request.duplicate_key",
    "request.unknown_field",
    "request.too_large",
    "request.length_required",
    "request.timed_out",
    "request.http_version",
    "request.unsupported_media_type",
    "request.method_not_allowed",
    "request.unknown_path",
    "auth.key_missing",
    "auth.key_invalid",
    # What a call phase does not take: test_trading_phases.
    "order.not_in_auction",
    # Not about this order, but about now: test_group_commit, test_rate_limit.
    "rate.limited",
    "service.overloaded",
    "service.outcome_unknown",
    "service.not_ready",
    "service.internal",
    # Stock loans, at the clearinghouse: integration/venue_audit/test_loans.
    "loan.not_allowed",
    "loan.unknown",
    "loan.closing",
    "loan.called",
    "loan.unavailable",
    # Administration.
    "client.unknown",
    "join.code_invalid",
    "join.code_unknown",
    "join.code_exists",
    "join.code_full",
    "client.exists",
    "client.last_administrator",
    "client.suspended",
    "client.starting_cash_fixed",
    "security.exists",
    "request.idempotency_key_reused",
    "amount.not_positive",
    # Corporate actions: test_corporate_actions.
    "action.needs_halt",
    "action.unsettled",
    # What a second person consents to: tests/integration/clearinghouse/test_proposals.
    "proposal.second_person_required",
    "proposal.unknown",
    "proposal.exists",
    "proposal.already_decided",
    "proposal.too_many",
    "trade.unknown",
    "trade.already_busted",
    "trade.before_corporate_action",
    "trade.of_close_out",
    "trade.correction_changes_nothing",
    "security.delisted",
}


def test_every_reason_of_the_list_is_produced_above_or_belongs_elsewhere() -> None:
    """A reason that no example produces fails here, and so does one that is on both sides."""
    produced = {code for code, _ in [*PLACED, *AMENDED, *ENGINE]} - {"accepted"}
    assert produced | ELSEWHERE == {reason.code for reason in RejectReason}
    assert not produced & ELSEWHERE
