"""The door's decision: covered or refused, the same order twice is one, nothing half done."""

import msgspec
import pytest

from order_entry_gateway.domain.coverage import (
    Accepted,
    Decision,
    DoorState,
    Funds,
    Logged,
    Order,
    decide,
)
from order_entry_gateway.domain.requests import AmendAction, CancelAction, PlaceOrderRequest
from order_entry_gateway.domain.validation import (
    AmendCandidate,
    CancelCandidate,
    PlaceCandidate,
    check_amend,
    check_cancel,
    check_place,
)
from venue_protocol.commands import AmendOrder, CancelOrder, PlaceOrder
from venue_protocol.fee_schedule import FeeRow, FeeSchedule
from venue_protocol.fees import FeeRates
from venue_protocol.holds import CASH
from venue_protocol.refusals import Refusal, RejectReason
from venue_protocol.securities import Security

AAPL = Security(
    "AAPL", "Apple Inc.", 0, tick_e4=100, lot=1, band_bps=5000, reference_price_e4=1_000_000
)
SECURITIES = {"AAPL": AAPL}


def state(cash: int = 10_000, held: int = 0, shares: int = 100) -> DoorState:
    return DoorState(
        funds={
            ("ann", CASH): Funds(cash * 10_000, held * 10_000),
            ("ann", "AAPL"): Funds(shares, 0),
        },
        securities=SECURITIES,
    )


def buy(quantity: int, price: str, name: str | None = None) -> PlaceCandidate:
    request = PlaceOrderRequest(
        "AAPL", "BUY", "limit", quantity, msgspec.Raw(f'"{price}"'.encode()), None, name
    )
    checked = check_place(request, "ann", SECURITIES)
    assert isinstance(checked, PlaceCandidate)
    return checked


def sell(quantity: int, price: str) -> PlaceCandidate:
    request = PlaceOrderRequest("AAPL", "SELL", "limit", quantity, msgspec.Raw(price.encode()))
    checked = check_place(request, "ann", SECURITIES)
    assert isinstance(checked, PlaceCandidate)
    return checked


def reasons(decisions: list[Decision]) -> list[str]:
    return [
        decision.reason.code if isinstance(decision, Refusal) else "accepted"
        for decision in decisions
    ]


def test_two_open_orders_can_not_spend_the_same_dollar() -> None:
    """Case 17, in one batch: the second order finds the first one's hold."""
    door = state(cash=1000)
    assert reasons(decide([buy(6, "100"), buy(5, "100"), buy(4, "100")], door)) == [
        "accepted",
        "risk.insufficient_funds",
        "accepted",
    ]
    assert door.funds["ann", CASH].held == 10_000_000


def test_an_order_carries_the_rates_of_now_and_its_hold_covers_the_highest() -> None:
    """6 at $100.00 with 25 basis points: $600.00 and 6 times $0.25. Rates hold for its life."""
    door = state(cash=1000)
    door.fees = FeeSchedule([FeeRow("*", "standard", -2, 25, 4)])
    placed, refused, sold = decide([buy(6, "100"), buy(4, "100"), sell(1, "100")], door)
    assert isinstance(placed, Accepted) and isinstance(sold, Accepted)
    for accepted in (placed, sold):
        assert isinstance(accepted.command, PlaceOrder)
        assert accepted.command.fees == FeeRates(-2, 25, 4)
    assert door.funds["ann", CASH].held == 6_015_000
    assert door.funds["ann", "AAPL"].held == 1
    assert isinstance(refused, Refusal)
    assert refused.message == "needs 401.00 with the highest fee of 1.00, available is 398.50"
    door.fees = FeeSchedule([FeeRow("*", "standard", 0, 100, 0)])
    amend = AmendCandidate("ann", None, "mine", 7, None, None)
    door.placed["ann", "mine"] = placed
    (amended,) = decide([amend], door)
    assert isinstance(amended, Accepted)
    assert amended.command.hold_added == 1_002_500  # type: ignore[union-attr]


def test_two_sells_can_not_sell_the_same_share() -> None:
    door = state(shares=10)
    assert reasons(decide([sell(6, "100"), sell(5, "100")], door)) == [
        "accepted",
        "risk.insufficient_shares",
    ]


def test_a_refused_order_holds_nothing_and_says_the_numbers() -> None:
    door = state(cash=100)
    (refusal,) = decide([buy(2, "50.01")], door)
    assert isinstance(refusal, Refusal)
    assert refusal.details == {"needed": "100.02", "available": "100.00"}
    assert door.funds["ann", CASH].held == 0 and not door.changed


def test_exactly_what_is_available_is_enough() -> None:
    assert reasons(decide([buy(2, "50.00")], state(cash=100))) == ["accepted"]


def test_the_same_client_order_id_in_one_batch_is_one_order() -> None:
    door = state()
    first, second, other = decide(
        [buy(1, "100", "x"), buy(1, "100", "x"), buy(2, "100", "x")], door
    )
    assert isinstance(first, Accepted) and not first.is_duplicate
    assert isinstance(second, Accepted) and second.is_duplicate and second.original is first
    assert reasons([other]) == ["order.client_order_id_reused"]
    assert door.funds["ann", CASH].held == 1_000_000


def test_a_client_order_id_in_the_log_gives_the_first_answer_again() -> None:
    door = state()
    known = PlaceOrder("ann", "AAPL", "BUY", "limit", "GTC", 1, 1_000_000, "x")
    door.named["ann", "x"] = Logged(0, 7, 123, known)
    same, other = decide([buy(1, "100", "x"), buy(1, "100.01", "x")], door)
    assert (
        isinstance(same, Accepted)
        and same.is_duplicate
        and (same.sequence, same.order_id) == (7, 7)
    )
    assert reasons([other]) == ["order.client_order_id_reused"]
    assert door.funds["ann", CASH].held == 0


def test_a_refused_order_does_not_use_up_its_client_order_id() -> None:
    door = state(cash=100)
    assert reasons(decide([buy(2, "100", "x"), buy(1, "100", "x")], door)) == [
        "risk.insufficient_funds",
        "accepted",
    ]


def logged_order(
    door: DoorState, client_id: str = "ann", quantity: int = 10, price_e4: int = 1_000_000
) -> None:
    place = PlaceOrder(client_id, "AAPL", "BUY", "limit", "GTC", quantity, price_e4)
    door.orders[7] = Order(7, place, quantity, price_e4)


def test_an_amend_holds_only_what_it_needs_in_addition() -> None:
    door = state(cash=10_000, held=1_000)
    logged_order(door)
    (accepted,) = decide([AmendCandidate("ann", 7, None, None, 1_010_000, None)], door)
    assert isinstance(accepted, Accepted) and isinstance(accepted.command, AmendOrder)
    assert accepted.command.hold_added == 100_000
    assert door.funds["ann", CASH].held == 10_100_000


def test_a_second_amend_in_the_same_batch_builds_on_the_first() -> None:
    door = state()
    logged_order(door)
    raised, again = decide(
        [
            AmendCandidate("ann", 7, None, 20, None, None),
            AmendCandidate("ann", 7, None, 20, None, None),
        ],
        door,
    )
    assert isinstance(raised, Accepted)
    assert reasons([again]) == ["order.amend_changes_nothing"]


def test_a_repeated_amend_is_the_first_one_also_after_another_amend() -> None:
    """It left the quantity as it was; that another amend changed it since makes it no other
    request.
    """
    door = state()
    place = PlaceOrder("ann", "AAPL", "BUY", "limit", "GTC", 10, 1_000_000)
    door.orders[7] = Order(7, place, 4, 1_010_000)
    first = AmendOrder("ann", 7, 10, 1_010_000, 100_000, "a1", "AAPL", "BUY")
    door.named["ann", "a1"] = Logged(0, 8, 5, first)
    (again,) = decide([AmendCandidate("ann", 7, None, None, 1_010_000, "a1")], door)
    assert isinstance(again, Accepted) and again.is_duplicate and again.sequence == 8
    (other,) = decide([AmendCandidate("ann", 7, None, None, 1_020_000, "a1")], door)
    assert reasons([other]) == ["order.client_order_id_reused"]


def test_one_name_for_amends_of_two_orders_of_a_list_is_a_conflict() -> None:
    """Neither order has its id yet."""
    amends = [AmendCandidate("ann", None, name, 3, None, "a1") for name in ("one", "two")]
    decisions = decide([buy(1, "50", "one"), buy(1, "50", "two"), *amends], state())
    assert reasons(decisions) == [
        "accepted",
        "accepted",
        "accepted",
        "order.client_order_id_reused",
    ]


def test_an_amend_that_is_not_covered_is_refused_and_changes_nothing() -> None:
    door = state(cash=1_000, held=1_000)
    logged_order(door)
    assert reasons(decide([AmendCandidate("ann", 7, None, 11, None, None)], door)) == [
        "risk.insufficient_funds"
    ]
    assert door.orders[7].quantity == 10


@pytest.mark.parametrize(
    "candidate",
    [CancelCandidate("ann", 7, None), AmendCandidate("ann", 7, None, 5, None, None)],
)
def test_another_clients_order_can_not_be_touched(
    candidate: CancelCandidate | AmendCandidate,
) -> None:
    """Case 6."""
    door = state()
    logged_order(door, client_id="bob")
    assert reasons(decide([candidate], door)) == ["auth.forbidden"]


def test_a_cancel_may_name_an_order_of_the_same_batch() -> None:
    door = state()
    placed, canceled = decide([buy(1, "100", "x"), CancelCandidate("ann", None, "x")], door)
    assert isinstance(placed, Accepted) and isinstance(canceled, Accepted)
    assert isinstance(canceled.command, CancelOrder) and canceled.target is placed.target


def test_a_cancel_of_an_unknown_order_is_refused() -> None:
    assert reasons(
        decide([CancelCandidate("ann", 99, None), CancelCandidate("ann", None, "no")], state())
    ) == [
        "order.unknown",
        "order.unknown",
    ]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"quantity": 0}, RejectReason.QUANTITY_NOT_POSITIVE),
        ({"quantity": -5}, RejectReason.QUANTITY_NOT_POSITIVE),
        ({"quantity": 2**63}, RejectReason.QUANTITY_TOO_LARGE),
        ({"price": msgspec.Raw(b"0")}, RejectReason.PRICE_NOT_POSITIVE),
        ({"price": msgspec.Raw(b"-3")}, RejectReason.PRICE_NOT_POSITIVE),
        ({"price": msgspec.Raw(b"100.001")}, RejectReason.PRICE_OFF_TICK),
        ({"price": msgspec.Raw(b"100.00001")}, RejectReason.INVALID_FIELD),
        ({"price": msgspec.Raw(b"49.99")}, RejectReason.PRICE_OUTSIDE_BAND),
        ({"price": msgspec.Raw(b"150.01")}, RejectReason.PRICE_OUTSIDE_BAND),
        ({"price": msgspec.Raw(b"true")}, RejectReason.INVALID_FIELD),
        ({"price": msgspec.Raw(b'"NaN"')}, RejectReason.INVALID_FIELD),
        ({"price": msgspec.Raw(b"null")}, RejectReason.PRICE_REQUIRED),
        ({"security": "NOPE"}, RejectReason.UNKNOWN_SECURITY),
        ({"type": "market"}, RejectReason.PRICE_NOT_ALLOWED),
        (
            {"type": "market", "price": msgspec.Raw(b"null"), "time_in_force": "GTC"},
            RejectReason.TIME_IN_FORCE_NOT_ALLOWED,
        ),
    ],
)
def test_a_request_against_the_rules_is_refused_with_its_own_reason(
    change: dict[str, object], reason: RejectReason
) -> None:
    """Case 2."""
    request = PlaceOrderRequest("AAPL", "BUY", "limit", 10, msgspec.Raw(b"100.05"))
    checked = check_place(msgspec.structs.replace(request, **change), "ann", SECURITIES)
    assert isinstance(checked, Refusal) and checked.reason is reason


def test_a_market_buy_is_bounded_by_the_band_so_that_its_hold_exists() -> None:
    checked = check_place(PlaceOrderRequest("AAPL", "BUY", "market", 10), "ann", SECURITIES)
    assert isinstance(checked, PlaceCandidate)
    assert (checked.price_e4, checked.time_in_force) == (1_500_000, "IOC")


def test_cancel_and_amend_name_exactly_one_order() -> None:
    """Case 2: cancel without an id."""
    for action in (CancelAction(), CancelAction(order_id=1, client_order_id="x")):
        refusal = check_cancel(action, "ann")
        assert isinstance(refusal, Refusal) and refusal.reason is RejectReason.MISSING_FIELD
    refusal = check_amend(AmendAction(order_id=1), "ann")
    assert isinstance(refusal, Refusal) and refusal.reason is RejectReason.AMEND_CHANGES_NOTHING


def test_the_name_of_an_amend_names_the_amended_order() -> None:
    """As in FIX, where a replaced order goes by the name of the replacement; also within one
    batch.
    """
    door = state()
    place = PlaceOrder("ann", "AAPL", "BUY", "limit", "GTC", 10, 1_000_000, "one")
    amend = AmendOrder("ann", 7, 9, 1_000_000, 0, "two", "AAPL", "BUY")
    door.orders[7] = Order(7, place, 9, 1_000_000)
    door.named = {("ann", "one"): Logged(0, 7, 1, place), ("ann", "two"): Logged(0, 8, 2, amend)}
    for name in ("one", "two"):
        (accepted,) = decide([CancelCandidate("ann", None, name)], door)
        assert isinstance(accepted, Accepted)
        assert accepted.command == CancelOrder("ann", 7)
    in_one_batch = [
        AmendCandidate("ann", 7, None, 8, None, "three"),
        CancelCandidate("ann", None, "three"),
    ]
    assert [type(decision) for decision in decide(in_one_batch, door)] == [Accepted, Accepted]
    assert reasons(decide([CancelCandidate("bob", None, "two")], door)) == ["order.unknown"]


def test_an_amend_that_may_yet_be_rejected_is_told_apart_from_the_terms_of_the_order() -> None:
    door = state()
    place = PlaceOrder("ann", "AAPL", "BUY", "limit", "GTC", 10, 1_000_000)
    door.orders[7] = Order(7, place, 10, 1_000_000)
    first, again = decide([AmendCandidate("ann", 7, None, 5, None, None)] * 2, door)
    assert isinstance(first, Accepted)
    assert isinstance(again, Refusal)
    assert again.message == "an amend that is not answered yet asks for these terms already"
