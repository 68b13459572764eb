"""The trading day in the engine: what begins and ends with a phase.

A book that trades continuously without a band costs nothing here (`Book.is_special` is False).
Everything is driven by the log: SetPhase and SetVolatilityBands, and the time of the batches for
what ends by itself.
"""

from matching_engine.domain.book import Book
from matching_engine.domain.call_auction import release_closing_orders, uncross
from matching_engine.domain.cancellation import end_orders
from matching_engine.domain.limit_states import end_limit_state
from matching_engine.domain.order_entry import trigger_elected
from matching_engine.domain.reports import report_news
from matching_engine.domain.settlement_cycles import close_cycle, end_cycle
from matching_engine.domain.shard import SETTLEMENT, Shard
from venue_protocol.commands import SetPhase
from venue_protocol.events import Event, PhaseChanged
from venue_protocol.orders import CLS, DAY, OPG
from venue_protocol.trading_day import (
    BEFORE_THE_OPENING,
    CLOSED,
    CLOSING_AUCTION,
    CONTINUOUS,
    HALTED,
    REOPENING_AUCTION,
    PhaseState,
)

VOLATILITY = "volatility"
"""The reason of a pause that the engine began itself, and of the auction that ends it."""
_SECOND_US = 1_000_000


def set_phase(shard: Shard, command: SetPhase, events: list[Event]) -> None:
    """Begin the commanded phase, and give elected stops their turn."""
    shard.references.update(command.reference_prices)
    is_timed = command.lasts_us is not None and command.security_id is not None
    until_us = shard.time_us + (command.lasts_us or 0) if is_timed else None
    _begin_phase(
        shard, command.security_id, PhaseState(command.phase, command.reason, until_us), events
    )
    if shard.elections_due:
        trigger_elected(shard, events)
    if command.phase == CLOSED and command.security_id is None:
        close_cycle(shard, events)


def _begin_phase(
    shard: Shard, security_id: str | None, state: PhaseState, events: list[Event]
) -> None:
    """End the phases that were, begin this one, and do what it brings: in one security, or in
    all it concerns.
    """
    kept = shard.phases.exceptions if security_id is None and state.phase != CLOSED else {}
    concerned = [
        book
        for name, book in shard.books.items()
        if security_id in (None, name) and not (name in kept and kept[name].is_halt_without_end)
    ]
    for book in concerned:
        _leave_phase(shard, book, state.phase, events)
    shard.phases.begin(security_id, state)
    report_news(shard, PhaseChanged(security_id, state.phase, state.reason, state.until_us), events)
    if security_id is None:
        for name, known in sorted(shard.phases.exceptions.items()):
            report_news(
                shard, PhaseChanged(name, known.phase, known.reason, known.until_us), events
            )
    for name in [security_id] if security_id is not None else sorted(shard.limited):
        end_limit_state(shard, name, events)
    for book in concerned:
        shard.note_phase(book)
        _enter_phase(shard, book, state.phase, events)
    shard.find_next_timer()


def _leave_phase(shard: Shard, book: Book, phase: str, events: list[Event]) -> None:
    """What the end of a book's phase brings when `phase` follows."""
    if phase in (CONTINUOUS, CLOSED):
        uncross(shard, book, events)
    if phase not in BEFORE_THE_OPENING and phase != HALTED:
        end_orders(shard, book, OPG, "opening_remainder", events)
    if phase in (CONTINUOUS, CLOSED):
        end_orders(shard, book, CLS, "closing_remainder", events, with_closing=phase == CLOSED)


def _enter_phase(shard: Shard, book: Book, phase: str, events: list[Event]) -> None:
    """What the begin of a phase brings to a book."""
    if phase == CLOSED:
        end_orders(shard, book, DAY, "expired", events)
    elif phase == CLOSING_AUCTION:
        release_closing_orders(shard, book, events)
    elif phase == CONTINUOUS and book.last_e4 is not None:
        band = shard.bands.get(book.security_id)
        if band is not None:
            band.restart(book.last_e4)
        if book.stops.elect(book.last_e4, book.last_e4):
            shard.elections_due.append(book)


def pass_time(shard: Shard, before_us: int, events: list[Event]) -> None:
    """At the start of a batch: references move, and what is due by its time ends, earliest
    first.
    """
    if shard.bands and before_us // _SECOND_US != shard.time_us // _SECOND_US:
        for moving in shard.bands.values():
            moving.move_reference(shard.time_us)
    while shard.due_us <= shard.time_us:
        at_us, name = min(shard.timers())
        if name == SETTLEMENT:
            end_cycle(shard, events)
            continue
        state, band = shard.phases.of(name), shard.bands.get(name)
        if state.until_us != at_us:
            assert band is not None
            pause = PhaseState(HALTED, VOLATILITY, at_us + band.pause_us)
            _begin_phase(shard, name, pause, events)
        elif state.phase == HALTED and band is not None:
            _begin_phase(
                shard,
                name,
                PhaseState(REOPENING_AUCTION, VOLATILITY, at_us + band.auction_us),
                events,
            )
        else:
            _begin_phase(shard, name, PhaseState(CONTINUOUS, state.reason), events)
            trigger_elected(shard, events)
