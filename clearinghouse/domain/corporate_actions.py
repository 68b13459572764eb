"""Corporate actions in the ledger: what each holder gets and gives, and what is written of it.

Each holder's part is one journal and one report. Shares come from the depository and go back to it;
cash comes from the bank through the issuer. Every holder of the security must be in the ledger.
"""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from clearinghouse.domain.ledger import Ledger, Leg
from clearinghouse.domain.venue_accounts import BANK, DEPOSITORY, EXTERNAL, ISSUER
from venue_protocol.corporate_actions import CorporateAction, Split
from venue_protocol.events import CorporateActionApplied, OrderAdjusted
from venue_protocol.holds import CASH, held_asset
from venue_protocol.invariants import BrokenInvariant

if TYPE_CHECKING:
    from clearinghouse.domain.settlement import Settlement


class ActionStep(NamedTuple):
    """A row of corporate_actions."""

    action_id: int
    security_id: str
    applied_us: int
    action: CorporateAction


class ListingChange(NamedTuple):
    """What an action makes of a listed security."""

    security_id: str
    reference_price_e4: int
    action_id: int


@dataclass(slots=True)
class ActionRecord:
    """What the corporate actions of a settlement make beside journals and reports."""

    steps: list[ActionStep] = field(default_factory=list)
    listings: list[ListingChange] = field(default_factory=list)

    def changed(self) -> set[str]:
        """The securities whose listing changed."""
        return {change.security_id for change in self.listings}


def venue_positions(event: CorporateActionApplied) -> tuple[tuple[str, str], ...]:
    """The venue's own positions that an action moves; the holders' are found by the security."""
    security_id = event.security_id
    return (BANK, CASH), (ISSUER, CASH), (ISSUER, security_id), (DEPOSITORY, security_id)


def apply_action(settlement: "Settlement", event: CorporateActionApplied, time_us: int) -> None:
    """Do an action to each holder, in the order of their names, and to the listing."""
    _split(settlement, event, event.action, time_us)
    record = settlement.actions
    record.steps.append(ActionStep(event.action_id, event.security_id, time_us, event.action))
    record.listings.append(
        ListingChange(event.security_id, event.reference_price_e4, event.action_id)
    )


def adjust_hold(settlement: "Settlement", event: OrderAdjusted, time_us: int) -> None:
    """Let the hold of an adjusted order follow.

    An example: SELL 10 in a split 2 for 1 holds 10 shares more; BUY 25 at $100.00 in one of 3 for 2
    becomes 37 at $66.66, and $33.58 are free.
    """
    asset = held_asset(event.side, event.security_id)
    settlement.ledger.change_hold(event.client_id, asset, event.hold_change)


def holders(ledger: Ledger, security_id: str) -> list[tuple[str, int]]:
    """Client and shares of everybody inside the venue who has some, by name."""
    return sorted(
        (client_id, position.quantity)
        for (client_id, asset), position in ledger.positions.items()
        if asset == security_id and position.quantity and client_id not in EXTERNAL
    )


def _split(
    settlement: "Settlement", event: CorporateActionApplied, split: Split, time_us: int
) -> None:
    """Each holding becomes whole new shares, and cash for a fraction of one.

    An example, 3 for 2 at $33.3333 a new share: Ann's 5 shares become 7, and half a share is paid
    with $16.6666.

        account     USD        AAPL
        depository                -2
        ann                       +2
        bank        -166,666
        issuer      +166,666
        issuer      -166,666
        ann         +166,666
    """
    security_id = event.security_id
    memo = f"split {split.new_shares} for {split.old_shares}"
    for client_id, before in holders(settlement.ledger, security_id):
        shares = split.shares(before) - before
        cash_e4 = split.cash_in_lieu_e4(before)
        legs: tuple[Leg, ...] = (
            Leg(DEPOSITORY, security_id, -shares),
            Leg(client_id, security_id, shares),
        )
        if cash_e4:
            legs += paid_by_issuer(client_id, cash_e4)
        settlement.act("split", time_us, legs, event.action_id, client_id, security_id, memo)


def paid_by_issuer(client_id: str, cash_e4: int) -> tuple[Leg, ...]:
    """Cash that the issuer brings into the venue and pays."""
    return (
        Leg(BANK, CASH, -cash_e4),
        Leg(ISSUER, CASH, cash_e4),
        Leg(ISSUER, CASH, -cash_e4),
        Leg(client_id, CASH, cash_e4),
    )


def require_covered(shortfall: object) -> None:
    """BrokenInvariant for a part of an action that is not covered: the action was logged."""
    if shortfall is not None:
        raise BrokenInvariant(f"a corporate action is not covered: {shortfall}")
