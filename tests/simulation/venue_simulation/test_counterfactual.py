"""What a bot earned because it was there."""

from decimal import Decimal
from pathlib import Path

import pytest

from tests.unit.venue_simulation.market_bots import maker, plan, taker
from venue_simulation.counterfactual import counterfactual, lines, plan_of_json
from venue_simulation.market_archive import MarketArchive
from venue_simulation.market_plan import BotLimits, BotSpec, Latency, MarketPlan, plan_json
from venue_simulation.market_run import run_market
from venue_simulation.recorded_commands import RecordedCommands, commands_of
from venue_simulation.simulated_market import SimulatedMarket

BOTS = "tests.unit.venue_simulation.market_bots"


def named_plan(seconds: float = 200) -> MarketPlan:
    """A plan whose strategies can be loaded again by name."""
    shares, cash = {"AAPL": 10_000}, Decimal(1_000_000)
    return plan(
        BotSpec(client_id="maker", strategy=f"{BOTS}:Maker", cash=cash, shares=shares),
        BotSpec(client_id="other", strategy=f"{BOTS}:Maker", cash=cash, shares=shares),
        BotSpec(client_id="taker", strategy=f"{BOTS}:Taker", cash=cash, shares=shares),
        seconds=seconds,
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    archive = tmp_path_factory.mktemp("counterfactual")
    run_market(named_plan(), archive=archive)
    return archive


def test_where_strategies_are_known_the_others_react(folder: Path) -> None:
    answer = counterfactual(folder, "maker", seeds=3)
    assert answer.reacts and [pair.name for pair in answer.pairs] == ["1", "2", "3"]
    assert [pair.changed_e4 for pair in answer.pairs] == [0, 0, 0]
    assert answer.low_e4 <= answer.mean_e4 <= answer.high_e4
    assert any("earned because of itself" in line for line in lines(answer))


def test_a_bot_that_is_replaced_by_itself_makes_no_difference(folder: Path) -> None:
    answer = counterfactual(folder, "maker", f"{BOTS}:Maker", seeds=2)
    assert [pair.difference_e4 for pair in answer.pairs] == [0, 0] and answer.others_e4 == 0


def test_recorded_flow_played_again_trades_the_same(folder: Path) -> None:
    """Everybody sends what was recorded: the same trades at the same prices."""
    from venue_simulation.counterfactual import _recorded_plan

    again = run_market(_recorded_plan(MarketArchive(folder)))
    first = run_market(named_plan())
    for name in ("maker", "other", "taker"):
        assert again.bots[name].end_e4 == first.bots[name].end_e4
    assert again.counts["trades"] == first.counts["trades"] > 50


def test_where_others_send_what_was_recorded_pairs_are_blocks_of_time(folder: Path) -> None:
    answer = counterfactual(folder, "taker", is_recorded=True)
    assert not answer.reacts and len(answer.pairs) == 30
    assert all(pair.changed_e4 == 0 for pair in answer.pairs)
    # A taker pays the spread, and the makers earn it.
    assert answer.mean_e4 < 0 < answer.others_e4


def test_recorded_commands_name_orders_that_had_no_name(tmp_path: Path) -> None:
    run_market(plan(maker(), taker(), seconds=30), archive=tmp_path)
    commands = commands_of(MarketArchive(tmp_path))
    assert set(commands) == {"maker", "taker"}
    times = [time_us for time_us, _ in commands["maker"]]
    assert times == sorted(times)
    spec = BotSpec(
        client_id="alone",
        strategy=lambda: RecordedCommands(commands["taker"]),
        cash=Decimal(1_000_000),
        shares={"AAPL": 10_000},
    )
    market = SimulatedMarket(plan(spec))
    market.run()
    assert market.venue.engine.log_position == len(commands["taker"])


def test_an_unknown_bot_is_told(folder: Path) -> None:
    with pytest.raises(ValueError, match="no bot nobody in this archive"):
        counterfactual(folder, "nobody")


def test_a_plan_survives_its_manifest() -> None:
    first = named_plan()
    changed = BotSpec(
        client_id="x",
        strategy="market_maker",
        parameters={"most_lots": 3},
        latency=Latency(jitter_us=7, jitter="uniform"),
        limits=BotLimits(loss=Decimal("12.50"), open_orders=4),
        seed_name="y",
    )
    planned = MarketPlan(
        seed=3, securities=first.securities, bots=(*first.bots, changed), seconds=12.5
    )
    assert plan_of_json(plan_json(planned)) == planned
