"""Which order which phase takes, and what a phase of the whole shard does to single securities."""

import pytest

from venue_protocol.refusals import RejectReason
from venue_protocol.trading_day import (
    CALL_PHASES,
    CLOSED,
    CONTINUOUS,
    HALTED,
    OPENING_AUCTION,
    PRE_OPEN,
    REOPENING_AUCTION,
    Phases,
    PhaseState,
    explain,
    refuse_amend_in_phase,
    refuse_in_phase,
)

_TAKEN = """
phase             L/GTC   L/DAY   L/IOC   L/FOK   L/OPG   L/CLS   M/IOC   M/FOK   M/OPG   M/CLS
pre_open          +       +       auction auction +       +       auction auction +       +
opening_auction   +       +       auction auction +       +       auction auction +       +
continuous        +       +       +       +       late    +       +       +       late    +
closing_auction   +       +       auction auction late    +       auction auction late    +
reopening_auction +       +       auction auction late    +       auction auction late    +
closed            closed  closed  closed  closed  closed  closed  closed  closed  closed  closed
halted            halted  halted  halted  halted  halted  halted  halted  halted  halted  halted
"""
_REASONS = {
    "+": None,
    "auction": RejectReason.NOT_IN_AUCTION,
    "late": RejectReason.OPENING_ONLY_TOO_LATE,
    "closed": RejectReason.SESSION_CLOSED,
    "halted": RejectReason.SESSION_HALTED,
}


def _cells() -> list[tuple[str, str, str, str]]:
    head, *rows = (line.split() for line in _TAKEN.strip().splitlines())
    return [
        (row[0], {"L": "limit", "M": "market"}[column[0]], column[2:], cell)
        for row in rows
        for column, cell in zip(head[1:], row[1:], strict=True)
    ]


@pytest.mark.parametrize(("phase", "order_type", "time_in_force", "cell"), _cells())
def test_each_phase_takes_what_the_table_says(
    phase: str, order_type: str, time_in_force: str, cell: str
) -> None:
    found = refuse_in_phase(phase, order_type, time_in_force)  # type: ignore[arg-type]
    assert found is _REASONS[cell]
    if found is not None:
        assert phase in explain(found, phase)  # type: ignore[arg-type]


def test_nothing_is_amended_while_closed_or_halted() -> None:
    assert refuse_amend_in_phase(CLOSED) is RejectReason.SESSION_CLOSED
    assert refuse_amend_in_phase(HALTED) is RejectReason.SESSION_HALTED
    assert [refuse_amend_in_phase(phase) for phase in (*CALL_PHASES, CONTINUOUS)] == [None] * 5


def test_a_phase_of_the_shard_leaves_single_halts_alone_until_the_close() -> None:
    phases = Phases()
    assert phases.of("AAPL").phase == CONTINUOUS
    phases.begin("AAPL", PhaseState(HALTED, "news"))
    phases.begin("MSFT", PhaseState(HALTED, "volatility", until_us=9))
    phases.begin("GOOG", PhaseState(REOPENING_AUCTION, until_us=9))
    phases.begin(None, PhaseState(OPENING_AUCTION))
    assert [phases.of(name).phase for name in ("AAPL", "MSFT", "GOOG", "AMZN")] == [HALTED] + [
        OPENING_AUCTION
    ] * 3
    phases.begin(None, PhaseState(CLOSED))
    phases.begin(None, PhaseState(PRE_OPEN))
    assert phases.of("AAPL").phase == PRE_OPEN
