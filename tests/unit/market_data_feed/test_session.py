"""The trading day in the feed: phases and indications as told, and a book that is the engine's at
each batch.
"""

from market_data_feed.adapters import views
from market_data_feed.domain.market import Market
from market_data_feed.domain.orders import Fold
from market_data_feed.domain.trading_phases import Session, SessionRow, session_row
from market_data_feed.domain.working_order import WorkingOrder
from tests.unit.matching_engine.day_desk import DayDesk, order
from venue_protocol.codec import SCHEMA
from venue_protocol.commands import Command
from venue_protocol.events import AuctionIndication, EventBatch, LimitStateChanged, PhaseChanged
from venue_protocol.orders import OrderTerms


class FollowedDesk(DayDesk):
    """A desk whose events are folded; after each batch the feed's book must be the engine's."""

    def __init__(self) -> None:
        super().__init__()
        self.working: dict[int, WorkingOrder] = {}
        self.market = Market()
        self.session = Session()
        self.roles: list[bool | None] = []
        self._next = 1

    def engine_events(self, *commands: Command) -> list:  # type: ignore[type-arg]
        """The events of these commands, folded."""
        events = super().engine_events(*commands)
        batch = EventBatch(SCHEMA, 0, self._next, 1, 1, self.engine.time_us, events)
        self._next += len(events)
        fold = Fold(self.working)
        fold.apply(batch, batch.first)
        for effect in fold.effects:
            self.market.apply(effect)
            for row in effect.session:
                self.session.apply(row)
            self.roles += [
                report.is_aggressor for report in effect.reports if report.kind == "trade"
            ]
        for name in self.engine.books:
            seen = self.market.security(name)
            shown = [
                [level[:2] for level in book_side.depth()] for book_side in (seen.bids, seen.asks)
            ]
            assert shown == [list(book_side) for book_side in self.engine.depth(name, 100)]
            assert self.session.phase(0, name).phase == self.engine.phases.of(name).phase
        return events


def test_through_a_whole_day_the_feed_shows_the_engines_book() -> None:
    desk = FollowedDesk()
    desk.phase("opening_auction")
    desk.place("B 9@10.10 DAY ann", "S 4@9.90 OPG bob", "S 9@market 8 CLS cat")
    desk.run(order("S 20@10.05 dan", terms=OrderTerms(display_quantity=5)))
    indication = desk.session.indication(0, "AAPL")
    assert indication is not None
    assert (indication.paired, indication.price_e4) == (9, 100_500)
    desk.phase("continuous")
    assert desk.roles == [None] * 4
    desk.amend(4, 8, "8.10")
    desk.place("B 2@10.00 CLS dan", "B 3@10.05 ann")
    desk.phase("closing_auction")
    desk.place("B 7@10.05 ann")
    desk.phase("closed")
    assert desk.session.indication(0, "AAPL") is None


def test_only_closing_orders_wait_and_an_amend_does_not_show_them() -> None:
    desk = FollowedDesk()
    desk.place("S 5@10.00 CLS ann")
    assert desk.working[1].is_waiting()
    desk.amend(1, 6, "10.10")
    assert desk.market.security("AAPL").asks.depth() == []
    desk.phase("closing_auction")
    assert desk.market.security("AAPL").asks.depth() == [(101_000, 6, 1)]


def rows() -> list[SessionRow]:
    told = [
        PhaseChanged("AAPL", "halted", "news"),
        AuctionIndication("MSFT", 5, 1, 0, None),
        PhaseChanged(None, "opening_auction"),
        PhaseChanged("AAPL", "halted", "news"),
        AuctionIndication("MSFT", 100_000, 7, 2, "BUY"),
        LimitStateChanged("GOOG", "SELL", 90_000, 110_000),
    ]
    return [session_row(0, event, 10 + number, number) for number, event in enumerate(told, 1)]


def test_the_recorded_rows_give_the_session_that_all_events_gave() -> None:
    followed, loaded = Session(), Session()
    newest = {}
    for row in rows():
        followed.apply(row)
        newest[row.key] = row
    loaded.load(reversed(list(newest.values())))
    assert views.session(loaded, 16) == views.session(followed, 16)


def test_the_view_says_what_differs_from_the_shards_phase() -> None:
    session = Session()
    session.load(rows())
    view = views.session(session, 16)
    assert view["phases"] == {"0": {"phase": "opening_auction", "reason": None, "until_us": None}}
    assert list(view["securities"]) == ["AAPL", "GOOG", "MSFT"]
    assert view["securities"]["AAPL"]["phase"] == "halted"
    assert view["securities"]["MSFT"]["indicative_price"] == "10.00"
    assert view["securities"]["MSFT"]["imbalance_side"] == "BUY"
    assert (view["securities"]["GOOG"]["limit_state"], view["securities"]["GOOG"]["band_low"]) == (
        "SELL",
        "9.00",
    )
