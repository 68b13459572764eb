"""Each kind of event on the ledger: what it touches is locked before it, and to the cent after it.

One table: event, positions touched, the positions (quantity, held) after it. Before it, Ann has
$1,000.00 with $100.50 held for 10 AAPL at $10.05, and Bob has 10 AAPL, all held.
"""

from typing import get_args

import pytest
from msgspec.structs import replace

from clearinghouse.domain.ledger import Ledger, Position
from clearinghouse.domain.settlement import EFFECTS, Settlement, positions_touched
from venue_protocol.events import (
    AmendRejected,
    BuyInNotified,
    CancelRejected,
    Event,
    MassCancelReport,
    OrderAccepted,
    OrderAdjusted,
    OrderAmended,
    OrderCanceled,
    OrderReduced,
    SettlementModeChanged,
    SharesExempted,
    Trade,
)
from venue_protocol.holds import CASH
from venue_protocol.invariants import BrokenInvariant

NOW_US = 1_700_000_000_000_000
LIMIT_E4 = 100_500
ANN_CASH, ANN_AAPL = ("ann", CASH), ("ann", "AAPL")
BOB_CASH, BOB_AAPL = ("bob", CASH), ("bob", "AAPL")
ANN, BOB = {ANN_CASH, ANN_AAPL}, {BOB_CASH, BOB_AAPL}
BEFORE = {
    ANN_CASH: (10_000_000, 1_005_000),
    ANN_AAPL: (0, 0),
    BOB_CASH: (0, 0),
    BOB_AAPL: (10, 10),
}


def trade(quantity: int, buyer: str = "ann", seller: str = "bob") -> Trade:
    return Trade(1, "AAPL", 100_000, quantity, "BUY", 5, buyer, LIMIT_E4, 0, 4, seller, 0)


TABLE: dict[str, tuple[Event, set[tuple[str, str]], dict[tuple[str, str], tuple[int, int]]]] = {
    "a trade pays, delivers and ends both holds": (
        trade(10),
        ANN | BOB,
        {
            ANN_CASH: (9_000_000, 0),
            ANN_AAPL: (10, 0),
            BOB_CASH: (1_000_000, 0),
            BOB_AAPL: (0, 0),
        },
    ),
    "a part of an order leaves the rest held at the limit": (
        trade(4),
        ANN | BOB,
        {
            ANN_CASH: (9_600_000, 6 * LIMIT_E4),
            ANN_AAPL: (4, 0),
            BOB_CASH: (400_000, 0),
            BOB_AAPL: (6, 6),
        },
    ),
    "a canceled buy frees its limit for each open share": (
        OrderCanceled(5, "ann", "AAPL", "BUY", LIMIT_E4, 6, "requested"),
        ANN,
        {ANN_CASH: (10_000_000, 4 * LIMIT_E4)},
    ),
    "a canceled sell frees its open shares": (
        OrderCanceled(4, "bob", "AAPL", "SELL", 100_000, 3, "requested"),
        BOB,
        {BOB_AAPL: (10, 7)},
    ),
    "a reduced buy frees its limit for each share taken away": (
        OrderReduced(5, "ann", "AAPL", "BUY", LIMIT_E4, 5, 10, 5),
        ANN,
        {ANN_CASH: (10_000_000, 5 * LIMIT_E4)},
    ),
    "a reduced sell frees the shares taken away": (
        OrderReduced(4, "bob", "AAPL", "SELL", 100_000, 2, 10, 8),
        BOB,
        {BOB_AAPL: (10, 8)},
    ),
    "an amended buy frees what its new terms do not need": (
        OrderAmended(5, "ann", "AAPL", "BUY", 8, 100_000, 8, LIMIT_E4, 10, 205_000),
        ANN,
        {ANN_CASH: (10_000_000, 800_000)},
    ),
    "an amend that needs all it held frees nothing": (
        OrderAmended(5, "ann", "AAPL", "BUY", 10, LIMIT_E4, 10, LIMIT_E4, 10, 0),
        ANN,
        {},
    ),
    "a rejected amend frees what was held for it": (
        AmendRejected(4, "bob", "order.already_filled", "AAPL", "SELL", 2),
        BOB,
        {BOB_AAPL: (10, 8)},
    ),
    "a rejected amend of an unknown order held nothing": (
        AmendRejected(9, "bob", "order.unknown", None, None, 0),
        set(),
        {},
    ),
    "an adjusted buy frees what its new terms do not need": (
        OrderAdjusted(5, "ann", "AAPL", "BUY", 20, 50_200, 20, LIMIT_E4, 10, -1_000),
        ANN,
        {ANN_CASH: (10_000_000, 1_004_000)},
    ),
    "an adjusted sell holds as many shares as it sells": (
        OrderAdjusted(4, "bob", "AAPL", "SELL", 8, 50_000, 8, 100_000, 10, -2),
        BOB,
        {BOB_AAPL: (10, 8)},
    ),
    "an accepted order is held already": (
        OrderAccepted(5, "ann", "AAPL", "BUY", "limit", "GTC", 10, LIMIT_E4),
        set(),
        {},
    ),
    "a rejected cancel moves nothing": (
        CancelRejected(5, "ann", "order.already_filled"),
        set(),
        {},
    ),
    "an exemption keeps its deposit held": (
        SharesExempted("ann", "AAPL", 5, 100),
        {ANN_CASH},
        {},
    ),
    "a buy-in notice moves nothing": (BuyInNotified("ann", "AAPL", 0, 3), set(), {}),
    "a new mode of settlement moves nothing": (SettlementModeChanged("net"), set(), {}),
    "a trade that settles in a cycle counts at once and ends both holds": (
        replace(trade(10), settlement_cycle=3),
        ANN | BOB,
        {
            ANN_CASH: (9_000_000, 0),
            ANN_AAPL: (10, 0),
            BOB_CASH: (1_000_000, 0),
            BOB_AAPL: (0, 0),
        },
    ),
    "the report of a mass cancel moves nothing": (MassCancelReport("ann", None, 2), set(), {}),
}


def loaded(keys: set[tuple[str, str]]) -> Settlement:
    """The ledger as a transaction loads it: the locked positions alone, nothing of the others."""
    ledger = Ledger()
    for key in keys & BEFORE.keys():
        ledger.positions[key] = Position(*BEFORE[key])
    return Settlement(ledger, {}, 0, 0)


@pytest.mark.parametrize("claim", TABLE)
def test_an_event_alone_in_its_batch_finds_all_that_it_touches_locked(claim: str) -> None:
    event, touched, after = TABLE[claim]
    assert positions_touched([event]) == touched
    settlement = loaded(touched)
    settlement.apply(event, NOW_US)
    assert {
        key: (position.quantity, position.held)
        for key, position in settlement.ledger.positions.items()
    } == {key: after.get(key, BEFORE[key]) for key in touched}
    assert settlement.ledger.touched <= touched


@pytest.mark.parametrize("claim", TABLE)
def test_only_a_trade_makes_a_journal_and_reports(claim: str) -> None:
    event, touched, _ = TABLE[claim]
    settlement = loaded(touched)
    settlement.apply(event, NOW_US)
    expected = (0, 0)
    if isinstance(event, Trade):
        expected = (1 if event.settlement_cycle is None else 0, 2)
    assert (len(settlement.journals), len(settlement.reports)) == expected


def test_every_kind_of_event_has_its_row() -> None:
    assert set(get_args(Event)) == EFFECTS.keys()


def test_the_positions_of_a_batch_are_those_of_its_events_together() -> None:
    reduced = OrderReduced(5, "ann", "AAPL", "BUY", LIMIT_E4, 5, 10, 5)
    canceled = OrderCanceled(4, "bob", "AAPL", "SELL", 100_000, 3, "requested")
    assert positions_touched([reduced, canceled]) == ANN | BOB
    assert positions_touched([]) == set()


@pytest.mark.parametrize(
    "event",
    [
        OrderCanceled(5, "ann", "AAPL", "BUY", LIMIT_E4, 11, "requested"),
        OrderReduced(4, "bob", "AAPL", "SELL", 100_000, 11, 12, 1),
        AmendRejected(4, "bob", "order.already_filled", "AAPL", "SELL", 11),
        OrderAdjusted(4, "bob", "AAPL", "SELL", 20, 50_000, 20, 100_000, 10, 10),
    ],
    ids=["canceled", "reduced", "amend_rejected", "adjusted before the shares are there"],
)
def test_a_release_of_more_than_is_held_stops_the_service(event: Event) -> None:
    with pytest.raises(BrokenInvariant):
        loaded(ANN | BOB).apply(event, NOW_US)


def test_a_trade_with_oneself_ends_both_holds_and_moves_nothing() -> None:
    settlement = loaded(set())
    settlement.ledger.positions[ANN_CASH] = Position(2_000_000, 1_005_000)
    settlement.ledger.positions[ANN_AAPL] = Position(10, 10)
    settlement.apply(trade(10, "ann", "ann"), NOW_US)
    assert settlement.ledger.positions[ANN_CASH] == Position(2_000_000, 0)
    assert settlement.ledger.positions[ANN_AAPL] == Position(10, 0)
