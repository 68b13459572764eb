"""What the feed may rely on in its record, whichever body it has."""

from collections.abc import Iterator, Sequence
from threading import Event

import msgspec
import pytest

from market_data_feed.domain.inbox import DueRecord, Inbox, PositionAdvance
from market_data_feed.domain.orders import BrokenStream, Fold
from market_data_feed.domain.working_order import WorkingOrder
from market_data_feed.ports import MarketRecord
from migrations.provision import Provisioned
from service_runtime.database import CommitUnknown, DatabaseUnavailable
from tests.contract.market_records import Body, memory_body, postgres_body
from tests.unit.market_data_feed.random_tape import RandomMarket
from tests.unit.market_data_feed.tape import START_US, Tape
from venue_protocol.events import CancelRejected, EventBatch, OrderAccepted, PhaseChanged
from venue_protocol.orders import OrderTerms
from venue_protocol.settlement import GENESIS_HASH, SettlementBatch, SettlementReport
from venue_protocol.streams import OrderRejected, OrderReports
from venue_storage.memory_clearing_data import Moment


@pytest.fixture(params=["memory", "postgres"])
def body(request: pytest.FixtureRequest) -> Iterator[Body]:
    made = (
        memory_body()
        if request.param == "memory"
        else postgres_body(request.getfixturevalue("provisioned"))
    )
    yield made
    made.close()


class Writer:
    """Writes batches as the recorder does, on top of what it has written before."""

    def __init__(self, record: MarketRecord) -> None:
        self.record = record
        self.working: dict[int, WorkingOrder] = {}
        self._inbox = Inbox({})

    def write(self, *batches: EventBatch) -> tuple[DueRecord, Fold]:
        """One transaction with these events; what was written."""
        for batch in batches:
            self._inbox.take_events(batch)
        due, fold = self._inbox.take_due(), Fold(self.working)
        for batch, first_new in due.events:
            fold.apply(batch, first_new)
        self.record.write(due, fold, Event())
        return due, fold


def settlements(*sequences: int) -> SettlementBatch:
    """Deposits of one cent."""
    reports = [
        SettlementReport(n, "alice", n, "deposit", n, 100, 0, 100 * n, START_US + n, GENESIS_HASH)
        for n in sequences
    ]
    return SettlementBatch(1, sequences[0], reports)


def due_of(
    *, settled: SettlementBatch | None = None, refused: Sequence[OrderReports] = ()
) -> DueRecord:
    """What is due of settlements and refusals, on an empty record."""
    inbox = Inbox({})
    if settled is not None:
        inbox.take_settlements(settled)
    for batch in refused:
        inbox.take_refusals(batch)
    return inbox.take_due()


def test_both_bodies_hold_the_same_rows(provisioned: Provisioned) -> None:
    """A random market in several transactions, and what a market seldom has."""
    bodies = [memory_body(), postgres_body(provisioned)]
    tape = RandomMarket(seed=11).play(200)
    terms = OrderTerms(expires_us=START_US * 2, display_quantity=3)
    rare = EventBatch(
        1,
        0,
        tape.batches[-1].last + 1,
        9_000,
        9_000,
        START_US,
        [
            OrderAccepted(5001, "bob", "MSFT", "BUY", "limit", "GTD", 9, 50_000, "a\tb\\", terms),
            OrderAccepted(5002, "bob", "MSFT", "BUY", "limit", "GTC", 9, 50_000),
            PhaseChanged(None, "halted", "news", START_US * 3),
            CancelRejected(5002, "bob", "order.filled"),
        ],
    )
    for made in bodies:
        writer = Writer(made.record)
        for start in range(0, 200, 30):
            writer.write(*tape.batches[start : start + 30])
        writer.write(rare)
        made.record.write(due_of(settled=settlements(1, 2, 3)), Fold({}), Event())
    in_memory, on_postgres = (made.rows() for made in bodies)
    assert in_memory == on_postgres
    assert all(in_memory[table] for table in ("orders", "reports", "trades", "settlements"))
    loaded = [made.record.load(Event()) for made in bodies]
    for recorded in loaded:
        recorded.last_trades.sort(key=lambda trade: trade.security_id)
    assert loaded[0] == loaded[1]
    assert loaded[0].working[5001].terms == terms and loaded[0].session
    for made in bodies:
        made.close()


def test_an_empty_record_loads_as_nothing(body: Body) -> None:
    recorded = body.record.load(Event())
    assert (recorded.positions, recorded.working, recorded.last_trades, recorded.session) == (
        {},
        {},
        [],
        [],
    )


def test_what_is_loaded_is_what_the_writer_left(body: Body) -> None:
    writer = Writer(body.record)
    tape = RandomMarket(seed=12).play(120)
    for batch in tape.batches:
        writer.write(batch)
    recorded = body.record.load(Event())
    assert recorded.working == writer.working and len(recorded.working) > 5
    assert recorded.positions == {"events.0": tape.batches[-1].last}
    newest = {trade.security_id: trade for trade in body.rows()["trades"]}
    assert {trade.security_id: trade for trade in recorded.last_trades} == newest


def test_loaded_orders_may_change_without_the_record(body: Body) -> None:
    Writer(body.record).write(Tape().batch("new 1 alice BUY 5@1.00"))
    body.record.load(Event()).working[1].leaves = 0
    assert body.record.load(Event()).working[1].leaves == 5


def test_written_rows_do_not_follow_the_orders_of_the_writer(body: Body) -> None:
    tape, writer = Tape(), Writer(body.record)
    writer.write(tape.batch("new 1 alice BUY 5@1.00"))
    before = body.rows()
    fold = Fold(writer.working)
    fold.apply(tape.batch("amend 1 3@1.01"), 2)
    assert body.rows() == before


def test_the_same_write_again_changes_nothing(body: Body) -> None:
    due, fold = Writer(body.record).write(*RandomMarket(seed=13).play(40).batches)
    before = body.rows()
    body.record.write(due, fold, Event())
    assert body.rows() == before


@pytest.mark.parametrize("moment", ["begin", "commit", "committed"])
def test_a_write_that_was_in_doubt_is_written_once(body: Body, moment: Moment) -> None:
    undisturbed = memory_body()
    for made in (body, undisturbed):
        writer, tape = Writer(made.record), RandomMarket(seed=14).play(60)
        writer.write(*tape.batches[:30])
        if made is body:
            made.fail_once(CommitUnknown("lost"), moment)
        writer.write(*tape.batches[30:])
    assert body.rows() == undisturbed.rows()


@pytest.mark.parametrize("moment", ["begin", "commit"])
def test_a_stopping_feed_gives_up_and_leaves_nothing(body: Body, moment: Moment) -> None:
    stopping, inbox, fold = Event(), Inbox({}), Fold({})
    stopping.set()
    batch = Tape().batch("new 1 alice BUY 5@1.00")
    inbox.take_events(batch)
    fold.apply(batch, 1)
    body.fail_once(DatabaseUnavailable("away"), moment)
    with pytest.raises(DatabaseUnavailable):
        body.record.write(inbox.take_due(), fold, stopping)
    assert not any(body.rows().values())
    assert body.record.load(Event()).positions == {}


@pytest.mark.parametrize("before", [0, 5])
def test_a_position_that_another_feed_moved_stops_the_write(body: Body, before: int) -> None:
    Writer(body.record).write(Tape().batch("new 1 alice BUY 5@1.00"))
    stored = body.rows()
    due = due_of(settled=settlements(1))
    due.advances = [PositionAdvance("events.0", before, 9)]
    with pytest.raises(BrokenStream, match=r"events\.0 is at 1, not .*another feed"):
        body.record.write(due, Fold({}), Event())
    assert body.rows() == stored
    assert body.record.load(Event()).positions == {"events.0": 1}


def test_a_write_of_which_another_feed_wrote_a_part_is_refused(body: Body) -> None:
    Writer(body.record).write(Tape().batch("new 1 alice BUY 5@1.00"))
    due = due_of(settled=settlements(1))
    due.advances.append(PositionAdvance("events.0", 0, 1))
    with pytest.raises(BrokenStream, match="written already"):
        body.record.write(due, Fold({}), Event())
    assert body.rows()["settlements"] == []


def test_a_row_is_never_written_twice(body: Body) -> None:
    """The last guard, should a position ever be wrong: of each table that only grows."""
    tape = Tape()
    batch = tape.batch("new 1 alice BUY 5@1.00", "new 2 bob SELL 5@1.00", "trade 1 2 5@1.00 SELL")
    _, fold = Writer(body.record).write(batch)
    body.record.write(due_of(settled=settlements(1)), Fold({}), Event())
    stored = body.rows()
    settled = due_of(settled=settlements(1))
    settled.advances = [PositionAdvance("settlements", 1, 2)]
    whole, reports, trades = Fold({}), Fold({}), Fold({})
    whole.accepted, whole.touched = fold.accepted, fold.touched
    reports.effects = [msgspec.structs.replace(fold.effects[0], trades=[])]
    trades.effects = [msgspec.structs.replace(fold.effects[0], reports=[])]
    again = DueRecord(advances=[PositionAdvance("events.0", 3, 4)])
    for due, rows in ((settled, Fold({})), (again, whole), (again, reports), (again, trades)):
        with pytest.raises(body.refused):
            body.record.write(due, rows, Event())
    assert body.rows() == stored
    assert body.record.load(Event()).positions == {"events.0": 3, "settlements": 1}


def test_an_order_with_a_newer_record_stops_the_write(body: Body) -> None:
    tape, writer = Tape(), Writer(body.record)
    writer.write(tape.batch("new 1 alice BUY 5@1.00"))
    old = msgspec.structs.replace(writer.working[1])
    writer.write(tape.batch("amend 1 3@1.01"))
    stored = body.rows()
    fold = Fold({})
    fold.touched[1] = old
    with pytest.raises(BrokenStream, match="1 of 1 orders have a newer record"):
        body.record.write(DueRecord(advances=[PositionAdvance("events.0", 2, 3)]), fold, Event())
    assert body.rows() == stored


def test_the_newest_event_of_a_kind_stands_for_the_session(body: Body) -> None:
    writer = Writer(body.record)
    for first, phase in ((1, "halted"), (2, "continuous")):
        events = [PhaseChanged("AAPL", phase)]  # type: ignore[arg-type]
        writer.write(EventBatch(1, 0, first, first, first, START_US + first, list(events)))
    (row,) = body.record.load(Event()).session
    assert isinstance(row.event, PhaseChanged)
    assert (row.event.phase, row.time_us, row.event_sequence) == ("continuous", START_US + 2, 2)


def test_refusals_come_twice_and_are_recorded_once_and_cut(body: Body) -> None:
    strange = "tab\there \\ and \0, \N{SNOWMAN}" + "x" * 1000
    first = OrderRejected("alice", "quantity.too_large", strange, "c1", "AAPL", "BUY", 2**70)
    other = OrderRejected("bob", "security.unknown", "no", None, strange)
    batch = OrderReports(1, "run", 1, START_US, [first, other])
    later = msgspec.structs.replace(batch, time_us=START_US + 1)
    for refused in ((batch, later), (later,)):
        body.record.write(due_of(refused=refused), Fold({}), Event())
    one, two = body.rows()["refused"]
    assert one.message == strange[:256].replace("\0", "\N{REPLACEMENT CHARACTER}")
    assert (one.time_us, two.time_us) == (START_US, START_US)
    assert (one.number, one.quantity, two.number, len(two.security_id)) == (1, None, 2, 256)
