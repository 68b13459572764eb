"""From events to settled shares: novation, delivery versus payment, holds, reports.

Novation (NSCC): the clearinghouse becomes buyer to the seller and seller to the buyer, so each
trade is four movements of cash and four of shares that meet in its account and leave nothing there.

EFFECTS at the end says for each kind of event which positions it touches and what it does to them.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple, get_args

from clearinghouse.domain.corporate_actions import (
    ActionRecord,
    adjust_hold,
    apply_action,
    note_declared,
    pay_dividend,
    venue_positions,
)
from clearinghouse.domain.corrections import Correction
from clearinghouse.domain.fees import FEES, fee_legs, trade_fees_e4
from clearinghouse.domain.ledger import HoldRelease, Journal, Ledger, Leg, ReportChain, Shortfall
from clearinghouse.domain.net_settlement import exempt, notify, settle_cycle
from clearinghouse.domain.report_chain import ReportWriter, SealedReport
from clearinghouse.domain.venue_accounts import CLEARINGHOUSE, EXTERNAL
from venue_protocol.events import (
    AmendRejected,
    BuyInNotified,
    CorporateActionApplied,
    CorporateActionDeclared,
    DividendPaid,
    Event,
    OrderAdjusted,
    OrderAmended,
    OrderCanceled,
    OrderReduced,
    SettlementCycle,
    SharesExempted,
    Trade,
)
from venue_protocol.holds import CASH, held_amount, held_asset
from venue_protocol.invariants import BrokenInvariant
from venue_protocol.netting_book import NettingBook
from venue_protocol.orders import BUY, SELL, Side
from venue_protocol.settlement import SettlementKind


@dataclass(frozen=True, slots=True)
class Obligation:
    """A trade that could not be settled, and why. Never in a healthy venue."""

    trade: Trade
    time_us: int
    reason: str


def trade_legs(trade: Trade) -> tuple[Leg, ...]:
    """The eight legs of a novated trade: payment, then delivery; then its fees.

    An example: Ann buys 10 AAPL from Bob at $100.00. In ten-thousandths of a dollar and shares:

        account        USD          AAPL
        ann            -10,000,000                Ann pays the clearinghouse,
        clearinghouse  +10,000,000
        clearinghouse  -10,000,000                which pays Bob.
        bob            +10,000,000
        bob                         -10           Bob delivers to the clearinghouse,
        clearinghouse               +10
        clearinghouse               -10           which delivers to Ann.
        ann                         +10

    Each column sums to zero, and so do the clearinghouse's own four lines: it is between the two
    for an instant and keeps nothing. A fee is two legs more: from its payer to the account `fees`.
    """
    cash_e4 = trade.price_e4 * trade.quantity
    security = trade.security_id
    return (
        Leg(trade.buy_client_id, CASH, -cash_e4),
        Leg(CLEARINGHOUSE, CASH, cash_e4),
        Leg(CLEARINGHOUSE, CASH, -cash_e4),
        Leg(trade.sell_client_id, CASH, cash_e4),
        Leg(trade.sell_client_id, security, -trade.quantity),
        Leg(CLEARINGHOUSE, security, trade.quantity),
        Leg(CLEARINGHOUSE, security, -trade.quantity),
        Leg(trade.buy_client_id, security, trade.quantity),
        *fee_legs(trade),
    )


def trade_releases(trade: Trade) -> tuple[HoldRelease, HoldRelease]:
    """What the two filled orders held for this quantity: the buyer's limit with the highest fee on
    it, the seller's shares.

    An example: Ann's limit is $100.50 and she buys 10 at $100.00. $1,005.00 of her hold end; $1,000
    are paid and $5.00 are available again.
    """
    return (
        HoldRelease(
            trade.buy_client_id,
            CASH,
            held_amount(BUY, trade.buy_price_e4, trade.quantity, trade.buy_held_bps),
        ),
        HoldRelease(
            trade.sell_client_id,
            trade.security_id,
            held_amount(SELL, trade.price_e4, trade.quantity),
        ),
    )


class Settlement:
    """Applies events and transfers to a ledger and collects what must be written with it.

    One instance serves one database transaction (or, in the audit, the whole history).
    """

    def __init__(
        self,
        ledger: Ledger,
        chains: dict[str, ReportChain],
        last_journal_id: int,
        last_report_sequence: int,
        netting: NettingBook | None = None,
    ) -> None:
        self.ledger = ledger
        self.netting = netting or NettingBook()
        self.last_journal_id = last_journal_id
        self.journals: list[Journal] = []
        self.obligations: list[Obligation] = []
        self.actions = ActionRecord()
        self._reports = ReportWriter(ledger, chains, last_report_sequence)

    @property
    def report_writer(self) -> ReportWriter:
        """What seals reports, for the rules beside this module."""
        return self._reports

    @property
    def reports(self) -> list[SealedReport]:
        """The reports written so far, in sequence."""
        return self._reports.sealed

    @property
    def chains(self) -> dict[str, ReportChain]:
        """Ends of the clients' report chains."""
        return self._reports.chains

    @property
    def last_report_sequence(self) -> int:
        """Venue-wide sequence of the newest report."""
        return self._reports.last_sequence

    def apply(self, event: Event, time_us: int) -> None:
        """Do what EFFECTS says of this event."""
        EFFECTS[type(event)].do(self, event, time_us)

    def transfer(
        self,
        kind: str,
        time_us: int,
        legs: Iterable[Leg],
        reference: str | None = None,
        memo: str | None = None,
    ) -> Shortfall | None:
        """Post a deposit, withdrawal or issue; reports go to each account that is not external.

        `fees` gets none either: trades change it without one, so its journals are its record.
        """
        legs = tuple(legs)
        shortfall = self.ledger.post(legs)
        if shortfall is None:
            journal = self.write_journal(kind, time_us, legs, reference=reference)
            for leg in legs:
                if leg.client_id != FEES and not self._is_external(leg):
                    self._reports.transferred(journal, leg, memo)
        return shortfall

    def _is_external(self, leg: Leg) -> bool:
        return self.ledger.position(leg.client_id, leg.asset).is_external

    def correct(self, correction: Correction, time_us: int) -> Shortfall | None:
        """Bust or correct a settled trade, and tell both sides; a Shortfall has changed nothing."""
        shortfall = self.ledger.post(correction.legs)
        if shortfall is None:
            journal = self.write_journal(
                correction.kind, time_us, correction.legs, reference=correction.reference
            )
            self._reports.corrected(journal, correction)
        return shortfall

    def fail(self, trade: Trade, time_us: int, reason: str) -> None:
        """Move nothing for this trade: release its holds, note the obligation, tell both sides."""
        for release in trade_releases(trade):
            self.ledger.release(release)
        self.obligations.append(Obligation(trade, time_us, reason))
        self._reports.failed(trade, time_us, reason)

    def settle(self, trade: Trade, time_us: int) -> None:
        """Exchange the cash and shares of a trade, both or neither, and report to both sides."""
        quantity = trade.quantity
        fees_e4 = trade_fees_e4(trade)
        shortfall = self.ledger.exchange(
            trade.buy_client_id,
            trade.sell_client_id,
            trade.security_id,
            quantity,
            trade.price_e4 * quantity,
            held_amount(BUY, trade.buy_price_e4, quantity, trade.buy_held_bps),
            fees_e4,
            FEES,
        )
        if shortfall is not None:
            self.fail(trade, time_us, str(shortfall))
            return
        if trade.settlement_cycle is not None:
            # Payment and delivery follow in that cycle, and so do their journals.
            self.netting.add_trade(trade, trade.settlement_cycle, fees_e4, FEES)
            self._reports.traded(Journal(0, "trade", time_us, ()), trade, fees_e4)
            return
        self._reports.traded(
            self.write_journal("trade", time_us, trade_legs(trade), trade_id=trade.trade_id),
            trade,
            fees_e4,
        )

    def act(
        self,
        kind: SettlementKind,
        time_us: int,
        legs: tuple[Leg, ...],
        action_id: int,
        client_id: str,
        security_id: str,
        memo: str,
        releases: tuple[HoldRelease, ...] = (),
    ) -> None:
        """Post one holder's part of a corporate action, and report each security it moves.

        BrokenInvariant if it is not covered. The reference is the last guard against doing it
        twice.
        """
        for leg in legs:
            self.ledger.position(leg.client_id, leg.asset).is_external |= leg.client_id in EXTERNAL
        shortfall = self.ledger.post(legs, releases)
        if shortfall is not None:
            raise BrokenInvariant(f"a corporate action is not covered: {shortfall}")
        reference = f"action:{action_id}:{client_id}"
        journal = self.write_journal(kind, time_us, legs, reference=reference)
        moved = dict.fromkeys(leg.asset for leg in legs if leg.asset != CASH) or [security_id]
        for number, name in enumerate(moved):
            self._reports.acted(kind, journal, client_id, name, memo, with_cash=number == 0)

    def release(self, client_id: str, side: Side, security_id: str, amount: int) -> None:
        """Shrink the hold of an order: of cash if it buys, of shares if it sells."""
        self.ledger.release(HoldRelease(client_id, held_asset(side, security_id), amount))

    def write_journal(
        self,
        kind: str,
        time_us: int,
        legs: tuple[Leg, ...],
        trade_id: int | None = None,
        reference: str | None = None,
    ) -> Journal:
        self.last_journal_id += 1
        journal = Journal(self.last_journal_id, kind, time_us, legs, trade_id, reference)
        self.journals.append(journal)
        return journal


Position = tuple[str, str]
"""Client and asset."""


class Effect(NamedTuple):
    """What one kind of event means for the ledger."""

    positions: Callable[[Any], tuple[Position, ...]]
    """Every position that `do` may change or report; they are locked before it."""
    do: Callable[[Settlement, Any, int], None]
    """Applies the event; the last argument is its time, microseconds since the epoch."""


def _of_both_sides(trade: Trade) -> tuple[Position, ...]:
    buyer, seller, security = trade.buy_client_id, trade.sell_client_id, trade.security_id
    both = (buyer, CASH), (buyer, security), (seller, CASH), (seller, security)
    return (*both, (FEES, CASH)) if trade.buy_fee_bps or trade.sell_fee_bps else both


def _of_order(
    event: OrderCanceled | OrderReduced | OrderAmended | OrderAdjusted,
) -> tuple[Position, ...]:
    return (event.client_id, CASH), (event.client_id, event.security_id)


def _of_deposit(event: SharesExempted) -> tuple[Position, ...]:
    # Its deposit may be freed by a later event of the same transaction.
    return ((event.client_id, CASH),)


def _of_rejected_amend(event: AmendRejected) -> tuple[Position, ...]:
    # Without a security the order is unknown, and nothing was held for its amend.
    if event.security_id is None:
        return ()
    return (event.client_id, CASH), (event.client_id, event.security_id)


def _settle(settlement: Settlement, trade: Trade, time_us: int) -> None:
    settlement.settle(trade, time_us)


def _release_canceled(settlement: Settlement, event: OrderCanceled, time_us: int) -> None:
    """The rest of the order: 6 shares open of a buy limit of $100.50 free $603.00."""
    amount = held_amount(event.side, event.price_e4, event.quantity, event.held_bps)
    settlement.release(event.client_id, event.side, event.security_id, amount)


def _release_reduced(settlement: Settlement, event: OrderReduced, time_us: int) -> None:
    """The shares taken away: 2 of a buy limit of $100.50 free $201.00, the others stay held."""
    amount = held_amount(event.side, event.price_e4, event.reduced, event.held_bps)
    settlement.release(event.client_id, event.side, event.security_id, amount)


def _release_amended(settlement: Settlement, event: OrderAmended, time_us: int) -> None:
    """What the new terms do not need; the engine has worked it out from the fills so far."""
    if event.hold_released:
        settlement.release(event.client_id, event.side, event.security_id, event.hold_released)


def _release_rejected(settlement: Settlement, event: AmendRejected, time_us: int) -> None:
    """What the door held in addition for an amend that could not be done."""
    if event.hold_released and event.side is not None and event.security_id is not None:
        settlement.release(event.client_id, event.side, event.security_id, event.hold_released)


def _nothing_touched(event: object) -> tuple[Position, ...]:
    return ()


def _do_nothing(settlement: Settlement, event: object, time_us: int) -> None:
    """Books and sessions changed; cash, shares and holds did not."""


_NOTHING = Effect(_nothing_touched, _do_nothing)

_MOVING: dict[type, Effect] = {
    Trade: Effect(_of_both_sides, _settle),
    # Its positions are those of the open obligations: they are locked when these are loaded.
    SettlementCycle: Effect(_nothing_touched, settle_cycle),
    SharesExempted: Effect(_of_deposit, exempt),
    BuyInNotified: Effect(_nothing_touched, notify),
    OrderCanceled: Effect(_of_order, _release_canceled),
    OrderReduced: Effect(_of_order, _release_reduced),
    OrderAmended: Effect(_of_order, _release_amended),
    AmendRejected: Effect(_of_rejected_amend, _release_rejected),
    CorporateActionApplied: Effect(venue_positions, apply_action),
    CorporateActionDeclared: Effect(_nothing_touched, note_declared),
    DividendPaid: Effect(_nothing_touched, pay_dividend),
    OrderAdjusted: Effect(_of_order, adjust_hold),
}
EFFECTS: dict[type, Effect] = dict.fromkeys(get_args(Event), _NOTHING) | _MOVING
"""One row for each kind of event. A kind that is not here is a KeyError, which stops the service:
better than to pass over an event that moves money.
"""


def positions_touched(events: Iterable[Event]) -> set[Position]:
    """Every position that applying these events can change or report."""
    touched: set[Position] = set()
    for event in events:
        touched.update(EFFECTS[type(event)].positions(event))
    return touched


def securities_acted_on(events: Iterable[Event]) -> set[str]:
    """The securities whose every holder these events concern."""
    return {event.security_id for event in events if type(event) is CorporateActionApplied}


def needs_netting(events: Iterable[Event]) -> bool:
    """Whether applying these events needs all open obligations."""
    return any(type(event) in _OF_NETTING for event in events)


_OF_NETTING = (SettlementCycle, SharesExempted, BuyInNotified)
