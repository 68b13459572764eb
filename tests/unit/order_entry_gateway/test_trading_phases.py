"""The door under a commanded phase: what it refuses, what it leaves to the engine, and what it
stores.
"""

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from order_entry_gateway.domain.coverage import Decision, DoorState, Funds, decide
from order_entry_gateway.domain.requests import PlaceOrderRequest
from order_entry_gateway.domain.trading_phases import Session, SessionCandidate
from order_entry_gateway.domain.validation import PlaceCandidate, check_place
from venue_protocol.commands import SetPhase
from venue_protocol.holds import CASH
from venue_protocol.refusals import Refusal
from venue_protocol.securities import Security
from venue_protocol.trading_day import Phase, PhaseRow, Phases, PhaseState

SECURITIES = {
    name: Security(name, name, 0, tick_e4=100, lot=1, band_bps=5000, reference_price_e4=1_000_000)
    for name in ("AAPL", "MSFT")
}


def state(*rows: PhaseRow) -> DoorState:
    made = DoorState(funds={("ann", CASH): Funds(10**9, 0)}, securities=SECURITIES)
    made.session.load(rows)
    return made


def row(
    phase: Phase, security_id: str = "", reason: str | None = None, lasts_us: int | None = None
) -> PhaseRow:
    return PhaseRow(0, security_id, phase, reason, lasts_us, 1, 1)


def buy(
    time_in_force: str | None = None, security_id: str = "AAPL", price: bytes = b'"100"'
) -> PlaceCandidate:
    order_type = "market" if price == b"null" else "limit"
    request = PlaceOrderRequest(
        security_id, "BUY", order_type, 1, msgspec.Raw(price), time_in_force
    )  # type: ignore[arg-type]
    checked = check_place(request, "ann", SECURITIES)
    assert isinstance(checked, PlaceCandidate), checked
    return checked


def phase(phase: Phase, security_id: str | None = None) -> SessionCandidate:
    return SessionCandidate(0, SetPhase("admin", phase, security_id))


def codes(decisions: list[Decision]) -> list[str]:
    return [
        decision.reason.code if isinstance(decision, Refusal) else "accepted"
        for decision in decisions
    ]


@pytest.mark.parametrize(
    ("commanded", "code"),
    [
        (row("closed"), "session.closed"),
        (row("halted", "AAPL", "news"), "session.halted"),
        (row("halted", "MSFT"), "accepted"),
        (row("opening_auction"), "accepted"),
    ],
)
def test_the_commanded_phase_refuses_and_holds_nothing(commanded: PhaseRow, code: str) -> None:
    door = state(commanded)
    assert codes(decide([buy()], door)) == [code]
    assert (door.funds["ann", CASH].held == 0) == (code != "accepted")


def test_the_reason_of_a_halt_is_told() -> None:
    (refusal,) = decide([buy()], state(row("halted", "AAPL", "news pending")))
    assert isinstance(refusal, Refusal)
    assert refusal.message == "the phase is halted: cancels only (news pending)"


def test_orders_of_the_day_are_taken_where_they_belong() -> None:
    orders = [
        buy("OPG"),
        buy("CLS"),
        buy("DAY"),
        buy("IOC"),
        buy("OPG", price=b"null"),
        buy(price=b"null"),
    ]
    auction, late = "order.not_in_auction", "order.opening_only_too_late"
    assert codes(decide(orders, state(row("opening_auction")))) == [
        *["accepted"] * 3,
        auction,
        "accepted",
        auction,
    ]
    assert codes(decide(orders, state())) == [late, *["accepted"] * 3, late, "accepted"]


def test_orders_after_a_phase_in_the_same_batch_are_judged_by_it() -> None:
    found = decide(
        [buy(), phase("halted", "AAPL"), buy(), buy(security_id="MSFT"), phase("closed"), buy()],
        state(),
    )
    assert codes(found) == [
        "accepted",
        "accepted",
        "session.halted",
        "accepted",
        "accepted",
        "session.closed",
    ]


def test_a_phase_that_ends_by_itself_is_left_to_the_engine() -> None:
    assert codes(decide([buy("IOC")], state(row("reopening_auction", "AAPL")))) == [
        "order.not_in_auction"
    ]
    assert codes(decide([buy("IOC")], state(row("reopening_auction", "AAPL", None, 5)))) == [
        "accepted"
    ]


def test_a_phase_of_the_shard_replaces_the_rows_of_single_securities_but_not_of_halted_ones() -> (
    None
):
    session = Session()
    session.load([row("halted", "AAPL", "news"), row("continuous", "MSFT")])
    command = SetPhase("admin", "closing_auction")
    session.command(0, command)
    session.logged(0, command, 7, 3)
    assert sorted(session.rows.values()) == [
        PhaseRow(0, "", "closing_auction", None, None, 7, 3),
        PhaseRow(0, "MSFT", "closing_auction", None, None, 7, 3),
    ]


_phases = st.sampled_from(
    ("pre_open", "opening_auction", "continuous", "closed", "halted", "reopening_auction")
)
_commands = st.builds(
    lambda phase, security, lasts_us: SetPhase("admin", phase, security, None, lasts_us),
    _phases,
    st.sampled_from((None, "AAPL", "MSFT")),
    st.sampled_from((None, 5_000_000)),
)


@given(st.lists(st.lists(_commands, min_size=1, max_size=3), max_size=8))
@example(
    [
        [SetPhase("admin", phase, name)]
        for name in ("AAPL", None)
        for phase in ("halted", "continuous")
    ]
)
def test_what_is_stored_says_what_the_engine_goes_by(batches: list[list[SetPhase]]) -> None:
    engine, rows, sequence = Phases(), dict[tuple[int, str], PhaseRow](), 0
    for batch in batches:
        door = Session()
        door.load(rows.values())
        for command in batch:
            engine.begin(
                command.security_id, PhaseState(command.phase, command.reason, command.lasts_us)
            )
            door.command(0, command)
        for command in batch:
            sequence += 1
            door.logged(0, command, sequence, sequence)
        rows |= door.rows
    door = Session()
    door.load(rows.values())
    stored = door.phases.get(0, Phases())
    assert all(stored.of(name) == engine.of(name) for name in ("AAPL", "MSFT", "never commanded"))
