"""A typical file of IMC Prosperity, as a team would hand it in."""

import json

from datamodel import Order, OrderDepth, TradingState

PRODUCT = "AAPL"


class Trader:
    POSITION_LIMIT = 50

    def run(self, state: TradingState):
        data = json.loads(state.traderData) if state.traderData else {"calls": 0}
        data["calls"] += 1
        data["timestamp"] = state.timestamp
        data["own"] = [str(trade) for trade in state.own_trades.get(PRODUCT, [])]
        data["market"] = [str(trade) for trade in state.market_trades.get(PRODUCT, [])]
        result: dict[str, list[Order]] = {}
        for product in state.order_depths:
            depth: OrderDepth = state.order_depths[product]
            orders: list[Order] = []
            position = state.position.get(product, 0)
            best_ask = min(depth.sell_orders) if depth.sell_orders else None
            best_bid = max(depth.buy_orders) if depth.buy_orders else None
            print("position", position)
            if best_ask is not None and best_ask < 4000:
                volume = min(-depth.sell_orders[best_ask], self.POSITION_LIMIT - position)
                orders.append(Order(product, best_ask, volume))
            elif best_bid is not None and best_ask is not None:
                orders.append(Order(product, best_bid + 1, 10))
                orders.append(Order(product, best_ask - 1, -10))
            result[product] = orders
        return result, 0, json.dumps(data)
