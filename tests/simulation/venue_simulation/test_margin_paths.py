"""Stock loans over random price paths, with deaths in the middle of any transaction."""

import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.simulation.venue_simulation.lending_venue import Killed, LendingVenue
from venue_protocol.refusals import Refused

_RISES = (1_000_000, 1_500_000)


def act(venue: LendingVenue, dice: random.Random, number: int) -> None:
    """Something that a client, the market or time does."""
    kind = dice.random()
    try:
        if kind < 0.15:
            venue.loans.borrow(
                dice.choice(("ann", "dan")), "AAPL", dice.randrange(1, 60), f"b{number}"
            )
        elif kind < 0.25:
            venue.loans.return_shares(
                dice.choice(("ann", "dan")), "AAPL", dice.randrange(1, 40), f"r{number}"
            )
        elif kind < 0.3:
            venue.rules.recall(dice.choice(("ann", "dan")), "AAPL", dice.randrange(1, 20))
        elif kind < 0.35:
            venue.rules.contribute(
                dice.choice(("ann", "eve")), dice.randrange(1, 9_999), f"{number}"
            )
        elif kind < 0.45:
            venue.quote(dice.randrange(6_000, 14_900) * 100)
        elif kind < 0.75:
            side = dice.choice(("BUY", "SELL"))
            who = dice.choice(("ann", "bob", "cat", "dan"))
            venue.place(who, side, dice.randrange(1, 40), dice.randrange(6_000, 14_900) * 100)
        else:
            venue.second()
    except Refused:
        pass


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(0, 2**32))
def test_cash_held_is_open_orders_and_collateral_at_all_times(seed: int) -> None:
    dice, venue = random.Random(seed), LendingVenue()
    for number in range(60):
        act(venue, dice, number)
        venue.check()


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(0, 2**32))
def test_a_death_in_any_transaction_loses_nothing_and_does_nothing_twice(seed: int) -> None:
    dice, venue = random.Random(seed), LendingVenue()
    for number in range(60):
        venue.kill_at = dice.randrange(1, 60) if dice.random() < 0.4 else None
        try:
            act(venue, dice, number)
        except Killed:
            venue.restart()
        venue.kill_at = None
        venue.commit()
        venue.settle()
        venue.check()


def called(venue: LendingVenue, initial_bps: int = 15_000) -> None:
    """Ann is short 60 with nothing but her collateral, and the mark is above maintenance."""
    rates: dict[str, int | bool] = {"initial_bps": initial_bps, "fee_bps": 0}
    venue.rules.set_rules(rates | {"maintenance_bps": min(13_000, initial_bps - 500)})
    venue.loans.borrow("ann", "AAPL", 60, "k")
    venue.place("bob", "BUY", 60, 1_000_000)
    venue.place("ann", "SELL", 60, 1_000_000)
    account = venue.clearing.tables.accounts["ann"]
    venue.administration.withdraw("ann", "USD", account.balance_e4 - account.held_e4, "spent")
    venue.quote(1_300_000)
    venue.second()
    loan = venue.loan("ann")
    assert loan is not None and loan.call_kind == "margin"


def closed_out(venue: LendingVenue, seconds: int = 40) -> None:
    for _ in range(seconds):
        venue.second()
        venue.check()
        if venue.loan("ann") is None:
            return
    raise AssertionError(f"{venue.loan('ann')} is not closed out")


def test_the_waterfall_pays_in_its_order_to_the_cent() -> None:
    """60 shares cost $8,940.00 and $6,600.00 were held: $200.00 are lost by Ann's contribution,
    $500.00 by the capital, and $1,640.00 by the two other members, two parts to one.
    """
    venue = LendingVenue()
    venue.rules.contribute("ann", 2_000_000, "ann")
    called(venue, initial_bps=11_000)
    venue.rules.contribute("eve", 20_000_000, "eve")
    venue.rules.contribute("dan", 10_000_000, "dan")
    venue.administration.deposit("clearing_capital", "USD", 5_000_000, "capital")
    venue.place("cat", "SELL", 100, 1_490_000)
    closed_out(venue)
    tables = venue.clearing.tables
    assert tables.accounts["ann"].balance_e4 == 0
    assert tables.accounts["clearing_capital"].balance_e4 == 0
    assert tables.default_fund == {
        "ann": 0,
        "eve": 20_000_000 - 10_933_333,
        "dan": 10_000_000 - 5_466_667,
    }
    assert tables.short_sellers == {"ann": False}
    with pytest.raises(Refused, match="may not borrow"):
        venue.loans.borrow("ann", "AAPL", 1, "again")


def test_a_close_out_without_money_waits_and_goes_on_when_there_is_some() -> None:
    venue = LendingVenue()
    called(venue, initial_bps=11_000)
    venue.place("cat", "SELL", 100, 1_490_000)
    for _ in range(60):
        venue.second()
        venue.check()
    loan = venue.loan("ann")
    assert loan is not None and loan.stage == "closing" and 0 < loan.quantity < 60
    with pytest.raises(Refused, match="buying the loan"):
        venue.loans.return_shares("ann", "AAPL", 1, "late")
    venue.administration.deposit("clearing_capital", "USD", 100_000_000, "capital")
    closed_out(venue)
    assert venue.clearing.tables.accounts["clearing_capital"].balance_e4 == 100_000_000 - 23_400_000


def test_shares_that_the_client_still_has_are_taken_before_any_are_bought() -> None:
    venue = LendingVenue()
    called(venue)
    venue.administration.deposit("ann", "AAPL", 50, "found again")
    venue.place("cat", "SELL", 10, 1_310_000)
    closed_out(venue)
    assert venue.clearing.tables.accounts["ann"].balance_e4 == 90_000_000 - 10 * 1_310_000


def test_a_close_out_that_is_due_in_a_halt_waits_for_its_end() -> None:
    venue = LendingVenue()
    called(venue)
    venue.place("cat", "SELL", 100, 1_310_000)
    venue.phase("halted")
    for _ in range(30):
        venue.second()
        venue.check()
    loan = venue.loan("ann")
    assert loan is not None and (loan.stage, loan.quantity, loan.attempt) == ("closing", 60, 1)
    venue.phase("continuous")
    venue.place("cat", "SELL", 100, 1_310_000)
    closed_out(venue)


def test_a_mark_is_not_painted_by_two_who_trade_a_share_with_each_other() -> None:
    venue = LendingVenue()
    venue.loans.borrow("ann", "AAPL", 60, "k")
    venue.quote(1_000_000)
    for number in range(20):
        venue.place("bob", "SELL", 1, 1_490_000)
        venue.place("cat", "BUY", 1, 1_490_000)
        venue.second()
        loan = venue.loan("ann")
        assert loan is not None and loan.collateral_e4 <= 60 * 1_000_000 * 3 // 2, number


def test_collateral_can_be_neither_spent_nor_withdrawn() -> None:
    venue = LendingVenue()
    venue.loans.borrow("ann", "AAPL", 60, "k")
    venue.place("ann", "BUY", 11, 1_000_000)
    assert venue.engine.orders == {}, "ten shares are what the free $1,000.00 buy"
    with pytest.raises(Refused):
        venue.administration.withdraw("ann", "USD", 10_000_001, "too much")
    venue.administration.withdraw("ann", "USD", 10_000_000, "what is free")
    venue.check()


def test_nobody_borrows_more_than_half_of_the_pool() -> None:
    venue = LendingVenue()
    venue.administration.deposit("ann", "USD", 10**10, "rich")
    with pytest.raises(Refused) as refused:
        venue.loans.borrow("ann", "AAPL", 501, "all")
    assert refused.value.refusal.details == {"needed": 501, "available": 500}
    venue.loans.borrow("ann", "AAPL", 500, "half")
    with pytest.raises(Refused):
        venue.loans.borrow("ann", "AAPL", 1, "more")
    with pytest.raises(Refused):
        venue.loans.borrow("close_out", "AAPL", 1, "by the venue")


@pytest.mark.parametrize("step", range(0, 400, 7))
def test_a_close_out_ends_the_same_whenever_its_process_dies(step: int) -> None:
    undisturbed = LendingVenue()
    called(undisturbed)
    undisturbed.place("cat", "SELL", 100, 1_320_000)
    closed_out(undisturbed)
    venue = LendingVenue()
    called(venue)
    venue.place("cat", "SELL", 100, 1_320_000)
    venue.kill_at = step
    try:
        closed_out(venue)
    except Killed:
        venue.kill_at = None
        venue.restart()
        venue.commit()
        venue.settle()
        venue.check()
        closed_out(venue)
    for name in ("ann", "cat", "lender", "close_out"):
        ours, theirs = (one.clearing.tables for one in (venue, undisturbed))
        assert ours.deposits.get((name, "AAPL")) == theirs.deposits.get((name, "AAPL"))
    paid = undisturbed.clearing.tables.accounts["ann"].balance_e4
    assert venue.clearing.tables.accounts["ann"].balance_e4 == paid
