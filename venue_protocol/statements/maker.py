"""Makes a statement from what a store can be asked: reports, trades, reference prices."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple, Protocol

from venue_protocol.corporate_actions import CorporateAction, Split, reference_after_e4
from venue_protocol.mark import MOST_TRADES, MarkTrade, mark
from venue_protocol.settlement import SettlementReport
from venue_protocol.statements.cost_basis import CostBasis
from venue_protocol.statements.fold import Discharge, StatementFold
from venue_protocol.statements.statement import Line, Statement

_MOST_STEPS = 20
"""So many times MOST_TRADES are looked at for the mark of a moment; then the reference price."""


class Listing(NamedTuple):
    """What a price of a security is made with, ten-thousandths of a dollar."""

    reference_e4: int
    """When it was listed."""
    tick_e4: int
    actions: Sequence[tuple[int, CorporateAction]] = ()
    """Corporate actions since then, and when they took effect, oldest first."""

    def reference_at(self, time_us: int) -> int:
        """The reference price of a moment: that of the listing, as the actions since changed it."""
        price_e4 = self.reference_e4
        for action in self._between(0, time_us):
            price_e4 = reference_after_e4(action, price_e4, self.tick_e4)
        return price_e4

    def adjusted(self, trade: MarkTrade, at_us: int) -> MarkTrade:
        """A trade in the shares of a later moment: a split between the two changes its price."""
        for action in self._between(trade.time_us, at_us):
            if isinstance(action, Split):
                shares = max(action.shares(trade.quantity), 1)
                trade = trade._replace(price_e4=action.price_e4(trade.price_e4), quantity=shares)
        return trade

    def _between(self, from_us: int, to_us: int) -> Iterator[CorporateAction]:
        return (action for at_us, action in self.actions if from_us < at_us <= to_us)


class StatementSource(Protocol):
    """What a statement is made from."""

    def reports(self, client_id: str) -> Iterator[SettlementReport]:
        """All reports of the client, oldest first."""
        ...

    def amended_trades(self, client_id: str) -> set[int]:
        """Trades of the client that a bust or correction has changed."""
        ...

    def discharges(self, client_id: str) -> list[Discharge]:
        """Borrowed shares that were given back for the client, oldest first."""
        ...

    def listings(self) -> Mapping[str, Listing]:
        """Of each listed security."""
        ...

    def trades_until(self, security_id: str, time_us: int, passed: int) -> list[MarkTrade]:
        """At most MOST_TRADES trades before `time_us`, newest first, behind the newest `passed`."""
        ...

    def marks_now(self) -> Mapping[str, int]:
        """The marks as the standings have them now."""
        ...


class Period(NamedTuple):
    """Microseconds since the epoch."""

    from_us: int
    """The first moment that belongs to it."""
    to_us: int
    """The first moment that does not."""
    reaches_now: bool
    """It ends with what is there now, so the shares count at the marks of the standings."""


def make(
    source: StatementSource, client_id: str, period: Period, keep: Callable[[Line], None]
) -> Statement:
    """The statement; each of its lines is given to `keep`, oldest first."""
    listings = source.listings()
    fold = StatementFold(
        client_id,
        period.from_us,
        period.to_us,
        lambda name, time_us: listings[name].reference_at(time_us) if name in listings else 0,
        source.amended_trades(client_id),
        source.discharges(client_id),
    )
    for report in source.reports(client_id):
        line = fold.take(report)
        if line is not None:
            keep(line)
        elif fold.is_over():
            break
    opening_e4 = _prices(source, listings, fold.opening_owned(), period.from_us)
    closing = fold.closing_owned()
    if not period.reaches_now:
        return fold.statement(opening_e4, _prices(source, listings, closing, period.to_us))
    marks_e4 = source.marks_now()
    return fold.statement(opening_e4, {name: marks_e4.get(name, 0) for name in closing})


def _prices(
    source: StatementSource,
    listings: Mapping[str, Listing],
    owned: Mapping[str, CostBasis],
    at_us: int,
) -> dict[str, int]:
    known = [name for name in owned if name in listings]
    return {name: mark_at(source, name, at_us, listings[name]) for name in known}


def mark_at(source: StatementSource, security_id: str, at_us: int, listing: Listing) -> int:
    """The mark of a moment of the past: the rule of `mark` on the trades before it.

    Of two middle voices it takes the one nearer to the reference price, which also counts where
    no trades before the moment have enough voices. Trades before a split count in new shares.
    """
    reference_e4 = listing.reference_at(at_us)
    for step in range(_MOST_STEPS):
        trades = source.trades_until(security_id, at_us, step * MOST_TRADES)
        found_e4 = _told([listing.adjusted(each, at_us) for each in trades], reference_e4)
        if found_e4 is not None:
            return found_e4 // listing.tick_e4 * listing.tick_e4
        if len(trades) < MOST_TRADES:
            break
    return reference_e4


def _told(trades: Iterable[MarkTrade], reference_e4: int) -> int | None:
    """The mark of these trades; None if they have too few voices, which no price can say."""
    found_e4 = mark(trades, -1)
    return None if found_e4 == -1 else mark(trades, reference_e4)
