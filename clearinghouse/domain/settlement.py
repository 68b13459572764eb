"""From events to settled shares: novation, delivery versus payment, holds, reports.

Novation (NSCC): the clearinghouse becomes buyer to the seller and seller to the buyer, so each
trade is four movements of cash and four of shares that meet in its account and leave nothing there.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from clearinghouse.domain.ledger import HoldRelease, Journal, Ledger, Leg, ReportChain, Shortfall
from clearinghouse.domain.report_chain import ReportWriter, SealedReport
from venue_protocol.events import (
    AmendRejected,
    Event,
    OrderAmended,
    OrderCanceled,
    OrderReduced,
    Trade,
)
from venue_protocol.holds import CASH, held_amount, held_asset
from venue_protocol.orders import BUY, SELL

CLEARINGHOUSE = "clearinghouse"
"""The central counterparty's account. Empty after every journal."""


@dataclass(frozen=True, slots=True)
class Obligation:
    """A trade that could not be settled, and why. Never in a healthy venue."""

    trade: Trade
    time_us: int
    reason: str


def trade_legs(trade: Trade) -> tuple[Leg, ...]:
    """The eight legs of a novated trade: payment, then delivery."""
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
    )


def trade_releases(trade: Trade) -> tuple[HoldRelease, HoldRelease]:
    """What the two filled orders held for this quantity: the buyer's limit, the seller's shares."""
    return (
        HoldRelease(
            trade.buy_client_id, CASH, held_amount(BUY, trade.buy_price_e4, trade.quantity)
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
    ) -> None:
        self.ledger = ledger
        self.last_journal_id = last_journal_id
        self.journals: list[Journal] = []
        self.obligations: list[Obligation] = []
        self._reports = ReportWriter(ledger, chains, last_report_sequence)

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
        """Settle a trade, release what a canceled, reduced or amended order no longer needs; no
        other event moves.
        """
        if type(event) is Trade:
            self._settle(event, time_us)
        elif type(event) is OrderCanceled:
            self._release(event, held_amount(event.side, event.price_e4, event.quantity))
        elif type(event) is OrderReduced:
            self._release(event, held_amount(event.side, event.price_e4, event.reduced))
        elif type(event) in (OrderAmended, AmendRejected) and event.hold_released:  # type: ignore[union-attr]
            self._release(event, event.hold_released)  # type: ignore[union-attr,arg-type]

    def transfer(
        self,
        kind: str,
        time_us: int,
        legs: Iterable[Leg],
        reference: str | None = None,
        memo: str | None = None,
    ) -> Shortfall | None:
        """Post a deposit, withdrawal or issue; reports go to each account that is not external."""
        legs = tuple(legs)
        shortfall = self.ledger.post(legs)
        if shortfall is None:
            journal = self._journal(kind, time_us, legs, reference=reference)
            for leg in legs:
                if not self.ledger.position(leg.client_id, leg.asset).is_external:
                    self._reports.transferred(journal, leg, memo)
        return shortfall

    def fail(self, trade: Trade, time_us: int, reason: str) -> None:
        """Move nothing for this trade: release its holds, note the obligation, tell both sides."""
        for release in trade_releases(trade):
            self.ledger.release(release)
        self.obligations.append(Obligation(trade, time_us, reason))
        self._reports.failed(trade, time_us, reason)

    def _settle(self, trade: Trade, time_us: int) -> None:
        quantity = trade.quantity
        shortfall = self.ledger.exchange(
            trade.buy_client_id,
            trade.sell_client_id,
            trade.security_id,
            quantity,
            trade.price_e4 * quantity,
            held_amount(BUY, trade.buy_price_e4, quantity),
        )
        if shortfall is not None:
            self.fail(trade, time_us, str(shortfall))
            return
        self._reports.traded(
            self._journal("trade", time_us, trade_legs(trade), trade_id=trade.trade_id), trade
        )

    def _release(
        self, event: OrderCanceled | OrderReduced | OrderAmended | AmendRejected, amount: int
    ) -> None:
        if event.side is not None and event.security_id is not None:
            asset = held_asset(event.side, event.security_id)
            self.ledger.release(HoldRelease(event.client_id, asset, amount))

    def _journal(
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
