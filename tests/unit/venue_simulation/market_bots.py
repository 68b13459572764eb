"""Small bots and plans for tests of the simulated market."""

from collections.abc import Iterable, Iterator
from decimal import Decimal

from trading_bots.commands import Amend, Cancel, Intent, Place
from trading_bots.records import Book, Fill, OrderReport, PublicTrade, SettlementReport
from trading_bots.strategy import Strategy, View, on_tick
from venue_simulation.market_plan import BotSpec, Latency, MarketPlan, SecuritySpec


class Maker(Strategy):
    """Quotes around the middle each second; amends every third time."""

    interval_s = 1.0

    def __init__(self, spread: Decimal = Decimal("0.05")) -> None:
        self._spread = spread
        self._turns = 0

    def on_timer(self, view: View, name: str) -> Iterator[Intent]:
        self._turns += 1
        for order in view.orders():
            if self._turns % 3 == 0 and order.order_id is not None:
                yield Amend(client_order_id=order.client_order_id, quantity=order.quantity + 1)
            else:
                yield Cancel(client_order_id=order.client_order_id)
        for security in view.securities:
            fair, rules = view.fair_price(security), view.rules(security)
            yield Place(security, "BUY", 10, on_tick(rules, fair - self._spread))
            yield Place(security, "SELL", 10, on_tick(rules, fair + self._spread))


class Taker(Strategy):
    """Takes a few shares from a random side."""

    interval_s = 0.7

    def on_timer(self, view: View, name: str) -> Iterator[Intent]:
        security = view.random.choice(view.securities)
        side = view.random.choice(("BUY", "SELL"))
        price = view.fair_price(security) + (1 if side == "BUY" else -1)
        quantity = view.random.randrange(1, 15)
        yield Place(security, side, quantity, on_tick(view.rules(security), price), "IOC")


class Silent(Strategy):
    """Hears everything and draws dice, but never asks for anything."""

    interval_s = 0.3

    def on_timer(self, view: View, name: str) -> Iterable[Intent]:
        view.random.random()
        return ()

    def on_book(self, view: View, book: Book) -> Iterable[Intent]:
        view.random.random()
        return ()


class Diary(Strategy):
    """Writes down what it hears."""

    def __init__(self, intents: Iterable[Intent] = ()) -> None:
        self._intents = intents
        self.heard: list[tuple[str, int, object]] = []

    def on_start(self, view: View) -> Iterable[Intent]:
        self.heard.append(("start", view.now_us, view.cash))
        return self._intents

    def on_timer(self, view: View, name: str) -> Iterable[Intent]:
        self.heard.append(("timer", view.now_us, name))
        return ()

    def on_book(self, view: View, book: Book) -> Iterable[Intent]:
        self.heard.append(("book", view.now_us, book))
        return ()

    def on_trade(self, view: View, trade: PublicTrade) -> Iterable[Intent]:
        self.heard.append(("trade", view.now_us, trade))
        return ()

    def on_report(self, view: View, report: OrderReport) -> Iterable[Intent]:
        self.heard.append(("report", view.now_us, report))
        return ()

    def on_fill(self, view: View, fill: Fill) -> Iterable[Intent]:
        self.heard.append(("fill", view.now_us, fill))
        return ()

    def on_settlement(self, view: View, report: SettlementReport) -> Iterable[Intent]:
        self.heard.append(("settlement", view.now_us, report))
        return ()

    def told(self, kind: str) -> list[tuple[int, object]]:
        """Time and content of what it heard of one kind."""
        return [(time_us, what) for name, time_us, what in self.heard if name == kind]


def security(name: str = "AAPL") -> SecuritySpec:
    return SecuritySpec(security=name)


def maker(client_id: str = "maker", **changes: object) -> BotSpec:
    return BotSpec(
        client_id=client_id,
        strategy=Maker,
        cash=Decimal(1_000_000),
        shares={"AAPL": 10_000},
        **changes,  # type: ignore[arg-type]
    )


def taker(client_id: str = "taker", **changes: object) -> BotSpec:
    return BotSpec(
        client_id=client_id,
        strategy=Taker,
        cash=Decimal(1_000_000),
        shares={"AAPL": 10_000},
        latency=Latency(jitter_us=300),
        **changes,  # type: ignore[arg-type]
    )


def plan(*bots: BotSpec, seed: int = 1, seconds: float = 120) -> MarketPlan:
    return MarketPlan(
        seed=seed,
        securities=(security(),),
        bots=bots or (maker(), taker()),
        seconds=seconds,
    )
