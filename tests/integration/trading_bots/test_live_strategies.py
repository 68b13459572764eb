"""Strategies on a whole venue: every event reaches them once, and their view is what is true."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.integration.trading_bots.waiting import wait_for
from trading_bots.client import VenueClient
from trading_bots.commands import Amend, CancelAll, Intent, Place, WakeUp
from trading_bots.records import Book, Fill, OrderReport, PublicTrade, SettlementReport
from trading_bots.runner import BotSettings, Fleet
from trading_bots.strategy import Strategy, View
from trading_bots.venue_address import VenueAddress
from venue_launcher.running_venue import RunningVenue


class Diary(Strategy):
    """Bids 10 AMZN at 90.00, then at 91.00; a word for each thing it is told."""

    def __init__(self) -> None:
        self.words: list[str] = []
        self.fills: list[int] = []
        self.view: Any = None

    def on_start(self, view: View) -> Iterator[Intent]:
        self.view = view
        yield Place("AMZN", "BUY", 10, "90.00", client_order_id=f"first-{view.now_us}")
        yield Place("AMZN", "BUY", 1, "90.001")
        yield WakeUp(0.5, "amend")

    def on_timer(self, view: View, name: str) -> Iterator[Intent]:
        self.words.append(f"timer {name}")
        if name == "amend":
            yield from (
                Amend(order_id=order.order_id, price="91.00") for order in view.orders("AMZN")
            )
        elif name == "leave":
            yield CancelAll("AMZN")

    def on_book(self, view: View, book: Book) -> Iterator[Intent]:
        self.words += [f"bid {book.bids[0].price}"] if book.bids else []
        return iter(())

    def on_trade(self, view: View, trade: PublicTrade) -> Iterator[Intent]:
        self.words.append(f"trade {trade.quantity}")
        return iter(())

    def on_report(self, view: View, report: OrderReport) -> Iterator[Intent]:
        self.words.append(f"report {report.kind}")
        return iter(())

    def on_fill(self, view: View, fill: Fill) -> Iterator[Intent]:
        self.words.append(f"fill {fill.quantity}")
        self.fills.append(fill.quantity)
        yield WakeUp(0.2, "leave")

    def on_settlement(self, view: View, report: SettlementReport) -> Iterator[Intent]:
        self.words.append(f"settled {report.shares}")
        return iter(())


@contextmanager
def diary_of(client: VenueClient, venue: RunningVenue) -> Iterator[Diary]:
    """A running bot with the strategy above, on the client's account."""
    settings = BotSettings(
        client_id=client.client_id,
        api_key=client.api_key,
        strategy=f"{Path(__file__)}:Diary",
        securities=("AMZN",),
    )
    fleet = Fleet([settings], VenueAddress(venue.gateway_url, venue.market_data_url))
    fleet.start()
    try:
        yield vars(fleet.bots[0])["_strategy"]
    finally:
        fleet.stop()


def test_a_strategy_is_told_of_all_that_happens_and_its_view_is_that_of_the_venue(
    live_venue: RunningVenue, new_client: Callable[..., VenueClient]
) -> None:
    other, ann = new_client("other", "1000000.00", {"AMZN": 1000}), new_client("ann")
    with diary_of(ann, live_venue) as diary:
        wait_for(lambda: "bid 91.00" in diary.words)
        assert diary.view.cash.held == ann.balance().held == 910
        other.place("AMZN", "SELL", 4, "91.00")
        wait_for(lambda: {"settled 4", "report canceled"} <= set(diary.words))
        wait_for(lambda: ann.orders() == [] and ann.balance().held == 0)
        view = diary.view
        assert view.cash == ann.balance() and view.holding("AMZN") == ann.holding("AMZN")
        assert view.orders() == () and view.trades("AMZN")[-1].quantity == 4
    expected = {"report rejected", "report new", "timer amend", "report amended", "trade 4"}
    assert expected | {"report trade", "fill 4", "timer leave"} <= set(diary.words)


def test_a_fill_while_the_feed_is_away_is_told_once_when_it_is_back(
    live_venue: RunningVenue, new_client: Callable[..., VenueClient]
) -> None:
    other, ann = new_client("other", "1000000.00", {"AMZN": 1000}), new_client("ann")
    with diary_of(ann, live_venue) as diary:
        wait_for(lambda: "report amended" in diary.words)
        os.kill(live_venue.pids()["market_data_feed"], signal.SIGKILL)
        other.place("AMZN", "SELL", 3, "91.00")
        wait_for(lambda: bool(diary.fills), 60)
        other.place("AMZN", "SELL", 1, "80.00")
        wait_for(lambda: ann.orders() == [], 60)
        wait_for(lambda: diary.view.holding("AMZN") == ann.holding("AMZN"), 30)
    assert diary.fills[0] == 3 and sum(diary.fills) == ann.holding("AMZN").quantity
