"""Who is believed about a deposit: its journal or its reports."""

import pytest

from clearinghouse.domain.ledger import Leg
from tests.unit.venue_audit.notation import Books, changed
from venue_audit.transfers import Transfer, is_transfer, legs_of, transfer_of
from venue_protocol.holds import CASH
from venue_protocol.settlement import SettlementReport


def linked(_report: SettlementReport) -> bool:
    return True


def unlinked(_report: SettlementReport) -> bool:
    return False


@pytest.fixture
def books() -> Books:
    """Journals: 1 issue, 2 ann's cash, 3 bob's cash and shares, 4 a trade.

    Reports: 1; 2; 3, 4, 5; 6, 7.
    """
    made = Books()
    made.trade(1)
    return made


def test_journals_tell_transfers_from_trades(books: Books) -> None:
    firsts = [0, 1, 2, 5]
    told = [
        is_transfer(n, books.journals[n - 1], books.reports[firsts[n - 1]]) for n in (1, 2, 3, 4)
    ]
    assert told == [True, True, True, False]


def test_without_a_report_the_journal_decides(books: Books) -> None:
    assert is_transfer(2, books.journals[1], None) and not is_transfer(4, books.journals[3], None)
    assert not is_transfer(5, None, None)


def test_a_sound_report_outvotes_the_kind_of_its_journal(books: Books) -> None:
    assert is_transfer(2, books.journals[1]._replace(journal_kind="trade"), books.reports[1])
    assert not is_transfer(4, books.journals[3]._replace(journal_kind="deposit"), books.reports[5])


def test_a_report_with_a_wrong_hash_decides_nothing(books: Books) -> None:
    forged = changed(books.reports[1], settlement_kind="trade")
    assert is_transfer(2, books.journals[1], forged)


def test_a_failed_trade_before_a_transfer_comes_first(books: Books) -> None:
    failed = changed(books.reports[1], sealed=True, settlement_kind="failed_trade", journal_id=0)
    assert not is_transfer(2, books.journals[1], failed)


def test_where_both_agree_the_transfer_is_the_journals(books: Books) -> None:
    journal = books.journals[2]
    assert transfer_of(3, journal, books.reports[2:], linked) == Transfer(
        "deposit", journal.time_us, legs_of(journal), None, "by hand"
    )


def test_sealed_and_linked_reports_win_over_a_changed_journal(books: Books) -> None:
    honest = books.journals[1]
    forged = honest._replace(amounts=(-(10**8) - 100, 10**8 + 100))
    found = transfer_of(2, forged, books.reports[1:], linked)
    assert found is not None and found.legs == legs_of(honest)


@pytest.mark.parametrize("sealed", [False, True])
def test_a_journal_wins_over_a_report_that_is_not_sealed_or_not_linked(
    books: Books, sealed: bool
) -> None:
    forged = changed(books.reports[1], sealed, cash_e4=10**8 + 100)
    found = transfer_of(
        2, books.journals[1], [forged, *books.reports[2:]], unlinked if sealed else linked
    )
    assert found is not None and found.legs == legs_of(books.journals[1])


def test_a_missing_journal_is_rebuilt_from_its_reports(books: Books) -> None:
    """The issue's other side is the depository, cash comes from the bank, given shares from the
    issuer's report.
    """
    for number, first in ((1, 0), (2, 1), (3, 2)):
        found = transfer_of(number, None, books.reports[first:], linked)
        assert found is not None and set(found.legs) == set(legs_of(books.journals[number - 1]))
    assert transfer_of(9, None, books.reports, linked) is None


def test_missing_reports_leave_the_journal(books: Books) -> None:
    found = transfer_of(2, books.journals[1], [], linked)
    assert found is not None and found.legs == (
        Leg("bank", CASH, -(10**8)),
        Leg("ann", CASH, 10**8),
    )
