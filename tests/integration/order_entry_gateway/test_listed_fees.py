"""How a gateway follows the fee schedule."""

from collections.abc import Iterator

import pytest

from migrations.provision import Provisioned
from service_runtime.database import Database
from venue_protocol.fees import FeeRates
from venue_storage import listed_fees
from venue_storage.listed_fees import ListedFees


@pytest.fixture
def database(provisioned: Provisioned) -> Iterator[Database]:
    made = Database(provisioned.owner_clearing_url, "test", pool_size=1)
    yield made
    set_taker(made, None)
    made.close()


def set_taker(database: Database, taker_bps: int | None) -> None:
    """One row for all, or none."""
    with database.transaction() as cursor:
        cursor.execute("DELETE FROM fee_schedule")
        if taker_bps is not None:
            cursor.execute(
                "INSERT INTO fee_schedule VALUES ('*', 'standard', 0, %s, 0)", (taker_bps,)
            )


def test_the_first_order_waits_until_the_schedule_is_known(
    provisioned: Provisioned, database: Database
) -> None:
    """With the gateway's own rights."""
    set_taker(database, 3)
    own = Database(provisioned.clearing_url("order_entry_gateway"), "test", pool_size=1)
    try:
        assert ListedFees(own)().rates("ann", "AAPL") == FeeRates(0, 3, 0)
    finally:
        own.close()


def test_a_schedule_that_is_too_old_is_read_before_it_is_used(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    fees = ListedFees(database)
    assert fees().rates("ann", "AAPL") is None
    set_taker(database, 4)
    assert fees().rates("ann", "AAPL") is None, "known a moment ago"
    monkeypatch.setattr(listed_fees, "FRESH_S", 0.0)
    assert fees().rates("ann", "AAPL") == FeeRates(0, 4, 0)
