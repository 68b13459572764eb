"""A market in simulated time: bots, their ways to the venue and back, and the venue itself.

Commands reach the venue after the bot's order way; those that arrive in the same microsecond share
one commit, in the order of the bots. What the venue publishes reaches each bot after its own feed
way. The same plan gives the same market, byte for byte.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Protocol

from order_entry_gateway.domain.requests import Action as DeskAction
from order_entry_gateway.domain.requests import CancelAllAction, PlaceOrderRequest
from order_entry_gateway.handlers import PendingRequest
from trading_bots.commands import CancelAll, Command, Intent, WakeUp
from trading_bots.loading import load_strategy, make_strategy
from trading_bots.strategy import Strategy
from venue_protocol.money import parse_e4
from venue_protocol.refusals import Refusal, Refused
from venue_simulation import bot_limits
from venue_simulation.call_limit import MOST_S, CallLimit, CallTookTooLong, taken
from venue_simulation.intents import action_of
from venue_simulation.market_plan import BotSpec, MarketPlan
from venue_simulation.news_desk import NewsDesk
from venue_simulation.published_market import PublishedMarket
from venue_simulation.seat import News, Seat, longest_feed_us
from venue_simulation.seat_view import SeatView
from venue_simulation.simulated_venue import Committed, SimulatedVenue
from venue_simulation.timeline import ARRIVAL, BOT, NOBODY, SAMPLE, SECOND_US, VENUE, Timeline

_TICK_US = 200_000
"""As often the live timekeeper looks at what is due."""
_SOONEST_US = 100
"""A bot that asks to be woken at once would let no time pass."""


class MarketObserver(Protocol):
    """Sees every commit as it happens, and need keep nothing of it."""

    def begun(self, market: "SimulatedMarket") -> None:
        """All bots have their accounts; nothing was traded yet."""
        ...

    def committed(self, market: "SimulatedMarket", committed: Committed) -> None:
        """The venue has committed, matched, settled and recorded."""
        ...

    def sampled(self, market: "SimulatedMarket") -> None:
        """The market has begun, `plan.sample_s` have passed, or it has ended."""
        ...


class SimulatedMarket:
    """One market. `run` plays it to its end, `run_until` a part of it."""

    def __init__(
        self,
        plan: MarketPlan,
        observers: Sequence[MarketObserver] = (),
        venue_type: type[SimulatedVenue] = SimulatedVenue,
    ) -> None:
        self.plan = plan
        listed = [each.listed() for each in plan.securities]
        self.venue = venue_type(
            listed, plan.start_us, plan.rate_limit_per_second, plan.fee_schedule()
        )
        self.venue.on_commit = self._committed
        self.timeline = Timeline(self.venue.clock)
        keep_us = max([longest_feed_us(bot.latency) for bot in plan.bots], default=0) + 1
        self.markets = {
            each.security_id: PublishedMarket(
                each, self.venue.market.security(each.security_id), keep_us
            )
            for each in listed
        }
        self.seats: dict[str, Seat] = {}
        self._observers = observers
        self._arrived: list[tuple[Seat, Sequence[Command], PendingRequest | Refusal]] = []
        self._has_ended = False
        self._calls = CallLimit()
        self._news = NewsDesk(
            self.timeline,
            self.venue.clearing.tables,
            self.markets,
            self.seats,
            lambda seat: self._call(seat, None),
        )
        self._news.stop = self.stop_bot
        self._news.equity_e4 = self.equity_e4
        for number, spec in enumerate(plan.bots):
            self._add_seat(number, spec)
        self._plan_day()

    @property
    def now_us(self) -> int:
        """Simulated time, microseconds since 1970, UTC."""
        return self.timeline.now_us

    def run(self) -> None:
        """Play the market to its end."""
        self.run_until(self.plan.end_us)
        if not self._has_ended:
            self._has_ended = True
            self._sample()

    def run_until(self, until_us: int) -> None:
        """Play all that happens up to `until_us`."""
        with self._calls.watched():
            self.timeline.run_until(until_us)

    def equity_e4(self, client_id: str) -> int:
        """Cash and shares of a client, these at their marks of now: ten-thousandths of a dollar."""
        tables = self.venue.clearing.tables
        total_e4 = tables.accounts[client_id].balance_e4
        for security_id, market in self.markets.items():
            row = tables.deposits.get((client_id, security_id))
            if row is not None and row.quantity:
                total_e4 += row.quantity * market.mark_e4()
        return total_e4

    def view(self, client_id: str) -> SeatView:
        """What a bot sees now; its mail is read first."""
        seat = self.seats[client_id]
        seat.open_mail(self.now_us)
        return seat.view

    def act(self, client_id: str, intents: Sequence[Intent]) -> None:
        """Let a bot send these intents now, as if its strategy had returned them."""
        seat = self.seats[client_id]
        if seat.stopped is None:
            self._send(seat, intents)

    def stop_bot(self, client_id: str, reason: str) -> None:
        """Ask a bot no more, drop what it has on the way, and cancel its orders."""
        seat = self.seats[client_id]
        if seat.stopped is None:
            seat.stopped = reason
            cancel = partial(self._arrive, seat, (CancelAll(),), (CancelAllAction(),), True)
            self.timeline.at(self.now_us, ARRIVAL, seat.number, cancel)

    def _add_seat(self, number: int, spec: BotSpec) -> None:
        names = spec.securities or tuple(self.markets)
        unlisted = sorted((set(names) | set(spec.shares)) - self.markets.keys())
        if unlisted:
            raise ValueError(f"{spec.client_id}: the market does not list {', '.join(unlisted)}")
        if spec.client_id in self.seats:
            raise ValueError(f"two bots are called {spec.client_id}")
        seen = {name: self.markets[name] for name in names}
        seat = self.seats[spec.client_id] = Seat(
            number, spec, strategy_of(spec), seen, self.plan.seed
        )
        self.venue.add_client(spec.client_id, parse_e4(spec.cash), dict(spec.shares))
        self._news.listen(seat)

    def _plan_day(self) -> None:
        """Phases, the first event of every bot, and the looks at what is due."""
        start_us = self.plan.start_us
        for phase in self.plan.phases:
            begin = partial(self.venue.begin_phase, phase)
            self.timeline.at(start_us + round(phase.at_s * SECOND_US), VENUE, NOBODY, begin)
        self.timeline.at(start_us, BOT, NOBODY, self._begin)
        self.timeline.at(start_us + _TICK_US, VENUE, NOBODY, self._look_at_the_time)

    def _begin(self) -> None:
        tables = self.venue.clearing.tables
        for seat in self.seats.values():
            client_id = seat.spec.client_id
            shares = {
                name: tables.deposits[client_id, name]
                for name in self.markets
                if (client_id, name) in tables.deposits
            }
            seat.view.learn_account(tables.accounts[client_id], shares)
            seat.start_e4 = self.equity_e4(client_id)
        for observer in self._observers:
            observer.begun(self)
        self._sample_again()
        for seat in self.seats.values():
            self._call(seat, seat.strategy.on_start)
            interval_s = seat.strategy.interval_s
            if interval_s is not None:
                self._after(seat, interval_s * seat.timer_dice.random(), self._tick, seat)

    def _sample_again(self) -> None:
        self._sample()
        next_us = self.now_us + round(self.plan.sample_s * SECOND_US)
        if next_us < self.plan.end_us:
            self.timeline.at(next_us, SAMPLE, NOBODY, self._sample_again)

    def _sample(self) -> None:
        for observer in self._observers:
            observer.sampled(self)

    def _look_at_the_time(self) -> None:
        """Let orders expire and phases end, as often as the live timekeeper looks."""
        if self.venue.timekeeper.step():
            self.venue.commit()
        self.timeline.at(self.now_us + _TICK_US, VENUE, NOBODY, self._look_at_the_time)

    def _after(
        self, seat: Seat, after_s: float, action: Callable[..., None], *arguments: object
    ) -> None:
        at_us = self.now_us + max(_SOONEST_US, round(after_s * SECOND_US))
        self.timeline.at(at_us, BOT, seat.number, partial(action, *arguments))

    def _tick(self, seat: Seat) -> None:
        """`interval_s` of a bot has passed."""
        interval_s = seat.strategy.interval_s
        if interval_s is not None and seat.stopped is None:
            self._after(seat, interval_s, self._tick, seat)
            self._call(seat, seat.strategy.on_timer, "")

    def _call(self, seat: Seat, event: Callable[..., Any] | None, *arguments: object) -> None:
        """Let a bot read its mail and act; later if it still thinks. One that raises is stopped."""
        if seat.stopped is not None:
            return
        if seat.busy_until_us > self.now_us:
            again = partial(self._call, seat, event, *arguments)
            self.timeline.at(seat.busy_until_us, BOT, seat.number, again)
            return
        try:
            self._calls.begin()
            intents = seat.open_mail(self.now_us)
            if event is not None:
                intents += taken(event(seat.view, *arguments))
            self._calls.end()
            self._send(seat, intents)
        except CallTookTooLong:
            reason = f"took more than {MOST_S} s of processor time for one event"
            self.stop_bot(seat.spec.client_id, reason)
        except (Exception, SystemExit) as error:
            # Whatever a strategy does wrong is its own end, and nobody else's.
            self.stop_bot(seat.spec.client_id, f"raised {type(error).__name__}: {error}")
        finally:
            self._calls.end()

    def _send(self, seat: Seat, intents: Sequence[Intent]) -> None:
        """Name the commands and send them. TypeError or ValueError for what is no command."""
        commands: list[Command] = []
        for intent in intents:
            if isinstance(intent, WakeUp):
                on_timer = seat.strategy.on_timer
                self._after(seat, intent.after_s, self._call, seat, on_timer, intent.name)
            else:
                commands.append(seat.names.named(intent))
        compute_us = seat.spec.latency.compute_us
        if compute_us:
            seat.busy_until_us = self.now_us + compute_us
        if not commands:
            return
        actions = [action_of(command) for command in commands]
        for command in commands:
            seat.view.sent(command)
        at_us = max(seat.last_arrival_us, self.now_us + compute_us + seat.ways.order_us())
        seat.last_arrival_us = at_us
        arrive = partial(self._arrive, seat, commands, actions)
        self.timeline.at(at_us, ARRIVAL, seat.number, arrive)

    def _arrive(
        self,
        seat: Seat,
        commands: Sequence[Command],
        actions: Sequence[DeskAction | PlaceOrderRequest],
        is_by_venue: bool = False,
    ) -> None:
        """Commands have reached the venue: those of the same microsecond share the commit."""
        if seat.stopped is None or is_by_venue:
            pending: PendingRequest | Refusal
            try:
                pending = self.venue.desk.begin(seat.caller, actions)
            except Refused as refused:
                pending = refused.refusal
            self._arrived.append((seat, commands, pending))
        if not self._arrived or self.timeline.is_next(ARRIVAL):
            return
        arrived, self._arrived = self._arrived, []
        self.venue.commit()
        for each, sent, decided in arrived:
            self._answer(each, sent, decided)

    def _answer(
        self, seat: Seat, commands: Sequence[Command], pending: PendingRequest | Refusal
    ) -> None:
        """Tell a bot what the door refused; what it took is told by the events."""
        refusals = (
            [(command, pending) for command in commands]
            if isinstance(pending, Refusal)
            else [(commands[place], refusal) for place, refusal in pending.refusals()]
        )
        seat.numbers["commands"] += len(commands)
        if refusals:
            seat.refused.update(refusal.reason.code for _, refusal in refusals)
            news = News(0, self.now_us, refusals=refusals)
            self._news.post(seat, news, "on_report" in seat.wants)
        broken = bot_limits.broken_by_commands(seat, len(commands), self.now_us)
        if broken is not None:
            self.stop_bot(seat.spec.client_id, broken)

    def _committed(self, committed: Committed) -> None:
        self._news.publish(committed)
        for observer in self._observers:
            observer.committed(self, committed)


def strategy_of(spec: BotSpec) -> Strategy:
    """The strategy of a bot, new. ValueError for one that is not found."""
    if isinstance(spec.strategy, str):
        return load_strategy(spec.strategy, spec.parameters)
    return make_strategy(spec.strategy, spec.parameters)
