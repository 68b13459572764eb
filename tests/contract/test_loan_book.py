"""What the clearinghouse may rely on in its tables of stock loans, whichever body they have."""

import contextlib
import itertools
from collections.abc import Iterator

import msgspec
import pytest

from clearinghouse.domain.corporate_actions import ActionStep, ListingChange
from tests.contract.clearing_stores import Stores, memory_stores, postgres_stores
from venue_protocol.corporate_actions import CashDividend, Split, SymbolChange
from venue_protocol.loan_actions import AppliedAction
from venue_protocol.stock_loans import LoanEvent, MarginRules, Mark, StockLoan
from venue_storage.clearing_rows import CloseOutOrder


class _UndoneError(Exception):
    """Rolls a transaction back."""


_numbers = itertools.count(1)


@pytest.fixture(params=["memory", "postgres"])
def stores(request: pytest.FixtureRequest) -> Iterator[Stores]:
    made = (
        memory_stores()
        if request.param == "memory"
        else postgres_stores(request.getfixturevalue("provisioned"))
    )
    yield made
    made.close()


@pytest.fixture
def client(stores: Stores) -> str:
    name = f"short{next(_numbers)}"
    stores.administration.create_client(name, "trader")
    return name


def test_the_rules_are_the_defaults_until_they_are_set(stores: Stores) -> None:
    with stores.ledger.transaction() as transaction:
        before = transaction.loans.rules()
        transaction.loans.set_rules(msgspec.structs.replace(before, fee_bps=77, is_open=True))
        after = transaction.loans.rules()
        assert (after.fee_bps, after.is_open) == (77, True)
        transaction.loans.set_rules(MarginRules())
        assert transaction.loans.rules() == MarginRules()


def test_what_was_decided_for_a_client_can_be_taken_back(stores: Stores, client: str) -> None:
    with stores.ledger.transaction() as transaction:
        for decided in (True, False, None):
            transaction.loans.set_may_borrow(client, decided)
            assert transaction.loans.may_borrow(client) is decided


def test_a_loan_is_what_its_last_event_says_and_gone_without_shares(
    stores: Stores, client: str
) -> None:
    loan = StockLoan(client, "AAPL", 5, 750, used_e4={"member": 1})
    more = msgspec.structs.replace(loan, quantity=9)
    with stores.ledger.transaction() as transaction:
        book = transaction.loans
        first, lent = book.next_event(), book.lent("AAPL")
        book.write(1, [LoanEvent("borrow", each, MarginRules(), 1, 0) for each in (loan, more)])
        assert book.next_event() == first + 2
        assert book.loan(client, "AAPL") == more
        assert book.loans(client) == [more] and more in book.loans()
        assert book.lent("AAPL") == lent + 9
        assert ("AAPL", 0, lent + 9) in book.pool()
        none = msgspec.structs.replace(loan, quantity=0)
        book.write(2, [LoanEvent("return", none, MarginRules(), 1, 0)])
        assert book.loan(client, "AAPL") is None and book.lent("AAPL") == lent


def test_the_newest_mark_is_the_one_of_most_reports(stores: Stores) -> None:
    with stores.ledger.transaction() as transaction:
        for as_of, mark_e4 in ((7, 100), (30, 300), (12, 200)):
            transaction.loans.add_mark(Mark("MSFT", as_of, 0, 1, mark_e4))
        assert transaction.loans.mark(["MSFT"]) == Mark("MSFT", 30, 0, 1, 300)
        assert transaction.loans.mark(["TSLA"]) is None


def test_a_mark_of_a_further_action_is_newer_as_of_the_same_report(stores: Stores) -> None:
    with stores.ledger.transaction() as transaction:
        for name, followed_us in (("NVDA", 0), ("NDVA", 9), ("NVDA", 5)):
            transaction.loans.add_mark(Mark(name, 40, 0, 1, 300, followed_us))
        assert transaction.loans.mark(["NVDA", "NDVA"]) == Mark("NDVA", 40, 0, 1, 300, 9)
        assert transaction.loans.mark(["NVDA"]) == Mark("NVDA", 40, 0, 1, 300, 5)


def test_what_was_done_to_a_security_is_known_in_turn(stores: Stores) -> None:
    split, rename = Split(2, 1, 500_000), SymbolChange("APPL")
    with (
        contextlib.suppress(_UndoneError),
        stores.ledger.transaction() as transaction,
    ):
        settlement, book = transaction.lock(()), transaction.loans
        settlement.actions.steps += [
            ActionStep(78, "applied", "AAPL", 30, rename),
            ActionStep(77, "applied", "AAPL", 20, split),
            ActionStep(76, "declared", "AAPL", 10, CashDividend(1, 1, 1, 1)),
            ActionStep(75, "paid", "AAPL", 10, None),
        ]
        settlement.actions.listings.append(ListingChange("AAPL", 500_000, 78, 30, "APPL"))
        transaction.write(settlement)
        assert book.symbols("APPL") == ["APPL", "AAPL"]
        assert book.symbols("AAPL") == ["AAPL"]
        done = [AppliedAction(20, 77, "AAPL", split), AppliedAction(30, 78, "AAPL", rename)]
        assert book.actions(["APPL", "AAPL"], 0) == done
        assert book.actions(["AAPL"], 20) == done[1:]
        assert book.actions(["APPL"], 0) == []
        assert book.newest_action_us(["APPL", "AAPL"]) == 30
        assert book.newest_action_us(["APPL"]) == 0
        assert book.paid_dividends([74, 75, 76, 77]) == {75}
        raise _UndoneError


def test_a_loan_moves_to_a_new_symbol(stores: Stores, client: str) -> None:
    before, after = StockLoan(client, "AAPL", 5, 750), StockLoan(client, "MSFT", 5, 750)
    owed = msgspec.structs.replace(after, quantity=0, dividends_e4={"7": 1})
    with stores.ledger.transaction() as transaction:
        book = transaction.loans
        book.write(1, [LoanEvent("borrow", before, MarginRules(), 1, 0)])
        moved = LoanEvent("symbol_change", after, MarginRules(), 1, 0, renamed="AAPL")
        book.write(2, [LoanEvent("split", before, MarginRules(), 1, 0), moved])
        assert book.loans(client) == [after]
        paid = LoanEvent("dividend", StockLoan(client, "MSFT"), MarginRules(), 1, 0)
        book.write(3, [LoanEvent("return", owed, MarginRules(), 1, 0), paid])
        assert book.loans(client) == []


def test_contributions_are_listed_while_there_is_something_in_them(
    stores: Stores, client: str
) -> None:
    with stores.ledger.transaction() as transaction:
        transaction.loans.set_contribution(client, 5)
        assert transaction.loans.contributions()[client] == 5
        transaction.loans.set_contribution(client, 0)
        assert client not in transaction.loans.contributions()


def test_an_order_that_the_gateway_took_can_not_be_withdrawn(stores: Stores) -> None:
    names = [f"close-out-{next(_numbers)}" for _ in range(2)]
    with stores.ledger.transaction() as transaction:
        for name in names:
            transaction.loans.add_order(CloseOutOrder(name, "AAPL", 1, 100))
        assert transaction.loans.logged(names[0]) is None
    with stores.log.transaction() as log:
        assert set(log.lock_close_outs([*names, "close-out-none"])) == set(names)
        log.remove_close_outs(names[:1])
    with stores.ledger.transaction() as transaction:
        assert [transaction.loans.withdraw_order(name) for name in names] == [False, True]
        assert not transaction.loans.withdraw_order(names[1])


def test_an_order_for_the_listing_of_before_an_action_is_not_taken(stores: Stores) -> None:
    name = f"close-out-{next(_numbers)}"
    with stores.ledger.transaction() as transaction:
        transaction.loans.add_order(CloseOutOrder(name, "AAPL", 1, 100, action_id=5))
    with stores.log.transaction() as log:
        assert list(log.lock_close_outs([name])) == []
    with stores.ledger.transaction() as transaction:
        assert transaction.loans.withdraw_order(name)
