"""Refused orders are forgotten by age and number; nothing else is, and recording goes on
meanwhile.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from market_data_feed.adapters import record_writer, refusal_retention
from market_data_feed.domain.inbox import Inbox
from market_data_feed.domain.orders import Fold
from market_data_feed.loops.retention import Retention
from service_runtime.clock import ManualClock
from service_runtime.database import Database
from tests.integration.market_data_feed.conftest import Clearing, RunningFeed, wait_until
from tests.integration.market_data_feed.test_recording import database_away
from venue_protocol.streams import OrderRejected, OrderReports

DAY_US = 86_400_000_000
NOW_US = 100 * DAY_US
CLOCK = ManualClock(NOW_US)


def fill(clearing: Clearing, run: str, rows: int, first_us: int) -> None:
    """So many refused orders, one a microsecond."""
    clearing.recorded(
        "INSERT INTO refused_orders SELECT %s, n, 'alice', 'c' || n, 'AAPL', 'BUY', 1, 'risk', "
        "'no', %s + n"
        " FROM generate_series(0, %s - 1) AS n",
        (run, first_us, rows),
    )


def kept(clearing: Clearing) -> list[tuple[str, int]]:
    """How many refused orders of each run are left."""
    return clearing.recorded(
        "SELECT gateway_run, count(*) FROM refused_orders GROUP BY 1 ORDER BY 1"
    )


@contextmanager
def market_database(clearing: Clearing, statement_timeout_ms: int = 30_000) -> Iterator[Database]:
    """`market_data` with the rights of the feed."""
    url = clearing.provisioned.market_url("market_data_feed")
    database = Database(url, "tests", statement_timeout_ms=statement_timeout_ms)
    yield database
    database.close()


def test_old_ones_go_in_batches_and_young_ones_stay(clearing: Clearing) -> None:
    fill(clearing, "old", 4_500, NOW_US - 8 * DAY_US)
    fill(clearing, "just_old", 1, NOW_US - 7 * DAY_US - 1)
    fill(clearing, "just_young", 1, NOW_US - 7 * DAY_US)
    with market_database(clearing) as database:
        retention = Retention(database, CLOCK, threading.Event(), days=7, most=0)
        assert retention.sweep() == 4_501
        assert kept(clearing) == [("just_young", 1)]
        assert retention.sweep() == 0


def test_many_of_the_same_moment_are_forgotten_too(clearing: Clearing) -> None:
    """Refusals of one message have one time: it may be more than a batch."""
    fill(clearing, "old", 4_500, 0)
    clearing.recorded("UPDATE refused_orders SET time_us = 5")
    with market_database(clearing) as database:
        assert Retention(database, CLOCK, threading.Event(), days=7, most=0).sweep() == 4_500


def test_without_limits_all_are_kept(clearing: Clearing) -> None:
    fill(clearing, "old", 10, 0)
    with market_database(clearing) as database:
        assert Retention(database, CLOCK, threading.Event(), days=0, most=0).sweep() == 0
    assert kept(clearing) == [("old", 10)]


def test_of_too_many_the_newest_are_kept(clearing: Clearing) -> None:
    fill(clearing, "first", 3_000, NOW_US)
    fill(clearing, "second", 1_000, NOW_US + DAY_US)
    with market_database(clearing) as database:
        wait_until(lambda: database.run(refusal_retention.about_how_many) == 4_000)
        assert Retention(database, CLOCK, threading.Event(), days=7, most=1_000).sweep() == 3_000
    assert kept(clearing) == [("second", 1_000)]


def test_what_was_too_old_is_not_counted_as_too_many_again(clearing: Clearing) -> None:
    fill(clearing, "old", 3_000, 0)
    fill(clearing, "young", 1_000, NOW_US)
    with market_database(clearing) as database:
        wait_until(lambda: database.run(refusal_retention.about_how_many) == 4_000)
        assert Retention(database, CLOCK, threading.Event(), days=7, most=1_000).sweep() == 3_000
    assert kept(clearing) == [("young", 1_000)]


def test_a_batch_under_way_does_not_hold_up_the_recording(clearing: Clearing) -> None:
    fill(clearing, "old", 100, 0)
    inbox = Inbox({})
    inbox.take_refusals(
        OrderReports(1, "new", 1, NOW_US, [OrderRejected("alice", "r", "m", "c", "AAPL", "BUY", 1)])
    )
    record = record_writer.compose(inbox.take_due(), Fold({}))
    with (
        market_database(clearing) as one,
        market_database(clearing, statement_timeout_ms=2_000) as other,
        one.transaction() as deleting,
    ):
        assert len(refusal_retention.delete_oldest(deleting, 0, NOW_US, 100)) == 100
        with other.transaction() as cursor:
            record_writer.write(cursor, record)
        assert kept(clearing) == [("new", 1), ("old", 100)]
    assert kept(clearing) == [("new", 1)]


def test_several_feeds_share_the_work(clearing: Clearing) -> None:
    fill(clearing, "old", 9_000, 0)
    fill(clearing, "young", 5, NOW_US)
    forgotten: list[int] = []
    with market_database(clearing) as database:

        def sweep() -> None:
            forgotten.append(Retention(database, CLOCK, threading.Event(), days=7, most=0).sweep())

        feeds = [threading.Thread(target=sweep) for _ in range(3)]
        for feed in feeds:
            feed.start()
        for feed in feeds:
            feed.join(30)
        Retention(database, CLOCK, threading.Event(), days=7, most=0).sweep()
    assert len(forgotten) == 3 and sum(forgotten) <= 9_000
    assert kept(clearing) == [("young", 5)]


def test_it_survives_a_database_that_is_away(
    clearing: Clearing, postgres_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    fill(clearing, "old", 10, 0)
    stopping = threading.Event()
    with market_database(clearing) as database:
        retention = Retention(database, CLOCK, stopping, days=7, most=0)
        thread = threading.Thread(target=retention.run, args=(0.02,))
        with database_away(clearing, postgres_url, "market_data"):
            thread.start()
            wait_until(lambda: "not forgotten" in caplog.text)
        wait_until(lambda: not kept(clearing))
        stopping.set()
        thread.join(10)
    assert not thread.is_alive()


def test_the_running_feed_forgets_and_goes_on_recording(feed: RunningFeed) -> None:
    feed.stop()
    fill(feed.clearing, "old", 2_500, 0)
    feed.start()
    [(now_us,)] = feed.clearing.recorded("SELECT (extract(epoch FROM now()) * 1000000)::bigint")
    feed.send(
        OrderReports(1, "new", 1, now_us, [OrderRejected("alice", "r", "m", "c", "AAPL", "BUY", 1)])
    )
    wait_until(lambda: kept(feed.clearing) == [("new", 1)])
