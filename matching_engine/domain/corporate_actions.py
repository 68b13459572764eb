"""Corporate actions in the engine: what becomes of a book and its open orders.

The security is halted or closed, so nothing trades and nothing is collected for an auction. Among
orders that come to stand at one price, those that stood in front before stay in front.
"""

from typing import Literal

import msgspec

from matching_engine.domain.book import Book, Order, hide_reserve
from matching_engine.domain.cancellation import withdraw
from matching_engine.domain.declared_dividends import DeclaredDividend
from matching_engine.domain.order_adjustment import AdjustedTerms, reduce_order, split_order
from matching_engine.domain.reports import discard, report_news
from matching_engine.domain.settlement_cycles import settle_all
from matching_engine.domain.shard import Shard
from matching_engine.domain.stops import StopOrder
from venue_protocol.commands import ApplyCorporateAction
from venue_protocol.corporate_actions import (
    CashDividend,
    CorporateAction,
    Delisting,
    Split,
    SymbolChange,
    reference_after_e4,
)
from venue_protocol.events import (
    CorporateActionApplied,
    CorporateActionDeclared,
    DividendPaid,
    Event,
    OrderAdjusted,
    PhaseChanged,
)
from venue_protocol.holds import held_amount
from venue_protocol.trading_day import CLOSED, HALTED


class _Rules(msgspec.Struct, frozen=True):
    """The action and the rules of its security."""

    action: CorporateAction
    tick_e4: int
    lot: int


def apply_action(
    shard: Shard, action_id: int, command: ApplyCorporateAction, events: list[Event]
) -> None:
    """Apply a corporate action, or declare a dividend and apply it if that is due already."""
    name, action = command.security_id, command.action
    rules = _Rules(action, command.tick_e4, command.lot)
    if isinstance(action, CashDividend):
        events.append(CorporateActionDeclared(action_id, name, action))
        declared = DeclaredDividend(
            action_id, name, action, rules.tick_e4, rules.lot, command.reference_price_e4
        )
        shard.dividends.append(declared)
        pass_dividends(shard, events)
        return
    _take_effect(shard, action_id, name, rules, command.reference_price_e4, events)


def pass_dividends(shard: Shard, events: list[Event]) -> None:
    """Let the declared dividends go ex that are due and whose security is halted or closed, and pay
    those that are due; oldest first. Each sees what those before it changed.
    """
    for action_id in [known.action_id for known in shard.dividends]:
        known = _declared(shard, action_id)
        name, action = known.security_id, known.action
        at_rest = shard.phases.of(name).phase in (HALTED, CLOSED)
        if not known.is_ex and action.ex_us <= shard.time_us and at_rest:
            rules = _Rules(action, known.tick_e4, known.lot)
            _take_effect(shard, action_id, name, rules, known.reference_e4, events)
            known = msgspec.structs.replace(_declared(shard, action_id), is_ex=True)
            shard.dividends = [
                known if each.action_id == action_id else each for each in shard.dividends
            ]
        if known.is_ex and action.pay_us <= shard.time_us:
            events.append(DividendPaid(action_id, name))
            shard.dividends = [each for each in shard.dividends if each.action_id != action_id]


def _declared(shard: Shard, action_id: int) -> DeclaredDividend:
    return next(known for known in shard.dividends if known.action_id == action_id)


def _take_effect(
    shard: Shard,
    action_id: int,
    name: str,
    rules: _Rules,
    reference_e4: int,
    events: list[Event],
) -> None:
    """Let an action take effect, told in the order in which it can be settled.

    Obligations settle first, so that none is in old shares. What it cancels is next, so that holds
    are released before shares go; then the action; then what it adjusts, so that shares are there
    before holds grow.
    """
    action, book = rules.action, shard.books.get(name)
    if not isinstance(action, CashDividend):
        settle_all(shard, events)
    if book is not None and _cancels_all(action):
        for order in _open_orders(shard, book):
            _cancel(shard, order, events)
    after_e4 = reference_after_e4(action, reference_e4, rules.tick_e4)
    report_news(shard, CorporateActionApplied(action_id, name, action, after_e4), events)
    if book is not None and not _cancels_all(action):
        _adjust_orders(shard, book, rules, events)
    if isinstance(action, Split):
        _scale_prices(shard, name, action)
    shard.references[name] = after_e4
    _follow(shard, name, action, after_e4, events)
    if book is not None:
        shard.note_phase(book)


def _cancels_all(action: CorporateAction) -> bool:
    if isinstance(action, Split):
        return action.is_reverse
    if isinstance(action, SymbolChange):
        return not action.keeps_orders
    return isinstance(action, Delisting)


def _scale_prices(shard: Shard, name: str, split: Split) -> None:
    """The last price and the reference of the band, in new shares."""
    book, band = shard.books.get(name), shard.bands.get(name)
    if book is not None and book.last_e4 is not None:
        book.last_e4 = split.price_e4(book.last_e4)
    if band is not None:
        band.restart(split.price_e4(band.reference_e4))


def _follow(
    shard: Shard,
    name: str,
    action: CorporateAction,
    reference_e4: int,
    events: list[Event],
) -> None:
    """Declared dividends, and what is known of a security by its name, follow the action."""
    dividends = [
        msgspec.structs.replace(known, reference_e4=reference_e4)
        if known.security_id == name
        else known
        for known in shard.dividends
    ]
    if isinstance(action, Delisting):
        dividends = [known for known in dividends if known.is_ex or known.security_id != name]
    if isinstance(action, SymbolChange):
        after = action.new_security_id
        dividends = [
            msgspec.structs.replace(known, security_id=after)
            if known.security_id == name
            else known
            for known in dividends
        ]
        _rename(shard, name, after, events)
    shard.dividends = dividends


def _rename(shard: Shard, name: str, after: str, events: list[Event]) -> None:
    """Let the book, its phase, band and reference stand under the new symbol. Books keep their
    order: their numbers are in what is noted of ended orders.
    """
    book = shard.books.get(name)
    if book is not None:
        shard.books = {after if key == name else key: known for key, known in shard.books.items()}
        book.security_id = book.bids.security_id = book.asks.security_id = after
    shard.references[after] = shard.references.pop(name)
    if name in shard.bands:
        shard.bands[after] = shard.bands.pop(name)
    if name in shard.phases.exceptions:
        state = shard.phases.exceptions[after] = shard.phases.exceptions[name]
        report_news(shard, PhaseChanged(after, state.phase, state.reason, state.until_us), events)


def _open_orders(shard: Shard, book: Book) -> list[Order]:
    """All open orders of a book, those that wait included, oldest first."""
    sides = (book.bids.index, book.asks.index)
    return [order for _, order in sorted(shard.orders.items()) if order.side_index in sides]


def _cancel(shard: Shard, order: Order, events: list[Event]) -> None:
    book_side = shard.sides[order.side_index]
    discard(shard, order, book_side, "corporate_action", events)
    withdraw(shard, order, book_side)


def _adjust_orders(shard: Shard, book: Book, rules: _Rules, events: list[Event]) -> None:
    """Give each open order its terms after the action, and put the resting ones back in place."""
    changes: dict[int, AdjustedTerms] = {}
    is_renamed = isinstance(rules.action, SymbolChange)
    for order in _open_orders(shard, book):
        before = AdjustedTerms(order.price_e4, order.leaves, order.terms)
        adjusted = _adjusted(shard, book, order, before, rules)
        if adjusted is None:
            _cancel(shard, order, events)
        elif adjusted != before or is_renamed:
            _report(shard, order, adjusted, rules.action, events)
            if adjusted != before:
                changes[order.order_id] = adjusted
    if not changes:
        return
    for book_side in (book.bids, book.asks):
        for order in book_side.take_all():
            if order.order_id in changes:
                _change(order, changes[order.order_id])
                hide_reserve(order)
            book_side.enter(order)
    for order in book.closing.values():
        if order.order_id in changes:
            _change(order, changes[order.order_id])
    for stop in list(book.stops.stops()):
        if stop.order.order_id in changes:
            _move_stop(book, stop, changes[stop.order.order_id])


def _adjusted(
    shard: Shard, book: Book, order: Order, before: AdjustedTerms, rules: _Rules
) -> AdjustedTerms | None:
    side, action = shard.sides[order.side_index].side, rules.action
    if isinstance(action, Split):
        return split_order(action, side, before, rules.tick_e4, rules.lot, order.held_bps)
    if isinstance(action, CashDividend):
        return reduce_order(
            action.per_share_e4, side, before, _waits_as(book, order), rules.tick_e4
        )
    return before


def _waits_as(book: Book, order: Order) -> Literal["limit", "market", "stop"]:
    if order.order_id in book.stops.waiting:
        return "stop"
    return "market" if order.order_id in book.unpriced else "limit"


def _report(
    shard: Shard,
    order: Order,
    adjusted: AdjustedTerms,
    action: CorporateAction,
    events: list[Event],
) -> None:
    book_side = shard.sides[order.side_index]
    side, held_bps = book_side.side, order.held_bps
    held = held_amount(side, order.price_e4, order.leaves, held_bps)
    events.append(
        OrderAdjusted(
            order.order_id,
            order.owner.client_id,
            book_side.security_id,
            side,
            order.quantity - order.leaves + adjusted.leaves,
            adjusted.price_e4,
            adjusted.leaves,
            order.price_e4,
            order.leaves,
            held_amount(side, adjusted.price_e4, adjusted.leaves, held_bps) - held,
            adjusted.terms,
            action.new_security_id if isinstance(action, SymbolChange) else None,
        )
    )


def _change(order: Order, adjusted: AdjustedTerms) -> None:
    order.quantity += adjusted.leaves - order.leaves
    order.price_e4, order.leaves, order.terms = adjusted


def _move_stop(book: Book, stop: StopOrder[Order], adjusted: AdjustedTerms) -> None:
    """Let a stop wait at its new stop price."""
    book.stops.remove(stop.order.order_id)
    _change(stop.order, adjusted)
    assert adjusted.terms is not None and adjusted.terms.stop_price_e4 is not None
    stop.stop_price_e4 = adjusted.terms.stop_price_e4
    book.stops.add(stop)
