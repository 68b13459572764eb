"""The second proof: what settlement reports say by themselves."""

from itertools import pairwise

import pytest

from tests.unit.venue_audit.notation import Books, changed
from venue_audit.differences import Differences
from venue_audit.report_ledger import ReportLedger
from venue_storage.clearing_rows import ReportRow


def rows() -> list[ReportRow]:
    books = Books()
    for number in range(1, 6):
        books.trade(number)
    return books.reports


def replayed(
    reports: list[ReportRow], is_whole: bool = True
) -> tuple[ReportLedger, list[tuple[str, int | None]]]:
    """The ledger, and (field, sequence) of each difference."""
    differences = Differences()
    ledger = ReportLedger(differences, is_whole)
    for row in reports:
        ledger.take(row)
    return ledger, [(found.field, found.sequence) for found in differences]


def test_honest_reports_add_up() -> None:
    ledger, found = replayed(rows())
    assert found == []
    assert ledger.clients["ann"].balance_e4 == 10**8 - 15 * 10**6 and ledger.clients[
        "ann"
    ].holdings == {"AAPL": 15}
    assert ledger.clients["bob"].holdings == {"AAPL": 85} and ledger.clients["issuer"].holdings == {
        "AAPL": 900
    }


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"cash_e4": -2_999_900}, {"hash", "balance_e4"}),
        ({"balance_e4": 1}, {"hash", "balance_e4"}),
        ({"shares": 4}, {"hash", "holding"}),
        ({"holding": 4}, {"hash", "holding"}),
        ({"price_e4": 1}, {"hash"}),
        ({"client_sequence": 7}, {"hash", "client_sequence"}),
        ({"client_id": "bob"}, {"hash", "client_id"}),
        ({"previous_hash": "f" * 64}, {"hash", "previous_hash"}),
    ],
)
def test_each_changed_field_is_named_at_its_report(
    fields: dict[str, object], expected: set[str]
) -> None:
    reports = rows()
    place = next(
        number
        for number, row in enumerate(reports)
        if row.client_id == "ann" and row.client_sequence == 3
    )
    reports[place] = changed(reports[place], **fields)
    _, found = replayed(reports)
    assert {field for field, sequence in found if sequence == reports[place].sequence} == expected


def test_a_missing_report_is_a_hole_in_both_sequences_and_in_the_chain() -> None:
    reports = rows()
    del reports[6]
    _, found = replayed(reports)
    assert {"sequence_without_hole", "client_sequence_without_hole", "previous_hash"} <= {
        field for field, _ in found
    }


def test_one_clients_reports_may_have_holes_in_the_common_sequence() -> None:
    own = [row for row in rows() if row.client_id == "ann"]
    assert any(after.sequence - before.sequence > 1 for before, after in pairwise(own))
    assert replayed(own, is_whole=False)[1] == []


def test_what_is_not_a_report_is_named_and_passed_over() -> None:
    reports = rows()
    reports[-1] = reports[-1]._replace(report="{")
    _, found = replayed(reports)
    assert found == [("report", reports[-1].sequence)]


def test_a_field_appended_behind_the_hash_is_noticed() -> None:
    reports = rows()
    reports[-1] = reports[-1]._replace(report=reports[-1].report[:-1] + ',"time_us":5}')
    _, found = replayed(reports)
    assert ("hash", reports[-1].sequence) in found
