"""When cycles end: by the time of the log, at the close, on command, and when netting ends."""

from matching_engine.domain.engine import MatchingEngine
from venue_protocol.codec import SCHEMA
from venue_protocol.commands import (
    AdvanceTime,
    Command,
    CommandBatch,
    PlaceOrder,
    SetPhase,
    SetSettlement,
    StartSettlementCycle,
)
from venue_protocol.events import (
    Event,
    SettlementCycle,
    SettlementModeChanged,
    TimeAdvanced,
    Trade,
)

SECOND = 1_000_000


class Desk:
    """One engine; each call is one batch at the second named."""

    def __init__(self) -> None:
        self.engine = MatchingEngine(0)

    def run(self, second: float, *commands: Command) -> list[Event]:
        first = self.engine.log_position + 1
        time_us = round(second * SECOND)
        return self.engine.apply(CommandBatch(SCHEMA, 0, first, time_us, list(commands))).events

    def trade(self, second: float) -> int | None:
        """The cycle in which a trade made now is due."""
        orders = [
            PlaceOrder(name, "AAPL", side, "limit", "GTC", 1, 100)
            for name, side in (("ann", "BUY"), ("bob", "SELL"))
        ]
        (made,) = [event for event in self.run(second, *orders) if isinstance(event, Trade)]
        return made.settlement_cycle


def net(every_s: int | None = None, at_close: bool = False, lag: int = 0) -> SetSettlement:
    interval_us = every_s * SECOND if every_s else None
    return SetSettlement("admin", "net", interval_us, at_close, lag)


def cycles(events: list[Event]) -> list[tuple[int, bool]]:
    return [(one.number, one.is_final) for one in events if isinstance(one, SettlementCycle)]


def test_a_venue_settles_gross_until_it_is_told_otherwise() -> None:
    desk = Desk()
    assert desk.trade(1) is None
    assert "settlement" not in desk.engine.snapshot().decode()
    assert desk.run(2, StartSettlementCycle("admin")) == [TimeAdvanced()]


def test_a_cycle_ends_at_each_multiple_of_its_interval() -> None:
    desk = Desk()
    changed = desk.run(11, net(every_s=5))
    assert changed == [SettlementModeChanged("net", 5 * SECOND, False, 0, 1)]
    assert desk.trade(12) == 1
    assert cycles(desk.run(14.9, AdvanceTime())) == []
    assert cycles(desk.run(15, AdvanceTime())) == [(1, False)]
    assert desk.trade(16) == 2
    assert cycles(desk.run(31, AdvanceTime())) == [(2, False)], "a late cycle comes once"
    assert cycles(desk.run(35, AdvanceTime())) == [(3, False)]


def test_the_cycle_that_is_due_ends_before_the_commands_of_its_batch() -> None:
    desk = Desk()
    desk.run(1, net(every_s=5))
    assert desk.trade(5) == 2


def test_with_a_lag_a_trade_waits_for_a_later_cycle() -> None:
    desk = Desk()
    desk.run(1, net(lag=1))
    assert desk.trade(2) == 2
    assert cycles(desk.run(3, StartSettlementCycle("admin"))) == [(1, False)]
    assert desk.trade(4) == 3


def test_a_cycle_ends_when_the_whole_shard_closes_and_what_uncrosses_is_in_it() -> None:
    desk = Desk()
    desk.run(1, net(at_close=True))
    desk.run(2, SetPhase("admin", "closing_auction"))
    for name, side in (("ann", "BUY"), ("bob", "SELL")):
        desk.run(3 + (name == "bob"), PlaceOrder(name, "AAPL", side, "limit", "GTC", 1, 100))
    events = desk.run(5, SetPhase("admin", "closed"))
    due = [event.settlement_cycle for event in events if isinstance(event, Trade)]
    assert (due, cycles(events)) == ([1], [(1, False)])
    assert isinstance(events[-1], SettlementCycle)


def test_one_security_that_closes_ends_no_cycle() -> None:
    desk = Desk()
    desk.run(1, net(at_close=True))
    desk.trade(2)
    assert cycles(desk.run(3, SetPhase("admin", "closed", "AAPL"))) == []


def test_back_to_gross_a_last_cycle_takes_all_that_was_due_later() -> None:
    desk = Desk()
    desk.run(1, net(every_s=5, lag=3))
    assert desk.trade(2) == 4
    desk.run(3, net(every_s=5))
    assert desk.trade(4) == 1
    assert cycles(desk.run(4.5, SetSettlement("admin", "gross"))) == [(4, True)]
    assert desk.trade(4.6) is None
    assert cycles(desk.run(10, AdvanceTime())) == []
    desk.run(11, net())
    assert desk.trade(12) == 5, "a number never comes again"


def test_a_restored_engine_goes_on_with_the_same_cycle() -> None:
    desk = Desk()
    desk.run(1, net(every_s=5, lag=1))
    desk.trade(2)
    desk.run(5, AdvanceTime())
    other = Desk()
    other.engine = MatchingEngine.restore(desk.engine.snapshot())
    assert other.engine.state_hash() == desk.engine.state_hash()
    for second in (6, 12, 17):
        assert other.trade(second) == desk.trade(second)
    assert other.engine.state_hash() == desk.engine.state_hash()
