"""The roles of the default population, and who is in it."""

from decimal import Decimal
from typing import Any

import pytest

from tests.unit.trading_bots.fake_view import FakeView
from trading_bots.commands import Cancel, Intent, Place, WakeUp
from trading_bots.loading import load_strategy
from trading_bots.population.default_population import default_population
from trading_bots.population.makers import InventoryMaker
from trading_bots.population.means import buy_chance
from trading_bots.population.parameters import SECURITIES, TakerParameters
from trading_bots.population.providers import LiquidityProvider
from trading_bots.population.takers import (
    ContrarianTaker,
    FundamentalTrader,
    MomentumTaker,
    ParentTrader,
    Taker,
)
from trading_bots.records import Level, Price, WorkingOrder

ORIGIN = 1_000_000
RICH = {"AAPL": 5_000}


def _view(**given: Any) -> FakeView:
    usual: dict[str, Any] = {"shares": RICH, "own_cash": Decimal(1_000_000)}
    return FakeView(**usual | given)


def _price(bid: str, ask: str) -> Price:
    return Price(security="AAPL", bid=Decimal(bid), ask=Decimal(ask))


def _places(intents: list[Intent]) -> list[Place]:
    return [intent for intent in intents if isinstance(intent, Place)]


def _first_orders(taker: Taker, view: FakeView, times: int = 1) -> list[Place]:
    return _places([each for _ in range(times) for each in taker.on_timer(view, "first")])


@pytest.mark.parametrize(
    ("cash", "shares", "chance"), [(100, 0, 1.0), (0, 5, 0.0), (1_000, 10, 1 / 3), (0, 0, 0.5)]
)
def test_who_has_little_of_one_rather_gets_it(cash: int, shares: int, chance: float) -> None:
    view = _view(own_cash=Decimal(cash), shares={"AAPL": shares})
    assert buy_chance(view, "AAPL", Decimal(200)) == pytest.approx(chance)


def test_a_provider_begins_with_a_book_on_both_sides_that_never_crosses() -> None:
    intents = list(LiquidityProvider(share=0.5).on_start(_view()))
    orders = _places(intents)
    assert 140 < len(orders) <= 155  # a few are smaller than a lot
    assert all(order.post_only for order in orders)
    assert max(Decimal(order.price or 0) for order in orders if order.side == "BUY") < 202
    assert min(Decimal(order.price or 0) for order in orders if order.side == "SELL") > 200
    assert isinstance(intents[-1], WakeUp)


def test_a_provider_without_shares_bids_only() -> None:
    view = _view(shares={"AAPL": 0})
    orders = _places(list(LiquidityProvider(share=0.5).on_start(view)))
    assert orders and {order.side for order in orders} == {"BUY"}


def test_a_provider_cancels_sooner_what_stands_at_the_best_price() -> None:
    def cancels(price: str) -> int:
        order = WorkingOrder(
            client_order_id="o-1",
            security="AAPL",
            side="BUY",
            quantity=100,
            leaves=100,
            price=Decimal(price),
        )
        view, provider = _view(working=(order,)), LiquidityProvider(share=0.001)
        list(provider.on_start(view))
        woken = [each for _ in range(3_000) for each in provider.on_timer(view, "")]
        return sum(isinstance(each, Cancel) for each in woken)

    assert cancels("200") / cancels("190") == pytest.approx(3.6, rel=0.15)


def test_a_taker_takes_at_most_what_stands_at_the_best_price() -> None:
    orders = _first_orders(Taker(), _view(), 200)
    assert {order.time_in_force for order in orders} == {"IOC"}
    assert {order.price for order in orders} == {Decimal(200), Decimal(202)}
    assert max(order.quantity for order in orders) == 100


def test_an_uncapped_taker_eats_into_the_book() -> None:
    orders = _first_orders(Taker(parameters=TakerParameters(is_capped=False)), _view(), 200)
    assert max(order.quantity for order in orders) > 100


def test_an_order_brings_about_as_many_as_the_branching_says() -> None:
    view, taker = _view(), Taker()
    woken = [each for _ in range(4_000) for each in taker.on_timer(view, "BUY")]
    sides = [each.name for each in woken if isinstance(each, WakeUp)]
    given = TakerParameters()
    assert len(sides) / 4_000 == pytest.approx(given.branching, abs=0.05)
    assert sides.count("BUY") / len(sides) == pytest.approx(given.same_side, abs=0.02)
    assert {order.side for order in _places(woken)} == {"BUY"}


def test_a_parent_keeps_its_side_until_all_its_children_are_sent() -> None:
    orders = _first_orders(ParentTrader(), _view(), 500)
    sides: dict[str, set[str]] = {}
    for order in orders:
        parent = str(order.client_order_id).rpartition("-")[0]
        sides.setdefault(parent, set()).add(order.side)
    assert len(sides) > 20
    assert all(len(each) == 1 for each in sides.values())
    assert len({order.client_order_id for order in orders}) == len(orders)


@pytest.mark.parametrize(
    ("bid", "ask", "side"),
    [("190", "190.10", "BUY"), ("210", "210.10", "SELL"), ("199.90", "200.10", None)],
)
def test_a_fundamental_trader_trades_towards_the_value_where_the_gap_pays(
    bid: str, ask: str, side: str | None
) -> None:
    view = _view(price_of_all=_price(bid, ask), now_us=ORIGIN)
    orders = _first_orders(FundamentalTrader(origin_us=ORIGIN), view)
    assert [order.side for order in orders] == ([side] if side else [])


@pytest.mark.parametrize(("maker", "side"), [(MomentumTaker, "BUY"), (ContrarianTaker, "SELL")])
def test_trend_traders_follow_or_fade_a_rise(maker: type[Taker], side: str) -> None:
    taker = maker()
    assert not _first_orders(taker, _view(price_of_all=_price("200", "202")))
    orders = _first_orders(taker, _view(price_of_all=_price("201", "203")))
    assert [order.side for order in orders] == [side]


def test_a_maker_with_more_shares_quotes_lower_on_both_sides() -> None:
    maker, view = InventoryMaker(), _view()
    even = maker.quotes(view, "AAPL")
    full = maker.quotes(_view(shares={"AAPL": 7_500}), "AAPL")
    assert even[0] < Decimal(201) < even[1]
    assert full[0] < even[0] and full[1] < even[1]


def test_a_maker_keeps_a_quote_that_stands_where_it_should() -> None:
    maker, view = InventoryMaker(), _view()
    bid, ask = maker.quotes(view, "AAPL")

    def quote(side: str, price: Decimal) -> WorkingOrder:
        return WorkingOrder(
            client_order_id=side,
            security="AAPL",
            side=side,
            quantity=100,
            leaves=100,
            price=price,
        )

    standing = _view(working=(quote("BUY", bid), quote("SELL", ask)))
    assert list(maker.on_timer(standing, "")) == []
    moved = _view(working=(quote("BUY", bid - 1), quote("SELL", ask)))
    intents = list(maker.on_timer(moved, ""))
    assert [type(intent) for intent in intents] == [Cancel, Place]


def test_nobody_trades_without_a_book_to_trade_with() -> None:
    view = _view(price_of_all=Price(security="AAPL"))
    takers = (Taker(), ParentTrader(), FundamentalTrader(), MomentumTaker())
    assert not [order for taker in takers for order in _first_orders(taker, view, 20)]


def test_the_default_population_can_be_loaded_and_has_accounts_of_its_own() -> None:
    bots = default_population(3, origin_us=ORIGIN, prefix="demo1.")
    assert len(bots) == 20 * len(SECURITIES)
    assert len({bot.client_id for bot in bots}) == len(bots)
    for bot in bots:
        assert bot.client_id.startswith("demo1.")
        assert bot.cash > 0 and bot.shares > 0
        load_strategy(bot.strategy, bot.parameters)


def test_the_parts_of_each_flow_add_up() -> None:
    parts: dict[str, float] = {}
    for bot in default_population(3, SECURITIES[:1], origin_us=ORIGIN):
        kind = "providers" if "Provider" in bot.strategy else "takers"
        parts[kind] = parts.get(kind, 0.0) + bot.parameters.get("share", 0.0)
    assert parts == pytest.approx({"providers": 1.0, "takers": 1.0})


def test_the_securities_have_prices_and_volatilities_of_their_own() -> None:
    assert len(SECURITIES) >= 5
    assert len({each.reference_price for each in SECURITIES}) == len(SECURITIES)
    assert all(each.reference_price % each.tick == 0 for each in SECURITIES)


def test_a_rate_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="not above 0"):
        default_population(3, rate=0.0, origin_us=ORIGIN)


def test_depth_behind_the_best_level_does_not_count() -> None:
    view = _view()
    deep = view.book("AAPL")
    deep.asks.append(Level(price=Decimal("202.05"), quantity=10_000))
    view.books = {"AAPL": deep}
    buys = [order for order in _first_orders(Taker(), view, 200) if order.side == "BUY"]
    assert max(order.quantity for order in buys) == 100
