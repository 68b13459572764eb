"""What each strategy promises, over many seeded decisions."""

import itertools
from decimal import Decimal
from random import Random
from statistics import mean, pstdev

import pytest

from tests.unit.trading_bots.fake_view import RULES, SPREAD, FakeView, working
from trading_bots.commands import Cancel, Intent, Place
from trading_bots.records import Price, SecurityRules
from trading_bots.strategies import STRATEGIES
from trading_bots.strategies.flood import Flood
from trading_bots.strategies.market_maker import MarketMaker
from trading_bots.strategy import on_tick

EMPTY = Price(security="AAPL")
EXAMPLES = ["random_walk", "gaussian", "uniform", "retail", "market_maker", "flood"]


def decisions(name: str, count: int, price: Price = SPREAD, seed: int = 7) -> list[list[Intent]]:
    strategy, view = STRATEGIES[name](), FakeView(price_of_all=price, random=Random(seed))
    return [list(strategy.on_timer(view, "")) for _ in range(count)]


def orders(batches: list[list[Intent]]) -> list[Place]:
    return [command for batch in batches for command in batch if isinstance(command, Place)]


def prices(placed: list[Place]) -> list[Decimal]:
    return [Decimal(str(order.price)) for order in placed if order.price is not None]


@pytest.mark.parametrize("name", EXAMPLES)
@pytest.mark.parametrize("price", [SPREAD, EMPTY], ids=["spread", "empty_book"])
def test_every_order_obeys_tick_lot_and_band(name: str, price: Price) -> None:
    placed = orders(decisions(name, 400, price))
    assert placed
    assert all(order.quantity > 0 and order.quantity % RULES.lot == 0 for order in placed)
    assert all(at % RULES.tick == 0 and Decimal(100) <= at <= Decimal(300) for at in prices(placed))


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_same_seed_gives_the_same_orders_and_another_seed_others(name: str) -> None:
    assert decisions(name, 20, seed=1) == decisions(name, 20, seed=1)
    assert decisions(name, 20, seed=1) != decisions(name, 20, seed=2)


@pytest.mark.parametrize("name", ["random_walk", "gaussian", "uniform", "retail", "flood"])
def test_sides_are_even(name: str) -> None:
    placed = orders(decisions(name, 1000))
    buys = sum(order.side == "BUY" for order in placed)
    assert 0.45 < buys / len(placed) < 0.55


def test_the_random_walk_steps_by_at_most_one_percent_and_trades_1_to_10_lots() -> None:
    placed = orders(decisions("random_walk", 1000))
    path = [RULES.reference_price, *prices(placed)]
    steps = [abs(after - before) for before, after in itertools.pairwise(path)]
    assert max(steps) <= Decimal("2.05") and max(steps) > Decimal("1.8")
    assert {order.quantity for order in placed} == {10 * n for n in range(1, 11)}


def test_gaussian_prices_are_normal_around_the_reference_with_a_tenth_of_it_as_deviation() -> None:
    placed = orders(decisions("gaussian", 5000))
    sample = [float(at) for at in prices(placed)]
    assert abs(mean(sample) - 200) < 1.5 and abs(pstdev(sample) - 20) < 1
    assert {order.quantity for order in placed} == {40}


def test_uniform_prices_fill_two_percent_around_the_fair_price_evenly() -> None:
    sample = [float(at) for at in prices(orders(decisions("uniform", 5000)))]
    assert 196.9 < min(sample) < 197.2 and 204.8 < max(sample) < 205.1
    assert abs(sum(at < 201 for at in sample) / len(sample) - 0.5) < 0.03


def test_retail_sends_market_orders_of_four_lots() -> None:
    assert {(order.price, order.quantity) for order in orders(decisions("retail", 50))} == {
        (None, 40)
    }


@pytest.mark.parametrize("name", ["random_walk", "gaussian", "uniform"])
def test_the_oldest_orders_leave_when_too_many_work(name: str) -> None:
    view = FakeView(working=tuple(working(n) for n in range(9)))
    batch = STRATEGIES[name]().on_timer(view, "")
    assert [c.client_order_id for c in batch if isinstance(c, Cancel)] == ["w0", "w1", "w2"]


def test_the_market_maker_quotes_both_sides_inside_the_spread() -> None:
    for batch in decisions("market_maker", 300):
        bid, ask = (Decimal(str(quote.price)) for quote in batch if isinstance(quote, Place))
        assert Decimal("200") <= bid < ask <= Decimal("202")


def test_the_market_maker_quotes_around_the_reference_when_nobody_else_is_there() -> None:
    for batch in decisions("market_maker", 100, EMPTY):
        bid, ask = (Decimal(str(quote.price)) for quote in batch if isinstance(quote, Place))
        assert Decimal("199.40") <= bid < ask <= Decimal("200.60")


def test_the_market_maker_does_not_quote_a_tight_spread_tighter() -> None:
    tight = Price(
        security="AAPL", last=Decimal("200"), bid=Decimal("199.95"), ask=Decimal("200.05")
    )
    for batch in decisions("market_maker", 100, tight):
        bid, ask = (Decimal(str(quote.price)) for quote in batch if isinstance(quote, Place))
        assert (bid, ask) == (Decimal("199.90"), Decimal("200.10"))


def test_the_market_maker_cancels_its_oldest_quotes_first() -> None:
    view = FakeView(working=tuple(working(n) for n in range(20)))
    batch = list(MarketMaker(most_working=20).on_timer(view, ""))
    assert [c.client_order_id for c in batch if isinstance(c, Cancel)] == ["w0", "w1"]
    assert sum(isinstance(c, Place) for c in batch) == 2


def test_the_market_maker_never_crosses_an_own_quote() -> None:
    own = (working(1, "SELL", "200.50"), working(2, "BUY", "200.20"))
    for seed in range(200):
        batch = MarketMaker().on_timer(FakeView(working=own, random=Random(seed)), "")
        for quote in (c for c in batch if isinstance(c, Place)):
            price = Decimal(str(quote.price))
            assert price < Decimal("200.50") if quote.side == "BUY" else price > Decimal("200.20")


def test_flood_sends_a_full_batch_and_keeps_its_open_orders_bounded() -> None:
    flood, random, open_orders = Flood(batch=50, most_working=200), Random(3), []
    for step in range(40):
        view = FakeView(working=tuple(open_orders), random=random)
        batch = list(flood.on_timer(view, ""))
        assert len(batch) == 50
        canceled = {c.client_order_id for c in batch if isinstance(c, Cancel)}
        open_orders = [order for order in open_orders if order.client_order_id not in canceled]
        placed = [c for c in batch if isinstance(c, Place)]
        open_orders += [working(step * 100 + n) for n in range(len(placed))]
        assert len(open_orders) <= 200
    assert 0 < len(canceled) < 50


@pytest.mark.parametrize(
    ("wanted", "accepted"),
    [("200.03", "200.05"), ("-5", "100"), ("0.01", "100"), ("1e9", "300"), ("200.02", "200.00")],
)
def test_on_tick_gives_the_nearest_price_that_the_venue_accepts(wanted: str, accepted: str) -> None:
    assert on_tick(RULES, Decimal(wanted)) == Decimal(accepted)


def test_on_tick_without_a_band_is_at_least_one_tick() -> None:
    rules = SecurityRules(security="X", tick=Decimal("0.01"), reference_price=Decimal("1"))
    assert on_tick(rules, -3.0) == Decimal("0.01")
