"""A bot sees the past exactly as it was published."""

from itertools import pairwise
from random import Random

import msgspec
import pytest

from order_entry_gateway.domain.requests import CancelAllAction, PlaceOrderRequest
from service_runtime.http.authentication import Caller
from tests.unit.venue_simulation.market_bots import security
from trading_bots.records import Book
from venue_protocol.orders import Side
from venue_simulation.market_plan import START_US
from venue_simulation.published_market import DEPTH, PublishedMarket
from venue_simulation.simulated_venue import Committed, SimulatedVenue


@pytest.mark.parametrize("seed", range(5))
def test_every_book_of_the_last_while_is_the_one_that_was_there(seed: int) -> None:
    random = Random(seed)
    venue = SimulatedVenue([security().listed()], START_US)
    venue.add_client("ann", 10**12, {"AAPL": 10**6})
    market = PublishedMarket(venue.securities["AAPL"], venue.market.security("AAPL"), 10**9)
    then: list[tuple[int, Book]] = []

    def note(committed: Committed) -> None:
        levels = [
            (side, price, change[0], change[1])
            for (_, side, price), change in committed.effect.levels.items()
            if any(change)
        ]
        market.changed(committed.effect.time_us, levels, committed.effect.trades)
        then.append((committed.effect.time_us, _copy(market.book(committed.effect.time_us))))

    venue.on_commit = note
    ann = Caller("ann", "trader")
    for _ in range(300):
        venue.clock.advance(random.randrange(1, 2_000))
        side: Side = random.choice(("BUY", "SELL"))
        cents = 10_000 + random.randrange(-2, 60) * (-1 if side == "BUY" else 1)
        place = PlaceOrderRequest(
            "AAPL",
            side,
            "limit",
            random.randrange(1, 30),
            msgspec.Raw(b'"%d.%02d"' % divmod(cents, 100)),
            self_trade_prevention="cancel_oldest",
        )
        venue.desk.begin(ann, [CancelAllAction() if random.random() < 0.002 else place])
        venue.commit()
    checked = 0
    for (time_us, book), (next_us, _) in pairwise(then):
        for at_us in (time_us, next_us - 1):
            seen = market.book(at_us)
            assert (seen.bids, seen.asks) == (book.bids, book.asks)
            price = market.price(at_us)
            assert price.bid == (book.bids[0].price if book.bids else None)
            assert price.ask == (book.asks[0].price if book.asks else None)
            checked += 1
    assert checked > 500
    assert any(len(book.bids) == DEPTH for _, book in then)


def _copy(book: Book) -> Book:
    return Book(security=book.security, bids=list(book.bids), asks=list(book.asks))
