"""What the clearinghouse may rely on in the fee schedule's table, whichever body it has."""

from collections.abc import Iterator

import pytest

from tests.contract.clearing_stores import Stores, memory_stores, postgres_stores
from venue_protocol.fee_schedule import FeeRow
from venue_protocol.fees import FeeRates


@pytest.fixture(params=["memory", "postgres"])
def stores(request: pytest.FixtureRequest) -> Iterator[Stores]:
    made = (
        memory_stores()
        if request.param == "memory"
        else postgres_stores(request.getfixturevalue("provisioned"))
    )
    yield made
    made.close()


def test_rows_and_tiers_are_set_replaced_and_removed(stores: Stores) -> None:
    row, gold = FeeRow("*", "standard", -1, 3, 1), FeeRow("AAPL", "gold", 0, 2, 0)
    stores.administration.create_client("gus", "market_maker", 0, {})
    with stores.ledger.transaction() as transaction:
        fees = transaction.fee_table()
        assert fees.lock().rows == []
        fees.put(row._replace(taker_bps=9))
        fees.put(gold)
        fees.put(row)
        fees.set_tier("gus", "silver")
        fees.set_tier("gus", "gold")
    with stores.ledger.transaction() as transaction:
        schedule = transaction.fee_table().read()
    assert schedule.rows == [row, gold]
    assert schedule.tiers == {"gus": "gold"}
    assert schedule.rates("gus", "AAPL") == FeeRates(0, 2, 0)
    with stores.ledger.transaction() as transaction:
        fees = transaction.fee_table()
        fees.remove("AAPL", "gold")
        fees.remove("*", "standard")
        fees.remove("*", "standard")
        fees.set_tier("gus", "standard")
        assert (fees.read().rows, fees.read().tiers) == ([], {})


def test_a_failed_transaction_leaves_the_schedule_as_it_was(stores: Stores) -> None:
    with pytest.raises(ZeroDivisionError), stores.ledger.transaction() as transaction:
        transaction.fee_table().put(FeeRow("*", "standard", 0, 3, 0))
        raise ZeroDivisionError
    with stores.ledger.transaction() as transaction:
        assert transaction.fee_table().read().rows == []
