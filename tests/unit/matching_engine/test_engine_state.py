"""The engine as a function of the log: sequence, determinism, snapshots."""

import random

import msgspec
import pytest

from matching_engine.domain.engine import MatchingEngine, OutOfSequence
from matching_engine.domain.snapshot import SnapshotError
from tests.unit.matching_engine.desk import Desk, order
from venue_protocol import codec
from venue_protocol.commands import AmendOrder, CancelAllOrders, CancelOrder, Command, CommandBatch
from venue_protocol.events import Trade
from venue_protocol.identifiers import shard_and_number


def batch(
    first: int, *commands: Command, shard: int = 0, time_us: int | None = None
) -> CommandBatch:
    return CommandBatch(
        codec.SCHEMA, shard, first, time_us or first, list(commands) or [order("B 1@10 ann")]
    )


def random_log(seed: int, count: int) -> list[CommandBatch]:
    """Batches of 1 to 20 commands of every kind on two securities, some nonsense among them."""
    dice = random.Random(seed)
    log, first = [], 1
    while first <= count:
        commands: list[Command] = []
        for sequence in range(first, first + dice.randint(1, 20)):
            client, target = f"client{dice.randint(1, 4)}", max(1, sequence - dice.randint(0, 30))
            text = (
                f"{dice.choice('BS')} "
                f"{dice.randint(1, 20)}@{dice.choice(('', 'market '))}{dice.randint(95, 105)}"
            )
            tif = dice.choice(("", " GTC", " IOC", " FOK"))
            placed = order(f"{text}{tif} {client}", dice.choice(("AAPL", "MSFT")))
            amend = AmendOrder(
                client, target, dice.randint(1, 25), dice.randint(95, 105) * 10_000, 10**9
            )
            choices: list[Command] = [placed, placed, placed, CancelOrder(client, target), amend]
            commands.append(
                CancelAllOrders(client, None) if dice.random() < 0.01 else dice.choice(choices)
            )
        log.append(CommandBatch(codec.SCHEMA, 0, first, first * 10, commands))
        first += len(commands)
    return log


def test_batches_of_events_are_numbered_without_gap() -> None:
    engine = MatchingEngine()
    after = 0
    for commands in random_log(1, 2000):
        events = engine.apply(commands)
        assert (events.first, events.log_first, events.log_last) == (
            after + 1,
            commands.first,
            commands.last,
        )
        after = events.last
    assert (engine.event_position, engine.log_position) == (after, commands.last)


def test_trades_are_numbered_without_gap_and_carry_the_shard() -> None:
    engine = MatchingEngine(shard=3)
    orders = [order("B 1@10 ann"), order("S 1@10 bob")] * 5
    events = engine.apply(batch(1, *orders, shard=3)).events
    trades = [event.trade_id for event in events if type(event) is Trade]
    assert [shard_and_number(trade_id) for trade_id in trades] == [
        (3, number) for number in range(1, 6)
    ]


@pytest.mark.parametrize(
    "wrong",
    [
        batch(1),
        batch(3),
        batch(2, shard=1),
        batch(2, time_us=1),
        CommandBatch(codec.SCHEMA, 0, 2, 9, []),
    ],
    ids=["repeated", "gap", "other shard", "time stands still", "empty"],
)
def test_batch_that_is_not_the_next_raises_and_changes_nothing(wrong: CommandBatch) -> None:
    engine = MatchingEngine()
    engine.apply(batch(1))
    before = engine.state_hash()
    with pytest.raises(OutOfSequence):
        engine.apply(wrong)
    assert engine.state_hash() == before
    engine.apply(batch(2))


def test_same_log_gives_the_same_bytes_and_hash() -> None:
    log = random_log(2, 3000)
    runs = []
    for _ in range(2):
        engine = MatchingEngine()
        runs.append(
            ([codec.encode(engine.apply(commands)) for commands in log], engine.state_hash())
        )
    assert runs[0] == runs[1]


@pytest.mark.parametrize("cut", [0, 1, 17, 60, 120])
def test_log_goes_on_across_a_snapshot_with_the_same_bytes(cut: int) -> None:
    log = random_log(3, 3000)
    undisturbed, first_part = MatchingEngine(), MatchingEngine()
    expected = [codec.encode(undisturbed.apply(commands)) for commands in log]
    for commands in log[:cut]:
        first_part.apply(commands)
    restored = MatchingEngine.restore(first_part.snapshot())
    restored.check_invariants()
    assert restored.snapshot() == first_part.snapshot()
    assert [codec.encode(restored.apply(commands)) for commands in log[cut:]] == expected[cut:]
    assert restored.state_hash() == undisturbed.state_hash()


def test_ended_orders_are_remembered_across_a_snapshot() -> None:
    desk = Desk()
    desk.place("B 10@10 ann", "S 10@10 bob", "B 1@9 ann")
    desk.cancel(3)
    restored = MatchingEngine.restore(desk.engine.snapshot())
    events = restored.apply(
        CommandBatch(codec.SCHEMA, 0, 5, 2_000_000, [CancelOrder("ann", 1), CancelOrder("ann", 3)])
    ).events
    assert [event.reason for event in events] == ["order.already_filled", "order.already_canceled"]


def test_unreadable_snapshots_are_refused() -> None:
    snapshot = MatchingEngine().snapshot()
    newer = msgspec.json.encode(msgspec.json.decode(snapshot) | {"schema": 99})
    for body in (b"", b"{}", snapshot[:-1], newer, b"\xff"):
        with pytest.raises(SnapshotError):
            MatchingEngine.restore(body)


def test_result_does_not_depend_on_the_size_of_batches() -> None:
    commands = [command for commands in random_log(4, 2000) for command in commands.commands]
    one, many = MatchingEngine(), MatchingEngine()
    whole = one.apply(CommandBatch(codec.SCHEMA, 0, 1, 1, commands)).events
    pieces = [
        event
        for number, command in enumerate(commands, 1)
        for event in many.apply(CommandBatch(codec.SCHEMA, 0, number, number, [command])).events
    ]
    assert whole == pieces
