"""The door and corporate actions: when one is taken, and what waits until it is settled."""

import msgspec

from order_entry_gateway.domain.coverage import Accepted, DoorState, decide
from order_entry_gateway.domain.requests import PlaceOrderRequest
from order_entry_gateway.domain.trading_phases import Session, SessionCandidate
from order_entry_gateway.domain.validation import PlaceCandidate, check_place
from tests.unit.order_entry_gateway.test_trading_phases import (
    SECURITIES,
    buy,
    codes,
    phase,
    row,
    state,
)
from venue_protocol.commands import ApplyCorporateAction, SetPhase
from venue_protocol.corporate_actions import Split
from venue_protocol.refusals import Refusal
from venue_protocol.securities import current_symbol
from venue_protocol.trading_day import PhaseRow

ACTED = PhaseRow(0, "AAPL", "halted", "split", None, 1, 1, 7)
"""AAPL was halted, and its split is command 7."""


def action(security_id: str = "AAPL") -> SessionCandidate:
    command = ApplyCorporateAction("boss", security_id, Split(2, 1, 0), 1_000_000, 100, 1)
    return SessionCandidate(0, command)


def acted(settled: int, action_id: int = 0) -> DoorState:
    """The split is in the log; settlement has come to `settled`, and the list of securities was
    read when its newest action was `action_id`.
    """
    door = state(ACTED)
    door.session.settled = {0: settled}
    listed = msgspec.structs.replace(SECURITIES["AAPL"], action_id=action_id)
    door.securities = {**SECURITIES, "AAPL": listed}
    return door


def test_an_action_is_taken_while_the_security_is_halted_or_closed() -> None:
    assert codes(decide([action()], state(row("halted", "AAPL")))) == ["accepted"]
    assert codes(decide([action()], state(row("closed")))) == ["accepted"]
    assert codes(decide([action()], state(row("halted", "MSFT")))) == ["action.needs_halt"]
    assert codes(decide([action()], state(row("opening_auction")))) == ["action.needs_halt"]


def test_nothing_takes_orders_again_before_the_action_is_settled() -> None:
    for reopening in (phase("continuous", "AAPL"), phase("opening_auction")):
        assert codes(decide([reopening], acted(settled=6))) == ["action.unsettled"]
        assert codes(decide([reopening], acted(settled=7))) == ["accepted"]


def test_other_securities_and_halts_do_not_wait_for_it() -> None:
    assert codes(decide([phase("continuous", "MSFT")], acted(settled=6))) == ["accepted"]
    assert codes(decide([phase("halted", "AAPL")], acted(settled=6))) == ["accepted"]
    assert codes(decide([phase("closed")], acted(settled=6))) == ["accepted"]


def test_in_the_batch_of_the_action_itself_nothing_is_settled() -> None:
    door = state(row("halted", "AAPL"))
    assert codes(decide([action(), phase("continuous", "AAPL")], door)) == [
        "accepted",
        "action.unsettled",
    ]


def test_a_second_action_waits_for_the_first() -> None:
    assert codes(decide([action()], acted(settled=6, action_id=7))) == ["action.unsettled"]
    assert codes(decide([action()], acted(settled=7, action_id=7))) == ["accepted"]


def test_an_order_worked_out_from_the_listing_of_before_is_refused() -> None:
    """The reference price, and so the band and the worst price, are others now."""
    door = acted(settled=7, action_id=0)
    assert codes(decide([phase("continuous", "AAPL"), buy()], door)) == [
        "accepted",
        "service.not_ready",
    ]
    assert not door.changed
    door = acted(settled=7, action_id=7)
    fresh = buy()
    fresh.security = door.securities["AAPL"]
    assert codes(decide([phase("continuous", "AAPL"), fresh], door)) == ["accepted", "accepted"]


def test_a_phase_does_not_bring_the_engine_the_reference_price_of_before() -> None:
    references = [("AAPL", 1_000_000), ("MSFT", 1_000_000)]
    command = SetPhase("boss", "closed", None, None, None, references)
    (decision,) = decide([SessionCandidate(0, command)], acted(settled=6))
    assert isinstance(decision, Accepted) and isinstance(decision.command, SetPhase)
    assert decision.command.reference_prices == [("MSFT", 1_000_000)]


def test_the_place_of_an_action_is_stored_with_the_phase_of_now() -> None:
    """Where the whole shard is closed, the security's row stays that of its shard."""
    session = Session()
    session.load([row("closed")])
    command = action().command
    assert isinstance(command, ApplyCorporateAction)
    session.command(0, command)
    session.logged(0, command, 9, 7)
    assert list(session.rows.values()) == [PhaseRow(0, "AAPL", "closed", None, None, 1, 1, 7)]
    after = Session()
    after.load([row("closed"), *session.rows.values()])
    assert after.phases[0].exceptions == {}
    opened = SetPhase("boss", "continuous")
    after.command(0, opened)
    after.logged(0, opened, 10, 8)
    assert after.rows[0, "AAPL"] == PhaseRow(0, "AAPL", "continuous", None, None, 10, 8, 7)


def test_the_same_order_again_after_an_action_gets_its_first_answer() -> None:
    """It was right when it was logged: repeating a request is always safe."""
    request = PlaceOrderRequest(
        "AAPL", "BUY", "limit", 1, msgspec.Raw(b'"100"'), client_order_id="mine"
    )
    before = check_place(request, "ann", SECURITIES)
    assert isinstance(before, PlaceCandidate)
    door = state()
    (logged,) = decide([before], door)
    assert isinstance(logged, Accepted)
    for changed in (
        {"reference_price_e4": 100_000},
        {"delisted_us": 5, "successor": "APPL"},
    ):
        listed = msgspec.structs.replace(SECURITIES["AAPL"], action_id=7, **changed)
        again = check_place(request, "ann", {"AAPL": listed})
        assert isinstance(again, PlaceCandidate)
        (repeated,) = decide([again], door)
        assert isinstance(repeated, Accepted) and repeated.is_duplicate
        (refused,) = decide([again], state())
        assert isinstance(refused, Refusal)
        assert refused.reason.code in ("price.outside_band", "security.delisted")


def test_an_amend_after_a_change_of_symbol_is_of_the_new_symbol() -> None:
    old = msgspec.structs.replace(SECURITIES["AAPL"], delisted_us=5, successor="B")
    middle = msgspec.structs.replace(old, security_id="B", successor="C")
    new = msgspec.structs.replace(old, security_id="C", delisted_us=None, successor=None)
    listed = {each.security_id: each for each in (old, middle, new)}
    assert [current_symbol(listed, name) for name in ("AAPL", "B", "C", "?")] == [
        *"CCC",
        "?",
    ]
