"""How fast markets in simulated time are, and what each part takes."""

import resource
import time
from collections.abc import Iterator, Sequence
from random import Random

import msgspec

from clearinghouse.domain.settlement import Settlement
from market_data_feed.domain.orders import Fold
from order_entry_gateway.domain.coverage import Decision
from order_entry_gateway.domain.requests import CancelAction, PlaceOrderRequest
from order_entry_gateway.domain.validation import Candidate
from service_runtime.http.authentication import Caller
from venue_protocol.commands import CommandBatch
from venue_protocol.events import EventBatch
from venue_simulation.backtest import BacktestSettings, plan_of
from venue_simulation.environments.learner_market import CHOICES, LearnerMarket, LearnerSettings
from venue_simulation.forgetting import Forgetting
from venue_simulation.market_plan import START_US, SecuritySpec
from venue_simulation.market_run import rare_collections
from venue_simulation.simulated_market import SimulatedMarket
from venue_simulation.simulated_venue import Committed, SimulatedVenue

_CLIENTS = 100
_SECURITIES = 5
_PLENTY = 1 << 40
_CANCELS = 0.4


class Part(msgspec.Struct, frozen=True):
    """What one part took: processor time."""

    name: str
    seconds: float


class Figures(msgspec.Struct, frozen=True):
    """One run."""

    what: str
    done: int
    unit: str
    seconds: float
    """Processor time of this one thread: on a quiet machine, the time that passes."""
    parts: list[Part]
    peak_mb: float
    """The most memory of this process so far, MB."""

    @property
    def rate(self) -> float:
        """How many a second."""
        return self.done / self.seconds


class MeasuredVenue(SimulatedVenue):
    """A venue that knows what its parts took."""

    spent: dict[str, float]

    def admit(self, candidates: Sequence[Candidate]) -> list[Decision]:
        """Holds and the log."""
        started = time.process_time()
        decisions = super().admit(candidates)
        self._add("holds and log", started)
        return decisions

    def match(self, batch: CommandBatch) -> EventBatch:
        """The books."""
        started = time.process_time()
        events = super().match(batch)
        self._add("books", started)
        return events

    def settle(self, events: EventBatch) -> Settlement:
        """The ledger."""
        started = time.process_time()
        settlement = super().settle(events)
        self._add("ledger", started)
        return settlement

    def record(self, events: EventBatch, settlement: Settlement) -> Fold:
        """The record."""
        started = time.process_time()
        fold = super().record(events, settlement)
        self._add("record", started)
        return fold

    def _add(self, part: str, started: float) -> None:
        if not hasattr(self, "spent"):
            self.spent = {}
        self.spent[part] = self.spent.get(part, 0.0) + time.process_time() - started


def lines(figures: Figures) -> list[str]:
    """One run for people: the rate, then the share of each part."""
    said = [
        "",
        f"{figures.what}: {figures.done:,} {figures.unit} in {figures.seconds:.1f} s of processor "
        f"time, {figures.rate:,.0f}/s, at most {figures.peak_mb:,.0f} MB",
    ]
    return said + [
        f"  {part.name:<16}{part.seconds:7.1f} s  {part.seconds / figures.seconds:5.0%}"
        for part in figures.parts
    ]


def measure_venue(orders: int, batch: int, seed: int) -> Figures:
    """Orders and cancels of 100 clients in 5 securities through desk, holds, log, books, ledger
    and record, `batch` to a commit.
    """
    names = [f"S{number}" for number in range(1, _SECURITIES + 1)]
    venue = MeasuredVenue([SecuritySpec(security=name).listed() for name in names], START_US)
    callers = [Caller(f"client_{number}", "trader") for number in range(_CLIENTS)]
    for caller in callers:
        venue.add_client(caller.client_id, _PLENTY, dict.fromkeys(names, 1_000_000))
    open_orders: dict[str, list[int]] = {caller.client_id: [] for caller in callers}

    def note(committed: Committed) -> None:
        for report in committed.effect.reports:
            if report.kind == "new" and report.order_id is not None:
                open_orders[report.client_id].append(report.order_id)

    venue.on_commit = note
    random = Random(seed)
    requests = list(_requests(random, orders, names))
    done = 0
    with rare_collections():
        started = time.process_time()
        while done < orders:
            caller = callers[done // batch % _CLIENTS]
            known = open_orders[caller.client_id]
            actions = [
                CancelAction(order_id=known.pop(0))
                if known and random.random() < _CANCELS
                else each
                for each in requests[done : done + batch]
            ]
            venue.clock.advance(1_000)
            pending = venue.desk.begin(caller, actions)
            venue.commit()
            pending.refusals()
            done += len(actions)
        seconds = time.process_time() - started
    return _figures("venue alone", done, "orders and cancels", seconds, venue, "desk")


def _requests(random: Random, orders: int, names: list[str]) -> Iterator[PlaceOrderRequest]:
    for number in range(orders):
        side = random.choice(("BUY", "SELL"))
        cents = 10_000 + random.randrange(-1, 60) * (-1 if side == "BUY" else 1)
        price = msgspec.Raw(b'"%d.%02d"' % divmod(cents, 100))
        yield PlaceOrderRequest(
            random.choice(names),
            side,  # type: ignore[arg-type]
            "limit",
            random.randrange(1, 200),
            price,
            None,
            f"o-{number}",
        )


def measure_market(seconds: float, seed: int) -> Figures:
    """The default market: 100 bots in 5 securities."""
    plan = plan_of(BacktestSettings(securities=_SECURITIES, seconds=seconds, seed=seed))
    market = SimulatedMarket(plan, [Forgetting()], MeasuredVenue)
    with rare_collections():
        started = time.process_time()
        market.run()
        spent_s = time.process_time() - started
    what = f"market of {seconds / 60:g} minutes, {len(plan.bots)} bots, {_SECURITIES} securities"
    venue = market.venue
    assert isinstance(venue, MeasuredVenue)
    return _figures(what, venue.engine.log_position, "commands", spent_s, venue, "bots, desk, news")


def measure_environment(steps: int, seed: int) -> Figures:
    """A random policy of one learner, episode after episode; making the markets counts."""
    random, settings = Random(seed), LearnerSettings()
    done = 0
    with rare_collections():
        started = time.process_time()
        while done < steps:
            market = LearnerMarket(("learner",), settings, random.randrange(1 << 31))
            while not market.is_over and done < steps:
                market.act({"learner": (random.randrange(CHOICES), random.randrange(CHOICES))})
                market.observation("learner")
                market.reward("learner")
                done += 1
        seconds = time.process_time() - started
    return Figures("environment, random policy", done, "steps", seconds, [], _peak_mb())


def _figures(
    what: str, done: int, unit: str, seconds: float, venue: MeasuredVenue, rest: str
) -> Figures:
    parts = [Part(name, spent) for name, spent in venue.spent.items()]
    parts.append(Part(rest, seconds - sum(part.seconds for part in parts)))
    return Figures(what, done, unit, seconds, parts, _peak_mb())


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
