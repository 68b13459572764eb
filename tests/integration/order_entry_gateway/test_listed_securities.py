"""The list of securities that the rules see: a plain mapping, read again only where it must be."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event, Thread

import pytest

from migrations.provision import Provisioned
from service_runtime.database import Cursor, Database
from tests.acceptance.api import eventually
from venue_storage.listed_securities import ListedSecurities


class CountingDatabase:
    """The database, and how often it was asked."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.transactions = 0

    @contextmanager
    def transaction(self) -> Iterator[Cursor]:
        self.transactions += 1
        with self._database.transaction() as cursor:
            yield cursor


@pytest.fixture
def database(provisioned: Provisioned) -> CountingDatabase:
    return CountingDatabase(Database(provisioned.clearing_url("order_entry_gateway"), "test"))


@pytest.fixture
def listed(database: CountingDatabase) -> ListedSecurities:
    found = ListedSecurities(database)  # type: ignore[arg-type]
    found.look_for()
    assert database.transactions == 1
    return found


def test_looking_a_name_up_never_asks_the_database(
    listed: ListedSecurities, database: CountingDatabase
) -> None:
    assert listed["AAPL"].security_id == "AAPL"
    assert listed.get("NOPE") is None and "NOPE" not in listed and len(list(listed)) == len(listed)
    listed.look_for(["AAPL"])
    assert database.transactions == 1


def test_a_thousand_unknown_securities_are_one_statement(
    listed: ListedSecurities, database: CountingDatabase
) -> None:
    listed.look_for(f"NOPE{number}" for number in range(1_000))
    assert database.transactions == 2


def test_what_can_be_no_name_is_not_looked_for(
    listed: ListedSecurities, database: CountingDatabase
) -> None:
    listed.look_for(["", "no name", "x" * 100])
    assert database.transactions == 1


def test_all_who_wait_for_a_name_share_a_statement(
    listed: ListedSecurities, database: CountingDatabase
) -> None:
    with ThreadPoolExecutor(16) as threads:
        list(threads.map(lambda _: listed.look_for(["NOPE"]), range(64)))
    assert database.transactions < 1 + 64


def test_a_security_that_was_listed_a_moment_ago_is_found(
    listed: ListedSecurities, provisioned: Provisioned
) -> None:
    owner = Database(provisioned.owner_clearing_url, "test")
    with owner.transaction() as cursor:
        cursor.execute(
            "INSERT INTO securities (security_id, name, shard, tick_e4, lot, band_bps,"
            " reference_price_e4, max_quantity) VALUES ('FRESH', '', 0, 100, 1, 1000, 1000000, 100)"
        )
    assert "FRESH" not in listed
    listed.look_for(["FRESH"])
    assert listed["FRESH"].band_bps == 1000


def test_the_whole_list_is_read_again_after_a_second(
    listed: ListedSecurities, database: CountingDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [security.security_id for security in listed.all()]
    assert names == sorted(listed) and "AAPL" in names and database.transactions == 1
    monkeypatch.setattr("venue_storage.listed_securities._REMEMBER_S", 0.0)
    assert [security.security_id for security in listed.all()] == names
    assert database.transactions == 2


def test_one_name_is_found_without_a_statement_and_no_name_is_not_asked_for(
    listed: ListedSecurities, database: CountingDatabase
) -> None:
    found = listed.find("AAPL")
    assert found is not None and found.security_id == "AAPL"
    assert listed.find("A\0") is None and database.transactions == 1
    assert listed.find("NOPE") is None and database.transactions == 2


def test_the_loop_learns_of_a_security_that_nobody_names(database: CountingDatabase) -> None:
    listed, stopping = ListedSecurities(database), Event()  # type: ignore[arg-type]
    loop = Thread(target=listed.follow, args=(stopping,))
    loop.start()
    try:
        eventually(lambda: len(listed), bool)
    finally:
        stopping.set()
        loop.join()
