"""Makers, takers and the executors of parent orders: what each sends in a given view."""

from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from random import Random
from statistics import mean

import pytest

from tests.unit.trading_bots.fake_view import FakeView, working
from trading_bots.commands import Amend, Cancel, Intent, Place, WakeUp
from trading_bots.loading import load_strategy
from trading_bots.population.surroundings import Surroundings
from trading_bots.quoting import Quote, move_quotes
from trading_bots.records import Fill, Price, PublicTrade
from trading_bots.sizing import within_means
from trading_bots.strategies.avellaneda_stoikov import AvellanedaStoikov
from trading_bots.strategies.informed import Informed
from trading_bots.strategies.pairs import Pairs
from trading_bots.strategies.parent_order import ParentOrder
from trading_bots.strategies.pov import Pov
from trading_bots.strategies.recorded_flow import RecordedFlow
from trading_bots.strategies.symmetric_maker import SymmetricMaker
from trading_bots.strategies.twap import Twap
from trading_bots.strategies.vwap import Vwap
from trading_bots.strategies.zero_intelligence import ZeroIntelligence
from trading_bots.strategy import Strategy

SHARES = {"AAPL": 1000, "MSFT": 1000}


def price(middle: str, security: str = "AAPL") -> Price:
    """A spread of 0.10 around the middle."""
    at = Decimal(middle)
    return Price(security=security, bid=at - Decimal("0.05"), ask=at + Decimal("0.05"))


def shown(intents: Sequence[Intent]) -> list[str]:
    """One word an intent: `B 10@99.95`, `B 10@99.95 IOC`, `amend 7@99.95`, `cancel w1`."""
    words = []
    for intent in intents:
        match intent:
            case Place():
                at = Decimal(str(intent.price)).normalize()
                word = f"{intent.side[0]} {intent.quantity}@{at:f}"
                words.append(f"{word} {intent.time_in_force}" if intent.time_in_force else word)
            case Amend():
                words.append(f"amend {intent.order_id}@{intent.price}")
            case Cancel():
                words.append(f"cancel {intent.client_order_id}")
            case _:
                words.append(type(intent).__name__)
    return words


def at_prices(strategy: Strategy, middles: Sequence[str], view: FakeView) -> list[list[str]]:
    """What it sends at each middle price, ten seconds apart."""
    answers = []
    for middle in middles:
        view.prices = {"AAPL": price(middle)}
        view.now_us += 10_000_000
        answers.append(shown(list(strategy.on_timer(view, ""))))
    return answers


@pytest.mark.parametrize(
    ("side", "wanted", "cash", "shares", "allowed"),
    [
        ("BUY", 100, "10000", 0, 50),
        ("BUY", 30, "10000", 0, 30),
        ("BUY", 35, "10000", 0, 30),
        ("BUY", 100, "1999", 0, 0),
        ("SELL", 100, "0", 45, 40),
        ("SELL", 100, "0", 0, 0),
    ],
)
def test_an_order_has_as_many_lots_as_the_means_pay(
    side: str, wanted: int, cash: str, shares: int, allowed: int
) -> None:
    view = FakeView(own_cash=Decimal(cash), shares={"AAPL": shares})
    assert within_means(view, "AAPL", side, Decimal(200), wanted) == allowed


def test_quotes_are_placed_then_amended_and_a_second_one_is_canceled() -> None:
    bid, ask = Quote(Decimal("199.90"), 10), Quote(Decimal("200.10"), 10)
    view = FakeView(shares=SHARES)
    assert shown(list(move_quotes(view, "AAPL", bid, ask))) == ["S 10@200.1", "B 10@199.9"]
    view.working = (working(1, "BUY", "199.80"), working(2, "BUY", "199.85"))
    assert shown(list(move_quotes(view, "AAPL", bid, None))) == ["cancel w1", "amend 3@199.90"]
    view.working = (working(1, "BUY", "199.90"), working(2, "SELL", "200.10"))
    assert shown(list(move_quotes(view, "AAPL", bid, ask))) == []
    assert shown(list(move_quotes(view, "AAPL", None, None))) == ["cancel w1", "cancel w2"]


@pytest.mark.parametrize(("shift", "first"), [("1", "amend 3"), ("-1", "amend 2")])
def test_the_quote_that_moves_away_moves_first(shift: str, first: str) -> None:
    view = FakeView(working=(working(1, "BUY", "199.90"), working(2, "SELL", "200.10")))
    at = Decimal(200) + Decimal(shift)
    quotes = Quote(at - Decimal("0.1"), 10), Quote(at + Decimal("0.1"), 10)
    assert shown(list(move_quotes(view, "AAPL", *quotes)))[0].startswith(first)


def test_the_symmetric_maker_quotes_at_equal_distances_whatever_it_holds() -> None:
    for held in (100, 1000):
        maker = SymmetricMaker(spread_bps=20, quantity=10)
        view = FakeView(price_of_all=price("200"), shares={"AAPL": held})
        assert shown(list(maker.on_timer(view, ""))) == ["S 10@200.2", "B 10@199.8"]


@pytest.mark.parametrize(("bought", "lean"), [(0, 0), (100, -1), (-100, 1)])
def test_avellaneda_stoikov_leans_against_what_it_holds(bought: int, lean: int) -> None:
    """With gamma 0.1, sigma 1 bp and 60 s each quote's worth leans by 6 bp: 60 bp for ten."""
    maker = AvellanedaStoikov(gamma=0.1, k=0.05, horizon_s=60, quantity=10, sigma_bps=1.0)
    view = FakeView(price_of_all=price("200"), shares={"AAPL": 500})
    list(maker.on_start(view))
    view.shares = {"AAPL": 500 + bought}
    ask, bid = (Decimal(str(q.price)) for q in maker.on_timer(view, "") if isinstance(q, Place))
    middle = (ask + bid) / 2
    assert abs(middle - (200 + lean * Decimal("1.20"))) <= Decimal("0.05")
    half_bps = 3 + 10 * 1.0986
    assert abs(float(ask - bid) / 2 / float(middle) * 10_000 - half_bps) < 3


def test_avellaneda_stoikov_widens_its_spread_where_the_price_moves_more() -> None:
    spreads = []
    for step in ("0.00", "0.50"):
        maker, view = AvellanedaStoikov(), FakeView(shares=SHARES)
        list(maker.on_start(view))
        for turn in range(200):
            view.now_us += 1_000_000
            view.price_of_all = price(str(200 + (turn % 2) * Decimal(step)))
            ask, bid = (q.price for q in maker.on_timer(view, "") if isinstance(q, Place))
        spreads.append(Decimal(str(ask)) - Decimal(str(bid)))
    assert spreads[1] > 2 * spreads[0]


@pytest.mark.parametrize(
    ("value", "sent"),
    [(200, []), (201, ["B 20@200.05 IOC"]), (199, ["S 20@199.95 IOC"]), (200.06, [])],
)
def test_the_informed_trade_towards_the_value(value: float, sent: list[str]) -> None:
    bot = Informed(lambda _security, _now_us: value, noise_bps=0.0, margin_bps=1.0)
    view = FakeView(price_of_all=price("200"), shares=SHARES)
    assert shown(list(bot.on_timer(view, ""))) == sent


def test_the_informed_see_the_value_of_the_population_they_are_told_of() -> None:
    """An hour after the origin the value has left the reference price; its path has one seed."""
    at_us = 3_600_000_000
    view = FakeView(now_us=at_us, shares=SHARES)
    value = Surroundings(seed=3, origin_us=0).value(view, "AAPL")
    assert value != 200
    bot = Informed(seed=3, origin_us=0, noise_bps=0.0, margin_bps=0.0)
    for middle, sent in ((value - 1, "B"), (value + 1, "S")):
        view.price_of_all = price(f"{middle:.2f}")
        assert [word[0] for word in shown(list(bot.on_timer(view, "")))] == [sent]


def test_the_informed_err_by_their_noise() -> None:
    bot = Informed(lambda _security, _now_us: 200, noise_bps=50.0, margin_bps=0.0)
    view = FakeView(price_of_all=price("200"), shares=SHARES)
    sides = [word[0] for _ in range(400) for word in shown(list(bot.on_timer(view, "")))]
    assert 0.4 < sides.count("B") / len(sides) < 0.6


def test_momentum_buys_into_a_rise_and_sells_out_of_a_fall() -> None:
    bot = load_strategy("momentum", {"fast_s": 10, "slow_s": 60})
    view = FakeView()
    rise = at_prices(bot, ["200", "200", "201", "202"], view)
    view.shares = {"AAPL": 20}
    fall = at_prices(bot, ["202", "198", "194"], view)
    assert rise[:2] == [[], []] and rise[3] == ["B 20@202.05 IOC"]
    assert fall[2] == ["S 20@193.95 IOC"]


def test_mean_reversion_buys_a_fall_and_sells_above_the_average() -> None:
    bot = load_strategy("mean_reversion", {"window_s": 300, "entry": 1.5})
    view = FakeView()
    fall = at_prices(bot, ["200", "200", "200", "195"], view)
    view.shares = {"AAPL": 20}
    back = at_prices(bot, ["198", "202"], view)
    assert fall[-1] == ["B 20@195.05 IOC"]
    assert back == [[], ["S 20@201.95 IOC"]]


def test_pairs_sells_the_dear_one_for_the_cheap_one_and_turns_back() -> None:
    bot, view = Pairs(window_s=600), FakeView(securities=("AAPL", "MSFT"), shares=SHARES)
    answers = []
    for middle in ("200", "200", "200", "210", "200", "198"):
        view.prices = {"AAPL": price(middle), "MSFT": price("100", "MSFT")}
        view.now_us += 10_000_000
        answers.append(shown(list(bot.on_timer(view, ""))))
    assert answers[3] == ["S 20@209.95 IOC", "B 40@100.05 IOC"]
    assert ["B 20", "S 40"] in [[word.partition("@")[0] for word in each] for each in answers[4:]]


def test_pairs_needs_two_securities() -> None:
    with pytest.raises(ValueError, match="two securities"):
        Pairs().on_start(FakeView())


@pytest.mark.parametrize(
    ("executor", "at_quarter", "at_half", "at_end"),
    [
        (Twap("BUY", 1000, 100), 250, 500, 1000),
        (Vwap("BUY", 1000, 100), 311, 500, 1000),
        (Vwap("BUY", 1000, 100, profile=(3.0, 1.0)), 375, 750, 1000),
    ],
)
def test_a_parent_order_is_due_in_time(
    executor: ParentOrder, at_quarter: int, at_half: int, at_end: int
) -> None:
    view = FakeView()
    list(executor.on_start(view))
    due = []
    for _ in range(8):
        view.now_us += 25_000_000
        due.append(executor.due(view, "AAPL"))
    assert due[:2] == [at_quarter, at_half] and due[3:] == [at_end] * 5


def fill(quantity: int, at: str = "200") -> Fill:
    return Fill(
        trade_id=1,
        order_id=1,
        security="AAPL",
        side="BUY",
        price=Decimal(at),
        quantity=quantity,
        time_us=1,
    )


def test_a_child_order_asks_for_what_is_due_and_not_done() -> None:
    twap, view = Twap("BUY", 100, 100), FakeView(own_cash=Decimal(1_000_000))
    list(twap.on_start(view))
    view.now_us += 50_000_000
    assert shown(list(twap.on_timer(view, ""))) == ["B 50@202 IOC"]
    list(twap.on_fill(view, fill(30)))
    assert shown(list(twap.on_timer(view, ""))) == ["B 20@202 IOC"]
    view.working = (working(1),)
    assert shown(list(twap.on_timer(view, ""))) == []
    assert (twap.done, twap.paid) == (30, Decimal(6000))


def test_a_parent_order_waits_while_the_market_is_worse_than_its_limit() -> None:
    twap, view = Twap("BUY", 100, 100, Decimal("201")), FakeView(own_cash=Decimal(1_000_000))
    list(twap.on_start(view))
    view.now_us += 50_000_000
    assert shown(list(twap.on_timer(view, ""))) == []


def test_pov_takes_its_share_of_all_volume_its_own_included() -> None:
    pov, view = Pov("BUY", 1000, rate=0.2), FakeView()
    for number in range(8):
        list(pov.on_trade(view, trade(number, 100)))
    assert pov.due(view, "AAPL") == 200
    list(pov.on_fill(view, fill(200)))
    list(pov.on_trade(view, trade(9, 200)))
    assert pov.due(view, "AAPL") == 200


def trade(number: int, quantity: int) -> PublicTrade:
    return PublicTrade(
        trade_id=number,
        security="AAPL",
        price=Decimal(200),
        quantity=quantity,
        aggressor="BUY",
        time_us=number,
    )


def test_zero_intelligence_arrives_as_poisson_and_places_by_the_power_law() -> None:
    bot = ZeroIntelligence(limit_rate=0.9, market_rate=0.1, cancel_rate=0.0, offset=5, reach=100)
    view = FakeView(random=Random(5), own_cash=Decimal(10**9), shares={"AAPL": 10**6})
    waits, distances, markets = [], [], 0
    for _ in range(4000):
        *orders, wake = bot.on_timer(view, "AAPL")
        assert isinstance(wake, WakeUp) and wake.name == "AAPL"
        waits.append(wake.after_s)
        for order in orders:
            assert isinstance(order, Place)
            if order.price is None:
                markets += 1
            else:
                best = Decimal(202) if order.side == "BUY" else Decimal(200)
                distances.append(abs(best - Decimal(str(order.price))) / Decimal("0.05"))
    assert 0.95 < mean(waits) < 1.05
    assert 0.07 < markets / 4000 < 0.13
    assert min(distances) == 1 and max(distances) <= 100
    near = sum(distance <= 10 for distance in distances) / len(distances)
    law = [(d + 5) ** -1.83 for d in range(1, 101)]
    assert abs(near - sum(law[:10]) / sum(law)) < 0.05


LOBSTER = """34200.0,1,11,20,2000000,1
34200.5,1,12,20,2010000,-1
34201.0,2,11,10,2000000,1
34202.0,4,12,10,2010000,-1
34202.0,5,0,10,2010000,-1
34203.0,3,11,10,2000000,1
"""
CONSENSUS = """seq,type,side,ioc,qty,order_id,price_ticks
0,N,B,0,20,1,40000
1,M,B,,30,1,40010
2,N,S,1,10,2,40000
3,C,,,,1,
"""


@pytest.mark.parametrize(
    ("text", "sent", "pauses"),
    [
        (
            LOBSTER,
            ["B 20@200", "S 20@201", "amend None@None", "B 10@201 IOC", "cancel r1-1"],
            [0.5, 0.5, 1.0, 1.0],
        ),
        (
            CONSENSUS,
            ["B 20@200", "cancel r1-1", "B 30@200.05", "S 10@200 IOC", "cancel r1-3"],
            [0.1] * 4,
        ),
    ],
)
def test_recorded_flow_is_sent_again_at_its_times(
    tmp_path: Path, text: str, sent: list[str], pauses: list[float]
) -> None:
    file = tmp_path / "flow.csv"
    file.write_text(text)
    bot = RecordedFlow(str(file), rate=10.0)
    view = FakeView(price_of_all=Price(security="AAPL"), shares=SHARES, now_us=1)
    assert list(bot.on_start(view)) == [WakeUp(0.0)]
    intents = [intent for _ in range(9) for intent in bot.on_timer(view, "")]
    assert shown([each for each in intents if not isinstance(each, WakeUp)]) == sent
    assert [each.after_s for each in intents if isinstance(each, WakeUp)] == pytest.approx(pauses)


def test_recorded_flow_of_one_side_leaves_the_other_to_another_bot(tmp_path: Path) -> None:
    file = tmp_path / "flow.csv"
    file.write_text(LOBSTER)
    bot = RecordedFlow(str(file), side="SELL")
    view = FakeView(price_of_all=Price(security="AAPL"), shares=SHARES)
    list(bot.on_start(view))
    intents = [intent for _ in range(9) for intent in bot.on_timer(view, "")]
    assert [word for word in shown(intents) if word != "WakeUp"] == ["S 20@201"]


def test_a_line_that_is_no_message_is_named(tmp_path: Path) -> None:
    file = tmp_path / "flow.csv"
    file.write_text("34200.0,1,11,20,2000000,1\nnonsense\n")
    with pytest.raises(ValueError, match="no recorded message: nonsense"):
        RecordedFlow(str(file))
