"""A Trader file of IMC Prosperity runs unchanged."""

import json
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.unit.trading_bots.fake_view import FakeView, working
from tests.unit.trading_bots.test_quoting_and_takers import shown, trade
from trading_bots.commands import Place
from trading_bots.loading import load_strategy
from trading_bots.prosperity import Prosperity
from trading_bots.records import Book, Fill, Level

FILE = Path(__file__).with_name("trader_file.py")


@pytest.fixture
def bot() -> Prosperity:
    bot = load_strategy(f"prosperity:{FILE}", {"limit": "50"})
    assert isinstance(bot, Prosperity)
    return bot


def book(bids: list[tuple[str, int]], asks: list[tuple[str, int]]) -> Book:
    return Book(
        security="AAPL",
        bids=[Level(price=Decimal(price), quantity=quantity) for price, quantity in bids],
        asks=[Level(price=Decimal(price), quantity=quantity) for price, quantity in asks],
    )


def remembered(bot: Prosperity) -> dict[str, Any]:
    """What the trader wrote into its traderData."""
    content: dict[str, Any] = json.loads(vars(bot)["_trader_data"])
    return content


def test_prices_are_ticks_and_quantities_signed(bot: Prosperity) -> None:
    """A tick is 0.05: the bid of 200.00 is 4000, the ask of 202.00 is 4040."""
    view = FakeView(shares={"AAPL": 100})
    list(bot.on_start(view))
    assert shown(list(bot.on_timer(view, ""))) == ["B 10@200.05", "S 10@201.95"]


def test_a_trader_takes_what_sell_orders_show_up_to_its_limit(bot: Prosperity) -> None:
    view = FakeView(shares={"AAPL": 100}, books={"AAPL": book([], [("199.00", 30)])})
    list(bot.on_start(view))
    assert shown(list(bot.on_timer(view, ""))) == ["B 30@199"]
    view.shares = {"AAPL": 130}
    assert shown(list(bot.on_timer(view, ""))) == ["B 20@199"]


def test_trader_data_is_kept_and_timestamps_step_by_100(
    bot: Prosperity, capsys: pytest.CaptureFixture[str]
) -> None:
    view = FakeView()
    for calls, timestamp in ((1, 0), (2, 100), (3, 200)):
        list(bot.on_timer(view, ""))
        assert (remembered(bot)["calls"], remembered(bot)["timestamp"]) == (calls, timestamp)
    assert capsys.readouterr().out == ""


def test_own_trades_are_told_once_and_are_no_market_trades(bot: Prosperity) -> None:
    view = FakeView()
    list(bot.on_timer(view, ""))
    own = Fill(
        trade_id=7,
        order_id=1,
        security="AAPL",
        side="SELL",
        price=Decimal("200.05"),
        quantity=10,
        time_us=1,
    )
    list(bot.on_trade(view, trade(7, 10)))
    list(bot.on_fill(view, own))
    list(bot.on_trade(view, trade(8, 30)))
    list(bot.on_timer(view, ""))
    assert remembered(bot)["own"] == ["(AAPL,  << SUBMISSION, 4001, 10, 100)"]
    assert remembered(bot)["market"] == ["(AAPL,  << , 4000, 30, 100)"]
    list(bot.on_timer(view, ""))
    assert remembered(bot)["own"] == remembered(bot)["market"] == []


def test_own_orders_are_not_in_the_depth_and_make_room_for_the_next_ones(bot: Prosperity) -> None:
    """The best bid and ask are its own: it sees 200.00 and 202.00."""
    view = FakeView(
        shares={"AAPL": 100},
        books={"AAPL": book([("200.50", 10), ("200.00", 5)], [("201.50", 10), ("202.00", 5)])},
        working=(
            working(1, "BUY", "200.50"),
            working(2, "SELL", "201.50"),
            working(3, "SELL", "210.00"),
        ),
    )
    list(bot.on_start(view))
    sent = shown(list(bot.on_timer(view, "")))
    assert sent == ["amend 2@200.05", "cancel w3", "amend 3@201.95"]


def test_orders_that_could_break_the_position_limit_are_all_left_out(bot: Prosperity) -> None:
    view = FakeView(shares={"AAPL": 100})
    list(bot.on_start(view))
    view.shares = {"AAPL": 145}
    sent = list(bot.on_timer(view, ""))
    assert [order for order in sent if isinstance(order, Place)] == []


def test_the_trader_of_each_bot_is_its_own_and_datamodel_is_nobody_elses(bot: Prosperity) -> None:
    other = load_strategy(f"prosperity:{FILE}")
    assert type(vars(bot)["_trader"]) is not type(vars(other)["_trader"])
    assert "datamodel" not in sys.modules


def test_a_trader_is_known_by_its_class_too() -> None:
    assert isinstance(load_strategy(f"{FILE}:Trader"), Prosperity)


def test_a_file_without_a_trader_is_said(tmp_path: Path) -> None:
    file = tmp_path / "empty.py"
    file.write_text("")
    with pytest.raises(ValueError, match="has no class Trader"):
        load_strategy(f"prosperity:{file}")
