"""From rows of the order log to batches, and what makes a log unreadable."""

import pytest

from venue_audit.log_rows import LogBroken, batches
from venue_protocol import codec
from venue_protocol.commands import AmendOrder, CancelOrder, PlaceOrder
from venue_storage.clearing_rows import LogRow


def row(sequence: int, time_us: int, command: object | None = None) -> LogRow:
    placed = command or PlaceOrder("ann", "AAPL", "BUY", "limit", "GTC", 5, 100, f"n{sequence}")
    name = getattr(placed, "client_order_id", None)
    amended = placed.order_id if isinstance(placed, AmendOrder) else None
    return LogRow(
        0, sequence, time_us, placed.client_id, name, amended, codec.encode(placed).decode()
    )  # type: ignore[attr-defined]


def test_rows_of_one_time_are_one_batch() -> None:
    log = [row(1, 10), row(2, 10), row(3, 11, CancelOrder("ann", 1)), row(4, 15), row(5, 15)]
    found = list(batches(0, log))
    assert [(batch.first, batch.last, batch.time_us) for batch in found] == [
        (1, 2, 10),
        (3, 3, 11),
        (4, 5, 15),
    ]
    assert all(batch.schema == codec.SCHEMA for batch in found)


@pytest.mark.parametrize(
    ("log", "sequence", "field"),
    [
        ([row(2, 10)], 1, "sequence"),
        ([row(1, 10), row(3, 10)], 2, "sequence"),
        ([row(1, 10), row(2, 11), row(4, 12)], 3, "sequence"),
        ([row(1, 10), row(2, 9)], 2, "time_us"),
        ([row(1, 10), row(2, 11), row(3, 10)], 3, "time_us"),
        ([row(1, 10)._replace(client_id="bob")], 1, "client_id"),
        ([row(1, 10)._replace(client_order_id=None)], 1, "client_order_id"),
        ([row(1, 10)._replace(amended_order_id=4)], 1, "amended_order_id"),
        (
            [row(1, 10, AmendOrder("ann", 1, 5, 100, 0))._replace(amended_order_id=2)],
            1,
            "amended_order_id",
        ),
        ([row(1, 10), row(2, 10)._replace(command="{}")], 2, "command"),
    ],
)
def test_a_log_that_can_not_be_folded_says_where_and_why(
    log: list[LogRow], sequence: int, field: str
) -> None:
    with pytest.raises(LogBroken) as broken:
        list(batches(0, log))
    assert (broken.value.sequence, broken.value.field) == (sequence, field)


def test_what_is_before_the_break_is_given() -> None:
    log = batches(0, [row(1, 10), row(2, 11), row(4, 12)])
    assert [next(log).last, next(log).last] == [1, 2]
    with pytest.raises(LogBroken):
        next(log)
