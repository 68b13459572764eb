"""Any flow of orders, amends, cancels and phases gives the events of the slow, obvious day."""

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import invariant, rule

from tests.simulation.matching_engine.reference_day import ReferenceDay
from tests.simulation.matching_engine.test_against_reference import (
    CLIENTS,
    PRICES,
    QUANTITIES,
    RATES,
    SECURITIES,
    EngineAgainstReference,
)
from venue_protocol.commands import PlaceOrder, SetPhase
from venue_protocol.orders import BUY, SELL

_PHASES = st.sampled_from(
    [
        "pre_open",
        "opening_auction",
        "opening_auction",
        "continuous",
        "continuous",
        "closing_auction",
        "closing_auction",
        "closed",
        "halted",
        "reopening_auction",
    ]
)
_places = st.builds(
    PlaceOrder,
    CLIENTS,
    SECURITIES,
    st.sampled_from([BUY, SELL]),
    st.just("limit"),
    st.sampled_from(["GTC", "DAY", "DAY", "OPG", "CLS", "CLS", "IOC"]),
    QUANTITIES,
    PRICES,
    fees=RATES,
)
_auction_market_places = st.builds(
    PlaceOrder,
    CLIENTS,
    SECURITIES,
    st.sampled_from([BUY, SELL]),
    st.just("market"),
    st.sampled_from(["OPG", "CLS"]),
    QUANTITIES,
    PRICES,
    fees=RATES,
)


class DayAgainstReference(EngineAgainstReference):
    """The same, with phases."""

    def __init__(self) -> None:
        super().__init__()
        self.reference = ReferenceDay()

    @rule(orders=st.lists(_places | _auction_market_places, min_size=1, max_size=8))
    def place_for_the_day(self, orders: list[PlaceOrder]) -> None:
        """A batch of orders, most of them bound to the day."""
        self._place_all(orders)

    @rule(phase=_PHASES, security=st.none() | st.none() | SECURITIES, price=st.none() | PRICES)
    def set_phase(self, phase: str, security: str | None, price: int | None) -> None:
        """A phase of one security or of all."""
        listed = [("AAPL", price)] if price is not None else []
        self._run([SetPhase("admin", phase, security, "why", None, listed)])

    @rule()
    def sweep_soon(self) -> None:
        """Ended orders of the day are swept out with the next one: nobody may notice."""
        for book in self.engine.books.values():
            book.day_orders_limit = 0

    @invariant()
    def what_trades_is_not_crossed(self) -> None:
        """Only a book that collects, or was halted while it did, may be crossed."""
        for name, book in self.engine.books.items():
            if self.engine.phases.of(name).phase in ("continuous", "closed"):
                assert book.bids.best < book.asks.best


TestDayAgainstReference = DayAgainstReference.TestCase
TestDayAgainstReference.settings = settings(
    max_examples=60, stateful_step_count=60, deadline=None, suppress_health_check=list(HealthCheck)
)
