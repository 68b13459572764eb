"""Net settlement: trades oblige, a cycle pays and delivers their sums, and nothing is left over."""

import random

import pytest
from msgspec.structs import replace

from clearinghouse.domain.fees import FEES
from clearinghouse.domain.ledger import Ledger, Position
from clearinghouse.domain.net_cycle import MOST_LEGS, journal_parts, net
from clearinghouse.domain.settlement import CLEARINGHOUSE, Settlement, needs_netting
from venue_protocol import codec
from venue_protocol.events import Event, SettlementCycle, Trade
from venue_protocol.holds import CASH, held_amount
from venue_protocol.invariants import BrokenInvariant
from venue_protocol.netting_book import NettingBook
from venue_protocol.obligations import CycleRow
from venue_protocol.orders import BUY
from venue_protocol.settlement import SettlementReport

NOW_US = 1_700_000_000_000_000
DOLLAR = 10_000


def trade(
    number: int, buyer: str, seller: str, quantity: int, dollars: int, cycle: int | None = 7
) -> Trade:
    price_e4 = dollars * DOLLAR
    made = Trade(number, "AAPL", price_e4, quantity, "BUY", 1, buyer, price_e4, 0, 2, seller, 0)
    return replace(made, settlement_cycle=cycle)


def day(cycle: int | None = 7) -> list[Trade]:
    """The example of the netting module."""
    return [trade(1, "ann", "bob", 10, 100, cycle), trade(2, "cid", "ann", 4, 101, cycle)]


def settlement(events: list[Event], is_whole: bool = True) -> Settlement:
    ledger = Ledger()
    for event in events:
        if isinstance(event, Trade):
            for client_id in (event.buy_client_id, event.sell_client_id):
                ledger.positions[client_id, CASH] = Position(10**9, 0)
                ledger.positions[client_id, event.security_id] = Position(1_000, 0)
    desk = Settlement(ledger, {}, 0, 0, NettingBook(is_whole))
    for event in events:
        if isinstance(event, Trade):
            cash = ledger.position(event.buy_client_id, CASH)
            cash.held += held_amount(BUY, event.buy_price_e4, event.quantity, event.buy_held_bps)
            ledger.position(event.sell_client_id, event.security_id).held += event.quantity
        desk.apply(event, NOW_US)
    return desk


def reports(desk: Settlement) -> list[SettlementReport]:
    return [codec.decode_report(report.encoded) for report in desk.reports]


def test_a_trade_due_in_a_cycle_has_two_reports_and_no_journal() -> None:
    desk = settlement(list(day()))
    assert not desk.journals
    told = [(one.client_id, one.journal_id, one.settlement_cycle) for one in reports(desk)]
    assert told == [("ann", 0, 7), ("bob", 0, 7), ("cid", 0, 7), ("ann", 0, 7)]


def test_a_cycle_pays_and_delivers_one_sum_for_each_member_and_asset() -> None:
    desk = settlement([*day(), SettlementCycle(0, 7)])
    legs = {
        (journal.kind, journal.reference): [(leg.client_id, leg.amount) for leg in journal.legs]
        for journal in desk.journals
    }
    assert legs == {
        ("net_settlement", "net:0:7:USD:1"): [
            ("ann", -596 * DOLLAR),
            ("bob", 1_000 * DOLLAR),
            ("cid", -404 * DOLLAR),
        ],
        ("net_settlement", "net:0:7:AAPL:1"): [("ann", 6), ("bob", -10), ("cid", 4)],
    }
    # $1,000 at 10 shares and $404 at 4: the mean is $100.2857, and 10 shares were delivered.
    row = CycleRow(0, 7, NOW_US, 2, 1_404 * DOLLAR, 1_000 * DOLLAR, 10 * 1_002_857, 6, 0)
    assert desk.netting.cycles == [row]
    desk.netting.store()
    assert not desk.netting.rows() and not desk.netting.volumes()


def test_the_reports_of_a_cycle_say_what_settled_and_move_nothing() -> None:
    desk = settlement([*day(), SettlementCycle(0, 7)])
    told = reports(desk)[4:]
    assert {one.settlement_kind for one in told} == {"net_settlement"}
    assert not any(one.cash_e4 or one.shares for one in told)
    assert [(one.client_id, one.settled_cash_e4, one.settled_shares) for one in told] == [
        ("ann", -596 * DOLLAR, 0),
        ("bob", 1_000 * DOLLAR, 0),
        ("cid", -404 * DOLLAR, 0),
        ("ann", 0, 6),
        ("bob", 0, -10),
        ("cid", 0, 4),
    ]
    assert {one.balance_e4 for one in told if one.client_id == "ann"} == {10**9 - 596 * DOLLAR}


def test_what_is_due_later_waits_and_what_was_due_before_comes_along() -> None:
    desk = settlement([*day(6), *day(8), SettlementCycle(0, 7)])
    assert [row.cycle for row in desk.netting.added_rows()] == [8, 8, 8]
    desk.netting.store()
    assert [(row.cycle, row.trades) for row in desk.netting.volumes()] == [(8, 2)]


def test_fees_are_due_in_the_cycle_too() -> None:
    made = replace(trade(1, "ann", "bob", 10, 100), buy_fee_bps=5, sell_fee_bps=-2)
    desk = settlement([replace(made, buy_held_bps=5), SettlementCycle(0, 7)])
    assert {leg.client_id: leg.amount for leg in desk.journals[0].legs} == {
        "ann": -10_005_000,
        "bob": 10_002_000,
        FEES: 3_000,
    }
    assert FEES not in {one.client_id for one in reports(desk)}


def test_another_shard_is_left_alone() -> None:
    desk = settlement([*day(), SettlementCycle(1, 7)])
    assert not desk.journals
    assert len(desk.netting.added_rows()) == 3


def test_a_cycle_without_trades_is_counted_and_moves_nothing() -> None:
    desk = settlement([SettlementCycle(0, 7)])
    assert desk.netting.cycles == [CycleRow(0, 7, NOW_US, 0, 0, 0, 0, 0, 0)]
    assert not desk.journals and not desk.reports


def test_a_cycle_of_a_book_that_was_not_loaded_stops_the_service() -> None:
    with pytest.raises(BrokenInvariant):
        settlement([SettlementCycle(0, 7)], is_whole=False)


def test_a_cycle_that_does_not_sum_to_zero_stops_the_service() -> None:
    book = NettingBook(is_whole=True)
    book.add_trade(trade(1, "ann", "bob", 10, 100), 7)
    book.add(0, 7, "ann", "AAPL", 1, 0)
    with pytest.raises(BrokenInvariant):
        net(book, SettlementCycle(0, 7), NOW_US)


def test_what_is_owed_before_it_comes_in_again_can_not_be_withdrawn() -> None:
    book = NettingBook(is_whole=True)
    book.add(0, 7, "ann", "AAPL", 3, -300)
    book.add(0, 8, "ann", "AAPL", -5, 500)
    assert book.most_to_withdraw("ann", CASH, 1_200) == 700
    assert book.most_to_withdraw("ann", "AAPL", 8) == 8
    assert book.most_to_withdraw("ann", "AAPL", 1) == 1
    assert book.most_to_withdraw("bob", CASH, 1_000) == 1_000


def test_proceeds_can_be_withdrawn_once_they_settled() -> None:
    book = NettingBook(is_whole=True)
    book.add(0, 7, "ann", "AAPL", -5, 500)
    assert book.most_to_withdraw("ann", CASH, 500) == 0
    net(book, SettlementCycle(0, 6), NOW_US)
    assert book.most_to_withdraw("ann", CASH, 500) == 0
    book.add(0, 7, "bob", "AAPL", 5, -500)
    book.add_trade(trade(1, "cid", "dan", 1, 1), 7)
    net(book, SettlementCycle(0, 7), NOW_US)
    assert book.most_to_withdraw("ann", CASH, 500) == 500


def test_only_a_cycle_needs_all_that_is_open() -> None:
    assert not needs_netting(list(day()))
    assert needs_netting([*day(), SettlementCycle(0, 7)])


def test_long_journals_are_cut_and_meet_in_the_account_of_the_clearinghouse() -> None:
    book = NettingBook(is_whole=True)
    dice = random.Random(1)
    for number in range(1, 5_000):
        buyer, seller = (f"m{dice.randrange(2 * MOST_LEGS)}" for _ in "bs")
        book.add_trade(trade(number, buyer, seller, dice.randrange(1, 50), 100), 7)
    due = net(book, SettlementCycle(0, 7), NOW_US)
    parts = [part for legs in due.legs for part in journal_parts(legs, CLEARINGHOUSE)]
    assert len(parts) > 2 and all(len(part) <= MOST_LEGS + 1 for part in parts)
    assert all(not sum(leg.amount for leg in part) for part in parts)
    rest = [leg for part in parts for leg in part if leg.client_id == CLEARINGHOUSE]
    assert rest
    assert {
        asset: sum(leg.amount for leg in rest if leg.asset == asset) for asset in (CASH, "AAPL")
    } == {CASH: 0, "AAPL": 0}
