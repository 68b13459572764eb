"""What a replay led to at the venue, beside what it had to lead to."""

import itertools
import time
from collections.abc import Mapping
from dataclasses import dataclass

from trading_bots.client import VenueClient
from trading_bots.records import Book, Fill
from venue_protocol.money import parse_e4
from venue_trials.recorded_flow.sender import ReplayError, Sent
from venue_trials.recorded_flow.steps import Levels, Plan, ReplayFill, merged

_PATIENCE_S = 60.0
_TURN_S = 0.05
_PAGE = 500
_BOOK_PATIENCE_S = 10.0
BOOK_DEPTH = 10


@dataclass(frozen=True)
class Outcome:
    """Fills and final book as the venue reports them, and as expected.

    Labels are the recorded ids.
    """

    security: str
    plan: Plan
    sent: Sent
    fills: list[ReplayFill]
    levels: Levels
    """The best BOOK_DEPTH levels of each side at the end."""

    def difference(self) -> str | None:
        """The first thing that is not as expected, in words; None when fills and book are equal."""
        pairs = itertools.zip_longest(self.fills, self.plan.expected_fills)
        for number, (fill, expected) in enumerate(pairs, 1):
            if fill != expected:
                return f"fill {number} is {fill}, expected was {expected}"
        expected_top = _top(self.plan.expected_levels)
        if self.levels != expected_top:
            return f"the final book is {self.levels}, expected was {expected_top}"
        return None


def read_outcome(
    plan: Plan, sent: Sent, security: str, clients: Mapping[str, VenueClient]
) -> Outcome:
    """The outcome, once the venue has recorded everything that was sent.

    ReplayError when it does not get there.
    """
    for owner, order_id in sent.last_order.items():
        _wait_until_recorded(clients[owner], order_id)
    fills = _fills(plan, clients)
    levels = _final_levels(plan, security, clients)
    return Outcome(security, plan, sent, merged(fills) if plan.merges_fills else fills, levels)


def _wait_until_recorded(client: VenueClient, order_id: int) -> None:
    """Wait as long as the record goes on: a whole day of orders may be recorded for minutes."""
    deadline = time.monotonic() + _PATIENCE_S
    recorded = 0
    while True:
        newest = client.orders("all", 1)
        if newest and newest[0].order_id >= order_id:
            return
        if newest and newest[0].order_id > recorded:
            recorded = newest[0].order_id
            deadline = time.monotonic() + _PATIENCE_S
        if time.monotonic() > deadline:
            raise ReplayError(
                f"order {order_id} was accepted, but is not on record after {_PATIENCE_S:.0f} s"
            )
        time.sleep(_TURN_S)


def _fills(plan: Plan, clients: Mapping[str, VenueClient]) -> list[ReplayFill]:
    """All fills of the replay's accounts, two of one trade joined, in the order of the trades."""
    makers: dict[int, Fill] = {}
    takers: dict[int, Fill] = {}
    for client in clients.values():
        for fill in _all_fills(client):
            (makers if fill.role == "maker" else takers)[fill.trade_id] = fill
    if makers.keys() != takers.keys():
        raise ReplayError(f"trades without two sides: {sorted(makers.keys() ^ takers.keys())[:10]}")
    return [_joined(plan, makers[trade_id], takers[trade_id]) for trade_id in sorted(makers)]


def _joined(plan: Plan, maker: Fill, taker: Fill) -> ReplayFill:
    if (maker.price, maker.quantity) != (taker.price, taker.quantity):
        raise ReplayError(f"the two sides of trade {maker.trade_id} differ: {maker} and {taker}")
    labels = [plan.labels[fill.client_order_id or ""] for fill in (maker, taker)]
    return ReplayFill(parse_e4(maker.price), maker.quantity, *labels)


def _all_fills(client: VenueClient) -> list[Fill]:
    fills: list[Fill] = []
    while True:
        page = client.fills(fills[-1].sequence if fills else 0, _PAGE)
        fills += page
        if len(page) < _PAGE:
            return fills


def _final_levels(plan: Plan, security: str, clients: Mapping[str, VenueClient]) -> Levels:
    """The final book; what the last cancels do to it may take a moment to show."""
    client = next(iter(clients.values()))
    deadline = time.monotonic() + _BOOK_PATIENCE_S
    while True:
        levels = _levels(client.book(security, BOOK_DEPTH))
        if levels == _top(plan.expected_levels) or time.monotonic() > deadline:
            return levels
        time.sleep(_TURN_S)


def _levels(book: Book) -> Levels:
    bids, asks = (
        [(parse_e4(level.price), level.quantity) for level in side]
        for side in (book.bids, book.asks)
    )
    return Levels(bids, asks)


def _top(levels: Levels) -> Levels:
    return Levels(list(levels.bids[:BOOK_DEPTH]), list(levels.asks[:BOOK_DEPTH]))
