"""Corporate actions on open loans, on real databases: who owes what afterwards, to the cent, and
the audit of every row.
"""

import secrets
from collections.abc import Iterator

import pytest

from migrations.provision import drop
from order_entry_gateway.domain.trading_phases import SessionCandidate
from tests.integration.venue_audit.synthetic_venue import SyntheticVenue
from tests.integration.venue_audit.test_loans import Lending, refusal_code
from tests.integration.venue_audit.verdicts import audited, differences, said
from tests.provisioning import provision_seeded
from venue_protocol.commands import ApplyCorporateAction, SetPhase
from venue_protocol.corporate_actions import (
    CashDividend,
    CorporateAction,
    Delisting,
    Split,
    SymbolChange,
)
from venue_protocol.proposals import TradeBust
from venue_protocol.trading_day import Phase

SECOND_US = 1_000_000


@pytest.fixture
def lending(postgres_url: str) -> Iterator[Lending]:
    instance = f"venue_test_{secrets.token_hex(4)}"
    venue = SyntheticVenue(provision_seeded(postgres_url, instance))
    try:
        venue.open_accounts()
        yield Lending(venue)
    finally:
        venue.close()
        drop(postgres_url, instance)


def phase(lending: Lending, name: Phase, security_id: str = "AAPL") -> None:
    venue = lending.venue
    venue.commit([SessionCandidate(0, SetPhase("boss", name, security_id))])
    venue.settle()
    venue.record()


def act(lending: Lending, action: CorporateAction, security_id: str = "AAPL") -> None:
    """The action in a halt that goes on."""
    venue = lending.venue
    venue.clock.advance(1_000)
    phase(lending, "halted", security_id)
    listed = venue.listed[security_id]
    command = ApplyCorporateAction(
        "boss", security_id, action, listed.reference_price_e4, listed.tick_e4, listed.lot
    )
    venue.commit([SessionCandidate(0, command)])
    venue.settle()
    venue.record()
    venue.listed.refresh()


def events(lending: Lending, client_id: str) -> list[tuple[str, str, int]]:
    """Kind, journal kind and cash that the lender got, of each event."""
    rows = lending.venue.read(
        "clearing",
        "SELECT event::json->>'kind', coalesce(journal_kind, ''), coalesce((SELECT sum(amount)"
        " FROM ledger_entries WHERE ledger_entries.journal_id = journals.journal_id"
        " AND client_id = 'lender' AND asset = 'USD'), 0)::bigint FROM loan_events LEFT JOIN"
        " journals ON journal_id = (event::json->>'journal_id')::bigint"
        " WHERE client_id = %s AND event::json->>'kind' <> 'fee' ORDER BY number",
        (client_id,),
    )
    return [(kind, journal, amount) for kind, journal, amount in rows]


def require_equal(lending: Lending) -> None:
    verdict = audited(lending.venue)
    assert verdict.is_equal, said(verdict)


def test_a_split_leaves_more_to_return_and_the_fraction_is_paid(lending: Lending) -> None:
    """20 at 2 for 1 are 40; 5 at 3 for 2 are 7 and $33.33 for the half, at $66.66 a new share."""
    lending.desk.borrow("trader0", "AAPL", 20, "k1")
    act(lending, Split(2, 1, 500_000))
    lending.pass_time()
    loan = lending.loan("trader0")
    assert loan is not None and (loan.quantity, loan.collateral_e4) == (40, 30_000_000)
    require_equal(lending)
    phase(lending, "continuous")
    lending.desk.return_shares("trader0", "AAPL", 35, "k2")
    act(lending, Split(3, 2, 333_333))
    before = lending.cash("lender")[0]
    lending.pass_time()
    loan = lending.loan("trader0")
    assert loan is not None and loan.quantity == 7
    assert lending.cash("lender")[0] == before + 166_666
    # The shares that it still had were split too, and its half share was paid by the issuer.
    assert lending.shares("trader0") == 7
    assert lending.cash("trader0")[0] == 100_000_000
    assert [event for event in events(lending, "trader0") if event[0] == "split"] == [
        ("split", "stock_loan", 0),
        ("split", "loan_return", 166_666),
    ]
    require_equal(lending)
    lending.desk.return_shares("trader0", "AAPL", 7, "k3")
    assert lending.cash("trader0") == (100_000_000, 0)
    require_equal(lending)


def test_a_request_right_after_the_action_finds_the_loan_followed(lending: Lending) -> None:
    lending.desk.borrow("trader0", "AAPL", 20, "k1")
    act(lending, Split(2, 1, 500_000))
    phase(lending, "continuous")
    lending.desk.return_shares("trader0", "AAPL", 30, "k2")
    loan = lending.loan("trader0")
    assert loan is not None and (loan.quantity, loan.collateral_e4) == (10, 7_500_000)
    assert lending.events("trader0") == ["borrow", "split", "return"]
    act(lending, Split(1, 2, 1_000_000))
    after = lending.rules.recall("trader0", "AAPL", 5)
    assert (after.quantity, after.recalled) == (5, 5)
    assert lending.events("trader0")[-2:] == ["split", "recall"]
    require_equal(lending)


def test_a_short_seller_pays_the_dividend_that_the_pool_does_not_get(lending: Lending) -> None:
    """$2.50 on each of 20 shares that were sold: $50.00, on the pay date."""
    venue = lending.venue
    lending.desk.borrow("trader0", "AAPL", 20, "k1")
    lending.trade("trader0", "maker0", 20, 1_000_000)
    now_us = venue.clock.now_us()
    act(lending, CashDividend(25_000, now_us, now_us, now_us + 30 * SECOND_US))
    lending.pass_time()
    loan = lending.loan("trader0")
    assert loan is not None and list(loan.dividends_e4.values()) == [500_000]
    phase(lending, "continuous")
    balance, pool = lending.cash("trader0")[0], lending.cash("lender")[0]
    lending.pass_time(30)
    venue.clock.advance(1)
    venue.commit([venue.place("maker0", "SELL", 1, 1_000_000)])
    venue.settle()
    lending.pass_time()
    assert ("dividend", "loan_fee", 500_000) in events(lending, "trader0")
    fee = 20 * 975_000 * 10 // 10_000 // 1_440 + 1
    assert balance - 500_000 - fee <= lending.cash("trader0")[0] <= balance - 500_000
    # The pool's own 980 shares get theirs from the issuer.
    assert lending.cash("lender")[0] - pool >= 500_000 + 980 * 25_000
    require_equal(lending)


def test_a_dividend_that_free_cash_does_not_pay_is_taken_from_the_collateral(
    lending: Lending,
) -> None:
    """$20.00 on each of 40 shares are $800.00; with $300.00 free, $500.00 are held less, and the
    loan is called.
    """
    venue = lending.venue
    lending.desk.borrow("trader0", "AAPL", 40, "k1")
    lending.trade("trader0", "maker0", 40, 1_000_000)
    venue.commit([venue.place("trader0", "BUY", 77, 1_000_000, "MSFT")])
    venue.settle()
    assert lending.cash("trader0") == (140_000_000, 137_000_000)
    now_us = venue.clock.now_us()
    act(lending, CashDividend(200_000, now_us, now_us, now_us))
    lending.pass_time()
    loan = lending.loan("trader0")
    assert loan is not None and loan.dividends_e4 == {}
    # What it asks for is 40 * $80.00 * 150 % = $4,800.00: more than that is freed at once.
    assert loan.collateral_e4 == 48_000_000
    assert events(lending, "trader0")[1:3] == [
        ("ex_dividend", "stock_loan", 0),
        ("dividend", "loan_fee", 8_000_000),
    ]
    require_equal(lending)


def test_who_returns_all_pays_the_dividends_that_are_owed_at_once(lending: Lending) -> None:
    venue = lending.venue
    lending.desk.borrow("trader0", "AAPL", 20, "k1")
    now_us = venue.clock.now_us()
    act(lending, CashDividend(25_000, now_us, now_us, now_us + 3_600 * SECOND_US))
    phase(lending, "continuous")
    before = lending.cash("trader0")[0]
    lending.desk.return_shares("trader0", "AAPL", 20, "k2")
    assert lending.cash("trader0") == (before - 500_000, 0)
    assert lending.loan("trader0") is None
    assert lending.events("trader0") == ["borrow", "ex_dividend", "return", "dividend"]
    require_equal(lending)


def test_who_cannot_pay_the_dividend_keeps_the_loan(lending: Lending) -> None:
    venue = lending.venue
    lending.desk.borrow("trader0", "AAPL", 5, "k1")
    now_us = venue.clock.now_us()
    act(lending, CashDividend(900_000, now_us, now_us, now_us + 3_600 * SECOND_US))
    lending.pass_time()
    venue.commit([venue.place("trader0", "BUY", 99, 1_000_000, "MSFT")])
    venue.settle()
    assert (
        refusal_code(lambda: lending.desk.return_shares("trader0", "AAPL", 5, "k2"))
        == "risk.insufficient_funds"
    )
    require_equal(lending)


def test_a_loan_goes_on_under_the_new_symbol(lending: Lending) -> None:
    lending.desk.borrow("trader0", "AAPL", 20, "k1")
    act(lending, SymbolChange("APPL"))
    phase(lending, "continuous", "APPL")
    assert refusal_code(lambda: lending.desk.borrow("trader0", "AAPL", 1, "k2")) == (
        "security.delisted"
    )
    lending.desk.borrow("trader0", "APPL", 5, "k3")
    assert lending.loan("trader0") is None
    rows = lending.venue.read("clearing", "SELECT security_id, quantity FROM stock_loans")
    assert rows == [("APPL", 25)]
    lending.desk.return_shares("trader0", "APPL", 25, "k4")
    assert lending.cash("trader0") == (100_000_000, 0)
    require_equal(lending)


def test_a_delisting_ends_the_loan_at_its_price(lending: Lending) -> None:
    """20 shares, sold at $100.00, at a payout of $30.00: $600.00 to the lender."""
    lending.desk.borrow("trader0", "AAPL", 20, "k1")
    lending.trade("trader0", "maker0", 20, 1_000_000)
    act(lending, Delisting(300_000))
    before = lending.cash("lender")[0]
    lending.pass_time()
    assert lending.loan("trader0") is None
    assert lending.cash("trader0") == (100_000_000 + 20 * 700_000, 0)
    assert lending.cash("lender")[0] == before + 6_000_000
    assert events(lending, "trader0")[-1] == ("delisting", "loan_return", 6_000_000)
    require_equal(lending)


def test_a_payout_beyond_the_clients_means_goes_down_the_waterfall(lending: Lending) -> None:
    """60 shares at $300.00 are $18,000.00. The client has $16,000.00, its contribution is $100.00,
    the capital $500.00; another member gives the $1,400.00 that are left.
    """
    venue = lending.venue
    lending.rules.contribute("trader1", 30_000_000, "c1")
    venue.administration.deposit("clearing_capital", "USD", 5_000_000, "capital")
    venue.administration.deposit("trader0", "USD", 1_000_000, "more")
    lending.rules.contribute("trader0", 1_000_000, "c2")
    lending.desk.borrow("trader0", "AAPL", 60, "k1")
    lending.trade("trader0", "maker0", 60, 1_000_000)
    before = lending.cash("lender")[0]
    act(lending, Delisting(3_000_000))
    before = lending.cash("lender")[0]
    lending.pass_time()
    assert lending.cash("trader0") == (0, 0)
    assert lending.cash("clearing_capital")[0] == 0
    assert lending.cash("default_fund")[0] == 30_000_000 - 14_000_000
    assert lending.cash("lender")[0] == before + 180_000_000
    assert refusal_code(lambda: lending.desk.borrow("trader0", "MSFT", 1, "k2")) == (
        "loan.not_allowed"
    )
    require_equal(lending)


def begin_close_out(lending: Lending, quantity: int = 20) -> None:
    """A recall of all that is not met; the first order is made and not logged yet."""
    lending.desk.borrow("trader0", "AAPL", quantity, "k1")
    lending.trade("trader0", "maker0", quantity, 1_000_000)
    lending.rules.recall("trader0", "AAPL", quantity)
    for seconds in (61, 3):
        lending.venue.clock.advance(seconds * SECOND_US)
        lending.margin.step()
    loan = lending.loan("trader0")
    assert loan is not None and loan.stage == "closing" and loan.order is not None


def finish_close_out(lending: Lending) -> None:
    phase(lending, "continuous")
    venue = lending.venue
    price_e4 = venue.listed["AAPL"].reference_price_e4
    venue.commit([venue.place("maker1", "SELL", 100, price_e4)])
    for _ in range(4):
        lending.pass_time(2)
    assert lending.loan("trader0") is None
    assert lending.cash("close_out") == (0, 0)
    require_equal(lending)


def test_a_reverse_split_takes_back_the_order_of_a_close_out_and_it_goes_on(
    lending: Lending,
) -> None:
    begin_close_out(lending)
    act(lending, Split(1, 2, 2_000_000))
    lending.pass_time()
    loan = lending.loan("trader0")
    assert loan is not None and (loan.quantity, loan.recalled) == (10, 10)
    require_equal(lending)
    finish_close_out(lending)
    assert lending.shares("lender") == 500


def test_what_a_close_out_bought_before_a_split_is_the_pools(lending: Lending) -> None:
    """8 of 20 are bought, and the action comes before the margin run has seen it."""
    begin_close_out(lending)
    venue = lending.venue
    venue.commit([venue.place("maker1", "SELL", 8, 1_000_000)])
    lending.timekeeper.step()
    venue.commit([])
    venue.settle()
    assert lending.shares("close_out") == 8
    act(lending, Split(2, 1, 500_000))
    assert (lending.shares("close_out"), lending.shares("lender")) == (0, 2 * 988)
    require_equal(lending)
    lending.pass_time()
    loan = lending.loan("trader0")
    assert loan is not None and (loan.quantity, loan.recalled) == (24, 24)
    require_equal(lending)
    finish_close_out(lending)
    assert lending.shares("lender") == 2_000


def test_a_trade_of_a_close_out_is_not_busted(lending: Lending) -> None:
    begin_close_out(lending)
    venue = lending.venue
    venue.commit([venue.place("maker1", "SELL", 8, 1_000_000)])
    lending.timekeeper.step()
    venue.commit([])
    venue.settle()
    venue.record()
    venue.administration.create_client("boss", "administrator")
    ((trade_id,),) = venue.read(
        "market", "SELECT trade_id FROM trades WHERE buy_client_id = 'close_out'"
    )
    propose = venue.proposals.propose
    assert refusal_code(lambda: propose(TradeBust(trade_id), "drawn", "p1", "boss")) == (
        "trade.of_close_out"
    )


def test_an_order_of_before_an_action_is_not_logged_after_it(lending: Lending) -> None:
    begin_close_out(lending)
    act(lending, Split(1, 2, 2_000_000))
    phase(lending, "continuous")
    lending.timekeeper.step()
    lending.venue.commit([])
    assert lending.venue.read("clearing", "SELECT count(*) FROM close_out_orders") == [(1,)]
    finish_close_out(lending)


def test_a_delisting_ends_a_close_out(lending: Lending) -> None:
    begin_close_out(lending)
    act(lending, Delisting(300_000))
    lending.pass_time()
    assert lending.loan("trader0") is None
    assert lending.cash("close_out") == (0, 0)
    assert lending.events("trader0")[-3:] == ["withdrawn", "closed", "delisting"]
    balance, held = lending.cash("trader0")
    assert held == 0 and balance <= 100_000_000 + 20 * 700_000
    require_equal(lending)


def test_a_mark_follows_a_split_and_does_not_look_behind_it(lending: Lending) -> None:
    """Trades at $120.00 make the mark; after 2 for 1 it is $60.00, until there are new trades."""
    lending.desk.borrow("trader0", "AAPL", 10, "k1")
    lending.mark(1_200_000)
    lending.pass_time()
    act(lending, Split(2, 1, 600_000))
    lending.pass_time()
    loan = lending.loan("trader0")
    assert loan is not None and loan.collateral_e4 == 20 * 600_000 * 3 // 2
    assert lending.venue.listed["AAPL"].reference_price_e4 == 500_000
    require_equal(lending)


@pytest.mark.parametrize(
    ("table", "where", "column", "was", "planted", "found"),
    [
        ("loan_events", "number = 2", "event", '"quantity":40', '"quantity":39', "quantity"),
        ("loan_marks", "followed_us > 0", "mark_e4", "500000", "500100", "mark_e4"),
    ],
)
def test_a_planted_error_in_what_followed_is_named(
    lending: Lending, table: str, where: str, column: str, was: str, planted: str, found: str
) -> None:
    lending.desk.borrow("trader0", "AAPL", 20, "k1")
    act(lending, Split(2, 1, 500_000))
    lending.pass_time()
    change = lambda value: type(value)(str(value).replace(was, planted))  # noqa: E731
    with lending.venue.planted("clearing", table, where, column, change):
        assert found in {item.field for item in differences(lending.venue)}
    require_equal(lending)
