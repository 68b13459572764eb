"""Runs a `Trader` file in the shape of IMC Prosperity, unchanged.

`run(state)` is called at each interval and returns orders, conversions and traderData. Prices are
whole ticks of the security. Orders live until the next call, positions count from what the account
held at the start, and a product's orders are all left out when together they could break its
position limit. Own orders are taken out of the depth, as Prosperity has none there.

Source: the public rules and the `datamodel` of IMC Prosperity 3 and 4.
"""

import io
from collections.abc import Iterator
from contextlib import nullcontext, redirect_stdout
from decimal import Decimal
from typing import Any

from trading_bots import prosperity_datamodel as datamodel
from trading_bots.commands import Intent
from trading_bots.prosperity_orders import Wish, replace_orders
from trading_bots.records import Fill, PublicTrade
from trading_bots.source_files import load_file
from trading_bots.strategy import Strategy, View

STEP = 100
"""Timestamps rise by so much a call."""
_SUBMISSION = "SUBMISSION"
_CURRENCY = "USD"


class Prosperity(Strategy):
    """The class `Trader` of a file; `limit` is the position limit of each product.

    What the trader prints is thrown away unless `prints`. ValueError where the file has no Trader.
    """

    interval_s = 1.0

    def __init__(self, file: str, limit: int = 50, prints: bool = False) -> None:
        module = load_file(file, {"datamodel": datamodel})
        make = getattr(module, "Trader", None)
        if not callable(make):
            raise ValueError(f"{file} has no class Trader")
        self._trader = make()
        self._limit = limit
        self._prints = prints
        self._home: dict[str, int] = {}
        self._steps = 0
        self._trader_data = ""
        self._own_trades: dict[str, list[datamodel.Trade]] = {}
        self._market_trades: dict[str, list[tuple[int, datamodel.Trade]]] = {}
        self._own_ids: set[int] = set()

    def on_start(self, view: View) -> Iterator[Intent]:
        """Positions count from here."""
        self._home = {name: view.holding(name).quantity for name in view.securities}
        return iter(())

    def on_fill(self, view: View, fill: Fill) -> Iterator[Intent]:
        """An own trade for the next state."""
        is_buy = fill.side == "BUY"
        trade = datamodel.Trade(
            fill.security,
            self._ticks(view, fill.security, fill.price),
            fill.quantity,
            _SUBMISSION if is_buy else "",
            "" if is_buy else _SUBMISSION,
            self._steps * STEP,
        )
        self._own_trades.setdefault(fill.security, []).append(trade)
        self._own_ids.add(fill.trade_id)
        return iter(())

    def on_trade(self, view: View, trade: PublicTrade) -> Iterator[Intent]:
        """A trade for the next state, unless it turns out to be an own one."""
        price = self._ticks(view, trade.security, trade.price)
        seen = datamodel.Trade(trade.security, price, trade.quantity, "", "", self._steps * STEP)
        self._market_trades.setdefault(trade.security, []).append((trade.trade_id, seen))
        return iter(())

    def on_timer(self, view: View, name: str) -> Iterator[Intent]:
        """Ask the trader, and bring the open orders to what it wants."""
        state = self._state(view)
        with nullcontext() if self._prints else redirect_stdout(io.StringIO()):
            orders, trader_data = _answer(self._trader.run(state))
        self._trader_data = trader_data
        for security in view.securities:
            wanted = orders.get(security) or []
            position = state.position.get(security, 0)
            allowed = wanted if self._is_within_limit(wanted, position) else []
            tick = view.rules(security).tick
            wishes = [Wish(order.price * tick, order.quantity) for order in allowed]
            yield from replace_orders(view, security, wishes)

    def _state(self, view: View) -> datamodel.TradingState:
        """What the trader is told; forgets the trades that it tells."""
        own, market = self._own_trades, self._market_trades
        self._own_trades, self._market_trades = {}, {}
        others = {
            name: [trade for trade_id, trade in trades if trade_id not in self._own_ids]
            for name, trades in market.items()
        }
        positions = {
            name: view.holding(name).quantity - self._home.get(name, 0) for name in view.securities
        }
        state = datamodel.TradingState(
            traderData=self._trader_data,
            timestamp=self._steps * STEP,
            listings={name: datamodel.Listing(name, name, _CURRENCY) for name in view.securities},
            order_depths={name: self._depth(view, name) for name in view.securities},
            own_trades=own,
            market_trades=others,
            position={name: held for name, held in positions.items() if held},
            observations=datamodel.Observation(),
        )
        self._steps += 1
        return state

    def _depth(self, view: View, security: str) -> datamodel.OrderDepth:
        """The book without the own orders; quantities of the sell side are negative."""
        own: dict[tuple[str, Decimal], int] = {}
        for order in view.orders(security):
            if order.price is not None:
                key = (order.side, order.price)
                own[key] = own.get(key, 0) + order.leaves
        depth, book = datamodel.OrderDepth(), view.book(security)
        for side, levels, shown, sign in (
            ("BUY", book.bids, depth.buy_orders, 1),
            ("SELL", book.asks, depth.sell_orders, -1),
        ):
            for level in levels:
                left = level.quantity - own.get((side, level.price), 0)
                if left > 0:
                    shown[self._ticks(view, security, level.price)] = sign * left
        return depth

    def _is_within_limit(self, orders: list[datamodel.Order], position: int) -> bool:
        """Whether the position stays within the limit if all buys, or all sells, are filled."""
        bought = sum(order.quantity for order in orders if order.quantity > 0)
        sold = sum(-order.quantity for order in orders if order.quantity < 0)
        return position + bought <= self._limit and position - sold >= -self._limit

    def _ticks(self, view: View, security: str, price: Decimal) -> int:
        return int(price / view.rules(security).tick)


def _answer(answer: Any) -> tuple[dict[str, list[datamodel.Order]], str]:
    """Orders by product, and traderData; the first Prosperity returned the orders alone."""
    if isinstance(answer, tuple):
        orders, _conversions, trader_data = answer
        return orders or {}, str(trader_data or "")
    return answer or {}, ""
