"""What an audit keeps of what it found."""

from itertools import count

from venue_audit.differences import MOST_KEPT, REPORTS, Differences
from venue_audit.snapshot import Numbered


def test_a_difference_says_what_which_both_values_and_where() -> None:
    found = Differences()
    found.compare("account", "ann", "balance_e4", 99_981_300, 99_981_400, REPORTS, 7)
    assert [str(item) for item in found] == [
        "account ann: balance_e4 must be $9998.13, found $9998.14 (first at settlement report 7)"
    ]


def test_equal_values_are_no_difference() -> None:
    found = Differences()
    assert (
        found.compare("account", "ann", "balance_e4", 1, 1) and not found.count and not list(found)
    )
    assert not found.compare("account", "ann", "balance_e4", 1, None)
    assert str(next(iter(found))).endswith("must be $0.0001, found nothing")


def test_later_ones_of_the_same_owner_and_field_are_counted_with_the_first() -> None:
    found = Differences()
    for sequence in (5, 6, 9):
        found.compare(
            "settlement_report", f"{sequence} of ann", "hash", "a", "b", REPORTS, sequence, "ann"
        )
    (kept,) = found
    assert (kept.sequence, kept.later, found.count, found.unnamed) == (5, 2, 3, 0)
    assert found.first_sequence("settlement_report", "ann") == 5
    assert found.first_sequence("settlement_report", "bob") is None


def test_memory_is_bounded_and_nothing_goes_uncounted() -> None:
    found = Differences()
    for number in range(MOST_KEPT + 50):
        found.compare("order", str(number), "status", "filled", "new")
    assert (len(list(found)), found.count, found.unnamed) == (MOST_KEPT, MOST_KEPT + 50, 50)


def test_numbered_records_are_found_once_and_holes_are_noticed() -> None:
    records = Numbered(iter([1, 2, 4, 7, 8]), lambda record: record)
    assert [records.take(number) for number in (1, 2, 3, 4)] == [1, 2, None, 4]
    assert records.peek(7) == 7 and records.peek(5) is None
    assert records.ahead(5) == [7, 8]
    assert records.take(8) == 8 and list(records.rest()) == []


def test_numbered_records_are_read_no_further_than_asked() -> None:
    source = count(1)
    records = Numbered(source, lambda record: record)
    assert records.take(3) == 3 and records.ahead(2) == [4, 5]
    assert next(source) == 6
