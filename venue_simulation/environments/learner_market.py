"""A simulated market that stands still until its learners have acted.

It needs none of the learners' packages: observations are lists of floats, and an action is a pair
of numbers, one for each side. Floats are the learner's; the venue below counts in integers.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from trading_bots.commands import Amend, Cancel, Intent, Place
from trading_bots.records import WorkingOrder
from trading_bots.strategy import Strategy, View, on_tick
from venue_simulation.backtest import BacktestSettings, plan_of
from venue_simulation.market_plan import BotSpec, Latency, MarketPlan
from venue_simulation.simulated_market import SimulatedMarket
from venue_simulation.timeline import SECOND_US

CHOICES = 7
"""Of each side: 0 is no order; 1 quotes at the best price, 2 to 5 further behind it, 6 crosses."""
_BEHIND = (0, 1, 2, 5, 10)
"""Ticks behind the best price, of the choices 1 to 5."""
_CROSSES = 6
_LEVELS = 3
FEATURES = 4 * _LEVELS + 6
"""Length of an observation."""
BOUND = 10.0
"""Every feature lies between -BOUND and BOUND."""


class Learner(Strategy):
    """Decides nothing itself: the environment acts in its place."""


@dataclass(frozen=True, kw_only=True)
class LearnerSettings:
    """An episode."""

    seconds: float = 30.0
    """Simulated time that learners act in."""
    step_s: float = 0.02
    """Simulated time between two actions."""
    warm_up_s: float = 3.0
    """The population trades so long alone, so that there is a market."""
    quantity: int = 100
    """Shares of each quote."""
    cash: Decimal = Decimal(1_000_000)
    shares: int = 5_000
    latency: Latency = field(default_factory=Latency)
    rate: float = 1.0
    """How quick the population is."""


class LearnerMarket:
    """One episode in one security for these learners."""

    def __init__(self, learners: tuple[str, ...], settings: LearnerSettings, seed: int) -> None:
        self._settings = settings
        plan = _plan(learners, settings, seed)
        self._security = plan.securities[0].security
        self._market = SimulatedMarket(plan)
        self._tick = float(plan.securities[0].tick)
        self._start_us = plan.start_us + round(settings.warm_up_s * SECOND_US)
        self._market.run_until(self._start_us)
        self._equity_e4 = {name: self._market.equity_e4(name) for name in learners}

    @property
    def is_over(self) -> bool:
        """Whether the episode's time is up."""
        return self._market.now_us >= self._market.plan.end_us

    def stopped(self, learner: str) -> str | None:
        """Why a learner was stopped, or None."""
        return self._market.seats[learner].stopped

    def act(self, actions: Mapping[str, tuple[int, int]]) -> None:
        """Send what the learners chose, for bid and ask, and let `step_s` pass."""
        for learner, (bid, ask) in actions.items():
            view = self._market.view(learner)
            self._market.act(learner, list(self._intents(view, bid, ask)))
        step_us = round(self._settings.step_s * SECOND_US)
        self._market.run_until(min(self._market.now_us + step_us, self._market.plan.end_us))

    def reward(self, learner: str) -> float:
        """What the learner's equity grew by since it was asked last, dollars."""
        equity_e4 = self._market.equity_e4(learner)
        grown_e4, self._equity_e4[learner] = equity_e4 - self._equity_e4[learner], equity_e4
        return grown_e4 / 10_000

    def observation(self, learner: str) -> list[float]:
        """Book, own shares and cash, own quotes and the time left, each about 1 in size."""
        view, settings = self._market.view(learner), self._settings
        book = view.book(self._security)
        fair = float(view.fair_price(self._security))
        features: list[float] = []
        for levels, sign in ((book.bids, -1), (book.asks, 1)):
            for place in range(_LEVELS):
                if place < len(levels):
                    ticks = (float(levels[place].price) - fair) / self._tick
                    features += [sign * ticks / 10, math.log1p(levels[place].quantity) / 5]
                else:
                    features += [BOUND, 0.0]
        reference = float(view.rules(self._security).reference_price)
        quoted = {order.side for order in view.orders(self._security)}
        start_us, end_us = self._start_us, self._market.plan.end_us
        features += [
            (fair / reference - 1) * 100,
            (view.holding(self._security).quantity - settings.shares) / (10 * settings.quantity),
            float(view.cash.balance / settings.cash) - 1,
            float("BUY" in quoted),
            float("SELL" in quoted),
            (end_us - self._market.now_us) / max(1, end_us - start_us),
        ]
        return [min(max(each, -BOUND), BOUND) for each in features]

    def _intents(self, view: View, bid: int, ask: int) -> Iterator[Intent]:
        """Move, place or cancel one quote on each side."""
        yield from self._quote(view, "BUY", bid)
        yield from self._quote(view, "SELL", ask)

    def _quote(self, view: View, side: str, choice: int) -> Iterator[Intent]:
        resting = [order for order in view.orders(self._security) if order.side == side]
        if choice == 0:
            yield from (Cancel(client_order_id=order.client_order_id) for order in resting)
            return
        price, quantity = self._price(view, side, choice), self._settings.quantity
        if choice == _CROSSES:
            yield from (Cancel(client_order_id=order.client_order_id) for order in resting)
            yield Place(self._security, side, quantity, price, "IOC")
        elif not resting:
            yield Place(self._security, side, quantity, price)
        else:
            yield from self._moved(resting[0], price)

    def _moved(self, order: WorkingOrder, price: Decimal) -> Iterator[Intent]:
        if order.price != price and order.order_id is not None:
            yield Amend(client_order_id=order.client_order_id, price=price)

    def _price(self, view: View, side: str, choice: int) -> Decimal:
        price, rules = view.price(self._security), view.rules(self._security)
        fair = view.fair_price(self._security)
        best_bid = price.bid if price.bid is not None else fair - rules.tick
        best_ask = price.ask if price.ask is not None else fair + rules.tick
        if choice == _CROSSES:
            return on_tick(rules, best_ask if side == "BUY" else best_bid)
        behind = _BEHIND[choice - 1] * rules.tick
        return on_tick(rules, best_bid - behind if side == "BUY" else best_ask + behind)


def _plan(learners: tuple[str, ...], settings: LearnerSettings, seed: int) -> MarketPlan:
    seconds = settings.warm_up_s + settings.seconds
    plan = plan_of(BacktestSettings(seed=seed, seconds=seconds, rate=settings.rate))
    shares = {plan.securities[0].security: settings.shares}
    seats = tuple(
        BotSpec(
            client_id=name,
            strategy=Learner,
            cash=settings.cash,
            shares=shares,
            latency=settings.latency,
        )
        for name in learners
    )
    return MarketPlan(
        seed=seed,
        securities=plan.securities,
        bots=(*seats, *plan.bots),
        seconds=seconds,
        sample_s=seconds,
    )
