"""Fails: who keeps shares back, who waits, what it costs, and that all of it sums to zero."""

import random
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from clearinghouse.domain.ledger import Ledger, Position, total
from clearinghouse.domain.settlement import Settlement
from venue_protocol import codec
from venue_protocol.events import BuyInNotified, Event, SettlementCycle, SharesExempted, Trade
from venue_protocol.fails import Exemption, Waiting, allocate, charge_e4, divide, kept_back
from venue_protocol.holds import CASH
from venue_protocol.netting_book import NettingBook
from venue_protocol.settlement import SettlementReport

NOW_US = 1_700_000_000_000_000
DOLLAR = 10_000
STARTING_E4 = 1_000_000 * DOLLAR
STARTING_SHARES = 10_000
NAMES = ("ann", "bob", "cid", "dan")
SECURITIES = ("AAPL", "MSFT")


class Clearing:
    """A settlement of four members, each with cash and shares; cycles are numbered from 1."""

    def __init__(self) -> None:
        ledger = Ledger()
        for name in NAMES:
            ledger.positions[name, CASH] = Position(STARTING_E4, 0)
            for security_id in SECURITIES:
                ledger.positions[name, security_id] = Position(STARTING_SHARES, 0)
        self.settlement = Settlement(ledger, {}, 0, 0, NettingBook(is_whole=True))
        self.cycle = 1
        self.trades = 0

    def do(self, event: Event) -> None:
        self.settlement.apply(event, NOW_US)

    def trade(
        self, buyer: str, seller: str, quantity: int, dollars: int, security_id: str = "AAPL"
    ) -> None:
        self.trades += 1
        price_e4 = dollars * DOLLAR
        made = Trade(
            self.trades, security_id, price_e4, quantity, None, 1, buyer, price_e4, 0, 2, seller, 0
        )
        self.settlement.ledger.position(buyer, CASH).held += price_e4 * quantity
        self.settlement.ledger.position(seller, security_id).held += quantity
        self.do(replace(made, settlement_cycle=self.cycle))

    def exempt(self, name: str, quantity: int, dollars: int, security_id: str = "AAPL") -> None:
        self.settlement.ledger.position(name, CASH).held += dollars * DOLLAR
        self.do(SharesExempted(name, security_id, quantity, dollars * DOLLAR))

    def notify(self, name: str, security_id: str = "AAPL") -> None:
        self.do(BuyInNotified(name, security_id, 0, self.cycle))

    def end_cycle(self, is_final: bool = False) -> list[SettlementReport]:
        """The reports of the cycle."""
        before = len(self.settlement.reports)
        self.do(SettlementCycle(0, self.cycle, is_final))
        self.cycle += 1
        self.settlement.netting.store()
        return [codec.decode_report(one.encoded) for one in self.settlement.reports[before:]]

    def open_shares(self, security_id: str = "AAPL") -> dict[str, int]:
        return {
            row.client_id: row.quantity
            for row in self.settlement.netting.rows()
            if row.security_id == security_id and row.quantity
        }

    def unsettled(self, name: str, asset: str) -> int:
        return self.settlement.netting.unsettled().get((name, asset), 0)

    def settled_by_journals(self) -> Counter[tuple[str, str]]:
        sums: Counter[tuple[str, str]] = Counter()
        for journal in self.settlement.journals:
            for leg in journal.legs:
                sums[leg.client_id, leg.asset] += leg.amount
        return sums

    def balance_e4(self, name: str) -> int:
        return self.settlement.ledger.position(name, CASH).quantity


def test_what_is_exempt_fails_and_only_its_mark_stays_open() -> None:
    """The example of the cycle's module, with a mark of $100.50."""
    clearing = Clearing()
    clearing.exempt("bob", 4, 100)
    clearing.trade("ann", "bob", 5, 100)
    clearing.trade("ann", "bob", 5, 101)
    reports = clearing.end_cycle()
    assert clearing.open_shares() == {"ann": 4, "bob": -4}
    assert clearing.unsettled("ann", CASH) == -402 * DOLLAR
    told = {
        (one.client_id, one.security_id): (one.settled_cash_e4, one.settled_shares, one.open_shares)
        for one in reports
        if one.settlement_kind == "net_settlement"
    }
    assert told == {
        ("ann", None): (-603 * DOLLAR, 0, 0),
        ("bob", None): (603 * DOLLAR, 0, 0),
        ("ann", "AAPL"): (0, 6, 4),
        ("bob", "AAPL"): (0, -6, -4),
    }


def test_who_only_waits_is_told_too() -> None:
    clearing = Clearing()
    clearing.exempt("bob", 10, 100)
    clearing.trade("ann", "bob", 10, 100)
    told = [
        (one.client_id, one.journal_id, one.open_shares)
        for one in clearing.end_cycle()
        if one.open_shares
    ]
    assert told == [("ann", 0, 10), ("bob", 0, -10)]


def test_a_fail_is_marked_to_the_market_in_each_cycle() -> None:
    clearing = Clearing()
    clearing.exempt("bob", 10, 100)
    clearing.trade("ann", "bob", 10, 100)
    clearing.end_cycle()
    clearing.trade("cid", "dan", 1, 130)
    reports = clearing.end_cycle()
    paid = {one.client_id: one.settled_cash_e4 for one in reports if one.settled_cash_e4}
    # Dan's share goes to Ann, who has waited longer than Cid: she pays $130 and gets $300.
    assert (paid["ann"], paid["bob"]) == (170 * DOLLAR, -300 * DOLLAR)
    assert clearing.open_shares() == {"ann": 9, "bob": -10, "cid": 1}
    assert clearing.unsettled("bob", CASH) == 1_300 * DOLLAR
    clearing.end_cycle()
    assert clearing.unsettled("bob", CASH) == 1_300 * DOLLAR, "without a trade the mark stays"


def test_the_seller_pays_those_who_wait_from_its_deposit() -> None:
    clearing = Clearing()
    clearing.exempt("bob", 10, 100)
    clearing.trade("ann", "bob", 10, 100)
    charged = [one for one in clearing.end_cycle() if one.settlement_kind == "fails_charge"]
    assert [(one.client_id, one.cash_e4) for one in charged] == [("bob", -5_000), ("ann", 5_000)]
    assert clearing.settlement.ledger.position("bob", CASH).held == 100 * DOLLAR - 5_000
    assert clearing.settlement.netting.exemptions["bob", "AAPL"] == Exemption(10, 995_000)
    assert clearing.settlement.journals[-1].reference == "fails:0:1:AAPL"


@pytest.mark.parametrize(("age", "bps"), [(1, 5), (4, 5), (5, 10), (9, 10), (10, 20), (20, 100)])
def test_a_fail_costs_more_with_its_age(age: int, bps: int) -> None:
    assert charge_e4(10, 100 * DOLLAR, age) == 1_000 * DOLLAR * bps // 10_000
    assert charge_e4(1, 1, age) == 1, "rounded up"


def test_an_exemption_that_can_not_pay_its_charge_ends_in_delivery() -> None:
    clearing = Clearing()
    clearing.exempt("bob", 10, 1)
    clearing.trade("ann", "bob", 10, 100)
    for _ in range(2):
        clearing.end_cycle()
        assert clearing.open_shares() == {"ann": 10, "bob": -10}
    reports = clearing.end_cycle()
    assert clearing.open_shares() == {}
    assert {one.settled_shares for one in reports if one.security_id} == {10, -10}


def test_a_fail_that_cash_does_not_carry_is_delivered() -> None:
    """Bob has spent what his open sale would bring: only the shares that cash covers may fail."""
    assert kept_back(Exemption(10, DOLLAR), 10, 100 * DOLLAR, 1, 350 * DOLLAR) == 3
    assert kept_back(Exemption(10, DOLLAR), 10, 100 * DOLLAR, 1, -1) == 0
    clearing = Clearing()
    clearing.exempt("bob", 10, 100)
    clearing.trade("ann", "bob", 10, 100)
    clearing.trade("bob", "cid", 9_000, 111, "MSFT")
    clearing.trade("bob", "cid", 130, 9, "MSFT")
    left_e4 = clearing.balance_e4("bob")
    assert left_e4 < 1_000 * DOLLAR
    clearing.end_cycle()
    assert clearing.open_shares()["bob"] == -(left_e4 // (100 * DOLLAR)) < 0
    assert clearing.balance_e4("bob") - clearing.unsettled("bob", CASH) >= 0


def test_a_buy_in_notice_comes_first_then_who_waited_longest_then_a_draw() -> None:
    waiting = [
        Waiting("ann", 5, 3, False),
        Waiting("bob", 10, 2, False),
        Waiting("cid", 4, 3, True),
    ]
    shares = [(one.client_id, given) for one, given in allocate(10, waiting, "0:3:AAPL")]
    assert shares == [("cid", 4), ("bob", 6), ("ann", 0)]
    alike = [Waiting(name, 1, 3, False) for name in NAMES]
    first = {allocate(1, alike, f"0:{number}:AAPL")[0][0].client_id for number in range(40)}
    assert first == set(NAMES), "no name is favoured"
    assert allocate(1, alike, "0:1:AAPL") == allocate(1, alike[::-1], "0:1:AAPL")


def test_two_cycles_after_a_notice_the_shares_are_delivered_by_force() -> None:
    clearing = Clearing()
    clearing.exempt("bob", 10, 1_000)
    clearing.trade("ann", "bob", 10, 100)
    clearing.end_cycle()
    clearing.notify("ann")
    for _ in range(2):
        clearing.end_cycle()
        assert clearing.open_shares() == {"ann": 10, "bob": -10}
    clearing.end_cycle()
    assert clearing.open_shares() == {} and not clearing.settlement.netting.notices


def test_a_notice_of_one_who_waits_for_nothing_ends_with_the_cycle() -> None:
    clearing = Clearing()
    clearing.notify("ann")
    clearing.end_cycle()
    assert not clearing.settlement.netting.terms()


def test_nothing_fails_in_the_last_cycle() -> None:
    clearing = Clearing()
    clearing.exempt("bob", 10, 100)
    clearing.trade("ann", "bob", 10, 100)
    clearing.end_cycle(is_final=True)
    assert clearing.open_shares() == {}


def test_the_end_of_an_exemption_frees_its_deposit() -> None:
    clearing = Clearing()
    clearing.exempt("bob", 10, 100)
    clearing.exempt("bob", 5, 30)
    assert clearing.settlement.ledger.position("bob", CASH).held == 30 * DOLLAR
    clearing.exempt("bob", 0, 0)
    assert clearing.settlement.ledger.position("bob", CASH).held == 0
    assert clearing.settlement.netting.terms() == []


def test_what_is_left_over_goes_to_the_first() -> None:
    assert divide(10, {"ann": 1, "bob": 1, "cid": 1}) == {"ann": 4, "bob": 3, "cid": 3}


@given(seed=st.integers(0, 2**32), cycles=st.integers(1, 12))
def test_whatever_fails_nothing_is_made_or_lost_and_nobody_has_less_than_nothing(
    seed: int, cycles: int
) -> None:
    """Random trades, exemptions and notices: journals and open obligations are the positions, what
    is settled is never below zero, and the last cycle leaves the balances of gross settlement,
    but for the charges.
    """
    dice = random.Random(seed)
    clearing = Clearing()
    gross: Counter[str] = Counter()
    for _ in range(cycles):
        for _ in range(dice.randrange(8)):
            buyer, seller = dice.sample(NAMES, 2)
            quantity, dollars = dice.randrange(1, 50), dice.randrange(90, 110)
            clearing.trade(buyer, seller, quantity, dollars, dice.choice(SECURITIES))
            gross[buyer] -= quantity * dollars * DOLLAR
            gross[seller] += quantity * dollars * DOLLAR
        if dice.random() < 0.5:
            exempt = dice.randrange(30)
            deposit = dice.randrange(40) if exempt else 0
            clearing.exempt(dice.choice(NAMES), exempt, deposit, dice.choice(SECURITIES))
        if dice.random() < 0.2:
            clearing.notify(dice.choice(NAMES), dice.choice(SECURITIES))
        clearing.end_cycle()
        check(clearing)
    clearing.end_cycle(is_final=True)
    check(clearing)
    assert not clearing.settlement.netting.rows()
    charges = Counter[str]()
    for journal in clearing.settlement.journals:
        if journal.kind == "fails_charge":
            for leg in journal.legs:
                charges[leg.client_id] += leg.amount
    for name in NAMES:
        assert clearing.balance_e4(name) == STARTING_E4 + gross[name] + charges[name]


def check(clearing: Clearing) -> None:
    ledger, journals = clearing.settlement.ledger, clearing.settled_by_journals()
    starting = {CASH: STARTING_E4} | dict.fromkeys(SECURITIES, STARTING_SHARES)
    for (name, asset), position in ledger.positions.items():
        settled = position.quantity - clearing.unsettled(name, asset)
        assert settled == starting[asset] + journals[name, asset]
        assert settled >= 0
    assert total(ledger, CASH) == len(NAMES) * STARTING_E4
    deposits = Counter[str]()
    for (name, _), exemption in clearing.settlement.netting.exemptions.items():
        deposits[name] += exemption.deposit_e4
    for name in NAMES:
        assert ledger.position(name, CASH).held == deposits[name]
