"""A simulated market: deterministic, fair in time, and safe from its bots."""

import os
import subprocess
import sys
from collections.abc import Iterable, Iterator
from decimal import Decimal
from functools import partial
from pathlib import Path

import pytest

from tests.unit.venue_simulation.market_bots import (
    Diary,
    Maker,
    Silent,
    Taker,
    maker,
    plan,
    security,
    taker,
)
from trading_bots.commands import Amend, Cancel, CancelAll, Intent, Place, WakeUp
from trading_bots.records import Balance, Book, Fill, OrderReport, PublicTrade, SettlementReport
from trading_bots.strategy import Strategy, View
from venue_simulation.call_limit import CallLimit
from venue_simulation.forgetting import Forgetting
from venue_simulation.market_plan import (
    START_US,
    BotLimits,
    BotSpec,
    Latency,
    MarketPlan,
    PhaseSpec,
)
from venue_simulation.market_run import run_market
from venue_simulation.simulated_market import SimulatedMarket

ROOT = Path(__file__).parents[3]


def digest(seed: int) -> str:
    """Hash of the log and the curves of one market."""
    run = run_market(plan(seed=seed))
    return f"{run.log_hash} {run.curves}"


@pytest.mark.parametrize("hash_seed", ["0", "4711"])
def test_a_seed_gives_the_same_market_whatever_python_hashes(hash_seed: str) -> None:
    program = (
        "from tests.simulation.venue_simulation.test_simulated_market import digest;"
        "print(digest(5))"
    )
    variables = os.environ | {"PYTHONHASHSEED": hash_seed, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, env=variables, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == digest(5)
    assert digest(5) != digest(6)


@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_silent_bot_leaves_the_log_of_all_others_as_it_was(place: int) -> None:
    bots = [maker(), taker()]
    alone = run_market(plan(*bots))
    bots.insert(place, BotSpec(client_id="silent", strategy=Silent, latency=Latency(jitter_us=70)))
    beside = run_market(plan(*bots))
    assert beside.log_hash == alone.log_hash
    assert beside.curves["taker"] == alone.curves["taker"]
    assert alone.counts["trades"] > 50


def test_a_bot_that_raises_is_stopped_and_the_others_go_on() -> None:
    class Breaks(Maker):
        def on_fill(self, view: View, fill: Fill) -> Iterable[Intent]:
            raise KeyError("none of this")

    run = run_market(plan(maker("breaks"), maker(), taker()))
    broken = run_market(
        plan(
            BotSpec(
                client_id="breaks",
                strategy=Breaks,
                cash=Decimal(1_000_000),
                shares={"AAPL": 10_000},
            ),
            maker(),
            taker(),
        )
    )
    assert broken.bots["breaks"].stopped == "raised KeyError: 'none of this'"
    assert broken.bots["breaks"].numbers["fills"] < run.bots["breaks"].numbers["fills"]
    assert broken.bots["maker"].stopped is None and broken.bots["maker"].numbers["fills"] > 50


class Endless(Strategy):
    """Never comes back, and hides what is raised in it."""

    def on_start(self, view: View) -> Iterable[Intent]:
        while True:
            try:
                while True:
                    pass
            except Exception:
                continue


class Insatiable(Strategy):
    """Never stops asking."""

    def on_start(self, view: View) -> Iterator[Intent]:
        while True:
            yield WakeUp(1.0)


class Quits(Strategy):
    """Ends its program, as it thinks."""

    def on_start(self, view: View) -> Iterable[Intent]:
        raise SystemExit(3)


@pytest.mark.parametrize(
    ("strategy", "reason"),
    [
        (Endless, "took more than 10 s of processor time for one event"),
        (Insatiable, "raised ValueError: asked for more than 10,000 things at one event"),
        (Quits, "raised SystemExit: 3"),
    ],
)
def test_a_strategy_that_holds_or_ends_the_program_is_stopped_and_the_others_go_on(
    strategy: type[Strategy], reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    quick = partial(CallLimit, 0.2, 0.05)
    monkeypatch.setattr("venue_simulation.simulated_market.CallLimit", quick)
    rival = BotSpec(client_id="rival", strategy=strategy)
    run = run_market(plan(rival, maker(), taker()))
    assert run.bots["rival"].stopped == reason
    assert run.bots["maker"].stopped is None and run.bots["maker"].numbers["fills"] > 50
    assert run.log_hash == run_market(plan(rival, maker(), taker())).log_hash


def test_a_bot_that_is_woken_at_once_lets_time_pass() -> None:
    class Restless(Strategy):
        def on_start(self, view: View) -> Iterator[Intent]:
            yield WakeUp(0)

        def on_timer(self, view: View, name: str) -> Iterator[Intent]:
            yield WakeUp(0)

    market = SimulatedMarket(plan(BotSpec(client_id="restless", strategy=Restless), seconds=0.5))
    market.run()
    assert market.seats["restless"].stopped is None


def test_a_stopped_bot_has_no_order_left_and_none_arrives_late() -> None:
    class Once(Strategy):
        def on_start(self, view: View) -> Iterator[Intent]:
            yield Place("AAPL", "BUY", 1, Decimal(90))
            yield WakeUp(1.0, "late")

        def on_timer(self, view: View, name: str) -> Iterator[Intent]:
            yield Place("AAPL", "BUY", 2, Decimal(91))
            yield WakeUp(0.0001, "raise")
            if name == "raise":
                raise RuntimeError("done")

    market = SimulatedMarket(plan(BotSpec(client_id="once", strategy=Once), seconds=10))
    market.run_until(START_US + 900_000)
    assert len(market.venue.working) == 1
    market.run()
    assert market.seats["once"].stopped == "raised RuntimeError: done"
    assert not market.venue.working
    assert market.venue.clearing.tables.accounts["once"].held_e4 == 0


def diary_market(*intents: Intent, latency: Latency, other: BotSpec | None = None) -> Diary:
    """What a bot hears that sends these intents at the start."""
    diary = Diary(intents)
    spec = BotSpec(client_id="diary", strategy=lambda: diary, shares={"AAPL": 50}, latency=latency)
    run_market(plan(*([other] if other else []), spec, seconds=5))
    return diary


def reports_of(diary: Diary) -> list[tuple[int, OrderReport]]:
    """The reports that it was told, with their times."""
    told = diary.told("report")
    return [(time_us, report) for time_us, report in told if isinstance(report, OrderReport)]


def test_everything_takes_its_way() -> None:
    """An order takes 700 us to the venue, what came of it 300 us back."""
    diary = diary_market(
        Place("AAPL", "SELL", 5, Decimal(101)),
        latency=Latency(order_us=700, feed_us=300, compute_us=40),
    )
    ((time_us, report),) = diary.told("report")
    assert isinstance(report, OrderReport) and report.kind == "new"
    assert report.time_us == START_US + 740 and time_us == START_US + 1_040
    ((book_us, book),) = diary.told("book")
    assert isinstance(book, Book)
    assert book_us == time_us and [level.quantity for level in book.asks] == [5]


def test_a_trade_is_told_in_all_its_forms() -> None:
    other = BotSpec(
        client_id="other",
        strategy=lambda: Diary([Place("AAPL", "BUY", 5, Decimal(101))]),
        latency=Latency(order_us=10),
    )
    diary = diary_market(Place("AAPL", "SELL", 3, Decimal(101)), latency=Latency(), other=other)
    ((_, fill),) = diary.told("fill")
    assert isinstance(fill, Fill)
    assert (fill.side, fill.price, fill.quantity, fill.role) == ("SELL", Decimal(101), 3, "taker")
    ((_, trade),) = diary.told("trade")
    assert isinstance(trade, PublicTrade) and trade.aggressor == "SELL"
    reports = [report for _, report in diary.told("settlement")]
    assert isinstance(reports[-1], SettlementReport)
    assert (reports[-1].cash, reports[-1].shares) == (Decimal(303), -3)
    assert [report.kind for _, report in reports_of(diary)] == ["new", "trade"]
    assert isinstance(diary.heard[0][2], Balance) and diary.heard[0][2].balance == Decimal(10_000)


def test_what_the_door_refuses_is_told_with_its_reason() -> None:
    diary = diary_market(
        Place("AAPL", "SELL", 51, Decimal(101)),
        Place("AAPL", "BUY", 1, Decimal("100.001")),
        Amend(order_id=77, quantity=1),
        Cancel(order_id=78),
        latency=Latency(),
    )
    told = [(report.kind, report.reason) for _, report in reports_of(diary)]
    assert told == [
        ("rejected", "risk.insufficient_shares"),
        ("rejected", "price.off_tick"),
        ("amend_rejected", "order.unknown"),
        ("cancel_rejected", "order.unknown"),
    ]


def test_a_view_knows_own_orders_holds_and_holdings() -> None:
    seen: list[object] = []

    class Looks(Strategy):
        def on_start(self, view: View) -> Iterator[Intent]:
            yield Place("AAPL", "BUY", 10, Decimal(99))
            yield Place("AAPL", "SELL", 4, Decimal(110))
            yield WakeUp(1.0, "look")

        def on_timer(self, view: View, name: str) -> Iterator[Intent]:
            seen.append((view.cash.held, view.cash.available, view.holding("AAPL").available))
            seen.append([(order.side, order.leaves, order.price) for order in view.orders()])
            if name == "look":
                yield CancelAll("AAPL")
                seen.append([order.is_canceling for order in view.orders()])
                yield WakeUp(1.0, "again")

    run_market(plan(BotSpec(client_id="looks", strategy=Looks, shares={"AAPL": 9}), seconds=5))
    assert seen == [
        (Decimal(990), Decimal(9_010), 5),
        [("BUY", 10, Decimal(99)), ("SELL", 4, Decimal(110))],
        [False, False],
        (Decimal(0), Decimal(10_000), 9),
        [],
    ]


@pytest.mark.parametrize(
    ("limits", "said"),
    [
        (BotLimits(commands_per_second=3), "limit: 4 commands in a second, 3 allowed"),
        (BotLimits(open_orders=1), "limit: 2 open orders, 1 allowed"),
        (BotLimits(position=20), "limit: position"),
        (BotLimits(loss=Decimal("0.01")), "limit: loss of"),
    ],
)
def test_a_breach_of_a_limit_stops_the_bot(limits: BotLimits, said: str) -> None:
    bots = (maker(limits=limits), maker("other"), taker())
    if limits.loss is not None:
        bots = (maker(), maker("other"), taker(limits=limits))
    run = run_market(plan(*bots, seconds=300))
    stopped = run.bots["taker" if limits.loss is not None else "maker"].stopped
    assert stopped is not None and stopped.startswith(said)
    assert run.bots["other"].stopped is None


def test_gtd_orders_expire_although_no_command_comes() -> None:
    expires = "2026-01-05T14:30:02Z"
    diary = diary_market(
        Place("AAPL", "BUY", 1, Decimal(99), "GTD", expire_time=expires), latency=Latency()
    )
    told = [(report.kind, time_us) for time_us, report in reports_of(diary)]
    assert [kind for kind, _ in told] == ["new", "expired"]
    assert START_US + 2_000_000 <= told[1][1] <= START_US + 2_500_000


def test_phases_collect_and_uncross() -> None:
    trades: list[tuple[int, object]] = []

    class Counts(Diary):
        def on_trade(self, view: View, trade: PublicTrade) -> Iterable[Intent]:
            trades.append((view.now_us, trade.aggressor))
            return ()

    orders = [Place("AAPL", "BUY", 5, Decimal(101)), Place("AAPL", "BUY", 5, Decimal(102))]
    bots = (
        BotSpec(client_id="buyer", strategy=lambda: Counts(orders)),
        BotSpec(
            client_id="seller",
            strategy=lambda: Diary([Place("AAPL", "SELL", 7, Decimal(99))]),
            shares={"AAPL": 7},
        ),
    )
    market = MarketPlan(
        seed=1,
        securities=(security(),),
        bots=bots,
        seconds=20,
        phases=(
            PhaseSpec(at_s=0, phase="opening_auction"),
            PhaseSpec(at_s=10, phase="continuous"),
        ),
    )
    run_market(market)
    assert [aggressor for _, aggressor in trades] == [None, None]
    assert {time_us for time_us, _ in trades} == {START_US + 10_000_500}


def test_memory_stays_flat_and_forgetting_changes_nothing() -> None:
    market_plan = plan(seconds=300)
    kept = SimulatedMarket(market_plan)
    kept.run()
    flat = SimulatedMarket(market_plan, [Forgetting(ended=50)])
    flat.run()
    assert flat.venue.engine.state_hash() == kept.venue.engine.state_hash()
    many, few = kept.venue.clearing.tables, flat.venue.clearing.tables
    assert few.accounts == many.accounts and few.deposits == many.deposits
    assert len(many.log) > 1_000 > 150 > len(few.log)
    assert len(few.names) < 150 and len(few.amends) < 60
    assert len(few.journals) < 10 and len(few.reports) < 10 and len(few.trades) <= 2
    record = flat.venue.market_record.tables
    assert len(record.orders) < 150 and not (record.order_reports or record.trades)
    assert len(kept.venue.market_record.tables.orders) > 500


def test_a_plan_that_can_not_be_played_says_why() -> None:
    with pytest.raises(ValueError, match="does not list GOOG"):
        run_market(plan(maker(securities=("GOOG",))))
    with pytest.raises(ValueError, match="two bots are called maker"):
        run_market(plan(maker(), maker()))


def test_bots_that_swap_seats_and_dice_play_the_same_game() -> None:
    """Paired seeds: `seed_name` makes two seats exchangeable."""
    straight = run_market(plan(taker("a", seed_name="one"), taker("b", seed_name="two"), maker()))
    swapped = run_market(plan(taker("a", seed_name="two"), taker("b", seed_name="one"), maker()))
    assert straight.bots["a"].numbers["orders"] == swapped.bots["b"].numbers["orders"]


assert Taker.interval_s and Maker.interval_s
